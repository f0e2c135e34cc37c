/* SPDX-License-Identifier: MIT
 * Frames to R'G'B' and back: every form that a decoder can give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "image/image.h"

static void put(struct data_frame *f, int p, int x, int y, int v)
{
    uint8_t *row = f->plane[p].data + (ptrdiff_t)y * f->plane[p].stride_bytes;
    if (f->depth_bits > 8)
        ((uint16_t *)(void *)row)[x] = (uint16_t)v;
    else
        row[x] = (uint8_t)v;
}

static struct data_frame *noise_frame(int w, int h, enum data_layout layout, int depth, int sx,
                                      int sy, int matrix, bool full)
{
    struct data_frame *f = NULL;
    assert_int_equal(data_frame_create(w, h, layout, depth, sx, sy, false, &f), 0);
    f->colour.matrix = matrix;
    f->colour.full_range = full;
    uint32_t seed = 7;
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++)
            for (int x = 0; x < f->plane[p].width_px; x++) {
                seed = seed * 1664525u + 1013904223u;
                put(f, p, x, y, (int)((seed >> 8) % (1u << depth)));
            }
    return f;
}

/* Round trip of the rectangle with mask m; returns the largest change of a code value. */
static int round_trip(struct data_frame *f, struct data_rect r, float m)
{
    size_t area = (size_t)r.w * (size_t)r.h;
    float *rgb = base_alloc_array(area, 4 * sizeof(float)), *mask = rgb + 3 * area;
    struct data_frame *old = data_frame_ref(f), *edit = f;
    assert_int_equal(data_frame_make_writable(&edit), 0);
    for (size_t i = 0; i < area; i++)
        mask[i] = m;
    image_rgb_from_frame(old, r, rgb);
    image_rgb_to_frame(rgb, mask, r, edit, NULL);
    int worst = 0;
    for (int p = 0; p < old->n_planes; p++)
        for (int y = 0; y < old->plane[p].height_px; y++)
            for (int x = 0; x < old->plane[p].width_px; x++) {
                int d = data_frame_sample(old, p, x, y) - data_frame_sample(edit, p, x, y);
                worst = worst > abs(d) ? worst : abs(d);
            }
    base_free(rgb);
    data_frame_unref(&edit);
    data_frame_unref(&old);
    return worst;
}

static void full_resolution_round_trips(void **state)
{
    (void)state;
    static const int matrices[] = {0, 1, 2, 4, 5, 6, 7, 8, 9, 10};
    struct data_rect r = {3, 2, 37, 21};
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        for (int depth = 8; depth <= 16; depth += 2)
            for (int full = 0; full < 2; full++) {
                struct data_frame *f =
                    noise_frame(45, 27, DATA_LAYOUT_YUV, depth, 0, 0, matrices[i], full);
                assert_true(round_trip(f, r, 1) <= 1);
            }
    for (int depth = 8; depth <= 12; depth += 2) {
        struct data_frame *gray = noise_frame(45, 27, DATA_LAYOUT_GRAY, depth, 0, 0, 1, false);
        struct data_frame *rgb = noise_frame(45, 27, DATA_LAYOUT_RGB, depth, 0, 0, 0, true);
        assert_int_equal(round_trip(gray, r, 1), 0);
        assert_int_equal(round_trip(rgb, r, 1), 0);
    }
}

static void flat_chroma_round_trips_exactly_subsampled(void **state)
{
    (void)state;
    for (int s = 0; s < 4; s++) {
        struct data_frame *f = noise_frame(45, 27, DATA_LAYOUT_YUV, 8, s & 1, s >> 1, 6, false);
        for (int p = 1; p < 3; p++)
            for (int y = 0; y < f->plane[p].height_px; y++)
                for (int x = 0; x < f->plane[p].width_px; x++)
                    put(f, p, x, y, 100 + 20 * p);
        assert_int_equal(round_trip(f, (struct data_rect){0, 0, 45, 27}, 1), 0);
    }
}

static void known_colours(void **state)
{
    (void)state;
    struct data_frame *f = noise_frame(8, 8, DATA_LAYOUT_YUV, 8, 0, 0, 1, false);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) /* pure red of BT.709, limited range */
            put(f, 0, x, y, 63), put(f, 1, x, y, 102), put(f, 2, x, y, 240);
    float rgb[3 * 64];
    image_rgb_from_frame(f, (struct data_rect){0, 0, 8, 8}, rgb);
    assert_true(fabsf(rgb[0] - 1) < .01f && fabsf(rgb[64]) < .01f && fabsf(rgb[128]) < .01f);
    uint8_t u8[3 * 64];
    image_rgb_to_u8(rgb, 8, 8, u8);
    assert_true(u8[0] >= 253 && u8[1] <= 2 && u8[2] <= 2);
    data_frame_unref(&f);
}

static void only_masked_samples_change(void **state)
{
    (void)state;
    for (int s = 0; s < 4; s++) {
        int sx = s & 1, sy = s >> 1;
        struct data_frame *old = noise_frame(31, 23, DATA_LAYOUT_YUV, 10, sx, sy, 9, false);
        struct data_frame *f = data_frame_ref(old);
        assert_int_equal(data_frame_make_writable(&f), 0);
        struct data_rect r = {5, 3, 20, 17};
        float rgb[3 * 340], mask[340] = {0};
        uint8_t touched[340];
        for (int i = 0; i < 3 * 340; i++)
            rgb[i] = .5f;
        mask[4 * 20 + 7] = 1; /* one pixel: frame (12, 7) */
        image_rgb_to_frame(rgb, mask, r, f, touched);
        int n_changed[3] = {0};
        for (int p = 0; p < 3; p++)
            for (int y = 0; y < f->plane[p].height_px; y++)
                for (int x = 0; x < f->plane[p].width_px; x++)
                    if (data_frame_sample(f, p, x, y) != data_frame_sample(old, p, x, y)) {
                        n_changed[p]++;
                        assert_int_equal(x, p ? 12 >> sx : 12);
                        assert_int_equal(y, p ? 7 >> sy : 7);
                    }
        assert_int_equal(n_changed[0], 1);
        int n_touched = 0;
        for (int i = 0; i < 340; i++)
            n_touched += touched[i];
        assert_int_equal(n_touched, 1 << (sx + sy));
        assert_int_equal(round_trip(data_frame_ref(f), r, 0), 0);
        data_frame_unref(&f);
        data_frame_unref(&old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_resolution_round_trips),
        cmocka_unit_test(flat_chroma_round_trips_exactly_subsampled),
        cmocka_unit_test(known_colours),
        cmocka_unit_test(only_masked_samples_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
