/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "nn/room.h"

#define WHERE "nn/device"

/* What a user writes, what the runtime lists, and what it wants to be asked for by name (NULL: by
 * a call of its own). */
struct device {
    const char *name, *provider, *append;
};

static const struct device devices[] = {
    {"cpu", "CPUExecutionProvider", ""},
    {"cuda", "CUDAExecutionProvider", NULL},
    {"tensorrt", "TensorrtExecutionProvider", NULL},
    {"migraphx", "MIGraphXExecutionProvider", "MIGraphX"},
    {"rocm", "ROCMExecutionProvider", "ROCM"},
    {"openvino", "OpenVINOExecutionProvider", "OpenVINO"},
    {"coreml", "CoreMLExecutionProvider", "CoreML"},
    {"dml", "DmlExecutionProvider", "DML"},
    {"qnn", "QNNExecutionProvider", "QNN"},
    {"webgpu", "WebGpuExecutionProvider", "WebGPU"},
    {"xnnpack", "XnnpackExecutionProvider", "XNNPACK"},
};

#define N_DEVICES (sizeof(devices) / sizeof(devices[0]))

int nn_ort_list_devices(struct nn_runtime *rt, struct lip_error *err)
{
    char **names = NULL;
    size_t used = 0;
    int n = 0;
    ort_status *s = rt->api.GetAvailableProviders(&names, &n);

    if (s)
        return nn_ort_check(&rt->api, s, LIP_ERR_DEVICE, WHERE, "cannot list the devices", err);
    for (size_t d = 0; d < N_DEVICES; d++) {
        for (int i = 0; i < n; i++) {
            if (strcmp(names[i], devices[d].provider) == 0 && used < sizeof(rt->devices))
                used += (size_t)snprintf(rt->devices + used, sizeof(rt->devices) - used, "%s%s",
                                         used ? " " : "", devices[d].name);
        }
    }
    s = rt->api.ReleaseAvailableProviders(names, n);
    return nn_ort_check(&rt->api, s, LIP_ERR_DEVICE, WHERE, "cannot list the devices", err);
}

/* Whether `name` is one of the words of a list. */
static bool is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = strstr(list, name); p; p = strstr(p + 1, name)) {
        if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
            return true;
    }
    return false;
}

static ort_status *append_cuda(struct nn_runtime *rt)
{
    ort_provider_options *o = NULL;
    ort_status *s = rt->api.CreateCUDAProviderOptions(&o);

    if (!s)
        s = rt->api.SessionOptionsAppendExecutionProvider_CUDA_V2(rt->options, o);
    if (o)
        rt->api.ReleaseCUDAProviderOptions(o);
    return s;
}

static ort_status *append_tensorrt(struct nn_runtime *rt)
{
    ort_provider_options *o = NULL;
    ort_status *s = rt->api.CreateTensorRTProviderOptions(&o);

    if (!s)
        s = rt->api.SessionOptionsAppendExecutionProvider_TensorRT_V2(rt->options, o);
    if (o)
        rt->api.ReleaseTensorRTProviderOptions(o);
    return s;
}

int nn_ort_use_device(struct nn_runtime *rt, const char *device, struct lip_error *err)
{
    const struct device *d = NULL;
    ort_status *s;
    char what[NN_DEVICES_TEXT + 128];

    if (!device || !*device || strcmp(device, "cpu") == 0)
        return 0;
    for (size_t i = 0; i < N_DEVICES && !d; i++) {
        if (strcmp(devices[i].name, device) == 0)
            d = &devices[i];
    }
    if (!d || !is_listed(rt->devices, d->name))
        return base_error_set(err, LIP_ERR_DEVICE, WHERE,
                              "device '%.64s' is not there: this ONNX Runtime (%s) knows: %s",
                              device, rt->version, rt->devices);
    if (d->append)
        s = rt->api.SessionOptionsAppendExecutionProvider(rt->options, d->append, NULL, NULL, 0);
    else if (strcmp(d->name, "cuda") == 0)
        s = append_cuda(rt);
    else
        s = append_tensorrt(rt);
    /* A runtime may know a device whose provider library or driver is missing. */
    snprintf(what, sizeof(what),
             "device '%s' cannot be used here (this ONNX Runtime (%s) knows: %s)", d->name,
             rt->version, rt->devices);
    return nn_ort_check(&rt->api, s, LIP_ERR_DEVICE, WHERE, what, err);
}
