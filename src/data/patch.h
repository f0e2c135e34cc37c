/* SPDX-License-Identifier: MIT
 *
 * What render/ hands to blend/: float pictures over a rectangle of the frame. Memory belongs to the
 * patch and is reused from frame to frame. */
#ifndef DATA_PATCH_H
#define DATA_PATCH_H

#include <stdbool.h>
#include <stddef.h>

struct data_rect {
    int x, y, w, h; /* IMG pixels */
};

/* All planes are rect.w * rect.h floats, row by row without gaps; colours are R'G'B' in 0..1,
 * three planes one after another. */
struct data_patch {
    struct data_rect rect; /* inside the frame */
    float iod_px;          /* pixels per IOD here: the unit of the two distances */
    float *target;  /* the frame itself */
    float *skin;    /* layer 0: the frame warped by itself (jaw, chin, cheeks, lips of the frame) */
    float *mouth;   /* layer 1: the person's bank warped to the wished shape */
    float *skin_mask;  /* 0..1: where layer 0 differs from the frame */
    float *mouth_mask; /* 0..1: where layer 1 covers layer 0 */
    float *lip_distance; /* IOD, distance to the wished outer lip line; 0 inside the lips */
    float steepness[2];  /* slopes along x and y on the frame's own lips over what this person's
                            lips have in that shape: below 1 the frame is blurred. 1: not known */
    bool has_mouth;      /* false: no bank; layer 1 is not used */
    float *memory;
    size_t capacity; /* floats in memory */
};

void data_patch_init(struct data_patch *patch);
void data_patch_done(struct data_patch *patch);
/* Sizes the planes for rect (contents undefined). Errors: LIP_ERR_NOMEM, LIP_ERR_ARG. */
int data_patch_resize(struct data_patch *patch, struct data_rect rect);

/* Grey values of a part (in pixels of the rectangle) of a picture of the patch. */
void data_patch_grey(const struct data_patch *patch, const float *rgb, struct data_rect box,
                     float *ret);

#endif
