/* SPDX-License-Identifier: MIT
 *
 * Person files: what was learnt of a person from some films, for use in any other film of that
 * person (lip_job.person). One recording becomes thousands of messages. */
#ifndef LIPSYNC_PERSON_H
#define LIPSYNC_PERSON_H

#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIP_PERSON_FILMS_MAX 256

struct lip_person {
    uint64_t hash;         /* of the file's contents */
    int n_films;
    double seconds;        /* of film that were looked at */
    int n_mouths;          /* pictures of the mouth */
    double size_px;        /* distance of the outer eye corners in them, the middle one */
    double opening_rest, opening_max; /* of the lips, in eye distances */
    int style_fitted;      /* 1: it holds this person's own way of speaking */
    double agreement;      /* of predicted and seen mouth in the films; 0 unknown */
};

/* Learns a person from `n_films` films (1..LIP_PERSON_FILMS_MAX) and writes job->output. The face
 * that job->face says is learnt from the first film, the most similar one from the others. The
 * first film sets the shape of the head that the others are brought to. Used of job: output, face,
 * score (with one film), n_threads, n_crops, tier, overwrite, resume, progress, cancel.
 * Errors: those of pass 1; LIP_ERR_NO_FACE; LIP_ERR_PERSON when a film shows somebody else. */
LIP_API int lip_person_learn(lip_engine *engine, const struct lip_job *job,
                             const char *const *films, size_t n_films,
                             struct lip_person *ret_person, struct lip_error *err);

/* What is in a person file. `picture` (may be NULL): a PNG of its mouths, closed to open.
 * Errors: LIP_ERR_NOT_FOUND, LIP_ERR_SCORE, LIP_ERR_NOMEM, LIP_ERR_IO. */
LIP_API int lip_person_show(const char *person, const char *picture, struct lip_person *ret_person,
                            struct lip_error *err);

#ifdef __cplusplus
}
#endif
#endif
