/* SPDX-License-Identifier: MIT
 * /api-json: the table of routes as OpenAPI 3.
 *
 * Objects are written as words: `name`, `name:type`, `name!:type` where it is always there, and
 * `name:type?` where it may be null. Types are string (when nothing is said), integer, number,
 * boolean, time, uuid, url, any; A|B for one of these texts; the name of another object, which
 * begins with a capital and has small letters; and type[] for a list. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define WORD_MAX 400

static const struct {
    const char *name, *fields;
} objects[] = {
    {"Input", "type!:video|audio|image|text url:url? assetId:uuid? refId:string? provider:Speaker "
              "segments_secs:number[][] segments_frames:integer[][]"},
    {"Speaker", "name! voiceId! script! stability:number similarityBoost:number"},
    {"ActiveSpeaker", "auto_detect:boolean v3:boolean frame_number:integer coordinates:number[] "
                      "bounding_boxes:any[] bounding_boxes_url:url"},
    {"Options", "sync_mode:bounce|loop|cut_off|silence|remap temperature:number "
                "active_speaker_detection:ActiveSpeaker occlusion_detection_enabled:boolean "
                "model_mode:lips|face|head prompt"},
    {"SegmentVoice", "refId! startTime:number endTime:number"},
    {"Segment", "startTime!:number endTime!:number audioInput!:SegmentVoice "
                "optionsOverride:Options"},
    {"CreateGeneration", "model! input!:Input[] options:Options segments:Segment[] "
                         "webhookUrl:url outputFileName"},
    {"Generation", "id!:uuid createdAt!:time status!:" HTTP_STATUSES " model! input!:Input[] "
                   "options!:Options? segments!:Segment[]? webhookUrl!:url? "
                   "outputFileName!:string? projectId!:uuid? outputUrl!:url? "
                   "segmentOutputUrl!:url? outputDuration!:number? error!:string? "
                   "error_code!:string? errorCode!:string? progress:integer"},
    {"Count", "count!:integer"},
    {"Cost", "estimatedFrameCount!:integer estimatedGenerationCost!:number"},
    {"FacesWish", "input!:Input[] time:number"},
    {"Face", "box!:number[] coordinates!:number[]"},
    {"Faces", "t_s!:number frame!:integer width!:integer height!:integer faces!:Face[]"},
    {"GenerationCosts", "generationId!:uuid generationStatus!:" HTTP_STATUSES " currency! "
                        "availability!:complete|pending totalCostUsd!:number "
                        "knownSubtotalUsd!:number retryAfterSeconds!:integer? components!:any[]"},
    {"EstimateBody", "model! duration!:number fps:number reasoningEnabled:boolean"},
    {"Estimate", "estimatedFrameCount!:integer estimatedGenerationCost!:number "
                 "estimatedCredits!:number?"},
    {"Asset", "id!:uuid createdAt!:time updatedAt!:time type!:" HTTP_KINDS
              " visibility!:USER|ORGANIZATION name url:url size:integer inputType"},
    {"AssetPage", "items!:Asset[] totalCount!:integer nextCursor"},
    {"AssetName", "name"},
    {"UploadWish", "fileName! contentType size:integer"},
    {"UploadPlace", "uploadUrl!:url url!:url expiresIn!:integer"},
    {"Bytes", ""},
    {"Uploaded", "size!:integer"},
    {"RegisterAsset", "url!:url type!:" HTTP_KINDS " name visibility"},
    {"BatchMetrics", "total_generations!:integer success_count!:integer failed_count!:integer "
                     "pending_count!:integer"},
    {"Batch", "id!:uuid created_at!:time status!:" HTTP_BATCH_STATUSES " metrics!:BatchMetrics "
              "outputUrl!:string webhookUrl!:url?"},
    {"Key", "id! name! hint! createdAt!:time"},
    {"KeyName", "name!"},
    {"NewKey", "key!"},
    {"KeyId", "id!"},
    {"Secret", "secret!"},
    {"Day", "day!:time generations!:integer completed!:integer seconds!:number"},
    {"Voice", "id! name! provider! voiceId! language"},
    {"SpeechWish", "script! voiceId provider"},
    {"Speech", "id!:uuid url!:url duration!:number"},
    {"Model", "id!:uuid name! type!:lipsync|react version! description"},
    {"ErrorCode", "code! message! suggestion!"},
    {"Health", "status!:ok|error"},
    {"Error", "statusCode!:integer message!:any error errorCode field"},
};

static const struct {
    const char *name, *type, *format;
} plain[] = {
    {"string", "string", NULL}, {"integer", "integer", NULL}, {"number", "number", NULL},
    {"boolean", "boolean", NULL}, {"time", "string", "date-time"}, {"uuid", "string", "uuid"},
    {"url", "string", "uri"}, {"file", "string", "binary"}, {"events", "string", NULL},
    {"lines", "string", NULL}, {"text", "string", NULL},
};

static bool ends(char *type, const char *with)
{
    size_t n = strlen(type), k = strlen(with);
    if (n < k || strcmp(type + n - k, with))
        return false;
    type[n - k] = 0;
    return true;
}

static json_t *choice(char *type)
{
    json_t *texts = json_array();
    for (char *at = type, *end; at; at = end ? end + 1 : NULL) {
        if ((end = strchr(at, '|')))
            *end = 0;
        json_array_append_new(texts, json_string(at));
    }
    return json_pack("{s:s,s:o}", "type", "string", "enum", texts);
}

/* Takes `type` apart. */
static json_t *schema_of(char *type)
{
    if (ends(type, "?")) {
        json_t *inner = schema_of(type);
        if (json_object_get(inner, "$ref")) /* OpenAPI 3.0: nothing may stand beside a $ref */
            inner = json_pack("{s:[o]}", "allOf", inner);
        json_object_set_new(inner, "nullable", json_true());
        return inner;
    }
    if (ends(type, "[]"))
        return json_pack("{s:s,s:o}", "type", "array", "items", schema_of(type));
    if (strchr(type, '|'))
        return choice(type);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(plain[i].name, type))
            return json_pack("{s:s,s:s*}", "type", plain[i].type, "format", plain[i].format);
    if (isupper((unsigned char)type[0]))
        return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", type));
    return json_object(); /* any */
}

/* The next word of `text` taken apart; false at the end. */
static bool next_field(const char **text, char name[WORD_MAX], char type[WORD_MAX], bool *ret_must)
{
    *text += strspn(*text, " ");
    size_t n = strcspn(*text, " "), n_name = strcspn(*text, ": ");
    if (!n || n >= WORD_MAX)
        return false;
    memcpy(name, *text, n_name);
    name[n_name] = 0;
    *ret_must = ends(name, "!");
    snprintf(type, WORD_MAX, "string");
    if (n_name < n) {
        memcpy(type, *text + n_name + 1, n - n_name - 1);
        type[n - n_name - 1] = 0;
    }
    *text += n;
    return true;
}

static json_t *object_schema(const char *fields)
{
    char name[WORD_MAX], type[WORD_MAX];
    bool must = false;
    json_t *properties = json_object(), *required = json_array();
    while (next_field(&fields, name, type, &must)) {
        json_object_set_new(properties, name, schema_of(type));
        if (must)
            json_array_append_new(required, json_string(name));
    }
    json_t *schema = json_pack("{s:s,s:o}", "type", "object", "properties", properties);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

/* Operations ----------------------------------------------------------------------------------- */

static void add_parameter(json_t *list, const char *name, const char *in, bool must,
                          json_t *schema)
{
    json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:o}", "name", name, "in", in, "required",
                                          must, "schema", schema));
}

static json_t *parameters(const struct http_route *route)
{
    char name[WORD_MAX], type[WORD_MAX];
    bool must = false;
    json_t *list = json_array();
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
        char hole[32] = "";
        strncat(hole, at + 1, strcspn(at + 1, "}"));
        add_parameter(list, hole, "path", true, json_pack("{s:s}", "type", "string"));
    }
    for (const char *text = route->query; next_field(&text, name, type, &must);)
        add_parameter(list, name, "query", must, schema_of(type));
    return list;
}

/* JSON, and what is none. */
static json_t *content(const char *schema)
{
    static const char *const others[][2] = {{"file", "application/octet-stream"},
                                            {"events", "text/event-stream"},
                                            {"lines", "application/jsonl"},
                                            {"text", "text/plain"}};
    char type[WORD_MAX] = "";
    const char *media = "application/json";
    strncat(type, schema, sizeof type - 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(type, others[i][0]))
            media = others[i][1];
    return json_pack("{s:{s:o}}", media, "schema", schema_of(type));
}

/* Forms hold texts, and objects as JSON. */
static json_t *body(const char *name)
{
    static const char *const forms[][2] = {
        {"CreateGeneration", "model! video:file audio:file image:file input options segments "
                             "webhookUrl outputFileName projectId"},
        {"", "input!:file webhook_url dry_run"}};
    json_t *kinds = *name ? content(name) : json_object();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(name, forms[i][0]))
            json_object_set_new(kinds, "multipart/form-data",
                                json_pack("{s:o}", "schema", object_schema(forms[i][1])));
    return json_pack("{s:b,s:o}", "required", 1, "content", kinds);
}

static json_t *operation(const struct http_route *route)
{
    char status[8];
    snprintf(status, sizeof status, "%d", route->status);
    json_t *good = json_pack("{s:s}", "description", route->status == 204 ? "Done" : "The answer");
    if (route->answer)
        json_object_set_new(good, "content", content(route->answer));
    json_t *o = json_pack("{s:s,s:[s],s:s,s:o,s:{s:o,s:{s:s,s:o}}}", "operationId",
                          route->operation, "tags", route->tag, "summary", route->summary,
                          "parameters", parameters(route), "responses", status, good, "default",
                          "description", "An error", "content", content("Error"));
    if (route->body)
        json_object_set_new(o, "requestBody", body(route->body));
    if (route->open)
        json_object_set_new(o, "security", json_array());
    return o;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

enum MHD_Result http_api_json(struct http_request *r)
{
    json_t *paths = json_object(), *schemas = json_object();
    const struct http_route *route;
    for (size_t i = 0; (route = http_route_at(i)); i++) {
        char method[8] = "";
        strncat(method, route->method, sizeof method - 1);
        lower(method);
        if (!json_object_get(paths, route->path))
            json_object_set_new(paths, route->path, json_object());
        json_object_set_new(json_object_get(paths, route->path), method, operation(route));
    }
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        json_object_set_new(schemas, objects[i].name, object_schema(objects[i].fields));
    char *base = http_base_url(r);
    json_t *json = json_pack("{s:s,s:{s:s,s:s},s:[{s:s}],s:o,s:{s:o,s:{s:{s:s,s:s,s:s}}},"
                             "s:[{s:[]}]}",
                             "openapi", "3.0.0", "info", "title", "lipsync", "version", "2",
                             "servers", "url", base ? base : "/", "paths", paths, "components",
                             "schemas", schemas, "securitySchemes", "key", "type", "apiKey", "in",
                             "header", "name", "x-api-key", "security", "key");
    base_free(base);
    return http_reply(r, 200, json);
}
