/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include <string.h>

#include "base/alloc.h"
#include <lipsync/error.h>

static void alignment_and_zero(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n += 13) {
        uint8_t *p = base_alloc_zero(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        base_free(p);
    }
    base_free(NULL);
}

static void ceilings(void **state)
{
    (void)state;
    assert_null(base_alloc(BASE_ALLOC_CEILING + 1));
    assert_null(base_alloc(SIZE_MAX));
    assert_null(base_alloc_array(SIZE_MAX / 2, 4)); /* the product overflows to a small number */
    assert_null(base_alloc_array(BASE_ALLOC_CEILING / 8 + 1, 8));
}

static void grow_keeps_and_zeroes(void **state)
{
    (void)state;
    uint32_t *array = NULL;
    size_t cap = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(base_grow(&array, &cap, i + 1, 1000, sizeof *array), LIP_OK);
        assert_true(cap > i && cap <= 1000);
        assert_int_equal(array[i], 0);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    uint32_t *before = array;
    assert_int_equal(base_grow(&array, &cap, 1001, 1000, sizeof *array), LIP_ERR_LIMIT);
    base_alloc_fail_nth(1);
    assert_int_equal(base_grow(&array, &cap, 1001, 5000, sizeof *array), LIP_ERR_NOMEM);
    base_alloc_fail_nth(0);
    assert_true(array == before && cap == 1000);
    base_free(array);
}

static void nth_fails_once(void **state)
{
    (void)state;
    base_alloc_fail_nth(3);
    void *p[4];
    for (int i = 0; i < 4; i++)
        p[i] = base_alloc(1);
    assert_int_equal(base_alloc_fail_nth(0), 4);
    assert_true(p[0] && p[1] && !p[2] && p[3]);
    for (int i = 0; i < 4; i++)
        base_free(p[i]);
}

static void strings(void **state)
{
    (void)state;
    assert_null(base_strdup(NULL));
    char *s = base_strdup("Mund");
    assert_string_equal(s, "Mund");
    base_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alignment_and_zero), cmocka_unit_test(ceilings),
        cmocka_unit_test(grow_keeps_and_zeroes), cmocka_unit_test(nth_fails_once),
        cmocka_unit_test(strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
