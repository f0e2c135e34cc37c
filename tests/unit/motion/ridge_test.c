/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/motion/make.h"

#define N 5
#define MOMENTS 400

static const double truth[N] = {1.5, -2.0, 0.25, 0.0, 3.0};

static void fill(double a[N * N], double b[N])
{
    uint32_t seed = 4;

    memset(a, 0, N * N * sizeof(*a));
    memset(b, 0, N * sizeof(*b));
    for (int m = 0; m < MOMENTS; m++) {
        double x[N], y = 0.0;
        for (int i = 0; i < N; i++) {
            x[i] = make_random(&seed);
            y += truth[i] * x[i];
        }
        for (int i = 0; i < N; i++) {
            b[i] += x[i] * y;
            for (int j = 0; j < N; j++)
                a[i * N + j] += x[i] * x[j];
        }
    }
}

static void test_a_linear_map_is_recovered(void **state)
{
    double a[N * N], b[N], diag[N] = {0}, work[N * N], x[N];

    (void)state;
    fill(a, b);
    assert_true(motion_ridge_solve(a, diag, b, N, 1, work, x));
    for (int i = 0; i < N; i++)
        assert_true(fabs(x[i] - truth[i]) < 1e-9);
}

static void test_strength_shrinks_towards_zero(void **state)
{
    double a[N * N], b[N], diag[N], work[N * N], x[N], size = 1e9;

    (void)state;
    fill(a, b);
    for (double strength = 1.0; strength < 1e7; strength *= 30.0) {
        double now = 0.0;
        for (int i = 0; i < N; i++)
            diag[i] = strength;
        assert_true(motion_ridge_solve(a, diag, b, N, 1, work, x));
        for (int i = 0; i < N; i++)
            now += x[i] * x[i];
        assert_true(now < size);
        size = now;
    }
    assert_true(size < 1e-3);
}

static void test_a_singular_system_is_refused(void **state)
{
    double a[4] = {1.0, 1.0, 1.0, 1.0}, b[2] = {1.0, 1.0}, diag[2] = {0}, work[4], x[2];

    (void)state;
    assert_false(motion_ridge_solve(a, diag, b, 2, 1, work, x));
}

static void test_correlation_and_quantiles(void **state)
{
    float a[101], b[101], still[101] = {0}, got[3];
    static const float shares[3] = {0.0f, 0.505f, 1.0f};

    (void)state;
    for (int i = 0; i < 101; i++) {
        a[i] = (float)((i * 37) % 101);
        b[i] = -2.0f * a[i] + 5.0f;
    }
    assert_true(fabs(motion_correlation(a, b, 101) + 1.0) < 1e-6);
    assert_true(motion_correlation(a, still, 101) == 0.0);
    motion_quantiles(a, 101, shares, 3, got);
    assert_float_equal(got[0], 0.0f, 0.0);
    assert_float_equal(got[1], 50.5f, 1e-4);
    assert_float_equal(got[2], 100.0f, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_linear_map_is_recovered),
        cmocka_unit_test(test_strength_shrinks_towards_zero),
        cmocka_unit_test(test_a_singular_system_is_refused),
        cmocka_unit_test(test_correlation_and_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
