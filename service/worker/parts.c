/* SPDX-License-Identifier: MIT
 * Files of one job's folder in another's: a worker that draws a part of somebody's film gets links
 * to what is needed, and moves what it has made to where it is waited for. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "worker/room.h"

#define WHERE "worker/parts"

const char *const worker_part_inputs[] = {"film", "voice", WORKER_BOXES, WORKER_LARGEST};
const char *const worker_part_found[] = {"job", "score", "curve", "walk"};

static int share(const char *from, const char *to, const char *name, bool move,
                 struct lip_error *err)
{
    char *source = worker_path(from, name), *target = worker_path(to, name);
    int r = source && target ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r && move)
        r = base_fs_rename(source, target, err);
    else if (!r && link(source, target) && errno != EEXIST)
        r = base_error_set(err, LIP_ERR_IO, WHERE, "a part's file cannot be shared: %s",
                           strerror(errno));
    base_free(source);
    base_free(target);
    return r;
}

int worker_share_files(const char *from, const char *to, const char *prefix, bool move,
                       struct lip_error *err)
{
    DIR *dir = opendir(from);
    int r = LIP_OK;
    if (!dir)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such folder");
    for (struct dirent *e; !r && (e = readdir(dir));)
        if (e->d_type == DT_REG && !strncmp(e->d_name, prefix, strlen(prefix)))
            r = share(from, to, e->d_name, move, err);
    closedir(dir);
    return r;
}
