/* SPDX-License-Identifier: MIT
 *
 * Affine maps of the plane, as data/film.h defines them. */
#include "image/image.h"

#include <math.h>

struct data_affine image_affine_identity(void)
{
    return (struct data_affine){{1, 0, 0, 0, 1, 0}};
}

struct data_affine image_affine_multiply(struct data_affine a, struct data_affine b)
{
    const double *p = a.m, *q = b.m;
    return (struct data_affine){{
        p[0] * q[0] + p[1] * q[3],
        p[0] * q[1] + p[1] * q[4],
        p[0] * q[2] + p[1] * q[5] + p[2],
        p[3] * q[0] + p[4] * q[3],
        p[3] * q[1] + p[4] * q[4],
        p[3] * q[2] + p[4] * q[5] + p[5],
    }};
}

struct data_affine image_affine_invert(struct data_affine a)
{
    const double *p = a.m;
    double det = p[0] * p[4] - p[1] * p[3];
    if (!(fabs(det) > 1e-30) || !isfinite(det))
        return image_affine_identity();
    double i0 = p[4] / det, i1 = -p[1] / det, i3 = -p[3] / det, i4 = p[0] / det;
    return (struct data_affine){{
        i0,
        i1,
        -(i0 * p[2] + i1 * p[5]),
        i3,
        i4,
        -(i3 * p[2] + i4 * p[5]),
    }};
}

void image_affine_apply(const struct data_affine *a, double x, double y, double *ret_x,
                        double *ret_y)
{
    double rx = a->m[0] * x + a->m[1] * y + a->m[2];
    double ry = a->m[3] * x + a->m[4] * y + a->m[5];
    *ret_x = rx;
    *ret_y = ry;
}
