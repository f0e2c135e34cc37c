/* SPDX-License-Identifier: MIT
 * Files of one job's folder in another's: a worker that draws a part of somebody's film gets links
 * to what is needed, and moves what it has made to where it is waited for. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "worker/room.h"

#define WHERE "worker/parts"

const char *const worker_part_inputs[] = {"film", "voice", WORKER_BOXES, WORKER_LARGEST};
const char *const worker_part_found[] = {"job", "score", "curve", "walk"};

static int share(const char *from, const char *to, const char *name, struct lip_error *err)
{
    char *source = worker_path(from, name), *target = worker_path(to, name);
    int r = source && target ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r && link(source, target) && errno != EEXIST)
        r = base_error_set(err, LIP_ERR_IO, WHERE, "a part's file cannot be shared: %s",
                           strerror(errno));
    base_free(source);
    base_free(target);
    return r;
}

int worker_share_files(const char *from, const char *to, const char *prefix,
                       struct lip_error *err)
{
    DIR *dir = opendir(from);
    int r = LIP_OK;
    if (!dir)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such folder");
    for (struct dirent *e; !r && (e = readdir(dir));)
        if (e->d_type == DT_REG && !strncmp(e->d_name, prefix, strlen(prefix)))
            r = share(from, to, e->d_name, err);
    closedir(dir);
    return r;
}

static bool is_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return n > 0;
}

int worker_take_file(const char *folder, const char *name, const char *to, struct lip_error *err)
{
    struct stat s;
    char *path = worker_path(folder, name);
    int r = !path                                      ? base_error_nomem(err, WHERE)
            : lstat(path, &s) || !S_ISREG(s.st_mode) ? LIP_ERR_NOT_FOUND
                                                       : base_fs_rename(path, to, err);
    base_free(path);
    return r;
}

/* What is not there need not be moved. */
static int move_file(const char *from, const char *to, const char *name, struct lip_error *err)
{
    char *target = worker_path(to, name);
    int r = target ? worker_take_file(from, name, target, err) : base_error_nomem(err, WHERE);
    base_free(target);
    return r == LIP_ERR_NOT_FOUND ? LIP_OK : r;
}

/* A drawn part by the digits of its name: counts first, so that a part that is seen is whole. */
static int move_drawn(const char *from, const char *to, const char *number, int n_digits,
                      struct lip_error *err)
{
    char stats[48], mask[48], part[48];
    snprintf(stats, sizeof stats, "stats%.*s", n_digits, number);
    snprintf(mask, sizeof mask, "mask%.*s.nut", n_digits, number);
    snprintf(part, sizeof part, "part%.*s.nut", n_digits, number);
    int r = move_file(from, to, stats, err);
    r = r ? r : move_file(from, to, mask, err);
    return r ? r : move_file(from, to, part, err);
}

int worker_hand_over(const char *from, const char *to, bool drawn, struct lip_error *err)
{
    const char *prefix = drawn ? "part" : "score.span", *ending = drawn ? ".nut" : "";
    size_t n_prefix = strlen(prefix), n_ending = strlen(ending);
    DIR *dir = opendir(from);
    int r = LIP_OK;
    if (!dir)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such folder");
    for (struct dirent *e; !r && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        const char *number = e->d_name + n_prefix;
        if (n <= n_prefix + n_ending || n > 32 || strncmp(e->d_name, prefix, n_prefix) ||
            strcmp(e->d_name + n - n_ending, ending) ||
            !is_number(number, n - n_prefix - n_ending))
            continue;
        r = drawn ? move_drawn(from, to, number, (int)(n - n_prefix - n_ending), err)
                  : move_file(from, to, e->d_name, err);
    }
    closedir(dir);
    return r;
}
