/* SPDX-License-Identifier: MIT
 *
 * The mouth comes from another moment, under other light. Around the lips both layers show the same
 * skin: the ratio of their local means is the gain that makes the mouth belong here. Measured on
 * skin only (lips differ for good reasons), on cells of a few pixels, spread by normalised
 * convolution. */
#include "blend/gain.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "image/image.h"

#define CELLS_PER_IOD 20
#define SIGMA .14f     /* IOD */
#define SKIN_FROM .05f /* IOD from the lips: nearer, red halos */
#define SKIN_FULL .08f
#define UNLIKE (12.f / 255) /* a larger difference is a shadow, a hair, a tooth: count it less */
#define GAIN_MIN .6f
#define GAIN_MAX 1.7f
#define CHROMA .07f /* how far a channel's gain may leave the common one */
#define PRIOR .02f  /* weight of the global ratio, in pixels per cell pixel */
#define LIFT .01f   /* keeps ratios of near-black finite */

void blend_gain_done(struct blend_gain *g)
{
    base_free(g->memory);
    *g = (struct blend_gain){0};
}

static struct data_rect find_box(const struct data_patch *p)
{
    int x0 = p->rect.w, y0 = p->rect.h, x1 = 0, y1 = 0;
    for (int y = 0; y < p->rect.h; y++)
        for (int x = 0; x < p->rect.w; x++)
            if (p->mouth_mask[(size_t)y * (size_t)p->rect.w + (size_t)x] > 0) {
                x0 = x < x0 ? x : x0;
                x1 = x + 1 > x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0;
                y1 = y + 1;
            }
    struct data_rect none = {0, 0, 0, 0};
    return x1 > x0 ? (struct data_rect){x0, y0, x1 - x0, y1 - y0} : none;
}

static int reserve(struct blend_gain *g)
{
    size_t n = (size_t)g->w * (size_t)g->h, want = 11 * n;
    if (want > g->cap) {
        float *memory = base_alloc_array(want, sizeof *memory);
        if (!memory)
            return LIP_ERR_NOMEM;
        base_free(g->memory);
        g->memory = memory;
        g->cap = want;
    }
    memset(g->memory, 0, want * sizeof *g->memory);
    float *at = g->memory;
    for (int i = 0; i < 3; i++, at += n)
        g->gain[i] = at;
    for (int i = 0; i < 7; i++, at += n)
        g->sum[i] = at;
    g->scratch = at;
    return 0;
}

/* Where a pixel tells about the light: skin that both layers show. */
static float skin_weight(const struct data_patch *p, size_t i)
{
    if (!(p->mouth_mask[i] > 0))
        return 0;
    return image_smoothstep(SKIN_FROM, SKIN_FULL, p->lip_distance[i]);
}

/* Ratio of the sums over all skin, per channel. */
static void global_ratio(const struct data_patch *p, struct data_rect box, float ret[3])
{
    size_t w = (size_t)p->rect.w, area = w * (size_t)p->rect.h;
    double a[3] = {0, 0, 0}, b[3] = {0, 0, 0}, n = 0;
    for (int y = box.y; y < box.y + box.h; y++)
        for (int x = box.x; x < box.x + box.w; x++) {
            size_t i = (size_t)y * w + (size_t)x;
            float weight = skin_weight(p, i);
            n += weight;
            for (size_t c = 0; c < 3 && weight > 0; c++) {
                a[c] += weight * p->skin[c * area + i];
                b[c] += weight * p->mouth[c * area + i];
            }
        }
    for (int c = 0; c < 3; c++)
        ret[c] = n > 0 ? (float)((a[c] / n + LIFT) / (fmax(b[c] / n, 0) + LIFT)) : 1;
}

static void accumulate(struct blend_gain *g, const struct data_patch *p, const float global[3])
{
    size_t w = (size_t)p->rect.w, area = w * (size_t)p->rect.h;
    for (int y = 0; y < g->box.h; y++)
        for (int x = 0; x < g->box.w; x++) {
            size_t i = (size_t)(g->box.y + y) * w + (size_t)(g->box.x + x);
            float weight = skin_weight(p, i), unlike = 0;
            if (!(weight > 0))
                continue;
            for (size_t c = 0; c < 3; c++) {
                float d = p->skin[c * area + i] - global[c] * p->mouth[c * area + i];
                unlike = fmaxf(unlike, fabsf(d));
            }
            weight /= 1 + (unlike / UNLIKE) * (unlike / UNLIKE);
            size_t cell = (size_t)(y / g->cell_px) * (size_t)g->w + (size_t)(x / g->cell_px);
            g->sum[0][cell] += weight;
            for (size_t c = 0; c < 3; c++) {
                g->sum[1 + c][cell] += weight * p->skin[c * area + i];
                g->sum[4 + c][cell] += weight * p->mouth[c * area + i];
            }
        }
}

static float clamp(float v, float lo, float hi)
{
    return v > lo ? (v < hi ? v : hi) : lo;
}

static void divide(struct blend_gain *g, const float global[3])
{
    size_t n = (size_t)g->w * (size_t)g->h;
    float prior = PRIOR * (float)(g->cell_px * g->cell_px);
    for (size_t i = 0; i < n; i++) {
        float ratio[3], common;
        float lift = LIFT * g->sum[0][i];
        for (int c = 0; c < 3; c++) {
            float one = fmaxf(g->sum[4 + c][i], 0) + lift;
            /* the prior acts like a few pixels of mid-grey with the global ratio */
            ratio[c] = (g->sum[1 + c][i] + lift + prior * .5f * global[c]) / (one + prior * .5f);
        }
        common = clamp(.299f * ratio[0] + .587f * ratio[1] + .114f * ratio[2], GAIN_MIN, GAIN_MAX);
        for (int c = 0; c < 3; c++)
            g->gain[c][i] = clamp(ratio[c], common * (1 - CHROMA), common * (1 + CHROMA));
    }
}

int blend_gain_measure(struct blend_gain *g, const struct data_patch *patch)
{
    g->box = patch->has_mouth ? find_box(patch) : (struct data_rect){0, 0, 0, 0};
    if (g->box.w < 1)
        return 0;
    float cell = fmaxf(1, roundf(patch->iod_px / CELLS_PER_IOD));
    g->cell_px = (int)fminf(cell, 4096);
    g->w = (g->box.w + g->cell_px - 1) / g->cell_px;
    g->h = (g->box.h + g->cell_px - 1) / g->cell_px;
    int status = reserve(g);
    if (status < 0)
        return status;
    float global[3];
    global_ratio(patch, g->box, global);
    accumulate(g, patch, global);
    float sigma = SIGMA * patch->iod_px / (float)g->cell_px;
    for (int i = 0; i < 7; i++)
        image_blur(g->sum[i], g->w, g->h, sigma, g->scratch);
    divide(g, global);
    return 0;
}

void blend_gain_line(const struct blend_gain *g, int x, int y, int n, float *const ret[3])
{
    float v = ((float)(y - g->box.y) + .5f) / (float)g->cell_px - .5f;
    v = clamp(v, 0, (float)(g->h - 1));
    int j = (int)v, j1 = j + (j + 1 < g->h);
    float wv = v - (float)j;
    for (int k = 0; k < n; k++) {
        float u = ((float)(x + k - g->box.x) + .5f) / (float)g->cell_px - .5f;
        u = clamp(u, 0, (float)(g->w - 1));
        int i = (int)u, i1 = i + (i + 1 < g->w);
        float wu = u - (float)i;
        for (int c = 0; c < 3; c++) {
            const float *a = g->gain[c] + (size_t)j * (size_t)g->w;
            const float *b = g->gain[c] + (size_t)j1 * (size_t)g->w;
            float top = a[i] + wu * (a[i1] - a[i]), low = b[i] + wu * (b[i1] - b[i]);
            ret[c][k] = top + wv * (low - top);
        }
    }
}
