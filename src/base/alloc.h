/* SPDX-License-Identifier: MIT
 *
 * Memory. The only place of the library that calls malloc. Every call can fail and returns NULL
 * then; counts are multiplied with an overflow check; one request never exceeds
 * BASE_ALLOC_CEILING. Memory is 64-byte aligned. Thread-safe. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One request above this is an attack or a bug: an 8K 16-bit 4:4:4:4 frame has 265 MB. */
#define BASE_ALLOC_CEILING ((size_t)1 << 30)

void *base_alloc(size_t size_bytes);             /* not zeroed; size 0 gives a unique pointer */
void *base_alloc_zero(size_t size_bytes);        /* zeroed */
void *base_alloc_array(size_t n, size_t size_bytes); /* n * size_bytes, zeroed */
void base_free(void *p);                         /* NULL is fine */

/* Grows *array (of elements of size_bytes, capacity *cap) so that n elements fit; at most n_max.
 * New elements are zeroed. Returns 0, LIP_ERR_LIMIT or LIP_ERR_NOMEM; on failure nothing changed.
 * `array` is the address of the caller's typed pointer. */
int base_grow(void *array, size_t *cap, size_t n, size_t n_max, size_t size_bytes);

char *base_strdup(const char *text); /* NULL gives NULL */

/* For the torture tests: the nth allocation from now on (1 = the next) and only that one fails;
 * 0 switches the hook off. Returns the number of allocations made since the last call. */
uint64_t base_alloc_fail_nth(uint64_t nth);

#endif
