/* SPDX-License-Identifier: MIT
 *
 * Rigid geometry: the similarity between two point sets, and rotations. */
#include <math.h>
#include <string.h>

#include "face/parts.h"

static const struct face_pose identity = {1, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0}};

/* Cyclic Jacobi on a symmetric 4x4 matrix: the eigenvector of the largest eigenvalue. Twelve sweeps
 * are far more than its quadratic convergence needs; a fixed count keeps results the same. */
static void top_eigenvector(double a[4][4], double ret_v[4])
{
    double v[4][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    for (int sweep = 0; sweep < 12; sweep++) {
        for (int p = 0; p < 3; p++) {
            for (int q = p + 1; q < 4; q++) {
                if (a[p][q] == 0)
                    continue;
                double theta = .5 * atan2(2 * a[p][q], a[q][q] - a[p][p]);
                double c = cos(theta), s = sin(theta);
                for (int k = 0; k < 4; k++) {
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for (int k = 0; k < 4; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
                for (int k = 0; k < 4; k++) {
                    double x = v[k][p], y = v[k][q];
                    v[k][p] = c * x - s * y;
                    v[k][q] = s * x + c * y;
                }
            }
        }
    }
    int best = 0;
    for (int i = 1; i < 4; i++)
        if (a[i][i] > a[best][best])
            best = i;
    for (int k = 0; k < 4; k++)
        ret_v[k] = v[k][best];
}

/* The rotation with the largest trace(R^T s), s[i][j] = sum to_i from_j: Horn's closed form with
 * quaternions (1987), which never gives a reflection. */
static void best_rotation(const double s[3][3], double ret_rot[9])
{
    /* s here is indexed to,from; Horn's S_ab is from_a to_b */
    double xx = s[0][0], yx = s[0][1], zx = s[0][2];
    double xy = s[1][0], yy = s[1][1], zy = s[1][2];
    double xz = s[2][0], yz = s[2][1], zz = s[2][2];
    double n[4][4] = {{xx + yy + zz, yz - zy, zx - xz, xy - yx},
                      {yz - zy, xx - yy - zz, xy + yx, zx + xz},
                      {zx - xz, xy + yx, yy - xx - zz, yz + zy},
                      {xy - yx, zx + xz, yz + zy, zz - xx - yy}};
    double q[4];
    top_eigenvector(n, q);
    double w = q[0], x = q[1], y = q[2], z = q[3];
    double r[9] = {w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y),
                   2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x),
                   2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z};
    memcpy(ret_rot, r, sizeof r);
}

static void centre_of(const float (*p)[3], const uint16_t *points, size_t n, double ret_c[3])
{
    double c[3] = {0, 0, 0};
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            c[k] += p[points[i]][k];
    for (int k = 0; k < 3; k++)
        ret_c[k] = c[k] / (double)n;
}

static double residual(const struct face_pose *pose, const float (*from)[3], const float (*to)[3],
                       const uint16_t *points, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float *a = from[points[i]], *b = to[points[i]];
        for (int k = 0; k < 3; k++) {
            const double *r = &pose->rot[3 * k];
            double d = pose->scale * (r[0] * a[0] + r[1] * a[1] + r[2] * a[2]) + pose->trans[k] -
                       b[k];
            sum += d * d;
        }
    }
    return sqrt(sum / (double)n);
}

bool face_pose_fit(const float (*from)[3], const float (*to)[3], const uint16_t *points, size_t n,
                   struct face_pose *ret_pose, double *ret_rms)
{
    double a[3], b[3], s[3][3] = {{0}}, size_from = 0, size_to = 0;
    *ret_pose = identity;
    if (n < 3)
        return false;
    centre_of(from, points, n, a);
    centre_of(to, points, n, b);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            double t = to[points[i]][k] - b[k], f = from[points[i]][k] - a[k];
            for (int j = 0; j < 3; j++)
                s[k][j] += t * (from[points[i]][j] - a[j]);
            size_from += f * f;
            size_to += t * t;
        }
    }
    if (!(size_from > 0) || !(size_to > 0) || !isfinite(size_from) || !isfinite(size_to))
        return false;
    best_rotation(s, ret_pose->rot);
    /* least-squares scale (Umeyama 1991): trace(R^T S) over the variance of `from` */
    double trace = 0;
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 3; j++)
            trace += ret_pose->rot[3 * k + j] * s[k][j];
    ret_pose->scale = trace / size_from;
    for (int k = 0; k < 3; k++) {
        const double *r = &ret_pose->rot[3 * k];
        ret_pose->trans[k] = b[k] - ret_pose->scale * (r[0] * a[0] + r[1] * a[1] + r[2] * a[2]);
    }
    if (ret_rms)
        *ret_rms = residual(ret_pose, from, to, points, n);
    return ret_pose->scale > 0;
}

void face_pose_invert(const struct face_pose *pose, struct face_pose *ret_inverse)
{
    struct face_pose inv;
    inv.scale = 1 / pose->scale;
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 3; j++)
            inv.rot[3 * k + j] = pose->rot[3 * j + k];
    for (int k = 0; k < 3; k++) {
        const double *r = &inv.rot[3 * k];
        inv.trans[k] = -inv.scale * (r[0] * pose->trans[0] + r[1] * pose->trans[1] +
                                     r[2] * pose->trans[2]);
    }
    *ret_inverse = inv;
}

void face_pose_apply(const struct face_pose *pose, const float (*in)[3], size_t n,
                     float (*ret_out)[3])
{
    double m[9];
    for (int k = 0; k < 9; k++)
        m[k] = pose->scale * pose->rot[k];
    for (size_t i = 0; i < n; i++) {
        double x = in[i][0], y = in[i][1], z = in[i][2];
        for (int k = 0; k < 3; k++)
            ret_out[i][k] =
                (float)(m[3 * k] * x + m[3 * k + 1] * y + m[3 * k + 2] * z + pose->trans[k]);
    }
}

void face_rotation_from_vector(const double v[3], double ret_rot[9])
{
    double angle = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    double x = v[0], y = v[1], z = v[2];
    /* sin(a)/a and (1-cos(a))/a^2 by their series near 0 */
    double s = angle > 1e-6 ? sin(angle) / angle : 1 - angle * angle / 6;
    double c = angle > 1e-4 ? (1 - cos(angle)) / (angle * angle) : .5 - angle * angle / 24;
    double r[9] = {1 - c * (y * y + z * z), c * x * y - s * z, c * x * z + s * y,
                   c * x * y + s * z, 1 - c * (x * x + z * z), c * y * z - s * x,
                   c * x * z - s * y, c * y * z + s * x, 1 - c * (x * x + y * y)};
    memcpy(ret_rot, r, sizeof r);
}

/* For angles below half a turn, which is all that neighbouring frames can differ by. */
void face_rotation_to_vector(const double r[9], double ret_vector[3])
{
    double v[3] = {.5 * (r[7] - r[5]), .5 * (r[2] - r[6]), .5 * (r[3] - r[1])};
    double sine = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    double cosine = .5 * (r[0] + r[4] + r[8] - 1);
    double f = sine > 1e-9 ? atan2(sine, cosine) / sine : 1;
    for (int k = 0; k < 3; k++)
        ret_vector[k] = f * v[k];
}

/* rot = Rz(roll) Ry(-yaw) Rx(pitch): the head first nods, then turns, then tilts. */
void face_rotation_angles(const double rot[9], float *ret_yaw, float *ret_pitch, float *ret_roll)
{
    double s = rot[6] < -1 ? -1 : rot[6] > 1 ? 1 : rot[6];
    *ret_yaw = (float)asin(s);
    *ret_pitch = (float)atan2(rot[7], rot[8]);
    *ret_roll = (float)atan2(rot[3], rot[0]);
}
