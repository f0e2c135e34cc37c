/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/motion/make.h"

#define N_ROWS 3000 /* 30 s */
#define N_SEEN 1500 /* 50 frames a second */

static struct data_sound_row rows[N_ROWS];
static struct motion_observed seen[N_SEEN];
static struct data_person person;
static struct motion_model *model;

/* A mouth that follows a map of the features of its own (not the generic one), `late_s` after the
 * sound; `seed` 0: a mouth that follows nothing. */
static void make_mouth(double late_s, uint32_t seed, float noise)
{
    static float features[N_ROWS / 2 + 1][MAKE_FEATURES];
    struct motion_trunk *trunk = NULL;
    const float *x;
    float voice, map[MAKE_FEATURES];
    size_t n = 0;
    uint32_t random = 99;

    assert_int_equal(motion_trunk_create(model, &trunk), 0);
    for (size_t i = 0; i <= N_ROWS; i++) {
        assert_int_equal(
            i < N_ROWS ? motion_trunk_push(trunk, &rows[i]) : motion_trunk_flush(trunk), 0);
        while (motion_trunk_pull(trunk, &x, &voice))
            memcpy(features[n++], x, sizeof(features[0]));
    }
    assert_int_equal(n, N_ROWS / 2 + 1);
    motion_trunk_destroy(&trunk);
    for (int a = 0; a < MAKE_FEATURES; a++)
        map[a] = make_random(&seed);
    for (size_t i = 0; i < N_SEEN; i++) {
        double at = ((double)i / 50.0 - late_s) * MOTION_RATE_HZ;
        size_t sample = at < 0.0 ? 0 : (size_t)(at + 0.5);
        float opening = 0.0f;
        for (int a = 0; a < MAKE_FEATURES; a++)
            opening += map[a] * features[sample < n ? sample : n - 1][a];
        opening += noise * make_random(&random);
        memset(&seen[i], 0, sizeof(seen[i]));
        seen[i].t_s = (double)i / 50.0;
        seen[i].valid = true;
        seen[i].opening = 0.1f + 0.05f * opening;
        seen[i].coef[0] = 0.05f * opening;
        seen[i].coef[1] = 0.01f * make_random(&random);
    }
}

static void fit(size_t n_rows, struct motion_style *ret_style)
{
    struct motion_fit *it = NULL;
    struct lip_error err = {0};

    assert_int_equal(motion_fit_create(model, &person, seen, N_SEEN, &it, &err), 0);
    for (size_t at = 0; at < n_rows; at += 300)
        assert_int_equal(motion_fit_push(it, rows + at, 300, &err), 0);
    assert_int_equal(motion_fit_finish(&it, ret_style, &err), 0);
    assert_null(it);
}

static int set_up(void **state)
{
    (void)state;
    model = make_model();
    make_person(&person);
    make_rows(rows, N_ROWS, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    motion_model_close(&model);
    return 0;
}

static void test_a_known_map_is_found(void **state)
{
    struct motion_style style;

    (void)state;
    make_mouth(0.0, 5, 0.3f);
    fit(N_ROWS, &style);
    assert_true(style.fitted);
    assert_non_null(style.head);
    assert_true(style.ranged);
    assert_true(style.agreement > 0.9f);
    assert_true(style.agreement > style.agreement_generic + 0.1f);
    assert_int_equal(style.lag_ms, 0);
    motion_style_done(&style);
}

static void test_the_fitted_head_drives_the_stream(void **state)
{
    static struct data_curve_sample samples[N_ROWS / 2 + 1];
    static float said[N_SEEN], real[N_SEEN];
    struct motion_style style;
    struct motion_stream *stream = NULL;
    struct motion_mouth mouth;
    struct lip_error err = {0};
    size_t n = 0;

    (void)state;
    make_mouth(0.0, 5, 0.1f);
    fit(N_ROWS, &style);
    memset(model->head.weights + MOTION_CLOSURE * (MAKE_FEATURES + 1), 0,
           (MAKE_FEATURES + 1) * sizeof(float));
    assert_int_equal(motion_stream_create(model, &style, &person, &stream, &err), 0);
    assert_int_equal(motion_stream_push(stream, rows, N_ROWS, &err), 0);
    assert_int_equal(motion_stream_flush(stream, &err), 0);
    while (motion_stream_pull(stream, &samples[n]))
        n++;
    motion_stream_destroy(&stream);
    assert_int_equal(n, N_ROWS / 2 + 1);
    motion_mouth_init(&mouth, &model->basis, &person);
    for (size_t i = 0; i < N_SEEN; i++) {
        said[i] = motion_mouth_gap(&mouth, samples[i].coef);
        real[i] = seen[i].opening;
    }
    assert_true(motion_correlation(said, real, N_SEEN) > 0.85);
    motion_style_done(&style);
}

/* A mouth that is ahead of some sounds and behind others. */
static void test_a_wide_model_learns_from_other_moments(void **state)
{
    static float before[N_SEEN], after[N_SEEN];
    struct motion_style narrow, wide;

    (void)state;
    make_mouth(0.06, 5, 0.1f);
    for (size_t i = 0; i < N_SEEN; i++)
        before[i] = seen[i].opening;
    make_mouth(-0.06, 21, 0.1f);
    for (size_t i = 0; i < N_SEEN; i++)
        after[i] = seen[i].opening;
    for (size_t i = 0; i < N_SEEN; i++)
        seen[i].opening = 0.5f * (before[i] + after[i]);
    fit(N_ROWS, &narrow);
    model->wide = true;
    model->n_features = motion_trunk_wide(model);
    fit(N_ROWS, &wide);
    assert_true(wide.fitted);
    assert_true(wide.agreement > 0.8f);
    assert_true(wide.agreement > narrow.agreement + 0.1f);
    assert_int_equal(wide.head->n_features, model->n_features);
    motion_style_done(&narrow);
    motion_style_done(&wide);
}

static void test_a_late_picture_is_measured(void **state)
{
    struct motion_style style;

    (void)state;
    make_mouth(0.08, 5, 0.3f);
    fit(N_ROWS, &style);
    assert_in_range(style.lag_ms, 60, 100);
    assert_true(style.fitted);
    assert_true(style.agreement > 0.9f);
    motion_style_done(&style);
}

static void test_a_foreign_sound_is_not_learnt(void **state)
{
    struct motion_style style;

    (void)state;
    make_mouth(0.0, 5, 0.3f);
    make_rows(rows, N_ROWS, 77);
    fit(N_ROWS, &style);
    assert_false(style.fitted);
    assert_null(style.head);
    assert_true(style.agreement < 0.3f);
    motion_style_done(&style);
}

static void test_too_little_sound_gives_range_alone(void **state)
{
    struct motion_style style;

    (void)state;
    make_mouth(0.0, 5, 0.3f);
    for (size_t i = 0; i < N_SEEN; i++) /* a mouth twice as large as people's on average */
        seen[i].opening = 0.02f + 0.3f * (float)(i % 50) / 50.0f;
    fit(300, &style);
    assert_false(style.fitted);
    assert_true(style.ranged);
    assert_float_equal(style.opening_out[0], 0.02f + 0.3f * 0.05f, 0.01);
    assert_float_equal(style.opening_out[1], 0.02f + 0.3f * 0.5f, 0.01);
    assert_float_equal(style.opening_out[2], 0.02f + 0.3f * 0.95f, 0.01);
    assert_true(style.opening_max >= style.opening_out[2]);
    motion_style_done(&style);
}

static void test_a_still_mouth_gets_peoples_range(void **state)
{
    struct motion_style style;

    (void)state;
    make_mouth(0.0, 5, 0.0f);
    for (size_t i = 0; i < N_SEEN; i++) {
        memset(seen[i].coef, 0, sizeof(seen[i].coef));
        seen[i].opening = 0.01f;
    }
    for (int i = 0; i < 5; i++)
        person.opening_pct[i] = 0.01f;
    fit(N_ROWS, &style);
    assert_false(style.fitted);
    assert_float_equal(style.opening_out[2], 0.08f + 0.04f * 1.6f, 1e-4); /* model's average */
    assert_true(style.gain[0] > 0.02f);
    motion_style_done(&style);
}

static void test_nothing_seen_is_fine(void **state)
{
    struct motion_style style;
    struct motion_fit *it = NULL;
    struct lip_error err = {0};

    (void)state;
    assert_int_equal(motion_fit_create(model, &person, NULL, 0, &it, &err), 0);
    assert_int_equal(motion_fit_push(it, rows, 500, &err), 0);
    assert_int_equal(motion_fit_finish(&it, &style, &err), 0);
    assert_false(style.fitted);
    assert_true(style.ranged);
    motion_style_done(&style);
}

/* The whole way of a style and a curve; whatever fails says so and leaves nothing behind. */
static int walk(struct lip_error *err)
{
    struct motion_style style;
    struct motion_fit *it = NULL;
    struct motion_stream *stream = NULL;
    int status;

    motion_style_init(&style);
    status = motion_fit_create(model, &person, seen, N_SEEN, &it, err);
    if (status < 0)
        return status;
    status = motion_fit_push(it, rows, 800, err);
    if (status == 0) {
        status = motion_fit_finish(&it, &style, err);
    } else { /* an unfinished fit is freed by finish */
        struct motion_style unused;
        if (motion_fit_finish(&it, &unused, NULL) == 0)
            motion_style_done(&unused);
    }
    if (status == 0)
        status = motion_stream_create(model, &style, &person, &stream, err);
    if (status == 0)
        status = motion_stream_push(stream, rows, 100, err);
    if (status == 0)
        status = motion_stream_flush(stream, err);
    motion_stream_destroy(&stream);
    motion_style_done(&style);
    return status;
}

static void test_every_allocation_may_fail(void **state)
{
    uint64_t n_made, n;

    (void)state;
    make_mouth(0.0, 5, 0.3f);
    base_alloc_fail_nth(0);
    assert_int_equal(walk(NULL), 0);
    n_made = base_alloc_fail_nth(0);
    assert_true(n_made > 20);
    for (n = 1; n <= n_made; n++) {
        struct lip_error err = {0};
        base_alloc_fail_nth(n);
        assert_int_equal(walk(&err), LIP_ERR_NOMEM);
        assert_int_equal(err.code, LIP_ERR_NOMEM);
    }
    base_alloc_fail_nth(0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_known_map_is_found),
        T(test_the_fitted_head_drives_the_stream),
        T(test_a_wide_model_learns_from_other_moments),
        T(test_a_late_picture_is_measured),
        T(test_a_foreign_sound_is_not_learnt),
        T(test_too_little_sound_gives_range_alone),
        T(test_a_still_mouth_gets_peoples_range),
        T(test_nothing_seen_is_fine),
        T(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
