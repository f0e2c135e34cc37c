/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include <lipsync/error.h>

void base_buffer_init(struct base_buffer *b, size_t max_bytes)
{
    *b = (struct base_buffer){.max = max_bytes};
}

void base_buffer_done(struct base_buffer *b)
{
    base_free(b->data);
    *b = (struct base_buffer){0};
}

void base_buffer_reserve(struct base_buffer *b, size_t n)
{
    if (b->status)
        return;
    if (n > b->max || b->size > b->max - n)
        b->status = LIP_ERR_LIMIT;
    else
        b->status = base_grow(&b->data, &b->cap, b->size + n, b->max, 1);
}

void base_buffer_put(struct base_buffer *b, const void *bytes, size_t n)
{
    base_buffer_reserve(b, n);
    if (b->status || !n)
        return;
    memcpy(b->data + b->size, bytes, n);
    b->size += n;
}

static void put_le(struct base_buffer *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    base_buffer_put(b, bytes, n);
}

void base_buffer_put_u8(struct base_buffer *b, uint8_t v)
{
    put_le(b, v, 1);
}

void base_buffer_put_u16(struct base_buffer *b, uint16_t v)
{
    put_le(b, v, 2);
}

void base_buffer_put_u32(struct base_buffer *b, uint32_t v)
{
    put_le(b, v, 4);
}

void base_buffer_put_u64(struct base_buffer *b, uint64_t v)
{
    put_le(b, v, 8);
}

void base_buffer_put_f32(struct base_buffer *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    put_le(b, bits, 4);
}

void base_buffer_put_f32s(struct base_buffer *b, const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        base_buffer_put_f32(b, v[i]);
}

void base_buffer_put_string(struct base_buffer *b, const char *text)
{
    size_t n = strlen(text);
    base_buffer_put_u32(b, (uint32_t)n);
    base_buffer_put(b, text, n);
}

void base_reader_init(struct base_reader *r, const void *bytes, size_t n)
{
    *r = (struct base_reader){.data = bytes, .size = n};
}

const uint8_t *base_reader_take(struct base_reader *r, size_t n)
{
    if (r->failed || n > r->size - r->at) {
        r->failed = 1;
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += n;
    return p;
}

static uint64_t take_le(struct base_reader *r, size_t n)
{
    const uint8_t *p = base_reader_take(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t base_reader_u8(struct base_reader *r)
{
    return (uint8_t)take_le(r, 1);
}

uint16_t base_reader_u16(struct base_reader *r)
{
    return (uint16_t)take_le(r, 2);
}

uint32_t base_reader_u32(struct base_reader *r)
{
    return (uint32_t)take_le(r, 4);
}

uint64_t base_reader_u64(struct base_reader *r)
{
    return take_le(r, 8);
}

float base_reader_f32(struct base_reader *r)
{
    uint32_t bits = base_reader_u32(r);
    float v;
    memcpy(&v, &bits, 4);
    if (!isfinite(v)) {
        r->failed = 1;
        return 0;
    }
    return v;
}

void base_reader_f32s(struct base_reader *r, float *ret_v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret_v[i] = base_reader_f32(r);
}

void base_reader_string(struct base_reader *r, char *ret_text, size_t cap)
{
    uint32_t n = base_reader_u32(r);
    ret_text[0] = 0;
    if (n >= cap) {
        r->failed = 1;
        return;
    }
    const uint8_t *p = base_reader_take(r, n);
    if (!p)
        return;
    memcpy(ret_text, p, n);
    ret_text[n] = 0;
}
