/* SPDX-License-Identifier: MIT
 * Pass 1: every frame of the film is looked at once, and what was seen goes into the score. */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/engine.h"

struct watch_params {
    const char *film;
    const char *score_path;
    int n_threads, n_crops; /* n_threads: 0 = one per processor */
    int64_t enough_us; /* stop after this much film; < 0: all of it */
    int64_t span_us;   /* 0: as always; else for tests */
    bool resume;       /* go on with an unfinished score of the same film */
    int share, n_shares; /* for watch_share, 1 to n_shares */
};

/* Makes or completes the score and leaves it open for appending. A finished score of this film is
 * taken as it is, and so are spans that others have left beside it. LIP_ERR_SCORE when a score of
 * another film lies there. */
int watch_film(lip_engine *engine, const struct watch_params *params, struct progress *progress,
               struct data_score **ret_score, struct lip_error *err);

/* Looks at one share of the film, and leaves its spans beside where the score will be. */
int watch_share(lip_engine *engine, const struct watch_params *params, struct progress *progress,
                struct lip_error *err);

#endif
