/* SPDX-License-Identifier: MIT
 *
 * The wish as points of the frame. Eyes, nose and upper cheeks keep the frame's own raw points;
 * lips, chin and jaw follow the wish; in between the two are mixed by the height on the face. */
#include <stdlib.h>

#include "render/parts.h"

#define TEETH_DEPTH .03f /* IOD behind the inner lips */

static const uint16_t inner_pairs[9][2] = {{191, 95},  {80, 88},   {81, 178},  {82, 87},  {13, 14},
                                           {312, 317}, {311, 402}, {310, 318}, {415, 324}};

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float render_median(float *v, size_t n)
{
    if (n)
        qsort(v, n, sizeof *v, compare_floats);
    return n ? v[n / 2] : 0;
}

float render_opening(const float p[DATA_FACE_POINTS][3])
{
    static const uint16_t pairs[3][2] = {{13, 14}, {82, 87}, {312, 317}};
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        const float *a = p[pairs[i][0]], *b = p[pairs[i][1]];
        float dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
        sum += sqrtf(dx * dx + dy * dy + dz * dz);
    }
    return sum / 3;
}

void render_lip_difference(const float a[DATA_FACE_POINTS][3], const float b[DATA_FACE_POINTS][3],
                           float *ret_rms, float *ret_max)
{
    float sum = 0, max = 0;
    for (int i = 0; i < RENDER_LIPS_N; i++) {
        int p = render_lips[i];
        float dx = a[p][0] - b[p][0], dy = a[p][1] - b[p][1], d2 = dx * dx + dy * dy;
        sum += d2;
        max = fmaxf(max, d2);
    }
    *ret_rms = sqrtf(sum / RENDER_LIPS_N);
    *ret_max = sqrtf(max);
}

float render_pixel_scale(const struct data_film *film)
{
    const double *m = film->img_from_disp.m;
    return (float)sqrt(fabs(m[0] * m[4] - m[1] * m[3]));
}

/* Lips that nearly meet shall meet, else a dotted line of teeth shows between them. */
static float nearness(float opening)
{
    return 1 - image_smoothstep(.008f, .022f, opening);
}

float render_drawn_opening(const float wish[DATA_FACE_POINTS][3])
{
    float opening = render_opening(wish);
    return opening * (1 - nearness(opening));
}

/* Lips that cross meet in the middle. */
static void snap_closure(float wish[DATA_MESH_POINTS][3], float opening)
{
    float near = nearness(opening);
    for (int i = 0; i < 9; i++) {
        float *a = wish[inner_pairs[i][0]], *b = wish[inner_pairs[i][1]];
        float f = b[1] < a[1] ? 1 : near;
        for (int k = 0; k < 3; k++) {
            float middle = .5f * (a[k] + b[k]);
            a[k] += f * (middle - a[k]);
            b[k] += f * (middle - b[k]);
        }
    }
}

static void to_img(const struct data_film *film, float x, float y, float ret[2])
{
    double rx, ry;
    image_affine_apply(&film->img_from_disp, x, y, &rx, &ry);
    ret[0] = (float)rx;
    ret[1] = (float)ry;
}

static void pose_apply(const struct data_face_geom *geom, const float p[3], float *ret_x,
                       float *ret_y)
{
    const float *r = geom->rot;
    *ret_x = geom->scale * (r[0] * p[0] + r[1] * p[1] + r[2] * p[2]) + geom->trans[0];
    *ret_y = geom->scale * (r[3] * p[0] + r[4] * p[1] + r[5] * p[2]) + geom->trans[1];
}

static bool is_nose(int v)
{
    for (int i = 0; i < RENDER_NOSE_N; i++)
        if (render_nose[i] == v)
            return true;
    return false;
}

/* CANON axes as they appear in IMG, and the nose base as the common origin. */
static void make_axes(const struct data_film *film, const struct data_face_geom *geom,
                      const struct data_person *person, struct render_geometry *g)
{
    const double *m = film->img_from_disp.m;
    for (int k = 0; k < 2; k++) {
        double dx = geom->scale * geom->rot[k], dy = geom->scale * geom->rot[3 + k];
        float *axis = k ? g->axis_y : g->axis_x;
        axis[0] = (float)(m[0] * dx + m[1] * dy);
        axis[1] = (float)(m[3] * dx + m[4] * dy);
    }
    memcpy(g->origin, g->from[2], sizeof g->origin);
    g->origin_canon[0] = person->canon[2][0];
    g->origin_canon[1] = person->canon[2][1];
    float rest[3], x, y;
    for (int k = 0; k < 3; k++)
        rest[k] = .5f * (person->rest[13][k] + person->rest[14][k]);
    pose_apply(geom, rest, &x, &y);
    to_img(film, x, y, g->stomion);
    g->scale_px = geom->scale * render_pixel_scale(film);
    float teeth[3] = {0, 0, rest[2] + TEETH_DEPTH};
    pose_apply(geom, teeth, &x, &y);
    float at[2];
    to_img(film, x, y, at);
    for (int c = 0; c < 2; c++) {
        g->teeth.m[c][0] = g->axis_x[c];
        g->teeth.m[c][1] = g->axis_y[c];
        g->teeth.m[c][2] = at[c];
    }
    g->teeth_z = teeth[2];
}

void render_geometry_make(const struct render_mesh *mesh, const struct data_film *film,
                          const struct data_person *person, const struct data_face_geom *geom,
                          const float wish[DATA_FACE_POINTS][3], struct render_geometry *g)
{
    float p[DATA_MESH_POINTS][3];
    memcpy(p, wish, sizeof p);
    g->opening = render_opening(wish);
    g->opening_own = render_opening(geom->canon);
    snap_closure(p, g->opening);
    float y_low = person->canon[2][1];
    float y_high = fmaxf(person->canon[0][1] - .03f, y_low + .05f);
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        float w = is_nose(v) ? 0 : image_smoothstep(y_low, y_high, person->canon[v][1]);
        float x, y;
        pose_apply(geom, p[v], &x, &y);
        x = geom->disp[v][0] + w * (x - geom->disp[v][0]);
        y = geom->disp[v][1] + w * (y - geom->disp[v][1]);
        to_img(film, geom->disp[v][0], geom->disp[v][1], g->from[v]);
        to_img(film, x, y, g->to[v]);
        g->canon_y[v] = person->canon[v][1];
    }
    make_axes(film, geom, person, g);
    const double *m = film->img_from_disp.m;
    g->orientation = m[0] * m[4] - m[1] * m[3] < 0 ? -mesh->front : mesh->front;
}

void render_canon_of(const struct render_geometry *g, float x, float y, float *ret_x, float *ret_y)
{
    float dx = x - g->origin[0], dy = y - g->origin[1];
    float det = g->axis_x[0] * g->axis_y[1] - g->axis_x[1] * g->axis_y[0];
    /* a face seen from the side: the plane of the face is thin; keep the map bounded */
    float least = .1f * g->scale_px * g->scale_px;
    if (fabsf(det) < least)
        det = det < 0 ? -least : least;
    *ret_x = g->origin_canon[0] + (dx * g->axis_y[1] - dy * g->axis_y[0]) / det;
    *ret_y = g->origin_canon[1] + (dy * g->axis_x[0] - dx * g->axis_x[1]) / det;
}
