/* SPDX-License-Identifier: MIT
 * Sound to rows, rows to a style, rows to a curve. */
#ifndef ENGINE_LISTEN_H
#define ENGINE_LISTEN_H

#include "engine/engine.h"

/* The style of a person from the sound of their film (NULL: no sound) and what was seen. */
int listen_fit(lip_engine *engine, const char *film, const struct data_person *person,
               const struct motion_observed *observed, size_t n, struct progress *progress,
               struct motion_style *ret_style, struct lip_error *err);

/* The mouth curve of a voice; at most max_us of it. */
int listen_curve(lip_engine *engine, const char *voice, int64_t max_us,
                 const struct motion_style *style, const struct data_person *person,
                 struct progress *progress, struct data_curve *ret_curve, struct lip_error *err);

#endif
