/* SPDX-License-Identifier: MIT
 *
 * What training hears, by the project's own rooms.
 *
 *   hear --samples OUT_DIR FILE...     writes OUT_DIR/<file's name>.f32: mono, 16 kHz, float32
 *   hear MODELS OUT_DIR FILE...        writes OUT_DIR/<file's name>.rows
 *
 * A .rows file ("LIPMOUTH-ROWS01\0"): u32 n_rows, n_numbers, n_embed; per row of 10 ms mel[80],
 * energy, voice (not standardised); per two rows embed[n_embed]; float32, little-endian. Time 0 is
 * the first picture of a film. Existing files are left alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fs.h"
#include "media/media.h"
#include "nn/nn.h"
#include "speech/speech.h"

#define BYTES_MAX ((size_t)1 << 30)

static int copy_samples(struct media_audio *audio, struct base_buffer *out, struct lip_error *err)
{
    float samples[4096];
    size_t got = 1;
    int status = 0;

    while (status == 0 && got > 0) {
        status = media_audio_read(audio, samples, 4096, &got, err);
        if (status == 0)
            base_buffer_put_f32s(out, samples, got);
    }
    return status;
}

/* Rows into `out`, every second row's embedding into `embeds`. */
static int take_rows(struct speech_stream *stream, uint32_t *n_rows, struct base_buffer *out,
                     struct base_buffer *embeds)
{
    struct data_sound_row row;

    while (speech_stream_pull(stream, &row)) {
        base_buffer_put_f32s(out, row.mel, DATA_SOUND_BANDS);
        base_buffer_put_f32(out, row.energy_log);
        base_buffer_put_f32(out, row.voice);
        if ((*n_rows)++ % 2 == 0)
            base_buffer_put_f32s(embeds, row.embed, DATA_SOUND_EMBED);
    }
    return out->status < 0 ? out->status : embeds->status;
}

static int copy_rows(struct nn_runtime *runtime, const char *models, struct media_audio *audio,
                     struct base_buffer *out, struct lip_error *err)
{
    struct speech_stream *stream = NULL;
    struct base_buffer rows, embeds;
    float samples[4096];
    size_t got = 1;
    uint32_t n_rows = 0;
    int status = speech_stream_create(runtime, models, true, &stream, err);

    base_buffer_init(&rows, BYTES_MAX);
    base_buffer_init(&embeds, BYTES_MAX);
    while (status == 0 && got > 0) {
        status = media_audio_read(audio, samples, 4096, &got, err);
        if (status == 0 && got > 0)
            status = speech_stream_push(stream, samples, got, err);
        else if (status == 0)
            status = speech_stream_flush(stream, err);
        if (status == 0)
            status = take_rows(stream, &n_rows, &rows, &embeds);
    }
    base_buffer_put(out, "LIPMOUTH-ROWS01", 16);
    base_buffer_put_u32(out, n_rows);
    base_buffer_put_u32(out, DATA_SOUND_BANDS + 2);
    base_buffer_put_u32(out, DATA_SOUND_EMBED);
    base_buffer_put(out, rows.data, rows.size);
    base_buffer_put(out, embeds.data, embeds.size);
    base_buffer_done(&rows);
    base_buffer_done(&embeds);
    speech_stream_destroy(&stream);
    return status;
}

/* `runtime` NULL: samples. */
static int hear(struct nn_runtime *runtime, const char *models, const char *out_dir,
                const char *path, struct lip_error *err)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct media_audio *audio = NULL;
    struct base_buffer out;
    char out_path[4096];
    int status;

    snprintf(out_path, sizeof(out_path), "%s/%s.%s", out_dir, name, runtime ? "rows" : "f32");
    if (base_fs_exists(out_path))
        return 0;
    base_buffer_init(&out, BYTES_MAX);
    status = media_audio_open(path, DATA_SOUND_RATE_HZ, &audio, err);
    if (status == 0)
        status = runtime ? copy_rows(runtime, models, audio, &out, err)
                         : copy_samples(audio, &out, err);
    if (status == 0)
        status = out.status;
    if (status == 0)
        status = base_fs_write(out_path, out.data, out.size, err);
    base_buffer_done(&out);
    media_audio_close(&audio);
    return status;
}

int main(int argc, char **argv)
{
    struct lip_error err = {0};
    struct nn_runtime *runtime = NULL;
    int n_failed = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: hear MODELS|--samples OUT_DIR FILE...\n");
        return 2;
    }
    if (strcmp(argv[1], "--samples") != 0 && nn_runtime_open(NULL, &runtime, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        if (hear(runtime, argv[1], argv[2], argv[i], &err) < 0) {
            fprintf(stderr, "%s: %s\n", argv[i], err.text);
            n_failed++;
        }
    nn_runtime_close(&runtime);
    return n_failed > 0;
}
