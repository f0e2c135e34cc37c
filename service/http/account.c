/* SPDX-License-Identifier: MIT
 * What an organization has besides its work: keys, the secret of its webhooks, its usage; and the
 * voices of this server. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define KEY_NAME_BYTES_MAX 100

static json_t *key_json(const struct store_key *key)
{
    return json_pack("{s:o,s:s,s:s,s:o}", "id", json_sprintf("%lld", (long long)key->number),
                     "name", key->name, "hint", key->hint, "createdAt",
                     http_time(key->created_ms));
}

enum MHD_Result http_key_list(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_key *keys = NULL;
    size_t n = 0;
    int error = store_key_list(r->store, r->organization, &keys, &n, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, key_json(&keys[i]));
    base_free(keys);
    return http_reply(r, 200, list);
}

enum MHD_Result http_key_make(struct http_request *r)
{
    struct lip_error err = {0};
    char key[STORE_KEY_BYTES];
    json_t *body = http_body_object(r);
    const char *name = json_string_value(json_object_get(body, "name"));
    if (!r->fault.status && (!name || !*name || strlen(name) > KEY_NAME_BYTES_MAX))
        http_fault_note(&r->fault, "name must be a text of 1 to %d bytes", KEY_NAME_BYTES_MAX);
    int error = r->fault.status
                    ? LIP_OK : store_key_make(r->store, r->organization, name, key, &err);
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return http_reply_failure(r, error, &err);
    enum MHD_Result done = http_reply(r, 201, json_pack("{s:s}", "key", key));
    memset(key, 0, sizeof key);
    return done;
}

enum MHD_Result http_key_revoke(struct http_request *r)
{
    struct lip_error err = {0};
    char *end = NULL;
    long long number = strtoll(r->id, &end, 10);
    int error = *end ? LIP_ERR_NOT_FOUND
                     : store_key_revoke(r->store, r->organization, number, &err);
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "key_not_found", "There is no such key");
    if (error == LIP_ERR_STATE)
        return http_reply_error(r, 409, "key_conflict", "It is the last key: make another first");
    if (error)
        return http_reply_failure(r, error, &err);
    return http_reply(r, 200, json_pack("{s:s}", "id", r->id));
}

static enum MHD_Result reply_secret(struct http_request *r, bool anew)
{
    struct lip_error err = {0};
    char secret[STORE_HOOK_SECRET_BYTES];
    int error = store_hook_secret(r->store, r->organization, anew, secret, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    return http_reply(r, anew ? 201 : 200, json_pack("{s:s}", "secret", secret));
}

enum MHD_Result http_secret_get(struct http_request *r)
{
    return reply_secret(r, false);
}

enum MHD_Result http_secret_make(struct http_request *r)
{
    return reply_secret(r, true);
}

enum MHD_Result http_usage(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_day *days = NULL;
    size_t n = 0;
    int n_days = http_query_number(r, "days", 1, STORE_DAYS_MAX, 30);
    if (r->fault.status)
        return http_reply_fault(r);
    int error = store_usage(r->store, r->organization, n_days, &days, &n, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o,s:I,s:I,s:f}", "day", http_time(days[i].day_ms),
                                              "generations", (json_int_t)days[i].n_generations,
                                              "completed", (json_int_t)days[i].n_completed,
                                              "seconds", days[i].duration_s));
    base_free(days);
    return http_reply(r, 200, list);
}

enum MHD_Result http_voices(struct http_request *r)
{
    const char *voices = r->server->params.voices;
    json_t *json = voices ? json_loads(voices, 0, NULL) : NULL;
    if (!json)
        return http_reply_error(r, 404, "voice_not_found", "This server has no voices");
    return http_reply(r, 200, json);
}
