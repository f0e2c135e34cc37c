/* SPDX-License-Identifier: MIT
 *
 * Inside image/ only: how the code values of a frame become R'G'B'. */
#ifndef IMAGE_COLOUR_H
#define IMAGE_COLOUR_H

#include "data/frame.h"

/* Plane p of a frame: value = (code - offset[p]) * scale[p]; luma-like 0..1, chroma -0.5..0.5.
 * R'G'B' = rgb_from[3][3] * values; values = from_rgb[3][3] * R'G'B'. */
struct image_code {
    int n_planes;         /* 1 or 3 colour planes */
    int shift_x, shift_y; /* of planes 1 and 2 */
    int code_max;
    float offset[3], scale[3];
    float rgb_from[3][3], from_rgb[3][3];
};

void image_code_init(const struct data_frame *frame, struct image_code *ret_code);

/* One line of n values to R'G'B' (may be the same memory). */
void image_code_line_to_rgb(const struct image_code *code, const float *const v[3], int n,
                            float *const ret_rgb[3]);

#endif
