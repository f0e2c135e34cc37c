/* SPDX-License-Identifier: MIT
 *
 * What the files that join parts into a film share. */
#ifndef MEDIA_JOIN_H
#define MEDIA_JOIN_H

#include <libavformat/avformat.h>

#include "media/av.h"
#include "media/media.h"

enum media_container {
    MEDIA_MP4, MEDIA_MOV, MEDIA_MKV, MEDIA_WEBM, MEDIA_AVI, MEDIA_NUT, MEDIA_CONTAINERS
};

/* The container that the ending of `path` names, or MEDIA_CONTAINERS. */
enum media_container media_container_of(const char *path);
const AVOutputFormat *media_container_format(enum media_container container);

/* The film that is being put together. */
struct media_mux {
    const struct media_join_params *params;
    enum media_container container;
    AVFormatContext *out;
    struct media_io *io;
    char *beside;     /* where it is written before it gets its name */
    bool exists;      /* `beside` is ours to remove */
    struct media_input film; /* fmt NULL when there is none, or a drawn one */
    int film_video;   /* its picture stream, -1 */
    int64_t film_origin_us; /* time of the film's first picture */
    int32_t matrix[9];
    bool has_matrix;
    char *xmp;        /* the packet that the output gets; NULL: none */
};

/* Three sources of packets. Each adds its streams with _open before the header is written; _next
 * gives packets with stream_index, time_base, pts and dts set: 1, 0 at the end, LIP_ERR_. */
struct media_picture;
struct media_voice;
struct media_texts;

int media_picture_open(struct media_mux *mux, struct media_picture **ret_picture,
                       struct lip_error *err);
void media_picture_close(struct media_picture **picture);
int media_picture_next(struct media_picture *picture, AVPacket *pkt, struct lip_error *err);

int media_voice_open(struct media_mux *mux, struct media_voice **ret_voice, struct lip_error *err);
void media_voice_close(struct media_voice **voice);
int media_voice_next(struct media_voice *voice, AVPacket *pkt, struct lip_error *err);

int media_texts_open(struct media_mux *mux, struct media_texts **ret_texts, struct lip_error *err);
void media_texts_close(struct media_texts **texts);
int media_texts_next(struct media_texts *texts, AVPacket *pkt, struct lip_error *err);

/* From the film's clock (0 = its first picture) to the output's. */
double media_time_of(const struct media_join_params *params, double film_us);
/* Title, chapters, cover and the like. */
int media_extras_add(struct media_mux *mux, struct lip_error *err);
/* mark.c, when the metadata are there and after the last byte; 0 or FFmpeg's error. */
int media_mark_add(struct media_mux *mux);
int media_mark_append(struct media_mux *mux);
/* Copies a stream's or film's metadata without what speaks of the old coding. */
int media_metadata_copy(AVDictionary **to, const AVDictionary *from);

#endif
