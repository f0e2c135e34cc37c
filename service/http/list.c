/* SPDX-License-Identifier: MIT
 * Lists and their filters. */
#include <limits.h>
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

/* Bits of the names that are asked for. */
static unsigned name_bits(struct http_request *r, const char *query,
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
        .statuses = name_bits(r, "status", store_status_name, STORE_STATUS_COUNT),
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
    unsigned bits = name_bits(r, "status", store_status_name, STORE_STATUS_COUNT);
    if (r->fault.status)
        return http_reply_fault(r);
    int error = store_generation_count(r->store, bits, &n, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    return http_reply(r, 200, json_pack("{s:I}", "count", (json_int_t)n));
}

/* Assets --------------------------------------------------------------------------------------- */

static json_t *asset_json(struct http_request *r, const struct store_asset *a)
{
    char *base = http_base_url(r);
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(a->id));
    json_object_set_new(o, "createdAt", http_time(a->created_ms));
    json_object_set_new(o, "updatedAt", http_time(a->created_ms));
    json_object_set_new(o, "type", json_string(store_kind_name(a->kind)));
    json_object_set_new(o, "visibility", json_string("ORGANIZATION"));
    json_object_set_new(o, "name", json_string(a->name));
    json_object_set_new(o, "url", base ? json_sprintf("%s/v2/assets/%s/content?token=%s", base,
                                                      a->id, a->token) : json_null());
    json_object_set_new(o, "size", json_integer(a->size_bytes));
    json_object_set_new(o, "inputType", json_string("UPLOAD"));
    base_free(base);
    return o;
}

enum MHD_Result http_asset_get(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset a;
    int error = store_asset_get(r->store, r->id, &a, &err);
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "asset_not_found", "Asset not found");
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *json = asset_json(r, &a);
    store_asset_done(&a);
    return http_reply(r, 200, json);
}

static int take_sort(struct http_request *r)
{
    static const char *const names[STORE_SORT_COUNT] = {"dateDesc", "dateAsc", "nameAsc",
                                                        "nameDesc", "sizeAsc", "sizeDesc",
                                                        "kindAsc", "kindDesc"};
    const char *sort = http_query(r, "sortBy");
    for (int i = 0; sort && i < STORE_SORT_COUNT; i++)
        if (!strcmp(sort, names[i]))
            return i;
    if (sort)
        http_fault_note(&r->fault, "sortBy is one of name, date, size, kind with Asc or Desc");
    return STORE_DATE_DESC;
}

enum MHD_Result http_asset_list(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset *list = NULL;
    size_t n = 0;
    int64_t total = 0;
    /* The cursor is how many were seen. */
    struct store_asset_filter f = {.kinds = name_bits(r, "types", store_kind_name,
                                                      STORE_KIND_COUNT),
                                   .search = http_query(r, "searchQuery"), .sort = take_sort(r),
                                   .limit = http_query_number(r, "limit", 1, 100, 20),
                                   .skip = http_query_number(r, "cursor", 0, INT_MAX, 0)};
    if (r->fault.status)
        return http_reply_fault(r);
    int error = store_asset_list(r->store, &f, &list, &n, &total, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *items = json_array(), *json = json_object();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, asset_json(r, &list[i]));
    store_assets_done(list, n);
    json_object_set_new(json, "items", items);
    json_object_set_new(json, "totalCount", json_integer(total));
    if (f.skip + (int64_t)n < total)
        json_object_set_new(json, "nextCursor", json_sprintf("%d", (int)(f.skip + (int64_t)n)));
    return http_reply(r, 200, json);
}
