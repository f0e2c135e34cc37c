/* SPDX-License-Identifier: MIT
 *
 * Ridge regression of a person's mouth on features, shrunk towards the generic head. The strength
 * is chosen on held-out stretches, for each output alone. */
#ifndef MOTION_ADAPT_H
#define MOTION_ADAPT_H

#include "motion/internal.h"

#define ADAPT_LAGS 15 /* samples of 20 ms: films are seen to be out by up to 0.2 s */

struct adapt;

struct adapt_result {
    struct motion_head *head; /* of MOTION_HEAD_ROWS, in CANON units; the caller destroys it */
    float mean[MOTION_HEAD_ROWS], sd[MOTION_HEAD_ROWS]; /* of what was seen */
    float said_sd[MOTION_HEAD_ROWS];                    /* of what is said on held-out stretches */
    float opening_said[3], opening_real[3];             /* 5, 50, 95 % */
    float opening_dir[DATA_CURVE_DIMS];
    float agreement, agreement_generic;
};

/* features: n vectors of model->n_features, borrowed, and scaled in place. Errors of all:
 * LIP_ERR_NOMEM. */
int adapt_create(const struct motion_model *model, float *features, size_t n,
                 struct adapt **ret_adapt);
void adapt_destroy(struct adapt **adapt);
/* rows: n x MOTION_HEAD_ROWS as seen `lag` samples after the sound. */
void adapt_try_lag(struct adapt *adapt, int lag, const float *rows);
int adapt_best_lag(struct adapt *adapt, int *ret_lag);
int adapt_solve(struct adapt *adapt, const float *rows, struct adapt_result *ret_result);

#endif
