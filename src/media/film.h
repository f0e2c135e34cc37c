/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_FILM_H
#define MEDIA_FILM_H

#include <libavutil/frame.h>

#include "data/film.h"
#include "media/av.h"

/* Fills everything but `identity` and `start_pts`. `first` is the first decoded frame. */
void media_film_fill(const struct media_input *input, int stream, const AVFrame *first,
                     struct data_film *ret_film);
/* The display matrix of the stream or of its first frame, or NULL; borrowed from either. */
const int32_t *media_film_matrix(const AVStream *stream, const AVFrame *first);
/* disp_* and the two affines, from width, height, sample_aspect and a display matrix (or NULL).
 * Returns false when the matrix is none of the eight upright ones: it is not followed then. */
bool media_film_geometry(struct data_film *film, const int32_t matrix[9]);

struct media_source;
/* The display matrix of a source, or NULL. */
const int32_t *media_source_matrix(const struct media_source *source);

#endif
