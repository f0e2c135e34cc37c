/* SPDX-License-Identifier: MIT */
#include "onnx_writer.h"

#include <string.h>

/* Protobuf wire types. */
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* Numbers of onnx.proto. */
enum { ELEMENT_F32 = 1, ELEMENT_I64 = 7 };
enum { ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3, ATTRIBUTE_INTS = 7 };
enum { IR_VERSION = 8, OPERATOR_SET = 16 };

static void put_varint(struct base_buffer *b, uint64_t v)
{
    while (v >= 128) {
        base_buffer_put_u8(b, (uint8_t)(v | 128));
        v >>= 7;
    }
    base_buffer_put_u8(b, (uint8_t)v);
}

static void put_int(struct base_buffer *b, unsigned field, int64_t v)
{
    put_varint(b, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(b, (uint64_t)v);
}

static void put_bytes(struct base_buffer *b, unsigned field, const void *bytes, size_t n)
{
    put_varint(b, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(b, n);
    base_buffer_put(b, bytes, n);
}

static void put_text(struct base_buffer *b, unsigned field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

/* Appends a nested message and empties it; its failure becomes the parent's. */
static void put_message(struct base_buffer *b, unsigned field, struct base_buffer *message)
{
    if (message->status < 0 && b->status == 0)
        b->status = message->status;
    put_bytes(b, field, message->data, message->size);
    message->size = 0;
}

void onnx_writer_init(struct onnx_writer *w)
{
    memset(w, 0, sizeof(*w));
    base_buffer_init(&w->nodes, ONNX_WRITER_MAX);
    base_buffer_init(&w->constants, ONNX_WRITER_MAX);
    base_buffer_init(&w->inputs, ONNX_WRITER_MAX);
    base_buffer_init(&w->outputs, ONNX_WRITER_MAX);
    base_buffer_init(&w->node, ONNX_WRITER_MAX);
    for (int i = 0; i < 4; i++)
        base_buffer_init(&w->scratch[i], ONNX_WRITER_MAX);
}

void onnx_writer_done(struct onnx_writer *w)
{
    base_buffer_done(&w->nodes);
    base_buffer_done(&w->constants);
    base_buffer_done(&w->inputs);
    base_buffer_done(&w->outputs);
    base_buffer_done(&w->node);
    for (int i = 0; i < 4; i++)
        base_buffer_done(&w->scratch[i]);
}

/* ValueInfoProto { name = 1, type = 2 { tensor_type = 1 { elem_type = 1, shape = 2 { dim = 1
 * { dim_value = 1 } } } } } */
static void put_value_info(struct onnx_writer *w, struct base_buffer *b, unsigned field,
                           const char *name, int n_dims, const int64_t *dims)
{
    struct base_buffer *dim = &w->scratch[0], *shape = &w->scratch[1];
    struct base_buffer *tensor = &w->scratch[2], *type = &w->scratch[3];

    for (int i = 0; i < n_dims; i++) {
        put_int(dim, 1, dims[i]);
        put_message(shape, 1, dim);
    }
    put_int(tensor, 1, ELEMENT_F32);
    put_message(tensor, 2, shape);
    put_message(type, 1, tensor);
    put_text(&w->node, 1, name);
    put_message(&w->node, 2, type);
    put_message(b, field, &w->node);
}

void onnx_writer_input(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims)
{
    put_value_info(w, &w->inputs, 11, name, n_dims, dims);
}

void onnx_writer_output(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims)
{
    put_value_info(w, &w->outputs, 12, name, n_dims, dims);
}

/* TensorProto { dims = 1, data_type = 2, name = 8, raw_data = 9 }: raw data are little-endian. */
static struct base_buffer *tensor_head(struct onnx_writer *w, const char *name, int type,
                                       int n_dims, const int64_t *dims)
{
    struct base_buffer *t = &w->scratch[0];

    for (int i = 0; i < n_dims; i++)
        put_int(t, 1, dims[i]);
    put_int(t, 2, type);
    put_text(t, 8, name);
    return t;
}

void onnx_writer_f32(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims,
                     const float *data)
{
    struct base_buffer *t = tensor_head(w, name, ELEMENT_F32, n_dims, dims);
    size_t n = 1;

    for (int i = 0; i < n_dims; i++)
        n *= (size_t)dims[i];
    put_varint(t, 9 << 3 | WIRE_BYTES);
    put_varint(t, 4 * (uint64_t)n);
    base_buffer_put_f32s(t, data, n);
    put_message(&w->constants, 5, t);
}

void onnx_writer_i64(struct onnx_writer *w, const char *name, size_t n, const int64_t *data)
{
    int64_t dims[1] = {(int64_t)n};
    struct base_buffer *t = tensor_head(w, name, ELEMENT_I64, 1, dims);

    put_varint(t, 9 << 3 | WIRE_BYTES);
    put_varint(t, 8 * (uint64_t)n);
    for (size_t i = 0; i < n; i++)
        base_buffer_put_u64(t, (uint64_t)data[i]);
    put_message(&w->constants, 5, t);
}

/* NodeProto { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 } */
void onnx_node_begin(struct onnx_writer *w, const char *op)
{
    char name[16];
    size_t at = sizeof(name) - 1;
    int n = w->n_nodes++;

    name[at] = 0;
    do {
        name[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    name[--at] = 'n';
    put_text(&w->node, 3, name + at);
    put_text(&w->node, 4, op);
}

void onnx_node_in(struct onnx_writer *w, const char *value)
{
    put_text(&w->node, 1, value);
}

void onnx_node_out(struct onnx_writer *w, const char *value)
{
    put_text(&w->node, 2, value);
}

/* AttributeProto { name = 1, i = 3, s = 4, ints = 8, type = 20 } */
void onnx_node_int(struct onnx_writer *w, const char *attribute, int64_t v)
{
    struct base_buffer *a = &w->scratch[0];

    put_text(a, 1, attribute);
    put_int(a, 3, v);
    put_int(a, 20, ATTRIBUTE_INT);
    put_message(&w->node, 5, a);
}

void onnx_node_ints(struct onnx_writer *w, const char *attribute, size_t n, const int64_t *v)
{
    struct base_buffer *a = &w->scratch[0];

    put_text(a, 1, attribute);
    for (size_t i = 0; i < n; i++)
        put_int(a, 8, v[i]);
    put_int(a, 20, ATTRIBUTE_INTS);
    put_message(&w->node, 5, a);
}

void onnx_node_text(struct onnx_writer *w, const char *attribute, const char *v)
{
    struct base_buffer *a = &w->scratch[0];

    put_text(a, 1, attribute);
    put_text(a, 4, v);
    put_int(a, 20, ATTRIBUTE_STRING);
    put_message(&w->node, 5, a);
}

void onnx_node_end(struct onnx_writer *w)
{
    put_message(&w->nodes, 1, &w->node);
}

/* ModelProto { ir_version = 1, producer_name = 2, graph = 7, opset_import = 8 { version = 2 } };
 * GraphProto { node = 1, name = 2, initializer = 5, input = 11, output = 12 } */
int onnx_writer_finish(struct onnx_writer *w, const char *graph_name, struct base_buffer *ret_file)
{
    struct base_buffer *parts[] = {&w->nodes, &w->constants, &w->inputs, &w->outputs};
    struct base_buffer *graph = &w->node, *set = &w->scratch[0];

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i]->status < 0)
            return parts[i]->status;
        base_buffer_put(graph, parts[i]->data, parts[i]->size);
    }
    put_text(graph, 2, graph_name);
    put_int(ret_file, 1, IR_VERSION);
    put_text(ret_file, 2, "lipsync import-models");
    put_message(ret_file, 7, graph);
    put_int(set, 2, OPERATOR_SET);
    put_message(ret_file, 8, set);
    return ret_file->status;
}

int onnx_writer_extension(struct onnx_writer *w, struct base_buffer *ret_bytes)
{
    struct base_buffer *graph = &w->scratch[0];
    int status = w->nodes.status < 0 ? w->nodes.status : w->outputs.status;

    base_buffer_put(graph, w->nodes.data, w->nodes.size);
    base_buffer_put(graph, w->outputs.data, w->outputs.size);
    put_message(ret_bytes, 7, graph);
    return status < 0 ? status : ret_bytes->status;
}
