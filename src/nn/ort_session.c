/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "nn/room.h"

#define WHERE "nn/model"

static int check(const struct nn_model *model, ort_status *s, struct lip_error *err)
{
    char what[96];

    if (!s)
        return 0;
    snprintf(what, sizeof(what), "net '%.64s'", model->name);
    return nn_ort_check(&model->runtime->api, s, LIP_ERR_MODEL, WHERE, what, err);
}

/* Shape and type of a tensor as the file declares them. */
static int take_shape(const struct nn_model *model, const ort_type_info *info, struct nn_tensor *t,
                      struct lip_error *err)
{
    const struct ort_api *api = &model->runtime->api;
    const ort_tensor_info *tensor = NULL;
    size_t n_dims = 0;
    int element = 0, status;
    ort_status *s = api->CastTypeInfoToTensorInfo(info, &tensor);

    if (!s && tensor)
        s = api->GetTensorElementType(tensor, &element);
    if (!s && tensor)
        s = api->GetDimensionsCount(tensor, &n_dims);
    status = check(model, s, err);
    if (status < 0)
        return status;
    if (!tensor || (element != ORT_ELEMENT_F32 && element != ORT_ELEMENT_I64) ||
        n_dims > NN_DIMS_MAX)
        return base_error_set(err, LIP_ERR_MODEL, WHERE,
                              "net '%s': tensor '%s' is of a kind that is not supported",
                              model->name, t->name);
    t->type = element == ORT_ELEMENT_F32 ? NN_F32 : NN_I64;
    t->n_dims = (int)n_dims;
    return check(model, api->GetDimensions(tensor, t->dims, n_dims), err);
}

/* One input or output: its name becomes ours, so that it lives as long as the model. */
static int take_io(const struct nn_model *model, bool is_input, size_t index, struct nn_tensor *t,
                   struct lip_error *err)
{
    const struct ort_api *api = &model->runtime->api;
    ort_allocator *allocator = NULL;
    ort_type_info *info = NULL;
    char *name = NULL;
    int status;
    ort_status *s = api->GetAllocatorWithDefaultOptions(&allocator);

    if (!s)
        s = is_input ? api->SessionGetInputName(model->session, index, allocator, &name)
                     : api->SessionGetOutputName(model->session, index, allocator, &name);
    if (!s) {
        t->name = base_strdup(name);
        s = api->AllocatorFree(allocator, name);
    }
    if (!s)
        s = is_input ? api->SessionGetInputTypeInfo(model->session, index, &info)
                     : api->SessionGetOutputTypeInfo(model->session, index, &info);
    status = check(model, s, err);
    if (status == 0 && !t->name)
        status = base_error_nomem(err, WHERE);
    if (status == 0)
        status = take_shape(model, info, t, err);
    if (info)
        api->ReleaseTypeInfo(info);
    return status;
}

static int take_signature(struct nn_model *model, struct lip_error *err)
{
    const struct ort_api *api = &model->runtime->api;
    size_t n_in = 0, n_out = 0;
    ort_status *s = api->SessionGetInputCount(model->session, &n_in);
    int status;

    if (!s)
        s = api->SessionGetOutputCount(model->session, &n_out);
    status = check(model, s, err);
    if (status == 0 && (n_in > NN_IO_MAX || n_out > NN_IO_MAX))
        status =
            base_error_set(err, LIP_ERR_MODEL, WHERE, "net '%s' has more than %d inputs or outputs",
                           model->name, NN_IO_MAX);
    for (size_t i = 0; i < n_in && status == 0; i++)
        status = take_io(model, true, i, &model->inputs[i], err);
    for (size_t i = 0; i < n_out && status == 0; i++)
        status = take_io(model, false, i, &model->outputs[i], err);
    model->n_inputs = n_in;
    model->n_outputs = n_out;
    return status;
}

int nn_ort_load(struct nn_model *model, const char *path, struct lip_error *err)
{
    const struct nn_runtime *rt = model->runtime;
    struct lip_error why = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = base_fs_read(path, NN_MODEL_BYTES_MAX, &bytes, &n, &why);

    if (status == LIP_ERR_NOMEM)
        return base_error_nomem(err, WHERE);
    if (status < 0)
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "cannot read the net '%s': %s",
                              model->name, why.text);
    status =
        check(model,
              rt->api.CreateSessionFromArray(rt->env, bytes, n, rt->options, &model->session), err);
    base_free(bytes);
    return status < 0 ? status : take_signature(model, err);
}

void nn_ort_unload(struct nn_model *model)
{
    model->runtime->api.ReleaseSession(model->session);
    model->session = NULL;
}

/* The declared tensor that a caller's tensor means, or NULL. */
static const struct nn_tensor *find_declared(const struct nn_tensor *list, size_t n, size_t index,
                                             const char *name)
{
    if (!name)
        return index < n ? &list[index] : NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    }
    return NULL;
}

static bool shape_fits(const struct nn_tensor *declared, const struct nn_tensor *t)
{
    if (t->type != declared->type || t->n_dims != declared->n_dims)
        return false;
    for (int d = 0; d < t->n_dims; d++) {
        if (declared->dims[d] >= 0 && declared->dims[d] != t->dims[d])
            return false;
    }
    return true;
}

/* Wraps the caller's memory, nothing is copied. */
static int wrap(const struct nn_model *model, const struct nn_tensor *declared, size_t n_declared,
                size_t index, const struct nn_tensor *t, const char **ret_name,
                ort_value **ret_value, struct lip_error *err)
{
    const struct nn_runtime *rt = model->runtime;
    const struct nn_tensor *d = find_declared(declared, n_declared, index, t->name);
    size_t n_bytes = t->type == NN_F32 ? 4 : 8;

    if (!d)
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "net '%s' has no tensor '%s'", model->name,
                              t->name ? t->name : "at this place");
    for (int i = 0; i < t->n_dims; i++) {
        if ((size_t)t->dims[i] > BASE_ALLOC_CEILING / n_bytes)
            return base_error_set(err, LIP_ERR_MODEL, WHERE, "net '%s': tensor '%s' is too large",
                                  model->name, d->name);
        n_bytes *= (size_t)t->dims[i];
    }
    if (!shape_fits(d, t))
        return base_error_set(err, LIP_ERR_MODEL, WHERE,
                              "net '%s': tensor '%s' has another shape or type than the file",
                              model->name, d->name);
    *ret_name = d->name;
    return check(model,
                 rt->api.CreateTensorWithDataAsOrtValue(
                     rt->memory, t->data, n_bytes, t->dims, (size_t)t->n_dims,
                     t->type == NN_F32 ? ORT_ELEMENT_F32 : ORT_ELEMENT_I64, ret_value),
                 err);
}

int nn_ort_run(const struct nn_model *model, const struct nn_tensor *inputs, size_t n_inputs,
               struct nn_tensor *outputs, size_t n_outputs, struct lip_error *err)
{
    const struct ort_api *api = &model->runtime->api;
    const char *in_names[NN_IO_MAX] = {0}, *out_names[NN_IO_MAX] = {0};
    ort_value *in[NN_IO_MAX] = {0}, *out[NN_IO_MAX] = {0};
    int status = 0;

    if (n_inputs != model->n_inputs || n_outputs < 1)
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "net '%s' wants %zu inputs, not %zu",
                              model->name, model->n_inputs, n_inputs);
    for (size_t i = 0; i < n_inputs && status == 0; i++)
        status =
            wrap(model, model->inputs, model->n_inputs, i, &inputs[i], &in_names[i], &in[i], err);
    for (size_t i = 0; i < n_outputs && status == 0; i++)
        status = wrap(model, model->outputs, model->n_outputs, i, &outputs[i], &out_names[i],
                      &out[i], err);
    if (status == 0)
        status = check(model,
                       api->Run(model->session, NULL, in_names, (const ort_value *const *)in,
                                n_inputs, out_names, n_outputs, out),
                       err);
    for (size_t i = 0; i < NN_IO_MAX; i++) {
        if (in[i])
            api->ReleaseValue(in[i]);
        if (out[i])
            api->ReleaseValue(out[i]);
    }
    return status;
}
