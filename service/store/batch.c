/* SPDX-License-Identifier: MIT
 * Batches, and whom to tell that something is over. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/room.h"

#define WHERE "store/batch"
#define HOOK_LEASE_MS "60000"
#define COUNT(status) \
    "(SELECT count(*) FROM generations g WHERE g.batch=batches.number AND g.status=" status ")"
#define COLUMNS "number,id,token,organization,created_ms,webhook_url,base_url," COUNT("0") "," \
                COUNT("1") "," COUNT("2") "," COUNT("3") "," COUNT("4") ",once_key,once_hash"

void store_batch_done(struct store_batch *batch)
{
    base_free(batch->webhook_url);
    base_free(batch->base_url);
    base_free(batch->once_key);
    base_free(batch->once_hash);
    *batch = (struct store_batch){.webhook_url = NULL};
}

void store_batches_done(struct store_batch *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_batch_done(&list[i]);
    base_free(list);
}

bool store_batch_over(const struct store_batch *batch)
{
    return !batch->n[STORE_PENDING] && !batch->n[STORE_PROCESSING];
}

/* No second one with the same once_key: then nothing is written. */
static int insert(const struct store_act *act, const struct store_batch *batch, int64_t *ret_number,
                  struct lip_error *err)
{
    struct store_query q;
    store_act_query(&q, act, "INSERT INTO batches(id,token,organization,created_ms,webhook_url,"
                    "base_url,hook_ms,once_key,once_hash) VALUES(?,?,?,?,?,?,?,?,?)"
                    " ON CONFLICT DO NOTHING RETURNING number", err);
    store_bind_text(&q, batch->id);
    store_bind_text(&q, batch->token);
    store_bind_int(&q, batch->organization);
    store_bind_int(&q, store_now_ms());
    store_bind_text(&q, batch->webhook_url);
    store_bind_text(&q, batch->base_url);
    if (batch->webhook_url)
        store_bind_int(&q, 0);
    else
        store_bind_text(&q, NULL);
    store_bind_text(&q, batch->once_key);
    store_bind_text(&q, batch->once_hash);
    int r = store_query_number(&q, ret_number);
    return r || *ret_number ? r : base_error_set(err, LIP_ERR_EXISTS, WHERE,
                                                 "this idempotency key was used");
}

int store_batch_add(struct store *store, const struct store_batch *batch,
                    const struct store_generation *generations, size_t n, struct lip_error *err)
{
    struct store_act act;
    int64_t number = 0;
    int r = batch->once_key ? store_once_forget(store, "UPDATE batches" STORE_ONCE_FORGET,
                                                batch->organization, batch->once_key, err)
                            : LIP_OK;
    if (!r)
        r = store_act_begin(&act, store, err);
    if (r)
        return r;
    r = insert(&act, batch, &number, err);
    for (size_t i = 0; i < n && !r; i++) {
        struct store_generation g = generations[i];
        g.batch = number;
        r = store_generation_insert(&act, &g, err);
    }
    r = store_act_end(&act, r, err);
    if (!r)
        store_note_change(store);
    return r;
}

static void read_row(struct store_query *q, struct store_batch *ret_batch)
{
    struct store_batch b = {.number = store_column_int(q, 0)};
    store_column_id(q, 1, b.id);
    store_column_id(q, 2, b.token);
    b.organization = store_column_int(q, 3);
    b.created_ms = store_column_int(q, 4);
    b.webhook_url = store_column_text(q, 5);
    b.base_url = store_column_text(q, 6);
    for (int i = 0; i < STORE_STATUS_COUNT; i++)
        b.n[i] = store_column_int(q, 7 + i);
    b.once_key = store_column_text(q, 7 + STORE_STATUS_COUNT);
    b.once_hash = store_column_text(q, 8 + STORE_STATUS_COUNT);
    *ret_batch = b;
}

/* The first row of a query, and its end. */
static int take_one(struct store_query *q, struct store_batch *ret_batch, struct lip_error *err)
{
    struct store_batch b = {.webhook_url = NULL};
    bool found = store_query_row(q);
    if (found)
        read_row(q, &b);
    int r = store_query_end(q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such batch");
    if (r)
        store_batch_done(&b);
    else
        *ret_batch = b;
    return r;
}

int store_batch_get(struct store *store, const char *id, struct store_batch *ret_batch,
                    struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM batches WHERE id=?", err);
    store_bind_text(&q, id);
    return take_one(&q, ret_batch, err);
}

int store_batch_once(struct store *store, int64_t organization, const char *once_key,
                     struct store_batch *ret_batch, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM batches"
                      " WHERE organization=? AND once_key=?", err);
    store_bind_int(&q, organization);
    store_bind_text(&q, once_key);
    return take_one(&q, ret_batch, err);
}

int store_batch_list(struct store *store, int64_t organization, int64_t from_ms, int64_t to_ms,
                     struct store_batch **ret_list, size_t *ret_n, struct lip_error *err)
{
    struct store_query q;
    struct store_batch *list = NULL;
    size_t n = 0, cap = 0;
    int r = LIP_OK;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM batches WHERE organization=?"
                      " AND created_ms>=? AND created_ms<=? ORDER BY number DESC LIMIT ?", err);
    store_bind_int(&q, organization);
    store_bind_int(&q, from_ms);
    store_bind_int(&q, to_ms);
    store_bind_int(&q, STORE_LIST_MAX);
    while (!r && store_query_row(&q)) {
        r = base_grow(&list, &cap, n + 1, STORE_LIST_MAX, sizeof *list);
        if (!r)
            read_row(&q, &list[n++]);
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (r) {
        store_batches_done(list, n);
        return r;
    }
    *ret_list = list;
    *ret_n = n;
    return LIP_OK;
}

/* Webhooks ------------------------------------------------------------------------------------- */

void store_hook_done(struct store_hook *hook)
{
    store_generation_done(&hook->generation);
    store_batch_done(&hook->batch);
}

/* One statement each: two takers never get the same one. */
#define TAKE(table, over) \
    "UPDATE " table " SET hook_ms=NOW_MS+" HOOK_LEASE_MS ", hook_tries=hook_tries+1" \
    " WHERE number=(SELECT number FROM " table " WHERE hook_ms<=NOW_MS AND " over \
    " ORDER BY hook_ms LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING "

static int take_generation(struct store *store, struct store_hook *hook, struct lip_error *err)
{
    struct store_query q;
    bool found = false;
    store_query_begin(&q, store, TAKE("generations", "status>1") STORE_GENERATION_COLUMNS
                      ",hook_tries", err);
    if ((found = store_query_row(&q))) {
        store_generation_read(&q, &hook->generation);
        hook->tries = (int)store_column_int(&q, STORE_GENERATION_COUNT);
    }
    int r = store_query_end(&q, NULL);
    return r || found ? r : LIP_ERR_NOT_FOUND;
}

static int take_batch(struct store *store, struct store_hook *hook, struct lip_error *err)
{
    struct store_query q;
    bool found = false;
    hook->of_batch = true;
    store_query_begin(&q, store, TAKE("batches", "NOT EXISTS (SELECT 1 FROM generations g WHERE"
                                      " g.batch=batches.number AND g.status<2)") COLUMNS
                      ",hook_tries", err);
    if ((found = store_query_row(&q))) {
        read_row(&q, &hook->batch);
        hook->tries = (int)store_column_int(&q, 9 + STORE_STATUS_COUNT);
    }
    int r = store_query_end(&q, NULL);
    return r || found ? r : LIP_ERR_NOT_FOUND;
}

int store_hook_take(struct store *store, struct store_hook *ret_hook, struct lip_error *err)
{
    struct store_hook hook = {.of_batch = false};
    int r = take_generation(store, &hook, err);
    if (r == LIP_ERR_NOT_FOUND)
        r = take_batch(store, &hook, err);
    if (r)
        store_hook_done(&hook);
    else
        *ret_hook = hook;
    return r;
}

int store_hook_settle(struct store *store, const struct store_hook *hook, int64_t again_ms,
                      struct lip_error *err)
{
    struct store_query q;
    char sql[160]; /* nothing, when somebody else has taken it since */
    snprintf(sql, sizeof sql, "UPDATE %s SET hook_ms=%s WHERE number=? AND hook_tries=?",
             hook->of_batch ? "batches" : "generations", again_ms < 0 ? "NULL" : "NOW_MS+?");
    store_query_begin(&q, store, sql, err);
    if (again_ms >= 0)
        store_bind_int(&q, again_ms);
    store_bind_int(&q, hook->of_batch ? hook->batch.number : hook->generation.number);
    store_bind_int(&q, hook->tries);
    return store_query_end(&q, NULL);
}
