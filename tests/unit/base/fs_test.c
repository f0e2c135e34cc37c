/* SPDX-License-Identifier: MIT
 * Whole files (fs) and growing files (file). */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/fs.h"

static char folder[] = "fs-test-XXXXXX";
static char path[64];

static void write_then_read(void **state)
{
    (void)state;
    struct lip_error err = {0};
    const char text[] = "zero\0inside";
    assert_int_equal(base_fs_write(path, text, sizeof text, &err), LIP_OK);
    uint8_t *bytes = NULL;
    size_t n = 0;
    assert_int_equal(base_fs_read(path, 100, &bytes, &n, &err), LIP_OK);
    assert_int_equal(n, sizeof text);
    assert_memory_equal(bytes, text, n);
    assert_int_equal(bytes[n], 0);
    base_free(bytes);
    assert_int_equal(base_fs_write(path, "", 0, &err), LIP_OK);
    assert_int_equal(base_fs_read(path, 0, &bytes, &n, &err), LIP_OK);
    assert_int_equal(n, 0);
    base_free(bytes);
}

static void errors_of_reading(void **state)
{
    (void)state;
    struct lip_error err = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    assert_int_equal(base_fs_read("fs-test-none", 9, &bytes, &n, &err), LIP_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "fs-test-none"));
    assert_int_equal(base_fs_read(folder, 9, &bytes, &n, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(base_fs_write(path, "12345", 5, NULL), LIP_OK);
    assert_int_equal(base_fs_read(path, 4, &bytes, &n, NULL), LIP_ERR_LIMIT);
    assert_null(bytes);
}

static void failed_write_keeps_the_old(void **state)
{
    (void)state;
    assert_int_equal(base_fs_write(path, "old", 3, NULL), LIP_OK);
    for (uint64_t nth = 1; nth <= 4; nth++) { /* open, write, sync, rename */
        base_fs_fail_nth(nth);
        struct lip_error err = {0};
        assert_int_equal(base_fs_write(path, "new", 3, &err), LIP_ERR_IO);
        base_fs_fail_nth(0);
        uint8_t *bytes = NULL;
        size_t n = 0;
        assert_int_equal(base_fs_read(path, 9, &bytes, &n, NULL), LIP_OK);
        assert_string_equal((char *)bytes, "old");
        base_free(bytes);
    }
    char *beside = NULL;
    assert_int_equal(base_fs_beside(path, "part", &beside), LIP_OK);
    assert_false(base_fs_exists(beside));
    base_free(beside);
    assert_int_equal(base_fs_write("fs-test-none/x", "a", 1, NULL), LIP_ERR_IO);
}

static void beside(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"out.mp4", ".out.mp4.part"}, {"a/b/out.mp4", "a/b/.out.mp4.part"}, {"/x", "/.x.part"}};
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        char *p = NULL;
        assert_int_equal(base_fs_beside(cases[i][0], "part", &p), LIP_OK);
        assert_string_equal(p, cases[i][1]);
        base_free(p);
    }
}

static void small_things(void **state)
{
    (void)state;
    char sub[80];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(base_fs_make_dir(sub, NULL), LIP_OK);
    assert_int_equal(base_fs_make_dir(sub, NULL), LIP_OK);
    rmdir(sub);
    assert_int_equal(base_fs_remove("fs-test-none"), LIP_OK);
    assert_int_equal(base_fs_rename("fs-test-none", path, NULL), LIP_ERR_IO);
    assert_int_not_equal(base_checksum("ab", 2), base_checksum("ba", 2));
}

static void identity(void **state)
{
    (void)state;
    uint64_t a = 0, b = 0;
    assert_int_equal(base_fs_write(path, "film", 4, NULL), LIP_OK);
    assert_int_equal(base_fs_identity(path, &a, NULL), LIP_OK);
    assert_int_equal(base_fs_identity(path, &b, NULL), LIP_OK);
    assert_true(a == b);
    assert_int_equal(base_fs_write(path, "filn", 4, NULL), LIP_OK);
    assert_int_equal(base_fs_identity(path, &b, NULL), LIP_OK);
    assert_true(a != b);
    assert_int_equal(base_fs_identity("fs-test-none", &b, NULL), LIP_ERR_NOT_FOUND);
}

static void growing_file(void **state)
{
    (void)state;
    struct base_file *f = NULL;
    char got[8] = "";
    assert_int_equal(base_file_open("fs-test-none", BASE_FILE_APPEND, &f, NULL),
                     LIP_ERR_NOT_FOUND);
    assert_int_equal(base_file_open(folder, BASE_FILE_READ, &f, NULL), LIP_ERR_NOT_FOUND);
    assert_null(f);
    assert_int_equal(base_file_open(path, BASE_FILE_CREATE, &f, NULL), LIP_OK);
    assert_int_equal(base_file_size(f), 0);
    assert_int_equal(base_file_append(f, "abc", 3, NULL), LIP_OK);
    base_fs_fail_nth(1);
    assert_int_equal(base_file_append(f, "xyz", 3, NULL), LIP_ERR_IO);
    base_fs_fail_nth(0);
    assert_int_equal(base_file_append(f, "def", 3, NULL), LIP_OK);
    assert_int_equal(base_file_read_at(f, 1, got, 4, NULL), LIP_OK);
    assert_memory_equal(got, "bcde", 4);
    assert_int_equal(base_file_read_at(f, 3, got, 4, NULL), LIP_ERR_IO); /* past the end */
    assert_int_equal(base_file_truncate(f, 4, NULL), LIP_OK);
    base_file_close(&f);
    assert_int_equal(base_file_open(path, BASE_FILE_APPEND, &f, NULL), LIP_OK);
    assert_int_equal(base_file_size(f), 4);
    assert_int_equal(base_file_append(f, "!", 1, NULL), LIP_OK);
    assert_int_equal(base_file_sync(f, NULL), LIP_OK);
    assert_int_equal(base_file_read_at(f, 0, got, 5, NULL), LIP_OK);
    assert_memory_equal(got, "abcd!", 5);
    base_file_close(&f);
    base_file_close(&f);
    base_file_close(NULL);
}

static void temporary_file(void **state)
{
    (void)state;
    struct base_file *f = NULL;
    struct lip_error err = {0};
    char got[4] = "";
    setenv("TMPDIR", "fs-test-none", 1);
    assert_int_equal(base_file_open_temporary(&f, &err), LIP_ERR_IO);
    assert_true(err.code == LIP_ERR_IO && !f);
    setenv("TMPDIR", folder, 1);
    assert_int_equal(base_file_open_temporary(&f, NULL), LIP_OK);
    unsetenv("TMPDIR");
    assert_int_equal(base_file_append(f, "abc", 3, NULL), LIP_OK);
    assert_int_equal(base_file_read_at(f, 1, got, 2, NULL), LIP_OK);
    assert_string_equal(got, "bc");
    assert_true(base_fs_holds_only(folder, "file")); /* it has no name */
    base_file_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_read), cmocka_unit_test(errors_of_reading),
        cmocka_unit_test(failed_write_keeps_the_old), cmocka_unit_test(beside),
        cmocka_unit_test(small_things), cmocka_unit_test(identity),
        cmocka_unit_test(growing_file), cmocka_unit_test(temporary_file),
    };
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rmdir(folder) || r; /* something half-made left behind is a failure */
}
