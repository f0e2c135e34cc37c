/* SPDX-License-Identifier: MIT */
#include "engine/learn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "base/thread.h"
#include "engine/listen.h"
#include "engine/reader.h"
#include "engine/tier.h"

#define WHERE "engine/learn"
#define PERSON_SAMPLE_MAX 1500
#define MOUTH_SEEN .1f /* share of the mouth that may be covered where it is learnt from */
#define HEADS_ONLY 10. /* farther than any two faceprints: who is known by those comes first */
#define BLOB_MAX ((size_t)256 << 20)

void cast_init(struct cast *cast)
{
    memset(cast, 0, sizeof *cast);
    data_bank_init(&cast->bank);
    motion_style_init(&cast->style);
}

void cast_done(struct cast *cast)
{
    geometry_done(&cast->geometry);
    cover_done(&cast->cover);
    data_bank_done(&cast->bank);
    motion_style_done(&cast->style);
    base_free(cast->speaks);
    cast->speaks = NULL;
}

static int64_t frame_at(const struct data_score *score, double t_s)
{
    const struct data_film *film = data_score_film(score);
    int64_t n = data_score_n_frames(score), i = 0;
    double ticks = t_s * (double)film->time_base.den / (double)film->time_base.num;
    int64_t start = data_score_frame(score, 0)->pts;
    while (i + 1 < n && (double)(data_score_frame(score, i + 1)->pts - start) <= ticks)
        i++;
    return i;
}

double cast_unlike(const struct data_personfile *file, const struct data_person *head,
                   const struct data_print *print)
{
    if (file->print.weight > 0 && print->weight > 0)
        return speaker_print_distance(file->print.v, print->v);
    struct face_match *match = base_alloc(sizeof *match);
    bool fits = match && face_person_match(&file->person, head, match);
    double unlike = fits ? HEADS_ONLY + (double)match->distance : HUGE_VAL;
    base_free(match);
    return unlike;
}

/* The number of the face that is most like the file's; 0 when none can be compared. */
static int most_alike(struct cast *cast, struct data_score *score,
                      const struct data_personfile *like)
{
    struct data_person *head = base_alloc(sizeof *head);
    struct data_print print;
    int number = 0;
    double least = HUGE_VAL;
    for (size_t i = 0; i < cast->n_faces && head; i++) {
        if (!cast_head(score, &cast->faces[i], head) ||
            cast_print(score, &cast->faces[i], &print, NULL))
            continue;
        double unlike = cast_unlike(like, head, &print);
        if (unlike < least) {
            number = cast->faces[i].number;
            least = unlike;
        }
    }
    base_free(head);
    return number;
}

int cast_choose(struct cast *cast, struct data_score *score, const struct lip_job *job,
                const struct data_personfile *like, struct lip_error *err)
{
    size_t n_at = 0;
    cast->occlusion = job->occlusion;
    int r = cast_list(score, cast->faces, &cast->n_faces, err);
    if (r)
        return r;
    if (!cast->n_faces && (job->face == LIP_FACE_LARGEST || job->face > LIP_FACE_POINT))
        return LIP_OK;
    struct speaker_choice choice = {.kind = job->face > LIP_FACE_POINT
                                            ? SPEAKER_LARGEST
                                            : (enum speaker_choice_kind)job->face,
                                    .number = job->face_number,
                                    .x = (float)job->face_x, .y = (float)job->face_y};
    if (like && job->face == LIP_FACE_LARGEST && cast->n_faces > 1 &&
        (choice.number = most_alike(cast, score, like)))
        choice.kind = SPEAKER_NUMBER;
    struct data_face_obs *at = NULL;
    if (job->face == LIP_FACE_POINT) {
        choice.frame = frame_at(score, job->face_t_s);
        at = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *at);
        r = at ? data_score_read_faces(score, choice.frame, at, &n_at, err)
               : base_error_nomem(err, WHERE);
    }
    if (!r)
        r = speaker_choose(cast->faces, cast->n_faces, &choice, at, n_at, &cast->chosen,
                           &cast->snap, err);
    base_free(at);
    if (!r)
        r = cast_print(score, &cast->faces[cast->chosen], &cast->print, err);
    return r ? r : geometry_init(&cast->geometry, score, &cast->faces[cast->chosen], err);
}

/* The person ----------------------------------------------------------------------------------- */

static int learn_person(struct cast *cast, struct data_score *score, struct lip_error *err)
{
    const struct speaker_face *face = &cast->faces[cast->chosen];
    int64_t step = face->n_obs / PERSON_SAMPLE_MAX + 1, seen = 0;
    size_t n = 0;
    struct data_face_obs *sample = base_alloc_array(PERSON_SAMPLE_MAX, sizeof *sample);
    struct render_cover cover;
    int r = sample ? LIP_OK : base_error_nomem(err, WHERE);
    for (int64_t f = 0; !r && f < data_score_n_frames(score) && n < PERSON_SAMPLE_MAX; f++) {
        const struct data_face_obs *obs = NULL;
        r = geometry_obs(&cast->geometry, f, &obs, err);
        if (!r && obs)
            r = cover_at(&cast->cover, f, &cover, err);
        if (!r && obs && seen++ % step == 0 && cover.mouth < MOUTH_SEEN)
            sample[n++] = *obs;
    }
    if (!r)
        r = face_person_learn(sample, n, &cast->person, err);
    base_free(sample);
    return r;
}

/* The bank and what was seen of the mouth ------------------------------------------------------ */

struct study {
    struct cast *cast;
    struct data_score *score;
    const struct data_basis *basis;
    struct motion_observed *observed;
    size_t n_observed, cap_observed;
    struct render_bank_plan *plan;
};

static int study_frame(struct study *s, const struct data_face_geom *geom, struct lip_error *err)
{
    const struct data_film *film = data_score_film(s->score);
    int64_t ticks = data_score_frame(s->score, geom->frame)->pts -
                    data_score_frame(s->score, 0)->pts;
    int r = base_grow(&s->observed, &s->cap_observed, s->n_observed + 1,
                      (size_t)DATA_SCORE_FRAMES_MAX, sizeof *s->observed);
    if (r)
        return base_error_nomem(err, WHERE);
    struct motion_observed *o = &s->observed[s->n_observed++];
    o->t_s = (double)ticks * (double)film->time_base.num / (double)film->time_base.den;
    o->valid = geom->valid;
    if (!geom->valid)
        return LIP_OK;
    struct render_cover cover;
    r = cover_at(&s->cast->cover, geom->frame, &cover, err);
    if (r)
        return r;
    const uint8_t *speaks = s->cast->speaks;
    o->valid = cover.mouth < MOUTH_SEEN && (!speaks || speaks[geom->frame]);
    o->opening = geom->opening;
    data_basis_project(s->basis, s->cast->person.rest, geom->canon, o->coef);
    if (cover.n_cells || !s->plan)
        return LIP_OK; /* the bank holds nothing but the person */
    r = render_bank_plan_push(s->plan, geom);
    return r ? base_error_nomem(err, WHERE) : LIP_OK;
}

/* Every frame's geometry, once, in order. */
static int study_all(struct study *s, struct progress *progress, struct lip_error *err)
{
    struct face_smoother *smoother = NULL;
    struct data_face_geom *geom = base_alloc(sizeof *geom);
    int r = geom ? face_smoother_create(&s->cast->person, &smoother) : LIP_ERR_NOMEM;
    if (r)
        base_error_nomem(err, WHERE);
    int64_t n = data_score_n_frames(s->score);
    for (int64_t f = 0; f <= n && !r; f++) {
        const struct data_face_obs *obs = NULL;
        if (f < n) {
            r = geometry_obs(&s->cast->geometry, f, &obs, err);
            if (!r &&
                face_smoother_push(smoother, f, obs, data_score_frame(s->score, f)->shot_start))
                r = base_error_nomem(err, WHERE);
        } else {
            face_smoother_flush(smoother);
        }
        while (!r && face_smoother_pull(smoother, geom))
            r = study_frame(s, geom, err);
        if (!r)
            r = progress_check(progress, err);
    }
    face_smoother_destroy(&smoother);
    base_free(geom);
    return r;
}

static int collect_bank(struct study *s, struct reader *reader, const int64_t *frames, size_t n,
                        struct progress *progress, struct lip_error *err)
{
    struct data_face_geom *geom = base_alloc(sizeof *geom);
    int r = geom ? LIP_OK : base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n && !r; i++) {
        struct data_frame *frame = NULL;
        r = geometry_at(&s->cast->geometry, frames[i], geom, err);
        if (!r && geom->valid)
            r = reader_get(reader, frames[i], &frame, err);
        if (!r && frame)
            r = render_bank_add(&s->cast->bank, data_score_film(s->score), frame, geom, err);
        data_frame_unref(&frame);
        progress_tell(progress, 0.99 * (double)i / (double)n, 0, (int64_t)i);
        if (!r)
            r = progress_check(progress, err);
    }
    base_free(geom);
    if (!r && render_bank_finish(&s->cast->bank))
        r = base_error_nomem(err, WHERE);
    return r;
}

static int learn_bank(struct study *s, lip_engine *engine, const struct lip_job *job,
                      struct progress *progress, struct lip_error *err)
{
    int64_t *frames = NULL;
    size_t n = 0;
    struct reader *reader = NULL;
    int r = render_bank_plan_finish(&s->plan, &frames, &n);
    if (r)
        base_error_nomem(err, WHERE);
    struct media_source_params params = {.n_threads = job->n_threads, .log = &engine->log};
    if (!r && n)
        r = reader_create(job->film, s->score, &params, &reader, err);
    if (!r && n)
        r = collect_bank(s, reader, frames, n, progress, err);
    reader_destroy(&reader);
    base_free(frames);
    return r;
}

/* The way of speaking needs no picture: it is learnt beside the bank where there is a processor. */
struct fit {
    lip_engine *engine;
    struct cast *cast;
    struct listen_film heard;
    struct progress *progress;
    struct base_thread *thread;
    struct lip_error err;
    int status;
};

static void run_fit(void *arg)
{
    struct fit *f = arg;
    f->status = listen_fit(f->engine, &f->cast->person, &f->heard, 1, f->progress,
                           &f->cast->style, &f->err);
}

static int learn_bank_and_style(struct study *s, lip_engine *engine, const struct lip_job *job,
                                struct progress *progress, struct lip_error *err)
{
    struct fit fit = {.engine = engine, .cast = s->cast, .progress = progress,
                      .heard = {.sound = data_score_film(s->score)->has_audio ? job->film : NULL,
                                .observed = s->observed, .n_observed = s->n_observed}};
    bool beside = job->n_threads != 1 && base_cpu_count() > 1 &&
                  !base_thread_start(run_fit, &fit, &fit.thread);
    int r = learn_bank(s, engine, job, progress, err);
    if (beside)
        base_thread_join(&fit.thread);
    else if (!r)
        run_fit(&fit);
    if (!r && fit.status)
        r = base_error_set(err, fit.status, fit.err.where, "%s", fit.err.text);
    return r;
}

/* A plan that an error made superfluous. */
static void drop_plan(struct study *s)
{
    int64_t *frames = NULL;
    size_t n = 0;
    if (s->plan && !render_bank_plan_finish(&s->plan, &frames, &n))
        base_free(frames);
}

/* Keeping -------------------------------------------------------------------------------------- */

static void blob_name(const struct cast *cast, const char *what, char ret_name[32])
{
    snprintf(ret_name, 32, "%s %d", what, cast->faces[cast->chosen].number);
}

static int put(struct cast *cast, struct data_score *score, const char *what,
               const struct base_buffer *b, struct lip_error *err)
{
    char name[32];
    blob_name(cast, what, name);
    if (b->status)
        return base_error_set(err, b->status, WHERE, "the %s is too large to be kept", what);
    return data_score_put_blob(score, name, b->data, b->size, err);
}

/* With what it was learnt: nets, the bounds of the bank, and when the face spoke. What was learnt
 * otherwise is learnt again. */
struct recipe {
    uint64_t models_hash, bounds_hash, speaks_hash;
};

static struct recipe recipe_of(const lip_engine *engine, const struct lip_job *job,
                               const struct cast *cast, const struct data_score *score)
{
    struct tier tier = tier_of(job);
    uint64_t bounds[2] = {tier.n_mouths, tier.mouth_bytes};
    size_t n = (size_t)data_score_n_frames(score);
    return (struct recipe){engine->models_hash, base_hash(bounds, sizeof bounds, 0),
                           cast->speaks ? base_hash(cast->speaks, n, 0) : 0};
}

static int keep(struct cast *cast, struct data_score *score, const struct recipe *recipe,
                struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, BLOB_MAX);
    base_buffer_put_u64(&b, recipe->models_hash);
    base_buffer_put_u64(&b, recipe->bounds_hash);
    base_buffer_put_u64(&b, recipe->speaks_hash);
    int r = put(cast, score, "models", &b, err);
    base_buffer_done(&b);
    base_buffer_init(&b, BLOB_MAX);
    data_person_write(&cast->person, &b);
    if (!r)
        r = put(cast, score, "person", &b, err);
    base_buffer_done(&b);
    base_buffer_init(&b, BLOB_MAX);
    motion_style_write(&cast->style, &b);
    if (!r)
        r = put(cast, score, "style", &b, err);
    base_buffer_done(&b);
    base_buffer_init(&b, BLOB_MAX);
    cover_write(&cast->cover, &b);
    if (!r)
        r = put(cast, score, "likeness", &b, err);
    base_buffer_done(&b);
    base_buffer_init(&b, BLOB_MAX);
    data_bank_write(&cast->bank, &b);
    if (!r)
        r = put(cast, score, "bank", &b, err);
    base_buffer_done(&b);
    return r ? r : data_score_flush(score, err);
}

static int get(struct cast *cast, struct data_score *score, const char *what, uint8_t **ret_bytes,
               size_t *ret_n)
{
    char name[32];
    struct lip_error quiet = {0};
    blob_name(cast, what, name);
    return data_score_get_blob(score, name, ret_bytes, ret_n, &quiet);
}

static bool same_recipe(struct cast *cast, struct data_score *score, const struct recipe *recipe)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct base_reader reader;
    if (get(cast, score, "models", &bytes, &n))
        return false;
    base_reader_init(&reader, bytes, n);
    bool same = base_reader_u64(&reader) == recipe->models_hash;
    same = base_reader_u64(&reader) == recipe->bounds_hash && same;
    same = base_reader_u64(&reader) == recipe->speaks_hash && same && !reader.failed;
    base_free(bytes);
    return same;
}

/* 0 when person, style and bank were all in the score and still fit. */
static int recall(struct cast *cast, struct data_score *score, const struct recipe *recipe)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error quiet = {0};
    int r = same_recipe(cast, score, recipe) ? LIP_OK : LIP_ERR_NOT_FOUND;
    if (!r)
        r = get(cast, score, "person", &bytes, &n);
    if (!r)
        r = data_person_read(bytes, n, &cast->person, &quiet);
    base_free(bytes);
    bytes = NULL;
    if (!r)
        r = get(cast, score, "style", &bytes, &n);
    if (!r)
        r = motion_style_read(bytes, n, &cast->style, &quiet);
    base_free(bytes);
    bytes = NULL;
    if (!r)
        r = get(cast, score, "bank", &bytes, &n);
    if (!r)
        r = data_bank_read(bytes, n, &cast->bank, &quiet);
    base_free(bytes);
    return r ? r : render_bank_finish(&cast->bank);
}

/* 0 when the likeness was in the score and is of this mode. */
static int recall_likeness(struct cast *cast, struct data_score *score)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error quiet = {0};
    int r = get(cast, score, "likeness", &bytes, &n);
    if (!r)
        r = cover_read(&cast->cover, bytes, n, &quiet);
    base_free(bytes);
    return r;
}

int cast_learn(struct cast *cast, lip_engine *engine, struct data_score *score,
               const struct lip_job *job, struct progress *progress, struct lip_error *err)
{
    cast->geometry.person = &cast->person;
    int r = cover_init(&cast->cover, &cast->geometry, engine->mesh, cast->occlusion, err);
    if (r)
        return r;
    struct recipe recipe = recipe_of(engine, job, cast, score);
    if (!recall_likeness(cast, score) && !recall(cast, score, &recipe)) {
        progress_tell(progress, 1, 0, 0);
        return LIP_OK;
    }
    motion_style_done(&cast->style); /* a part may have been there */
    motion_style_init(&cast->style);
    data_bank_done(&cast->bank);
    struct study s = {.cast = cast, .score = score, .basis = motion_model_basis(engine->motion)};
    struct tier tier = tier_of(job);
    struct render_bank_params bank = {.n_entries_max = tier.n_mouths,
                                      .n_bytes_max = tier.mouth_bytes};
    r = cover_learn(&cast->cover, &cast->faces[cast->chosen], err);
    if (!r)
        r = learn_person(cast, score, err);
    if (!r && render_bank_plan_create(&bank, &s.plan))
        r = base_error_nomem(err, WHERE);
    if (!r)
        r = study_all(&s, progress, err);
    if (!r)
        r = learn_bank_and_style(&s, engine, job, progress, err);
    base_free(s.observed);
    drop_plan(&s);
    if (!r)
        r = keep(cast, score, &recipe, err);
    progress_tell(progress, 1, 0, 0);
    return r;
}

int cast_observe(struct cast *cast, lip_engine *engine, struct data_score *score,
                 struct progress *progress, struct motion_observed **ret_observed, size_t *ret_n,
                 struct lip_error *err)
{
    struct study s = {.cast = cast, .score = score, .basis = motion_model_basis(engine->motion)};
    int r = study_all(&s, progress, err);
    if (r) {
        base_free(s.observed);
        return r;
    }
    *ret_observed = s.observed;
    *ret_n = s.n_observed;
    return LIP_OK;
}
