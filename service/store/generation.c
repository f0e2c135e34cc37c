/* SPDX-License-Identifier: MIT
 * Jobs and their queue. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/room.h"

#define WHERE "store/generation"
#define COLUMNS STORE_GENERATION_COLUMNS

static const char *const status_names[STORE_STATUS_COUNT] = {"PENDING", "PROCESSING", "COMPLETED",
                                                             "FAILED", "REJECTED"};

const char *store_status_name(int status)
{
    return status >= 0 && status < STORE_STATUS_COUNT ? status_names[status] : "UNKNOWN";
}

bool store_status_final(int status)
{
    return status != STORE_PENDING && status != STORE_PROCESSING;
}

void store_generation_done(struct store_generation *g)
{
    base_free(g->model);
    base_free(g->input);
    base_free(g->options);
    base_free(g->segments);
    base_free(g->file_name);
    base_free(g->error);
    base_free(g->error_code);
    base_free(g->webhook_url);
    base_free(g->base_url);
    base_free(g->request_id);
    base_free(g->once_key);
    base_free(g->once_hash);
    *g = (struct store_generation){.model = NULL};
}

void store_generations_done(struct store_generation *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_generation_done(&list[i]);
    base_free(list);
}

/* No second one with the same once_key: then nothing is written. */
#define INSERT "INSERT INTO generations(id,token,created_ms,status,model,input,options,segments," \
               "file_name,organization,webhook_url,base_url,hook_ms,once_key,once_hash,batch," \
               "request_id) VALUES(?,?,?,0,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"

static void bind_new(struct store_query *q, const struct store_generation *g)
{
    store_bind_text(q, g->id);
    store_bind_text(q, g->token);
    store_bind_int(q, store_now_ms());
    store_bind_text(q, g->model);
    store_bind_text(q, g->input);
    store_bind_text(q, g->options);
    store_bind_text(q, g->segments);
    store_bind_text(q, g->file_name);
    store_bind_int(q, g->organization);
    store_bind_text(q, g->webhook_url);
    store_bind_text(q, g->base_url);
    if (g->webhook_url)
        store_bind_int(q, 0); /* due as soon as it is over */
    else
        store_bind_text(q, NULL);
    store_bind_text(q, g->once_key);
    store_bind_text(q, g->once_hash);
    if (g->batch)
        store_bind_int(q, g->batch);
    else
        store_bind_text(q, NULL);
    store_bind_text(q, g->request_id);
}

int store_generation_insert(const struct store_act *act, const struct store_generation *g,
                            struct lip_error *err)
{
    struct store_query q;
    int changed = 0;
    store_act_query(&q, act, INSERT, err);
    bind_new(&q, g);
    int r = store_query_end(&q, &changed);
    return r || changed ? r : base_error_set(err, LIP_ERR_EXISTS, WHERE,
                                             "this idempotency key was used");
}

int store_generation_add(struct store *store, const struct store_generation *g,
                         const struct store_asset *files, size_t n_files, struct lip_error *err)
{
    struct store_act act;
    int r = store_act_begin(&act, store, err);
    if (r)
        return r;
    r = store_generation_insert(&act, g, err);
    for (size_t i = 0; i < n_files && !r; i++)
        r = store_asset_insert(&act, &files[i], err);
    r = store_act_end(&act, r, err);
    if (!r)
        store_note_change(store);
    return r;
}

void store_generation_read(struct store_query *q, struct store_generation *ret_g)
{
    struct store_generation g = {.number = store_column_int(q, 0)};
    store_column_id(q, 1, g.id);
    store_column_id(q, 2, g.token);
    g.created_ms = store_column_int(q, 3);
    g.status = (int)store_column_int(q, 4);
    g.attempt = (int)store_column_int(q, 5);
    g.cancel = store_column_int(q, 6);
    g.progress = store_column_real(q, 7);
    g.duration_s = store_column_real(q, 8);
    g.organization = store_column_int(q, 9);
    g.batch = store_column_int(q, 10);
    g.crashes = (int)store_column_int(q, 23);
    char **const texts[] = {&g.model, &g.input, &g.options, &g.segments, &g.file_name, &g.error,
                            &g.error_code, &g.webhook_url, &g.base_url, &g.request_id, &g.once_key,
                            &g.once_hash};
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        *texts[i] = store_column_text(q, 11 + i);
    *ret_g = g;
}

static int get(struct store *store, const char *sql, const char *id,
               struct store_generation *ret_g, struct lip_error *err)
{
    struct store_query q;
    struct store_generation g = {.model = NULL};
    bool found = false;
    store_query_begin(&q, store, sql, err);
    if (id)
        store_bind_text(&q, id);
    if ((found = store_query_row(&q)))
        store_generation_read(&q, &g);
    int r = store_query_end(&q, NULL);
    if (!r && !found)
        r = LIP_ERR_NOT_FOUND;
    if (r)
        store_generation_done(&g);
    else
        *ret_g = g;
    return r;
}

int store_generation_get(struct store *store, const char *id, struct store_generation *ret_g,
                         struct lip_error *err)
{
    int r = get(store, "SELECT " COLUMNS " FROM generations WHERE id=?", id, ret_g, err);
    return r == LIP_ERR_NOT_FOUND ? base_error_set(err, r, WHERE, "there is no such generation")
                                  : r;
}

int store_generation_list(struct store *store, const struct store_generation_filter *filter,
                          struct store_generation **ret_list, size_t *ret_n,
                          struct lip_error *err)
{
    struct store_generation *list = NULL;
    size_t n = 0, cap = 0;
    int r = LIP_OK;
    char statuses[STORE_SET_BYTES];
    struct store_query q;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM generations"
                      " WHERE " STORE_AMONG("?1", "status")
                      " AND (CAST(?2 AS TEXT) IS NULL OR id IN (SELECT value FROM json_each(?2)))"
                      " AND (CAST(?3 AS TEXT) IS NULL OR number<"
                      "(SELECT number FROM generations WHERE id=?3))"
                      " AND organization=?4 AND (?5=0 OR batch=?5)"
                      " ORDER BY number DESC LIMIT ?6", err);
    store_bind_set(&q, filter->statuses, statuses);
    store_bind_text(&q, filter->ids);
    store_bind_text(&q, filter->cursor);
    store_bind_int(&q, filter->organization);
    store_bind_int(&q, filter->batch);
    store_bind_int(&q, filter->limit);
    while (!r && store_query_row(&q)) {
        r = base_grow(&list, &cap, n + 1, STORE_LIST_MAX, sizeof *list);
        if (!r)
            store_generation_read(&q, &list[n++]);
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (r) {
        store_generations_done(list, n);
        return r;
    }
    *ret_list = list;
    *ret_n = n;
    return LIP_OK;
}

int store_generation_count(struct store *store, int64_t organization, unsigned statuses,
                           int64_t *ret_n, struct lip_error *err)
{
    struct store_query q;
    char set[STORE_SET_BYTES];
    store_query_begin(&q, store, "SELECT count(*) FROM generations"
                      " WHERE " STORE_AMONG("?1", "status") " AND (?2=0 OR organization=?2)", err);
    store_bind_set(&q, statuses, set);
    store_bind_int(&q, organization);
    return store_query_number(&q, ret_n);
}

int store_once_forget(struct store *store, const char *sql, int64_t organization,
                      const char *once_key, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, sql, err);
    store_bind_int(&q, organization);
    store_bind_text(&q, once_key);
    store_bind_int(&q, store_now_ms() - STORE_ONCE_MS);
    return store_query_end(&q, NULL);
}

int store_generation_once(struct store *store, int64_t organization, const char *once_key,
                          struct store_generation *ret_g, struct lip_error *err)
{
    struct store_query q;
    struct store_generation g = {.model = NULL};
    bool found = false;
    int r = store_once_forget(store, "UPDATE generations" STORE_ONCE_FORGET, organization,
                              once_key, err);
    if (r)
        return r;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM generations"
                      " WHERE organization=? AND once_key=?", err);
    store_bind_int(&q, organization);
    store_bind_text(&q, once_key);
    if ((found = store_query_row(&q)))
        store_generation_read(&q, &g);
    r = store_query_end(&q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "nothing was made with this key");
    if (r)
        store_generation_done(&g);
    else
        *ret_g = g;
    return r;
}

int store_usage(struct store *store, int64_t organization, int n_days, struct store_day **ret_days,
                size_t *ret_n, struct lip_error *err)
{
    struct store_query q;
    struct store_day *days = NULL;
    size_t n = 0, cap = 0;
    int r = LIP_OK;
    store_query_begin(&q, store, "SELECT created_ms/86400000*86400000 AS day, count(*),"
                      " sum(CASE status WHEN 2 THEN 1 ELSE 0 END), sum(duration_s)"
                      " FROM generations WHERE organization=?1 AND created_ms>=?2"
                      " GROUP BY day ORDER BY day DESC LIMIT ?3", err);
    store_bind_int(&q, organization);
    store_bind_int(&q, (store_now_ms() / 86400000 - n_days + 1) * 86400000);
    store_bind_int(&q, n_days);
    while (!r && store_query_row(&q)) {
        r = base_grow(&days, &cap, n + 1, STORE_DAYS_MAX, sizeof *days);
        if (!r)
            days[n++] = (struct store_day){store_column_int(&q, 0), store_column_int(&q, 1),
                                           store_column_int(&q, 2), store_column_real(&q, 3)};
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (r) {
        base_free(days);
        return r;
    }
    *ret_days = days;
    *ret_n = n;
    return LIP_OK;
}

int store_pace(struct store *store, struct store_pace *ret_pace, struct lip_error *err)
{
    struct store_query q;
    int64_t *ms = NULL, waiting_ms = 0;
    size_t n = 0, cap = 0;
    store_query_begin(&q, store, "SELECT NOW_MS-min(created_ms) FROM generations WHERE status=0",
                      err);
    int r = store_query_number(&q, &waiting_ms);
    if (r)
        return r;
    store_query_begin(&q, store, "SELECT ended_ms-started_ms FROM generations"
                      " WHERE ended_ms>NOW_MS-3600000 ORDER BY ended_ms-started_ms LIMIT ?", err);
    store_bind_int(&q, STORE_LIST_MAX);
    while (!r && store_query_row(&q)) {
        r = base_grow(&ms, &cap, n + 1, STORE_LIST_MAX, sizeof *ms);
        if (!r)
            ms[n++] = store_column_int(&q, 0);
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (!r)
        *ret_pace = (struct store_pace){waiting_ms > 0 ? waiting_ms : 0, (int64_t)n,
                                        n ? ms[n / 2] : 0, n ? ms[n * 9 / 10] : 0,
                                        n ? ms[n - 1] : 0};
    base_free(ms);
    return r;
}

/* A statement that changes one job, or tells why not. */
static int change_one(struct store *store, struct store_query *q, struct lip_error *err)
{
    int changed = 0;
    int r = store_query_end(q, &changed);
    if (!r && changed)
        store_note_change(store);
    if (!r && !changed)
        r = base_error_set(err, LIP_ERR_STATE, WHERE, "the job is in no state for that");
    return r;
}

static int missing_or(int r, struct store *store, const char *id, struct lip_error *err)
{
    struct store_generation g;
    if (r != LIP_ERR_STATE)
        return r;
    int found = store_generation_get(store, id, &g, NULL);
    if (!found)
        store_generation_done(&g);
    if (found != LIP_ERR_NOT_FOUND)
        return r;
    base_error_clear(err);
    return base_error_set(err, found, WHERE, "there is no such generation");
}

int store_generation_remove(struct store *store, const char *id, struct lip_error *err)
{
    static const char *const endings[] = {".mp4", ".json"};
    struct store_query q;
    store_query_begin(&q, store, "DELETE FROM generations WHERE id=? AND status>1", err);
    store_bind_text(&q, id);
    int r = change_one(store, &q, err);
    for (int i = 0; !r && i < 2; i++)
        store_media_drop(store, id, endings[i]);
    return missing_or(r, store, id, err);
}

int store_generation_cancel(struct store *store, const char *id, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "UPDATE generations SET cancel=1,"
                      " error=CASE status WHEN 0 THEN 'The job was cancelled' END,"
                      " error_code=CASE status WHEN 0 THEN 'generation_cancelled' END,"
                      " status=CASE status WHEN 0 THEN 3 ELSE 1 END WHERE id=? AND status<2", err);
    store_bind_text(&q, id);
    int r = change_one(store, &q, err);
    return missing_or(r, store, id, err);
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define LEASE TEXT(STORE_LEASE_MS)
#define LOST TEXT(STORE_LOST_MAX)

/* Jobs whose workers vanish one after another. */
static void give_up(struct store *store)
{
    struct store_query q;
    int changed = 0;
    store_query_begin(&q, store, "UPDATE generations SET status=3,"
                      " error='The machines that worked on the job vanished',"
                      " error_code='generation_pipeline_failed'"
                      " WHERE status=1 AND lease_ms<NOW_MS AND lost>=" LOST, NULL);
    if (!store_query_end(&q, &changed) && changed)
        store_note_change(store);
}

int store_generation_claim(struct store *store, struct store_generation *ret_g,
                           struct lip_error *err)
{
    /* One statement: two takers never get the same job. */
    int r = get(store, "UPDATE generations SET lost=lost+status, status=1, attempt=attempt+1,"
                " progress=0, parts_left=0, started_ms=NOW_MS, lease_ms=NOW_MS+" LEASE
                " WHERE number=(SELECT number FROM generations WHERE status=0"
                " OR (status=1 AND lease_ms<NOW_MS AND lost<" LOST ")"
                " ORDER BY batch IS NOT NULL, number LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " RETURNING " COLUMNS, NULL, ret_g, err);
    if (r == LIP_ERR_NOT_FOUND)
        give_up(store);
    if (!r)
        store_note_change(store);
    return r;
}

int store_generation_finish(struct store *store, const char *id, int attempt,
                            const struct store_outcome *outcome, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "UPDATE generations SET status=?, duration_s=?, error=?,"
                      " error_code=?, progress=?, ended_ms=NOW_MS"
                      " WHERE id=? AND attempt=? AND status=1", err);
    store_bind_int(&q, outcome->status);
    store_bind_real(&q, outcome->duration_s);
    store_bind_text(&q, outcome->error);
    store_bind_text(&q, outcome->error_code);
    store_bind_real(&q, outcome->status == STORE_COMPLETED ? 1.0 : 0.0);
    store_bind_text(&q, id);
    store_bind_int(&q, attempt);
    int r = change_one(store, &q, err);
    return r;
}

int store_generation_release(struct store *store, const char *id, int attempt, bool crashed,
                             struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "UPDATE generations SET status=0, crashes=crashes+?, progress=0,"
                      " parts_left=0"
                      " WHERE id=? AND attempt=? AND status=1", err);
    store_bind_int(&q, crashed);
    store_bind_text(&q, id);
    store_bind_int(&q, attempt);
    int r = change_one(store, &q, err);
    return r;
}

int store_generation_progress(struct store *store, const char *id, int attempt, double progress,
                              bool *ret_cancel, struct lip_error *err)
{
    struct store_query q;
    bool found = false, cancel = false;
    store_query_begin(&q, store, "UPDATE generations SET progress="
                      "CASE WHEN progress<?1 THEN ?1 ELSE progress END, lease_ms=NOW_MS+" LEASE
                      " WHERE id=?2 AND attempt=?3 AND status=1 RETURNING cancel", err);
    store_bind_real(&q, progress);
    store_bind_text(&q, id);
    store_bind_int(&q, attempt);
    if ((found = store_query_row(&q)))
        cancel = store_column_int(&q, 0);
    int r = store_query_end(&q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_STATE, WHERE, "the job is no longer this worker's");
    if (!r)
        *ret_cancel = cancel;
    return r;
}

/* Parts ---------------------------------------------------------------------------------------- */

int store_parts_offer(struct store *store, const char *id, int attempt, enum store_stage stage,
                      int n, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "UPDATE generations SET parts=?1, parts_left=?1-1, parts_stage=?2"
                      " WHERE id=?3 AND attempt=?4 AND status=1", err);
    store_bind_int(&q, n);
    store_bind_int(&q, stage);
    store_bind_text(&q, id);
    store_bind_int(&q, attempt);
    return change_one(store, &q, err);
}

int store_part_claim(struct store *store, struct store_part *ret_part, struct lip_error *err)
{
    struct store_query q;
    struct store_part part = {.number = 0};
    bool found = false;
    store_query_begin(&q, store, "UPDATE generations SET parts_left=parts_left-1"
                      " WHERE number=(SELECT number FROM generations WHERE status=1 AND"
                      " parts_left>0 ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)"
                      " RETURNING " COLUMNS ",parts,parts_left,parts_stage", err);
    if ((found = store_query_row(&q))) {
        store_generation_read(&q, &part.generation);
        part.n = (int)store_column_int(&q, STORE_GENERATION_COUNT);
        part.number = (int)store_column_int(&q, STORE_GENERATION_COUNT + 1) + 2;
        part.stage = (enum store_stage)store_column_int(&q, STORE_GENERATION_COUNT + 2);
    }
    int r = store_query_end(&q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "no part waits");
    if (r)
        store_generation_done(&part.generation);
    else
        *ret_part = part;
    return r;
}

int store_part_wanted(struct store *store, const struct store_part *part, bool *ret_wanted,
                      struct lip_error *err)
{
    struct store_query q;
    int64_t n = 0;
    store_query_begin(&q, store, "SELECT count(*) FROM generations WHERE id=? AND attempt=?"
                      " AND status=1 AND cancel=0 AND parts_stage=?", err);
    store_bind_text(&q, part->generation.id);
    store_bind_int(&q, part->generation.attempt);
    store_bind_int(&q, part->stage);
    int r = store_query_number(&q, &n);
    if (!r)
        *ret_wanted = n > 0;
    return r;
}
