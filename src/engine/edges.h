/* SPDX-License-Identifier: MIT
 *
 * Where an edit comes, goes, or one voice of a mouth gives way to another. */
#ifndef ENGINE_EDGES_H
#define ENGINE_EDGES_H

#include "engine/plan.h"
#include "engine/roles.h"

/* How much of the role's edit is in the frame, as far as its ends have a say: 0..1. At cuts of the
 * film, and where the same mouth speaks on, it stays 1. A picture that stands after the film's end
 * goes back to its own mouth within ROLES_FADE_S. */
float edges_amount(const struct plan *plan, const struct roles *roles,
                   const struct plan_frame *frame, const struct role *role);
/* What the voice of the role says in the frame: 0 (rest) after its end. Around a moment in which
 * another piece of the plan takes the same mouth over, over ROLES_FADE_S, something of both: then
 * true. */
bool edges_sample(const struct plan *plan, const struct roles *roles,
                  const struct plan_frame *frame, const struct role *role,
                  struct data_curve_sample *ret_sample);

#endif
