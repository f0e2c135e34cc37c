/* SPDX-License-Identifier: MIT
 * Uploaded files: listed, named, removed; and uploads in three steps. */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define NAME_BYTES_MAX 200

json_t *http_asset_link(struct http_request *r, const struct store_asset *a)
{
    char *base = http_base_url(r);
    json_t *link = base ? json_sprintf("%s/v2/assets/%s/content?token=%s", base, a->id, a->token)
                        : json_null();
    base_free(base);
    return link;
}

static json_t *asset_json(struct http_request *r, const struct store_asset *a)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(a->id));
    json_object_set_new(o, "createdAt", http_time(a->created_ms));
    json_object_set_new(o, "updatedAt", http_time(a->created_ms));
    json_object_set_new(o, "type", json_string(store_kind_name(a->kind)));
    json_object_set_new(o, "visibility", json_string("ORGANIZATION"));
    json_object_set_new(o, "name", json_string(a->name));
    json_object_set_new(o, "url", http_asset_link(r, a));
    json_object_set_new(o, "size", json_integer(a->size_bytes));
    json_object_set_new(o, "inputType", json_string("UPLOAD"));
    return o;
}

/* The asset of the path. LIP_ERR_NOT_FOUND also where it is another organization's. */
static int find(struct http_request *r, struct store_asset *ret_asset, struct lip_error *err)
{
    int error = store_asset_get(r->store, r->id, ret_asset, err);
    if (error || ret_asset->organization == r->organization)
        return error;
    store_asset_done(ret_asset);
    return LIP_ERR_NOT_FOUND;
}

static enum MHD_Result reply_failure(struct http_request *r, int error, const struct lip_error *err)
{
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "asset_not_found", "Asset not found");
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "asset_conflict", "A job that waits needs the asset");
    return http_reply_failure(r, error, err);
}

enum MHD_Result http_asset_get(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset a;
    int error = find(r, &a, &err);
    if (error)
        return reply_failure(r, error, &err);
    json_t *json = asset_json(r, &a);
    store_asset_done(&a);
    return http_reply(r, 200, json);
}

/* A name as the list shows it; sets the fault. NULL: none was said. */
static const char *take_name(struct http_request *r, const json_t *body)
{
    const json_t *value = json_object_get(body, "name");
    const char *name = json_string_value(value);
    if (value && !json_is_null(value) && (!name || !*name || strlen(name) > NAME_BYTES_MAX))
        http_fault_note(&r->fault, "name must be a text of 1 to %d bytes", NAME_BYTES_MAX);
    return name;
}

enum MHD_Result http_asset_rename(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset a;
    json_t *body = http_body_object(r);
    const char *name = take_name(r, body);
    int error = LIP_OK;
    if (!r->fault.status && !(error = find(r, &a, &err))) {
        store_asset_done(&a);
        error = name ? store_asset_rename(r->store, r->id, name, &err) : LIP_OK;
    }
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    return error ? reply_failure(r, error, &err) : http_asset_get(r);
}

enum MHD_Result http_asset_remove(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset a;
    int error = find(r, &a, &err);
    if (error)
        return reply_failure(r, error, &err);
    json_t *json = asset_json(r, &a);
    store_asset_done(&a);
    error = store_asset_remove(r->store, r->id, &err);
    if (!error)
        return http_reply(r, 200, json);
    json_decref(json);
    return reply_failure(r, error, &err);
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
    struct store_asset_filter f = {.organization = r->organization,
                                   .kinds = http_query_bits(r, "types", store_kind_name,
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

/* Uploads in three steps ----------------------------------------------------------------------- */

enum MHD_Result http_upload_ask(struct http_request *r)
{
    struct lip_error err = {0};
    json_t *body = http_body_object(r);
    const char *name = json_string_value(json_object_get(body, "fileName"));
    double size = json_number_value(json_object_get(body, "size"));
    struct store_upload u = {.organization = r->organization};
    if (!r->fault.status && (!name || !*name || strlen(name) > NAME_BYTES_MAX))
        http_fault_note(&r->fault, "fileName must be a text of 1 to %d bytes", NAME_BYTES_MAX);
    if (!r->fault.status && size > (double)r->server->params.upload_max_bytes)
        http_fault_set(&r->fault, 422, "file_size_exceeds_plan_limit", "size",
                       "The file is larger than this server takes");
    store_id_make(u.id);
    store_id_make(u.token);
    u.name = base_strdup(name);
    int error = r->fault.status ? LIP_OK : store_upload_add(r->store, &u, &err);
    char *base = http_base_url(r);
    json_decref(body);
    store_upload_done(&u);
    json_t *json = json_object();
    json_object_set_new(json, "uploadUrl", json_sprintf("%s/v2/uploads/%s?token=%s",
                                                        base ? base : "", u.id, u.token));
    json_object_set_new(json, "url", json_sprintf("%s/v2/assets/%s/content?token=%s",
                                                  base ? base : "", u.id, u.token));
    json_object_set_new(json, "expiresIn", json_integer(STORE_UPLOAD_MS / 1000));
    base_free(base);
    if (!error && !r->fault.status)
        return http_reply(r, 201, json);
    json_decref(json);
    return r->fault.status ? http_reply_fault(r) : reply_failure(r, error, &err);
}

enum MHD_Result http_upload_put(struct http_request *r)
{
    struct lip_error err = {0};
    int64_t n = 0;
    int error = http_body_keep_raw(r, &n, &err);
    if (!error)
        error = store_media_keep(r->store, r->id, "", &err);
    if (error)
        return reply_failure(r, error, &err);
    return http_reply(r, 200, json_pack("{s:I}", "size", (json_int_t)n));
}

/* The id in an address that http_upload_ask gave: what stands before "/content?token=TOKEN". */
static bool take_upload(struct http_request *r, const char *url, struct store_upload *ret_upload)
{
    const char *at = url ? strstr(url, "/v2/assets/") : NULL;
    char id[STORE_ID_BYTES] = "";
    if (!at || strlen(at) < 11 + STORE_ID_BYTES - 1)
        return false;
    memcpy(id, at + 11, STORE_ID_BYTES - 1);
    at = strstr(at, "token=");
    if (!at || store_upload_get(r->store, id, ret_upload, NULL))
        return false;
    if (ret_upload->size_bytes && ret_upload->organization == r->organization &&
        store_secret_equal(at + 6, ret_upload->token))
        return true;
    store_upload_done(ret_upload);
    return false;
}

static int take_kind(struct http_request *r, const json_t *body)
{
    const char *type = json_string_value(json_object_get(body, "type"));
    for (int i = 0; type && i < STORE_KIND_COUNT; i++)
        if (!strcmp(type, store_kind_name(i)))
            return i;
    http_fault_note(&r->fault, "type must be one of VIDEO, AUDIO, IMAGE");
    return 0;
}

enum MHD_Result http_asset_register(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_upload u = {.name = NULL};
    json_t *body = http_body_object(r);
    const char *name = take_name(r, body);
    struct store_asset a = {.kind = body ? take_kind(r, body) : 0,
                            .organization = r->organization};
    if (!r->fault.status &&
        !take_upload(r, json_string_value(json_object_get(body, "url")), &u))
        http_fault_set(&r->fault, 404, "uploaded_file_not_found", "url",
                       "Nothing was sent to the address that belongs to this url");
    int error = LIP_OK;
    if (!r->fault.status) {
        memcpy(a.id, u.id, sizeof a.id);
        memcpy(a.token, u.token, sizeof a.token);
        a.size_bytes = u.size_bytes;
        a.name = base_strdup(name ? name : u.name);
        error = a.name ? store_upload_register(r->store, &a, &err) : LIP_ERR_NOMEM;
        memcpy(r->id, a.id, sizeof a.id);
    }
    store_asset_done(&a);
    store_upload_done(&u);
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error || (error = find(r, &a, &err)))
        return reply_failure(r, error, &err);
    json_t *json = asset_json(r, &a);
    store_asset_done(&a);
    return http_reply(r, 201, json);
}
