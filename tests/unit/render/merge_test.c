/* SPDX-License-Identifier: MIT
 * Banks of several films: nothing is lost, no run goes from one to the other, the bounds hold. */
#include "unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "render/render.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended),
        cmocka_unit_test(too_many),
        cmocka_unit_test(thinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
