/* SPDX-License-Identifier: MIT
 *
 * Which frame of the film is shown when: the length policies. Pure arithmetic over time stamps. */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <lipsync/job.h>

#include "base/status.h"
#include "data/score.h"

struct plan_params {
    enum lip_sync_mode sync;
    int64_t voice_us; /* length of the voice; < 0: the film's own sound, length = the film's */
};

/* One frame of the output. */
struct plan_frame {
    int64_t index;    /* in the output, from 0 */
    int64_t source;   /* in the film, from 0 */
    int64_t pts, duration; /* film's time base, output's clock: the first pts is 0 */
    bool held;        /* the film is over: shown, but not made to speak */
    size_t piece;     /* the piece that it belongs to */
    double voice_s;   /* on the clock of the piece's voice, at pts */
};

/* Between which frames a piece goes on when it has been shown once: bounce turns at them, loop goes
 * from high to low. Where it is calm, bounce slows down: frames near the turn are shown twice. */
struct plan_turn {
    int64_t low, high;
    bool calm_low, calm_high;
};

/* Frames of the film, shown one after another in one of the length policies. */
struct plan_piece {
    int64_t first, n;
    enum lip_sync_mode sync;
    int64_t film_ticks;            /* how long the film shows them */
    int64_t at_ticks, total_ticks; /* where they lie in the output, and how long */
    int64_t grid_n;                /* > 0: on an even grid (remap, still image) … */
    int64_t repeat, stride;        /* … and with plan_pace_evenly: each frame so often, or each
                                      so-manieth frame, for the same share of its own time */
    struct plan_turn turn;
    int64_t voice_ticks;           /* the output's time at which the voice is at voice_s */
    double voice_s, voice_end_s;   /* what is spoken of it ends here */
};

/* What a plan of several pieces is made from: all of the film, in order. */
struct plan_part {
    int64_t first, n;
    enum lip_sync_mode sync;
    int64_t shift_us;    /* its beginning, from the film's clock to the output's */
    int64_t voice_at_us; /* the output's time … */
    double voice_s;      /* … at which the voice is here, and where it ends: both on its clock */
    double voice_end_s;
};

struct plan {
    const struct data_score *score;
    int64_t film_ticks, total_ticks; /* lengths of film and output */
    int64_t step_ticks;              /* mean frame duration */
    struct plan_piece whole;         /* the only one, unless there are … */
    struct plan_piece *pieces;       /* … these */
    size_t n_pieces;
    /* iterator */
    int64_t next_index, next_pts, next_source, next_step;
    size_t next_piece;
    int direction, n_shown; /* how often next_source has just been shown */
    int64_t n_turns;
};

/* The whole film as one piece. Errors: LIP_ERR_NO_VIDEO (no frames), LIP_ERR_LIMIT. */
int plan_init(struct plan *plan, const struct data_score *score, const struct plan_params *params,
              struct lip_error *err);
/* `end_shift_us` of the film's end. Errors: as plan_init, LIP_ERR_NOMEM. */
int plan_init_parts(struct plan *plan, const struct data_score *score,
                    const struct plan_part *parts, size_t n, int64_t end_shift_us,
                    struct lip_error *err);
/* Where the film is shown longer than it is: bounce and loop only. */
bool plan_turns(const struct plan_piece *piece);
/* Turns there from now on; ends in first … first + n - 1. Then plan_rewind. */
void plan_set_turn(struct plan *plan, size_t piece, const struct plan_turn *turn);
/* remap: every frame of the film is shown equally often (or every second, third … one), in steps
 * that need not be the film's. Without this, frames lie on a grid of the film's own step and some
 * are shown once more than others, which is seen as a judder; but AVI knows nothing else. Where
 * the film's clock is too coarse for it nothing changes. */
void plan_pace_evenly(struct plan *plan);
void plan_done(struct plan *plan); /* a copy of a plan, to walk with, needs none */
void plan_rewind(struct plan *plan);
bool plan_next(struct plan *plan, struct plan_frame *ret_frame); /* false at the end */
static inline size_t plan_n_pieces(const struct plan *plan)
{
    return plan->pieces ? plan->n_pieces : 1;
}
static inline const struct plan_piece *plan_piece(const struct plan *plan, size_t i)
{
    return plan->pieces ? &plan->pieces[i] : &plan->whole;
}
/* Whether the output shows the film once, forwards, at its own pace (cut or held at its end). */
bool plan_is_straight(const struct plan *plan);
int64_t plan_count(const struct plan *plan);                     /* frames in the output */
double plan_seconds(const struct plan *plan, int64_t ticks);
int64_t plan_total_us(const struct plan *plan);
int64_t plan_ticks(const struct plan *plan, int64_t us);

#endif
