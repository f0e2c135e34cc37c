/* SPDX-License-Identifier: MIT
 * Segments on their clocks: where they lie in film, output and voice, and what is made of it. */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/segments.h"

#define N 250 /* frames: ten seconds */
#define VOICE "segments-test.wav"

static char path[64];
static struct data_score *score;

static void put32(FILE *f, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        fputc((int)(v >> 8 * i & 255), f);
}

/* Three seconds of silence at 1000 samples a second. */
static void make_voice(void)
{
    FILE *f = fopen(VOICE, "wb");
    assert_non_null(f);
    fwrite("RIFF", 1, 4, f);
    put32(f, 36 + 6000);
    fwrite("WAVEfmt \x10\0\0\0\1\0\1\0", 1, 16, f);
    put32(f, 1000);
    put32(f, 2000);
    fwrite("\2\0\x10\0data", 1, 8, f);
    put32(f, 6000);
    for (int i = 0; i < 6000; i++)
        fputc(0, f);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    (void)state;
    struct data_film film = {.width_px = 64, .height_px = 64, .disp_width_px = 64,
                             .disp_height_px = 64, .time_base = {1, 1000}, .has_audio = true,
                             .disp_from_img = {{0, 1, 0, 1, 0, 0}}};
    snprintf(path, sizeof path, "segments_test_%d.score", (int)getpid());
    make_voice();
    if (data_score_create(path, &film, &score, NULL))
        return -1;
    for (int f = 0; f < N; f++) {
        struct data_score_frame frame = {.pts = f * 40, .duration = 40};
        if (data_score_add_frame(score, &frame, NULL, 0, NULL))
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    data_score_close(&score);
    unlink(VOICE);
    return unlink(path);
}

static struct lip_segment segment(double from_s, double to_s, int sync)
{
    struct lip_segment s;
    lip_segment_default(&s);
    s.start_s = from_s;
    s.end_s = to_s;
    s.voice = VOICE;
    s.sync = sync;
    return s;
}

static void open_all(struct segments *s, struct lip_job *job)
{
    struct lip_error err = {0};
    assert_int_equal(segments_check(job, &err), LIP_OK);
    assert_int_equal(segments_open(s, job, &err), LIP_OK);
    assert_int_equal(segments_place(s, score, NULL, &err), LIP_OK);
}

static struct lip_job job_of(const struct lip_segment *all, int n)
{
    struct lip_job job;
    lip_job_default(&job);
    job.film = "film";
    job.segments = all;
    job.n_segments = n;
    return job;
}

/* Two segments, given in the wrong order: the first is lengthened by 1.5 s, the second cut. */
static void clocks(void **state)
{
    (void)state;
    struct lip_segment all[] = {segment(6, 7, LIP_SYNC_CUT_OFF), segment(2.01, 3.51, -1)};
    all[0].voice_from_s = 1;
    all[0].voice_to_s = 1.25;
    struct lip_job job = job_of(all, 2);
    struct segments s;
    open_all(&s, &job);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.n_voices, 1);
    assert_int_equal(s.at[0].number, 2);
    assert_int_equal(s.at[0].out_us, 2010000);
    assert_int_equal(s.at[0].out_to_us, 5010000);
    assert_int_equal(s.at[0].first, 50); /* every frame that is touched */
    assert_int_equal(s.at[0].end, 88);
    assert_int_equal(s.at[1].out_us, 7500000);
    assert_int_equal(s.at[1].out_to_us, 7750000);
    assert_int_equal(s.end_shift_us, 750000);
    assert_int_equal(s.voices[0].needed_us, 3000000);
    struct plan plan;
    assert_int_equal(segments_plan(&s, score, &plan, NULL), LIP_OK);
    assert_int_equal(plan.total_ticks, 10750);
    assert_int_equal(plan_n_pieces(&plan), 5);
    struct plan_frame f;
    while (plan_next(&plan, &f))
        if (f.piece == 3) /* the voice begins at 1 s with the segment, to the microsecond */
            assert_float_equal(f.voice_s, 1 + (double)f.pts * 1e-3 - 7.5, 1e-9);
    plan_done(&plan);
    segments_done(&s);
}

/* Sound pieces overlap by their fades, and only there; together they cover the output. */
static void sounds_and_times(void **state)
{
    (void)state;
    struct lip_segment all[] = {segment(0, 1, LIP_SYNC_CUT_OFF), segment(1, 2, LIP_SYNC_LOOP),
                                segment(9, 10, LIP_SYNC_SILENCE)};
    struct lip_job job = job_of(all, 3);
    struct segments s;
    struct media_sound *sounds = NULL;
    struct media_time *times = NULL;
    size_t n = 0, n_times = 0;
    open_all(&s, &job);
    assert_int_equal(segments_sounds(&s, "film", &sounds, &n, NULL), LIP_OK);
    assert_int_equal(n, 4);
    int64_t total_us = s.film_us + s.end_shift_us;
    for (int64_t t = 9000; t < total_us; t += 999) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double in = (double)(t - sounds[i].at_us), out = (double)sounds[i].length_us - in;
            if (in < 0 || out <= 0)
                continue;
            double a = sounds[i].fade_in_us ? in / (double)sounds[i].fade_in_us : 1;
            double b = sounds[i].fade_out_us ? out / (double)sounds[i].fade_out_us : 1;
            sum += fmin(1, fmin(a, b));
        }
        bool turn = llabs(t - 1000000) < 8000 || t > total_us - 8000; /* voice to voice, the end */
        assert_true(turn || fabs(sum - 1) < 1e-6);
    }
    assert_int_equal(segments_times(&s, &times, &n_times, NULL), LIP_OK);
    for (size_t i = 1; i < n_times; i++)
        assert_true(times[i].film_us >= times[i - 1].film_us &&
                    times[i].out_us >= times[i - 1].out_us);
    assert_int_equal(times[n_times - 1].out_us - times[n_times - 1].film_us, s.end_shift_us);
    base_free(sounds);
    base_free(times);
    segments_done(&s);
}

static void ends_and_nothing(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct lip_segment all[] = {segment(4, 4, LIP_SYNC_LOOP), segment(9.5, 11, LIP_SYNC_REMAP)};
    struct lip_job job = job_of(all, 2);
    struct segments s;
    open_all(&s, &job);
    assert_int_equal(s.n, 1); /* one of no length changes nothing, one behind the end is cut */
    assert_int_equal(s.at[0].to_us, 10000000);
    assert_int_equal(s.end_shift_us, 2500000);
    segments_done(&s);
    all[1].start_s = 10;
    assert_int_equal(segments_open(&s, &job, &err), LIP_OK);
    assert_int_equal(segments_place(&s, score, NULL, &err), LIP_ERR_ARG);
    assert_non_null(strstr(err.text, "segment 2 begins at 10.000 s"));
    segments_done(&s);
    all[0].voice_from_s = 3;
    err = (struct lip_error){0};
    assert_int_equal(segments_open(&s, &job, &err), LIP_ERR_ARG);
    assert_non_null(strstr(err.text, "segment 1 takes a piece from 3.000 s on"));
    segments_done(&s);
}

/* The voice lies on the film's clock: nothing is longer, and where it is over there is silence. */
static void only(void **state)
{
    (void)state;
    struct lip_range ranges[] = {{1, 2.5}, {2.9, 3.4}, {8, 9}};
    struct lip_job job;
    struct segments s;
    struct plan plan;
    lip_job_default(&job);
    job.voice = VOICE;
    job.only = ranges;
    job.n_only = 3;
    open_all(&s, &job);
    const int64_t heard_us[] = {1500000, 100000, 0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s.at[i].voice_us, heard_us[i]);
        assert_int_equal(s.at[i].out_us, s.at[i].from_us);
        assert_int_equal(s.at[i].voice_from_us, s.at[i].from_us);
    }
    assert_int_equal(segments_plan(&s, score, &plan, NULL), LIP_OK);
    assert_true(plan_is_straight(&plan));
    struct plan_frame f;
    while (plan_next(&plan, &f))
        assert_float_equal(f.voice_s, (double)f.pts * 1e-3, 1e-9);
    plan_done(&plan);
    segments_done(&s);
}

/* A point in a frame's own pixels becomes one in upright pixels at a time. */
static void points_of_frames(void **state)
{
    (void)state;
    struct lip_segment one = segment(1, 2, -1);
    one.face = LIP_FACE_POINT;
    one.face_x = 3;
    one.face_y = 5;
    one.face_frame = 100;
    struct lip_job job = job_of(&one, 1);
    struct segments s;
    open_all(&s, &job);
    struct lip_job own = segments_job(&s.at[0], &job, score);
    assert_true(own.face == LIP_FACE_POINT && own.face_x == 5 && own.face_y == 3);
    assert_float_equal(own.face_t_s, 4.0005, 1e-9);
    segments_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks), cmocka_unit_test(sounds_and_times),
        cmocka_unit_test(ends_and_nothing), cmocka_unit_test(only),
        cmocka_unit_test(points_of_frames)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
