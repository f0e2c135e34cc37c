/* SPDX-License-Identifier: MIT
 *
 * Frames of a film by number, forwards cheaply, backwards and by jumps in bounded memory. Needs the
 * finished table of frames of a score. Single-threaded. */
#ifndef ENGINE_READER_H
#define ENGINE_READER_H

#include "data/score.h"
#include "media/media.h"

struct reader;

int reader_create(const char *film, const struct data_score *score,
                  const struct media_source_params *params, struct reader **ret_reader,
                  struct lip_error *err);
void reader_destroy(struct reader **reader);

/* One reference to the frame with this number. Errors: those of media/, LIP_ERR_SCORE when the film
 * is not the one of the score. */
int reader_get(struct reader *reader, int64_t index, struct data_frame **ret_frame,
               struct lip_error *err);

#endif
