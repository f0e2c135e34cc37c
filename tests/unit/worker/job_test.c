/* SPDX-License-Identifier: MIT
 * What the API's words become for the engine. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "worker/room.h"

static struct worker_plan plan;

static int make(const char *text)
{
    struct lip_error err = {0};
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    int r = worker_plan_make(json, &plan, &err);
    json_decref(json);
    return r;
}

#define INPUT "'input':[{'type':'video'},{'type':'audio','refId':'a'},{'type':'text','refId':'b'}]"

static int make_quoted(const char *text)
{
    char json[2000];
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof json; i++)
        json[i] = text[i] == '\'' ? '"' : text[i];
    json[i] = 0;
    return make(json);
}

static void models(void **state)
{
    (void)state;
    assert_int_equal(make_quoted("{'model':'lipsync-1.9.0-beta'," INPUT "}"), LIP_OK);
    assert_int_equal(plan.job.tier, LIP_TIER_FAST);
    assert_int_equal(plan.job.sync, LIP_SYNC_BOUNCE);
    assert_string_equal(plan.job.film, "film");
    assert_string_equal(plan.job.voice, "voice1");
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'lipsync-2-pro'," INPUT ",'options':{'sync_mode':"
                                 "'remap','temperature':0.8,'occlusion_detection_enabled':true}}"),
                     LIP_OK);
    assert_int_equal(plan.job.tier, LIP_TIER_PRO);
    assert_int_equal(plan.job.sync, LIP_SYNC_REMAP);
    assert_int_equal(plan.job.occlusion, LIP_OCCLUSION_ON);
    assert_true(plan.job.temperature > 0.79 && plan.job.temperature < 0.81);
    worker_plan_done(&plan);
    /* sync-3 takes no notice of temperature and occlusion */
    assert_int_equal(make_quoted("{'model':'sync-3'," INPUT ",'options':{'temperature':1,"
                                 "'occlusion_detection_enabled':true}}"), LIP_OK);
    assert_int_equal(plan.job.occlusion, LIP_OCCLUSION_AUTO);
    assert_true(plan.job.temperature > 0.49 && plan.job.temperature < 0.51);
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'gpt'," INPUT "}"), LIP_ERR_ARG);
}

static void faces(void **state)
{
    (void)state;
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'options':{'sync_mode':'loop',"
                                 "'active_speaker_detection':{'frame_number':7,"
                                 "'coordinates':[10,20.5]}}}"), LIP_OK);
    assert_int_equal(plan.job.n_segments, 1);
    assert_int_equal(plan.segments[0].face, LIP_FACE_POINT);
    assert_int_equal(plan.segments[0].face_frame, 7);
    assert_int_equal(plan.segments[0].sync, LIP_SYNC_LOOP);
    assert_true(plan.segments[0].face_y > 20.4 && plan.segments[0].end_s > 1000);
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'options':{"
                                 "'active_speaker_detection':{'bounding_boxes':[null,null,"
                                 "[10,20,30,40],null]}}}"), LIP_OK);
    assert_int_equal(plan.job.face, LIP_FACE_BOXES);
    assert_string_equal(plan.job.face_boxes, WORKER_BOXES);
    json_t *boxes = json_load_file(WORKER_BOXES, 0, NULL);
    assert_int_equal(json_array_size(boxes), 4);
    json_decref(boxes);
    remove(WORKER_BOXES);
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'segments':[{'startTime':1,"
                                 "'endTime':2,'audioInput':{'refId':'a'},'optionsOverride':{"
                                 "'active_speaker_detection':{'bounding_boxes':[null,null,"
                                 "[10,20,30,40],null]}}}]}"), LIP_OK);
    assert_int_equal(plan.segments[0].face_frame, 2);
    assert_true(plan.segments[0].face_x > 19.9 && plan.segments[0].face_x < 20.1);
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'options':{"
                                 "'active_speaker_detection':{'auto_detect':true}}}"), LIP_OK);
    assert_int_equal(plan.job.face, LIP_FACE_AUTO);
    assert_true(worker_plan_automatic(&plan));
    worker_plan_largest(&plan);
    assert_int_equal(plan.job.face, LIP_FACE_LARGEST);
    worker_plan_done(&plan);
}

static void segments(void **state)
{
    (void)state;
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'options':{'temperature':0.1},"
                                 "'segments':[{'startTime':1,'endTime':2,'audioInput':{'refId':"
                                 "'b','startTime':0.5,'endTime':1.5}},{'startTime':3,'endTime':4,"
                                 "'audioInput':{'refId':'a'},'optionsOverride':{'temperature':1,"
                                 "'sync_mode':'cut_off'}}]}"), LIP_OK);
    assert_int_equal(plan.job.n_segments, 2);
    assert_null(plan.job.voice);
    assert_string_equal(plan.segments[0].voice, "voice2");
    assert_true(plan.segments[0].voice_to_s > 1.4 && plan.segments[0].temperature < 0.2);
    assert_string_equal(plan.segments[1].voice, "voice1");
    assert_int_equal(plan.segments[1].sync, LIP_SYNC_CUT_OFF);
    assert_true(plan.segments[1].temperature > 0.9);
    worker_plan_done(&plan);
    assert_int_equal(make_quoted("{'model':'lipsync-2'," INPUT ",'segments':[{'startTime':1,"
                                 "'endTime':2,'audioInput':{'refId':'nobody'}}]}"), LIP_ERR_ARG);
}

static void error_codes(void **state)
{
    (void)state;
    assert_string_equal(worker_error_code(LIP_ERR_FORMAT, "cannot read 'voice1'"),
                        "generation_input_audio_invalid");
    assert_string_equal(worker_error_code(LIP_ERR_FORMAT, "cannot read 'film'"),
                        "generation_input_video_invalid");
    assert_string_equal(worker_error_code(LIP_ERR_NO_FACE, ""),
                        "generation_input_face_selection_invalid");
    assert_string_equal(worker_error_code(LIP_ERR_INTERNAL, ""), "generation_unknown_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(models), cmocka_unit_test(faces),
                                       cmocka_unit_test(segments), cmocka_unit_test(error_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
