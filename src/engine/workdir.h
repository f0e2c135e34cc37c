/* SPDX-License-Identifier: MIT
 *
 * The hidden folder beside the output where a job keeps what it has done so far. */
#ifndef ENGINE_WORKDIR_H
#define ENGINE_WORKDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct workdir {
    char *path;      /* folder */
    size_t n_parts;  /* finished picture parts 0 … n_parts-1 */
};

/* Makes the folder. With `resume` a folder of the same job (same fingerprint) is gone on with;
 * anything else that lies there is removed. */
int workdir_open(const char *output, uint64_t fingerprint, bool resume, struct workdir *ret_work,
                 struct lip_error *err);
/* Removes the folder unless `keep`. Frees in any case. */
void workdir_close(struct workdir *work, bool keep);

/* Path of a file in the folder; base memory. `number` < 0: no number. */
int workdir_path(const struct workdir *work, const char *name, int64_t number, const char *ending,
                 char **ret_path);

#endif
