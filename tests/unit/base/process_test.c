/* SPDX-License-Identifier: MIT
 * Another program: how it ends, and how it is made to end. And command lines. */
#include "unit/unit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/thread.h"

#define SECOND ((int64_t)1000000)

static int run(const char *script, int64_t timeout_us, const volatile int *cancel,
               struct lip_error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    memset(err, 0, sizeof *err);
    return base_process_run(argv, timeout_us, cancel, err);
}

static void ends(void **state)
{
    (void)state;
    struct lip_error err;
    assert_int_equal(run("cat; echo well", 9 * SECOND, NULL, &err), LIP_OK); /* no input: no wait */
    assert_int_equal(run("echo first >&2; echo second >&2; exit 3", 9 * SECOND, NULL, &err),
                     LIP_ERR_IO);
    assert_true(strstr(err.text, "second") && !strstr(err.text, "first"));
    assert_int_equal(run("kill -9 $$", 9 * SECOND, NULL, &err), LIP_ERR_IO);
    const char *const none[] = {"no-such-program-anywhere", NULL};
    memset(&err, 0, sizeof err);
    assert_int_equal(base_process_run(none, SECOND, NULL, &err), LIP_ERR_NOT_FOUND);
    assert_true(strstr(err.text, "no-such-program-anywhere") != NULL);
}

/* With all that it started. */
static void is_ended(void **state)
{
    (void)state;
    struct lip_error err;
    volatile int cancel = 1;
    int64_t start_us = base_time_us();
    assert_int_equal(run("sleep 30 & sleep 30", SECOND / 5, NULL, &err), LIP_ERR_LIMIT);
    assert_int_equal(run("sleep 30", 30 * SECOND, &cancel, &err), LIP_ERR_CANCELLED);
    assert_true(base_time_us() - start_us < 20 * SECOND);
}

/* A line longer than what is kept of it, and many of them. */
static void talks_much(void **state)
{
    (void)state;
    struct lip_error err;
    assert_int_equal(run("i=0; while [ $i -lt 2000 ]; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >&2; "
                         "i=$((i+1)); done; printf %500s b >&2; exit 1", 30 * SECOND, NULL, &err),
                     LIP_ERR_IO);
    assert_true(err.text[0] && !strchr(err.text, '\n'));
}

static void words(void **state)
{
    (void)state;
    const struct base_process_value values[] = {{"out", "a b.wav"}, {"voice", "; rm -rf /"}};
    char **w = NULL;
    assert_int_equal(base_process_words("say  'two words' --to={out} \"{voice}\"''", values, 2, &w,
                                        NULL), LIP_OK);
    assert_string_equal(w[0], "say");
    assert_string_equal(w[1], "two words");
    assert_string_equal(w[2], "--to=a b.wav");
    assert_string_equal(w[3], "; rm -rf /"); /* one word, whatever is in it */
    assert_null(w[4]);
    base_free(w);
    w = NULL;
    const char *const bad[] = {"", "  ", "say 'open", "say {else}", "say {out", "say {"};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        struct lip_error err = {0};
        assert_int_equal(base_process_words(bad[i], values, 2, &w, &err), LIP_ERR_ARG);
        assert_true(err.text[0] && !w);
    }
    char many[300];
    for (size_t i = 0; i + 1 < sizeof many; i++)
        many[i] = i % 2 ? ' ' : 'a';
    many[sizeof many - 1] = 0;
    assert_int_equal(base_process_words(many, values, 2, &w, NULL), LIP_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(is_ended),
        cmocka_unit_test(talks_much),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
