/* SPDX-License-Identifier: MIT
 *
 * The stream: samples in, rows out. Sound is cut into windows for the bands and into chunks for
 * voice activity; a row leaves when the chunk that holds its centre has been judged and, where
 * there is an embedding, its block has been heard. */
#include "speech/speech.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "speech/internal.h"

#define CENTRE (DATA_SOUND_WINDOW / 2)
#define ROWS_WAITING_MAX ((size_t)100 * 600) /* ten minutes that nobody pulled */
#define SAMPLE_MAX 16.0f /* louder, or not a number: damaged, taken as silence */

struct speech_stream {
    struct speech_mel mel;
    struct speech_energy_voice energy;
    struct speech_vad vad; /* model NULL: energy decides */
    struct speech_embed embed; /* model NULL: none */
    float bands[SPEECH_EMBED_BANDS]; /* of the last row */
    float window[DATA_SOUND_WINDOW];
    size_t n_window, n_chunk;    /* samples in window and in the vad's chunk */
    uint64_t n_samples;          /* heard, without the zeros that flush adds */
    uint64_t n_rows;             /* made since the beginning */
    uint64_t n_chunks;           /* judged since the beginning */
    float last_voice;            /* of chunk n_chunks - 1 */
    struct data_sound_row *rows; /* rows[taken .. n) wait */
    size_t taken, n, cap;
    size_t n_voiced, n_embedded; /* rows[0 .. n_voiced) have their voice, and so on */
    bool flushed;
};

int speech_stream_create(struct nn_runtime *runtime, const char *models_dir, bool with_embedding,
                         struct speech_stream **ret_stream, struct lip_error *err)
{
    struct speech_stream *stream = base_alloc_zero(sizeof(*stream));
    int status;

    if (!stream)
        return base_error_nomem(err, "speech/stream");
    speech_mel_init(&stream->mel);
    if (runtime) {
        status = speech_vad_open(runtime, models_dir, &stream->vad, err);
        if (status == 0 && with_embedding)
            status = speech_embed_open(runtime, models_dir, &stream->embed, err);
        if (status < 0) {
            speech_stream_destroy(&stream);
            return status;
        }
    }
    *ret_stream = stream;
    return 0;
}

void speech_stream_destroy(struct speech_stream **stream)
{
    if (!stream || !*stream)
        return;
    speech_vad_close(&(*stream)->vad);
    speech_embed_close(&(*stream)->embed);
    base_free((*stream)->rows);
    base_free(*stream);
    *stream = NULL;
}

/* Room for one more row; what was pulled is forgotten first. */
static int reserve_row(struct speech_stream *stream)
{
    if (stream->taken > 0 && (stream->taken >= 256 || stream->taken == stream->n)) {
        memmove(stream->rows, stream->rows + stream->taken,
                (stream->n - stream->taken) * sizeof(*stream->rows));
        stream->n -= stream->taken;
        stream->n_voiced -= stream->taken;
        stream->n_embedded -= stream->taken;
        stream->taken = 0;
    }
    return base_grow(&stream->rows, &stream->cap, stream->n + 1, ROWS_WAITING_MAX,
                     sizeof(*stream->rows));
}

static uint64_t chunk_of_row(uint64_t row)
{
    return (row * DATA_SOUND_HOP + CENTRE) / SPEECH_VAD_CHUNK;
}

/* Where a row, counted from the beginning, waits. */
static size_t place_of_row(const struct speech_stream *stream, uint64_t row)
{
    return stream->n - (size_t)(stream->n_rows - row);
}

/* Gives their voice to all rows whose chunk has been judged. Between a row's centre and its end
 * lies at most one border of chunks, so that only the last judgement is ever needed. */
static void settle_voices(struct speech_stream *stream)
{
    while (stream->n_voiced < stream->n) {
        uint64_t row = stream->n_rows - (stream->n - stream->n_voiced);
        if (stream->vad.model) {
            if (chunk_of_row(row) >= stream->n_chunks)
                return;
            stream->rows[stream->n_voiced].voice = stream->last_voice;
        }
        stream->n_voiced++;
    }
}

/* The embedding hears the last row's bands (again, at the end); a finished block goes to its rows.
 */
static int embed_row(struct speech_stream *stream, struct lip_error *err)
{
    uint64_t first = stream->embed.n_rows;
    int status;

    if (!stream->embed.model) {
        stream->n_embedded = stream->n;
        return 0;
    }
    status = speech_embed_push(&stream->embed, stream->bands, err);
    if (status < 0 || stream->embed.n_rows == first)
        return status;
    for (int i = 0; i < SPEECH_EMBED_BLOCK && first + (uint64_t)i < stream->n_rows; i++) {
        size_t at = place_of_row(stream, first + (uint64_t)i);
        memcpy(stream->rows[at].embed, stream->embed.said[i / 2], sizeof(stream->rows[at].embed));
        stream->n_embedded = at + 1;
    }
    return 0;
}

static int finish_window(struct speech_stream *stream, struct lip_error *err)
{
    struct data_sound_row *row;
    int status = reserve_row(stream);

    if (status < 0)
        return base_error_set(err, status, "speech/stream", "too many rows of sound are waiting");
    row = &stream->rows[stream->n++];
    memset(row->embed, 0, sizeof(row->embed));
    speech_mel_row(&stream->mel, stream->window, row, stream->bands);
    row->voice =
        stream->vad.model ? 0.0f : speech_energy_voice_next(&stream->energy, row->energy_log);
    stream->n_rows++;
    memmove(stream->window, stream->window + DATA_SOUND_HOP,
            (DATA_SOUND_WINDOW - DATA_SOUND_HOP) * sizeof(float));
    stream->n_window = DATA_SOUND_WINDOW - DATA_SOUND_HOP;
    settle_voices(stream);
    return embed_row(stream, err);
}

static int finish_chunk(struct speech_stream *stream, struct lip_error *err)
{
    int status = speech_vad_next(&stream->vad, &stream->last_voice, err);

    if (status < 0)
        return status;
    stream->n_chunk = 0;
    stream->n_chunks++;
    settle_voices(stream);
    return 0;
}

static int hear(struct speech_stream *stream, float sample, bool with_window, struct lip_error *err)
{
    int status = 0;

    if (stream->vad.model) {
        stream->vad.input[SPEECH_VAD_CONTEXT + stream->n_chunk++] = sample;
        if (stream->n_chunk == SPEECH_VAD_CHUNK)
            status = finish_chunk(stream, err);
    }
    if (with_window && status == 0) {
        stream->window[stream->n_window++] = sample;
        if (stream->n_window == DATA_SOUND_WINDOW)
            status = finish_window(stream, err);
    }
    return status;
}

int speech_stream_push(struct speech_stream *stream, const float *samples, size_t n,
                       struct lip_error *err)
{
    if (stream->flushed)
        return base_error_set(err, LIP_ERR_STATE, "speech/stream", "sound after the end");
    for (size_t i = 0; i < n; i++) {
        float sample = fabsf(samples[i]) <= SAMPLE_MAX ? samples[i] : 0.0f;
        int status = hear(stream, sample, true, err);
        if (status < 0)
            return status;
        stream->n_samples++;
    }
    return 0;
}

int speech_stream_flush(struct speech_stream *stream, struct lip_error *err)
{
    uint64_t n_rows = 0;

    if (stream->flushed)
        return 0;
    stream->flushed = true;
    if (stream->n_samples > CENTRE)
        n_rows = (stream->n_samples - CENTRE + DATA_SOUND_HOP - 1) / DATA_SOUND_HOP;
    while (stream->n_rows < n_rows || stream->n_voiced < stream->n) {
        int status = hear(stream, 0.0f, stream->n_rows < n_rows, err);
        if (status < 0)
            return status;
    }
    while (stream->n_embedded < stream->n) {
        int status = embed_row(stream, err);
        if (status < 0)
            return status;
    }
    return 0;
}

bool speech_stream_pull(struct speech_stream *stream, struct data_sound_row *ret_row)
{
    if (stream->taken >= stream->n_voiced || stream->taken >= stream->n_embedded)
        return false;
    *ret_row = stream->rows[stream->taken++];
    return true;
}
