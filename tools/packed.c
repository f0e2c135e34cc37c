/* SPDX-License-Identifier: MIT */
#include "packed.h"

#include <string.h>

#include "base/status.h"

/* The first place of `what` in [at, end), or NULL. */
static const char *find(const char *at, const char *end, const char *what)
{
    size_t n = strlen(what);

    for (; (size_t)(end - at) >= n; at++) {
        if (memcmp(at, what, n) == 0)
            return at;
    }
    return NULL;
}

/* The number that follows `key` and a colon. */
static int read_number(const char *at, const char *end, const char *key, size_t *ret_v)
{
    const char *p = find(at, end, key);
    size_t v = 0;
    int n_digits = 0;

    if (!p)
        return LIP_ERR_FORMAT;
    for (p += strlen(key); p < end && (*p == ':' || *p == ' '); p++)
        ;
    for (; p < end && *p >= '0' && *p <= '9' && n_digits < 10; p++, n_digits++)
        v = v * 10 + (size_t)(*p - '0');
    if (n_digits == 0)
        return LIP_ERR_FORMAT;
    *ret_v = v;
    return 0;
}

int packed_find(const char *script, size_t n, const char *name, size_t *ret_start, size_t *ret_end)
{
    const char *end = script + n, *at = script, *stop;
    size_t n_name = strlen(name), first, last;

    while ((at = find(at, end, name)) != NULL) {
        stop = find(at, end, "}");
        /* "/name" and a closing quote: no other file whose name merely contains this one. */
        if (stop && at > script && at[-1] == '/' && at[n_name] == '"' &&
            read_number(at, stop, "\"start\"", &first) == 0 &&
            read_number(at, stop, "\"end\"", &last) == 0 && first < last) {
            *ret_start = first;
            *ret_end = last;
            return 0;
        }
        at += n_name;
    }
    return LIP_ERR_FORMAT;
}
