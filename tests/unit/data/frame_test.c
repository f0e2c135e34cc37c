/* SPDX-License-Identifier: MIT
 * Frames: form, sharing, copy on write. And the patch that render/ fills. */
#include "unit/unit.h"

#include <string.h>

#include "data/frame.h"
#include "data/patch.h"
#include <lipsync/error.h>

static void forms(void **state)
{
    (void)state;
    struct data_frame *f = NULL;
    assert_int_equal(data_frame_create(33, 17, DATA_LAYOUT_YUV, 10, 1, 1, true, &f), LIP_OK);
    assert_int_equal(f->n_planes, 4);
    const int sizes[4][2] = {{33, 17}, {17, 9}, {17, 9}, {33, 17}}; /* odd sizes round up */
    for (int p = 0; p < 4; p++) {
        assert_int_equal(f->plane[p].width_px, sizes[p][0]);
        assert_int_equal(f->plane[p].height_px, sizes[p][1]);
        assert_true(f->plane[p].stride_bytes >= 2 * f->plane[p].width_px);
        for (int y = 0; y < f->plane[p].height_px; y++)
            for (int x = 0; x < f->plane[p].width_px; x++)
                assert_int_equal(data_frame_sample(f, p, x, y), 0);
    }
    assert_int_equal(f->index, -1);
    data_frame_unref(&f);
    assert_int_equal(data_frame_create(4, 4, DATA_LAYOUT_GRAY, 8, 1, 1, false, &f), LIP_OK);
    assert_true(f->n_planes == 1 && f->chroma_shift_x == 0);
    data_frame_unref(&f);
    data_frame_unref(&f);
    data_frame_unref(NULL);
}

static void bad_forms(void **state)
{
    (void)state;
    static const int cases[][5] = { /* width, height, depth, shift x, shift y */
        {0, 4, 8, 0, 0},     {4, -1, 8, 0, 0}, {32769, 4, 8, 0, 0}, {4, 4, 7, 0, 0},
        {4, 4, 17, 0, 0},    {4, 4, 8, 3, 0},  {4, 4, 8, 0, -1},
    };
    struct data_frame *f = NULL;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        const int *c = cases[i];
        int r = data_frame_create(c[0], c[1], DATA_LAYOUT_YUV, c[2], c[3], c[4], false, &f);
        assert_int_equal(r, LIP_ERR_ARG);
        assert_null(f);
    }
    assert_int_equal(data_frame_create(32768, 32768, DATA_LAYOUT_RGB, 16, 0, 0, true, &f),
                     LIP_ERR_NOMEM); /* 8 GB: above the ceiling of one request */
}

static void copy_on_write(void **state)
{
    (void)state;
    struct data_frame *a = NULL;
    assert_int_equal(data_frame_create(8, 4, DATA_LAYOUT_YUV, 8, 1, 1, false, &a), LIP_OK);
    a->pts = 77;
    a->index = 3;
    a->plane[0].data[5] = 200;
    struct data_frame *same = a;
    assert_int_equal(data_frame_make_writable(&same), LIP_OK);
    assert_ptr_equal(same, a); /* nobody else holds it */

    struct data_frame *b = data_frame_ref(a);
    assert_int_equal(data_frame_make_writable(&b), LIP_OK);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(b->origin, a);
    assert_true(b->pts == 77 && b->index == 3);
    assert_int_equal(data_frame_sample(b, 0, 5, 0), 200);
    b->plane[0].data[5] = 9;
    assert_int_equal(data_frame_sample(a, 0, 5, 0), 200);
    data_frame_unref(&a); /* b's origin keeps it alive */
    assert_int_equal(data_frame_sample(b->origin, 0, 5, 0), 200);
    data_frame_unref(&b);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static void foreign_pixels_are_never_written(void **state)
{
    (void)state;
    int n_released = 0;
    uint8_t pixels[16] = {1, 2, 3};
    struct data_frame *f = NULL;
    assert_int_equal(data_frame_wrap(count_release, &n_released, &f), LIP_OK);
    f->width_px = f->height_px = 4;
    f->depth_bits = 8;
    f->n_planes = 1;
    f->plane[0] = (struct data_plane){pixels, 4, 4, 4};
    assert_int_equal(data_frame_make_writable(&f), LIP_OK);
    assert_ptr_not_equal(f->plane[0].data, pixels); /* though there was one reference only */
    assert_int_equal(data_frame_sample(f, 0, 2, 0), 3);
    assert_int_equal(n_released, 0);
    data_frame_unref(&f);
    assert_int_equal(n_released, 1);
}

static void patches(void **state)
{
    (void)state;
    struct data_patch p;
    data_patch_init(&p);
    assert_int_equal(data_patch_resize(&p, (struct data_rect){0, 0, 0, 4}), LIP_ERR_ARG);
    assert_int_equal(data_patch_resize(&p, (struct data_rect){5, 6, 20, 10}), LIP_OK);
    for (int i = 0; i < 200; i++)
        p.lip_distance[i] = 1;
    float *memory = p.memory;
    assert_int_equal(data_patch_resize(&p, (struct data_rect){5, 6, 10, 10}), LIP_OK);
    assert_ptr_equal(p.memory, memory); /* smaller ones reuse it */
    assert_ptr_equal(p.skin, p.target + 300);
    assert_int_equal(p.rect.w, 10);
    data_patch_done(&p);
    data_patch_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms), cmocka_unit_test(bad_forms), cmocka_unit_test(copy_on_write),
        cmocka_unit_test(foreign_pixels_are_never_written), cmocka_unit_test(patches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
