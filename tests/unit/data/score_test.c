/* SPDX-License-Identifier: MIT
 * The score: written, read, torn, gone on with, and damaged. */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "data/score.h"

#define N_FRAMES 20

static char folder[] = "score-test-XXXXXX";
static char path[64];
static struct data_face_obs faces[DATA_SCORE_FACES_MAX];

static struct data_film film(void)
{
    struct data_film f = {.width_px = 640, .height_px = 480, .disp_width_px = 480,
                          .disp_height_px = 640, .rotation_deg = 90, .depth_bits = 10,
                          .time_base = {1, 90000}, .frame_rate = {30000, 1001},
                          .sample_aspect = {1, 1}, .start_pts = -512, .identity = 0xfeedfacecafe,
                          .codec = "h264", .container = "mov", .pixel_format = "yuv420p10le"};
    f.disp_from_img.m[1] = -0.125;
    return f;
}

static struct data_face_obs face_at(int64_t frame, int track)
{
    struct data_face_obs o = {.frame = frame, .track = track, .confidence = 0.75f};
    for (int p = 0; p < DATA_FACE_POINTS; p++) {
        o.points[p][0] = 300 + 0.31f * (float)p;
        o.points[p][1] = 200 + 0.17f * (float)(p % 50) + (float)frame;
        o.points[p][2] = -10 + 0.05f * (float)p;
    }
    return o;
}

static void add(struct data_score *s, int64_t i)
{
    static struct data_face_obs now[2];
    now[0] = face_at(i, 0);
    now[1] = face_at(i, 1);
    struct data_score_frame frame = {.pts = i * 3003 - 512, .duration = 3003, .keyframe = i == 0,
                                     .shot_start = i == 7};
    assert_int_equal(data_score_add_frame(s, &frame, now, (size_t)(i % 3), NULL), LIP_OK);
}

static void write_frames(void)
{
    struct data_score *s = NULL;
    struct data_film f = film();
    assert_int_equal(data_score_create(path, &f, &s, NULL), LIP_OK);
    for (int64_t i = 0; i < N_FRAMES; i++)
        add(s, i);
    data_score_close(&s);
}

static void check_frames(struct data_score *s, int64_t n_frames)
{
    size_t n = 0;
    assert_int_equal(data_score_n_frames(s), n_frames);
    for (int64_t i = 0; i < n_frames; i++) {
        const struct data_score_frame *frame = data_score_frame(s, i);
        assert_true(frame->pts == i * 3003 - 512 && frame->duration == 3003);
        assert_true(frame->keyframe == (i == 0) && frame->shot_start == (i == 7));
        assert_int_equal(data_score_read_faces(s, i, faces, &n, NULL), LIP_OK);
        assert_int_equal(n, i % 3);
        for (size_t k = 0; k < n; k++) {
            struct data_face_obs want = face_at(i, (int)k);
            assert_true(faces[k].frame == i && faces[k].track == (int)k);
            assert_true(faces[k].confidence == 0.75f);
            for (int p = 0; p < DATA_FACE_POINTS; p++)
                for (int a = 0; a < 3; a++) /* 1/30000 of 150 pixels */
                    assert_true(fabsf(faces[k].points[p][a] - want.points[p][a]) < 0.005f);
        }
    }
    assert_null(data_score_frame(s, n_frames));
    assert_null(data_score_frame(s, -1));
    assert_int_equal(data_score_read_faces(s, n_frames, faces, &n, NULL), LIP_ERR_ARG);
}

static void round_trip(void **state)
{
    (void)state;
    struct data_score *s = NULL;
    write_frames();
    assert_int_equal(data_score_open(path, false, &s, NULL), LIP_OK);
    struct data_film want = film();
    const struct data_film *got = data_score_film(s);
    assert_true(got->width_px == 640 && got->rotation_deg == 90 && got->start_pts == -512);
    assert_true(got->identity == want.identity && got->frame_rate.den == 1001);
    assert_true(got->disp_from_img.m[1] == -0.125);
    assert_string_equal(got->pixel_format, want.pixel_format);
    assert_false(data_score_finished(s));
    check_frames(s, N_FRAMES);
    data_score_close(&s);
    data_score_close(&s);
}

static void finish_and_blobs(void **state)
{
    (void)state;
    struct data_score *s = NULL;
    write_frames();
    assert_int_equal(data_score_open(path, true, &s, NULL), LIP_OK);
    struct data_track tracks[2] = {{.id = 0, .last_frame = 19, .n_obs = 13, .mean_size_px = 150},
                                   {.id = 1, .shot = 1, .box = {1, 2, 3, 4}}};
    struct data_shot shots[2] = {{0, 6}, {7, 19}};
    assert_int_equal(data_score_put_blob(s, "bank", "first", 5, NULL), LIP_OK);
    assert_int_equal(data_score_finish(s, tracks, 2, shots, 2, NULL), LIP_OK);
    assert_int_equal(data_score_put_blob(s, "bank", "second", 6, NULL), LIP_OK);
    assert_int_equal(data_score_put_blob(s, "empty", "", 0, NULL), LIP_OK);
    char name[40] = "a name that is much longer than 31";
    assert_int_equal(data_score_put_blob(s, name, "", 0, NULL), LIP_ERR_ARG);
    for (int again = 0; again < 2; again++) { /* in memory, and read back */
        size_t n = 0;
        uint8_t *blob = NULL;
        assert_true(data_score_finished(s));
        assert_int_equal(data_score_tracks(s, &n)[1].box.y1, 4);
        assert_int_equal(n, 2);
        assert_int_equal(data_score_shots(s, &n)[1].first_frame, 7);
        assert_int_equal(data_score_get_blob(s, "bank", &blob, &n, NULL), LIP_OK);
        assert_true(n == 6 && !memcmp(blob, "second", 6));
        base_free(blob);
        assert_int_equal(data_score_get_blob(s, "empty", &blob, &n, NULL), LIP_OK);
        assert_int_equal(n, 0);
        base_free(blob);
        assert_int_equal(data_score_get_blob(s, "none", &blob, &n, NULL), LIP_ERR_NOT_FOUND);
        data_score_close(&s);
        if (!again)
            assert_int_equal(data_score_open(path, false, &s, NULL), LIP_OK);
    }
}

/* One name too many is refused before it is written: the score stays readable. */
static void too_many_blobs(void **state)
{
    (void)state;
    struct data_score *s = NULL;
    write_frames();
    assert_int_equal(data_score_open(path, true, &s, NULL), LIP_OK);
    char name[16];
    int r = LIP_OK, n = 0;
    for (; !r && n < 10000; n++) {
        snprintf(name, sizeof name, "part %d", n);
        r = data_score_put_blob(s, name, "x", 1, NULL);
    }
    assert_int_equal(r, LIP_ERR_LIMIT);
    assert_true(n > 4 * 32); /* person, style, bank and models of each face */
    assert_int_equal(data_score_put_blob(s, "part 0", "y", 1, NULL), LIP_OK);
    data_score_close(&s);
    assert_int_equal(data_score_open(path, false, &s, NULL), LIP_OK);
    check_frames(s, N_FRAMES);
    data_score_close(&s);
}

/* A kill leaves a torn last record: at every length the frames before it are there, and work can go
 * on to the same file as if nothing had happened. */
static void torn_and_continued(void **state)
{
    (void)state;
    uint8_t *whole = NULL, *again = NULL;
    size_t n_whole = 0, n_again = 0;
    write_frames();
    assert_int_equal(base_fs_read(path, 1 << 20, &whole, &n_whole, NULL), LIP_OK);
    for (size_t n = n_whole - 6000; n < n_whole; n += 53) {
        struct data_score *s = NULL;
        assert_int_equal(base_fs_write(path, whole, n, NULL), LIP_OK);
        assert_int_equal(data_score_open(path, true, &s, NULL), LIP_OK);
        assert_true(data_score_n_frames(s) < N_FRAMES);
        for (int64_t i = data_score_n_frames(s); i < N_FRAMES; i++)
            add(s, i);
        check_frames(s, N_FRAMES);
        data_score_close(&s);
        assert_int_equal(base_fs_read(path, 1 << 20, &again, &n_again, NULL), LIP_OK);
        assert_int_equal(n_again, n_whole);
        assert_memory_equal(again, whole, n_whole);
        base_free(again);
    }
    base_free(whole);
}

static void cut_after_a_blob(void **state)
{
    (void)state;
    struct data_score *s = NULL;
    struct data_film f = film();
    assert_int_equal(data_score_create(path, &f, &s, NULL), LIP_OK);
    for (int64_t i = 0; i < 5; i++)
        add(s, i);
    assert_int_equal(data_score_cut_after_blob(s, "state", NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(data_score_put_blob(s, "state", "12", 2, NULL), LIP_OK);
    for (int64_t i = 5; i < 9; i++)
        add(s, i);
    assert_int_equal(data_score_cut_after_blob(s, "state", NULL), LIP_OK);
    check_frames(s, 5);
    for (int64_t i = 5; i < 7; i++)
        add(s, i);
    data_score_close(&s);
    assert_int_equal(data_score_open(path, false, &s, NULL), LIP_OK);
    check_frames(s, 7);
    data_score_close(&s);
}

static void not_a_score(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "LIPSCORE", "LIPSCORF\1\0\0\0aaaa", "RIFFxxxxWAVEfmt "};
    struct data_score *s = NULL;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct lip_error err = {0};
        assert_int_equal(base_fs_write(path, cases[i], strlen(cases[i]), NULL), LIP_OK);
        assert_int_equal(data_score_open(path, false, &s, &err), LIP_ERR_SCORE);
        assert_true(err.code == LIP_ERR_SCORE && err.text[0]);
        assert_null(s);
    }
    assert_int_equal(data_score_open("score-test-none", false, &s, NULL), LIP_ERR_NOT_FOUND);
    uint8_t *bytes = NULL;
    size_t n = 0;
    write_frames();
    assert_int_equal(base_fs_read(path, 1 << 20, &bytes, &n, NULL), LIP_OK);
    bytes[8] = 99;
    assert_int_equal(base_fs_write(path, bytes, n, NULL), LIP_OK);
    struct lip_error err = {0};
    assert_int_equal(data_score_open(path, false, &s, &err), LIP_ERR_SCORE);
    assert_non_null(strstr(err.text, "version"));
    base_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(finish_and_blobs),
        cmocka_unit_test(too_many_blobs),
        cmocka_unit_test(torn_and_continued), cmocka_unit_test(cut_after_a_blob),
        cmocka_unit_test(not_a_score),
    };
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/score", folder);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rmdir(folder) || r;
}
