/* SPDX-License-Identifier: MIT
 * Lists and their filters. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define FILTER_MAX 1000

int http_query_number(struct http_request *r, const char *name, int min, int max, int otherwise)
{
    const char *text = http_query(r, name);
    if (!text)
        return otherwise;
    char *end = NULL;
    long v = strtol(text, &end, 10);
    if (*text && !*end && v >= min && v <= max)
        return (int)v;
    http_fault_note(&r->fault, "%s must be a whole number from %d to %d", name, min, max);
    return -1;
}

struct gather {
    const char *name;
    json_t *texts;
    bool failed;
};

static void add_text(struct gather *g, const char *text, size_t n)
{
    json_t *value = n ? json_stringn(text, n) : NULL;
    if (json_array_size(g->texts) >= FILTER_MAX || (n && !value))
        g->failed = true;
    else if (value)
        json_array_append(g->texts, value);
    json_decref(value);
}

static enum MHD_Result on_value(void *user, enum MHD_ValueKind kind, const char *key,
                                const char *value)
{
    (void)kind;
    struct gather *g = user;
    if (strcmp(key, g->name) || !value)
        return MHD_YES;
    json_t *array = value[0] == '[' ? json_loads(value, 0, NULL) : NULL, *item;
    size_t i;
    if (value[0] == '[') {
        g->failed |= !array;
        json_array_foreach(array, i, item)
            add_text(g, json_string_value(item) ? json_string_value(item) : "",
                     json_string_length(item));
        json_decref(array);
        return MHD_YES;
    }
    while (*value) {
        size_t n = strcspn(value, ",");
        add_text(g, value, n);
        value += n + (value[n] == ',');
    }
    return MHD_YES;
}

json_t *http_query_list(struct http_request *r, const char *name)
{
    struct gather g = {.name = name, .texts = json_array()};
    if (g.texts)
        MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_value, &g);
    if (!g.texts || !g.failed)
        return g.texts;
    http_fault_note(&r->fault, "%s must be a list", name);
    json_decref(g.texts);
    return NULL;
}

unsigned http_query_bits(struct http_request *r, const char *query,
                         const char *(*name_of)(int value), int count)
{
    unsigned bits = 0;
    size_t i;
    json_t *wanted = http_query_list(r, query), *text;
    json_array_foreach(wanted, i, text) {
        int found = -1;
        for (int k = 0; k < count; k++)
            if (!strcmp(json_string_value(text), name_of(k)))
                found = k;
        if (found < 0)
            http_fault_note(&r->fault, "%s: there is no '%.40s'", query, json_string_value(text));
        else
            bits |= 1u << found;
    }
    json_decref(wanted);
    return bits;
}

enum MHD_Result http_generation_list(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation *list = NULL;
    size_t n = 0;
    struct store_generation_filter f = {
        .organization = r->organization,
        .statuses = http_query_bits(r, "status", store_status_name, STORE_STATUS_COUNT),
        .limit = http_query_number(r, "limit", 1, 100, STORE_LIST_MAX),
        .cursor = http_query(r, "cursor")};
    if (f.cursor && !http_query(r, "limit"))
        http_fault_note(&r->fault, "cursor needs limit");
    json_t *ids = http_query_list(r, "ids"), *json = json_array();
    char *ids_text = json_array_size(ids) ? json_dumps(ids, JSON_COMPACT) : NULL;
    f.ids = ids_text;
    bool nothing = http_query(r, "projectId"); /* there are no projects */
    int error = r->fault.status || nothing ? LIP_OK
                                           : store_generation_list(r->store, &f, &list, &n, &err);
    for (size_t i = 0; !error && i < n; i++)
        json_array_append_new(json, http_generation_json(r, &list[i], false));
    if (!error)
        store_generations_done(list, n);
    json_decref(ids);
    free(ids_text); /* lint: allow free: jansson gave this memory */
    if (!r->fault.status && !error)
        return http_reply(r, 200, json);
    json_decref(json);
    return r->fault.status ? http_reply_fault(r) : http_reply_failure(r, error, &err);
}

enum MHD_Result http_generation_count(struct http_request *r)
{
    struct lip_error err = {0};
    int64_t n = 0;
    unsigned bits = http_query_bits(r, "status", store_status_name, STORE_STATUS_COUNT);
    if (r->fault.status)
        return http_reply_fault(r);
    int error = store_generation_count(r->store, r->organization, bits, &n, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    return http_reply(r, 200, json_pack("{s:I}", "count", (json_int_t)n));
}
