/* SPDX-License-Identifier: MIT
 * One generation: made, asked for, ended, removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "http/room.h"

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *parsed_or_null(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_null();
}

static json_t *result_url(struct http_request *r, const struct store_generation *g)
{
    char *base = http_base_url(r);
    json_t *url = base && g->status == STORE_COMPLETED
                      ? json_sprintf("%s/v2/generations/%s/result?token=%s", base, g->id, g->token)
                      : json_null();
    base_free(base);
    return url;
}

json_t *http_generation_json(struct http_request *r, const struct store_generation *g,
                             bool progress)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(g->id));
    json_object_set_new(o, "createdAt", http_time(g->created_ms));
    json_object_set_new(o, "status", json_string(store_status_name(g->status)));
    json_object_set_new(o, "model", json_string(g->model));
    json_object_set_new(o, "input", parsed_or_null(g->input));
    json_object_set_new(o, "options", parsed_or_null(g->options));
    json_object_set_new(o, "segments", parsed_or_null(g->segments));
    json_object_set_new(o, "webhookUrl", json_null());
    json_object_set_new(o, "outputFileName", text_or_null(g->file_name));
    json_object_set_new(o, "projectId", json_null());
    json_object_set_new(o, "outputUrl", result_url(r, g));
    json_object_set_new(o, "segmentOutputUrl", json_null());
    json_object_set_new(o, "outputDuration", g->status == STORE_COMPLETED
                                                 ? json_real(g->duration_s) : json_null());
    json_object_set_new(o, "error", text_or_null(g->error));
    json_object_set_new(o, "error_code", text_or_null(g->error_code));
    json_object_set_new(o, "errorCode", text_or_null(g->error_code));
    if (progress)
        json_object_set_new(o, "progress", json_integer((int)(100 * g->progress)));
    return o;
}

/* Files become assets first, then the job refers to them: a crash between leaves assets only. */
static int queue(struct http_request *r, const struct http_wish *w,
                 struct store_generation *ret_g, struct lip_error *err)
{
    struct store_generation g = {.status = STORE_PENDING};
    char name[256];
    snprintf(name, sizeof name, "%s", w->file_name);
    store_id_make(g.id);
    store_id_make(g.token);
    char *input = json_dumps(w->input, JSON_COMPACT);
    char *options = w->options ? json_dumps(w->options, JSON_COMPACT) : NULL;
    char *segments = w->segments ? json_dumps(w->segments, JSON_COMPACT) : NULL;
    char *model = base_strdup(w->model);
    int error = !input || !model || (w->options && !options) || (w->segments && !segments)
                    ? base_error_nomem(err, "http/generate") : http_body_keep_files(r, err);
    g.input = input;
    g.options = options;
    g.segments = segments;
    g.model = model;
    g.file_name = *name ? name : NULL;
    if (!error)
        error = store_generation_add(r->store, &g, err);
    base_free(model);
    free(input); /* lint: allow free: jansson gave these three */
    free(options); /* lint: allow free: jansson */
    free(segments); /* lint: allow free: jansson */
    return error ? error : store_generation_get(r->store, g.id, ret_g, err);
}

enum MHD_Result http_generate(struct http_request *r)
{
    struct lip_error err = {0};
    struct http_wish wish;
    struct store_generation g;
    json_t *body = http_body_object(r);
    if (!body || http_check(r, body, &wish)) {
        json_decref(body);
        return http_reply_fault(r);
    }
    int error = queue(r, &wish, &g, &err);
    json_decref(body);
    if (error)
        return http_reply_failure(r, error, &err);
    g.status = STORE_PENDING; /* as it was made, though a worker may have it by now */
    json_t *json = http_generation_json(r, &g, false);
    store_generation_done(&g);
    return http_reply(r, 201, json);
}

/* The generation once it is over, or as it is after `timeout_s`. */
static int get_later(struct http_request *r, int timeout_s, struct store_generation *ret_g,
                     struct lip_error *err)
{
    int64_t end_us = base_time_us() + (int64_t)timeout_s * 1000000;
    for (;;) {
        uint64_t seen = store_changes(r->store);
        int64_t left_us = end_us - base_time_us();
        int error = store_generation_get(r->store, r->id, ret_g, err);
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
                      : store_generation_get(r->store, r->id, &g, &err);
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
    int error = store_generation_get(r->store, r->id, &g, &err);
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
    int error = store_generation_cancel(r->store, r->id, &err);
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "generation_conflict", "The generation is over already");
    if (!error)
        error = store_generation_get(r->store, r->id, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *json = http_generation_json(r, &g, false);
    store_generation_done(&g);
    return http_reply(r, 200, json);
}
