/* SPDX-License-Identifier: MIT
 * Banks of several films: nothing is lost, no run goes from one to the other, the bounds hold. */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "render/parts.h"

static struct data_bank bank_of(size_t n, int64_t first, float opening)
{
    struct data_bank b;
    data_bank_init(&b);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(base_grow(&b.entries, &b.cap, b.n + 1, DATA_BANK_MAX,
                                   sizeof *b.entries), 0);
        struct data_bank_entry *e = &b.entries[b.n++];
        memset(e, 0, sizeof *e);
        e->frame = first + (int64_t)i;
        e->scale_px = 40;
        e->sharpness = .1f;
        e->opening = opening + .001f * (float)i;
        e->width = .5f;
        e->width_px = e->height_px = 4;
        e->rgb = base_alloc_array(48, sizeof *e->rgb);
        assert_non_null(e->rgb);
        e->rgb[0] = (uint16_t)(first + (int64_t)i);
    }
    assert_int_equal(render_bank_finish(&b), 0);
    return b;
}

static void appended(void **state)
{
    (void)state;
    struct data_bank a = bank_of(10, 100, .01f), b = bank_of(5, 3, .2f);
    assert_int_equal(render_bank_append(&a, &b, NULL), LIP_OK);
    assert_true(a.n == 15 && b.n == 0 && !b.entries);
    for (size_t i = 1; i < a.n; i++)
        assert_true(a.entries[i].frame > a.entries[i - 1].frame);
    assert_true(a.entries[10].frame - a.entries[9].frame > 64);
    assert_true(a.entries[14].frame - a.entries[10].frame == 4); /* its runs are runs still */
    assert_true(a.entries[12].rgb[0] == 5 && fabsf(a.opening_max - .204f) < 1e-6f);
    struct data_bank c = bank_of(2, 0, .1f); /* into nothing: as it is */
    struct data_bank none;
    data_bank_init(&none);
    assert_int_equal(render_bank_append(&none, &c, NULL), LIP_OK);
    assert_true(none.n == 2 && none.entries[1].frame == 1);
    data_bank_done(&none);
    data_bank_done(&a);
}

static void too_many(void **state)
{
    (void)state;
    struct data_bank a = bank_of(DATA_BANK_MAX - 3, 0, .01f), b = bank_of(4, 0, .01f);
    struct lip_error err = {0};
    assert_int_equal(render_bank_append(&a, &b, &err), LIP_ERR_LIMIT);
    assert_true(err.text[0] && a.n == DATA_BANK_MAX - 3 && b.n == 4);
    data_bank_done(&a);
    data_bank_done(&b);
}

/* What is thinned keeps the far ends of the shapes, and whole runs. */
static void thinned(void **state)
{
    (void)state;
    struct data_bank a = bank_of(160, 0, .02f), b = bank_of(16, 0, .4f);
    struct render_bank_params params = {64, SIZE_MAX};
    assert_int_equal(render_bank_append(&a, &b, NULL), LIP_OK);
    float widest = a.opening_max;
    assert_int_equal(render_bank_thin(&a, &params, NULL), LIP_OK);
    assert_true(a.n <= 64 && a.n > 40 && a.opening_max > widest - .01f);
    size_t alone = 0;
    for (size_t i = 1; i + 1 < a.n; i++)
        alone += a.entries[i].frame - a.entries[i - 1].frame > 1 &&
                 a.entries[i + 1].frame - a.entries[i].frame > 1;
    assert_int_equal(alone, 0);
    params.n_entries_max = 1000; /* it all fits: nothing happens */
    size_t n = a.n;
    assert_int_equal(render_bank_thin(&a, &params, NULL), LIP_OK);
    assert_true(a.n == n);
    data_bank_done(&a);
}

#define SIDE 40

/* Three mouths of round lips on skin of one colour each. */
static struct data_bank painted(const float skin[3], const float lips[3])
{
    struct data_bank b;
    data_bank_init(&b);
    assert_int_equal(base_grow(&b.entries, &b.cap, 3, DATA_BANK_MAX, sizeof *b.entries), 0);
    for (b.n = 0; b.n < 3; b.n++) {
        struct data_bank_entry *e = &b.entries[b.n];
        memset(e, 0, sizeof *e);
        e->frame = (int64_t)b.n;
        e->width_px = e->height_px = SIDE;
        e->rgb = base_alloc_array((size_t)SIDE * SIDE, 3 * sizeof *e->rgb);
        assert_non_null(e->rgb);
        for (int i = 0; i < RENDER_OUTER_N; i++) {
            float turn = 6.2831853f * (float)i / RENDER_OUTER_N;
            e->patch_pts[render_lips[i]][0] = .5f * SIDE + 7 * cosf(turn);
            e->patch_pts[render_lips[i]][1] = .5f * SIDE + 7 * sinf(turn);
        }
        for (int i = 0; i < SIDE * SIDE; i++) {
            float x = (float)(i % SIDE) - .5f * SIDE, y = (float)(i / SIDE) - .5f * SIDE;
            for (int c = 0; c < 3; c++)
                e->rgb[3 * i + c] =
                    (uint16_t)(65535 * (x * x + y * y < 49 ? lips[c] : skin[c]));
        }
    }
    assert_int_equal(render_bank_finish(&b), 0);
    return b;
}

static void another_light_is_taken_off(void **state)
{
    (void)state;
    static const float day[3] = {.6f, .45f, .4f}, lips[3] = {.5f, .2f, .2f};
    static const float lamp[3] = {.66f, .405f, .2f}, under_it[3] = {.55f, .18f, .1f};
    struct data_bank a = painted(day, lips), b = painted(lamp, under_it), none;
    float ours[3], theirs[3], nobody[3];
    data_bank_init(&none);
    assert_int_equal(render_bank_skin(&a, ours), 0);
    assert_int_equal(render_bank_skin(&b, theirs), 0);
    assert_int_equal(render_bank_skin(&none, nobody), 0);
    for (int c = 0; c < 3; c++)
        assert_true(fabsf(ours[c] - day[c]) < .01f && nobody[c] == 0);
    render_bank_tint(&b, theirs, nobody); /* nothing to go by: as it is */
    assert_true(b.entries[1].rgb[2] == (uint16_t)(65535 * lamp[2]));
    render_bank_tint(&b, theirs, ours);
    for (size_t i = 0; i < (size_t)3 * SIDE * SIDE; i++)
        assert_true(abs(b.entries[1].rgb[i] - a.entries[1].rgb[i]) < 400);
    assert_int_equal(render_bank_append(&a, &b, NULL), LIP_OK);
    assert_true(a.entries[4].slopes[1] > 0); /* measured again under the new light */
    data_bank_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended),
        cmocka_unit_test(too_many),
        cmocka_unit_test(thinned),
        cmocka_unit_test(another_light_is_taken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
