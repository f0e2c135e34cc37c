/* SPDX-License-Identifier: MIT
 *
 * The attention mesh's own operators, written with ordinary ones. What they compute is described
 * by MediaPipe's mediapipe/util/tflite/operations (version 2 of each, as the file's operator codes
 * say; another version is refused):
 *
 * Landmarks2TransformMatrix: points -> the affine map M from the pixels of an out_w x out_h patch
 *   to the points' plane. u = unit vector from the left to the right corner point, v = u turned by
 *   a quarter. In the (u, v) frame, the chosen points' bounding box has size s and centre q; then
 *   M's columns are a = u s_x scale_x / out_w and b = v s_y scale_y / out_h, and its shift is
 *   q - a out_w / 2 - b out_h / 2.
 * TransformTensorBilinear: patch(j, i) = image at M (j + 1/2, i + 1/2), bilinear between pixel
 *   centres; zero as soon as that point lies outside the outermost centres.
 * TransformLandmarks: points -> M points.
 *
 * Points are rows here: p' = p A + t with A = [a; b]. */
#include "convert_room.h"

#include <string.h>

#include "base/alloc.h"
#include "flex.h"

#define SUBSET_MAX 478

struct patch_options {
    int subset[SUBSET_MAX], n_subset;
    int left, right; /* the two corner points */
    double scale_x, scale_y;
    double out_w, out_h; /* pixels of the patch */
};

static bool read_number(const struct tflite_op *op, const char *key, double lo, double hi,
                        double *ret_v)
{
    return flex_number(op->custom_options, op->custom_options_n, key, ret_v) == 0 && *ret_v >= lo &&
           *ret_v <= hi;
}

static bool read_patch_options(const struct tflite_op *op, int n_points, struct patch_options *o)
{
    double left, right, turn;

    if (!read_number(op, "left_rotation_idx", 0, n_points - 1, &left) ||
        !read_number(op, "right_rotation_idx", 0, n_points - 1, &right) ||
        !read_number(op, "target_rotation_radians", 0, 0, &turn) ||
        !read_number(op, "scale_x", 0.01, 100, &o->scale_x) ||
        !read_number(op, "scale_y", 0.01, 100, &o->scale_y) ||
        !read_number(op, "output_width", 1, 1024, &o->out_w) ||
        !read_number(op, "output_height", 1, 1024, &o->out_h) ||
        flex_ints(op->custom_options, op->custom_options_n, "subset_idxs", o->subset, SUBSET_MAX,
                  &o->n_subset) < 0)
        return false;
    o->left = (int)left;
    o->right = (int)right;
    for (int i = 0; i < o->n_subset; i++) {
        if (o->subset[i] < 0 || o->subset[i] >= n_points)
            return false;
    }
    return o->n_subset > 0;
}

/* Rows of a table by constant numbers. */
static struct convert_name gather(struct convert *c, const char *table, int axis, const int *rows,
                                  int n)
{
    struct convert_name list, name = convert_fresh(c);
    int64_t v[SUBSET_MAX];

    for (int i = 0; i < n; i++)
        v[i] = rows[i];
    list = convert_i64(c, (size_t)n, v);
    onnx_node_begin(&c->w, "Gather");
    onnx_node_in(&c->w, table);
    onnx_node_in(&c->w, list.text);
    onnx_node_out(&c->w, name.text);
    onnx_node_int(&c->w, "axis", axis);
    onnx_node_end(&c->w);
    return name;
}

/* A reduction over one axis that keeps the number of axes. */
static struct convert_name reduce(struct convert *c, const char *op, const char *value,
                                  int64_t axis)
{
    struct convert_name name = convert_fresh(c);

    onnx_node_begin(&c->w, op);
    onnx_node_in(&c->w, value);
    onnx_node_out(&c->w, name.text);
    onnx_node_ints(&c->w, "axes", 1, &axis);
    onnx_node_int(&c->w, "keepdims", 1);
    onnx_node_end(&c->w);
    return name;
}

/* a b + shift, b transposed if asked; shift may be NULL. */
static struct convert_name gemm(struct convert *c, const char *a, const char *b, int turn_b,
                                const char *shift)
{
    struct convert_name name = convert_fresh(c);

    onnx_node_begin(&c->w, "Gemm");
    onnx_node_in(&c->w, a);
    onnx_node_in(&c->w, b);
    if (shift)
        onnx_node_in(&c->w, shift);
    onnx_node_out(&c->w, name.text);
    if (turn_b)
        onnx_node_int(&c->w, "transB", 1);
    onnx_node_end(&c->w);
    return name;
}

static struct convert_name stack(struct convert *c, const char *a, const char *b)
{
    struct convert_name name = convert_fresh(c);

    onnx_node_begin(&c->w, "Concat");
    onnx_node_in(&c->w, a);
    onnx_node_in(&c->w, b);
    onnx_node_out(&c->w, name.text);
    onnx_node_int(&c->w, "axis", 0);
    onnx_node_end(&c->w);
    return name;
}

static struct convert_name table2(struct convert *c, int64_t rows, const float *v)
{
    int64_t dims[2] = {rows, 2};

    return convert_f32(c, 2, dims, v);
}

/* The rows u and v of the frame that lies along the corner points. */
static struct convert_name upright_frame(struct convert *c, const char *points, int left, int right)
{
    int64_t row_dims[2] = {1, 2}, one[1] = {1};
    const float minus_plus[2] = {-1, 1}, quarter[4] = {0, 1, -1, 0}, tiny[1] = {1e-12f};
    struct convert_name k, ends, d, length, u, v;

    ends = gather(c, points, 0, (int[]){left, right}, 2);
    k = convert_f32(c, 2, row_dims, minus_plus);
    d = convert_node(c, "MatMul", k.text, ends.text);
    length = reduce(c, "ReduceL2", d.text, 1);
    k = convert_f32(c, 1, one, tiny); /* corner points that fall together: no division by zero */
    length = convert_node(c, "Max", length.text, k.text);
    u = convert_node(c, "Div", d.text, length.text);
    k = table2(c, 2, quarter);
    v = convert_node(c, "MatMul", u.text, k.text);
    return stack(c, u.text, v.text);
}

static void put_matrix(struct convert *c, const char *points, const struct patch_options *o,
                       struct convert_value *ret)
{
    const float half[1] = {0.5f};
    const float per_px[2] = {(float)(o->scale_x / o->out_w), (float)(o->scale_y / o->out_h)};
    const float middle[2] = {(float)(o->out_w / 2), (float)(o->out_h / 2)};
    int64_t one[1] = {1}, column[2] = {2, 1};
    struct convert_name k, frame, turned, lo, hi, centre, size, corner;

    frame = upright_frame(c, points, o->left, o->right);
    turned = gather(c, points, 0, o->subset, o->n_subset);
    turned = gemm(c, turned.text, frame.text, 1, NULL);
    lo = reduce(c, "ReduceMin", turned.text, 0);
    hi = reduce(c, "ReduceMax", turned.text, 0);
    size = convert_node(c, "Sub", hi.text, lo.text);
    centre = convert_node(c, "Add", hi.text, lo.text);
    k = convert_f32(c, 1, one, half);
    centre = convert_node(c, "Mul", centre.text, k.text);
    centre = convert_node(c, "MatMul", centre.text, frame.text);
    k = table2(c, 1, per_px);
    size = convert_node(c, "Mul", size.text, k.text);
    size = convert_reshape(c, size.text, 2, column);
    ret->name = convert_node(c, "Mul", frame.text, size.text);
    k = table2(c, 1, middle);
    corner = convert_node(c, "MatMul", k.text, ret->name.text);
    ret->shift = convert_node(c, "Sub", centre.text, corner.text);
}

static int convert_landmarks_to_matrix(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *points;
    struct convert_value *v = &c->values[op->outputs[0]];
    struct convert_name p;
    struct patch_options *o;
    int64_t dims[2];
    int status = convert_operand_loose(c, op, 0, &p);

    if (status < 0)
        return status;
    points = convert_in(c, op, 0);
    if (points->n_dims != 3 || points->dims[0] != 1 || points->dims[2] != 3 ||
        convert_out(c, op)->n != 16 || v->made)
        return convert_unsupported(c, "these landmarks");
    o = base_alloc_zero(sizeof(*o));
    if (!o)
        return base_error_nomem(c->err, CONVERT_WHERE);
    if (read_patch_options(op, points->dims[1], o)) {
        dims[0] = points->dims[1];
        dims[1] = 3;
        p = convert_reshape(c, p.text, 2, dims);
        p = gather(c, p.text, 1, (int[]){0, 1}, 2);
        put_matrix(c, p.text, o, v);
        v->made = v->matrix = true;
    } else {
        status = convert_unsupported(c, "the options of Landmarks2TransformMatrix");
    }
    base_free(o);
    return status;
}

/* An operand that is an affine map. */
static int matrix_operand(struct convert *c, const struct tflite_op *op, int k,
                          const struct convert_value **ret)
{
    if (k >= op->n_inputs || op->inputs[k] < 0 || !c->values[op->inputs[k]].matrix)
        return convert_damaged(c, "an affine map is missing");
    *ret = &c->values[op->inputs[k]];
    return 0;
}

/* The map's 4 x 4 entries by weights: entry (row r, column k) weighs A[k][r], column 3 the
 * shift. */
int convert_scale_matrix(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *weights;
    const struct convert_value *m = NULL;
    struct convert_value *out = &c->values[op->outputs[0]];
    struct convert_name k;
    float linear[4], shift[2];
    int status = matrix_operand(c, op, 0, &m);

    if (status == 0)
        status = convert_constant(c, op, 1, &weights);
    if (status < 0)
        return status;
    if (weights->n != 16 || out->made || tflite_option_u8(c->m, op, 0, 0) != 0)
        return convert_unsupported(c, "this product with an affine map");
    for (size_t r = 0; r < 2; r++) {
        for (size_t col = 0; col < 2; col++)
            linear[col * 2 + r] = tflite_value(weights, 4 * r + col);
        shift[r] = tflite_value(weights, 4 * r + 3);
    }
    k = table2(c, 2, linear);
    out->name = convert_node(c, "Mul", m->name.text, k.text);
    k = table2(c, 1, shift);
    out->shift = convert_node(c, "Mul", m->shift.text, k.text);
    out->made = out->matrix = true;
    return 0;
}

/* GridSample fades to zero over the half pixel outside the outermost centres, where TFLite is zero
 * at once: points beyond |g| = 1 - 1 / size are sent far away. */
static struct convert_name send_away_outside(struct convert *c, const char *points, int size)
{
    const float limit[1] = {1.0f - 1.0f / (float)size}, far_away[1] = {16};
    int64_t one[1] = {1};
    struct convert_name k, outside, name = convert_fresh(c);

    outside = convert_node(c, "Abs", points, NULL);
    outside = reduce(c, "ReduceMax", outside.text, 1);
    k = convert_f32(c, 1, one, limit);
    outside = convert_node(c, "Greater", outside.text, k.text);
    k = convert_f32(c, 1, one, far_away);
    onnx_node_begin(&c->w, "Where");
    onnx_node_in(&c->w, outside.text);
    onnx_node_in(&c->w, k.text);
    onnx_node_in(&c->w, points);
    onnx_node_out(&c->w, name.text);
    onnx_node_end(&c->w);
    return name;
}

/* GridSample wants the image's span as -1 … 1: g = 2 x / size - 1. The factor 2 / size goes into
 * the constant table of patch pixels and into the shift. */
static int put_grid(struct convert *c, const struct convert_value *m, int64_t h, int64_t w,
                    int size, struct convert_name *ret)
{
    float *v = base_alloc_array((size_t)(h * w) * 2, sizeof(*v));
    float factor[1] = {2.0f / (float)size}, minus[1] = {-1};
    int64_t one[1] = {1}, dims[4] = {1, h, w, 2};
    struct convert_name pixels, k, shift;

    if (!v)
        return base_error_nomem(c->err, CONVERT_WHERE);
    for (int64_t i = 0; i < h * w; i++) {
        v[2 * i] = ((float)(i % w) + 0.5f) * factor[0];
        v[2 * i + 1] = ((float)(i / w) + 0.5f) * factor[0];
    }
    pixels = table2(c, h * w, v);
    base_free(v);
    k = convert_f32(c, 1, one, factor);
    shift = convert_node(c, "Mul", m->shift.text, k.text);
    k = convert_f32(c, 1, one, minus);
    shift = convert_node(c, "Add", shift.text, k.text);
    pixels = gemm(c, pixels.text, m->name.text, 0, shift.text);
    pixels = send_away_outside(c, pixels.text, size);
    *ret = convert_reshape(c, pixels.text, 4, dims);
    return 0;
}

static int convert_bilinear(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *in, *out = convert_out(c, op);
    const struct convert_value *m = NULL;
    struct convert_name image, grid, name;
    int status = convert_operand(c, op, 0, &image);

    if (status == 0)
        status = matrix_operand(c, op, 1, &m);
    if (status < 0)
        return status;
    in = convert_in(c, op, 0);
    if (in->n_dims != 4 || out->n_dims != 4 || in->dims[1] != in->dims[2] ||
        in->dims[3] != out->dims[3] || out->dims[0] != 1 || out->dims[1] > 1024 ||
        out->dims[2] > 1024)
        return convert_unsupported(c, "this TransformTensorBilinear");
    status = put_grid(c, m, out->dims[1], out->dims[2], in->dims[1], &grid);
    if (status < 0)
        return status;
    name = convert_fresh(c);
    onnx_node_begin(&c->w, "GridSample");
    onnx_node_in(&c->w, image.text);
    onnx_node_in(&c->w, grid.text);
    onnx_node_out(&c->w, name.text);
    onnx_node_text(&c->w, "mode", "bilinear");
    onnx_node_text(&c->w, "padding_mode", "zeros");
    onnx_node_int(&c->w, "align_corners", 0);
    onnx_node_end(&c->w);
    return convert_made(c, op, &name);
}

static int convert_transform_points(struct convert *c, const struct tflite_op *op)
{
    const struct tflite_tensor *in, *out = convert_out(c, op);
    const struct convert_value *m = NULL;
    struct convert_name points;
    int64_t dims[2];
    int status = convert_operand_loose(c, op, 0, &points);

    if (status == 0)
        status = matrix_operand(c, op, 1, &m);
    if (status < 0)
        return status;
    in = convert_in(c, op, 0);
    if (in->n_dims != 3 || in->dims[2] != 2 || in->dims[0] != 1 || out->n != in->n)
        return convert_unsupported(c, "this TransformLandmarks");
    dims[0] = in->dims[1];
    dims[1] = 2;
    points = convert_reshape(c, points.text, 2, dims);
    points = gemm(c, points.text, m->name.text, 0, m->shift.text);
    status = convert_made(c, op, &points);
    c->values[op->outputs[0]].loose = true;
    return status;
}

int convert_custom(struct convert *c, const struct tflite_op *op)
{
    if (op->version != 2)
        return base_error_set(c->err, LIP_ERR_UNSUPPORTED, CONVERT_WHERE,
                              "cannot convert version %d of '%s'", op->version, op->custom);
    if (strcmp(op->custom, "Landmarks2TransformMatrix") == 0)
        return convert_landmarks_to_matrix(c, op);
    if (strcmp(op->custom, "TransformTensorBilinear") == 0)
        return convert_bilinear(c, op);
    if (strcmp(op->custom, "TransformLandmarks") == 0)
        return convert_transform_points(c, op);
    return base_error_set(c->err, LIP_ERR_UNSUPPORTED, CONVERT_WHERE,
                          "cannot convert the custom operator '%s'", op->custom);
}
