/* SPDX-License-Identifier: MIT
 * Inside blend/ only: the fine detail of the mouth layer. */
#ifndef BLEND_DETAIL_H
#define BLEND_DETAIL_H

#include "data/patch.h"

struct blend_detail {
    float *memory;
    size_t cap;
};

/* Makes the mouth layer (inside box, pixels of the patch) as sharp and as grainy as the frame's own
 * skin around the lips. Errors: LIP_ERR_NOMEM. */
int blend_detail_match(struct blend_detail *d, struct data_patch *patch, struct data_rect box);
void blend_detail_done(struct blend_detail *d);

#endif
