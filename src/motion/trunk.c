/* SPDX-License-Identifier: MIT
 *
 * Rows to features: convolutions over time, each with a short memory of its inputs. Before the
 * first row the first row is repeated, after the last the last, so that inner layers never see an
 * edge and a feature depends on nothing but the rows around it. Sums run in a fixed order. The
 * embedding joins in the first layer.
 *
 * A wide model's sample has, after the last layer's numbers, those of the first layers and those of
 * the last layer at the samples before and after: what a person's own head is fitted on. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/internal.h"

#define EMBEDS 256                           /* a power of two, more than MOTION_REACH_MAX */
#define VOICES 512                           /* a power of two, more than MOTION_REACH_MAX */
#define READY_MAX ((size_t)MOTION_REACH_MAX) /* what one push or flush can finish, and more */
#define HISTORY 128 /* samples; a power of two, more than the inner layers' reach and two shifts   \
                     */
#define SHIFT_MAX 6
static const int shifts[] = {-SHIFT_MAX, -3, 3, SHIFT_MAX};
#define N_SHIFTS (sizeof(shifts) / sizeof(shifts[0]))

struct memory {
    float *inputs; /* `capacity` vectors of n_in; input i lives at i & (capacity - 1) */
    int64_t capacity, next_in, next_out;
};

struct motion_trunk {
    const struct motion_model *model;
    struct memory memory[MOTION_LAYERS_MAX];
    float *layer_out; /* of each layer, one below the other: layer i at i * MOTION_WIDTH_MAX */
    /* The last HISTORY samples: the last layer's features, then the inner layers'. */
    float *history;
    uint32_t n_history;
    int64_t next_sample; /* to be given out */
    float voices[VOICES];
    float *embeds; /* what the embedding adds to layer 0: the one of row i at i & (EMBEDS - 1) */
    struct data_sound_row last;
    int64_t n_rows;
    float *ready_voices, *ready_features; /* of n samples, `taken` of them pulled */
    size_t n, taken, cap_voices, cap_features;
};

/* Of the layers whose outputs are features beside the last one's. */
static uint32_t n_inner(const struct motion_model *model)
{
    uint32_t n = model->n_layers - 1;

    return !model->wide ? 0 : n < MOTION_INNER ? n : MOTION_INNER;
}

static uint32_t inner_width(const struct motion_model *model)
{
    uint32_t width = 0;

    for (uint32_t i = 0; i < n_inner(model); i++)
        width += model->layers[i].n_out;
    return width;
}

uint32_t motion_trunk_wide(const struct motion_model *model)
{
    return model->head.n_features + inner_width(model) + motion_trunk_shifted(model);
}

uint32_t motion_trunk_shifted(const struct motion_model *model)
{
    return (uint32_t)N_SHIFTS * model->head.n_features;
}

static float *history_at(const struct motion_trunk *trunk, int64_t sample)
{
    return trunk->history + (size_t)(sample & (HISTORY - 1)) * trunk->n_history;
}

/* The index of the first input that each layer needs for the first sample of the last layer. */
static void place_memories(struct motion_trunk *trunk)
{
    int64_t first_out = trunk->model->wide ? -SHIFT_MAX : 0;

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
    trunk->n_history = model->head.n_features + inner_width(model);
    trunk->history = base_alloc_array((size_t)HISTORY * trunk->n_history, sizeof(float));
    trunk->embeds = base_alloc_array((size_t)EMBEDS * model->layers[0].n_out, sizeof(float));
    if (!trunk->layer_out || !trunk->history || !trunk->embeds)
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
    base_free((*trunk)->history);
    base_free((*trunk)->embeds);
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

static void add_input(const struct motion_layer *layer, uint32_t tap, const float *x,
                      float *restrict ret_out)
{
    const uint32_t n_out = layer->n_out;
    const float *restrict weight = layer->weights + (size_t)tap * layer->n_in * n_out;

    for (uint32_t i = 0; i < layer->n_in; i++, weight += n_out) {
        const float xi = x[i];
        if (xi == 0.0f)
            continue; /* half of what a rectifier leaves */
        for (uint32_t o = 0; o < n_out; o++)
            ret_out[o] += xi * weight[o];
    }
}

static void rectify(const struct motion_layer *layer, float *ret_out)
{
    for (uint32_t o = 0; layer->relu && o < layer->n_out; o++)
        ret_out[o] = ret_out[o] > 0.0f ? ret_out[o] : 0.0f;
}

/* `extra` is added before the rectifier; NULL: nothing. */
static void run_layer(const struct motion_layer *layer, const struct memory *memory, int64_t centre,
                      const float *extra, float *restrict ret_out)
{
    memcpy(ret_out, layer->bias, layer->n_out * sizeof(float));
    for (uint32_t tap = 0; tap < layer->n_taps; tap++)
        add_input(layer, tap, input_at(memory, layer, centre + layer->taps[tap]), ret_out);
    for (uint32_t o = 0; extra && o < layer->n_out; o++)
        ret_out[o] += extra[o];
    rectify(layer, ret_out);
    if (layer->residual) {
        const float *x = input_at(memory, layer, centre);
        for (uint32_t o = 0; o < layer->n_out; o++)
            ret_out[o] += x[o];
    }
}

static float *embed_at(const struct motion_trunk *trunk, int64_t row)
{
    return trunk->embeds + (size_t)(row & (EMBEDS - 1)) * trunk->model->layers[0].n_out;
}

/* The embedding of the next row of layer 0, made into what it adds there. Samples lie at odd rows.
 */
static void hear_embed(struct motion_trunk *trunk, const float embed[DATA_SOUND_EMBED])
{
    const struct motion_layer *layers = trunk->model->embed;
    const int64_t row = trunk->memory[0].next_in;
    float narrow[MOTION_WIDTH_MAX], *out = embed_at(trunk, row);

    if (layers[0].n_out == 0 || row % 2 == 0)
        return;
    memcpy(narrow, layers[0].bias, layers[0].n_out * sizeof(float));
    add_input(&layers[0], 0, embed, narrow);
    rectify(&layers[0], narrow);
    memcpy(out, layers[1].bias, layers[1].n_out * sizeof(float));
    add_input(&layers[1], 0, narrow, out);
}

static float voice_at(const struct motion_trunk *trunk, int64_t row)
{
    row = row < 0 ? 0 : row >= trunk->n_rows ? trunk->n_rows - 1 : row;
    return trunk->voices[row & (VOICES - 1)];
}

/* Gives out the sample next_sample. */
static int emit(struct motion_trunk *trunk)
{
    const uint32_t n_features = trunk->model->n_features, n_net = trunk->model->head.n_features;
    const int64_t sample = trunk->next_sample++;
    float *to;

    if (base_grow(&trunk->ready_voices, &trunk->cap_voices, trunk->n + 1, READY_MAX,
                  sizeof(float)) < 0 ||
        base_grow(&trunk->ready_features, &trunk->cap_features, (trunk->n + 1) * n_features,
                  READY_MAX * MOTION_FEATURES_MAX, sizeof(float)) < 0)
        return LIP_ERR_NOMEM;
    to = trunk->ready_features + trunk->n * n_features;
    memcpy(to, history_at(trunk, sample), trunk->n_history * sizeof(float));
    to += trunk->n_history;
    for (size_t i = 0; trunk->model->wide && i < N_SHIFTS; i++, to += n_net)
        memcpy(to, history_at(trunk, sample + shifts[i]), n_net * sizeof(float));
    /* The two rows between which the sample's time lies. */
    trunk->ready_voices[trunk->n++] =
        fmaxf(voice_at(trunk, 2 * sample - 2), voice_at(trunk, 2 * sample - 1));
    return 0;
}

/* Remembers a layer's output of a sample, if it is a feature. */
static void note(struct motion_trunk *trunk, uint32_t layer, int64_t sample, const float *x)
{
    const struct motion_model *model = trunk->model;
    float *to = history_at(trunk, sample);

    if (layer + 1 == model->n_layers) {
        for (uint32_t i = 0; i < model->head.n_features; i++)
            to[i] = (x[i] - model->feature_mean[i]) * model->feature_inv_sd[i];
    } else if (layer < n_inner(model)) {
        to += model->head.n_features;
        for (uint32_t i = 0; i < layer; i++)
            to += model->layers[i].n_out;
        memcpy(to, x, model->layers[layer].n_out * sizeof(float));
    }
}

/* Gives layer 0 a row, and every further layer what the one before it has finished. A layer
 * finishes at most one output per input, so one walk down is enough. */
static int feed(struct motion_trunk *trunk, const float inputs[MOTION_INPUTS])
{
    const bool hears = trunk->model->embed[0].n_out > 0;
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
        run_layer(layer, memory, centre, i == 0 && hears ? embed_at(trunk, centre) : NULL, out);
        note(trunk, i, memory->next_out++, out);
        x = out;
    }
    if (trunk->memory[trunk->model->n_layers - 1].next_out <=
        trunk->next_sample + (trunk->model->wide ? SHIFT_MAX : 0))
        return 0;
    return emit(trunk);
}

static int feed_row(struct motion_trunk *trunk, const struct data_sound_row *row)
{
    float inputs[MOTION_INPUTS];

    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        inputs[b] = clamp(row->mel[b], -4.0f, 4.0f);
    inputs[DATA_SOUND_BANDS] = clamp(row->energy_log / 4.0f, -3.0f, 1.0f);
    inputs[DATA_SOUND_BANDS + 1] = row->voice;
    hear_embed(trunk, row->embed);
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
    int status = 0;

    trunk->n = trunk->taken = 0;
    while (status == 0 && trunk->n_rows > 0 && trunk->next_sample <= trunk->n_rows / 2)
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
