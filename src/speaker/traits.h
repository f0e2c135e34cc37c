/* SPDX-License-Identifier: MIT
 *
 * What is compared of a mouth and of a sound: pairs of traits. A trait is a sum of a mouth's
 * measures, or how fast that sum changes; which sums of what is seen and of what is said go best
 * together was learnt from people who speak (axes.h). */
#ifndef SPEAKER_TRAITS_H
#define SPEAKER_TRAITS_H

#include "speaker/turns.h"

#define SPEAKER_POSES 3
#define SPEAKER_TRAITS (2 * SPEAKER_POSES) /* poses, then their speeds */

/* Mean 0 over the neighbourhood, variance about 1, [trait][frame] and [trait][sample]; NAN: not
 * known. All of it is base memory. */
struct speaker_traits {
    float *seen[SPEAKER_TURNS_FACES_MAX][SPEAKER_TRAITS], *said[SPEAKER_TRAITS];
    float *still[SPEAKER_TURNS_FACES_MAX]; /* [frame], 0..1: the mouth does not move */
};

/* Errors: LIP_ERR_NOMEM; speaker_traits_done in any case. */
int speaker_traits_init(struct speaker_traits *traits, const struct speaker_scene *scene);
void speaker_traits_done(struct speaker_traits *traits);

#endif
