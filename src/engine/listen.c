/* SPDX-License-Identifier: MIT */
#include "engine/listen.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
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
        r = speech_stream_create(engine->runtime, engine->models_dir, true, &stream, err);
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

/* Rows on the disk, 395 MB an hour, so that the nets hear a sound only once. Without a place for
 * them the sound is heard again. */
struct spool {
    struct base_file *file; /* NULL: there is no place */
    struct spool_block {
        float heads[ROWS][DATA_SOUND_BANDS + 2];
        float embeds[ROWS / 2][DATA_SOUND_EMBED]; /* of two rows each */
    } block;
    int64_t n;
};

static void spool_flush(struct spool *s)
{
    if (s->file && base_file_append(s->file, &s->block, sizeof s->block, NULL))
        base_file_close(&s->file);
}

static void spool_put(struct spool *s, const struct data_sound_row *row)
{
    size_t at = (size_t)(s->n++ % ROWS);
    memcpy(s->block.heads[at], row->mel, sizeof row->mel);
    s->block.heads[at][DATA_SOUND_BANDS] = row->energy_log;
    s->block.heads[at][DATA_SOUND_BANDS + 1] = row->voice;
    memcpy(s->block.embeds[at / 2], row->embed, sizeof row->embed);
    if (at + 1 == ROWS)
        spool_flush(s);
}

static void spool_get(const struct spool *s, size_t at, struct data_sound_row *ret_row)
{
    memcpy(ret_row->mel, s->block.heads[at], sizeof ret_row->mel);
    ret_row->energy_log = s->block.heads[at][DATA_SOUND_BANDS];
    ret_row->voice = s->block.heads[at][DATA_SOUND_BANDS + 1];
    memcpy(ret_row->embed, s->block.embeds[at / 2], sizeof ret_row->embed);
}

/* All rows again. */
static int spool_each(struct spool *s, struct progress *progress, rows_fn fn, void *user,
                      struct lip_error *err)
{
    struct data_sound_row rows[ROWS];
    int r = LIP_OK;
    for (int64_t at = 0; at < s->n && !r; at += ROWS) {
        size_t n_rows = s->n - at < ROWS ? (size_t)(s->n - at) : ROWS;
        r = base_file_read_at(s->file, (uint64_t)(at / ROWS) * sizeof s->block, &s->block,
                              sizeof s->block, err);
        for (size_t i = 0; i < n_rows && !r; i++)
            spool_get(s, i, &rows[i]);
        if (!r)
            r = fn(user, rows, n_rows, err);
        if (!r)
            r = progress_check(progress, err);
    }
    return r;
}

/* First pass over a sound. */
struct census {
    struct speech_stats stats;
    struct spool spool;
};

static int count_rows(void *user, const struct data_sound_row *rows, size_t n,
                      struct lip_error *err)
{
    struct census *c = user;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        speech_stats_add(&c->stats, &rows[i]);
        spool_put(&c->spool, &rows[i]);
    }
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
    struct census *c = base_alloc_zero(sizeof *c);
    if (!c)
        return base_error_nomem(err, WHERE);
    speech_stats_init(&c->stats);
    base_file_open_temporary(&c->spool.file, NULL);
    int64_t max_samples = max_us < 0 ? INT64_MAX
                                     : max_us * DATA_SOUND_RATE_HZ / 1000000 + DATA_SOUND_WINDOW;
    int r = each_row(engine, path, max_samples, progress, count_rows, c, err);
    if (c->spool.n % ROWS)
        spool_flush(&c->spool);
    speech_stats_finish(&c->stats);
    struct standardised next = {&c->stats, fn, user};
    if (!r)
        r = c->spool.file ? spool_each(&c->spool, progress, standardise, &next, err)
                          : each_row(engine, path, max_samples, progress, standardise, &next, err);
    base_file_close(&c->spool.file);
    base_free(c);
    return r;
}

/* Several films are fitted as one long one: each begins at a whole second, at least one second
 * after the end of the one before it, and what is missing until then is heard as silence. */
struct fit_clock {
    struct motion_fit *fit;
    int64_t n_rows; /* pushed so far */
};

static int fit_rows(void *user, const struct data_sound_row *rows, size_t n, struct lip_error *err)
{
    struct fit_clock *clock = user;
    clock->n_rows += (int64_t)n;
    return motion_fit_push(clock->fit, rows, n, err);
}

static int fit_silence(struct fit_clock *clock, int64_t until_row, struct lip_error *err)
{
    static const struct data_sound_row silence;
    int r = LIP_OK;
    while (!r && clock->n_rows < until_row)
        r = fit_rows(clock, &silence, 1, err);
    return r;
}

static int64_t seconds_of(const struct listen_film *film)
{
    return film->n_observed ? (int64_t)ceil(film->observed[film->n_observed - 1].t_s) + 3 : 0;
}

/* What was seen in all films, on one clock. Base memory. */
static struct motion_observed *joined(const struct listen_film *films, size_t n_films,
                                      size_t *ret_n)
{
    size_t n = 0, at = 0;
    int64_t start_s = 0;
    for (size_t i = 0; i < n_films; i++)
        n += films[i].n_observed;
    struct motion_observed *all = base_alloc_array(n + 1, sizeof *all);
    for (size_t i = 0; i < n_films && all; start_s += seconds_of(&films[i++]))
        for (size_t k = 0; k < films[i].n_observed; k++) {
            all[at] = films[i].observed[k];
            all[at++].t_s += (double)start_s - 1e-3 * films[i].lag_ms;
        }
    *ret_n = n;
    return all;
}

static int hear_film(lip_engine *engine, const struct listen_film *film, struct fit_clock *clock,
                     struct progress *progress, struct lip_error *err)
{
    if (!film->sound || !film->n_observed)
        return LIP_OK;
    int64_t max_us = (int64_t)((film->observed[film->n_observed - 1].t_s + 1) * 1e6);
    struct lip_error why = {0};
    int r = each_standard_row(engine, film->sound, max_us, progress, fit_rows, clock, &why);
    if (r == LIP_ERR_CANCELLED || r == LIP_ERR_NOMEM)
        return base_error_set(err, r, why.where, "%s", why.text);
    if (r) /* a damaged sound track is no reason not to dub the film */
        base_log_print(&engine->log, BASE_LOG_WARN, "the film's own sound is not used: %s",
                       why.text);
    return LIP_OK;
}

int listen_fit(lip_engine *engine, const struct data_person *person,
               const struct listen_film *films, size_t n_films, struct progress *progress,
               struct motion_style *ret_style, struct lip_error *err)
{
    struct fit_clock clock = {0};
    size_t n = 0;
    struct motion_observed *observed = joined(films, n_films, &n);
    if (!observed)
        return base_error_nomem(err, WHERE);
    int r = motion_fit_create(engine->motion, person, observed, n, &clock.fit, err);
    if (r) {
        base_free(observed);
        return r;
    }
    int64_t end_s = 0;
    for (size_t i = 0; i < n_films && !r; i++) {
        r = hear_film(engine, &films[i], &clock, progress, err);
        end_s += seconds_of(&films[i]);
        if (!r && i + 1 < n_films)
            r = fit_silence(&clock, end_s * (DATA_SOUND_RATE_HZ / DATA_SOUND_HOP), err);
    }
    struct motion_style style;
    int finished = motion_fit_finish(&clock.fit, &style, err);
    base_free(observed);
    if (!finished && r)
        motion_style_done(&style);
    if (!r && !finished)
        *ret_style = style;
    return r ? r : finished;
}

struct curve_rows {
    struct motion_stream *stream;
    struct data_curve *curve;
    struct motion_visemes *visemes; /* NULL: nobody asks for them */
    struct listen_shares *shares;
};

static int take_shares(struct curve_rows *c, struct lip_error *err)
{
    struct listen_shares *to = c->shares;
    float shares[DATA_VISEMES];
    while (motion_visemes_pull(c->visemes, shares)) {
        int r = base_grow(&to->of, &to->cap, to->n + 1, DATA_CURVE_SAMPLES_MAX, sizeof *to->of);
        if (r)
            return base_error_set(err, r, WHERE, "the voice is too long");
        memcpy(to->of[to->n++], shares, sizeof shares);
    }
    return LIP_OK;
}

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
    if (!r)
        r = take_samples(c, err);
    for (size_t i = 0; !r && c->visemes && i < n; i++) {
        r = motion_visemes_push(c->visemes, &rows[i], err);
        if (!r)
            r = take_shares(c, err);
    }
    return r;
}

static int flush_rows(struct curve_rows *c, struct lip_error *err)
{
    int r = motion_stream_flush(c->stream, err);
    if (!r)
        r = take_samples(c, err);
    if (!r && c->visemes)
        r = motion_visemes_flush(c->visemes, err);
    return r || !c->visemes ? r : take_shares(c, err);
}

int listen_curve(lip_engine *engine, const struct listen_params *params, struct progress *progress,
                 struct data_curve *ret_curve, struct lip_error *err)
{
    struct data_curve curve;
    data_curve_init(&curve, MOTION_RATE_HZ);
    struct curve_rows c = {.curve = &curve, .shares = params->shares};
    int r = motion_stream_create(engine->motion, params->style, params->person, &c.stream, err);
    if (!r && params->visemes)
        r = motion_visemes_create(params->visemes, &c.visemes, err);
    if (!r)
        motion_stream_express(c.stream, params->temperature);
    if (!r)
        r = each_standard_row(engine, params->voice, params->max_us, progress, curve_rows, &c, err);
    if (!r)
        r = flush_rows(&c, err);
    motion_visemes_destroy(&c.visemes);
    motion_stream_destroy(&c.stream);
    if (r)
        data_curve_done(&curve);
    else
        *ret_curve = curve;
    return r;
}
