/* SPDX-License-Identifier: MIT
 * Sound to rows, rows to a style, rows to a curve. */
#ifndef ENGINE_LISTEN_H
#define ENGINE_LISTEN_H

#include "engine/engine.h"

/* What was seen of a person in one film, on the film's clock. */
struct listen_film {
    const char *sound; /* the film again; NULL: it has no sound */
    const struct motion_observed *observed;
    size_t n_observed;
    int lag_ms; /* by so much the picture is known to be late */
};

/* The style of a person from the sound of their films and what was seen in them. */
int listen_fit(lip_engine *engine, const struct data_person *person,
               const struct listen_film *films, size_t n_films, struct progress *progress,
               struct motion_style *ret_style, struct lip_error *err);

/* What is said, as it is seen, beside each sample of the curve. `of` is base memory. */
struct listen_shares {
    float (*of)[DATA_VISEMES];
    size_t n, cap;
};

struct listen_params {
    const char *voice; /* sound file or film */
    int64_t max_us;    /* so much of it; < 0: all */
    const struct motion_style *style;
    const struct data_person *person;
    double temperature; /* struct lip_job */
    const struct motion_model *visemes; /* with `shares`: hear visemes as well; both NULL: no */
    struct listen_shares *shares;       /* filled, also on failure: free `of` */
};

/* The mouth curve of a voice. */
int listen_curve(lip_engine *engine, const struct listen_params *params, struct progress *progress,
                 struct data_curve *ret_curve, struct lip_error *err);

#endif
