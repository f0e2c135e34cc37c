/* SPDX-License-Identifier: MIT */
#include "flex.h"

#include <stdbool.h>
#include <string.h>

#include "base/status.h"

/* Types of the format; a packed type is type << 2 | log2(width). */
enum { FLEX_INT = 1, FLEX_UINT = 2, FLEX_FLOAT = 3, FLEX_MAP = 9 };
enum { FLEX_VECTOR_INT = 11, FLEX_VECTOR_UINT = 12 };

struct flex {
    const uint8_t *data;
    size_t size;
};

/* A value: where it is stored, how wide, and what it is. */
struct flex_ref {
    size_t at;
    unsigned width;
    int type;
    unsigned child_width; /* of what it points to, for vectors and maps */
};

static bool read_uint(const struct flex *f, size_t at, unsigned width, uint64_t *ret_v)
{
    uint64_t v = 0;

    if (at > f->size || width > f->size - at || width > 8)
        return false;
    for (unsigned i = 0; i < width; i++)
        v |= (uint64_t)f->data[at + i] << (8 * i);
    *ret_v = v;
    return true;
}

/* Offsets point backwards from where they are stored. */
static bool follow(const struct flex *f, size_t at, unsigned width, size_t *ret_at)
{
    uint64_t off;

    if (!read_uint(f, at, width, &off) || off == 0 || off > at)
        return false;
    *ret_at = at - (size_t)off;
    return true;
}

/* A vector's length stands before its first element. */
static bool vector_length(const struct flex *f, size_t at, unsigned width, size_t *ret_n)
{
    uint64_t n;

    if (at < width || !read_uint(f, at - width, width, &n) || n > f->size ||
        n * width > f->size - at)
        return false;
    *ret_n = (size_t)n;
    return true;
}

static bool key_is(const struct flex *f, size_t at, const char *key)
{
    size_t n = strlen(key) + 1;

    return at <= f->size && n <= f->size - at && memcmp(f->data + at, key, n) == 0;
}

/* The file ends with: root value, its packed type, its width. */
static bool root_map(const struct flex *f, size_t *ret_at, unsigned *ret_width)
{
    unsigned width;

    if (f->size < 3)
        return false;
    width = f->data[f->size - 1];
    if ((width != 1 && width != 2 && width != 4 && width != 8) || f->size < 2 + width)
        return false;
    if (f->data[f->size - 2] >> 2 != FLEX_MAP)
        return false;
    *ret_width = 1u << (f->data[f->size - 2] & 3);
    return follow(f, f->size - 2 - width, width, ret_at);
}

/* Before a map's values stand: offset of the keys' vector, width of its elements, length. */
static bool find(const struct flex *f, const char *key, struct flex_ref *ret_ref)
{
    size_t map, keys, n, n_keys, key_at;
    unsigned width;
    uint64_t key_width;

    if (!root_map(f, &map, &width) || map < 3 * (size_t)width ||
        !vector_length(f, map, width, &n) || !follow(f, map - 3 * width, width, &keys) ||
        !read_uint(f, map - 2 * width, width, &key_width) || key_width > 8 ||
        !vector_length(f, keys, (unsigned)key_width, &n_keys) || n_keys != n ||
        n > f->size - (map + n * width))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t packed = f->data[map + n * width + i];

        if (!follow(f, keys + i * (size_t)key_width, (unsigned)key_width, &key_at))
            return false;
        if (!key_is(f, key_at, key))
            continue;
        *ret_ref = (struct flex_ref){map + i * width, width, packed >> 2, 1u << (packed & 3)};
        return true;
    }
    return false;
}

static bool read_number(const struct flex *f, const struct flex_ref *r, double *ret_v)
{
    uint64_t bits;

    if (!read_uint(f, r->at, r->width, &bits))
        return false;
    if (r->type == FLEX_UINT) {
        *ret_v = (double)bits;
    } else if (r->type == FLEX_INT) {
        unsigned shift = 64 - 8 * r->width;
        *ret_v = (double)((int64_t)(bits << shift) >> shift);
    } else if (r->type == FLEX_FLOAT && r->width == 4) {
        uint32_t low = (uint32_t)bits;
        float v;
        memcpy(&v, &low, 4);
        *ret_v = v;
    } else if (r->type == FLEX_FLOAT && r->width == 8) {
        memcpy(ret_v, &bits, 8);
    } else {
        return false;
    }
    return true;
}

int flex_number(const uint8_t *bytes, size_t n, const char *key, double *ret_v)
{
    struct flex f = {bytes, bytes ? n : 0};
    struct flex_ref r;
    double v;

    if (!find(&f, key, &r) || !read_number(&f, &r, &v))
        return LIP_ERR_FORMAT;
    *ret_v = v;
    return 0;
}

int flex_ints(const uint8_t *bytes, size_t n, const char *key, int *ret_v, int n_max, int *ret_n)
{
    struct flex f = {bytes, bytes ? n : 0};
    struct flex_ref r;
    size_t at, n_ints;

    if (!find(&f, key, &r) || (r.type != FLEX_VECTOR_INT && r.type != FLEX_VECTOR_UINT) ||
        !follow(&f, r.at, r.width, &at) || !vector_length(&f, at, r.child_width, &n_ints) ||
        n_ints > (size_t)n_max)
        return LIP_ERR_FORMAT;
    for (size_t i = 0; i < n_ints; i++) {
        struct flex_ref e = {at + i * r.child_width, r.child_width,
                             r.type == FLEX_VECTOR_INT ? FLEX_INT : FLEX_UINT, 0};
        double v;
        if (!read_number(&f, &e, &v) || v < -2147483648.0 || v > 2147483647.0)
            return LIP_ERR_FORMAT;
        ret_v[i] = (int)v;
    }
    *ret_n = (int)n_ints;
    return 0;
}
