/* SPDX-License-Identifier: MIT
 * bench/quality motion: clips as train/extract writes them, and what is measured on a curve. */
#ifndef BENCH_QUALITY_MOTION_H
#define BENCH_QUALITY_MOTION_H

#include "motion/motion.h"
#include "nn/nn.h"

#define LIP_POINTS 40

struct talk {
    struct data_person person;
    struct motion_observed *observed;
    float (*lips)[LIP_POINTS][2]; /* per frame: both rings, CANON */
    float *widths;
    struct data_sound_row *rows; /* standardised */
    size_t n_frames, n_rows;
};

/* `prior`: the rows are standardised as they come; NULL: over the whole recording. -1 when the file
 * cannot be read. */
int talk_load(const char *path, const struct data_basis *basis,
              const struct data_sound_prior *prior, struct talk *ret_talk);
/* In place. */
void talk_standardise(struct data_sound_row *rows, size_t n,
                      const struct data_sound_prior *prior);
void talk_free(struct talk *talk);
void talk_lips(const float points[DATA_FACE_POINTS][3], float ret_lips[LIP_POINTS][2]);

enum figure {
    OPENING, OPENING_ALL, LAG_MS, WIDTH, MEETS, CLOSED, WRONG, SPREAD, OFTEN, LANDMARKS, JITTER,
    N_FIGURES
};
extern const char *const figure_names[N_FIGURES];

/* Figures over frames of speech (OPENING_ALL: over all frames) from from_s on, at the lag at which
 * the opening agrees best (0 unless another is better by .08). False when there is too little
 * speech. */
bool talk_measure(const struct data_basis *basis, const struct talk *talk,
                  const struct data_curve *curve, double from_s, double ret_figures[N_FIGURES]);

#endif
