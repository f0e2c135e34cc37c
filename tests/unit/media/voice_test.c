/* SPDX-License-Identifier: MIT
 * The voice goes out untouched where it can, and is exact to the sample where it cannot. */
#include "unit/media/clips.h"

#define FILM "synthetic:64x48@25:50" /* two seconds */
#define CLICK_AT 12345
#define CLICK \
    "-f lavfi -i \"aevalsrc='if(eq(n,12345),0.9,0.3*sin(n*0.05)*gte(n,48000))':s=48000:d=2\" "

static void join_voice(const char *voice, const char *output, int64_t voice_us)
{
    char in[512], out[512];
    struct lip_error err = {0};
    snprintf(in, sizeof in, "%s", at(voice));
    snprintf(out, sizeof out, "%s", at(output));
    struct copy_job job = {.film = FILM, .output = out, .voice = in, .voice_us = voice_us,
                           .per_part = 100, .overwrite = true,
                           .codec = strstr(output, ".webm") ? MEDIA_CODEC_VP9 : MEDIA_CODEC_H264};
    OK(copy_film(&job, &err));
}

static struct media_audio_info measure(const char *name)
{
    struct lip_error err = {0};
    struct media_audio_info info = {0};
    OK(media_audio_measure(at(name), &info, &err));
    return info;
}

/* Mono samples at the track's own 48 kHz; freed by the caller. */
static float *samples(const char *name, size_t *ret_n)
{
    struct lip_error err = {0};
    struct media_audio *audio = NULL;
    float *v = calloc(400000, sizeof *v);
    assert_non_null(v);
    size_t n = 0, got = 1;
    OK(media_audio_open(at(name), 48000, &audio, &err));
    for (; got; n += got)
        OK(media_audio_read(audio, v + n, 4096, &got, &err));
    media_audio_close(&audio);
    *ret_n = n;
    return v;
}

static int64_t click_place(const char *name)
{
    size_t n = 0, best = 0;
    float *v = samples(name, &n);
    for (size_t i = 0; i < n; i++)
        best = v[i] > v[best] ? i : best;
    free(v);
    return (int64_t)best;
}

/* A hash of all coded sound packets: the same after a copy. */
static void packets(const char *name, char *ret_text, size_t cap)
{
    char command[256];
    snprintf(command, sizeof command, "ffmpeg -v error -i %s -map 0:a -c copy -f md5 -", name);
    assert_int_equal(shell_text(ret_text, cap, command), 0);
    assert_true(strlen(ret_text) > 30);
}

static void test_copied(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const char *const pair[][3] = {
        {"c.m4a", "-b:a 128k", "o.mp4"}, {"c.m4a", "-b:a 128k", "o.mov"},
        {"c.mp3", "-b:a 192k", "o.mp4"}, {"c.flac", "", "o.mkv"},
        {"c.wav", "", "o.mkv"},          {"c.wav", "", "o.mov"},
        {"c.wav", "", "o.avi"},          {"c.opus", "", "o.webm"},
        {"c.opus", "", "o.mp4"},         {"c.ogg", "", "o.mkv"}};
    make_clip(CLICK "-c:a pcm_s16le click.wav");
    for (size_t i = 0; i < UNIT_COUNT(pair); i++) {
        char arguments[128], before[128], after[128];
        snprintf(arguments, sizeof arguments, "-i click.wav %s %s", pair[i][1], pair[i][0]);
        make_clip(arguments);
        join_voice(pair[i][0], pair[i][2], 0);
        packets(pair[i][0], before, sizeof before);
        packets(pair[i][2], after, sizeof after);
        if (strcmp(before, after))
            fail_msg("%s in %s was not copied", pair[i][0], pair[i][2]);
        struct media_audio_info info = measure(pair[i][2]);
        if (info.n_samples != 96000 || click_place(pair[i][2]) != CLICK_AT)
            fail_msg("%s in %s: %" PRId64 " samples, click at %" PRId64, pair[i][0], pair[i][2],
                     info.n_samples, click_place(pair[i][2]));
    }
}

static void test_coded_anew(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(CLICK "-c:a pcm_s16le click.wav");
    make_clip("-i click.wav -c:a aac -b:a 128k click.m4a");
    static const struct {
        const char *voice, *output, *codec;
    } kind[] = {{"click.wav", "n.mp4", "aac"},   {"click.m4a", "n.mkv", "flac"},
                {"click.wav", "n.webm", "opus"}, {"click.m4a", "n.avi", "pcm_s16le"},
                {"click.m4a", "n.webm", "opus"}};
    for (size_t i = 0; i < UNIT_COUNT(kind); i++) {
        join_voice(kind[i].voice, kind[i].output, 0);
        struct media_audio_info info = measure(kind[i].output);
        assert_string_equal(info.codec, kind[i].codec);
        assert_int_equal(info.rate_hz, 48000);
        assert_int_equal(info.n_channels, 1);
        assert_int_equal(info.n_samples, 96000);
        assert_int_equal(click_place(kind[i].output), CLICK_AT);
    }
}

static void test_cut_and_padded(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(CLICK "-c:a pcm_s16le click.wav");
    make_clip("-i click.wav -c:a aac -b:a 128k click.m4a");
    static const char *const outputs[] = {"p.mp4", "p.mov", "p.mkv", "p.webm", "p.avi"};
    for (size_t i = 0; i < UNIT_COUNT(outputs); i++) {
        join_voice("click.wav", outputs[i], 1234500); /* 59256 samples */
        assert_int_equal(measure(outputs[i]).n_samples, 59256);
        assert_int_equal(click_place(outputs[i]), CLICK_AT);
        join_voice("click.m4a", outputs[i], 2500000);
        assert_int_equal(measure(outputs[i]).n_samples, 120000);
        assert_int_equal(click_place(outputs[i]), CLICK_AT);
    }
    size_t n = 0, m = 0; /* without loss every sample is the voice's own, then silence */
    join_voice("click.wav", "e.mkv", 2250000);
    float *want = samples("click.wav", &n), *got = samples("e.mkv", &m);
    assert_int_equal(m, 108000);
    assert_memory_equal(want, got, n * sizeof *want);
    for (size_t i = n; i < m; i++)
        assert_true(got[i] == 0);
    free(want);
    free(got);
}

static void test_form_is_kept(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i aevalsrc='0.3*sin(n*0.1)|0.2*sin(n*0.07)':s=44100:d=2 "
              "-c:a pcm_s24le s.wav");
    join_voice("s.wav", "s.mp4", 0);
    struct media_audio_info info = measure("s.mp4");
    assert_string_equal(info.codec, "aac");
    assert_int_equal(info.rate_hz, 44100);
    assert_int_equal(info.n_channels, 2);
    assert_int_equal(info.n_samples, 88200);
    join_voice("s.wav", "s.mov", 1500000); /* cut, and still 24 bits */
    info = measure("s.mov");
    assert_string_equal(info.codec, "pcm_s24le");
    assert_int_equal(info.n_samples, 66150);
    join_voice("s.wav", "s.webm", 0); /* Opus has no 44100 */
    info = measure("s.webm");
    assert_int_equal(info.rate_hz, 48000);
    assert_int_equal(info.n_samples, 96000);
    make_clip("-f lavfi -i sine=r=8000:d=2 -c:a pcm_s16le low.wav");
    join_voice("low.wav", "low.mp4", 0);
    assert_int_equal(measure("low.mp4").rate_hz, 8000);
    assert_int_equal(measure("low.mp4").n_samples, 16000);
}

static void test_voice_of_a_film(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i testsrc2=s=64x48:d=2 -c:v libx264 -pix_fmt yuv420p v.mp4");
    make_clip(CLICK "-c:a pcm_s16le click.wav");
    make_clip("-i v.mp4 -itsoffset 0.25 -i click.wav -map 0 -map 1 -c:v copy -c:a aac late.mp4");
    make_clip("-itsoffset 0.2 -i v.mp4 -i click.wav -map 0 -map 1 -c:v copy -c:a aac early.mp4");
    int64_t late = click_place("late.mp4"), early = click_place("early.mp4");
    join_voice("late.mp4", "l.mp4", 0);
    assert_int_equal(click_place("l.mp4"), late);
    assert_true(llabs(late - CLICK_AT - 12000) <= 48); /* the command writes edits in ms */
    join_voice("early.mp4", "m.mp4", 0);
    assert_int_equal(click_place("m.mp4"), early);
    assert_int_equal(early, CLICK_AT - 9600);
}

static void test_bad_voice(void **state)
{
    (void)state;
    char out[512], voice[512];
    struct lip_error err = {0};
    snprintf(out, sizeof out, "%s", at("never.mp4"));
    snprintf(voice, sizeof voice, "%s", at("missing.wav"));
    struct copy_job job = {.film = FILM, .output = out, .voice = voice, .voice_us = 1000000,
                           .per_part = 100};
    assert_int_equal(copy_film(&job, &err), LIP_ERR_NOT_FOUND);
    shell("! ls -A | grep never");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copied),         cmocka_unit_test(test_coded_anew),
        cmocka_unit_test(test_cut_and_padded), cmocka_unit_test(test_form_is_kept),
        cmocka_unit_test(test_voice_of_a_film), cmocka_unit_test(test_bad_voice),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
