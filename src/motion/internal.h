/* SPDX-License-Identifier: MIT
 * Inside of motion/: the net, the head, the least squares, and the mouth in a few numbers. */
#ifndef MOTION_INTERNAL_H
#define MOTION_INTERNAL_H

#include "motion/motion.h"

#define MOTION_INPUTS (DATA_SOUND_BANDS + 2) /* bands, energy, voice */
#define MOTION_FEATURES_MAX 2048             /* of a sample, as the trunk gives them */
#define MOTION_NET_MAX 256                   /* of these, what the generic head looks at */
#define MOTION_INNER 2                       /* so many first layers are features as well */
#define MOTION_WIDTH_MAX 1024
#define MOTION_LAYERS_MAX 16
#define MOTION_TAPS_MAX 64
#define MOTION_REACH_MAX 200 /* rows that the net may look into the past or the future */

/* What a head says: the coefficients, the opening; the generic one also the closure's logit. */
#define MOTION_OPENING DATA_CURVE_DIMS
#define MOTION_HEAD_ROWS (DATA_CURVE_DIMS + 1)
#define MOTION_CLOSURE MOTION_HEAD_ROWS
#define MOTION_MODEL_ROWS (MOTION_HEAD_ROWS + 1)

/* model.c: weights ---------------------------------------------------------------------------- */

/* A convolution over time: out = bias + sum of weight[tap][in][out] * x[t + tap][in], then the
 * rectifier, then plus x[t] if residual. Layer 0 steps from rows (100 Hz) to samples (50 Hz): its
 * sample j looks at the rows 2 j - 1 + tap. */
struct motion_layer {
    uint32_t n_in, n_out, n_taps;
    bool relu, residual;
    int32_t taps[MOTION_TAPS_MAX]; /* ascending, from <= 0 to >= 0 */
    float *weights, *bias;
};

/* Rows of n_features + 1 weights, the bias last. */
struct motion_head {
    uint32_t n_rows, n_features;
    float *weights;
};

struct motion_model {
    struct data_basis basis;
    uint32_t n_layers;
    /* What the trunk gives: the net's last layer (head.n_features numbers, standardised) and, if
     * `wide`, its first MOTION_INNER layers and the last one a little earlier and later, for the
     * fit of a person. */
    uint32_t n_features;
    bool wide;
    struct motion_layer layers[MOTION_LAYERS_MAX];
    /* What the embedding adds to the first layer before its rectifier: narrowed by [0], which has
     * one, then mixed in by [1]. n_out 0: this net does not hear the embedding. */
    struct motion_layer embed[2];
    float *feature_mean, *feature_inv_sd;
    struct motion_head head; /* MOTION_MODEL_ROWS; coefficients and opening in a person's own units:
                                minus mean, divided by sd of voiced moments */
    /* People on average. */
    float mean[MOTION_HEAD_ROWS], sd[MOTION_HEAD_ROWS]; /* of coefficients and opening, CANON */
    float said_sd[MOTION_HEAD_ROWS];        /* spread of what the head says of new people */
    float opening_said[3], opening_real[3]; /* 5, 50, 95 % in a person's own units */
    float opening_dir[DATA_CURVE_DIMS];
    bool live; /* the net of low latency; the fields below are set */
    struct data_sound_prior prior;
    struct data_person *average;
};

enum motion_file { MOTION_FILE_WHOLE, MOTION_FILE_LIVE, MOTION_FILE_VISEMES };
/* From the bytes of a file into a zeroed model, without the basis. On failure too the model is to
 * be closed. Errors: LIP_ERR_MODEL, LIP_ERR_NOMEM. */
int motion_model_read(enum motion_file file, const void *bytes, size_t n,
                      struct motion_model *model, struct lip_error *err);

/* style.c */
int motion_head_create(uint32_t n_rows, uint32_t n_features, struct motion_head **ret_head);
void motion_head_destroy(struct motion_head **head);
void motion_head_apply(const struct motion_head *head, const float *features, float *ret_rows);
/* How far a mouth's own range of opening is to be trusted, 0 (it was not talking) .. 1. */
float motion_own_range(float seen, float average);
/* Sets the fields that `ranged` covers from the model's average and the person's ranges. */
void motion_style_range(const struct motion_model *model, const struct data_person *person,
                        struct motion_style *style);

/* trunk.c: rows to features ------------------------------------------------------------------- */

/* The run state of the extractor: push rows, pull one vector of features per sample. */
struct motion_trunk;
/* How many features a wide model has; how many of these, the last, are of other moments. */
uint32_t motion_trunk_wide(const struct motion_model *model);
uint32_t motion_trunk_shifted(const struct motion_model *model);
int motion_trunk_create(const struct motion_model *model, struct motion_trunk **ret_trunk);
void motion_trunk_destroy(struct motion_trunk **trunk);
int motion_trunk_push(struct motion_trunk *trunk, const struct data_sound_row *row);
int motion_trunk_flush(struct motion_trunk *trunk);
/* *ret_features lives until the next push or flush; model->n_features numbers. */
bool motion_trunk_pull(struct motion_trunk *trunk, const float **ret_features, float *ret_voice);

/* ridge.c: least squares in double ------------------------------------------------------------ */

/* Solves (a + diag) x = b for n_rhs right-hand sides; a is n x n, symmetric, positive definite with
 * diag; b and x are n_rhs rows of n. `work` has n * n doubles. False when it is not definite. */
bool motion_ridge_solve(const double *a, const double *diag, const double *b, size_t n,
                        size_t n_rhs, double *work, double *ret_x);
/* Correlation of two series; 0 when one of them stands still. */
double motion_correlation(const float *a, const float *b, size_t n);
/* Quantiles 0..1 of a series (sorted in place), linear between neighbours. */
void motion_quantiles(float *values, size_t n, const float *shares, size_t n_shares,
                      float *ret_values);

/* mouth.c: what the coefficients do to a person's lips ---------------------------------------- */
#define MOTION_MOUTH_POINTS 8
/* Upper and lower inner lip in pairs, then the inner corners. */
extern const int motion_mouth_points[MOTION_MOUTH_POINTS];
struct motion_mouth {
    float rest[8][3], comp[DATA_CURVE_DIMS][8][3]; /* the six inner-lip and two corner points */
    float gap_rest, width_rest;
};
void motion_mouth_init(struct motion_mouth *mouth, const struct data_basis *basis,
                       const struct data_person *person);
/* Signed: below 0 the lips have passed through each other. */
float motion_mouth_gap(const struct motion_mouth *mouth, const float coef[DATA_CURVE_DIMS]);
float motion_mouth_width(const struct motion_mouth *mouth, const float coef[DATA_CURVE_DIMS]);
/* Moves the coefficients along dir until the gap is the wanted one. */
void motion_mouth_open(const struct motion_mouth *mouth, const float dir[DATA_CURVE_DIMS],
                       float gap, float coef[DATA_CURVE_DIMS]);

/* timing.c: when lips meet -------------------------------------------------------------------- */

#define MOTION_TIMING_REACH 6 /* samples: 120 ms before and after */
#define MOTION_TIMING_WINDOW (2 * MOTION_TIMING_REACH + 1)
float motion_smoothstep(float x); /* 0 .. 1 */
/* How far the lips are to touch, 0 .. 1, in the middle of a window of closure probabilities. */
float motion_timing_touch(const float closure[MOTION_TIMING_WINDOW]);
/* The same when only one sample after the middle is known. */
float motion_timing_touch_live(const float closure[MOTION_TIMING_REACH + 2]);

#endif
