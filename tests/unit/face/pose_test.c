/* SPDX-License-Identifier: MIT */
#include "shape.h"

static void fit_recovers_a_known_pose(void **state)
{
    (void)state;
    uint32_t seed = 3;
    float head[DATA_FACE_POINTS][3], moved[DATA_FACE_POINTS][3];
    make_head(.1, .5, head);
    for (int round = 0; round < 50; round++) {
        struct face_pose pose = make_pose(50 + 200 * fabs(noise(&seed)), 900 * noise(&seed),
                                          500 * noise(&seed), 2 * noise(&seed), 2 * noise(&seed),
                                          2 * noise(&seed)), got;
        double rms = 1;
        face_pose_apply(&pose, (const float(*)[3])head, DATA_FACE_POINTS, moved);
        assert_true(face_pose_fit((const float(*)[3])head, (const float(*)[3])moved,
                                  face_stable_points, FACE_N_STABLE, &got, &rms));
        assert_float_equal(got.scale, pose.scale, 1e-4 * pose.scale);
        for (int k = 0; k < 9; k++)
            assert_float_equal(got.rot[k], pose.rot[k], 1e-5);
        for (int k = 0; k < 3; k++)
            assert_float_equal(got.trans[k], pose.trans[k], 1e-2);
        assert_true(rms < 1e-3);
    }
}

/* A mirrored face has no pose that fits: the answer is a rotation all the same. */
static void never_a_reflection(void **state)
{
    (void)state;
    float head[DATA_FACE_POINTS][3], mirror[DATA_FACE_POINTS][3];
    struct face_pose pose;
    double rms = 0;
    make_head(.1, .5, head);
    for (int i = 0; i < DATA_FACE_POINTS; i++) {
        mirror[i][0] = head[i][0];
        mirror[i][1] = head[i][1];
        mirror[i][2] = -head[i][2];
    }
    assert_true(face_pose_fit((const float(*)[3])head, (const float(*)[3])mirror,
                              face_stable_points, FACE_N_STABLE, &pose, &rms));
    const double *r = pose.rot;
    double det = r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) +
                 r[2] * (r[3] * r[7] - r[4] * r[6]);
    assert_float_equal(det, 1, 1e-9);
    assert_true(rms > .01);
}

static void refuses_points_without_extent(void **state)
{
    (void)state;
    float head[DATA_FACE_POINTS][3], same[DATA_FACE_POINTS][3] = {{0}};
    struct face_pose pose;
    make_head(.1, .5, head);
    assert_false(face_pose_fit((const float(*)[3])same, (const float(*)[3])head,
                               face_stable_points, FACE_N_STABLE, &pose, NULL));
    assert_false(face_pose_fit((const float(*)[3])head, (const float(*)[3])same,
                               face_stable_points, FACE_N_STABLE, &pose, NULL));
    head[1][0] = NAN;
    assert_false(face_pose_fit((const float(*)[3])head, (const float(*)[3])head,
                               face_stable_points, FACE_N_STABLE, &pose, NULL));
}

static void inverse_undoes(void **state)
{
    (void)state;
    float head[DATA_FACE_POINTS][3], there[DATA_FACE_POINTS][3], back[DATA_FACE_POINTS][3];
    struct face_pose pose = make_pose(120, 300, 200, .2, -.3, .1), inverse;
    make_head(.1, .5, head);
    face_pose_apply(&pose, (const float(*)[3])head, DATA_FACE_POINTS, there);
    face_pose_invert(&pose, &inverse);
    face_pose_apply(&inverse, (const float(*)[3])there, DATA_FACE_POINTS, back);
    assert_true(largest_difference((const float(*)[3])head, (const float(*)[3])back) < 1e-5);
}

static void rotation_vectors_round_trip(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 100; round++) {
        double size = round < 20 ? 1e-7 : 1.5;
        double v[3] = {size * noise(&seed), size * noise(&seed), size * noise(&seed)}, w[3], r[9];
        face_rotation_from_vector(v, r);
        face_rotation_to_vector(r, w);
        for (int k = 0; k < 3; k++)
            assert_float_equal(v[k], w[k], 1e-9 + 1e-7 * size);
    }
}

/* The nose points to -z; where it goes in the picture gives the signs. */
static void angles_have_the_promised_signs(void **state)
{
    (void)state;
    float yaw, pitch, roll;
    struct face_pose p = make_pose(1, 0, 0, 0, -.3, 0);
    assert_true(-p.rot[2] > .1); /* nose to the right of the picture */
    face_rotation_angles(p.rot, &yaw, &pitch, &roll);
    assert_float_equal(yaw, .3, 1e-6);
    assert_float_equal(pitch, 0, 1e-6);
    assert_float_equal(roll, 0, 1e-6);
    p = make_pose(1, 0, 0, .2, 0, 0);
    assert_true(-p.rot[5] > .1); /* nose down */
    face_rotation_angles(p.rot, &yaw, &pitch, &roll);
    assert_float_equal(pitch, .2, 1e-6);
    p = make_pose(1, 0, 0, 0, 0, .25);
    assert_true(p.rot[3] > .1); /* the right eye of the picture sinks: clockwise */
    face_rotation_angles(p.rot, &yaw, &pitch, &roll);
    assert_float_equal(roll, .25, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_recovers_a_known_pose),
        cmocka_unit_test(never_a_reflection),
        cmocka_unit_test(refuses_points_without_extent),
        cmocka_unit_test(inverse_undoes),
        cmocka_unit_test(rotation_vectors_round_trip),
        cmocka_unit_test(angles_have_the_promised_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
