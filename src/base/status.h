/* SPDX-License-Identifier: MIT
 * Setting errors at the place of failure. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <lipsync/error.h>

/* Fills *err (may be NULL) and returns `code`, so that a failing function can say
 * `return base_error_set(err, LIP_ERR_IO, "media/mux", "cannot write '%s': %s", path, why);`
 * An error that is already set is kept: the first cause is the one the user needs. */
int base_error_set(struct lip_error *err, int code, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Forgets an error, so that another can be set. */
void base_error_clear(struct lip_error *err);

/* The two that are needed everywhere. */
int base_error_nomem(struct lip_error *err, const char *where);
int base_error_arg(struct lip_error *err, const char *where, const char *what);

#endif
