/* SPDX-License-Identifier: MIT
 *
 * Sound to mouth while the sound is being made: for calls, avatars and games. Push samples as they
 * come, pull the mouth that belongs to them, at most LIP_LIVE_DELAY_MS later. Any size of pieces
 * gives the same mouths. It follows less closely than the mouth of a film, which knows what comes:
 * docs/design/motion.md has the figures. */
#ifndef LIPSYNC_LIVE_H
#define LIPSYNC_LIVE_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIP_LIVE_RATE_HZ 16000   /* of the samples that go in */
#define LIP_LIVE_MOUTHS_HZ 50    /* mouths that come out, a second */
#define LIP_LIVE_DELAY_MS 100    /* a mouth is there once so much sound after its time is in */
#define LIP_MOUTH_COEFFICIENTS 12

struct lip_mouth {
    double t_s;     /* its time in the sound; mouth i has the time i / LIP_LIVE_MOUTHS_HZ */
    float opening;  /* between the inner lips, in distances of the outer eye corners, >= 0 */
    float width;    /* between the inner corners of the mouth, in the same unit */
    /* How far the face is from rest along the directions of models/motion/basis.bin, in the same
     * unit: coefficient k moves point p of the face mesh by coefficients[k] * basis[k][p]. */
    float coefficients[LIP_MOUTH_COEFFICIENTS];
    float speech;   /* 0..1: 0 the mouth is at rest, 1 somebody speaks */
    float closure;  /* 0..1: how likely the lips are meant to touch */
};

/* Whose mouth moves: rest, range and limits. Without score and person that of people's average.
 * A way of speaking that was fitted for films belongs to the other net, and is not used. */
struct lip_live_params {
    const char *score;  /* a finished score in which a face is known (lip_analyze, lip_dub) … */
    int face;           /* … and its number, from 1; 0: the first that is known */
    const char *person; /* or what lip_person_learn wrote; not both */
    double temperature; /* how lively the mouth is: 0 calm, 0.5 as predicted, 1 wide */
    void *reserved[4];
};
LIP_API void lip_live_params_default(struct lip_live_params *params);

typedef struct lip_live lip_live;

/* `params` (may be NULL: defaults) is only borrowed for the call; the engine for as long as the
 * stream is open. An engine may have any number of streams, each used by one thread at a time.
 * Errors: LIP_ERR_ARG, LIP_ERR_MODEL, LIP_ERR_NOT_FOUND, LIP_ERR_SCORE (damaged, or nobody is known
 * in it), LIP_ERR_NOMEM, LIP_ERR_IO, LIP_ERR_LIMIT. *ret_live is untouched on failure. */
LIP_API int lip_live_open(lip_engine *engine, const struct lip_live_params *params,
                          lip_live **ret_live, struct lip_error *err);
/* Mono, full scale is 1; what is no number or above 16 counts as silence. Errors: LIP_ERR_ARG;
 * LIP_ERR_STATE after lip_live_flush; LIP_ERR_LIMIT when nobody pulled for an hour of sound;
 * LIP_ERR_NOMEM, LIP_ERR_MODEL. After one of the last three only lip_live_close makes sense. */
LIP_API int lip_live_push(lip_live *live, const float *samples, size_t n, struct lip_error *err);
/* The sound is over: the last mouths can be pulled, up to its end. A second call does nothing.
 * Errors: those of push. */
LIP_API int lip_live_flush(lip_live *live, struct lip_error *err);
/* 1 and the next mouth, or 0 when more sound is needed (or all is out). LIP_ERR_ARG. */
LIP_API int lip_live_pull(lip_live *live, struct lip_mouth *ret_mouth);
/* NULL and *NULL are fine; sets *live NULL. */
LIP_API void lip_live_close(lip_live **live);

#ifdef __cplusplus
}
#endif
#endif
