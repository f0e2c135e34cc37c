/* SPDX-License-Identifier: MIT
 *
 * Pictures that are sampled at free positions. Three colours and a spare lane in one vector: the
 * compiler's generic vectors give the same sums on every machine, in the order written here. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

int render_pixels_resize(struct render_pixels *p, int w, int h)
{
    size_t n = (size_t)w * (size_t)h;
    if (n > p->cap) {
        render_v4 *px = base_alloc_array(n + n / 4, sizeof *px);
        if (!px)
            return LIP_ERR_NOMEM;
        base_free(p->px);
        p->px = px;
        p->cap = n + n / 4;
    }
    p->w = w;
    p->h = h;
    return 0;
}

void render_pixels_free(struct render_pixels *p)
{
    base_free(p->px);
    *p = (struct render_pixels){0};
}

void render_pixels_from_planes(const float *rgb, struct render_pixels *p)
{
    size_t area = (size_t)p->w * (size_t)p->h;
    for (size_t i = 0; i < area; i++)
        p->px[i] = (render_v4){rgb[i], rgb[i + area], rgb[i + 2 * area], 0};
}

void render_pixels_from_bank(const struct data_bank_entry *entry, struct render_pixels *p)
{
    const float unit = 1.f / 65535;
    size_t area = (size_t)p->w * (size_t)p->h;
    for (size_t i = 0; i < area; i++) {
        const uint16_t *s = entry->rgb + 3 * i;
        p->px[i] = (render_v4){(float)s[0] * unit, (float)s[1] * unit, (float)s[2] * unit, 0};
    }
}

static int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* To 0..hi; a NaN becomes 0. */
static float clamp_float(float v, float hi)
{
    return v > 0 ? (v < hi ? v : hi) : 0;
}

/* Keys (1981), a = -1/2. */
static void cubic_weights(float t, float w[4])
{
    float t2 = t * t, t3 = t2 * t;
    w[0] = .5f * (-t3 + 2 * t2 - t);
    w[1] = .5f * (3 * t3 - 5 * t2 + 2);
    w[2] = .5f * (-3 * t3 + 4 * t2 + t);
    w[3] = .5f * (t3 - t2);
}

render_v4 render_pixels_cubic(const struct render_pixels *p, float x, float y)
{
    x = clamp_float(x - .5f, (float)(p->w - 1));
    y = clamp_float(y - .5f, (float)(p->h - 1));
    int ix = (int)x, iy = (int)y;
    float kx[4], ky[4];
    cubic_weights(x - (float)ix, kx);
    cubic_weights(y - (float)iy, ky);
    render_v4 sum = {0, 0, 0, 0};
    if (ix >= 1 && iy >= 1 && ix + 2 < p->w && iy + 2 < p->h) {
        const render_v4 *row = p->px + (size_t)(iy - 1) * (size_t)p->w + (size_t)(ix - 1);
        for (int j = 0; j < 4; j++, row += p->w)
            sum += (row[0] * kx[0] + row[1] * kx[1] + row[2] * kx[2] + row[3] * kx[3]) * ky[j];
        return sum;
    }
    for (int j = 0; j < 4; j++) {
        const render_v4 *row = p->px + (size_t)clamp_int(iy - 1 + j, 0, p->h - 1) * (size_t)p->w;
        render_v4 line = {0, 0, 0, 0};
        for (int i = 0; i < 4; i++)
            line += row[clamp_int(ix - 1 + i, 0, p->w - 1)] * kx[i];
        sum += line * ky[j];
    }
    return sum;
}

render_v4 render_pixels_linear(const struct render_pixels *p, float x, float y)
{
    x = clamp_float(x - .5f, (float)(p->w - 1));
    y = clamp_float(y - .5f, (float)(p->h - 1));
    int ix = (int)x, iy = (int)y;
    float wx = x - (float)ix, wy = y - (float)iy;
    size_t jx = ix + 1 < p->w, jy = iy + 1 < p->h ? (size_t)p->w : 0;
    const render_v4 *at = p->px + (size_t)iy * (size_t)p->w + (size_t)ix;
    render_v4 a = at[0] + (at[jx] - at[0]) * wx, b = at[jy] + (at[jy + jx] - at[jy]) * wx;
    return a + (b - a) * wy;
}

/* An edge of contrast c and width w has a slope of about c / w. Contrast and slope are taken from
 * histograms of grey, near their tops, so that a few odd pixels do not count. */
void render_look_at(const struct render_pixels *p, float iod_px, struct render_look *ret)
{
    int slopes[256] = {0}, levels[256] = {0}, n = 0;
    for (int y = 0; y + 1 < p->h; y++)
        for (int x = 0; x + 1 < p->w; x++) {
            const render_v4 *at = p->px + (size_t)y * (size_t)p->w + (size_t)x;
            render_v4 dx = at[1] - at[0], dy = at[p->w] - at[0];
            float gx = dx[0] + 2 * dx[1] + dx[2], gy = dy[0] + 2 * dy[1] + dy[2];
            slopes[(int)(clamp_float(.25f * sqrtf(gx * gx + gy * gy), 1) * 255)]++;
            levels[(int)(clamp_float(.25f * (at[0][0] + 2 * at[0][1] + at[0][2]), 1) * 255)]++;
            n++;
        }
    int low = 0, high = 255, steep = 255, count = 0;
    for (int sum = 0; low < 255 && (sum += levels[low]) < n / 50; low++)
        continue;
    for (; high > 0 && (count += levels[high]) < n / 50; high--)
        continue;
    count = 0;
    for (; steep > 0 && (count += slopes[steep]) < n / 100; steep--)
        continue;
    float width_px = high > low && steep > 0 ? (float)(high - low) / (float)steep : 1;
    ret->edge = fminf(fmaxf(.3f * width_px, .6f) / iod_px, .03f);
    ret->edge = fmaxf(ret->edge, .005f);
    ret->dark = fminf(((float)low + .5f) / 255, .15f);
}

render_v4 render_lift(render_v4 colour, float dark)
{
    const render_v4 warm = {1.25f, .92f, .85f, 0}; /* of grey 1: what is dark in a mouth is red */
    float grey = .299f * colour[0] + .587f * colour[1] + .114f * colour[2];
    return grey < dark ? colour + warm * (dark - grey) : colour;
}
