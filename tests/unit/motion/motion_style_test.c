/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/motion/make.h"

static void make_style(struct motion_style *style)
{
    uint32_t seed = 8;

    motion_style_init(style);
    assert_int_equal(motion_head_create(MOTION_HEAD_ROWS, MAKE_FEATURES, &style->head), 0);
    for (int i = 0; i < MOTION_HEAD_ROWS * (MAKE_FEATURES + 1); i++)
        style->head->weights[i] = make_random(&seed);
    style->fitted = style->ranged = true;
    style->agreement = 0.7f;
    style->agreement_generic = 0.5f;
    style->lag_ms = -40;
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        style->gain[k] = make_random(&seed);
        style->offset[k] = make_random(&seed);
        style->opening_dir[k] = make_random(&seed);
    }
    for (int i = 0; i < 3; i++) {
        style->opening_in[i] = (float)i;
        style->opening_out[i] = (float)i * 2.0f;
    }
    style->opening_min = 0.01f;
    style->opening_max = 0.3f;
    style->width_min = 0.4f;
    style->width_max = 0.7f;
}

static void test_a_style_comes_back(void **state)
{
    struct motion_style style, back;
    struct base_buffer out;
    struct lip_error err = {0};

    (void)state;
    make_style(&style);
    base_buffer_init(&out, 1 << 20);
    assert_int_equal(motion_style_write(&style, &out), 0);
    assert_int_equal(motion_style_read(out.data, out.size, &back, &err), 0);
    assert_memory_equal(style.head->weights, back.head->weights,
                        MOTION_HEAD_ROWS * (MAKE_FEATURES + 1) * sizeof(float));
    motion_head_destroy(&style.head);
    motion_head_destroy(&back.head);
    assert_memory_equal(&style.agreement, &back.agreement,
                        sizeof(style) - offsetof(struct motion_style, agreement));
    assert_true(back.fitted && back.ranged);
    base_buffer_done(&out);
}

static void test_the_generic_style_comes_back(void **state)
{
    struct motion_style style, back;
    struct base_buffer out;
    struct lip_error err = {0};

    (void)state;
    motion_style_init(&style);
    base_buffer_init(&out, 1 << 20);
    assert_int_equal(motion_style_write(&style, &out), 0);
    assert_int_equal(motion_style_read(out.data, out.size, &back, &err), 0);
    assert_null(back.head);
    assert_false(back.fitted || back.ranged);
    motion_style_done(&back);
    base_buffer_done(&out);
}

static void test_damaged_bytes_are_refused(void **state)
{
    struct motion_style style, back;
    struct base_buffer out;
    static const uint8_t not_a_number[4] = {0, 0, 0xc0, 0x7f};

    (void)state;
    make_style(&style);
    base_buffer_init(&out, 1 << 20);
    assert_int_equal(motion_style_write(&style, &out), 0);
    for (size_t n = 0; n < out.size; n++) {
        struct lip_error err = {0};
        assert_int_equal(motion_style_read(out.data, n, &back, &err), LIP_ERR_SCORE);
        assert_true(err.text[0] != 0);
    }
    for (size_t at = 0; at < 20; at++) { /* magic, version, flags, number of features */
        struct lip_error err = {0};
        out.data[at] ^= 0xff;
        assert_int_equal(motion_style_read(out.data, out.size, &back, &err), LIP_ERR_SCORE);
        out.data[at] ^= 0xff;
    }
    for (size_t at = 24; at + 4 <= out.size; at += 40) {
        struct lip_error err = {0};
        uint8_t kept[4];
        memcpy(kept, out.data + at, 4);
        memcpy(out.data + at, not_a_number, 4);
        assert_int_equal(motion_style_read(out.data, out.size, &back, &err), LIP_ERR_SCORE);
        memcpy(out.data + at, kept, 4);
    }
    motion_style_done(&style);
    base_buffer_done(&out);
}

static void test_an_opening_is_reached(void **state)
{
    static struct data_basis basis;
    static struct data_person person;
    static const float dir[DATA_CURVE_DIMS] = {0.7f};
    struct motion_mouth mouth;

    (void)state;
    make_basis(&basis);
    make_person(&person);
    motion_mouth_init(&mouth, &basis, &person);
    assert_float_equal(mouth.gap_rest, 0.01f, 1e-5);
    assert_float_equal(mouth.width_rest, 0.5f, 1e-5);
    for (float gap = 0.0f; gap < 0.3f; gap += 0.05f) {
        float coef[DATA_CURVE_DIMS] = {-0.04f, 0.05f};
        motion_mouth_open(&mouth, dir, gap, coef);
        assert_float_equal(motion_mouth_gap(&mouth, coef), gap, 0.01);
        assert_float_equal(coef[1], 0.05f, 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_style_comes_back),
        cmocka_unit_test(test_the_generic_style_comes_back),
        cmocka_unit_test(test_damaged_bytes_are_refused),
        cmocka_unit_test(test_an_opening_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
