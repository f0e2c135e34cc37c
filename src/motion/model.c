/* SPDX-License-Identifier: MIT
 *
 * The weights' files, mouth.bin and live.bin ("LIPMOUTH", version 2) and visemes.bin ("LIPVISEM",
 * version 1). Written by train/motion/export.py and train/visemes/save.py; the form is in
 * docs/design/motion.md. They are our own files, but read as carefully as a stranger's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "motion/internal.h"

static const struct {
    const char *name, *magic;
    uint32_t version;
} files[] = {
    [MOTION_FILE_WHOLE] = {"mouth.bin", "LIPMOUTH", 2},
    [MOTION_FILE_LIVE] = {"live.bin", "LIPMOUTH", 2},
    [MOTION_FILE_VISEMES] = {"visemes.bin", "LIPVISEM", 1},
};
#define FILE_MAX ((size_t)16 << 20)

static float *read_floats(struct base_reader *reader, size_t n)
{
    float *values;

    if (reader->failed || n > (reader->size - reader->at) / 4) {
        reader->failed = 1;
        return NULL;
    }
    values = base_alloc_array(n, sizeof(*values));
    if (values)
        base_reader_f32s(reader, values, n);
    return values;
}

static bool layer_is_sane(const struct motion_layer *layer, uint32_t n_before)
{
    if (layer->n_in != n_before || layer->n_out < 1 || layer->n_out > MOTION_WIDTH_MAX ||
        layer->n_taps < 1 || layer->n_taps > MOTION_TAPS_MAX ||
        (layer->residual && layer->n_in != layer->n_out))
        return false;
    for (uint32_t i = 0; i < layer->n_taps; i++)
        if (layer->taps[i] < -MOTION_REACH_MAX || layer->taps[i] > MOTION_REACH_MAX ||
            (i > 0 && layer->taps[i] <= layer->taps[i - 1]))
            return false;
    return layer->taps[0] <= 0 && layer->taps[layer->n_taps - 1] >= 0;
}

/* False: damaged, or out of memory (then a pointer is NULL and reader->failed is 0). */
static bool read_layer(struct base_reader *reader, uint32_t n_before, struct motion_layer *layer)
{
    uint32_t flags;

    layer->n_in = base_reader_u32(reader);
    layer->n_out = base_reader_u32(reader);
    layer->n_taps = base_reader_u32(reader);
    flags = base_reader_u32(reader);
    layer->relu = flags & 1;
    layer->residual = flags & 2;
    for (uint32_t i = 0; i < layer->n_taps && i < MOTION_TAPS_MAX; i++)
        layer->taps[i] = (int32_t)base_reader_u32(reader);
    if (reader->failed || flags > 3 || !layer_is_sane(layer, n_before)) {
        reader->failed = 1;
        return false;
    }
    layer->weights = read_floats(reader, (size_t)layer->n_in * layer->n_out * layer->n_taps);
    layer->bias = read_floats(reader, layer->n_out);
    return layer->weights && layer->bias;
}

/* How many rows the net looks back and ahead must stay in bounds: they are waiting time. */
static bool reach_is_sane(const struct motion_model *model)
{
    int64_t back = 0, ahead = 0;

    for (uint32_t i = model->n_layers; i-- > 0;) {
        int scale = i == 0 ? 1 : 2;
        back -= (int64_t)scale * model->layers[i].taps[0];
        ahead += (int64_t)scale * model->layers[i].taps[model->layers[i].n_taps - 1];
    }
    return back <= MOTION_REACH_MAX && ahead <= MOTION_REACH_MAX;
}

/* Two layers without memory, or a first one of no outputs. */
static bool read_embed(struct base_reader *reader, struct motion_model *model)
{
    uint32_t width = DATA_SOUND_EMBED;

    if (base_reader_u32(reader) == 0)
        return !reader->failed;
    for (int i = 0; i < 2; i++) {
        struct motion_layer *layer = &model->embed[i];
        if (!read_layer(reader, width, layer))
            return false;
        if (layer->n_taps != 1 || layer->residual)
            reader->failed = 1;
        width = layer->n_out;
    }
    if (width != model->layers[0].n_out)
        reader->failed = 1;
    return !reader->failed;
}

static bool read_net(struct base_reader *reader, struct motion_model *model)
{
    uint32_t width = MOTION_INPUTS;

    model->n_layers = base_reader_u32(reader);
    model->head.n_features = base_reader_u32(reader);
    if (model->n_layers < 1 || model->n_layers > MOTION_LAYERS_MAX || model->head.n_features < 1 ||
        model->head.n_features > MOTION_NET_MAX)
        reader->failed = 1;
    for (uint32_t i = 0; i < model->n_layers && !reader->failed; i++) {
        if (!read_layer(reader, width, &model->layers[i]))
            return false;
        width = model->layers[i].n_out;
    }
    if (width != model->head.n_features || !reach_is_sane(model))
        reader->failed = 1;
    if (!reader->failed && !read_embed(reader, model))
        return false;
    model->wide = true;
    model->n_features = reader->failed ? 0 : motion_trunk_wide(model);
    if (model->n_features > MOTION_FEATURES_MAX)
        reader->failed = 1;
    return !reader->failed;
}

static void read_people(struct base_reader *reader, struct motion_model *model)
{
    base_reader_f32s(reader, model->mean, MOTION_HEAD_ROWS);
    base_reader_f32s(reader, model->sd, MOTION_HEAD_ROWS);
    base_reader_f32s(reader, model->said_sd, MOTION_HEAD_ROWS);
    base_reader_f32s(reader, model->opening_said, 3);
    base_reader_f32s(reader, model->opening_real, 3);
    base_reader_f32s(reader, model->opening_dir, DATA_CURVE_DIMS);
}

static bool prior_is_sane(const struct data_sound_prior *prior)
{
    float sum = 0.0f;

    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        if (!(prior->sd[b] > 0.0f))
            return false;
    for (int i = 0; i < DATA_SOUND_HISTOGRAM; i++) {
        if (!(prior->histogram[i] >= 0.0f))
            return false;
        sum += prior->histogram[i];
    }
    return prior->rows >= 1.0f && prior->rows <= 60000.0f && fabsf(sum - 1.0f) < 1e-3f;
}

/* What the net of low latency has more: what it takes as heard, and people's average mouth. It
 * waits for no other moments. */
static bool read_live(struct base_reader *reader, struct motion_model *model)
{
    struct data_sound_prior *prior = &model->prior;
    struct data_person *person = base_alloc_zero(sizeof(*person));

    model->average = person;
    if (!person)
        return false;
    model->live = true;
    model->wide = false;
    model->n_features = model->head.n_features;
    prior->rows = base_reader_f32(reader);
    base_reader_f32s(reader, prior->mean, DATA_SOUND_BANDS);
    base_reader_f32s(reader, prior->sd, DATA_SOUND_BANDS);
    base_reader_f32s(reader, prior->histogram, DATA_SOUND_HISTOGRAM);
    for (int p = 0; p < MOTION_MOUTH_POINTS; p++)
        base_reader_f32s(reader, person->rest[motion_mouth_points[p]], 3);
    memcpy(person->canon, person->rest, sizeof(person->canon));
    person->opening_rest = base_reader_f32(reader);
    base_reader_f32s(reader, person->opening_pct, 5);
    base_reader_f32s(reader, person->width_pct, 5);
    if (!reader->failed && !prior_is_sane(prior))
        reader->failed = 1;
    return !reader->failed;
}

/* The net, and the head on its last layer. */
static bool read_said(struct base_reader *reader, uint32_t n_rows, struct motion_model *model)
{
    if (!read_net(reader, model))
        return false;
    const uint32_t n_net = model->head.n_features;
    model->feature_mean = read_floats(reader, n_net);
    model->feature_inv_sd = read_floats(reader, n_net);
    model->head.n_rows = n_rows;
    model->head.weights = read_floats(reader, (size_t)n_rows * (n_net + 1));
    return model->feature_mean && model->feature_inv_sd && model->head.weights;
}

int motion_model_read(enum motion_file file, const void *bytes, size_t n,
                      struct motion_model *model, struct lip_error *err)
{
    struct base_reader reader;
    const uint8_t *magic;
    bool visemes = file == MOTION_FILE_VISEMES, ok;

    base_reader_init(&reader, bytes, n);
    magic = base_reader_take(&reader, 8);
    if (!magic || memcmp(magic, files[file].magic, 8) != 0 ||
        base_reader_u32(&reader) != files[file].version)
        return base_error_set(err, LIP_ERR_MODEL, "motion/model", "%s is not a model of version %u",
                              files[file].name, files[file].version);
    ok = read_said(&reader, visemes ? DATA_VISEMES : MOTION_MODEL_ROWS, model);
    if (ok && !visemes)
        read_people(&reader, model);
    if (ok && file == MOTION_FILE_LIVE)
        ok = read_live(&reader, model);
    if (visemes) { /* nothing is fitted on its inner layers */
        model->wide = false;
        model->n_features = model->head.n_features;
    }
    if (reader.failed || (ok && reader.at != reader.size))
        return base_error_set(err, LIP_ERR_MODEL, "motion/model", "%s is damaged",
                              files[file].name);
    return ok ? 0 : base_error_nomem(err, "motion/model");
}

static int read_file(const char *dir, const char *name, uint8_t **ret_bytes, size_t *ret_n,
                     struct lip_error *err)
{
    struct lip_error why = {0};
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name), status;

    if (n < 0 || (size_t)n >= sizeof(path))
        return base_error_set(err, LIP_ERR_ARG, "motion/model", "the folder's name is too long");
    status = base_fs_read(path, FILE_MAX, ret_bytes, ret_n, &why);
    if (status == LIP_ERR_NOMEM)
        return base_error_nomem(err, "motion/model");
    if (status < 0)
        return base_error_set(err, LIP_ERR_MODEL, "motion/model", "the mouth model: %s", why.text);
    return 0;
}

static int open_basis(const char *dir, struct data_basis *ret_basis, struct lip_error *err)
{
    struct lip_error why = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = read_file(dir, "basis.bin", &bytes, &n, err);

    if (status < 0)
        return status;
    status = data_basis_read(bytes, n, ret_basis, &why);
    base_free(bytes);
    if (status == LIP_ERR_NOMEM)
        return base_error_nomem(err, "motion/model");
    if (status < 0)
        return base_error_set(err, LIP_ERR_MODEL, "motion/model", "basis.bin: %s", why.text);
    return 0;
}

static int open_file(const char *weights_dir, enum motion_file file,
                     struct motion_model **ret_model, struct lip_error *err)
{
    struct motion_model *model = base_alloc_zero(sizeof(*model));
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = 0;

    if (!model)
        return base_error_nomem(err, "motion/model");
    if (file != MOTION_FILE_VISEMES)
        status = open_basis(weights_dir, &model->basis, err);
    if (status == 0)
        status = read_file(weights_dir, files[file].name, &bytes, &n, err);
    if (status == 0)
        status = motion_model_read(file, bytes, n, model, err);
    base_free(bytes);
    if (status < 0)
        motion_model_close(&model);
    else
        *ret_model = model;
    return status;
}

int motion_model_open(struct nn_runtime *runtime, const char *weights_dir,
                      struct motion_model **ret_model, struct lip_error *err)
{
    (void)runtime; /* for the extractor of a later version, which may be a net of its own */
    return open_file(weights_dir, MOTION_FILE_WHOLE, ret_model, err);
}

int motion_model_open_live(const char *weights_dir, struct motion_model **ret_model,
                           struct lip_error *err)
{
    return open_file(weights_dir, MOTION_FILE_LIVE, ret_model, err);
}

int motion_model_open_visemes(const char *weights_dir, struct motion_model **ret_model,
                              struct lip_error *err)
{
    return open_file(weights_dir, MOTION_FILE_VISEMES, ret_model, err);
}

void motion_model_close(struct motion_model **model)
{
    if (!model || !*model)
        return;
    for (uint32_t i = 0; i < MOTION_LAYERS_MAX; i++) {
        base_free((*model)->layers[i].weights);
        base_free((*model)->layers[i].bias);
    }
    for (int i = 0; i < 2; i++) {
        base_free((*model)->embed[i].weights);
        base_free((*model)->embed[i].bias);
    }
    base_free((*model)->feature_mean);
    base_free((*model)->feature_inv_sd);
    base_free((*model)->head.weights);
    base_free((*model)->average);
    base_free(*model);
    *model = NULL;
}

const struct data_basis *motion_model_basis(const struct motion_model *model)
{
    return &model->basis;
}

const struct data_sound_prior *motion_model_prior(const struct motion_model *model)
{
    return model->live ? &model->prior : NULL;
}

bool motion_model_average(const struct motion_model *model, struct data_person *ret_person)
{
    if (!model->live)
        return false;
    *ret_person = *model->average;
    return true;
}
