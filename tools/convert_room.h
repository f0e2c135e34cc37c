/* SPDX-License-Identifier: MIT
 * What the files of the converter share; see convert.h. */
#ifndef TOOLS_CONVERT_ROOM_H
#define TOOLS_CONVERT_ROOM_H

#include <stdbool.h>

#include "convert.h"
#include "onnx_writer.h"
#include "tflite.h"

#define CONVERT_WHERE "import/convert"
#define CONVERT_NAME 24

struct convert_name {
    char text[CONVERT_NAME];
};

/* What stands for a TFLite tensor in the ONNX graph. */
struct convert_value {
    bool made;
    bool loose;               /* right elements in the right order, but another shape */
    bool matrix;              /* an affine map: `name` is its linear part [2,2] in row-vector form
                                 (p' = p A + t), `shift` its t [1,2] */
    int constant;             /* the tensor whose data these are, or -1 */
    struct convert_name name; /* computed values */
    struct convert_name shift;
};

struct convert {
    struct tflite_model *m;
    struct onnx_writer w;
    struct convert_value *values; /* one per tensor */
    int n_names;
    struct lip_error *err;
};

/* A name that was not used before. */
struct convert_name convert_fresh(struct convert *c);
/* Constants; the name comes back. */
struct convert_name convert_f32(struct convert *c, int n_dims, const int64_t *dims,
                                const float *data);
struct convert_name convert_i64(struct convert *c, size_t n, const int64_t *data);
/* One node with one or two operands and no attributes. */
struct convert_name convert_node(struct convert *c, const char *op, const char *a, const char *b);
struct convert_name convert_reshape(struct convert *c, const char *value, int n_dims,
                                    const int64_t *dims);

/* Operand k of an operator as a computed value of its proper shape. Returns LIP_ERR_FORMAT when it
 * is missing, a constant or not made yet. */
int convert_operand(struct convert *c, const struct tflite_op *op, int k, struct convert_name *ret);
/* The same where the shape does not matter. */
int convert_operand_loose(struct convert *c, const struct tflite_op *op, int k,
                          struct convert_name *ret);
/* Operand k as a constant with data. */
int convert_constant(struct convert *c, const struct tflite_op *op, int k,
                     const struct tflite_tensor **ret);
/* Says that the operator's output is `name`. Returns LIP_ERR_FORMAT when it was made before. */
int convert_made(struct convert *c, const struct tflite_op *op, const struct convert_name *name);

const struct tflite_tensor *convert_in(const struct convert *c, const struct tflite_op *op, int k);
const struct tflite_tensor *convert_out(const struct convert *c, const struct tflite_op *op);

int convert_unsupported(struct convert *c, const char *what);
int convert_damaged(struct convert *c, const char *what);

/* Operators, by family. */
int convert_conv(struct convert *c, const struct tflite_op *op); /* both convolutions */
int convert_pool(struct convert *c, const struct tflite_op *op); /* MAX_POOL_2D */
int convert_prelu(struct convert *c, const struct tflite_op *op);
int convert_pad(struct convert *c, const struct tflite_op *op);
int convert_custom(struct convert *c, const struct tflite_op *op); /* the mesh's own */
int convert_scale_matrix(struct convert *c, const struct tflite_op *op);
/* The activation that is fused to an operator (0 none, 1 ReLU) after `name`. */
int convert_activation(struct convert *c, int kind, struct convert_name *name);

#endif
