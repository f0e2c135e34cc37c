/* SPDX-License-Identifier: MIT
 * render/mesh: a small valid mesh edited by the input; or the input itself. What is read names only
 * points that exist. */
#include "fuzz.h"

#include "render/parts.h"

static void try_parse(const uint8_t *bytes, size_t n)
{
    struct render_mesh *mesh = NULL;
    struct lip_error err = {0};
    int r = render_mesh_parse(bytes, n, &mesh, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0) && (r == 0) == (mesh != NULL));
    if (r)
        return;
    FUZZ_REQUIRE(mesh->n_triangles > 0 && (mesh->front == 1 || mesh->front == -1));
    for (size_t t = 0; t < mesh->n_triangles; t++)
        for (int k = 0; k < 3; k++)
            FUZZ_REQUIRE(mesh->triangles[t][k] < DATA_MESH_POINTS);
    render_mesh_close(&mesh);
}

static void write_valid(struct base_buffer *b)
{
    base_buffer_put(b, "LIPGEOM", 8);
    base_buffer_put_u32(b, 1);
    base_buffer_put_u32(b, DATA_MESH_POINTS);
    base_buffer_put_u32(b, 2);
    for (int v = 0; v < DATA_MESH_POINTS; v++)
        for (int k = 0; k < 5; k++)
            base_buffer_put_f32(b, (float)(v % (3 + k)));
    static const uint16_t triangles[6] = {0, 1, 2, 5, 4, 467};
    for (int i = 0; i < 6; i++)
        base_buffer_put_u16(b, triangles[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_buffer file;
    try_parse(data, size);
    base_buffer_init(&file, 1 << 16);
    write_valid(&file);
    FUZZ_REQUIRE(file.status == 0);
    fuzz_try_edited(&file, data, size, try_parse);
    base_buffer_done(&file);
    return 0;
}
