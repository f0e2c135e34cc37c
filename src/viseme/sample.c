/* SPDX-License-Identifier: MIT
 *
 * Any moment of a mouth that was sampled evenly. */
#include <math.h>
#include <string.h>

#include "viseme/viseme.h"

static void blend(const struct data_viseme_sample *a, const struct data_viseme_sample *b,
                  float part, struct data_viseme_sample *ret_sample)
{
    const float *from = (const float *)a, *to = (const float *)b;
    float *out = (float *)ret_sample; /* the struct holds nothing but floats */
    for (size_t i = 0; i < sizeof *a / sizeof *from; i++)
        out[i] = from[i] + part * (to[i] - from[i]);
}

void viseme_at(const struct data_visemes *visemes, double t_s,
               struct data_viseme_sample *ret_sample)
{
    if (!visemes->n) {
        memset(ret_sample, 0, sizeof *ret_sample);
        ret_sample->share[DATA_VISEME_SIL] = 1;
        return;
    }
    double last = (double)(visemes->n - 1), x = t_s * visemes->rate_hz;
    x = !(x > 0) ? 0 : x > last ? last : x;
    size_t i = (size_t)x, next = i + 1 < visemes->n ? i + 1 : i;
    blend(&visemes->samples[i], &visemes->samples[next], (float)(x - (double)i), ret_sample);
}
