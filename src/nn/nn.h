/* SPDX-License-Identifier: MIT
 *
 * Nets. The only room that knows ONNX Runtime, which is loaded at run time: without it everything
 * builds, and the fake backend runs. A runtime and its models are immutable and thread-safe: many
 * threads may run one model at once; each run is single-threaded inside. */
#ifndef NN_NN_H
#define NN_NN_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/status.h"

#define NN_DIMS_MAX 6

enum nn_type { NN_F32, NN_I64 };

struct nn_tensor {
    const char *name; /* NULL: by position */
    enum nn_type type;
    int n_dims;
    int64_t dims[NN_DIMS_MAX];
    void *data; /* the caller's; row-major, no gaps; outputs are written here */
};

struct nn_runtime;
struct nn_model;

struct nn_params {
    const char *library; /* path of libonnxruntime.so.1; NULL: search (LIPSYNC_ONNXRUNTIME, the
                            place known from the build, the system) */
    const char *device;  /* NULL or "cpu"; else one that nn_runtime_devices knows: "cuda" … */
    const struct base_log *log;
};

/* Errors: LIP_ERR_MODEL (no runtime: the sentence says how to get one), LIP_ERR_DEVICE (one clear
 * line naming what there is). */
int nn_runtime_open(const struct nn_params *params, struct nn_runtime **ret_runtime,
                    struct lip_error *err);
/* After all its models were closed. */
void nn_runtime_close(struct nn_runtime **runtime);
const char *nn_runtime_version(const struct nn_runtime *runtime); /* "1.30.0" or "fake" */
/* The values that `device` may take with this runtime, with spaces between: "cpu cuda". That is
 * what it was built with; opening one fails when its provider library or driver is missing. */
const char *nn_runtime_devices(const struct nn_runtime *runtime);

/* Fake backend for tests: `run` gets the model's file name without folder and ending. */
typedef int (*nn_fake_run)(void *user, const char *model, const struct nn_tensor *inputs,
                           size_t n_inputs, struct nn_tensor *outputs, size_t n_outputs);
int nn_runtime_open_fake(nn_fake_run run, void *user, struct nn_runtime **ret_runtime);

/* Loads a net. With the fake backend the file need not exist. Errors: LIP_ERR_MODEL. */
int nn_model_open(struct nn_runtime *runtime, const char *path, struct nn_model **ret_model,
                  struct lip_error *err);
void nn_model_close(struct nn_model **model);

/* Shapes as the file declares them (-1 = free). Index past the end: LIP_ERR_ARG. `ret_tensor->name`
 * lives as long as the model; data is NULL. */
int nn_model_input(const struct nn_model *model, size_t index, struct nn_tensor *ret_tensor);
int nn_model_output(const struct nn_model *model, size_t index, struct nn_tensor *ret_tensor);
size_t nn_model_n_inputs(const struct nn_model *model);
size_t nn_model_n_outputs(const struct nn_model *model);

/* Runs. All inputs must be given, of the outputs any. Outputs are written into the caller's memory
 * (after a failure they may hold anything); a shape that does not fit is LIP_ERR_MODEL and names
 * the tensor. The fake backend passes everything on unchecked, except NULL data and shapes that no
 * tensor has (LIP_ERR_ARG). Thread-safe. */
int nn_model_run(const struct nn_model *model, const struct nn_tensor *inputs, size_t n_inputs,
                 struct nn_tensor *outputs, size_t n_outputs, struct lip_error *err);

#endif
