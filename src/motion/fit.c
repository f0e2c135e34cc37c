/* SPDX-License-Identifier: MIT
 *
 * One person's style from the film's own sound and mouth. While rows come in, features of moments
 * whose mouth was seen are kept (at most KEPT_MAX of them: of a long film every second, fourth …
 * block). At the end a head is fitted by ridge regression (adapt.c), shrunk towards the generic
 * one, and used if it predicts held-out stretches better. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/adapt.h"
#include "motion/internal.h"

#define KEPT_MAX 9000 /* samples: three minutes; 24 MB with 672 features */
#define BLOCK 100     /* samples: two seconds stay together */
#define VOICE_NEAR 10 /* samples: this near to a voice counts as speech */
#define VOICE_MIN 0.3f
#define GAP_MAX_S 0.1 /* between two observations: longer is not interpolated */
#define SEEN_MIN 50   /* observations from which a person's range is learnt */
#define FIT_MIN 250   /* samples of speech (5 s) from which a head is fitted */
#define AGREEMENT_MIN 0.3f
#define AGREEMENT_LOSS 0.01f /* within this a tie: the opening may stay the generic head's */
#define BEYOND 1.25f

static const float shares[3] = {0.05f, 0.5f, 0.95f};

struct motion_fit {
    const struct motion_model *model;
    struct data_person person;
    const struct motion_observed *observed;
    size_t n_observed;
    struct motion_trunk *trunk;
    int64_t n_samples; /* of 20 ms, heard so far */
    int64_t stride;    /* of blocks, those whose number is a multiple are kept */
    float *features, *voices;
    int64_t *samples; /* number of each kept sample */
    size_t n_kept, cap_features, cap_voices, cap_samples;
};

int motion_fit_create(const struct motion_model *model, const struct data_person *person,
                      const struct motion_observed *observed, size_t n, struct motion_fit **ret_fit,
                      struct lip_error *err)
{
    struct motion_fit *fit = base_alloc_zero(sizeof(*fit));

    if (!fit)
        return base_error_nomem(err, "motion/fit");
    fit->model = model;
    fit->person = *person;
    fit->observed = observed;
    fit->n_observed = n;
    fit->stride = 1;
    if (motion_trunk_create(model, &fit->trunk) < 0) {
        base_free(fit);
        return base_error_nomem(err, "motion/fit");
    }
    *ret_fit = fit;
    return 0;
}

static void destroy(struct motion_fit **fit)
{
    motion_trunk_destroy(&(*fit)->trunk);
    base_free((*fit)->features);
    base_free((*fit)->voices);
    base_free((*fit)->samples);
    base_free(*fit);
    *fit = NULL;
}

/* Coefficients and opening at a time, between two observations; false where the mouth was not seen.
 */
static bool seen_at(const struct motion_fit *fit, double t_s, float ret_rows[MOTION_HEAD_ROWS])
{
    const struct motion_observed *a, *b;
    size_t low = 0, high = fit->n_observed;
    float share;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (fit->observed[middle].t_s <= t_s)
            low = middle;
        else
            high = middle;
    }
    if (low + 1 >= fit->n_observed)
        return false;
    a = &fit->observed[low];
    b = a + 1;
    if (!a->valid || !b->valid || a->t_s > t_s || b->t_s <= a->t_s || b->t_s - a->t_s > GAP_MAX_S)
        return false;
    share = (float)((t_s - a->t_s) / (b->t_s - a->t_s));
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        ret_rows[k] = a->coef[k] + share * (b->coef[k] - a->coef[k]);
    ret_rows[MOTION_OPENING] = a->opening + share * (b->opening - a->opening);
    return true;
}

/* Seen at all lags, so that every lag is judged on the same moments. */
static bool is_useful(const struct motion_fit *fit, int64_t sample)
{
    float rows[MOTION_HEAD_ROWS];

    for (int lag = -ADAPT_LAGS; lag <= ADAPT_LAGS; lag++)
        if (!seen_at(fit, (double)(sample + lag) / MOTION_RATE_HZ, rows))
            return false;
    return true;
}

static void thin_out(struct motion_fit *fit)
{
    const uint32_t n_features = fit->model->n_features;
    size_t n = 0;

    fit->stride *= 2;
    for (size_t i = 0; i < fit->n_kept; i++) {
        if (fit->samples[i] / BLOCK % fit->stride != 0)
            continue;
        memmove(fit->features + n * n_features, fit->features + i * n_features,
                n_features * sizeof(float));
        fit->voices[n] = fit->voices[i];
        fit->samples[n++] = fit->samples[i];
    }
    fit->n_kept = n;
}

static int keep(struct motion_fit *fit, const float *features, float voice)
{
    const uint32_t n_features = fit->model->n_features;
    int64_t sample = fit->n_samples++;
    size_t n = fit->n_kept + 1;

    if (sample / BLOCK % fit->stride != 0 || !is_useful(fit, sample))
        return 0;
    if (base_grow(&fit->features, &fit->cap_features, n * n_features,
                  (size_t)(KEPT_MAX + 1) * MOTION_FEATURES_MAX, sizeof(float)) < 0 ||
        base_grow(&fit->voices, &fit->cap_voices, n, KEPT_MAX + 1, sizeof(float)) < 0 ||
        base_grow(&fit->samples, &fit->cap_samples, n, KEPT_MAX + 1, sizeof(int64_t)) < 0)
        return LIP_ERR_NOMEM;
    memcpy(fit->features + fit->n_kept * n_features, features, n_features * sizeof(float));
    fit->voices[fit->n_kept] = voice;
    fit->samples[fit->n_kept++] = sample;
    if (fit->n_kept > KEPT_MAX)
        thin_out(fit);
    return 0;
}

static int keep_ready(struct motion_fit *fit)
{
    const float *features;
    float voice;
    int status = 0;

    while (status == 0 && motion_trunk_pull(fit->trunk, &features, &voice))
        status = keep(fit, features, voice);
    return status;
}

int motion_fit_push(struct motion_fit *fit, const struct data_sound_row *rows, size_t n,
                    struct lip_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (motion_trunk_push(fit->trunk, &rows[i]) < 0 || keep_ready(fit) < 0)
            return base_error_nomem(err, "motion/fit");
    return 0;
}

/* Drops kept samples that are far from any voice. */
static void keep_speech(struct motion_fit *fit)
{
    const uint32_t n_features = fit->model->n_features;
    int64_t last = -1 - VOICE_NEAR;
    size_t n = 0, ahead = 0;

    for (size_t i = 0; i < fit->n_kept; i++) {
        while (ahead < fit->n_kept && fit->samples[ahead] <= fit->samples[i] + VOICE_NEAR) {
            if (fit->voices[ahead] > VOICE_MIN)
                last = fit->samples[ahead];
            ahead++;
        }
        if (last < fit->samples[i] - VOICE_NEAR)
            continue;
        memmove(fit->features + n * n_features, fit->features + i * n_features,
                n_features * sizeof(float));
        fit->samples[n++] = fit->samples[i];
    }
    fit->n_kept = n;
}

/* Values of one row of what was seen: at the kept samples, or of all observations. */
static size_t collect(const struct motion_fit *fit, int row, bool all, float *ret_values)
{
    size_t n = 0;

    for (size_t i = 0; all && i < fit->n_observed; i++) {
        const struct motion_observed *seen = &fit->observed[i];
        if (seen->valid)
            ret_values[n++] = row < DATA_CURVE_DIMS ? seen->coef[row] : seen->opening;
    }
    for (size_t i = 0; !all && i < fit->n_kept; i++) {
        float rows[MOTION_HEAD_ROWS];
        if (seen_at(fit, (double)fit->samples[i] / MOTION_RATE_HZ, rows))
            ret_values[n++] = rows[row];
    }
    return n;
}

static void mean_and_sd(const float *values, size_t n, float *ret_mean, float *ret_sd)
{
    double sum = 0.0, sum_sq = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    for (size_t i = 0; i < n; i++)
        sum_sq += (values[i] - sum / (double)n) * (values[i] - sum / (double)n);
    *ret_mean = (float)(sum / (double)n);
    *ret_sd = (float)sqrt(sum_sq / (double)n);
}

/* This mouth's own range in speech, as far as it was seen talking; `style` holds the average that
 * is left by as much. */
static int learn_range(const struct motion_fit *fit, struct motion_style *style)
{
    const struct motion_model *model = fit->model;
    bool all = fit->n_kept < FIT_MIN;
    float *values = base_alloc_array(fit->n_observed + fit->n_kept + 1, sizeof(*values));
    float seen[3], own, talk, mean, sd;
    size_t n;

    if (!values)
        return LIP_ERR_NOMEM;
    n = collect(fit, MOTION_OPENING, all, values);
    if (n < SEEN_MIN) {
        base_free(values);
        return 0;
    }
    motion_quantiles(values, n, shares, 3, seen);
    talk = model->sd[MOTION_OPENING] * (model->opening_real[2] - model->opening_real[0]);
    own = motion_own_range(seen[2] - seen[0], talk);
    for (int i = 0; i < 3; i++)
        style->opening_out[i] += own * (seen[i] - style->opening_out[i]);
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        n = collect(fit, k, all, values);
        mean_and_sd(values, n, &mean, &sd);
        style->offset[k] += own * (mean - style->offset[k]);
        style->gain[k] += own * (sd / fmaxf(model->sd[k], 1e-6f) * style->gain[k] - style->gain[k]);
    }
    base_free(values);
    return 0;
}

/* Puts a fitted head's range in place of the generic one's. */
static void take_head(struct motion_style *style, struct adapt_result *result)
{
    style->head = result->head;
    result->head = NULL;
    style->fitted = true;
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        float ratio = result->sd[k] / fmaxf(result->said_sd[k], 1e-6f);
        style->gain[k] = sqrtf(ratio < 1.0f ? 1.0f : ratio > 4.0f ? 4.0f : ratio);
        style->offset[k] = (1.0f - style->gain[k]) * result->mean[k];
        style->opening_dir[k] = result->opening_dir[k];
    }
    memcpy(style->opening_in, result->opening_said, sizeof(style->opening_in));
    memcpy(style->opening_out, result->opening_real, sizeof(style->opening_out));
}

/* Targets for each kept sample at every lag of the opening, and at one lag of everything. */
static bool fill_targets(const struct motion_fit *fit, int lag, float *ret_rows)
{
    for (size_t i = 0; i < fit->n_kept; i++)
        if (!seen_at(fit, (double)(fit->samples[i] + lag) / MOTION_RATE_HZ,
                     ret_rows + i * MOTION_HEAD_ROWS))
            return false;
    return true;
}

static int fit_head(struct motion_fit *fit, struct motion_style *style)
{
    struct adapt *adapt = NULL;
    struct adapt_result result = {0};
    float *rows = base_alloc_array(fit->n_kept * MOTION_HEAD_ROWS, sizeof(*rows));
    int lag = 0, status = rows ? 0 : LIP_ERR_NOMEM;

    if (status == 0)
        status = adapt_create(fit->model, fit->features, fit->n_kept, &adapt);
    for (int l = -ADAPT_LAGS; l <= ADAPT_LAGS && status == 0; l++)
        if (fill_targets(fit, l, rows))
            adapt_try_lag(adapt, l, rows);
    if (status == 0)
        status = adapt_best_lag(adapt, &lag);
    if (status == 0 && fill_targets(fit, lag, rows))
        status = adapt_solve(adapt, rows, &result);
    if (status == 0) {
        style->agreement = result.agreement;
        style->agreement_generic = result.agreement_generic;
        style->lag_ms = lag * 1000 / MOTION_RATE_HZ;
        if (result.agreement >= AGREEMENT_MIN &&
            result.agreement > result.agreement_generic - AGREEMENT_LOSS)
            take_head(style, &result);
    }
    motion_head_destroy(&result.head);
    adapt_destroy(&adapt);
    base_free(rows);
    return status;
}

int motion_fit_finish(struct motion_fit **fit, struct motion_style *ret_style,
                      struct lip_error *err)
{
    struct motion_style style;
    int status = motion_trunk_flush((*fit)->trunk);

    motion_style_init(&style);
    if (status == 0)
        status = keep_ready(*fit);
    if (status == 0) {
        keep_speech(*fit);
        motion_style_range((*fit)->model, &(*fit)->person, &style);
        status = learn_range(*fit, &style);
    }
    if (status == 0 && (*fit)->n_kept >= FIT_MIN)
        status = fit_head(*fit, &style);
    destroy(fit);
    if (status < 0) {
        motion_style_done(&style);
        return base_error_nomem(err, "motion/fit");
    }
    style.opening_max = fmaxf(style.opening_max, BEYOND * style.opening_out[2]);
    *ret_style = style;
    return 0;
}
