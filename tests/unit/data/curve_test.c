/* SPDX-License-Identifier: MIT
 * Mouth curves and the basis. */
#include "unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "data/curve.h"
#include <lipsync/error.h>

static struct data_basis basis;
static float rest[DATA_FACE_POINTS][3], points[DATA_FACE_POINTS][3];

static void push(struct data_curve *c, float coef, float speech)
{
    struct data_curve_sample s = {.speech = speech, .closure = 1 - speech};
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        s.coef[k] = coef * (float)(k + 1);
    assert_int_equal(data_curve_push(c, &s), LIP_OK);
}

static void between_samples(void **state)
{
    (void)state;
    struct data_curve c;
    struct data_curve_sample s;
    data_curve_init(&c, 25);
    data_curve_at(&c, 1, &s);
    assert_true(s.coef[0] == 0 && s.speech == 0); /* an empty curve is the rest pose */
    for (int i = 0; i < 10; i++)
        push(&c, (float)i, i < 5 ? 0.f : 1.f);
    data_curve_at(&c, 3 / 25.0, &s);
    assert_true(fabsf(s.coef[1] - 6) < 1e-5f);
    data_curve_at(&c, 3.5 / 25.0, &s);
    assert_true(fabsf(s.coef[0] - 3.5f) < 1e-5f); /* a cubic keeps a straight line straight */
    for (double t = -1; t < 2; t += 0.003) { /* a step overshoots; probabilities must not */
        data_curve_at(&c, t, &s);
        assert_true(s.speech >= 0 && s.speech <= 1 && s.closure >= 0 && s.closure <= 1);
    }
    data_curve_at(&c, -5, &s);
    assert_true(s.coef[0] == 0);
    data_curve_at(&c, 99, &s);
    assert_true(s.coef[0] == 9);
    data_curve_at(&c, NAN, &s);
    assert_true(s.coef[0] == 0);
    data_curve_done(&c);
}

static void curve_on_disk(void **state)
{
    (void)state;
    struct data_curve c, back = {0};
    struct base_buffer b;
    data_curve_init(&c, 50);
    for (int i = 0; i < 40; i++)
        push(&c, 0.1f * (float)i, 0.5f);
    base_buffer_init(&b, 1 << 20);
    assert_int_equal(data_curve_write(&c, &b), LIP_OK);
    for (size_t n = 0; n < b.size; n++) /* cut anywhere */
        assert_int_equal(data_curve_read(b.data, n, &back, NULL), LIP_ERR_SCORE);
    assert_null(back.samples);
    assert_int_equal(data_curve_read(b.data, b.size, &back, NULL), LIP_OK);
    assert_true(back.n == 40 && back.rate_hz == 50);
    assert_memory_equal(back.samples, c.samples, 40 * sizeof *c.samples);
    data_curve_done(&back);
    struct lip_error err = {0};
    b.data[8] = 2; /* the version */
    assert_int_equal(data_curve_read(b.data, b.size, &back, &err), LIP_ERR_SCORE);
    assert_non_null(strstr(err.text, "version 2"));
    base_buffer_done(&b);
    data_curve_done(&c);
}

/* Directions that are orthonormal: each moves one point along one axis. */
static void make_basis(void)
{
    memset(&basis, 0, sizeof basis);
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        basis.comp[k][30 * k][k % 3] = 1;
        basis.sd[k] = 0.1f;
    }
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++)
            rest[p][a] = 0.01f * (float)p - (float)a;
}

static void shape_and_project(void **state)
{
    (void)state;
    make_basis();
    float coef[DATA_CURVE_DIMS], back[DATA_CURVE_DIMS];
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        coef[k] = 0.3f * (float)k - 1;
    data_basis_shape(&basis, rest, coef, points);
    assert_true(fabsf(points[30][1] - rest[30][1] - coef[1]) < 1e-6f);
    assert_memory_equal(points[DATA_MESH_POINTS], rest[DATA_MESH_POINTS], 30 * sizeof(float));
    data_basis_project(&basis, rest, points, back);
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        assert_true(fabsf(back[k] - coef[k]) < 1e-5f);
}

static void basis_on_disk(void **state)
{
    (void)state;
    make_basis();
    static struct data_basis back;
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    assert_int_equal(data_basis_write(&basis, &b), LIP_OK);
    assert_int_equal(data_basis_read(b.data, b.size, &back, NULL), LIP_OK);
    assert_memory_equal(&back, &basis, sizeof basis);
    assert_int_equal(data_basis_read(b.data, b.size - 1, &back, NULL), LIP_ERR_SCORE);
    b.data[b.size - 1] = 0x7f; /* the last number becomes a NaN */
    b.data[b.size - 2] = 0xc0;
    assert_int_equal(data_basis_read(b.data, b.size, &back, NULL), LIP_ERR_SCORE);
    assert_memory_equal(&back, &basis, sizeof basis);
    base_buffer_done(&b);
}

static void mouth_measures(void **state)
{
    (void)state;
    memset(points, 0, sizeof points);
    points[14][1] = 3;
    points[87][1] = -2;
    points[317][2] = 1;
    points[308][0] = 3;
    points[308][1] = 4;
    assert_true(fabsf(data_mouth_opening(points) - 2) < 1e-6f);
    assert_true(fabsf(data_mouth_width(points) - 5) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_samples),   cmocka_unit_test(curve_on_disk),
        cmocka_unit_test(shape_and_project), cmocka_unit_test(basis_on_disk),
        cmocka_unit_test(mouth_measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
