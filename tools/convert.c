/* SPDX-License-Identifier: MIT */
#include "convert_room.h"

#include <stdio.h>

#include "base/alloc.h"

int convert_unsupported(struct convert *c, const char *what)
{
    return base_error_set(c->err, LIP_ERR_UNSUPPORTED, CONVERT_WHERE, "cannot convert %s", what);
}

int convert_damaged(struct convert *c, const char *what)
{
    return base_error_set(c->err, LIP_ERR_FORMAT, CONVERT_WHERE, "damaged net: %s", what);
}

struct convert_name convert_fresh(struct convert *c)
{
    struct convert_name name;

    snprintf(name.text, sizeof(name.text), "v%d", c->n_names++);
    return name;
}

struct convert_name convert_f32(struct convert *c, int n_dims, const int64_t *dims,
                                const float *data)
{
    struct convert_name name = convert_fresh(c);

    onnx_writer_f32(&c->w, name.text, n_dims, dims, data);
    return name;
}

struct convert_name convert_i64(struct convert *c, size_t n, const int64_t *data)
{
    struct convert_name name = convert_fresh(c);

    onnx_writer_i64(&c->w, name.text, n, data);
    return name;
}

struct convert_name convert_node(struct convert *c, const char *op, const char *a, const char *b)
{
    struct convert_name name = convert_fresh(c);

    onnx_node_begin(&c->w, op);
    onnx_node_in(&c->w, a);
    if (b)
        onnx_node_in(&c->w, b);
    onnx_node_out(&c->w, name.text);
    onnx_node_end(&c->w);
    return name;
}

struct convert_name convert_reshape(struct convert *c, const char *value, int n_dims,
                                    const int64_t *dims)
{
    struct convert_name shape = convert_i64(c, (size_t)n_dims, dims);

    return convert_node(c, "Reshape", value, shape.text);
}

static struct convert_name transpose(struct convert *c, const char *value, const int64_t *perm)
{
    struct convert_name name = convert_fresh(c);

    onnx_node_begin(&c->w, "Transpose");
    onnx_node_in(&c->w, value);
    onnx_node_out(&c->w, name.text);
    onnx_node_ints(&c->w, "perm", 4, perm);
    onnx_node_end(&c->w);
    return name;
}

static const int64_t to_nchw[4] = {0, 3, 1, 2};
static const int64_t to_nhwc[4] = {0, 2, 3, 1};

/* The ONNX shape of a tensor: images are NCHW, all else as it is. */
static void onnx_shape(const struct tflite_tensor *t, int64_t *ret_dims)
{
    for (int i = 0; i < t->n_dims; i++)
        ret_dims[i] = t->dims[t->n_dims == 4 ? to_nchw[i] : i];
}

/* Whether NHWC and NCHW order are one, so that a reshape moves nothing. */
static bool order_is_one(const struct tflite_tensor *t)
{
    return t->n_dims != 4 || t->dims[3] == 1 || t->dims[1] * (int64_t)t->dims[2] == 1;
}

const struct tflite_tensor *convert_in(const struct convert *c, const struct tflite_op *op, int k)
{
    return &c->m->tensors[op->inputs[k]];
}

const struct tflite_tensor *convert_out(const struct convert *c, const struct tflite_op *op)
{
    return &c->m->tensors[op->outputs[0]];
}

int convert_operand_loose(struct convert *c, const struct tflite_op *op, int k,
                          struct convert_name *ret)
{
    const struct convert_value *v;

    if (k >= op->n_inputs || op->inputs[k] < 0)
        return convert_damaged(c, "an operand is missing");
    v = &c->values[op->inputs[k]];
    if (!v->made || v->constant >= 0 || v->matrix)
        return convert_damaged(c, "an operand is of the wrong kind or made too late");
    *ret = v->name;
    return 0;
}

int convert_operand(struct convert *c, const struct tflite_op *op, int k, struct convert_name *ret)
{
    int status = convert_operand_loose(c, op, k, ret);
    struct convert_value *v;
    int64_t dims[TFLITE_DIMS_MAX];

    if (status < 0)
        return status;
    v = &c->values[op->inputs[k]];
    if (v->loose) {
        onnx_shape(convert_in(c, op, k), dims);
        v->name = convert_reshape(c, v->name.text, convert_in(c, op, k)->n_dims, dims);
        v->loose = false;
        *ret = v->name;
    }
    return 0;
}

int convert_constant(struct convert *c, const struct tflite_op *op, int k,
                     const struct tflite_tensor **ret)
{
    int source;

    if (k >= op->n_inputs || op->inputs[k] < 0)
        return convert_damaged(c, "a constant is missing");
    source = c->values[op->inputs[k]].constant;
    if (source < 0)
        return convert_damaged(c, "a constant is computed");
    *ret = &c->m->tensors[source];
    return 0;
}

int convert_made(struct convert *c, const struct tflite_op *op, const struct convert_name *name)
{
    struct convert_value *v = &c->values[op->outputs[0]];

    if (op->n_outputs != 1 || v->made)
        return convert_damaged(c, "a value is made twice");
    v->made = true;
    v->name = *name;
    return 0;
}

int convert_activation(struct convert *c, int kind, struct convert_name *name)
{
    if (kind != 0 && kind != 1)
        return convert_unsupported(c, "this fused activation");
    if (kind == 1)
        *name = convert_node(c, "Relu", name->text, NULL);
    return 0;
}

/* fp16 weights hide behind DEQUANTIZE: the output stands for the constant itself. */
static int convert_dequantize(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *t;
    struct convert_name none = {""};
    int status = convert_constant(c, op, 0, &t);

    if (status < 0)
        return status;
    if (t->type != TFLITE_F16 || op->n_outputs != 1 || convert_out(c, op)->n != t->n)
        return convert_unsupported(c, "DEQUANTIZE of other than fp16 constants");
    status = convert_made(c, op, &none);
    c->values[op->outputs[0]].constant = (int)(t - c->m->tensors);
    return status;
}

static bool same_shape(const struct tflite_tensor *a, const struct tflite_tensor *b)
{
    for (int i = 0; i < a->n_dims; i++) {
        if (i >= b->n_dims || a->dims[i] != b->dims[i])
            return false;
    }
    return a->n_dims == b->n_dims;
}

static int convert_add(struct convert *c, const struct tflite_op *op)
{
    struct convert_name a, b;
    int status = convert_operand(c, op, 0, &a);

    if (status == 0)
        status = convert_operand(c, op, 1, &b);
    if (status < 0)
        return status;
    if (!same_shape(convert_in(c, op, 0), convert_in(c, op, 1)))
        return convert_unsupported(c, "ADD of different shapes");
    a = convert_node(c, "Add", a.text, b.text);
    status = convert_activation(c, tflite_option_u8(c->m, op, 0, 0), &a);
    return status < 0 ? status : convert_made(c, op, &a);
}

/* A computed value by a constant: one number, or the 4 x 4 weights of an affine map. */
static int convert_mul(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *k;
    struct convert_name a, b;
    int64_t one[1] = {1};
    float factor;
    int status = convert_constant(c, op, 1, &k);

    if (status < 0)
        return status;
    if (op->inputs[0] >= 0 && c->values[op->inputs[0]].matrix)
        return convert_scale_matrix(c, op);
    status = convert_operand(c, op, 0, &a);
    if (status < 0)
        return status;
    if (k->n != 1)
        return convert_unsupported(c, "MUL by more than one number");
    factor = tflite_value(k, 0);
    b = convert_f32(c, 1, one, &factor);
    a = convert_node(c, "Mul", a.text, b.text);
    status = convert_activation(c, tflite_option_u8(c->m, op, 0, 0), &a);
    return status < 0 ? status : convert_made(c, op, &a);
}

static int convert_relu(struct convert *c, const struct tflite_op *op)
{
    struct convert_name a;
    int status = convert_operand(c, op, 0, &a);

    if (status < 0)
        return status;
    a = convert_node(c, "Relu", a.text, NULL);
    return convert_made(c, op, &a);
}

/* A reshape moves nothing and becomes no node, except where images must be put in NHWC order. */
static int convert_reshape_op(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *in, *out;
    struct convert_name a;
    int status = convert_operand_loose(c, op, 0, &a);

    if (status < 0 || op->n_outputs != 1)
        return status < 0 ? status : convert_damaged(c, "RESHAPE");
    in = convert_in(c, op, 0);
    out = convert_out(c, op);
    if (in->n != out->n)
        return convert_damaged(c, "RESHAPE changes the number of elements");
    if (!order_is_one(out))
        return convert_unsupported(c, "RESHAPE into an image");
    if (!order_is_one(in)) {
        status = convert_operand(c, op, 0, &a);
        if (status < 0)
            return status;
        a = transpose(c, a.text, to_nhwc);
    }
    status = convert_made(c, op, &a);
    c->values[op->outputs[0]].loose = true;
    return status;
}

static int convert_concat(struct convert *c, const struct tflite_op *op)
{
    struct convert_name parts[TFLITE_OP_INPUTS_MAX], a;
    const struct tflite_tensor *out = convert_out(c, op);
    int axis = tflite_option_i32(c->m, op, 0, 0);
    int status = 0;

    if (axis < 0)
        axis += out->n_dims;
    if (axis < 0 || axis >= out->n_dims || op->n_inputs < 1 ||
        tflite_option_u8(c->m, op, 1, 0) != 0)
        return convert_unsupported(c, "this CONCATENATION");
    for (int k = 0; k < op->n_inputs && status == 0; k++)
        status = convert_operand(c, op, k, &parts[k]);
    if (status < 0)
        return status;
    a = convert_fresh(c);
    onnx_node_begin(&c->w, "Concat");
    for (int k = 0; k < op->n_inputs; k++)
        onnx_node_in(&c->w, parts[k].text);
    onnx_node_out(&c->w, a.text);
    onnx_node_int(&c->w, "axis", out->n_dims == 4 ? (int64_t[]){0, 2, 3, 1}[axis] : axis);
    onnx_node_end(&c->w);
    return convert_made(c, op, &a);
}

/* Field 2 = align corners, field 3 = half-pixel centres: the second is what our nets use. */
static int convert_resize(struct convert *c, const struct tflite_op *op)
{
    struct convert_name a, size, name;
    int64_t dims[4];
    int status = convert_operand(c, op, 0, &a);

    if (status < 0)
        return status;
    if (convert_out(c, op)->n_dims != 4 || tflite_option_u8(c->m, op, 2, 0) ||
        !tflite_option_u8(c->m, op, 3, 0))
        return convert_unsupported(c, "this RESIZE_BILINEAR");
    onnx_shape(convert_out(c, op), dims);
    size = convert_i64(c, 4, dims);
    name = convert_fresh(c);
    onnx_node_begin(&c->w, "Resize");
    onnx_node_in(&c->w, a.text);
    onnx_node_in(&c->w, "");
    onnx_node_in(&c->w, "");
    onnx_node_in(&c->w, size.text);
    onnx_node_out(&c->w, name.text);
    onnx_node_text(&c->w, "mode", "linear");
    onnx_node_text(&c->w, "coordinate_transformation_mode", "half_pixel");
    onnx_node_end(&c->w);
    return convert_made(c, op, &name);
}

/* Only the slice that takes everything, which the mesh has at its end. */
static int convert_slice(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *in, *begin, *end, *step;
    struct convert_name a;
    int status = convert_operand_loose(c, op, 0, &a);

    if (status == 0)
        status = convert_constant(c, op, 1, &begin);
    if (status == 0)
        status = convert_constant(c, op, 2, &end);
    if (status == 0)
        status = convert_constant(c, op, 3, &step);
    if (status < 0)
        return status;
    in = convert_in(c, op, 0);
    if (!same_shape(in, convert_out(c, op)) || begin->n != (size_t)in->n_dims ||
        end->n != begin->n || step->n != begin->n)
        return convert_unsupported(c, "this STRIDED_SLICE");
    for (size_t i = 0; i < begin->n; i++) {
        if (tflite_value(begin, i) != 0.0f || tflite_value(step, i) != 1.0f)
            return convert_unsupported(c, "this STRIDED_SLICE");
    }
    status = convert_made(c, op, &a);
    c->values[op->outputs[0]].loose = c->values[op->inputs[0]].loose;
    return status;
}

static int convert_op(struct convert *c, const struct tflite_op *op)
{
    char text[64];

    if (op->n_outputs < 1)
        return convert_damaged(c, "an operator without output");
    switch (op->code) {
    case TFLITE_ADD:
        return convert_add(c, op);
    case TFLITE_CONCATENATION:
        return convert_concat(c, op);
    case TFLITE_CONV_2D:
    case TFLITE_DEPTHWISE_CONV_2D:
        return convert_conv(c, op);
    case TFLITE_DEQUANTIZE:
        return convert_dequantize(c, op);
    case TFLITE_MAX_POOL_2D:
        return convert_pool(c, op);
    case TFLITE_MUL:
        return convert_mul(c, op);
    case TFLITE_RELU:
        return convert_relu(c, op);
    case TFLITE_RESHAPE:
        return convert_reshape_op(c, op);
    case TFLITE_RESIZE_BILINEAR:
        return convert_resize(c, op);
    case TFLITE_CUSTOM:
        return convert_custom(c, op);
    case TFLITE_PAD:
        return convert_pad(c, op);
    case TFLITE_STRIDED_SLICE:
        return convert_slice(c, op);
    case TFLITE_PRELU:
        return convert_prelu(c, op);
    default:
        snprintf(text, sizeof(text), "operator number %d", op->code);
        return convert_unsupported(c, text);
    }
}

static int convert_graph_input(struct convert *c, const struct convert_spec *spec)
{
    const struct tflite_tensor *t;
    struct convert_value *v;
    int64_t dims[4];

    if (c->m->n_inputs != 1)
        return convert_unsupported(c, "a net with several inputs");
    t = &c->m->tensors[c->m->inputs[0]];
    v = &c->values[c->m->inputs[0]];
    if (t->n_dims != 4 || t->type != TFLITE_F32 || v->made)
        return convert_unsupported(c, "an input that is no float image");
    for (int i = 0; i < 4; i++)
        dims[i] = t->dims[i];
    onnx_writer_input(&c->w, spec->input, 4, dims);
    v->name = transpose(c, spec->input, to_nchw);
    v->made = true;
    return 0;
}

static int convert_graph_output(struct convert *c, int number, const struct convert_output *out)
{
    const struct tflite_tensor *t = &c->m->tensors[number];
    const struct convert_value *v = &c->values[number];
    struct convert_name shape;
    size_t n = 1;

    for (int i = 0; i < out->n_dims; i++)
        n *= (size_t)out->dims[i];
    if (!v->made || v->constant >= 0 || v->matrix || t->n != n || !order_is_one(t))
        return base_error_set(c->err, LIP_ERR_UNSUPPORTED, CONVERT_WHERE,
                              "output '%s' is not what was expected", out->name);
    shape = convert_i64(c, (size_t)out->n_dims, out->dims);
    onnx_node_begin(&c->w, "Reshape");
    onnx_node_in(&c->w, v->name.text);
    onnx_node_in(&c->w, shape.text);
    onnx_node_out(&c->w, out->name);
    onnx_node_end(&c->w);
    onnx_writer_output(&c->w, out->name, out->n_dims, out->dims);
    return 0;
}

static int convert_graph(struct convert *c, const struct convert_spec *spec)
{
    int status;

    for (size_t i = 0; i < c->m->n_tensors; i++) {
        c->values[i].constant = c->m->tensors[i].data ? (int)i : -1;
        c->values[i].made = c->values[i].constant >= 0;
    }
    status = convert_graph_input(c, spec);
    for (size_t i = 0; i < c->m->n_ops && status == 0; i++)
        status = convert_op(c, &c->m->ops[i]);
    if (status == 0 && c->m->n_outputs != spec->n_outputs)
        status = convert_unsupported(c, "a net with another number of outputs");
    for (int i = 0; i < spec->n_outputs && status == 0; i++)
        status = convert_graph_output(c, c->m->outputs[i], &spec->outputs[i]);
    return status;
}

int convert_tflite(const void *bytes, size_t n, const struct convert_spec *spec,
                   struct base_buffer *ret_file, struct lip_error *err)
{
    struct convert c = {.err = err};
    int status = tflite_read(bytes, n, &c.m, err);

    if (status < 0)
        return status;
    onnx_writer_init(&c.w);
    c.values = base_alloc_array(c.m->n_tensors, sizeof(*c.values));
    status = c.values ? convert_graph(&c, spec) : base_error_nomem(err, CONVERT_WHERE);
    if (status == 0) {
        status = onnx_writer_finish(&c.w, spec->name, ret_file);
        if (status < 0)
            base_error_set(err, status, CONVERT_WHERE, "the net does not fit in memory");
    }
    base_free(c.values);
    onnx_writer_done(&c.w);
    tflite_free(&c.m);
    return status;
}
