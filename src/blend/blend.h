/* SPDX-License-Identifier: MIT
 *
 * Patches into frames: colour match, mask, composite. Outside the mask no sample changes. */
#ifndef BLEND_BLEND_H
#define BLEND_BLEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/frame.h"
#include "data/patch.h"

/* Scratch memory of one thread. */
struct blend_canvas;
int blend_canvas_create(struct blend_canvas **ret_canvas);
void blend_canvas_destroy(struct blend_canvas **canvas);

/* Matches the mouth layer's colour to the skin around it, lays both layers over the frame and
 * writes the samples whose mask is above zero. `frame` must be writable. The layers of the patch
 * are used up: draw it again before the next use; the place of layer 0 holds the finished
 * picture, the target is as it was. ret_touched (may be NULL):
 * rect.w * rect.h bytes, 1 where a sample was written. */
int blend_canvas_apply(struct blend_canvas *canvas, struct data_patch *patch,
                       struct data_frame *frame, uint8_t *ret_touched, struct lip_error *err);

#endif
