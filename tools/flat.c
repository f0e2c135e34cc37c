/* SPDX-License-Identifier: MIT */
#include "flat.h"

void flat_init(struct flat *f, const void *bytes, size_t n)
{
    f->data = bytes;
    f->size = n;
    f->failed = 0;
}

/* The n bytes at a position, or NULL. Position 0 is only ever read by flat_root. */
static const uint8_t *take(struct flat *f, size_t at, size_t n)
{
    if (f->failed || at > f->size || n > f->size - at) {
        f->failed = 1;
        return NULL;
    }
    return f->data + at;
}

uint8_t flat_u8(struct flat *f, size_t at)
{
    const uint8_t *p = take(f, at, 1);

    return p ? p[0] : 0;
}

uint16_t flat_u16(struct flat *f, size_t at)
{
    const uint8_t *p = take(f, at, 2);

    return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

uint32_t flat_u32(struct flat *f, size_t at)
{
    const uint8_t *p = take(f, at, 4);

    if (!p)
        return 0;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int32_t flat_i32(struct flat *f, size_t at)
{
    return (int32_t)flat_u32(f, at);
}

/* Follows the unsigned offset stored at a position. */
static size_t follow(struct flat *f, size_t at)
{
    uint32_t off = flat_u32(f, at);

    if (f->failed || off == 0 || off >= f->size - at) {
        f->failed = 1;
        return 0;
    }
    return at + off;
}

size_t flat_root(struct flat *f)
{
    return follow(f, 0);
}

size_t flat_field(struct flat *f, size_t table, unsigned index)
{
    int64_t vtable;
    uint16_t vtable_size, off;

    if (f->failed || table == 0)
        return 0;
    /* A vtable may stand before or behind its table: the offset is signed. */
    vtable = (int64_t)table - flat_i32(f, table);
    if (f->failed || vtable < 0 || vtable >= (int64_t)f->size) {
        f->failed = 1;
        return 0;
    }
    vtable_size = flat_u16(f, (size_t)vtable);
    if (4 + 2 * (size_t)index + 2 > vtable_size)
        return 0;
    off = flat_u16(f, (size_t)vtable + 4 + 2 * (size_t)index);
    return off && !f->failed ? table + off : 0;
}

int flat_field_u8(struct flat *f, size_t table, unsigned index, int fallback)
{
    size_t at = flat_field(f, table, index);

    return at ? flat_u8(f, at) : fallback;
}

int32_t flat_field_i32(struct flat *f, size_t table, unsigned index, int32_t fallback)
{
    size_t at = flat_field(f, table, index);

    return at ? flat_i32(f, at) : fallback;
}

size_t flat_field_table(struct flat *f, size_t table, unsigned index)
{
    size_t at = flat_field(f, table, index);

    return at ? follow(f, at) : 0;
}

struct flat_vector flat_field_vector(struct flat *f, size_t table, unsigned index,
                                     size_t size_bytes, uint32_t n_max)
{
    struct flat_vector v = {0, 0};
    size_t at = flat_field_table(f, table, index);
    uint32_t n;

    if (!at)
        return v;
    n = flat_u32(f, at);
    if (f->failed || n > n_max || !take(f, at + 4, (size_t)n * size_bytes)) {
        f->failed = 1;
        return v;
    }
    v.at = at + 4;
    v.n = n;
    return v;
}

size_t flat_vector_table(struct flat *f, struct flat_vector v, uint32_t i)
{
    if (i >= v.n) {
        f->failed = 1;
        return 0;
    }
    return follow(f, v.at + 4 * (size_t)i);
}
