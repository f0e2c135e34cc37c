/* SPDX-License-Identifier: MIT
 * Options and segments. Unknown options are never refused: clients of all ages send them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define BOXES_MAX 400000 /* more than two hours of frames */

static bool given(const json_t *value)
{
    return value && !json_is_null(value);
}

static bool is_numbers(const json_t *array, size_t n)
{
    if (!json_is_array(array) || json_array_size(array) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!json_is_number(json_array_get(array, i)) ||
            !(fabs(json_number_value(json_array_get(array, i))) < 1e6))
            return false;
    return true;
}

static void wrong_face(struct http_fault *f, const char *at, const char *text)
{
    char field[80];
    snprintf(field, sizeof field, "%.40s.active_speaker_detection", at);
    http_fault_set(f, 400, "generation_input_face_selection_invalid", field, "%s", text);
}

static void check_boxes(struct http_fault *f, const json_t *boxes, const char *at)
{
    size_t i;
    json_t *box;
    bool any = false;
    if (!json_is_array(boxes) || json_array_size(boxes) > BOXES_MAX) {
        wrong_face(f, at, "bounding_boxes must be an array with an entry for each frame");
        return;
    }
    json_array_foreach(boxes, i, box) {
        if (!json_is_null(box) && !is_numbers(box, 4)) {
            wrong_face(f, at, "an entry of bounding_boxes is [x1,y1,x2,y2] or null");
            return;
        }
        any |= !json_is_null(box);
    }
    if (!any)
        wrong_face(f, at, "bounding_boxes shows no face");
}

static void check_boxes_url(struct http_fault *f, const json_t *url, bool fetches, const char *at)
{
    if (!json_is_string(url) || !http_is_url(json_string_value(url)))
        wrong_face(f, at, "bounding_boxes_url must be a URL address");
    if (!fetches)
        wrong_face(f, at, "This server fetches no addresses: send bounding_boxes");
}

static void check_speaker(struct http_fault *f, const json_t *asd, struct http_rules rules,
                          const char *at)
{
    const json_t *frame = json_object_get(asd, "frame_number");
    const json_t *point = json_object_get(asd, "coordinates");
    const json_t *boxes = json_object_get(asd, "bounding_boxes");
    const json_t *url = json_object_get(asd, "bounding_boxes_url");
    bool automatic = json_is_true(json_object_get(asd, "auto_detect"));
    if (!json_is_object(asd)) {
        http_fault_note(f, "%s.active_speaker_detection must be an object", at);
        return;
    }
    if (automatic && rules.image)
        wrong_face(f, at, "auto_detect is for videos");
    if (given(point) + given(boxes) + given(url) + automatic > 1)
        wrong_face(f, at, "auto_detect, coordinates and bounding_boxes exclude each other");
    if (given(frame) != given(point) && !(rules.image && given(point)))
        wrong_face(f, at, "frame_number and coordinates come together");
    if (given(frame) && (!json_is_integer(frame) || json_integer_value(frame) < 0))
        wrong_face(f, at, "frame_number must be a whole number from 0 on");
    if (given(point) && !is_numbers(point, 2))
        wrong_face(f, at, "coordinates must be [x, y] in pixels");
    if (given(boxes))
        check_boxes(f, boxes, at);
    if (given(url))
        check_boxes_url(f, url, rules.fetches, at);
}

void http_check_options(struct http_fault *f, const json_t *options, struct http_rules rules,
                        const char *at)
{
    static const char *const modes[] = {"bounce", "loop", "cut_off", "silence", "remap"};
    if (!json_is_object(options)) {
        http_fault_note(f, "%s must be an object", at);
        return;
    }
    const json_t *sync = json_object_get(options, "sync_mode");
    bool known = false;
    for (int i = 0; i < 5 && json_is_string(sync); i++)
        known |= !strcmp(json_string_value(sync), modes[i]);
    if (given(sync) && !known)
        http_fault_note(f, "%s.sync_mode must be one of the following values: bounce, loop, "
                        "cut_off, silence, remap", at);
    const json_t *temperature = json_object_get(options, "temperature");
    double t = json_number_value(temperature);
    if (given(temperature) && !(json_is_number(temperature) && t >= 0 && t <= 1))
        http_fault_note(f, "%s.temperature must be a number from 0 to 1", at);
    const json_t *occlusion = json_object_get(options, "occlusion_detection_enabled");
    if (given(occlusion) && !json_is_boolean(occlusion))
        http_fault_note(f, "%s.occlusion_detection_enabled must be a boolean value", at);
    const json_t *asd = json_object_get(options, "active_speaker_detection");
    if (given(asd))
        check_speaker(f, asd, rules, at);
}

/* Segments ------------------------------------------------------------------------------------- */

static bool is_time(const json_t *value)
{
    double t = json_number_value(value);
    return json_is_number(value) && t >= 0 && t <= 24. * 3600;
}

static void wrong_segment(struct http_fault *f, size_t i, const char *text)
{
    char at[32];
    snprintf(at, sizeof at, "segments.%zu", i);
    http_fault_set(f, 400, "generation_input_segments_invalid", at, "%s", text);
}

static int count_voices(const json_t *input, const char *ref)
{
    int n = 0;
    size_t i;
    json_t *item;
    json_array_foreach(input, i, item) {
        const char *type = json_string_value(json_object_get(item, "type"));
        const char *own = json_string_value(json_object_get(item, "refId"));
        bool voice = type && (!strcmp(type, "audio") || !strcmp(type, "text"));
        n += voice && own && !strcmp(own, ref);
    }
    return n;
}

static void check_voice(struct http_fault *f, const json_t *voice, const json_t *input, size_t i)
{
    const char *ref = json_string_value(json_object_get(voice, "refId"));
    const json_t *from = json_object_get(voice, "startTime");
    const json_t *to = json_object_get(voice, "endTime");
    if (!ref)
        wrong_segment(f, i, "audioInput.refId must be a string");
    else if (count_voices(input, ref) != 1)
        wrong_segment(f, i, "audioInput.refId must be that of one audio or text of the input");
    if (given(from) != given(to))
        wrong_segment(f, i, "audioInput.startTime and endTime come together");
    else if (given(from) && (!is_time(from) || !is_time(to) ||
                             json_number_value(from) >= json_number_value(to)))
        wrong_segment(f, i, "audioInput.startTime must be before its endTime");
}

static int by_start(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Spans in any order, `n` of them; sorted by this. */
static void check_apart(struct http_fault *f, double (*spans)[2], size_t n)
{
    qsort(spans, n, sizeof *spans, by_start);
    for (size_t i = 1; i < n; i++)
        if (spans[i][0] < spans[i - 1][1])
            wrong_segment(f, i, "segments must not overlap");
}

static double (*make_spans(struct http_fault *f, size_t n))[2]
{
    double (*spans)[2] = base_alloc_array(n, sizeof *spans);
    if (!spans)
        http_fault_set(f, 500, "internal_error", NULL, "out of memory");
    return spans;
}

bool http_check_ranges(struct http_fault *f, const json_t *item, const char *at)
{
    const json_t *frames = json_object_get(item, "segments_frames"), *pair;
    const json_t *list = given(frames) ? frames : json_object_get(item, "segments_secs");
    size_t i, n = json_array_size(list);
    if (!given(list))
        return false;
    if (!json_is_array(list) || !n || n > HTTP_SEGMENTS_MAX) {
        http_fault_note(f, "%s: segments_secs and segments_frames are arrays of 1 to %d elements",
                        at, HTTP_SEGMENTS_MAX);
        return true;
    }
    double (*spans)[2] = make_spans(f, n);
    if (given(frames) && given(json_object_get(item, "segments_secs")))
        wrong_segment(f, 0, "segments_secs and segments_frames exclude each other");
    for (i = 0; spans && i < n; i++) {
        pair = json_array_get(list, i);
        spans[i][0] = json_number_value(json_array_get(pair, 0));
        spans[i][1] = json_number_value(json_array_get(pair, 1));
        bool whole = !given(frames) || (json_is_integer(json_array_get(pair, 0)) &&
                                        json_is_integer(json_array_get(pair, 1)));
        if (!is_numbers(pair, 2) || !whole || spans[i][0] < 0 || spans[i][0] >= spans[i][1])
            wrong_segment(f, i, "a range is [start, end], the start before the end");
    }
    if (spans)
        check_apart(f, spans, n);
    base_free(spans);
    return true;
}

void http_check_segments(struct http_fault *f, const json_t *segments, const json_t *input,
                         struct http_rules rules)
{
    size_t i, n = json_array_size(segments);
    double (*spans)[2] = NULL;
    json_t *segment;
    if (!json_is_array(segments) || !n || n > HTTP_SEGMENTS_MAX) {
        http_fault_note(f, "segments must be an array of 1 to %d elements", HTTP_SEGMENTS_MAX);
        return;
    }
    if (!(spans = make_spans(f, n)))
        return;
    json_array_foreach(segments, i, segment) {
        const json_t *start = json_object_get(segment, "startTime");
        const json_t *end = json_object_get(segment, "endTime");
        const json_t *own = json_object_get(segment, "optionsOverride");
        char at[48];
        snprintf(at, sizeof at, "segments.%zu.optionsOverride", i);
        if (!is_time(start) || !is_time(end) || json_number_value(start) > json_number_value(end))
            wrong_segment(f, i, "startTime and endTime are seconds, the start first");
        spans[i][0] = json_number_value(start);
        spans[i][1] = json_number_value(end);
        check_voice(f, json_object_get(segment, "audioInput"), input, i);
        if (given(own))
            http_check_options(f, own, rules, at);
    }
    check_apart(f, spans, n);
    base_free(spans);
}
