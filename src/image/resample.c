/* SPDX-License-Identifier: MIT
 *
 * Crops for nets, and point samples of float planes. */
#include "image/image.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "image/colour.h"

/* A piece of the frame as R'G'B', every pixel the mean of kx * ky pixels of the frame. */
struct piece {
    int x, y, kx, ky; /* left upper corner in frame pixels */
    int w, h;
    float *rgb;
};

static int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Adds n samples of a row to the sums of their columns. */
static void add_row(const struct data_frame *f, const uint8_t *row, int n, uint32_t *sums)
{
    const uint16_t *wide = (const uint16_t *)(const void *)row;
    if (f->depth_bits > 8)
        for (int x = 0; x < n; x++)
            sums[x] += wide[x];
    else
        for (int x = 0; x < n; x++)
            sums[x] += row[x];
}

/* Means of `plane` samples per reduced column over the rows y0..y1-1; edges has where each of the w
 * columns begins and ends. `sums` has room for a row of the plane; 2^12 rows of 2^16 fit. */
static void mean_rows(const struct data_frame *f, int plane, const int *edges, int w, int y0,
                      int y1, uint32_t *sums, float *ret_mean)
{
    int first = edges[0], n = edges[2 * w - 1] - first;
    size_t sample_bytes = f->depth_bits > 8 ? 2 : 1;
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int y = y0; y < y1; y++)
        add_row(f, f->plane[plane].data + (ptrdiff_t)y * f->plane[plane].stride_bytes +
                       (size_t)first * sample_bytes, n, sums);
    for (int i = 0; i < w; i++) {
        int64_t sum = 0;
        for (int x = edges[2 * i]; x < edges[2 * i + 1]; x++)
            sum += sums[x - first];
        ret_mean[i] = (float)((double)sum /
                              ((double)(edges[2 * i + 1] - edges[2 * i]) * (y1 - y0)));
    }
}

/* First and one-past-last sample of plane row or column `i` of a reduced piece. */
static void span(int start, int k, int i, int shift, int size, int *ret_from, int *ret_to)
{
    int from = (start + i * k) >> shift, to = ((start + (i + 1) * k - 1) >> shift) + 1;
    from = clamp_int(from, 0, size - 1);
    to = clamp_int(to, from + 1, size);
    *ret_from = from;
    *ret_to = to;
}

static int reduce(const struct data_frame *f, struct piece *p)
{
    struct image_code code;
    image_code_init(f, &code);
    size_t w = (size_t)p->w, area = w * (size_t)p->h;
    float *line = base_alloc_array(w, 3 * sizeof *line);
    int *edges = base_alloc_array(w, 4 * sizeof *edges);
    uint32_t *sums = base_alloc_array((size_t)f->width_px, sizeof *sums);
    if (!line || !edges || !sums) {
        base_free(line);
        base_free(edges);
        base_free(sums);
        return LIP_ERR_NOMEM;
    }
    for (int i = 0; i < p->w; i++)
        for (int c = 0; c < (code.n_planes > 1 ? 2 : 1); c++)
            span(p->x, p->kx, i, c ? code.shift_x : 0, f->plane[c].width_px,
                 &edges[2 * (c * p->w + i)], &edges[2 * (c * p->w + i) + 1]);
    for (int y = 0; y < p->h; y++) {
        const float *in[3] = {line, line + w, line + 2 * w};
        float *at = p->rgb + (size_t)y * w;
        float *out[3] = {at, at + area, at + 2 * area};
        for (int c = 0; c < code.n_planes; c++) {
            int y0, y1;
            span(p->y, p->ky, y, c ? code.shift_y : 0, f->plane[c].height_px, &y0, &y1);
            float *v = line + (size_t)c * w;
            mean_rows(f, c, edges + (c ? 2 * p->w : 0), p->w, y0, y1, sums, v);
            for (size_t i = 0; i < w; i++)
                v[i] = (v[i] - code.offset[c]) * code.scale[c];
        }
        image_code_line_to_rgb(&code, in, p->w, out);
    }
    base_free(line);
    base_free(edges);
    base_free(sums);
    return 0;
}

/* The part of the frame that the crop looks at, cut to the frame, at least one pixel. */
static struct piece piece_of(const struct data_frame *f, const struct image_crop *crop)
{
    const double *m = crop->img_from_out.m;
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < 4; i++) {
        double x, y;
        image_affine_apply(&crop->img_from_out, i & 1 ? crop->w : 0, i & 2 ? crop->h : 0, &x, &y);
        x0 = fmin(x0, x), x1 = fmax(x1, x);
        y0 = fmin(y0, y), y1 = fmax(y1, y);
    }
    double sx = hypot(m[0], m[1]), sy = hypot(m[3], m[4]);
    struct piece p = {.kx = sx > 2 ? (int)fmin(sx, 4096) : 1,
                      .ky = sy > 2 ? (int)fmin(sy, 4096) : 1};
    p.x = (int)fmax(0, fmin(floor(x0) - 2 * p.kx, f->width_px - 1));
    p.y = (int)fmax(0, fmin(floor(y0) - 2 * p.ky, f->height_px - 1));
    int right = (int)fmin(f->width_px, fmax(ceil(x1) + 2 * p.kx, p.x + 1));
    int bottom = (int)fmin(f->height_px, fmax(ceil(y1) + 2 * p.ky, p.y + 1));
    p.w = (right - p.x + p.kx - 1) / p.kx;
    p.h = (bottom - p.y + p.ky - 1) / p.ky;
    return p;
}

/* Bilinear sample at (iu + wx, iv + wy) of the piece, beyond its border the edge or zero. */
static void sample_border(const struct piece *p, const struct data_frame *f, int iu, int iv,
                          float wx, float wy, bool zero, float ret[3])
{
    size_t area = (size_t)p->w * (size_t)p->h;
    float sum[3] = {0, 0, 0};
    for (int k = 0; k < 4; k++) {
        int cx = iu + (k & 1), cy = iv + (k >> 1);
        float weight = (k & 1 ? wx : 1 - wx) * (k >> 1 ? wy : 1 - wy);
        int tx = clamp_int(cx, 0, p->w - 1), ty = clamp_int(cy, 0, p->h - 1);
        if (zero) {
            int gx = p->x + cx * p->kx, gy = p->y + cy * p->ky;
            if (gx + p->kx <= 0 || gy + p->ky <= 0 || gx >= f->width_px || gy >= f->height_px)
                continue;
        }
        size_t i = (size_t)ty * (size_t)p->w + (size_t)tx;
        for (int c = 0; c < 3; c++)
            sum[c] += weight * p->rgb[(size_t)c * area + i];
    }
    memcpy(ret, sum, sizeof sum);
}

/* The same where all four neighbours are in the piece. */
static void sample_inside(const struct piece *p, int iu, int iv, float wx, float wy, float ret[3])
{
    size_t area = (size_t)p->w * (size_t)p->h, w = (size_t)p->w;
    const float *at = p->rgb + (size_t)iv * w + (size_t)iu;
    float w00 = (1 - wx) * (1 - wy), w01 = wx * (1 - wy), w10 = (1 - wx) * wy, w11 = wx * wy;
    for (int c = 0; c < 3; c++, at += area)
        ret[c] = w00 * at[0] + w01 * at[1] + w10 * at[w] + w11 * at[w + 1];
}

/* At the frame position (x, y). */
static void sample(const struct piece *p, const struct data_frame *f, double x, double y, bool zero,
                   float ret[3])
{
    double du = p->kx == 1 ? x - p->x : (x - p->x) / p->kx;
    double dv = p->ky == 1 ? y - p->y : (y - p->y) / p->ky;
    float u = (float)(du - .5), v = (float)(dv - .5);
    if (u >= 0 && v >= 0 && u < (float)(p->w - 1) && v < (float)(p->h - 1)) {
        int iu = (int)u, iv = (int)v;
        sample_inside(p, iu, iv, u - (float)iu, v - (float)iv, ret);
        return;
    }
    float fu = floorf(u), fv = floorf(v);
    /* far outside: any of the edge pixels will do, but the cast must be defined */
    int iu = (int)fmaxf(-4, fminf(fu, (float)p->w + 4));
    int iv = (int)fmaxf(-4, fminf(fv, (float)p->h + 4));
    sample_border(p, f, iu, iv, u - fu, v - fv, zero, ret);
}

int image_crop_frame(const struct data_frame *frame, const struct image_crop *crop, float *ret_rgb)
{
    for (int i = 0; i < 6; i++)
        if (!isfinite(crop->img_from_out.m[i]))
            return LIP_ERR_ARG;
    if (crop->w < 1 || crop->h < 1)
        return LIP_ERR_ARG;
    struct piece p = piece_of(frame, crop);
    p.rgb = base_alloc_array((size_t)p.w * (size_t)p.h, 3 * sizeof *p.rgb);
    if (!p.rgb)
        return LIP_ERR_NOMEM;
    if (p.kx == 1 && p.ky == 1) {
        image_rgb_from_frame(frame, (struct data_rect){p.x, p.y, p.w, p.h}, p.rgb);
    } else {
        int status = reduce(frame, &p);
        if (status < 0) {
            base_free(p.rgb);
            return status;
        }
    }
    const double *m = crop->img_from_out.m;
    for (int y = 0; y < crop->h; y++)
        for (int x = 0; x < crop->w; x++) {
            float rgb[3];
            double ox = x + .5, oy = y + .5;
            sample(&p, frame, m[0] * ox + m[1] * oy + m[2], m[3] * ox + m[4] * oy + m[5],
                   crop->border_zero, rgb);
            float *out = ret_rgb + 3 * ((size_t)y * (size_t)crop->w + (size_t)x);
            for (int c = 0; c < 3; c++)
                out[c] = rgb[c] * crop->scale + crop->offset;
        }
    base_free(p.rgb);
    return 0;
}

float image_sample_bilinear(const float *plane, int w, int h, float x, float y)
{
    x = fminf(fmaxf(x - .5f, 0), (float)(w - 1));
    y = fminf(fmaxf(y - .5f, 0), (float)(h - 1));
    int ix = (int)x, iy = (int)y;
    float wx = x - (float)ix, wy = y - (float)iy;
    int jx = ix + (ix < w - 1), jy = iy + (iy < h - 1);
    const float *r0 = plane + (size_t)iy * (size_t)w, *r1 = plane + (size_t)jy * (size_t)w;
    float a = r0[ix] + wx * (r0[jx] - r0[ix]), b = r1[ix] + wx * (r1[jx] - r1[ix]);
    return a + wy * (b - a);
}

/* Catmull-Rom: the cubic convolution kernel with a = -1/2 (Keys 1981). */
static void cubic_weights(float t, float w[4])
{
    float t2 = t * t, t3 = t2 * t;
    w[0] = .5f * (-t3 + 2 * t2 - t);
    w[1] = .5f * (3 * t3 - 5 * t2 + 2);
    w[2] = .5f * (-3 * t3 + 4 * t2 + t);
    w[3] = .5f * (t3 - t2);
}

float image_sample_bicubic(const float *plane, int w, int h, float x, float y)
{
    x = fminf(fmaxf(x - .5f, 0), (float)(w - 1));
    y = fminf(fmaxf(y - .5f, 0), (float)(h - 1));
    int ix = (int)x, iy = (int)y;
    float kx[4], ky[4], sum = 0;
    cubic_weights(x - (float)ix, kx);
    cubic_weights(y - (float)iy, ky);
    for (int j = 0; j < 4; j++) {
        const float *row = plane + (size_t)clamp_int(iy - 1 + j, 0, h - 1) * (size_t)w;
        float line = 0;
        for (int i = 0; i < 4; i++)
            line += kx[i] * row[clamp_int(ix - 1 + i, 0, w - 1)];
        sum += ky[j] * line;
    }
    return sum;
}
