/* SPDX-License-Identifier: MIT
 *
 * Whose mouth is moved when: the wish of a job (a face, a box per frame, whoever speaks) as roles
 * over frames of the film. */
#ifndef ENGINE_ASSIGN_H
#define ENGINE_ASSIGN_H

#include "engine/boxes.h"
#include "engine/roles.h"
#include "engine/turns.h"

struct assign {
    lip_engine *engine;             /* borrowed, as all up to here … */
    struct data_score *score;
    struct roles *roles;
    const struct data_personfile *like; /* NULL: no person file */
    struct progress *progress;
    /* … found when first asked for: */
    struct speaker_face *faces;
    size_t n_faces;
    struct turns_of_film turns;
    struct boxes boxes;
    bool has_turns, has_boxes;
};

void assign_done(struct assign *assign);
/* Frames [from, to) of the film follow `voice`, by the face that `job` asks for. */
int assign_frames(struct assign *assign, const struct lip_job *job, int64_t from, int64_t to,
                  int voice, struct lip_error *err);
/* Afterwards, in a film of several faces: when those that were cast speak, for their way of
 * speaking to be learnt from. */
int assign_speech(struct assign *assign, const struct lip_job *job, struct lip_error *err);
/* The same of one cast. Who surely never speaks in the film is left as it is. */
int assign_cast_speech(const struct turns_of_film *turns, struct cast *cast,
                       struct lip_error *err);

#endif
