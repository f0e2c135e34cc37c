/* SPDX-License-Identifier: MIT
 * Inside blend/ only: the colour match of the mouth layer. */
#ifndef BLEND_GAIN_H
#define BLEND_GAIN_H

#include "data/patch.h"

/* A grid of cells over the mouth; gain[c] multiplies channel c of layer 1. */
struct blend_gain {
    struct data_rect box; /* pixels of the patch, from its left upper corner */
    int cell_px, w, h;
    float *gain[3];
    float *sum[7]; /* weight; layer 0, layer 1 times weight */
    float *scratch, *memory;
    size_t cap;
};

/* Errors: LIP_ERR_NOMEM. box.w is 0 when the patch has no mouth. */
int blend_gain_measure(struct blend_gain *g, const struct data_patch *patch);
void blend_gain_done(struct blend_gain *g);

/* Gains of n pixels of line y from x on (patch pixels, inside box). */
void blend_gain_line(const struct blend_gain *g, int x, int y, int n, float *const ret[3]);

#endif
