/* SPDX-License-Identifier: MIT
 *
 * What the fuzz targets share. A disk form with large fixed parts would need large seeds, so a
 * target may let its input edit a valid file instead: seeds stay tiny and reach deep. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise is a crash, also where assert is switched off. */
#define FUZZ_REQUIRE(condition) \
    do { \
        if (!(condition)) \
            abort(); \
    } while (0)

/* The input is a list of edits of 5 bytes: a place (u32, little-endian, modulo n) and a new byte;
 * a last piece of 4 bytes cuts the file there. Returns the new size. */
static inline size_t fuzz_edit(uint8_t *file, size_t n, const uint8_t *data, size_t size)
{
    for (; n && size >= 4; data += 5, size -= size < 5 ? size : 5) {
        uint32_t at = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
                      (uint32_t)data[3] << 24;
        if (size == 4)
            return at % n;
        file[at % n] = data[4];
    }
    return n;
}

/* Edits the file in `valid` and hands it on in memory of exactly its size. */
static inline void fuzz_try_edited(struct base_buffer *valid, const uint8_t *data, size_t size,
                                   void (*try_read)(const uint8_t *bytes, size_t n))
{
    size_t n = fuzz_edit(valid->data, valid->size, data, size);
    uint8_t *exact = malloc(n ? n : 1);
    FUZZ_REQUIRE(exact);
    memcpy(exact, valid->data, n);
    try_read(exact, n);
    free(exact);
}

#endif
