/* SPDX-License-Identifier: MIT
 *
 * Pass 2: every output frame is drawn and encoded. A reader thread fetches frames and wishes,
 * worker threads draw, the calling thread encodes in order; bounded queues between them. The
 * picture is made in parts, so that a killed job goes on at the last part: encoded ones of a fixed
 * number of frames, and copied ones where whole groups of the film's coded pictures stay as they
 * are (segments.h). */
#ifndef ENGINE_PERFORM_H
#define ENGINE_PERFORM_H

#include "engine/learn.h"
#include "engine/plan.h"
#include "engine/workdir.h"

#define PERFORM_PART_FRAMES 250
#define PERFORM_RANGES_MAX 1000

struct perform_range { /* output time */
    int64_t from_us, to_us;
};

struct perform_stats {
    int64_t frames, edited, matching, copied;
    int64_t declined[LIP_DECLINE_COUNT];
    struct perform_range ranges[LIP_DECLINE_COUNT][PERFORM_RANGES_MAX];
    size_t n_ranges[LIP_DECLINE_COUNT];
    char why_not_copied[160]; /* a clause, "" when anything was */
};

struct perform_params {
    lip_engine *engine;
    const struct lip_job *job;
    struct data_score *score;
    struct cast *cast;
    const struct data_curve *curve;
    struct plan *plan;
    struct workdir *work;
};

/* The finished parts lie in the work folder afterwards. ret_stats is large: keep it on the heap. */
int perform_film(const struct perform_params *params, struct progress *progress,
                 struct perform_stats *ret_stats, struct lip_error *err);

#endif
