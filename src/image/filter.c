/* SPDX-License-Identifier: MIT
 *
 * Small filters of float pictures: blur, distance, polygons, sharpness. */
#include "image/image.h"

#include <math.h>
#include <string.h>

#define RADIUS_MAX 240 /* larger blurs belong on a smaller picture */

static int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* kernel[0..radius], one side; sums to 1 over both. */
static int gaussian(float sigma, float kernel[RADIUS_MAX + 1])
{
    int radius = (int)ceilf(fminf(3 * sigma, RADIUS_MAX));
    double sum = 0;
    for (int i = 0; i <= radius; i++) {
        double v = exp(-.5 * i * i / ((double)sigma * sigma));
        kernel[i] = (float)v;
        sum += i ? 2 * v : v;
    }
    for (int i = 0; i <= radius; i++)
        kernel[i] = (float)(kernel[i] / sum);
    return radius;
}

static void blur_columns(const float *in, int w, int h, const float *kernel, int radius, float *out)
{
    for (int y = 0; y < h; y++) {
        float *restrict o = out + (size_t)y * (size_t)w;
        const float *centre = in + (size_t)y * (size_t)w;
        for (int x = 0; x < w; x++)
            o[x] = kernel[0] * centre[x];
        for (int r = 1; r <= radius; r++) {
            const float *up = in + (size_t)clamp_int(y - r, 0, h - 1) * (size_t)w;
            const float *down = in + (size_t)clamp_int(y + r, 0, h - 1) * (size_t)w;
            float k = kernel[r];
            for (int x = 0; x < w; x++)
                o[x] += k * (up[x] + down[x]);
        }
    }
}

static void blur_row(const float *in, int w, const float *kernel, int radius, float *restrict out)
{
    int from = radius < w ? radius : w, to = w - radius > from ? w - radius : from;
    for (int x = from; x < to; x++)
        out[x] = kernel[0] * in[x];
    for (int r = 1; r <= radius; r++) {
        float k = kernel[r];
        for (int x = from; x < to; x++)
            out[x] += k * (in[x - r] + in[x + r]);
    }
    for (int x = 0; x < w; x++) {
        if (x == from && to > from)
            x = to;
        if (x >= w)
            break;
        float sum = kernel[0] * in[x];
        for (int r = 1; r <= radius; r++)
            sum += kernel[r] * (in[clamp_int(x - r, 0, w - 1)] + in[clamp_int(x + r, 0, w - 1)]);
        out[x] = sum;
    }
}

static int kernel_of(float sigma_px, float kernel[RADIUS_MAX + 1])
{
    kernel[0] = 1;
    return sigma_px > 0 ? gaussian(sigma_px, kernel) : 0;
}

void image_blur_axes(float *plane, int w, int h, const float sigma_px[2], float *scratch)
{
    float kernel[RADIUS_MAX + 1];
    if (!(sigma_px[0] > 0 || sigma_px[1] > 0) || w < 1 || h < 1)
        return;
    blur_columns(plane, w, h, kernel, kernel_of(sigma_px[1], kernel), scratch);
    int radius = kernel_of(sigma_px[0], kernel);
    for (int y = 0; y < h; y++)
        blur_row(scratch + (size_t)y * (size_t)w, w, kernel, radius, plane + (size_t)y * (size_t)w);
}

void image_blur(float *plane, int w, int h, float sigma_px, float *scratch)
{
    image_blur_axes(plane, w, h, (const float[2]){sigma_px, sigma_px}, scratch);
}

/* Distance to the nearest inside pixel of the same column, `far` where there is none. */
static void column_distance(const uint8_t *inside, int w, int h, float far, float *ret)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x;
            float above = y ? ret[i - (size_t)w] + 1 : far;
            ret[i] = inside[i] ? 0 : above < far ? above : far;
        }
    for (int y = h - 2; y >= 0; y--)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x;
            float below = ret[i + (size_t)w] + 1;
            ret[i] = below < ret[i] ? below : ret[i];
        }
}

/* Lower envelope of the parabolas (x - i)^2 + g[i]^2: Felzenszwalb and Huttenlocher, "Distance
 * Transforms of Sampled Functions", 2012. */
static void row_distance(const float *g, int w, float far, float *site, float *bound, float *out)
{
    int n = -1;
    for (int i = 0; i < w; i++) {
        if (g[i] >= far)
            continue;
        float s = -INFINITY;
        while (n >= 0) {
            float k = site[n], gk = g[(int)k];
            s = ((g[i] * g[i] + (float)i * (float)i) - (gk * gk + k * k)) / (2 * ((float)i - k));
            if (s > bound[n])
                break;
            n--;
            s = -INFINITY;
        }
        n++;
        site[n] = (float)i;
        bound[n] = s;
    }
    for (int x = 0, k = 0; x < w; x++) {
        if (n < 0) {
            out[x] = far;
            continue;
        }
        while (k < n && bound[k + 1] < (float)x)
            k++;
        float dx = (float)x - site[k], gk = g[(int)site[k]];
        out[x] = sqrtf(dx * dx + gk * gk);
    }
}

void image_distance(const uint8_t *inside, int w, int h, float *ret_distance, float *scratch)
{
    float far = (float)w + (float)h + 1;
    int side = w > h ? w : h;
    float *site = scratch + (size_t)w * (size_t)h, *bound = site + side + 1;
    column_distance(inside, w, h, far, scratch);
    for (int y = 0; y < h; y++)
        row_distance(scratch + (size_t)y * (size_t)w, w, far, site, bound,
                     ret_distance + (size_t)y * (size_t)w);
}

void image_fill_polygon(const float (*points)[2], int n, int w, int h, uint8_t *ret_inside)
{
    memset(ret_inside, 0, (size_t)w * (size_t)h);
    float x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (int i = 0; i < n; i++) {
        x0 = fminf(x0, points[i][0]), x1 = fmaxf(x1, points[i][0]);
        y0 = fminf(y0, points[i][1]), y1 = fmaxf(y1, points[i][1]);
    }
    int from_y = (int)fmaxf(0, floorf(fminf(y0, (float)h)));
    int from_x = (int)fmaxf(0, floorf(fminf(x0, (float)w)));
    int to_y = (int)fminf((float)h, ceilf(fmaxf(y1, 0)));
    int to_x = (int)fminf((float)w, ceilf(fmaxf(x1, 0)));
    for (int y = from_y; y < to_y; y++)
        for (int x = from_x; x < to_x; x++) {
            float px = (float)x + .5f, py = (float)y + .5f;
            int winding = 0;
            for (int i = 0; i < n; i++) {
                const float *a = points[i], *b = points[i + 1 < n ? i + 1 : 0];
                if ((a[1] <= py) == (b[1] <= py))
                    continue;
                float at = a[0] + (py - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
                if (at > px)
                    winding += b[1] > a[1] ? 1 : -1;
            }
            ret_inside[(size_t)y * (size_t)w + (size_t)x] = winding != 0;
        }
}

float image_sharpness(const float *grey, const uint8_t *mask, int w, int h)
{
    double sum = 0, sum2 = 0;
    long n = 0;
    for (int y = 1; y + 1 < h; y++)
        for (int x = 1; x + 1 < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x, stride = (size_t)w;
            if (mask && !mask[i])
                continue;
            double v = (double)grey[i - 1] + grey[i + 1] + grey[i - stride] + grey[i + stride] -
                       4 * (double)grey[i];
            sum += v;
            sum2 += v * v;
            n++;
        }
    if (n < 2)
        return 0;
    double mean = sum / (double)n, var = sum2 / (double)n - mean * mean;
    return var > 0 ? (float)sqrt(var) : 0;
}

void image_slopes(const float *grey, const uint8_t *mask, int w, int h, float ret[2])
{
    double sum[2] = {0, 0};
    size_t n = 0;
    for (int y = 1; y + 1 < h; y++)
        for (int x = 1; x + 1 < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x;
            if (!mask[i])
                continue;
            double dx = .5 * ((double)grey[i + 1] - (double)grey[i - 1]);
            double dy = .5 * ((double)grey[i + (size_t)w] - (double)grey[i - (size_t)w]);
            sum[0] += dx * dx;
            sum[1] += dy * dy;
            n++;
        }
    for (int k = 0; k < 2; k++)
        ret[k] = n ? (float)(sum[k] / (double)n) : 0;
}
