/* SPDX-License-Identifier: MIT
 *
 * A mouth over time in the forms that animation and game tools read: held shapes for drawn mouths,
 * weights for meshes. Pure functions of what was heard; nothing here knows sound or files. */
#ifndef VISEME_VISEME_H
#define VISEME_VISEME_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"
#include "data/viseme.h"

/* sample.c: any moment ------------------------------------------------------------------------- */

/* Straight between samples, held at the ends; a silent mouth at rest where there are none. */
void viseme_at(const struct data_visemes *visemes, double t_s,
               struct data_viseme_sample *ret_sample);

/* cues.c: held shapes -------------------------------------------------------------------------- */

enum viseme_set {
    VISEME_RHUBARB, /* A B C D E F G H X, as Rhubarb Lip Sync has them */
    VISEME_PRESTON  /* AI E etc FV L MBP O rest U WQ, as Papagayo has Preston Blair's */
};
#define VISEME_SHAPES_MAX 10
/* The shape's name, NULL past the last one. */
const char *viseme_shape_name(enum viseme_set set, int shape);

struct viseme_cue {
    long long first_frame, end_frame; /* the frame after its last one */
    int shape;
};
/* The shapes that say it best on a grid of frames when every change costs something and nothing but
 * a closure is shorter than two frames or 70 ms. The cues follow one another without a gap, from
 * frame 0 to the end of the sound; there is at least one. *ret_cues is base memory.
 * Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT (more than VISEME_FRAMES_MAX frames). */
#define VISEME_FRAMES_MAX 4000000
int viseme_cues(const struct data_visemes *visemes, enum viseme_set set, double rate_hz,
                struct viseme_cue **ret_cues, size_t *ret_n);

/* weights.c: weights of shapes that mix -------------------------------------------------------- */

#define VISEME_OCULUS 15
#define VISEME_ARKIT 52
const char *viseme_oculus_name(int shape); /* "sil", "PP" ..., NULL past the last one */
const char *viseme_arkit_name(int shape);  /* "eyeBlinkLeft" ..., in ARKit's order */
/* 0..1, together 1. */
void viseme_oculus(const struct data_visemes *visemes, double t_s, float ret_w[VISEME_OCULUS]);
/* 0..1; what a voice says nothing of (eyes, brows, sides) stays 0. */
void viseme_arkit(const struct data_visemes *visemes, double t_s, float ret_w[VISEME_ARKIT]);

/* text.c, gltf.c: files ------------------------------------------------------------------------ */

enum viseme_format {
    VISEME_RHUBARB_TSV,
    VISEME_RHUBARB_XML,
    VISEME_RHUBARB_JSON,
    VISEME_MOHO,
    VISEME_OCULUS_CSV,
    VISEME_OCULUS_JSON,
    VISEME_ARKIT_CSV,
    VISEME_GLTF,
    VISEME_GLB,
    VISEME_FORMATS
};
/* "rhubarb-tsv" ..., NULL past the last one. */
const char *viseme_format_name(int format);
#define VISEME_RATE_MIN_HZ 1.0
#define VISEME_RATE_MAX_HZ 1000.0
/* `rate_hz` 0: the form's usual one. `sound`: what the file calls the sound, UTF-8. The buffer's
 * ceiling bounds the file. Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT. */
int viseme_write(const struct data_visemes *visemes, enum viseme_format format, double rate_hz,
                 const char *sound, struct base_buffer *out);

/* For this room: text.c of cues, gltf.c. */
long long viseme_n_frames(const struct data_visemes *visemes, double rate_hz);
void viseme_print(struct base_buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int viseme_write_gltf(const struct data_visemes *visemes, double rate_hz, bool binary,
                      struct base_buffer *out);

#endif
