/* SPDX-License-Identifier: MIT
 *
 * The mouth in a few numbers: from the eight points that opening and width are measured on. */
#include <math.h>
#include <string.h>

#include "motion/internal.h"

const int motion_mouth_points[MOTION_MOUTH_POINTS] = {13, 14, 82, 87, 312, 317, 78, 308};

static void shape(const struct motion_mouth *mouth, const float coef[DATA_CURVE_DIMS],
                  float ret_points[8][3])
{
    memcpy(ret_points, mouth->rest, sizeof(mouth->rest));
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        for (int p = 0; p < 8; p++)
            for (int a = 0; a < 3; a++)
                ret_points[p][a] += coef[k] * mouth->comp[k][p][a];
}

void motion_mouth_init(struct motion_mouth *mouth, const struct data_basis *basis,
                       const struct data_person *person)
{
    static const float zero[DATA_CURVE_DIMS];

    for (int p = 0; p < 8; p++) {
        int point = motion_mouth_points[p];
        memcpy(mouth->rest[p], person->rest[point], sizeof(mouth->rest[p]));
        for (int k = 0; k < DATA_CURVE_DIMS; k++)
            memcpy(mouth->comp[k][p], basis->comp[k][point], sizeof(mouth->comp[k][p]));
    }
    mouth->gap_rest = motion_mouth_gap(mouth, zero);
    mouth->width_rest = motion_mouth_width(mouth, zero);
}

float motion_mouth_gap(const struct motion_mouth *mouth, const float coef[DATA_CURVE_DIMS])
{
    float at[8][3], sum = 0.0f;

    shape(mouth, coef, at);
    for (int pair = 0; pair < 3; pair++) {
        const float *up = at[2 * pair], *down = at[2 * pair + 1];
        float dx = down[0] - up[0], dy = down[1] - up[1], dz = down[2] - up[2];
        float length = sqrtf(dx * dx + dy * dy + dz * dz);
        sum += dy < 0.0f ? -length : length; /* y points down */
    }
    return sum / 3.0f;
}

float motion_mouth_width(const struct motion_mouth *mouth, const float coef[DATA_CURVE_DIMS])
{
    float at[8][3], dx, dy, dz;

    shape(mouth, coef, at);
    dx = at[7][0] - at[6][0];
    dy = at[7][1] - at[6][1];
    dz = at[7][2] - at[6][2];
    return sqrtf(dx * dx + dy * dy + dz * dz);
}

void motion_mouth_open(const struct motion_mouth *mouth, const float dir[DATA_CURVE_DIMS],
                       float gap, float coef[DATA_CURVE_DIMS])
{
    float now = motion_mouth_gap(mouth, coef);

    /* dir opens by about 1 per unit; the gap is nearly straight along it, so few steps suffice. */
    for (int step = 0; step < 3; step++) {
        float next[DATA_CURVE_DIMS], moved, away = gap - now;
        if (fabsf(away) < 1e-4f)
            return;
        for (int k = 0; k < DATA_CURVE_DIMS; k++)
            next[k] = coef[k] + away * dir[k];
        moved = motion_mouth_gap(mouth, next);
        if (fabsf(gap - moved) >= fabsf(away))
            return;
        memcpy(coef, next, sizeof(next));
        now = moved;
    }
}
