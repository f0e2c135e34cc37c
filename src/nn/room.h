/* SPDX-License-Identifier: MIT
 * What the files of src/nn share; see nn.h. */
#ifndef NN_ROOM_H
#define NN_ROOM_H

#include <stdbool.h>

#include "nn/nn.h"
#include "nn/ort_api.h"

#define NN_IO_MAX 16 /* inputs or outputs of one net */
#define NN_MODEL_BYTES_MAX ((size_t)512 << 20)
#define NN_DEVICES_TEXT 256

struct nn_runtime {
    /* ONNX Runtime; all NULL in a fake */
    void *library;
    struct ort_api api;
    ort_env *env;
    ort_session_options *options; /* with the device's provider; shared by all sessions */
    ort_memory_info *memory;
    char version[32];
    char devices[NN_DEVICES_TEXT]; /* "cpu cuda": what `device` may be */
    /* fake */
    nn_fake_run fake;
    void *fake_user;
};

struct nn_model {
    const struct nn_runtime *runtime;
    char *name; /* file name without folder and ending */
    ort_session *session;
    struct nn_tensor inputs[NN_IO_MAX], outputs[NN_IO_MAX]; /* names owned; data NULL */
    size_t n_inputs, n_outputs;
};

/* Turns a failed call into an error and releases the status; NULL is success. */
int nn_ort_check(const struct ort_api *api, ort_status *status, int code, const char *where,
                 const char *what, struct lip_error *err);

/* ort_library.c: finds the library, takes its table, makes the environment. */
int nn_ort_open(struct nn_runtime *rt, const struct nn_params *params, struct lip_error *err);
void nn_ort_close(struct nn_runtime *rt);

/* ort_device.c: lists the devices and adds the asked-for one to the options. */
int nn_ort_list_devices(struct nn_runtime *rt, struct lip_error *err);
int nn_ort_use_device(struct nn_runtime *rt, const char *device, struct lip_error *err);

/* ort_session.c */
int nn_ort_load(struct nn_model *model, const char *path, struct lip_error *err);
void nn_ort_unload(struct nn_model *model);
int nn_ort_run(const struct nn_model *model, const struct nn_tensor *inputs, size_t n_inputs,
               struct nn_tensor *outputs, size_t n_outputs, struct lip_error *err);

#endif
