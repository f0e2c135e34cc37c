/* SPDX-License-Identifier: MIT */
#include "engine/workdir.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

#define WHERE "engine/workdir"
#define FINGERPRINT_FILE "job"
#define SCORE_FILE "score" /* and what lies beside it: shares of the looking may come first */

int workdir_path(const struct workdir *work, const char *name, int64_t number, const char *ending,
                 char **ret_path)
{
    size_t n = strlen(work->path) + strlen(name) + strlen(ending) + 32;
    char *path = base_alloc(n);
    if (!path)
        return LIP_ERR_NOMEM;
    if (number < 0)
        snprintf(path, n, "%s/%s%s", work->path, name, ending);
    else
        snprintf(path, n, "%s/%s%06lld%s", work->path, name, (long long)number, ending);
    *ret_path = path;
    return LIP_OK;
}

/* Whether the folder belongs to this very job. */
static bool is_ours(const char *path, uint64_t fingerprint)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    uint64_t found = 0;
    if (base_fs_read(path, 64, &bytes, &n, NULL))
        return false;
    bool ok = n == sizeof found;
    if (ok)
        memcpy(&found, bytes, sizeof found);
    base_free(bytes);
    return ok && found == fingerprint;
}

int workdir_has(const struct workdir *work, const char *name, int64_t number, const char *ending,
                bool *ret_there)
{
    char *path = NULL;
    int r = workdir_path(work, name, number, ending, &path);
    if (!r)
        *ret_there = base_fs_exists(path);
    base_free(path);
    return r;
}

int workdir_open(const char *output, uint64_t fingerprint, bool resume, struct workdir *ret_work,
                 struct lip_error *err)
{
    struct workdir w = {0};
    char *mark = NULL;
    int r = base_fs_beside(output, "lipsync", &w.path);
    if (r)
        return base_error_nomem(err, WHERE);
    r = base_fs_make_dir(w.path, err);
    if (!r && workdir_path(&w, FINGERPRINT_FILE, -1, "", &mark))
        r = base_error_nomem(err, WHERE);
    if (!r && !(resume && is_ours(mark, fingerprint))) {
        base_fs_remove_all(w.path, "");
        r = base_fs_write(mark, &fingerprint, sizeof fingerprint, err);
    }
    base_free(mark);
    if (r)
        workdir_close(&w, false);
    else
        *ret_work = w;
    return r;
}

int workdir_open_parts(const char *path, uint64_t fingerprint, struct workdir *ret_work,
                       struct lip_error *err)
{
    size_t n = strlen(path) + 1;
    struct workdir w = {.path = base_alloc(n), .users = true};
    char *mark = NULL;
    int r = w.path ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r)
        memcpy(w.path, path, n);
    if (!r)
        r = base_fs_make_dir(path, err);
    if (!r && workdir_path(&w, FINGERPRINT_FILE, -1, "", &mark))
        r = base_error_nomem(err, WHERE);
    if (!r && base_fs_holds_only(path, SCORE_FILE))
        r = base_fs_write(mark, &fingerprint, sizeof fingerprint, err);
    if (!r && !is_ours(mark, fingerprint))
        r = base_error_set(err, LIP_ERR_EXISTS, WHERE, "'%s' holds something else than this job's "
                           "parts; name another folder", path);
    base_free(mark);
    if (r)
        workdir_close(&w, false);
    else
        *ret_work = w;
    return r;
}

void workdir_close(struct workdir *work, bool keep)
{
    if (work->path && !keep && !work->users) {
        base_fs_remove_all(work->path, "");
        base_fs_remove_dir(work->path);
    }
    base_free(work->path);
    *work = (struct workdir){0};
}
