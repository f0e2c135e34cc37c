/* SPDX-License-Identifier: MIT
 * One box per frame, as JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/boxes.h"

static int read_text(const char *text, struct boxes *boxes)
{
    struct lip_error err = {0};
    int r = boxes_read(text, strlen(text), boxes, &err);
    assert_int_equal(err.code, r);
    return r;
}

static void reads(void **state)
{
    (void)state;
    struct boxes b = {0};
    assert_int_equal(read_text("[null, [10, 20, 30.5, 40], [30, 40, 10, 20]]", &b), LIP_OK);
    assert_int_equal(b.n, 3);
    assert_false(b.at[0].known);
    assert_true(b.at[1].known && b.at[1].x0 == 10 && b.at[1].x1 == 30.5f && b.at[1].y1 == 40);
    assert_true(b.at[2].x0 == 10 && b.at[2].y0 == 20 && b.at[2].x1 == 30 && b.at[2].y1 == 40);
    boxes_done(&b);
    assert_int_equal(read_text("{\"bounding_boxes\": [[1, 2, 3, 4]]}", &b), LIP_OK);
    assert_int_equal(b.n, 1);
    boxes_done(&b);
    assert_int_equal(read_text("[]", &b), LIP_OK);
    assert_int_equal(b.n, 0);
    boxes_done(&b);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{", "3", "{}", "{\"bounding_boxes\": 1}", "[1]", "[[1, 2, 3]]", "[[1, 2, 3, 4, 5]]",
        "[[1, 2, \"3\", 4]]", "[[1, 2, null, 4]]", "[[1, 2, 3, 1e300]]", "[true]", "[{}]"};
    struct boxes b = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_text(bad[i], &b), LIP_ERR_FORMAT);
        assert_null(b.at);
    }
    assert_int_equal(boxes_open("/no/such/file.json", &b, NULL), LIP_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
