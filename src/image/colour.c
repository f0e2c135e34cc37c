/* SPDX-License-Identifier: MIT
 *
 * Frames to R'G'B' and back. Matrices and ranges after ITU-T H.273 (8.3) and the BT.601, BT.709
 * and BT.2020 recommendations. Everything stays in coded (gamma) values and in float: no clipping
 * on the way in, one rounding on the way out. */
#include "image/image.h"

#include <math.h>
#include <string.h>

#include "image/colour.h"

#define LINE 512 /* pixels handled at a time: planes of a line stay in the first cache */

/* Weights of R and B in luma by H.273 matrix number. Unspecified follows the players' habit: small
 * pictures are BT.601, large ones BT.709. */
static void luma_weights(const struct data_frame *f, double *ret_kr, double *ret_kb)
{
    double kr = .2126, kb = .0722;
    bool small = f->width_px < 1280 && f->height_px <= 576;
    switch (f->colour.matrix) {
    case 1:
        break;
    case 4:
        kr = .30, kb = .11;
        break;
    case 5:
    case 6:
        kr = .299, kb = .114;
        break;
    case 7:
        kr = .212, kb = .087;
        break;
    case 9:
    case 10: /* constant luminance is treated as its non-constant twin: the edit is a small delta */
        kr = .2627, kb = .0593;
        break;
    default:
        if (small)
            kr = .299, kb = .114;
    }
    *ret_kr = kr;
    *ret_kb = kb;
}

static void invert3(const double a[3][3], float ret[3][3])
{
    double c[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int r0 = (j + 1) % 3, r1 = (j + 2) % 3, c0 = (i + 1) % 3, c1 = (i + 2) % 3;
            c[i][j] = a[r0][c0] * a[r1][c1] - a[r0][c1] * a[r1][c0];
        }
    double det = a[0][0] * c[0][0] + a[0][1] * c[1][0] + a[0][2] * c[2][0];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            ret[i][j] = (float)(c[i][j] / det);
}

static void set_matrix(const double from_rgb[3][3], struct image_code *code)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            code->from_rgb[i][j] = (float)from_rgb[i][j];
    invert3(from_rgb, code->rgb_from);
}

static void init_matrix(const struct data_frame *f, bool identity, struct image_code *code)
{
    static const double gbr[3][3] = {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}};
    static const double ycgco[3][3] = {{.25, .5, .25}, {-.25, .5, -.25}, {.5, 0, -.5}};
    if (identity) {
        set_matrix(gbr, code);
    } else if (f->colour.matrix == 8) {
        set_matrix(ycgco, code);
    } else {
        double kr, kb;
        luma_weights(f, &kr, &kb);
        double kg = 1 - kr - kb;
        const double m[3][3] = {
            {kr, kg, kb},
            {-kr / (2 * (1 - kb)), -kg / (2 * (1 - kb)), .5},
            {.5, -kg / (2 * (1 - kr)), -kb / (2 * (1 - kr))},
        };
        set_matrix(m, code);
    }
}

void image_code_init(const struct data_frame *f, struct image_code *code)
{
    memset(code, 0, sizeof *code);
    bool gray = f->layout == DATA_LAYOUT_GRAY;
    bool identity = f->layout == DATA_LAYOUT_RGB ||
                    (f->colour.matrix == 0 && !f->chroma_shift_x && !f->chroma_shift_y);
    code->n_planes = gray ? 1 : 3;
    code->shift_x = gray || identity ? 0 : f->chroma_shift_x;
    code->shift_y = gray || identity ? 0 : f->chroma_shift_y;
    int max = (1 << f->depth_bits) - 1, one = 1 << (f->depth_bits - 8);
    code->code_max = max;
    bool full = f->colour.full_range;
    for (int p = 0; p < 3; p++) {
        bool chroma = p > 0 && !identity;
        float span = full ? (float)max : (float)((chroma ? 224 : 219) * one);
        code->scale[p] = 1 / span;
        code->offset[p] = chroma ? (float)(128 * one) : full ? 0.f : (float)(16 * one);
    }
    init_matrix(f, identity, code);
}

void image_code_line_to_rgb(const struct image_code *code, const float *const v[3], int n,
                            float *const ret_rgb[3])
{
    const float *y = v[0], *u = v[1], *w = v[2];
    float *r = ret_rgb[0], *g = ret_rgb[1], *b = ret_rgb[2];
    if (code->n_planes == 1) {
        for (int i = 0; i < n; i++)
            r[i] = g[i] = b[i] = y[i];
        return;
    }
    const float(*m)[3] = code->rgb_from;
    float m0 = m[0][0], m1 = m[0][1], m2 = m[0][2], m3 = m[1][0], m4 = m[1][1], m5 = m[1][2];
    float m6 = m[2][0], m7 = m[2][1], m8 = m[2][2];
    for (int i = 0; i < n; i++) {
        float a = y[i], c = u[i], d = w[i];
        r[i] = m0 * a + m1 * c + m2 * d;
        g[i] = m3 * a + m4 * c + m5 * d;
        b[i] = m6 * a + m7 * c + m8 * d;
    }
}

static const void *plane_row(const struct data_frame *f, int plane, int y)
{
    return f->plane[plane].data + (ptrdiff_t)y * f->plane[plane].stride_bytes;
}

/* n code values of a row as normalised floats. */
static void load_line(const struct data_frame *f, int plane, int x, int y, int n, float offset,
                      float scale, float *restrict out)
{
    if (f->depth_bits > 8) {
        const uint16_t *s = (const uint16_t *)plane_row(f, plane, y) + x;
        for (int i = 0; i < n; i++)
            out[i] = ((float)s[i] - offset) * scale;
    } else {
        const uint8_t *s = (const uint8_t *)plane_row(f, plane, y) + x;
        for (int i = 0; i < n; i++)
            out[i] = ((float)s[i] - offset) * scale;
    }
}

static int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* A line of chroma at luma resolution: bilinear, the chroma sample in the middle of its cell (the
 * box average of the way back has the same centre, so nothing moves). `buf`: LINE + 4 floats. */
static void load_chroma(const struct data_frame *f, const struct image_code *code, int plane, int x,
                        int y, int n, float *buf, float *out)
{
    int sx = code->shift_x, sy = code->shift_y;
    int cw = f->plane[plane].width_px, ch = f->plane[plane].height_px;
    int step_y = 1 << sy, step_x = 1 << sx;
    float fy = ((float)(y & (step_y - 1)) + .5f) / (float)step_y - .5f;
    int cy = (y >> sy) - (fy < 0);
    float wy = fy < 0 ? fy + 1 : fy;
    int y0 = clamp_int(cy, 0, ch - 1), y1 = clamp_int(cy + 1, 0, ch - 1);
    int c0 = (x >> sx) - 1, c1 = ((x + n - 1) >> sx) + 1; /* wanted chroma columns, both included */
    int lo = clamp_int(c0, 0, cw - 1), hi = clamp_int(c1, 0, cw - 1);
    float second[LINE + 4];
    float offset = code->offset[plane], scale = code->scale[plane];
    load_line(f, plane, lo, y0, hi - lo + 1, offset, scale, buf + (lo - c0));
    load_line(f, plane, lo, y1, hi - lo + 1, offset, scale, second);
    for (int i = 0; i <= hi - lo; i++)
        buf[lo - c0 + i] += wy * (second[i] - buf[lo - c0 + i]);
    for (int i = 0; i < lo - c0; i++)
        buf[i] = buf[lo - c0];
    for (int i = hi - c0 + 1; i <= c1 - c0; i++)
        buf[i] = buf[hi - c0];
    for (int i = 0; i < n; i++) {
        float fx = ((float)((x + i) & (step_x - 1)) + .5f) / (float)step_x - .5f;
        int c = ((x + i) >> sx) - (fx < 0) - c0;
        float wx = fx < 0 ? fx + 1 : fx;
        out[i] = buf[c] + wx * (buf[c + 1] - buf[c]);
    }
}

void image_rgb_from_frame(const struct data_frame *frame, struct data_rect rect, float *ret_rgb)
{
    struct image_code code;
    image_code_init(frame, &code);
    size_t area = (size_t)rect.w * (size_t)rect.h;
    float line[3][LINE], buf[LINE + 4];
    const float *in[3] = {line[0], line[1], line[2]};
    for (int y = 0; y < rect.h; y++)
        for (int x = 0; x < rect.w; x += LINE) {
            int n = rect.w - x < LINE ? rect.w - x : LINE;
            for (int p = 0; p < code.n_planes; p++) {
                if (p > 0 && (code.shift_x || code.shift_y))
                    load_chroma(frame, &code, p, rect.x + x, rect.y + y, n, buf, line[p]);
                else
                    load_line(frame, p, rect.x + x, rect.y + y, n, code.offset[p], code.scale[p],
                              line[p]);
            }
            float *at = ret_rgb + (size_t)y * (size_t)rect.w + (size_t)x;
            float *out[3] = {at, at + area, at + 2 * area};
            image_code_line_to_rgb(&code, in, n, out);
        }
}

static void store(struct data_frame *f, int plane, int x, int y, float value, int code_max)
{
    float r = floorf(value + .5f);
    int code = r > 0 ? (r >= (float)code_max ? code_max : (int)r) : 0; /* a NaN becomes 0 */
    uint8_t *row = f->plane[plane].data + (ptrdiff_t)y * f->plane[plane].stride_bytes;
    if (f->depth_bits > 8)
        ((uint16_t *)(void *)row)[x] = (uint16_t)code;
    else
        row[x] = (uint8_t)code;
}

struct edit {
    const float *rgb, *mask;
    struct data_rect rect;
    size_t area;
    const struct image_code *code;
    struct data_frame *frame;
    uint8_t *touched;
    float to_code[3][3]; /* R'G'B' to code values, less the offset */
};

static float new_code(const struct edit *e, int plane, size_t i)
{
    const float *m = e->to_code[plane];
    return m[0] * e->rgb[i] + m[1] * e->rgb[i + e->area] + m[2] * e->rgb[i + 2 * e->area] +
           e->code->offset[plane];
}

/* Planes of full size: every pixel is its own cell. */
static void write_full(const struct edit *e, int plane)
{
    for (int y = 0; y < e->rect.h; y++)
        for (int x = 0; x < e->rect.w; x++) {
            size_t i = (size_t)y * (size_t)e->rect.w + (size_t)x;
            float a = e->mask[i];
            if (!(a > 0))
                continue;
            int px = e->rect.x + x, py = e->rect.y + y;
            float old = (float)data_frame_sample(e->frame, plane, px, py);
            store(e->frame, plane, px, py, old + a * (new_code(e, plane, i) - old),
                  e->code->code_max);
            if (e->touched)
                e->touched[i] = 1;
        }
}

/* One chroma cell, luma samples x0..x1-1, y0..y1-1 (frame coordinates, cut to the frame). */
static void write_cell(const struct edit *e, int cx, int cy)
{
    int sx = e->code->shift_x, sy = e->code->shift_y;
    int fx1 = (cx + 1) << sx, fy1 = (cy + 1) << sy;
    int n_cell = ((fx1 < e->frame->width_px ? fx1 : e->frame->width_px) - (cx << sx)) *
                 ((fy1 < e->frame->height_px ? fy1 : e->frame->height_px) - (cy << sy));
    int x0 = clamp_int((cx << sx) - e->rect.x, 0, e->rect.w);
    int x1 = clamp_int(fx1 - e->rect.x, 0, e->rect.w);
    int y0 = clamp_int((cy << sy) - e->rect.y, 0, e->rect.h);
    int y1 = clamp_int(fy1 - e->rect.y, 0, e->rect.h);
    float sum = 0, mixed[2] = {0, 0}, old[2];
    for (int p = 0; p < 2; p++)
        old[p] = (float)data_frame_sample(e->frame, p + 1, cx, cy);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            size_t i = (size_t)y * (size_t)e->rect.w + (size_t)x;
            float a = e->mask[i];
            if (!(a > 0))
                continue;
            sum += a;
            for (int p = 0; p < 2; p++)
                mixed[p] += a * (new_code(e, p + 1, i) - old[p]);
        }
    if (!(sum > 0))
        return;
    for (int p = 0; p < 2; p++)
        store(e->frame, p + 1, cx, cy, old[p] + mixed[p] / (float)n_cell, e->code->code_max);
    for (int y = y0; e->touched && y < y1; y++)
        memset(e->touched + (size_t)y * (size_t)e->rect.w + (size_t)x0, 1, (size_t)(x1 - x0));
}

void image_rgb_to_frame(const float *rgb, const float *mask, struct data_rect rect,
                        struct data_frame *frame, uint8_t *ret_touched)
{
    struct image_code code;
    image_code_init(frame, &code);
    size_t area = (size_t)rect.w * (size_t)rect.h;
    struct edit e = {rgb, mask, rect, area, &code, frame, ret_touched, {{0}}};
    for (int p = 0; p < 3; p++)
        for (int c = 0; c < 3; c++)
            e.to_code[p][c] = code.from_rgb[p][c] / code.scale[p];
    if (ret_touched)
        memset(ret_touched, 0, area);
    write_full(&e, 0);
    if (code.n_planes == 1 || rect.w < 1 || rect.h < 1)
        return;
    if (!code.shift_x && !code.shift_y) {
        write_full(&e, 1);
        write_full(&e, 2);
        return;
    }
    for (int cy = rect.y >> code.shift_y; cy <= (rect.y + rect.h - 1) >> code.shift_y; cy++)
        for (int cx = rect.x >> code.shift_x; cx <= (rect.x + rect.w - 1) >> code.shift_x; cx++)
            write_cell(&e, cx, cy);
}

void image_rgb_to_u8(const float *rgb, int w, int h, uint8_t *ret_rgb_interleaved)
{
    size_t area = (size_t)w * (size_t)h;
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < area; i++) {
            float v = floorf(rgb[(size_t)p * area + i] * 255 + .5f);
            ret_rgb_interleaved[3 * i + (size_t)p] = (uint8_t)(v >= 255 ? 255 : v > 0 ? v : 0);
        }
}
