/* SPDX-License-Identifier: MIT
 * Errors and the log. */
#include "unit/unit.h"

#include <string.h>

#include "base/log.h"
#include "base/status.h"

static void first_cause_is_kept(void **state)
{
    (void)state;
    struct lip_error err = {0};
    assert_int_equal(base_error_set(&err, LIP_ERR_IO, "a/b", "disk %d", 7), LIP_ERR_IO);
    assert_int_equal(base_error_set(&err, LIP_ERR_ARG, "c/d", "other"), LIP_ERR_ARG);
    assert_int_equal(err.code, LIP_ERR_IO);
    assert_string_equal(err.where, "a/b");
    assert_string_equal(err.text, "disk 7");
    base_error_clear(&err);
    assert_int_equal(base_error_nomem(&err, "e"), LIP_ERR_NOMEM);
    assert_int_equal(err.code, LIP_ERR_NOMEM);
    assert_int_equal(base_error_arg(NULL, "e", "n"), LIP_ERR_ARG);
    base_error_clear(NULL);
}

static void one_terminated_line(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char name[1000];
    memset(name, '\n', sizeof name);
    name[sizeof name - 1] = 0;
    base_error_set(&err, LIP_ERR_IO, name, "cannot open '%s'", name);
    assert_true(strlen(err.text) == sizeof err.text - 1);
    assert_true(strlen(err.where) == sizeof err.where - 1);
    assert_null(strchr(err.text, '\n'));
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    const int codes[] = {0, -1, -2, -10, -17, -30, -37};
    for (size_t i = 0; i < UNIT_COUNT(codes); i++)
        assert_string_not_equal(lip_status_name(codes[i]), "LIP_ERR_UNKNOWN");
    assert_string_equal(lip_status_name(LIP_ERR_NO_VIDEO), "LIP_ERR_NO_VIDEO");
    assert_string_equal(lip_status_name(-3), "LIP_ERR_UNKNOWN");
    assert_string_equal(lip_status_name(12345), "LIP_ERR_UNKNOWN");
}

static void remember(void *user, int level, const char *text)
{
    assert_int_equal(level, BASE_LOG_WARN);
    strncpy(user, text, 599);
}

static void log_lines(void **state)
{
    (void)state;
    char line[600] = "", longer[700];
    struct base_log log = {remember, line};
    base_log_print(&log, BASE_LOG_WARN, "%s %d", "face", 3);
    assert_string_equal(line, "face 3");
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    base_log_print(&log, BASE_LOG_WARN, "%s", longer);
    assert_int_equal(strlen(line), 511);
    base_log_print(NULL, BASE_LOG_WARN, "nobody listens");
    base_log_print(&(struct base_log){0}, BASE_LOG_WARN, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_cause_is_kept), cmocka_unit_test(one_terminated_line),
        cmocka_unit_test(every_code_has_a_name), cmocka_unit_test(log_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
