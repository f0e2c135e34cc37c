/* SPDX-License-Identifier: MIT
 *
 * The geometry of one face through a film, by frame number: observations of the score, smoothed in
 * a window around the frame, so that the answer does not depend on the order of asking. */
#ifndef ENGINE_GEOMETRY_H
#define ENGINE_GEOMETRY_H

#include "data/score.h"
#include "face/face.h"
#include "speaker/speaker.h"

#define GEOMETRY_KEPT 32 /* observations kept in memory */

struct geometry {
    struct data_score *score;       /* borrowed */
    const struct data_person *person; /* borrowed; NULL: only observations can be asked for */
    const struct speaker_face *face;  /* borrowed */
    struct data_face_obs *kept;     /* GEOMETRY_KEPT of them, slot = frame modulo */
    int64_t kept_frame[GEOMETRY_KEPT]; /* -1 = empty */
    bool kept_valid[GEOMETRY_KEPT];
    struct data_face_obs *scratch;  /* all faces of one frame */
};

int geometry_init(struct geometry *g, struct data_score *score, const struct speaker_face *face,
                  struct lip_error *err);
void geometry_done(struct geometry *g);

/* The face's observation in a frame; *ret_obs NULL when it is not there. Valid until the next call
 * for a frame that is GEOMETRY_KEPT away. */
int geometry_obs(struct geometry *g, int64_t frame, const struct data_face_obs **ret_obs,
                 struct lip_error *err);
/* Smoothed geometry of a frame; ret_geom->valid says whether the face is there. */
int geometry_at(struct geometry *g, int64_t frame, struct data_face_geom *ret_geom,
                struct lip_error *err);

#endif
