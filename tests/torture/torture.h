/* SPDX-License-Identifier: MIT
 *
 * The nth allocation fails, the nth file operation fails, for all n. A case is a function that does
 * its work from nothing to nothing: it returns 0 or the error, has freed everything either way, and
 * has checked that outputs are untouched after an error. Leaks are found by the leak sanitizer at
 * the end of the program (CI's clang leg). */
#ifndef TORTURE_H
#define TORTURE_H

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fs.h"
#include <lipsync/error.h>

struct torture {
    const char *name;
    int (*run)(void *arg);
    void *arg;
    uint64_t runs_max; /* 0: every n; else about so many, spread evenly (for long cases) */
    int may_pass;      /* the case survives some failures (a decline, or threads) */
};

static inline int torture_verdict(const struct torture *t, const char *what, uint64_t n, int r)
{
    int memory = *what == 'a';
    int fine = memory ? r == LIP_ERR_NOMEM : r < 0 && r != LIP_ERR_INTERNAL && r != LIP_ERR_NOMEM;
    if (fine || (t->may_pass && !r))
        return 0;
    printf("%s: %s %" PRIu64 " failed, and the answer was %s\n", t->name, what, n,
           lip_status_name(r));
    return 1;
}

/* Returns the number of wrong answers; -1 when the case fails by itself or does nothing at all. */
static inline int torture_loop(const struct torture *t, const char *what,
                               uint64_t (*fail_nth)(uint64_t nth))
{
    fail_nth(0);
    int r = t->run(t->arg), n_wrong = 0;
    uint64_t n_steps = fail_nth(0);
    if (r || !n_steps) {
        printf("%s: without a failure the answer is %s after %" PRIu64 " %ss\n", t->name,
               lip_status_name(r), n_steps, what);
        return -1;
    }
    uint64_t stride = t->runs_max && n_steps > t->runs_max ? n_steps / t->runs_max : 1;
    for (uint64_t n = 1; n <= n_steps; n += stride) {
        fail_nth(n);
        r = t->run(t->arg);
        fail_nth(0);
        n_wrong += torture_verdict(t, what, n, r);
    }
    printf("%s: %" PRIu64 " %ss, every %" PRIu64 ". failed once, %d wrong answers\n", t->name,
           n_steps, what, stride, n_wrong);
    return n_wrong;
}

static inline int torture_allocations(const struct torture *t)
{
    return torture_loop(t, "allocation", base_alloc_fail_nth);
}

static inline int torture_files(const struct torture *t)
{
    return torture_loop(t, "file operation", base_fs_fail_nth);
}

#endif
