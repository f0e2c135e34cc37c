/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/av.h"

#define IO_BUFFER_BYTES (64 * 1024)

static int note_failure(struct media_io *io)
{
    if (!io->failed)
        io->failed = errno ? errno : EIO;
    return AVERROR(io->failed);
}

static int read_bytes(void *opaque, uint8_t *buf, int n)
{
    struct media_io *io = opaque;
    ssize_t got;
    do
        got = base_fs_must_fail() ? -1 : pread(io->fd, buf, (size_t)n, io->at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return note_failure(io);
    if (!got)
        return AVERROR_EOF;
    io->at += got;
    return (int)got;
}

static int write_bytes(void *opaque, uint8_t *buf, int n)
{
    struct media_io *io = opaque;
    for (int done = 0; done < n;) {
        ssize_t put =
            base_fs_must_fail() ? -1 : pwrite(io->fd, buf + done, (size_t)(n - done), io->at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return note_failure(io);
        done += (int)put;
        io->at += put;
    }
    return n;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    struct media_io *io = opaque;
    struct stat st;
    if (whence == AVSEEK_SIZE || whence == SEEK_END) {
        if (fstat(io->fd, &st))
            return note_failure(io);
        if (whence == AVSEEK_SIZE)
            return st.st_size;
        offset += st.st_size;
    } else if (whence == SEEK_CUR) {
        offset += io->at;
    }
    if (offset < 0)
        return AVERROR(EINVAL);
    return io->at = offset;
}

static void free_io(struct media_io **io)
{
    if (!*io)
        return;
    if ((*io)->fd >= 0)
        close((*io)->fd);
    if ((*io)->pb)
        av_freep(&(*io)->pb->buffer);
    avio_context_free(&(*io)->pb);
    base_free(*io);
    *io = NULL;
}

/* Takes fd over, also on failure. */
static int create(int fd, bool writing, struct media_io **ret_io, struct lip_error *err)
{
    struct media_io *io = base_alloc_zero(sizeof *io);
    if (!io) {
        close(fd);
        return base_error_nomem(err, "media/io");
    }
    io->fd = fd;
    io->writing = writing;
    uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
    if (buffer)
        io->pb = avio_alloc_context(buffer, IO_BUFFER_BYTES, writing, io,
                                    writing ? NULL : read_bytes, writing ? write_bytes : NULL,
                                    seek_bytes);
    if (!io->pb) {
        av_free(buffer);
        free_io(&io);
        return base_error_nomem(err, "media/io");
    }
    *ret_io = io;
    return LIP_OK;
}

int media_io_open_read(const char *path, struct media_io **ret_io, struct lip_error *err)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang; files ignore it.
     * lint: allow open: this room's door to the disk, with base/'s fault hook */
    int fd = base_fs_must_fail() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int why = errno;
        if (why == EIO || why == EMFILE || why == ENFILE)
            return base_error_set(err, LIP_ERR_IO, "media/io", "cannot open '%s': %s", path,
                                  strerror(why));
        return base_error_set(err, LIP_ERR_NOT_FOUND, "media/io",
                              why == ENOENT ? "there is no file '%s'" : "cannot open '%s' (%s)",
                              path, strerror(why));
    }
    struct stat st;
    const char *why = NULL;
    int code = LIP_ERR_NOT_FOUND;
    if (fstat(fd, &st))
        why = "cannot be opened";
    else if (S_ISDIR(st.st_mode))
        why = "is a folder, not a media file";
    else if (!S_ISREG(st.st_mode))
        why = "is not an ordinary file";
    else if (!st.st_size) {
        why = "is empty";
        code = LIP_ERR_FORMAT;
    }
    if (why) {
        close(fd);
        return base_error_set(err, code, "media/io", "'%s' %s", path, why);
    }
    return create(fd, false, ret_io, err);
}

int media_io_open_write(const char *path, struct media_io **ret_io, struct lip_error *err)
{
    /* lint: allow open: as above; FFmpeg writes at any place, base/file only appends */
    int fd = base_fs_must_fail() ? -1 : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return base_error_set(err, LIP_ERR_IO, "media/io", "cannot write '%s': %s", path,
                              strerror(errno));
    int r = create(fd, true, ret_io, err);
    if (r)
        base_fs_remove(path);
    return r;
}

int media_io_close(struct media_io **io, const char *path, struct lip_error *err)
{
    if (!*io)
        return LIP_OK;
    int failed = 0;
    if ((*io)->writing) {
        avio_flush((*io)->pb);
        if (!(*io)->failed && (base_fs_must_fail() || fsync((*io)->fd)) && errno != EINVAL)
            note_failure(*io); /* EINVAL: a special file that cannot be flushed */
        failed = (*io)->failed;
    }
    free_io(io);
    if (failed)
        return base_error_set(err, LIP_ERR_IO, "media/io", "cannot write '%s': %s", path,
                              strerror(failed));
    return LIP_OK;
}
