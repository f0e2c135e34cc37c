/* SPDX-License-Identifier: MIT
 * bench/quality: the numbers. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "clip.h"
#include "image/image.h"

#define TEX_W 64
#define TEX_H 48

static const uint16_t outer[20] = {61,  146, 91,  181, 84,  17, 314, 405, 321, 375,
                                   291, 409, 270, 269, 267, 0,  37,  39,  40,  185};

void picture_free(struct picture *p)
{
    base_free(p->rgb);
    p->rgb = NULL;
}

int picture_from_frame(const struct data_frame *frame, struct data_rect rect, struct picture *p)
{
    p->w = rect.w;
    p->h = rect.h;
    p->rgb = base_alloc_array((size_t)rect.w * (size_t)rect.h, 3 * sizeof *p->rgb);
    if (!p->rgb)
        return -1;
    image_rgb_from_frame(frame, rect, p->rgb);
    for (size_t i = 0; i < 3 * (size_t)rect.w * (size_t)rect.h; i++) /* as it is seen: 8 bits */
        p->rgb[i] = roundf(fminf(fmaxf(p->rgb[i], 0), 1) * 255) / 255;
    return 0;
}

/* The outer lip ring in IMG. */
static void lips_of(const struct clip *clip, const struct data_face_geom *g, float ret[20][2])
{
    for (int i = 0; i < 20; i++) {
        double x, y;
        image_affine_apply(&clip->film.img_from_disp, g->disp[outer[i]][0], g->disp[outer[i]][1],
                           &x, &y);
        ret[i][0] = (float)x;
        ret[i][1] = (float)y;
    }
}

/* 1.5 mouth widths wide, .85 of that high, around the middle of the lips. */
static void mouth_box(const float lips[20][2], float ret[4])
{
    float x = 0, y = 0, w = hypotf(lips[10][0] - lips[0][0], lips[10][1] - lips[0][1]) * 1.5f;
    for (int i = 0; i < 20; i++) {
        x += lips[i][0] / 20;
        y += lips[i][1] / 20;
    }
    ret[0] = x - w / 2, ret[1] = y - .85f * w / 2, ret[2] = x + w / 2, ret[3] = y + .85f * w / 2;
}

struct data_rect score_rect(const struct clip *clip, const struct data_frame *frame,
                            const struct data_face_geom *geom)
{
    float lips[20][2], box[4];
    lips_of(clip, geom, lips);
    mouth_box((const float(*)[2])lips, box);
    float grow = .15f * geom->scale;
    int x0 = (int)fmaxf(0, floorf(box[0] - grow)), y0 = (int)fmaxf(0, floorf(box[1] - grow));
    int x1 = (int)fminf((float)frame->width_px, ceilf(box[2] + grow));
    int y1 = (int)fminf((float)frame->height_px, ceilf(box[3] + grow));
    struct data_rect r = {x0, y0, x1 - x0, y1 - y0}, none = {0, 0, 0, 0};
    return r.w > 8 && r.h > 8 ? r : none;
}

static float grey(const struct picture *p, size_t i)
{
    size_t n = (size_t)p->w * (size_t)p->h;
    return .299f * p->rgb[i] + .587f * p->rgb[n + i] + .114f * p->rgb[2 * n + i];
}

static double psnr(const struct picture *a, const struct picture *b, const uint8_t *mask)
{
    size_t n = (size_t)a->w * (size_t)a->h;
    double sum = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; mask[i] && c < 3; c++) {
            double d = (double)a->rgb[c * n + i] - b->rgb[c * n + i];
            sum += d * d;
            count++;
        }
    double mse = count > 0 ? sum / count : 0;
    return mse > 1e-7 ? -10 * log10(mse) : 70;
}

/* SSIM of luma with a Gaussian window of sigma 1.5 (Wang et al. 2004), mean over the mask. */
static double ssim(const struct picture *a, const struct picture *b, const uint8_t *mask,
                   float *work)
{
    size_t n = (size_t)a->w * (size_t)a->h;
    float *m[5] = {work, work + n, work + 2 * n, work + 3 * n, work + 4 * n};
    for (size_t i = 0; i < n; i++) {
        float x = grey(a, i), y = grey(b, i);
        m[0][i] = x, m[1][i] = y, m[2][i] = x * x, m[3][i] = y * y, m[4][i] = x * y;
    }
    for (int k = 0; k < 5; k++)
        image_blur(m[k], a->w, a->h, 1.5f, work + 5 * n);
    double sum = 0, count = 0, c1 = .01 * .01, c2 = .03 * .03;
    for (size_t i = 0; i < n; i++) {
        if (!mask[i])
            continue;
        double ux = m[0][i], uy = m[1][i], vx = m[2][i] - ux * ux, vy = m[3][i] - uy * uy;
        double cov = m[4][i] - ux * uy;
        sum += (2 * ux * uy + c1) * (2 * cov + c2) / ((ux * ux + uy * uy + c1) * (vx + vy + c2));
        count++;
    }
    return count > 0 ? sum / count : 1;
}

/* A grey mouth fixed to the skull, as the bank's textures are. */
static void stabilised(const struct clip *clip, const struct data_face_geom *g,
                       struct data_rect rect, const float *plane, float *ret)
{
    float cx = clip->person.canon[2][0] - .5f, cy = clip->person.canon[2][1];
    float z = .25f * (clip->person.canon[0][2] + clip->person.canon[17][2] +
                      clip->person.canon[61][2] + clip->person.canon[291][2]);
    for (int j = 0; j < TEX_H; j++)
        for (int i = 0; i < TEX_W; i++) {
            float p[3] = {cx + ((float)i + .5f) / TEX_W, cy + .75f * ((float)j + .5f) / TEX_H, z};
            double x = g->scale * (g->rot[0] * p[0] + g->rot[1] * p[1] + g->rot[2] * p[2]);
            double y = g->scale * (g->rot[3] * p[0] + g->rot[4] * p[1] + g->rot[5] * p[2]);
            image_affine_apply(&clip->film.img_from_disp, x + g->trans[0], y + g->trans[1], &x, &y);
            ret[j * TEX_W + i] = image_sample_bilinear(plane, rect.w, rect.h, (float)(x - rect.x),
                                                       (float)(y - rect.y));
        }
}

static void add_jitter(struct score *s, const float now[2][TEX_W * TEX_H])
{
    if (s->n_last >= 2) {
        double sum[2] = {0, 0};
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < TEX_W * TEX_H; i++) {
                double d = (double)s->last[k][0][i] - 2 * (double)s->last[k][1][i] + now[k][i];
                sum[k] += d * d;
            }
        s->hf_out += sum[0];
        s->hf_real += sum[1];
        s->n_hf++;
    }
    for (int k = 0; k < 2; k++) {
        memcpy(s->last[k][0], s->last[k][1], sizeof s->last[k][0]);
        memcpy(s->last[k][1], now[k], sizeof s->last[k][1]);
    }
    s->n_last++;
}

/* Masks of the two boxes over rect: the lips and .08 IOD around them; the mouth box. */
static void make_masks(const struct clip *clip, const struct data_face_geom *g,
                       struct data_rect rect, uint8_t *const ret[N_BOXES], float *work)
{
    float lips[20][2], box[4];
    lips_of(clip, g, lips);
    mouth_box((const float(*)[2])lips, box);
    for (int i = 0; i < 20; i++) {
        lips[i][0] -= (float)rect.x;
        lips[i][1] -= (float)rect.y;
    }
    size_t n = (size_t)rect.w * (size_t)rect.h;
    image_fill_polygon((const float(*)[2])lips, 20, rect.w, rect.h, ret[0]);
    image_distance(ret[0], rect.w, rect.h, work, work + n);
    for (size_t i = 0; i < n; i++) {
        float x = (float)(rect.x + (int)(i % (size_t)rect.w)) + .5f;
        float y = (float)(rect.y + (int)(i / (size_t)rect.w)) + .5f;
        ret[0][i] = work[i] <= .08f * g->scale;
        ret[1][i] = x > box[0] && x < box[2] && y > box[1] && y < box[3];
    }
}

int score_add(struct score *s, const struct clip *clip, const struct data_face_geom *geom,
              struct data_rect rect, const struct picture *real, const struct picture *out)
{
    size_t n = (size_t)rect.w * (size_t)rect.h;
    size_t side = (size_t)(rect.w > rect.h ? rect.w : rect.h);
    float *work = base_alloc_array(7 * n + 3 * side + 3, sizeof *work);
    uint8_t *masks = base_alloc_zero(2 * n);
    if (!work || !masks) {
        base_free(work);
        base_free(masks);
        return -1;
    }
    uint8_t *const mask[N_BOXES] = {masks, masks + n};
    make_masks(clip, geom, rect, mask, work);
    for (int b = 0; b < N_BOXES; b++) {
        s->psnr[b] += psnr(real, out, mask[b]);
        s->ssim[b] += ssim(real, out, mask[b], work);
    }
    const struct picture *both[2] = {out, real};
    float now[2][TEX_W * TEX_H], sharp[2];
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < n; i++)
            work[i] = grey(both[k], i);
        sharp[k] = image_sharpness(work, mask[BOX_LIPS], rect.w, rect.h);
        stabilised(clip, geom, rect, work, now[k]);
    }
    s->sharp_out += sharp[0];
    s->sharp_real += sharp[1];
    add_jitter(s, (const float(*)[TEX_W * TEX_H]) now);
    s->n++;
    base_free(work);
    base_free(masks);
    return 0;
}

void score_values(const struct score *s, double ret[6])
{
    double n = s->n ? (double)s->n : 1;
    ret[0] = s->psnr[0] / n;
    ret[1] = s->ssim[0] / n;
    ret[2] = s->psnr[1] / n;
    ret[3] = s->ssim[1] / n;
    ret[4] = s->sharp_real > 0 ? s->sharp_out / s->sharp_real : 0;
    ret[5] = s->hf_real > 0 ? sqrt(s->hf_out / s->hf_real) : 0;
}

/* The IMG position of a raster cell: the plane through the nose base's and the lips' depth. */
static void raster_to_img(const struct clip *clip, const struct data_face_geom *g, float i, float j,
                          double *ret_x, double *ret_y)
{
    const float(*c)[3] = clip->person.canon;
    float p[3] = {c[2][0] + (i - RASTER_W / 2.f) / 200, c[2][1] + (j - 20) / 200,
                  .25f * (c[0][2] + c[17][2] + c[61][2] + c[291][2])};
    double x = g->scale * (g->rot[0] * p[0] + g->rot[1] * p[1] + g->rot[2] * p[2]) + g->trans[0];
    double y = g->scale * (g->rot[3] * p[0] + g->rot[4] * p[1] + g->rot[5] * p[2]) + g->trans[1];
    image_affine_apply(&clip->film.img_from_disp, x, y, ret_x, ret_y);
}

void raster_from_frame(const struct clip *clip, const struct data_frame *frame,
                       const struct data_face_geom *geom, struct raster *ret)
{
    double x0, y0, x1, y1, x2, y2;
    raster_to_img(clip, geom, 0, 0, &x0, &y0);
    raster_to_img(clip, geom, 1, 0, &x1, &y1);
    raster_to_img(clip, geom, 0, 1, &x2, &y2);
    struct image_crop crop = {RASTER_W, RASTER_H, {{x1 - x0, x2 - x0, x0, y1 - y0, y2 - y0, y0}},
                              1,        0,        false};
    float *rgb = base_alloc_array(RASTER_W * RASTER_H, 3 * sizeof *rgb);
    memset(ret, 0, sizeof *ret);
    if (rgb && image_crop_frame(frame, &crop, rgb) == 0)
        for (int i = 0; i < RASTER_W * RASTER_H; i++)
            for (int c = 0; c < 3; c++)
                (&ret->rgb[c][0][0])[i] = rgb[3 * i + c];
    base_free(rgb);
}

int raster_paste(const struct clip *clip, const struct raster *raster,
                 const struct data_face_geom *geom, const struct data_patch *patch,
                 struct data_frame *frame)
{
    double x0, y0, x1, y1, x2, y2;
    raster_to_img(clip, geom, 0, 0, &x0, &y0);
    raster_to_img(clip, geom, 1, 0, &x1, &y1);
    raster_to_img(clip, geom, 0, 1, &x2, &y2);
    struct data_affine inv =
        image_affine_invert((struct data_affine){{x1 - x0, x2 - x0, x0, y1 - y0, y2 - y0, y0}});
    size_t n = (size_t)patch->rect.w * (size_t)patch->rect.h;
    float *rgb = base_alloc_array(n, 3 * sizeof *rgb);
    if (!rgb)
        return -1;
    for (size_t i = 0; i < n; i++) {
        double u, v;
        image_affine_apply(&inv, patch->rect.x + (int)(i % (size_t)patch->rect.w) + .5,
                           patch->rect.y + (int)(i / (size_t)patch->rect.w) + .5, &u, &v);
        for (size_t c = 0; c < 3; c++)
            rgb[c * n + i] = image_sample_bilinear(&raster->rgb[c][0][0], RASTER_W, RASTER_H,
                                                   (float)u, (float)v);
    }
    image_rgb_to_frame(rgb, patch->mouth_mask, patch->rect, frame, NULL);
    base_free(rgb);
    return 0;
}
