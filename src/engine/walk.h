/* SPDX-License-Identifier: MIT
 *
 * The walk through the banks: which of a person's mouths each output frame is made of, chosen for
 * the whole output before any pixel is touched. It hangs on nothing but score and curves, so a
 * resumed job, and every share of one, takes the same. */
#ifndef ENGINE_WALK_H
#define ENGINE_WALK_H

#include "engine/perform.h"

/* Where nothing is to be drawn. */
static inline bool walk_keeps(const struct render_choice *choice)
{
    return choice->entry[0] == -2;
}

/* Fills the choices and the trace, both of as many frames as the plan has, and what the wishes
 * measure; from the folder of the parts where they are there, else they are put there. */
int walk_choose(const struct perform_params *params, struct wishes *wishes,
                struct progress *progress, struct render_choice *ret_choices,
                struct trace *ret_trace, struct lip_error *err);

#endif
