/* SPDX-License-Identifier: MIT
 * Affine maps, samples and crops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/status.h"
#include "image/image.h"

static void affine_inverse(void **state)
{
    (void)state;
    struct data_affine a = {{1.5, -.4, 12, .3, .8, -7}};
    struct data_affine i = image_affine_multiply(image_affine_invert(a), a);
    struct data_affine id = image_affine_identity();
    for (int k = 0; k < 6; k++)
        assert_true(fabs(i.m[k] - id.m[k]) < 1e-12);
    struct data_affine flat = image_affine_invert((struct data_affine){{1, 2, 0, 2, 4, 0}});
    assert_true(flat.m[0] == 1 && flat.m[1] == 0);
}

static void samples(void **state)
{
    (void)state;
    float plane[12 * 9];
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 12; x++)
            plane[y * 12 + x] = 2.f * (float)x - 3.f * (float)y + 1;
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 12; x++) { /* at the centres both give the pixel itself */
            float fx = (float)x + .5f, fy = (float)y + .5f;
            assert_true(image_sample_bilinear(plane, 12, 9, fx, fy) == plane[y * 12 + x]);
            assert_true(image_sample_bicubic(plane, 12, 9, fx, fy) == plane[y * 12 + x]);
        }
    float want = 2.f * 4.8f - 3.f * 3.2f + 1; /* between them, a ramp is a ramp */
    assert_true(fabsf(image_sample_bilinear(plane, 12, 9, 5.3f, 3.7f) - want) < 1e-4f);
    assert_true(fabsf(image_sample_bicubic(plane, 12, 9, 5.3f, 3.7f) - want) < 1e-4f);
    assert_true(image_sample_bicubic(plane, 12, 9, -1e9f, -1e9f) == plane[0]);
    assert_true(image_sample_bilinear(plane, 12, 9, 1e9f, 1e9f) == plane[12 * 9 - 1]);
}

static struct data_frame *ramp(int w, int h)
{
    struct data_frame *f = NULL;
    assert_int_equal(data_frame_create(w, h, DATA_LAYOUT_GRAY, 16, 0, 0, false, &f), 0);
    f->colour.full_range = true;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            ((uint16_t *)(void *)(f->plane[0].data + y * f->plane[0].stride_bytes))[x] =
                (uint16_t)(x * 40 + y * 10);
    return f;
}

static void crops(void **state)
{
    (void)state;
    struct data_frame *f = ramp(320, 200);
    static const double scales[] = {.5, 1, 1.7, 2.6, 5.2};
    float out[16 * 16 * 3];
    for (int s = 0; s < 5; s++) { /* a ramp stays a ramp at any size: no shift of half a pixel */
        struct image_crop crop = {16, 16, {{scales[s], 0, 100, 0, scales[s], 50}}, 65535, 0, false};
        assert_int_equal(image_crop_frame(f, &crop, out), 0);
        for (int y = 0; y < 16; y++)
            for (int x = 0; x < 16; x++) {
                double ix = 100 + scales[s] * (x + .5), iy = 50 + scales[s] * (y + .5);
                assert_true(fabs(out[3 * (y * 16 + x)] - ((ix - .5) * 40 + (iy - .5) * 10)) < .5);
            }
    }
    struct image_crop turn = {16, 16, {{0, -1, 90, 1, 0, 20}}, 65535, 0, false};
    assert_int_equal(image_crop_frame(f, &turn, out), 0);
    assert_true(fabsf(out[3 * (2 * 16 + 5)] - (87 * 40 + 25 * 10)) < .5f);
    data_frame_unref(&f);
}

static void crops_outside(void **state)
{
    (void)state;
    struct data_frame *f = ramp(40, 30);
    float out[8 * 8 * 3];
    struct image_crop crop = {8, 8, {{1, 0, -100, 0, 1, -100}}, 2, -1, true};
    assert_int_equal(image_crop_frame(f, &crop, out), 0);
    assert_true(out[0] == -1 && out[8 * 8 * 3 - 1] == -1);
    crop.img_from_out = (struct data_affine){{1, 0, 500, 0, 1, 500}};
    crop.border_zero = false;
    crop.scale = 65535, crop.offset = 0;
    assert_int_equal(image_crop_frame(f, &crop, out), 0);
    assert_true(fabsf(out[0] - (39 * 40 + 29 * 10)) < .5f);
    crop.img_from_out = (struct data_affine){{1e6, 0, -1e12, 0, 1e6, 1e12}};
    assert_int_equal(image_crop_frame(f, &crop, out), 0);
    crop.img_from_out.m[0] = NAN;
    assert_int_equal(image_crop_frame(f, &crop, out), LIP_ERR_ARG);
    data_frame_unref(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affine_inverse),
        cmocka_unit_test(samples),
        cmocka_unit_test(crops),
        cmocka_unit_test(crops_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
