/* SPDX-License-Identifier: MIT
 *
 * Where the skull is in a picture: what does not move with speech (upper teeth) is sought through
 * it, not through the lips. */
#include "render/parts.h"

/* Eye rims, nose bridge and forehead: face/ fits its pose on the same points. */
static const uint16_t stable[] = {
    1,   2,   4,   5,   6,   7,   8,   9,   10,  21,  33,  48,  49,  54,  64,  67,  69,  98,
    104, 108, 109, 115, 122, 127, 131, 133, 144, 145, 151, 153, 154, 155, 157, 162, 163, 168,
    173, 193, 195, 197, 246, 249, 251, 263, 278, 279, 284, 294, 297, 299, 327, 333, 337, 338,
    344, 351, 356, 360, 362, 373, 374, 380, 381, 382, 384, 389, 390, 398, 417, 466};

/* Solves a * x = b in place for symmetric positive a (Gauss-Jordan with the diagonal as pivots). */
static bool solve(double a[4][4], double b[4][2])
{
    for (int k = 0; k < 4; k++) {
        if (!(fabs(a[k][k]) > 1e-9))
            return false;
        double inv = 1 / a[k][k];
        for (int j = 0; j < 4; j++)
            a[k][j] *= inv;
        for (int j = 0; j < 2; j++)
            b[k][j] *= inv;
        for (int i = 0; i < 4; i++) {
            double f = a[i][k];
            if (i == k)
                continue;
            for (int j = 0; j < 4; j++)
                a[i][j] -= f * a[k][j];
            for (int j = 0; j < 2; j++)
                b[i][j] -= f * b[k][j];
        }
    }
    return true;
}

bool render_skull_fit(const float canon[DATA_FACE_POINTS][3], const float points[][2],
                      struct render_skull *ret)
{
    double a[4][4] = {{0}}, b[4][2] = {{0}};
    for (size_t i = 0; i < sizeof stable / sizeof *stable; i++) {
        const float *p = canon[stable[i]], *q = points[stable[i]];
        double row[4] = {(double)p[0], (double)p[1], (double)p[2], 1};
        for (int r = 0; r < 4; r++) {
            for (int c = 0; c < 4; c++)
                a[r][c] += row[r] * row[c];
            for (int c = 0; c < 2; c++)
                b[r][c] += row[r] * (double)q[c];
        }
    }
    if (!solve(a, b))
        return false;
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 2; c++)
            ret->m[c][r] = (float)b[r][c];
    return true;
}

void render_skull_plane(const struct render_skull *s, float depth, struct render_plane *ret)
{
    for (int c = 0; c < 2; c++) {
        ret->m[c][0] = s->m[c][0];
        ret->m[c][1] = s->m[c][1];
        ret->m[c][2] = s->m[c][2] * depth + s->m[c][3];
    }
}

/* From the plane in one picture to the same plane in another. */
bool render_plane_between(const struct render_plane *from, const struct render_plane *to,
                          struct render_plane *ret)
{
    const float(*a)[3] = from->m, (*b)[3] = to->m;
    float det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    if (!(fabsf(det) > 1e-3f))
        return false;
    float i[2][2] = {{a[1][1] / det, -a[0][1] / det}, {-a[1][0] / det, a[0][0] / det}};
    for (int c = 0; c < 2; c++) {
        ret->m[c][0] = b[c][0] * i[0][0] + b[c][1] * i[1][0];
        ret->m[c][1] = b[c][0] * i[0][1] + b[c][1] * i[1][1];
        ret->m[c][2] = b[c][2] - ret->m[c][0] * a[0][2] - ret->m[c][1] * a[1][2];
    }
    return true;
}
