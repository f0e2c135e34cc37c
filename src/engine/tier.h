/* SPDX-License-Identifier: MIT
 * What the tiers differ in: docs/guide/tiers.md. */
#ifndef ENGINE_TIER_H
#define ENGINE_TIER_H

#include <lipsync/job.h>

#include <stddef.h>
#include <stdint.h>

struct tier {
    int n_crops;         /* looks at each face */
    size_t n_mouths, mouth_bytes; /* of the bank */
    int64_t style_us, bank_us;    /* so much film is looked at even for a short voice: where it
                                     has sound to learn a way of speaking from, and where not */
    int n_near; /* pictures that the low band of a mouth is averaged from */
};

/* An explicit job->n_crops wins. */
struct tier tier_of(const struct lip_job *job);

#endif
