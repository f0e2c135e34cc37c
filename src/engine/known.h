/* SPDX-License-Identifier: MIT
 * What is known of a person from other films: a person file, brought over to the film at hand. */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include "data/personfile.h"
#include "engine/learn.h"

/* rms distance of two heads (IOD). Films of one person were at most 0.022 apart; beyond the first
 * limit lie most pairs of different people, beyond the second a fifth: docs/design/engine.md. */
#define KNOWN_DOUBTFUL 0.024f
#define KNOWN_STRANGER 0.036f

/* LIP_ERR_PERSON when the face of a film, called `film`, is somebody else's than the file's.
 * *ret_match gets what brings the file's head to the film's. */
int known_check(const struct data_personfile *file, const struct cast *cast, const char *film,
                struct face_match *ret_match, struct lip_error *err);

struct known {
    struct data_personfile file;
    struct motion_style style; /* generic when the file's was made with other weights */
};

/* Errors: LIP_ERR_NOT_FOUND, LIP_ERR_SCORE, LIP_ERR_LIMIT, LIP_ERR_NOMEM, LIP_ERR_IO. */
int known_open(lip_engine *engine, const char *path, struct known **ret_known,
               struct lip_error *err);
void known_close(struct known **known);

/* Brings shapes, poses and sizes of a bank over to another film of the person. */
void known_bring(struct data_bank *bank, const struct face_match *match);
/* Brings its colours to those of a film's own mouths; as they are where that has none. Errors:
 * LIP_ERR_NOMEM. */
int known_tint(struct data_bank *bank, const struct data_bank *own);
/* What it costs to show these mouths in a film whose own are `scale_px` large (0: unknown): other
 * light and another codec, and less to see where they are smaller. */
void known_burden(struct data_bank *bank, float scale_px);
/* Adds the file's mouths and way of speaking to a cast that has learnt from its film; the file's
 * bank is empty afterwards. LIP_ERR_PERSON when the film shows somebody else. */
int known_join(struct known *known, struct cast *cast, const char *film,
               const struct data_basis *basis, struct lip_error *err);

#endif
