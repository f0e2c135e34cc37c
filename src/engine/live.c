/* SPDX-License-Identifier: MIT
 *
 * Sound to mouth while the sound is being made: rows without an embedding, made comparable as they
 * come, through the net of low latency. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "data/personfile.h"
#include "engine/engine.h"
#include "speech/speech.h"

#define WHERE "engine/live"
#define BLOCK 1600 /* samples that are heard at once: bounds the rows that wait */

struct lip_live {
    struct motion_model *model;
    struct data_person person;
    struct speech_stream *speech;
    struct speech_running running;
    struct motion_stream *motion;
    int64_t n_out;
};

void lip_live_params_default(struct lip_live_params *params)
{
    if (!params)
        return;
    memset(params, 0, sizeof *params);
    params->temperature = 0.5;
}

/* Whose mouth ---------------------------------------------------------------------------------- */

/* The person of face `number` of a score; with 0 the first that is known. LIP_ERR_NOT_FOUND without
 * a word when there is none. */
static int known_face(struct data_score *score, int number, struct data_person *ret_person,
                      struct lip_error *err)
{
    int first = number ? number : 1, last = number ? number : LIP_FACES_MAX;
    for (int i = first; i <= last; i++) {
        char name[32];
        uint8_t *bytes = NULL;
        size_t n = 0;
        struct lip_error why = {0};
        snprintf(name, sizeof name, "person %d", i);
        int r = data_score_get_blob(score, name, &bytes, &n, &why);
        if (r == LIP_ERR_NOT_FOUND)
            continue;
        if (r)
            return base_error_set(err, r, WHERE, "%s", why.text);
        r = data_person_read(bytes, n, ret_person, err);
        base_free(bytes);
        return r;
    }
    return LIP_ERR_NOT_FOUND;
}

static int person_of_score(const struct lip_live_params *params, struct data_person *ret_person,
                           struct lip_error *err)
{
    struct data_score *score = NULL;
    int r = data_score_open(params->score, false, &score, err);
    if (r)
        return r;
    r = known_face(score, params->face, ret_person, err);
    data_score_close(&score);
    if (r != LIP_ERR_NOT_FOUND)
        return r;
    return params->face
               ? base_error_set(err, LIP_ERR_SCORE, WHERE, "face %d is not known in this score",
                                params->face)
               : base_error_set(err, LIP_ERR_SCORE, WHERE,
                                "nobody is known in this score yet: 'lipsync analyze' learns them");
}

static int person_of_file(const char *path, struct data_person *ret_person, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct data_personfile *file = base_alloc(sizeof *file);
    if (!file)
        return base_error_nomem(err, WHERE);
    data_personfile_init(file);
    int r = base_fs_read(path, DATA_PERSONFILE_BYTES_MAX, &bytes, &n, err);
    if (!r)
        r = data_personfile_read(bytes, n, file, err);
    base_free(bytes);
    if (!r)
        *ret_person = file->person;
    data_personfile_done(file);
    base_free(file);
    return r;
}

/* Opening -------------------------------------------------------------------------------------- */

static int check(const struct lip_live_params *p, struct lip_error *err)
{
    if (!(p->temperature >= 0 && p->temperature <= 1))
        return base_error_arg(err, WHERE, "the temperature must lie between 0 and 1");
    if (p->face < 0 || p->face > LIP_FACES_MAX)
        return base_error_arg(err, WHERE, "there is no such number of a face");
    if (p->face && !p->score)
        return base_error_arg(err, WHERE, "the number of a face, but no score");
    if (p->score && p->person)
        return base_error_arg(err, WHERE, "a score and a person file: only one of them");
    return LIP_OK;
}

static int load(lip_live *live, lip_engine *engine, const struct lip_live_params *p,
                struct lip_error *err)
{
    size_t n = strlen(engine->models_dir) + sizeof "/motion";
    char *weights = base_alloc(n);
    if (!weights)
        return base_error_nomem(err, WHERE);
    snprintf(weights, n, "%s/motion", engine->models_dir);
    int r = motion_model_open_live(weights, &live->model, err);
    base_free(weights);
    if (!r && p->score)
        r = person_of_score(p, &live->person, err);
    else if (!r && p->person)
        r = person_of_file(p->person, &live->person, err);
    else if (!r)
        motion_model_average(live->model, &live->person);
    return r;
}

int lip_live_open(lip_engine *engine, const struct lip_live_params *params, lip_live **ret_live,
                  struct lip_error *err)
{
    struct lip_live_params p;
    struct motion_style style; /* no head: the live net's own, brought to the person's range */
    lip_live_params_default(&p);
    if (params)
        p = *params;
    if (!engine || !ret_live)
        return base_error_arg(err, WHERE, "no engine, or no place for the stream");
    int r = check(&p, err);
    if (r)
        return r;
    lip_live *live = base_alloc_zero(sizeof *live);
    if (!live)
        return base_error_nomem(err, WHERE);
    motion_style_init(&style);
    r = load(live, engine, &p, err);
    if (!r)
        r = speech_stream_create(engine->runtime, engine->models_dir, false, &live->speech, err);
    if (!r)
        r = motion_stream_create(live->model, &style, &live->person, &live->motion, err);
    if (r) {
        lip_live_close(&live);
        return r;
    }
    speech_running_init(&live->running, motion_model_prior(live->model));
    motion_stream_express(live->motion, p.temperature);
    *ret_live = live;
    return LIP_OK;
}

void lip_live_close(lip_live **live)
{
    if (!live || !*live)
        return;
    motion_stream_destroy(&(*live)->motion);
    speech_stream_destroy(&(*live)->speech);
    motion_model_close(&(*live)->model);
    base_free(*live);
    *live = NULL;
}

/* Running -------------------------------------------------------------------------------------- */

static int drain(lip_live *live, struct lip_error *err)
{
    struct data_sound_row row;
    int r = LIP_OK;
    while (!r && speech_stream_pull(live->speech, &row)) {
        speech_running_next(&live->running, &row);
        r = motion_stream_push(live->motion, &row, 1, err);
    }
    return r;
}

int lip_live_push(lip_live *live, const float *samples, size_t n, struct lip_error *err)
{
    if (!live || (!samples && n))
        return base_error_arg(err, WHERE, "no stream, or no samples");
    for (size_t at = 0, part; at < n; at += part) {
        part = n - at < BLOCK ? n - at : BLOCK;
        int r = speech_stream_push(live->speech, samples + at, part, err);
        if (!r)
            r = drain(live, err);
        if (r)
            return r;
    }
    return LIP_OK;
}

int lip_live_flush(lip_live *live, struct lip_error *err)
{
    if (!live)
        return base_error_arg(err, WHERE, "no stream");
    int r = speech_stream_flush(live->speech, err);
    if (!r)
        r = drain(live, err);
    return r ? r : motion_stream_flush(live->motion, err);
}

int lip_live_pull(lip_live *live, struct lip_mouth *ret_mouth)
{
    struct data_curve_sample sample;
    float points[DATA_FACE_POINTS][3];
    if (!live || !ret_mouth)
        return LIP_ERR_ARG;
    if (!motion_stream_pull(live->motion, &sample))
        return 0;
    data_basis_shape(motion_model_basis(live->model), (const float(*)[3])live->person.rest,
                     sample.coef, points);
    ret_mouth->t_s = (double)live->n_out++ / LIP_LIVE_MOUTHS_HZ;
    ret_mouth->opening = data_mouth_opening((const float(*)[3])points);
    ret_mouth->width = data_mouth_width((const float(*)[3])points);
    memcpy(ret_mouth->coefficients, sample.coef, sizeof ret_mouth->coefficients);
    ret_mouth->speech = sample.speech;
    ret_mouth->closure = sample.closure;
    return 1;
}
