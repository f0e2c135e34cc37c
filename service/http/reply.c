/* SPDX-License-Identifier: MIT
 * Answers: always JSON, errors in the shape that Sync's clients know. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "http/room.h"

static const char *reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 409:
        return "Conflict";
    case 413:
        return "Payload Too Large";
    case 416:
        return "Range Not Satisfiable";
    case 422:
        return "Unprocessable Entity";
    default:
        return "Internal Server Error";
    }
}

static bool waits(struct http_request *r)
{
    const char *wait = http_query(r, "wait");
    return wait && !strcmp(wait, "true");
}

enum MHD_Result http_send(struct http_request *r, int status, struct MHD_Response *response,
                          int64_t n_bytes)
{
    struct http_figures *f = &r->server->figures;
    atomic_fetch_add(&f->answers[http_route_number(r->route)][status / 100 % 6], 1);
    atomic_fetch_add(&f->bytes_out, n_bytes);
    enum MHD_Result done = MHD_queue_response(r->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return done;
}

enum MHD_Result http_reply(struct http_request *r, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(json);
    if (!text)
        return MHD_NO; /* no memory: the connection ends */
    size_t n = strlen(text);
    struct MHD_Response *response = MHD_create_response_from_buffer(n, text,
                                                                    MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text); /* lint: allow free: jansson gave this memory */
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == 200 && r->route && r->route->run == http_generation_get && waits(r)) {
        const char *timeout = http_query(r, "timeout");
        MHD_add_response_header(response, "Retry-After", "2");
        MHD_add_response_header(response, "X-Sync-Wait-Mode", "long_poll");
        MHD_add_response_header(response, "X-Sync-Wait-Timeout-Seconds", timeout ? timeout : "5");
    }
    return http_send(r, status, response, (int64_t)n);
}

enum MHD_Result http_reply_fault(struct http_request *r)
{
    struct http_fault *f = &r->fault;
    json_t *json = json_object();
    json_object_set_new(json, "statusCode", json_integer(f->status));
    json_t *text = json_string(f->text); /* NULL where a client's bytes are no UTF-8 */
    if (f->messages)
        json_object_set(json, "message", f->messages);
    else
        json_object_set_new(json, "message", text ? json_incref(text) : json_string("Bad text"));
    json_decref(text);
    if (f->status != 401 || strcmp(f->text, "Unauthorized"))
        json_object_set_new(json, "error", json_string(reason(f->status)));
    if (f->code)
        json_object_set_new(json, "errorCode", json_string(f->code));
    if (f->field[0])
        json_object_set_new(json, "field", json_string(f->field));
    return http_reply(r, f->status, json);
}

enum MHD_Result http_reply_error(struct http_request *r, int status, const char *code,
                                 const char *text)
{
    http_fault_set(&r->fault, status, code, NULL, "%s", text);
    return http_reply_fault(r);
}

enum MHD_Result http_reply_failure(struct http_request *r, int error, const struct lip_error *err)
{
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "generation_not_found", "Generation not found");
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "generation_conflict", err->text);
    if (error == LIP_ERR_EXISTS)
        return http_reply_error(r, 409, "IDEMPOTENCY_KEY_CONFLICT",
                                "The idempotency key was used with another request");
    return http_reply_error(r, 500, error == LIP_ERR_IO ? "generation_infra_storage_error"
                                                        : "internal_error",
                            "The server cannot read or write what it keeps");
}

void http_fault_set(struct http_fault *f, int status, const char *code, const char *field,
                    const char *format, ...)
{
    if (f->status)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    snprintf(f->field, sizeof f->field, "%s", field ? field : "");
    f->code = code;
    f->status = status;
}

void http_fault_note(struct http_fault *f, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (f->status && !f->messages)
        return; /* another error came first */
    if (!f->messages)
        f->messages = json_array();
    f->status = 400;
    f->code = "generation_input_validation_failed";
    if (json_array_size(f->messages) < 20)
        json_array_append_new(f->messages, json_string(text));
}

void http_fault_done(struct http_fault *f)
{
    json_decref(f->messages);
    f->messages = NULL;
}

const char *http_query(struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* The host as the client called it, when it is made of what hosts are made of. */
static bool is_host(const char *host)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-:[]_";
    return host && *host && strlen(host) < 256 && !host[strspn(host, letters)];
}

char *http_base_url(struct http_request *r)
{
    const char *given = r->server->params.public_url;
    if (given) {
        char *copy = base_strdup(given);
        size_t n = copy ? strlen(copy) : 0;
        while (n && copy[n - 1] == '/')
            copy[--n] = 0;
        return copy;
    }
    char url[400];
    const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Host");
    if (is_host(host))
        snprintf(url, sizeof url, "http://%s", host);
    else
        snprintf(url, sizeof url, "http://127.0.0.1:%d", http_port(r->server));
    return base_strdup(url);
}

json_t *http_time(int64_t ms)
{
    char text[64], all[80];
    time_t s = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&s, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(all, sizeof all, "%s.%03dZ", text, (int)(ms % 1000));
    return json_string(all);
}
