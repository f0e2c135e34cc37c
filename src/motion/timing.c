/* SPDX-License-Identifier: MIT
 *
 * When lips meet. A net that was trained by least squares smears a meeting over time and lets it
 * fade; lips meet in full, a little before the sound, and stay together for a while. */
#include <math.h>

#include "motion/internal.h"

#define TOUCH_FROM 0.35f /* probability at which closing begins … */
#define TOUCH_FULL 0.75f /* … and at which the lips touch */

float motion_smoothstep(float x)
{
    x = x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
    return x * x * (3.0f - 2.0f * x);
}

static float touch_at(const float *closure)
{
    return motion_smoothstep((closure[0] - TOUCH_FROM) / (TOUCH_FULL - TOUCH_FROM));
}

float motion_timing_touch(const float closure[MOTION_TIMING_WINDOW])
{
    return touch_at(closure + MOTION_TIMING_REACH);
}
