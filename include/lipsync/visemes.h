/* SPDX-License-Identifier: MIT
 *
 * A voice as a mouth for games and animation: visemes, blend shapes, held shapes of drawn mouths.
 * No film is needed. What the forms hold and how well they agree with real mouths stands in
 * docs/guide/visemes.md. */
#ifndef LIPSYNC_VISEMES_H
#define LIPSYNC_VISEMES_H

#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIP_OCULUS_VISEMES 15
#define LIP_ARKIT_SHAPES 52

/* The files that can be written. Held shapes: */
enum lip_viseme_format {
    LIP_VISEMES_RHUBARB_TSV,  /* A to H and X, as Rhubarb Lip Sync writes them */
    LIP_VISEMES_RHUBARB_XML,
    LIP_VISEMES_RHUBARB_JSON,
    LIP_VISEMES_MOHO,         /* a switch file with Preston Blair's shapes, as Papagayo writes it */
    /* Weights of every frame: */
    LIP_VISEMES_OCULUS_CSV,   /* the fifteen visemes of Oculus Lipsync */
    LIP_VISEMES_OCULUS_JSON,
    LIP_VISEMES_ARKIT_CSV,    /* ARKit's 52 blend shapes in the columns of Live Link Face */
    LIP_VISEMES_GLTF,         /* the same as an animation of morph targets, glTF 2.0 */
    LIP_VISEMES_GLB,          /* … in one binary file */
    LIP_VISEMES_FORMATS
};
/* "rhubarb-tsv" …; "unknown" for other numbers. Never NULL. */
LIP_API const char *lip_viseme_format_name(int format);
LIP_API const char *lip_oculus_viseme_name(int viseme); /* "sil", "PP" … */
LIP_API const char *lip_arkit_shape_name(int shape);    /* "eyeBlinkLeft" …, in ARKit's order */

typedef struct lip_visemes lip_visemes;

/* Listens to job->voice (a sound file or a film), at most three hours. Used of job besides:
 * temperature, progress, cancel. Errors: LIP_ERR_ARG, LIP_ERR_NOT_FOUND, LIP_ERR_FORMAT,
 * LIP_ERR_NO_AUDIO, LIP_ERR_LIMIT, LIP_ERR_MODEL, LIP_ERR_NOMEM, LIP_ERR_CANCELLED.
 * *ret_visemes is untouched on failure. It does not need the engine any more, and any number of
 * threads may read it at once. */
LIP_API int lip_visemes_hear(lip_engine *engine, const struct lip_job *job,
                             lip_visemes **ret_visemes, struct lip_error *err);
/* NULL and *NULL are fine; sets *visemes NULL. */
LIP_API void lip_visemes_close(lip_visemes **visemes);

/* The length of the sound in seconds; 0 for NULL. */
LIP_API double lip_visemes_length_s(const lip_visemes *visemes);

struct lip_viseme_frame {
    float oculus[LIP_OCULUS_VISEMES]; /* 0..1, together 1 */
    float arkit[LIP_ARKIT_SHAPES];    /* 0..1; eyes, brows and sides stay 0 */
    float opening;  /* of the lips: 0 together, 1 as far as speech opens them, mostly */
    float speech;   /* 0..1: 0 the mouth is at rest, 1 somebody speaks */
    float closure;  /* 0..1: how likely the lips are meant to touch */
};
/* Any moment; before the beginning and after the end as there. Errors: LIP_ERR_ARG. */
LIP_API int lip_visemes_at(const lip_visemes *visemes, double t_s,
                           struct lip_viseme_frame *ret_frame);

/* One file at so many frames a second (1 to 1000; 0: the usual of the form: 100 for Rhubarb's, 24
 * for Moho, 60 for weights). `sound`: what the file calls the sound, where it does; NULL: the path
 * of job->voice. An existing file is replaced at the very end when `overwrite` is not 0.
 * Errors: LIP_ERR_ARG, LIP_ERR_EXISTS, LIP_ERR_IO, LIP_ERR_LIMIT (more than four million frames),
 * LIP_ERR_NOMEM. */
LIP_API int lip_visemes_write(const lip_visemes *visemes, int format, double rate_hz,
                              const char *sound, const char *path, int overwrite,
                              struct lip_error *err);
/* The same in pieces to a function of yours; what it returns other than 0 ends the call with
 * LIP_ERR_IO. */
LIP_API int lip_visemes_put(const lip_visemes *visemes, int format, double rate_hz,
                            const char *sound, int (*put)(void *user, const void *bytes, size_t n),
                            void *user, struct lip_error *err);

#ifdef __cplusplus
}
#endif
#endif
