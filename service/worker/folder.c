/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "worker/room.h"

#define WHERE "worker/folder"

char *worker_path(const char *folder, const char *name)
{
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = base_alloc(n);
    if (path)
        snprintf(path, n, "%s/%s", folder, name);
    return path;
}

int worker_folder_make(const char *path, struct lip_error *err)
{
    int r = base_fs_make_dir(path, err);
    if (!r && chmod(path, 0700))
        r = base_error_set(err, LIP_ERR_IO, WHERE, "cannot protect '%s': %s", path,
                           strerror(errno));
    return r;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void worker_folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int worker_json_write(const char *folder, const char *name, const json_t *json,
                      struct lip_error *err)
{
    char *path = worker_path(folder, name);
    char *text = json_dumps(json, JSON_COMPACT);
    int r = path && text ? base_fs_write(path, text, strlen(text), err)
                         : base_error_nomem(err, WHERE);
    free(text); /* lint: allow free: jansson gave this memory */
    base_free(path);
    return r;
}

json_t *worker_json_read(const char *folder, const char *name)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    json_t *json = NULL;
    char *path = worker_path(folder, name);
    if (path && !base_fs_read(path, WORKER_TEXT_MAX, &bytes, &n, NULL))
        json = json_loadb((const char *)bytes, n, 0, NULL);
    base_free(bytes);
    base_free(path);
    return json;
}
