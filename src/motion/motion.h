/* SPDX-License-Identifier: MIT
 *
 * Sound to mouth. Standardised rows of sound go in at 100 Hz, samples of the mouth curve come out
 * at MOTION_RATE_HZ. A model is a feature extractor (what the recent past and the near future sound
 * like) and a linear head on it. The head is the generic one from models/motion, or one fitted by
 * ridge regression to the person in the film, shrunk towards the generic one.
 * Streaming: any chunk size gives the same curve. Models and styles are immutable and shared;
 * streams and fits are single-threaded. */
#ifndef MOTION_MOTION_H
#define MOTION_MOTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "data/curve.h"
#include "data/face.h"
#include "data/sound.h"
#include "data/viseme.h"
#include "nn/nn.h"

#define MOTION_RATE_HZ 50
#define MOTION_LIVE_AHEAD_MS 100 /* so much later at most is the last sound that a sample of the
                                    net of low latency hears, the wait for the voice included */

struct motion_model;

/* weights_dir: models/motion of this project (basis.bin, mouth.bin). `runtime` may be NULL as long
 * as the extractor needs no foreign net; today's runs in plain C. Errors: LIP_ERR_MODEL. */
int motion_model_open(struct nn_runtime *runtime, const char *weights_dir,
                      struct motion_model **ret_model, struct lip_error *err);
/* The net of low latency, live.bin of the same folder: for rows without an embedding, standardised
 * as they come (speech_running). Its streams keep to MOTION_LIVE_AHEAD_MS. */
int motion_model_open_live(const char *weights_dir, struct motion_model **ret_model,
                           struct lip_error *err);
/* The net that hears visemes, visemes.bin of the same folder: for motion_visemes alone. */
int motion_model_open_visemes(const char *weights_dir, struct motion_model **ret_model,
                              struct lip_error *err);
void motion_model_close(struct motion_model **model);
/* Of the net of low latency; NULL: this is the other one. */
const struct data_sound_prior *motion_model_prior(const struct motion_model *model);
/* The average mouth of the net of low latency, for a voice without a face: only the points that
 * opening and width are measured on are set. False: this is the other net. */
bool motion_model_average(const struct motion_model *model, struct data_person *ret_person);
const struct data_basis *motion_model_basis(const struct motion_model *model);

/* How one person's mouth answers to sound. */
struct motion_style {
    struct motion_head *head;  /* NULL: the generic head */
    bool fitted;               /* true: the head was fitted to this person's own sound and mouth */
    float agreement;           /* correlation of predicted and seen opening on held-out stretches of
                                  the person's own film, best lag within +-5 frames; 0 unknown */
    float agreement_generic;   /* the same for the generic head */
    int lag_ms;                /* the best lag; above 0: the picture is late */
    bool ranged;               /* the fields below are set; false: people's average, and the limits
                                  of the data_person at hand */
    /* coef = offset + gain * what the head says; CANON. */
    float gain[DATA_CURVE_DIMS], offset[DATA_CURVE_DIMS];
    /* The opening that the head says -> the opening of this mouth, IOD: 5, 50 and 95 %. */
    float opening_in[3], opening_out[3];
    float opening_dir[DATA_CURVE_DIMS]; /* how the coefficients change as this mouth opens */
    float opening_min, opening_max, width_min, width_max; /* limits of the wish, IOD */
};
void motion_style_init(struct motion_style *style); /* the generic style */
void motion_style_done(struct motion_style *style);
/* Disk form "LIPSTYLE", version 2: docs/design/motion.md. Errors: LIP_ERR_SCORE, LIP_ERR_NOMEM. */
int motion_style_write(const struct motion_style *style, struct base_buffer *out);
int motion_style_read(const void *bytes, size_t n, struct motion_style *ret_style,
                      struct lip_error *err);

/* What was seen of the mouth at a time (from data_basis_project of smoothed geometry). */
struct motion_observed {
    double t_s;
    float coef[DATA_CURVE_DIMS];
    float opening;
    bool valid;
};

/* Fits a style from the film's own sound and mouth. `observed` (ascending t_s) and `model` are
 * borrowed until finish. Push standardised rows of the film's own sound from its time 0 on. A film
 * without sound pushes none and gets range mapping only. Decides by held-out agreement whether the
 * fitted head is used. Errors: LIP_ERR_NOMEM. */
struct motion_fit;
int motion_fit_create(const struct motion_model *model, const struct data_person *person,
                      const struct motion_observed *observed, size_t n, struct motion_fit **ret_fit,
                      struct lip_error *err);
int motion_fit_push(struct motion_fit *fit, const struct data_sound_row *rows, size_t n,
                    struct lip_error *err);
int motion_fit_finish(struct motion_fit **fit, struct motion_style *ret_style,
                      struct lip_error *err); /* frees fit in any case */

/* The curve of a voice. Sample i belongs to the time i / MOTION_RATE_HZ; n rows give n / 2 + 1
 * samples (none for none). Silence (voice activity low for 120 ms and more) closes the mouth: the
 * coefficients are already multiplied by `speech`, and 0 is the rest pose. A model of low latency
 * makes a stream of low latency. A style whose head does
 * not fit the model (another version) is LIP_ERR_SCORE. Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT. */
struct motion_stream;
int motion_stream_create(const struct motion_model *model, const struct motion_style *style,
                         const struct data_person *person, struct motion_stream **ret_stream,
                         struct lip_error *err);
/* How lively the mouth is: 0 calm, 0.5 as predicted (also when this is not called), 1 wide. Call it
 * before the first push. */
void motion_stream_express(struct motion_stream *stream, double temperature);
void motion_stream_destroy(struct motion_stream **stream);
int motion_stream_push(struct motion_stream *stream, const struct data_sound_row *rows, size_t n,
                       struct lip_error *err);
int motion_stream_flush(struct motion_stream *stream, struct lip_error *err);
bool motion_stream_pull(struct motion_stream *stream, struct data_curve_sample *ret_sample);

/* What is said, as it is seen: standardised rows in, one set of probabilities (enum data_viseme,
 * together 1) for each sample of the curve out: sample i belongs to the time i / MOTION_RATE_HZ.
 * `model`: of motion_model_open_visemes; borrowed. Errors: LIP_ERR_NOMEM. */
struct motion_visemes;
int motion_visemes_create(const struct motion_model *model, struct motion_visemes **ret_visemes,
                          struct lip_error *err);
void motion_visemes_destroy(struct motion_visemes **visemes);
/* Pull until nothing is left before the next push or flush. */
int motion_visemes_push(struct motion_visemes *visemes, const struct data_sound_row *row,
                        struct lip_error *err);
int motion_visemes_flush(struct motion_visemes *visemes, struct lip_error *err);
bool motion_visemes_pull(struct motion_visemes *visemes, float ret_shares[DATA_VISEMES]);

#endif
