/* SPDX-License-Identifier: MIT
 * When lips meet: a run of closure probabilities in, how far the lips touch out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "motion/internal.h"

#define N 60
#define PEAK 30

static float closure[N];

/* How far the lips touch at sample i of the run. */
static float touch(int i)
{
    return motion_timing_touch(closure + i - MOTION_TIMING_REACH);
}

static void make_peak(float height, float width)
{
    memset(closure, 0, sizeof(closure));
    for (int i = 0; i < N; i++) {
        float away = (float)(i < PEAK ? PEAK - i : i - PEAK) / width;
        closure[i] = away < 1.0f ? height * (1.0f - away) : 0.0f;
    }
}

static void test_without_a_closure_nothing_touches(void **state)
{
    (void)state;
    make_peak(0.15f, 5.0f);
    for (int i = MOTION_TIMING_REACH; i < N - MOTION_TIMING_REACH; i++)
        assert_float_equal(touch(i), 0.0f, 0.0);
}

static void test_a_meeting_closes_in_full_and_early(void **state)
{
    int full = 0, some = 0;

    (void)state;
    make_peak(0.5f, 4.0f); /* the net is far from sure */
    for (int i = MOTION_TIMING_REACH; i < N - MOTION_TIMING_REACH; i++) {
        full += touch(i) == 1.0f;
        some += touch(i) > 0.0f;
    }
    assert_float_equal(touch(PEAK), 1.0f, 0.0);
    assert_float_equal(touch(PEAK - 1), 1.0f, 0.0); /* before the sound */
    assert_true(full >= 2 && full <= 4);            /* not a flicker, not a stop */
    assert_true(some >= 3 && some <= 6);            /* 60 ms at least with its slopes */
}

static void test_perhaps_all_the_while_is_no_meeting(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        closure[i] = 0.5f;
    assert_true(touch(PEAK) > 0.1f && touch(PEAK) < 0.6f);
}

static void test_even_one_sample_is_held(void **state)
{
    (void)state;
    make_peak(0.9f, 1.0f);
    assert_float_equal(touch(PEAK - 1), 1.0f, 0.0);
    assert_float_equal(touch(PEAK), 1.0f, 0.0);
    assert_float_equal(touch(PEAK - 4), 0.0f, 0.0);
    assert_float_equal(touch(PEAK + 4), 0.0f, 0.0);
}

static void test_a_surer_closure_touches_no_less(void **state)
{
    float before[N] = {0};

    (void)state;
    for (int step = 0; step <= 20; step++) {
        make_peak(0.05f * (float)step, 6.0f);
        for (int i = MOTION_TIMING_REACH; i < N - MOTION_TIMING_REACH; i++) {
            assert_true(touch(i) >= before[i]);
            assert_true(touch(i) <= 1.0f);
            before[i] = touch(i);
        }
    }
}

/* With one sample of future: the same meetings, a little later, and none of what only hovers. */
static void test_lips_meet_without_seeing_far(void **state)
{
    int full = 0;

    (void)state;
    make_peak(0.5f, 5.0f);
    for (int i = MOTION_TIMING_REACH; i < N - MOTION_TIMING_REACH; i++) {
        float touch = motion_timing_touch_live(closure + i - MOTION_TIMING_REACH);
        full += touch == 1.0f;
        if (i < PEAK - 4 || i > PEAK + 4)
            assert_float_equal(touch, 0.0f, 0.0);
        if (i == PEAK || i == PEAK + 1)
            assert_float_equal(touch, 1.0f, 0.0);
    }
    assert_int_equal(full, 2);
    for (int i = 0; i < N; i++)
        closure[i] = 0.5f;
    for (int i = MOTION_TIMING_REACH; i < N - MOTION_TIMING_REACH; i++)
        assert_true(motion_timing_touch_live(closure + i - MOTION_TIMING_REACH) < 0.5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_closure_nothing_touches),
        cmocka_unit_test(test_a_meeting_closes_in_full_and_early),
        cmocka_unit_test(test_perhaps_all_the_while_is_no_meeting),
        cmocka_unit_test(test_even_one_sample_is_held),
        cmocka_unit_test(test_a_surer_closure_touches_no_less),
        cmocka_unit_test(test_lips_meet_without_seeing_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
