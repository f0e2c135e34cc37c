/* SPDX-License-Identifier: MIT
 *
 * A film is looked at in spans of some seconds, each by an analyzer of its own that has warmed up
 * on the frames just before the span, its lead. So what is seen in a span does not depend on who
 * looks at it, after what, or on which machine. A span that has been looked at lies beside the
 * score as a file of the same form, whose first frames are the lead. */
#ifndef ENGINE_SPAN_H
#define ENGINE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "data/score.h"

#define SPAN_US 15000000
#define SPAN_LEAD_US 800000

/* How a film is cut, and what looks at it: spans of another grid cannot be used. */
struct span_grid {
    const struct data_film *film;
    const char *score_path;
    bool streamed;        /* looked at from the film's beginning on, without seeking */
    int64_t span_us;      /* longer than the lead */
    uint64_t models_hash;
    int n_crops;
};

/* Microseconds from the film's first frame. */
int64_t span_time(const struct span_grid *grid, int64_t pts);
/* The span that this moment lies in, and where a span and its lead begin. */
int64_t span_at(const struct span_grid *grid, int64_t at_us);
int64_t span_start(const struct span_grid *grid, int64_t number);
int64_t span_lead(const struct span_grid *grid, int64_t number);
/* How many there are by what the container says; at least 1. */
int64_t span_count_guess(const struct span_grid *grid);

/* Whether a finished one lies beside the score. */
bool span_exists(const struct span_grid *grid, int64_t number);
void span_remove(const struct span_grid *grid, int64_t number); /* a missing one is fine */

struct span {
    struct data_score *score;
    int64_t number, n_lead;
    bool is_last; /* the film ends in it */
};

/* A new one: nobody sees it before span_finish. */
int span_create(const struct span_grid *grid, int64_t number, struct span *ret_span,
                struct lip_error *err);
/* Shows it. Closes in any case. */
int span_finish(const struct span_grid *grid, struct span *span, struct lip_error *err);
void span_drop(const struct span_grid *grid, struct span *span);
/* A finished one. LIP_ERR_SCORE when it is not of this grid or damaged. */
int span_open(const struct span_grid *grid, int64_t number, struct span *ret_span,
              struct lip_error *err);
void span_close(struct span *span);

#endif
