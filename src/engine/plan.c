/* SPDX-License-Identifier: MIT */
#include "engine/plan.h"

#include <math.h>

#include "base/alloc.h"

#define IMAGE_RATE_HZ 25
#define OUTPUT_SECONDS_MAX (12 * 3600)
#define WHERE "engine/plan"
#define SLOWEST 1.25   /* steps of the film: longer ones would show the mouth too seldom */
#define FINE_TICKS 30  /* of the film's clock in one frame: what even steps need */
#define TURN_FRAMES 3 /* so near to a calm turn frames are shown twice, the turning one once more */

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

int64_t plan_ticks(const struct plan *plan, int64_t us)
{
    const struct data_rational tb = data_score_film(plan->score)->time_base;
    return (int64_t)llround((double)us * 1e-6 * (double)tb.den / (double)tb.num);
}

static int64_t mean_step(const struct plan *p)
{
    const struct data_film *film = data_score_film(p->score);
    int64_t n = n_source(p);
    if (film->is_image || n < 2) {
        int64_t d = data_score_frame(p->score, 0)->duration;
        int64_t grid = plan_ticks(p, 1000000 / IMAGE_RATE_HZ);
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
    int64_t voice = plan_ticks(p, params->voice_us);
    if (data_score_film(p->score)->is_image)
        return voice;
    if (params->sync == LIP_SYNC_CUT_OFF)
        return voice < film ? voice : film;
    if (params->sync == LIP_SYNC_SILENCE)
        return voice > film ? voice : film;
    return voice;
}

/* Film and clock, but no pieces yet. */
static int begin(struct plan *plan, const struct data_score *score, struct lip_error *err)
{
    *plan = (struct plan){.score = score};
    int64_t n = data_score_n_frames(score);
    if (n < 1)
        return base_error_set(err, LIP_ERR_NO_VIDEO, WHERE, "the film has no frames");
    plan->step_ticks = mean_step(plan);
    plan->film_ticks = source_pts(plan, n - 1) + source_duration(plan, n - 1);
    return LIP_OK;
}

static int check_length(const struct plan *plan, struct lip_error *err)
{
    if (plan_seconds(plan, plan->total_ticks) > OUTPUT_SECONDS_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE,
                              "the output would be longer than 12 hours");
    return LIP_OK;
}

static int64_t grid_of(const struct plan *plan, int64_t total_ticks)
{
    int64_t n = (total_ticks + plan->step_ticks / 2) / plan->step_ticks;
    return n < 1 ? 1 : n;
}

int plan_init(struct plan *plan, const struct data_score *score, const struct plan_params *params,
              struct lip_error *err)
{
    int r = begin(plan, score, err);
    if (r)
        return r;
    plan->total_ticks = total_length(plan, params);
    if (plan->total_ticks < 1)
        plan->total_ticks = 1;
    int64_t n = data_score_n_frames(score);
    plan->whole = (struct plan_piece){.n = n, .sync = params->sync,
                                      .film_ticks = plan->film_ticks,
                                      .total_ticks = plan->total_ticks,
                                      .turn = {.high = n - 1}, .voice_end_s = HUGE_VAL};
    if (params->sync == LIP_SYNC_REMAP || data_score_film(score)->is_image || n == 1)
        plan->whole.grid_n = grid_of(plan, plan->total_ticks);
    plan_rewind(plan);
    return check_length(plan, err);
}

/* The end of frame i - 1, which is where frame i begins, if there is one. */
static int64_t border(const struct plan *p, int64_t i)
{
    return i < n_source(p) ? source_pts(p, i) : p->film_ticks;
}

int plan_init_parts(struct plan *plan, const struct data_score *score,
                    const struct plan_part *parts, size_t n, int64_t end_shift_us,
                    struct lip_error *err)
{
    int r = begin(plan, score, err);
    if (r)
        return r;
    plan->pieces = base_alloc_array(n + 1, sizeof *plan->pieces);
    if (!plan->pieces)
        return base_error_nomem(err, WHERE);
    plan->n_pieces = n;
    int64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plan_part *part = &parts[i];
        struct plan_piece *piece = &plan->pieces[i];
        int64_t end = part->first + part->n;
        int64_t shift_us = i + 1 < n ? part[1].shift_us : end_shift_us;
        /* From the sum of all shifts, so that rounding does not add up. */
        int64_t next = border(plan, end) + plan_ticks(plan, shift_us);
        next = next > at ? next : at;
        *piece = (struct plan_piece){
            .first = part->first, .n = part->n, .sync = part->sync, .at_ticks = at,
            .total_ticks = next - at, .turn = {.low = part->first, .high = end - 1},
            .film_ticks = border(plan, end) - border(plan, part->first),
            .voice_ticks = plan_ticks(plan, part->voice_at_us), .voice_s = part->voice_s,
            .voice_end_s = part->voice_end_s};
        if (piece->total_ticks != piece->film_ticks && (part->sync == LIP_SYNC_REMAP ||
                                                        part->n == 1))
            piece->grid_n = grid_of(plan, piece->total_ticks);
        at = next;
    }
    plan->total_ticks = at;
    plan_rewind(plan);
    return check_length(plan, err);
}

void plan_done(struct plan *plan)
{
    base_free(plan->pieces);
    plan->pieces = NULL;
}

/* The walk ------------------------------------------------------------------------------------- */

static void enter_piece(struct plan *plan, size_t i)
{
    plan->next_piece = i;
    plan->next_step = 0;
    plan->direction = 1;
    plan->n_shown = 0;
    plan->n_turns = 0;
    if (i < plan_n_pieces(plan))
        plan->next_source = plan_piece(plan, i)->first;
}

void plan_rewind(struct plan *plan)
{
    plan->next_index = plan->next_pts = 0;
    enter_piece(plan, 0);
}

/* The frame of the film that is seen at a time. */
static int64_t source_at(const struct plan *p, const struct plan_piece *piece, int64_t ticks)
{
    int64_t lo = piece->first, hi = piece->first + piece->n - 1;
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

/* Where the i-th frame of an even pace begins, in the piece. */
static int64_t pace_at(const struct plan *p, const struct plan_piece *piece, int64_t i)
{
    int64_t origin = source_pts(p, piece->first);
    int64_t k = i / piece->repeat * piece->stride, part = i % piece->repeat;
    if (i >= piece->grid_n || k >= piece->n)
        return piece->total_ticks;
    int64_t from = source_pts(p, piece->first + k) - origin;
    int64_t to = border(p, piece->first + k + 1) - origin;
    int64_t at = from * piece->repeat + part * (to - from); /* in repeat-ths of a tick */
    return scaled(at, piece->total_ticks, piece->film_ticks * piece->repeat);
}

static void paced_frame(const struct plan *p, const struct plan_piece *piece, struct plan_frame *f)
{
    int64_t i = p->next_step, at = pace_at(p, piece, i);
    f->pts = piece->at_ticks + at;
    f->duration = pace_at(p, piece, i + 1) - at;
    f->source = piece->first + i / piece->repeat * piece->stride;
}

static void grid_frame(const struct plan *p, const struct plan_piece *piece, struct plan_frame *f)
{
    int64_t i = p->next_step, at = scaled(i, piece->total_ticks, piece->grid_n);
    f->pts = piece->at_ticks + at;
    f->duration = scaled(i + 1, piece->total_ticks, piece->grid_n) - at;
    f->source = piece->first;
    if (piece->n > 1)
        f->source = source_at(p, piece, source_pts(p, piece->first) +
                              scaled(at + f->duration / 2, piece->film_ticks, piece->total_ticks));
}

bool plan_turns(const struct plan_piece *piece)
{
    return !piece->grid_n && piece->total_ticks > piece->film_ticks &&
           (piece->sync == LIP_SYNC_BOUNCE || piece->sync == LIP_SYNC_LOOP);
}

void plan_set_turn(struct plan *plan, size_t piece, const struct plan_turn *turn)
{
    struct plan_piece *p = plan->pieces ? &plan->pieces[piece] : &plan->whole;
    p->turn = *turn;
}

/* How often a frame of the film is shown before the walk goes on. */
static int n_shows(const struct plan *p, const struct plan_piece *piece)
{
    const struct plan_turn *t = &piece->turn;
    int64_t source = p->next_source;
    if (piece->sync != LIP_SYNC_BOUNCE || !plan_turns(piece))
        return 1;
    bool high = t->calm_high && source > t->high - TURN_FRAMES;
    bool low = t->calm_low && p->n_turns && source < t->low + TURN_FRAMES; /* not at the start */
    return 1 + (high || low) + ((high && source == t->high) || (low && source == t->low));
}

/* The next step of the walk through the piece. */
static void advance(struct plan *p, const struct plan_piece *piece)
{
    bool turns = plan_turns(piece);
    int64_t end = piece->first + piece->n, high = turns ? piece->turn.high : end - 1;
    int64_t low = turns && p->direction < 0 ? piece->turn.low : piece->first;
    int64_t next = p->next_source + p->direction;
    if (++p->n_shown < n_shows(p, piece))
        return;
    p->n_shown = 0;
    if (next >= low && next <= high) {
        p->next_source = next;
    } else if (piece->sync == LIP_SYNC_LOOP) {
        p->next_source = turns ? piece->turn.low : piece->first;
    } else if (piece->sync == LIP_SYNC_BOUNCE) { /* the turning frame is not shown twice */
        p->direction = -p->direction;
        p->next_source += p->direction;
        p->n_turns++;
    } else { /* the film is over: its last frame stands */
        p->next_source = end;
    }
}

static void step_frame(struct plan *p, const struct plan_piece *piece, struct plan_frame *f)
{
    int64_t end = piece->first + piece->n;
    f->held = p->next_source >= end;
    f->source = f->held ? end - 1 : p->next_source;
    f->pts = p->next_pts;
    f->duration = f->held ? p->step_ticks : source_duration(p, f->source);
    int64_t left = piece->at_ticks + piece->total_ticks - f->pts;
    bool whole = p->pieces && piece->total_ticks == piece->film_ticks;
    if (left < f->duration + f->duration / 4 && !whole) /* no sliver of a frame at the end */
        f->duration = left;
    if (!f->held)
        advance(p, piece);
}

bool plan_next(struct plan *plan, struct plan_frame *ret_frame)
{
    const struct plan_piece *piece = NULL;
    for (;; enter_piece(plan, plan->next_piece + 1)) {
        if (plan->next_piece >= plan_n_pieces(plan))
            return false;
        piece = plan_piece(plan, plan->next_piece);
        if (plan->next_pts < piece->at_ticks + piece->total_ticks)
            break;
    }
    struct plan_frame f = {.index = plan->next_index, .piece = plan->next_piece};
    if (piece->repeat)
        paced_frame(plan, piece, &f);
    else if (piece->grid_n)
        grid_frame(plan, piece, &f);
    else
        step_frame(plan, piece, &f);
    f.voice_s = plan_seconds(plan, f.pts - piece->voice_ticks) + piece->voice_s;
    plan->next_index++;
    plan->next_step++;
    plan->next_pts = f.pts + f.duration;
    *ret_frame = f;
    return true;
}

static void pace_piece(const struct plan *p, struct plan_piece *piece)
{
    double ratio = (double)piece->total_ticks / (double)piece->film_ticks;
    if (piece->sync != LIP_SYNC_REMAP || piece->n < 2 || !piece->grid_n ||
        p->step_ticks < FINE_TICKS)
        return;
    piece->repeat = (int64_t)ceil(ratio / SLOWEST);
    piece->stride = ratio < .5 ? (int64_t)(1 / ratio) : 1;
    piece->grid_n = (piece->n + piece->stride - 1) / piece->stride * piece->repeat;
    for (int64_t i = 0; i < piece->grid_n; i++) /* variable rates may have frames of one tick */
        if (pace_at(p, piece, i + 1) <= pace_at(p, piece, i)) {
            piece->repeat = 0;
            piece->grid_n = grid_of(p, piece->total_ticks);
        }
}

void plan_pace_evenly(struct plan *plan)
{
    for (size_t i = 0; i < plan_n_pieces(plan); i++)
        pace_piece(plan, plan->pieces ? &plan->pieces[i] : &plan->whole);
    plan_rewind(plan);
}

bool plan_is_straight(const struct plan *plan)
{
    for (size_t i = 0; i < plan_n_pieces(plan); i++) {
        const struct plan_piece *p = plan_piece(plan, i);
        bool ends = !plan->pieces && (p->total_ticks <= p->film_ticks ||
                                      p->sync == LIP_SYNC_CUT_OFF || p->sync == LIP_SYNC_SILENCE);
        if (p->grid_n || !(ends || p->total_ticks == p->film_ticks))
            return false;
    }
    return true;
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
