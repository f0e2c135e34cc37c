/* SPDX-License-Identifier: MIT
 * Detection and following with painted faces and nets that see them. */
#include "base/alloc.h"
#include "fake_nets.h"

#define W 480
#define H 270
#define N_FRAMES 48
#define FACES 4

static struct fake fake;
static struct nn_runtime *runtime;
static struct face_models *models;
static struct data_frame *frame;
static struct data_film film;

static int open_all(void **state)
{
    struct lip_error err = {0};
    (void)state;
    film = make_film(W, H, 0, 1);
    if (nn_runtime_open_fake(fake_run, &fake, &runtime) != LIP_OK ||
        face_models_open(runtime, "nowhere", &models, &err) != LIP_OK)
        return -1;
    return data_frame_create(W, H, DATA_LAYOUT_RGB, 8, 0, 0, false, &frame);
}

static int close_all(void **state)
{
    (void)state;
    data_frame_unref(&frame);
    face_models_close(&models);
    nn_runtime_close(&runtime);
    return 0;
}

static struct face_analyzer *new_analyzer(const struct face_analyzer_params *changed)
{
    struct face_analyzer_params params;
    struct face_analyzer *a = NULL;
    struct lip_error err = {0};
    face_analyzer_params_default(&params);
    if (changed)
        params = *changed;
    assert_int_equal(face_analyzer_create(models, &film, &params, &a, &err), LIP_OK);
    return a;
}

struct seen {
    struct data_face_obs faces[FACES];
    size_t n;
    bool start;
};

static void push(struct face_analyzer *a, struct seen *ret_seen)
{
    struct lip_error err = {0};
    memset(ret_seen, 0, sizeof *ret_seen);
    assert_int_equal(face_analyzer_push(a, frame, ret_seen->faces, &ret_seen->n, &ret_seen->start,
                                        &err), LIP_OK);
    assert_true(ret_seen->n <= FACES);
}

static void check_place(const struct data_face_obs *o, double cx, double cy, double side,
                        double tolerance)
{
    for (int i = 0; i < DATA_FACE_POINTS; i += 7) {
        double x, y;
        unit_point(i, &x, &y);
        assert_float_equal(o->points[i][0], cx + x * side, tolerance);
        assert_float_equal(o->points[i][1], cy + y * side, tolerance);
        if (i < DATA_MESH_POINTS)
            assert_float_equal(o->points[i][2], x * side, tolerance);
    }
}

/* Points land on the face in DISP whatever lies between: size, place, rotation, pixel shape. */
static void points_lie_on_the_face(void **state)
{
    (void)state;
    static const struct { int w, h, turn; double aspect; } kinds[] = {
        {480, 270, 0, 1}, {270, 480, 0, 1}, {300, 300, 0, 1}, {480, 270, 90, 1},
        {360, 288, 0, 1.5}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct data_frame *f = NULL;
        struct seen seen;
        struct lip_error err = {0};
        film = make_film(kinds[k].w, kinds[k].h, kinds[k].turn, kinds[k].aspect);
        assert_int_equal(data_frame_create(kinds[k].w, kinds[k].h, DATA_LAYOUT_RGB, 8, 0, 0, false,
                                           &f), LIP_OK);
        double cx = film.disp_width_px * .6, cy = film.disp_height_px * .45;
        for (int crops = 1; crops <= 3; crops += 2) {
            struct face_analyzer_params params;
            face_analyzer_params_default(&params);
            params.n_crops = crops;
            struct face_analyzer *a = new_analyzer(&params);
            paint_ground(f, 1);
            paint_face(f, &film, 0, cx, cy, 80);
            assert_int_equal(face_analyzer_push(a, f, seen.faces, &seen.n, &seen.start, &err),
                             LIP_OK);
            assert_int_equal(seen.n, 1);
            assert_true(seen.start);
            check_place(&seen.faces[0], cx, cy, 80, crops == 1 ? 1.0 : 3.0);
            face_analyzer_destroy(&a);
        }
        data_frame_unref(&f);
    }
    film = make_film(W, H, 0, 1);
}

/* Two faces keep their ids while they move; the detector does not run on each frame. */
static void follows_two_faces(void **state)
{
    (void)state;
    struct face_analyzer *a = new_analyzer(NULL);
    int red = 0; /* which of the two observations is the red face */
    fake = (struct fake){0};
    for (int t = 0; t < 40; t++) {
        struct seen seen;
        paint_ground(frame, 2);
        paint_face(frame, &film, 0, 100 + 2 * t, 120, 70);
        paint_face(frame, &film, 1, 380 - 2 * t, 140, 60);
        push(a, &seen);
        assert_int_equal(seen.n, 2);
        if (t == 0)
            red = seen.faces[0].points[0][0] > 200;
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(seen.faces[i].track, (int)i);
            assert_int_equal(seen.faces[i].frame, t);
            assert_true(seen.faces[i].confidence > .9f);
        }
        check_place(&seen.faces[red], 100 + 2 * t, 120, 70, 1);
        check_place(&seen.faces[1 - red], 380 - 2 * t, 140, 60, 1);
    }
    assert_true(fake.n_detector_runs < 40);
    face_analyzer_destroy(&a);
}

/* Away for a few frames: the same track. Away for long: another one. */
static void gaps_are_bridged_for_a_while(void **state)
{
    (void)state;
    for (int gap = 4; gap <= 24; gap += 20) {
        struct face_analyzer *a = new_analyzer(NULL);
        struct seen seen;
        int32_t last = -1;
        for (int t = 0; t < 20 + gap; t++) {
            bool there = t < 10 || t >= 10 + gap;
            paint_ground(frame, 3);
            if (there)
                paint_face(frame, &film, 0, 200 + t, 120, 80);
            push(a, &seen);
            if (!there)
                assert_int_equal(seen.n, 0);
            if (seen.n == 1)
                last = seen.faces[0].track;
        }
        assert_int_equal(seen.n, 1);
        assert_int_equal(last, gap == 4 ? 0 : 1);
        face_analyzer_destroy(&a);
    }
}

static void a_cut_ends_tracks(void **state)
{
    (void)state;
    struct face_analyzer *a = new_analyzer(NULL);
    for (int t = 0; t < 20; t++) {
        struct seen seen;
        paint_ground(frame, t < 10 ? 4 : 400);
        paint_face(frame, &film, 0, 200, 120, 80);
        push(a, &seen);
        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.start, t == 0 || t == 10);
        assert_int_equal(seen.faces[0].track, t < 10 ? 0 : 1);
    }
    face_analyzer_destroy(&a);
}

/* With room for one face only, the larger one is followed, even when it comes later. */
static void the_larger_face_gets_the_place(void **state)
{
    (void)state;
    struct face_analyzer_params params;
    struct seen seen;
    face_analyzer_params_default(&params);
    params.n_faces_max = 1;
    struct face_analyzer *a = new_analyzer(&params);
    for (int t = 0; t < 20; t++) {
        paint_ground(frame, 5);
        paint_face(frame, &film, 0, 100, 100, 40);
        if (t >= 5)
            paint_face(frame, &film, 1, 350, 150, 110);
        push(a, &seen);
        assert_int_equal(seen.n, 1);
    }
    check_place(&seen.faces[0], 350, 150, 110, 1);
    face_analyzer_destroy(&a);
}

static void small_faces_and_no_faces_are_left_out(void **state)
{
    (void)state;
    struct face_analyzer *a = new_analyzer(NULL);
    struct seen seen;
    paint_ground(frame, 6);
    push(a, &seen);
    assert_int_equal(seen.n, 0);
    paint_face(frame, &film, 0, 200, 120, 18); /* below min_size_px */
    for (int t = 0; t < 10; t++)
        push(a, &seen);
    assert_int_equal(seen.n, 0);
    fake.blind = true; /* a detection that the mesh does not agree with */
    paint_face(frame, &film, 0, 200, 120, 80);
    for (int t = 0; t < 10; t++)
        push(a, &seen);
    assert_int_equal(seen.n, 0);
    fake.blind = false;
    face_analyzer_destroy(&a);
}

/* A film with everything: moves, a gap, a newcomer, a flash, a cut. */
static void paint_film(int t)
{
    paint_ground(frame, t < 30 ? 7 : 70);
    if (t < 12 || t >= 16)
        paint_face(frame, &film, 0, 120 + 3 * (t % 30), 120, 70);
    if (t > 18)
        paint_face(frame, &film, 1, 400 - t, 150, 60);
    if (t == 8)
        for (int p = 0; p < 3; p++)
            memset(frame->plane[p].data, 255, (size_t)frame->plane[p].stride_bytes * H);
}

static void overlapping_boxes_become_one(void **state)
{
    (void)state;
    struct face_detection d[4] = {
        {.score = .5f, .box = {10, 10, 50, 50}}, {.score = .9f, .box = {12, 10, 52, 50}},
        {.score = .8f, .box = {100, 10, 140, 50}}, {.score = .6f, .box = {15, 12, 55, 52}}};
    size_t n = 4;
    face_detections_merge(d, &n);
    assert_int_equal(n, 2);
    assert_float_equal(d[0].score, .9, 1e-6);
    assert_float_equal(d[0].box.x0, (.5 * 10 + .9 * 12 + .6 * 15) / 2, 1e-4);
    assert_float_equal(d[1].box.x0, 100, 1e-4);
}

/* Every allocation of a first frame fails once: an error and no leak. */
static void memory_may_run_out(void **state)
{
    (void)state;
    int r = LIP_ERR_NOMEM;
    paint_film(0);
    for (uint64_t nth = 1; r != LIP_OK; nth++) {
        struct face_analyzer *a = new_analyzer(NULL);
        struct seen seen;
        struct lip_error err = {0};
        assert_true(nth < 200);
        base_alloc_fail_nth(nth);
        r = face_analyzer_push(a, frame, seen.faces, &seen.n, &seen.start, &err);
        base_alloc_fail_nth(0);
        assert_true(r == LIP_OK || (r == LIP_ERR_NOMEM && err.code == r));
        face_analyzer_destroy(&a);
    }
}

static void bad_params_are_refused(void **state)
{
    (void)state;
    struct face_analyzer *a = NULL;
    struct face_analyzer_params p;
    for (int k = 0; k < 4; k++) {
        struct lip_error err = {0};
        face_analyzer_params_default(&p);
        p.n_faces_max = k == 0 ? 0 : k == 1 ? 17 : 4;
        p.n_crops = k == 2 ? 2 : 1;
        p.detect_every = k == 3 ? 0 : 8;
        assert_int_equal(face_analyzer_create(models, &film, &p, &a, &err), LIP_ERR_ARG);
        assert_null(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_lie_on_the_face),
        cmocka_unit_test(follows_two_faces),
        cmocka_unit_test(gaps_are_bridged_for_a_while),
        cmocka_unit_test(a_cut_ends_tracks),
        cmocka_unit_test(the_larger_face_gets_the_place),
        cmocka_unit_test(small_faces_and_no_faces_are_left_out),
        cmocka_unit_test(overlapping_boxes_become_one),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(bad_params_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
