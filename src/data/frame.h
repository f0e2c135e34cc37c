/* SPDX-License-Identifier: MIT
 *
 * A picture: planar samples as decoded. The only shared object of the house: counted pixels, copy
 * on write. The struct itself has one owner per reference; samples of a frame with more than one
 * reference are never written. ref/unref are thread-safe, everything else is not. */
#ifndef DATA_FRAME_H
#define DATA_FRAME_H

#include <stdatomic.h>
#include <stddef.h>

#include "data/film.h"

enum data_layout {
    DATA_LAYOUT_GRAY, /* 1 plane */
    DATA_LAYOUT_YUV,  /* Y, U, V; chroma may be subsampled */
    DATA_LAYOUT_RGB   /* G, B, R, all full size, same order as FFmpeg's gbrp */
};

struct data_plane {
    uint8_t *data;
    ptrdiff_t stride_bytes;
    int width_px, height_px;
};

struct data_frame {
    int width_px, height_px; /* IMG */
    enum data_layout layout;
    int depth_bits;     /* 8..16; above 8 a sample is a native-endian uint16_t */
    int n_planes;       /* alpha, when there, is the last one, full size */
    bool has_alpha;
    int chroma_shift_x, chroma_shift_y; /* log2 of the subsampling */
    struct data_colour colour;
    struct data_plane plane[4];

    int64_t pts, duration; /* in the film's time base; duration 0 when unknown */
    int64_t index;         /* ordinal number in presentation order, from 0; -1 when unknown */
    bool keyframe;

    /* private to data/ and to whoever made the pixels */
    atomic_int refs;
    void (*release)(void *owner); /* frees the pixels' owner; NULL: `owner` is base memory */
    void *owner;
    struct data_frame *origin; /* reference to the frame that this is an edited copy of, or NULL:
                                  media/ takes side data and colour tags from there */
};

/* A frame with its own zeroed pixels of the given form. 1..32768 px a side.
 * Errors: LIP_ERR_ARG, LIP_ERR_NOMEM. *ret_frame has one reference. */
int data_frame_create(int width_px, int height_px, enum data_layout layout, int depth_bits,
                      int chroma_shift_x, int chroma_shift_y, bool has_alpha,
                      struct data_frame **ret_frame);

/* An empty shell with one reference whose planes the caller fills; release(owner) at the end. */
int data_frame_wrap(void (*release)(void *owner), void *owner, struct data_frame **ret_frame);

struct data_frame *data_frame_ref(struct data_frame *frame);
void data_frame_unref(struct data_frame **frame); /* NULL and *NULL are fine; sets *frame NULL */

/* Makes *frame safe to write: a frame with one reference and own pixels stays; otherwise it is
 * replaced by a copy whose `origin` is the old one. */
int data_frame_make_writable(struct data_frame **frame);

/* A new frame of the same form and properties with uninitialised pixels; origin = like. */
int data_frame_create_like(struct data_frame *like, struct data_frame **ret_frame);

static inline int data_frame_sample(const struct data_frame *f, int plane, int x, int y)
{
    const uint8_t *row = f->plane[plane].data + (ptrdiff_t)y * f->plane[plane].stride_bytes;
    return f->depth_bits > 8 ? ((const uint16_t *)(const void *)row)[x] : row[x];
}

#endif
