/* SPDX-License-Identifier: MIT */
#include "tflite.h"

#include <string.h>

#include "base/alloc.h"

#define WHERE "import/tflite"

/* Field numbers of the schema's tables. */
enum { MODEL_OPCODES = 1, MODEL_GRAPHS = 2, MODEL_BUFFERS = 4 };
enum { OPCODE_CODE_OLD = 0, OPCODE_CUSTOM = 1, OPCODE_VERSION = 2, OPCODE_CODE = 3 };
enum { GRAPH_TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, GRAPH_OPS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3, TENSOR_SPARSITY = 6 };
enum { OP_CODE = 0, OP_INPUTS = 1, OP_OUTPUTS = 2, OP_OPTIONS = 4, OP_CUSTOM_OPTIONS = 5 };
enum { BUFFER_DATA = 0 };

static int damaged(struct lip_error *err, const char *what)
{
    return base_error_set(err, LIP_ERR_FORMAT, WHERE, "damaged TFLite file: %s", what);
}

/* A string field, cut to what fits; only printable ASCII is kept, the rest becomes '_'. */
static void read_name(struct flat *f, size_t table, unsigned index, char *ret_name)
{
    struct flat_vector v = flat_field_vector(f, table, index, 1, 4096);
    uint32_t n = v.n < TFLITE_NAME_MAX - 1 ? v.n : TFLITE_NAME_MAX - 1;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t c = flat_u8(f, v.at + i);
        ret_name[i] = c > ' ' && c < 127 ? (char)c : '_';
    }
    ret_name[n] = 0;
}

/* A vector of tensor numbers into ret_v. `lowest` is -1 where an operand may be left out. */
static int read_numbers(struct tflite_model *m, size_t table, unsigned index, int n_max, int lowest,
                        int *ret_v, int *ret_n)
{
    struct flat_vector v = flat_field_vector(&m->flat, table, index, 4, (uint32_t)n_max);

    for (uint32_t i = 0; i < v.n; i++) {
        ret_v[i] = flat_i32(&m->flat, v.at + 4 * (size_t)i);
        if (ret_v[i] < lowest || ret_v[i] >= (int64_t)m->n_tensors)
            return -1;
    }
    *ret_n = (int)v.n;
    return m->flat.failed ? -1 : 0;
}

static size_t type_size(int type)
{
    return type == TFLITE_F32 || type == TFLITE_I32 ? 4 : type == TFLITE_F16 ? 2 : 0;
}

static int read_shape(struct flat *f, size_t table, struct tflite_tensor *t)
{
    struct flat_vector shape = flat_field_vector(f, table, TENSOR_SHAPE, 4, TFLITE_DIMS_MAX);

    t->n_dims = (int)shape.n;
    t->n = 1;
    for (uint32_t i = 0; i < shape.n; i++) {
        int32_t d = flat_i32(f, shape.at + 4 * (size_t)i);
        if (d < 1 || (size_t)d > TFLITE_ELEMENTS_MAX / t->n)
            return -1;
        t->dims[i] = d;
        t->n *= (size_t)d;
    }
    return 0;
}

/* Buffer 0 is the empty one by convention; an absent data vector means "computed". */
static int read_data(struct flat *f, struct flat_vector buffers, int32_t number,
                     struct tflite_tensor *t)
{
    struct flat_vector data;

    if (number < 0 || (uint32_t)number >= buffers.n)
        return -1;
    data = flat_field_vector(f, flat_vector_table(f, buffers, (uint32_t)number), BUFFER_DATA, 1,
                             UINT32_MAX);
    if (f->failed)
        return -1;
    if (data.n == 0)
        return 0;
    /* A type we do not know keeps no data: whoever uses such a tensor says so. */
    if (type_size(t->type) == 0)
        return 0;
    if (data.n != t->n * type_size(t->type))
        return -1;
    t->data = f->data + data.at;
    return 0;
}

static int read_tensors(struct tflite_model *m, size_t root, size_t graph, struct lip_error *err)
{
    struct flat *f = &m->flat;
    struct flat_vector buffers = flat_field_vector(f, root, MODEL_BUFFERS, 4, TFLITE_BUFFERS_MAX);
    struct flat_vector list = flat_field_vector(f, graph, GRAPH_TENSORS, 4, TFLITE_TENSORS_MAX);

    if (f->failed || list.n == 0)
        return damaged(err, "no tensors");
    m->tensors = base_alloc_array(list.n, sizeof(*m->tensors));
    if (!m->tensors)
        return base_error_nomem(err, WHERE);
    m->n_tensors = list.n;
    for (uint32_t i = 0; i < list.n; i++) {
        struct tflite_tensor *t = &m->tensors[i];
        size_t table = flat_vector_table(f, list, i);

        t->type = flat_field_u8(f, table, TENSOR_TYPE, TFLITE_F32);
        read_name(f, table, TENSOR_NAME, t->name);
        if (flat_field_table(f, table, TENSOR_SPARSITY))
            return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                                  "tensor '%s' is sparse: use the dense file", t->name);
        if (read_shape(f, table, t) < 0 ||
            read_data(f, buffers, flat_field_i32(f, table, TENSOR_BUFFER, 0), t) < 0 || f->failed)
            return damaged(err, "a tensor's shape or data");
    }
    return 0;
}

/* The built-in code moved to a wider field once: the larger of the two counts. */
static int read_opcode(struct flat *f, struct flat_vector codes, int32_t number,
                       struct tflite_op *op)
{
    size_t table;
    int32_t narrow, wide;

    if (number < 0 || (uint32_t)number >= codes.n)
        return -1;
    table = flat_vector_table(f, codes, (uint32_t)number);
    narrow = flat_field_u8(f, table, OPCODE_CODE_OLD, 0);
    wide = flat_field_i32(f, table, OPCODE_CODE, 0);
    op->code = narrow > wide ? narrow : wide;
    op->version = flat_field_i32(f, table, OPCODE_VERSION, 1);
    if (op->code == TFLITE_CUSTOM)
        read_name(f, table, OPCODE_CUSTOM, op->custom);
    return 0;
}

static int read_op(struct tflite_model *m, struct flat_vector codes, size_t table,
                   struct tflite_op *op)
{
    struct flat *f = &m->flat;
    struct flat_vector custom;

    if (read_opcode(f, codes, flat_field_i32(f, table, OP_CODE, 0), op) < 0 ||
        read_numbers(m, table, OP_INPUTS, TFLITE_OP_INPUTS_MAX, -1, op->inputs, &op->n_inputs) <
            0 ||
        read_numbers(m, table, OP_OUTPUTS, TFLITE_OP_OUTPUTS_MAX, 0, op->outputs, &op->n_outputs) <
            0)
        return -1;
    op->options = flat_field_table(f, table, OP_OPTIONS);
    custom = flat_field_vector(f, table, OP_CUSTOM_OPTIONS, 1, 1 << 20);
    if (custom.n) {
        op->custom_options = f->data + custom.at;
        op->custom_options_n = custom.n;
    }
    return f->failed ? -1 : 0;
}

static int read_ops(struct tflite_model *m, size_t root, size_t graph, struct lip_error *err)
{
    struct flat *f = &m->flat;
    struct flat_vector codes = flat_field_vector(f, root, MODEL_OPCODES, 4, 1024);
    struct flat_vector list = flat_field_vector(f, graph, GRAPH_OPS, 4, TFLITE_OPS_MAX);

    if (f->failed || list.n == 0)
        return damaged(err, "no operators");
    m->ops = base_alloc_array(list.n, sizeof(*m->ops));
    if (!m->ops)
        return base_error_nomem(err, WHERE);
    m->n_ops = list.n;
    for (uint32_t i = 0; i < list.n; i++) {
        if (read_op(m, codes, flat_vector_table(f, list, i), &m->ops[i]) < 0)
            return damaged(err, "an operator");
    }
    return 0;
}

static int read_model(struct tflite_model *m, struct lip_error *err)
{
    struct flat *f = &m->flat;
    struct flat_vector graphs;
    size_t root, graph;
    int status;

    if (f->size < 8 || memcmp(f->data + 4, "TFL3", 4) != 0)
        return damaged(err, "it does not begin as one");
    root = flat_root(f);
    graphs = flat_field_vector(f, root, MODEL_GRAPHS, 4, 64);
    if (f->failed || graphs.n == 0)
        return damaged(err, "no graph");
    if (graphs.n != 1)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE, "the file holds %u graphs",
                              (unsigned)graphs.n);
    graph = flat_vector_table(f, graphs, 0);
    status = read_tensors(m, root, graph, err);
    if (status == 0)
        status = read_ops(m, root, graph, err);
    if (status < 0)
        return status;
    if (read_numbers(m, graph, GRAPH_INPUTS, TFLITE_GRAPH_IO_MAX, 0, m->inputs, &m->n_inputs) < 0 ||
        read_numbers(m, graph, GRAPH_OUTPUTS, TFLITE_GRAPH_IO_MAX, 0, m->outputs, &m->n_outputs) <
            0)
        return damaged(err, "inputs or outputs");
    return 0;
}

int tflite_read(const void *bytes, size_t n, struct tflite_model **ret_model, struct lip_error *err)
{
    struct tflite_model *m = base_alloc_zero(sizeof(*m));
    int status;

    if (!m)
        return base_error_nomem(err, WHERE);
    flat_init(&m->flat, bytes, n);
    status = read_model(m, err);
    if (status < 0) {
        tflite_free(&m);
        return status;
    }
    *ret_model = m;
    return 0;
}

void tflite_free(struct tflite_model **model)
{
    if (!model || !*model)
        return;
    base_free((*model)->tensors);
    base_free((*model)->ops);
    base_free(*model);
    *model = NULL;
}

int tflite_option_u8(struct tflite_model *model, const struct tflite_op *op, unsigned field,
                     int fallback)
{
    int v = flat_field_u8(&model->flat, op->options, field, fallback);

    return model->flat.failed ? fallback : v;
}

int32_t tflite_option_i32(struct tflite_model *model, const struct tflite_op *op, unsigned field,
                          int32_t fallback)
{
    int32_t v = flat_field_i32(&model->flat, op->options, field, fallback);

    return model->flat.failed ? fallback : v;
}

/* IEEE 754 half to single: exact for every value. */
static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31;
    uint32_t fraction = h & 1023;
    uint32_t bits;
    float v;

    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 */
        v = (float)fraction * (1.0f / 16777216.0f);
        return sign ? -v : v;
    }
    if (exponent == 31)
        bits = sign | 0x7f800000u | fraction << 13;
    else
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&v, &bits, 4);
    return v;
}

float tflite_value(const struct tflite_tensor *t, size_t i)
{
    const uint8_t *p = t->data + i * type_size(t->type);
    uint32_t bits;
    float v;

    if (t->type == TFLITE_F16)
        return half_to_float((uint16_t)(p[0] | p[1] << 8));
    bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (t->type == TFLITE_I32)
        return (float)(int32_t)bits;
    memcpy(&v, &bits, 4);
    return v;
}
