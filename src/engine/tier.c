/* SPDX-License-Identifier: MIT */
#include "engine/tier.h"

#include "render/render.h"

#define SECONDS(n) ((int64_t)(n) * 1000000)
#define MEGABYTES(n) ((size_t)(n) << 20)

struct tier tier_of(const struct lip_job *job)
{
    static const struct tier tiers[] = {
        [LIP_TIER_STANDARD] = {1, 400, MEGABYTES(48), SECONDS(60), SECONDS(24),
                               RENDER_NEAR_DEFAULT},
        [LIP_TIER_FAST] = {1, 120, MEGABYTES(24), SECONDS(12), SECONDS(8), 0},
        [LIP_TIER_PRO] = {3, 900, MEGABYTES(128), SECONDS(180), SECONDS(60), RENDER_NEAR_DEFAULT},
    };
    struct tier tier = tiers[job->tier];
    if (job->n_crops)
        tier.n_crops = job->n_crops;
    return tier;
}
