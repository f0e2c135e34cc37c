/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "face/parts.h"

static int open_one(struct nn_runtime *runtime, const char *dir, const char *file,
                    struct nn_model **ret_model, struct lip_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", dir, file);
    if (n < 0 || (size_t)n >= sizeof path)
        return base_error_set(err, LIP_ERR_MODEL, "face/models", "the models' path is too long");
    return nn_model_open(runtime, path, ret_model, err);
}

/* The net that knows who it is may be missing: then faces are told apart by less. */
static int open_faceprint(struct nn_runtime *runtime, const char *dir, struct nn_model **ret_model,
                         struct lip_error *err)
{
    static const char file[] = "faceprint.onnx";
    char path[4096];
    bool fake = strcmp(nn_runtime_version(runtime), "fake") == 0;
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return fake || base_fs_exists(path) ? open_one(runtime, dir, file, ret_model, err) : LIP_OK;
}

int face_models_open(struct nn_runtime *runtime, const char *models_dir,
                     struct face_models **ret_models, struct lip_error *err)
{
    struct face_models *m = base_alloc_zero(sizeof *m);
    int r;
    if (!m)
        return base_error_nomem(err, "face/models");
    r = open_one(runtime, models_dir, "face_detector_short.onnx", &m->detector_short, err);
    if (r == LIP_OK)
        r = open_one(runtime, models_dir, "face_detector_full.onnx", &m->detector_full, err);
    if (r == LIP_OK)
        r = open_one(runtime, models_dir, "face_mesh.onnx", &m->mesh, err);
    if (r == LIP_OK)
        r = open_faceprint(runtime, models_dir, &m->faceprint, err);
    if (r != LIP_OK) {
        face_models_close(&m);
        return r;
    }
    *ret_models = m;
    return LIP_OK;
}

void face_models_close(struct face_models **models)
{
    if (!models || !*models)
        return;
    nn_model_close(&(*models)->detector_short);
    nn_model_close(&(*models)->detector_full);
    nn_model_close(&(*models)->mesh);
    nn_model_close(&(*models)->faceprint);
    base_free(*models);
    *models = NULL;
}
