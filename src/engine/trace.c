/* SPDX-License-Identifier: MIT */
#include "engine/trace.h"

#include <math.h>

#include "base/alloc.h"

#define SPEAKS 128         /* of 255: somebody speaks */
#define SILENT 13          /* 5 %: nobody does */
#define CLOSURE_MIN 0.5f   /* a peak of the closure's probability this high is a meeting of lips */
#define CLOSURE_GAP_S 0.1  /* peaks that are nearer are one */
#define CLOSED_MIN .02f    /* IOD: lips this near are drawn as touching, or nearly */
#define LOOK_EVERY 25      /* frames between two looks at the result */
#define LOOK_CLOSURE 50    /* at most one closure in so many frames is looked at */
#define MOVES_FRAMES 6     /* to both sides … */
#define MOVES_SHARE 0.15f  /* … the film's own opening changes by so much of the person's range */

int trace_init(struct trace *t, int64_t n_frames, const struct roles *roles)
{
    *t = (struct trace){.n = n_frames};
    t->frames = base_alloc_array((size_t)n_frames, sizeof *t->frames);
    for (size_t i = 0; i < roles->n_casts; i++) {
        const struct data_person *person = &roles->casts[i].person;
        float low = person->opening_pct[0];
        struct trace_mouth *m = &t->mouth[i];
        m->range = fmaxf(person->opening_pct[4] - low, .02f);
        m->closed = low + fmaxf(TRACE_CLOSED_SHARE * m->range, CLOSED_MIN);
    }
    return t->frames ? LIP_OK : LIP_ERR_NOMEM;
}

float trace_widest(const struct trace *t)
{
    float widest = 0;
    for (int i = 0; i < ROLES_CASTS_MAX; i++)
        widest = fmaxf(widest, t->mouth[i].range);
    return widest;
}

void trace_done(struct trace *t)
{
    base_free(t->frames);
    *t = (struct trace){0};
}

/* The opening of a full wish: of data_basis_shape, but the six points only. */
static float said_opening(const struct data_person *person, const struct data_basis *basis,
                          const struct data_curve_sample *s)
{
    static const uint16_t pairs[3][2] = {{13, 14}, {82, 87}, {312, 317}};
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        float d2 = 0;
        for (int a = 0; a < 3; a++) {
            float p[2];
            for (int k = 0; k < 2; k++) {
                p[k] = person->rest[pairs[i][k]][a];
                for (int c = 0; c < DATA_CURVE_DIMS; c++)
                    p[k] += s->coef[c] * basis->comp[c][pairs[i][k]][a];
            }
            d2 += (p[0] - p[1]) * (p[0] - p[1]);
        }
        sum += sqrtf(d2) / 3;
    }
    return sum;
}

void trace_add(struct trace *t, const struct wishes *w, const struct plan_frame *frame,
               const struct wish *wish)
{
    struct trace_frame *f = &t->frames[frame->index];
    *f = (struct trace_frame){.said = TRACE_NONE, .drawn = TRACE_NONE, .own = TRACE_NONE,
                              .decline = (int8_t)wish->decline, .cast = (int8_t)wish->cast};
    if (wish->cast < 0)
        return;
    const struct cast *cast = &w->roles->casts[wish->cast];
    struct data_curve_sample s = {0};
    if (frame->voice_s < plan_piece(w->plan, frame->piece)->voice_end_s)
        data_curve_at(wish->curve, frame->voice_s, &s);
    f->speech = (uint8_t)lroundf(255 * s.speech);
    f->closure = (uint8_t)lroundf(255 * s.closure);
    if (cast->n_faces)
        f->said = trace_kept(said_opening(&cast->person, w->basis, &s));
    bool seen = wish->decline != LIP_DECLINE_NO_FACE && wish->decline != LIP_DECLINE_HELD;
    if (seen && wish->geom.valid)
        f->own = trace_kept(wish->geom.opening);
    if (wish->edit)
        f->drawn = trace_kept(render_drawn_opening((const float(*)[3])wish->shape));
    if (wish->restart || frame->held)
        f->flags |= TRACE_CUT;
    if (wish->fades)
        f->flags |= TRACE_EDGE;
}

/* Changes of the film's own mouth around a frame. */
static bool film_moves(const struct trace *t, int64_t i)
{
    uint16_t low = TRACE_NONE, high = 0;
    int cast = t->frames[i].cast;
    if (cast < 0)
        return false;
    for (int64_t k = i - MOVES_FRAMES; k <= i + MOVES_FRAMES; k++) {
        if (k < 0 || k >= t->n)
            continue;
        uint16_t own = t->frames[k].cast == cast ? t->frames[k].own : TRACE_NONE;
        if (own == TRACE_NONE)
            return false;
        low = own < low ? own : low;
        high = own > high ? own : high;
    }
    return trace_opening(high) - trace_opening(low) > MOVES_SHARE * t->mouth[cast].range;
}

/* The next moment at which the voice closes the lips, from sample *at on; < 0: none. */
static double next_closure(const struct data_curve *c, size_t *at)
{
    for (size_t i = *at; i < c->n; i++) {
        const struct data_curve_sample *s = &c->samples[i];
        bool up = !i || s->closure > s[-1].closure, down = i + 1 == c->n ||
                                                          s->closure >= s[1].closure;
        if (s->closure < CLOSURE_MIN || s->speech < .5f || !up || !down)
            continue;
        *at = i + 1 + (size_t)(CLOSURE_GAP_S * c->rate_hz);
        return (double)i / c->rate_hz;
    }
    return -1;
}

/* The closures of the curves that are followed, one after another. */
struct closures {
    const struct data_curve *curve;
    size_t piece, at;
    double next_s; /* on the voice's clock; < 0: none */
};

static void follow(struct closures *c, const struct data_curve *curve, const struct plan_frame *f)
{
    if (c->curve == curve && c->piece == f->piece)
        return;
    *c = (struct closures){.curve = curve, .piece = f->piece, .next_s = -1};
    if (!curve)
        return;
    c->at = f->voice_s > 0 ? (size_t)ceil(f->voice_s * curve->rate_hz) : 0;
    c->next_s = next_closure(curve, &c->at);
}

void trace_finish(struct trace *t, const struct plan *plan, const struct roles *roles)
{
    struct plan walk = *plan;
    struct plan_frame f;
    struct closures closures = {.next_s = -1};
    int64_t last_look = -LOOK_CLOSURE;
    plan_rewind(&walk);
    while (plan_next(&walk, &f)) {
        struct trace_frame *frame = &t->frames[f.index];
        const struct role *role = roles_find(roles, f.source);
        follow(&closures, role ? roles_curve(roles, role) : NULL, &f);
        if (!role)
            continue;
        double middle_s = f.voice_s + .5 * plan_seconds(&walk, f.duration);
        bool voice = frame->speech >= SPEAKS;
        bool silent = frame->speech < SILENT && !(frame->flags & TRACE_EDGE);
        frame->flags |= (uint8_t)(voice ? TRACE_VOICE : silent ? TRACE_SILENCE : 0);
        if (film_moves(t, f.index))
            frame->flags |= TRACE_FILM;
        if (f.index % LOOK_EVERY == LOOK_EVERY / 2)
            frame->flags |= TRACE_LOOK | TRACE_REGULAR;
        double until_s = fmin(middle_s, plan_piece(plan, f.piece)->voice_end_s);
        while (closures.next_s >= 0 && closures.next_s < until_s) { /* a frame begins at its pts */
            frame->flags |= TRACE_CLOSURE;
            if (f.index - last_look >= LOOK_CLOSURE) {
                frame->flags |= TRACE_LOOK;
                last_look = f.index;
            }
            closures.next_s = next_closure(closures.curve, &closures.at);
        }
    }
}
