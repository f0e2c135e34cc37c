/* SPDX-License-Identifier: MIT
 *
 * Between the passes: who speaks, what that person looks like, their bank of mouths and how their
 * mouth answers to sound. What is learnt is kept in the score. */
#ifndef ENGINE_LEARN_H
#define ENGINE_LEARN_H

#include "engine/engine.h"
#include "engine/geometry.h"

struct cast {
    struct speaker_face faces[SPEAKER_FACES_MAX];
    size_t n_faces, chosen;  /* chosen is meaningless when n_faces is 0 */
    float snap;              /* how far beside the asked point the face was, in face widths */
    struct data_person person;
    struct data_bank bank;
    struct motion_style style;
    struct geometry geometry;
};

void cast_init(struct cast *cast);
void cast_done(struct cast *cast);

/* The faces of a finished score: tracks grouped by place, size and the shape of the head. */
int cast_list(struct data_score *score, struct speaker_face ret_faces[SPEAKER_FACES_MAX],
              size_t *ret_n, struct lip_error *err);
/* Faces of a finished score, and the one that the job asks for. No face at all is no error. */
int cast_choose(struct cast *cast, struct data_score *score, const struct lip_job *job,
                struct lip_error *err);
/* Person, bank and style; from the score when it has them. Needs a chosen face. `keep`: write what
 * was learnt into the score. */
int cast_learn(struct cast *cast, lip_engine *engine, struct data_score *score,
               const struct lip_job *job, struct progress *progress, struct lip_error *err);

#endif
