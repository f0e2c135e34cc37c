/* SPDX-License-Identifier: MIT */
#include "nn/nn.h"

#include <string.h>

#include "base/alloc.h"
#include "nn/room.h"

int nn_runtime_open(const struct nn_params *params, struct nn_runtime **ret_runtime,
                    struct lip_error *err)
{
    static const struct nn_params none = {0};
    struct nn_runtime *rt;
    int status;

    if (!ret_runtime)
        return base_error_arg(err, "nn/open", "ret_runtime");
    if (!params)
        params = &none;
    rt = base_alloc_zero(sizeof(*rt));
    if (!rt)
        return base_error_nomem(err, "nn/open");
    status = nn_ort_open(rt, params, err);
    if (status == 0)
        status = nn_ort_list_devices(rt, err);
    if (status == 0)
        status = nn_ort_use_device(rt, params->device, err);
    if (status < 0) {
        nn_runtime_close(&rt);
        return status;
    }
    base_log_print(params->log, BASE_LOG_DEBUG, "ONNX Runtime %s, devices: %s", rt->version,
                   rt->devices);
    *ret_runtime = rt;
    return 0;
}

int nn_runtime_open_fake(nn_fake_run run, void *user, struct nn_runtime **ret_runtime)
{
    struct nn_runtime *rt;

    if (!run || !ret_runtime)
        return LIP_ERR_ARG;
    rt = base_alloc_zero(sizeof(*rt));
    if (!rt)
        return LIP_ERR_NOMEM;
    rt->fake = run;
    rt->fake_user = user;
    memcpy(rt->version, "fake", 5);
    memcpy(rt->devices, "cpu", 4);
    *ret_runtime = rt;
    return 0;
}

void nn_runtime_close(struct nn_runtime **runtime)
{
    if (!runtime || !*runtime)
        return;
    if (!(*runtime)->fake)
        nn_ort_close(*runtime);
    base_free(*runtime);
    *runtime = NULL;
}

const char *nn_runtime_version(const struct nn_runtime *runtime)
{
    return runtime ? runtime->version : "";
}

const char *nn_runtime_devices(const struct nn_runtime *runtime)
{
    return runtime ? runtime->devices : "";
}

/* "models/face_mesh.onnx" -> "face_mesh" */
static char *bare_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = base_strdup(slash ? slash + 1 : path);
    char *dot = name ? strrchr(name, '.') : NULL;

    if (dot && dot != name)
        *dot = 0;
    return name;
}

int nn_model_open(struct nn_runtime *runtime, const char *path, struct nn_model **ret_model,
                  struct lip_error *err)
{
    struct nn_model *model;
    int status = 0;

    if (!runtime || !path || !ret_model)
        return base_error_arg(err, "nn/model", !runtime ? "runtime" : !path ? "path" : "ret_model");
    model = base_alloc_zero(sizeof(*model));
    if (!model)
        return base_error_nomem(err, "nn/model");
    model->runtime = runtime;
    model->name = bare_name(path);
    if (!model->name)
        status = base_error_nomem(err, "nn/model");
    else if (!runtime->fake)
        status = nn_ort_load(model, path, err);
    if (status < 0) {
        nn_model_close(&model);
        return status;
    }
    *ret_model = model;
    return 0;
}

void nn_model_close(struct nn_model **model)
{
    struct nn_model *m;

    if (!model || !*model)
        return;
    m = *model;
    if (m->session)
        nn_ort_unload(m);
    for (size_t i = 0; i < NN_IO_MAX; i++) {
        base_free((char *)m->inputs[i].name); /* ours, see take_io */
        base_free((char *)m->outputs[i].name);
    }
    base_free(m->name);
    base_free(m);
    *model = NULL;
}

static int get_io(const struct nn_tensor *list, size_t n, size_t index,
                  struct nn_tensor *ret_tensor)
{
    if (!ret_tensor || index >= n)
        return LIP_ERR_ARG;
    *ret_tensor = list[index];
    return 0;
}

int nn_model_input(const struct nn_model *model, size_t index, struct nn_tensor *ret_tensor)
{
    return model ? get_io(model->inputs, model->n_inputs, index, ret_tensor) : LIP_ERR_ARG;
}

int nn_model_output(const struct nn_model *model, size_t index, struct nn_tensor *ret_tensor)
{
    return model ? get_io(model->outputs, model->n_outputs, index, ret_tensor) : LIP_ERR_ARG;
}

size_t nn_model_n_inputs(const struct nn_model *model)
{
    return model ? model->n_inputs : 0;
}

size_t nn_model_n_outputs(const struct nn_model *model)
{
    return model ? model->n_outputs : 0;
}

/* What both backends ask of a caller's tensors. */
static bool tensors_are_sane(const struct nn_tensor *t, size_t n)
{
    if (n > NN_IO_MAX || (n > 0 && !t))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!t[i].data || t[i].n_dims < 0 || t[i].n_dims > NN_DIMS_MAX ||
            (t[i].type != NN_F32 && t[i].type != NN_I64))
            return false;
        for (int d = 0; d < t[i].n_dims; d++) {
            if (t[i].dims[d] < 1 || t[i].dims[d] > INT32_MAX)
                return false;
        }
    }
    return true;
}

int nn_model_run(const struct nn_model *model, const struct nn_tensor *inputs, size_t n_inputs,
                 struct nn_tensor *outputs, size_t n_outputs, struct lip_error *err)
{
    int status;

    if (!model)
        return base_error_arg(err, "nn/run", "model");
    if (!tensors_are_sane(inputs, n_inputs))
        return base_error_arg(err, "nn/run", "inputs");
    if (!tensors_are_sane(outputs, n_outputs))
        return base_error_arg(err, "nn/run", "outputs");
    if (!model->runtime->fake)
        return nn_ort_run(model, inputs, n_inputs, outputs, n_outputs, err);
    status = model->runtime->fake(model->runtime->fake_user, model->name, inputs, n_inputs, outputs,
                                  n_outputs);
    if (status < 0)
        return base_error_set(err, status, "nn/fake", "the fake net '%s' failed", model->name);
    return 0;
}
