/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lipsync/error.h>

static _Atomic uint64_t fail_at; /* 0: never; counts allocations towards this number */
static _Atomic uint64_t n_made;

static bool must_fail(void)
{
    uint64_t n = atomic_fetch_add_explicit(&n_made, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    return at && n == at;
}

uint64_t base_alloc_fail_nth(uint64_t nth)
{
    uint64_t made = atomic_exchange(&n_made, 0);
    atomic_store(&fail_at, nth);
    return made;
}

void *base_alloc(size_t size_bytes)
{
    if (size_bytes > BASE_ALLOC_CEILING || must_fail())
        return NULL;
    void *p = NULL;
    if (posix_memalign(&p, 64, size_bytes ? size_bytes : 1))
        return NULL;
    return p;
}

void *base_alloc_zero(size_t size_bytes)
{
    void *p = base_alloc(size_bytes);
    if (p)
        memset(p, 0, size_bytes);
    return p;
}

void *base_alloc_array(size_t n, size_t size_bytes)
{
    if (size_bytes && n > BASE_ALLOC_CEILING / size_bytes)
        return NULL;
    return base_alloc_zero(n * size_bytes);
}

void base_free(void *p)
{
    free(p);
}

int base_grow(void *array, size_t *cap, size_t n, size_t n_max, size_t size_bytes)
{
    if (n > n_max)
        return LIP_ERR_LIMIT;
    if (n <= *cap)
        return LIP_OK;
    size_t want = *cap * 2 > n ? *cap * 2 : n;
    want = want < 16 ? 16 : want;
    want = want > n_max ? n_max : want;
    void *old = NULL;
    memcpy(&old, array, sizeof old); /* the caller's pointer type is unknown here */
    void *fresh = base_alloc_array(want, size_bytes);
    if (!fresh)
        return LIP_ERR_NOMEM;
    if (old)
        memcpy(fresh, old, *cap * size_bytes);
    base_free(old);
    memcpy(array, &fresh, sizeof fresh);
    *cap = want;
    return LIP_OK;
}

char *base_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t n = strlen(text) + 1;
    char *copy = base_alloc(n);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}
