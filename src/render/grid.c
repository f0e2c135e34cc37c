/* SPDX-License-Identifier: MIT
 *
 * The grid of looks on the mesh: which triangle each cell lies in, and the look of one frame. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define CROP_PER_IOD 40.f /* pixels: two a cell */
#define CROP_SIDE_MAX 160
#define LIPS_REACH 2.6f  /* cells around the outer lip line that count as the mouth */
#define EDGE_CELLS 2     /* along the outline the background shines in */

static float cross2(const float a[2], const float b[2], const float c[2])
{
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

static bool is_between_lips(const uint16_t t[3])
{
    int n = 0;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < RENDER_COLUMNS; i++)
            if (render_upper[i] == t[k] || render_lower[i] == t[k]) {
                n++;
                break;
            }
    return n == 3;
}

/* Cells of one triangle, where it is nearer to the viewer than what was there. */
static void fill(struct render_grid *g, const struct render_mesh *mesh, const uint16_t t[3],
                 float depth[DATA_LOOK_CELLS])
{
    const float *a = g->vertex[t[0]], *b = g->vertex[t[1]], *c = g->vertex[t[2]];
    float area = cross2(a, b, c);
    if (!(area * mesh->front > 1e-4f) || is_between_lips(t))
        return;
    for (int j = 0; j < DATA_LOOK_ROWS; j++)
        for (int i = 0; i < DATA_LOOK_COLS; i++) {
            float p[2] = {(float)i + .5f, (float)j + .5f}, w[3];
            w[0] = cross2(b, c, p) / area;
            w[1] = cross2(c, a, p) / area;
            w[2] = 1 - w[0] - w[1];
            if (w[0] < 0 || w[1] < 0 || w[2] < 0)
                continue;
            int at = j * DATA_LOOK_COLS + i;
            float z = 0;
            for (int k = 0; k < 3; k++)
                z += w[k] * mesh->vertices[t[k]][2];
            if (g->kind[at] != RENDER_CELL_NONE && z <= depth[at])
                continue;
            depth[at] = z;
            g->kind[at] = RENDER_CELL_FACE;
            memcpy(g->point[at], t, sizeof g->point[at]);
            memcpy(g->weight[at], w, sizeof g->weight[at]);
        }
}

static float lip_distance(const struct render_grid *g, float x, float y)
{
    float best = INFINITY;
    int winding = 0;
    for (int i = 0; i < RENDER_OUTER_N; i++) {
        const float *a = g->vertex[render_lips[i]];
        const float *b = g->vertex[render_lips[(i + 1) % RENDER_OUTER_N]];
        float vx = b[0] - a[0], vy = b[1] - a[1], len2 = vx * vx + vy * vy;
        float t = len2 > 0 ? ((x - a[0]) * vx + (y - a[1]) * vy) / len2 : 0;
        t = fminf(fmaxf(t, 0), 1);
        best = fminf(best, hypotf(x - a[0] - t * vx, y - a[1] - t * vy));
        if ((a[1] <= y) != (b[1] <= y) && a[0] + (y - a[1]) / (b[1] - a[1]) * vx > x)
            winding += b[1] > a[1] ? 1 : -1;
    }
    return winding ? 0 : best;
}

static bool near_nothing(const struct render_grid *g, int i, int j)
{
    for (int y = j - EDGE_CELLS; y <= j + EDGE_CELLS; y++)
        for (int x = i - EDGE_CELLS; x <= i + EDGE_CELLS; x++)
            if (y < DATA_LOOK_ROWS && (x < 0 || x >= DATA_LOOK_COLS ||
                                    (y >= 0 && !g->kind[y * DATA_LOOK_COLS + x])))
                return true;
    return false;
}

void render_grid_make(struct render_mesh *mesh)
{
    struct render_grid *g = &mesh->grid;
    float depth[DATA_LOOK_CELLS] = {0};
    float cell = (mesh->vertices[263][0] - mesh->vertices[33][0]) / DATA_LOOK_PER_IOD;
    memset(g, 0, sizeof *g);
    if (!(fabsf(cell) > 1e-3f))
        return; /* a geometry without eyes: nothing is ever in front */
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        g->vertex[v][0] = mesh->vertices[v][0] / cell + .5f * DATA_LOOK_COLS;
        g->vertex[v][1] = DATA_LOOK_ABOVE - (mesh->vertices[v][1] - mesh->vertices[2][1]) / cell;
    }
    for (size_t t = 0; t < mesh->n_triangles; t++)
        fill(g, mesh, mesh->triangles[t], depth);
    for (int j = 0; j < DATA_LOOK_ROWS; j++)
        for (int i = 0; i < DATA_LOOK_COLS; i++) {
            uint8_t *kind = &g->kind[j * DATA_LOOK_COLS + i];
            if (!*kind)
                continue;
            if (lip_distance(g, (float)i + .5f, (float)j + .5f) < LIPS_REACH)
                *kind = RENDER_CELL_MOUTH;
            else if (near_nothing(g, i, j))
                *kind = RENDER_CELL_EDGE;
        }
}

/* Where the grid lies in the frame, as a small upright crop. */
static struct image_crop crop_of(const struct data_film *film, const struct render_grid *g,
                                 const float points[DATA_FACE_POINTS][3],
                                 struct data_affine *ret_disp_from_out)
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY, iod = 0;
    for (int c = 0; c < DATA_LOOK_CELLS; c++)
        for (int k = 0; g->kind[c] && k < 3; k++) {
            const float *p = points[g->point[c][k]];
            x0 = fminf(x0, p[0]), x1 = fmaxf(x1, p[0]);
            y0 = fminf(y0, p[1]), y1 = fmaxf(y1, p[1]);
        }
    for (int k = 0; k < 3; k++)
        iod += (points[33][k] - points[263][k]) * (points[33][k] - points[263][k]);
    float step = fmaxf(sqrtf(iod) / CROP_PER_IOD, 1e-3f);
    step = fmaxf(step, fmaxf(x1 - x0, y1 - y0) / (CROP_SIDE_MAX - 4));
    *ret_disp_from_out = (struct data_affine){{step, 0, x0 - step, 0, step, y0 - step}};
    return (struct image_crop){
        .w = (int)((x1 - x0) / step) + 3, .h = (int)((y1 - y0) / step) + 3, .scale = 255,
        .img_from_out = image_affine_multiply(film->img_from_disp, *ret_disp_from_out)};
}

static bool place_cell(const struct render_mesh *mesh, const struct data_film *film, int cell,
                       const float points[DATA_FACE_POINTS][3], float ret[2])
{
    const struct render_grid *g = &mesh->grid;
    const float *p[3];
    ret[0] = ret[1] = 0;
    for (int k = 0; k < 3; k++) {
        p[k] = points[g->point[cell][k]];
        ret[0] += g->weight[cell][k] * p[k][0];
        ret[1] += g->weight[cell][k] * p[k][1];
    }
    return cross2(p[0], p[1], p[2]) * mesh->front > 0 && ret[0] >= 0 && ret[1] >= 0 &&
           ret[0] <= (float)film->disp_width_px && ret[1] <= (float)film->disp_height_px;
}

static uint8_t to_byte(float v, int least)
{
    return (uint8_t)(v < (float)least ? least : v > 255 ? 255 : (int)(v + .5f));
}

/* Cells and blocks from the crop. */
static void take(const struct render_mesh *mesh, const struct data_film *film,
                 const float points[DATA_FACE_POINTS][3], const struct image_crop *crop,
                 const struct data_affine *disp_from_out, const float *rgb, struct data_look *look)
{
    float blue[DATA_LOOK_BLOCKS] = {0}, red[DATA_LOOK_BLOCKS] = {0};
    float step = (float)disp_from_out->m[0];
    int n[DATA_LOOK_BLOCKS] = {0};
    for (int c = 0; c < DATA_LOOK_CELLS; c++) {
        float at[2], sum[3] = {0};
        if (!mesh->grid.kind[c] || !place_cell(mesh, film, c, points, at))
            continue;
        float x = (at[0] - (float)disp_from_out->m[2]) / step - .5f;
        float y = (at[1] - (float)disp_from_out->m[5]) / step - .5f;
        x = fminf(fmaxf(x, 0), (float)(crop->w - 2));
        y = fminf(fmaxf(y, 0), (float)(crop->h - 2));
        int ix = (int)x, iy = (int)y;
        float wx = x - (float)ix, wy = y - (float)iy;
        for (int k = 0; k < 4; k++) {
            const float *px = rgb + 3 * ((iy + (k >> 1)) * crop->w + ix + (k & 1));
            float w = (k & 1 ? wx : 1 - wx) * (k >> 1 ? wy : 1 - wy);
            for (int p = 0; p < 3; p++)
                sum[p] += w * px[p];
        }
        float grey = .299f * sum[0] + .587f * sum[1] + .114f * sum[2];
        int block = c / DATA_LOOK_COLS / 2 * (DATA_LOOK_COLS / 2) + c % DATA_LOOK_COLS / 2;
        look->grey[c / DATA_LOOK_COLS][c % DATA_LOOK_COLS] = to_byte(grey, 1);
        blue[block] += .564f * (sum[2] - grey);
        red[block] += .713f * (sum[0] - grey);
        n[block]++;
    }
    for (int b = 0; b < DATA_LOOK_BLOCKS; b++) {
        float by = n[b] ? 1 / (float)n[b] : 0;
        (&look->blue[0][0])[b] = to_byte(128 + by * blue[b], 0);
        (&look->red[0][0])[b] = to_byte(128 + by * red[b], 0);
    }
}

int render_cover_look(const struct render_mesh *mesh, const struct data_film *film,
                      const struct data_frame *frame, const float points[DATA_FACE_POINTS][3],
                      struct data_look *ret_look)
{
    struct data_look look;
    struct data_affine disp_from_out;
    memset(&look, 0, sizeof look);
    for (int v = 0; v < DATA_FACE_POINTS; v++)
        for (int k = 0; k < 3; k++)
            if (!(fabsf(points[v][k]) < 1e6f)) {
                *ret_look = look;
                return 0;
            }
    struct image_crop crop = crop_of(film, &mesh->grid, points, &disp_from_out);
    if (!(crop.w >= 3 && crop.h >= 3)) {
        *ret_look = look;
        return 0;
    }
    float *rgb = base_alloc_array((size_t)crop.w * (size_t)crop.h, 3 * sizeof *rgb);
    if (!rgb)
        return LIP_ERR_NOMEM;
    int status = image_crop_frame(frame, &crop, rgb);
    if (!status) {
        take(mesh, film, points, &crop, &disp_from_out, rgb, &look);
        *ret_look = look;
    }
    base_free(rgb);
    return status;
}
