/* SPDX-License-Identifier: MIT
 *
 * The exact piecewise affine map of the mesh over the mouth: for every target pixel its place in
 * the source. Each place is clamped to its source triangle's bounding box, and triangles that turn
 * over are left out: both would else shoot isolated pixels at the corners of the mouth. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

int render_map_resize(struct render_map *map, struct data_rect box)
{
    size_t n = (size_t)box.w * (size_t)box.h;
    if (n > map->cap) {
        float(*at)[2] = base_alloc_array(n + n / 4, sizeof *at);
        if (!at)
            return LIP_ERR_NOMEM;
        base_free(map->at);
        map->at = at;
        map->cap = n + n / 4;
    }
    map->box = box;
    return 0;
}

void render_map_free(struct render_map *map)
{
    base_free(map->at);
    *map = (struct render_map){0};
}

static float cross(const float a[2], const float b[2], const float c[2])
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

static float clamp(float v, float lo, float hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

struct triangle {
    float to[3][2], source[3][2];
    float area;
    float lo[2], hi[2]; /* of the source */
};

/* One triangle over the pixels of its box; the weights of the corners are affine in x and y. */
static void fill(struct render_map *map, const struct triangle *t)
{
    const float(*q)[2] = t->to;
    float x0 = fminf(q[0][0], fminf(q[1][0], q[2][0])),
          x1 = fmaxf(q[0][0], fmaxf(q[1][0], q[2][0]));
    float y0 = fminf(q[0][1], fminf(q[1][1], q[2][1])),
          y1 = fmaxf(q[0][1], fmaxf(q[1][1], q[2][1]));
    int i0 = (int)fmaxf(0, ceilf(x0 - (float)map->box.x - .5f));
    int j0 = (int)fmaxf(0, ceilf(y0 - (float)map->box.y - .5f));
    int i1 = (int)fminf((float)(map->box.w - 1), floorf(x1 - (float)map->box.x - .5f));
    int j1 = (int)fminf((float)(map->box.h - 1), floorf(y1 - (float)map->box.y - .5f));
    float inv = 1 / t->area;
    for (int j = j0; j <= j1; j++)
        for (int i = i0; i <= i1; i++) {
            float p[2] = {(float)(map->box.x + i) + .5f, (float)(map->box.y + j) + .5f};
            float a = cross(q[1], q[2], p) * inv, b = cross(q[2], q[0], p) * inv, c = 1 - a - b;
            if (a < -1e-4f || b < -1e-4f || c < -1e-4f)
                continue;
            float *at = map->at[(size_t)j * (size_t)map->box.w + (size_t)i];
            for (int k = 0; k < 2; k++)
                at[k] = clamp(a * t->source[0][k] + b * t->source[1][k] + c * t->source[2][k],
                              t->lo[k], t->hi[k]);
        }
}

/* Places that no triangle gave (outside the mesh, or turned over) take those of their neighbours,
 * line by line, moving along with them. */
static void fill_holes(struct render_map *map)
{
    for (int j = 0; j < map->box.h; j++) {
        float(*line)[2] = map->at + (size_t)j * (size_t)map->box.w;
        int last = -1;
        for (int i = 0; i <= map->box.w; i++) {
            if (i < map->box.w && isnan(line[i][0]))
                continue;
            for (int k = last + 1; k < i; k++) {
                if (last < 0 && i >= map->box.w)
                    break; /* nothing known in this line */
                float t = (float)(k - last) / (float)(i - last);
                for (int c = 0; c < 2; c++)
                    line[k][c] = last < 0 ? line[i][c] - (c ? 0 : (float)(i - k))
                                 : i >= map->box.w
                                     ? line[last][c] + (c ? 0 : (float)(k - last))
                                     : line[last][c] + t * (line[i][c] - line[last][c]);
            }
            last = i;
        }
    }
}

void render_map_mesh(struct render_map *map, const struct render_mesh *mesh,
                     const struct render_geometry *g, const float source[][2])
{
    size_t n = (size_t)map->box.w * (size_t)map->box.h;
    for (size_t i = 0; i < n; i++)
        map->at[i][0] = map->at[i][1] = NAN;
    float x0 = (float)map->box.x, x1 = x0 + (float)map->box.w;
    float y0 = (float)map->box.y, y1 = y0 + (float)map->box.h;
    for (size_t i = 0; i < mesh->n_triangles; i++) {
        struct triangle t = {.lo = {INFINITY, INFINITY}, .hi = {-INFINITY, -INFINITY}};
        bool left = true, right = true, above = true, below = true;
        for (int k = 0; k < 3; k++) {
            int v = mesh->triangles[i][k];
            memcpy(t.to[k], g->to[v], sizeof t.to[k]);
            memcpy(t.source[k], source[v], sizeof t.source[k]);
            for (int c = 0; c < 2; c++) {
                t.lo[c] = fminf(t.lo[c], source[v][c]);
                t.hi[c] = fmaxf(t.hi[c], source[v][c]);
            }
            left &= t.to[k][0]<x0, right &= t.to[k][0]> x1;
            above &= t.to[k][1]<y0, below &= t.to[k][1]> y1;
        }
        t.area = cross(t.to[0], t.to[1], t.to[2]);
        float from_area = cross(t.source[0], t.source[1], t.source[2]);
        if (left || right || above || below || !(t.area * g->orientation > 1e-3f) ||
            !(from_area * g->orientation > -1e-3f))
            continue;
        fill(map, &t);
    }
    fill_holes(map);
}
