/* SPDX-License-Identifier: MIT
 *
 * What is in front of the face, by frame number: from the looks in the score and the person's
 * likeness alone, with the frames around, so that the answer does not depend on the
 * order of asking. */
#ifndef ENGINE_COVER_H
#define ENGINE_COVER_H

#include <lipsync/job.h>

#include "data/look.h"
#include "engine/geometry.h"
#include "render/render.h"

#define COVER_KEPT 48 /* frames looked at around one: 2 * (SWEPT_MAX + RENDER_COVER_AROUND) */
#define COVER_MOUTH_MAX .6f /* share of the mouth: with more in front there is nothing to edit */

struct cover {
    struct geometry *geometry;           /* borrowed, as the mesh */
    const struct render_mesh *mesh;
    struct data_likeness *likeness;      /* owned */
    enum lip_occlusion mode;
    struct render_cover *kept;           /* COVER_KEPT of them, of one frame alone */
    int64_t kept_frame[COVER_KEPT];      /* -1 = empty */
    bool kept_valid[COVER_KEPT];         /* the face is there */
};

/* Knows nothing at first: nothing is in front of anything. */
int cover_init(struct cover *cover, struct geometry *geometry, const struct render_mesh *mesh,
               enum lip_occlusion mode, struct lip_error *err);
void cover_done(struct cover *cover);

/* The likeness from the film itself. */
int cover_learn(struct cover *cover, const struct speaker_face *face, struct lip_error *err);
/* Its disk form, with the mode it was learnt for; read: LIP_ERR_SCORE, also for another mode. */
int cover_write(const struct cover *cover, struct base_buffer *out);
int cover_read(struct cover *cover, const void *bytes, size_t n, struct lip_error *err);

/* What is in front in a frame; nothing where the face is not seen. */
int cover_at(struct cover *cover, int64_t frame, struct render_cover *ret_cover,
             struct lip_error *err);

#endif
