/* SPDX-License-Identifier: MIT
 *
 * Pass 2: every output frame is drawn and encoded. A reader thread fetches frames and wishes,
 * worker threads draw, the calling thread encodes in order; bounded queues between them. The
 * picture is made in parts, so that a killed job goes on at the last part: encoded ones of a fixed
 * number of frames, and copied ones where whole groups of the film's coded pictures stay as they
 * are (stretches.h). */
#ifndef ENGINE_PERFORM_H
#define ENGINE_PERFORM_H

#include "engine/measure.h"
#include "engine/plan.h"
#include "engine/roles.h"
#include "engine/trace.h"
#include "engine/workdir.h"

#define PERFORM_PART_FRAMES 250

/* What became of an output frame. A declined one has PERFORM_DECLINED + enum lip_decline. */
enum perform_state {
    PERFORM_EDITED,
    PERFORM_MATCHING,
    PERFORM_OUTSIDE, /* nobody's mouth was to be moved */
    PERFORM_DECLINED
};
static inline bool perform_follows(uint8_t state) /* the mouth in it follows the voice */
{
    return state <= PERFORM_MATCHING;
}

struct perform_stats {
    int64_t n_frames;
    uint8_t *state; /* of each output frame */
    uint16_t *seen; /* of each: opening found in the result (trace_kept), or TRACE_NONE */
    struct measure_sums sums;
    struct trace trace;
    int64_t n_drawn;          /* by this call; others may have drawn more */
    int64_t n_copied;         /* the film's own coded pictures, not encoded again */
    unsigned notes;           /* MEDIA_NOTE_ of the film */
    char why_not_copied[160]; /* a clause, "" when anything was */
};
void perform_stats_done(struct perform_stats *stats); /* zeroed is fine */

struct perform_params {
    lip_engine *engine;
    const struct lip_job *job;
    struct data_score *score;
    struct roles *roles;
    struct plan *plan;
    struct workdir *work;
};

/* The finished parts lie in the work folder afterwards: all of them, or those of the job's share,
 * and then of ret_stats only n_drawn counts. ret_stats is filled on success only. */
int perform_film(const struct perform_params *params, struct progress *progress,
                 struct perform_stats *ret_stats, struct lip_error *err);

#endif
