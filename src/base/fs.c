/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/alloc.h"

static _Atomic uint64_t fail_at;
static _Atomic uint64_t n_made;

bool base_fs_must_fail(void)
{
    uint64_t n = atomic_fetch_add_explicit(&n_made, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (at && n == at) {
        errno = EIO;
        return true;
    }
    return false;
}

uint64_t base_fs_fail_nth(uint64_t nth)
{
    uint64_t made = atomic_exchange(&n_made, 0);
    atomic_store(&fail_at, nth);
    return made;
}

static int open_for_reading(const char *path, size_t *ret_size, struct lip_error *err)
{
    int fd = base_fs_must_fail() ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return base_error_set(err, errno == ENOENT ? LIP_ERR_NOT_FOUND : LIP_ERR_IO, "base/fs",
                              "cannot open '%s': %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return base_error_set(err, LIP_ERR_NOT_FOUND, "base/fs", "'%s' is not a file", path);
    }
    *ret_size = (size_t)st.st_size;
    return fd;
}

static bool read_fully(int fd, uint8_t *bytes, size_t n, off_t at)
{
    while (n) {
        ssize_t got = base_fs_must_fail() ? -1 : pread(fd, bytes, n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        n -= (size_t)got;
        at += got;
    }
    return true;
}

int base_fs_read(const char *path, size_t max_bytes, uint8_t **ret_bytes, size_t *ret_n,
                 struct lip_error *err)
{
    size_t size = 0;
    int fd = open_for_reading(path, &size, err);
    if (fd < 0)
        return fd;
    int r = LIP_OK;
    uint8_t *bytes = NULL;
    if (size > max_bytes)
        r = base_error_set(err, LIP_ERR_LIMIT, "base/fs", "'%s' is larger than %zu bytes", path,
                           max_bytes);
    else if (!(bytes = base_alloc(size + 1)))
        r = base_error_nomem(err, "base/fs");
    else if (!read_fully(fd, bytes, size, 0))
        r = base_error_set(err, LIP_ERR_IO, "base/fs", "cannot read '%s': %s", path,
                           strerror(errno));
    close(fd);
    if (r) {
        base_free(bytes);
        return r;
    }
    bytes[size] = 0;
    *ret_bytes = bytes;
    *ret_n = size;
    return LIP_OK;
}

static bool write_fully(int fd, const uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t put = base_fs_must_fail() ? -1 : write(fd, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return !base_fs_must_fail() && !fsync(fd);
}

int base_fs_write(const char *path, const void *bytes, size_t n, struct lip_error *err)
{
    char *beside = NULL;
    if (base_fs_beside(path, "part", &beside))
        return base_error_nomem(err, "base/fs");
    int r = LIP_OK;
    int fd =
        base_fs_must_fail() ? -1 : open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || !write_fully(fd, bytes, n))
        r = base_error_set(err, LIP_ERR_IO, "base/fs", "cannot write '%s': %s", path,
                           strerror(errno));
    if (fd >= 0 && close(fd) && !r)
        r = base_error_set(err, LIP_ERR_IO, "base/fs", "cannot write '%s': %s", path,
                           strerror(errno));
    if (!r)
        r = base_fs_rename(beside, path, err);
    if (r && fd >= 0)
        base_fs_remove(beside);
    base_free(beside);
    return r;
}

int base_fs_beside(const char *path, const char *suffix, char **ret_path)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    size_t n = strlen(path) + strlen(suffix) + 3;
    char *beside = base_alloc(n);
    if (!beside)
        return LIP_ERR_NOMEM;
    snprintf(beside, n, "%.*s.%s.%s", (int)dir, path, path + dir, suffix);
    *ret_path = beside;
    return LIP_OK;
}

int base_fs_rename(const char *from, const char *to, struct lip_error *err)
{
    if (base_fs_must_fail() || rename(from, to))
        return base_error_set(err, LIP_ERR_IO, "base/fs", "cannot write '%s': %s", to,
                              strerror(errno));
    return LIP_OK;
}

bool base_fs_exists(const char *path)
{
    struct stat st;
    return !stat(path, &st);
}

int base_fs_remove(const char *path)
{
    return unlink(path) && errno != ENOENT ? LIP_ERR_IO : LIP_OK;
}

int base_fs_make_dir(const char *path, struct lip_error *err)
{
    if (base_fs_must_fail() || (mkdir(path, 0777) && errno != EEXIST))
        return base_error_set(err, LIP_ERR_IO, "base/fs", "cannot make the folder '%s': %s", path,
                              strerror(errno));
    return LIP_OK;
}

int base_fs_identity(const char *path, uint64_t *ret_hash, struct lip_error *err)
{
    const size_t part = (size_t)1 << 20;
    size_t size = 0;
    int fd = open_for_reading(path, &size, err);
    if (fd < 0)
        return fd;
    size_t n = size < part ? size : part;
    uint8_t *bytes = base_alloc(n);
    int r = bytes ? LIP_OK : base_error_nomem(err, "base/fs");
    uint64_t hash = XXH3_64bits(&size, sizeof size);
    for (int end = 0; !r && end < 2; end++) {
        if (read_fully(fd, bytes, n, end ? (off_t)(size - n) : 0))
            hash = XXH3_64bits_withSeed(bytes, n, hash);
        else
            r = base_error_set(err, LIP_ERR_IO, "base/fs", "cannot read '%s': %s", path,
                               strerror(errno));
    }
    base_free(bytes);
    close(fd);
    if (!r)
        *ret_hash = hash;
    return r;
}

uint32_t base_checksum(const void *bytes, size_t n)
{
    return (uint32_t)XXH3_64bits(bytes, n);
}

uint64_t base_hash(const void *bytes, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, n, seed);
}

int base_fs_remove_all(const char *dir, const char *prefix)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? LIP_OK : LIP_ERR_IO;
    int r = LIP_OK;
    for (struct dirent *e; (e = readdir(d));)
        if (!strncmp(e->d_name, prefix, strlen(prefix)) && strcmp(e->d_name, ".") &&
            strcmp(e->d_name, "..") && unlinkat(dirfd(d), e->d_name, 0))
            r = LIP_ERR_IO;
    closedir(d);
    return r;
}

bool base_fs_holds_only(const char *dir, const char *prefix)
{
    DIR *d = opendir(dir);
    bool only = d != NULL;
    for (struct dirent *e; only && (e = readdir(d));)
        only = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
               !strncmp(e->d_name, prefix, strlen(prefix));
    if (d)
        closedir(d);
    return only;
}

int base_fs_remove_dir(const char *path)
{
    return rmdir(path) && errno != ENOENT ? LIP_ERR_IO : LIP_OK;
}
