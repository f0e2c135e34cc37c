/* SPDX-License-Identifier: MIT */
#include "engine/turnaround.h"

#include <math.h>

#include "base/alloc.h"
#include "engine/geometry.h"
#include "engine/reader.h"
#include "face/face.h"

#define WHERE "engine/turnaround"
#define WINDOW_S 1.5     /* the turn is sought this far from an end … */
#define WINDOW_SHARE 4   /* … and within this part of the piece */
#define FRAMES_MIN 24    /* shorter pieces have no frames to give away */
#define CALM .004f       /* IOD a frame: slower than that a frame can be shown twice unseen */
#define DISTANCE_COST .003f /* IOD, for a turn at the window's far end: rather near the end */
#define SMALL_W 48
#define SMALL_H 27
#define GREY_IOD .012f   /* a grey level of difference (of 255, mean) is as bad as such a step */
#define UNKNOWN 1e6f

/* One frame: where the head is, and the picture in small. */
struct head {
    bool known;
    float points[FACE_N_STABLE][2]; /* DISP pixels */
    float iod_px;
    float grey[SMALL_H][SMALL_W]; /* 0..255 */
};

/* The heads of one window of frames. */
struct window {
    int64_t first, n;
    struct head *head;
};

/* Means of the first plane over cells. */
static void shrink(const struct data_frame *f, float ret_grey[SMALL_H][SMALL_W])
{
    float scale = 255.f / (float)((1 << f->depth_bits) - 1);
    for (int y = 0; y < SMALL_H; y++)
        for (int x = 0; x < SMALL_W; x++) {
            int x0 = x * f->width_px / SMALL_W, x1 = (x + 1) * f->width_px / SMALL_W;
            int y0 = y * f->height_px / SMALL_H, y1 = (y + 1) * f->height_px / SMALL_H;
            int64_t sum = 0, n = 0;
            for (int v = y0; v < y1; v++)
                for (int u = x0; u < x1; u++, n++)
                    sum += data_frame_sample(f, 0, u, v);
            ret_grey[y][x] = n ? scale * (float)sum / (float)n : 0;
        }
}

static int read_pictures(const struct turnaround_params *params, struct window *w,
                         struct lip_error *err)
{
    struct reader *reader = NULL;
    int r = reader_create(params->film, params->score, params->source, &reader, err);
    for (int64_t i = 0; i < w->n && !r; i++) {
        struct data_frame *frame = NULL;
        r = reader_get(reader, w->first + i, &frame, err);
        if (!r)
            shrink(frame, w->head[i].grey);
        data_frame_unref(&frame);
    }
    reader_destroy(&reader);
    return r;
}

static int read_window(struct geometry *g, struct window *w, struct lip_error *err)
{
    w->head = base_alloc_array((size_t)w->n, sizeof *w->head);
    if (!w->head)
        return base_error_nomem(err, WHERE);
    for (int64_t i = 0; i < w->n; i++) {
        const struct data_face_obs *obs = NULL;
        struct head *h = &w->head[i];
        int r = geometry_obs(g, w->first + i, &obs, err);
        if (r)
            return r;
        h->known = obs != NULL;
        if (!obs)
            continue;
        for (int p = 0; p < FACE_N_STABLE; p++)
            for (int a = 0; a < 2; a++)
                h->points[p][a] = obs->points[face_stable_points[p]][a];
        h->iod_px = fmaxf(hypotf(obs->points[33][0] - obs->points[263][0],
                                 obs->points[33][1] - obs->points[263][1]), 1);
    }
    return LIP_OK;
}

static const struct head *head_at(const struct window *w, int64_t frame)
{
    int64_t i = frame - w->first;
    return i >= 0 && i < w->n && w->head[i].known ? &w->head[i] : NULL;
}

/* Mean difference of the small pictures, in the unit of the distances. */
static float picture_distance(const struct head *a, const struct head *b)
{
    float sum = 0;
    for (int y = 0; y < SMALL_H; y++)
        for (int x = 0; x < SMALL_W; x++)
            sum += fabsf(a->grey[y][x] - b->grey[y][x]);
    return GREY_IOD * sum / (SMALL_W * SMALL_H);
}

/* rms distance of the points, IOD. */
static float distance(const struct head *a, const struct head *b)
{
    float sum = 0;
    for (int p = 0; p < FACE_N_STABLE; p++)
        for (int k = 0; k < 2; k++) {
            float d = a->points[p][k] - b->points[p][k];
            sum += d * d;
        }
    return sqrtf(sum / FACE_N_STABLE) / a->iod_px;
}

/* How fast the head moves around a frame, IOD a frame; noise of the landmarks is averaged out. */
static float speed_at(const struct window *w, int64_t frame)
{
    float sum = 0;
    for (int k = 1; k <= 3; k++) {
        const struct head *a = head_at(w, frame - k), *b = head_at(w, frame + k);
        if (!a || !b)
            return UNKNOWN;
        sum += distance(a, b) / (float)(2 * k);
    }
    return sum / 3;
}

/* How much of the picture moves around a frame. */
static float stir_at(const struct window *w, int64_t frame)
{
    const struct head *a = head_at(w, frame - 1), *b = head_at(w, frame + 1);
    return a && b ? picture_distance(a, b) / 2 : UNKNOWN;
}

/* The calmest frame of a window; `from_end`: rather near its last frame, else near its first. */
static int64_t calmest(const struct window *w, bool from_end, float *ret_speed)
{
    int64_t best = -1;
    float least = UNKNOWN / 2;
    for (int64_t i = 0; i < w->n; i++) {
        int64_t away = from_end ? w->n - 1 - i : i;
        float speed = speed_at(w, w->first + i);
        float cost = speed + stir_at(w, w->first + i) + DISTANCE_COST * (float)away / (float)w->n;
        if (cost < least) {
            least = cost;
            *ret_speed = speed;
            best = w->first + i;
        }
    }
    return best;
}

static void turn_around(const struct window *early, const struct window *late,
                        struct plan_turn *turn)
{
    float speed = UNKNOWN;
    int64_t at = calmest(late, true, &speed);
    if (at >= 0) {
        turn->high = at;
        turn->calm_high = speed < CALM;
    }
    speed = UNKNOWN;
    at = calmest(early, false, &speed);
    if (at >= 0) {
        turn->low = at;
        turn->calm_low = speed < CALM;
    }
}

/* What is seen when frame `low` follows frame `high`: the step should be the one that the head
 * would have taken, and so should the one after it. */
static float jump_cost(const struct window *early, const struct window *late, int64_t low,
                       int64_t high)
{
    const struct head *before = head_at(late, high - 1), *last = head_at(late, high);
    const struct head *first = head_at(early, low), *after = head_at(early, low + 1);
    if (!before || !last || !first || !after)
        return UNKNOWN;
    float place = 0, motion = 0;
    for (int p = 0; p < FACE_N_STABLE; p++)
        for (int k = 0; k < 2; k++) {
            float leaves = last->points[p][k] - before->points[p][k];
            float comes = after->points[p][k] - first->points[p][k];
            float d = first->points[p][k] - last->points[p][k] - .5f * (leaves + comes);
            place += d * d;
            motion += (comes - leaves) * (comes - leaves);
        }
    return (sqrtf(place / FACE_N_STABLE) + sqrtf(motion / FACE_N_STABLE)) / last->iod_px +
           picture_distance(last, first);
}

static void start_again(const struct window *early, const struct window *late,
                        struct plan_turn *turn)
{
    float least = UNKNOWN / 2;
    for (int64_t h = late->n - 1; h > 0; h--)
        for (int64_t l = 0; l + 1 < early->n; l++) {
            float away = (float)(late->n - 1 - h) / (float)late->n + (float)l / (float)early->n;
            float cost = jump_cost(early, late, early->first + l, late->first + h) +
                         DISTANCE_COST * away;
            if (cost < least) {
                least = cost;
                turn->low = early->first + l;
                turn->high = late->first + h;
            }
        }
}

/* Frames at both ends of the piece, of its first and of its last shot. */
static void place_windows(const struct data_score *score, const struct plan_piece *piece,
                          struct window *early, struct window *late)
{
    int64_t end = piece->first + piece->n, n = 0, last = end - 1;
    const struct data_rational tb = data_score_film(score)->time_base;
    double step_s = (double)piece->film_ticks / (double)piece->n * (double)tb.num / (double)tb.den;
    int64_t most = (int64_t)(WINDOW_S / fmax(step_s, 1e-3));
    most = most < piece->n / WINDOW_SHARE ? most : piece->n / WINDOW_SHARE;
    while (n < most && (n == 0 || !data_score_frame(score, piece->first + n)->shot_start))
        n++;
    *early = (struct window){.first = piece->first, .n = n};
    for (n = 1; n < most && !data_score_frame(score, last)->shot_start; n++)
        last--;
    *late = (struct window){.first = last, .n = n};
}

int turnaround_choose(const struct turnaround_params *params, const struct plan_piece *piece,
                struct plan_turn *ret_turn, struct lip_error *err)
{
    struct geometry g;
    struct window early, late;
    if (piece->n < FRAMES_MIN)
        return LIP_OK;
    int r = geometry_init(&g, params->score, params->face, err);
    if (r)
        return r;
    place_windows(params->score, piece, &early, &late);
    r = read_window(&g, &early, err);
    if (!r)
        r = read_window(&g, &late, err);
    if (!r)
        r = read_pictures(params, &early, err);
    if (!r)
        r = read_pictures(params, &late, err);
    if (!r && piece->sync == LIP_SYNC_BOUNCE)
        turn_around(&early, &late, ret_turn);
    else if (!r)
        start_again(&early, &late, ret_turn);
    base_free(early.head);
    base_free(late.head);
    geometry_done(&g);
    return r;
}
