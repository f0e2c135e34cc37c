/* SPDX-License-Identifier: MIT
 *
 * A growing byte buffer with a ceiling, and a reader over borrowed bytes. Both keep their first
 * error: a caller writes or reads a whole record and asks once at the end. Numbers are
 * little-endian on disk. Not thread-safe. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct base_buffer {
    uint8_t *data;
    size_t size, cap, max;
    int status; /* 0, LIP_ERR_LIMIT or LIP_ERR_NOMEM: the first failure */
};

void base_buffer_init(struct base_buffer *b, size_t max_bytes);
void base_buffer_done(struct base_buffer *b);
/* Makes room for n more bytes at once: spares the doubling for large things of known size. */
void base_buffer_reserve(struct base_buffer *b, size_t n);
void base_buffer_put(struct base_buffer *b, const void *bytes, size_t n);
void base_buffer_put_u8(struct base_buffer *b, uint8_t v);
void base_buffer_put_u16(struct base_buffer *b, uint16_t v);
void base_buffer_put_u32(struct base_buffer *b, uint32_t v);
void base_buffer_put_u64(struct base_buffer *b, uint64_t v);
void base_buffer_put_f32(struct base_buffer *b, float v);
void base_buffer_put_f32s(struct base_buffer *b, const float *v, size_t n);
void base_buffer_put_string(struct base_buffer *b, const char *text); /* u32 length + bytes */

struct base_reader {
    const uint8_t *data;
    size_t size, at;
    int failed; /* 1 once something was read past the end: all later reads give zeros */
};

void base_reader_init(struct base_reader *r, const void *bytes, size_t n);
const uint8_t *base_reader_take(struct base_reader *r, size_t n); /* NULL past the end */
uint8_t base_reader_u8(struct base_reader *r);
uint16_t base_reader_u16(struct base_reader *r);
uint32_t base_reader_u32(struct base_reader *r);
uint64_t base_reader_u64(struct base_reader *r);
float base_reader_f32(struct base_reader *r); /* a NaN or infinity counts as failed */
void base_reader_f32s(struct base_reader *r, float *ret_v, size_t n);
/* A string of at most cap-1 bytes into ret_text (always terminated); longer counts as failed. */
void base_reader_string(struct base_reader *r, char *ret_text, size_t cap);

#endif
