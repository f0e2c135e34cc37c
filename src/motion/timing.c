/* SPDX-License-Identifier: MIT
 *
 * When lips meet. What a net says of closures is smeared over time and rarely sure; lips either
 * meet or do not, they meet a little before the sound, and they stay together for a while. All of
 * it is a function of a window of probabilities: any chunk size gives the same answer. */
#include <math.h>

#include "motion/internal.h"

#define TOUCH_FROM 0.35f /* probability at which closing begins … */
#define TOUCH_FULL 0.75f /* … and at which the lips touch */
#define MEETING 0.45f    /* a peak as high as this is a meeting: it closes in full */
#define STANDS_OUT 0.15f
#define LEAD 1           /* samples: all of it begins so much earlier (40 ms in full at least) */

float motion_smoothstep(float x)
{
    x = x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
    return x * x * (3.0f - 2.0f * x);
}

/* A peak that the probability rises to and falls from within 100 ms: a net that says "perhaps" all
 * the while means nothing by it. */
static bool meets(const float *closure)
{
    float before = closure[0], after = closure[0];

    if (closure[0] < MEETING || closure[0] < closure[-1] || closure[0] < closure[1])
        return false;
    for (int i = 1; i < MOTION_TIMING_REACH; i++) {
        before = fminf(before, closure[-i]);
        after = fminf(after, closure[i]);
    }
    return fmaxf(before, after) < closure[0] - STANDS_OUT;
}

static float touch_at(const float *closure)
{
    if (meets(closure))
        return 1.0f;
    return motion_smoothstep((closure[0] - TOUCH_FROM) / (TOUCH_FULL - TOUCH_FROM));
}

float motion_timing_touch(const float closure[MOTION_TIMING_WINDOW])
{
    const float *here = closure + MOTION_TIMING_REACH;
    float touch = 0.0f;

    for (int d = 0; d <= LEAD; d++)
        touch = fmaxf(touch, touch_at(here + d));
    return touch;
}

/* As meets(), of a peak that is seen while it passes: what it falls to is not known yet. */
static bool meets_live(const float *closure, int n_before)
{
    float before = closure[0];

    if (closure[0] < MEETING || closure[0] < closure[-1] || closure[0] < closure[1])
        return false;
    for (int i = 1; i <= n_before; i++)
        before = fminf(before, closure[-i]);
    return before < closure[0] - STANDS_OUT;
}

float motion_timing_touch_live(const float closure[MOTION_TIMING_REACH + 2])
{
    const float *here = closure + MOTION_TIMING_REACH;
    float likely = fmaxf(here[0], here[1]); /* begins a sample early */

    /* What has just met stays for one sample more: 40 ms in full. */
    if (meets_live(here, MOTION_TIMING_REACH) || meets_live(here - 1, MOTION_TIMING_REACH - 1))
        return 1.0f;
    return motion_smoothstep((likely - TOUCH_FROM) / (TOUCH_FULL - TOUCH_FROM));
}
