/* SPDX-License-Identifier: MIT
 *
 * Writes ONNX files: a graph is built by appending nodes, constants, inputs and outputs, and then
 * written out. Field numbers: onnx.proto of the ONNX project, IR version 8, operator set 16 (the
 * first with GridSample). The first failure is kept; the caller asks once, at the end. */
#ifndef TOOLS_ONNX_WRITER_H
#define TOOLS_ONNX_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define ONNX_WRITER_MAX ((size_t)256 << 20) /* bytes of one file */

struct onnx_writer {
    struct base_buffer nodes, constants, inputs, outputs; /* finished messages */
    struct base_buffer node;                              /* the one under construction */
    struct base_buffer scratch[4];                        /* nested messages, innermost first */
    int n_nodes;
};

/* In the caller's memory; done also takes one that is all zeros. */
void onnx_writer_init(struct onnx_writer *w);
void onnx_writer_done(struct onnx_writer *w);

/* The graph's float inputs and outputs. */
void onnx_writer_input(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims);
void onnx_writer_output(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims);

/* Constants. `data` is copied. */
void onnx_writer_f32(struct onnx_writer *w, const char *name, int n_dims, const int64_t *dims,
                     const float *data);
void onnx_writer_i64(struct onnx_writer *w, const char *name, size_t n, const int64_t *data);

/* One node: begin, its operands and attributes in any order, end. Nodes come in an order in which
 * each only uses values made before. */
void onnx_node_begin(struct onnx_writer *w, const char *op);
void onnx_node_in(struct onnx_writer *w, const char *value); /* "" leaves an optional one out */
void onnx_node_out(struct onnx_writer *w, const char *value);
void onnx_node_int(struct onnx_writer *w, const char *attribute, int64_t v);
void onnx_node_ints(struct onnx_writer *w, const char *attribute, size_t n, const int64_t *v);
void onnx_node_text(struct onnx_writer *w, const char *attribute, const char *v);
void onnx_node_end(struct onnx_writer *w);

/* The whole file into *ret_file (initialised by the caller). Returns 0, LIP_ERR_LIMIT or
 * LIP_ERR_NOMEM: the first failure of all the calls before. */
int onnx_writer_finish(struct onnx_writer *w, const char *graph_name, struct base_buffer *ret_file);

/* The nodes and outputs alone, as bytes that extend a finished ONNX file when they are put behind
 * it: a parser merges a graph that comes twice. Values of that file may be used. */
int onnx_writer_extension(struct onnx_writer *w, struct base_buffer *ret_bytes);

#endif
