/* SPDX-License-Identifier: MIT
 * The bank of mouths and the person, on disk. */
#include "unit/unit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "data/bank.h"
#include <lipsync/error.h>

#define N 3

static struct data_bank_entry entries[N];
static uint16_t pixels[N][6 * 4 * 3];
static struct data_bank bank = {.n = N, .cap = N, .entries = entries, .sharpness_median = 0.5f,
                                .opening_max = 0.2f, .width_min = 0.3f, .width_max = 0.6f};

static int fill(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        struct data_bank_entry *e = &entries[i];
        e->frame = 10 + i;
        e->yaw_rad = 0.1f * (float)i;
        e->scale_px = 100;
        e->width_px = 6 - i;
        e->height_px = 4;
        e->rgb = pixels[i];
        e->canon[477][2] = (float)i;
        e->patch_pts[3][1] = 2.5f;
        e->tex[47][63] = 0.25f;
        for (int p = 0; p < e->width_px * e->height_px * 3; p++)
            pixels[i][p] = (uint16_t)(1000 * i + p * 257);
    }
    return 0;
}

static void round_trip(void **state)
{
    (void)state;
    struct base_buffer b;
    struct data_bank back;
    base_buffer_init(&b, 1 << 20);
    assert_int_equal(data_bank_write(&bank, &b), LIP_OK);
    assert_int_equal(data_bank_read(b.data, b.size, &back, NULL), LIP_OK);
    assert_true(back.n == N && back.width_max == 0.6f && back.sharpness_median == 0.5f);
    for (int i = 0; i < N; i++) {
        const struct data_bank_entry *e = &back.entries[i], *w = &entries[i];
        assert_true(e->frame == w->frame && e->yaw_rad == w->yaw_rad);
        assert_true(e->width_px == w->width_px && e->height_px == w->height_px);
        assert_memory_equal(e->canon, w->canon, sizeof e->canon);
        assert_memory_equal(e->patch_pts, w->patch_pts, sizeof e->patch_pts);
        assert_memory_equal(e->tex, w->tex, sizeof e->tex);
        assert_memory_equal(e->rgb, w->rgb, (size_t)(e->width_px * e->height_px) * 6);
    }
    assert_true(data_bank_size_bytes(&back) >= N * sizeof *entries);
    data_bank_done(&back);
    base_buffer_done(&b);
}

/* Everything that must not be believed. */
static void damaged(void **state)
{
    (void)state;
    struct base_buffer b;
    struct data_bank back = {0};
    base_buffer_init(&b, 1 << 20);
    assert_int_equal(data_bank_write(&bank, &b), LIP_OK);
    for (size_t n = 0; n < b.size; n += 97)
        assert_int_equal(data_bank_read(b.data, n, &back, NULL), LIP_ERR_SCORE);
    const size_t first = 32, side = first + 8 + 28 + 4 * (478 * 3 + 478 * 2 + 64 * 48);
    const size_t places[] = {0, 8, 13, side + 2, side + 5, first + 3};
    for (size_t i = 0; i < UNIT_COUNT(places); i++) { /* last one: the order of frames */
        b.data[places[i]] ^= 0x41;
        struct lip_error err = {0};
        assert_int_equal(data_bank_read(b.data, b.size, &back, &err), LIP_ERR_SCORE);
        assert_int_equal(err.code, LIP_ERR_SCORE);
        b.data[places[i]] ^= 0x41;
    }
    assert_null(back.entries);
    base_buffer_done(&b);
}

static void person(void **state)
{
    (void)state;
    static struct data_person p, back;
    struct base_buffer b;
    p.canon[477][2] = 1.5f;
    p.rest[13][1] = -0.25f;
    p.opening_pct[4] = 0.1f;
    p.n_frames = 1234;
    base_buffer_init(&b, 1 << 20);
    assert_int_equal(data_person_write(&p, &b), LIP_OK);
    assert_int_equal(data_person_read(b.data, b.size - 1, &back, NULL), LIP_ERR_SCORE);
    assert_int_equal(back.n_frames, 0);
    assert_int_equal(data_person_read(b.data, b.size, &back, NULL), LIP_OK);
    assert_memory_equal(&back, &p, sizeof p);
    b.data[0] ^= 1;
    assert_int_equal(data_person_read(b.data, b.size, &back, NULL), LIP_ERR_SCORE);
    base_buffer_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(damaged), cmocka_unit_test(person),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
