/* SPDX-License-Identifier: MIT
 * What a job would be: its frames. It costs nothing here. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define IMAGE_RATE_HZ 25.0 /* of films that are made from images */
#define LENGTH_MAX_S (24 * 3600)
#define RATE_MAX_HZ 1000

struct lengths {
    double film_s, rate_hz, voice_s; /* film and rate 0: an image */
};

/* By the rules of sync_mode. With segments the film's own length is the best guess. */
static double output_s(const struct http_wish *w, const struct lengths *l)
{
    const char *sync = json_string_value(json_object_get(w->options, "sync_mode"));
    if (w->segments && l->film_s > 0)
        return l->film_s;
    if (sync && l->film_s > 0 && !strcmp(sync, "cut_off"))
        return l->film_s < l->voice_s ? l->film_s : l->voice_s;
    if (sync && l->film_s > 0 && !strcmp(sync, "silence"))
        return l->film_s > l->voice_s ? l->film_s : l->voice_s;
    return l->voice_s;
}

int http_look(struct http_request *r, const json_t *input, double faces_at_s, const char *keep,
              json_t **ret_answer, struct lip_error *err)
{
    const struct http_params *params = &r->server->params;
    char *text = json_dumps(input, JSON_COMPACT), *answer = NULL;
    int error = text ? params->look(params->look_user, text, faces_at_s, keep, &answer, err)
                     : base_error_nomem(err, "http/cost");
    free(text); /* lint: allow free: jansson gave this memory */
    if (!error && !(*ret_answer = json_loads(answer, 0, NULL)))
        error = base_error_nomem(err, "http/cost");
    base_free(answer);
    return error;
}

/* A file of a form would have to be kept to be looked at. */
void http_refuse_files(struct http_request *r)
{
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        if (r->body.files[i].path)
            http_fault_note(&r->fault, "input: name files by url or assetId");
}

static double number_of(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

enum MHD_Result http_cost(struct http_request *r)
{
    struct lip_error err = {0};
    struct http_wish wish;
    json_t *body = http_body_object(r), *answer = NULL;
    if (!body || http_check(r, body, &wish)) {
        json_decref(body);
        return http_reply_fault(r);
    }
    http_refuse_files(r);
    int error = r->fault.status ? LIP_ERR_ARG : http_look(r, wish.input, -1, NULL, &answer, &err);
    struct lengths l = {number_of(answer, "film_s"), number_of(answer, "rate_hz"),
                        number_of(answer, "voice_s")};
    double frames = error ? 0 : output_s(&wish, &l) * (l.rate_hz > 0 ? l.rate_hz : IMAGE_RATE_HZ);
    json_decref(answer);
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return http_reply_error(r, 422, "cost_estimate_unavailable", err.text);
    return http_reply(r, 200, json_pack("[{s:I,s:i}]", "estimatedFrameCount",
                                        (json_int_t)(frames + 0.5), "estimatedGenerationCost",
                                        0));
}

enum MHD_Result http_faces(struct http_request *r)
{
    struct lip_error err = {0};
    json_t *body = http_body_object(r), *answer = NULL;
    const json_t *time = json_object_get(body, "time");
    double t_s = time ? json_number_value(time) : 0;
    if (body)
        http_check_seen(r, json_object_get(body, "input"));
    if (body && !((!time || json_is_number(time)) && t_s >= 0 && t_s < LENGTH_MAX_S))
        http_fault_note(&r->fault, "time must be a number of seconds from 0 to %d", LENGTH_MAX_S);
    http_refuse_files(r);
    int error = r->fault.status ? LIP_ERR_ARG
                                : http_look(r, json_object_get(body, "input"), t_s, NULL, &answer,
                                            &err);
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return http_reply_error(r, 422, "generation_input_video_invalid", err.text);
    return http_reply(r, 200, answer);
}

/* The same without inputs: a length is enough. */
enum MHD_Result http_estimate(struct http_request *r)
{
    struct http_fault *f = &r->fault;
    json_t *body = http_body_object(r);
    const json_t *duration = json_object_get(body, "duration"), *fps = json_object_get(body, "fps");
    const char *model = json_string_value(json_object_get(body, "model"));
    double s = json_number_value(duration), rate_hz = fps ? json_number_value(fps) : 30;
    if (!f->status && !model)
        http_fault_note(f, "model must be a string");
    else if (!f->status && !http_model_known(model))
        http_fault_set(f, 400, "generation_unsupported_model", "model",
                       "There is no model '%.60s': see /v2/models", model);
    if (!f->status && !(s > 0 && s <= LENGTH_MAX_S))
        http_fault_note(f, "duration must be a number of seconds above 0, at most %d",
                        LENGTH_MAX_S);
    if (!f->status && !(rate_hz > 0 && rate_hz <= RATE_MAX_HZ))
        http_fault_note(f, "fps must be a number above 0, at most %d", RATE_MAX_HZ);
    json_decref(body);
    if (f->status)
        return http_reply_fault(r);
    return http_reply(r, 200, json_pack("{s:I,s:i,s:n}", "estimatedFrameCount",
                                        (json_int_t)(s * rate_hz + 0.5), "estimatedGenerationCost",
                                        0, "estimatedCredits"));
}

/* What one has cost: nothing; for programs that ask before they go on. */
enum MHD_Result http_generation_costs(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    int error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    bool over = store_status_final(g.status);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:o,s:[]}", "generationId", g.id,
                             "generationStatus", store_status_name(g.status), "currency", "USD",
                             "availability", over ? "complete" : "pending", "totalCostUsd", 0,
                             "knownSubtotalUsd", 0, "retryAfterSeconds",
                             over ? json_null() : json_integer(5), "components");
    store_generation_done(&g);
    return http_reply(r, 200, json);
}
