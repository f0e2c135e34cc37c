/* SPDX-License-Identifier: MIT
 *
 * The mesh file: "LIPGEOM\0", u32 version, u32 vertices, u32 triangles, vertices as 5 f32
 * (x, y, z in cm, y up; u, v), triangles as 3 u16; little-endian. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#define WHERE "render/mesh"
#define FILE_MAX ((size_t)1 << 20)
#define TRIANGLES_MAX 4096
#define VERSION 1

/* Area of the canonical face as seen from the front, y down. */
static float total_area(const struct render_mesh *mesh)
{
    float sum = 0;
    for (size_t t = 0; t < mesh->n_triangles; t++) {
        const float *a = mesh->vertices[mesh->triangles[t][0]];
        const float *b = mesh->vertices[mesh->triangles[t][1]];
        const float *c = mesh->vertices[mesh->triangles[t][2]];
        sum -= (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    }
    return sum;
}

int render_mesh_parse(const void *bytes, size_t n, struct render_mesh **ret_mesh,
                      struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    const uint8_t *magic = base_reader_take(&r, 8);
    uint32_t version = base_reader_u32(&r), n_vertices = base_reader_u32(&r);
    uint32_t n_triangles = base_reader_u32(&r);
    if (r.failed || memcmp(magic, "LIPGEOM", 8) != 0 || version != VERSION ||
        n_vertices != DATA_MESH_POINTS || n_triangles < 1 || n_triangles > TRIANGLES_MAX)
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "this is not a face geometry file");
    struct render_mesh *mesh = base_alloc_zero(sizeof *mesh);
    if (!mesh)
        return base_error_nomem(err, WHERE);
    mesh->n_triangles = n_triangles;
    mesh->triangles = base_alloc_array(n_triangles, sizeof *mesh->triangles);
    if (!mesh->triangles) {
        render_mesh_close(&mesh);
        return base_error_nomem(err, WHERE);
    }
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        float vertex[5]; /* x y z, and a texture position that nobody needs here */
        base_reader_f32s(&r, vertex, 5);
        memcpy(mesh->vertices[v], vertex, sizeof mesh->vertices[v]);
    }
    bool bad = false;
    for (uint32_t t = 0; t < n_triangles; t++)
        for (int k = 0; k < 3; k++) {
            mesh->triangles[t][k] = base_reader_u16(&r);
            bad |= mesh->triangles[t][k] >= DATA_MESH_POINTS;
        }
    float area = bad ? 0 : total_area(mesh);
    mesh->front = area < 0 ? -1.f : 1.f;
    if (r.failed || bad || area == 0) {
        render_mesh_close(&mesh);
        return base_error_set(err, LIP_ERR_MODEL, WHERE, "the face geometry file is damaged");
    }
    render_grid_make(mesh);
    *ret_mesh = mesh;
    return 0;
}

int render_mesh_open(const char *path, struct render_mesh **ret_mesh, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = base_fs_read(path, FILE_MAX, &bytes, &n, err);
    if (status < 0)
        return status;
    status = render_mesh_parse(bytes, n, ret_mesh, err);
    base_free(bytes);
    return status;
}

void render_mesh_close(struct render_mesh **mesh)
{
    if (!mesh || !*mesh)
        return;
    base_free((*mesh)->triangles);
    base_free(*mesh);
    *mesh = NULL;
}
