/* SPDX-License-Identifier: MIT
 *
 * Turns a TFLite net into an ONNX net that gives the same numbers. Images inside are NCHW: the
 * one transposition stands at the input (callers give NHWC, as TFLite wants it), others only where
 * a reshape needs the NHWC order. Weights become fp32. */
#ifndef TOOLS_CONVERT_H
#define TOOLS_CONVERT_H

#include "base/buffer.h"
#include "base/status.h"

struct convert_output {
    const char *name;
    int n_dims;
    int64_t dims[4]; /* any shape with the right number of elements */
};

struct convert_spec {
    const char *name;  /* of the graph */
    const char *input; /* name of the one input, NHWC */
    int n_outputs;
    const struct convert_output *outputs; /* in the TFLite file's order */
};

/* Reads the n bytes and appends the ONNX file to *ret_file (initialised by the caller). Errors:
 * those of tflite_read; LIP_ERR_UNSUPPORTED names the operator that is not known. */
int convert_tflite(const void *bytes, size_t n, const struct convert_spec *spec,
                   struct base_buffer *ret_file, struct lip_error *err);

#endif
