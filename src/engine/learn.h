/* SPDX-License-Identifier: MIT
 *
 * Between the passes: who speaks, what that person looks like, their bank of mouths and how their
 * mouth answers to sound. What is learnt is kept in the score. */
#ifndef ENGINE_LEARN_H
#define ENGINE_LEARN_H

#include "data/personfile.h"
#include "engine/cover.h"
#include "engine/engine.h"
#include "engine/geometry.h"

struct cast {
    struct speaker_face faces[SPEAKER_FACES_MAX];
    size_t n_faces, chosen;  /* chosen is meaningless when n_faces is 0 */
    enum lip_occlusion occlusion;
    float snap;              /* how far beside the asked point the face was, in face widths */
    struct data_person person;
    struct data_print print; /* of the chosen face */
    struct data_bank bank;
    struct motion_style style;
    size_t n_lent;           /* of the bank's mouths, those of a person file */
    float likeness;          /* distance of the film's head to the person file's, IOD */
    struct geometry geometry;
    struct cover cover; /* what is in front of the chosen face */
    uint8_t *speaks;    /* per frame of the film, 1: the film's sound seems to be this face's. NULL:
                           nobody has asked, it may be everywhere. Base memory, of the cast */
};

void cast_init(struct cast *cast);
void cast_done(struct cast *cast);

/* The faces of a finished score: tracks grouped by place, size and the shape of the head. */
int cast_list(struct data_score *score, struct speaker_face ret_faces[SPEAKER_FACES_MAX],
              size_t *ret_n, struct lip_error *err);
/* The head of a face, from a few of its observations. False when they say too little. */
bool cast_head(struct data_score *score, const struct speaker_face *face,
               struct data_person *ret_person);
/* How unlike a person file's face is a face of a film: only for comparing such figures. */
double cast_unlike(const struct data_personfile *file, const struct data_person *head,
                   const struct data_print *print);
/* Whose face it is, from all looks at it. */
int cast_print(struct data_score *score, const struct speaker_face *face,
               struct data_print *ret_print, struct lip_error *err);
/* Faces of a finished score, and the one that the job asks for; where it asks for none, the one
 * that is most like the file's (may be NULL). No face at all is no error. */
int cast_choose(struct cast *cast, struct data_score *score, const struct lip_job *job,
                const struct data_personfile *like, struct lip_error *err);
/* Person, bank and style; from the score when it has them. Needs a chosen face. `keep`: write what
 * was learnt into the score. */
int cast_learn(struct cast *cast, lip_engine *engine, struct data_score *score,
               const struct lip_job *job, struct progress *progress, struct lip_error *err);
/* What was seen of the mouth of a cast that has learnt, frame by frame. Base memory. */
int cast_observe(struct cast *cast, lip_engine *engine, struct data_score *score,
                 struct progress *progress, struct motion_observed **ret_observed, size_t *ret_n,
                 struct lip_error *err);

#endif
