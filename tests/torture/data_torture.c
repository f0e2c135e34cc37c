/* SPDX-License-Identifier: MIT
 * Round trips of every disk form of data/, while memory or the disk fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "data/bank.h"
#include "data/curve.h"
#include "data/frame.h"
#include "data/patch.h"
#include "data/personfile.h"
#include "data/score.h"
#include "torture/torture.h"

#define REQUIRE_UNTOUCHED(r, pointer) \
    do { \
        if (r) \
            assert_null(pointer); \
    } while (0)

static int curve_round_trip(void *arg)
{
    (void)arg;
    struct data_curve curve, back = {0};
    data_curve_init(&curve, 50);
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    struct data_curve_sample s = {.coef = {1, 2, 3}};
    int r = LIP_OK;
    for (int i = 0; i < 100 && !r; i++)
        r = data_curve_push(&curve, &s);
    if (!r)
        r = data_curve_write(&curve, &b);
    if (!r)
        r = data_curve_read(b.data, b.size, &back, NULL);
    REQUIRE_UNTOUCHED(r, back.samples);
    data_curve_done(&back);
    data_curve_done(&curve);
    base_buffer_done(&b);
    return r;
}

static int basis_round_trip(void *arg)
{
    static const struct data_basis basis;
    (void)arg;
    struct data_basis back;
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    int r = data_basis_write(&basis, &b);
    if (!r)
        r = data_basis_read(b.data, b.size, &back, NULL);
    base_buffer_done(&b);
    return r;
}

static int bank_round_trip(void *arg)
{
    (void)arg;
    static struct data_bank_entry entries[3];
    uint16_t rgb[2 * 2 * 3] = {7};
    for (int i = 0; i < 3; i++) {
        entries[i].frame = i;
        entries[i].width_px = entries[i].height_px = 2;
        entries[i].rgb = rgb;
    }
    struct data_bank bank = {.n = 3, .cap = 3, .entries = entries}, back = {0};
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    int r = data_bank_write(&bank, &b);
    if (!r)
        r = data_bank_read(b.data, b.size, &back, NULL);
    REQUIRE_UNTOUCHED(r, back.entries);
    data_bank_done(&back);
    base_buffer_done(&b);
    return r;
}

static int person_file_round_trip(void *arg)
{
    (void)arg;
    static struct data_personfile file, back;
    static struct data_bank_entry entry;
    uint16_t rgb[2 * 2 * 3] = {7};
    uint8_t style[3] = {1, 2, 3};
    entry.width_px = entry.height_px = 2;
    entry.rgb = rgb;
    data_personfile_init(&file);
    data_personfile_init(&back);
    file.bank = (struct data_bank){.n = 1, .cap = 1, .entries = &entry};
    file.style = style;
    file.n_style = sizeof style;
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    int r = data_personfile_write(&file, &b);
    if (!r)
        r = data_personfile_read(b.data, b.size, &back, NULL);
    REQUIRE_UNTOUCHED(r, back.style);
    data_personfile_done(&back);
    base_buffer_done(&b);
    return r;
}

static int frame_copies(void *arg)
{
    (void)arg;
    struct data_frame *frame = NULL, *copy = NULL;
    int r = data_frame_create(33, 17, DATA_LAYOUT_YUV, 10, 1, 1, true, &frame);
    REQUIRE_UNTOUCHED(r, frame);
    if (!r) {
        copy = data_frame_ref(frame);
        r = data_frame_make_writable(&copy);
        assert_true(r ? copy == frame : copy != frame);
    }
    data_frame_unref(&copy);
    data_frame_unref(&frame);
    return r;
}

static int patch_sizes(void *arg)
{
    (void)arg;
    struct data_patch patch;
    data_patch_init(&patch);
    int r = data_patch_resize(&patch, (struct data_rect){0, 0, 8, 8});
    if (!r)
        r = data_patch_resize(&patch, (struct data_rect){0, 0, 64, 32});
    if (!r)
        assert_int_equal(patch.rect.w, 64);
    data_patch_done(&patch);
    return r;
}

static int write_score(const char *path, struct lip_error *err)
{
    static struct data_face_obs face = {.confidence = 1};
    struct data_film film = {.width_px = 64, .height_px = 48, .disp_width_px = 64,
                             .disp_height_px = 48, .time_base = {1, 25}};
    struct data_track track = {.last_frame = 1, .n_obs = 1};
    struct data_shot shot = {.last_frame = 1};
    struct data_score *score = NULL;
    int r = data_score_create(path, &film, &score, err);
    REQUIRE_UNTOUCHED(r, score);
    struct data_score_frame frame = {.duration = 1};
    for (int i = 0; i < 2 && !r; i++)
        r = data_score_add_frame(score, &frame, &face, 1, err);
    if (!r)
        r = data_score_put_blob(score, "person", "abc", 3, err);
    if (!r)
        r = data_score_finish(score, &track, 1, &shot, 1, err);
    if (!r)
        r = data_score_flush(score, err);
    data_score_close(&score);
    return r;
}

static int read_score(const char *path, struct lip_error *err)
{
    static struct data_face_obs faces[DATA_SCORE_FACES_MAX];
    struct data_score *score = NULL;
    uint8_t *blob = NULL;
    size_t n = 0;
    int r = data_score_open(path, true, &score, err);
    REQUIRE_UNTOUCHED(r, score);
    if (!r)
        r = data_score_read_faces(score, 1, faces, &n, err);
    if (!r)
        r = data_score_get_blob(score, "person", &blob, &n, err);
    REQUIRE_UNTOUCHED(r, blob);
    if (!r)
        assert_true(n == 3 && !memcmp(blob, "abc", 3) && data_score_finished(score));
    base_free(blob);
    data_score_close(&score);
    return r;
}

static int score_round_trip(void *arg)
{
    struct lip_error err = {0};
    int r = write_score(arg, &err);
    if (!r)
        r = read_score(arg, &err);
    assert_int_equal(r, err.code); /* whoever fails says why */
    unlink(arg);
    return r;
}

/* A file that is written again keeps its old content until the new one is whole. */
static int file_replaced(void *arg)
{
    const char *path = arg;
    base_fs_remove(path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs("old", f);
    fclose(f);
    struct lip_error err = {0};
    int r = base_fs_write(path, "newer", 5, &err);
    assert_int_equal(r, err.code);
    char text[16] = {0};
    f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_true(n == (r ? 3 : 5) && !strcmp(text, r ? "old" : "newer"));
    uint8_t *bytes = NULL;
    uint64_t hash = 0;
    size_t size = 0;
    if (!r)
        r = base_fs_read(path, 100, &bytes, &size, NULL);
    REQUIRE_UNTOUCHED(r, bytes);
    if (!r)
        r = base_fs_identity(path, &hash, NULL);
    base_free(bytes);
    return r;
}

static char folder[] = "torture-XXXXXX";
static char path[64];

static const struct torture memory_cases[] = {
    {.name = "curve", .run = curve_round_trip}, {.name = "basis", .run = basis_round_trip},
    {.name = "bank", .run = bank_round_trip},
    {.name = "person file", .run = person_file_round_trip},
    {.name = "frame", .run = frame_copies},
    {.name = "patch", .run = patch_sizes},
};
static const struct torture disk_cases[] = {
    {.name = "score", .run = score_round_trip, .arg = path},
    {.name = "file", .run = file_replaced, .arg = path},
};

static void memory_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memory_cases / sizeof *memory_cases; i++)
        assert_int_equal(torture_allocations(&memory_cases[i]), 0);
    for (size_t i = 0; i < sizeof disk_cases / sizeof *disk_cases; i++)
        assert_int_equal(torture_allocations(&disk_cases[i]), 0);
}

static void disk_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof disk_cases / sizeof *disk_cases; i++)
        assert_int_equal(torture_files(&disk_cases[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(disk_fails),
    };
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rmdir(folder) || r; /* a left-over half-made file is a failure, too */
}
