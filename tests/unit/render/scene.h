/* SPDX-License-Identifier: MIT
 * A made-up person for the tests of render/ and blend/: the canonical face of the mesh file with a
 * painted skin, red lips and white teeth. Header only. */
#ifndef TESTS_RENDER_SCENE_H
#define TESTS_RENDER_SCENE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#include "base/alloc.h"
#include "render/parts.h"

struct scene {
    struct render_mesh *mesh;
    struct data_film film;
    struct data_person person;
};

/* Skips the test when the mesh file has not been imported. */
static inline void scene_open(struct scene *s, int w, int h)
{
    char path[1024];
    const char *models = getenv("LIPSYNC_MODELS");
    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "%s/face_geometry.bin", models ? models : ".");
    if (render_mesh_open(path, &s->mesh, NULL) < 0) {
        print_message("skipped: no %s (npm ci --ignore-scripts, then configure again)\n", path);
        skip();
    }
    s->film.width_px = s->film.disp_width_px = w;
    s->film.height_px = s->film.disp_height_px = h;
    s->film.disp_from_img = s->film.img_from_disp = image_affine_identity();
    float iod = s->mesh->vertices[263][0] - s->mesh->vertices[33][0];
    for (int v = 0; v < DATA_FACE_POINTS; v++) {
        const float *p = s->mesh->vertices[v < DATA_MESH_POINTS ? v : 168];
        s->person.canon[v][0] = p[0] / iod;
        s->person.canon[v][1] = (1.5f - p[1]) / iod;
        s->person.canon[v][2] = (5 - p[2]) / iod;
    }
    float lip = .5f * (s->person.canon[13][1] + s->person.canon[14][1]);
    for (int k = 1; k < RENDER_COLUMNS - 1; k++) /* lips that meet */
        s->person.canon[render_upper[k]][1] = s->person.canon[render_lower[k]][1] =
            .5f * (s->person.canon[render_upper[k]][1] + s->person.canon[render_lower[k]][1]);
    (void)lip;
    memcpy(s->person.rest, s->person.canon, sizeof s->person.rest);
}

static inline void scene_close(struct scene *s)
{
    render_mesh_close(&s->mesh);
}

/* The resting face with the lower lip and the chin `opening` further down. */
static inline void scene_wish(const struct scene *s, float opening, float wish[DATA_FACE_POINTS][3])
{
    memcpy(wish, s->person.rest, sizeof s->person.rest);
    const float(*p)[3] = s->person.rest;
    float corner = p[291][0], lip = p[14][1];
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        bool lower = p[v][1] > lip + .005f;
        for (int k = 0; k < RENDER_COLUMNS; k++)
            lower |= v == render_lower[k];
        float side = fabsf(p[v][0]) / corner;
        if (lower)
            wish[v][1] +=
                opening * (1 - image_smoothstep(.2f, p[v][1] > p[17][1] ? 2.5f : 1, side));
    }
}

/* The pose: looking at the camera, the middle of the face at (x, y), turned by `roll`. */
static inline void scene_geom(const struct scene *s, const float canon[DATA_FACE_POINTS][3],
                              float x, float y, float iod_px, float roll, int64_t frame,
                              struct data_face_geom *g)
{
    memset(g, 0, sizeof *g);
    g->frame = frame;
    g->valid = true;
    g->confidence = 1;
    g->scale = iod_px;
    g->roll_rad = roll;
    float c = cosf(roll), n = sinf(roll);
    const float rot[9] = {c, -n, 0, n, c, 0, 0, 0, 1};
    memcpy(g->rot, rot, sizeof rot);
    g->trans[0] = x;
    g->trans[1] = y;
    memcpy(g->canon, canon, sizeof g->canon);
    for (int v = 0; v < DATA_FACE_POINTS; v++) {
        g->disp[v][0] = x + iod_px * (c * canon[v][0] - n * canon[v][1]);
        g->disp[v][1] = y + iod_px * (n * canon[v][0] + c * canon[v][1]);
        g->disp[v][2] = iod_px * canon[v][2];
    }
    g->opening = render_opening(canon);
    g->width = canon[308][0] - canon[78][0];
    (void)s;
}

static inline void scene_put(struct data_frame *f, int p, int x, int y, float v)
{
    int max = (1 << f->depth_bits) - 1;
    int code = (int)(fminf(fmaxf(v, 0), 1) * (float)max + .5f);
    uint8_t *row = f->plane[p].data + (ptrdiff_t)y * f->plane[p].stride_bytes;
    if (f->depth_bits > 8)
        ((uint16_t *)(void *)row)[x] = (uint16_t)code;
    else
        row[x] = (uint8_t)code;
}

static inline void scene_fill(const struct data_face_geom *g, const uint16_t *ring, int n, int w,
                              int h, uint8_t *ret)
{
    float points[32][2];
    for (int i = 0; i < n; i++)
        memcpy(points[i], g->disp[ring[i]], sizeof points[i]);
    image_fill_polygon((const float(*)[2])points, n, w, h, ret);
}

/* A frame of any form: textured skin, lips, and teeth where the mouth is open. */
static inline struct data_frame *scene_frame(const struct scene *s, const struct data_face_geom *g,
                                             enum data_layout layout, int depth, int sx, int sy)
{
    struct data_frame *f = NULL;
    int w = s->film.width_px, h = s->film.height_px;
    assert_int_equal(data_frame_create(w, h, layout, depth, sx, sy, false, &f), 0);
    f->colour.matrix = layout == DATA_LAYOUT_RGB ? 0 : 1;
    f->colour.full_range = layout == DATA_LAYOUT_RGB;
    f->index = g->frame;
    uint8_t *lips = base_alloc((size_t)w * (size_t)h), *teeth = base_alloc((size_t)w * (size_t)h);
    assert_true(lips && teeth);
    uint16_t inner[20];
    for (int i = 0; i < 20; i++)
        inner[i] = render_lips[20 + i];
    scene_fill(g, render_lips, 20, w, h, lips);
    scene_fill(g, inner, 20, w, h, teeth);
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++)
            for (int x = 0; x < f->plane[p].width_px; x++) {
                int lx = p && layout == DATA_LAYOUT_YUV ? x << sx : x;
                int ly = p && layout == DATA_LAYOUT_YUV ? y << sy : y;
                size_t i = (size_t)ly * (size_t)w + (size_t)lx;
                float grain = .04f * sinf(.9f * (float)lx + .5f * sinf(1.3f * (float)ly));
                float v = .55f + grain + .1f * (float)lx / (float)w;
                float own = teeth[i] ? .85f : lips[i] ? .35f : v;
                if (p && layout == DATA_LAYOUT_YUV)
                    own = teeth[i] ? .5f : lips[i] ? (p == 2 ? .62f : .47f) : p == 2 ? .56f : .46f;
                scene_put(f, p, x, y, own);
            }
    base_free(lips);
    base_free(teeth);
    return f;
}

#endif
