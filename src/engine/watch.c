/* SPDX-License-Identifier: MIT */
#include "engine/watch.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "base/thread.h"

#define WHERE "engine/watch"
#define CHECKPOINT_FRAMES 250
#define STATE_BLOB "analyzer"
#define QUEUE_FRAMES 4

/* A thread that decodes ahead. */
struct ahead {
    struct media_source *source;
    struct base_queue *queue;
    struct base_thread *thread;
    struct lip_error error; /* read after the queue has closed */
    int status;
};

static void decode_ahead(void *arg)
{
    struct ahead *a = arg;
    for (;;) {
        struct data_frame *f = NULL;
        a->status = media_source_read(a->source, &f, &a->error);
        if (a->status || !f)
            break;
        if (!base_queue_push(a->queue, f)) {
            data_frame_unref(&f);
            break;
        }
    }
    base_queue_close(a->queue);
}

static int ahead_start(struct ahead *a, struct media_source *source, struct lip_error *err)
{
    *a = (struct ahead){.source = source};
    int r = base_queue_create(QUEUE_FRAMES, &a->queue);
    if (!r)
        r = base_thread_start(decode_ahead, a, &a->thread);
    return r ? base_error_nomem(err, WHERE) : LIP_OK;
}

static void ahead_stop(struct ahead *a)
{
    if (!a->queue)
        return;
    base_queue_close(a->queue);
    void *item = NULL;
    while (base_queue_pop(a->queue, &item)) {
        struct data_frame *f = item;
        data_frame_unref(&f);
    }
    base_thread_join(&a->thread);
    base_queue_destroy(&a->queue);
}

struct watch {
    lip_engine *engine;
    const struct watch_params *params;
    struct progress *progress;
    struct media_source *source;
    struct face_analyzer *analyzer;
    struct data_score *score;
    struct data_face_obs *faces;
    int64_t next; /* frame to be analyzed next */
};

static int checkpoint(struct watch *w, struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, FACE_STATE_BYTES_MAX);
    face_analyzer_state_write(w->analyzer, &b);
    int r = b.status ? base_error_nomem(err, WHERE)
                     : data_score_put_blob(w->score, STATE_BLOB, b.data, b.size, err);
    base_buffer_done(&b);
    return r ? r : data_score_flush(w->score, err);
}

/* Brings the analyzer to where an earlier run saved its state. */
static int restore(struct watch *w, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error quiet = {0};
    int r = data_score_get_blob(w->score, STATE_BLOB, &bytes, &n, &quiet);
    if (!r)
        r = data_score_cut_after_blob(w->score, STATE_BLOB, err);
    if (!r)
        r = face_analyzer_state_read(w->analyzer, bytes, n, err);
    base_free(bytes);
    w->next = data_score_n_frames(w->score);
    if (!r && face_analyzer_next_frame(w->analyzer) != w->next)
        r = base_error_set(err, LIP_ERR_SCORE, WHERE, "the score's checkpoint is damaged");
    return r;
}

static int look_at(struct watch *w, const struct data_frame *frame, struct lip_error *err)
{
    size_t n = 0;
    bool shot_start = false;
    int r = face_analyzer_push(w->analyzer, frame, w->faces, &n, &shot_start, err);
    if (r)
        return r;
    const struct data_faceprint *faceprints;
    size_t n_faceprints = face_analyzer_faceprints(w->analyzer, &faceprints);
    for (size_t i = 0; i < n_faceprints && !r; i++)
        r = data_score_add_faceprint(w->score, &faceprints[i], err);
    for (size_t i = 0; i < n; i++)
        if (render_cover_look(w->engine->mesh, data_score_film(w->score), frame,
                              (const float(*)[3])w->faces[i].points, &w->faces[i].look))
            return base_error_nomem(err, WHERE);
    struct data_score_frame head = {.pts = frame->pts, .duration = frame->duration,
                                    .keyframe = frame->keyframe, .shot_start = shot_start};
    if (!r)
        r = data_score_add_frame(w->score, &head, w->faces, n, err);
    if (!r && ++w->next % CHECKPOINT_FRAMES == 0)
        r = checkpoint(w, err);
    return r;
}

static bool is_enough(const struct watch *w)
{
    int64_t n = data_score_n_frames(w->score);
    if (w->params->enough_us < 0 || n < 1)
        return false;
    const struct data_film *film = data_score_film(w->score);
    int64_t ticks = data_score_frame(w->score, n - 1)->pts - data_score_frame(w->score, 0)->pts;
    double seconds = (double)ticks * (double)film->time_base.num / (double)film->time_base.den;
    return seconds * 1e6 > (double)w->params->enough_us;
}

static void tell(struct watch *w)
{
    const struct data_film *film = data_score_film(w->score);
    double rate = film->frame_rate.num > 0
                      ? (double)film->frame_rate.num / (double)film->frame_rate.den : 25;
    double total = film->n_frames_guess > 0 ? (double)film->n_frames_guess : 0;
    double enough = (double)w->params->enough_us * 1e-6 * rate;
    if (w->params->enough_us >= 0 && (total < 1 || enough < total))
        total = enough;
    progress_tell(w->progress, total > 0 ? (double)w->next / total * 0.99 : 0,
                  (double)w->next / rate, w->next);
}

static int look_at_all(struct watch *w, struct lip_error *err)
{
    struct ahead ahead;
    int r = ahead_start(&ahead, w->source, err);
    void *item = NULL;
    while (!r && !is_enough(w) && base_queue_pop(ahead.queue, &item)) {
        struct data_frame *f = item;
        if (f->index >= w->next)
            r = look_at(w, f, err);
        data_frame_unref(&f);
        if (!r)
            r = progress_check(w->progress, err);
        tell(w);
    }
    ahead_stop(&ahead);
    if (!r && ahead.status && !is_enough(w))
        r = base_error_set(err, ahead.status, ahead.error.where, "%s", ahead.error.text);
    if (!r && !data_score_n_frames(w->score))
        r = base_error_set(err, LIP_ERR_NO_VIDEO, WHERE, "'%s' has no picture that can be decoded",
                           w->params->film);
    return r;
}

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

static int start_analyzer(struct watch *w, struct lip_error *err)
{
    struct face_analyzer_params params;
    face_analyzer_params_default(&params);
    params.n_crops = w->params->n_crops;
    w->faces = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *w->faces);
    if (!w->faces)
        return base_error_nomem(err, WHERE);
    int r = face_analyzer_create(w->engine->faces, data_score_film(w->score), &params, &w->analyzer,
                                 err);
    if (r || !data_score_n_frames(w->score))
        return r;
    if (!restore(w, err))
        return LIP_OK;
    base_error_clear(err); /* no checkpoint in it, or a damaged one: look at it all again */
    data_score_close(&w->score);
    face_analyzer_destroy(&w->analyzer);
    w->next = 0;
    r = data_score_create(w->params->score_path, media_source_film(w->source), &w->score, err);
    return r ? r : face_analyzer_create(w->engine->faces, data_score_film(w->score), &params,
                                        &w->analyzer, err);
}

int watch_film(lip_engine *engine, const struct watch_params *params, struct progress *progress,
               struct data_score **ret_score, struct lip_error *err)
{
    struct watch w = {.engine = engine, .params = params, .progress = progress};
    struct media_source_params source = {.n_threads = params->n_threads, .log = &engine->log};
    int r = media_source_open(params->film, &source, &w.source, err);
    if (!r)
        r = open_score(&w, err);
    if (!r && !data_score_finished(w.score)) {
        r = start_analyzer(&w, err);
        if (!r)
            r = look_at_all(&w, err);
        if (!r)
            r = finish(&w, err);
    }
    progress_tell(progress, 1, 0, w.next);
    face_analyzer_destroy(&w.analyzer);
    base_free(w.faces);
    media_source_close(&w.source);
    if (r)
        data_score_close(&w.score);
    else
        *ret_score = w.score;
    return r;
}
