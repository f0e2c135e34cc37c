/* SPDX-License-Identifier: MIT
 * Inside of speech/: the two halves of a row. */
#ifndef SPEECH_INTERNAL_H
#define SPEECH_INTERNAL_H

#include "speech/speech.h"

#define SPEECH_FFT 512
#define SPEECH_FFT_LOG2 9
#define SPEECH_BINS (SPEECH_FFT / 2 + 1)

#define SPEECH_VAD_CHUNK 512  /* samples the net hears at once (32 ms) */
#define SPEECH_VAD_CONTEXT 64 /* samples of the chunk before, in front of it */
#define SPEECH_VAD_STATE (2 * 128)

/* mel.c: one window of sound to bands of its spectrum ------------------------------------------ */

#define SPEECH_EMBED_BANDS 32 /* of the embedding's net, 60 .. 3800 Hz */

/* Band b weighs bins first[b] .. first[b] + count[b] with weights from weight[start[b]]. */
struct speech_bank {
    int n;
    uint16_t first[DATA_SOUND_BANDS], count[DATA_SOUND_BANDS], start[DATA_SOUND_BANDS];
    float weight[2 * SPEECH_BINS + 2 * DATA_SOUND_BANDS];
};
struct speech_mel {
    float window[DATA_SOUND_WINDOW];
    float cos_table[SPEECH_FFT / 2], sin_table[SPEECH_FFT / 2];
    uint16_t reversed[SPEECH_FFT];
    struct speech_bank rows, embed;
};
void speech_mel_init(struct speech_mel *mel);
/* Fills mel and energy_log of the row, and the bands that the embedding's net hears. */
void speech_mel_row(const struct speech_mel *mel, const float samples[DATA_SOUND_WINDOW],
                    struct data_sound_row *ret_row, float ret_embed_bands[SPEECH_EMBED_BANDS]);

/* embed.c: what a net that knows speech makes of the sound ------------------------------------- */

#define SPEECH_EMBED_BLOCK 40 /* rows that are done at once … */
#define SPEECH_EMBED_AHEAD 20 /* … when so many more have been heard */
#define SPEECH_EMBED_WINDOW 76 /* rows that the net looks at */
#define SPEECH_EMBED_BEFORE 18 /* rows of its first window before the block */
#define SPEECH_EMBED_HEARD (SPEECH_EMBED_BEFORE + SPEECH_EMBED_BLOCK + SPEECH_EMBED_AHEAD)
struct speech_embed {
    struct nn_model *model; /* NULL: there is none */
    float heard[SPEECH_EMBED_HEARD][SPEECH_EMBED_BANDS];
    int n_heard;                                            /* of the block at hand */
    float said[SPEECH_EMBED_BLOCK / 2][DATA_SOUND_EMBED]; /* of the last block */
    uint64_t n_rows;                                        /* done since the beginning */
};
int speech_embed_open(struct nn_runtime *runtime, const char *models_dir,
                      struct speech_embed *ret_embed, struct lip_error *err);
void speech_embed_close(struct speech_embed *embed);
/* One more row has been heard; after the last one its bands are repeated. When n_rows grows (by
 * SPEECH_EMBED_BLOCK), said[] holds those rows, two by two. */
int speech_embed_push(struct speech_embed *embed, const float bands[SPEECH_EMBED_BANDS],
                      struct lip_error *err);

/* voice.c: is this speech? --------------------------------------------------------------------- */

/* Without a net: how far the energy stands above a floor that follows the quietest moments. */
struct speech_energy_voice {
    float level, floor;
    bool started;
};
float speech_energy_voice_next(struct speech_energy_voice *voice, float energy_log);

/* The Silero net, chunk after chunk. */
struct speech_vad {
    struct nn_model *model;
    float input[SPEECH_VAD_CONTEXT + SPEECH_VAD_CHUNK];
    float state[SPEECH_VAD_STATE];
};
int speech_vad_open(struct nn_runtime *runtime, const char *models_dir, struct speech_vad *ret_vad,
                    struct lip_error *err);
void speech_vad_close(struct speech_vad *vad);
/* input[CONTEXT ..] holds the next chunk; *ret_voice is its probability. */
int speech_vad_next(struct speech_vad *vad, float *ret_voice, struct lip_error *err);

#endif
