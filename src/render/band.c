/* SPDX-License-Identifier: MIT
 *
 * The low band of the mouth. One source gives the fine detail; colour and shading, which differ a
 * little from moment to moment, are the mean of the sources that fit, each warped to the same
 * shape: nearer to the truth than any one of them, and calm when the walk jumps. All of it on a
 * coarse grid, as a difference to the one source's own low band. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define SIGMA .013f /* IOD: what is coarser belongs to the low band */
#define OWN .1f     /* share of the source that gives the detail */
#define LEAST .02f  /* a smaller share is not worth its time */

void render_band_free(struct render_band *b)
{
    render_map_free(&b->map);
    render_pixels_free(&b->source);
    render_pixels_free(&b->layer);
    render_pixels_free(&b->sum);
    base_free(b->planes);
    *b = (struct render_band){0};
}

static int reserve(struct render_band *b, struct data_rect box)
{
    size_t n = (size_t)box.w * (size_t)box.h;
    int status = render_map_resize(&b->map, box);
    if (status == 0)
        status = render_pixels_resize(&b->layer, box.w, box.h);
    if (status == 0)
        status = render_pixels_resize(&b->sum, box.w, box.h);
    if (status < 0 || 4 * n <= b->cap)
        return status;
    float *planes = base_alloc_array(n + n / 4, 4 * sizeof *planes);
    if (!planes)
        return LIP_ERR_NOMEM;
    base_free(b->planes);
    b->planes = planes;
    b->cap = 4 * (n + n / 4);
    return 0;
}

/* The same wish on pixels that are `step` wide, the box's corner at 0. */
static void make_coarse(const struct render_geometry *g, struct data_rect box, float step,
                        struct render_geometry *ret)
{
    float corner[2] = {(float)box.x, (float)box.y};
    *ret = *g;
    ret->scale_px = g->scale_px / step;
    for (int k = 0; k < 2; k++) {
        for (int v = 0; v < DATA_MESH_POINTS; v++)
            ret->to[v][k] = (g->to[v][k] - corner[k]) / step;
        ret->teeth.m[k][0] = g->teeth.m[k][0] / step;
        ret->teeth.m[k][1] = g->teeth.m[k][1] / step;
        ret->teeth.m[k][2] = (g->teeth.m[k][2] - corner[k]) / step;
    }
}

/* A bank entry at a step-th of its size, each pixel the mean of those it covers. */
static int load_small(const struct data_bank_entry *e, int step, struct render_pixels *ret)
{
    int w = (e->width_px + step - 1) / step, h = (e->height_px + step - 1) / step;
    int status = render_pixels_resize(ret, w, h);
    if (status < 0)
        return status;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int x1 = (i + 1) * step < e->width_px ? (i + 1) * step : e->width_px;
            int y1 = (j + 1) * step < e->height_px ? (j + 1) * step : e->height_px;
            uint64_t sum[3] = {0, 0, 0};
            for (int y = j * step; y < y1; y++) {
                const uint16_t *p =
                    e->rgb + 3 * ((size_t)y * (size_t)e->width_px + (size_t)(i * step));
                for (int x = i * step; x < x1; x++, p += 3)
                    for (int c = 0; c < 3; c++)
                        sum[c] += p[c];
            }
            float unit = 1 / (65535 * (float)((x1 - i * step) * (y1 - j * step)));
            ret->px[(size_t)j * (size_t)w + (size_t)i] =
                (render_v4){(float)sum[0] * unit, (float)sum[1] * unit, (float)sum[2] * unit, 0};
        }
    return 0;
}

/* One entry warped to the wish, into band->layer; lane 3 is 1 where there is something, else 0. */
static int draw_small(struct render_band *b, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct data_bank_entry *e,
                      struct data_rect box)
{
    int step = (int)fminf(fmaxf(1, roundf(e->scale_px / g->scale_px)), 4096);
    int status = load_small(e, step, &b->source);
    if (status < 0)
        return status;
    float points[DATA_FACE_POINTS][2];
    for (int v = 0; v < DATA_FACE_POINTS; v++)
        for (int k = 0; k < 2; k++)
            points[v][k] = e->patch_pts[v][k] / (float)step;
    struct render_origin origin = {&b->source, (const float(*)[2])points,
                                   e->scale_px / (float)step, e->opening, e->canon};
    struct render_look look;
    render_look_at(&b->source, origin.scale_px, &look);
    render_map_mesh(&b->map, mesh, g, origin.points);
    size_t n = (size_t)box.w * (size_t)box.h;
    for (size_t i = 0; i < n; i++) {
        const float *at = b->map.at[i];
        b->layer.px[i] = isnan(at[0]) ? (render_v4){0, 0, 0, 0}
                                      : render_pixels_linear(&b->source, at[0], at[1]);
    }
    render_inner_paint(g, &origin, &look, box, b->layer.px);
    for (size_t i = 0; i < n; i++)
        b->layer.px[i][3] = isnan(b->map.at[i][0]) ? 0 : 1;
    return 0;
}

/* Weighted sum of the layers into band->sum, the weights in lane 3; `own` alone into the planes. */
static int sum_layers(struct render_band *b, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct data_bank *bank,
                      const struct render_near *near, int32_t own, struct data_rect box)
{
    size_t n = (size_t)box.w * (size_t)box.h;
    memset(b->sum.px, 0, n * sizeof *b->sum.px);
    for (int k = -1; k < near->n; k++) {
        int32_t entry = k < 0 ? own : near->entry[k];
        float weight = k < 0 ? OWN : (1 - OWN) * near->weight[k];
        if (entry < 0 || (size_t)entry >= bank->n || weight < LEAST)
            continue;
        int status = draw_small(b, mesh, g, &bank->entries[entry], box);
        if (status < 0)
            return status;
        for (size_t i = 0; i < n; i++) {
            for (size_t c = 0; k < 0 && c < 3; c++)
                b->planes[c * n + i] = b->layer.px[i][c];
            b->sum.px[i] += b->layer.px[i] * (weight * b->layer.px[i][3]);
        }
    }
    return 0;
}

int render_band_share(struct render_band *b, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct data_bank *bank,
                      const struct render_near *near, int32_t own, struct data_rect box,
                      render_v4 *out)
{
    if (near->n < 1 || own < 0)
        return 0;
    float sigma_px = SIGMA * g->scale_px;
    int step = (int)fmaxf(1, roundf(1.2f * sigma_px));
    struct data_rect small = {0, 0, (box.w + step - 1) / step, (box.h + step - 1) / step};
    size_t n = (size_t)small.w * (size_t)small.h;
    struct render_geometry coarse;
    make_coarse(g, box, (float)step, &coarse);
    int status = reserve(b, small);
    if (status == 0)
        status = sum_layers(b, mesh, &coarse, bank, near, own, small);
    if (status < 0)
        return status;
    for (size_t c = 0; c < 3; c++) {
        float *plane = b->planes + c * n;
        for (size_t i = 0; i < n; i++) {
            float weight = b->sum.px[i][3];
            plane[i] = weight > 0 ? b->sum.px[i][(int)c] / weight - plane[i] : 0;
        }
        image_blur(plane, small.w, small.h, sigma_px / (float)step, b->planes + 3 * n);
    }
    for (size_t i = 0; i < n; i++)
        b->sum.px[i] = (render_v4){b->planes[i], b->planes[n + i], b->planes[2 * n + i], 0};
    for (int y = 0; y < box.h; y++)
        for (int x = 0; x < box.w; x++)
            out[(size_t)y * (size_t)box.w + (size_t)x] +=
                render_pixels_linear(&b->sum, ((float)x + .5f) / (float)step,
                                     ((float)y + .5f) / (float)step);
    return 0;
}
