/* SPDX-License-Identifier: MIT */
#include "geometry.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define WHERE "import/geometry"

/* Field numbers: GeometryPipelineMetadata { canonical_mesh = 1 }, Mesh3d { vertex_buffer = 3,
 * index_buffer = 4 } of MediaPipe's face_geometry. */
enum { METADATA_MESH = 1, MESH_VERTICES = 3, MESH_INDICES = 4 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { NUMBERS_PER_VERTEX = 5, VERTICES_MAX = 65535, TRIANGLES_MAX = 65535 };

struct field {
    unsigned number, wire;
    uint64_t value;       /* varint or fixed */
    const uint8_t *bytes; /* WIRE_BYTES */
    size_t n;
};

static uint64_t read_varint(struct base_reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = base_reader_u8(r);
        v |= (uint64_t)(b & 127) << shift;
        if (b < 128)
            return v;
    }
    r->failed = 1;
    return 0;
}

/* The next field; false at the end or at damage (r->failed tells). */
static bool next_field(struct base_reader *r, struct field *f)
{
    uint64_t key;

    if (r->failed || r->at >= r->size)
        return false;
    key = read_varint(r);
    *f = (struct field){.number = (unsigned)(key >> 3), .wire = (unsigned)(key & 7)};
    switch (f->wire) {
    case WIRE_VARINT:
        f->value = read_varint(r);
        break;
    case WIRE_32:
        f->value = base_reader_u32(r);
        break;
    case WIRE_64:
        f->value = base_reader_u64(r);
        break;
    case WIRE_BYTES:
        f->n = (size_t)read_varint(r);
        f->bytes = base_reader_take(r, f->n);
        break;
    default:
        r->failed = 1;
    }
    return !r->failed;
}

static void put_vertex_number(struct base_buffer *b, uint64_t bits, struct base_reader *r)
{
    uint32_t low = (uint32_t)bits;
    float v;

    memcpy(&v, &low, 4);
    if (!isfinite(v))
        r->failed = 1;
    base_buffer_put_u32(b, low);
}

/* Repeated numbers come packed or one by one; both are allowed by the format. */
static void read_vertices(const struct field *f, struct base_reader *r, struct base_buffer *b)
{
    struct base_reader packed;

    if (f->wire == WIRE_32) {
        put_vertex_number(b, f->value, r);
        return;
    }
    base_reader_init(&packed, f->bytes, f->n);
    while (f->wire == WIRE_BYTES && packed.at < packed.size && !packed.failed)
        put_vertex_number(b, base_reader_u32(&packed), &packed);
    if (f->wire != WIRE_BYTES || packed.failed)
        r->failed = 1;
}

static void put_index(struct base_buffer *b, uint64_t v, struct base_reader *r)
{
    if (v > VERTICES_MAX)
        r->failed = 1;
    base_buffer_put_u16(b, (uint16_t)v);
}

static void read_indices(const struct field *f, struct base_reader *r, struct base_buffer *b)
{
    struct base_reader packed;

    if (f->wire == WIRE_VARINT) {
        put_index(b, f->value, r);
        return;
    }
    base_reader_init(&packed, f->bytes, f->n);
    while (f->wire == WIRE_BYTES && packed.at < packed.size && !packed.failed)
        put_index(b, read_varint(&packed), &packed);
    if (f->wire != WIRE_BYTES || packed.failed)
        r->failed = 1;
}

static bool find_mesh(const void *bytes, size_t n, struct field *ret_mesh)
{
    struct base_reader r;
    struct field f;

    base_reader_init(&r, bytes, n);
    while (next_field(&r, &f)) {
        if (f.number == METADATA_MESH && f.wire == WIRE_BYTES) {
            *ret_mesh = f;
            return true;
        }
    }
    return false;
}

static bool indices_fit(const struct base_buffer *indices, size_t n_vertices)
{
    for (size_t i = 0; i + 1 < indices->size; i += 2) {
        if ((size_t)(indices->data[i] | indices->data[i + 1] << 8) >= n_vertices)
            return false;
    }
    return true;
}

static int convert_mesh(const struct field *mesh, struct base_buffer *vertices,
                        struct base_buffer *indices, struct base_buffer *ret_file)
{
    struct base_reader r;
    struct field f;
    size_t n_vertices, n_triangles;

    base_reader_init(&r, mesh->bytes, mesh->n);
    while (next_field(&r, &f)) {
        if (f.number == MESH_VERTICES)
            read_vertices(&f, &r, vertices);
        else if (f.number == MESH_INDICES)
            read_indices(&f, &r, indices);
    }
    if (vertices->status < 0)
        return vertices->status;
    if (indices->status < 0)
        return indices->status;
    n_vertices = vertices->size / (4 * NUMBERS_PER_VERTEX);
    n_triangles = indices->size / 6;
    if (r.failed || n_vertices == 0 || n_triangles == 0 ||
        vertices->size % (4 * NUMBERS_PER_VERTEX) || indices->size % 6 ||
        !indices_fit(indices, n_vertices))
        return LIP_ERR_FORMAT;
    base_buffer_put(ret_file, "LIPGEOM", 8);
    base_buffer_put_u32(ret_file, 1);
    base_buffer_put_u32(ret_file, (uint32_t)n_vertices);
    base_buffer_put_u32(ret_file, (uint32_t)n_triangles);
    base_buffer_put(ret_file, vertices->data, vertices->size);
    base_buffer_put(ret_file, indices->data, indices->size);
    return ret_file->status;
}

int geometry_convert(const void *bytes, size_t n, struct base_buffer *ret_file,
                     struct lip_error *err)
{
    struct base_buffer vertices, indices;
    struct field mesh;
    int status = LIP_ERR_FORMAT;

    base_buffer_init(&vertices, (size_t)VERTICES_MAX * 4 * NUMBERS_PER_VERTEX);
    base_buffer_init(&indices, (size_t)TRIANGLES_MAX * 6);
    if (find_mesh(bytes, n, &mesh))
        status = convert_mesh(&mesh, &vertices, &indices, ret_file);
    base_buffer_done(&vertices);
    base_buffer_done(&indices);
    if (status < 0)
        base_error_set(err, status, WHERE, "the face geometry cannot be read");
    return status;
}
