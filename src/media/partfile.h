/* SPDX-License-Identifier: MIT
 *
 * The disk form of a part: coded pictures with exact time stamps. A form of its own because no
 * container keeps all of it: Matroska rounds to milliseconds, NUT and MOV drop side data (alpha).
 *
 *   "lippart2"
 *   u32 size, u32 checksum, header: how the pictures are coded (the same bytes in all encoded parts
 *                of a film, and in all copied ones)
 *   per picture: u32 "PIC1", i64 pts, i64 duration, u32 flags, u32 size, u32 side size, u32
 * checksum,
 *                the bytes, the side bytes (alpha of VP8 and VP9)
 *   u32 "END1", i64 pictures, i64 first pts, i64 last pts, i64 duration of the last, u32 delay,
 *                u32 checksum
 *
 * Numbers are little-endian. A file without its end is half-written. */
#ifndef MEDIA_PARTFILE_H
#define MEDIA_PARTFILE_H

#include <libavcodec/avcodec.h>

#include "base/buffer.h"
#include "media/av.h"
#include "media/media.h"

#define MEDIA_PART_HEADER_MAX ((size_t)1 << 20)
#define MEDIA_PART_PICTURE_MAX ((uint32_t)1 << 28)

struct media_part_header {
    AVCodecParameters *par; /* with mastering display and light level in `side` */
    AVRational time_base, frame_rate;
    struct {
        uint8_t *data;
        size_t size;
    } screen, light; /* stream side data, base memory; NULL when there is none */
    bool copied; /* the film's own coded pictures */
};

struct media_part_end {
    int64_t n_pictures, first_pts, last_pts, last_duration;
    uint32_t delay; /* at most so many pictures are coded before one that is shown earlier */
};

/* What is known of the pictures that came out of an encoder or a film so far. */
struct media_part_tally {
    struct media_part_end end;
    int64_t seen[32]; /* ring: pts of the last ones */
};
void media_part_tally_add(struct media_part_tally *tally, const AVPacket *pkt);

/* The HDR data of a frame, which belong to the header. */
int media_part_header_light(struct media_part_header *header, const struct data_frame *like);
int media_part_header_write(const struct media_part_header *header, struct base_buffer *buffer);
int media_part_header_read(const uint8_t *bytes, size_t n, struct media_part_header *ret_header,
                           struct lip_error *err);
void media_part_header_done(struct media_part_header *header);

int media_part_put_start(AVIOContext *pb, const struct base_buffer *header);
int media_part_put_picture(AVIOContext *pb, const AVPacket *pkt);
int media_part_put_end(AVIOContext *pb, const struct media_part_end *end);

/* Reading one part after its start. */
struct media_part_reader {
    struct media_io *io;
    const char *path; /* borrowed */
    uint8_t *header;  /* base memory, as in the file */
    size_t header_size;
    struct media_part_end end;
};

int media_part_reader_open(const char *path, struct media_part_reader *ret_reader,
                           struct lip_error *err);
void media_part_reader_close(struct media_part_reader *reader);
/* 1: a picture, 0: the end, negative: LIP_ERR_. dts is not set. */
int media_part_reader_next(struct media_part_reader *reader, AVPacket *pkt, struct lip_error *err);

#endif
