/* SPDX-License-Identifier: MIT
 * Many jobs: what stands in a file of jobs, and what became of them. */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include <jansson.h>

#include "options.h"

#define BATCH_LINES_MAX 100000
#define BATCH_LINE_BYTES_MAX ((size_t)256 << 10)

enum batch_state { BATCH_OPEN, BATCH_STARTED, BATCH_DONE, BATCH_FAILED };

struct batch_line {
    int number;               /* in the file, from 1 */
    json_t *json;             /* owns the strings of `settings`; NULL: not readable */
    struct settings settings;
    uint64_t key;             /* of all that decides the output */
    enum batch_state state;
    json_t *result;           /* BATCH_DONE, BATCH_FAILED */
};

struct batch {
    struct batch_line *lines;
    size_t n, cap;
};

/* Reads the jobs; a line that is wrong is BATCH_FAILED with its sentence. `defaults`: options of
 * the command line. Errors: those of the file. */
int batch_read(const char *path, const struct settings *defaults, struct batch *ret_batch,
               struct lip_error *err);
void batch_done(struct batch *batch);

/* Fails a line. */
void batch_fail(struct batch_line *line, int status, const char *text);
/* Takes over from a results file (may be missing) what is done and still there, and what had
 * begun. */
int batch_recall(struct batch *batch, const char *results, struct lip_error *err);
/* One line to the end of the results file / all of them, in order, as the whole file. */
int batch_append(const char *results, const json_t *result, struct lip_error *err);
int batch_write(const struct batch *batch, const char *results, struct lip_error *err);

#endif
