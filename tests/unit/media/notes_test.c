/* SPDX-License-Identifier: MIT
 * What is found out about a film before it is coded again, and what of it survives. */
#include "base/alloc.h"
#include "unit/media/clips.h"

#define BARS(seconds) "-f lavfi -i testsrc2=s=64x48:r=25:d=" seconds " "

static void test_c2pa(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(BARS("0.4") "-c:v libx264 -pix_fmt yuv420p plain.mp4");
    make_clip("-i plain.mp4 -frames:v 1 plain.png");
    make_clip("-i plain.mp4 -c:v mpeg4 plain.avi");
    /* a box of 40 bytes after the film, and one of 64 bits before it */
    shell("id='\\330\\376\\303\\326\\033\\016\\110\\074\\222\\227\\130\\050\\207\\176\\304\\201';"
          "(cat plain.mp4; printf '\\0\\0\\0\\050uuid'; printf $id; printf '%016d' 0) > c.mp4;"
          "(head -c 32 plain.mp4; printf '\\0\\0\\0\\001uuid\\0\\0\\0\\0\\0\\0\\0\\050';"
          "printf $id;"
          "printf '%08d' 0; tail -c +33 plain.mp4) > d.mp4;"
          "(head -c 33 plain.png; printf '\\0\\0\\0\\014caBX1234jumbc2pa0000'; "
          "tail -c +34 plain.png) > c.png;"
          "(cat plain.avi; printf 'C2PA\\004\\0\\0\\0abcd') > c.avi");
    static const struct {
        const char *file;
        bool has;
    } files[] = {{"plain.mp4", false}, {"plain.png", false}, {"plain.avi", false}, {"c.mp4", true},
                 {"d.mp4", true},      {"c.png", true},      {"c.avi", true}};
    for (size_t i = 0; i < UNIT_COUNT(files); i++)
        if (files[i].has != !!(media_notes_read(at(files[i].file)) & MEDIA_NOTE_C2PA))
            fail_msg("%s", files[i].file);
    assert_int_equal(media_notes_read("synthetic:64x48@25:5"), 0);
    assert_int_equal(media_notes_read(at("none.mp4")), 0);
}

/* The store itself, out of every container that holds it in one piece. */
static void test_c2pa_store(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(BARS("0.4") "-c:v libx264 -pix_fmt yuv420p plain2.mp4");
    make_clip("-i plain2.mp4 -frames:v 1 plain2.png");
    shell("store='\\0\\0\\0\\024jumbtwelve_bytes';"
          "id='\\330\\376\\303\\326\\033\\016\\110\\074\\222\\227\\130\\050\\207\\176\\304\\201';"
          "none='\\0\\0\\0\\0\\0\\0\\0\\0';"
          "(cat plain2.mp4; printf '\\0\\0\\0\\101uuid'$id'\\0\\0\\0\\0manifest\\0'$none$store)"
          " > s.mp4;"
          "(cat plain2.mp4; printf '\\0\\0\\0\\071uuid'$id'\\0\\0\\0\\0manifest\\0'$none$store)"
          " > short.mp4;"
          "(cat plain2.mp4; printf '\\0\\0\\0\\077uuid'$id'\\0\\0\\0\\0merkle\\0'$none$store)"
          " > merkle.mp4;"
          "(printf 'RIFF\\064\\0\\0\\0WAVEC2PA\\024\\0\\0\\0'$store) > s.wav;"
          "(head -c 33 plain2.png; printf '\\0\\0\\0\\024caBX'$store'\\0\\0\\0\\0';"
          "tail -c +34 plain2.png) > s.png;"
          "(printf 'RIFF\\064\\0\\0\\0WAVEC2PA\\377\\377\\377\\377'$store) > long.wav");
    static const char *const good[] = {"s.mp4", "s.wav", "s.png"};
    static const char *const bad[] = {"plain2.mp4", "short.mp4", "merkle.mp4", "long.wav"};
    uint8_t *bytes = NULL;
    size_t n = 0;
    for (size_t i = 0; i < UNIT_COUNT(good); i++) {
        struct lip_error err = {0};
        if (media_c2pa_read(at(good[i]), &bytes, &n, &err))
            fail_msg("%s", good[i]);
        assert_int_equal(n, 20);
        assert_memory_equal(bytes + 4, "jumbtwelve_bytes", 16);
        base_free(bytes);
        bytes = NULL;
    }
    for (size_t i = 0; i < UNIT_COUNT(bad); i++)
        if (media_c2pa_read(at(bad[i]), &bytes, &n, NULL) != LIP_ERR_NOT_FOUND)
            fail_msg("%s", bad[i]);
    assert_null(bytes);
}

static void test_level(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    struct lip_error err = {0};
    struct media_level level;
    make_clip(BARS("2") "-c:v libx264 -qp 22 -bf 0 -pix_fmt yuv420p q22.mp4");
    make_clip(BARS("2") "-c:v libx264 -qp 38 -bf 0 -pix_fmt yuv420p q38.mp4");
    make_clip(BARS("0.4") "-c:v prores_ks -profile:v 1 -pix_fmt yuv422p10le lt.mov");
    OK(media_level_read(at("q22.mp4"), &level, &err));
    assert_in_range(level.quantiser, 20, 24);
    assert_true(level.prores_profile == -1 && level.bits_per_pixel > 0);
    OK(media_level_read(at("q38.mp4"), &level, &err));
    assert_in_range(level.quantiser, 36, 40);
    OK(media_level_read(at("lt.mov"), &level, &err));
    assert_true(level.quantiser == -1 && level.prores_profile == 1);
    OK(media_level_read("synthetic:64x48@25:5", &level, &err));
    assert_int_equal(level.quantiser, -1);
}

static void test_codec_of(void **state)
{
    (void)state;
    static const struct {
        const char *source, *output;
        int depth;
        bool alpha;
        enum media_codec automatic, like;
    } rows[] = {
        {"h264", "a.mp4", 8, false, MEDIA_CODEC_H264, MEDIA_CODEC_H264},
        {"hevc", "a.mp4", 10, false, MEDIA_CODEC_HEVC, MEDIA_CODEC_HEVC},
        {"hevc", "a.avi", 8, false, MEDIA_CODEC_H264, MEDIA_CODEC_HEVC},
        {"hevc", "a.webm", 8, false, MEDIA_CODEC_VP9, MEDIA_CODEC_HEVC},
        {"vp9", "a.mp4", 8, false, MEDIA_CODEC_VP9, MEDIA_CODEC_VP9},
        {"vp9", "a.mov", 8, false, MEDIA_CODEC_H264, MEDIA_CODEC_VP9},
        {"av1", "a.mkv", 8, false, MEDIA_CODEC_AV1, MEDIA_CODEC_AV1},
        {"prores", "a.mov", 10, false, MEDIA_CODEC_PRORES, MEDIA_CODEC_PRORES},
        {"prores", "a.mp4", 10, false, MEDIA_CODEC_HEVC, MEDIA_CODEC_PRORES},
        {"qtrle", "a.mov", 8, true, MEDIA_CODEC_PRORES, MEDIA_CODEC_FFV1},
        {"qtrle", "a.mkv", 8, true, MEDIA_CODEC_FFV1, MEDIA_CODEC_FFV1},
        {"vp9", "a.webm", 8, true, MEDIA_CODEC_VP9, MEDIA_CODEC_VP9},
        {"png", "a.mov", 8, true, MEDIA_CODEC_PRORES, MEDIA_CODEC_H264},
        {"mpeg2video", "a.mkv", 8, false, MEDIA_CODEC_H264, MEDIA_CODEC_H264},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct data_film film = {.depth_bits = rows[i].depth, .has_alpha = rows[i].alpha};
        snprintf(film.codec, sizeof film.codec, "%s", rows[i].source);
        assert_int_equal(media_codec_of(MEDIA_CODEC_AUTO, &film, rows[i].output),
                         rows[i].automatic);
        assert_int_equal(media_codec_of(MEDIA_CODEC_LIKE_SOURCE, &film, rows[i].output),
                         rows[i].like);
        assert_int_equal(media_codec_of(MEDIA_CODEC_FFV1, &film, rows[i].output),
                         MEDIA_CODEC_FFV1);
    }
}

static void copy(const char *film, const char *output, enum media_codec codec, bool keep_sounds,
                 const char *voice)
{
    struct lip_error err = {0};
    char from[512], to[512];
    snprintf(from, sizeof from, "%s", at(film));
    snprintf(to, sizeof to, "%s", at(output));
    struct copy_job job = {.film = from, .output = to, .codec = codec, .per_part = 100,
                           .overwrite = true, .voice = voice, .keep_sounds = keep_sounds};
    OK(copy_film(&job, &err));
}

static void expect(const char *command, const char *const *words, size_t n)
{
    static char text[1 << 14];
    shell_text(text, sizeof text, command);
    for (size_t i = 0; i < n; i++)
        if (!strstr(text, words[i]))
            fail_msg("%s: no '%s' in %s", command, words[i], text);
}

static void test_hdr(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(BARS("0.2") "-c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=none:"
              "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:master-display="
              "'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)':"
              "max-cll=1000,400 hdr.mp4");
    static const char *const words[] = {"color_transfer=smpte2084", "color_space=bt2020nc",
                                        "color_primaries=bt2020",   "red_x=",
                                        "max_content=1000",         "max_average=400",
                                        "yuv420p10le"};
    static const struct {
        const char *output;
        enum media_codec codec;
    } outs[] = {{"hdr1.mp4", MEDIA_CODEC_AUTO}, {"hdr2.mkv", MEDIA_CODEC_HEVC},
                {"hdr3.webm", MEDIA_CODEC_VP9}, {"hdr4.mp4", MEDIA_CODEC_VP9},
                {"hdr5.mkv", MEDIA_CODEC_AV1},  {"hdr6.mp4", MEDIA_CODEC_H264}};
    for (size_t i = 0; i < UNIT_COUNT(outs); i++) {
        char command[256];
        copy("hdr.mp4", outs[i].output, outs[i].codec, false, NULL);
        snprintf(command, sizeof command, "ffprobe -v error -select_streams v -show_streams "
                 "-show_frames -read_intervals %%+#1 %s", outs[i].output);
        expect(command, words, UNIT_COUNT(words));
    }
}

static void test_interlaced(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(BARS("0.4") "-vf interlace -c:v libx264 -flags +ildct+ilme -pix_fmt yuv420p i.mp4");
    assert_int_equal(media_notes_read(at("i.mp4")), MEDIA_NOTE_INTERLACED);
    copy("i.mp4", "io.mp4", MEDIA_CODEC_AUTO, false, NULL);
    static const char *const words[] = {"interlaced_frame=1", "top_field_first=1"};
    expect("ffprobe -v error -select_streams v -show_frames io.mp4", words, 2);
}

static void test_sounds(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(BARS("2") "-f lavfi -i sine=440:r=48000:d=2 -f lavfi -i sine=880:r=48000:d=2 -map 0 "
              "-map 1 -map 2 -c:v libx264 -pix_fmt yuv420p -c:a aac -metadata:s:a:1 language=fra "
              "two.mp4");
    make_clip("-f lavfi -i sine=220:r=48000:d=2 v.wav");
    static const char *const kept[] = {"index=2", "TAG:language=fra"};
    copy("two.mp4", "kept.mp4", MEDIA_CODEC_H264, true, at("v.wav"));
    expect("ffprobe -v error -select_streams a -show_streams kept.mp4", kept, 2);
    copy("two.mp4", "kept.mkv", MEDIA_CODEC_H264, true, at("v.wav"));
    expect("ffprobe -v error -select_streams a -show_streams kept.mkv", kept, 2);
    /* to the sample: the track's own decoded sound */
    shell("for f in two kept; do ffmpeg -v error -i $f.mp4 -map 0:a:1 -f s16le -t 1.9 $f.raw; done;"
          "cmp two.raw kept.raw");
    copy("two.mp4", "left.mp4", MEDIA_CODEC_H264, false, at("v.wav"));
    shell("test $(ffprobe -v error -select_streams a -show_entries stream=index -of csv=p=0 "
          "left.mp4 | wc -l) = 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c2pa_store),
        cmocka_unit_test(test_c2pa),       cmocka_unit_test(test_level),
        cmocka_unit_test(test_codec_of),   cmocka_unit_test(test_hdr),
        cmocka_unit_test(test_interlaced), cmocka_unit_test(test_sounds),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
