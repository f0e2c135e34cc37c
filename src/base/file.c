/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"

struct base_file {
    int fd;
    uint64_t size;
    char *path;
};

static int failed(const struct base_file *f, const char *what, struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_IO, "base/file", "cannot %s '%s': %s", what, f->path,
                          errno ? strerror(errno) : "the file is too short");
}

int base_file_open(const char *path, enum base_file_mode mode, struct base_file **ret_file,
                   struct lip_error *err)
{
    static const int flags[] = {O_RDONLY, O_RDWR, O_RDWR | O_CREAT | O_TRUNC};
    struct base_file *f = base_alloc_zero(sizeof *f);
    if (!f || !(f->path = base_strdup(path))) {
        base_free(f);
        return base_error_nomem(err, "base/file");
    }
    struct stat st;
    int r = LIP_OK;
    f->fd = base_fs_must_fail() ? -1 : open(path, flags[mode] | O_CLOEXEC, 0666);
    if (f->fd < 0)
        r = base_error_set(err, errno == ENOENT && mode != BASE_FILE_CREATE ? LIP_ERR_NOT_FOUND
                                                                            : LIP_ERR_IO,
                           "base/file", "cannot open '%s': %s", path, strerror(errno));
    else if (fstat(f->fd, &st) || !S_ISREG(st.st_mode))
        r = base_error_set(err, LIP_ERR_NOT_FOUND, "base/file", "'%s' is not a file", path);
    if (r) {
        base_file_close(&f);
        return r;
    }
    f->size = (uint64_t)st.st_size;
    *ret_file = f;
    return LIP_OK;
}

/* Not every file system has files without a name. */
static int open_unnamed(const char *folder)
{
    char path[4096];
    int fd = base_fs_must_fail() ? -1 : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || errno == EACCES || errno == ENOENT ||
        snprintf(path, sizeof path, "%s/lipsync-XXXXXX", folder) >= (int)sizeof path)
        return fd;
    fd = base_fs_must_fail() ? -1 : mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int base_file_open_temporary(struct base_file **ret_file, struct lip_error *err)
{
    const char *folder = getenv("TMPDIR"); /* lint: allow getenv: the usual way to name it */
    folder = folder && *folder ? folder : "/var/tmp";
    struct base_file *f = base_alloc_zero(sizeof *f);
    if (!f || !(f->path = base_strdup(folder))) {
        base_free(f);
        return base_error_nomem(err, "base/file");
    }
    f->fd = open_unnamed(folder);
    if (f->fd < 0) {
        base_error_set(err, LIP_ERR_IO, "base/file", "cannot make a temporary file in '%s': %s",
                       folder, strerror(errno));
        base_file_close(&f);
        return LIP_ERR_IO;
    }
    *ret_file = f;
    return LIP_OK;
}

void base_file_close(struct base_file **file)
{
    if (!file || !*file)
        return;
    if ((*file)->fd >= 0)
        close((*file)->fd);
    base_free((*file)->path);
    base_free(*file);
    *file = NULL;
}

uint64_t base_file_size(const struct base_file *file)
{
    return file->size;
}

int base_file_append(struct base_file *f, const void *bytes, size_t n, struct lip_error *err)
{
    const uint8_t *p = bytes;
    size_t left = n;
    while (left) {
        ssize_t put = base_fs_must_fail()
                          ? -1
                          : pwrite(f->fd, p, left, (off_t)(f->size + (n - left)));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int r = failed(f, "write", err);
            (void)!ftruncate(f->fd, (off_t)f->size); /* else the next open cuts the torn end off */
            return r;
        }
        p += put;
        left -= (size_t)put;
    }
    f->size += n;
    return LIP_OK;
}

int base_file_read_at(struct base_file *f, uint64_t at, void *ret_bytes, size_t n,
                      struct lip_error *err)
{
    uint8_t *p = ret_bytes;
    while (n) {
        errno = 0;
        ssize_t got = base_fs_must_fail() ? -1 : pread(f->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed(f, "read", err);
        p += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return LIP_OK;
}

int base_file_truncate(struct base_file *f, uint64_t size, struct lip_error *err)
{
    if (base_fs_must_fail() || ftruncate(f->fd, (off_t)size))
        return failed(f, "shorten", err);
    f->size = size;
    return LIP_OK;
}

int base_file_sync(struct base_file *f, struct lip_error *err)
{
    if (base_fs_must_fail() || fdatasync(f->fd))
        return failed(f, "write", err);
    return LIP_OK;
}
