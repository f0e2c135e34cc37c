/* SPDX-License-Identifier: MIT
 *
 * Most tables are 8-bit with a scale and a minimum each, some are floats; filters lie as
 * [y][x][in][out]. Behind each convolution stands a factor and a shift per channel, which
 * go into its filters and bias here. */
#include "recognition.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "onnx_writer.h"

#define WHERE "import/recognition"
#define SIDE 150
#define CHANNELS_MAX 256
#define N_FACEPRINT 128

struct table {
    const uint8_t *bytes;
    size_t n;
    bool packed; /* 8 bits: low + scale * byte; else floats, little endian */
    double scale, low;
};

struct recognition {
    const json_t *tables;
    const uint8_t *weights;
    size_t n_weights;
    struct onnx_writer w;
    struct lip_error *err;
    int n_made;
};

static int damaged(struct recognition *c, const char *what)
{
    return base_error_set(c->err, LIP_ERR_FORMAT, WHERE, "the recognition net is damaged: %s",
                          what);
}

static size_t element_count(const json_t *table)
{
    const json_t *shape = json_object_get(table, "shape");
    size_t n = json_array_size(shape) ? 1 : 0;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        json_int_t d = json_integer_value(json_array_get(shape, i));
        if (d < 1 || d > 4096 || n > ((size_t)1 << 24) / (size_t)d)
            return 0;
        n *= (size_t)d;
    }
    return n;
}

/* The tables lie one after another in the manifest's order. */
static int find(struct recognition *c, const char *layer, const char *part, size_t n,
                struct table *ret_table)
{
    char name[96];
    size_t at = 0;
    snprintf(name, sizeof name, "%s%s", layer, part);
    for (size_t i = 0; i < json_array_size(c->tables); i++) {
        const json_t *one = json_array_get(c->tables, i);
        const json_t *packing = json_object_get(one, "quantization");
        const char *its = json_string_value(json_object_get(one, "name"));
        const char *type = json_string_value(json_object_get(packing ? packing : one, "dtype"));
        size_t size = element_count(one), width = packing ? 1 : sizeof(float);
        if (!its || !size || !type || strcmp(type, packing ? "uint8" : "float32") ||
            size * width > c->n_weights - at)
            return damaged(c, its ? its : "a table without a name");
        if (!strcmp(its, name) && size == n) {
            *ret_table = (struct table){c->weights + at, size, packing != NULL,
                                        json_number_value(json_object_get(packing, "scale")),
                                        json_number_value(json_object_get(packing, "min"))};
            return LIP_OK;
        }
        at += size * width;
    }
    return damaged(c, name);
}

static float value(const struct table *t, size_t i)
{
    struct base_reader r;
    if (t->packed)
        return (float)(t->low + t->scale * t->bytes[i]);
    base_reader_init(&r, t->bytes + 4 * i, 4);
    return base_reader_f32(&r);
}

static void fresh(struct recognition *c, char ret_name[16])
{
    snprintf(ret_name, 16, "v%d", c->n_made++);
}

static void unary(struct recognition *c, const char *op, char value_name[16])
{
    char out[16];
    fresh(c, out);
    onnx_node_begin(&c->w, op);
    onnx_node_in(&c->w, value_name);
    onnx_node_out(&c->w, out);
    onnx_node_end(&c->w);
    memcpy(value_name, out, 16);
}

static void binary(struct recognition *c, const char *op, char a[16], const char *b)
{
    char out[16];
    fresh(c, out);
    onnx_node_begin(&c->w, op);
    onnx_node_in(&c->w, a);
    onnx_node_in(&c->w, b);
    onnx_node_out(&c->w, out);
    onnx_node_end(&c->w);
    memcpy(a, out, 16);
}

static void pool(struct recognition *c, const char *op, int64_t side, char value_name[16])
{
    int64_t kernel[2] = {side, side}, strides[2] = {2, 2};
    char out[16];
    fresh(c, out);
    onnx_node_begin(&c->w, op);
    onnx_node_in(&c->w, value_name);
    onnx_node_out(&c->w, out);
    onnx_node_ints(&c->w, "kernel_shape", 2, kernel);
    onnx_node_ints(&c->w, "strides", 2, strides);
    onnx_node_end(&c->w);
    memcpy(value_name, out, 16);
}

/* Zeros behind the end of the axes: `channels` more of them, and rows and columns. */
static void pad(struct recognition *c, int64_t channels, int64_t rows, char value_name[16])
{
    int64_t pads[8] = {0, 0, 0, 0, 0, channels, rows, rows};
    char out[16], list[16];
    fresh(c, list);
    fresh(c, out);
    onnx_writer_i64(&c->w, list, 8, pads);
    onnx_node_begin(&c->w, "Pad");
    onnx_node_in(&c->w, value_name);
    onnx_node_in(&c->w, list);
    onnx_node_out(&c->w, out);
    onnx_node_end(&c->w);
    memcpy(value_name, out, 16);
}

/* Filters as [out][in][y][x], times the factor of their channel. */
static int put_filters(struct recognition *c, const char *layer, size_t side, size_t n_in,
                       size_t n_out, const char *filters, const char *bias)
{
    struct table f, b, factor, shift;
    float shifts[CHANNELS_MAX];
    int64_t dims[4] = {(int64_t)n_out, (int64_t)n_in, (int64_t)side, (int64_t)side};
    int r = find(c, layer, "/conv/filters", side * side * n_in * n_out, &f);
    r = r ? r : find(c, layer, "/conv/bias", n_out, &b);
    r = r ? r : find(c, layer, "/scale/weights", n_out, &factor);
    r = r ? r : find(c, layer, "/scale/biases", n_out, &shift);
    float *turned = r ? NULL : base_alloc_array(f.n, sizeof *turned);
    if (!turned)
        return r ? r : base_error_nomem(c->err, WHERE);
    for (size_t o = 0; o < n_out; o++) {
        shifts[o] = value(&b, o) * value(&factor, o) + value(&shift, o);
        for (size_t i = 0; i < n_in; i++)
            for (size_t p = 0; p < side * side; p++)
                turned[(o * n_in + i) * side * side + p] =
                    value(&f, (p * n_in + i) * n_out + o) * value(&factor, o);
    }
    onnx_writer_f32(&c->w, filters, 4, dims, turned);
    onnx_writer_f32(&c->w, bias, 1, dims, shifts);
    base_free(turned);
    return LIP_OK;
}

/* Down: every second place, no border. */
static int convolve(struct recognition *c, const char *layer, size_t side, size_t n_in,
                    size_t n_out, bool down, char value_name[16])
{
    int64_t border = down ? 0 : (int64_t)side / 2, step = down ? 2 : 1;
    int64_t pads[4] = {border, border, border, border}, strides[2] = {step, step};
    char filters[16], bias[16], out[16];
    fresh(c, filters);
    fresh(c, bias);
    fresh(c, out);
    int r = put_filters(c, layer, side, n_in, n_out, filters, bias);
    if (r)
        return r;
    onnx_node_begin(&c->w, "Conv");
    onnx_node_in(&c->w, value_name);
    onnx_node_in(&c->w, filters);
    onnx_node_in(&c->w, bias);
    onnx_node_out(&c->w, out);
    onnx_node_ints(&c->w, "pads", 4, pads);
    onnx_node_ints(&c->w, "strides", 2, strides);
    onnx_node_end(&c->w);
    memcpy(value_name, out, 16);
    return LIP_OK;
}

/* A block: two convolutions, and the way around them. `short_by`: rows that the convolutions end
 * earlier than the way around. */
static int block(struct recognition *c, const char *name, size_t n_in, size_t n_out, bool down,
                 int64_t short_by, char value_name[16])
{
    char around[16], layer[64];
    memcpy(around, value_name, 16);
    snprintf(layer, sizeof layer, "%s/conv1", name);
    int r = convolve(c, layer, 3, n_in, n_out, down, value_name);
    if (r)
        return r;
    unary(c, "Relu", value_name);
    snprintf(layer, sizeof layer, "%s/conv2", name);
    r = convolve(c, layer, 3, n_out, n_out, false, value_name);
    if (r)
        return r;
    if (down)
        pool(c, "AveragePool", 2, around);
    if (n_out > n_in)
        pad(c, (int64_t)(n_out - n_in), 0, around);
    if (short_by)
        pad(c, 0, short_by, value_name);
    binary(c, "Add", value_name, around);
    unary(c, "Relu", value_name);
    return LIP_OK;
}

/* "image" as planes without their mean. */
static void put_image(struct recognition *c, char ret_value[16])
{
    static const float mean[3] = {122.782f / 255, 117.001f / 255, 104.298f / 255};
    static const int64_t order[4] = {0, 3, 1, 2}, image[4] = {1, SIDE, SIDE, 3};
    static const int64_t planes[4] = {1, 3, 1, 1};
    onnx_writer_input(&c->w, "image", 4, image);
    onnx_writer_f32(&c->w, "mean", 4, planes, mean);
    fresh(c, ret_value);
    onnx_node_begin(&c->w, "Transpose");
    onnx_node_in(&c->w, "image");
    onnx_node_out(&c->w, ret_value);
    onnx_node_ints(&c->w, "perm", 4, order);
    onnx_node_end(&c->w);
    binary(c, "Sub", ret_value, "mean");
}

static int put_end(struct recognition *c, char value_name[16])
{
    static const int64_t axes[2] = {2, 3}, dims[2] = {CHANNELS_MAX, N_FACEPRINT};
    static const int64_t faceprint[2] = {1, N_FACEPRINT};
    struct table fc;
    char mean[16];
    fresh(c, mean);
    onnx_node_begin(&c->w, "ReduceMean");
    onnx_node_in(&c->w, value_name);
    onnx_node_out(&c->w, mean);
    onnx_node_ints(&c->w, "axes", 2, axes);
    onnx_node_int(&c->w, "keepdims", 0);
    onnx_node_end(&c->w);
    int r = find(c, "fc", "", CHANNELS_MAX * N_FACEPRINT, &fc);
    float *table = r ? NULL : base_alloc_array(fc.n, sizeof *table);
    if (!table)
        return r ? r : base_error_nomem(c->err, WHERE);
    for (size_t i = 0; i < fc.n; i++)
        table[i] = value(&fc, i);
    onnx_writer_f32(&c->w, "fc", 2, dims, table);
    base_free(table);
    onnx_node_begin(&c->w, "MatMul");
    onnx_node_in(&c->w, mean);
    onnx_node_in(&c->w, "fc");
    onnx_node_out(&c->w, "faceprint");
    onnx_node_end(&c->w);
    onnx_writer_output(&c->w, "faceprint", 2, faceprint);
    return LIP_OK;
}

static int put_net(struct recognition *c)
{
    static const struct {
        const char *name;
        size_t n_in, n_out;
        int64_t short_by;
    } blocks[] = {
        {"conv32_1", 32, 32, 0},       {"conv32_2", 32, 32, 0},    {"conv32_3", 32, 32, 0},
        {"conv64_down", 32, 64, 0},    {"conv64_1", 64, 64, 0},    {"conv64_2", 64, 64, 0},
        {"conv64_3", 64, 64, 0},       {"conv128_down", 64, 128, 0}, {"conv128_1", 128, 128, 0},
        {"conv128_2", 128, 128, 0},    {"conv256_down", 128, 256, 1}, {"conv256_1", 256, 256, 0},
        {"conv256_2", 256, 256, 0},    {"conv256_down_out", 256, 256, 1},
    };
    char v[16];
    put_image(c, v);
    int r = convolve(c, "conv32_down", 7, 3, 32, true, v);
    if (r)
        return r;
    unary(c, "Relu", v);
    pool(c, "MaxPool", 3, v);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0] && !r; i++)
        r = block(c, blocks[i].name, blocks[i].n_in, blocks[i].n_out,
                  strstr(blocks[i].name, "down") != NULL, blocks[i].short_by, v);
    return r ? r : put_end(c, v);
}

int recognition_convert(const char *manifest, size_t n_manifest, const uint8_t *weights,
                        size_t n_weights, struct base_buffer *ret_file, struct lip_error *err)
{
    json_t *root = json_loadb(manifest, n_manifest, 0, NULL);
    struct recognition c = {.tables = json_object_get(json_array_get(root, 0), "weights"),
                            .weights = weights, .n_weights = n_weights, .err = err};
    onnx_writer_init(&c.w);
    int r = c.tables ? put_net(&c) : damaged(&c, "its list of tables");
    if (!r && (r = onnx_writer_finish(&c.w, "faceprint", ret_file)))
        r = base_error_set(err, r, WHERE, "the recognition net cannot be written");
    onnx_writer_done(&c.w);
    json_decref(root);
    return r;
}
