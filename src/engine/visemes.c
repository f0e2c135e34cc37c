/* SPDX-License-Identifier: MIT
 *
 * A voice as a mouth for games and animation: the mouth curve of the average mouth, what is said
 * beside it, and files of both. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/listen.h"
#include "viseme/viseme.h"

#define WHERE "engine/visemes"
#define LENGTH_MAX_S (3 * 3600)
#define FILE_BYTES_MAX ((size_t)1 << 30)
#define CHIN 152
#define CORNER_LEFT 61
#define CORNER_RIGHT 291

struct lip_visemes {
    struct data_visemes heard;
    char *sound;
};

/* Names --------------------------------------------------------------------------------------- */

_Static_assert((int)LIP_VISEMES_FORMATS == (int)VISEME_FORMATS, "one list of formats");
_Static_assert(LIP_OCULUS_VISEMES == VISEME_OCULUS && LIP_ARKIT_SHAPES == VISEME_ARKIT,
               "one list of shapes");

const char *lip_viseme_format_name(int format)
{
    const char *name = viseme_format_name(format);
    return name ? name : "unknown";
}

const char *lip_oculus_viseme_name(int viseme)
{
    const char *name = viseme_oculus_name(viseme);
    return name ? name : "unknown";
}

const char *lip_arkit_shape_name(int shape)
{
    const char *name = viseme_arkit_name(shape);
    return name ? name : "unknown";
}

/* Hearing ------------------------------------------------------------------------------------- */

struct hearing {
    lip_engine *engine;
    const struct lip_job *job;
    struct motion_model *visemes, *live; /* the second one knows the average mouth */
    struct data_person person;
    struct data_curve curve;
    struct listen_shares shares;
};

static int open_models(struct hearing *h, struct lip_error *err)
{
    size_t n = strlen(h->engine->models_dir) + sizeof "/motion";
    char *dir = base_alloc(n);
    if (!dir)
        return base_error_nomem(err, WHERE);
    snprintf(dir, n, "%s/motion", h->engine->models_dir);
    int r = motion_model_open_visemes(dir, &h->visemes, err);
    if (!r)
        r = motion_model_open_live(dir, &h->live, err);
    if (!r)
        motion_model_average(h->live, &h->person);
    base_free(dir);
    return r;
}

/* The mean of a coordinate over the middle of a lip. */
static float lip(const float points[DATA_FACE_POINTS][3], const int at[3])
{
    return (points[at[0]][1] + points[at[1]][1] + points[at[2]][1]) / 3;
}

/* Where the lips and the chin are, beside rest. */
static void pose(const struct hearing *h, const struct data_curve_sample *from,
                 struct data_viseme_sample *ret_sample)
{
    static const int upper[3] = {13, 82, 312}, lower[3] = {14, 87, 317};
    const float(*rest)[3] = (const float(*)[3])h->person.rest;
    const float range = h->person.opening_pct[4] - h->person.opening_rest;
    float points[DATA_FACE_POINTS][3], open;
    data_basis_shape(motion_model_basis(h->engine->motion), rest, from->coef, points);
    const float(*now)[3] = (const float(*)[3])points;
    open = (data_mouth_opening(now) - h->person.opening_rest) / (range > 1e-3f ? range : 1e-3f);
    ret_sample->open = open < 0 ? 0 : open > 1 ? 1 : open;
    ret_sample->jaw = now[CHIN][1] - rest[CHIN][1];
    ret_sample->lower_lip = lip(now, lower) - lip(rest, lower);
    ret_sample->upper_lip = lip(rest, upper) - lip(now, upper);
    ret_sample->width = now[CORNER_RIGHT][0] - now[CORNER_LEFT][0] -
                        (rest[CORNER_RIGHT][0] - rest[CORNER_LEFT][0]);
    ret_sample->speech = from->speech;
    ret_sample->closure = from->closure;
}

static int collect(const struct hearing *h, struct data_visemes *ret_heard, struct lip_error *err)
{
    struct data_visemes heard = {.rate_hz = h->curve.rate_hz};
    heard.n = h->curve.n < h->shares.n ? h->curve.n : h->shares.n;
    heard.samples = base_alloc_array(heard.n + 1, sizeof *heard.samples);
    if (!heard.samples)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < heard.n; i++) {
        pose(h, &h->curve.samples[i], &heard.samples[i]);
        memcpy(heard.samples[i].share, h->shares.of[i], sizeof heard.samples[i].share);
    }
    *ret_heard = heard;
    return LIP_OK;
}

static int hear(struct hearing *h, struct data_visemes *ret_heard, struct lip_error *err)
{
    struct motion_style style; /* of people's average */
    struct progress progress;
    struct media_audio_info info;
    motion_style_init(&style);
    progress_init(&progress, h->job);
    progress_stage(&progress, LIP_STAGE_LISTEN);
    int r = open_models(h, err);
    if (!r)
        r = media_audio_measure(h->job->voice, &info, err);
    if (!r && info.duration_us > (int64_t)LENGTH_MAX_S * 1000000)
        r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "the voice is longer than three hours");
    struct listen_params params = {.voice = h->job->voice, .max_us = -1, .style = &style,
                                   .person = &h->person, .temperature = h->job->temperature,
                                   .visemes = h->visemes, .shares = &h->shares};
    if (!r)
        r = listen_curve(h->engine, &params, &progress, &h->curve, err);
    if (!r)
        r = collect(h, ret_heard, err);
    if (!r)
        ret_heard->length_s = (double)info.duration_us * 1e-6;
    progress_end(&progress);
    return r;
}

int lip_visemes_hear(lip_engine *engine, const struct lip_job *job, lip_visemes **ret_visemes,
                     struct lip_error *err)
{
    if (!engine || !job || !job->voice || !ret_visemes)
        return base_error_arg(err, WHERE, "no engine, no voice, or no place for what is heard");
    if (!(job->temperature >= 0 && job->temperature <= 1))
        return base_error_arg(err, WHERE, "the temperature is a number from 0 to 1");
    struct hearing *h = base_alloc_zero(sizeof *h);
    lip_visemes *v = base_alloc_zero(sizeof *v);
    int r = h && v ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r) {
        h->engine = engine;
        h->job = job;
        r = hear(h, &v->heard, err);
    }
    if (!r && !(v->sound = base_strdup(job->voice)))
        r = base_error_nomem(err, WHERE);
    if (h) {
        motion_model_close(&h->visemes);
        motion_model_close(&h->live);
        data_curve_done(&h->curve);
        base_free(h->shares.of);
    }
    base_free(h);
    if (r)
        lip_visemes_close(&v);
    else
        *ret_visemes = v;
    return r;
}

void lip_visemes_close(lip_visemes **visemes)
{
    if (!visemes || !*visemes)
        return;
    base_free((*visemes)->heard.samples);
    base_free((*visemes)->sound);
    base_free(*visemes);
    *visemes = NULL;
}

/* Giving -------------------------------------------------------------------------------------- */

double lip_visemes_length_s(const lip_visemes *visemes)
{
    return visemes ? visemes->heard.length_s : 0;
}

int lip_visemes_at(const lip_visemes *visemes, double t_s, struct lip_viseme_frame *ret_frame)
{
    struct data_viseme_sample sample;
    if (!visemes || !ret_frame || t_s - t_s != 0)
        return LIP_ERR_ARG;
    viseme_at(&visemes->heard, t_s, &sample);
    viseme_oculus(&visemes->heard, t_s, ret_frame->oculus);
    viseme_arkit(&visemes->heard, t_s, ret_frame->arkit);
    ret_frame->opening = sample.open;
    ret_frame->speech = sample.speech;
    ret_frame->closure = sample.closure;
    return LIP_OK;
}

/* The file's bytes; `out` is the caller's to end, also on failure. */
static int make(const lip_visemes *visemes, int format, double rate_hz, const char *sound,
                struct base_buffer *out, struct lip_error *err)
{
    base_buffer_init(out, FILE_BYTES_MAX);
    if (!visemes || format < 0 || format >= VISEME_FORMATS)
        return base_error_arg(err, WHERE, "nothing that was heard, or no such form");
    if (rate_hz != 0 && !(rate_hz >= VISEME_RATE_MIN_HZ && rate_hz <= VISEME_RATE_MAX_HZ))
        return base_error_arg(err, WHERE, "the frames a second are a number from 1 to 1000");
    int r = viseme_write(&visemes->heard, (enum viseme_format)format, rate_hz,
                         sound ? sound : visemes->sound, out);
    if (r == LIP_ERR_LIMIT)
        return base_error_set(err, r, WHERE, "the voice has too many frames for one file: fewer "
                              "frames a second, or shorter parts");
    return r ? base_error_nomem(err, WHERE) : LIP_OK;
}

int lip_visemes_write(const lip_visemes *visemes, int format, double rate_hz, const char *sound,
                      const char *path, int overwrite, struct lip_error *err)
{
    struct base_buffer bytes;
    if (!path || !*path)
        return base_error_arg(err, WHERE, "no name for the file");
    if (!overwrite && base_fs_exists(path))
        return base_error_set(err, LIP_ERR_EXISTS, WHERE, "'%s' exists", path);
    int r = make(visemes, format, rate_hz, sound, &bytes, err);
    if (!r)
        r = base_fs_write(path, bytes.data, bytes.size, err);
    base_buffer_done(&bytes);
    return r;
}

int lip_visemes_put(const lip_visemes *visemes, int format, double rate_hz, const char *sound,
                    int (*put)(void *user, const void *bytes, size_t n), void *user,
                    struct lip_error *err)
{
    struct base_buffer bytes;
    if (!put)
        return base_error_arg(err, WHERE, "nobody to give the file to");
    int r = make(visemes, format, rate_hz, sound, &bytes, err);
    if (!r && put(user, bytes.data, bytes.size))
        r = base_error_set(err, LIP_ERR_IO, WHERE, "the file could not be given out");
    base_buffer_done(&bytes);
    return r;
}
