/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "shape.h"

struct script {
    int t, n_frames;
    int fail_at; /* -1: never */
};

/* Shots 0..99 and 100..199. Track 0 in 0..99 but for 50..52, x = 100 + frame, width 40;
 * track 1 in 20..29; track 2 in 100..199. */
static int next(void *user, struct data_face_obs *faces, size_t *ret_n, bool *ret_start)
{
    struct script *s = user;
    int t = s->t++;
    size_t n = 0;
    if (t == s->fail_at)
        return LIP_ERR_IO;
    if (t >= s->n_frames)
        return 0;
    for (int id = 0; id < 3; id++) {
        bool there = id == 2   ? t >= 100
                     : id == 1 ? t >= 20 && t < 30
                               : t < 100 && (t < 50 || t > 52);
        if (!there)
            continue;
        memset(&faces[n], 0, sizeof faces[n]);
        faces[n].frame = t;
        faces[n].track = id;
        faces[n].confidence = .5f;
        for (int i = 0; i < DATA_FACE_POINTS; i++) {
            faces[n].points[i][0] = (float)(100 + t + (i % 2 ? 40 : 0));
            faces[n].points[i][1] = (float)(50 + (i % 4 / 2 ? 60 : 0));
        }
        n++;
    }
    *ret_n = n;
    *ret_start = t == 0 || t == 100;
    return 1;
}

static void gathers(void **state)
{
    (void)state;
    struct script s = {.n_frames = 200, .fail_at = -1};
    struct data_track *tracks = NULL;
    struct data_shot *shots = NULL;
    struct lip_error err = {0};
    size_t n_tracks, n_shots;
    assert_int_equal(face_tracks_collect(&s, next, &tracks, &n_tracks, &shots, &n_shots, &err),
                     LIP_OK);
    assert_int_equal(n_shots, 2);
    assert_int_equal(shots[0].first_frame, 0);
    assert_int_equal(shots[0].last_frame, 99);
    assert_int_equal(shots[1].first_frame, 100);
    assert_int_equal(shots[1].last_frame, 199);
    assert_int_equal(n_tracks, 3);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(tracks[i].id, i);
    assert_int_equal(tracks[0].n_obs, 97);
    assert_int_equal(tracks[0].first_frame, 0);
    assert_int_equal(tracks[0].last_frame, 99);
    assert_int_equal(tracks[0].shot, 0);
    assert_float_equal(tracks[0].mean_size_px, 40, 1e-4);
    assert_float_equal(tracks[0].mean_confidence, .5, 1e-6);
    assert_float_equal(tracks[0].box.x0, 148, 4.1); /* of about the middle observation */
    assert_float_equal(tracks[0].box.y1 - tracks[0].box.y0, 60, 1e-4);
    assert_int_equal(tracks[1].n_obs, 10);
    assert_float_equal(tracks[1].box.x0, 124, 1.1);
    assert_int_equal(tracks[2].shot, 1);
    assert_float_equal(tracks[2].box.x0, 249, 4.1);
    base_free(tracks);
    base_free(shots);
}

static void an_empty_film_is_fine(void **state)
{
    (void)state;
    struct script s = {.n_frames = 0, .fail_at = -1};
    struct data_track *tracks = (void *)&s;
    struct data_shot *shots = (void *)&s;
    size_t n_tracks = 9, n_shots = 9;
    assert_int_equal(face_tracks_collect(&s, next, &tracks, &n_tracks, &shots, &n_shots, NULL),
                     LIP_OK);
    assert_int_equal(n_tracks, 0);
    assert_int_equal(n_shots, 0);
    assert_null(tracks);
    assert_null(shots);
}

static void a_failing_reader_is_told_on(void **state)
{
    (void)state;
    struct script s = {.n_frames = 200, .fail_at = 120};
    struct data_track *tracks = NULL;
    struct data_shot *shots = NULL;
    struct lip_error err = {0};
    size_t n_tracks, n_shots;
    assert_int_equal(face_tracks_collect(&s, next, &tracks, &n_tracks, &shots, &n_shots, &err),
                     LIP_ERR_IO);
    assert_null(tracks);
    assert_int_equal(err.code, LIP_ERR_IO);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    int r = LIP_ERR_NOMEM;
    for (uint64_t nth = 1; r != LIP_OK; nth++) {
        struct script s = {.n_frames = 200, .fail_at = -1};
        struct data_track *tracks = NULL;
        struct data_shot *shots = NULL;
        struct lip_error err = {0};
        size_t n_tracks, n_shots;
        assert_true(nth < 50);
        base_alloc_fail_nth(nth);
        r = face_tracks_collect(&s, next, &tracks, &n_tracks, &shots, &n_shots, &err);
        base_alloc_fail_nth(0);
        assert_true(r == LIP_OK || (r == LIP_ERR_NOMEM && err.code == r && !tracks && !shots));
        base_free(tracks);
        base_free(shots);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers),
        cmocka_unit_test(an_empty_film_is_fine),
        cmocka_unit_test(a_failing_reader_is_told_on),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
