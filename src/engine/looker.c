/* SPDX-License-Identifier: MIT */
#include "engine/looker.h"

#include "base/alloc.h"

#define WHERE "engine/looker"
#define QUEUE_FRAMES 4
#define NEWS_FRAMES 5

/* Claims ------------------------------------------------------------------------------------- */

enum { FREE, BEGUN, SETTLED, MADE };

static void made(struct span_claims *claims, int64_t number)
{
    if (number < claims->n)
        atomic_store(&claims->taken[number], MADE);
}

bool span_claims_made(const struct span_claims *claims, int64_t number)
{
    return atomic_load(&claims->taken[number]) == MADE;
}

int span_claims_init(struct span_claims *claims, int64_t n)
{
    claims->taken = base_alloc_array((size_t)n, sizeof *claims->taken);
    if (!claims->taken)
        return LIP_ERR_NOMEM;
    for (int64_t i = 0; i < n; i++)
        atomic_init(&claims->taken[i], FREE);
    claims->n = n;
    atomic_init(&claims->end, INT64_MAX);
    return LIP_OK;
}

void span_claims_done(struct span_claims *claims)
{
    base_free(claims->taken);
    *claims = (struct span_claims){.taken = NULL};
}

void span_claims_take(struct span_claims *claims, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to && i < claims->n; i++)
        atomic_store(&claims->taken[i], SETTLED);
}

/* A span that somebody on another machine has finished by now is nobody's any more. */
static bool take(const struct looker_params *p, int64_t number)
{
    struct span_claims *c = p->claims;
    if (number >= atomic_load(&c->end) ||
        (p->enough_us >= 0 && span_start(p->grid, number) > p->enough_us))
        return false;
    unsigned char was = FREE;
    if (number < c->n && !atomic_compare_exchange_strong(&c->taken[number], &was, BEGUN))
        return false;
    if (!span_exists(p->grid, number))
        return true;
    span_claims_take(c, number, number + 1);
    return false;
}

/* The longest run of spans that nobody has begun: where it begins, or its middle if somebody is on
 * the way to it; -1: nothing is left. */
static int64_t most_to_do(struct span_claims *c)
{
    int64_t at = -1, longest = 0, end = atomic_load(&c->end);
    for (int64_t i = 0, n = 0; i < c->n && i < end; i++) {
        n = atomic_load(&c->taken[i]) == FREE ? n + 1 : 0;
        if (n > longest) {
            longest = n;
            at = i + 1 - n;
        }
    }
    return at > 0 && atomic_load(&c->taken[at - 1]) == BEGUN ? at + longest / 2 : at;
}

/* Decoding ahead ----------------------------------------------------------------------------- */

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

/* Looking ------------------------------------------------------------------------------------ */

/* A span in the making. */
struct making {
    struct span span;
    struct face_analyzer *analyzer;
};

/* What a looker's thread has. At a border two spans are in the making: the end of one is the lead
 * of the next. */
struct look {
    const struct looker_params *params;
    struct looker *looker;
    struct media_source *source;
    struct data_face_obs *faces;
    struct making making[2];
    int n_making;
    int64_t asked; /* the newest span that was asked for */
    int64_t n_seen;
    bool has_read; /* the source is not at its beginning any more */
};

static int begin(struct look *l, int64_t number, struct lip_error *err)
{
    struct face_analyzer_params params;
    struct making *m = &l->making[l->n_making];
    face_analyzer_params_default(&params);
    params.n_crops = l->params->grid->n_crops;
    int r = span_create(l->params->grid, number, &m->span, err);
    if (!r)
        r = face_analyzer_create(l->params->engine->faces, l->params->grid->film, &params,
                                 &m->analyzer, err);
    l->n_making += !r;
    if (r)
        span_drop(l->params->grid, &m->span);
    l->asked = number;
    return r;
}

static void drop(struct look *l)
{
    while (l->n_making > 0) {
        struct making *m = &l->making[--l->n_making];
        span_drop(l->params->grid, &m->span);
        face_analyzer_destroy(&m->analyzer);
    }
}

/* The older one is whole. */
static int finish(struct look *l, struct lip_error *err)
{
    int64_t number = l->making[0].span.number;
    face_analyzer_destroy(&l->making[0].analyzer);
    int r = span_finish(l->params->grid, &l->making[0].span, err);
    made(l->params->claims, number);
    l->making[0] = l->making[1];
    l->n_making--;
    return r;
}

static int look_at(struct look *l, struct making *m, const struct data_frame *frame,
                   int64_t at_us, struct lip_error *err)
{
    const struct data_film *film = l->params->grid->film;
    struct data_score *score = m->span.score;
    bool leads = at_us < span_start(l->params->grid, m->span.number), shot_start = false;
    size_t n = 0;
    face_analyzer_recognise(m->analyzer, !leads);
    int r = face_analyzer_push(m->analyzer, frame, l->faces, &n, &shot_start, err);
    if (r)
        return r;
    const struct data_faceprint *faceprints;
    size_t n_faceprints = face_analyzer_faceprints(m->analyzer, &faceprints);
    for (size_t i = 0; i < n_faceprints && !r; i++)
        r = data_score_add_faceprint(score, &faceprints[i], err);
    for (size_t i = 0; i < n && !leads; i++)
        if (render_cover_look(l->params->engine->mesh, film, frame,
                              (const float(*)[3])l->faces[i].points, &l->faces[i].look))
            return base_error_nomem(err, WHERE);
    struct data_score_frame head = {.pts = frame->pts, .duration = frame->duration,
                                    .keyframe = frame->keyframe, .shot_start = shot_start};
    if (!r)
        r = data_score_add_frame(score, &head, l->faces, n, err);
    m->span.n_lead += leads;
    return r;
}

/* Begins and ends spans where the frame lies. None in the making any more: somebody else has what
 * comes now. */
static int cross_borders(struct look *l, int64_t at_us, struct lip_error *err)
{
    const struct span_grid *grid = l->params->grid;
    for (int r; l->n_making > 0;) {
        int64_t next = l->asked + 1;
        if (l->asked == l->making[l->n_making - 1].span.number && l->n_making < 2 &&
            at_us >= span_lead(grid, next)) {
            r = take(l->params, next) ? begin(l, next, err) : LIP_OK;
            l->asked = next;
        } else if (at_us >= span_start(grid, l->making[0].span.number + 1)) {
            r = finish(l, err);
        } else {
            break;
        }
        if (r)
            return r;
    }
    return LIP_OK;
}

static int see(struct look *l, const struct data_frame *frame, struct lip_error *err)
{
    int64_t at_us = span_time(l->params->grid, frame->pts);
    if (at_us < span_lead(l->params->grid, l->making[0].span.number))
        return LIP_OK; /* on the way from a key picture to where it begins */
    int r = cross_borders(l, at_us, err);
    for (int i = 0; i < l->n_making && !r; i++)
        r = look_at(l, &l->making[i], frame, at_us, err);
    atomic_fetch_add(l->params->n_frames, 1);
    if (++l->n_seen % NEWS_FRAMES == 0)
        base_queue_push(l->params->news, l->looker);
    return r;
}

/* The film has ended, or enough of it is seen: what has begun is whole, and the last. */
static int end_film(struct look *l, struct lip_error *err)
{
    struct span_claims *c = l->params->claims;
    int r = LIP_OK;
    while (l->n_making > 0 && !r) {
        struct making *m = &l->making[l->n_making - 1];
        int64_t n_own = data_score_n_frames(m->span.score) - m->span.n_lead;
        int64_t end = m->span.number + (n_own > 0), known = atomic_load(&c->end);
        while (end < known && !atomic_compare_exchange_weak(&c->end, &known, end))
            ;
        if (n_own > 0)
            break;
        face_analyzer_destroy(&m->analyzer);
        span_drop(l->params->grid, &m->span);
        l->n_making--;
    }
    if (l->n_making > 0)
        l->making[l->n_making - 1].span.is_last = true;
    while (l->n_making > 0 && !r)
        r = finish(l, err);
    return r;
}

/* Brings the source to the lead of a span, or before it. */
static int jump(struct look *l, int64_t number, struct data_frame **ret_frame,
                struct lip_error *err)
{
    const struct span_grid *grid = l->params->grid;
    const struct data_rational tb = grid->film->time_base;
    int64_t lead = span_lead(grid, number);
    struct lip_error quiet = {0};
    *ret_frame = NULL;
    if (lead > 0 && !grid->streamed) {
        double ticks = (double)lead * 1e-6 * (double)tb.den / (double)tb.num;
        int r = media_source_seek(l->source, grid->film->start_pts + (int64_t)ticks, &quiet);
        if (!r)
            r = media_source_read(l->source, ret_frame, &quiet);
        if (!r && *ret_frame && span_time(grid, (*ret_frame)->pts) <= lead)
            return LIP_OK;
        data_frame_unref(ret_frame); /* the file cannot be sought there */
    }
    return media_source_rewind(l->source, err);
}

/* From a span on, as far as nobody else is there. */
static int look_from(struct look *l, int64_t number, struct lip_error *err)
{
    struct ahead ahead = {.queue = NULL};
    struct data_frame *first = NULL;
    const struct looker_params *p = l->params;
    int r = number > 0 || l->has_read ? jump(l, number, &first, err) : LIP_OK;
    l->has_read = true;
    if (!r)
        r = begin(l, number, err);
    if (!r && first)
        r = see(l, first, err);
    data_frame_unref(&first);
    if (!r)
        r = ahead_start(&ahead, l->source, err);
    void *item = NULL;
    bool enough = false;
    while (!r && l->n_making > 0 && !enough && !atomic_load(p->stop) &&
           base_queue_pop(ahead.queue, &item)) {
        struct data_frame *f = item;
        r = see(l, f, err);
        enough = p->enough_us >= 0 && span_time(p->grid, f->pts) > p->enough_us;
        data_frame_unref(&f);
    }
    bool ended = l->n_making > 0 && !atomic_load(p->stop);
    ahead_stop(&ahead);
    if (!r && ended && !enough && ahead.status)
        r = base_error_set(err, ahead.status, ahead.error.where, "%s", ahead.error.text);
    if (!r && ended)
        r = end_film(l, err);
    drop(l);
    return r;
}

static int look_at_all(struct look *l, struct lip_error *err)
{
    const struct looker_params *p = l->params;
    struct media_source_params source = {.n_threads = p->n_threads, .log = &p->engine->log};
    l->faces = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *l->faces);
    int r = l->faces ? media_source_open(p->film, &source, &l->source, err)
                     : base_error_nomem(err, WHERE);
    for (int64_t number; !r && !atomic_load(p->stop) &&
                         (number = most_to_do(p->claims)) >= 0;)
        if (take(p, number))
            r = look_from(l, number, err);
    media_source_close(&l->source);
    base_free(l->faces);
    return r;
}

static void run(void *arg)
{
    struct looker *looker = arg;
    struct look l = {.params = &looker->params, .looker = looker};
    looker->status = look_at_all(&l, &looker->error);
    atomic_store(&looker->ended, true);
    base_queue_push(looker->params.news, looker);
}

int looker_start(const struct looker_params *params, struct looker *looker)
{
    *looker = (struct looker){.params = *params};
    return base_thread_start(run, looker, &looker->thread);
}

void looker_join(struct looker *looker)
{
    base_thread_join(&looker->thread);
}
