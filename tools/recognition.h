/* SPDX-License-Identifier: MIT
 *
 * The face recognition net of face-api (a residual net of 29 layers, dlib's) as an ONNX net. */
#ifndef TOOLS_RECOGNITION_H
#define TOOLS_RECOGNITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* `manifest`: JSON that says where in `weights` each table lies and how it was quantised. Appends
 * the net to *ret_file (initialised by the caller): "image" [1, 150, 150, 3], R'G'B' in 0..1, to
 * "faceprint" [1, 128]. Errors: LIP_ERR_FORMAT, LIP_ERR_LIMIT, LIP_ERR_NOMEM. */
int recognition_convert(const char *manifest, size_t n_manifest, const uint8_t *weights,
                        size_t n_weights, struct base_buffer *ret_file, struct lip_error *err);

#endif
