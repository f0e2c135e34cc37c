/* SPDX-License-Identifier: MIT
 *
 * The composite, in coded R'G'B': the two layers come from the same camera, and their ramps are
 * short and lie on like colours, so linear light changes nothing that can be seen. */
#include "blend/blend.h"

#include <stdbool.h>

#include "base/alloc.h"
#include "blend/detail.h"
#include "blend/gain.h"
#include "image/image.h"

#define WHERE "blend"

struct blend_canvas {
    struct blend_gain gain;
    struct blend_detail detail;
    float *line; /* three gains of one line */
    size_t line_cap;
};

int blend_canvas_create(struct blend_canvas **ret_canvas)
{
    if (!ret_canvas)
        return LIP_ERR_ARG;
    *ret_canvas = base_alloc_zero(sizeof **ret_canvas);
    return *ret_canvas ? 0 : LIP_ERR_NOMEM;
}

void blend_canvas_destroy(struct blend_canvas **canvas)
{
    if (!canvas || !*canvas)
        return;
    blend_gain_done(&(*canvas)->gain);
    blend_detail_done(&(*canvas)->detail);
    base_free((*canvas)->line);
    base_free(*canvas);
    *canvas = NULL;
}

/* Target, layer 0 and layer 1 into the place of layer 0; the place of layer 0's mask becomes the
 * mask of what is written. */
static void composite_line(struct data_patch *p, int y, const struct data_rect *box,
                           float *const gain[3])
{
    size_t w = (size_t)p->rect.w, area = w * (size_t)p->rect.h, row = (size_t)y * w;
    float *mask = p->skin_mask + row;
    bool mouth = box->w > 0 && y >= box->y && y < box->y + box->h;
    for (size_t c = 0; c < 3; c++) {
        const float *target = p->target + c * area + row, *layer = p->mouth + c * area + row;
        const float *a = p->mouth_mask + row;
        float *skin = p->skin + c * area + row;
        for (size_t x = 0; x < w; x++)
            skin[x] = target[x] + mask[x] * (skin[x] - target[x]);
        for (int k = 0; mouth && k < box->w; k++) {
            size_t x = (size_t)(box->x + k);
            skin[x] += a[x] * (gain[c][k] * layer[x] - skin[x]);
        }
    }
    for (size_t x = 0; x < w; x++)
        mask[x] = mask[x] > 0 || (mouth && p->mouth_mask[row + x] > 0) ? 1.f : 0.f;
}

static bool fits(const struct data_rect *r, const struct data_frame *f)
{
    return r->x >= 0 && r->y >= 0 && r->w >= 1 && r->h >= 1 && r->w <= f->width_px - r->x &&
           r->h <= f->height_px - r->y;
}

int blend_canvas_apply(struct blend_canvas *canvas, struct data_patch *patch,
                       struct data_frame *frame, uint8_t *ret_touched, struct lip_error *err)
{
    if (!canvas || !patch || !frame || !patch->memory)
        return base_error_arg(err, WHERE, "an argument");
    if (!fits(&patch->rect, frame))
        return base_error_set(err, LIP_ERR_ARG, WHERE, "the patch is not inside the frame");
    size_t w = (size_t)patch->rect.w;
    if (3 * w > canvas->line_cap) {
        float *line = base_alloc_array(3 * w, sizeof *line);
        if (!line)
            return base_error_nomem(err, WHERE);
        base_free(canvas->line);
        canvas->line = line;
        canvas->line_cap = 3 * w;
    }
    if (blend_gain_measure(&canvas->gain, patch) < 0)
        return base_error_nomem(err, WHERE);
    const struct data_rect *box = &canvas->gain.box;
    if (blend_detail_match(&canvas->detail, patch, *box) < 0)
        return base_error_nomem(err, WHERE);
    float *gain[3] = {canvas->line, canvas->line + w, canvas->line + 2 * w};
    for (int y = 0; y < patch->rect.h; y++) {
        if (box->w > 0 && y >= box->y && y < box->y + box->h)
            blend_gain_line(&canvas->gain, box->x, y, box->w, gain);
        composite_line(patch, y, box, gain);
    }
    image_rgb_to_frame(patch->skin, patch->skin_mask, patch->rect, frame, ret_touched);
    return 0;
}
