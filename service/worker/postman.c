/* SPDX-License-Identifier: MIT
 * Tells whoever asked for it, by a signed POST, that a generation or a batch is over; again and
 * again, less and less often, when nobody takes it. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "fetch/fetch.h"
#include "worker/room.h"

#define WHERE "worker/postman"
#define POSTMEN 3 /* so that one slow receiver does not hold up the others */
#define LOOK_US 1000000
#define POST_S 15
#define ANSWER_BYTES_MAX ((int64_t)1 << 20)
static const int again_s[] = {1, 10, 60, 600, 3600};
#define TRIES_MAX ((int)(sizeof again_s / sizeof *again_s) + 1)

struct postmen {
    const struct worker_params *params;
    struct base_thread *threads[POSTMEN];
    atomic_int stopping;
};

static int post(struct postmen *p, const char *url, int64_t organization, const char *body,
                struct lip_error *err)
{
    char secret[STORE_HOOK_SECRET_BYTES], signature[STORE_SIGNATURE_BYTES], header[160];
    struct fetch_params params;
    int64_t now_s = (int64_t)time(NULL);
    int r = store_hook_secret(p->params->store, organization, false, secret, err);
    if (r)
        return r;
    fetch_params_default(&params);
    params.allow_private = p->params->fetch == WORKER_FETCH_ANY;
    params.time_max_s = POST_S;
    params.stall_s = POST_S;
    params.bytes_max = ANSWER_BYTES_MAX;
    params.cancel = p->params->stop;
    store_sign(secret, now_s, body, signature);
    snprintf(header, sizeof header, "Sync-Signature: t=%" PRId64 ",v1=%s", now_s, signature);
    return fetch_post(url, &params, header, body, err);
}

static void deliver(struct postmen *p, const struct store_hook *hook)
{
    struct lip_error err = {0};
    const struct store_generation *g = &hook->generation;
    const struct store_batch *b = &hook->batch;
    char line[500], *body = p->params->hook_body(hook);
    int r = body ? post(p, hook->of_batch ? b->webhook_url : g->webhook_url,
                        hook->of_batch ? b->organization : g->organization, body, &err)
                 : base_error_nomem(&err, WHERE);
    bool last = hook->tries >= TRIES_MAX;
    store_hook_settle(p->params->store, hook,
                      !r || last ? -1 : again_s[hook->tries - 1] * INT64_C(1000), NULL);
    snprintf(line, sizeof line, "%s %s: webhook, try %d: %.200s%s",
             hook->of_batch ? "batch" : "job", hook->of_batch ? b->id : g->id, hook->tries,
             r ? err.text : "delivered", r && last ? "; given up" : "");
    if (p->params->log)
        p->params->log(line);
    base_free(body);
}

static void work(void *arg)
{
    struct postmen *p = arg;
    while (!atomic_load(&p->stopping)) {
        struct store_hook hook;
        uint64_t seen = store_changes(p->params->store);
        if (store_hook_take(p->params->store, &hook, NULL)) {
            store_wait(p->params->store, seen, LOOK_US);
            continue;
        }
        deliver(p, &hook);
        store_hook_done(&hook);
    }
}

int postmen_start(const struct worker_params *params, struct postmen **ret_postmen,
                  struct lip_error *err)
{
    struct postmen *p = params->hook_body ? base_alloc_zero(sizeof *p) : NULL;
    int r = !params->hook_body || p ? LIP_OK : LIP_ERR_NOMEM;
    if (p)
        p->params = params;
    for (int i = 0; p && !r && i < POSTMEN; i++)
        r = base_thread_start(work, p, &p->threads[i]);
    if (r) {
        postmen_stop(&p);
        return base_error_set(err, r, WHERE, "webhooks cannot be sent");
    }
    *ret_postmen = p;
    return LIP_OK;
}

void postmen_stop(struct postmen **postmen)
{
    struct postmen *p = *postmen;
    if (!p)
        return;
    atomic_store(&p->stopping, 1);
    store_wake(p->params->store);
    for (int i = 0; i < POSTMEN; i++)
        base_thread_join(&p->threads[i]);
    base_free(p);
    *postmen = NULL;
}
