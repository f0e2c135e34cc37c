/* SPDX-License-Identifier: MIT
 * What is compared of mouths: sums of measures, and their speeds. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "speaker/traits.h"

#define RATE 60
#define N (8 * RATE)
#define CUT (4 * RATE)
#define GONE (6 * RATE)

static float t_s[N], seen[N][SPEAKER_MEASURES], said[N][SPEAKER_MEASURES], speech[N];
static uint8_t shots[N];
static struct speaker_traits traits;

/* Two shots; every measure of the face is `of` the time since its shot began. */
static void make(float (*of)(float t))
{
    memset(shots, 0, sizeof shots);
    shots[0] = shots[CUT] = 1;
    for (int i = 0; i < N; i++) {
        t_s[i] = (float)i / RATE;
        speech[i] = 1;
        for (int m = 0; m < SPEAKER_MEASURES; m++) {
            seen[i][m] = (i < CUT ? 0 : 10) + of(t_s[i] - (i < CUT ? 0 : t_s[CUT]));
            said[i][m] = of(t_s[i]);
        }
    }
    for (int i = GONE; i < GONE + 9; i++)
        for (int m = 0; m < SPEAKER_MEASURES; m++)
            seen[i][m] = NAN;
    struct speaker_scene scene = {
        .n_frames = N, .t_s = t_s, .shot_start = shots, .n_faces = 1,
        .seen = {(const float(*)[SPEAKER_MEASURES])seen},
        .said = (const float(*)[SPEAKER_MEASURES])said, .speech = speech, .n_said = N,
        .said_rate_hz = RATE};
    assert_int_equal(speaker_traits_init(&traits, &scene), LIP_OK);
}

static float wave(float t)
{
    return .1f * sinf(2 * (float)M_PI * 3 * t);
}
static float rest(float t)
{
    return .3f + 0 * t;
}

/* The speed of a sine leads it by a quarter of its period. */
static void speeds_lead(void **state)
{
    (void)state;
    make(wave);
    for (int k = 0; k < SPEAKER_POSES; k++) {
        double at = 0, ahead = 0;
        const float *pose = traits.seen[0][k], *speed = traits.seen[0][SPEAKER_POSES + k];
        for (int i = RATE; i < CUT - RATE; i++) {
            at += (double)(speed[i] * pose[i]);
            ahead += (double)(speed[i] * pose[i + RATE / 12]);
        }
        assert_true(ahead > 20 && fabs(at) < .1 * ahead);
        for (int i = 0; i < N; i++)
            assert_true(isnan(pose[i]) == (i >= GONE && i < GONE + 9));
    }
    assert_true(traits.still[0][2 * RATE] == 0);
    speaker_traits_done(&traits);
}

/* What jumps at a cut, or behind a gap, has not moved. */
static void cuts_are_no_speed(void **state)
{
    (void)state;
    make(rest);
    for (int k = 0; k < SPEAKER_POSES; k++) {
        const float *speed = traits.seen[0][SPEAKER_POSES + k];
        for (int i = 0; i < N; i++)
            assert_true(isnan(speed[i]) || fabsf(speed[i]) < 1e-3f);
        assert_true(isnan(speed[CUT]) && isnan(speed[CUT - 2]) && isnan(speed[GONE - 2]));
        assert_true(isfinite(speed[CUT - 4]) && isfinite(speed[CUT + 4]));
    }
    assert_true(traits.still[0][2 * RATE] == 1);
    speaker_traits_done(&traits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speeds_lead),
        cmocka_unit_test(cuts_are_no_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
