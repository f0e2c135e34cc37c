/* SPDX-License-Identifier: MIT */
#include "engine/stretches.h"

#include "base/alloc.h"

#define WHERE "engine/stretches"
#define STRETCHES_MAX ((size_t)4 * 1000 * 1000)
/* Each border costs a key frame and the start of an encoder: fewer frames are not worth it. */
#define COPY_MIN 12
#define COPY_MAX 1500 /* a part is what a killed job loses at most, and what cancelling waits for */

/* Frames of the output that show the film forwards at its own pace and unchanged. */
struct run {
    int64_t first, n;      /* output */
    int64_t source, shift; /* film */
    int64_t last_duration;
};

/* A unit and the frames of the film it shows; number -1: unknown to the score. */
struct place {
    int64_t first, leaning_first;
};

struct builder {
    struct stretches *out;
    struct plan *plan;
    const struct media_unit *units;
    struct place *places;
    size_t n_units;
    size_t hint;              /* the unit looked at last: runs mostly go forwards */
    int64_t per_part, n_done; /* output frames that have their stretch */
    int status;
};

static int64_t film_pts(const struct builder *b, int64_t source)
{
    return data_score_frame(b->plan->score, source)->pts;
}

static void push(struct builder *b, struct stretch s)
{
    struct stretches *out = b->out;
    if (!b->status)
        b->status = base_grow(&out->at, &out->cap, out->n + 1, STRETCHES_MAX, sizeof *out->at);
    if (b->status)
        return;
    out->at[out->n++] = s;
    if (s.n_units)
        out->n_copied += s.n;
    b->n_done = s.first + s.n;
}

static void push_encoded(struct builder *b, int64_t end)
{
    while (b->n_done < end && !b->status) {
        int64_t n = end - b->n_done < b->per_part ? end - b->n_done : b->per_part;
        push(b, (struct stretch){.first = b->n_done, .n = n});
    }
}

/* Units and frames ----------------------------------------------------------------------------- */

static int64_t number_of(const struct data_score *score, int64_t pts)
{
    int64_t lo = 0, hi = data_score_n_frames(score) - 1;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (data_score_frame(score, mid)->pts < pts)
            lo = mid + 1;
        else
            hi = mid;
    }
    return data_score_frame(score, lo)->pts == pts ? lo : -1;
}

/* The number of the first frame when the run is exactly so many frames of the score, else -1. */
static int64_t place_run(const struct data_score *score, const struct media_unit_run *run)
{
    int64_t first = run->n ? number_of(score, run->first_pts) : -1;
    if (first < 0 || run->n > data_score_n_frames(score) - first)
        return -1;
    uint64_t sum = 0;
    for (int64_t i = 0; i < run->n; i++)
        sum += media_unit_mark(data_score_frame(score, first + i)->pts);
    return sum == run->sum ? first : -1;
}

static int place_units(struct builder *b)
{
    const struct data_score *score = b->plan->score;
    b->places = base_alloc_array(b->n_units, sizeof *b->places);
    if (!b->places)
        return LIP_ERR_NOMEM;
    int64_t last = -1;
    for (size_t i = 0; i < b->n_units; i++) {
        struct place *p = &b->places[i];
        *p = (struct place){-1, -1};
        if (!b->units[i].usable)
            continue;
        p->first = place_run(score, &b->units[i].shown);
        if (b->units[i].leaning.n)
            p->leaning_first = place_run(score, &b->units[i].leaning);
        if (p->first <= last) /* units that are not shown one after another */
            p->first = -1;
        else
            last = p->first;
    }
    return LIP_OK;
}

/* Whether unit i + 1 is shown right after unit i, leaning pictures included. */
static bool goes_on(const struct builder *b, size_t i)
{
    if (i + 1 >= b->n_units || b->places[i].first < 0 || b->places[i + 1].first < 0)
        return false;
    int64_t end = b->places[i].first + b->units[i].shown.n;
    const struct media_unit_run *leaning = &b->units[i + 1].leaning;
    if (leaning->n && b->places[i + 1].leaning_first != end)
        return false;
    return b->places[i + 1].first == end + leaning->n;
}

/* Runs ----------------------------------------------------------------------------------------- */

/* The first unit with a place at or after this frame of the film. */
static size_t first_unit(struct builder *b, int64_t source)
{
    size_t i = b->places[b->hint].first >= 0 && b->places[b->hint].first <= source ? b->hint : 0;
    while (i < b->n_units && b->places[i].first < source)
        i++;
    if (i < b->n_units)
        b->hint = i;
    return i;
}

/* Copies as many whole units of the run as there are from unit i on; returns the unit after. */
static size_t copy_units(struct builder *b, const struct run *run, size_t i)
{
    int64_t end = run->source + run->n; /* of the run, in the film */
    int64_t first = b->places[i].first, n = b->units[i].shown.n;
    size_t from = i, count = 1;
    if (first + n > end)
        return b->n_units;
    while (goes_on(b, i) && (n < COPY_MAX || b->units[i + 1].leaning.n)) {
        int64_t more = b->units[i + 1].leaning.n + b->units[i + 1].shown.n;
        if (first + n + more > end)
            break;
        n += more;
        count++;
        i++;
    }
    bool follows = b->out->n && b->out->at[b->out->n - 1].n_units &&
                   b->n_done == run->first + first - run->source;
    if (n < COPY_MIN && !follows)
        return i + 1;
    int64_t last = first + n - 1, duration = run->last_duration;
    if (last + 1 < end)
        duration = film_pts(b, last + 1) - film_pts(b, last);
    push_encoded(b, run->first + first - run->source);
    push(b, (struct stretch){.first = run->first + first - run->source, .n = n, .unit = from,
                             .n_units = count, .shift = run->shift, .last_duration = duration});
    return i + 1;
}

static void end_run(struct builder *b, const struct run *run)
{
    if (run->n < COPY_MIN)
        return;
    size_t i = first_unit(b, run->source);
    while (i < b->n_units && !b->status) {
        if (b->places[i].first < 0)
            i++;
        else if (b->places[i].first >= run->source + run->n)
            return;
        else
            i = copy_units(b, run, i);
    }
}

static void walk(struct builder *b, stretches_kept kept, void *user)
{
    struct run run = {0};
    struct plan_frame f;
    plan_rewind(b->plan);
    while (plan_next(b->plan, &f) && !b->status) {
        int64_t shift = f.pts - film_pts(b, f.source);
        bool joins = run.n && f.source == run.source + run.n && shift == run.shift && !f.held;
        bool keep = !f.held && kept(user, f.index);
        if (run.n && !(joins && keep)) {
            end_run(b, &run);
            run.n = 0;
        }
        if (!keep)
            continue;
        if (!run.n)
            run = (struct run){.first = f.index, .source = f.source, .shift = shift};
        run.n++;
        run.last_duration = f.duration;
    }
    if (run.n)
        end_run(b, &run);
}

int stretches_init(struct stretches *stretches, struct plan *plan, const struct media_unit *units,
                  size_t n_units, int64_t per_part, stretches_kept kept, void *user,
                  struct lip_error *err)
{
    *stretches = (struct stretches){0};
    struct builder b = {.out = stretches, .plan = plan, .units = units, .n_units = n_units,
                        .per_part = per_part};
    if (n_units && !plan->whole.grid_n) {
        b.status = place_units(&b);
        if (!b.status)
            walk(&b, kept, user);
    }
    push_encoded(&b, plan_count(plan));
    base_free(b.places);
    if (!b.status)
        return LIP_OK;
    stretches_done(stretches);
    return b.status == LIP_ERR_NOMEM
               ? base_error_nomem(err, WHERE)
               : base_error_set(err, b.status, WHERE, "the film changes too often");
}

void stretches_done(struct stretches *stretches)
{
    base_free(stretches->at);
    *stretches = (struct stretches){0};
}
