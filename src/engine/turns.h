/* SPDX-License-Identifier: MIT
 *
 * Who speaks when in a film that was looked at: its mouths against its own sound. */
#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "engine/engine.h"
#include "speaker/turns.h"

struct turns_of_film {
    struct speaker_turn *at; /* one a frame; `face` is an index into the faces */
    int64_t n;
    struct speaker_voice voices[SPEAKER_FACES_MAX];
    bool has_sound;          /* false: the most important face in the picture is meant */
};

/* `faces`: of cast_list. Errors: LIP_ERR_NOMEM, LIP_ERR_CANCELLED, those of the score. */
int turns_find(lip_engine *engine, const char *film, struct data_score *score,
               const struct speaker_face *faces, size_t n_faces, struct progress *progress,
               struct turns_of_film *ret_turns, struct lip_error *err);
void turns_done(struct turns_of_film *turns); /* zeroed is fine */

#endif
