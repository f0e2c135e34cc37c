/* SPDX-License-Identifier: MIT
 *
 * The canonical face: MediaPipe's geometry metadata (a protobuf message) into a file of our own.
 *
 * face_geometry.bin, little-endian: "LIPGEOM\0", u32 version (1), u32 n_vertices, u32 n_triangles,
 * then n_vertices x (x, y, z, u, v) float32 (centimetres, x to the person's left, y up, z to the
 * viewer; texture coordinates 0 … 1), then n_triangles x 3 u16 vertex numbers. */
#ifndef TOOLS_GEOMETRY_H
#define TOOLS_GEOMETRY_H

#include "base/buffer.h"
#include "base/status.h"

/* Reads the n bytes and appends our file to *ret_file. Errors: LIP_ERR_FORMAT, LIP_ERR_NOMEM. */
int geometry_convert(const void *bytes, size_t n, struct base_buffer *ret_file,
                     struct lip_error *err);

#endif
