/* SPDX-License-Identifier: MIT
 * One generation: made, asked for, ended, removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "http/room.h"

#define WHERE "http/generate"
#define ONCE_BYTES_MAX 128

json_t *http_text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *http_parsed_or_null(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_null();
}

json_t *http_result_url(const char *base_url, const struct store_generation *g)
{
    return base_url && g->status == STORE_COMPLETED
               ? json_sprintf("%s/v2/generations/%s/result?token=%s", base_url, g->id, g->token)
               : json_null();
}

json_t *http_generation_json(struct http_request *r, const struct store_generation *g,
                             bool progress)
{
    char *base = http_base_url(r);
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(g->id));
    json_object_set_new(o, "createdAt", http_time(g->created_ms));
    json_object_set_new(o, "status", json_string(store_status_name(g->status)));
    json_object_set_new(o, "model", json_string(g->model));
    json_object_set_new(o, "input", http_parsed_or_null(g->input));
    json_object_set_new(o, "options", http_parsed_or_null(g->options));
    json_object_set_new(o, "segments", http_parsed_or_null(g->segments));
    json_object_set_new(o, "webhookUrl", http_text_or_null(g->webhook_url));
    json_object_set_new(o, "outputFileName", http_text_or_null(g->file_name));
    json_object_set_new(o, "projectId", json_null());
    json_object_set_new(o, "outputUrl", http_result_url(base, g));
    json_object_set_new(o, "segmentOutputUrl", json_null());
    json_object_set_new(o, "outputDuration", g->status == STORE_COMPLETED
                                                 ? json_real(g->duration_s) : json_null());
    const char *code = store_status_final(g->status) ? g->error_code : NULL;
    json_object_set_new(o, "error", http_text_or_null(code ? g->error : NULL));
    json_object_set_new(o, "error_code", http_text_or_null(code));
    json_object_set_new(o, "errorCode", http_text_or_null(code));
    if (progress)
        json_object_set_new(o, "progress", json_integer((int)(100 * g->progress)));
    base_free(base);
    return o;
}

/* JSON as base memory. */
static int keep_json(const json_t *json, char **ret_text)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    *ret_text = base_strdup(text);
    free(text); /* lint: allow free: jansson gave this memory */
    return json && !*ret_text ? LIP_ERR_NOMEM : LIP_OK;
}

static int keep_text(const char *text, char **ret_text)
{
    *ret_text = base_strdup(text);
    return text && !*ret_text ? LIP_ERR_NOMEM : LIP_OK;
}

int http_generation_make(struct http_request *r, const struct http_wish *w,
                         struct store_generation *ret_g, struct lip_error *err)
{
    struct store_generation g = {.status = STORE_PENDING, .organization = r->organization};
    store_id_make(g.id);
    store_id_make(g.token);
    if (keep_json(w->input, &g.input) || keep_json(w->options, &g.options) ||
        keep_json(w->segments, &g.segments) || keep_text(w->model, &g.model) ||
        keep_text(w->webhook_url, &g.webhook_url) ||
        keep_text(*w->file_name ? w->file_name : NULL, &g.file_name) ||
        (w->webhook_url && !(g.base_url = http_base_url(r)))) {
        store_generation_done(&g);
        return base_error_nomem(err, WHERE);
    }
    *ret_g = g;
    return LIP_OK;
}

/* Idempotency ---------------------------------------------------------------------------------- */

struct once {
    const char *key; /* NULL: none was sent */
    int n;
};

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    struct once *once = user;
    if (!strcasecmp(name, "Idempotency-Key")) {
        once->key = value ? value : "";
        once->n++;
    }
    return MHD_YES;
}

const char *http_once_key(struct http_request *r)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._~-";
    struct once once = {.key = NULL};
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, on_header, &once);
    if (once.n > 1 || (once.n && (!*once.key || strlen(once.key) > ONCE_BYTES_MAX ||
                                  once.key[strspn(once.key, letters)])))
        http_fault_set(&r->fault, 400, "INVALID_IDEMPOTENCY_KEY", "Idempotency-Key",
                       "Idempotency-Key must be one header of 1 to %d of A-Z a-z 0-9 . _ ~ -",
                       ONCE_BYTES_MAX);
    return once.key;
}

/* The generation that a request with this key made before. LIP_ERR_NOT_FOUND: none;
 * LIP_ERR_EXISTS: another request's. */
static int made_before(struct http_request *r, const char *once_key, const char *hash,
                       struct store_generation *ret_g, struct lip_error *err)
{
    if (!once_key)
        return LIP_ERR_NOT_FOUND;
    int error = store_generation_once(r->store, r->organization, once_key, ret_g, err);
    if (error || (ret_g->once_hash && !strcmp(ret_g->once_hash, hash)))
        return error;
    store_generation_done(ret_g);
    return LIP_ERR_EXISTS;
}

/* LIP_ERR_EXISTS: another request with this key was faster. */
static int queue(struct http_request *r, const struct http_wish *w, const char *once_key,
                 const char *hash, struct store_generation *ret_g, struct lip_error *err)
{
    struct store_generation g;
    int error = http_generation_make(r, w, &g, err);
    if (error)
        return error;
    if (once_key && (keep_text(once_key, &g.once_key) || keep_text(hash, &g.once_hash)))
        error = base_error_nomem(err, WHERE);
    if (!error)
        error = http_body_keep_files(r, &g, err);
    if (!error)
        error = store_generation_get(r->store, g.id, ret_g, err);
    store_generation_done(&g);
    return error;
}

/* What was made with the key is looked for first: its answer comes again, though an asset of the
 * request may be gone by now. LIP_ERR_ARG: with a fault. */
static int make_once(struct http_request *r, json_t *body, const char *once_key,
                     struct store_generation *ret_g, struct lip_error *err)
{
    struct http_wish wish;
    char hash[HTTP_HASH_BYTES] = "";
    int error = once_key ? http_body_hash(r, hash, err) : LIP_OK;
    if (!error)
        error = made_before(r, once_key, hash, ret_g, err);
    if (error != LIP_ERR_NOT_FOUND)
        return error;
    base_error_clear(err);
    if (http_check(r, body, &wish))
        return LIP_ERR_ARG;
    error = queue(r, &wish, once_key, hash, ret_g, err);
    if (error != LIP_ERR_EXISTS)
        return error;
    base_error_clear(err);
    return made_before(r, once_key, hash, ret_g, err);
}

enum MHD_Result http_generate(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    const char *once_key = http_once_key(r);
    json_t *body = http_body_object(r);
    int error = body ? make_once(r, body, once_key, &g, &err) : LIP_ERR_ARG;
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return http_reply_failure(r, error, &err);
    g.status = STORE_PENDING; /* as it was made, though a worker may have had it by now */
    json_t *json = http_generation_json(r, &g, false);
    store_generation_done(&g);
    return http_reply(r, 201, json);
}

int http_generation_find(struct http_request *r, struct store_generation *ret_g,
                         struct lip_error *err)
{
    int error = store_generation_get(r->store, r->id, ret_g, err);
    if (error || ret_g->organization == r->organization)
        return error;
    store_generation_done(ret_g);
    return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such generation");
}

/* The generation once it is over, or as it is after `timeout_s`. */
static int get_later(struct http_request *r, int timeout_s, struct store_generation *ret_g,
                     struct lip_error *err)
{
    int64_t end_us = base_time_us() + (int64_t)timeout_s * 1000000;
    for (;;) {
        uint64_t seen = store_changes(r->store);
        int64_t left_us = end_us - base_time_us();
        int error = http_generation_find(r, ret_g, err);
        bool over = left_us <= 0 || atomic_load(&r->server->stopping);
        if (error || over || store_status_final(ret_g->status))
            return error;
        store_generation_done(ret_g);
        store_wait(r->store, seen, left_us);
    }
}

enum MHD_Result http_generation_get(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    const char *wait = http_query(r, "wait"), *include = http_query(r, "include");
    bool waits = wait && !strcmp(wait, "true"), progress = include && strstr(include, "progress");
    int timeout_s = http_query_number(r, "timeout", 1, 10, 5);
    if (wait && !waits && strcmp(wait, "false"))
        http_fault_note(&r->fault, "wait must be true or false");
    if (waits && progress)
        http_fault_note(&r->fault, "wait and include=progress exclude each other");
    if (r->fault.status)
        return http_reply_fault(r);
    int error = waits ? get_later(r, timeout_s, &g, &err)
                      : http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *json = http_generation_json(r, &g, progress);
    store_generation_done(&g);
    return http_reply(r, 200, json);
}

enum MHD_Result http_generation_remove(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    int error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *json = http_generation_json(r, &g, false);
    store_generation_done(&g);
    error = store_generation_remove(r->store, r->id, &err);
    if (!error)
        return http_reply(r, 200, json);
    json_decref(json);
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "generation_not_deletable_while_processing",
                                "The generation is not over: end it with POST …/cancel first");
    return http_reply_failure(r, error, &err);
}

enum MHD_Result http_generation_cancel(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    int error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    store_generation_done(&g);
    error = store_generation_cancel(r->store, r->id, &err);
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "generation_conflict", "The generation is over already");
    if (!error)
        error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *json = http_generation_json(r, &g, false);
    store_generation_done(&g);
    return http_reply(r, 200, json);
}
