/* SPDX-License-Identifier: MIT */
#include "engine/perform.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "blend/blend.h"
#include "engine/reader.h"
#include "engine/stretches.h"
#include "engine/tier.h"
#include "engine/walk.h"
#include "engine/wish.h"

#define WHERE "engine/perform"
#define CANVAS_BYTES_MAX (256e6)
#define CANVAS_BYTES_PER_IOD2 680 /* 80 bytes a pixel of a patch that is 2.9 IOD wide and high */

/* One output frame on its way. */
struct item {
    struct plan_frame at;
    size_t stretch;
    struct wish wish;
    struct render_choice choice;
    struct data_frame *frame; /* the film's, later perhaps an edited copy */
    struct data_frame *mask;  /* grey, white where samples were written; NULL when not asked for */
    bool edited, matching;
    bool copied;              /* the film's coded picture is taken: no frame, no mask */
    struct measure_frame measured;
    int status;
    struct lip_error error;
    bool done; /* guarded by stage.lock */
};

/* What the frames of an encoded part became; on the disk beside the part. */
struct part_stats {
    int64_t n; /* 0 for a copied part: nothing is drawn in it */
    uint8_t state[PERFORM_PART_FRAMES];
    uint16_t seen[PERFORM_PART_FRAMES];
    struct measure_sums sums;
};

struct stage {
    const struct perform_params *params;
    struct progress *progress;
    struct perform_stats *stats;
    struct part_stats part;        /* of the part that is being written */
    struct measure_run run;
    struct render_choice *choices; /* per output frame */
    int64_t n_frames;
    struct stretches stretches;
    bool *todo;                    /* which of them this run has to make */
    atomic_llong n_todo;           /* frames in them */
    struct media_copier *copier;   /* NULL: everything is encoded */
    struct media_level level;      /* how well the film is coded */
    bool told;                     /* what the encoder cannot keep is said once */
    struct wishes wishes;
    struct reader *reader;
    struct base_queue *order, *work; /* the same items: in output order, and for whoever is free */
    pthread_mutex_t lock;
    pthread_cond_t finished;
    atomic_bool stop;
};

static void item_free(struct item *item)
{
    if (!item)
        return;
    data_frame_unref(&item->frame);
    data_frame_unref(&item->mask);
    base_free(item);
}

static void item_finish(struct stage *s, struct item *item)
{
    pthread_mutex_lock(&s->lock);
    item->done = true;
    pthread_cond_broadcast(&s->finished);
    pthread_mutex_unlock(&s->lock);
}

static void item_wait(struct stage *s, struct item *item)
{
    pthread_mutex_lock(&s->lock);
    while (!item->done)
        pthread_cond_wait(&s->finished, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* Reading -------------------------------------------------------------------------------------- */

/* Whether a stretch is to be made by this run, asked when its turn comes: others may have put it
 * into the user's folder meanwhile. */
static bool is_todo(struct stage *s, size_t number)
{
    bool there = false;
    if (!s->todo[number] || !s->params->job->parts)
        return s->todo[number];
    if (!workdir_has(s->params->work, "part", (int64_t)number, ".nut", &there) && there) {
        s->todo[number] = false;
        atomic_fetch_sub(&s->n_todo, s->stretches.at[number].n);
    }
    return s->todo[number];
}

static int fetch(struct stage *s, const struct plan_frame *f, struct item *item)
{
    item->at = *f;
    item->choice = s->choices[f->index];
    int r = wishes_at(&s->wishes, f, &item->wish, &item->error);
    if (!r && !item->copied)
        r = reader_get(s->reader, f->source, &item->frame, &item->error);
    return r;
}

/* False: it is over. */
static bool read_frame(struct stage *s, const struct plan_frame *f, size_t number)
{
    struct item *item = base_alloc_zero(sizeof *item);
    if (!item)
        return false; /* the writer sees too few frames and says so */
    item->stretch = number;
    item->copied = s->stretches.at[number].n_units > 0;
    item->status = fetch(s, f, item);
    bool failed = item->status != LIP_OK, copied = item->copied;
    item->done = failed || copied;
    if (!base_queue_push(s->order, item)) {
        item_free(item);
        return false;
    }
    if (!failed && !copied && !base_queue_push(s->work, item)) {
        item_finish(s, item);
        return false;
    }
    return !failed;
}

/* The stretches from number `from` on, before number `to`. */
static bool read_stretches(struct stage *s, size_t from, size_t to)
{
    struct plan_frame f;
    size_t number = 0;
    bool todo = false;
    plan_rewind(s->params->plan);
    wishes_rewind(&s->wishes);
    while (plan_next(s->params->plan, &f) && !atomic_load(&s->stop)) {
        number += f.index == s->stretches.at[number].first + s->stretches.at[number].n;
        if (number >= to)
            break;
        if (f.index == s->stretches.at[number].first)
            todo = number >= from && is_todo(s, number);
        if (todo && !read_frame(s, &f, number))
            return false;
    }
    return !atomic_load(&s->stop);
}

/* A share is made from its end: whoever makes the whole comes towards it from the beginning. */
static void read_frames(void *arg)
{
    struct stage *s = arg;
    if (!s->params->job->n_shares)
        read_stretches(s, 0, s->stretches.n);
    for (size_t i = s->params->job->n_shares ? s->stretches.n : 0; i-- > 0;)
        if (s->todo[i] && !read_stretches(s, i, i + 1))
            break;
    base_queue_close(s->order);
    base_queue_close(s->work);
}

/* Drawing -------------------------------------------------------------------------------------- */

struct worker {
    struct stage *stage;
    struct base_thread *thread;
    struct render_canvas *render;
    struct blend_canvas *blend;
    struct data_patch patch;
    struct measure measure;
    uint8_t *touched;
    size_t cap_touched;
};

static int mask_of(const struct worker *w, struct item *item, bool drawn)
{
    const struct data_frame *f = item->frame;
    int r = data_frame_create(f->width_px, f->height_px, DATA_LAYOUT_GRAY, 8, 0, 0, false,
                              &item->mask);
    if (r || !drawn)
        return r;
    struct data_rect rect = w->patch.rect;
    for (int y = 0; y < rect.h; y++)
        for (int x = 0; x < rect.w; x++)
            if (w->touched[(size_t)y * (size_t)rect.w + (size_t)x])
                item->mask->plane[0].data[(rect.y + y) * item->mask->plane[0].stride_bytes +
                                          rect.x + x] = 255;
    return LIP_OK;
}

static int paint(struct worker *w, struct item *item, const struct measure_view *view)
{
    const struct cast *cast = &w->stage->params->roles->casts[item->wish.cast];
    render_canvas_set_cover(w->render, &item->wish.cover);
    int r = render_canvas_draw(w->render, &cast->bank, &cast->person, item->frame,
                               &item->wish.geom, (const float(*)[3])item->wish.shape,
                               &item->choice, &w->patch, &item->error);
    item->matching = r == 1;
    if (r)
        return r < 0 ? r : LIP_OK;
    size_t n = (size_t)w->patch.rect.w * (size_t)w->patch.rect.h;
    r = base_grow(&w->touched, &w->cap_touched, n, BASE_ALLOC_CEILING, 1);
    if (!r)
        r = data_frame_make_writable(&item->frame);
    if (!r)
        r = measure_patch(&w->measure, view, &w->patch);
    if (r)
        return base_error_nomem(&item->error, WHERE);
    memset(w->touched, 0, n);
    r = blend_canvas_apply(w->blend, &w->patch, item->frame, w->touched, &item->error);
    item->edited = !r && memchr(w->touched, 1, n);
    if (!r && measure_blended(&w->measure, view, &w->patch, &item->measured))
        r = base_error_nomem(&item->error, WHERE);
    return r;
}

static int draw(struct worker *w, struct item *item)
{
    const struct perform_params *p = w->stage->params;
    int cast = item->wish.cast < 0 ? 0 : item->wish.cast;
    struct measure_view view = {.engine = p->engine, .film = data_score_film(p->score),
                                .person = &p->roles->casts[cast].person, .wish = &item->wish,
                                .trace = &w->stage->stats->trace.frames[item->at.index],
                                .index = item->at.index};
    measure_film_frame(&view, item->frame, &item->measured);
    int r = item->wish.edit ? paint(w, item, &view) : LIP_OK;
    if (!r && item->wish.edit)
        r = measure_result_frame(&view, item->frame, &item->measured, &item->error);
    if (!r && p->job->mask && mask_of(w, item, item->edited))
        r = base_error_nomem(&item->error, WHERE);
    return r;
}

static void work(void *arg)
{
    struct worker *w = arg;
    struct stage *s = w->stage;
    void *next = NULL;
    while (base_queue_pop(s->work, &next)) {
        struct item *item = next;
        if (!atomic_load(&s->stop))
            item->status = draw(w, item);
        item_finish(s, item);
    }
}

static void worker_done(struct worker *w)
{
    base_thread_join(&w->thread);
    render_canvas_destroy(&w->render);
    blend_canvas_destroy(&w->blend);
    data_patch_done(&w->patch);
    measure_done(&w->measure);
    base_free(w->touched);
}

static int worker_start(struct worker *w, struct stage *s)
{
    w->stage = s;
    data_patch_init(&w->patch);
    int r = render_canvas_create(s->params->engine->mesh, data_score_film(s->params->score),
                                 &w->render);
    if (!r) {
        render_canvas_set_near(w->render, tier_of(s->params->job).n_near);
        r = blend_canvas_create(&w->blend);
    }
    return r ? r : base_thread_start(work, w, &w->thread);
}

/* Writing -------------------------------------------------------------------------------------- */

/* The open part of the picture, and of the mask when one is wanted. */
struct parts {
    struct media_part *picture, *mask;
    char *picture_path, *mask_path;
    size_t number; /* of the stretch */
};

static void count(struct stage *s, const struct item *item)
{
    struct part_stats *part = &s->part;
    if (item->copied || part->n == PERFORM_PART_FRAMES)
        return;
    int decline = item->wish.decline;
    part->state[part->n] = decline >= 0 ? (uint8_t)(PERFORM_DECLINED + decline)
                           : item->wish.cast < 0 ? PERFORM_OUTSIDE
                           : item->edited        ? PERFORM_EDITED
                                                 : PERFORM_MATCHING;
    part->seen[part->n++] = item->measured.seen;
    bool cut = s->stats->trace.frames[item->at.index].flags & TRACE_CUT;
    measure_run_add(&s->run, &item->measured, item->at.source, cut, &part->sums);
}

/* What a part's frames became joins the whole, in the order of the parts. */
static void add_part(struct stage *s, size_t number)
{
    int64_t first = s->stretches.at[number].first;
    for (int64_t i = 0; i < s->part.n && first + i < s->stats->n_frames; i++) {
        s->stats->state[first + i] = s->part.state[i];
        s->stats->seen[first + i] = s->part.seen[i];
    }
    measure_sums_add(&s->stats->sums, &s->part.sums);
}

/* How the picture is encoded. */
static struct media_encode_params encoding(const struct stage *s)
{
    const struct lip_job *job = s->params->job;
    return (struct media_encode_params){.codec = (enum media_codec)job->codec,
                                        .quality = job->quality, .output = job->output,
                                        .level = &s->level,
                                        .beside = s->copier};
}

static int open_picture(struct stage *s, struct parts *parts, struct item *item,
                        struct lip_error *err)
{
    const struct stretch *stretch = &s->stretches.at[parts->number];
    if (workdir_path(s->params->work, "open", (int64_t)parts->number, ".nut",
                     &parts->picture_path))
        return base_error_nomem(err, WHERE);
    if (stretch->n_units)
        return media_copier_write(s->copier, parts->picture_path, stretch->unit, stretch->n_units,
                                  stretch->shift, stretch->last_duration, err);
    struct media_encode_params encode = encoding(s);
    if (!s->told)
        encode.log = &s->params->engine->log;
    s->told = true;
    return media_part_open(parts->picture_path, data_score_film(s->params->score), item->frame,
                           &encode, &parts->picture, err);
}

static int open_mask(struct stage *s, struct parts *parts, struct item *item,
                     struct lip_error *err)
{
    /* Lossless for grey, and a fifth of the memory of FFV1. */
    struct media_encode_params encode = {.codec = MEDIA_CODEC_H264, .quality = 100,
                                         .output = s->params->job->mask};
    if (workdir_path(s->params->work, "openmask", (int64_t)parts->number, ".nut",
                     &parts->mask_path))
        return base_error_nomem(err, WHERE);
    return media_part_open(parts->mask_path, data_score_film(s->params->score), item->mask,
                           &encode, &parts->mask, err);
}

static void drop_parts(struct parts *parts)
{
    media_part_abort(&parts->picture);
    media_part_abort(&parts->mask);
    base_free(parts->picture_path);
    base_free(parts->mask_path);
    *parts = (struct parts){0};
}

static int move_into_place(const struct stage *s, const char *from, const char *name,
                           int64_t number, const char *ending, struct lip_error *err)
{
    char *path = NULL;
    if (workdir_path(s->params->work, name, number, ending, &path))
        return base_error_nomem(err, WHERE);
    int r = base_fs_rename(from, path, err);
    base_free(path);
    return r;
}

static int black_mask(const struct stage *s, struct item *item)
{
    const struct data_film *film = data_score_film(s->params->score);
    return data_frame_create(film->width_px, film->height_px, DATA_LAYOUT_GRAY, 8, 0, 0, false,
                             &item->mask);
}

/* The counts go to the disk before the part that makes them true gets its name. */
static int save_stats(const struct stage *s, size_t number, struct lip_error *err)
{
    char *path = NULL;
    if (workdir_path(s->params->work, "stats", (int64_t)number, "", &path))
        return base_error_nomem(err, WHERE);
    int r = base_fs_write(path, &s->part, sizeof s->part, err);
    base_free(path);
    return r;
}

static int load_stats(struct stage *s, size_t number, struct lip_error *err)
{
    char *path = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (workdir_path(s->params->work, "stats", (int64_t)number, "", &path))
        return base_error_nomem(err, WHERE);
    int r = base_fs_read(path, sizeof s->part, &bytes, &n, err);
    if (!r && n == sizeof s->part)
        memcpy(&s->part, bytes, n);
    if (!r && (n != sizeof s->part || s->part.n < 0 || s->part.n > PERFORM_PART_FRAMES))
        r = base_error_set(err, LIP_ERR_IO, WHERE, "the work folder of the earlier run is damaged");
    if (!r)
        add_part(s, number);
    base_free(bytes);
    base_free(path);
    return r;
}

static int finish_part(struct stage *s, struct parts *parts, struct lip_error *err)
{
    size_t number = parts->number;
    int r = parts->picture ? media_part_finish(&parts->picture, err) : LIP_OK;
    if (!r && parts->mask) {
        r = media_part_finish(&parts->mask, err);
        if (!r)
            r = move_into_place(s, parts->mask_path, "mask", (int64_t)number, ".nut", err);
    }
    if (!r)
        r = save_stats(s, number, err);
    if (!r)
        r = move_into_place(s, parts->picture_path, "part", (int64_t)number, ".nut", err);
    memset(&s->part, 0, sizeof s->part);
    memset(&s->run, 0, sizeof s->run);
    drop_parts(parts);
    return r;
}

static int write_item(struct stage *s, struct parts *parts, struct item *item,
                      struct lip_error *err)
{
    parts->number = item->stretch;
    int r = parts->picture_path ? LIP_OK : open_picture(s, parts, item, err);
    if (!r && parts->picture)
        r = media_part_write(parts->picture, item->frame, item->at.pts, item->at.duration, err);
    if (!r && item->copied && s->params->job->mask && black_mask(s, item))
        r = base_error_nomem(err, WHERE);
    if (!r && item->mask && !parts->mask)
        r = open_mask(s, parts, item, err);
    if (!r && item->mask)
        r = media_part_write(parts->mask, item->mask, item->at.pts, item->at.duration, err);
    if (r)
        return r;
    count(s, item);
    const struct stretch *stretch = &s->stretches.at[parts->number];
    if (item->at.index + 1 == stretch->first + stretch->n)
        r = finish_part(s, parts, err);
    return r;
}

static int write_frames(struct stage *s, struct lip_error *err)
{
    struct parts parts = {0};
    int r = LIP_OK;
    int64_t n = 0;
    double frame_s = plan_seconds(s->params->plan, s->params->plan->total_ticks) /
                     (double)s->n_frames;
    void *next = NULL;
    while (!r && base_queue_pop(s->order, &next)) {
        struct item *item = next;
        item_wait(s, item);
        r = item->status;
        if (r)
            base_error_set(err, r, item->error.where, "%s", item->error.text);
        else
            r = write_item(s, &parts, item, err);
        n++;
        progress_tell(s->progress, (double)n / (double)atomic_load(&s->n_todo), (double)n * frame_s,
                      n);
        item_free(item);
        if (!r)
            r = progress_check(s->progress, err);
    }
    drop_parts(&parts);
    if (!r && n < atomic_load(&s->n_todo))
        r = base_error_nomem(err, WHERE);
    s->stats->n_drawn = n;
    return r;
}

/* All together --------------------------------------------------------------------------------- */

static int run_threads(struct stage *s, int n_workers, struct lip_error *err)
{
    struct base_thread *reading = NULL;
    struct worker *workers = base_alloc_array((size_t)n_workers, sizeof *workers);
    int r = workers ? LIP_OK : LIP_ERR_NOMEM;
    if (!r)
        r = base_queue_create((size_t)n_workers + 1, &s->order);
    if (!r)
        r = base_queue_create((size_t)n_workers, &s->work);
    for (int i = 0; i < n_workers && !r; i++)
        r = worker_start(&workers[i], s);
    if (!r)
        r = base_thread_start(read_frames, s, &reading);
    if (r)
        base_error_nomem(err, WHERE);
    else
        r = write_frames(s, err);
    atomic_store(&s->stop, true);
    if (s->order)
        base_queue_close(s->order);
    if (s->work)
        base_queue_close(s->work);
    base_thread_join(&reading);
    for (int i = 0; workers && i < n_workers; i++)
        worker_done(&workers[i]);
    void *left = NULL;
    while (s->order && base_queue_pop(s->order, &left))
        item_free(left);
    base_queue_destroy(&s->order);
    base_queue_destroy(&s->work);
    base_free(workers);
    return r;
}

static bool is_kept(void *user, int64_t index)
{
    const struct stage *s = user;
    return walk_keeps(&s->choices[index]);
}

static bool is_cancelled(void *user)
{
    const struct stage *s = user;
    return progress_check(s->progress, NULL) != LIP_OK;
}

/* Nothing can be copied where nothing stays as it is. */
static bool anything_kept(const struct stage *s)
{
    for (int64_t i = 0; i < s->n_frames; i++)
        if (walk_keeps(&s->choices[i]))
            return true;
    return false;
}

static int open_copier(struct stage *s, struct lip_error *err)
{
    struct perform_stats *stats = s->stats;
    const struct perform_params *p = s->params;
    struct data_frame *like = NULL;
    char *why = stats->why_not_copied;
    snprintf(why, sizeof stats->why_not_copied, "the mouth moves in every frame");
    if (p->job->reencode)
        snprintf(why, sizeof stats->why_not_copied, "it was asked not to copy");
    if (p->job->reencode || !anything_kept(s))
        return LIP_OK;
    int r = reader_get(s->reader, 0, &like, err);
    struct media_encode_params encode = encoding(s);
    struct media_copier_params params = {.film = p->job->film, .like = like, .encode = &encode,
                                         .cancelled = is_cancelled, .user = s};
    if (!r)
        r = media_copier_open(&params, data_score_film(p->score), &s->copier, why,
                              sizeof stats->why_not_copied, err);
    data_frame_unref(&like);
    return r;
}

/* What is copied and what is encoded, and the log line about it. */
static int plan_stretches(struct stage *s, struct lip_error *err)
{
    struct perform_stats *stats = s->stats;
    int r = open_copier(s, err);
    size_t n = 0;
    const struct media_unit *units = s->copier ? media_copier_units(s->copier, &n) : NULL;
    if (!r)
        r = stretches_init(&s->stretches, s->params->plan, units, n, PERFORM_PART_FRAMES, is_kept,
                           s, err);
    if (r)
        return r;
    if (s->copier && !s->stretches.n_copied)
        snprintf(stats->why_not_copied, sizeof stats->why_not_copied,
                 "no whole group of pictures stays as it is");
    stats->n_copied = s->stretches.n_copied;
    const struct base_log *log = &s->params->engine->log;
    if (s->stretches.n_copied)
        base_log_print(log, BASE_LOG_INFO, "%lld of %lld frames are copied as they are coded",
                       (long long)s->stretches.n_copied, (long long)s->n_frames);
    else
        base_log_print(log, BASE_LOG_INFO, "no frame is copied as it is coded: %s",
                       stats->why_not_copied);
    if (!s->stretches.n_copied) /* then ids need not be out of the way */
        media_copier_close(&s->copier);
    return LIP_OK;
}

/* What is not there yet, of all stretches or of the job's share of them. */
static int find_todo(struct stage *s, struct lip_error *err)
{
    const struct lip_job *job = s->params->job;
    int64_t n_encoded = s->n_frames - s->stretches.n_copied, before = 0;
    s->todo = base_alloc_array(s->stretches.n + 1, sizeof *s->todo);
    if (!s->todo)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < s->stretches.n; i++) {
        const struct stretch *stretch = &s->stretches.at[i];
        int64_t share = before < n_encoded ? before * job->n_shares / n_encoded : 0;
        bool there = true;
        if ((!job->n_shares || share == job->share - 1) &&
            workdir_has(s->params->work, "part", (int64_t)i, ".nut", &there))
            return base_error_nomem(err, WHERE);
        s->todo[i] = !there;
        atomic_fetch_add(&s->n_todo, there ? 0 : stretch->n);
        before += stretch->n_units ? 0 : stretch->n;
    }
    return LIP_OK;
}

/* What all frames became: copied ones are what the trace makes of them. */
static int add_parts(struct stage *s, struct lip_error *err)
{
    int r = LIP_OK;
    for (int64_t i = 0; i < s->n_frames; i++) {
        int decline = s->stats->trace.frames[i].decline, cast = s->stats->trace.frames[i].cast;
        s->stats->state[i] = (uint8_t)(decline >= 0 ? PERFORM_DECLINED + decline
                                       : cast < 0   ? PERFORM_OUTSIDE
                                                    : PERFORM_MATCHING);
        s->stats->seen[i] = TRACE_NONE;
    }
    for (size_t i = 0; i < s->stretches.n && !r; i++)
        r = load_stats(s, i, err);
    s->params->work->n_parts = s->stretches.n;
    return r;
}

static int stats_init(struct perform_stats *stats, int64_t n, const struct roles *roles)
{
    stats->n_frames = n;
    stats->state = base_alloc_array((size_t)n, sizeof *stats->state);
    stats->seen = base_alloc_array((size_t)n, sizeof *stats->seen);
    int r = trace_init(&stats->trace, n, roles);
    return stats->state && stats->seen ? r : LIP_ERR_NOMEM;
}

void perform_stats_done(struct perform_stats *stats)
{
    base_free(stats->state);
    base_free(stats->seen);
    trace_done(&stats->trace);
    *stats = (struct perform_stats){0};
}

static int prepare(struct stage *s, struct lip_error *err)
{
    const struct perform_params *p = s->params;
    s->n_frames = plan_count(p->plan);
    s->choices = base_alloc_array((size_t)s->n_frames, sizeof *s->choices);
    if (!s->choices || stats_init(s->stats, s->n_frames, p->roles))
        return base_error_nomem(err, WHERE);
    int r = wishes_init(&s->wishes, p->roles, p->score, motion_model_basis(p->engine->motion),
                        p->plan, err);
    if (!r)
        r = walk_choose(p, &s->wishes, s->progress, s->choices, &s->stats->trace, err);
    struct media_source_params source = {.n_threads = p->job->n_threads, .log = &p->engine->log};
    if (!r)
        r = reader_create(p->job->film, p->score, &source, &s->reader, err);
    if (!r)
        r = media_level_read(p->job->film, &s->level, err);
    s->stats->notes = media_notes_read(p->job->film);
    if (!r)
        r = plan_stretches(s, err);
    return r ? r : find_todo(s, err);
}

/* As many as asked for, or as there are processors; fewer where the face is so large that the
 * canvases would take more than CANVAS_BYTES_MAX. */
static int count_workers(const struct perform_params *params)
{
    int n = params->job->n_threads > 0 ? params->job->n_threads : base_cpu_count();
    double iod_px = 0;
    for (size_t i = 0; i < params->roles->n_casts; i++) {
        const struct cast *cast = &params->roles->casts[i];
        if (cast->n_faces)
            iod_px = fmax(iod_px, (double)cast->faces[cast->chosen].mean_size_px / 1.6);
    }
    double fit = CANVAS_BYTES_MAX / (CANVAS_BYTES_PER_IOD2 * iod_px * iod_px + 1);
    return fit < 1 ? 1 : fit < n ? (int)fit : n;
}

int perform_film(const struct perform_params *params, struct progress *progress,
                 struct perform_stats *ret_stats, struct lip_error *err)
{
    struct perform_stats stats = {0};
    struct stage *s = base_alloc_zero(sizeof *s); /* large: textures */
    if (!s)
        return base_error_nomem(err, WHERE);
    s->params = params;
    s->progress = progress;
    s->stats = &stats;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->finished, NULL);
    int r = prepare(s, err);
    if (!r && atomic_load(&s->n_todo))
        r = run_threads(s, count_workers(params), err);
    if (!r && !params->job->n_shares)
        r = add_parts(s, err);
    reader_destroy(&s->reader);
    media_copier_close(&s->copier);
    stretches_done(&s->stretches);
    base_free(s->todo);
    wishes_done(&s->wishes);
    base_free(s->choices);
    pthread_cond_destroy(&s->finished);
    pthread_mutex_destroy(&s->lock);
    base_free(s);
    if (r)
        perform_stats_done(&stats);
    else
        *ret_stats = stats;
    return r;
}
