/* SPDX-License-Identifier: MIT
 *
 * Reads a TFLite file into plain arrays: tensors, operators, inputs and outputs of its one graph.
 * Nothing is copied out of the file except names and numbers; constant data stay in the caller's
 * bytes. The file is a stranger's: everything is checked, see the limits below.
 * Field numbers: the schema of TensorFlow Lite, version 3. */
#ifndef TOOLS_TFLITE_H
#define TOOLS_TFLITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "flat.h"

#define TFLITE_DIMS_MAX 6
#define TFLITE_TENSORS_MAX 8192
#define TFLITE_OPS_MAX 4096
#define TFLITE_BUFFERS_MAX 8192
#define TFLITE_OP_INPUTS_MAX 8
#define TFLITE_OP_OUTPUTS_MAX 4
#define TFLITE_GRAPH_IO_MAX 16
#define TFLITE_NAME_MAX 64
#define TFLITE_ELEMENTS_MAX (64 << 20)

/* Numbers of the schema; only those that we know. */
enum tflite_type { TFLITE_F32 = 0, TFLITE_F16 = 1, TFLITE_I32 = 2 };
enum tflite_code {
    TFLITE_ADD = 0,
    TFLITE_CONCATENATION = 2,
    TFLITE_CONV_2D = 3,
    TFLITE_DEPTHWISE_CONV_2D = 4,
    TFLITE_DEQUANTIZE = 6,
    TFLITE_MAX_POOL_2D = 17,
    TFLITE_MUL = 18,
    TFLITE_RELU = 19,
    TFLITE_RESHAPE = 22,
    TFLITE_RESIZE_BILINEAR = 23,
    TFLITE_CUSTOM = 32,
    TFLITE_PAD = 34,
    TFLITE_STRIDED_SLICE = 45,
    TFLITE_PRELU = 54
};

struct tflite_tensor {
    int type; /* enum tflite_type or a number we do not know */
    int n_dims;
    int32_t dims[TFLITE_DIMS_MAX]; /* each at least 1 */
    size_t n;                      /* elements */
    const uint8_t *data;           /* constants: n elements, little-endian; else NULL */
    char name[TFLITE_NAME_MAX];    /* cut when longer */
};

struct tflite_op {
    int code;                     /* enum tflite_code or a number we do not know */
    char custom[TFLITE_NAME_MAX]; /* name of a custom operator, else "" */
    int version;                  /* of the operator, from 1 */
    int n_inputs, n_outputs;
    int inputs[TFLITE_OP_INPUTS_MAX];   /* tensor numbers; -1 = left out */
    int outputs[TFLITE_OP_OUTPUTS_MAX]; /* tensor numbers */
    size_t options;                     /* table of the built-in options, 0 = all defaults */
    const uint8_t *custom_options;      /* a flexbuffer, or NULL */
    size_t custom_options_n;
};

struct tflite_model {
    struct flat flat; /* the borrowed bytes */
    struct tflite_tensor *tensors;
    size_t n_tensors;
    struct tflite_op *ops;
    size_t n_ops;
    int inputs[TFLITE_GRAPH_IO_MAX], outputs[TFLITE_GRAPH_IO_MAX];
    int n_inputs, n_outputs;
};

/* Reads the n bytes, which must outlive the model. Promises for a model that came back: tensor
 * numbers are in range, dims positive, n = product of dims, constants as long as n says. Errors:
 * LIP_ERR_FORMAT (damaged), LIP_ERR_UNSUPPORTED (more than one graph), LIP_ERR_NOMEM. */
int tflite_read(const void *bytes, size_t n, struct tflite_model **ret_model,
                struct lip_error *err);
void tflite_free(struct tflite_model **model);

/* A scalar of an operator's built-in options, by its field number. A damaged table gives the
 * fallback. */
int tflite_option_u8(struct tflite_model *model, const struct tflite_op *op, unsigned field,
                     int fallback);
int32_t tflite_option_i32(struct tflite_model *model, const struct tflite_op *op, unsigned field,
                          int32_t fallback);

/* Element i of a constant tensor, as a number. The caller has checked that data is there. */
float tflite_value(const struct tflite_tensor *t, size_t i);

#endif
