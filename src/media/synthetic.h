/* SPDX-License-Identifier: MIT
 *
 * Films drawn by the program: the whole pipe can run without a file. */
#ifndef MEDIA_SYNTHETIC_H
#define MEDIA_SYNTHETIC_H

#include "base/status.h"
#include "data/frame.h"

#define MEDIA_SYNTHETIC_PREFIX "synthetic:"

/* Reads "synthetic:WxH@FPS:N[:FORMAT[+bar]]" (FPS may be a fraction: 30000/1001; FORMAT is a planar
 * pixel format by FFmpeg's name, yuv420p when missing; with "+bar" something is in front of the
 * mouth for a while: media_synthetic_bar). */
int media_synthetic_parse(const char *path, struct data_film *ret_film, struct lip_error *err);
int media_synthetic_draw(const struct data_film *film, int64_t index,
                         struct data_frame **ret_frame, struct lip_error *err);

#endif
