/* SPDX-License-Identifier: MIT
 * bench/quality: what a viewer's eye is drawn to: the mask's border, the teeth, the grain. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "clip.h"
#include "image/image.h"

#define SEAM_BLUR .015f /* IOD: grain and pores are no seam */

static const uint16_t inner[20] = {78,  95,  88,  178, 87,  14,  317, 402, 318, 324,
                                   308, 415, 310, 311, 312, 13,  82,  81,  80,  191};

static float grey(const struct picture *p, size_t i)
{
    size_t n = (size_t)p->w * (size_t)p->h;
    return .299f * p->rgb[i] + .587f * p->rgb[n + i] + .114f * p->rgb[2 * n + i];
}

/* The patch's mouth mask over `rect`; 0 beyond the patch. */
static float mask_at(const struct data_patch *patch, int x, int y)
{
    x -= patch->rect.x;
    y -= patch->rect.y;
    if (x < 0 || y < 0 || x >= patch->rect.w || y >= patch->rect.h)
        return 0;
    return patch->mouth_mask[(size_t)y * (size_t)patch->rect.w + (size_t)x];
}

static float lip_distance_at(const struct data_patch *patch, int x, int y)
{
    x -= patch->rect.x;
    y -= patch->rect.y;
    if (x < 0 || y < 0 || x >= patch->rect.w || y >= patch->rect.h)
        return 0;
    return patch->lip_distance[(size_t)y * (size_t)patch->rect.w + (size_t)x];
}

/* Energy of the slope across the lines of equal mask, where the mask rises from nothing to all; and
 * energy of what a blur of one pixel takes away, on skin that comes from the bank. */
static void add_seam_and_grain(struct score *s, const struct data_patch *patch,
                               struct data_rect rect, const struct picture *both[2], float *work)
{
    int w = rect.w, h = rect.h;
    size_t n = (size_t)w * (size_t)h;
    float *smooth = work, *fine = work + n, *scratch = work + 2 * n;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < n; i++)
            smooth[i] = fine[i] = grey(both[k], i);
        image_blur(smooth, w, h, fmaxf(.7f, SEAM_BLUR * patch->iod_px), scratch);
        image_blur(fine, w, h, 1, scratch);
        for (int y = 1; y + 1 < h; y++)
            for (int x = 1; x + 1 < w; x++) {
                size_t i = (size_t)y * (size_t)w + (size_t)x;
                int ix = rect.x + x, iy = rect.y + y;
                float a = mask_at(patch, ix, iy);
                if (a > .02f && a < .98f) {
                    float mx = mask_at(patch, ix + 1, iy) - mask_at(patch, ix - 1, iy);
                    float my = mask_at(patch, ix, iy + 1) - mask_at(patch, ix, iy - 1);
                    float gx = smooth[i + 1] - smooth[i - 1];
                    float gy = smooth[i + (size_t)w] - smooth[i - (size_t)w];
                    float len2 = mx * mx + my * my, across = gx * mx + gy * my;
                    if (len2 > 1e-8f)
                        s->seam[k] += (double)(across * across / len2);
                }
                if (a > .7f && lip_distance_at(patch, ix, iy) > .03f) {
                    float d = grey(both[k], i) - fine[i];
                    s->grain[k] += (double)(d * d);
                }
            }
    }
}

/* The plane of the upper teeth: as deep as the lips' corners. FLICKER_W cells for .6 IOD. */
static void teeth_to_img(const struct clip *clip, const struct data_face_geom *g, float u, float v,
                         double *ret_x, double *ret_y)
{
    const float(*rest)[3] = clip->person.rest;
    float cx = .5f * (rest[78][0] + rest[308][0]), cy = .5f * (rest[13][1] + rest[14][1]);
    float p[3] = {cx + .6f * (u / FLICKER_W - .5f), cy + .6f * (v - .25f * FLICKER_H) / FLICKER_W,
                  .5f * (rest[61][2] + rest[291][2])};
    double x = g->scale * (g->rot[0] * p[0] + g->rot[1] * p[1] + g->rot[2] * p[2]) + g->trans[0];
    double y = g->scale * (g->rot[3] * p[0] + g->rot[4] * p[1] + g->rot[5] * p[2]) + g->trans[1];
    image_affine_apply(&clip->film.img_from_disp, x, y, ret_x, ret_y);
}

static void inner_polygon(const struct clip *clip, const struct data_face_geom *g,
                          const float shape[DATA_FACE_POINTS][3], struct data_rect rect,
                          float ret[20][2])
{
    for (int i = 0; i < 20; i++) {
        const float *p = shape[inner[i]];
        double x =
            g->scale * (g->rot[0] * p[0] + g->rot[1] * p[1] + g->rot[2] * p[2]) + g->trans[0];
        double y =
            g->scale * (g->rot[3] * p[0] + g->rot[4] * p[1] + g->rot[5] * p[2]) + g->trans[1];
        image_affine_apply(&clip->film.img_from_disp, x, y, &x, &y);
        ret[i][0] = (float)(x - rect.x);
        ret[i][1] = (float)(y - rect.y);
    }
}

/* Second difference in time, fixed to the skull, where all three frames look between the lips: how
 * wide the mouth opens does not enter, only what is seen in it. */
static void add_flicker(struct score *s, const struct clip *clip, const struct data_face_geom *g,
                        const float wish[DATA_FACE_POINTS][3], struct data_rect rect,
                        const struct picture *both[2], uint8_t *inside, float *work)
{
    int w = rect.w, h = rect.h;
    size_t n = (size_t)w * (size_t)h;
    float polygon[20][2];
    for (int k = 0; k < 2; k++) {
        struct flicker *f = &s->flicker[k];
        inner_polygon(clip, g, k ? g->canon : wish, rect, polygon);
        image_fill_polygon((const float(*)[2])polygon, 20, w, h, inside);
        for (size_t i = 0; i < n; i++)
            inside[i] = !inside[i];
        image_distance(inside, w, h, work + n, work + 2 * n); /* depth within the opening */
        for (size_t i = 0; i < n; i++)
            work[i] = grey(both[k], i);
        memmove(f->last, f->last + 1, 2 * sizeof *f->last);
        struct flicker_view *now = &f->last[2];
        for (int j = 0; j < FLICKER_H; j++)
            for (int i = 0; i < FLICKER_W; i++) {
                double x, y;
                teeth_to_img(clip, g, (float)i + .5f, (float)j + .5f, &x, &y);
                float px = (float)(x - rect.x), py = (float)(y - rect.y);
                now->grey[j][i] = image_sample_bilinear(work, w, h, px, py);
                now->seen[j][i] =
                    image_sample_bilinear(work + n, w, h, px, py) > .012f * g->scale;
            }
        if (++f->n < 3)
            continue;
        for (int j = 0; j < FLICKER_H; j++)
            for (int i = 0; i < FLICKER_W; i++) {
                const struct flicker_view *v = f->last;
                if (!v[0].seen[j][i] || !v[1].seen[j][i] || !v[2].seen[j][i])
                    continue;
                double d = (double)v[0].grey[j][i] - 2 * (double)v[1].grey[j][i] + v[2].grey[j][i];
                f->sum += d * d;
                f->weight++;
            }
    }
}

int score_add_detail(struct score *s, const struct clip *clip, const struct data_face_geom *g,
                     const float wish[DATA_FACE_POINTS][3], const struct data_patch *patch,
                     struct data_rect rect, const struct picture *real, const struct picture *out)
{
    size_t n = (size_t)rect.w * (size_t)rect.h;
    size_t side = (size_t)(rect.w > rect.h ? rect.w : rect.h);
    float *work = base_alloc_array(4 * n + 3 * side + 3, sizeof *work);
    uint8_t *inside = base_alloc_zero(n);
    int status = work && inside ? 0 : -1;
    if (status == 0) {
        const struct picture *both[2] = {out, real};
        add_seam_and_grain(s, patch, rect, both, work);
        add_flicker(s, clip, g, wish, rect, both, inside, work);
    }
    base_free(work);
    base_free(inside);
    return status;
}

static double ratio(double out, double real)
{
    return real > 0 ? sqrt(out / real) : NAN;
}

void score_details(const struct score *s, double ret[3])
{
    const struct flicker *f = s->flicker;
    bool seen = f[0].weight >= 300 && f[1].weight >= 300; /* cells: else there are no teeth */
    ret[0] = s->seam[1] > 0 ? s->seam[0] / s->seam[1] : NAN;
    ret[1] = seen ? ratio(f[0].sum / (double)f[0].weight, f[1].sum / (double)f[1].weight) : NAN;
    ret[2] = ratio(s->grain[0], s->grain[1]);
}
