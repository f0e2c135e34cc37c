/* SPDX-License-Identifier: MIT
 * One head in two films: a shape of the one laid over the other. */
#include "shape.h"

static struct data_person a, b;
static struct face_match match;

/* b is a, turned, larger, moved, and with a mouth that rests a little lower. */
static struct face_pose make_two(void)
{
    make_head(.1, .5, a.canon);
    make_head(0, .5, a.rest);
    struct face_pose pose = {1.05, {0}, {.1, -.05, .02}};
    const double turn[3] = {.04, -.03, .02};
    face_rotation_from_vector(turn, pose.rot);
    face_pose_apply(&pose, (const float(*)[3])a.canon, DATA_FACE_POINTS, b.canon);
    face_pose_apply(&pose, (const float(*)[3])a.rest, DATA_FACE_POINTS, b.rest);
    b.rest[14][1] += .01f;
    b.rest[13][1] += .01f;
    return pose;
}

static void brings_shapes_over(void **state)
{
    (void)state;
    struct face_pose pose = make_two();
    float shape[DATA_FACE_POINTS][3], want[DATA_FACE_POINTS][3];
    assert_true(face_person_match(&a, &b, &match));
    assert_true(match.distance < 1e-5f && fabsf(match.scale - 1.05f) < 1e-4f);
    memcpy(shape, a.rest, sizeof shape);
    face_match_shape(&match, shape);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int k = 0; k < 3; k++)
            assert_true(fabsf(shape[p][k] - b.rest[p][k]) < 1e-4f);
    make_head(.2, .4, shape);
    face_pose_apply(&pose, (const float(*)[3])shape, DATA_FACE_POINTS, want);
    face_match_shape(&match, shape);
    assert_true(fabsf(shape[14][1] - want[14][1] - .01f) < 1e-4f);
    assert_true(fabsf(shape[78][0] - want[78][0]) < 1e-4f);
}

/* What the head of a looks like to a camera, said in b's space: the sum of the angles. */
static void adds_angles(void **state)
{
    (void)state;
    struct face_pose pose = make_two();
    assert_true(face_person_match(&a, &b, &match));
    double back[9];
    float yaw, pitch, roll;
    for (int k = 0; k < 9; k++)
        back[k] = pose.rot[k % 3 * 3 + k / 3];
    face_rotation_angles(back, &yaw, &pitch, &roll);
    assert_true(fabsf(match.yaw_rad - yaw) < 1e-4f && fabsf(match.pitch_rad - pitch) < 1e-4f &&
                fabsf(match.roll_rad - roll) < 1e-4f);
    assert_true(fabsf(yaw) + fabsf(pitch) + fabsf(roll) > .05f);
}

static void tells_heads_apart(void **state)
{
    (void)state;
    make_two();
    for (size_t i = 0; i < FACE_N_STABLE; i += 2)
        b.canon[face_stable_points[i]][0] *= 1.3f;
    assert_true(face_person_match(&a, &b, &match) && match.distance > .03f);
    memset(&b, 0, sizeof b);
    assert_false(face_person_match(&b, &a, &match)); /* no extent */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_shapes_over),
        cmocka_unit_test(adds_angles),
        cmocka_unit_test(tells_heads_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
