/* SPDX-License-Identifier: MIT
 *
 * Sound to rows of features: 16 kHz mono in, one struct data_sound_row every 10 ms out.
 * Streaming: any chunk size gives the same rows. Objects are single-threaded. */
#ifndef SPEECH_SPEECH_H
#define SPEECH_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "data/sound.h"
#include "nn/nn.h"

struct speech_stream;

/* `runtime` may be NULL: then voice activity comes from energy alone, and there is no embedding.
 * models_dir holds silero_vad.onnx and, asked for an embedding, speech_embedding.onnx; when they
 * are missing and runtime is not NULL: LIP_ERR_MODEL. An embedding makes rows wait for up to 0.6 s.
 */
int speech_stream_create(struct nn_runtime *runtime, const char *models_dir, bool with_embedding,
                         struct speech_stream **ret_stream, struct lip_error *err);
void speech_stream_destroy(struct speech_stream **stream);
int speech_stream_push(struct speech_stream *stream, const float *samples, size_t n,
                       struct lip_error *err);
/* No more samples: rows go on until the one whose centre is the last before the end. */
int speech_stream_flush(struct speech_stream *stream, struct lip_error *err);
/* The next finished row; false when more sound is needed (or all is out). */
bool speech_stream_pull(struct speech_stream *stream, struct data_sound_row *ret_row);

/* Level and spread of a whole recording, to make rows comparable between recordings. */
struct speech_stats {
    double n, sum[DATA_SOUND_BANDS], sum_sq[DATA_SOUND_BANDS];
    double n_rows;
    double histogram[DATA_SOUND_HISTOGRAM]; /* of energy_log */
    double sum_embed[DATA_SOUND_EMBED];
    /* set by finish */
    float mean[DATA_SOUND_BANDS], inv_sd[DATA_SOUND_BANDS], energy_p90;
    float mean_embed[DATA_SOUND_EMBED];
};
void speech_stats_init(struct speech_stats *stats);
void speech_stats_add(struct speech_stats *stats, const struct data_sound_row *row);
void speech_stats_finish(struct speech_stats *stats);
/* In place: mel -> (mel - mean) * inv_sd per band; energy_log -> minus the 90th percentile; embed
 * -> minus its mean. */
void speech_stats_apply(const struct speech_stats *stats, struct data_sound_row *row);

/* The same as a sound goes on: from the prior and the rows so far. The embedding is left alone. */
struct speech_running {
    struct speech_stats stats;
};
void speech_running_init(struct speech_running *running, const struct data_sound_prior *prior);
/* Counts the row, then makes it comparable, in place. Bounded work per row. What lies more than a
 * few minutes back fades. */
void speech_running_next(struct speech_running *running, struct data_sound_row *row);

#endif
