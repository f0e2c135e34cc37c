/* SPDX-License-Identifier: MIT
 * The real voice net on a real voice and on silence: skipped where one of them is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "media/media.h"
#include "speech/speech.h"

#define SPEECH_FILE "../shared/data/speech/en__SWivid__basic_ref_en.flac"

static struct nn_runtime *runtime;
static const char *models_dir;

static int set_up(void **state)
{
    struct lip_error err = {0};
    char path[4096];

    (void)state;
    models_dir = getenv("LIPSYNC_MODELS");
    snprintf(path, sizeof(path), "%s/silero_vad.onnx", models_dir ? models_dir : "");
    if (!base_fs_exists(path))
        print_message("skips: the nets are not there (%s)\n", path);
    else if (nn_runtime_open(NULL, &runtime, &err) < 0)
        print_message("skips: %s\n", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nn_runtime_close(&runtime);
    return 0;
}

/* Share of the rows with voice above a half. */
static double share_of_voice(struct speech_stream *stream)
{
    struct data_sound_row row;
    size_t n = 0, voiced = 0;

    assert_int_equal(speech_stream_flush(stream, NULL), 0);
    for (; speech_stream_pull(stream, &row); n++)
        voiced += row.voice > 0.5f;
    assert_true(n > 100);
    return (double)voiced / (double)n;
}

static void test_silence_and_hiss_are_no_voice(void **state)
{
    struct speech_stream *stream = NULL;
    struct lip_error err = {0};
    uint32_t seed = 1;

    (void)state;
    if (!runtime)
        skip();
    assert_int_equal(speech_stream_create(runtime, models_dir, true, &stream, &err), 0);
    for (int i = 0; i < 48000; i++) {
        float sample = 0.0f;
        seed = seed * 1664525u + 1013904223u;
        if (i > 24000)
            sample = 0.02f * ((float)(seed >> 8) / 8388608.0f - 1.0f);
        assert_int_equal(speech_stream_push(stream, &sample, 1, &err), 0);
    }
    assert_true(share_of_voice(stream) < 0.05);
    speech_stream_destroy(&stream);
}

static void test_a_voice_is_heard(void **state)
{
    struct speech_stream *stream = NULL;
    struct media_audio *audio = NULL;
    struct lip_error err = {0};
    float samples[1000];
    size_t got = 1;
    char path[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s/" SPEECH_FILE, getenv("LIPSYNC_SOURCE_ROOT"));
    if (!runtime || !base_fs_exists(path)) {
        print_message("skips: nets or " SPEECH_FILE " are not there\n");
        skip();
    }
    assert_int_equal(media_audio_open(path, DATA_SOUND_RATE_HZ, &audio, &err), 0);
    assert_int_equal(speech_stream_create(runtime, models_dir, true, &stream, &err), 0);
    while (got > 0) {
        assert_int_equal(media_audio_read(audio, samples, 1000, &got, &err), 0);
        assert_int_equal(speech_stream_push(stream, samples, got, &err), 0);
    }
    assert_true(share_of_voice(stream) > 0.6);
    speech_stream_destroy(&stream);
    media_audio_close(&audio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_and_hiss_are_no_voice),
        cmocka_unit_test(test_a_voice_is_heard),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
