/* SPDX-License-Identifier: MIT
 * A small mouth model and a face made of numbers, for the tests of motion/. */
#ifndef TEST_MOTION_MAKE_H
#define TEST_MOTION_MAKE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/internal.h"

#define MAKE_FEATURES 8

static inline float make_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / 8388608.0f - 1.0f;
}

static inline void make_layer(struct motion_layer *layer, uint32_t n_in, uint32_t n_out, int reach,
                              bool relu, uint32_t *seed)
{
    size_t n;

    layer->n_in = n_in;
    layer->n_out = n_out;
    layer->n_taps = 3;
    layer->relu = relu;
    layer->residual = n_in == n_out;
    for (int i = 0; i < 3; i++)
        layer->taps[i] = (i - 1) * reach;
    n = (size_t)n_in * n_out * 3;
    layer->weights = base_alloc_array(n, sizeof(float));
    layer->bias = base_alloc_array(n_out, sizeof(float));
    for (size_t i = 0; i < n; i++)
        layer->weights[i] = make_random(seed) / sqrtf((float)n_in);
    for (size_t i = 0; i < n_out; i++)
        layer->bias[i] = 0.1f * make_random(seed);
}

/* Component 0 opens the mouth (the lower lip goes down), component 1 widens it. */
static inline void make_basis(struct data_basis *basis)
{
    static const int lower[] = {14, 87, 317};

    memset(basis, 0, sizeof(*basis));
    for (int i = 0; i < 3; i++)
        basis->comp[0][lower[i]][1] = 1.0f;
    basis->comp[1][78][0] = -0.5f;
    basis->comp[1][308][0] = 0.5f;
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        basis->sd[k] = 0.05f;
}

static inline void make_person(struct data_person *person)
{
    static const int pairs[3][2] = {{13, 14}, {82, 87}, {312, 317}};
    static const float opening[5] = {0.01f, 0.04f, 0.08f, 0.12f, 0.2f};
    static const float width[5] = {0.4f, 0.45f, 0.5f, 0.55f, 0.6f};

    memset(person, 0, sizeof(*person));
    for (int i = 0; i < 3; i++) {
        person->rest[pairs[i][0]][1] = 0.5f;
        person->rest[pairs[i][1]][1] = 0.51f;
    }
    person->rest[78][0] = -0.25f;
    person->rest[308][0] = 0.25f;
    memcpy(person->canon, person->rest, sizeof(person->rest));
    person->opening_rest = 0.01f;
    memcpy(person->opening_pct, opening, sizeof(opening));
    memcpy(person->width_pct, width, sizeof(width));
    person->n_frames = 1000;
}

static inline struct motion_model *make_model(void)
{
    struct motion_model *model = base_alloc_zero(sizeof(*model));
    uint32_t seed = 11;

    make_basis(&model->basis);
    model->n_layers = 2;
    model->n_features = MAKE_FEATURES;
    make_layer(&model->layers[0], MOTION_INPUTS, MAKE_FEATURES, 4, true, &seed);
    make_layer(&model->layers[1], MAKE_FEATURES, MAKE_FEATURES, 2, true, &seed);
    model->feature_mean = base_alloc_array(MAKE_FEATURES, sizeof(float));
    model->feature_inv_sd = base_alloc_array(MAKE_FEATURES, sizeof(float));
    for (int i = 0; i < MAKE_FEATURES; i++) {
        model->feature_mean[i] = 0.5f;
        model->feature_inv_sd[i] = 1.0f;
    }
    model->head.n_rows = MOTION_MODEL_ROWS;
    model->head.n_features = MAKE_FEATURES;
    model->head.weights = base_alloc_array(MOTION_MODEL_ROWS * (MAKE_FEATURES + 1), sizeof(float));
    for (int i = 0; i < MOTION_MODEL_ROWS * (MAKE_FEATURES + 1); i++)
        model->head.weights[i] = 0.3f * make_random(&seed);
    for (int k = 0; k < MOTION_HEAD_ROWS; k++) {
        model->mean[k] = k == 0 || k == MOTION_OPENING ? 0.08f : 0.0f;
        model->sd[k] = 0.04f;
        model->said_sd[k] = 0.5f;
    }
    for (int i = 0; i < 3; i++) {
        model->opening_said[i] = (float)(i - 1) * 0.8f;
        model->opening_real[i] = (float)(i - 1) * 1.6f;
    }
    model->opening_dir[0] = 1.0f;
    return model;
}

/* Standardised rows, smooth in time; speech all the while. */
static inline void make_rows(struct data_sound_row *rows, size_t n, uint32_t seed)
{
    float slow[DATA_SOUND_BANDS] = {0};

    for (size_t i = 0; i < n; i++) {
        for (int b = 0; b < DATA_SOUND_BANDS; b++) {
            slow[b] += 0.2f * (2.5f * make_random(&seed) - slow[b]);
            rows[i].mel[b] = slow[b];
        }
        rows[i].energy_log = -1.0f + 0.5f * make_random(&seed);
        rows[i].voice = 0.95f;
    }
}

#endif
