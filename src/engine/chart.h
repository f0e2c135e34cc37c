/* SPDX-License-Identifier: MIT
 * Lines, bars and words on a dark ground, as SVG text or as a picture. */
#ifndef ENGINE_CHART_H
#define ENGINE_CHART_H

#include "base/buffer.h"
#include "engine/picture.h"

struct chart {
    int width_px, height_px;
    bool is_svg;
    struct base_buffer svg;  /* is_svg */
    struct picture picture;  /* else */
    const char *series;      /* colour of the line that is being drawn */
    bool drawing;
    double last_x, last_y;
};

/* The ending of `path` decides the form: .svg or .png. Errors: LIP_ERR_UNSUPPORTED, LIP_ERR_NOMEM.
 */
int chart_init(struct chart *c, const char *path, int width_px, int height_px,
               struct lip_error *err);
void chart_done(struct chart *c);
int chart_write(struct chart *c, const char *path, struct lip_error *err);

/* Colours are "#rrggbb". */
void chart_bar(struct chart *c, double x, double y, double w, double h, const char *colour);
/* A line point by point; chart_lift ends it. */
void chart_line_to(struct chart *c, double x, double y, const char *colour);
void chart_lift(struct chart *c);
/* y is the top of the letters; see picture_put_text for the letters that there are. */
void chart_text(struct chart *c, double x, double y, const char *colour, const char *text);

#endif
