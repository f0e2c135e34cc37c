/* SPDX-License-Identifier: MIT
 *
 * The stream: samples in, rows out. Sound is cut into windows for the bands and into chunks for
 * voice activity; a row leaves when the chunk that holds its centre has been judged. */
#include "speech/speech.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "speech/internal.h"

#define CENTRE (DATA_SOUND_WINDOW / 2)
#define ROWS_WAITING_MAX ((size_t)100 * 3600) /* an hour that nobody pulled */
#define SAMPLE_MAX 16.0f /* louder, or not a number: damaged, taken as silence */

struct speech_stream {
    struct speech_mel mel;
    struct speech_energy_voice energy;
    struct speech_vad vad; /* model NULL: energy decides */
    float window[DATA_SOUND_WINDOW];
    size_t n_window, n_chunk;    /* samples in window and in the vad's chunk */
    uint64_t n_samples;          /* heard, without the zeros that flush adds */
    uint64_t n_rows;             /* made since the beginning */
    uint64_t n_chunks;           /* judged since the beginning */
    float last_voice;            /* of chunk n_chunks - 1 */
    struct data_sound_row *rows; /* rows[taken .. n): the first `ready` of them have their voice */
    size_t taken, n, cap, n_ready;
    bool flushed;
};

int speech_stream_create(struct nn_runtime *runtime, const char *models_dir,
                         struct speech_stream **ret_stream, struct lip_error *err)
{
    struct speech_stream *stream = base_alloc_zero(sizeof(*stream));
    int status;

    if (!stream)
        return base_error_nomem(err, "speech/stream");
    speech_mel_init(&stream->mel);
    if (runtime) {
        status = speech_vad_open(runtime, models_dir, &stream->vad, err);
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
        stream->n_ready -= stream->taken;
        stream->taken = 0;
    }
    return base_grow(&stream->rows, &stream->cap, stream->n + 1, ROWS_WAITING_MAX,
                     sizeof(*stream->rows));
}

static uint64_t chunk_of_row(uint64_t row)
{
    return (row * DATA_SOUND_HOP + CENTRE) / SPEECH_VAD_CHUNK;
}

/* Gives their voice to all rows whose chunk has been judged. Between a row's centre and its end
 * lies at most one border of chunks, so that only the last judgement is ever needed. */
static void settle_rows(struct speech_stream *stream)
{
    while (stream->n_ready < stream->n) {
        uint64_t row = stream->n_rows - (stream->n - stream->n_ready);
        if (stream->vad.model) {
            if (chunk_of_row(row) >= stream->n_chunks)
                return;
            stream->rows[stream->n_ready].voice = stream->last_voice;
        }
        stream->n_ready++;
    }
}

static int finish_window(struct speech_stream *stream, struct lip_error *err)
{
    struct data_sound_row *row;
    int status = reserve_row(stream);

    if (status < 0)
        return base_error_set(err, status, "speech/stream", "too many rows of sound are waiting");
    row = &stream->rows[stream->n++];
    speech_mel_row(&stream->mel, stream->window, row);
    row->voice =
        stream->vad.model ? 0.0f : speech_energy_voice_next(&stream->energy, row->energy_log);
    stream->n_rows++;
    memmove(stream->window, stream->window + DATA_SOUND_HOP,
            (DATA_SOUND_WINDOW - DATA_SOUND_HOP) * sizeof(float));
    stream->n_window = DATA_SOUND_WINDOW - DATA_SOUND_HOP;
    settle_rows(stream);
    return 0;
}

static int finish_chunk(struct speech_stream *stream, struct lip_error *err)
{
    int status = speech_vad_next(&stream->vad, &stream->last_voice, err);

    if (status < 0)
        return status;
    stream->n_chunk = 0;
    stream->n_chunks++;
    settle_rows(stream);
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
    while (stream->n_rows < n_rows || stream->n_ready < stream->n) {
        int status = hear(stream, 0.0f, stream->n_rows < n_rows, err);
        if (status < 0)
            return status;
    }
    return 0;
}

bool speech_stream_pull(struct speech_stream *stream, struct data_sound_row *ret_row)
{
    if (stream->taken >= stream->n_ready)
        return false;
    *ret_row = stream->rows[stream->taken++];
    return true;
}
