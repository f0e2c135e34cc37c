/* SPDX-License-Identifier: MIT
 * Who counts as one face, and which one is meant. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "speaker/speaker.h"

static struct speaker_face faces[SPEAKER_FACES_MAX];
static struct data_face_obs obs[3];

static struct data_track track(int32_t id, int64_t first, int64_t last, float cx, float cy, float w)
{
    return (struct data_track){.id = id,
                               .first_frame = first,
                               .last_frame = last,
                               .n_obs = last - first + 1,
                               .mean_size_px = w,
                               .mean_confidence = 1,
                               .box = {cx - w / 2, cy - w / 2, cx + w / 2, cy + w / 2}};
}

static size_t list(const struct data_track *tracks, size_t n_tracks)
{
    struct lip_error err = {0};
    size_t n = 99;
    assert_int_equal(speaker_list(tracks, NULL, n_tracks, faces, &n, &err), LIP_OK);
    return n;
}

static void empty_film(void **state)
{
    (void)state;
    assert_int_equal(list(NULL, 0), 0);
}

/* One face over a gap and over a cut away and back; a second one beside it. */
static void groups_over_gaps(void **state)
{
    (void)state;
    struct data_track t[] = {track(0, 0, 99, 300, 200, 100), track(1, 0, 99, 700, 200, 90),
                             track(2, 110, 199, 310, 205, 104), track(3, 200, 299, 500, 300, 300),
                             track(4, 300, 349, 295, 190, 95)};
    assert_int_equal(list(t, 5), 3);
    assert_int_equal(faces[0].number, 1);
    assert_int_equal(faces[0].n_tracks, 1); /* the close-up: 100 frames of 300 px */
    assert_int_equal(faces[0].track_ids[0], 3);
    assert_int_equal(faces[1].n_tracks, 3);
    assert_int_equal(faces[1].track_ids[0], 0);
    assert_int_equal(faces[1].track_ids[1], 2);
    assert_int_equal(faces[1].track_ids[2], 4);
    assert_int_equal(faces[1].first_frame, 0);
    assert_int_equal(faces[1].last_frame, 349);
    assert_int_equal(faces[1].n_obs, 240);
    assert_float_equal(faces[1].mean_size_px, (100 * 100 + 90 * 104 + 50 * 95) / 240.f, .01);
    assert_int_equal(faces[1].portrait_frame, 49); /* the middle of the longest track */
    assert_float_equal(faces[1].box.x0, 250, 1e-4);
    assert_int_equal(faces[2].track_ids[0], 1);
}

/* At the same place but at the same time: two people. */
static void nobody_is_in_two_places(void **state)
{
    (void)state;
    struct data_track t[] = {track(0, 0, 99, 300, 200, 100), track(1, 50, 149, 340, 200, 100)};
    assert_int_equal(list(t, 2), 2);
    t[1] = track(1, 100, 199, 340, 200, 100);
    assert_int_equal(list(t, 2), 1);
}

/* Framed alike, one after the other: two people when their heads have different shapes. */
static void heads_tell_people_apart(void **state)
{
    (void)state;
    static struct speaker_head heads[3];
    struct data_track t[] = {track(0, 0, 99, 300, 200, 100), track(1, 100, 149, 305, 200, 100),
                             track(2, 150, 189, 300, 200, 100)};
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        heads[i].shaped = true;
        for (int p = 0; p < SPEAKER_SHAPE_POINTS; p++)
            heads[i].points[p][p % 3] = (i == 1 ? .04f : .005f * (float)i) + (float)p;
    }
    assert_int_equal(speaker_list(t, heads, 3, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 2);
    assert_int_equal(faces[0].n_tracks, 2); /* .01 away: the same person again */
    assert_int_equal(faces[0].track_ids[1], 2);
    assert_int_equal(faces[1].track_ids[0], 1);
    heads[1].shaped = false; /* what is not known separates nobody */
    assert_int_equal(speaker_list(t, heads, 3, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
}

/* Whoever looks alike is one person at any place and size; who does not, is another even where the
 * first one was. */
static void prints_decide(void **state)
{
    (void)state;
    static struct speaker_head heads[4];
    struct data_track t[] = {track(0, 0, 99, 300, 200, 100), track(1, 100, 149, 300, 200, 100),
                             track(2, 150, 189, 900, 500, 320), track(3, 0, 20, 1200, 200, 60)};
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        heads[i].print.weight = 1;
        heads[i].print.v[0] = i == 1 ? .9f : .1f * (float)i; /* 0, .9, .2, .3 */
    }
    assert_int_equal(speaker_list(t, heads, 4, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 3);
    assert_int_equal(faces[0].n_tracks, 2);
    assert_int_equal(faces[0].track_ids[0], 0);
    assert_int_equal(faces[0].track_ids[1], 2);
    assert_int_equal(faces[1].track_ids[0], 1);
    assert_int_equal(faces[2].track_ids[0], 3); /* alike, but there at the same time as 0 */
    heads[1].print.v[0] = .45f; /* neither nor: the place decides … */
    heads[2].print.weight = 0;
    assert_int_equal(speaker_list(t, heads, 3, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 2);
    assert_int_equal(faces[0].n_tracks, 2);
    t[1].box.x0 += 500;
    t[1].box.x1 += 500;
    assert_int_equal(speaker_list(t, heads, 2, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 2);
    heads[0].shaped = heads[1].shaped = true; /* … or the shape of the head */
    assert_int_equal(speaker_list(t, heads, 2, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
    t[1].box = t[0].box;
    heads[1].print.v[0] = .55f; /* another … */
    assert_int_equal(speaker_list(t, heads, 2, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 2);
    heads[1].print.weight = .1f; /* … unless it was hardly seen */
    assert_int_equal(speaker_list(t, heads, 2, faces, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
}

static void largest_lasting_first(void **state)
{
    (void)state;
    struct data_track t[] = {track(0, 0, 4, 300, 200, 400),   /* large, but passes by */
                             track(1, 10, 300, 900, 200, 120), /* lasts */
                             track(2, 10, 300, 500, 200, 60)};
    assert_int_equal(list(t, 3), 3);
    assert_int_equal(faces[0].track_ids[0], 1);
    assert_int_equal(faces[1].track_ids[0], 2);
    assert_int_equal(faces[2].track_ids[0], 0);
}

static void more_faces_than_fit(void **state)
{
    (void)state;
    struct data_track t[SPEAKER_FACES_MAX + 5];
    for (int i = 0; i < SPEAKER_FACES_MAX + 5; i++)
        t[i] = track(i, 0, 100 + i, 200.f * (float)i, 100, 50);
    assert_int_equal(list(t, SPEAKER_FACES_MAX + 5), SPEAKER_FACES_MAX);
    for (int i = 0; i < SPEAKER_FACES_MAX; i++)
        assert_int_equal(faces[i].track_ids[0], SPEAKER_FACES_MAX + 4 - i);
}

static void square(struct data_face_obs *o, int32_t id, float x0, float y0, float w)
{
    memset(o, 0, sizeof *o);
    o->track = id;
    for (int i = 0; i < DATA_FACE_POINTS; i++) {
        o->points[i][0] = x0 + (i & 1 ? w : 0);
        o->points[i][1] = y0 + (i & 2 ? w : 0);
    }
}

static void three_faces(size_t *ret_n)
{
    struct data_track t[] = {track(0, 0, 99, 150, 150, 100), track(1, 0, 99, 350, 150, 90),
                             track(2, 0, 99, 600, 150, 80)};
    *ret_n = list(t, 3);
    square(&obs[0], 0, 100, 100, 100);
    square(&obs[1], 1, 305, 105, 90);
    square(&obs[2], 7, 560, 110, 80); /* a track that belongs to no face */
}

static void chooses(void **state)
{
    (void)state;
    struct lip_error err = {0};
    size_t n, at = 99;
    float snap = -1;
    three_faces(&n);
    struct speaker_choice c = {.kind = SPEAKER_LARGEST};
    assert_int_equal(speaker_choose(faces, n, &c, NULL, 0, &at, &snap, &err), LIP_OK);
    assert_int_equal(at, 0);
    c = (struct speaker_choice){.kind = SPEAKER_NUMBER, .number = 3};
    assert_int_equal(speaker_choose(faces, n, &c, NULL, 0, &at, &snap, &err), LIP_OK);
    assert_int_equal(at, 2);
    c = (struct speaker_choice){.kind = SPEAKER_POINT, .x = 390, .y = 190, .frame = 4};
    assert_int_equal(speaker_choose(faces, n, &c, obs, 3, &at, &snap, &err), LIP_OK);
    assert_int_equal(at, 1);
    assert_true(snap == 0);
    c.x = 250; /* outside both: 50 px from the first, 55 from the second */
    c.y = 150;
    assert_int_equal(speaker_choose(faces, n, &c, obs, 3, &at, &snap, &err), LIP_OK);
    assert_int_equal(at, 0);
    assert_float_equal(snap, .5, 1e-4);
    c.x = 600; /* on the face that counts for nothing: the nearest that does */
    assert_int_equal(speaker_choose(faces, n, &c, obs, 3, &at, NULL, &err), LIP_OK);
    assert_int_equal(at, 1);
}

static void refuses_with_a_sentence(void **state)
{
    (void)state;
    struct lip_error err = {0};
    size_t n, at = 99;
    float snap = -1;
    three_faces(&n);
    struct speaker_choice c = {.kind = SPEAKER_NUMBER, .number = 4};
    assert_int_equal(speaker_choose(faces, n, &c, NULL, 0, &at, &snap, &err), LIP_ERR_NO_FACE);
    assert_non_null(strstr(err.text, "no face number 4"));
    assert_non_null(strstr(err.text, "3 faces: 1 (frames 0-99, 100 px wide), 2 ("));
    assert_int_equal(at, 99); /* untouched */
    memset(&err, 0, sizeof err);
    c.number = 0;
    assert_int_equal(speaker_choose(faces, n, &c, NULL, 0, &at, &snap, &err), LIP_ERR_NO_FACE);
    memset(&err, 0, sizeof err);
    c = (struct speaker_choice){.kind = SPEAKER_POINT, .x = 5, .y = 5, .frame = 12};
    assert_int_equal(speaker_choose(faces, n, &c, NULL, 0, &at, &snap, &err), LIP_ERR_NO_FACE);
    assert_non_null(strstr(err.text, "frame 12"));
    memset(&err, 0, sizeof err);
    c.kind = SPEAKER_LARGEST;
    assert_int_equal(speaker_choose(faces, 0, &c, NULL, 0, &at, &snap, &err), LIP_ERR_NO_FACE);
    assert_string_equal(err.text, "no face was found in the film");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_film),
        cmocka_unit_test(groups_over_gaps),
        cmocka_unit_test(nobody_is_in_two_places),
        cmocka_unit_test(heads_tell_people_apart),
        cmocka_unit_test(prints_decide),
        cmocka_unit_test(largest_lasting_first),
        cmocka_unit_test(more_faces_than_fit),
        cmocka_unit_test(chooses),
        cmocka_unit_test(refuses_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
