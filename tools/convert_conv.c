/* SPDX-License-Identifier: MIT */
#include "convert_room.h"

#include "base/alloc.h"

/* ONNX Runtime keeps images in blocks of channels between convolutions, sums and ReLUs. Its PRelu
 * and Pad do not know the blocks: each would turn the image over and back. So both are written
 * with operators that do: the mesh takes 2.1 ms instead of 3.4. */

/* Option fields of the three operators with a window (TFLite schema). */
enum { FIELD_PADDING = 0, FIELD_STRIDE_W = 1, FIELD_STRIDE_H = 2 };
enum { CONV_ACTIVATION = 3, CONV_DILATION_W = 4, CONV_DILATION_H = 5 };
enum { DEPTH_ACTIVATION = 4, DEPTH_DILATION_W = 5, DEPTH_DILATION_H = 6 };
enum { POOL_WIDTH = 3, POOL_HEIGHT = 4, POOL_ACTIVATION = 5 };
enum { PADDING_SAME = 0, PADDING_VALID = 1 };

struct window {
    int64_t size[2], stride[2], dilation[2]; /* y, x */
    int64_t pads[4];                         /* top, left, bottom, right */
};

/* TFLite's SAME: as much as makes out = ceil(in / stride), the odd one at the end. Fills in the
 * stride and the pads; checks that the output has the size that follows. */
static int window_pads(struct convert *c, const struct tflite_op *op, struct window *win)
{
    const struct tflite_tensor *in = convert_in(c, op, 0), *out = convert_out(c, op);
    int padding = tflite_option_u8(c->m, op, FIELD_PADDING, PADDING_SAME);

    win->stride[0] = tflite_option_i32(c->m, op, FIELD_STRIDE_H, 0);
    win->stride[1] = tflite_option_i32(c->m, op, FIELD_STRIDE_W, 0);
    for (int d = 0; d < 2; d++) {
        int64_t n_in = in->dims[1 + d], n_out = out->dims[1 + d], span, total;

        if (win->stride[d] < 1 || win->stride[d] > 64 || win->size[d] < 1 || win->dilation[d] < 1 ||
            win->dilation[d] > 64)
            return convert_unsupported(c, "this window");
        span = (win->size[d] - 1) * win->dilation[d] + 1;
        total = (n_out - 1) * win->stride[d] + span - n_in;
        if (padding == PADDING_VALID ? total > 0 || total <= -win->stride[d]
                                     : n_out != (n_in + win->stride[d] - 1) / win->stride[d])
            return convert_damaged(c, "a window does not give its output's size");
        if (total < 0)
            total = 0;
        win->pads[d] = total / 2;
        win->pads[2 + d] = total - total / 2;
    }
    return 0;
}

static void put_window(struct convert *c, const struct window *win)
{
    onnx_node_ints(&c->w, "kernel_shape", 2, win->size);
    onnx_node_ints(&c->w, "strides", 2, win->stride);
    onnx_node_ints(&c->w, "pads", 4, win->pads);
}

/* Weights [O,H,W,I] -> [O,I,H,W]; depthwise [1,H,W,O] -> [O,1,H,W]. */
static int put_weights(struct convert *c, const struct tflite_tensor *k, bool depthwise,
                       struct convert_name *ret)
{
    int64_t h = k->dims[1], w = k->dims[2];
    int64_t n_out = depthwise ? k->dims[3] : k->dims[0], n_in = depthwise ? 1 : k->dims[3];
    int64_t dims[4] = {n_out, n_in, h, w};
    float *data = base_alloc_array(k->n, sizeof(*data));

    if (!data)
        return base_error_nomem(c->err, CONVERT_WHERE);
    for (int64_t o = 0; o < n_out; o++) {
        for (int64_t yx = 0; yx < h * w; yx++) {
            for (int64_t i = 0; i < n_in; i++) {
                int64_t from = depthwise ? yx * n_out + o : (o * h * w + yx) * n_in + i;
                data[(o * n_in + i) * h * w + yx] = tflite_value(k, (size_t)from);
            }
        }
    }
    *ret = convert_f32(c, 4, dims, data);
    base_free(data);
    return 0;
}

static int put_bias(struct convert *c, const struct tflite_tensor *k, struct convert_name *ret)
{
    int64_t dims[1] = {(int64_t)k->n};
    float *data = base_alloc_array(k->n, sizeof(*data));

    if (!data)
        return base_error_nomem(c->err, CONVERT_WHERE);
    for (size_t i = 0; i < k->n; i++)
        data[i] = tflite_value(k, i);
    *ret = convert_f32(c, 1, dims, data);
    base_free(data);
    return 0;
}

/* Whether the weights fit the image's and the output's channels. */
static bool weights_fit(const struct tflite_tensor *in, const struct tflite_tensor *out,
                        const struct tflite_tensor *k, const struct tflite_tensor *bias,
                        bool depthwise)
{
    if (in->n_dims != 4 || out->n_dims != 4 || k->n_dims != 4 || k->type == TFLITE_I32 ||
        bias->type == TFLITE_I32 || bias->n != (size_t)out->dims[3])
        return false;
    if (depthwise)
        return k->dims[0] == 1 && k->dims[3] == out->dims[3] && in->dims[3] == out->dims[3];
    return k->dims[0] == out->dims[3] && k->dims[3] == in->dims[3];
}

int convert_conv(struct convert *c, const struct tflite_op *op)
{
    bool depthwise = op->code == TFLITE_DEPTHWISE_CONV_2D;
    const struct tflite_tensor *k, *bias;
    struct convert_name image, weights, offset, name;
    struct window win = {.dilation = {1, 1}};
    int status = convert_operand(c, op, 0, &image);

    if (status == 0)
        status = convert_constant(c, op, 1, &k);
    if (status == 0)
        status = convert_constant(c, op, 2, &bias);
    if (status < 0)
        return status;
    if (!weights_fit(convert_in(c, op, 0), convert_out(c, op), k, bias, depthwise))
        return convert_unsupported(c, "a convolution whose weights do not fit");
    win.size[0] = k->dims[1];
    win.size[1] = k->dims[2];
    win.dilation[0] =
        tflite_option_i32(c->m, op, depthwise ? DEPTH_DILATION_H : CONV_DILATION_H, 1);
    win.dilation[1] =
        tflite_option_i32(c->m, op, depthwise ? DEPTH_DILATION_W : CONV_DILATION_W, 1);
    status = window_pads(c, op, &win);
    if (status == 0)
        status = put_weights(c, k, depthwise, &weights);
    if (status == 0)
        status = put_bias(c, bias, &offset);
    if (status < 0)
        return status;
    name = convert_fresh(c);
    onnx_node_begin(&c->w, "Conv");
    onnx_node_in(&c->w, image.text);
    onnx_node_in(&c->w, weights.text);
    onnx_node_in(&c->w, offset.text);
    onnx_node_out(&c->w, name.text);
    put_window(c, &win);
    onnx_node_ints(&c->w, "dilations", 2, win.dilation);
    onnx_node_int(&c->w, "group", depthwise ? k->dims[3] : 1);
    onnx_node_end(&c->w);
    status = convert_activation(
        c, tflite_option_u8(c->m, op, depthwise ? DEPTH_ACTIVATION : CONV_ACTIVATION, 0), &name);
    return status < 0 ? status : convert_made(c, op, &name);
}

int convert_pool(struct convert *c, const struct tflite_op *op)
{
    struct convert_name image, name;
    struct window win = {.dilation = {1, 1}};
    int status = convert_operand(c, op, 0, &image);

    if (status < 0)
        return status;
    if (convert_in(c, op, 0)->n_dims != 4 || convert_out(c, op)->n_dims != 4 ||
        convert_in(c, op, 0)->dims[3] != convert_out(c, op)->dims[3])
        return convert_damaged(c, "a pooling that changes the channels");
    win.size[0] = tflite_option_i32(c->m, op, POOL_HEIGHT, 0);
    win.size[1] = tflite_option_i32(c->m, op, POOL_WIDTH, 0);
    status = window_pads(c, op, &win);
    if (status < 0)
        return status;
    name = convert_fresh(c);
    onnx_node_begin(&c->w, "MaxPool");
    onnx_node_in(&c->w, image.text);
    onnx_node_out(&c->w, name.text);
    put_window(c, &win);
    onnx_node_end(&c->w);
    status = convert_activation(c, tflite_option_u8(c->m, op, POOL_ACTIVATION, 0), &name);
    return status < 0 ? status : convert_made(c, op, &name);
}

/* A 1 x 1 convolution without bias; group 1 or one group per channel. */
static struct convert_name pointwise(struct convert *c, const char *image, int64_t n_out,
                                     int64_t n_in, int64_t groups, const float *weights)
{
    int64_t dims[4] = {n_out, n_in, 1, 1}, one[2] = {1, 1};
    struct convert_name k = convert_f32(c, 4, dims, weights), name = convert_fresh(c);

    onnx_node_begin(&c->w, "Conv");
    onnx_node_in(&c->w, image);
    onnx_node_in(&c->w, k.text);
    onnx_node_out(&c->w, name.text);
    onnx_node_ints(&c->w, "kernel_shape", 2, one);
    onnx_node_int(&c->w, "group", groups);
    onnx_node_end(&c->w);
    return name;
}

/* PReLU with one slope a per channel: relu(x) - a relu(-x), which is exact. */
int convert_prelu(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *k, *in;
    struct convert_name x, positive, negative;
    float *weights;
    int64_t n;
    int status = convert_operand(c, op, 0, &x);

    if (status == 0)
        status = convert_constant(c, op, 1, &k);
    if (status < 0)
        return status;
    in = convert_in(c, op, 0);
    if (in->n_dims != 4 || k->n != (size_t)in->dims[3])
        return convert_unsupported(c, "this PRELU");
    n = in->dims[3];
    weights = base_alloc_array(k->n, sizeof(*weights));
    if (!weights)
        return base_error_nomem(c->err, CONVERT_WHERE);
    positive = convert_node(c, "Relu", x.text, NULL);
    for (size_t i = 0; i < k->n; i++)
        weights[i] = -1.0f;
    negative = pointwise(c, x.text, n, 1, n, weights);
    negative = convert_node(c, "Relu", negative.text, NULL);
    for (size_t i = 0; i < k->n; i++)
        weights[i] = -tflite_value(k, i);
    negative = pointwise(c, negative.text, n, 1, n, weights);
    base_free(weights);
    x = convert_node(c, "Add", positive.text, negative.text);
    return convert_made(c, op, &x);
}

/* Zero channels behind the image's own: a 1 x 1 convolution with ones on the diagonal. */
int convert_pad(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *k, *in;
    struct convert_name x;
    float *weights;
    int64_t n_in, n_out;
    int status = convert_operand(c, op, 0, &x);

    if (status == 0)
        status = convert_constant(c, op, 1, &k);
    if (status < 0)
        return status;
    in = convert_in(c, op, 0);
    if (in->n_dims != 4 || k->n != 8 || k->type != TFLITE_I32)
        return convert_unsupported(c, "this PAD");
    for (size_t i = 0; i < 7; i++) {
        if (tflite_value(k, i) != 0.0f)
            return convert_unsupported(c, "PAD of other than the last channels");
    }
    n_in = in->dims[3];
    n_out = convert_out(c, op)->n_dims == 4 ? convert_out(c, op)->dims[3] : 0;
    if (n_in > 1024 || n_out > 1024 || (float)(n_out - n_in) != tflite_value(k, 7) || n_out < n_in)
        return convert_unsupported(c, "this PAD");
    weights = base_alloc_array((size_t)(n_out * n_in), sizeof(*weights));
    if (!weights)
        return base_error_nomem(c->err, CONVERT_WHERE);
    for (int64_t i = 0; i < n_in; i++)
        weights[i * n_in + i] = 1.0f;
    x = pointwise(c, x.text, n_out, n_in, 1, weights);
    base_free(weights);
    return convert_made(c, op, &x);
}
