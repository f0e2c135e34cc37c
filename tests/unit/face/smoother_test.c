/* SPDX-License-Identifier: MIT */
#include "shape.h"

#define N 40

static struct data_person person;
static struct data_face_geom out[N];

struct step {
    double opening, x, turn;
    bool missing, restart;
    int64_t frame;
};

static int learn(void **state)
{
    static struct data_face_obs obs[4];
    struct lip_error err = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct face_pose pose = make_pose(100, 10 * i, 5 * i, 0, .05 * (i - 1.5), 0);
        make_obs(.05, &pose, i, &obs[i]);
    }
    return face_person_learn(obs, 4, &person, &err);
}

/* Runs the steps through a smoother; every frame must come back, in order. */
static void smooth(const struct step *steps, int n)
{
    struct face_smoother *s = NULL;
    int got = 0;
    assert_int_equal(face_smoother_create(&person, &s), LIP_OK);
    for (int i = 0; i < n; i++) {
        struct data_face_obs obs;
        struct face_pose pose = make_pose(100, 300 + steps[i].x, 200, 0, steps[i].turn, 0);
        make_obs(steps[i].opening, &pose, steps[i].frame, &obs);
        assert_int_equal(face_smoother_push(s, steps[i].frame, steps[i].missing ? NULL : &obs,
                                            steps[i].restart), LIP_OK);
        while (face_smoother_pull(s, &out[got]))
            got++;
        assert_true(got <= i + 1);
    }
    face_smoother_flush(s);
    while (face_smoother_pull(s, &out[got]))
        got++;
    assert_int_equal(got, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(out[i].frame, steps[i].frame);
        assert_int_equal(out[i].valid, !steps[i].missing);
    }
    face_smoother_destroy(&s);
    assert_null(s);
}

static void still(struct step *steps)
{
    for (int i = 0; i < N; i++)
        steps[i] = (struct step){.opening = .1, .frame = i};
}

/* Steady motion comes out as it went in, at the ends as well: no lag. */
static void steady_motion_is_not_delayed(void **state)
{
    (void)state;
    struct step steps[N];
    still(steps);
    for (int i = 0; i < N; i++) {
        steps[i].x = 3 * i;
        steps[i].turn = .01 * (i - N / 2);
        steps[i].opening = .02 + .004 * i;
    }
    smooth(steps, N);
    for (int i = 0; i < N; i++) {
        struct data_face_obs obs;
        struct data_face_geom raw;
        struct face_pose pose = make_pose(100, 300 + steps[i].x, 200, 0, steps[i].turn, 0);
        make_obs(steps[i].opening, &pose, i, &obs);
        face_geom_from_obs(&person, &obs, &raw);
        assert_float_equal(out[i].trans[0], raw.trans[0], .02);
        assert_float_equal(out[i].opening, steps[i].opening, 5e-4);
        assert_float_equal(out[i].yaw_rad, raw.yaw_rad, 1e-3);
    }
}

/* One frame off its place: spread evenly to both sides, with the sum kept. */
static void an_impulse_spreads_evenly(void **state)
{
    (void)state;
    struct step steps[N];
    still(steps);
    steps[20].x = 8;
    smooth(steps, N);
    double base = out[0].trans[0], sum = 0;
    for (int i = 0; i < N; i++)
        sum += out[i].trans[0] - base;
    for (int d = 1; d <= 4; d++)
        assert_float_equal(out[20 - d].trans[0], out[20 + d].trans[0], 1e-3);
    assert_float_equal(sum, 8, 1e-2);
    /* sigma 0.35: 1 / (1 + 2 exp(-.5/.35^2)) of the peak stays */
    assert_float_equal(out[20].trans[0] - base, 8 / (1 + 2 * exp(-.5 / (.35 * .35))), .02);
    assert_true(out[21].trans[0] - base > .1);
}

/* Lips that touch for one frame still touch; one open frame among closed ones is smoothed. */
static void a_short_closure_survives(void **state)
{
    (void)state;
    struct step steps[N];
    still(steps);
    steps[20].opening = 0;
    smooth(steps, N);
    assert_float_equal(out[20].opening, 0, 1e-4);
    assert_true(out[19].opening < .0999 && out[19].opening > .07);
    still(steps);
    for (int i = 0; i < N; i++)
        steps[i].opening = i == 20 ? .1 : 0;
    smooth(steps, N);
    assert_true(out[20].opening < .08 && out[20].opening > .05);
}

/* A jump at a cut, at a gap and at a jump of the frame number stays a jump. */
static void windows_end_at_breaks(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct step steps[N];
        still(steps);
        for (int i = 20; i < N; i++) {
            steps[i].x = 100;
            steps[i].opening = .2;
            steps[i].frame = i + (kind == 2 ? 5 : 0);
        }
        steps[20].restart = kind == 0;
        steps[20].missing = kind == 1;
        smooth(steps, N);
        for (int i = 0; i < N; i++) {
            if (steps[i].missing)
                continue;
            assert_float_equal(out[i].opening, steps[i].opening, 1e-4);
            assert_float_equal(out[i].trans[0] - out[0].trans[0], i < 20 ? 0 : 100, 1e-2);
        }
    }
}

static void raw_points_stay_raw(void **state)
{
    (void)state;
    struct step steps[N];
    struct data_face_obs obs;
    still(steps);
    steps[7].x = 5;
    smooth(steps, N);
    struct face_pose pose = make_pose(100, 305, 200, 0, 0, 0);
    make_obs(.1, &pose, 7, &obs);
    assert_memory_equal(out[7].disp, obs.points, sizeof obs.points);
}

static void tells_when_nobody_pulls(void **state)
{
    (void)state;
    struct face_smoother *s = NULL;
    int r = LIP_OK, n = 0;
    assert_int_equal(face_smoother_create(&person, &s), LIP_OK);
    for (; r == LIP_OK && n < 100; n++)
        r = face_smoother_push(s, n, NULL, false);
    assert_int_equal(r, LIP_ERR_STATE);
    assert_true(n > 4);
    face_smoother_flush(s);
    assert_int_equal(face_smoother_push(s, n, NULL, false), LIP_ERR_STATE);
    face_smoother_destroy(&s);
    face_smoother_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_motion_is_not_delayed),
        cmocka_unit_test(an_impulse_spreads_evenly),
        cmocka_unit_test(a_short_closure_survives),
        cmocka_unit_test(windows_end_at_breaks),
        cmocka_unit_test(raw_points_stay_raw),
        cmocka_unit_test(tells_when_nobody_pulls),
    };
    return cmocka_run_group_tests(tests, learn, NULL);
}
