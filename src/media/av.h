/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share: opening things through FFmpeg within limits. */
#ifndef MEDIA_AV_H
#define MEDIA_AV_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/status.h"

/* FFmpeg's own words for its error number, usable inside one expression. */
struct media_av_text {
    char s[AV_ERROR_MAX_STRING_SIZE];
};
struct media_av_text media_av_text(int av);

/* Sets LIP_ERR_NOMEM for ENOMEM and `code` with "<what> '<path>': <FFmpeg's words>" otherwise. */
int media_av_error(struct lip_error *err, int code, const char *where, int av, const char *what,
                   const char *path);

/* FFmpeg's own messages go nowhere. This is a setting of the whole process, so it is left alone
 * where the program has changed it. (Its limit for one allocation is another such setting: it keeps
 * its 2 GiB, because the FFV1 encoder reserves 148 bytes for each pixel.) */
void media_av_quiet(void);

/* Files ----------------------------------------------------------------------------------------
 * The only door of this room to the disk. FFmpeg gets bytes, never a name: whatever a file says
 * about other files or addresses, nothing else is opened. */
struct media_io {
    AVIOContext *pb;
    int fd;
    int64_t at;
    int failed; /* errno of the first failure; 0 */
    bool writing;
};

int media_io_open_read(const char *path, struct media_io **ret_io, struct lip_error *err);
int media_io_open_write(const char *path, struct media_io **ret_io, struct lip_error *err);
/* Flushes to the disk what was written. Frees in any case. */
int media_io_close(struct media_io **io, const char *path, struct lip_error *err);

/* Input files ---------------------------------------------------------------------------------- */
struct media_input {
    struct media_io *io;
    AVFormatContext *fmt;
};

int media_input_open(const char *path, struct media_input *ret_input, struct lip_error *err);
void media_input_close(struct media_input *input); /* half-built is fine */
/* The stream to use of this kind, or -1: the default one of those that can be decoded. */
int media_input_stream(const struct media_input *input, enum AVMediaType type);
/* A file that is one picture (png, jpeg, webp, …). */
bool media_input_is_image(const struct media_input *input);
/* Opens the decoder that keeps most of the stream. n_threads as in media_source_params. */
int media_decoder_open(const AVStream *stream, int n_threads, const char *path,
                       AVCodecContext **ret_decoder, struct lip_error *err);
/* The next packet of one stream. 1: got one, 0: the end, negative: LIP_ERR_. Damaged places are
 * skipped and counted. */
int media_input_packet(struct media_input *input, int stream, AVPacket *pkt, int64_t *n_damaged,
                       struct lip_error *err);

#endif
