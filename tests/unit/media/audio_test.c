/* SPDX-License-Identifier: MIT
 * Sound is counted to the sample, and lies where a player plays it. */
#include "unit/media/clips.h"

#include <math.h>

#define CLICK_AT 12345
/* Two seconds: a click, and a tone from the first second on. */
#define CLICK \
    "-f lavfi -i \"aevalsrc='if(eq(n,12345),0.9,0.3*sin(n*0.05)*gte(n,48000))':s=48000:d=2\" "

struct heard {
    int64_t n, peak_at, first_at;
    float peak;
};

static struct heard listen(const char *name, int rate_hz)
{
    struct lip_error err = {0};
    struct media_audio *audio = NULL;
    struct heard h = {.first_at = -1};
    static float block[777]; /* no divisor of anything */
    OK(media_audio_open(at(name), rate_hz, &audio, &err));
    for (size_t got = 1; got;) {
        OK(media_audio_read(audio, block, UNIT_COUNT(block), &got, &err));
        for (size_t i = 0; i < got; i++) {
            float v = fabsf(block[i]);
            if (v > h.peak) {
                h.peak = v;
                h.peak_at = h.n + (int64_t)i;
            }
            if (v > 0.05f && h.first_at < 0)
                h.first_at = h.n + (int64_t)i;
        }
        h.n += (int64_t)got;
    }
    media_audio_close(&audio);
    return h;
}

static void test_formats(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const char *const kinds[] = {"c.wav",
                                        "-c:a pcm_s24le c24.mov",
                                        "c.flac",
                                        "-b:a 192k c.mp3",
                                        "-b:a 128k c.m4a",
                                        "-c:a alac ca.m4a",
                                        "c.ogg",
                                        "c.opus",
                                        "-c:a libopus c.webm"};
    make_clip(CLICK "click.wav");
    for (size_t i = 0; i < UNIT_COUNT(kinds); i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "-i click.wav %s", kinds[i]);
        make_clip(arguments);
        const char *name = strrchr(kinds[i], ' ') ? strrchr(kinds[i], ' ') + 1 : kinds[i];
        struct media_audio_info info;
        struct lip_error err = {0};
        OK(media_audio_measure(at(name), &info, &err));
        if (info.n_samples != 96000 || info.rate_hz != 48000 || info.duration_us != 2000000)
            fail_msg("%s has %" PRId64 " samples", name, info.n_samples);
        struct heard h = listen(name, 48000);
        assert_int_equal(h.n, 96000);
        if (h.peak_at != CLICK_AT)
            fail_msg("%s: the click is at %" PRId64, name, h.peak_at);
    }
}

static void test_resampling(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(CLICK "r.wav");
    struct heard h = listen("r.wav", 16000);
    assert_int_equal(h.n, 32000);
    assert_true(llabs(h.first_at - CLICK_AT / 3) <= 12); /* the filter rings a little before */
    make_clip("-f lavfi -i sine=r=44100:d=0.7 -af apad=whole_len=30871 s.wav");
    assert_int_equal(listen("s.wav", 16000).n, 11200); /* 30871 * 16000 / 44100 = 11200.4 */
    assert_int_equal(listen("s.wav", 48000).n, 33601);
}

static void test_mix(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i aevalsrc='0.5|0':s=8000:d=0.5 left.wav");
    assert_true(fabsf(listen("left.wav", 8000).peak - 0.25f) < 1e-3f);
    make_clip("-f lavfi -i aevalsrc='0.9|0.9|0.9|0.9|0.9|0.9':s=8000:d=0.5:c=5.1 "
              "-c:a pcm_s16le six.wav");
    float peak = listen("six.wav", 8000).peak;
    assert_true(peak > 0.5f && peak < 0.91f); /* loud, and never beyond full scale */
}

static void test_film_time(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i testsrc2=s=32x32:d=2:r=25 -c:v libx264 -pix_fmt yuv420p v.mp4");
    make_clip(CLICK "k.wav");
    /* sound later than picture: silence first */
    make_clip("-i v.mp4 -itsoffset 0.4 -i k.wav -map 0 -map 1 -c:v copy -c:a pcm_s16le late.mov");
    assert_int_equal(listen("late.mov", 48000).peak_at, CLICK_AT + 19200);
    assert_int_equal(listen("late.mov", 48000).n, 96000 + 19200);
    /* picture later than sound: the head is cut, to the sample */
    make_clip("-itsoffset 0.2 -i v.mp4 -i k.wav -map 0 -map 1 -c:v copy -c:a pcm_s16le early.mov");
    assert_int_equal(listen("early.mov", 48000).peak_at, CLICK_AT - 9600);
    assert_int_equal(listen("early.mov", 48000).n, 96000 - 9600);
    make_clip("-itsoffset 0.2 -i v.mp4 -i k.wav -map 0 -map 1 -c:v copy -c:a aac early.mp4");
    assert_int_equal(listen("early.mp4", 48000).peak_at, CLICK_AT - 9600);
}

static void test_gap(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(CLICK "g.wav");
    make_clip("-i g.wav -af \"aselect='not(between(t,0.5,0.9))'\" -c:a pcm_s16le -f nut g.nut");
    struct lip_error err = {0};
    struct media_audio_info info;
    OK(media_audio_measure(at("g.nut"), &info, &err));
    assert_int_equal(info.n_samples, 96000); /* the hole is silence, what follows keeps its place */
    assert_int_equal(listen("g.nut", 48000).peak_at, CLICK_AT);
}

static void refuses(const char *name, int code)
{
    struct media_audio *audio = NULL;
    struct media_audio_info info;
    struct lip_error err = {0}, again = {0};
    assert_int_equal(media_audio_open(at(name), 16000, &audio, &err), code);
    assert_null(audio);
    assert_int_equal(media_audio_measure(at(name), &info, &again), code);
    assert_true(strlen(err.text) > 10);
}

static void test_bad_files(void **state)
{
    (void)state;
    shell(": > empty.wav; echo hello there > text.wav");
    refuses("missing.wav", LIP_ERR_NOT_FOUND);
    refuses("empty.wav", LIP_ERR_FORMAT);
    refuses("text.wav", LIP_ERR_FORMAT);
    refuses(".", LIP_ERR_NOT_FOUND);
    struct lip_error err = {0};
    struct media_audio *audio = NULL;
    assert_int_equal(media_audio_open(at("text.wav"), 0, &audio, &err), LIP_ERR_ARG);
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i testsrc2=s=32x32:d=0.2 -c:v libx264 mute.mp4");
    refuses("mute.mp4", LIP_ERR_NO_AUDIO);
    make_clip("-f lavfi -i sine=d=1 -c:a pcm_s16le -bitexact whole.wav");
    shell("head -c 44 whole.wav > none.wav"); /* a header and no sound */
    refuses("none.wav", LIP_ERR_NO_AUDIO);
    shell("head -c 44144 whole.wav > half.wav");
    assert_int_equal(listen("half.wav", 44100).n, 22050); /* what is there is heard */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_resampling),
        cmocka_unit_test(test_mix),     cmocka_unit_test(test_film_time),
        cmocka_unit_test(test_gap),     cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
