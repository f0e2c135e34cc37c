/* SPDX-License-Identifier: MIT
 * Films that are only copied come out as they went in. */
#include "unit/media/clips.h"

#include <math.h>

#define TESTSRC(size, seconds) "-f lavfi -i testsrc2=s=" size ":r=25:d=" seconds " "

static void copy(const struct copy_job *job)
{
    struct lip_error err = {0};
    OK(copy_film(job, &err));
}

static double seconds(const struct data_film *film, const struct data_frame *f)
{
    return (double)((f->pts - film->start_pts) * film->time_base.num) / (double)film->time_base.den;
}

/* Every sample and time of `b` is that of `a`; containers may have another time base. */
static void check_same_film(const char *a, const char *b, double tolerance_s)
{
    struct media_source *x = open_source(a, 2), *y = open_source(b, 2);
    const struct data_film *fx = media_source_film(x), *fy = media_source_film(y);
    int n = 0;
    for (struct data_frame *f; (f = read_frame(x)); n++) {
        struct data_frame *g = read_frame(y);
        if (!g || !same_samples(f, g))
            fail_msg("%s: frame %d differs", b, n);
        double tx = seconds(fx, f), ty = seconds(fy, g);
        if (fabs(tx - ty) > tolerance_s)
            fail_msg("%s: frame %d at %.6f s, not %.6f", b, n, ty, tx);
        data_frame_unref(&f);
        data_frame_unref(&g);
    }
    assert_null(read_frame(y));
    assert_true(n > 0);
    media_source_close(&x);
    media_source_close(&y);
}

static void test_identity_of_forms(void **state)
{
    (void)state;
    static const char *const formats[] = {"yuv420p",  "yuv422p10le", "yuva444p", "gbrp", "gray",
                                          "yuv444p16le", "gbrap",    "yuv420p10le", "gbrp12le"};
    for (size_t i = 0; i < UNIT_COUNT(formats); i++) {
        char film[96], output[512];
        snprintf(film, sizeof film, "synthetic:67x45@25:5:%s", formats[i]);
        snprintf(output, sizeof output, "%s", at("identity.mkv"));
        struct copy_job job = {.film = film, .output = output, .codec = MEDIA_CODEC_FFV1,
                               .per_part = 2, .overwrite = true};
        copy(&job);
        check_same_film(film, output, 0.0005);
    }
}

static void test_identity_of_files(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const char *const arguments[] = {
        TESTSRC("66x50", "0.6") "-c:v libx264 -bf 3 -pix_fmt yuv420p a.mp4",
        TESTSRC("66x50", "0.4") "-c:v prores_ks -pix_fmt yuv422p10le a.mov",
        TESTSRC("66x50", "0.2") "-c:v rawvideo -pix_fmt rgb24 a.nut",
        TESTSRC("65x49", "0.2") "-c:v libvpx-vp9 -pix_fmt yuv420p a.webm"};
    for (size_t i = 0; i < UNIT_COUNT(arguments); i++) {
        make_clip(arguments[i]);
        char film[512], output[512];
        snprintf(film, sizeof film, "%s", at(strrchr(arguments[i], ' ') + 1));
        snprintf(output, sizeof output, "%s", at("identity.mkv"));
        struct copy_job job = {.film = film, .output = output, .codec = MEDIA_CODEC_FFV1,
                               .per_part = 4, .overwrite = true};
        copy(&job);
        check_same_film(film, output, 0.0006);
    }
    /* lossless H.264 keeps the samples too */
    struct copy_job job = {.film = "synthetic:64x48@25:7", .output = at("q.mp4"), .quality = 100,
                           .codec = MEDIA_CODEC_H264, .per_part = 3};
    copy(&job);
    check_same_film(job.film, job.output, 1e-6);
}

static void test_identity_of_a_clip(void **state)
{
    (void)state;
    const char *root = getenv("LIPSYNC_SOURCE_ROOT");
    char film[512], output[512];
    snprintf(film, sizeof film, "%s/../shared/data/clips/GRID-s1_001.mp4", root ? root : ".");
    if (!base_fs_exists(film)) {
        print_message("skipped: there are no clips in ../shared\n");
        skip();
    }
    snprintf(output, sizeof output, "%s", at("clip.mkv"));
    struct copy_job job = {.film = film, .output = output, .codec = MEDIA_CODEC_FFV1,
                           .per_part = 20};
    copy(&job);
    check_same_film(film, output, 0.0005);
}

/* The numbers in a csv of ffprobe, one row after another. */
static size_t probe(const char *entries, const char *file, double *ret_v, size_t max)
{
    static char text[1 << 16];
    char command[512];
    snprintf(command, sizeof command, "ffprobe -v error -show_entries %s -of csv=p=0 %s", entries,
             file);
    assert_int_equal(shell_text(text, sizeof text, command), 0);
    size_t n = 0;
    for (char *p = text, *end; *p && n < max; p = end) {
        double v = strtod(p, &end);
        if (end == p)
            end++;
        else
            ret_v[n++] = v;
    }
    return n;
}

static void test_parts_with_reordering(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    char output[512];
    snprintf(output, sizeof output, "%s", at("j.mp4"));
    struct copy_job job = {.film = "synthetic:96x64@30000/1001:47", .output = output,
                           .per_part = 16};
    copy(&job);
    static double v[256];
    size_t n = probe("packet=pts,dts -select_streams v", "j.mp4", v, UNIT_COUNT(v));
    assert_int_equal(n, 2 * 47);
    int n_reordered = 0;
    for (size_t i = 0; i < n; i += 2) {
        if (i)
            assert_true(v[i + 1] > v[i - 1]);
        assert_true(v[i + 1] <= v[i]);
        n_reordered += i && v[i] < v[i - 2];
    }
    assert_true(n_reordered > 0); /* else this test shows nothing */
    n = probe("stream=start_time,duration,nb_frames", "j.mp4", v, 8);
    assert_int_equal(n, 3);
    assert_true(v[0] == 0 && fabs(v[1] - 47 * 1001 / 30000.0) < 1e-6 && v[2] == 47);
    struct media_source *source = open_source(output, 2);
    for (int i = 0; i < 47; i++) {
        struct data_frame *f = read_frame(source);
        assert_int_equal(f->pts, i * 1001);
        data_frame_unref(&f);
    }
    assert_null(read_frame(source));
    media_source_close(&source);
}

static void test_variable_rate(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("32x32", "1.6") "-vf \"settb=1/90000,setpts='N*N*30+N*3600'\" -vsync vfr "
              "-enc_time_base 1/90000 -video_track_timescale 90000 -c:v libx264 -bf 3 v.mp4");
    char film[512], output[512];
    static double times[128], again[128];
    size_t n = probe("frame=pts", "v.mp4", times, UNIT_COUNT(times));
    assert_int_equal(n, 40);
    static const char *const names[] = {"w.mp4", "w.mov", "w.mkv"};
    for (size_t k = 0; k < UNIT_COUNT(names); k++) {
        snprintf(film, sizeof film, "%s", at("v.mp4"));
        snprintf(output, sizeof output, "%s", at(names[k]));
        struct copy_job job = {.film = film, .output = output, .per_part = 7};
        copy(&job);
        assert_int_equal(probe("frame=pts", names[k], again, UNIT_COUNT(again)), n);
        for (size_t i = 0; i < n; i++) /* Matroska counts milliseconds */
            assert_true(k == 2 ? fabs(times[i] / 90 - again[i]) < 0.51 : times[i] == again[i]);
    }
}

static void test_properties(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("64x48", "0.2") "-vf setsar=4/3 -c:v libx264 -pix_fmt yuv420p "
              "-color_range pc -colorspace bt709 -color_primaries bt470bg "
              "-color_trc smpte170m s.mp4");
    make_clip("-i s.mp4 -c copy -metadata:s:v:0 rotate=90 p.mp4");
    static const char *const names[] = {"o.mp4", "o.mov", "o.mkv"};
    for (size_t k = 0; k < UNIT_COUNT(names); k++) {
        char film[512], output[512];
        snprintf(film, sizeof film, "%s", at("p.mp4"));
        snprintf(output, sizeof output, "%s", at(names[k]));
        struct copy_job job = {.film = film, .output = output, .per_part = 100};
        copy(&job);
        struct media_source *a = open_source(film, 1), *b = open_source(output, 1);
        const struct data_film *x = media_source_film(a), *y = media_source_film(b);
        assert_memory_equal(&x->colour, &y->colour, sizeof x->colour);
        assert_memory_equal(&x->sample_aspect, &y->sample_aspect, sizeof x->sample_aspect);
        if (k < 2) { /* Matroska has no place for it: that is logged */
            assert_int_equal(x->rotation_deg, y->rotation_deg);
            assert_true(x->rotation_deg == 90 || x->rotation_deg == 270);
            assert_memory_equal(&x->disp_from_img, &y->disp_from_img, sizeof x->disp_from_img);
        }
        media_source_close(&a);
        media_source_close(&b);
    }
}

static void test_codecs(void **state)
{
    (void)state;
    static const struct {
        const char *film, *output;
        enum media_codec codec;
        int depth;
        bool alpha;
    } kind[] = {
        {"synthetic:64x48@25:6", "k.mp4", MEDIA_CODEC_H264, 8, false},
        {"synthetic:64x48@25:6:yuv422p10le", "k.mkv", MEDIA_CODEC_H264, 10, false},
        {"synthetic:65x49@25:6", "k.mov", MEDIA_CODEC_H264, 8, false},
        {"synthetic:64x48@25:6:gray", "k.mp4", MEDIA_CODEC_H264, 8, false},
        {"synthetic:64x48@25:6:gbrp", "k.mp4", MEDIA_CODEC_H264, 8, false},
        {"synthetic:64x48@25:6:yuv420p10le", "k.mp4", MEDIA_CODEC_HEVC, 10, false},
        {"synthetic:65x49@25:6", "k.mkv", MEDIA_CODEC_HEVC, 8, false},
        {"synthetic:64x48@25:6", "k.mov", MEDIA_CODEC_PRORES, 10, false},
        {"synthetic:64x48@25:6:yuva444p", "k.mov", MEDIA_CODEC_PRORES, 12, true},
        {"synthetic:65x49@25:6:yuva420p", "k.webm", MEDIA_CODEC_VP9, 8, true},
        {"synthetic:64x48@25:6:yuv444p10le", "k.webm", MEDIA_CODEC_VP9, 10, false},
        {"synthetic:65x49@25:4", "k.webm", MEDIA_CODEC_AV1, 8, false},
        {"synthetic:64x48@25:4:yuv422p10le", "k.mp4", MEDIA_CODEC_AV1, 10, false},
        {"synthetic:64x48@25:6", "k.avi", MEDIA_CODEC_H264, 8, false},
        {"synthetic:64x48@25:6", "k.nut", MEDIA_CODEC_LIKE_SOURCE, 8, false},
    };
    for (size_t i = 0; i < UNIT_COUNT(kind); i++) {
        char output[512];
        snprintf(output, sizeof output, "%s", at(kind[i].output));
        struct copy_job job = {.film = kind[i].film, .output = output, .codec = kind[i].codec,
                               .per_part = 4, .overwrite = true};
        copy(&job);
        struct media_source *source = open_source(output, 1), *want = open_source(job.film, 1);
        const struct data_film *film = media_source_film(source);
        assert_int_equal(film->depth_bits, kind[i].depth);
        assert_int_equal(film->has_alpha, kind[i].alpha);
        assert_int_equal(film->width_px, media_source_film(want)->width_px);
        assert_int_equal(film->height_px, media_source_film(want)->height_px);
        int64_t n = 0;
        for (struct data_frame *f; (f = read_frame(source)); n++)
            data_frame_unref(&f);
        assert_int_equal(n, media_source_film(want)->n_frames_guess);
        media_source_close(&want);
        media_source_close(&source);
    }
}

static long file_size(const char *name)
{
    char command[128], text[64];
    snprintf(command, sizeof command, "wc -c < %s", name);
    assert_int_equal(shell_text(text, sizeof text, command), 0);
    return strtol(text, NULL, 10);
}

static void test_quality_and_repeat(void **state)
{
    (void)state;
    long size[3];
    static const int quality[] = {30, 0, 95};
    char output[512];
    for (int i = 0; i < 3; i++) {
        snprintf(output, sizeof output, "%s", at("q.mp4"));
        struct copy_job job = {.film = "synthetic:160x120@25:12", .output = output, .per_part = 5,
                               .quality = quality[i], .overwrite = true};
        copy(&job);
        size[i] = file_size("q.mp4");
        if (i == 1) {
            shell("cp q.mp4 q1.mp4");
            copy(&job);
            shell("cmp q.mp4 q1.mp4"); /* the same bytes every time */
        }
    }
    assert_true(size[0] < size[1] && size[1] < size[2]);
}

/* Threads may change the time, never the answer: that holds for coding too. */
static void test_same_bytes(void **state)
{
    (void)state;
    static const enum media_codec codecs[] = {MEDIA_CODEC_H264,   MEDIA_CODEC_HEVC,
                                              MEDIA_CODEC_PRORES, MEDIA_CODEC_VP9,
                                              MEDIA_CODEC_AV1,    MEDIA_CODEC_FFV1};
    for (size_t i = 0; i < UNIT_COUNT(codecs); i++) {
        for (int run = 0; run < 2; run++) {
            char output[512];
            snprintf(output, sizeof output, "%s", at(run ? "b.mkv" : "a.mkv"));
            struct copy_job job = {.film = "synthetic:320x180@25:4", .output = output,
                                   .codec = codecs[i], .per_part = 3, .overwrite = true};
            copy(&job);
        }
        shell("cmp a.mkv b.mkv");
    }
}

static void test_extras(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    shell("printf '1\\n00:00:00,200 --> 00:00:00,900\\nHello <i>there</i>\\n\\n"
          "2\\n00:00:01,000 --> 00:00:03,500\\nbeyond\\n\\n"
          "3\\n00:00:05,000 --> 00:00:06,000\\nnever\\n' > s.srt; "
          "printf ';FFMETADATA1\\ntitle=My Title\\ncomment=hi\\n"
          "[CHAPTER]\\nTIMEBASE=1/1000\\nSTART=0\\nEND=900\\ntitle=One\\n"
          "[CHAPTER]\\nTIMEBASE=1/1000\\nSTART=900\\nEND=5000\\ntitle=Two\\n' > m.txt");
    make_clip(TESTSRC("64x48", "2") "-c:v libx264 -pix_fmt yuv420p v.mp4");
    make_clip("-i v.mp4 -frames:v 1 c.jpg");
    make_clip("-i v.mp4 -i s.srt -i c.jpg -i m.txt -map 0 -map 1 -map 2 -map_metadata 3 -c:v copy "
              "-c:s mov_text -disposition:v:1 attached_pic -metadata:s:s:0 language=fra full.mp4");
    static const char *const names[] = {"x.mp4", "x.mkv", "x.mov", "x.webm"};
    for (size_t k = 0; k < UNIT_COUNT(names); k++) {
        char film[512], output[512], command[512];
        static char text[1 << 14];
        snprintf(film, sizeof film, "%s", at("full.mp4"));
        snprintf(output, sizeof output, "%s", at(names[k]));
        struct copy_job job = {.film = film, .output = output, .per_part = 20,
                               .comment = "made here",
                               .codec = k == 3 ? MEDIA_CODEC_VP9 : MEDIA_CODEC_H264};
        copy(&job);
        snprintf(command, sizeof command,
                 "ffprobe -v error -show_chapters -show_entries stream_tags=language:"
                 "stream_disposition=attached_pic:format_tags=title,comment -of flat %s; "
                 "ffmpeg -v error -i %s -map 0:s:0 -f srt -", names[k], names[k]);
        shell_text(text, sizeof text, command);
        assert_non_null(strstr(text, "My Title"));
        assert_non_null(strstr(text, "hi; made here"));
        assert_non_null(strstr(text, "\"fra\""));
        assert_non_null(strstr(text, "\"One\""));
        assert_non_null(strstr(text, "chapter.1.end_time=\"2.000000\""));
        assert_non_null(strstr(text, "Hello <i>there</i>"));
        assert_non_null(strstr(text, "beyond"));
        assert_non_null(strstr(text, "--> 00:00:02,0"));
        assert_null(strstr(text, "never"));
        if (k < 2)
            assert_non_null(strstr(text, "attached_pic=1"));
    }
}

static bool yes(void *user)
{
    (void)user;
    return true;
}

static void test_refusals(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char output[512];
    snprintf(output, sizeof output, "%s", at("there.mp4"));
    shell("mkdir r; echo precious > there.mp4");
    struct copy_job job = {.film = "synthetic:64x48@25:5", .output = output, .per_part = 3};
    assert_int_equal(copy_film(&job, &err), LIP_ERR_EXISTS);
    shell("grep -q precious there.mp4; ! ls -a | grep there.mp4.part");
    job.overwrite = true;
    copy(&job);
    shell("! grep -q precious there.mp4");

    static const struct {
        const char *output;
        enum media_codec codec;
        int code;
    } bad[] = {{"r/a.txt", MEDIA_CODEC_H264, LIP_ERR_UNSUPPORTED},
               {"r/a", MEDIA_CODEC_H264, LIP_ERR_UNSUPPORTED},
               {"r/a.webm", MEDIA_CODEC_H264, LIP_ERR_UNSUPPORTED},
               {"r/a.mp4", MEDIA_CODEC_FFV1, LIP_ERR_UNSUPPORTED},
               {"r/a.mp4", MEDIA_CODEC_PRORES, LIP_ERR_UNSUPPORTED},
               {"r/none/a.mp4", MEDIA_CODEC_H264, LIP_ERR_IO}};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        snprintf(output, sizeof output, "%s", at(bad[i].output));
        memset(&err, 0, sizeof err);
        job.codec = bad[i].codec;
        if (bad[i].code == LIP_ERR_UNSUPPORTED)
            assert_int_equal(media_output_check(output, job.codec, &err), bad[i].code);
        memset(&err, 0, sizeof err);
        assert_int_equal(copy_film(&job, &err), bad[i].code);
        assert_true(strlen(err.text) > 10);
    }
    snprintf(output, sizeof output, "%s", at("r/a.mkv"));
    assert_int_equal(media_output_check(output, MEDIA_CODEC_FFV1, &err), LIP_OK);
    job.cancelled = yes;
    job.codec = MEDIA_CODEC_H264;
    assert_int_equal(copy_film(&job, &err), LIP_ERR_CANCELLED);
    shell("test -z \"$(ls -A r)\""); /* nothing is left behind by any of them */
}

static void test_parts(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct media_source *source = open_source("synthetic:64x48@25:5", 1);
    const struct data_film *film = media_source_film(source);
    struct media_encode_params encode = {.codec = MEDIA_CODEC_H264};
    struct media_part *part = NULL;
    struct data_frame *f = read_frame(source);
    char path[512];
    snprintf(path, sizeof path, "%s", at("one.part"));
    OK(media_part_open(path, film, f, &encode, &part, &err));
    OK(media_part_write(part, f, 0, 1, &err));
    OK(media_part_write(part, f, 5, 1, &err));
    OK(media_part_finish(&part, &err));
    assert_null(part);
    int64_t n = 0;
    OK(media_part_check(path, &n, &err));
    assert_int_equal(n, 2);
    shell("head -c $(($(wc -c < one.part) - 1)) one.part > torn.part; cp one.part two.part");
    assert_int_equal(media_part_check(at("torn.part"), &n, &err), LIP_ERR_FORMAT);
    memset(&err, 0, sizeof err);
    assert_int_equal(media_part_check(at("zero.part"), &n, &err), LIP_ERR_NOT_FOUND);

    const char *parts[] = {path, at("two.part")}; /* the second begins before the first ends */
    struct media_join_params join = {.output = at("bad.mp4"), .parts = parts, .n_parts = 2,
                                     .duration_us = 1000000};
    memset(&err, 0, sizeof err);
    assert_int_equal(media_join(&join, &err), LIP_ERR_STATE);
    shell("! ls -A | grep bad.mp4");

    memset(&err, 0, sizeof err);
    OK(media_part_open(at("gone.part"), film, f, &encode, &part, &err));
    OK(media_part_write(part, f, 0, 1, &err));
    media_part_abort(&part);
    shell("! test -e gone.part");
    OK(media_part_open(at("none.part"), film, f, &encode, &part, &err));
    assert_int_equal(media_part_finish(&part, &err), LIP_ERR_ENCODER); /* a part without a frame */
    shell("! test -e none.part");
    memset(&err, 0, sizeof err);
    encode.quality = 101;
    assert_int_equal(media_part_open(at("q.part"), film, f, &encode, &part, &err), LIP_ERR_ARG);
    data_frame_unref(&f);
    media_source_close(&source);
}

static void test_end_of_picture(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    struct lip_error err = {0};
    struct media_source *source = open_source("synthetic:64x48@25:5", 1);
    struct media_encode_params encode = {.codec = MEDIA_CODEC_H264};
    struct media_part *part = NULL;
    struct data_frame *f = read_frame(source);
    OK(media_part_open(at("e.part"), media_source_film(source), f, &encode, &part, &err));
    for (int i = 0; i < 10; i++)
        OK(media_part_write(part, f, i, 1, &err));
    OK(media_part_finish(&part, &err));
    const char *parts[] = {at("e.part")};
    struct media_join_params join = {.output = at("e.mp4"), .parts = parts, .n_parts = 1,
                                     .duration_us = 1000000}; /* the last frame is held */
    OK(media_join(&join, &err));
    double v[4];
    assert_int_equal(probe("stream=duration,nb_frames", "e.mp4", v, 4), 2);
    assert_true(v[0] == 1.0 && v[1] == 10);
    data_frame_unref(&f);
    media_source_close(&source);
}

static void test_png(void **state)
{
    (void)state;
    struct lip_error err = {0};
    uint8_t rgb[7 * 5 * 3];
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 37);
    OK(media_png_write(at("w.png"), rgb, 7, 5, &err));
    struct media_source *source = open_source(at("w.png"), 1);
    struct data_frame *f = read_frame(source);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 7; x++) {
            assert_int_equal(data_frame_sample(f, 2, x, y), rgb[(y * 7 + x) * 3]);
            assert_int_equal(data_frame_sample(f, 0, x, y), rgb[(y * 7 + x) * 3 + 1]);
            assert_int_equal(data_frame_sample(f, 1, x, y), rgb[(y * 7 + x) * 3 + 2]);
        }
    data_frame_unref(&f);
    media_source_close(&source);
    assert_int_equal(media_png_write(at("none/w.png"), rgb, 7, 5, &err), LIP_ERR_IO);
    assert_int_equal(media_png_write(at("w.png"), rgb, 0, 5, NULL), LIP_ERR_ARG);
    char text[512];
    media_versions(text, sizeof text);
    assert_non_null(strstr(text, "libavcodec "));
    media_versions(text, 5); /* a small buffer stays whole */
    assert_int_equal(strlen(text), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_of_forms),
        cmocka_unit_test(test_identity_of_files),
        cmocka_unit_test(test_identity_of_a_clip),
        cmocka_unit_test(test_parts_with_reordering),
        cmocka_unit_test(test_variable_rate),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_quality_and_repeat),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_extras),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_end_of_picture),
        cmocka_unit_test(test_png),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
