/* SPDX-License-Identifier: MIT
 *
 * The smooth part of an edit on a coarse grid (24 nodes per IOD): how the skin moves, and where the
 * two layers count. Everything here varies over a tenth of an IOD and more, so the grid loses
 * nothing and the cost does not grow with the size of the face. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define NODES_PER_IOD 24
#define NODES_MAX (1 << 16)
#define REACH .58f /* IOD: how far from the face the skin still moves */
#define MOUTH_IN .10f
#define MOUTH_OUT .26f

static int reserve(struct render_field *f)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    size_t side = (size_t)(f->w > f->h ? f->w : f->h);
    size_t want = (FIELD_N + 3) * n + n + 3 * side + 3 + n / sizeof(float) + 1;
    if (want > f->cap) {
        float *memory = base_alloc_array(want + want / 4, sizeof *memory);
        if (!memory)
            return LIP_ERR_NOMEM;
        base_free(f->memory);
        f->memory = memory;
        f->cap = want + want / 4;
    }
    float *at = f->memory;
    for (int p = 0; p < FIELD_N; p++, at += n)
        f->plane[p] = at;
    for (int p = 0; p < 2; p++, at += n)
        f->work[p] = at;
    f->work[2] = at; /* the scratch of image_distance is larger than a plane */
    at += 2 * n + 3 * side + 3;
    f->inside = (uint8_t *)at;
    memset(f->memory, 0, FIELD_N * n * sizeof(float));
    memset(f->inside, 0, n);
    return 0;
}

void render_field_free(struct render_field *f)
{
    base_free(f->memory);
    *f = (struct render_field){0};
}

/* The frame's part around the lower face; w 0 when there is none. */
static void place(struct render_field *f, const struct data_frame *frame,
                  const struct render_geometry *g)
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        if (g->canon_y[v] < g->canon_y[2] - .1f)
            continue;
        x0 = fminf(x0, fminf(g->to[v][0], g->from[v][0]));
        x1 = fmaxf(x1, fmaxf(g->to[v][0], g->from[v][0]));
        y0 = fminf(y0, fminf(g->to[v][1], g->from[v][1]));
        y1 = fmaxf(y1, fmaxf(g->to[v][1], g->from[v][1]));
    }
    float reach = REACH * g->scale_px, w = (float)frame->width_px, h = (float)frame->height_px;
    x0 = floorf(fmaxf(x0 - reach, 0));
    y0 = floorf(fmaxf(y0 - reach, 0));
    x1 = ceilf(fminf(x1 + reach, w));
    y1 = ceilf(fminf(y1 + reach, h));
    f->w = f->h = 0;
    f->area = (struct data_rect){0, 0, 0, 0};
    if (!(x1 > x0 && y1 > y0))
        return;
    f->area = (struct data_rect){(int)x0, (int)y0, (int)(x1 - x0), (int)(y1 - y0)};
    float step = fmaxf(1, roundf(g->scale_px / NODES_PER_IOD));
    step = fmaxf(step, ceilf(sqrtf((x1 - x0) * (y1 - y0) / NODES_MAX)));
    f->step_px = (int)step;
    f->w = (f->area.w + f->step_px - 1) / f->step_px;
    f->h = (f->area.h + f->step_px - 1) / f->step_px;
}

static void node_to_img(const struct render_field *f, int i, int j, float *x, float *y)
{
    *x = (float)f->area.x + ((float)i + .5f) * (float)f->step_px;
    *y = (float)f->area.y + ((float)j + .5f) * (float)f->step_px;
}

static float cross(const float a[2], const float b[2], float x, float y)
{
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
}

/* Displacement (target to source) at the nodes inside one triangle. */
static void fill_triangle(struct render_field *f, const struct render_geometry *g,
                          const uint16_t t[3])
{
    const float *a = g->to[t[0]], *b = g->to[t[1]], *c = g->to[t[2]];
    float area = cross(a, b, c[0], c[1]);
    if (area * g->orientation <= 0)
        return; /* its back is to the camera */
    float step = (float)f->step_px, ox = (float)f->area.x, oy = (float)f->area.y;
    float x0 = fminf(a[0], fminf(b[0], c[0])), x1 = fmaxf(a[0], fmaxf(b[0], c[0]));
    float y0 = fminf(a[1], fminf(b[1], c[1])), y1 = fmaxf(a[1], fmaxf(b[1], c[1]));
    int i0 = (int)fmaxf(0, ceilf((x0 - ox) / step - .5f));
    int j0 = (int)fmaxf(0, ceilf((y0 - oy) / step - .5f));
    int i1 = (int)fminf((float)(f->w - 1), floorf((x1 - ox) / step - .5f));
    int j1 = (int)fminf((float)(f->h - 1), floorf((y1 - oy) / step - .5f));
    for (int j = j0; j <= j1; j++)
        for (int i = i0; i <= i1; i++) {
            float x, y, d[2];
            node_to_img(f, i, j, &x, &y);
            float wa = cross(b, c, x, y) / area, wb = cross(c, a, x, y) / area, wc = 1 - wa - wb;
            if (wa < -1e-4f || wb < -1e-4f || wc < -1e-4f)
                continue;
            for (int k = 0; k < 2; k++)
                d[k] = wa * (g->from[t[0]][k] - a[k]) + wb * (g->from[t[1]][k] - b[k]) +
                       wc * (g->from[t[2]][k] - c[k]);
            size_t n = (size_t)j * (size_t)f->w + (size_t)i;
            f->plane[FIELD_DX][n] = d[0];
            f->plane[FIELD_DY][n] = d[1];
            f->inside[n] = 1;
        }
}

/* The triangles of the moving part: those that reach below the height of the nose bridge's foot. */
static void fill_mesh(struct render_field *f, const struct render_mesh *mesh,
                      const struct render_geometry *g)
{
    float limit = g->canon_y[4] - .25f;
    for (size_t t = 0; t < mesh->n_triangles; t++) {
        const uint16_t *v = mesh->triangles[t];
        if (g->canon_y[v[0]] > limit || g->canon_y[v[1]] > limit || g->canon_y[v[2]] > limit)
            fill_triangle(f, g, v);
    }
}

/* One displacement plane beyond the mesh: normalised convolution, a narrow one where it reaches and
 * a wide one further out, fading to nothing at `REACH`. */
static void extend_plane(struct render_field *f, float *plane, const float *distance,
                         const float *weight_near, const float *weight_far, float sigma)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    float *near = f->work[0], *scratch = f->work[2];
    float *far = f->plane[FIELD_MOUTH]; /* not in use yet */
    for (size_t i = 0; i < n; i++)
        near[i] = f->inside[i] ? plane[i] : 0;
    memcpy(far, near, n * sizeof *far);
    image_blur(near, f->w, f->h, sigma, scratch);
    image_blur(far, f->w, f->h, 2.5f * sigma, scratch);
    for (size_t i = 0; i < n; i++) {
        if (f->inside[i])
            continue;
        float weight = weight_near[i] + 1e-3f * weight_far[i];
        float fade = 1 - image_smoothstep(0, .55f, distance[i]);
        plane[i] = weight > 1e-7f ? (near[i] + 1e-3f * far[i]) / weight * fade : 0;
    }
}

/* Distances (IOD) from the mesh (outside of it) into FIELD_SKIN. */
static void extend(struct render_field *f, float iod_nodes)
{
    size_t n = (size_t)f->w * (size_t)f->h;
    float *distance = f->plane[FIELD_SKIN], *near = f->plane[FIELD_LIP], *far = f->work[1];
    image_distance(f->inside, f->w, f->h, distance, f->work[2]);
    float sigma = .12f * iod_nodes;
    for (size_t i = 0; i < n; i++) {
        distance[i] /= iod_nodes;
        near[i] = far[i] = f->inside[i];
    }
    image_blur(near, f->w, f->h, sigma, f->work[2]);
    image_blur(far, f->w, f->h, 2.5f * sigma, f->work[2]);
    for (int p = FIELD_DX; p <= FIELD_DY; p++) {
        extend_plane(f, f->plane[p], distance, near, far, sigma);
        image_blur(f->plane[p], f->w, f->h, .03f * iod_nodes, f->work[2]); /* the join */
    }
}

/* Nothing above the base of the nose moves; then the layer's mask from how far things move. */
static void gate(struct render_field *f, const struct render_geometry *g)
{
    float y2 = g->canon_y[2];
    for (int j = 0; j < f->h; j++)
        for (int i = 0; i < f->w; i++) {
            float x, y, cx, cy;
            size_t n = (size_t)j * (size_t)f->w + (size_t)i;
            node_to_img(f, i, j, &x, &y);
            render_canon_of(g, x, y, &cx, &cy);
            float w = image_smoothstep(y2 - .05f, y2 + .10f, cy);
            float dx = f->plane[FIELD_DX][n] *= w, dy = f->plane[FIELD_DY][n] *= w;
            f->plane[FIELD_SKIN][n] = image_smoothstep(.02f, .3f, sqrtf(dx * dx + dy * dy));
        }
}

static float segment_distance2(const float a[2], const float b[2], float x, float y)
{
    float vx = b[0] - a[0], vy = b[1] - a[1], px = x - a[0], py = y - a[1];
    float len2 = vx * vx + vy * vy, t = len2 > 0 ? (px * vx + py * vy) / len2 : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    float dx = px - t * vx, dy = py - t * vy;
    return dx * dx + dy * dy;
}

/* Distance in pixels to a polygon, 0 inside it (non-zero winding). */
static float polygon_distance(const float (*points)[2], int n, float x, float y)
{
    float best = INFINITY;
    int winding = 0;
    for (int i = 0; i < n; i++) {
        const float *a = points[i], *b = points[i + 1 < n ? i + 1 : 0];
        float d = segment_distance2(a, b, x, y);
        best = d < best ? d : best;
        if ((a[1] <= y) != (b[1] <= y)) {
            float at = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            if (at > x)
                winding += b[1] > a[1] ? 1 : -1;
        }
    }
    return winding ? 0 : sqrtf(best);
}

/* Convex hull, Andrew's monotone chain; ret_hull has room for 2 * n. Returns its size. */
static int hull(float (*p)[2], int n, float (*ret_hull)[2])
{
    for (int i = 1; i < n; i++) /* sorted by x, then y */
        for (int j = i;
             j > 0 && (p[j][0] < p[j - 1][0] || (p[j][0] == p[j - 1][0] && p[j][1] < p[j - 1][1]));
             j--)
            for (int k = 0; k < 2; k++) {
                float t = p[j][k];
                p[j][k] = p[j - 1][k];
                p[j - 1][k] = t;
            }
    int m = 0;
    for (int pass = 0; pass < 2; pass++) {
        int base = m;
        for (int i = 0; i < n; i++) {
            const float *q = p[pass ? n - 1 - i : i];
            while (m >= base + 2 && cross(ret_hull[m - 2], ret_hull[m - 1], q[0], q[1]) <= 0)
                m--;
            memcpy(ret_hull[m++], q, 2 * sizeof(float));
        }
        m--; /* the last point begins the other chain */
    }
    return m;
}

/* Where the mouth layer covers: full near the lips, nothing on the nose and off the face. */
static void mouth_masks(struct render_field *f, const struct render_geometry *g, float iod_nodes)
{
    float lips[RENDER_OUTER_N][2], points[RENDER_NOSE_N][2], nose[2 * RENDER_NOSE_N][2];
    for (int i = 0; i < RENDER_OUTER_N; i++)
        memcpy(lips[i], g->to[render_lips[i]], sizeof lips[i]);
    for (int i = 0; i < RENDER_NOSE_N; i++)
        memcpy(points[i], g->to[render_nose[i]], sizeof points[i]);
    int n_nose = hull(points, RENDER_NOSE_N, nose);
    size_t n = (size_t)f->w * (size_t)f->h;
    for (size_t i = 0; i < n; i++)
        f->inside[i] = !f->inside[i];
    float *depth = f->work[0];
    image_distance(f->inside, f->w, f->h, depth, f->work[2]);
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY, iod = g->scale_px;
    for (int i = 0; i < RENDER_OUTER_N; i++) {
        x0 = fminf(x0, lips[i][0]), x1 = fmaxf(x1, lips[i][0]);
        y0 = fminf(y0, lips[i][1]), y1 = fmaxf(y1, lips[i][1]);
    }
    float reach = (MOUTH_OUT + .1f) * iod;
    for (int j = 0; j < f->h; j++)
        for (int i = 0; i < f->w; i++) {
            float x, y, cx, cy;
            size_t at = (size_t)j * (size_t)f->w + (size_t)i;
            node_to_img(f, i, j, &x, &y);
            f->plane[FIELD_LIP][at] = 1;
            f->plane[FIELD_MOUTH][at] = 0;
            if (x < x0 - reach || x > x1 + reach || y < y0 - reach || y > y1 + reach)
                continue;
            float d = polygon_distance((const float(*)[2])lips, RENDER_OUTER_N, x, y) / iod;
            f->plane[FIELD_LIP][at] = d;
            if (d >= MOUTH_OUT || f->inside[at])
                continue;
            render_canon_of(g, x, y, &cx, &cy);
            float to_nose = polygon_distance((const float(*)[2])nose, n_nose, x, y) / iod;
            f->plane[FIELD_MOUTH][at] =
                (1 - image_smoothstep(MOUTH_IN, MOUTH_OUT, d)) *
                image_smoothstep(0, .07f, to_nose) *
                image_smoothstep(0, .10f, depth[at] / iod_nodes) *
                image_smoothstep(g->canon_y[2] - .02f, g->canon_y[2] + .05f, cy);
        }
}

int render_field_make(struct render_field *f, const struct render_mesh *mesh,
                      const struct data_frame *frame, const struct render_geometry *g)
{
    place(f, frame, g);
    if (f->w < 1 || f->h < 1)
        return 0;
    int status = reserve(f);
    if (status < 0)
        return status;
    float iod_nodes = g->scale_px / (float)f->step_px;
    fill_mesh(f, mesh, g);
    extend(f, iod_nodes);
    gate(f, g);
    mouth_masks(f, g, iod_nodes);
    return 0;
}

struct data_rect render_field_bounds(const struct render_field *f, const struct data_frame *frame)
{
    int i0 = f->w, j0 = f->h, i1 = -1, j1 = -1;
    for (int j = 0; j < f->h; j++)
        for (int i = 0; i < f->w; i++) {
            size_t at = (size_t)j * (size_t)f->w + (size_t)i;
            if (!(f->plane[FIELD_SKIN][at] > 0 || f->plane[FIELD_MOUTH][at] > 0))
                continue;
            i0 = i < i0 ? i : i0;
            i1 = i > i1 ? i : i1;
            j0 = j < j0 ? j : j0;
            j1 = j > j1 ? j : j1;
        }
    if (i1 < 0)
        return (struct data_rect){0, 0, 0, 0};
    /* a mask reaches one node beyond its last; whole chroma cells, so that no cell is cut */
    int x0 = (f->area.x + (i0 - 1) * f->step_px) & ~3,
        y0 = (f->area.y + (j0 - 1) * f->step_px) & ~3;
    int x1 = (f->area.x + (i1 + 2) * f->step_px + 3) & ~3;
    int y1 = (f->area.y + (j1 + 2) * f->step_px + 3) & ~3;
    x0 = x0 < 0 ? 0 : x0;
    y0 = y0 < 0 ? 0 : y0;
    x1 = x1 > frame->width_px ? frame->width_px : x1;
    y1 = y1 > frame->height_px ? frame->height_px : y1;
    return (struct data_rect){x0, y0, x1 - x0, y1 - y0};
}

void render_field_line(const struct render_field *f, int x0, int y, int n, float *column,
                       float *const ret[FIELD_N])
{
    float step = (float)f->step_px;
    float v = ((float)(y - f->area.y) + .5f) / step - .5f;
    v = v < 0 ? 0 : v > (float)(f->h - 1) ? (float)(f->h - 1) : v;
    int j = (int)v, j1 = j + (j + 1 < f->h);
    float wv = v - (float)j;
    size_t w = (size_t)f->w;
    for (int p = 0; p < FIELD_N; p++) {
        const float *a = f->plane[p] + (size_t)j * w, *b = f->plane[p] + (size_t)j1 * w;
        for (size_t i = 0; i < w; i++)
            column[(size_t)p * w + i] = a[i] + wv * (b[i] - a[i]);
    }
    for (int x = 0; x < n; x++) {
        float u = ((float)(x0 + x - f->area.x) + .5f) / step - .5f;
        u = u < 0 ? 0 : u > (float)(f->w - 1) ? (float)(f->w - 1) : u;
        int i = (int)u, i1 = i + (i + 1 < f->w);
        float wu = u - (float)i;
        for (int p = 0; p < FIELD_N; p++) {
            const float *line = column + (size_t)p * w;
            ret[p][x] = line[i] + wu * (line[i1] - line[i]);
        }
    }
}
