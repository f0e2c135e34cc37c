/* SPDX-License-Identifier: MIT */
#include "engine/plan.h"

#include <math.h>

#define IMAGE_RATE_HZ 25
#define OUTPUT_SECONDS_MAX (12 * 3600)

static int64_t n_source(const struct plan *p)
{
    return data_score_n_frames(p->score);
}

static int64_t source_pts(const struct plan *p, int64_t i)
{
    return data_score_frame(p->score, i)->pts - data_score_frame(p->score, 0)->pts;
}

/* How long a frame of the film is shown, in ticks. */
static int64_t source_duration(const struct plan *p, int64_t i)
{
    if (i + 1 < n_source(p))
        return source_pts(p, i + 1) - source_pts(p, i);
    int64_t d = data_score_frame(p->score, i)->duration;
    return d > 0 ? d : p->step_ticks;
}

double plan_seconds(const struct plan *plan, int64_t ticks)
{
    const struct data_rational tb = data_score_film(plan->score)->time_base;
    return (double)ticks * (double)tb.num / (double)tb.den;
}

int64_t plan_total_us(const struct plan *plan)
{
    return (int64_t)llround(plan_seconds(plan, plan->total_ticks) * 1e6);
}

static int64_t ticks_of_us(const struct plan *p, int64_t us)
{
    const struct data_rational tb = data_score_film(p->score)->time_base;
    return (int64_t)llround((double)us * 1e-6 * (double)tb.den / (double)tb.num);
}

static int64_t mean_step(const struct plan *p)
{
    const struct data_film *film = data_score_film(p->score);
    int64_t n = n_source(p);
    if (film->is_image || n < 2) {
        int64_t d = data_score_frame(p->score, 0)->duration;
        int64_t grid = ticks_of_us(p, 1000000 / IMAGE_RATE_HZ);
        return film->is_image || d < 1 ? (grid > 0 ? grid : 1) : d;
    }
    int64_t step = (source_pts(p, n - 1) + (n - 1) / 2) / (n - 1);
    return step > 0 ? step : 1;
}

static int64_t total_length(const struct plan *p, const struct plan_params *params)
{
    int64_t film = p->film_ticks;
    if (params->voice_us < 0)
        return film;
    int64_t voice = ticks_of_us(p, params->voice_us);
    if (data_score_film(p->score)->is_image)
        return voice;
    if (params->sync == LIP_SYNC_CUT_OFF)
        return voice < film ? voice : film;
    if (params->sync == LIP_SYNC_SILENCE)
        return voice > film ? voice : film;
    return voice;
}

int plan_init(struct plan *plan, const struct data_score *score, const struct plan_params *params,
              struct lip_error *err)
{
    *plan = (struct plan){.score = score, .sync = params->sync};
    int64_t n = data_score_n_frames(score);
    if (n < 1)
        return base_error_set(err, LIP_ERR_NO_VIDEO, "engine/plan", "the film has no frames");
    plan->step_ticks = mean_step(plan);
    plan->film_ticks = source_pts(plan, n - 1) + source_duration(plan, n - 1);
    plan->total_ticks = total_length(plan, params);
    if (plan->total_ticks < 1)
        plan->total_ticks = 1;
    if (plan_seconds(plan, plan->total_ticks) > OUTPUT_SECONDS_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, "engine/plan",
                              "the output would be longer than 12 hours");
    if (params->sync == LIP_SYNC_REMAP || data_score_film(score)->is_image || n == 1) {
        plan->grid_n = (plan->total_ticks + plan->step_ticks / 2) / plan->step_ticks;
        plan->grid_n = plan->grid_n < 1 ? 1 : plan->grid_n;
    }
    plan_rewind(plan);
    return LIP_OK;
}

void plan_rewind(struct plan *plan)
{
    plan->next_index = plan->next_pts = plan->next_source = 0;
    plan->direction = 1;
}

/* The frame of the film that is seen at a time. */
static int64_t source_at(const struct plan *p, int64_t ticks)
{
    int64_t lo = 0, hi = n_source(p) - 1;
    while (lo < hi) {
        int64_t mid = (lo + hi + 1) / 2;
        if (source_pts(p, mid) <= ticks)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static int64_t scaled(int64_t i, int64_t total, int64_t n)
{
    return (int64_t)((__int128)i * total / n);
}

static void grid_frame(struct plan *p, struct plan_frame *f)
{
    int64_t i = p->next_index;
    f->pts = scaled(i, p->total_ticks, p->grid_n);
    f->duration = scaled(i + 1, p->total_ticks, p->grid_n) - f->pts;
    f->source = 0;
    if (n_source(p) > 1)
        f->source = source_at(p, scaled(f->pts + f->duration / 2, p->film_ticks, p->total_ticks));
}

/* The next step of the walk through the film. */
static void advance(struct plan *p)
{
    int64_t n = n_source(p), next = p->next_source + p->direction;
    if (next >= 0 && next < n) {
        p->next_source = next;
    } else if (p->sync == LIP_SYNC_LOOP) {
        p->next_source = 0;
    } else if (p->sync == LIP_SYNC_BOUNCE) { /* the turning frame is not shown twice */
        p->direction = -p->direction;
        p->next_source += p->direction;
    } else { /* the film is over: its last frame stands */
        p->next_source = n;
    }
}

bool plan_next(struct plan *plan, struct plan_frame *ret_frame)
{
    struct plan_frame f = {.index = plan->next_index};
    if (plan->next_pts >= plan->total_ticks)
        return false;
    if (plan->grid_n) {
        grid_frame(plan, &f);
    } else {
        f.held = plan->next_source >= n_source(plan);
        f.source = f.held ? n_source(plan) - 1 : plan->next_source;
        f.pts = plan->next_pts;
        f.duration = f.held ? plan->step_ticks : source_duration(plan, f.source);
        int64_t left = plan->total_ticks - f.pts;
        if (left < f.duration + f.duration / 4) /* no sliver of a frame at the end */
            f.duration = left;
        if (!f.held)
            advance(plan);
    }
    plan->next_index++;
    plan->next_pts = f.pts + f.duration;
    *ret_frame = f;
    return true;
}

bool plan_is_straight(const struct plan *plan)
{
    return !plan->grid_n && (plan->total_ticks <= plan->film_ticks ||
                             plan->sync == LIP_SYNC_CUT_OFF || plan->sync == LIP_SYNC_SILENCE);
}

int64_t plan_count(const struct plan *plan)
{
    struct plan walk = *plan;
    struct plan_frame f;
    int64_t n = 0;
    plan_rewind(&walk);
    while (plan_next(&walk, &f))
        n++;
    return n;
}
