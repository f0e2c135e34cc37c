/* SPDX-License-Identifier: MIT
 *
 * Pieces of several sound tracks as one unbroken run of samples. */
#ifndef MEDIA_SPLICE_H
#define MEDIA_SPLICE_H

#include "media/media.h"
#include "media/track.h"

struct media_splice;

/* In the form (rate and channels) of `info`. Pieces are borrowed until it is closed.
 * Errors: LIP_ERR_NOMEM. Files are opened when their turn comes. */
int media_splice_open(const struct media_sound *sounds, size_t n,
                      const struct media_track_info *info, struct media_splice **ret_splice,
                      struct lip_error *err);
void media_splice_close(struct media_splice **splice);
/* The next samples, planar float; where no piece lies there is silence, without end.
 * Errors: those of media_track_open and media_track_read. */
int media_splice_read(struct media_splice *splice, AVFrame *frame, struct lip_error *err);

#endif
