/* SPDX-License-Identifier: MIT
 *
 * Builds a small valid TFLite file, front to back: a 3 x 3 convolution of stride 2 with SAME
 * padding and fp16 weights on a 5 x 4 image of 2 channels, ReLU, reshape to 18 numbers. Tables
 * are laid out as FlatBuffers allows: vtable, table, then what it points to. */
#ifndef TINY_TFLITE_H
#define TINY_TFLITE_H

#include <stdint.h>
#include <string.h>

enum { TINY_H = 5, TINY_W = 4, TINY_IN = 2, TINY_OUT = 3, TINY_OUT_H = 3, TINY_OUT_W = 2 };
enum { TINY_WEIGHTS = TINY_OUT * 9 * TINY_IN, TINY_RESULT = TINY_OUT_H * TINY_OUT_W * TINY_OUT };

struct tiny_tflite {
    uint8_t bytes[4096];
    size_t n;
};

static inline void tiny_set(struct tiny_tflite *t, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        t->bytes[at + (size_t)i] = (uint8_t)(v >> (8 * i));
}

static inline void tiny_put(struct tiny_tflite *t, uint32_t v)
{
    tiny_set(t, t->n, v);
    t->n += 4;
}

/* A reference stored at `slot` to what is written next. */
static inline void tiny_refer(struct tiny_tflite *t, size_t slot)
{
    tiny_set(t, slot, (uint32_t)(t->n - slot));
}

/* A table of n fields of 4 bytes, all zero; field i stands at the result + 4 + 4 i. A reference at
 * `slot` (0: none) is pointed to it. */
static inline size_t tiny_table(struct tiny_tflite *t, size_t slot, uint32_t n)
{
    size_t vtable = t->n, table;

    t->n = vtable + ((4 + 2 * n + 3) & ~3u);
    table = t->n;
    t->bytes[vtable] = (uint8_t)(4 + 2 * n);
    t->bytes[vtable + 2] = (uint8_t)(4 + 4 * n);
    for (uint32_t i = 0; i < n; i++)
        t->bytes[vtable + 4 + 2 * i] = (uint8_t)(4 + 4 * i);
    if (slot)
        tiny_refer(t, slot);
    tiny_put(t, (uint32_t)(table - vtable));
    t->n += 4 * (size_t)n;
    return table;
}

static inline size_t tiny_field(size_t table, uint32_t i)
{
    return table + 4 + 4 * (size_t)i;
}

/* A field that is not stored: its default. */
static inline void tiny_drop(struct tiny_tflite *t, size_t table, uint32_t i)
{
    size_t vtable = table - t->bytes[table];

    t->bytes[vtable + 4 + 2 * i] = 0;
}

/* A vector of numbers; the position of its first element. */
static inline size_t tiny_vector(struct tiny_tflite *t, size_t slot, uint32_t n, const int32_t *v)
{
    tiny_refer(t, slot);
    tiny_put(t, n);
    for (uint32_t i = 0; i < n; i++)
        tiny_put(t, v ? (uint32_t)v[i] : 0);
    return t->n - 4 * (size_t)n;
}

/* Weight i of the convolution, in the order [out][y][x][in]: quarters, exact in fp16. */
static inline float tiny_weight(int i)
{
    return (float)((i * 7) % 17 - 8) / 4.0f;
}

static inline float tiny_bias(int i)
{
    return 0.5f * (float)i - 0.25f;
}

/* fp16 of a multiple of 1/4 below 4. */
static inline uint16_t tiny_half(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, 4);
    if (v == 0.0f)
        return 0;
    return (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 |
                      (bits >> 13 & 1023));
}

static inline void tiny_buffers(struct tiny_tflite *t, size_t slot)
{
    size_t list = tiny_vector(t, slot, 3, NULL), table;
    uint32_t bits;
    float bias;

    table = tiny_table(t, list, 1); /* buffer 0 is empty by convention */
    tiny_drop(t, table, 0);
    table = tiny_table(t, list + 4, 1);
    tiny_refer(t, tiny_field(table, 0));
    tiny_put(t, 2 * TINY_WEIGHTS);
    for (int i = 0; i < TINY_WEIGHTS; i += 2)
        tiny_put(t, tiny_half(tiny_weight(i)) | (uint32_t)tiny_half(tiny_weight(i + 1)) << 16);
    table = tiny_table(t, list + 8, 1);
    tiny_refer(t, tiny_field(table, 0));
    tiny_put(t, 4 * TINY_OUT);
    for (int i = 0; i < TINY_OUT; i++) {
        bias = tiny_bias(i);
        memcpy(&bits, &bias, 4);
        tiny_put(t, bits);
    }
}

static inline void tiny_tensor(struct tiny_tflite *t, size_t slot, uint32_t n_dims,
                               const int32_t *dims, uint32_t type, uint32_t buffer)
{
    size_t table = tiny_table(t, slot, 3);

    tiny_set(t, tiny_field(table, 1), type);
    tiny_set(t, tiny_field(table, 2), buffer);
    tiny_vector(t, tiny_field(table, 0), n_dims, dims);
}

static inline void tiny_op(struct tiny_tflite *t, size_t slot, uint32_t opcode, uint32_t n_inputs,
                           const int32_t *inputs, int32_t output, const int32_t *options)
{
    size_t table = tiny_table(t, slot, 5), o;

    tiny_set(t, tiny_field(table, 0), opcode);
    tiny_drop(t, table, 4);
    if (options) {
        t->bytes[table - t->bytes[table] + 4 + 2 * 4] = 4 + 4 * 4;
        o = tiny_table(t, tiny_field(table, 4), 3);
        for (uint32_t i = 0; i < 3; i++)
            tiny_set(t, tiny_field(o, i), (uint32_t)options[i]);
    }
    tiny_vector(t, tiny_field(table, 1), n_inputs, inputs);
    tiny_vector(t, tiny_field(table, 2), 1, &output);
}

static inline void tiny_graph(struct tiny_tflite *t, size_t slot)
{
    static const int32_t image[] = {1, TINY_H, TINY_W, TINY_IN},
                         weights[] = {TINY_OUT, 3, 3, TINY_IN};
    static const int32_t bias[] = {TINY_OUT}, result[] = {1, TINY_OUT_H, TINY_OUT_W, TINY_OUT};
    static const int32_t flat[] = {1, TINY_RESULT}, first[] = {0}, last[] = {6};
    static const int32_t conv_in[] = {0, 2, 3}, same_stride_2[] = {0, 2, 2};
    size_t list = tiny_vector(t, slot, 1, NULL), graph, at;

    graph = tiny_table(t, list, 4);
    at = tiny_vector(t, tiny_field(graph, 0), 7, NULL);
    tiny_tensor(t, at, 4, image, 0, 0);
    tiny_tensor(t, at + 4, 4, weights, 1, 1);
    tiny_tensor(t, at + 8, 4, weights, 0, 0);
    tiny_tensor(t, at + 12, 1, bias, 0, 2);
    tiny_tensor(t, at + 16, 4, result, 0, 0);
    tiny_tensor(t, at + 20, 4, result, 0, 0);
    tiny_tensor(t, at + 24, 2, flat, 0, 0);
    tiny_vector(t, tiny_field(graph, 1), 1, first);
    tiny_vector(t, tiny_field(graph, 2), 1, last);
    at = tiny_vector(t, tiny_field(graph, 3), 4, NULL);
    tiny_op(t, at, 0, 1, (int32_t[]){1}, 2, NULL);
    tiny_op(t, at + 4, 1, 3, conv_in, 4, same_stride_2);
    tiny_op(t, at + 8, 2, 1, (int32_t[]){4}, 5, NULL);
    tiny_op(t, at + 12, 3, 1, (int32_t[]){5}, 6, NULL);
}

static inline void tiny_build(struct tiny_tflite *t)
{
    static const uint32_t codes[] = {6, 3, 19, 22}; /* DEQUANTIZE, CONV_2D, RELU, RESHAPE */
    size_t model, at, code;

    memset(t, 0, sizeof(*t));
    t->n = 4;
    tiny_put(t, 0x334c4654); /* "TFL3" */
    t->n = 8;
    model = tiny_table(t, 0, 5);
    tiny_set(t, 0, (uint32_t)model);
    tiny_set(t, tiny_field(model, 0), 3);
    tiny_drop(t, model, 3);
    at = tiny_vector(t, tiny_field(model, 1), 4, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        code = tiny_table(t, at + 4 * (size_t)i, 1);
        tiny_set(t, tiny_field(code, 0), codes[i]);
    }
    tiny_graph(t, tiny_field(model, 2));
    tiny_buffers(t, tiny_field(model, 4));
}

#endif
