/* SPDX-License-Identifier: MIT
 *
 * H.264 and HEVC as far as copying needs them: where NAL units begin, which pictures can be begun
 * with, and parameter sets. The bytes are a stranger's: nothing here reads past their end. */
#ifndef MEDIA_NAL_H
#define MEDIA_NAL_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "base/buffer.h"

#define MEDIA_NAL_SETS_MAX ((size_t)1 << 18) /* bytes of parameter sets of one stream */
#define MEDIA_NAL_HEVC_ID 15 /* of our VPS, SPS and PPS where they lie beside a film's own */

struct media_nal_walk {
    const uint8_t *at, *end;
    int length_bytes; /* 0: units begin with start codes, else with their length */
};

/* The next unit without its mark; false: no more, or the rest is damaged (then at < end). */
bool media_nal_next(struct media_nal_walk *walk, const uint8_t **ret_unit, size_t *ret_n);
/* A unit with a start code before it. */
void media_nal_put(struct base_buffer *buffer, const uint8_t *unit, size_t n);

/* The parameter sets (for HEVC with the SEI beside them) of a codec's extradata, with start codes;
 * how long the lengths in its packets are goes to ret_length_bytes. 0 or LIP_ERR_FORMAT, NOMEM. */
int media_nal_sets(enum AVCodecID codec, const uint8_t *extradata, size_t n,
                   struct base_buffer *ret_sets, int *ret_length_bytes);
/* Bit i: an id i < 32 is used by any of the sets. */
uint32_t media_nal_ids(enum AVCodecID codec, const struct base_buffer *sets);

enum media_nal_start {
    MEDIA_NAL_NO_START, /* leans on pictures before it */
    MEDIA_NAL_LEANING,  /* likewise, and is shown before the key picture it comes after (RASL) */
    MEDIA_NAL_CLOSED,   /* nothing after it leans on anything before it (IDR, BLA) */
    MEDIA_NAL_OPEN      /* only leaning pictures do (CRA) */
};

/* What a coded picture is; false: not understood, or it holds a parameter set that is not among
 * `sets`. */
bool media_nal_look(enum AVCodecID codec, const uint8_t *bytes, size_t n, int length_bytes,
                    const struct base_buffer *sets, enum media_nal_start *ret_start);
/* The same picture with start codes; `cut`: a CRA picture becomes a BLA picture, which says that
 * what its leaning pictures need is not there. */
int media_nal_rewrite(enum AVCodecID codec, const uint8_t *bytes, size_t n, int length_bytes,
                      bool cut, struct base_buffer *ret_bytes);

/* Gives HEVC of our own encoder, whose ids are all 0, the id MEDIA_NAL_HEVC_ID. */
int media_nal_move_ids(const uint8_t *bytes, size_t n, struct base_buffer *ret_bytes);

#endif
