/* SPDX-License-Identifier: MIT
 *
 * The engine: nets and weights, loaded once and shared by any number of jobs. */
#ifndef LIPSYNC_ENGINE_H
#define LIPSYNC_ENGINE_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lip_engine lip_engine;

struct lip_params {
    /* Folder with the nets and our weights; NULL: $LIPSYNC_MODELS, then the place of the build tree
     * or of the installation. */
    const char *models_dir;
    /* Path of libonnxruntime.so.1; NULL: $LIPSYNC_ONNXRUNTIME, then the place known from the build,
     * then the system's. */
    const char *runtime;
    /* "cpu" (also NULL), "cuda", "tensorrt", "openvino", "rocm", "coreml", "dml". */
    const char *device;
    /* Warnings (level 1), a few lines per job (2), details (3); never per frame. NULL: silence. May
     * be called from several threads at once. */
    void (*log)(void *user, int level, const char *text);
    void *log_user;
    void *reserved[4];
};

LIP_API void lip_params_default(struct lip_params *params);

/* Loads everything. `params` (may be NULL: defaults) is only borrowed for the call.
 * Errors: LIP_ERR_MODEL, LIP_ERR_DEVICE, LIP_ERR_NOMEM. *ret_engine is untouched on failure. */
LIP_API int lip_open(const struct lip_params *params, lip_engine **ret_engine,
                     struct lip_error *err);
/* Waits for nobody: no job may be running. NULL and *NULL are fine; sets *engine NULL. */
LIP_API void lip_close(lip_engine **engine);

/* What is installed, what is missing, and a self test of one second: lines for a bug report.
 * Works on a machine where lip_open would fail. Returns 0 when everything is well, else the first
 * error. The text is cut at `cap`. */
LIP_API int lip_doctor(const struct lip_params *params, char *ret_text, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
