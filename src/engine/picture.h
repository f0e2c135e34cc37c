/* SPDX-License-Identifier: MIT
 * Small 8-bit RGB pictures with figures on them: contact sheets and portraits. */
#ifndef ENGINE_PICTURE_H
#define ENGINE_PICTURE_H

#include <stdint.h>

#include "base/status.h"
#include "data/film.h"
#include "data/frame.h"

struct picture {
    int width_px, height_px;
    uint8_t *rgb; /* interleaved */
};

/* Errors: LIP_ERR_NOMEM. */
int picture_init(struct picture *p, int width_px, int height_px, uint8_t grey);
void picture_done(struct picture *p);

/* Draws the DISP rectangle (x, y, w, h) of a frame into the w_px * h_px rectangle at (to_x, to_y),
 * as upright as a viewer sees it. */
struct picture_view {
    double x, y, w, h;
    int to_x, to_y, w_px, h_px;
};
int picture_put_frame(struct picture *p, const struct data_film *film,
                      const struct data_frame *frame, const struct picture_view *view);

/* Text in a 5x7 font, each dot `zoom` pixels; capital letters, digits and . - : / % ( ) only. */
void picture_put_text(struct picture *p, int x, int y, int zoom, const char *text);

int picture_write_png(const struct picture *p, const char *path, struct lip_error *err);

#endif
