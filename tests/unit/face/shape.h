/* SPDX-License-Identifier: MIT
 * A made-up head for the tests: points on an ellipsoid, mouth and eyes where they belong, in a
 * space like CANON (x right, y down, z away). Header only, for the test programs of this folder. */
#ifndef TESTS_FACE_SHAPE_H
#define TESTS_FACE_SHAPE_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/curve.h"
#include "face/parts.h"

static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* -1..1 */
static inline double noise(uint32_t *seed)
{
    return (double)next_random(seed) / (1 << 23) - 1;
}

static inline void put(float p[3], double x, double y)
{
    p[0] = (float)x;
    p[1] = (float)y;
    p[2] = (float)(-.6 * sqrt(fmax(0, 1 - .8 * x * x - .5 * y * y)));
}

/* opening and width of the inner lips; every other point stays. IOD 1, eye line level. */
static inline void make_head(double opening, double width, float ret_p[DATA_FACE_POINTS][3])
{
    static const int upper[3] = {13, 82, 312}, lower[3] = {14, 87, 317};
    uint32_t seed = 7;
    for (int i = 0; i < DATA_FACE_POINTS; i++)
        put(ret_p[i], .75 * noise(&seed), .9 * noise(&seed));
    put(ret_p[33], -.5, -.1);
    put(ret_p[263], .5, -.1);
    put(ret_p[133], -.2, -.1);
    put(ret_p[362], .2, -.1);
    put(ret_p[10], 0, -.9);
    put(ret_p[152], 0, .95);
    ret_p[10][2] = ret_p[152][2]; /* the head stands upright */
    for (int k = 0; k < 3; k++) {
        put(ret_p[upper[k]], .1 * (k - 1), .5 - opening / 2);
        put(ret_p[lower[k]], .1 * (k - 1), .5 + opening / 2);
        ret_p[lower[k]][2] = ret_p[upper[k]][2];
    }
    put(ret_p[78], -width / 2, .5);
    put(ret_p[308], width / 2, .5);
}

static inline struct face_pose make_pose(double scale, double x, double y, double turn_x,
                                         double turn_y, double turn_z)
{
    struct face_pose pose = {.scale = scale, .trans = {x, y, 0}};
    double v[3] = {turn_x, turn_y, turn_z};
    face_rotation_from_vector(v, pose.rot);
    return pose;
}

static inline void make_obs(double opening, const struct face_pose *pose, int64_t frame,
                            struct data_face_obs *ret_obs)
{
    float head[DATA_FACE_POINTS][3];
    make_head(opening, .5, head);
    memset(ret_obs, 0, sizeof *ret_obs);
    ret_obs->frame = frame;
    ret_obs->confidence = 1;
    face_pose_apply(pose, (const float(*)[3])head, DATA_FACE_POINTS, ret_obs->points);
}

static inline double largest_difference(const float (*a)[3], const float (*b)[3])
{
    double most = 0;
    for (int i = 0; i < DATA_FACE_POINTS; i++)
        for (int k = 0; k < 3; k++)
            most = fmax(most, fabs((double)a[i][k] - b[i][k]));
    return most;
}

#endif
