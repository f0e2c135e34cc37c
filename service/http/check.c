/* SPDX-License-Identifier: MIT
 * What may be asked for: a create body is checked in full before anything is queued. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define ITEMS_MAX 200
#define URL_BYTES_MAX 4096
#define SCRIPT_MAX 20000 /* bytes: 5000 characters of up to four */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool http_is_url(const char *text)
{
    bool web = !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
    return web && strlen(text) <= URL_BYTES_MAX && !strpbrk(text, " \t\r\n");
}

static void check_url(struct http_request *r, const char *url, const char *type, const char *at)
{
    if (!http_is_url(url)) {
        http_fault_note(&r->fault, "%s.url must be a URL address", at);
        return;
    }
    if (r->server->params.fetches)
        return;
    http_fault_set(&r->fault, 400, !strcmp(type, "video") ? "generation_input_video_inaccessible"
                   : !strcmp(type, "audio") ? "generation_input_audio_inaccessible"
                                            : "generation_input_image_inaccessible",
                   at, "This server fetches no addresses: send the file itself");
}

static bool own_file(const struct http_request *r, const char *id)
{
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        if (r->body.files[i].path && !strcmp(r->body.files[i].id, id))
            return true;
    return false;
}

static void check_asset(struct http_request *r, const char *id, int kind, const char *at)
{
    struct store_asset a;
    struct lip_error err = {0};
    if (own_file(r, id)) /* it comes with this very request */
        return;
    if (!store_id_valid(id)) {
        http_fault_set(&r->fault, 400, "invalid_asset_id_format", at, "assetId must be a UUID");
        return;
    }
    int error = store_asset_get(r->store, id, &a, &err);
    if (error && error != LIP_ERR_NOT_FOUND)
        http_fault_set(&r->fault, 500, "internal_error", at, "The asset cannot be read");
    else if (error || a.organization != r->organization)
        http_fault_set(&r->fault, 404, "asset_not_found", at, "Asset not found");
    if (error)
        return;
    if (a.kind != kind)
        http_fault_set(&r->fault, 400, "generation_input_asset_type_mismatch", at,
                       "The asset is of type %s", store_kind_name(a.kind));
    store_asset_done(&a);
}

bool http_script_valid(const char *script)
{
    return script && script[strspn(script, " \t\r\n")] && strlen(script) <= SCRIPT_MAX;
}

static void check_text(struct http_request *r, const json_t *item, const char *at)
{
    const json_t *provider = json_object_get(item, "provider");
    const char *script = text_of(provider, "script"), *name = text_of(provider, "name");
    if (!json_is_object(provider)) {
        http_fault_note(&r->fault, "%s.provider must be an object", at);
        return;
    }
    if (!name)
        http_fault_note(&r->fault, "%s.provider.name must be a string", at);
    if (!text_of(provider, "voiceId"))
        http_fault_note(&r->fault, "%s.provider.voiceId must be a string", at);
    if (!http_script_valid(script))
        http_fault_note(&r->fault, "%s.provider.script must have 1 to 5000 characters", at);
}

/* What the items are, counted. */
struct tally {
    int videos, images, voices, ranges;
};

static void check_item(struct http_request *r, const json_t *item, int i, struct tally *tally)
{
    char at[32];
    snprintf(at, sizeof at, "input.%d", i);
    const char *type = text_of(item, "type");
    int kind = !type ? -1 : !strcmp(type, "video") ? STORE_VIDEO : !strcmp(type, "audio")
               ? STORE_AUDIO : !strcmp(type, "image") ? STORE_IMAGE : -1;
    const json_t *ref = json_object_get(item, "refId");
    if (ref && !json_is_null(ref) && !json_is_string(ref))
        http_fault_note(&r->fault, "%s.refId must be a string", at);
    if (type && !strcmp(type, "text")) {
        tally->voices++;
        check_text(r, item, at);
        return;
    }
    if (kind < 0) {
        http_fault_note(&r->fault, "%s.type must be one of video, audio, image, text", at);
        return;
    }
    tally->videos += kind == STORE_VIDEO;
    tally->images += kind == STORE_IMAGE;
    tally->voices += kind == STORE_AUDIO;
    const char *url = text_of(item, "url"), *asset = text_of(item, "assetId");
    if (asset)
        check_asset(r, asset, kind, at);
    else if (url)
        check_url(r, url, type, at);
    else
        http_fault_note(&r->fault, "%s needs url or assetId", at);
    if (kind == STORE_VIDEO)
        tally->ranges += http_check_ranges(&r->fault, item, at);
}

void http_check_seen(struct http_request *r, const json_t *input)
{
    struct tally tally = {0};
    if (!json_is_array(input) || json_array_size(input) != 1)
        http_fault_note(&r->fault, "input must be a list with one video or image");
    else
        check_item(r, json_array_get(input, 0), 0, &tally);
    if (tally.voices)
        http_fault_note(&r->fault, "input.0 must be a video or an image");
}

static void check_input(struct http_request *r, const struct http_wish *w, struct tally *tally)
{
    size_t i;
    json_t *item;
    if (!json_is_array(w->input) || !json_array_size(w->input)) {
        http_fault_note(&r->fault, "input must contain at least 1 elements");
        return;
    }
    if (json_array_size(w->input) > ITEMS_MAX) {
        http_fault_note(&r->fault, "input must contain at most %d elements", ITEMS_MAX);
        return;
    }
    json_array_foreach(w->input, i, item)
        check_item(r, item, (int)i, tally);
    struct http_fault *f = &r->fault;
    if (tally->videos + tally->images > 1)
        http_fault_set(f, 400, "generation_input_too_many_visual", "input",
                       "One video or image is expected, not %d", tally->videos + tally->images);
    if (tally->videos + tally->images == 0)
        http_fault_note(f, "input needs a video");
    if (tally->voices == 0)
        http_fault_note(f, "input needs an audio or a text");
    if (tally->voices > 1 && !w->segments)
        http_fault_set(f, 400, "generation_input_segments_invalid", "segments",
                       "Several voices need segments");
}

/* Spaces become _, what is left of letters, digits, _ and - is kept. */
static void take_file_name(struct http_request *r, const json_t *value, char ret_name[256])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    size_t n = 0;
    if (!value || json_is_null(value))
        return;
    const char *text = json_string_value(value);
    if (!text || strlen(text) > 255) {
        http_fault_note(&r->fault, "outputFileName must be a string of at most 255 characters");
        return;
    }
    for (; *text; text++)
        if (strchr(letters, *text == ' ' ? '_' : *text))
            ret_name[n++] = *text == ' ' ? '_' : *text;
    ret_name[n] = 0;
}

/* What is not done here is said, and not taken and forgotten. */
static void check_absent(struct http_request *r, const json_t *body)
{
    static const struct {
        const char *name, *code, *text;
    } absent[] = {
        {"dubParams", "plan_feature_unavailable", "This server does not translate"},
        {"dialogueEdit", "plan_feature_unavailable", "This server edits no dialogues"},
        {"projectId", "project_not_found", "This server has no projects"},
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        const json_t *value = json_object_get(body, absent[i].name);
        if (value && !json_is_null(value))
            http_fault_set(&r->fault, 422, absent[i].code, absent[i].name, "%s", absent[i].text);
    }
}

const char *http_check_webhook(struct http_request *r, const char *url)
{
    if (!url || !*url)
        return NULL;
    if (!http_is_url(url))
        http_fault_note(&r->fault, "webhookUrl must be a URL address");
    else if (!r->server->params.fetches)
        http_fault_set(&r->fault, 422, "plan_feature_unavailable", "webhookUrl",
                       "This server calls no addresses: poll, or get with wait=true");
    return url;
}

static json_t *unless_null(json_t *value)
{
    return json_is_null(value) ? NULL : value;
}

int http_check(struct http_request *r, json_t *body, struct http_wish *ret_wish)
{
    struct http_wish w = {.input = unless_null(json_object_get(body, "input")),
                          .options = unless_null(json_object_get(body, "options")),
                          .segments = unless_null(json_object_get(body, "segments")),
                          .model = text_of(body, "model")};
    struct tally tally = {0};
    struct http_fault *f = &r->fault;
    if (!w.model)
        http_fault_note(f, "model must be a string");
    else if (!http_model_known(w.model))
        http_fault_set(f, 400, "generation_unsupported_model", "model",
                       "There is no model '%.60s': see /v2/models", w.model);
    check_input(r, &w, &tally);
    struct http_rules rules = {tally.images > 0, r->server->params.fetches};
    if (tally.images && w.model && strcmp(w.model, "sync-3"))
        http_fault_set(f, 400, "generation_unsupported_model", "model",
                       "Images are for the model sync-3");
    if (tally.images && w.segments)
        http_fault_set(f, 400, "generation_input_segments_invalid", "segments",
                       "An image has no segments");
    if (tally.ranges && w.segments)
        http_fault_set(f, 400, "generation_input_segments_invalid", "segments",
                       "segments and the segments_secs of a video exclude each other");
    if (w.options)
        http_check_options(f, w.options, rules, "options");
    if (w.segments)
        http_check_segments(f, w.segments, w.input, rules);
    take_file_name(r, json_object_get(body, "outputFileName"), w.file_name);
    if (unless_null(json_object_get(body, "webhookUrl")) && !text_of(body, "webhookUrl"))
        http_fault_note(f, "webhookUrl must be a string");
    w.webhook_url = http_check_webhook(r, text_of(body, "webhookUrl"));
    check_absent(r, body);
    if (f->status)
        return LIP_ERR_ARG;
    *ret_wish = w;
    return LIP_OK;
}
