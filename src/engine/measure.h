/* SPDX-License-Identifier: MIT
 *
 * How good the drawn mouths are, measured while they are drawn: sharpness, jitter and seams beside
 * the film's own mouths, and the opening as the net sees it in the result. Workers measure single
 * frames; whoever writes them adds them up in output order, part by part, so that threads and a
 * resumed run change nothing. */
#ifndef ENGINE_MEASURE_H
#define ENGINE_MEASURE_H

#include "data/patch.h"
#include "engine/engine.h"
#include "engine/trace.h"

#define MEASURE_TEX_W 64
#define MEASURE_TEX_H 48
#define MEASURE_TEX_N (MEASURE_TEX_W * MEASURE_TEX_H)

enum measure_side { MEASURE_RESULT, MEASURE_FILM, MEASURE_SIDES };

/* One frame's numbers. */
struct measure_frame {
    bool has_texture[MEASURE_SIDES], has_sharpness[MEASURE_SIDES], has_seam;
    float sharpness[MEASURE_SIDES]; /* deviation of the Laplacian on and around the lips, 0..1 */
    double seam[MEASURE_SIDES];     /* squared steps across the edges of the masks */
    uint16_t seen;                  /* opening found in the result; TRACE_NONE: not looked at */
    float texture[MEASURE_SIDES][MEASURE_TEX_N]; /* the mouth, fixed to the skull, luma 0..1 */
};

/* One thread's scratch memory. */
struct measure {
    float *edges, *grey;
    uint8_t *inside;
    size_t cap_edges, cap_grey, cap_inside;
};
void measure_done(struct measure *m);

/* What a frame is measured against; borrowed. */
struct measure_view {
    const lip_engine *engine;
    const struct data_film *film;
    const struct data_person *person;
    const struct wish *wish;
    const struct trace_frame *trace;
    int64_t index;
};

/* Before anything is drawn, with the film's own frame. */
void measure_film_frame(const struct measure_view *view, const struct data_frame *frame,
                        struct measure_frame *ret_measured);
/* With the patch drawn and not yet blended; and again when it is. Errors: LIP_ERR_NOMEM. */
int measure_patch(struct measure *m, const struct measure_view *view,
                  const struct data_patch *patch);
int measure_blended(struct measure *m, const struct measure_view *view,
                    const struct data_patch *patch, struct measure_frame *measured);
/* With the finished frame, edited or found to match already. */
int measure_result_frame(const struct measure_view *view, const struct data_frame *frame,
                         struct measure_frame *measured, struct lip_error *err);

/* Sums over frames. Index: enum measure_side. */
struct measure_sums {
    double sharpness[MEASURE_SIDES], jitter[MEASURE_SIDES], seam[MEASURE_SIDES];
    int64_t n_sharpness[MEASURE_SIDES], n_jitter[MEASURE_SIDES], n_seam;
};
void measure_sums_add(struct measure_sums *to, const struct measure_sums *from);

/* The last two textures of each side: jitter is a second difference in time. Zeroed at the start
 * of a part. */
struct measure_run {
    float last[MEASURE_SIDES][2][MEASURE_TEX_N];
    int n_last[MEASURE_SIDES];
    int64_t last_source;
};
/* The next frame in output order; `cut`: it does not go on from the one before. */
void measure_run_add(struct measure_run *run, const struct measure_frame *frame, int64_t source,
                     bool cut, struct measure_sums *sums);

#endif
