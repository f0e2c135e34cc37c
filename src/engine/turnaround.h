/* SPDX-License-Identifier: MIT
 *
 * Where a film that is too short turns (bounce) or starts again (loop): near its ends, where that
 * is seen least, from how the head moves and from the pictures there, in small. */
#ifndef ENGINE_TURNAROUND_H
#define ENGINE_TURNAROUND_H

#include "engine/plan.h"
#include "media/media.h"
#include "speaker/speaker.h"

struct turnaround_params {
    struct data_score *score;
    const char *film;
    const struct media_source_params *source;
    const struct speaker_face *face; /* that speaks */
};

/* The turn of a piece; *ret_turn is unchanged where nothing better than the piece's ends is known.
 * Errors: LIP_ERR_NOMEM, those of reading score and film. */
int turnaround_choose(const struct turnaround_params *params, const struct plan_piece *piece,
                struct plan_turn *ret_turn, struct lip_error *err);

#endif
