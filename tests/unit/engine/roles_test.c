/* SPDX-License-Identifier: MIT
 * The table of roles: who is moved in which frame. */
#include "unit/unit.h"

#include "engine/roles.h"

static void add(struct roles *roles, int64_t from, int64_t to, int cast, int voice)
{
    assert_int_equal(roles_add(roles, &(struct role){from, to, cast, voice}, NULL), LIP_OK);
}

static void finds_the_role_of_a_frame(void **state)
{
    (void)state;
    struct roles roles;
    assert_int_equal(roles_init(&roles, 2, NULL), LIP_OK);
    assert_null(roles_find(&roles, 0));
    add(&roles, 5, 5, 0, 0); /* empty: left out */
    add(&roles, 5, 10, 0, 0);
    add(&roles, 10, 12, 0, 0); /* goes on */
    add(&roles, 12, 20, 1, 0);
    add(&roles, 30, 31, 1, 1);
    assert_int_equal(roles.n, 3);
    for (int64_t f = -1; f < 40; f++) {
        const struct role *r = roles_find(&roles, f);
        int cast = f < 5 ? -1 : f < 12 ? 0 : f < 20 || f == 30 ? 1 : -1;
        assert_int_equal(r ? r->cast : -1, cast);
    }
    assert_true(roles_go_on(&roles, 9, 10));
    assert_false(roles_go_on(&roles, 11, 12));
    assert_true(roles_go_on(&roles, 19, 30)); /* the same mouth, another voice */
    assert_false(roles_go_on(&roles, 19, 20));
    assert_ptr_not_equal(roles_curve(&roles, &roles.at[1]), roles_curve(&roles, &roles.at[2]));
    struct lip_error err = {0};
    assert_int_equal(roles_add(&roles, &(struct role){29, 40, 0, 0}, &err), LIP_ERR_INTERNAL);
    roles_done(&roles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_role_of_a_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
