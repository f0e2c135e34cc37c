/* SPDX-License-Identifier: MIT
 *
 * From covered cells to pixels. The cells say roughly where something is in front; its outline is
 * where the colours say it is: a guided filter (He, Sun and Tang 2010, colour guide) on a coarse
 * picture, its linear model applied to the fine one. Beyond the mesh nothing was judged, so there
 * only what has the same colours as something in front nearby counts, and near the outline the
 * skin is not bent at all. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define NODES_PER_IOD 48
#define RADIUS .12f    /* IOD */
#define PASSES 2
#define SMOOTH 2e-4f   /* variance of colour (0..1 squared) that is no edge */
#define BEYOND .16f    /* IOD: how far beyond the mesh something in front reaches for the skin */
#define CLEAR .30f     /* of the filtered map: nothing in front below, all above; low, */
#define SOLID .60f     /* so that the edge of what is in front stays its own */

enum {
    WEIGHT, COVER, RED, GREEN, BLUE, RR, RG, RB, GG, GB, BB, CR, CG, CB, N_SUMS,
    ON_MESH = N_SUMS, BEYOND_MESH, A_RED, A_GREEN, A_BLUE, OFFSET, KNOWN
};
_Static_assert(KNOWN + 1 == RENDER_FRONT_PLANES, "a plane each");

void render_front_free(struct render_front *f)
{
    base_free(f->memory);
    base_free(f->alpha);
    *f = (struct render_front){0};
}

static int reserve(struct render_front *f, struct data_rect rect, float iod_px)
{
    float step = fmaxf(1, roundf(iod_px / NODES_PER_IOD));
    f->step_px = (int)fminf(step, 4096);
    f->w = (rect.w + f->step_px - 1) / f->step_px;
    f->h = (rect.h + f->step_px - 1) / f->step_px;
    size_t area = (size_t)rect.w * (size_t)rect.h;
    size_t want = (RENDER_FRONT_PLANES + 1) * (size_t)f->w * (size_t)f->h;
    if (area > f->cap_alpha) {
        float *alpha = base_alloc_array(area, sizeof *alpha);
        if (!alpha)
            return LIP_ERR_NOMEM;
        base_free(f->alpha);
        f->alpha = alpha;
        f->cap_alpha = area;
    }
    if (want > f->cap) {
        float *memory = base_alloc_array(want, sizeof *memory);
        if (!memory)
            return LIP_ERR_NOMEM;
        base_free(f->memory);
        f->memory = memory;
        f->cap = want;
    }
    size_t n = (size_t)f->w * (size_t)f->h;
    memset(f->memory, 0, want * sizeof *f->memory);
    for (int p = 0; p < RENDER_FRONT_PLANES; p++)
        f->plane[p] = f->memory + (size_t)p * n;
    f->scratch = f->memory + RENDER_FRONT_PLANES * n;
    return 0;
}

/* Covered or not at a place of the grid of looks, bilinear, 0 outside of it. */
static float cover_at(const struct render_cover *cover, float u, float v)
{
    float x = floorf(u - .5f), y = floorf(v - .5f), wx = u - .5f - x, wy = v - .5f - y, sum = 0;
    if (!(x > -2 && y > -2 && x < DATA_LOOK_COLS && y < DATA_LOOK_ROWS))
        return 0;
    for (int k = 0; k < 4; k++) {
        int i = (int)x + (k & 1), j = (int)y + (k >> 1);
        if (i >= 0 && j >= 0 && i < DATA_LOOK_COLS && j < DATA_LOOK_ROWS)
            sum += cover->cell[j * DATA_LOOK_COLS + i] * (k & 1 ? wx : 1 - wx) *
                   (k >> 1 ? wy : 1 - wy);
    }
    return sum;
}

/* Between the lips the grid has no cells: what is there is left to the colours around it. Above
 * its upper border nothing is in front. */
static bool grid_knows(const struct render_grid *grid, float u, float v)
{
    int i = (int)fminf(fmaxf(u, 0), DATA_LOOK_COLS - 1), j = (int)fmaxf(v, 0);
    return v < 0 || (j < DATA_LOOK_ROWS && grid->kind[j * DATA_LOOK_COLS + i] != RENDER_CELL_NONE);
}

static float cross2(const float a[2], const float b[2], const float c[2])
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/* The cells' map onto the nodes of one triangle, where it lies in the frame. */
static void lay(struct render_front *f, const struct render_mesh *mesh,
                const struct render_geometry *g, const uint16_t t[3],
                const struct render_cover *cover, struct data_rect rect)
{
    float q[3][2], step = (float)f->step_px;
    for (int k = 0; k < 3; k++) {
        q[k][0] = (g->from[t[k]][0] - (float)rect.x) / step - .5f;
        q[k][1] = (g->from[t[k]][1] - (float)rect.y) / step - .5f;
    }
    float area = cross2(q[0], q[1], q[2]);
    if (!(area * g->orientation > 1e-4f))
        return;
    int i0 = (int)fmaxf(0, ceilf(fminf(q[0][0], fminf(q[1][0], q[2][0]))));
    int j0 = (int)fmaxf(0, ceilf(fminf(q[0][1], fminf(q[1][1], q[2][1]))));
    int i1 = (int)fminf((float)f->w - 1, floorf(fmaxf(q[0][0], fmaxf(q[1][0], q[2][0]))));
    int j1 = (int)fminf((float)f->h - 1, floorf(fmaxf(q[0][1], fmaxf(q[1][1], q[2][1]))));
    for (int j = j0; j <= j1; j++)
        for (int i = i0; i <= i1; i++) {
            float p[2] = {(float)i, (float)j};
            float a = cross2(q[1], q[2], p) / area, b = cross2(q[2], q[0], p) / area;
            float c = 1 - a - b, u = 0, v = 0;
            if (a < -1e-4f || b < -1e-4f || c < -1e-4f)
                continue;
            const float weight[3] = {a, b, c};
            for (int k = 0; k < 3; k++) {
                u += weight[k] * mesh->grid.vertex[t[k]][0];
                v += weight[k] * mesh->grid.vertex[t[k]][1];
            }
            size_t n = (size_t)j * (size_t)f->w + (size_t)i;
            bool known = grid_knows(&mesh->grid, u, v);
            f->plane[BEYOND_MESH][n] = 1;
            f->plane[ON_MESH][n] = known;
            f->plane[COVER][n] = known ? cover_at(cover, u, v) : 0;
        }
}

/* The picture at the nodes. */
static void shrink(struct render_front *f, const float *rgb, struct data_rect rect)
{
    size_t area = (size_t)rect.w * (size_t)rect.h;
    for (int j = 0; j < f->h; j++)
        for (int i = 0; i < f->w; i++) {
            int x0 = i * f->step_px, y0 = j * f->step_px;
            int x1 = x0 + f->step_px < rect.w ? x0 + f->step_px : rect.w;
            int y1 = y0 + f->step_px < rect.h ? y0 + f->step_px : rect.h;
            float by = 1 / (float)((x1 - x0) * (y1 - y0));
            for (size_t p = 0; p < 3; p++) {
                float sum = 0;
                for (int y = y0; y < y1; y++)
                    for (int x = x0; x < x1; x++)
                        sum += rgb[p * area + (size_t)y * (size_t)rect.w + (size_t)x];
                f->plane[RED + p][(size_t)j * (size_t)f->w + (size_t)i] = sum * by;
            }
        }
}

/* Sums over (2 r + 1)^2 windows, cut at the borders. */
static void box(float *plane, int w, int h, int r, float *scratch)
{
    for (int j = 0; j < h; j++) {
        const float *in = plane + (size_t)j * (size_t)w;
        float *out = scratch + (size_t)j * (size_t)w;
        double sum = 0;
        for (int i = 0; i < r && i < w; i++)
            sum += in[i];
        for (int i = 0; i < w; i++) {
            sum += i + r < w ? in[i + r] : 0;
            out[i] = (float)sum;
            sum -= i - r >= 0 ? in[i - r] : 0;
        }
    }
    for (int i = 0; i < w; i++) {
        double sum = 0;
        for (int j = 0; j < r && j < h; j++)
            sum += scratch[(size_t)j * (size_t)w + (size_t)i];
        for (int j = 0; j < h; j++) {
            sum += j + r < h ? scratch[(size_t)(j + r) * (size_t)w + (size_t)i] : 0;
            plane[(size_t)j * (size_t)w + (size_t)i] = (float)sum;
            sum -= j - r >= 0 ? scratch[(size_t)(j - r) * (size_t)w + (size_t)i] : 0;
        }
    }
}

/* Sums become the linear model of one window: cover = a . rgb + offset. */
static void fit(float *const plane[RENDER_FRONT_PLANES], size_t n)
{
    float w = plane[WEIGHT][n];
    for (int p = A_RED; p <= KNOWN; p++)
        plane[p][n] = 0;
    if (!(w > .5f))
        return;
    float by = 1 / w, c = plane[COVER][n] * by, m[3], s[6], t[3];
    for (int p = 0; p < 3; p++)
        m[p] = plane[RED + p][n] * by;
    for (int p = 0; p < 3; p++)
        t[p] = plane[CR + p][n] * by - m[p] * c;
    s[0] = plane[RR][n] * by - m[0] * m[0] + SMOOTH;
    s[1] = plane[RG][n] * by - m[0] * m[1];
    s[2] = plane[RB][n] * by - m[0] * m[2];
    s[3] = plane[GG][n] * by - m[1] * m[1] + SMOOTH;
    s[4] = plane[GB][n] * by - m[1] * m[2];
    s[5] = plane[BB][n] * by - m[2] * m[2] + SMOOTH;
    float i0 = s[3] * s[5] - s[4] * s[4], i1 = s[2] * s[4] - s[1] * s[5],
          i2 = s[1] * s[4] - s[2] * s[3], det = s[0] * i0 + s[1] * i1 + s[2] * i2;
    float a[3] = {0, 0, 0};
    if (det > 1e-14f) {
        float i3 = s[0] * s[5] - s[2] * s[2], i4 = s[1] * s[2] - s[0] * s[4],
              i5 = s[0] * s[3] - s[1] * s[1];
        a[0] = (i0 * t[0] + i1 * t[1] + i2 * t[2]) / det;
        a[1] = (i1 * t[0] + i3 * t[1] + i4 * t[2]) / det;
        a[2] = (i2 * t[0] + i4 * t[1] + i5 * t[2]) / det;
    }
    for (int p = 0; p < 3; p++)
        plane[A_RED + p][n] = a[p];
    plane[OFFSET][n] = c - a[0] * m[0] - a[1] * m[1] - a[2] * m[2];
    plane[KNOWN][n] = 1;
}

/* The cover at the nodes becomes a linear model of colour at each. */
static void filter(struct render_front *f, int r)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    static const int first[6] = {RED, RED, RED, GREEN, GREEN, BLUE};
    static const int second[6] = {RED, GREEN, BLUE, GREEN, BLUE, BLUE};
    for (size_t i = 0; i < n; i++) {
        float w = f->plane[WEIGHT][i] = f->plane[ON_MESH][i];
        float c = f->plane[COVER][i] *= w;
        for (int k = 0; k < 6; k++)
            f->plane[RR + k][i] = w * f->plane[first[k]][i] * f->plane[second[k]][i];
        for (int k = 0; k < 3; k++) {
            f->plane[CR + k][i] = c * f->plane[RED + k][i];
            f->plane[RED + k][i] *= w;
        }
    }
    for (int p = 0; p < N_SUMS; p++)
        box(f->plane[p], f->w, f->h, r, f->scratch);
    for (size_t i = 0; i < n; i++)
        fit(f->plane, i);
    for (int p = A_RED; p <= KNOWN; p++)
        box(f->plane[p], f->w, f->h, r, f->scratch);
    for (size_t i = 0; i < n; i++) {
        float by = f->plane[KNOWN][i] > .5f ? 1 / f->plane[KNOWN][i] : 0;
        for (int p = A_RED; p < KNOWN; p++)
            f->plane[p][i] *= by;
    }
}

static float at_node(const struct render_front *f, int p, int i, int j, float wx, float wy)
{
    int i1 = i + (i + 1 < f->w), j1 = j + (j + 1 < f->h);
    const float *a = f->plane[p] + (size_t)j * (size_t)f->w;
    const float *b = f->plane[p] + (size_t)j1 * (size_t)f->w;
    float top = a[i] + wx * (a[i1] - a[i]), low = b[i] + wx * (b[i1] - b[i]);
    return top + wy * (low - top);
}

/* The model at every node becomes the cover there. */
static void sharpen(struct render_front *f)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    for (size_t i = 0; i < n; i++) {
        float q = f->plane[OFFSET][i];
        for (int p = 0; p < 3; p++)
            q += f->plane[A_RED + p][i] * f->plane[RED + p][i];
        f->plane[COVER][i] = image_smoothstep(CLEAR, SOLID, q);
    }
}

/* The model at every pixel, and beyond the mesh what must not be bent. */
static void evaluate(struct render_front *f, const float *rgb, struct data_rect rect)
{
    size_t area = (size_t)rect.w * (size_t)rect.h;
    float by = 1 / (float)f->step_px;
    for (int y = 0; y < rect.h; y++) {
        float v = fminf(fmaxf(((float)y + .5f) * by - .5f, 0), (float)(f->h - 1));
        int j = (int)v;
        for (int x = 0; x < rect.w; x++) {
            float u = fminf(fmaxf(((float)x + .5f) * by - .5f, 0), (float)(f->w - 1));
            int i = (int)u;
            float wx = u - (float)i, wy = v - (float)j;
            size_t at = (size_t)y * (size_t)rect.w + (size_t)x;
            float q = at_node(f, OFFSET, i, j, wx, wy);
            for (size_t p = 0; p < 3; p++)
                q += at_node(f, A_RED + (int)p, i, j, wx, wy) * rgb[p * area + at];
            float far = at_node(f, BEYOND_MESH, i, j, wx, wy);
            f->alpha[at] = fmaxf(image_smoothstep(CLEAR, SOLID, q), far);
        }
    }
}

/* How much is in front near a node beyond the mesh; 0 on the mesh, where the plane is 1 before. */
static void reach_beyond(struct render_front *f, float iod_nodes)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    float *known = f->plane[WEIGHT], *covered = f->plane[RED], *beyond = f->plane[BEYOND_MESH];
    memcpy(known, f->plane[ON_MESH], n * sizeof *known);
    memcpy(covered, f->plane[COVER], n * sizeof *covered);
    image_blur(known, f->w, f->h, BEYOND * iod_nodes, f->scratch);
    image_blur(covered, f->w, f->h, BEYOND * iod_nodes, f->scratch);
    for (size_t i = 0; i < n; i++) {
        float share = known[i] > 1e-4f ? covered[i] / known[i] : 0;
        beyond[i] = beyond[i] > 0 ? 0 : image_smoothstep(.1f, .4f, share);
    }
}

int render_front_make(struct render_front *f, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct render_cover *cover,
                      const float *rgb, struct data_rect rect)
{
    f->any = cover && cover->n_cells > 0;
    if (!f->any)
        return 0;
    int status = reserve(f, rect, g->scale_px);
    if (status < 0)
        return status;
    for (size_t t = 0; t < mesh->n_triangles; t++)
        lay(f, mesh, g, mesh->triangles[t], cover, rect);
    float iod_nodes = g->scale_px / (float)f->step_px;
    reach_beyond(f, iod_nodes);
    for (int pass = 0; pass < PASSES; pass++) {
        shrink(f, rgb, rect);
        if (pass)
            sharpen(f);
        filter(f, (int)fmaxf(1, roundf(RADIUS * iod_nodes)));
    }
    evaluate(f, rgb, rect);
    return 0;
}

float render_front_at(const struct render_front *f, struct data_rect rect, float x, float y)
{
    int i = (int)fminf(fmaxf(x, 0), (float)(rect.w - 1));
    int j = (int)fminf(fmaxf(y, 0), (float)(rect.h - 1));
    return f->alpha[(size_t)j * (size_t)rect.w + (size_t)i];
}
