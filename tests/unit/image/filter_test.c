/* SPDX-License-Identifier: MIT
 * Blur, distance, polygons and sharpness against slow and simple forms of the same thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "image/image.h"

#define W 43
#define H 31

static void distance_equals_brute_force(void **state)
{
    (void)state;
    uint8_t inside[W * H];
    float d[W * H], scratch[W * H + 3 * W + 3];
    uint32_t seed = 1;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < W * H; i++) {
            seed = seed * 1664525u + 1013904223u;
            inside[i] = (seed >> 16) % 1000 < (unsigned)(round * round * 3 + (i == 77));
        }
        inside[W * 5 + 5] = 1;
        image_distance(inside, W, H, d, scratch);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float best = INFINITY;
                for (int j = 0; j < W * H; j++)
                    if (inside[j])
                        best = fminf(best, hypotf((float)(x - j % W), (float)(y - j / W)));
                assert_true(fabsf(best - d[y * W + x]) < 1e-3f);
            }
    }
}

static void blur_keeps_sum_and_constants(void **state)
{
    (void)state;
    static const float sigmas[] = {.4f, 1, 3.7f, 40};
    for (int s = 0; s < 4; s++) {
        float p[W * H], scratch[W * H];
        for (int i = 0; i < W * H; i++)
            p[i] = .3f;
        image_blur(p, W, H, sigmas[s], scratch);
        for (int i = 0; i < W * H; i++)
            assert_true(fabsf(p[i] - .3f) < 1e-4f);
    }
    float p[W * H] = {0}, scratch[W * H];
    p[15 * W + 20] = 1;
    image_blur(p, W, H, 2, scratch);
    double sum = 0, var = 0;
    for (int i = 0; i < W * H; i++) {
        sum += p[i];
        var += p[i] * (i % W - 20.) * (i % W - 20.);
    }
    assert_true(fabs(sum - 1) < 1e-4 && fabs(var - 4) < .2);
    assert_true(p[15 * W + 18] == p[15 * W + 22]);
}

static void polygon_area(void **state)
{
    (void)state;
    uint8_t inside[W * H];
    const float square[4][2] = {{5, 4}, {15, 4}, {15, 12}, {5, 12}};
    image_fill_polygon(square, 4, W, H, inside);
    int n = 0;
    for (int i = 0; i < W * H; i++)
        n += inside[i];
    assert_int_equal(n, 80);
    assert_true(inside[4 * W + 5] && !inside[3 * W + 5] && !inside[4 * W + 15]);
    const float outside[3][2] = {{-50, -50}, {-40, -50}, {-45, -20}};
    image_fill_polygon(outside, 3, W, H, inside);
    for (int i = 0; i < W * H; i++)
        assert_int_equal(inside[i], 0);
    const float large[4][2] = {{-1e6f, -1e6f}, {1e6f, -1e6f}, {1e6f, 1e6f}, {-1e6f, 1e6f}};
    image_fill_polygon(large, 4, W, H, inside);
    assert_true(inside[0] && inside[W * H - 1]);
}

static void blur_lowers_sharpness(void **state)
{
    (void)state;
    float p[W * H], scratch[W * H];
    uint32_t seed = 3;
    for (int i = 0; i < W * H; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (float)(seed >> 24) / 255;
    }
    float before = image_sharpness(p, NULL, W, H);
    image_blur(p, W, H, 1, scratch);
    assert_true(image_sharpness(p, NULL, W, H) < .3f * before);
    uint8_t none[W * H] = {0};
    assert_true(image_sharpness(p, none, W, H) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_equals_brute_force),
        cmocka_unit_test(blur_keeps_sum_and_constants),
        cmocka_unit_test(polygon_area),
        cmocka_unit_test(blur_lowers_sharpness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
