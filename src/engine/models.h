/* SPDX-License-Identifier: MIT
 * Where the nets and weights are, and whether they are all there. */
#ifndef ENGINE_MODELS_H
#define ENGINE_MODELS_H

#include <stdint.h>

#include "base/status.h"

/* The folder asked for, else $LIPSYNC_MODELS, else beside the program, else the installation's.
 * Base memory; NULL when there is none left. */
char *engine_models_dir(const char *asked);
/* A hash over all files that an engine needs; LIP_ERR_MODEL names the first that is missing. */
int engine_models_hash(const char *dir, uint64_t *ret_hash, struct lip_error *err);

#endif
