/* SPDX-License-Identifier: MIT
 *
 * Rows to features: convolutions over time, each with a short memory of its inputs. Before the
 * first row the first row is repeated, after the last the last, so that inner layers never see an
 * edge and a feature depends on nothing but the rows around it. Sums run in a fixed order. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/internal.h"

#define VOICES 512                           /* a power of two, more than MOTION_REACH_MAX */
#define READY_MAX ((size_t)MOTION_REACH_MAX) /* what one push or flush can finish, and more */

struct memory {
    float *inputs; /* `capacity` vectors of n_in; input i lives at i & (capacity - 1) */
    int64_t capacity, next_in, next_out;
};

struct motion_trunk {
    const struct motion_model *model;
    struct memory memory[MOTION_LAYERS_MAX];
    float *layer_out; /* of each layer, one below the other: layer i at i * MOTION_WIDTH_MAX */
    float voices[VOICES];
    struct data_sound_row last;
    int64_t n_rows;
    float *ready_voices, *ready_features; /* of n samples, `taken` of them pulled */
    size_t n, taken, cap_voices, cap_features;
};

/* The index of the first input that each layer needs for sample 0 of the last layer. */
static void place_memories(struct motion_trunk *trunk)
{
    int64_t first_out = 0;

    for (uint32_t i = trunk->model->n_layers; i-- > 0;) {
        const struct motion_layer *layer = &trunk->model->layers[i];
        struct memory *memory = &trunk->memory[i];
        memory->next_out = first_out;
        memory->next_in = (i == 0 ? 2 * first_out - 1 : first_out) + layer->taps[0];
        first_out = memory->next_in;
    }
}

int motion_trunk_create(const struct motion_model *model, struct motion_trunk **ret_trunk)
{
    struct motion_trunk *trunk = base_alloc_zero(sizeof(*trunk));

    if (!trunk)
        return LIP_ERR_NOMEM;
    trunk->model = model;
    trunk->layer_out = base_alloc_array((size_t)model->n_layers * MOTION_WIDTH_MAX, sizeof(float));
    if (!trunk->layer_out)
        goto fail;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        const struct motion_layer *layer = &model->layers[i];
        int64_t capacity = 1;
        while (capacity <= layer->taps[layer->n_taps - 1] - layer->taps[0])
            capacity *= 2;
        trunk->memory[i].capacity = capacity;
        trunk->memory[i].inputs = base_alloc_array((size_t)capacity * layer->n_in, sizeof(float));
        if (!trunk->memory[i].inputs)
            goto fail;
    }
    place_memories(trunk);
    *ret_trunk = trunk;
    return 0;
fail:
    motion_trunk_destroy(&trunk);
    return LIP_ERR_NOMEM;
}

void motion_trunk_destroy(struct motion_trunk **trunk)
{
    if (!trunk || !*trunk)
        return;
    for (int i = 0; i < MOTION_LAYERS_MAX; i++)
        base_free((*trunk)->memory[i].inputs);
    base_free((*trunk)->layer_out);
    base_free((*trunk)->ready_voices);
    base_free((*trunk)->ready_features);
    base_free(*trunk);
    *trunk = NULL;
}

static float clamp(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

static const float *input_at(const struct memory *memory, const struct motion_layer *layer,
                             int64_t index)
{
    return memory->inputs + (size_t)(index & (memory->capacity - 1)) * layer->n_in;
}

static void run_layer(const struct motion_layer *layer, const struct memory *memory, int64_t centre,
                      float *restrict ret_out)
{
    const float *restrict weight = layer->weights;
    const uint32_t n_out = layer->n_out;

    memcpy(ret_out, layer->bias, n_out * sizeof(float));
    for (uint32_t tap = 0; tap < layer->n_taps; tap++) {
        const float *x = input_at(memory, layer, centre + layer->taps[tap]);
        for (uint32_t i = 0; i < layer->n_in; i++, weight += n_out) {
            const float xi = x[i];
            if (xi == 0.0f)
                continue; /* half of what a rectifier leaves */
            for (uint32_t o = 0; o < n_out; o++)
                ret_out[o] += xi * weight[o];
        }
    }
    if (layer->relu)
        for (uint32_t o = 0; o < n_out; o++)
            ret_out[o] = ret_out[o] > 0.0f ? ret_out[o] : 0.0f;
    if (layer->residual) {
        const float *x = input_at(memory, layer, centre);
        for (uint32_t o = 0; o < n_out; o++)
            ret_out[o] += x[o];
    }
}

static float voice_at(const struct motion_trunk *trunk, int64_t row)
{
    row = row < 0 ? 0 : row >= trunk->n_rows ? trunk->n_rows - 1 : row;
    return trunk->voices[row & (VOICES - 1)];
}

static int emit(struct motion_trunk *trunk, int64_t sample, const float *x)
{
    const struct motion_model *model = trunk->model;
    size_t wanted = (trunk->n + 1) * model->n_features;
    float *to;

    if (base_grow(&trunk->ready_voices, &trunk->cap_voices, trunk->n + 1, READY_MAX,
                  sizeof(float)) < 0 ||
        base_grow(&trunk->ready_features, &trunk->cap_features, wanted,
                  READY_MAX * MOTION_FEATURES_MAX, sizeof(float)) < 0)
        return LIP_ERR_NOMEM;
    to = trunk->ready_features + trunk->n * model->n_features;
    for (uint32_t i = 0; i < model->n_features; i++)
        to[i] = (x[i] - model->feature_mean[i]) * model->feature_inv_sd[i];
    /* The two rows between which the sample's time lies. */
    trunk->ready_voices[trunk->n++] =
        fmaxf(voice_at(trunk, 2 * sample - 2), voice_at(trunk, 2 * sample - 1));
    return 0;
}

/* Gives layer 0 a row, and every further layer what the one before it has finished. A layer
 * finishes at most one output per input, so one walk down is enough. */
static int feed(struct motion_trunk *trunk, const float inputs[MOTION_INPUTS])
{
    const float *x = inputs;

    for (uint32_t i = 0; i < trunk->model->n_layers; i++) {
        const struct motion_layer *layer = &trunk->model->layers[i];
        struct memory *memory = &trunk->memory[i];
        float *out = trunk->layer_out + (size_t)i * MOTION_WIDTH_MAX;
        int64_t centre = i == 0 ? 2 * memory->next_out - 1 : memory->next_out;
        memcpy(memory->inputs + (size_t)(memory->next_in & (memory->capacity - 1)) * layer->n_in, x,
               layer->n_in * sizeof(float));
        if (memory->next_in++ < centre + layer->taps[layer->n_taps - 1])
            return 0;
        run_layer(layer, memory, centre, out);
        memory->next_out++;
        x = out;
    }
    return emit(trunk, trunk->memory[trunk->model->n_layers - 1].next_out - 1, x);
}

static int feed_row(struct motion_trunk *trunk, const struct data_sound_row *row)
{
    float inputs[MOTION_INPUTS];

    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        inputs[b] = clamp(row->mel[b], -4.0f, 4.0f);
    inputs[DATA_SOUND_BANDS] = clamp(row->energy_log / 4.0f, -3.0f, 1.0f);
    inputs[DATA_SOUND_BANDS + 1] = row->voice;
    return feed(trunk, inputs);
}

int motion_trunk_push(struct motion_trunk *trunk, const struct data_sound_row *row)
{
    int status = 0;

    trunk->n = trunk->taken = 0; /* whoever pushes has pulled */
    trunk->voices[trunk->n_rows & (VOICES - 1)] = row->voice;
    trunk->last = *row;
    trunk->n_rows++;
    while (status == 0 && trunk->memory[0].next_in < trunk->n_rows)
        status = feed_row(trunk, row);
    return status;
}

int motion_trunk_flush(struct motion_trunk *trunk)
{
    const struct memory *last = &trunk->memory[trunk->model->n_layers - 1];
    int status = 0;

    trunk->n = trunk->taken = 0;
    while (status == 0 && trunk->n_rows > 0 && last->next_out <= trunk->n_rows / 2)
        status = feed_row(trunk, &trunk->last);
    return status;
}

bool motion_trunk_pull(struct motion_trunk *trunk, const float **ret_features, float *ret_voice)
{
    if (trunk->taken >= trunk->n)
        return false;
    *ret_features = trunk->ready_features + trunk->taken * trunk->model->n_features;
    *ret_voice = trunk->ready_voices[trunk->taken++];
    return true;
}
