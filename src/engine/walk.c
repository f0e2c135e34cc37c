/* SPDX-License-Identifier: MIT */
#include "engine/walk.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"

#define WHERE "engine/walk"
#define KEEPS (-2) /* render_choice.entry[0] where nothing is to be drawn … */
#define WAITS (-3) /* … and before the walk of cast 0 has come by; that of cast 1 is one less */

/* Through one cast's bank. */
struct walker {
    struct render_selector *selector;
    int64_t n_wishes, n_choices, at; /* at: no frame before it waits for a choice of this one */
};

struct walk {
    const struct perform_params *params;
    struct wishes *wishes;
    struct render_choice *choices; /* per output frame */
    struct trace *trace;
    struct walker walkers[ROLES_CASTS_MAX];
};

static void take_choices(struct walk *w, int cast)
{
    struct walker *walker = &w->walkers[cast];
    struct render_choice choice;
    while (render_selector_pull(walker->selector, &choice)) {
        while (w->choices[walker->at].entry[0] != WAITS - cast) /* the next that waits for it */
            walker->at++;
        w->choices[walker->at++] = choice;
        walker->n_choices++;
    }
}

static int choose_frame(struct walk *w, const struct plan_frame *f, struct wish *wish,
                        struct lip_error *err)
{
    int r = wishes_at(w->wishes, f, wish, err);
    if (r)
        return r;
    w->choices[f->index].entry[0] = wish->edit ? WAITS - wish->cast : KEEPS;
    trace_add(w->trace, w->wishes, f, wish);
    if (!wish->edit)
        return LIP_OK;
    struct walker *walker = &w->walkers[wish->cast];
    if (render_selector_push(walker->selector, &wish->geom, (const float(*)[3])wish->shape,
                             wish->restart))
        return base_error_nomem(err, WHERE);
    walker->n_wishes++;
    take_choices(w, wish->cast);
    return LIP_OK;
}

static int choose_all(struct walk *w, struct progress *progress, struct lip_error *err)
{
    const struct perform_params *p = w->params;
    struct wish *wish = base_alloc(sizeof *wish);
    int n_casts = (int)p->roles->n_casts, r = wish ? LIP_OK : LIP_ERR_NOMEM;
    for (int i = 0; i < n_casts && !r; i++)
        r = render_selector_create(&p->roles->casts[i].bank, &w->walkers[i].selector);
    if (r)
        base_error_nomem(err, WHERE);
    struct plan_frame f;
    plan_rewind(p->plan);
    while (!r && plan_next(p->plan, &f)) {
        r = choose_frame(w, &f, wish, err);
        if (!r)
            r = progress_check(progress, err);
    }
    for (int i = 0; i < n_casts && !r; i++) {
        render_selector_flush(w->walkers[i].selector);
        take_choices(w, i);
        if (w->walkers[i].n_choices < w->walkers[i].n_wishes) /* it ended early: no memory left */
            r = base_error_nomem(err, WHERE);
    }
    if (!r)
        trace_finish(w->trace, p->plan, p->roles);
    for (int i = 0; i < n_casts; i++)
        render_selector_destroy(&w->walkers[i].selector);
    base_free(wish);
    return r;
}

/* What the walk finds, as it lies in the folder: these, and a hash over all of them. */
struct found {
    void *at;
    size_t bytes;
};
#define N_FOUND (2 + ROLES_CASTS_MAX)

static void list_found(const struct walk *w, struct found ret[N_FOUND])
{
    size_t n = (size_t)w->trace->n, n_seen = (size_t)data_score_n_frames(w->wishes->score);
    memset(ret, 0, N_FOUND * sizeof *ret);
    ret[0] = (struct found){w->choices, n * sizeof *w->choices};
    ret[1] = (struct found){w->trace->frames, n * sizeof *w->trace->frames};
    for (size_t i = 0; i < w->params->roles->n_casts; i++)
        ret[2 + i] = (struct found){w->wishes->nearness[i], n_seen};
}

static int keep(const struct walk *w, const char *path, struct lip_error *err)
{
    struct found found[N_FOUND];
    struct base_buffer b;
    list_found(w, found);
    base_buffer_init(&b, BASE_ALLOC_CEILING);
    for (int i = 0; i < N_FOUND; i++)
        if (found[i].bytes)
            base_buffer_put(&b, found[i].at, found[i].bytes);
    uint64_t hash = base_hash(b.data, b.size, 0);
    base_buffer_put(&b, &hash, sizeof hash);
    int r = b.status ? base_error_nomem(err, WHERE) : base_fs_write(path, b.data, b.size, err);
    base_buffer_done(&b);
    return r;
}

/* False: it is not there, or damaged. */
static bool recall(const struct walk *w, const char *path)
{
    struct found found[N_FOUND];
    uint8_t *bytes = NULL;
    size_t n = 0, size = 0;
    uint64_t hash = 0;
    list_found(w, found);
    for (int i = 0; i < N_FOUND; i++)
        n += found[i].bytes;
    if (base_fs_read(path, n + sizeof hash, &bytes, &size, NULL))
        return false;
    bool fits = size == n + sizeof hash;
    if (fits)
        memcpy(&hash, bytes + n, sizeof hash);
    fits = fits && hash == base_hash(bytes, n, 0);
    const uint8_t *from = bytes;
    for (int i = 0; i < N_FOUND && fits; from += found[i++].bytes)
        if (found[i].bytes)
            memcpy(found[i].at, from, found[i].bytes);
    base_free(bytes);
    return fits;
}

static int find_all(struct walk *w, struct progress *progress, struct lip_error *err)
{
    int r = wishes_measure(w->wishes, err);
    return r ? r : choose_all(w, progress, err);
}

int walk_choose(const struct perform_params *params, struct wishes *wishes,
                struct progress *progress, struct render_choice *ret_choices,
                struct trace *ret_trace, struct lip_error *err)
{
    struct walk w = {.params = params, .wishes = wishes, .choices = ret_choices,
                     .trace = ret_trace};
    char *path = NULL;
    if (!params->job->parts)
        return find_all(&w, progress, err);
    if (workdir_path(params->work, "walk", -1, "", &path))
        return base_error_nomem(err, WHERE);
    int r = LIP_OK;
    if (!recall(&w, path)) {
        r = find_all(&w, progress, err);
        if (!r)
            r = keep(&w, path, err);
    }
    base_free(path);
    return r;
}
