/* SPDX-License-Identifier: MIT */
#include "engine/turns.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "engine/learn.h"
#include "engine/listen.h"

#define WHERE "engine/turns"
#define BLOB "turns" /* of the score */
#define BLOB_MAX ((size_t)64 << 20)
#define RECIPE 1 /* another number: what an older program found is found again */

struct gather {
    struct data_score *score;
    const struct speaker_face *faces;
    size_t n_faces;
    struct data_person *heads;   /* one a face */
    bool known[SPEAKER_TURNS_FACES_MAX];
    float (*seen[SPEAKER_TURNS_FACES_MAX])[SPEAKER_MEASURES];
    float *t_s;
    uint8_t *shot_start;
    struct data_face_obs *obs;
    struct data_face_geom *geom;
};

static void gather_done(struct gather *g)
{
    for (size_t f = 0; f < SPEAKER_TURNS_FACES_MAX; f++)
        base_free(g->seen[f]);
    base_free(g->heads);
    base_free(g->t_s);
    base_free(g->shot_start);
    base_free(g->obs);
    base_free(g->geom);
}

static int gather_init(struct gather *g, struct lip_error *err)
{
    size_t n = (size_t)data_score_n_frames(g->score);
    g->heads = base_alloc_array(g->n_faces + 1, sizeof *g->heads);
    g->t_s = base_alloc_array(n + 1, sizeof *g->t_s);
    g->shot_start = base_alloc_array(n + 1, 1);
    g->obs = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *g->obs);
    g->geom = base_alloc(sizeof *g->geom);
    bool ok = g->heads && g->t_s && g->shot_start && g->obs && g->geom;
    for (size_t f = 0; f < g->n_faces && ok; f++) {
        g->seen[f] = base_alloc_array(n + 1, sizeof *g->seen[f]);
        ok = g->seen[f] != NULL;
        for (size_t i = 0; i < n && ok; i++)
            for (int k = 0; k < SPEAKER_MEASURES; k++)
                g->seen[f][i][k] = NAN;
        if (ok)
            g->known[f] = cast_head(g->score, &g->faces[f], &g->heads[f]);
    }
    return ok ? LIP_OK : base_error_nomem(err, WHERE);
}

/* Track -> index of its face, or -1: tracks have small numbers. */
static int face_of(const struct gather *g, int32_t track)
{
    for (size_t f = 0; f < g->n_faces; f++) {
        size_t lo = 0, hi = g->faces[f].n_tracks;
        while (lo < hi) {
            size_t middle = (lo + hi) / 2;
            if (g->faces[f].track_ids[middle] < track)
                lo = middle + 1;
            else
                hi = middle;
        }
        if (lo < g->faces[f].n_tracks && g->faces[f].track_ids[lo] == track)
            return (int)f;
    }
    return -1;
}

/* The mouths of all faces, in one walk through the score. */
static int gather_all(struct gather *g, const struct data_basis *basis,
                      const struct progress *progress, struct lip_error *err)
{
    int64_t n = data_score_n_frames(g->score);
    const struct data_rational tb = data_score_film(g->score)->time_base;
    int r = LIP_OK;
    for (int64_t i = 0; i < n && !r; i++) {
        const struct data_score_frame *head = data_score_frame(g->score, i);
        int64_t ticks = head->pts - data_score_frame(g->score, 0)->pts;
        size_t n_obs = 0;
        g->t_s[i] = (float)((double)ticks * (double)tb.num / (double)tb.den);
        g->shot_start[i] = head->shot_start;
        r = data_score_read_faces(g->score, i, g->obs, &n_obs, err);
        for (size_t k = 0; k < n_obs && !r; k++) {
            int f = face_of(g, g->obs[k].track);
            if (f < 0 || !g->known[f])
                continue;
            face_geom_from_obs(&g->heads[f], &g->obs[k], g->geom);
            if (!g->geom->valid)
                continue;
            float *mouth = g->seen[f][i];
            data_basis_project(basis, (const float(*)[3])g->heads[f].rest,
                               (const float(*)[3])g->geom->canon, mouth);
            mouth[SPEAKER_OPENING] = g->geom->opening;
            mouth[SPEAKER_WIDTH] = g->geom->width;
        }
        if (!r)
            r = progress_check(progress, err);
    }
    return r;
}

/* What a mouth that follows the film's own sound would do. Empty without a sound that can be
 * heard. */
static int hear(lip_engine *engine, const char *film, struct data_score *score,
                const struct data_person *head, struct progress *progress,
                struct data_curve *ret_curve, struct lip_error *err)
{
    struct motion_style style;
    struct lip_error why = {0};
    motion_style_init(&style);
    data_curve_init(ret_curve, MOTION_RATE_HZ);
    if (!data_score_film(score)->has_audio)
        return LIP_OK;
    struct listen_params params = {.voice = film, .max_us = -1, .style = &style, .person = head,
                                   .temperature = .5};
    int r = listen_curve(engine, &params, progress, ret_curve, &why);
    if (r == LIP_ERR_CANCELLED || r == LIP_ERR_NOMEM)
        return base_error_set(err, r, why.where, "%s", why.text);
    if (r)
        base_log_print(&engine->log, BASE_LOG_WARN, "the film's own sound says nothing of who "
                       "speaks: %s", why.text);
    return LIP_OK;
}

/* The curve as what is compared. */
static int said_of(const lip_engine *engine, const struct data_person *head,
                   const struct data_curve *curve, float (*said)[SPEAKER_MEASURES], float *speech)
{
    const struct data_basis *basis = motion_model_basis(engine->motion);
    float(*points)[3] = base_alloc_array(DATA_FACE_POINTS, sizeof *points);
    if (!points)
        return LIP_ERR_NOMEM;
    for (size_t i = 0; i < curve->n; i++) {
        data_basis_shape(basis, (const float(*)[3])head->rest, curve->samples[i].coef, points);
        memcpy(said[i], curve->samples[i].coef, sizeof curve->samples[i].coef);
        said[i][SPEAKER_OPENING] = data_mouth_opening((const float(*)[3])points);
        said[i][SPEAKER_WIDTH] = data_mouth_width((const float(*)[3])points);
        speech[i] = curve->samples[i].speech;
    }
    base_free(points);
    return LIP_OK;
}

static int judge(lip_engine *engine, const struct gather *g, const struct data_curve *curve,
                 struct turns_of_film *turns, struct lip_error *err)
{
    float(*said)[SPEAKER_MEASURES] = base_alloc_array(curve->n + 1, sizeof *said);
    float *speech = base_alloc_array(curve->n + 1, sizeof *speech);
    int r = said && speech ? said_of(engine, &g->heads[0], curve, said, speech) : LIP_ERR_NOMEM;
    if (r)
        base_error_nomem(err, WHERE);
    struct speaker_scene scene = {
        .n_frames = turns->n, .t_s = g->t_s, .shot_start = g->shot_start, .n_faces = g->n_faces,
        .said = (const float(*)[SPEAKER_MEASURES])said, .speech = speech, .n_said = curve->n,
        .said_rate_hz = curve->rate_hz};
    for (size_t f = 0; f < g->n_faces; f++)
        scene.seen[f] = (const float(*)[SPEAKER_MEASURES])g->seen[f];
    if (!r)
        r = speaker_turns(&scene, turns->at, turns->voices, err);
    base_free(said);
    base_free(speech);
    return r;
}

/* By what they were found: nets, faces, and what the models of who speaks are called here. */
static uint64_t recipe_of(const lip_engine *engine, const struct speaker_face *faces, size_t n)
{
    uint64_t hash = base_hash(&engine->models_hash, sizeof engine->models_hash, RECIPE);
    for (size_t f = 0; f < n; f++)
        hash = base_hash(faces[f].track_ids, faces[f].n_tracks * sizeof *faces[f].track_ids, hash);
    return hash;
}

/* In the score, so that no share and no later job hears the film for it again. What cannot be kept
 * is found again. */
static void keep(const struct turns_of_film *turns, size_t n_faces, uint64_t recipe,
                 struct data_score *score)
{
    struct base_buffer b;
    base_buffer_init(&b, BLOB_MAX);
    base_buffer_put_u64(&b, recipe);
    base_buffer_put_u8(&b, turns->has_sound);
    if (!speaker_turns_write(turns->at, turns->n, turns->voices, n_faces, &b) &&
        !data_score_put_blob(score, BLOB, b.data, b.size, NULL))
        data_score_flush(score, NULL);
    base_buffer_done(&b);
}

static bool recall(struct turns_of_film *turns, size_t n_faces, uint64_t recipe,
                   struct data_score *score)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct base_reader r;
    if (data_score_get_blob(score, BLOB, &bytes, &n, NULL))
        return false;
    base_reader_init(&r, bytes, n);
    bool same = base_reader_u64(&r) == recipe;
    turns->has_sound = base_reader_u8(&r);
    same = same && !r.failed && !speaker_turns_read(bytes + r.at, n - r.at, turns->n, n_faces,
                                                    turns->at, turns->voices);
    base_free(bytes);
    return same;
}

static int find(lip_engine *engine, const char *film, struct gather *g, struct progress *progress,
                struct turns_of_film *turns, struct lip_error *err)
{
    struct data_curve curve;
    data_curve_init(&curve, MOTION_RATE_HZ);
    int r = gather_init(g, err);
    if (!r)
        r = gather_all(g, motion_model_basis(engine->motion), progress, err);
    if (!r && g->n_faces)
        r = hear(engine, film, g->score, &g->heads[0], progress, &curve, err);
    if (!r)
        r = judge(engine, g, &curve, turns, err);
    turns->has_sound = curve.n > 0;
    data_curve_done(&curve);
    gather_done(g);
    return r;
}

int turns_find(lip_engine *engine, const char *film, struct data_score *score,
               const struct speaker_face *faces, size_t n_faces, struct progress *progress,
               struct turns_of_film *ret_turns, struct lip_error *err)
{
    struct turns_of_film turns = {.n = data_score_n_frames(score)};
    struct gather g = {.score = score, .faces = faces,
                       .n_faces = n_faces < SPEAKER_TURNS_FACES_MAX ? n_faces
                                                                    : SPEAKER_TURNS_FACES_MAX};
    uint64_t recipe = recipe_of(engine, faces, g.n_faces);
    turns.at = base_alloc_array((size_t)turns.n + 1, sizeof *turns.at);
    int r = turns.at ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r && !recall(&turns, g.n_faces, recipe, score)) {
        r = find(engine, film, &g, progress, &turns, err);
        /* A sound that could not be heard may be heard the next time. */
        if (!r && turns.has_sound == data_score_film(score)->has_audio)
            keep(&turns, g.n_faces, recipe, score);
    }
    if (r)
        turns_done(&turns);
    else
        *ret_turns = turns;
    return r;
}

void turns_done(struct turns_of_film *turns)
{
    base_free(turns->at);
    turns->at = NULL;
    turns->n = 0;
}
