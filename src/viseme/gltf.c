/* SPDX-License-Identifier: MIT
 *
 * glTF 2.0: the smallest mesh with ARKit's 52 named morph targets (a triangle that none of them
 * moves) and the animation of their weights. Players find targets by name (mesh.extras.targetNames,
 * the custom that three.js, Blender and Babylon.js share), so that the animation can be brought to
 * any head with such targets. */
#include <stdint.h>
#include <string.h>

#include "viseme/viseme.h"

#define TRIANGLE_FLOATS 9
#define JSON_BYTES_MAX ((size_t)1 << 16)
#define CHUNK_JSON 0x4e4f534au
#define CHUNK_BIN 0x004e4942u

/* The numbers: the triangle, the times, the weights. */
static void put_numbers(const struct data_visemes *visemes, double rate_hz, long long n,
                        struct base_buffer *bin)
{
    static const float triangle[TRIANGLE_FLOATS] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    float w[VISEME_ARKIT];
    base_buffer_put_f32s(bin, triangle, TRIANGLE_FLOATS);
    for (long long f = 0; f < n; f++)
        base_buffer_put_f32(bin, (float)((double)f / rate_hz));
    for (long long f = 0; f < n && !bin->status; f++) {
        viseme_arkit(visemes, (double)f / rate_hz, w);
        base_buffer_put_f32s(bin, w, VISEME_ARKIT);
    }
}

/* v >= 0, so that it reads back exactly: validators compare it with the numbers themselves. */
static void print_exact(struct base_buffer *json, float v)
{
    long long whole = (long long)v;
    double rest = (double)v - (double)whole;
    viseme_print(json, "%lld.", whole);
    for (int i = 0; i < 24; i++) {
        rest *= 10;
        int digit = (int)rest;
        viseme_print(json, "%d", digit);
        rest -= digit;
    }
}

static void put_accessors(struct base_buffer *json, double rate_hz, long long n)
{
    viseme_print(json, "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"count\":3,"
                       "\"type\":\"VEC3\",\"min\":[0,0,0],\"max\":[1,1,0]},");
    /* Zeros: an accessor without a view. */
    viseme_print(json, "{\"componentType\":5126,\"count\":3,\"type\":\"VEC3\",\"min\":[0,0,0],"
                       "\"max\":[0,0,0]},");
    viseme_print(json, "{\"bufferView\":1,\"componentType\":5126,\"count\":%lld,"
                       "\"type\":\"SCALAR\",\"min\":[0],\"max\":[", n);
    print_exact(json, (float)((double)(n - 1) / rate_hz));
    viseme_print(json, "]},{\"bufferView\":2,\"componentType\":5126,\"count\":%lld,"
                       "\"type\":\"SCALAR\"}],", n * VISEME_ARKIT);
}

static void put_views(struct base_buffer *json, long long n)
{
    const long long triangle = TRIANGLE_FLOATS * 4, times = n * 4;
    viseme_print(json, "\"bufferViews\":[{\"buffer\":0,\"byteLength\":%lld,\"target\":34962},"
                       "{\"buffer\":0,\"byteOffset\":%lld,\"byteLength\":%lld},", triangle,
                 triangle, times);
    viseme_print(json, "{\"buffer\":0,\"byteOffset\":%lld,\"byteLength\":%lld}],", triangle + times,
                 times * VISEME_ARKIT);
}

/* All but the buffers, which come last. */
static void put_scene(struct base_buffer *json, double rate_hz, long long n)
{
    viseme_print(json, "{\"asset\":{\"version\":\"2.0\",\"generator\":\"lipsync\"},\"scene\":0,"
                       "\"scenes\":[{\"nodes\":[0]}],\"nodes\":[{\"name\":\"face\",\"mesh\":0}],"
                       "\"meshes\":[{\"name\":\"face\",\"primitives\":[{\"attributes\":"
                       "{\"POSITION\":0},\"targets\":[");
    for (int k = 0; k < VISEME_ARKIT; k++)
        viseme_print(json, "%s{\"POSITION\":1}", k ? "," : "");
    viseme_print(json, "]}],\"weights\":[");
    for (int k = 0; k < VISEME_ARKIT; k++)
        viseme_print(json, "%s0", k ? "," : "");
    viseme_print(json, "],\"extras\":{\"targetNames\":[");
    for (int k = 0; k < VISEME_ARKIT; k++)
        viseme_print(json, "%s\"%s\"", k ? "," : "", viseme_arkit_name(k));
    viseme_print(json, "]}}],\"animations\":[{\"name\":\"speech\",\"samplers\":[{\"input\":2,"
                       "\"output\":3,\"interpolation\":\"LINEAR\"}],\"channels\":[{\"sampler\":0,"
                       "\"target\":{\"node\":0,\"path\":\"weights\"}}]}],");
    put_accessors(json, rate_hz, n);
    put_views(json, n);
}

static void put_base64(struct base_buffer *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)bytes[i] << 16;
        v |= i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0;
        v |= i + 2 < n ? bytes[i + 2] : 0;
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
                        i + 1 < n ? digits[v >> 6 & 63] : '=', i + 2 < n ? digits[v & 63] : '='};
        base_buffer_put(out, four, 4);
    }
}

/* One file of two chunks, each padded to four bytes. */
static void put_glb(const struct base_buffer *json, const struct base_buffer *bin,
                    struct base_buffer *out)
{
    size_t padded = (json->size + 3) / 4 * 4;
    base_buffer_put(out, "glTF", 4);
    base_buffer_put_u32(out, 2);
    base_buffer_put_u32(out, (uint32_t)(12 + 8 + padded + 8 + bin->size));
    base_buffer_put_u32(out, (uint32_t)padded);
    base_buffer_put_u32(out, CHUNK_JSON);
    base_buffer_put(out, json->data, json->size);
    for (size_t i = json->size; i < padded; i++)
        base_buffer_put_u8(out, ' ');
    base_buffer_put_u32(out, (uint32_t)bin->size);
    base_buffer_put_u32(out, CHUNK_BIN);
    base_buffer_put(out, bin->data, bin->size);
}

int viseme_write_gltf(const struct data_visemes *visemes, double rate_hz, bool binary,
                      struct base_buffer *out)
{
    const long long n = viseme_n_frames(visemes, rate_hz);
    struct base_buffer json, bin;
    base_buffer_init(&json, JSON_BYTES_MAX);
    base_buffer_init(&bin, out->max);
    put_numbers(visemes, rate_hz, n, &bin);
    put_scene(&json, rate_hz, n);
    viseme_print(&json, "\"buffers\":[{\"byteLength\":%zu", bin.size);
    if (binary)
        viseme_print(&json, "}]}");
    if (!bin.status && !json.status && binary) {
        put_glb(&json, &bin, out);
    } else if (!bin.status && !json.status) {
        base_buffer_put(out, json.data, json.size);
        viseme_print(out, ",\"uri\":\"data:application/octet-stream;base64,");
        put_base64(out, bin.data, bin.size);
        viseme_print(out, "\"}]}\n");
    }
    int r = bin.status ? bin.status : json.status ? json.status : out->status;
    base_buffer_done(&json);
    base_buffer_done(&bin);
    return r;
}
