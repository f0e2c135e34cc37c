/* SPDX-License-Identifier: MIT
 *
 * Who is in a film, and pictures for people to look at. */
#ifndef LIPSYNC_FACES_H
#define LIPSYNC_FACES_H

#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIP_FACES_MAX 32

struct lip_face {
    int number;             /* from 1, most important first */
    double first_s, last_s; /* first and last time it is seen */
    double seen_s;          /* how long it is seen in all */
    double size_px;         /* mean width */
    double x, y;            /* its middle in the portrait frame, upright pixels */
    double portrait_s;      /* the time of that frame */
};

/* Lists the faces of job->film (job->score is used or made when given). `portraits` (may be NULL):
 * a PNG with numbered portraits. Errors: those of pass 1. */
LIP_API int lip_faces(lip_engine *engine, const struct lip_job *job, const char *portraits,
                      struct lip_face ret_faces[LIP_FACES_MAX], size_t *ret_n,
                      struct lip_error *err);

/* A contact sheet: `n_columns` (2..12) moments, original above result, mouths enlarged below.
 * `score` may be NULL: then the original is looked at again. */
LIP_API int lip_sheet(lip_engine *engine, const char *original, const char *result,
                      const char *score, int n_columns, const char *png, struct lip_error *err);

/* A drawing (SVG or PNG, by its ending) of mouth over time: opening over the waveform, width,
 * closures, speech. What was seen comes from job->score, a finished score in which the face is
 * known (lip_analyze, lip_dub); what is predicted from job->voice at job->temperature. job->voice
 * NULL: only what was seen; the film of the score: both; another voice: only what is predicted.
 * job->film is not used. */
LIP_API int lip_show(lip_engine *engine, const struct lip_job *job, const char *picture,
                     struct lip_error *err);

#ifdef __cplusplus
}
#endif
#endif
