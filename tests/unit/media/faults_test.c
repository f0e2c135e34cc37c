/* SPDX-License-Identifier: MIT
 * Memory and disk fail at every place in turn: an error is told, nothing leaks and nothing
 * half-written is left. Everything is drawn and coded here, so no ffmpeg command is needed. */
#include "torture/torture.h"
#include "unit/media/clips.h"

static char film_path[512], output_path[512], voice_path[512];

/* 0.1 s of 8 kHz mono, 16 bits. */
static void write_voice(const char *path)
{
    uint8_t wav[44 + 1600] = "RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\1\0\1\0"
                             "\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\x06\0";
    for (size_t i = 44; i < sizeof wav; i++)
        wav[i] = (uint8_t)(i * 31 & 15);
    struct lip_error err = {0};
    OK(base_fs_write(path, wav, sizeof wav, &err));
}

static int copy_drawn(void *arg)
{
    const char *voice = arg;
    struct lip_error err = {0};
    struct copy_job job = {.film = "synthetic:32x32@25:3", .output = output_path, .voice = voice,
                           .voice_us = 100000, .codec = MEDIA_CODEC_FFV1, .per_part = 2};
    base_fs_remove(output_path);
    int r = copy_film(&job, &err);
    if (r != err.code)
        return LIP_ERR_INTERNAL; /* the sentence is missing */
    if (r && base_fs_exists(output_path))
        return LIP_ERR_INTERNAL;
    return r;
}

static int read_film(void *arg)
{
    (void)arg;
    struct lip_error err = {0};
    struct media_source *source = NULL;
    struct media_source_params params = {.n_threads = 1};
    int r = media_source_open(film_path, &params, &source, &err);
    for (struct data_frame *f = NULL; !r;) {
        r = media_source_read(source, &f, &err);
        if (r || !f)
            break;
        data_frame_unref(&f);
    }
    if (!r)
        r = media_source_seek(source, 2, &err);
    media_source_close(&source);
    return r == err.code ? r : LIP_ERR_INTERNAL;
}

static int read_voice(void *arg)
{
    (void)arg;
    struct lip_error err = {0};
    struct media_audio *audio = NULL;
    float v[512];
    size_t got = 1;
    int r = media_audio_open(voice_path, 16000, &audio, &err);
    while (!r && got)
        r = media_audio_read(audio, v, 512, &got, &err);
    media_audio_close(&audio);
    return r == err.code ? r : LIP_ERR_INTERNAL;
}

static void torture(const char *name, int (*run)(void *arg), void *arg)
{
    struct torture t = {.name = name, .run = run, .arg = arg, .runs_max = 150};
    assert_int_equal(torture_allocations(&t), 0);
    assert_int_equal(torture_files(&t), 0);
    base_fs_remove(output_path);
    shell("! ls -A | grep -E 'out.mkv|part'");
}

static void test_copy(void **state)
{
    (void)state;
    snprintf(output_path, sizeof output_path, "%s", at("out.mkv"));
    torture("copy", copy_drawn, NULL);
    snprintf(voice_path, sizeof voice_path, "%s", at("voice.wav"));
    write_voice(voice_path);
    torture("copy with voice", copy_drawn, voice_path);
}

static void test_read(void **state)
{
    (void)state;
    snprintf(output_path, sizeof output_path, "%s", at("film.mkv"));
    assert_int_equal(copy_drawn(NULL), LIP_OK);
    snprintf(film_path, sizeof film_path, "%s", output_path);
    snprintf(output_path, sizeof output_path, "%s", at("unused.mkv"));
    torture("read a film", read_film, NULL);
    snprintf(voice_path, sizeof voice_path, "%s", at("voice.wav"));
    write_voice(voice_path);
    torture("read a voice", read_voice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
