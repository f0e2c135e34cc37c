/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/models.h"

#define WHERE "engine"

const char *lip_version(void)
{
    return LIP_VERSION;
}

void lip_params_default(struct lip_params *params)
{
    if (params)
        memset(params, 0, sizeof *params);
}

/* Folders -------------------------------------------------------------------------------------- */

/* dir/name when it is there, else NULL. Base memory. */
static char *found(const char *dir, const char *below)
{
    size_t n = strlen(dir) + strlen(below) + 2;
    char *path = base_alloc(n);
    if (!path)
        return NULL;
    snprintf(path, n, "%s%s", dir, below);
    if (base_fs_exists(path))
        return path;
    base_free(path);
    return NULL;
}

/* The folder of the running program: a build tree and a moved installation find their models so. */
static bool program_dir(char ret_dir[512])
{
    ssize_t n = readlink("/proc/self/exe", ret_dir, 511);
    if (n <= 0)
        return false;
    ret_dir[n] = 0;
    char *slash = strrchr(ret_dir, '/');
    if (!slash)
        return false;
    *slash = 0;
    return true;
}

char *engine_models_dir(const char *asked)
{
    const char *env = getenv("LIPSYNC_MODELS"); /* lint: allow getenv: documented in engine.h */
    if (asked || (env && *env))
        return base_strdup(asked ? asked : env);
    char dir[512];
    char *path = NULL;
    if (program_dir(dir)) {
        path = found(dir, "/models");
        if (!path)
            path = found(dir, "/../share/lipsync/models");
    }
    return path ? path : base_strdup(LIPSYNC_DATADIR "/models");
}

static int model_path(const char *dir, const char *name, char **ret_path)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    *ret_path = base_alloc(n);
    if (*ret_path)
        snprintf(*ret_path, n, "%s/%s", dir, name);
    return *ret_path ? LIP_OK : LIP_ERR_NOMEM;
}

const char *const engine_model_files[] = {
    "face_detector_short.onnx", "face_detector_full.onnx", "face_mesh.onnx",
    "face_geometry.bin",        "silero_vad.onnx",         "speech_embedding.onnx",
    "motion/basis.bin",
    "motion/mouth.bin",
};
const size_t engine_n_model_files = sizeof engine_model_files / sizeof *engine_model_files;

int engine_models_hash(const char *dir, uint64_t *ret_hash, struct lip_error *err)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < engine_n_model_files; i++) {
        char *path = NULL;
        uint64_t one = 0;
        if (model_path(dir, engine_model_files[i], &path))
            return base_error_nomem(err, WHERE);
        int r = base_fs_identity(path, &one, NULL);
        if (r)
            base_error_set(err, LIP_ERR_MODEL, WHERE,
                           "the model file '%s' is missing: run 'make' in the source tree or give "
                           "the folder of the models",
                           path);
        base_free(path);
        if (r)
            return LIP_ERR_MODEL;
        hash = base_hash(&one, sizeof one, hash);
    }
    *ret_hash = hash;
    return LIP_OK;
}

/* Opening -------------------------------------------------------------------------------------- */

static int load(lip_engine *e, struct lip_error *err)
{
    char *geometry = NULL, *weights = NULL;
    int r = LIP_OK;
    if (model_path(e->models_dir, "face_geometry.bin", &geometry) ||
        model_path(e->models_dir, "motion", &weights))
        r = base_error_nomem(err, WHERE);
    if (!r)
        r = face_models_open(e->runtime, e->models_dir, &e->faces, err);
    if (!r)
        r = motion_model_open(e->runtime, weights, &e->motion, err);
    if (!r)
        r = render_mesh_open(geometry, &e->mesh, err);
    base_free(geometry);
    base_free(weights);
    return r;
}

int lip_open(const struct lip_params *params, lip_engine **ret_engine, struct lip_error *err)
{
    struct lip_params p;
    lip_params_default(&p);
    if (params)
        p = *params;
    if (!ret_engine)
        return base_error_arg(err, WHERE, "no place for the engine");
    lip_engine *e = base_alloc_zero(sizeof *e);
    if (!e || !(e->models_dir = engine_models_dir(p.models_dir))) {
        base_free(e);
        return base_error_nomem(err, WHERE);
    }
    e->log = (struct base_log){p.log, p.log_user};
    struct nn_params nn = {.library = p.runtime, .device = p.device, .log = &e->log};
    int r = nn_runtime_open(&nn, &e->runtime, err);
    if (!r)
        r = engine_models_hash(e->models_dir, &e->models_hash, err);
    if (!r)
        r = load(e, err);
    if (r)
        lip_close(&e);
    else
        *ret_engine = e;
    return r;
}

int engine_open_fake(nn_fake_run run, void *user, const char *models_dir,
                     lip_engine **ret_engine, struct lip_error *err)
{
    lip_engine *e = base_alloc_zero(sizeof *e);
    if (!e || !(e->models_dir = base_strdup(models_dir))) {
        base_free(e);
        return base_error_nomem(err, WHERE);
    }
    int r = nn_runtime_open_fake(run, user, &e->runtime);
    if (r)
        base_error_nomem(err, WHERE);
    else
        r = load(e, err);
    if (r)
        lip_close(&e);
    else
        *ret_engine = e;
    return r;
}

void lip_close(lip_engine **engine)
{
    if (!engine || !*engine)
        return;
    lip_engine *e = *engine;
    render_mesh_close(&e->mesh);
    motion_model_close(&e->motion);
    face_models_close(&e->faces);
    nn_runtime_close(&e->runtime);
    base_free(e->models_dir);
    base_free(e);
    *engine = NULL;
}
