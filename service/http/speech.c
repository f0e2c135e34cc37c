/* SPDX-License-Identifier: MIT
 * Text becomes a voice: an asset that can be heard, and given to a generation. */
#include <stdio.h>
#include <string.h>

#include "http/room.h"

#define VOICE "en"
#define VOICE_BYTES_MAX 100

/* The text as an input; sets the fault. NULL: something is wrong with it. */
static json_t *take_text(struct http_request *r, const json_t *body)
{
    const char *script = json_string_value(json_object_get(body, "script"));
    const json_t *named = json_object_get(body, "voiceId");
    const char *voice = named ? json_string_value(named) : VOICE;
    if (!http_script_valid(script))
        http_fault_note(&r->fault, "script must have 1 to 5000 characters");
    if (!voice || strlen(voice) > VOICE_BYTES_MAX)
        http_fault_note(&r->fault, "voiceId must be a string: see /v2/voices");
    if (r->fault.status)
        return NULL;
    return json_pack("[{s:s,s:{s:s,s:s,s:s}}]", "type", "text", "provider", "name", "espeak-ng",
                     "voiceId", voice, "script", script);
}

static int speak(struct http_request *r, const json_t *input, double *ret_s,
                 struct store_asset *ret_asset, struct lip_error *err)
{
    json_t *answer = NULL;
    int error = http_body_expect(r, STORE_AUDIO, "speech.wav", err);
    if (!error)
        error = http_look(r, input, -1, r->body.files[STORE_AUDIO].path, &answer, err);
    *ret_s = json_number_value(json_object_get(answer, "voice_s"));
    json_decref(answer);
    return error ? error : http_body_keep_made(r, STORE_AUDIO, ret_asset, err);
}

enum MHD_Result http_speech(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset asset;
    double duration_s = 0;
    json_t *body = http_body_object(r);
    http_refuse_files(r);
    json_t *input = body ? take_text(r, body) : NULL;
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (!r->server->params.voices) {
        json_decref(input);
        return http_reply_error(r, 503, "elevenlabs_service_unavailable",
                                "This server has no voices: espeak-ng is not installed there");
    }
    int error = speak(r, input, &duration_s, &asset, &err);
    json_decref(input);
    if (error == LIP_ERR_LIMIT || error == LIP_ERR_DEVICE)
        return http_reply_error(r, 503, "elevenlabs_service_unavailable", err.text);
    if (error)
        return http_reply_failure(r, error, &err);
    return http_reply(r, 200, json_pack("{s:s,s:o,s:f}", "id", asset.id, "url",
                                        http_asset_link(r, &asset), "duration", duration_s));
}
