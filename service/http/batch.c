/* SPDX-License-Identifier: MIT
 * Batches: a file of lines, each of them a generation; and what became of them, line by line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "http/room.h"

#define WHERE "http/batch"
#define REQUEST_ID_BYTES_MAX 200

/* The lines of a batch on their way to the store. */
struct lines {
    struct store_generation *at;
    size_t n, cap;
    json_t *ids; /* an object: which were used */
};

static void lines_done(struct lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        store_generation_done(&lines->at[i]);
    base_free(lines->at);
    json_decref(lines->ids);
}

/* The fault of one line says which one it is. */
static void blame_line(struct http_request *r, size_t number)
{
    struct http_fault *f = &r->fault;
    char text[sizeof f->text];
    const char *first = json_string_value(json_array_get(f->messages, 0));
    snprintf(text, sizeof text, "line %zu: %.300s", number, first ? first : f->text);
    snprintf(f->text, sizeof f->text, "%s", text);
    if (f->messages) {
        json_decref(f->messages);
        f->messages = NULL;
        f->code = "batch_invalid_jsonl";
    }
    f->status = 400;
}

static void check_line(struct http_request *r, const json_t *line, struct lines *lines)
{
    struct http_fault *f = &r->fault;
    const char *id = json_string_value(json_object_get(line, "request_id"));
    const char *endpoint = json_string_value(json_object_get(line, "endpoint"));
    if (!json_is_object(line))
        http_fault_set(f, 400, "batch_invalid_jsonl", NULL, "it is no JSON object");
    else if (!id || !*id || strlen(id) > REQUEST_ID_BYTES_MAX)
        http_fault_set(f, 400, "batch_invalid_jsonl", NULL,
                       "request_id must be a text of 1 to %d bytes", REQUEST_ID_BYTES_MAX);
    else if (json_object_get(lines->ids, id))
        http_fault_set(f, 400, "batch_duplicate_request_id", NULL, "request_id comes twice");
    else if (!endpoint || (strcmp(endpoint, "/v2/generate") && strcmp(endpoint, "/v2/generations")))
        http_fault_set(f, 400, "batch_invalid_endpoint", NULL, "endpoint must be /v2/generate");
    else
        json_object_set_new(lines->ids, id, json_true());
}

static int add_line(struct http_request *r, const char *text, size_t n, struct lines *lines,
                    struct lip_error *err)
{
    struct http_wish wish;
    json_t *line = json_loadb(text, n, 0, NULL);
    json_t *payload = json_object_get(line, "payload");
    int error = LIP_OK;
    check_line(r, line, lines);
    if (!r->fault.status && !http_check(r, payload, &wish)) {
        error = base_grow(&lines->at, &lines->cap, lines->n + 1, STORE_BATCH_MAX,
                          sizeof *lines->at);
        if (!error)
            error = http_generation_make(r, &wish, &lines->at[lines->n], err);
        if (!error) {
            struct store_generation *g = &lines->at[lines->n++];
            g->request_id = base_strdup(json_string_value(json_object_get(line, "request_id")));
            error = g->request_id ? LIP_OK : base_error_nomem(err, WHERE);
        }
    }
    json_decref(line);
    return error;
}

static int take_lines(struct http_request *r, struct lines *lines, struct lip_error *err)
{
    const struct http_field *f = http_body_field(r, "input");
    const char *at = f ? (const char *)f->value.data : NULL, *end = f ? at + f->value.size : NULL;
    int error = LIP_OK;
    lines->ids = json_object();
    for (size_t number = 1; at < end && !error && !r->fault.status; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop ? (size_t)(stop - at) : (size_t)(end - at);
        size_t blank = 0;
        while (blank < n && strchr(" \t\r", at[blank]) && at[blank])
            blank++;
        if (blank < n && lines->n == STORE_BATCH_MAX)
            http_fault_set(&r->fault, 400, "batch_file_too_large", "input",
                           "a batch has at most %d lines", STORE_BATCH_MAX);
        else if (blank < n)
            error = add_line(r, at, n, lines, err);
        if (r->fault.status)
            blame_line(r, number);
        at += n + 1;
    }
    if (!r->fault.status && !error && !lines->n)
        http_fault_set(&r->fault, 400, "batch_insufficient_records", "input",
                       "the file \"input\" has no line");
    return error;
}

static const char *status_of(const struct store_batch *b)
{
    bool begun = b->n[STORE_PROCESSING] || b->n[STORE_COMPLETED] || b->n[STORE_FAILED];
    return store_batch_over(b) ? "COMPLETED" : begun ? "PROCESSING" : "JOBS_CREATED";
}

static json_t *batch_json(const struct store_batch *b, const char *base_url)
{
    int64_t total = 0;
    for (int i = 0; i < STORE_STATUS_COUNT; i++)
        total += b->n[i];
    json_t *url = store_batch_over(b) ? json_sprintf("%s/v2/batches/%s/result?token=%s", base_url,
                                                     b->id, b->token) : json_string("");
    return json_pack("{s:s,s:o,s:s,s:{s:I,s:I,s:I,s:I},s:o,s:o}", "id", b->id, "created_at",
                     http_time(b->created_ms), "status", status_of(b), "metrics",
                     "total_generations", (json_int_t)total, "success_count",
                     (json_int_t)b->n[STORE_COMPLETED], "failed_count",
                     (json_int_t)(b->n[STORE_FAILED] + b->n[STORE_REJECTED]), "pending_count",
                     (json_int_t)(b->n[STORE_PENDING] + b->n[STORE_PROCESSING]), "outputUrl", url,
                     "webhookUrl", http_text_or_null(b->webhook_url));
}

static enum MHD_Result reply_batch(struct http_request *r, int status, const struct store_batch *b)
{
    char *base = http_base_url(r);
    json_t *json = base ? batch_json(b, base) : NULL;
    base_free(base);
    return http_reply(r, status, json);
}

static enum MHD_Result reply_failure(struct http_request *r, int error, const struct lip_error *err)
{
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "batch_not_found", "Batch not found");
    return http_reply_failure(r, error, err);
}

static bool is_true(const struct http_field *f)
{
    return f && f->value.size == 4 && !memcmp(f->value.data, "true", 4);
}

/* The batch that a request with this key made before. Errors: as in generate.c. */
static int made_before(struct http_request *r, const char *once_key, const char *hash,
                       struct store_batch *ret_batch, struct lip_error *err)
{
    int error = store_batch_once(r->store, r->organization, once_key, ret_batch, err);
    if (error || (ret_batch->once_hash && !strcmp(ret_batch->once_hash, hash)))
        return error;
    store_batch_done(ret_batch);
    return LIP_ERR_EXISTS;
}

static int add(struct http_request *r, const char *webhook, const char *once_key,
               const struct lines *lines, struct store_batch *ret_batch, struct lip_error *err)
{
    char hash[HTTP_HASH_BYTES] = "";
    int error = once_key ? http_body_hash(r, hash, err) : LIP_OK;
    if (error)
        return error;
    struct store_batch b = {.organization = r->organization, .webhook_url = base_strdup(webhook),
                            .base_url = http_base_url(r), .once_key = base_strdup(once_key),
                            .once_hash = base_strdup(once_key ? hash : NULL)};
    store_id_make(b.id);
    store_id_make(b.token);
    if (!b.base_url || (webhook && !b.webhook_url) || (once_key && (!b.once_key || !b.once_hash)))
        error = base_error_nomem(err, WHERE);
    if (!error)
        error = store_batch_add(r->store, &b, lines->at, lines->n, err);
    if (!error)
        error = store_batch_get(r->store, b.id, ret_batch, err);
    if (error == LIP_ERR_EXISTS) {
        base_error_clear(err);
        error = made_before(r, once_key, hash, ret_batch, err);
    }
    store_batch_done(&b);
    return error;
}

enum MHD_Result http_batch_create(struct http_request *r)
{
    struct lip_error err = {0};
    struct lines lines = {.at = NULL};
    struct store_batch b;
    char url[4200] = "";
    const char *once_key = http_once_key(r);
    int error = http_body_end_form(r) ? take_lines(r, &lines, &err) : LIP_OK;
    const struct http_field *field = http_body_field(r, "webhook_url");
    if (field)
        snprintf(url, sizeof url, "%.*s", (int)field->value.size, (const char *)field->value.data);
    const char *webhook = http_check_webhook(r, url);
    bool dry = is_true(http_body_field(r, "dry_run"));
    if (!error && !r->fault.status && !dry)
        error = add(r, webhook, once_key, &lines, &b, &err);
    lines_done(&lines);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return reply_failure(r, error, &err);
    if (dry)
        return http_reply(r, 201, json_pack("{s:s}", "status", "VALIDATED"));
    enum MHD_Result done = reply_batch(r, 201, &b);
    store_batch_done(&b);
    return done;
}

static int find(struct http_request *r, struct store_batch *ret_batch, struct lip_error *err)
{
    int error = store_batch_get(r->store, r->id, ret_batch, err);
    if (error || ret_batch->organization == r->organization)
        return error;
    store_batch_done(ret_batch);
    return LIP_ERR_NOT_FOUND;
}

enum MHD_Result http_batch_get(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_batch b;
    int error = find(r, &b, &err);
    if (error)
        return reply_failure(r, error, &err);
    enum MHD_Result done = reply_batch(r, 200, &b);
    store_batch_done(&b);
    return done;
}

/* A moment of the query, as 2026-01-31, 2026-01-31T10:00:00Z or 2026-01-31T12:00:00+02:00. */
static int64_t take_time(struct http_request *r, const char *name, int64_t otherwise)
{
    struct tm t = {.tm_mday = 1};
    const char *text = http_query(r, name);
    if (!text)
        return otherwise;
    int n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
                   &t.tm_min, &t.tm_sec), zone_h = 0, zone_min = 0;
    const char *zone = n > 3 ? strpbrk(text + 10, "+- ") : NULL; /* a bare + comes as a blank */
    if (zone)
        sscanf(zone + 1, "%2d:%2d", &zone_h, &zone_min);
    if (n != 3 && n != 5 && n != 6)
        http_fault_note(&r->fault, "%s must be a time as 2026-01-31T10:00:00Z", name);
    t.tm_year -= 1900;
    t.tm_mon--;
    int zone_s = (zone && *zone == '-' ? -1 : 1) * (zone_h * 3600 + zone_min * 60);
    return ((int64_t)timegm(&t) - zone_s) * 1000;
}

enum MHD_Result http_batch_list(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_batch *list = NULL;
    size_t n = 0;
    const char *status = http_query(r, "status");
    int64_t from_ms = take_time(r, "created_after", 0);
    int64_t to_ms = take_time(r, "created_before", INT64_MAX);
    if (r->fault.status)
        return http_reply_fault(r);
    int error = store_batch_list(r->store, r->organization, from_ms, to_ms, &list, &n, &err);
    if (error)
        return reply_failure(r, error, &err);
    char *base = http_base_url(r);
    json_t *json = json_array();
    for (size_t i = 0; base && i < n; i++)
        if (!status || !strcmp(status, status_of(&list[i])))
            json_array_append_new(json, batch_json(&list[i], base));
    base_free(base);
    store_batches_done(list, n);
    return http_reply(r, 200, json);
}

static void put_line(struct base_buffer *b, const char *base_url, const struct store_generation *g)
{
    json_t *line = json_pack("{s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "request_id",
                             http_text_or_null(g->request_id), "generation_id", g->id, "status",
                             store_status_name(g->status), "outputUrl",
                             http_result_url(base_url, g), "outputDuration",
                             g->status == STORE_COMPLETED ? json_real(g->duration_s) : json_null(),
                             "error", http_text_or_null(g->error), "error_code",
                             http_text_or_null(g->error_code));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
    base_buffer_put(b, text ? text : "", text ? strlen(text) : 0);
    base_buffer_put(b, "\n", 1);
    free(text); /* lint: allow free: jansson gave this memory */
    json_decref(line);
}

/* The lines in the order in which they came. */
static int put_lines(struct http_request *r, const struct store_batch *b, struct base_buffer *out,
                     struct lip_error *err)
{
    struct store_generation *list = NULL;
    size_t n = 0;
    struct store_generation_filter f = {.organization = b->organization, .batch = b->number,
                                        .limit = STORE_BATCH_MAX};
    char *base = http_base_url(r);
    int error = base ? store_generation_list(r->store, &f, &list, &n, err)
                     : base_error_nomem(err, WHERE);
    for (size_t i = n; !error && i > 0; i--)
        put_line(out, base, &list[i - 1]);
    if (!error)
        store_generations_done(list, n);
    base_free(base);
    return error ? error : out->status ? base_error_nomem(err, WHERE) : LIP_OK;
}

enum MHD_Result http_batch_result(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_batch b;
    struct base_buffer out;
    const char *token = http_query(r, "token");
    int error = store_batch_get(r->store, r->id, &b, &err);
    bool fine = !error && token && store_secret_equal(token, b.token);
    base_buffer_init(&out, HTTP_JSON_BYTES_MAX);
    if (fine)
        error = put_lines(r, &b, &out, &err);
    if (!error || error != LIP_ERR_NOT_FOUND)
        store_batch_done(&b);
    struct MHD_Response *response =
        fine && !error ? MHD_create_response_from_buffer(out.size, out.data, MHD_RESPMEM_MUST_COPY)
                       : NULL;
    size_t n = out.size;
    base_buffer_done(&out);
    if (!response)
        return fine ? reply_failure(r, error ? error : LIP_ERR_NOMEM, &err)
                    : reply_failure(r, LIP_ERR_NOT_FOUND, &err);
    MHD_add_response_header(response, "Content-Type", "application/jsonl; charset=utf-8");
    return http_send(r, 200, response, (int64_t)n);
}

char *http_batch_body(const struct store_batch *b)
{
    return http_ascii(batch_json(b, b->base_url ? b->base_url : ""));
}
