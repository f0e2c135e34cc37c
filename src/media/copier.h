/* SPDX-License-Identifier: MIT
 *
 * What an encoder must know of the coded pictures that will lie beside its own. */
#ifndef MEDIA_COPIER_H
#define MEDIA_COPIER_H

#include "media/media.h"

/* An id that no parameter set of the film has (H.264; for HEVC it is MEDIA_NAL_HEVC_ID). */
int media_copier_free_id(const struct media_copier *copier);

#endif
