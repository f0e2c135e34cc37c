/* SPDX-License-Identifier: MIT
 * A generation's way as server-sent events: "status" with status and progress whenever one of them
 * changes, and "done" with the whole object at its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "http/room.h"

#define LOOK_US 500000              /* progress wakes nobody: it is looked for */
#define QUIET_US ((int64_t)15 * 1000000) /* then a comment tells that the line is alive */
#define BLOCK_BYTES 16384

struct watch {
    struct http_request r; /* a copy: who is asked, and of what */
    char *text;            /* jansson's; what is to be sent … */
    size_t n, at;          /* … and from where */
    int status, percent;
    bool over;
};

static void put(struct watch *w, const char *name, json_t *data)
{
    char *json = data ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    size_t cap = json ? strlen(json) + 64 : 64;
    json_decref(data);
    base_free(w->text);
    w->text = base_alloc(cap);
    w->at = w->n = 0;
    if (w->text && json)
        w->n = (size_t)snprintf(w->text, cap, "event: %s\ndata: %s\n\n", name, json);
    else if (w->text)
        w->n = (size_t)snprintf(w->text, cap, ": alive\n\n");
    free(json); /* lint: allow free: jansson gave this memory */
}

/* Waits until there is something to say. False: the store failed, or the server ends. */
static bool look(struct watch *w)
{
    int64_t end_us = base_time_us() + QUIET_US;
    while (!atomic_load(&w->r.server->stopping)) {
        struct store_generation g;
        uint64_t seen = store_changes(w->r.store);
        if (store_generation_get(w->r.store, w->r.id, &g, NULL))
            return false;
        int percent = (int)(100 * g.progress);
        w->over = store_status_final(g.status);
        bool news = g.status != w->status || percent != w->percent;
        w->status = g.status;
        w->percent = percent;
        if (w->over)
            put(w, "done", http_generation_json(&w->r, &g, true));
        else if (news)
            put(w, "status", json_pack("{s:s,s:s,s:i}", "id", g.id, "status",
                                       store_status_name(g.status), "progress", percent));
        store_generation_done(&g);
        if (!news && !w->over && base_time_us() >= end_us)
            put(w, NULL, NULL);
        if (w->at < w->n)
            return true;
        store_wait(w->r.store, seen, LOOK_US);
    }
    return false;
}

static ssize_t give(void *user, uint64_t at, char *bytes, size_t cap)
{
    struct watch *w = user;
    (void)at;
    if (w->at == w->n && (w->over || !look(w)))
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = w->n - w->at < cap ? w->n - w->at : cap;
    memcpy(bytes, w->text + w->at, n);
    w->at += n;
    atomic_fetch_add(&w->r.server->figures.bytes_out, (long long)n);
    return (ssize_t)n;
}

static void forget(void *user)
{
    struct watch *w = user;
    base_free(w->text);
    base_free(w);
}

enum MHD_Result http_generation_events(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    int error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    store_generation_done(&g);
    struct watch *w = base_alloc_zero(sizeof *w);
    if (!w)
        return MHD_NO;
    w->r = *r;
    w->status = w->percent = -1;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, give, w, forget);
    if (!response) {
        forget(w);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* nginx would wait */
    return http_send(r, 200, response, 0);
}
