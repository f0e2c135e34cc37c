/* SPDX-License-Identifier: MIT
 *
 * What a media file is, without an engine. */
#ifndef LIPSYNC_PROBE_H
#define LIPSYNC_PROBE_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lip_media {
    int has_picture, is_image, has_sound;
    int width_px, height_px; /* as a viewer sees it; 0 without a picture */
    double rate_hz;          /* mean frame rate; 0 unknown, or no film */
    double duration_s;       /* of the film as its container says, else of the sound, counted; 0
                                unknown, or an image */
};

/* Opens the file and looks at what it says of itself; sound alone is decoded once, to be counted.
 * Thread-safe. Errors: LIP_ERR_ARG, LIP_ERR_NOT_FOUND, LIP_ERR_FORMAT, LIP_ERR_UNSUPPORTED,
 * LIP_ERR_LIMIT, LIP_ERR_NO_AUDIO (neither picture nor sound), LIP_ERR_IO, LIP_ERR_NOMEM. */
LIP_API int lip_probe(const char *path, struct lip_media *ret_media, struct lip_error *err);

#ifdef __cplusplus
}
#endif
#endif
