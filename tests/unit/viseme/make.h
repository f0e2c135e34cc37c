/* SPDX-License-Identifier: MIT
 * Mouths made by hand: runs of one viseme. */
#ifndef TEST_VISEME_MAKE_H
#define TEST_VISEME_MAKE_H

#include <string.h>

#include "data/viseme.h"

#define MADE_MAX 2000

struct run {
    int viseme;
    int n; /* samples of 20 ms */
    float open;
};

static inline void make(const struct run *runs, size_t n_runs, struct data_viseme_sample *samples,
                        struct data_visemes *ret_visemes)
{
    *ret_visemes = (struct data_visemes){.rate_hz = 50, .samples = samples};
    for (size_t i = 0; i < n_runs; i++)
        for (int k = 0; k < runs[i].n; k++) {
            struct data_viseme_sample *s = &samples[ret_visemes->n++];
            memset(s, 0, sizeof *s);
            for (int v = 0; v < DATA_VISEMES; v++)
                s->share[v] = v == runs[i].viseme ? 0.84f : 0.01f;
            s->open = runs[i].open;
            s->jaw = 0.07f * runs[i].open;
            s->lower_lip = 0.12f * runs[i].open;
            s->speech = runs[i].viseme == DATA_VISEME_SIL ? 0 : 1;
        }
    ret_visemes->length_s = (double)ret_visemes->n / 50;
}

#endif
