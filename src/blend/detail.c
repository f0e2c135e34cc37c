/* SPDX-License-Identifier: MIT
 *
 * A head in motion is blurred, a bank frame of the same head at rest is not; a mixture of two
 * frames has less grain than one. On the skin around the lips the frame itself tells how much fine
 * detail belongs here: two bands of the mouth layer are scaled until they hold as much. */
#include "blend/detail.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "image/image.h"

#define SIGMA_FINE 1.f /* px: grain, pores, single hairs */
#define SIGMA_MIDDLE 2.5f
#define GAIN_MIN .2f
#define GAIN_MAX 1.25f /* more would be detail that was never filmed */
#define SKIN_FROM .04f            /* IOD from the lips … */
#define CLEAR_PX (3 * SIGMA_MIDDLE) /* … and where the blur of their edge has died away */
#define STEP (.5 / 255)             /* what rounding alone may add: flat pictures tell nothing */
#define ENOUGH_PX 200
#define BLURRED .6f       /* of the usual slopes, and less: blurred for certain … */
#define NOT_BLURRED .8f   /* … this and more is what shape and light alone do */
#define SHARE_MIN .04f
#define BLUR_MAX .08f     /* IOD */
#define BLUR_STEPS 6
#define GRAIN 1.5f        /* standard deviations */
#define LIPS_TO .05f      /* IOD from the lips: where slopes are measured */
#define IDLE .03f /* gains that near to 1 change nothing that can be seen */

void blend_detail_done(struct blend_detail *d)
{
    base_free(d->memory);
    *d = (struct blend_detail){0};
}

/* Planes of one picture's box: itself, less fine detail, less of both bands. */
struct bands {
    float *all, *fine, *middle, *scratch;
};

static void split(const struct bands *b, int w, int h)
{
    size_t n = (size_t)w * (size_t)h;
    memcpy(b->fine, b->all, n * sizeof *b->fine);
    image_blur(b->fine, w, h, SIGMA_FINE, b->scratch);
    memcpy(b->middle, b->fine, n * sizeof *b->middle);
    float rest = sqrtf(SIGMA_MIDDLE * SIGMA_MIDDLE - SIGMA_FINE * SIGMA_FINE);
    image_blur(b->middle, w, h, rest, b->scratch);
}

/* Energy of the two bands and mean grey, over the skin that both pictures show. */
struct energy {
    double fine, middle, grey, n;
};

static void measure(const struct data_patch *p, struct data_rect box, const struct bands *b,
                    struct energy *ret)
{
    struct energy e = {0};
    float from = fmaxf(SKIN_FROM, CLEAR_PX / p->iod_px);
    for (int y = 0; y < box.h; y++)
        for (int x = 0; x < box.w; x++) {
            size_t in_patch = (size_t)(box.y + y) * (size_t)p->rect.w + (size_t)(box.x + x);
            size_t i = (size_t)y * (size_t)box.w + (size_t)x;
            if (!(p->mouth_mask[in_patch] > 0) || p->lip_distance[in_patch] < from)
                continue;
            double fine = (double)b->all[i] - (double)b->fine[i];
            double middle = (double)b->fine[i] - (double)b->middle[i];
            e.fine += fine * fine;
            e.middle += middle * middle;
            e.grey += (double)b->all[i];
            e.n++;
        }
    *ret = e;
}

/* Energies of n pixels; `light`: how much brighter the frame is. */
static float gain_of(double wanted, double had, double light, double n)
{
    double idle = n * STEP * STEP;
    double ratio = sqrt((wanted + idle) / (had * light * light + idle));
    return (float)fmin(fmax(ratio, (double)GAIN_MIN), (double)GAIN_MAX);
}

static void apply(struct data_patch *p, struct data_rect box, const struct bands *b, float fine,
                  float middle)
{
    size_t w = (size_t)p->rect.w, area = w * (size_t)p->rect.h;
    for (size_t c = 0; c < 3; c++) {
        float *rgb = p->mouth + c * area;
        for (int y = 0; y < box.h; y++)
            memcpy(b->all + (size_t)y * (size_t)box.w,
                   rgb + (size_t)(box.y + y) * w + (size_t)box.x,
                   (size_t)box.w * sizeof(float));
        split(b, box.w, box.h);
        for (int y = 0; y < box.h; y++)
            for (int x = 0; x < box.w; x++) {
                size_t i = (size_t)y * (size_t)box.w + (size_t)x;
                rgb[(size_t)(box.y + y) * w + (size_t)(box.x + x)] =
                    b->middle[i] + middle * (b->fine[i] - b->middle[i]) +
                    fine * (b->all[i] - b->fine[i]);
            }
    }
}

/* Blur ---------------------------------------------------------------------------------------- */

static void measure_slopes(const struct data_patch *p, struct data_rect box, const float *grey,
                           uint8_t *inside, float ret[2])
{
    for (int y = 0; y < box.h; y++)
        for (int x = 0; x < box.w; x++) {
            size_t in_patch = (size_t)(box.y + y) * (size_t)p->rect.w + (size_t)(box.x + x);
            inside[(size_t)y * (size_t)box.w + (size_t)x] = p->mouth_mask[in_patch] > 0 &&
                                                            p->lip_distance[in_patch] < LIPS_TO;
        }
    image_slopes(grey, inside, box.w, box.h, ret);
}

/* How wide a blur along one axis brings the slopes down to this share; px. */
static float find_blur(const struct data_patch *p, struct data_rect box, const struct bands *b,
                       int axis, float share)
{
    uint8_t *inside = (uint8_t *)b->scratch; /* w * h bytes of w * h floats */
    size_t n = (size_t)box.w * (size_t)box.h;
    float before[2], after[2], low = 0, high = BLUR_MAX * p->iod_px;
    memcpy(b->fine, b->all, n * sizeof *b->fine);
    image_blur(b->fine, box.w, box.h, SIGMA_FINE, b->scratch);
    measure_slopes(p, box, b->fine, inside, before);
    for (int i = 0; i < BLUR_STEPS; i++) {
        float sigma[2] = {0, 0}, middle = .5f * (low + high);
        sigma[axis] = middle;
        memcpy(b->middle, b->fine, n * sizeof *b->middle);
        image_blur_axes(b->middle, box.w, box.h, sigma, b->scratch);
        measure_slopes(p, box, b->middle, inside, after);
        *(after[axis] > share * before[axis] ? &low : &high) = middle;
    }
    return .5f * (low + high);
}

/* What is to be left of the mouth's slopes. */
static float share_of(float steepness)
{
    if (steepness <= BLURRED)
        return fmaxf(steepness, SHARE_MIN);
    float over = (steepness - BLURRED) / (NOT_BLURRED - BLURRED);
    return BLURRED + (1 - BLURRED) * fminf(over, 1);
}

/* A frame whose own lips are flatter than this person's lips in that shape was blurred, by motion
 * along one axis or by focus along both: the drawn mouth is blurred alike. Its grain, up to the
 * given amplitude, is the sensor's and stays. */
static void soften(struct data_patch *p, struct data_rect box, const struct bands *b, float grain)
{
    size_t w = (size_t)p->rect.w, area = w * (size_t)p->rect.h;
    size_t n = (size_t)box.w * (size_t)box.h;
    float sigma[2] = {0, 0};
    data_patch_grey(p, p->mouth, box, b->all);
    for (int a = 0; a < 2; a++)
        if (p->steepness[a] < NOT_BLURRED)
            sigma[a] = find_blur(p, box, b, a, share_of(p->steepness[a]));
    for (size_t c = 0; c < 3 && (sigma[0] > 0 || sigma[1] > 0); c++) {
        float *rgb = p->mouth + c * area + (size_t)box.y * w + (size_t)box.x;
        for (int y = 0; y < box.h; y++)
            memcpy(b->all + (size_t)y * (size_t)box.w, rgb + (size_t)y * w,
                   (size_t)box.w * sizeof(float));
        memcpy(b->fine, b->all, n * sizeof *b->fine);
        image_blur(b->fine, box.w, box.h, SIGMA_FINE, b->scratch);
        for (size_t i = 0; i < n; i++) {
            b->fine[i] = fminf(fmaxf(b->all[i] - b->fine[i], -grain), grain);
            b->all[i] -= b->fine[i];
        }
        image_blur_axes(b->all, box.w, box.h, sigma, b->scratch);
        for (int y = 0; y < box.h; y++)
            for (int x = 0; x < box.w; x++) {
                size_t i = (size_t)y * (size_t)box.w + (size_t)x;
                rgb[(size_t)y * w + (size_t)x] = b->all[i] + b->fine[i];
            }
    }
}

int blend_detail_match(struct blend_detail *d, struct data_patch *p, struct data_rect box)
{
    if (box.w < 3 || box.h < 3)
        return 0;
    size_t n = (size_t)box.w * (size_t)box.h;
    if (4 * n > d->cap) {
        float *memory = base_alloc_array(n + n / 4, 4 * sizeof *memory);
        if (!memory)
            return LIP_ERR_NOMEM;
        base_free(d->memory);
        d->memory = memory;
        d->cap = 4 * (n + n / 4);
    }
    struct bands b = {d->memory, d->memory + n, d->memory + 2 * n, d->memory + 3 * n};
    struct energy wanted, had;
    data_patch_grey(p, p->target, box, b.all);
    split(&b, box.w, box.h);
    measure(p, box, &b, &wanted);
    if (wanted.n >= ENOUGH_PX)
        soften(p, box, &b, GRAIN * (float)sqrt(wanted.fine / wanted.n));
    data_patch_grey(p, p->mouth, box, b.all);
    split(&b, box.w, box.h);
    measure(p, box, &b, &had);
    if (had.n < ENOUGH_PX || !(had.grey > 0) || !(wanted.grey > 0))
        return 0;
    double light = wanted.grey / had.grey;
    float fine = gain_of(wanted.fine, had.fine, light, had.n);
    float middle = gain_of(wanted.middle, had.middle, light, had.n);
    if (fabsf(fine - 1) > IDLE || fabsf(middle - 1) > IDLE)
        apply(p, box, &b, fine, middle);
    return 0;
}
