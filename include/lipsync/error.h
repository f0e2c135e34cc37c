/* SPDX-License-Identifier: MIT
 *
 * Errors. Every function of the library that can fail returns 0 or a negative LIP_ERR_ code; the
 * sentence that a person can read stands in a struct lip_error that the caller owns.
 * Numbers are only ever added, never reused. */
#ifndef LIPSYNC_ERROR_H
#define LIPSYNC_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LIP_API __attribute__((visibility("default")))
#else
#define LIP_API
#endif

enum lip_status {
    LIP_OK = 0,
    /* the caller's mistake */
    LIP_ERR_ARG = -1,   /* an argument is out of range or missing */
    LIP_ERR_STATE = -2, /* called in the wrong order */
    /* bad input: the sentence says what is wrong with the file */
    LIP_ERR_NOT_FOUND = -10,   /* an input file does not exist or cannot be opened */
    LIP_ERR_FORMAT = -11,      /* not a media file, or a damaged one */
    LIP_ERR_NO_VIDEO = -12,    /* the film has no picture, or not one frame of it can be decoded */
    LIP_ERR_NO_AUDIO = -13,    /* the voice has no sound */
    LIP_ERR_NO_FACE = -14,     /* the face that was asked for is not in the film */
    LIP_ERR_UNSUPPORTED = -15, /* readable, but this program cannot edit it */
    LIP_ERR_LIMIT = -16,       /* larger or longer than a limit */
    LIP_ERR_SCORE = -17,       /* a score, bank or curve file is damaged or from another film */
    LIP_ERR_PERSON = -18,      /* the person file is of somebody else than the film shows */
    /* the environment */
    LIP_ERR_NOMEM = -30,
    LIP_ERR_IO = -31,        /* writing or reading failed: disk full, permission, network */
    LIP_ERR_MODEL = -32,     /* a net or its runtime is missing or damaged */
    LIP_ERR_DEVICE = -33,    /* the asked-for compute device is not there */
    LIP_ERR_EXISTS = -34,    /* the output exists and overwriting was not allowed */
    LIP_ERR_CANCELLED = -35, /* the caller's cancel flag was set */
    LIP_ERR_ENCODER = -36,   /* the encoder asked for is missing or refused the settings */
    LIP_ERR_INTERNAL = -37   /* a promise of the library itself was broken: please report */
};

/* What went wrong. `text` is one sentence without a line break, for a person. `where` is the
 * room and step ("media/decode"). Both are always terminated. */
struct lip_error {
    int code;
    char where[48];
    char text[464];
};

/* The name of a code ("LIP_ERR_NO_VIDEO"), or "LIP_ERR_UNKNOWN". Never NULL. Thread-safe. */
LIP_API const char *lip_status_name(int code);

#ifdef __cplusplus
}
#endif
#endif
