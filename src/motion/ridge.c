/* SPDX-License-Identifier: MIT
 *
 * Least squares in double. Sums run in a fixed order: the answer depends on nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "motion/internal.h"

/* Four sums side by side: one would wait for itself. */
static double dot(const double *a, const double *b, size_t n)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Cholesky: lower triangle l of a + diag, l lᵀ = a + diag. */
static bool factorise(const double *a, const double *diag, size_t n, double *l)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j] + (i == j ? diag[i] : 0.0) - dot(l + i * n, l + j * n, j);
            if (i != j) {
                l[i * n + j] = sum / l[j * n + j];
            } else if (sum > 1e-12) {
                l[i * n + i] = sqrt(sum);
            } else {
                return false;
            }
        }
    }
    return true;
}

bool motion_ridge_solve(const double *a, const double *diag, const double *b, size_t n,
                        size_t n_rhs, double *work, double *ret_x)
{
    if (!factorise(a, diag, n, work))
        return false;
    for (size_t r = 0; r < n_rhs; r++) {
        double *x = ret_x + r * n;
        for (size_t i = 0; i < n; i++) {
            x[i] = (b[r * n + i] - dot(work + i * n, x, i)) / work[i * n + i];
        }
        for (size_t i = n; i-- > 0;) {
            double sum = x[i];
            for (size_t k = i + 1; k < n; k++)
                sum -= work[k * n + i] * x[k];
            x[i] = sum / work[i * n + i];
        }
    }
    return true;
}

double motion_correlation(const float *a, const float *b, size_t n)
{
    double sa = 0.0, sb = 0.0, saa = 0.0, sbb = 0.0, sab = 0.0, va, vb;

    for (size_t i = 0; i < n; i++) {
        sa += a[i];
        sb += b[i];
    }
    for (size_t i = 0; i < n; i++) {
        double da = a[i] - sa / (double)n, db = b[i] - sb / (double)n;
        saa += da * da;
        sbb += db * db;
        sab += da * db;
    }
    va = saa / ((double)n + 1e-9);
    vb = sbb / ((double)n + 1e-9);
    return va > 1e-14 && vb > 1e-14 ? sab / sqrt(saa * sbb) : 0.0;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void motion_quantiles(float *values, size_t n, const float *shares, size_t n_shares,
                      float *ret_values)
{
    qsort(values, n, sizeof(*values), compare);
    for (size_t i = 0; i < n_shares; i++) {
        float at = shares[i] * (float)(n - 1);
        size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
        ret_values[i] = values[below] + (at - (float)below) * (values[above] - values[below]);
    }
}
