/* SPDX-License-Identifier: MIT
 * The importer's smaller readers: geometry metadata, FlexBuffer options, the packed assets' table.
 * What the first makes of its input holds what its head says. */
#include "fuzz.h"

#include "flex.h"
#include "geometry.h"
#include "packed.h"
#include <lipsync/error.h>

static void try_geometry(const uint8_t *data, size_t size)
{
    struct lip_error err = {0};
    struct base_buffer file;
    struct base_reader r;
    uint32_t n_vertices, n_triangles;
    int status;

    base_buffer_init(&file, (size_t)1 << 24);
    status = geometry_convert(data, size, &file, &err);
    FUZZ_REQUIRE(status == err.code);
    if (status == 0) {
        base_reader_init(&r, file.data + 12, file.size - 12);
        n_vertices = base_reader_u32(&r);
        n_triangles = base_reader_u32(&r);
        FUZZ_REQUIRE(file.size == 20 + (size_t)n_vertices * 20 + (size_t)n_triangles * 6);
    }
    base_buffer_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t start = 0, end = 0;
    int ints[16], n_ints = 0;
    double v;

    try_geometry(data, size);
    flex_number(data, size, "scale_x", &v);
    if (flex_ints(data, size, "subset_idxs", ints, 16, &n_ints) == 0)
        FUZZ_REQUIRE(n_ints >= 0 && n_ints <= 16);
    if (packed_find((const char *)data, size, "a.tflite", &start, &end) == 0)
        FUZZ_REQUIRE(start < end);
    return 0;
}
