/* SPDX-License-Identifier: MIT
 *
 * Pixels. The one place where frames become RGB and go back, where pictures are resampled, and
 * where small float pictures are filtered. C reference code; deterministic; no threads of its own.
 * A float picture is `n` planes of w*h floats one after another. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/frame.h"
#include "data/patch.h"

/* affine.c ------------------------------------------------------------------------------------ */
struct data_affine image_affine_identity(void);
struct data_affine image_affine_multiply(struct data_affine a, struct data_affine b); /* a(b(x)) */
struct data_affine image_affine_invert(struct data_affine a); /* identity when not invertible */
void image_affine_apply(const struct data_affine *a, double x, double y, double *ret_x,
                        double *ret_y);

/* colour.c: R'G'B' <-> samples, after the frame's matrix, range and depth --------------------- */

/* rect of a frame as R'G'B' in 0..1 (values outside 0..1 are kept), 3 planes. rect must lie
 * inside. */
void image_rgb_from_frame(const struct data_frame *frame, struct data_rect rect, float *ret_rgb);

/* Writes rgb back into a writable frame, mixed by mask: sample += mask * (new - sample), rounded to
 * the nearest code value. Only samples whose mask is above zero are touched; a chroma sample has
 * the mean mask of the luma samples that it covers. Alpha planes are never touched. If ret_touched
 * is not NULL (rect.w * rect.h bytes), it is set to 1 where any plane's sample was written. */
void image_rgb_to_frame(const float *rgb, const float *mask, struct data_rect rect,
                        struct data_frame *frame, uint8_t *ret_touched);

/* The inverse mapping in small: R'G'B' of one pixel to 8-bit RGB for previews, rect w x h. */
void image_rgb_to_u8(const float *rgb, int w, int h, uint8_t *ret_rgb_interleaved);

/* resample.c ---------------------------------------------------------------------------------- */

/* A crop for a net: w x h interleaved RGB, value = v * scale + offset with v in 0..1. Output pixel
 * centre (x+.5, y+.5) samples the frame at img_from_out; bilinear, with a box prefilter when it
 * shrinks by more than 2; outside the frame: `border_zero` ? 0 (before scale and offset) : the
 * nearest edge. */
struct image_crop {
    int w, h;
    struct data_affine img_from_out;
    float scale, offset;
    bool border_zero;
};
int image_crop_frame(const struct data_frame *frame, const struct image_crop *crop, float *ret_rgb);

/* One plane sampled at (x, y), pixel edges, edges replicated. */
float image_sample_bilinear(const float *plane, int w, int h, float x, float y);
float image_sample_bicubic(const float *plane, int w, int h, float x, float y); /* Catmull-Rom */

/* filter.c ------------------------------------------------------------------------------------ */

/* Gaussian blur in place, edges replicated; sigma in pixels (0 = nothing). `scratch`: w*h
 * floats. */
void image_blur(float *plane, int w, int h, float sigma_px, float *scratch);
/* The same with another sigma along each axis. */
void image_blur_axes(float *plane, int w, int h, const float sigma_px[2], float *scratch);

/* Exact Euclidean distance in pixels to the nearest pixel with inside[i] != 0; 0 inside.
 * `scratch`: w*h + 3*max(w,h)+3 floats. */
void image_distance(const uint8_t *inside, int w, int h, float *ret_distance, float *scratch);

/* Fills a polygon (n points, pixel edges): 1 inside, 0 outside, non-zero winding. */
void image_fill_polygon(const float (*points)[2], int n, int w, int h, uint8_t *ret_inside);

/* Standard deviation of the 4-neighbour Laplacian of a grey plane, inside where mask != 0 (NULL:
 * everywhere): sharpness. */
float image_sharpness(const float *grey, const uint8_t *mask, int w, int h);
/* Mean squared slope along x and along y (per pixel) inside the mask; 0 where it is empty. */
void image_slopes(const float *grey, const uint8_t *mask, int w, int h, float ret[2]);

static inline float image_smoothstep(float a, float b, float x)
{
    float t = a == b ? (x < a ? 0.f : 1.f) : (x - a) / (b - a);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

#endif
