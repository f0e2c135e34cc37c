/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "engine/engine.h"
#include "engine/models.h"

#define WHERE "engine/doctor"

struct text {
    char *at;
    size_t left;
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at, t->left, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += used;
    t->left -= used;
}

/* One second of a drawn film through decoder interface and face nets. */
static int self_test(lip_engine *engine, double *ret_ms, struct lip_error *err)
{
    struct media_source *source = NULL;
    struct face_analyzer *analyzer = NULL;
    struct media_source_params params = {0};
    struct face_analyzer_params face;
    face_analyzer_params_default(&face);
    struct data_face_obs *obs = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *obs);
    int r = obs ? media_source_open("synthetic:640x360@25:25", &params, &source, err)
                : base_error_nomem(err, WHERE);
    if (!r)
        r = face_analyzer_create(engine->faces, media_source_film(source), &face, &analyzer, err);
    int64_t start_us = base_time_us();
    for (bool more = !r; more;) {
        struct data_frame *f = NULL;
        size_t n = 0;
        bool shot = false;
        r = media_source_read(source, &f, err);
        if (!r && f)
            r = face_analyzer_push(analyzer, f, obs, &n, &shot, err);
        more = !r && f;
        data_frame_unref(&f);
    }
    *ret_ms = (double)(base_time_us() - start_us) * 1e-3 / 25;
    face_analyzer_destroy(&analyzer);
    media_source_close(&source);
    base_free(obs);
    return r;
}

int lip_doctor(const struct lip_params *params, char *ret_text, size_t cap)
{
    if (!ret_text || !cap)
        return LIP_ERR_ARG;
    struct text t = {ret_text, cap};
    char media[512] = "";
    media_versions(media, sizeof media);
    for (char *c = media; *c; c++)
        if (*c == '\n')
            *c = c[1] ? ',' : 0;
    say(&t, "lipsync     %s, API %d, %d processors\n", LIP_VERSION, LIP_API_VERSION,
        base_cpu_count());
    say(&t, "media       %s\n", media);
    char *dir = engine_models_dir(params ? params->models_dir : NULL);
    say(&t, "models      %s\n", dir ? dir : "(out of memory)");
    base_free(dir);
    lip_engine *engine = NULL;
    struct lip_error err = {0};
    int r = lip_open(params, &engine, &err);
    if (!r) {
        say(&t, "runtime     ONNX Runtime %s\n", nn_runtime_version(engine->runtime));
        say(&t, "model hash  %016llx\n", (unsigned long long)engine->models_hash);
        double ms = 0;
        r = self_test(engine, &ms, &err);
        if (!r)
            say(&t, "self test   passed, %.1f ms a frame\n", ms);
    }
    if (r)
        say(&t, "NOT WELL    %s: %s\n", lip_status_name(r), err.text);
    else
        say(&t, "all is well\n");
    lip_close(&engine);
    return r;
}
