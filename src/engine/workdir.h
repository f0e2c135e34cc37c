/* SPDX-License-Identifier: MIT
 *
 * The folder where a job keeps what it has done so far: hidden beside the output, or the user's. */
#ifndef ENGINE_WORKDIR_H
#define ENGINE_WORKDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct workdir {
    char *path;      /* folder */
    size_t n_parts;  /* of the picture, once it is drawn */
    bool users;      /* it is never removed */
};

/* Makes the folder. With `resume` a folder of the same job (same fingerprint) is gone on with;
 * anything else that lies there is removed. */
int workdir_open(const char *output, uint64_t fingerprint, bool resume, struct workdir *ret_work,
                 struct lip_error *err);
/* The user's folder, made where it is missing, and always gone on with. LIP_ERR_EXISTS where it
 * holds something else. */
int workdir_open_parts(const char *path, uint64_t fingerprint, struct workdir *ret_work,
                       struct lip_error *err);
/* Removes the folder unless `keep` or the user's. Frees in any case. */
void workdir_close(struct workdir *work, bool keep);

/* Path of a file in the folder; base memory. `number` < 0: no number. */
int workdir_path(const struct workdir *work, const char *name, int64_t number, const char *ending,
                 char **ret_path);
/* Whether there is such a file. Errors: LIP_ERR_NOMEM. */
int workdir_has(const struct workdir *work, const char *name, int64_t number, const char *ending,
                bool *ret_there);

#endif
