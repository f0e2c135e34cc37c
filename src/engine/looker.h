/* SPDX-License-Identifier: MIT
 *
 * A thread that looks at spans of a film: it goes on from one to the next while nobody else has the
 * next one, else it jumps to where there is most to do. */
#ifndef ENGINE_LOOKER_H
#define ENGINE_LOOKER_H

#include <stdatomic.h>

#include "base/thread.h"
#include "engine/engine.h"
#include "engine/span.h"

/* Whose span is whose; shared by the lookers of a film. */
struct span_claims {
    atomic_uchar *taken; /* of each span whose number is below n */
    int64_t n;           /* of spans that the film probably has; whoever goes on past them may */
    _Atomic int64_t end; /* no span from here on, as far as is known */
};
/* *claims is all zero or done. */
int span_claims_init(struct span_claims *claims, int64_t n);
void span_claims_done(struct span_claims *claims);
void span_claims_take(struct span_claims *claims, int64_t from, int64_t to);
/* Whether a looker of this run made it; number below n. */
bool span_claims_made(const struct span_claims *claims, int64_t number);

struct looker_params {
    lip_engine *engine;
    const char *film;
    const struct span_grid *grid;
    struct span_claims *claims;
    int64_t enough_us;        /* what comes later is not looked at; < 0: all of it */
    int n_threads;            /* of the decoder */
    atomic_bool *stop;        /* looked at for every frame */
    atomic_llong *n_frames;   /* looked at by all of them */
    struct base_queue *news;  /* gets the looker now and then, and when it has ended */
};

struct looker {
    struct looker_params params;
    struct base_thread *thread;
    atomic_bool ended;
    int status;              /* after the join */
    struct lip_error error;
};

/* `looker` stays where it is until looker_join. */
int looker_start(const struct looker_params *params, struct looker *looker);
void looker_join(struct looker *looker);

#endif
