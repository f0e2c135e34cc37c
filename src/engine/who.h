/* SPDX-License-Identifier: MIT
 * The faces of a film as a picture: numbered portraits, and under them who is seen, how large, and
 * who speaks, over time. */
#ifndef ENGINE_WHO_H
#define ENGINE_WHO_H

#include "engine/turns.h"

/* `path`: a PNG. Errors: LIP_ERR_NOMEM, those of the film and of writing. */
int who_draw(const struct lip_job *job, struct data_score *score, const struct speaker_face *faces,
             size_t n, const struct turns_of_film *turns, const char *path, struct lip_error *err);

#endif
