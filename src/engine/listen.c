/* SPDX-License-Identifier: MIT */
#include "engine/listen.h"

#include "base/alloc.h"
#include "speech/speech.h"

#define WHERE "engine/listen"
#define BLOCK 4096 /* samples */
#define ROWS 64

/* What happens to each block of rows. */
typedef int (*rows_fn)(void *user, const struct data_sound_row *rows, size_t n,
                       struct lip_error *err);

static int drain(struct speech_stream *stream, rows_fn fn, void *user, struct lip_error *err)
{
    struct data_sound_row rows[ROWS];
    size_t n = 0;
    int r = LIP_OK;
    while (!r && speech_stream_pull(stream, &rows[n])) {
        if (++n < ROWS)
            continue;
        r = fn(user, rows, n, err);
        n = 0;
    }
    return r || !n ? r : fn(user, rows, n, err);
}

/* The rows of a sound file, at most max_samples of it. */
static int each_row(lip_engine *engine, const char *path, int64_t max_samples,
                    struct progress *progress, rows_fn fn, void *user, struct lip_error *err)
{
    struct media_audio *audio = NULL;
    struct speech_stream *stream = NULL;
    float *block = base_alloc_array(BLOCK, sizeof *block);
    int r = block ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r)
        r = media_audio_open(path, DATA_SOUND_RATE_HZ, &audio, err);
    if (!r)
        r = speech_stream_create(engine->runtime, engine->models_dir, &stream, err);
    for (int64_t left = max_samples; !r && left > 0;) {
        size_t got = 0, want = left < BLOCK ? (size_t)left : BLOCK;
        r = media_audio_read(audio, block, want, &got, err);
        if (r || !got)
            break;
        left -= (int64_t)got;
        r = speech_stream_push(stream, block, got, err);
        if (!r)
            r = drain(stream, fn, user, err);
        if (!r)
            r = progress_check(progress, err);
    }
    if (!r)
        r = speech_stream_flush(stream, err);
    if (!r)
        r = drain(stream, fn, user, err);
    speech_stream_destroy(&stream);
    media_audio_close(&audio);
    base_free(block);
    return r;
}

static int count_rows(void *user, const struct data_sound_row *rows, size_t n,
                      struct lip_error *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        speech_stats_add(user, &rows[i]);
    return LIP_OK;
}

/* Second pass over the same sound: rows made comparable, then handed on. */
struct standardised {
    const struct speech_stats *stats;
    rows_fn fn;
    void *user;
};

static int standardise(void *user, const struct data_sound_row *rows, size_t n,
                       struct lip_error *err)
{
    const struct standardised *s = user;
    struct data_sound_row out[ROWS];
    for (size_t i = 0; i < n; i++) {
        out[i] = rows[i];
        speech_stats_apply(s->stats, &out[i]);
    }
    return s->fn(s->user, out, n, err);
}

static int each_standard_row(lip_engine *engine, const char *path, int64_t max_us,
                             struct progress *progress, rows_fn fn, void *user,
                             struct lip_error *err)
{
    struct speech_stats *stats = base_alloc(sizeof *stats);
    if (!stats)
        return base_error_nomem(err, WHERE);
    speech_stats_init(stats);
    int64_t max_samples = max_us < 0 ? INT64_MAX
                                     : max_us * DATA_SOUND_RATE_HZ / 1000000 + DATA_SOUND_WINDOW;
    int r = each_row(engine, path, max_samples, progress, count_rows, stats, err);
    speech_stats_finish(stats);
    struct standardised next = {stats, fn, user};
    if (!r)
        r = each_row(engine, path, max_samples, progress, standardise, &next, err);
    base_free(stats);
    return r;
}

static int fit_rows(void *user, const struct data_sound_row *rows, size_t n, struct lip_error *err)
{
    return motion_fit_push(user, rows, n, err);
}

int listen_fit(lip_engine *engine, const char *film, const struct data_person *person,
               const struct motion_observed *observed, size_t n, struct progress *progress,
               struct motion_style *ret_style, struct lip_error *err)
{
    struct motion_fit *fit = NULL;
    int r = motion_fit_create(engine->motion, person, observed, n, &fit, err);
    if (r)
        return r;
    if (film && n) {
        int64_t max_us = (int64_t)((observed[n - 1].t_s + 1) * 1e6);
        struct lip_error why = {0};
        r = each_standard_row(engine, film, max_us, progress, fit_rows, fit, &why);
        if (r == LIP_ERR_CANCELLED || r == LIP_ERR_NOMEM)
            base_error_set(err, r, why.where, "%s", why.text);
        else if (r) { /* a damaged sound track is no reason not to dub the film */
            base_log_print(&engine->log, BASE_LOG_WARN, "the film's own sound is not used: %s",
                           why.text);
            r = LIP_OK;
        }
    }
    struct motion_style style;
    int finished = motion_fit_finish(&fit, &style, err);
    if (!finished && r)
        motion_style_done(&style);
    if (!r && !finished)
        *ret_style = style;
    return r ? r : finished;
}

struct curve_rows {
    struct motion_stream *stream;
    struct data_curve *curve;
};

static int take_samples(struct curve_rows *c, struct lip_error *err)
{
    struct data_curve_sample sample;
    int r = LIP_OK;
    while (!r && motion_stream_pull(c->stream, &sample))
        if ((r = data_curve_push(c->curve, &sample)))
            r = base_error_set(err, r, WHERE, "the voice is too long");
    return r;
}

static int curve_rows(void *user, const struct data_sound_row *rows, size_t n,
                      struct lip_error *err)
{
    struct curve_rows *c = user;
    int r = motion_stream_push(c->stream, rows, n, err);
    return r ? r : take_samples(c, err);
}

int listen_curve(lip_engine *engine, const struct listen_params *params, struct progress *progress,
                 struct data_curve *ret_curve, struct lip_error *err)
{
    struct data_curve curve;
    data_curve_init(&curve, MOTION_RATE_HZ);
    struct curve_rows c = {.curve = &curve};
    int r = motion_stream_create(engine->motion, params->style, params->person, &c.stream, err);
    if (!r)
        motion_stream_express(c.stream, params->temperature);
    if (!r)
        r = each_standard_row(engine, params->voice, params->max_us, progress, curve_rows, &c, err);
    if (!r)
        r = motion_stream_flush(c.stream, err);
    if (!r)
        r = take_samples(&c, err);
    motion_stream_destroy(&c.stream);
    if (r)
        data_curve_done(&curve);
    else
        *ret_curve = curve;
    return r;
}
