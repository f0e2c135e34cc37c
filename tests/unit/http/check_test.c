/* SPDX-License-Identifier: MIT
 * What a client may ask for, as far as it can be told without a server. */
#include "unit/unit.h"

#include <string.h>

#include "http/room.h"

static json_t *quoted(const char *text)
{
    char json[2000];
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof json; i++)
        json[i] = text[i] == '\'' ? '"' : text[i];
    json[i] = 0;
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static const char *options_code(const char *text, bool image)
{
    struct http_fault f = {0};
    json_t *json = quoted(text);
    http_check_options(&f, json, (struct http_rules){image, true}, "options");
    const char *code = f.status ? f.code : NULL;
    http_fault_done(&f);
    json_decref(json);
    return code;
}

#define FINE(text) assert_null(options_code(text, false))
#define WRONG(text, code) assert_string_equal(options_code(text, false), code)
#define INVALID "generation_input_validation_failed"
#define FACE "generation_input_face_selection_invalid"
#define ASD(text) "{'active_speaker_detection':{" text "}}"

static void options(void **state)
{
    (void)state;
    FINE("{}");
    FINE("{'sync_mode':'silence','temperature':1,'pads':[0,0,0,0],'nobody_knows':{}}");
    FINE("{'sync_mode':null,'temperature':null}");
    WRONG("{'sync_mode':'ping_pong'}", INVALID);
    WRONG("{'sync_mode':3}", INVALID);
    WRONG("{'temperature':1.01}", INVALID);
    WRONG("{'temperature':'hot'}", INVALID);
    WRONG("[]", INVALID);
    FINE(ASD("'auto_detect':true,'v3':true"));
    FINE(ASD("'frame_number':0,'coordinates':[1,2]"));
    FINE(ASD("'bounding_boxes':[null,[1,2,3,4]]"));
    WRONG(ASD("'coordinates':[1,2]"), FACE);
    WRONG(ASD("'frame_number':-1,'coordinates':[1,2]"), FACE);
    WRONG(ASD("'frame_number':0,'coordinates':[1]"), FACE);
    WRONG(ASD("'auto_detect':true,'bounding_boxes':[[1,2,3,4]]"), FACE);
    WRONG(ASD("'bounding_boxes':[null]"), FACE);
    WRONG(ASD("'bounding_boxes':[[1,2]]"), FACE);
    FINE(ASD("'bounding_boxes_url':'https://x/boxes.json'"));
    WRONG(ASD("'bounding_boxes_url':'file:///etc/passwd'"), FACE);
    WRONG(ASD("'bounding_boxes_url':'https://x/b','bounding_boxes':[[1,2,3,4]]"), FACE);
    assert_string_equal(options_code(ASD("'auto_detect':true"), true), FACE);
}

static bool segments_fine(const char *text)
{
    struct http_fault f = {0};
    json_t *input = quoted("[{'type':'video'},{'type':'audio','refId':'a'},"
                           "{'type':'text','refId':'b'}]");
    json_t *json = quoted(text);
    http_check_segments(&f, json, input, (struct http_rules){false, true});
    http_fault_done(&f);
    json_decref(json);
    json_decref(input);
    return !f.status;
}

#define SEGMENT(from, to, ref) "{'startTime':" from ",'endTime':" to ",'audioInput':{'refId':'" \
                               ref "'}}"

static void segments(void **state)
{
    (void)state;
    assert_true(segments_fine("[" SEGMENT("3", "4", "b") "," SEGMENT("1", "3", "a") "]"));
    assert_true(segments_fine("[" SEGMENT("1", "1", "a") "]"));
    assert_false(segments_fine("[" SEGMENT("1", "3", "a") "," SEGMENT("2", "4", "b") "]"));
    assert_false(segments_fine("[" SEGMENT("2", "1", "a") "]"));
    assert_false(segments_fine("[" SEGMENT("-1", "1", "a") "]"));
    assert_false(segments_fine("[" SEGMENT("1", "2", "c") "]"));
    assert_false(segments_fine("[]"));
    assert_false(segments_fine("[{'startTime':0,'endTime':1,'audioInput':{'refId':'a',"
                               "'startTime':1}}]"));
    assert_false(segments_fine("[7]"));
}

static bool ranges_fine(const char *text)
{
    struct http_fault f = {0};
    json_t *json = quoted(text);
    assert_true(http_check_ranges(&f, json, "input.0"));
    http_fault_done(&f);
    json_decref(json);
    return !f.status;
}

static void ranges(void **state)
{
    (void)state;
    json_t *none = quoted("{'segments_secs':null}");
    assert_false(http_check_ranges(NULL, none, "input.0"));
    json_decref(none);
    assert_true(ranges_fine("{'segments_secs':[[2,3.5],[0,1]]}"));
    assert_true(ranges_fine("{'segments_frames':[[0,25],[25,30]]}"));
    assert_false(ranges_fine("{'segments_secs':[[0,2],[1,3]]}"));
    assert_false(ranges_fine("{'segments_secs':[[1,1]]}"));
    assert_false(ranges_fine("{'segments_secs':[[-1,1]]}"));
    assert_false(ranges_fine("{'segments_secs':[[1,2,3]]}"));
    assert_false(ranges_fine("{'segments_secs':[]}"));
    assert_false(ranges_fine("{'segments_secs':7}"));
    assert_false(ranges_fine("{'segments_frames':[[0,1.5]]}"));
    assert_false(ranges_fine("{'segments_frames':[[0,1]],'segments_secs':[[0,1]]}"));
}

/* The first fault is the answer; sentences of a 400 are gathered. */
static void faults(void **state)
{
    (void)state;
    struct http_fault f = {0};
    http_fault_note(&f, "one");
    http_fault_note(&f, "two");
    http_fault_set(&f, 500, "x", NULL, "late");
    assert_int_equal(f.status, 400);
    assert_int_equal(json_array_size(f.messages), 2);
    http_fault_done(&f);
    f = (struct http_fault){0};
    http_fault_set(&f, 404, "asset_not_found", "input.0", "gone");
    http_fault_note(&f, "late");
    assert_int_equal(f.status, 404);
    assert_null(f.messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(options), cmocka_unit_test(segments),
                                       cmocka_unit_test(ranges), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
