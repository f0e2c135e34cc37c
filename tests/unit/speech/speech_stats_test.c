/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "speech/speech.h"

static void test_rows_come_to_zero_mean_and_unit_spread(void **state)
{
    struct speech_stats stats;
    struct data_sound_row row;
    double sum = 0.0, sum_sq = 0.0;

    (void)state;
    speech_stats_init(&stats);
    for (int pass = 0; pass < 2; pass++) {
        uint32_t seed = 5;
        for (int i = 0; i < 1000; i++) {
            seed = seed * 1664525u + 1013904223u;
            memset(&row, 0, sizeof(row));
            row.voice = 1.0f;
            row.energy_log = -10.0f + (float)i / 100.0f;
            for (int b = 0; b < DATA_SOUND_BANDS; b++)
                row.mel[b] = -8.0f + (float)b + 3.0f * (float)(seed >> 8) / 16777216.0f;
            if (pass == 0) {
                speech_stats_add(&stats, &row);
                continue;
            }
            speech_stats_apply(&stats, &row);
            sum += row.mel[40];
            sum_sq += row.mel[40] * row.mel[40];
        }
        if (pass == 0)
            speech_stats_finish(&stats);
    }
    assert_true(fabs(sum / 1000) < 1e-3);
    assert_true(fabs(sum_sq / 1000 - 1.0) < 1e-2);
    assert_float_equal(stats.energy_p90, -1.0f, 0.05); /* 90 % of -10 .. 0 */
}

static void test_pauses_hardly_count(void **state)
{
    struct speech_stats stats;
    struct data_sound_row row = {0};

    (void)state;
    speech_stats_init(&stats);
    for (int i = 0; i < 2000; i++) {
        bool pause = i % 2 == 0;
        row.voice = pause ? 0.0f : 1.0f;
        for (int b = 0; b < DATA_SOUND_BANDS; b++)
            row.mel[b] = pause ? -20.0f : -5.0f;
        speech_stats_add(&stats, &row);
    }
    speech_stats_finish(&stats);
    assert_float_equal(stats.mean[0], -5.0f - 15.0f / 21.0f, 0.01);
}

static void test_nothing_and_constants_stay_finite(void **state)
{
    struct speech_stats stats;
    struct data_sound_row row = {0};

    (void)state;
    speech_stats_init(&stats);
    speech_stats_finish(&stats);
    row.mel[3] = 2.0f;
    row.energy_log = 1.0f;
    speech_stats_apply(&stats, &row);
    assert_float_equal(row.mel[3], 2.0f, 0.0);
    speech_stats_add(&stats, &row);
    speech_stats_finish(&stats);
    speech_stats_apply(&stats, &row);
    assert_true(isfinite(row.mel[3]) && isfinite(row.energy_log));
    assert_true(fabsf(row.mel[3]) < 1e-3f);
}

#define OLD_ROWS (20 * 60 * 100)
#define NEW_ROWS (8 * 60 * 100)

/* A stream that goes on and on follows a voice that has changed. */
static void test_a_running_level_forgets(void **state)
{
    static struct speech_running running;
    static struct data_sound_prior prior;
    struct data_sound_row row = {.voice = 1.0f};
    float first = 0.0f, before = 0.0f, after = 0.0f;

    (void)state;
    prior.rows = 250.0f;
    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        prior.sd[b] = 1.0f;
    prior.histogram[100] = 1.0f; /* -11.5 */
    speech_running_init(&running, &prior);
    for (int i = 0; i < OLD_ROWS + NEW_ROWS; i++) {
        bool late = i >= OLD_ROWS;
        row.mel[0] = late ? 6.0f : 2.0f;
        row.energy_log = late ? -4.0f : -8.0f;
        speech_running_next(&running, &row);
        if (i == 0)
            first = row.mel[0];
        if (i == OLD_ROWS - 1)
            before = row.mel[0];
        after = row.mel[0];
    }
    assert_true(first > 1.9f && first < 2.0f); /* the prior's mean 0, and a little of itself */
    assert_true(before > -0.05f && before < 0.05f);
    assert_true(after < 1.0f); /* eight minutes later most of the level is the new one */
    assert_float_equal(row.energy_log, 0.0f, 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_to_zero_mean_and_unit_spread),
        cmocka_unit_test(test_pauses_hardly_count),
        cmocka_unit_test(test_nothing_and_constants_stay_finite),
        cmocka_unit_test(test_a_running_level_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
