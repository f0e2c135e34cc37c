/* SPDX-License-Identifier: MIT
 *
 * A reader of FlatBuffers, just what TFLite files need. Every access is checked against the end
 * of the bytes; the first bad one sets `failed`, and all later reads give zeros, so that a parser
 * reads a whole table and asks once. A position is a byte offset into the file; 0 means "absent"
 * (byte 0 holds the root's offset, so no table can live there).
 * Format: the FlatBuffers internals page of the FlatBuffers project. */
#ifndef TOOLS_FLAT_H
#define TOOLS_FLAT_H

#include <stddef.h>
#include <stdint.h>

struct flat {
    const uint8_t *data; /* borrowed */
    size_t size;
    int failed;
};

/* A vector: position of its first element and their number. */
struct flat_vector {
    size_t at;
    uint32_t n;
};

void flat_init(struct flat *f, const void *bytes, size_t n);

/* Little-endian numbers at a position. */
uint8_t flat_u8(struct flat *f, size_t at);
uint16_t flat_u16(struct flat *f, size_t at);
uint32_t flat_u32(struct flat *f, size_t at);
int32_t flat_i32(struct flat *f, size_t at);

size_t flat_root(struct flat *f);
/* Where field `index` of the table at `table` is stored, 0 when it has its default. */
size_t flat_field(struct flat *f, size_t table, unsigned index);
/* Scalar fields with their defaults. */
int flat_field_u8(struct flat *f, size_t table, unsigned index, int fallback);
int32_t flat_field_i32(struct flat *f, size_t table, unsigned index, int32_t fallback);
/* The table that field `index` points to, or 0. */
size_t flat_field_table(struct flat *f, size_t table, unsigned index);
/* The vector that field `index` points to (n = 0 when absent); its n elements of size_bytes are
 * inside the file, and n is at most n_max. A string is a vector of bytes. */
struct flat_vector flat_field_vector(struct flat *f, size_t table, unsigned index,
                                     size_t size_bytes, uint32_t n_max);
/* Element i of a vector of tables. */
size_t flat_vector_table(struct flat *f, struct flat_vector v, uint32_t i);

#endif
