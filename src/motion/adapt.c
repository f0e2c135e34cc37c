/* SPDX-License-Identifier: MIT */
#include "motion/adapt.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define FOLDS 5
#define BLOCK_MAX 100 /* samples: two seconds in a row belong to one fold */
#define BLOCK_MIN 25
#define N_LAGS (2 * ADAPT_LAGS + 1)
#define LAG_STRENGTH 300.0
#define LAG_GAIN_MIN 0.03 /* so much better than no lag must a lag be */
#define BIAS_STRENGTH 1e-3
#define SHUT_OUT 1e12 /* the strength at which a feature has no say */
/* How much is expected of a feature beside the net's last layer: less, for there are many. */
#define INNER_WEIGHT 0.8f
#define SHIFTED_WEIGHT 0.5f
#define INNER_SD_MIN 0.02f
#define GROUP 4 /* samples whose products are added in one walk over the sums */

static const double strengths[] = {100.0, 300.0, 1000.0, 3000.0, 10000.0};
#define N_STRENGTHS (sizeof(strengths) / sizeof(strengths[0]))

struct adapt {
    const struct motion_model *model;
    float *features;
    size_t n, n_features, width; /* width: features and the constant 1 */
    size_t n_net;                /* the features that the generic head knows; they come first */
    float *mean, *scale;         /* n_features: features hold (given - mean) * scale */
    size_t block;
    float *generic;      /* n x ROWS: what the generic head says, in a person's own units */
    double *xx;          /* (FOLDS + 1) x width x width: sums of products; the last is all */
    double *xr;          /* (FOLDS + 1) x rows x width: features times what is left to explain */
    double *solution;    /* rows x width */
    double *work, *diag; /* width x width; width */
    float *seen, *trial, *best; /* n x ROWS: standardised truth; said on held-out stretches */
    float *lag_openings;        /* N_LAGS x n */
    float *column_a, *column_b;
};

static void fill_generic(struct adapt *adapt)
{
    float said[MOTION_MODEL_ROWS];

    for (size_t i = 0; i < adapt->n; i++) {
        motion_head_apply(&adapt->model->head, adapt->features + i * adapt->n_features, said);
        memcpy(adapt->generic + i * MOTION_HEAD_ROWS, said, MOTION_HEAD_ROWS * sizeof(float));
    }
}

/* Mean and spread of a column of a table of n x width floats. */
static void column_stats(const float *table, size_t n, size_t width, size_t column, float *ret_mean,
                         float *ret_sd)
{
    double sum = 0.0, sum_sq = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += table[i * width + column];
    for (size_t i = 0; i < n; i++) {
        double away = table[i * width + column] - sum / (double)n;
        sum_sq += away * away;
    }
    *ret_mean = (float)(sum / (double)n);
    *ret_sd = (float)fmax(sqrt(sum_sq / (double)n), 1e-6);
}

/* The strength of a ridge means the same for all features when they have the same spread. The net's
 * last layer is standardised over people and stays as it is. */
static void scale_features(struct adapt *adapt)
{
    const size_t n_all = adapt->n_features, n_net = adapt->n_net;
    const size_t n_shifted = adapt->model->wide ? motion_trunk_shifted(adapt->model) : 0;

    for (size_t a = 0; a < n_all; a++) {
        float mean = 0.0f, sd = 1.0f;
        bool inner = a >= n_net && a < n_all - n_shifted;
        if (inner)
            column_stats(adapt->features, adapt->n, n_all, a, &mean, &sd);
        adapt->mean[a] = mean;
        adapt->scale[a] = a < n_net ? 1.0f
                          : inner   ? INNER_WEIGHT / fmaxf(sd, INNER_SD_MIN)
                                    : SHIFTED_WEIGHT;
    }
    for (size_t i = 0; i < adapt->n; i++) {
        float *x = adapt->features + i * n_all;
        for (size_t a = n_net; a < n_all; a++)
            x[a] = (x[a] - adapt->mean[a]) * adapt->scale[a];
    }
}

static size_t fold_of(const struct adapt *adapt, size_t i)
{
    return i / adapt->block % FOLDS;
}

/* Adds the products of n_rows (at most GROUP) rows of w to the lower triangle of sums. */
static void add_products(const double *restrict rows, size_t w, double *restrict sums)
{
    const double *r0 = rows, *r1 = rows + w, *r2 = rows + 2 * w, *r3 = rows + 3 * w;

    for (size_t a = 0; a < w; a++) {
        const double x0 = r0[a], x1 = r1[a], x2 = r2[a], x3 = r3[a];
        double *restrict to = sums + a * w;
        for (size_t b = 0; b <= a; b++)
            to[b] += x0 * r0[b] + x1 * r1[b] + x2 * r2[b] + x3 * r3[b];
    }
}

static void fill_products(struct adapt *adapt)
{
    const size_t w = adapt->width;
    double *all = adapt->xx + FOLDS * w * w;

    for (size_t i = 0; i < adapt->n;) {
        const size_t fold = fold_of(adapt, i);
        double *rows = adapt->work;
        size_t n = 0;
        memset(rows, 0, GROUP * w * sizeof(double));
        for (; n < GROUP && i < adapt->n && fold_of(adapt, i) == fold; n++, i++) {
            const float *x = adapt->features + i * adapt->n_features;
            for (size_t a = 0; a < adapt->n_features; a++)
                rows[n * w + a] = x[a];
            rows[n * w + w - 1] = 1.0;
        }
        add_products(rows, w, adapt->xx + fold * w * w);
    }
    for (size_t fold = 0; fold < FOLDS; fold++)
        for (size_t i = 0; i < w * w; i++)
            all[i] += adapt->xx[fold * w * w + i];
    for (size_t fold = 0; fold < FOLDS; fold++) /* from here on: what the other folds say */
        for (size_t i = 0; i < w * w; i++)
            adapt->xx[fold * w * w + i] = all[i] - adapt->xx[fold * w * w + i];
}

int adapt_create(const struct motion_model *model, float *features, size_t n,
                 struct adapt **ret_adapt)
{
    struct adapt *adapt = base_alloc_zero(sizeof(*adapt));
    const size_t w = model->n_features + 1, rows = N_LAGS; /* more than MOTION_HEAD_ROWS */

    if (!adapt)
        return LIP_ERR_NOMEM;
    adapt->model = model;
    adapt->features = features;
    adapt->n = n;
    adapt->n_features = model->n_features;
    adapt->n_net = model->head.n_features;
    adapt->width = w;
    adapt->block = n / 10 < BLOCK_MIN ? BLOCK_MIN : n / 10 > BLOCK_MAX ? BLOCK_MAX : n / 10;
    adapt->xx = base_alloc_array((FOLDS + 1) * w * w, sizeof(double));
    adapt->xr = base_alloc_array((FOLDS + 1) * rows * w, sizeof(double));
    adapt->solution = base_alloc_array(rows * w, sizeof(double));
    adapt->work = base_alloc_array((w > GROUP ? w : GROUP) * w, sizeof(double));
    adapt->diag = base_alloc_array(w, sizeof(double));
    adapt->mean = base_alloc_array(w, sizeof(float));
    adapt->scale = base_alloc_array(w, sizeof(float));
    adapt->generic = base_alloc_array(n * MOTION_HEAD_ROWS, sizeof(float));
    adapt->seen = base_alloc_array(n * MOTION_HEAD_ROWS, sizeof(float));
    adapt->trial = base_alloc_array(n * N_LAGS, sizeof(float));
    adapt->best = base_alloc_array(n * MOTION_HEAD_ROWS, sizeof(float));
    adapt->lag_openings = base_alloc_array(n * N_LAGS, sizeof(float));
    adapt->column_a = base_alloc_array(n, sizeof(float));
    adapt->column_b = base_alloc_array(n, sizeof(float));
    if (!adapt->xx || !adapt->xr || !adapt->solution || !adapt->work || !adapt->diag ||
        !adapt->mean || !adapt->scale || !adapt->generic || !adapt->seen || !adapt->trial ||
        !adapt->best || !adapt->lag_openings || !adapt->column_a || !adapt->column_b) {
        adapt_destroy(&adapt);
        return LIP_ERR_NOMEM;
    }
    fill_generic(adapt);
    scale_features(adapt);
    fill_products(adapt);
    *ret_adapt = adapt;
    return 0;
}

void adapt_destroy(struct adapt **adapt)
{
    if (!adapt || !*adapt)
        return;
    base_free((*adapt)->xx);
    base_free((*adapt)->xr);
    base_free((*adapt)->solution);
    base_free((*adapt)->work);
    base_free((*adapt)->diag);
    base_free((*adapt)->mean);
    base_free((*adapt)->scale);
    base_free((*adapt)->generic);
    base_free((*adapt)->seen);
    base_free((*adapt)->trial);
    base_free((*adapt)->best);
    base_free((*adapt)->lag_openings);
    base_free((*adapt)->column_a);
    base_free((*adapt)->column_b);
    base_free(*adapt);
    *adapt = NULL;
}

/* Features times residuals, for each fold (what the other folds say) and for all. `residual` holds
 * n rows of n_rows. */
static void sum_residuals(struct adapt *adapt, const float *residual, size_t n_rows)
{
    const size_t w = adapt->width, size = n_rows * w;
    double *all = adapt->xr + FOLDS * size;

    memset(adapt->xr, 0, (FOLDS + 1) * size * sizeof(double));
    for (size_t i = 0; i < adapt->n; i++) {
        const float *x = adapt->features + i * adapt->n_features;
        double *xr = adapt->xr + fold_of(adapt, i) * size;
        for (size_t r = 0; r < n_rows; r++) {
            double left = residual[i * n_rows + r];
            for (size_t a = 0; a < adapt->n_features; a++)
                xr[r * w + a] += left * x[a];
            xr[r * w + adapt->n_features] += left;
        }
    }
    for (size_t fold = 0; fold < FOLDS; fold++)
        for (size_t i = 0; i < size; i++)
            all[i] += adapt->xr[fold * size + i];
    for (size_t fold = 0; fold < FOLDS; fold++)
        for (size_t i = 0; i < size; i++)
            adapt->xr[fold * size + i] = all[i] - adapt->xr[fold * size + i];
}

/* narrow: with the net's last layer alone. */
static bool solve(struct adapt *adapt, size_t fold, size_t n_rows, double strength, bool narrow)
{
    const size_t w = adapt->width;

    for (size_t i = 0; i + 1 < w; i++)
        adapt->diag[i] = narrow && i >= adapt->n_net ? SHUT_OUT : strength;
    adapt->diag[w - 1] = BIAS_STRENGTH;
    return motion_ridge_solve(adapt->xx + fold * w * w, adapt->diag, adapt->xr + fold * n_rows * w,
                              w, n_rows, adapt->work, adapt->solution);
}

/* What the folds that do not hold a moment say about it, added to `to`. */
static void add_held_out(struct adapt *adapt, size_t n_rows, double strength, bool narrow,
                         float *to)
{
    const size_t w = adapt->width;

    for (size_t fold = 0; fold < FOLDS; fold++) {
        if (!solve(adapt, fold, n_rows, strength, narrow))
            continue;
        for (size_t i = 0; i < adapt->n; i++) {
            const float *x = adapt->features + i * adapt->n_features;
            if (fold_of(adapt, i) != fold)
                continue;
            for (size_t r = 0; r < n_rows; r++) {
                const double *weight = adapt->solution + r * w;
                double sum = weight[adapt->n_features];
                for (size_t a = 0; a < adapt->n_features; a++)
                    sum += weight[a] * x[a];
                to[i * n_rows + r] += (float)sum;
            }
        }
    }
}

void adapt_try_lag(struct adapt *adapt, int lag, const float *rows)
{
    for (size_t i = 0; i < adapt->n; i++)
        adapt->lag_openings[(size_t)(lag + ADAPT_LAGS) * adapt->n + i] =
            rows[i * MOTION_HEAD_ROWS + MOTION_OPENING];
}

/* All lags are right-hand sides of one system: the features are the same. Those of other moments
 * are left out, for they would explain a lag away. */
int adapt_best_lag(struct adapt *adapt, int *ret_lag)
{
    double score[N_LAGS];
    int best = ADAPT_LAGS;
    float *residual = base_alloc_array(adapt->n * N_LAGS, sizeof(float));

    if (!residual)
        return LIP_ERR_NOMEM;
    for (size_t l = 0; l < N_LAGS; l++) {
        float mean, sd;
        column_stats(adapt->lag_openings + l * adapt->n, adapt->n, 1, 0, &mean, &sd);
        for (size_t i = 0; i < adapt->n; i++) {
            float said = adapt->generic[i * MOTION_HEAD_ROWS + MOTION_OPENING];
            residual[i * N_LAGS + l] = (adapt->lag_openings[l * adapt->n + i] - mean) / sd - said;
            adapt->trial[i * N_LAGS + l] = said;
        }
    }
    sum_residuals(adapt, residual, N_LAGS);
    base_free(residual);
    add_held_out(adapt, N_LAGS, LAG_STRENGTH, true, adapt->trial);
    for (int l = 0; l < N_LAGS; l++) {
        for (size_t i = 0; i < adapt->n; i++)
            adapt->column_a[i] = adapt->trial[i * N_LAGS + (size_t)l];
        score[l] = motion_correlation(adapt->column_a, adapt->lag_openings + (size_t)l * adapt->n,
                                      adapt->n);
        if (score[l] > score[best])
            best = l;
    }
    *ret_lag = score[best] > score[ADAPT_LAGS] + LAG_GAIN_MIN ? best - ADAPT_LAGS : 0;
    return 0;
}

static void copy_column(const struct adapt *adapt, const float *from, size_t row, float *to)
{
    for (size_t i = 0; i < adapt->n; i++)
        to[i] = from[i * MOTION_HEAD_ROWS + row];
}

/* How far the generic head's swing fits this person: the slope of the seen on the said, 0 .. 1.5.
 */
static float generic_scale(struct adapt *adapt, size_t row)
{
    float mean, sd;
    double slope;

    copy_column(adapt, adapt->seen, row, adapt->column_a);
    copy_column(adapt, adapt->generic, row, adapt->column_b);
    column_stats(adapt->column_b, adapt->n, 1, 0, &mean, &sd);
    slope = motion_correlation(adapt->column_a, adapt->column_b, adapt->n) / sd;
    return slope < 0.0 ? 0.0f : slope > 1.5 ? 1.5f : (float)slope;
}

static void take_better_columns(struct adapt *adapt, double strength, double error[],
                                double chosen[])
{
    for (size_t r = 0; r < MOTION_HEAD_ROWS; r++) {
        double sum = 0.0;
        for (size_t i = 0; i < adapt->n; i++) {
            double away =
                adapt->trial[i * MOTION_HEAD_ROWS + r] - adapt->seen[i * MOTION_HEAD_ROWS + r];
            sum += away * away;
        }
        if (sum >= error[r])
            continue;
        error[r] = sum;
        chosen[r] = strength;
        for (size_t i = 0; i < adapt->n; i++)
            adapt->best[i * MOTION_HEAD_ROWS + r] = adapt->trial[i * MOTION_HEAD_ROWS + r];
    }
}

/* The head of all moments with the chosen strengths (0: the generic head alone), in CANON units. */
static int make_head(struct adapt *adapt, const float scale[], const double chosen[],
                     struct adapt_result *result)
{
    const size_t w = adapt->width;
    int status = motion_head_create(MOTION_HEAD_ROWS, (uint32_t)adapt->n_features, &result->head);

    if (status < 0)
        return status;
    for (size_t r = 0; r < MOTION_HEAD_ROWS; r++) {
        bool own = chosen[r] > 0.0 && solve(adapt, FOLDS, MOTION_HEAD_ROWS, chosen[r], false);
        const float *generic = adapt->model->head.weights + r * (adapt->n_net + 1);
        float *to = result->head->weights + r * w;
        double bias =
            scale[r] * generic[adapt->n_net] + (own ? adapt->solution[r * w + w - 1] : 0.0);
        for (size_t a = 0; a < adapt->n_features; a++) {
            double weight = own ? adapt->solution[r * w + a] * adapt->scale[a] : 0.0;
            bias -= weight * adapt->mean[a];
            if (a < adapt->n_net)
                weight += scale[r] * generic[a];
            to[a] = (float)(result->sd[r] * weight);
        }
        to[w - 1] = (float)(result->mean[r] + result->sd[r] * bias);
    }
    return 0;
}

static void measure(struct adapt *adapt, struct adapt_result *result)
{
    static const float shares[3] = {0.05f, 0.5f, 0.95f};
    float mean, mean_opening = result->mean[MOTION_OPENING],
                sd_opening = result->sd[MOTION_OPENING];

    for (size_t r = 0; r < MOTION_HEAD_ROWS; r++) {
        column_stats(adapt->best, adapt->n, MOTION_HEAD_ROWS, r, &mean, &result->said_sd[r]);
        result->said_sd[r] *= result->sd[r];
    }
    copy_column(adapt, adapt->seen, MOTION_OPENING, adapt->column_a);
    for (size_t k = 0; k < DATA_CURVE_DIMS; k++) {
        copy_column(adapt, adapt->seen, k, adapt->column_b);
        result->opening_dir[k] =
            (float)motion_correlation(adapt->column_a, adapt->column_b, adapt->n) * result->sd[k] /
            sd_opening;
    }
    copy_column(adapt, adapt->generic, MOTION_OPENING, adapt->column_b);
    result->agreement_generic =
        (float)motion_correlation(adapt->column_a, adapt->column_b, adapt->n);
    copy_column(adapt, adapt->best, MOTION_OPENING, adapt->column_b);
    result->agreement = (float)motion_correlation(adapt->column_a, adapt->column_b, adapt->n);
    motion_quantiles(adapt->column_a, adapt->n, shares, 3, result->opening_real);
    motion_quantiles(adapt->column_b, adapt->n, shares, 3, result->opening_said);
    for (int i = 0; i < 3; i++) {
        result->opening_real[i] = mean_opening + sd_opening * result->opening_real[i];
        result->opening_said[i] = mean_opening + sd_opening * result->opening_said[i];
    }
}

int adapt_solve(struct adapt *adapt, const float *rows, struct adapt_result *ret_result)
{
    const size_t n_values = adapt->n * MOTION_HEAD_ROWS;
    double error[MOTION_HEAD_ROWS], chosen[MOTION_HEAD_ROWS];
    float scale[MOTION_HEAD_ROWS];
    struct adapt_result result = {0};
    float *residual = base_alloc_array(n_values, sizeof(float));
    int status;

    if (!residual)
        return LIP_ERR_NOMEM;
    for (size_t r = 0; r < MOTION_HEAD_ROWS; r++) {
        column_stats(rows, adapt->n, MOTION_HEAD_ROWS, r, &result.mean[r], &result.sd[r]);
        error[r] = INFINITY;
        for (size_t i = r; i < n_values; i += MOTION_HEAD_ROWS)
            adapt->seen[i] = (rows[i] - result.mean[r]) / result.sd[r];
        scale[r] = generic_scale(adapt, r);
        for (size_t i = r; i < n_values; i += MOTION_HEAD_ROWS) {
            adapt->trial[i] = scale[r] * adapt->generic[i];
            residual[i] = adapt->seen[i] - adapt->trial[i];
        }
    }
    take_better_columns(adapt, 0.0, error, chosen);
    sum_residuals(adapt, residual, MOTION_HEAD_ROWS);
    base_free(residual);
    for (size_t s = 0; s < N_STRENGTHS; s++) {
        for (size_t i = 0; i < n_values; i++)
            adapt->trial[i] = scale[i % MOTION_HEAD_ROWS] * adapt->generic[i];
        add_held_out(adapt, MOTION_HEAD_ROWS, strengths[s], false, adapt->trial);
        take_better_columns(adapt, strengths[s], error, chosen);
    }
    status = make_head(adapt, scale, chosen, &result);
    if (status < 0)
        return status;
    measure(adapt, &result);
    *ret_result = result;
    return 0;
}
