/* SPDX-License-Identifier: MIT
 * What webhooks say. Those who verify the signature parse the body and write it again, in
 * JavaScript or Python, before they hash it: so all of it is what both write alike. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define DEPTH_MAX 32

/* Letters beyond ASCII become '?', control characters blanks. */
static json_t *plain_text(const char *text)
{
    size_t n = strlen(text), at = 0;
    char *copy = base_alloc(n + 1);
    for (size_t i = 0; copy && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80)
            copy[at++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
        else if (c >= 0xc0) /* the first byte of a letter */
            copy[at++] = '?';
    }
    json_t *json = copy ? json_stringn(copy, at) : json_null();
    base_free(copy);
    return json;
}

/* Whole numbers without a point, others with four digits after it; 15 digits at most, since more
 * are rounded by one language and not by the other. */
static json_t *plain_number(double value)
{
    if (!(fabs(value) < 1e15))
        return json_null();
    double rounded = fabs(value) < 1e10 ? round(value * 1e4) / 1e4 : round(value);
    return rounded == round(rounded) ? json_integer((json_int_t)rounded) : json_real(rounded);
}

static json_t *plain(const json_t *json, int depth)
{
    const char *key;
    json_t *value, *copy;
    size_t i;
    if (depth > DEPTH_MAX)
        return json_null();
    if (json_is_string(json))
        return plain_text(json_string_value(json));
    if (json_is_number(json))
        return plain_number(json_number_value(json));
    if (json_is_array(json)) {
        copy = json_array();
        json_array_foreach(json, i, value)
            json_array_append_new(copy, plain(value, depth + 1));
        return copy;
    }
    if (!json_is_object(json))
        return json_deep_copy(json);
    copy = json_object();
    json_object_foreach((json_t *)json, key, value) {
        json_t *name = plain_text(key);
        const char *text = json_string_value(name);
        /* JavaScript moves keys that are numbers to the front. */
        if (text && *text && strspn(text, "0123456789") < strlen(text))
            json_object_set_new(copy, text, plain(value, depth + 1));
        json_decref(name);
    }
    return copy;
}

char *http_ascii(json_t *json)
{
    json_t *copy = plain(json, 0);
    char *text = json_dumps(copy, JSON_COMPACT | JSON_REAL_PRECISION(15));
    char *kept = base_strdup(text);
    free(text); /* lint: allow free: jansson gave this memory */
    json_decref(copy);
    json_decref(json);
    return kept;
}

static json_t *generation_json(const struct store_generation *g)
{
    json_t *o = json_object();
    bool completed = g->status == STORE_COMPLETED;
    json_object_set_new(o, "status", json_string(store_status_name(g->status)));
    json_object_set_new(o, "createdAt", http_time(g->created_ms));
    json_object_set_new(o, "id", json_string(g->id));
    json_object_set_new(o, "input", http_parsed_or_null(g->input));
    json_object_set_new(o, "model", json_string(g->model));
    json_object_set_new(o, "error", http_text_or_null(g->error));
    json_object_set_new(o, "error_code", http_text_or_null(g->error_code));
    json_object_set_new(o, "options", http_parsed_or_null(g->options));
    json_object_set_new(o, "outputDuration", completed ? json_real(g->duration_s) : json_null());
    json_object_set_new(o, "outputUrl", http_result_url(g->base_url, g));
    json_object_set_new(o, "segmentOutputUrl", json_null());
    json_object_set_new(o, "webhookUrl", http_text_or_null(g->webhook_url));
    return o;
}

char *http_hook_body(const struct store_hook *hook)
{
    return hook->of_batch ? http_batch_body(&hook->batch)
                          : http_ascii(generation_json(&hook->generation));
}
