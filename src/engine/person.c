/* SPDX-License-Identifier: MIT
 *
 * Making person files, and looking into them. Every film is learnt as for a job; its mouths are
 * brought to the head of the first film and join what is known, which is thinned to the bounds: the
 * k-centre choice of a stream. The way of speaking is fitted over all films at the end. */
#define _GNU_SOURCE
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "engine/assign.h"
#include "engine/known.h"
#include "engine/listen.h"
#include "engine/picture.h"
#include "engine/tier.h"
#include "engine/watch.h"
#include "engine/workdir.h"

#define WHERE "engine/person"
#define MOUTHS_MAX 900
#define MOUTH_BYTES_MAX ((size_t)128 << 20)
#define LAG_TRUSTED 0.4f /* agreement from which a film's lag is taken out before the fit */

struct lesson {
    lip_engine *engine;
    const struct lip_job *job; /* the caller's */
    struct lip_job film_job;   /* of the film at hand */
    size_t n_films, at;
    struct workdir work;
    struct data_personfile *file;
    struct motion_style style;
    struct listen_film *heard;
};

static void tell(void *user, const struct lip_progress *progress)
{
    const struct lesson *l = user;
    struct lip_progress p = *progress;
    p.fraction = ((double)l->at + p.fraction) / (double)l->n_films;
    l->job->progress(l->job->progress_user, &p);
}

static int watch(struct lesson *l, struct progress *progress, struct data_score **ret_score,
                 struct lip_error *err)
{
    char *temporary = NULL;
    bool keeps = l->job->score && l->n_films == 1;
    if (!keeps && workdir_path(&l->work, "score", (int64_t)l->at, "", &temporary))
        return base_error_nomem(err, WHERE);
    struct watch_params params = {.film = l->film_job.film,
                                  .score_path = keeps ? l->job->score : temporary,
                                  .n_threads = l->job->n_threads,
                                  .n_crops = tier_of(l->job).n_crops,
                                  .enough_us = -1, .resume = l->job->resume};
    progress_stage(progress, LIP_STAGE_ANALYZE);
    int r = watch_film(l->engine, &params, progress, ret_score, err);
    base_free(temporary);
    return r;
}

/* The first film's head is the file's; another film's mouths are brought to it. */
static int bring(struct lesson *l, struct cast *cast, struct lip_error *err)
{
    if (l->at == 0) {
        l->file->person = cast->person;
        l->file->print = cast->print;
        return LIP_OK;
    }
    struct face_match *match = base_alloc(sizeof *match);
    if (!match)
        return base_error_nomem(err, WHERE);
    int r = known_check(l->file, cast, l->film_job.film, match, err);
    if (!r && !face_person_match(&cast->person, &l->file->person, match)) /* the other way round */
        r = base_error_set(err, LIP_ERR_PERSON, WHERE, "the head in '%s' cannot be compared",
                           l->film_job.film);
    if (r) {
        base_free(match);
        return r;
    }
    if (known_tint(&cast->bank, &l->file->bank))
        r = base_error_nomem(err, WHERE);
    else
        known_bring(&cast->bank, match);
    base_free(match);
    return r;
}

/* What is known of the face: a mean over the films, by how well each showed it. */
static void join_prints(struct data_personfile *file, const struct data_print *more)
{
    float sum = file->print.weight + more->weight;
    if (!(more->weight > 0))
        return;
    for (int k = 0; k < DATA_FACEPRINT_DIMS; k++)
        file->print.v[k] += more->weight / sum * (more->v[k] - file->print.v[k]);
    file->print.weight = fmaxf(file->print.weight, more->weight);
}

/* How often a person's mouth was seen how wide open: a mean over the films, by frames. */
static void join_ranges(struct data_person *person, const struct data_person *more)
{
    double n = (double)person->n_frames + (double)more->n_frames;
    float share = n > 0 ? (float)((double)more->n_frames / n) : 0;
    for (int i = 0; i < 5; i++) {
        person->opening_pct[i] += share * (more->opening_pct[i] - person->opening_pct[i]);
        person->width_pct[i] += share * (more->width_pct[i] - person->width_pct[i]);
    }
    person->n_frames += more->n_frames;
}

static int take_bank(struct lesson *l, struct cast *cast, struct lip_error *err)
{
    struct render_bank_params params = {MOUTHS_MAX, MOUTH_BYTES_MAX};
    struct render_bank_params both = {DATA_BANK_MAX - cast->bank.n, SIZE_MAX};
    int r = LIP_OK;
    if (l->file->bank.n > both.n_entries_max)
        r = render_bank_thin(&l->file->bank, &both, err);
    if (!r)
        r = render_bank_append(&l->file->bank, &cast->bank, err);
    return r ? r : render_bank_thin(&l->file->bank, &params, err);
}

static int take_sound(struct lesson *l, struct cast *cast, struct data_score *score,
                      struct progress *progress, struct lip_error *err)
{
    struct motion_observed *observed = NULL;
    struct listen_film *heard = &l->heard[l->at];
    int r = cast_observe(cast, l->engine, score, progress, &observed, &heard->n_observed, err);
    if (r)
        return r;
    heard->observed = observed;
    heard->sound = data_score_film(score)->has_audio ? l->film_job.film : NULL;
    if (cast->style.agreement >= LAG_TRUSTED)
        heard->lag_ms = cast->style.lag_ms;
    if (l->n_films == 1) { /* it is known already */
        l->style = cast->style;
        motion_style_init(&cast->style);
    }
    return LIP_OK;
}

static int note_film(struct lesson *l, const struct data_score *score, struct lip_error *err)
{
    struct data_personfile_film *film = &l->file->films[l->file->n_films++];
    int64_t n = data_score_n_frames(score);
    const struct data_rational tb = data_score_film(score)->time_base;
    int64_t ticks = data_score_frame(score, n - 1)->pts - data_score_frame(score, 0)->pts;
    film->seconds = (float)((double)ticks * (double)tb.num / (double)tb.den);
    film->identity = data_score_film(score)->identity;
    for (size_t i = 0; i + 1 < l->file->n_films; i++)
        if (l->file->films[i].identity == film->identity)
            return base_error_set(err, LIP_ERR_ARG, WHERE, "'%s' was given twice",
                                  l->film_job.film);
    return LIP_OK;
}

/* Where several are seen, this one is learnt from its own words. */
static int find_speech(struct lesson *l, struct cast *cast, struct data_score *score,
                       struct progress *progress, struct lip_error *err)
{
    struct turns_of_film turns = {.at = NULL};
    if (cast->n_faces < 2 || !data_score_film(score)->has_audio)
        return LIP_OK;
    int r = turns_find(l->engine, l->film_job.film, score, cast->faces, cast->n_faces, progress,
                       &turns, err);
    if (!r)
        r = assign_cast_speech(&turns, cast, err);
    turns_done(&turns);
    return r;
}

static int learn_film(struct lesson *l, struct lip_error *err)
{
    struct progress progress;
    struct data_score *score = NULL;
    struct cast *cast = base_alloc(sizeof *cast);
    if (!cast)
        return base_error_nomem(err, WHERE);
    cast_init(cast);
    progress_init(&progress, &l->film_job);
    int r = watch(l, &progress, &score, err);
    progress_stage(&progress, LIP_STAGE_LEARN);
    if (!r)
        r = note_film(l, score, err);
    if (!r)
        r = cast_choose(cast, score, &l->film_job, l->at ? l->file : NULL, err);
    if (!r && !cast->n_faces)
        r = base_error_set(err, LIP_ERR_NO_FACE, WHERE, "there is no face in '%s'",
                           l->film_job.film);
    if (!r)
        r = find_speech(l, cast, score, &progress, err);
    if (!r)
        r = cast_learn(cast, l->engine, score, &l->film_job, &progress, err);
    if (!r)
        r = take_sound(l, cast, score, &progress, err);
    if (!r)
        r = bring(l, cast, err);
    if (!r && l->at) {
        join_ranges(&l->file->person, &cast->person);
        join_prints(l->file, &cast->print);
    }
    if (!r)
        r = take_bank(l, cast, err);
    cast_done(cast);
    data_score_close(&score);
    base_free(cast);
    return r;
}

static int write_file(struct lesson *l, struct lip_error *err)
{
    struct base_buffer style, out;
    base_buffer_init(&style, (size_t)1 << 20);
    motion_style_write(&l->style, &style);
    int r = style.status ? base_error_nomem(err, WHERE) : LIP_OK;
    if (r) {
        base_buffer_done(&style);
        return r;
    }
    l->file->models_hash = l->engine->models_hash;
    l->file->style = style.data; /* borrowed for the writing */
    l->file->n_style = style.size;
    base_buffer_init(&out, DATA_PERSONFILE_BYTES_MAX);
    data_personfile_write(l->file, &out);
    r = out.status ? base_error_nomem(err, WHERE)
                   : base_fs_write(l->job->output, out.data, out.size, err);
    l->file->style = NULL;
    l->file->n_style = 0;
    base_buffer_done(&out);
    base_buffer_done(&style);
    return r;
}

/* What is in the file; `style` as read from it. */
static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void describe(const struct data_personfile *file, const struct motion_style *style,
                     struct lip_person *ret_person)
{
    struct lip_person p = {.hash = file->hash, .n_films = (int)file->n_films,
                           .n_mouths = (int)file->bank.n,
                           .opening_rest = (double)file->person.opening_rest,
                           .opening_max = (double)file->bank.opening_max,
                           .style_fitted = style->fitted, .agreement = (double)style->agreement};
    float sizes[DATA_BANK_MAX];
    for (size_t i = 0; i < file->n_films; i++)
        p.seconds += (double)file->films[i].seconds;
    for (size_t i = 0; i < file->bank.n; i++)
        sizes[i] = file->bank.entries[i].scale_px;
    qsort(sizes, file->bank.n, sizeof *sizes, compare_floats);
    p.size_px = file->bank.n ? (double)sizes[file->bank.n / 2] : 0;
    *ret_person = p;
}

static int check(const lip_engine *engine, const struct lip_job *job, const char *const *films,
                 size_t n_films, struct lip_error *err)
{
    if (!engine || !job || !job->output || !films || n_films < 1 ||
        n_films > LIP_PERSON_FILMS_MAX)
        return base_error_arg(err, WHERE, "a person is learnt from 1 to 256 films into an output");
    if (job->n_crops != 0 && job->n_crops != 1 && job->n_crops != 3)
        return base_error_arg(err, WHERE, "the landmark ensemble has 1 or 3 crops");
    if (job->tier > LIP_TIER_PRO)
        return base_error_arg(err, WHERE, "an enum is out of range");
    for (size_t i = 0; i < n_films; i++) {
        char real_a[PATH_MAX], real_b[PATH_MAX];
        if (!films[i])
            return base_error_arg(err, WHERE, "a film without a name");
        if (realpath(films[i], real_a) && realpath(job->output, real_b) &&
            !strcmp(real_a, real_b))
            return base_error_set(err, LIP_ERR_ARG, WHERE,
                                  "'%s' is an input and cannot be the output", job->output);
    }
    if (!job->overwrite && base_fs_exists(job->output))
        return base_error_set(err, LIP_ERR_EXISTS, WHERE,
                              "'%s' exists; allow overwriting or choose another name", job->output);
    return LIP_OK;
}

/* The films in their order: a resumed run must have the same. */
static int fingerprint(const struct lesson *l, const char *const *films, uint64_t *ret_hash,
                       struct lip_error *err)
{
    uint64_t hash = base_hash(LIP_VERSION, strlen(LIP_VERSION), l->engine->models_hash);
    for (size_t i = 0; i < l->n_films; i++) {
        uint64_t one = 0;
        int r = base_fs_exists(films[i]) ? base_fs_identity(films[i], &one, err) : LIP_OK;
        if (r)
            return r;
        hash = base_hash(&one, sizeof one, hash);
    }
    int settings[2] = {(int)l->job->tier, tier_of(l->job).n_crops};
    *ret_hash = base_hash(settings, sizeof settings, hash);
    return LIP_OK;
}

static int learn_all(struct lesson *l, const char *const *films, struct lip_error *err)
{
    struct progress progress;
    int r = LIP_OK;
    for (l->at = 0; l->at < l->n_films && !r; l->at++) {
        l->film_job = *l->job;
        l->film_job.film = films[l->at];
        l->film_job.score = l->film_job.voice = NULL;
        l->film_job.progress = l->job->progress ? tell : NULL;
        l->film_job.progress_user = l;
        if (l->at)
            l->film_job.face = LIP_FACE_LARGEST;
        r = learn_film(l, err);
    }
    progress_init(&progress, l->job);
    if (!r && l->n_films > 1) {
        motion_style_done(&l->style);
        r = listen_fit(l->engine, &l->file->person, l->heard, l->n_films, &progress, &l->style,
                       err);
    }
    return r;
}

static void lesson_done(struct lesson *l, bool keep_work)
{
    for (size_t i = 0; l->heard && i < l->n_films; i++)
        base_free((void *)l->heard[i].observed);
    base_free(l->heard);
    if (l->file)
        data_personfile_done(l->file);
    base_free(l->file);
    motion_style_done(&l->style);
    workdir_close(&l->work, keep_work);
}

int lip_person_learn(lip_engine *engine, const struct lip_job *job, const char *const *films,
                     size_t n_films, struct lip_person *ret_person, struct lip_error *err)
{
    int r = check(engine, job, films, n_films, err);
    if (r)
        return r;
    struct lesson l = {.engine = engine, .job = job, .n_films = n_films};
    uint64_t print = 0;
    motion_style_init(&l.style);
    l.file = base_alloc(sizeof *l.file);
    l.heard = base_alloc_array(n_films, sizeof *l.heard);
    if (l.file)
        data_personfile_init(l.file);
    r = l.file && l.heard ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r)
        r = fingerprint(&l, films, &print, err);
    if (!r)
        r = workdir_open(job->output, print, job->resume, &l.work, err);
    if (!r)
        r = learn_all(&l, films, err);
    if (!r)
        r = write_file(&l, err);
    if (!r && ret_person)
        describe(l.file, &l.style, ret_person);
    lesson_done(&l, r && job->resume);
    return r;
}

/* Looking into a file -------------------------------------------------------------------------- */

#define SHOW_COLUMNS 8
#define SHOW_MAX 48
#define CELL_W 150
#define CELL_H 110

/* A picture of the bank into a cell, as large as fits; each dot is the mean of what it covers. */
static void put_mouth(struct picture *p, const struct data_bank_entry *e, int to_x, int to_y)
{
    double zoom = fmin((double)CELL_W / e->width_px, (double)CELL_H / e->height_px);
    int w = (int)(zoom * e->width_px), h = (int)(zoom * e->height_px);
    int block = zoom < 1 ? (int)(1 / zoom) : 1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint64_t sum[3] = {0}, n = 0;
            int x0 = (int)(x / zoom), y0 = (int)(y / zoom);
            for (int j = y0; j < y0 + block && j < e->height_px; j++)
                for (int i = x0; i < x0 + block && i < e->width_px; i++, n++)
                    for (int k = 0; k < 3; k++)
                        sum[k] += e->rgb[3 * ((size_t)j * (size_t)e->width_px + (size_t)i) +
                                         (size_t)k];
            uint8_t *to = p->rgb + 3 * ((size_t)(to_y + y) * (size_t)p->width_px +
                                        (size_t)(to_x + x));
            for (int k = 0; k < 3; k++)
                to[k] = (uint8_t)(n ? sum[k] / n >> 8 : 0);
        }
}

static int by_opening(const void *a, const void *b)
{
    const struct data_bank_entry *x = *(const struct data_bank_entry *const *)a;
    const struct data_bank_entry *y = *(const struct data_bank_entry *const *)b;
    if (x->opening != y->opening)
        return x->opening < y->opening ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

static int show_mouths(const struct data_bank *bank, const char *path, struct lip_error *err)
{
    struct picture p = {0};
    const struct data_bank_entry *sorted[DATA_BANK_MAX];
    for (size_t i = 0; i < bank->n; i++)
        sorted[i] = &bank->entries[i];
    qsort(sorted, bank->n, sizeof *sorted, by_opening);
    size_t n = bank->n < SHOW_MAX ? bank->n : SHOW_MAX;
    int rows = n ? ((int)n + SHOW_COLUMNS - 1) / SHOW_COLUMNS : 1;
    int r = picture_init(&p, SHOW_COLUMNS * (CELL_W + 4) + 4, rows * (CELL_H + 4) + 4, 24);
    if (r)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n; i++)
        put_mouth(&p, sorted[n > 1 ? i * (bank->n - 1) / (n - 1) : 0],
                  4 + (int)(i % SHOW_COLUMNS) * (CELL_W + 4),
                  4 + (int)(i / SHOW_COLUMNS) * (CELL_H + 4));
    r = picture_write_png(&p, path, err);
    picture_done(&p);
    return r;
}

int lip_person_show(const char *person, const char *picture, struct lip_person *ret_person,
                    struct lip_error *err)
{
    if (!person || !ret_person)
        return base_error_arg(err, WHERE, "a person file and a place to say what is in it");
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct motion_style style;
    motion_style_init(&style);
    struct data_personfile *file = base_alloc(sizeof *file);
    if (!file)
        return base_error_nomem(err, WHERE);
    data_personfile_init(file);
    int r = base_fs_read(person, DATA_PERSONFILE_BYTES_MAX, &bytes, &n, err);
    if (!r)
        r = data_personfile_read(bytes, n, file, err);
    base_free(bytes);
    struct lip_error why = {0};
    if (!r && motion_style_read(file->style, file->n_style, &style, &why) &&
        why.code == LIP_ERR_NOMEM)
        r = base_error_nomem(err, WHERE);
    if (!r && picture)
        r = show_mouths(&file->bank, picture, err);
    if (!r)
        describe(file, &style, ret_person);
    motion_style_done(&style);
    data_personfile_done(file);
    base_free(file);
    return r;
}
