/* SPDX-License-Identifier: MIT
 *
 * Shot cuts, decided frame by frame without looking ahead (docs/design/face.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/parts.h"

#define BLOCK 8       /* thumb pixels; 8 x 4 blocks */
#define REACH 4       /* thumb pixels by which a block may have moved */
#define PER_CELL 4    /* samples per thumb pixel and direction at most */
#define NOISE 1.5f    /* grey levels: below this a block's texture is noise */
#define CUT 0.34f     /* difference of structure that makes a cut (within takes: up to .27) */
#define CUT_RATIO 2.2f /* times the usual difference of the last frames */
#define SURE_HISTOGRAM 0.20f /* other colours altogether: a smaller difference is enough */
#define CUT_SURE 0.28f
#define BLANK_SPREAD 5.f  /* grey levels: a picture flatter than this shows nothing */
#define BLOWN_SHARE 0.55f /* of the picture, burnt out: a flash */
#define BLOWN_LEVEL 243
#define BLOWN_MAX 4       /* frames; a bright picture that stays longer is no flash */

static int sample_8(const struct data_frame *f, int x, int y)
{
    int v = data_frame_sample(f, 0, x, y);
    v = f->depth_bits > 8 ? v >> (f->depth_bits - 8) : v;
    return v > 255 ? 255 : v;
}

/* Mean luma (green for RGB) of each cell, of a few samples per cell: this runs on every frame. */
void face_thumb_make(const struct data_frame *f, struct face_thumb *ret_thumb)
{
    int w = f->plane[0].width_px, h = f->plane[0].height_px;
    memset(ret_thumb->histogram, 0, sizeof ret_thumb->histogram);
    for (int j = 0; j < FACE_THUMB_H; j++) {
        for (int i = 0; i < FACE_THUMB_W; i++) {
            int sum = 0;
            for (int b = 0; b < PER_CELL; b++) {
                for (int a = 0; a < PER_CELL; a++) {
                    int64_t x = ((int64_t)(i * PER_CELL + a) * 2 + 1) * w /
                                (2 * PER_CELL * FACE_THUMB_W);
                    int64_t y = ((int64_t)(j * PER_CELL + b) * 2 + 1) * h /
                                (2 * PER_CELL * FACE_THUMB_H);
                    int v = sample_8(f, (int)x, (int)y);
                    sum += v;
                    ret_thumb->histogram[v * FACE_HISTOGRAM_BINS / 256] += 1;
                }
            }
            ret_thumb->luma[j][i] =
                (uint8_t)((sum + PER_CELL * PER_CELL / 2) / (PER_CELL * PER_CELL));
        }
    }
    for (int k = 0; k < FACE_HISTOGRAM_BINS; k++)
        ret_thumb->histogram[k] /= (float)(FACE_THUMB_W * FACE_THUMB_H * PER_CELL * PER_CELL);
}

static int block_mean(const struct face_thumb *t, int x, int y)
{
    int sum = 0;
    for (int j = 0; j < BLOCK; j++)
        for (int i = 0; i < BLOCK; i++)
            sum += t->luma[y + j][x + i];
    return (sum + BLOCK * BLOCK / 2) / (BLOCK * BLOCK);
}

static int block_texture(const struct face_thumb *t, int x, int y, int mean)
{
    int sum = 0;
    for (int j = 0; j < BLOCK; j++)
        for (int i = 0; i < BLOCK; i++)
            sum += abs(t->luma[y + j][x + i] - mean);
    return sum;
}

/* Contrasts to multiply with, in 1/256, so that both pictures have that of the weaker one: a fade
 * or a flash is no other picture. */
static void equalise(const struct face_thumb *a, const struct face_thumb *b, int *ret_a, int *ret_b)
{
    int64_t t_a = 1, t_b = 1;
    for (int y = 0; y < FACE_THUMB_H; y += BLOCK) {
        for (int x = 0; x < FACE_THUMB_W; x += BLOCK) {
            t_a += block_texture(a, x, y, block_mean(a, x, y));
            t_b += block_texture(b, x, y, block_mean(b, x, y));
        }
    }
    *ret_a = t_a > t_b ? (int)(t_b * 256 / t_a) : 256;
    *ret_b = t_b > t_a ? (int)(t_a * 256 / t_b) : 256;
}

/* Sum of differences of two blocks without their means, in 1/256 grey levels; not below `best` once
 * that is reached. */
static int block_match(const struct face_thumb *a, int ax, int ay, int mean_a, int gain_a,
                       const struct face_thumb *b, int bx, int by, int gain_b, int best)
{
    int sum = 0, shift = mean_a * gain_a - block_mean(b, bx, by) * gain_b;
    for (int j = 0; j < BLOCK && sum < best; j++)
        for (int i = 0; i < BLOCK; i++)
            sum += abs(a->luma[ay + j][ax + i] * gain_a - b->luma[by + j][bx + i] * gain_b - shift);
    return sum;
}

static int best_match(const struct face_thumb *a, int x, int y, int mean_a, int gain_a,
                      const struct face_thumb *b, int gain_b)
{
    int best = INT32_MAX;
    for (int dy = -REACH; dy <= REACH; dy++) {
        for (int dx = -REACH; dx <= REACH; dx++) {
            int bx = x + dx, by = y + dy;
            if (bx < 0 || by < 0 || bx > FACE_THUMB_W - BLOCK || by > FACE_THUMB_H - BLOCK)
                continue;
            int sum = block_match(a, x, y, mean_a, gain_a, b, bx, by, gain_b, best);
            best = sum < best ? sum : best;
        }
    }
    return best;
}

/* What is left of `a` when each of its blocks is looked for in `b`, over the texture there is. */
static float unmatched(const struct face_thumb *a, int gain_a, const struct face_thumb *b,
                       int gain_b)
{
    int64_t left = 0, texture = 0;
    for (int y = 0; y < FACE_THUMB_H; y += BLOCK) {
        for (int x = 0; x < FACE_THUMB_W; x += BLOCK) {
            int mean = block_mean(a, x, y);
            int t_a = block_texture(a, x, y, mean) * gain_a;
            int t_b = block_texture(b, x, y, block_mean(b, x, y)) * gain_b;
            left += best_match(a, x, y, mean, gain_a, b, gain_b);
            texture += t_a > t_b ? t_a : t_b;
        }
    }
    return (float)left / ((float)texture + 256 * NOISE * FACE_THUMB_W * FACE_THUMB_H);
}

float face_thumb_difference(const struct face_thumb *a, const struct face_thumb *b)
{
    int gain_a, gain_b;
    equalise(a, b, &gain_a, &gain_b);
    return .5f * (unmatched(a, gain_a, b, gain_b) + unmatched(b, gain_b, a, gain_a));
}

/* Share of the picture whose brightness falls into other bins: 0..1. */
float face_thumb_histogram_distance(const struct face_thumb *a, const struct face_thumb *b)
{
    float sum = 0;
    for (int k = 0; k < FACE_HISTOGRAM_BINS; k++)
        sum += fabsf(a->histogram[k] - b->histogram[k]);
    return .5f * sum;
}

/* How a picture may say nothing about the shot: black or white, or burnt out by a flash. */
enum blank { NOT_BLANK, FLAT, BLOWN };

static enum blank blankness(const struct face_thumb *t)
{
    int64_t sum = 0, blown = 0;
    int n = FACE_THUMB_W * FACE_THUMB_H;
    for (int j = 0; j < FACE_THUMB_H; j++) {
        for (int i = 0; i < FACE_THUMB_W; i++) {
            sum += t->luma[j][i];
            blown += t->luma[j][i] >= BLOWN_LEVEL;
        }
    }
    int mean = (int)(sum / n);
    float spread = 0;
    for (int j = 0; j < FACE_THUMB_H; j++)
        for (int i = 0; i < FACE_THUMB_W; i++)
            spread += (float)abs(t->luma[j][i] - mean);
    if (spread / (float)n < BLANK_SPREAD)
        return FLAT;
    return (float)blown > BLOWN_SHARE * (float)n ? BLOWN : NOT_BLANK;
}

/* Not to be judged now: the picture after it will be compared with the one before it. A flat one
 * may last (a film through black); one that stays burnt out is a bright scene. */
static bool hold(struct face_shots *s, const struct face_thumb *thumb)
{
    enum blank now = blankness(thumb), before = blankness(&s->memory[0]);
    if (now == NOT_BLANK || before != NOT_BLANK || (now == BLOWN && s->n_blank >= BLOWN_MAX))
        return false;
    s->n_blank = now == BLOWN ? s->n_blank + 1 : 0;
    return true;
}

static void remember(struct face_shots *s, const struct face_thumb *thumb)
{
    memmove(&s->memory[1], &s->memory[0], (FACE_SHOT_MEMORY - 1) * sizeof s->memory[0]);
    s->memory[0] = *thumb;
    if (s->n_memory < FACE_SHOT_MEMORY)
        s->n_memory++;
}

static float usual_difference(const struct face_shots *s)
{
    float sum = 0;
    for (int32_t i = 0; i < s->n_history; i++)
        sum += s->history[i];
    return s->n_history ? sum / (float)s->n_history : 0;
}

bool face_shots_push(struct face_shots *s, const struct face_thumb *thumb)
{
    if (s->n_memory == 0) {
        remember(s, thumb);
        return false;
    }
    if (hold(s, thumb))
        return false;
    /* The nearest of the last few frames: one that came after a flash is like those before it. */
    float nearest = 1e9f, colours = 1;
    for (int32_t i = 0; i < s->n_memory && nearest > CUT_SURE; i++) {
        float d = face_thumb_difference(thumb, &s->memory[i]);
        if (d < nearest) {
            nearest = d;
            colours = face_thumb_histogram_distance(thumb, &s->memory[i]);
        }
    }
    float usual = usual_difference(s);
    bool cut = (nearest > CUT || (nearest > CUT_SURE && colours > SURE_HISTOGRAM)) &&
               nearest > CUT_RATIO * usual;
    s->n_blank = 0;
    if (cut) {
        s->n_memory = 0;
        s->n_history = 0;
    } else {
        memmove(&s->history[1], &s->history[0], (FACE_SHOT_HISTORY - 1) * sizeof s->history[0]);
        s->history[0] = nearest;
        s->n_history += s->n_history < FACE_SHOT_HISTORY;
    }
    remember(s, thumb);
    return cut;
}
