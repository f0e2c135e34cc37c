/* SPDX-License-Identifier: MIT
 * Running another program, without a shell. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

#include "base/status.h"

#define BASE_PROCESS_WORDS_MAX 64

/* Runs argv[0] (looked for in PATH) with these words and waits for its end. Its input is empty, its
 * output is dropped. After timeout_us, or when *cancel (may be NULL) is set, it is killed with what
 * it has started. Errors: LIP_ERR_NOT_FOUND (no such program), LIP_ERR_IO (it failed: the last line
 * of its complaints is in the sentence), LIP_ERR_LIMIT (it took too long), LIP_ERR_CANCELLED,
 * LIP_ERR_NOMEM. Thread-safe. */
int base_process_run(const char *const argv[], int64_t timeout_us, const volatile int *cancel,
                     struct lip_error *err);

/* A command line into words: spaces part them, 'single' and "double" quotes hold together, nothing
 * else is special. In each word {name} becomes the value of that name. *ret_words is one block of
 * base memory that ends with NULL. Errors: LIP_ERR_ARG (a quote without an end, an unknown {name},
 * no word), LIP_ERR_LIMIT, LIP_ERR_NOMEM. */
struct base_process_value {
    const char *name, *value;
};
int base_process_words(const char *command, const struct base_process_value *values,
                       size_t n_values, char ***ret_words, struct lip_error *err);

#endif
