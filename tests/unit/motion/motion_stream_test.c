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

#define N_ROWS 401
#define MAX 400

static struct data_sound_row rows[N_ROWS];
static struct data_curve_sample curve_a[MAX], curve_b[MAX];
static struct data_person person;
static struct motion_model *model;
static double temperature;

static int set_up(void **state)
{
    (void)state;
    temperature = 0.5;
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

static size_t run_with(const struct motion_style *style, size_t n, size_t piece,
                       struct data_curve_sample *ret_samples)
{
    struct motion_stream *stream = NULL;
    struct lip_error err = {0};
    size_t got = 0;

    assert_int_equal(motion_stream_create(model, style, &person, &stream, &err), 0);
    if (temperature != 0.5)
        motion_stream_express(stream, temperature);
    for (size_t at = 0; at < n; at += piece) {
        assert_int_equal(
            motion_stream_push(stream, rows + at, n - at < piece ? n - at : piece, &err), 0);
        while (got < MAX && motion_stream_pull(stream, &ret_samples[got]))
            got++;
    }
    assert_int_equal(motion_stream_flush(stream, &err), 0);
    while (got < MAX && motion_stream_pull(stream, &ret_samples[got]))
        got++;
    assert_int_equal(motion_stream_push(stream, rows, 1, &err), LIP_ERR_STATE);
    motion_stream_destroy(&stream);
    return got;
}

static size_t run(size_t n, size_t piece, struct data_curve_sample *ret_samples)
{
    struct motion_style style;

    motion_style_init(&style);
    return run_with(&style, n, piece, ret_samples);
}

static float opening_of(const struct data_curve_sample *sample)
{
    static float points[DATA_FACE_POINTS][3];

    data_basis_shape(&model->basis, person.rest, sample->coef, points);
    return data_mouth_opening(points);
}

static void test_any_chunk_size_gives_the_same_curve(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 100};

    (void)state;
    for (size_t i = 150; i < 190; i++)
        rows[i].voice = 0.0f;
    assert_int_equal(run(N_ROWS, N_ROWS, curve_a), N_ROWS / 2 + 1);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        memset(curve_b, 0, sizeof(curve_b));
        assert_int_equal(run(N_ROWS, pieces[i], curve_b), N_ROWS / 2 + 1);
        assert_memory_equal(curve_a, curve_b, (N_ROWS / 2 + 1) * sizeof(curve_a[0]));
    }
}

static void test_length_follows_the_rows(void **state)
{
    (void)state;
    assert_int_equal(run(0, 1, curve_a), 0);
    assert_int_equal(run(1, 1, curve_a), 1);
    assert_int_equal(run(2, 1, curve_a), 2);
    assert_int_equal(run(3, 5, curve_a), 2);
}

static void test_a_moment_hears_only_its_surroundings(void **state)
{
    struct data_sound_row kept = rows[301];

    (void)state;
    run(N_ROWS, 50, curve_a);
    rows[301].mel[40] += 3.0f; /* the centre of sample 151; the net reaches 4 rows + 2 samples */
    run(N_ROWS, 50, curve_b);
    rows[301] = kept;
    for (size_t i = 0; i < N_ROWS / 2 + 1; i++) {
        bool same = memcmp(&curve_a[i], &curve_b[i], sizeof(curve_a[i])) == 0;
        if (i < 146 || i > 156)
            assert_true(same);
        if (i == 151)
            assert_false(same);
    }
}

static void test_silence_brings_the_mouth_to_rest(void **state)
{
    (void)state;
    for (size_t i = 200; i < 300; i++) /* 2.0 .. 3.0 s */
        rows[i].voice = 0.02f;
    run(N_ROWS, 10, curve_a);
    assert_float_equal(curve_a[90].speech, 1.0f, 0.0);
    assert_float_equal(curve_a[160].speech, 1.0f, 0.0);
    for (size_t i = 101; i < 109; i++) { /* quick, but not at once */
        assert_true(curve_a[i].speech <= curve_a[i - 1].speech);
        assert_true(curve_a[i - 1].speech - curve_a[i].speech < 0.35f);
    }
    for (size_t i = 109; i < 140; i++) { /* at rest 160 ms after the last voice */
        assert_float_equal(curve_a[i].speech, 0.0f, 0.0);
        for (int k = 0; k < DATA_CURVE_DIMS; k++)
            assert_float_equal(curve_a[i].coef[k], 0.0f, 0.0);
        assert_float_equal(opening_of(&curve_a[i]), person.opening_rest, 1e-5);
    }
    assert_true(curve_a[145].speech > 0.05f && curve_a[145].speech < 1.0f); /* opens early */
}

static void test_a_breath_between_words_is_speech(void **state)
{
    (void)state;
    for (size_t i = 200; i < 208; i++) /* 80 ms */
        rows[i].voice = 0.02f;
    run(N_ROWS, 10, curve_a);
    for (size_t i = 10; i < N_ROWS / 2; i++)
        assert_float_equal(curve_a[i].speech, 1.0f, 0.0);
}

static void test_the_mouth_keeps_its_limits(void **state)
{
    float widest = 0.0f, most = 0.0f;

    (void)state;
    for (int i = 0; i < MOTION_MODEL_ROWS * (MAKE_FEATURES + 1); i++)
        model->head.weights[i] *= 20.0f;
    run(N_ROWS, 10, curve_a);
    for (size_t i = 0; i < N_ROWS / 2 + 1; i++) {
        static float points[DATA_FACE_POINTS][3];
        data_basis_shape(&model->basis, person.rest, curve_a[i].coef, points);
        most = fmaxf(most, data_mouth_opening(points));
        widest = fmaxf(widest, data_mouth_width(points));
        assert_true(points[14][1] >= points[13][1]); /* lips do not pass through each other */
        assert_in_range((int)(curve_a[i].closure * 1000), 0, 1000);
    }
    assert_true(most > 0.2f && most < 1.3f * person.opening_pct[4]);
    assert_true(widest > 0.55f && widest < 0.64f);
}

static void test_lips_do_not_fly_apart(void **state)
{
    float fastest = 0.0f, range;
    struct motion_style style;

    (void)state;
    motion_style_init(&style);
    motion_style_range(model, &person, &style);
    range = style.opening_out[2] - style.opening_out[0];
    for (int i = 0; i < MOTION_MODEL_ROWS * (MAKE_FEATURES + 1); i++)
        model->head.weights[i] *= 50.0f; /* also closures come and go at once */
    run(N_ROWS, 10, curve_a);
    for (size_t i = 1; i < N_ROWS / 2 + 1; i++)
        fastest = fmaxf(fastest, opening_of(&curve_a[i]) - opening_of(&curve_a[i - 1]));
    assert_true(fastest > 0.2f * range);
    assert_true(fastest < 0.42f * range); /* 20 ranges a second at 50 samples a second */
}

static void test_a_meant_closure_closes(void **state)
{
    float *closure = model->head.weights + MOTION_CLOSURE * (MAKE_FEATURES + 1);

    (void)state;
    memset(closure, 0, (MAKE_FEATURES + 1) * sizeof(float));
    closure[MAKE_FEATURES] = 6.0f;
    run(N_ROWS, 10, curve_a);
    closure[MAKE_FEATURES] = -6.0f;
    run(N_ROWS, 10, curve_b);
    for (size_t i = 5; i < N_ROWS / 2 - 5; i++) {
        assert_true(curve_a[i].closure > 0.99f);
        assert_true(opening_of(&curve_a[i]) < 0.012f);
    }
    assert_true(opening_of(&curve_b[100]) > 0.02f);
}

/* Mean distance of the opening from rest. */
static double liveliness(const struct data_curve_sample *curve, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += fabs((double)opening_of(&curve[i]) - person.opening_rest);
    return sum / (double)n;
}

static void test_a_higher_temperature_moves_more(void **state)
{
    static const double temperatures[] = {0.0, 0.25, 0.5, 0.75, 1.0};
    double before = 0.0, first = 0.0;
    size_t n = N_ROWS / 2 + 1;

    (void)state;
    for (size_t i = 0; i < sizeof(temperatures) / sizeof(temperatures[0]); i++) {
        temperature = temperatures[i];
        run(N_ROWS, 10, curve_a);
        first = i ? first : liveliness(curve_a, n);
        assert_true(liveliness(curve_a, n) > before * 1.05);
        before = liveliness(curve_a, n);
        for (size_t k = 0; k < n; k++)
            assert_true(opening_of(&curve_a[k]) < 1.3f * person.opening_pct[4]);
    }
    assert_true(before > 1.5 * first);
}

static void test_the_middle_temperature_changes_nothing(void **state)
{
    struct motion_stream *stream = NULL;
    struct motion_style style;
    struct lip_error err = {0};
    size_t n = 0;

    (void)state;
    run(N_ROWS, 10, curve_a);
    motion_style_init(&style);
    assert_int_equal(motion_stream_create(model, &style, &person, &stream, &err), 0);
    motion_stream_express(stream, 0.5);
    assert_int_equal(motion_stream_push(stream, rows, N_ROWS, &err), 0);
    assert_int_equal(motion_stream_flush(stream, &err), 0);
    while (n < MAX && motion_stream_pull(stream, &curve_b[n]))
        n++;
    motion_stream_destroy(&stream);
    assert_memory_equal(curve_a, curve_b, n * sizeof(curve_a[0]));
}

static void test_a_wide_mouth_still_closes(void **state)
{
    float *closure = model->head.weights + MOTION_CLOSURE * (MAKE_FEATURES + 1);

    (void)state;
    memset(closure, 0, (MAKE_FEATURES + 1) * sizeof(float));
    closure[MAKE_FEATURES] = 6.0f;
    temperature = 1.0;
    run(N_ROWS, 10, curve_a);
    for (size_t i = 5; i < N_ROWS / 2 - 5; i++)
        assert_true(opening_of(&curve_a[i]) < 0.012f);
}

static void test_a_style_of_another_model_is_refused(void **state)
{
    struct motion_stream *stream = NULL;
    struct motion_style style;
    struct lip_error err = {0};

    (void)state;
    motion_style_init(&style);
    assert_int_equal(motion_head_create(MOTION_HEAD_ROWS, MAKE_FEATURES + 1, &style.head), 0);
    assert_int_equal(motion_stream_create(model, &style, &person, &stream, &err), LIP_ERR_SCORE);
    assert_null(stream);
    motion_style_done(&style);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_chunk_size_gives_the_same_curve, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_length_follows_the_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_moment_hears_only_its_surroundings, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_silence_brings_the_mouth_to_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_breath_between_words_is_speech, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_mouth_keeps_its_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lips_do_not_fly_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_meant_closure_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_higher_temperature_moves_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_middle_temperature_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_wide_mouth_still_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_style_of_another_model_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
