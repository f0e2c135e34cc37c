/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/alloc.h"
#include "shape.h"

#define N 200

static struct data_face_obs obs[N];
static struct data_person person;

/* Canonical shape of the made-up head: it is upright with IOD 1; only its origin is to be set. */
static void expected(double opening, float ret_p[DATA_FACE_POINTS][3])
{
    make_head(opening, .5, ret_p);
    for (int k = 0; k < 3; k++) {
        double c = 0;
        for (size_t i = 0; i < FACE_N_STABLE; i++)
            c += ret_p[face_stable_points[i]][k];
        for (int i = 0; i < DATA_FACE_POINTS; i++)
            ret_p[i][k] -= (float)(c / FACE_N_STABLE);
    }
}

static struct face_pose random_pose(uint32_t *seed)
{
    return make_pose(80 + 100 * fabs(noise(seed)), 300 * noise(seed), 200 * noise(seed),
                     .2 * noise(seed), .3 * noise(seed), .2 * noise(seed));
}

/* The mouth goes from shut (a fifth of the time) to 0.2. */
static double opening_of(int i)
{
    return .25 * fmax(0, (i * 37 % N) / (double)(N - 1) - .2);
}

static void fill(void)
{
    uint32_t seed = 5;
    for (int i = 0; i < N; i++) {
        struct face_pose pose = random_pose(&seed);
        make_obs(opening_of(i), &pose, i, &obs[i]);
    }
}

static void check_shape(double tolerance)
{
    float want[DATA_FACE_POINTS][3];
    expected(0, want);
    assert_true(largest_difference((const float(*)[3])person.rest, (const float(*)[3])want) <
                tolerance);
    for (int k = 0; k < 3; k++) { /* the mouth on average: between shut and wide open */
        assert_float_equal(person.canon[33][k], want[33][k], tolerance);
        assert_float_equal(person.canon[168][k], want[168][k], tolerance);
    }
    assert_true(data_mouth_opening((const float(*)[3])person.canon) > .04);
}

static void learns_shape_and_rest(void **state)
{
    (void)state;
    struct lip_error err = {0};
    fill();
    assert_int_equal(face_person_learn(obs, N, &person, &err), LIP_OK);
    check_shape(1e-4);
    double dx = (double)person.canon[263][0] - person.canon[33][0];
    assert_float_equal(dx, 1, 1e-5);
    assert_float_equal(person.canon[263][1], person.canon[33][1], 1e-5);
    assert_float_equal(person.canon[10][2], person.canon[152][2], 1e-5);
    assert_float_equal(person.opening_rest, 0, 1e-4);
    assert_float_equal(person.opening_pct[0], 0, 1e-4);
    assert_float_equal(person.opening_pct[2], .25 * .3, .005);
    assert_float_equal(person.opening_pct[4], .25 * .78, .005);
    assert_float_equal(person.width_pct[2], .5, 1e-4);
    assert_int_equal(person.n_frames, N);
}

/* A tenth of the observations is rubbish. */
static void survives_outliers(void **state)
{
    (void)state;
    struct lip_error err = {0};
    uint32_t seed = 9;
    fill();
    for (int i = 0; i < N; i += 10)
        for (int p = 0; p < DATA_FACE_POINTS; p++)
            for (int k = 0; k < 3; k++)
                obs[i].points[p][k] += (float)(40 * noise(&seed));
    assert_int_equal(face_person_learn(obs, N, &person, &err), LIP_OK);
    check_shape(1e-3);
    assert_int_equal(person.n_frames, N - N / 10);
}

static void one_picture_is_enough(void **state)
{
    (void)state;
    struct lip_error err = {0};
    uint32_t seed = 2;
    struct face_pose pose = random_pose(&seed);
    make_obs(.1, &pose, 0, &obs[0]);
    assert_int_equal(face_person_learn(obs, 1, &person, &err), LIP_OK);
    assert_float_equal(person.opening_rest, .1, 1e-4);
    assert_float_equal(person.opening_pct[0], .1, 1e-4);
    assert_float_equal(person.opening_pct[4], .1, 1e-4);
    assert_int_equal(person.n_frames, 1);
}

static void nothing_to_learn_from(void **state)
{
    (void)state;
    struct lip_error err = {0};
    assert_int_equal(face_person_learn(NULL, 0, &person, &err), LIP_ERR_NO_FACE);
    memset(obs, 0, 3 * sizeof obs[0]);
    memset(&err, 0, sizeof err);
    assert_int_equal(face_person_learn(obs, 3, &person, &err), LIP_ERR_NO_FACE);
    assert_true(err.text[0] != 0);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    int r = LIP_ERR_NOMEM;
    fill();
    for (uint64_t nth = 1; r != LIP_OK; nth++) {
        struct lip_error err = {0};
        assert_true(nth < 20);
        base_alloc_fail_nth(nth);
        r = face_person_learn(obs, N, &person, &err);
        base_alloc_fail_nth(0);
        assert_true(r == LIP_OK || (r == LIP_ERR_NOMEM && err.code == r));
    }
}

/* Geometry of one observation gives back the pose and the shape it was made of. */
static void geometry_of_one_observation(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct data_face_geom g;
    struct data_face_obs one;
    float want[DATA_FACE_POINTS][3];
    fill();
    assert_int_equal(face_person_learn(obs, N, &person, &err), LIP_OK);
    struct face_pose pose = make_pose(150, 400, 300, .1, -.2, .05);
    make_obs(.12, &pose, 77, &one);
    one.confidence = .8f;
    face_geom_from_obs(&person, &one, &g);
    expected(.12, want);
    assert_true(g.valid);
    assert_int_equal(g.frame, 77);
    assert_float_equal(g.scale, 150, .02);
    assert_float_equal(g.opening, .12, 1e-4);
    assert_float_equal(g.width, .5, 1e-4);
    assert_float_equal(g.confidence, .8, 1e-6);
    assert_true(g.yaw_rad > .15 && g.pitch_rad > .05 && g.roll_rad > 0);
    assert_true(largest_difference((const float(*)[3])g.canon, (const float(*)[3])want) < 1e-4);
    assert_true(largest_difference((const float(*)[3])g.disp, (const float(*)[3])one.points) == 0);
    for (int k = 0; k < 3; k++) { /* DISP = scale rot CANON + trans */
        double q = g.trans[k];
        for (int j = 0; j < 3; j++)
            q += (double)g.scale * g.rot[3 * k + j] * g.canon[152][j];
        assert_float_equal(q, one.points[152][k], .02);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_shape_and_rest),
        cmocka_unit_test(survives_outliers),
        cmocka_unit_test(one_picture_is_enough),
        cmocka_unit_test(nothing_to_learn_from),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(geometry_of_one_observation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
