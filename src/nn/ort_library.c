/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/room.h"

#define WHERE "nn/runtime"
#define FILE_NAME "libonnxruntime.so.1"

/* Places known from the build; a package that has none sets neither. */
#ifndef NN_ORT_BUILD_PATH
#define NN_ORT_BUILD_PATH ""
#endif
#ifndef NN_ORT_INSTALL_PATH
#define NN_ORT_INSTALL_PATH ""
#endif

int nn_ort_check(const struct ort_api *api, ort_status *status, int code, const char *where,
                 const char *what, struct lip_error *err)
{
    char text[256];
    size_t n = 0;

    if (!status)
        return 0;
    /* The runtime's sentences may have line breaks; ours have none. */
    for (const char *p = api->GetErrorMessage(status); *p && n + 1 < sizeof(text); p++)
        text[n++] = *p == '\n' || *p == '\r' ? ' ' : *p;
    text[n] = 0;
    api->ReleaseStatus(status);
    return base_error_set(err, code, where, "%s: %s", what, text);
}

/* The runtime would print to stderr; whatever matters comes back as a status. No user pointer:
 * the runtime's environment is one per process and outlives the one who made it. */
static void stay_silent(void *user, int severity, const char *category, const char *id,
                        const char *location, const char *message)
{
    (void)user;
    (void)severity;
    (void)category;
    (void)id;
    (void)location;
    (void)message;
}

/* NODELETE: the runtime leaves thread-local destructors behind that must not lose their code. */
static void *try_library(const char *path)
{
    return *path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
}

static int find_library(struct nn_runtime *rt, const struct nn_params *params,
                        struct lip_error *err)
{
    static const char *const places[] = {NN_ORT_BUILD_PATH, NN_ORT_INSTALL_PATH, FILE_NAME};
    /* lint: allow getenv: documented in lipsync/engine.h */
    const char *wish = params->library ? params->library : getenv("LIPSYNC_ONNXRUNTIME");
    const char *why;

    if (wish && *wish) {
        rt->library = try_library(wish);
        why = rt->library ? NULL : dlerror();
        if (!rt->library)
            return base_error_set(err, LIP_ERR_MODEL, WHERE,
                                  "cannot load ONNX Runtime from '%s': %s", wish,
                                  why ? why : "unknown reason");
        return 0;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !rt->library; i++)
        rt->library = try_library(places[i]);
    if (!rt->library)
        return base_error_set(
            err, LIP_ERR_MODEL, WHERE,
            "ONNX Runtime was not found: run 'npm ci --ignore-scripts' in the "
            "source folder, or install %s, or set LIPSYNC_ONNXRUNTIME to its path",
            FILE_NAME);
    return 0;
}

static int take_api(struct nn_runtime *rt, struct lip_error *err)
{
    ort_get_api_base_fn get_base;
    void *symbol = dlsym(rt->library, "OrtGetApiBase");
    const struct ort_api_base *base;
    const ort_any_fn *table;

    if (!symbol)
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "the library is not ONNX Runtime");
    memcpy(&get_base, &symbol, sizeof(get_base)); /* C has no cast from data to function pointer */
    base = get_base();
    table = base ? base->get_api(ORT_API_VERSION_MIN) : NULL;
    if (!table)
        return base_error_set(err, LIP_ERR_MODEL, WHERE,
                              "this ONNX Runtime is too old: 1.%d or later is needed",
                              ORT_API_VERSION_MIN);
    snprintf(rt->version, sizeof(rt->version), "%s", base->get_version());
    ort_api_take(table, &rt->api);
    return 0;
}

/* One thread per run, operators one after the other: the order of every sum is fixed, and callers
 * run many at once instead. */
static int make_options(struct nn_runtime *rt, struct lip_error *err)
{
    const struct ort_api *api = &rt->api;
    ort_status *s = api->CreateSessionOptions(&rt->options);

    if (!s)
        s = api->SetIntraOpNumThreads(rt->options, 1);
    if (!s)
        s = api->SetSessionExecutionMode(rt->options, ORT_SEQUENTIAL);
    if (!s)
        s = api->SetSessionGraphOptimizationLevel(rt->options, ORT_OPTIMIZE_ALL);
    return nn_ort_check(api, s, LIP_ERR_MODEL, WHERE, "cannot set up ONNX Runtime", err);
}

int nn_ort_open(struct nn_runtime *rt, const struct nn_params *params, struct lip_error *err)
{
    ort_status *s;
    int status = find_library(rt, params, err);

    if (status == 0)
        status = take_api(rt, err);
    if (status < 0)
        return status;
    s = rt->api.CreateEnvWithCustomLogger(stay_silent, NULL, ORT_LOG_FATAL, "lipsync", &rt->env);
    if (!s)
        s = rt->api.CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &rt->memory);
    status = nn_ort_check(&rt->api, s, LIP_ERR_MODEL, WHERE, "cannot set up ONNX Runtime", err);
    return status < 0 ? status : make_options(rt, err);
}

void nn_ort_close(struct nn_runtime *rt)
{
    if (rt->options)
        rt->api.ReleaseSessionOptions(rt->options);
    if (rt->memory)
        rt->api.ReleaseMemoryInfo(rt->memory);
    if (rt->env)
        rt->api.ReleaseEnv(rt->env);
    if (rt->library)
        dlclose(rt->library);
}
