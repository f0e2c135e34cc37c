/* SPDX-License-Identifier: MIT
 * What can be asked without a job: models, error codes, health. */
#include <string.h>

#include "http/room.h"

static const struct {
    const char *id, *name, *type, *version, *text;
} models[] = {
    {"0b9f3d4e-6a55-4a3c-9d0a-1f6f5b7c1a01", "lipsync-1.9.0-beta", "lipsync", "1.9.0-beta",
     "The tier fast"},
    {"0b9f3d4e-6a55-4a3c-9d0a-1f6f5b7c1a02", "lipsync-2", "lipsync", "2", "The tier standard"},
    {"0b9f3d4e-6a55-4a3c-9d0a-1f6f5b7c1a03", "lipsync-2-pro", "lipsync", "2-pro", "The tier pro"},
    {"0b9f3d4e-6a55-4a3c-9d0a-1f6f5b7c1a04", "sync-3", "lipsync", "3",
     "The tier pro; also for images"},
    {"0b9f3d4e-6a55-4a3c-9d0a-1f6f5b7c1a05", "react-1", "react", "1",
     "The tier pro; lips only: model_mode and prompt change nothing"},
};

bool http_model_known(const char *name)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, name))
            return true;
    return false;
}

enum MHD_Result http_models(struct http_request *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", models[i].id, "name",
                                              models[i].name, "type", models[i].type, "version",
                                              models[i].version, "description", models[i].text));
    return http_reply(r, 200, list);
}

/* Those that this server gives. */
static const struct {
    const char *code, *message, *suggestion;
} errors[] = {
    {"generation_unsupported_model", "There is no such model, or not for this input",
     "Take a name from GET /v2/models"},
    {"generation_pipeline_failed", "The job's process ended without a result several times",
     "Try a shorter or smaller film; tell whoever runs the server"},
    {"generation_unknown_error", "The engine met an error that has no code of its own",
     "Read the generation's error"},
    {"generation_input_validation_failed", "The request is not as it must be",
     "Read the messages"},
    {"generation_infra_storage_error", "The server's disk failed or is full", "Try again later"},
    {"generation_infra_resource_exhausted", "The job needs more memory or time than it may have",
     "Try a shorter or smaller film"},
    {"generation_infra_service_unavailable", "Something that the job needs is not installed",
     "Tell whoever runs the server"},
    {"generation_input_video_inaccessible", "The video cannot be fetched",
     "Check the address, or send the file itself"},
    {"generation_input_audio_inaccessible", "The audio cannot be fetched",
     "Check the address, or send the file itself"},
    {"generation_input_image_inaccessible", "The image cannot be fetched",
     "Check the address, or send the file itself"},
    {"generation_input_video_invalid", "The video cannot be read or has no picture",
     "Send a film that plays elsewhere"},
    {"generation_input_audio_invalid", "The audio cannot be read or has no sound",
     "Send a sound file that plays elsewhere"},
    {"generation_input_segments_invalid", "Segments overlap or name a voice that is not there",
     "Check times and refIds"},
    {"generation_input_face_selection_invalid", "The choice of the face cannot be followed",
     "Point at a face that is seen in that frame"},
    {"generation_input_resolution_unsupported", "The picture is larger than can be worked on",
     "Send a smaller one"},
    {"generation_input_asset_type_mismatch", "The asset is of another type than the input item",
     "Check the assetId"},
    {"generation_input_too_many_visual", "There is more than one video or image", "Send one"},
    {"generation_not_deletable_while_processing", "The generation is not over",
     "End it with POST /v2/generations/{id}/cancel, or wait"},
    {"generation_not_found", "There is no such generation", "Check the id"},
    {"generation_conflict", "The generation is in no state for that", "Read its status"},
    {"generation_cancelled", "Somebody ended the job", "Create it again"},
    {"cost_estimate_unavailable", "The inputs cannot be measured", "Check the inputs"},
    {"plan_feature_unavailable", "This server does not do that", "Leave the field out"},
    {"INVALID_IDEMPOTENCY_KEY", "Idempotency-Key must be 1 to 128 of A-Z a-z 0-9 . _ ~ -",
     "Send one such header"},
    {"IDEMPOTENCY_KEY_CONFLICT", "The key was used with another request", "Take a new key"},
    {"uploaded_file_not_found", "Nothing was sent to that address",
     "Ask for one with POST /v2/assets/upload, and PUT the file there"},
    {"batch_invalid_jsonl", "A line of the batch is no good", "Read the message"},
    {"batch_insufficient_records", "The batch has no line", "Send at least one"},
    {"batch_file_too_large", "The batch is larger than 5 MB or 1000 lines", "Send several"},
    {"batch_duplicate_request_id", "A request_id comes twice", "Make them unique"},
    {"batch_invalid_endpoint", "Only /v2/generate can be asked for in a batch",
     "Write \"endpoint\": \"/v2/generate\""},
    {"batch_not_found", "There is no such batch", "Check the id"},
    {"elevenlabs_service_unavailable", "Texts cannot be spoken at the moment",
     "Try again; or tell whoever runs the server to install espeak-ng"},
    {"voice_not_found", "This server has no voices", "Tell whoever runs the server"},
    {"key_not_found", "There is no such key", "Take the id from GET /v2/keys"},
    {"key_conflict", "It is the last key: nobody could get in any more", "Make another one first"},
    {"asset_conflict", "A job that waits needs the asset", "Wait, or cancel the job"},
    {"project_not_found", "There are no projects on this server", "Leave projectId out"},
    {"asset_not_found", "There is no such asset", "Check the id"},
    {"invalid_asset_id_format", "An asset's id is a UUID", "Check the id"},
    {"internal_error", "The server failed", "Tell whoever runs it"},
};

enum MHD_Result http_errors(struct http_request *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "code", errors[i].code, "message",
                                              errors[i].message, "suggestion",
                                              errors[i].suggestion));
    return http_reply(r, 200, list);
}

enum MHD_Result http_health(struct http_request *r)
{
    struct lip_error err = {0};
    int64_t n = 0;
    int error = store_key_count(r->store, STORE_DEFAULT, &n, &err);
    return http_reply(r, error ? 500 : 200, json_pack("{s:s}", "status", error ? "error" : "ok"));
}
