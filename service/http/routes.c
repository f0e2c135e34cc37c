/* SPDX-License-Identifier: MIT
 * What can be asked for: the one table of routes. The server finds its way by it, and /api-json is
 * made of it. openapi.c tells how query, body and answer are written. */
#include <string.h>

#include "http/room.h"

#define PAGE "limit:integer cursor "

static const struct http_route routes[] = {
    {"POST", "/v2/generate", http_generate, false, "GenerateController_createGeneration",
     "generate", "Make a generation: JSON, or a form with the files video, audio, image", "",
     "CreateGeneration", 201, "Generation"},
    {"POST", "/v2/generations", http_generate, false, "GenerationsController_createGeneration",
     "generations", "The same as POST /v2/generate", "", "CreateGeneration", 201, "Generation"},
    {"POST", "/v2/analyze/cost", http_cost, false, "AnalyzeController_analyzeCost", "generate",
     "How many frames a generation of these inputs would have; opens them", "", "CreateGeneration",
     200, "Cost[]"},
    {"POST", "/v2/analyze/faces", http_faces, false, "AnalyzeController_analyzeFaces", "generate",
     "The faces in the picture at a time; opens the input", "", "FacesWish", 200, "Faces"},
    {"POST", "/v2/generations/estimate", http_estimate, false, "GenerationsController_estimate",
     "generations", "How many frames a generation of this length would have", "", "EstimateBody",
     200, "Estimate"},
    {"POST", "/v2/generate/estimate-cost", http_estimate, false, "GenerateController_estimateCost",
     "generate", "The same as POST /v2/generations/estimate", "", "EstimateBody", 200, "Estimate"},
    {"GET", "/v2/generations", http_generation_list, false,
     "GenerationsController_listGenerations", "generations", "Generations, the newest first",
     PAGE "status:" HTTP_STATUSES "[] ids:string[] projectId", NULL, 200, "Generation[]"},
    {"GET", "/v2/generations/count", http_generation_count, false,
     "GenerationsController_countGenerations", "generations", "How many generations there are",
     "status:" HTTP_STATUSES "[]", NULL, 200, "Count"},
    {"GET", "/v2/generate/{id}", http_generation_get, false, "GenerateController_getGeneration",
     "generate", "One generation; waits for its end if asked to",
     "wait:boolean timeout:integer include", NULL, 200, "Generation"},
    {"GET", "/v2/generations/{id}", http_generation_get, false,
     "GenerationsController_getGeneration", "generations", "The same as GET /v2/generate/{id}",
     "wait:boolean timeout:integer include", NULL, 200, "Generation"},
    {"GET", "/v2/generate/{id}/costs", http_generation_costs, false,
     "GenerateController_getGenerationCosts", "generate", "What one has cost: nothing", "", NULL,
     200, "GenerationCosts"},
    {"GET", "/v2/generations/{id}/events", http_generation_events, false,
     "GenerationsController_events", "generations",
     "Status and progress as server-sent events, until the end", "", NULL, 200, "events"},
    {"GET", "/v2/generations/{id}/result", http_generation_result, true,
     "GenerationsController_result", "generations", "The film", "token!", NULL, 200, "file"},
    {"GET", "/v2/generations/{id}/report", http_generation_report, false,
     "GenerationsController_report", "generations", "What was done and how well: see report.md", "",
     NULL, 200, "any"},
    {"DELETE", "/v2/generations/{id}", http_generation_remove, false,
     "GenerationsController_deleteGeneration", "generations", "Remove one that is over", "", NULL,
     200, "Generation"},
    {"POST", "/v2/generations/{id}/cancel", http_generation_cancel, false,
     "GenerationsController_cancelGeneration", "generations", "End one that waits or runs", "",
     NULL, 200, "Generation"},
    {"GET", "/v2/assets", http_asset_list, false, "AssetsController_listAssets", "assets",
     "Uploaded files", PAGE "searchQuery types:" HTTP_KINDS "[] sortBy projectId", NULL, 200,
     "AssetPage"},
    {"GET", "/v2/assets/{id}", http_asset_get, false, "AssetsController_getAsset", "assets",
     "One uploaded file", "", NULL, 200, "Asset"},
    {"GET", "/v2/assets/{id}/content", http_asset_content, true, "AssetsController_content",
     "assets", "The bytes of an uploaded file", "token!", NULL, 200, "file"},
    {"PATCH", "/v2/assets/{id}", http_asset_rename, false, "AssetsController_updateAsset", "assets",
     "Give it another name", "", "AssetName", 200, "Asset"},
    {"DELETE", "/v2/assets/{id}", http_asset_remove, false, "AssetsController_deleteAsset",
     "assets", "Remove an uploaded file", "", NULL, 200, "Asset"},
    {"POST", "/v2/assets/upload", http_upload_ask, false, "AssetsController_createUploadUrl",
     "assets", "Where a file can be sent: then PUT it there, then register it", "", "UploadWish",
     201, "UploadPlace"},
    {"PUT", "/v2/uploads/{id}", http_upload_put, true, "UploadsController_put", "assets",
     "The bytes of the file", "token!", "Bytes", 200, "Uploaded"},
    {"POST", "/v2/assets", http_asset_register, false, "AssetsController_createAsset", "assets",
     "Register what was sent: it becomes an asset", "", "RegisterAsset", 201, "Asset"},
    {"POST", "/v2/batch", http_batch_create, false, "BatchController_createBatch", "batch",
     "Many generations: a form with the file input (JSONL), webhook_url, dry_run", "", "", 201,
     "Batch"},
    {"GET", "/v2/batch", http_batch_list, false, "BatchController_listBatches", "batch",
     "Batches, the newest first", "status:" HTTP_BATCH_STATUSES " created_after:time "
     "created_before:time", NULL, 200, "Batch[]"},
    {"GET", "/v2/batch/{id}", http_batch_get, false, "BatchController_getBatch", "batch",
     "One batch", "", NULL, 200, "Batch"},
    {"GET", "/v2/batches/{id}/result", http_batch_result, true, "BatchController_result", "batch",
     "What became of each line, as JSONL", "token!", NULL, 200, "lines"},
    {"GET", "/v2/keys", http_key_list, false, "KeysController_listKeys", "account",
     "The organization's API keys, without the keys themselves", "", NULL, 200, "Key[]"},
    {"POST", "/v2/keys", http_key_make, false, "KeysController_createKey", "account",
     "Make a key: this is the one time it is shown", "", "KeyName", 201, "NewKey"},
    {"DELETE", "/v2/keys/{id}", http_key_revoke, false, "KeysController_revokeKey", "account",
     "Revoke a key, at once", "", NULL, 200, "KeyId"},
    {"GET", "/v2/organizations/webhook/secret", http_secret_get, false,
     "OrganizationsController_webhookSecret", "account", "What webhooks are signed with", "", NULL,
     200, "Secret"},
    {"POST", "/v2/organizations/webhook/secret", http_secret_make, false,
     "OrganizationsController_rotateWebhookSecret", "account", "A new secret, from now on", "",
     NULL, 201, "Secret"},
    {"GET", "/v2/usage", http_usage, false, "UsageController_usage", "account",
     "Generations and seconds of film made on each day", "days:integer", NULL, 200, "Day[]"},
    {"GET", "/v2/voices", http_voices, false, "VoicesController_listVoices", "voices",
     "What can be given as voiceId of a text", "", NULL, 200, "Voice[]"},
    {"POST", "/v2/tts", http_speech, false, "TextToSpeechController_createSpeech",
     "text-to-speech", "Speak a text: the sound is an asset afterwards", "", "SpeechWish", 200,
     "Speech"},
    {"GET", "/v2/models", http_models, false, "ModelsController_listModels", "models",
     "What can be given as model", "", NULL, 200, "Model[]"},
    {"GET", "/v2/errors", http_errors, true, "ErrorsController_listErrors", "service",
     "Error codes, and what to do about them", "", NULL, 200, "ErrorCode[]"},
    {"GET", "/v2/healthcheck", http_health, true, "HealthController_check", "service",
     "Does the server work?", "", NULL, 200, "Health"},
    {"GET", "/health", http_health, true, "HealthController_health", "service",
     "The same as GET /v2/healthcheck", "", NULL, 200, "Health"},
    {"GET", "/metrics", http_metrics, true, "MetricsController_metrics", "service",
     "Figures for Prometheus; with a key, or from the machine itself", "", NULL, 200, "text"},
    {"GET", "/", http_studio, true, "StudioController_page", "service", "The studio", "", NULL, 200,
     "text"},
    {"GET", "/studio/{name}", http_studio, true, "StudioController_file", "service",
     "A file of the studio", "", NULL, 200, "text"},
    {"GET", "/api-json", http_api_json, true, "DocsController_api", "service",
     "This description, OpenAPI 3", "", NULL, 200, "any"},
};

const struct http_route *http_route_at(size_t i)
{
    return i < sizeof routes / sizeof *routes ? &routes[i] : NULL;
}

size_t http_route_number(const struct http_route *route)
{
    return route ? (size_t)(route - routes) : sizeof routes / sizeof *routes;
}

/* Does the path fit? The words at {…} go to ret_words. */
static bool fits(const char *path, const char *pattern, char ret_words[2][HTTP_WORD_BYTES])
{
    for (int i = 0;;) {
        size_t same = strcspn(pattern, "{");
        if (strncmp(path, pattern, same))
            return false;
        path += same;
        pattern += same;
        if (!*pattern)
            return !*path;
        size_t n = strcspn(path, "/");
        if (!n || n >= HTTP_WORD_BYTES || i == 2)
            return false;
        memcpy(ret_words[i], path, n);
        ret_words[i++][n] = 0;
        path += n;
        pattern += strcspn(pattern, "}") + 1;
    }
}

const struct http_route *http_route_find(struct http_request *r)
{
    bool head = !strcmp(r->method, "HEAD"); /* libmicrohttpd leaves the body out */
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        char words[2][HTTP_WORD_BYTES] = {"", ""};
        if (strcmp(routes[i].method, head ? "GET" : r->method) ||
            !fits(r->path, routes[i].path, words))
            continue;
        memcpy(r->id, words[0], sizeof r->id);
        memcpy(r->other_id, words[1], sizeof r->other_id);
        return &routes[i];
    }
    return NULL;
}
