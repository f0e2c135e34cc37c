/* SPDX-License-Identifier: MIT
 *
 * Who is moved, and by which voice: the casts of a job (the faces that speak in it), a mouth curve
 * for each pair of voice and cast that comes together, and a table over the frames of the film that
 * says which pair is at work. A frame without a role stays as it is.
 *
 * Whoever knows who speaks when (a face that was asked for, segments, a timeline of speakers) turns
 * that into the table:
 *   1. roles_cast_face for each face that will speak: gives the cast, once for each face;
 *   2. roles_add for each range of frames, ascending, nobody's ranges left out;
 *   3. roles_learn; the curves follow from the table (job.c).
 * Where a role ends or begins inside a shot the edit fades over ROLES_FADE_S by moving the
 * landmarks (wish.c); where the shot changes, or the same cast goes on, it does not. */
#ifndef ENGINE_ROLES_H
#define ENGINE_ROLES_H

#include "engine/learn.h"

#define ROLES_CASTS_MAX 8 /* each holds a bank of up to the tier's size */
#define ROLES_MAX ((size_t)1 << 20)
#define ROLES_FADE_S .16

/* Frames of the film in which one mouth follows one voice. */
struct role {
    int64_t from, to; /* `to` is the first frame after it */
    int cast, voice;  /* indices */
};

struct roles {
    struct cast *casts;        /* one more than ROLES_CASTS_MAX, n_casts in use; at least one, which
                                  has no face when the film has none */
    size_t n_casts;
    struct data_curve *curves; /* of voice v and cast c: roles_curve. Empty where unused */
    size_t n_voices;
    struct role *at;           /* ascending, apart from each other */
    size_t n, cap;
    uint8_t *silent;           /* per frame of the film, 1: somebody was asked for, but nobody in
                                  the picture surely speaks. NULL: nowhere */
};

/* Errors: LIP_ERR_NOMEM. roles_done also after a failure, and for a zeroed one. */
int roles_init(struct roles *roles, size_t n_voices, struct lip_error *err);
void roles_done(struct roles *roles);

/* The cast of the face that `job` asks for (face, occlusion); one that is there already is given
 * again. `like` as in cast_choose. LIP_ERR_LIMIT beyond ROLES_CASTS_MAX. */
int roles_cast_face(struct roles *roles, struct data_score *score, const struct lip_job *job,
                    const struct data_personfile *like, int *ret_cast, struct lip_error *err);
/* Ascending and apart; empty ranges are left out, one that goes on with the last joins it.
 * Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT, LIP_ERR_INTERNAL (not ascending). */
int roles_add(struct roles *roles, const struct role *role, struct lip_error *err);
/* Marks frames [from, to) of a film of n_frames as silent. Errors: LIP_ERR_NOMEM. */
int roles_add_silence(struct roles *roles, int64_t n_frames, int64_t from, int64_t to,
                      struct lip_error *err);
/* The role of a frame of the film; NULL: nobody's. */
const struct role *roles_find(const struct roles *roles, int64_t frame);
/* Whether the same mouth speaks in both frames. */
bool roles_go_on(const struct roles *roles, int64_t frame, int64_t other);

static inline struct data_curve *roles_curve(const struct roles *roles, const struct role *role)
{
    return &roles->curves[(size_t)role->voice * ROLES_CASTS_MAX + (size_t)role->cast];
}

#endif
