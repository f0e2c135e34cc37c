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
};

struct plan {
    const struct data_score *score;
    enum lip_sync_mode sync;
    int64_t film_ticks, total_ticks; /* lengths of film and output */
    int64_t grid_n;                  /* > 0: frames lie on an even grid (remap, still image) */
    int64_t step_ticks;              /* mean frame duration */
    /* iterator */
    int64_t next_index, next_pts, next_source;
    int direction;
};

/* Errors: LIP_ERR_NO_VIDEO (no frames), LIP_ERR_LIMIT. */
int plan_init(struct plan *plan, const struct data_score *score, const struct plan_params *params,
              struct lip_error *err);
void plan_rewind(struct plan *plan);
bool plan_next(struct plan *plan, struct plan_frame *ret_frame); /* false at the end */
/* Whether the output shows the film once, forwards, at its own pace (cut or held at its end). */
bool plan_is_straight(const struct plan *plan);
int64_t plan_count(const struct plan *plan);                     /* frames in the output */
double plan_seconds(const struct plan *plan, int64_t ticks);
int64_t plan_total_us(const struct plan *plan);

#endif
