/* SPDX-License-Identifier: MIT */
#include "engine/watch.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "engine/looker.h"

#define WHERE "engine/watch"
#define JOINED_BLOB "joined" /* how far the score goes: the next span, the next track */
#define JOINED_BYTES 16
#define LOOKERS_MAX 16
#define FRAMES_HELD 24 /* by a looker: its decoder's and those that wait */
#define HELD_BYTES_MAX ((int64_t)512 << 20)
#define LEAD_FRAMES 9     /* the last ones of a lead say who goes on as whom */
#define SAME_FACE 0.25f   /* overlap of the boxes of one face in one frame, seen by two analyzers */
#define TRACKS_PER_SPAN 1024
#define NEWS_WAITING 64

/* A span's number of a track, and the score's. */
struct alias {
    int32_t own, track;
};

struct watch {
    lip_engine *engine;
    const struct watch_params *params;
    struct progress *progress;
    struct media_source *source;
    struct span_grid grid;
    struct span_claims claims;
    struct looker *lookers;
    int n_lookers;
    struct data_score *score;
    struct data_face_obs *faces, *others;
    struct alias *aliases;
    size_t n_aliases;
    int64_t next_span;
    int32_t next_track;
    bool whole; /* nothing is to be added to the score */
    atomic_bool stop;
    atomic_llong n_frames; /* looked at */
};

/* Joining ------------------------------------------------------------------------------------ */

static struct alias *alias_of(struct watch *w, int32_t own)
{
    for (size_t i = 0; i < w->n_aliases; i++)
        if (w->aliases[i].own == own)
            return &w->aliases[i];
    return NULL;
}

static int add_alias(struct watch *w, int32_t own, int32_t track, struct lip_error *err)
{
    if (w->n_aliases == TRACKS_PER_SPAN)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "the film shows too many faces");
    w->aliases[w->n_aliases++] = (struct alias){own, track};
    return LIP_OK;
}

static struct data_box box_of(const struct data_face_obs *o)
{
    return face_points_box((const float(*)[3])o->points);
}

/* A face of the lead is the face that the score shows in the same place of the same frame. */
static int meet(struct watch *w, size_t n_own, size_t n_others, struct lip_error *err)
{
    int r = LIP_OK;
    for (size_t i = 0; i < n_own && !r; i++) {
        struct data_box own = box_of(&w->faces[i]);
        float most = SAME_FACE;
        int32_t track = -1;
        for (size_t k = 0; k < n_others; k++) {
            struct data_box other = box_of(&w->others[k]);
            float overlap = face_box_overlap(&own, &other);
            bool taken = false;
            for (size_t a = 0; a < w->n_aliases; a++)
                taken |= w->aliases[a].track == w->others[k].track;
            if (!taken && overlap > most) {
                most = overlap;
                track = w->others[k].track;
            }
        }
        if (track >= 0 && !alias_of(w, w->faces[i].track))
            r = add_alias(w, w->faces[i].track, track, err);
    }
    return r;
}

/* The score must end with the frames of the lead. LIP_ERR_SCORE: it does not. */
static int meet_lead(struct watch *w, const struct span *span, struct lip_error *err)
{
    int64_t n = data_score_n_frames(w->score), shift = n - span->n_lead;
    int64_t lead = span_lead(&w->grid, span->number);
    bool fits = shift >= 0 && (shift == 0 || span->number == 0 ||
                               span_time(&w->grid, data_score_frame(w->score, shift - 1)->pts) <
                                   lead);
    for (int64_t i = 0; i < span->n_lead && fits; i++)
        fits = data_score_frame(span->score, i)->pts ==
               data_score_frame(w->score, shift + i)->pts;
    w->n_aliases = 0;
    if (!fits)
        return base_error_set(err, LIP_ERR_SCORE, WHERE, "a span does not follow");
    int r = LIP_OK;
    for (int64_t i = span->n_lead - 1; i >= 0 && i >= span->n_lead - LEAD_FRAMES && !r; i--) {
        size_t n_own = 0, n_others = 0;
        r = data_score_read_faces(span->score, i, w->faces, &n_own, err);
        if (!r)
            r = data_score_read_faces(w->score, shift + i, w->others, &n_others, err);
        if (!r)
            r = meet(w, n_own, n_others, err);
    }
    return r;
}

static bool is_enough(const struct watch *w)
{
    int64_t n = data_score_n_frames(w->score);
    return w->params->enough_us >= 0 && n > 0 &&
           span_time(&w->grid, data_score_frame(w->score, n - 1)->pts) > w->params->enough_us;
}

static int add_frames(struct watch *w, const struct span *span, struct lip_error *err)
{
    int r = LIP_OK;
    for (int64_t i = span->n_lead; i < data_score_n_frames(span->score) && !is_enough(w); i++) {
        size_t n = 0;
        r = data_score_read_faces(span->score, i, w->faces, &n, err);
        for (size_t k = 0; k < n && !r; k++) {
            if (!alias_of(w, w->faces[k].track))
                r = add_alias(w, w->faces[k].track, w->next_track++, err);
            if (!r)
                w->faces[k].track = alias_of(w, w->faces[k].track)->track;
        }
        if (!r)
            r = data_score_add_frame(w->score, data_score_frame(span->score, i), w->faces, n, err);
        if (r)
            return r;
    }
    return LIP_OK;
}

static int add_faceprints(struct watch *w, const struct span *span, int64_t shift,
                          struct lip_error *err)
{
    int r = LIP_OK;
    for (size_t i = 0; i < data_score_n_faceprints(span->score) && !r; i++) {
        struct data_faceprint p;
        r = data_score_read_faceprint(span->score, i, &p, err);
        const struct alias *alias = r ? NULL : alias_of(w, p.track);
        if (!alias || p.frame + shift >= data_score_n_frames(w->score))
            continue;
        p.frame += shift;
        p.track = alias->track;
        r = data_score_add_faceprint(w->score, &p, err);
    }
    return r;
}

static int keep_joined(struct watch *w, struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, JOINED_BYTES);
    base_buffer_put_u64(&b, (uint64_t)w->next_span);
    base_buffer_put_u64(&b, (uint64_t)w->next_track);
    int r = b.status ? base_error_nomem(err, WHERE)
                     : data_score_put_blob(w->score, JOINED_BLOB, b.data, b.size, err);
    base_buffer_done(&b);
    return r ? r : data_score_flush(w->score, err);
}

static int join_span(struct watch *w, struct lip_error *err)
{
    struct span span;
    int r = span_open(&w->grid, w->next_span, &span, err);
    if (r)
        return r;
    int64_t shift = data_score_n_frames(w->score) - span.n_lead;
    r = meet_lead(w, &span, err);
    if (!r)
        r = add_frames(w, &span, err);
    if (!r)
        r = add_faceprints(w, &span, shift, err);
    w->whole = span.is_last || is_enough(w);
    span_close(&span);
    if (r)
        return r;
    span_remove(&w->grid, w->next_span++);
    return keep_joined(w, err);
}

/* All that is there and comes next. */
static int join_spans(struct watch *w, struct lip_error *err)
{
    int r = LIP_OK;
    while (!r && !w->whole && span_exists(&w->grid, w->next_span))
        r = join_span(w, err);
    return r;
}

/* Looking ------------------------------------------------------------------------------------ */

static int n_threads(const struct watch *w)
{
    return w->params->n_threads > 0 ? w->params->n_threads : base_cpu_count();
}

/* As many as there are threads, spans and memory for; one where the file cannot be sought. */
static int count_lookers(const struct watch *w, int64_t n_spans)
{
    const struct data_film *f = w->grid.film;
    int64_t frame_bytes = (int64_t)f->width_px * f->height_px * (f->depth_bits > 8 ? 4 : 2);
    int64_t n = n_threads(w), fit = HELD_BYTES_MAX / (frame_bytes * FRAMES_HELD + 1);
    n = n < n_spans ? n : n_spans;
    n = n < fit ? n : fit;
    n = n < LOOKERS_MAX ? n : LOOKERS_MAX;
    return w->grid.streamed || n < 1 ? 1 : (int)n;
}

static void tell(struct watch *w)
{
    const struct data_film *film = w->grid.film;
    double rate = film->frame_rate.num > 0
                      ? (double)film->frame_rate.num / (double)film->frame_rate.den : 25;
    double total = film->n_frames_guess > 0 ? (double)film->n_frames_guess : 0;
    double enough = (double)w->params->enough_us * 1e-6 * rate;
    double done = (double)atomic_load(&w->n_frames);
    if (w->params->enough_us >= 0 && (total < 1 || enough < total))
        total = enough;
    if (w->params->n_shares)
        total /= w->params->n_shares;
    progress_tell(w->progress, total > 0 ? done / total * 0.99 : 0, done / rate, (int64_t)done);
}

/* Until all have ended. */
static int follow_lookers(struct watch *w, struct base_queue *news, struct lip_error *err)
{
    int r = LIP_OK;
    void *item = NULL;
    for (int n = w->n_lookers; n > 0 && base_queue_pop(news, &item);) {
        struct looker *looker = item;
        if (atomic_exchange(&looker->ended, false))
            n--;
        if (!r && w->score)
            r = join_spans(w, err);
        if (!r)
            r = progress_check(w->progress, err);
        if (r || w->whole)
            atomic_store(&w->stop, true);
        tell(w);
    }
    return r;
}

static int run_lookers(struct watch *w, struct lip_error *err)
{
    struct base_queue *news = NULL;
    int wanted = count_lookers(w, w->claims.n);
    struct looker_params params = {
        .engine = w->engine, .film = w->params->film, .grid = &w->grid, .claims = &w->claims,
        .enough_us = w->params->enough_us, .n_threads = (n_threads(w) + wanted - 1) / wanted,
        .stop = &w->stop, .n_frames = &w->n_frames};
    atomic_store(&w->stop, false);
    int r = base_queue_create(NEWS_WAITING, &news);
    w->lookers = base_alloc_array((size_t)wanted, sizeof *w->lookers);
    params.news = news;
    if (!w->lookers)
        r = LIP_ERR_NOMEM;
    for (w->n_lookers = 0; !r && w->n_lookers < wanted; w->n_lookers++)
        if (looker_start(&params, &w->lookers[w->n_lookers])) {
            r = LIP_ERR_NOMEM;
            break;
        }
    if (r) {
        base_error_nomem(err, WHERE);
        atomic_store(&w->stop, true);
    }
    int followed = news ? follow_lookers(w, news, err) : LIP_OK;
    r = r ? r : followed;
    for (int i = 0; i < w->n_lookers; i++) {
        struct looker *looker = &w->lookers[i];
        looker_join(looker);
        if (!r && looker->status)
            r = base_error_set(err, looker->status, looker->error.where, "%s",
                               looker->error.text);
    }
    base_queue_destroy(&news);
    base_free(w->lookers);
    w->lookers = NULL;
    return r;
}

/* Of those that nobody needs, and that came too late; or only this run's own. */
static void remove_spans(const struct watch *w, bool own)
{
    for (int64_t i = 0; i < w->claims.n; i++)
        if (!own || span_claims_made(&w->claims, i))
            span_remove(&w->grid, i);
}

/* Once; then, where spans do not fit together because the film cannot be sought, the rest of it
 * from its beginning on. */
static int look_at_all(struct watch *w, struct lip_error *err)
{
    int64_t n = span_count_guess(&w->grid);
    int r = LIP_OK;
    if (w->params->enough_us >= 0 && n > span_at(&w->grid, w->params->enough_us))
        n = span_at(&w->grid, w->params->enough_us) + 1;
    for (int pass = 0; pass < 2 && !w->whole; pass++) {
        span_claims_done(&w->claims);
        if (span_claims_init(&w->claims, n > w->next_span ? n : w->next_span + 1))
            return base_error_nomem(err, WHERE);
        span_claims_take(&w->claims, 0, w->next_span);
        r = run_lookers(w, err);
        if (!r && !w->whole)
            r = join_spans(w, err);
        if (r != LIP_ERR_SCORE || w->grid.streamed)
            break;
        base_error_clear(err);
        remove_spans(w, false);
        w->grid.streamed = true;
    }
    if (!r)
        remove_spans(w, false);
    else if (!w->params->resume)
        remove_spans(w, true);
    if (!r && !data_score_n_frames(w->score))
        r = base_error_set(err, LIP_ERR_NO_VIDEO, WHERE, "'%s' has no picture that can be decoded",
                           w->params->film);
    return r;
}

/* The score ------------------------------------------------------------------------------------ */

/* For face_tracks_collect: the observations, read back from the score. */
struct replay {
    struct data_score *score;
    int64_t next;
    struct lip_error *err;
};

static int replay_next(void *user, struct data_face_obs *ret_faces, size_t *ret_n,
                       bool *ret_shot_start)
{
    struct replay *p = user;
    const struct data_score_frame *head = data_score_frame(p->score, p->next);
    if (!head)
        return 0;
    int r = data_score_read_faces(p->score, p->next++, ret_faces, ret_n, p->err);
    *ret_shot_start = head->shot_start;
    return r ? r : 1;
}

static int finish(struct watch *w, struct lip_error *err)
{
    struct replay replay = {.score = w->score, .err = err};
    struct data_track *tracks = NULL;
    struct data_shot *shots = NULL;
    size_t n_tracks = 0, n_shots = 0;
    int r = face_tracks_collect(&replay, replay_next, &tracks, &n_tracks, &shots, &n_shots, err);
    if (!r)
        r = data_score_finish(w->score, tracks, n_tracks, shots, n_shots, err);
    base_free(tracks);
    base_free(shots);
    return r;
}

/* Opens what lies at score_path, or starts a new score. */
static int open_score(struct watch *w, struct lip_error *err)
{
    const struct data_film *film = media_source_film(w->source);
    const char *path = w->params->score_path;
    if (!base_fs_exists(path))
        return data_score_create(path, film, &w->score, err);
    struct lip_error why = {0};
    int r = data_score_open(path, true, &w->score, &why);
    if (!r && data_score_film(w->score)->identity != film->identity) {
        data_score_close(&w->score);
        return base_error_set(err, LIP_ERR_SCORE, WHERE, "the score '%s' belongs to another film",
                              path);
    }
    if (!r && (data_score_finished(w->score) || w->params->resume))
        return LIP_OK;
    data_score_close(&w->score);
    if (r && r != LIP_ERR_SCORE)
        return base_error_set(err, r, why.where, "%s", why.text);
    if (r && !w->params->resume)
        return base_error_set(err, r, WHERE, "'%s' exists and is not a usable score: %s", path,
                              why.text);
    return data_score_create(path, film, &w->score, err);
}

/* Where an earlier run stopped; false: it did not get that far. */
static bool restore(struct watch *w)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct base_reader r;
    if (data_score_get_blob(w->score, JOINED_BLOB, &bytes, &n, NULL))
        return false;
    base_reader_init(&r, bytes, n);
    uint64_t span = base_reader_u64(&r), track = base_reader_u64(&r);
    base_free(bytes);
    if (r.failed || span > DATA_SCORE_FRAMES_MAX || track > INT32_MAX ||
        data_score_cut_after_blob(w->score, JOINED_BLOB, NULL))
        return false;
    w->next_span = (int64_t)span;
    w->next_track = (int32_t)track;
    atomic_store(&w->n_frames, data_score_n_frames(w->score));
    return true;
}

static int start(struct watch *w, struct lip_error *err)
{
    if (!data_score_n_frames(w->score) || restore(w))
        return LIP_OK;
    data_score_close(&w->score); /* nothing whole is in it: all of it again */
    return data_score_create(w->params->score_path, w->grid.film, &w->score, err);
}

static int watch_open(struct watch *w, struct lip_error *err)
{
    struct media_source_params source = {.n_threads = 1, .log = &w->engine->log};
    int r = media_source_open(w->params->film, &source, &w->source, err);
    if (r)
        return r;
    w->grid = (struct span_grid){.film = media_source_film(w->source),
                                 .score_path = w->params->score_path,
                                 .span_us = w->params->span_us ? w->params->span_us : SPAN_US,
                                 .models_hash = w->engine->models_hash,
                                 .n_crops = w->params->n_crops};
    w->faces = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *w->faces);
    w->others = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *w->others);
    w->aliases = base_alloc_array(TRACKS_PER_SPAN, sizeof *w->aliases);
    return w->faces && w->others && w->aliases ? LIP_OK : base_error_nomem(err, WHERE);
}

static void watch_done(struct watch *w)
{
    progress_tell(w->progress, 1, 0, (int64_t)atomic_load(&w->n_frames));
    span_claims_done(&w->claims);
    media_source_close(&w->source);
    base_free(w->faces);
    base_free(w->others);
    base_free(w->aliases);
}

int watch_film(lip_engine *engine, const struct watch_params *params, struct progress *progress,
               struct data_score **ret_score, struct lip_error *err)
{
    struct watch w = {.engine = engine, .params = params, .progress = progress};
    int r = watch_open(&w, err);
    if (!r)
        r = open_score(&w, err);
    if (!r && !data_score_finished(w.score)) {
        r = start(&w, err);
        if (!r)
            r = look_at_all(&w, err);
        if (!r)
            r = finish(&w, err);
    }
    watch_done(&w);
    if (r)
        data_score_close(&w.score);
    else
        *ret_score = w.score;
    return r;
}

int watch_share(lip_engine *engine, const struct watch_params *params, struct progress *progress,
                struct lip_error *err)
{
    struct watch w = {.engine = engine, .params = params, .progress = progress};
    int r = watch_open(&w, err);
    int64_t n = r ? 1 : span_count_guess(&w.grid);
    if (!r && span_claims_init(&w.claims, n))
        r = base_error_nomem(err, WHERE);
    if (!r) {
        int64_t from = n * (params->share - 1) / params->n_shares;
        int64_t to = n * params->share / params->n_shares;
        span_claims_take(&w.claims, 0, from);
        span_claims_take(&w.claims, to, n);
        if (to < n)
            atomic_store(&w.claims.end, to);
        r = run_lookers(&w, err);
    }
    watch_done(&w);
    return r;
}
