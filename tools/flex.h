/* SPDX-License-Identifier: MIT
 *
 * Looks up numbers in a FlexBuffer whose root is a map: the form of custom operators' options in
 * TFLite files. Bounds-checked. Format: the FlexBuffers page of the FlatBuffers project. */
#ifndef TOOLS_FLEX_H
#define TOOLS_FLEX_H

#include <stddef.h>
#include <stdint.h>

/* The number under `key`. Returns 0, or LIP_ERR_FORMAT when the key is missing, not a number, or
 * the bytes are damaged. */
int flex_number(const uint8_t *bytes, size_t n, const char *key, double *ret_v);

/* The vector of integers under `key`, at most n_max of them. Same errors. */
int flex_ints(const uint8_t *bytes, size_t n, const char *key, int *ret_v, int n_max, int *ret_n);

#endif
