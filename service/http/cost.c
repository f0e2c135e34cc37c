/* SPDX-License-Identifier: MIT
 * What a job would be: its frames. It costs nothing here. */
#include <stdlib.h>
#include <string.h>

#include "http/room.h"

#define IMAGE_RATE_HZ 25.0 /* of films that are made from images */
#define LENGTH_MAX_S (24 * 3600)
#define RATE_MAX_HZ 1000

/* By the rules of sync_mode. With segments the film's own length is the best guess. */
static double output_s(const struct http_wish *w, const struct http_lengths *l)
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

enum MHD_Result http_cost(struct http_request *r)
{
    struct lip_error err = {0};
    struct http_wish wish;
    struct http_lengths lengths;
    json_t *body = http_body_object(r);
    if (!body || http_check(r, body, &wish)) {
        json_decref(body);
        return http_reply_fault(r);
    }
    /* A file of a form would have to be kept to be measured. */
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        if (r->body.files[i].path)
            http_fault_note(&r->fault, "input: name files by url or assetId");
    char *input = json_dumps(wish.input, JSON_COMPACT);
    int error = r->fault.status ? LIP_ERR_ARG
                : !input ? base_error_nomem(&err, "http/cost")
                : r->server->params.measure(r->server->params.measure_user, input, &lengths, &err);
    free(input); /* lint: allow free: jansson gave this memory */
    double frames = error ? 0 : output_s(&wish, &lengths) *
                                    (lengths.rate_hz > 0 ? lengths.rate_hz : IMAGE_RATE_HZ);
    json_decref(body);
    if (r->fault.status)
        return http_reply_fault(r);
    if (error)
        return http_reply_error(r, 422, "cost_estimate_unavailable", err.text);
    return http_reply(r, 200, json_pack("[{s:I,s:i}]", "estimatedFrameCount",
                                        (json_int_t)(frames + 0.5), "estimatedGenerationCost",
                                        0));
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
