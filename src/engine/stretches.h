/* SPDX-License-Identifier: MIT
 *
 * Which frames of the output are the film's own coded pictures, copied, and which are encoded. */
#ifndef ENGINE_STRETCHES_H
#define ENGINE_STRETCHES_H

#include "engine/plan.h"
#include "media/media.h"

/* Output frames that become one part. */
struct stretch {
    int64_t first, n;
    size_t unit, n_units;  /* of the copier; n_units 0: encoded */
    int64_t shift;         /* from the film's clock to the output's */
    int64_t last_duration; /* of the last frame */
};

struct stretches {
    struct stretch *at;
    size_t n, cap;
    int64_t n_copied; /* frames */
};

/* Whether the output frame with this number stays as it is in the film. */
typedef bool (*stretches_kept)(void *user, int64_t index);

/* Encoded stretches have at most `per_part` frames. `units` NULL: nothing is copied. Depends on
 * nothing but plan, film and `kept`. Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT. */
int stretches_init(struct stretches *stretches, struct plan *plan, const struct media_unit *units,
                  size_t n_units, int64_t per_part, stretches_kept kept, void *user,
                  struct lip_error *err);
void stretches_done(struct stretches *stretches);

#endif
