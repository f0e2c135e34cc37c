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
    double speaks_s;        /* how long it surely speaks */
    double sure;            /* how sure that is on average, 0..1; 0: it never speaks */
};

/* Somebody speaks, as far as mouth and sound tell. */
struct lip_turn {
    double from_s, to_s;
    int face;    /* number; 0: nobody who is in the picture */
    double sure; /* 0..1; below 0.8 nothing should be built on it */
};
#define LIP_TURNS_MAX 10000

/* Lists the faces of job->film (job->score is used or made when given), and who speaks when: the
 * face whose mouth agrees with the film's own sound. In a film without sound the first of the faces
 * in the picture counts as the speaker. `picture` (may be NULL): a PNG with numbered portraits and
 * who is seen, and who speaks, over time. `ret_turns` (may be NULL): room for LIP_TURNS_MAX turns
 * in order, from the film's beginning to its end; what is over is left out. Errors: those of
 * pass 1. */
LIP_API int lip_faces(lip_engine *engine, const struct lip_job *job, const char *picture,
                      struct lip_face ret_faces[LIP_FACES_MAX], size_t *ret_n,
                      struct lip_turn *ret_turns, size_t *ret_n_turns, struct lip_error *err);

/* One moment of a film, and a face in it. */
struct lip_moment {
    double t_s;              /* of the frame that is shown then */
    int64_t frame;           /* its number; behind a jump, from the mean frame rate */
    int width_px, height_px; /* of the picture as a viewer sees it */
};
struct lip_spot {
    double x0, y0, x1, y1; /* upright pixels: the face from brow to chin */
    double film_x, film_y; /* its middle in pixels as the film stores them */
};

/* The faces of the frame that is shown t_s seconds (0 to 1e6) after the film's beginning, the
 * largest first; of its last frame when it is over by then. No other frame is looked at, so a face
 * that a following look would find may be missing. Errors: LIP_ERR_ARG, those of reading a film. */
LIP_API int lip_faces_at(lip_engine *engine, const char *film, double t_s,
                         struct lip_moment *ret_moment, struct lip_spot ret_faces[LIP_FACES_MAX],
                         size_t *ret_n, struct lip_error *err);

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
