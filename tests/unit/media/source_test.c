/* SPDX-License-Identifier: MIT
 * Films are read as they are: samples, times, rotation, colour. */
#include "unit/media/clips.h"

#include <math.h>

#define TESTSRC(size, seconds) "-f lavfi -i testsrc2=s=" size ":r=25:d=" seconds " "

/* Our samples against those that the ffmpeg command writes in the planar form `planar`. */
static void check_samples(const char *file, const char *decoder, const char *planar)
{
    char command[512], name[600];
    snprintf(command, sizeof command, "%s -i %s -f rawvideo -pix_fmt %s raw", decoder, file,
             planar);
    make_clip(command);
    snprintf(name, sizeof name, "%s", at(file));
    struct media_source *source = open_source(name, 2);
    uint8_t *raw = NULL;
    size_t size = 0, used = 0, n = 0;
    struct lip_error err = {0};
    OK(base_fs_read(at("raw"), 1 << 28, &raw, &size, &err));
    for (struct data_frame *f; (f = read_frame(source)); used += n) {
        uint8_t *flat = flatten(f, &n);
        assert_true(used + n <= size);
        if (memcmp(flat, raw + used, n))
            fail_msg("%s: frame %" PRId64 " has other samples than in %s", file, f->index, planar);
        free(flat);
        data_frame_unref(&f);
    }
    assert_int_equal(used, size);
    media_source_close(&source);
    shell("rm raw");
    free(raw);
}

static void test_samples(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const char *const pair[][2] = {
        {"yuv420p", "yuv420p"},         {"yuv422p10le", "yuv422p10le"}, {"yuva444p", "yuva444p"},
        {"gbrp", "gbrp"},               {"gray", "gray"},               {"rgb24", "gbrp"},
        {"bgra", "gbrap"},              {"nv12", "yuv420p"},            {"yuyv422", "yuv422p"},
        {"uyvy422", "yuv422p"},         {"rgb48be", "gbrp16le"},        {"gray16be", "gray16le"},
        {"yuv420p10le", "yuv420p10le"}, {"bgr0", "gbrp"},               {"yuv440p", "yuv440p"}};
    for (size_t i = 0; i < UNIT_COUNT(pair); i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments,
                 TESTSRC("37x21", "0.12") "-pix_fmt %s -c:v rawvideo a.nut", pair[i][0]);
        make_clip(arguments);
        check_samples("a.nut", "", pair[i][1]);
    }
}

static void test_palette(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("40x30", "0.04") "-pix_fmt pal8 -frames:v 1 p.png");
    check_samples("p.png", "", "gbrp -vf format=rgb24"); /* straight to gbrp swscale rounds */
    struct media_source *source = open_source(at("p.png"), 1);
    assert_true(media_source_film(source)->is_image);
    assert_string_equal(media_source_film(source)->pixel_format, "pal8");
    media_source_close(&source);
}

static void test_codecs(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("66x50", "0.4") "-c:v libx264 -bf 3 -pix_fmt yuv420p h.mp4");
    check_samples("h.mp4", "", "yuv420p");
    make_clip(TESTSRC("66x50", "0.4") "-c:v libx265 -x265-params log-level=none "
              "-pix_fmt yuv420p10le h5.mkv");
    check_samples("h5.mkv", "", "yuv420p10le");
    make_clip(TESTSRC("64x48", "0.2") "-c:v prores_ks -pix_fmt yuva444p10le p.mov");
    check_samples("p.mov", "", "yuva444p12le");
    make_clip(TESTSRC("64x48", "0.2") "-c:v mjpeg -pix_fmt yuvj422p m.avi");
    check_samples("m.avi", "", "yuvj422p");
    make_clip(TESTSRC("64x48", "0.2") "-c:v qtrle -pix_fmt argb q.mov");
    check_samples("q.mov", "", "gbrap");
}

static void test_alpha(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("64x48", "0.2") "-vf \"format=yuva420p,geq=lum='p(X,Y)':cb='cb(X,Y)':"
              "cr='cr(X,Y)':a='mod(X*3+N*9,256)'\" -c:v libvpx-vp9 -auto-alt-ref 0 a.webm");
    check_samples("a.webm", "-c:v libvpx-vp9", "yuva420p");
    struct media_source *source = open_source(at("a.webm"), 1);
    assert_true(media_source_film(source)->has_alpha);
    struct data_frame *f = read_frame(source);
    assert_true(data_frame_sample(f, 3, 40, 10) > 90); /* 3 * 40 = 120, coded with loss */
    assert_true(data_frame_sample(f, 3, 2, 10) < 60);
    data_frame_unref(&f);
    media_source_close(&source);
}

static void test_times(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("32x32", "1.6") "-vf \"settb=1/90000,setpts='N*N*30+N*3600'\" -vsync vfr "
              "-enc_time_base 1/90000 -video_track_timescale 90000 -c:v libx264 -bf 3 v.mp4");
    struct media_source *source = open_source(at("v.mp4"), 2);
    assert_int_equal(media_source_film(source)->time_base.den, 90000);
    int64_t n = 0;
    for (struct data_frame *f; (f = read_frame(source)); n++) {
        assert_int_equal(f->pts, n * n * 30 + n * 3600);
        assert_int_equal(f->index, n);
        data_frame_unref(&f);
    }
    assert_int_equal(n, 40);
    media_source_close(&source);
}

static void test_durations_add_up(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("32x32", "1") "-vf \"select='not(eq(mod(n,3),1))'\" -vsync vfr -c:v libx264 "
              "-bf 2 g.mkv");
    struct media_source *source = open_source(at("g.mkv"), 1);
    int64_t expected = INT64_MIN;
    int n = 0, n_long = 0;
    for (struct data_frame *f; (f = read_frame(source)); n++) {
        if (expected != INT64_MIN)
            assert_int_equal(f->pts, expected);
        expected = f->pts + f->duration;
        n_long += f->duration == 80;
        data_frame_unref(&f);
    }
    assert_int_equal(n, 17);
    assert_int_equal(n_long, 8);
    media_source_close(&source);
}

static void test_rotation(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i color=black:s=64x32:d=0.1,drawbox=0:0:8:8:white:fill -c:v libx264 "
              "-pix_fmt yuv420p c.mp4");
    for (int turn = 90; turn <= 270; turn += 90) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "-i c.mp4 -c copy -metadata:s:v:0 rotate=%d r.mp4",
                 turn);
        make_clip(arguments);
        make_clip("-i r.mp4 -frames:v 1 -pix_fmt gray -f rawvideo upright");
        struct media_source *source = open_source(at("r.mp4"), 1);
        struct data_film film = *media_source_film(source);
        media_source_close(&source);
        const double *m = film.disp_from_img.m, *i = film.img_from_disp.m;
        double x = m[0] * 4 + m[1] * 4 + m[2], y = m[3] * 4 + m[4] * 4 + m[5];
        assert_true(fabs(i[0] * x + i[1] * y + i[2] - 4) < 1e-9);
        assert_true(fabs(i[3] * x + i[4] * y + i[5] - 4) < 1e-9);
        assert_int_equal(film.disp_width_px, turn == 180 ? 64 : 32);
        struct lip_error err = {0};
        uint8_t *gray = NULL;
        size_t n = 0;
        OK(base_fs_read(at("upright"), 1 << 20, &gray, &n, &err)); /* as ffmpeg shows it */
        assert_int_equal(n, 64 * 32);
        assert_true(gray[(int)y * film.disp_width_px + (int)x] > 200);
        assert_true(film.rotation_deg == turn || film.rotation_deg == 360 - turn);
        free(gray);
    }
}

static void test_aspect_and_colour(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("64x48", "0.1") "-vf setsar=4/3 -c:v libx264 -pix_fmt yuv420p "
              "-color_range pc -colorspace bt709 -color_primaries bt470bg "
              "-color_trc smpte170m s.mp4");
    struct media_source *source = open_source(at("s.mp4"), 1);
    const struct data_film *film = media_source_film(source);
    assert_int_equal(film->sample_aspect.num, 4);
    assert_int_equal(film->disp_width_px, 85);
    assert_int_equal(film->disp_height_px, 48);
    assert_int_equal(film->colour.matrix, 1);
    assert_int_equal(film->colour.primaries, 5);
    assert_int_equal(film->colour.transfer, 6);
    assert_true(film->colour.full_range);
    assert_false(film->has_audio);
    assert_string_equal(film->codec, "h264");
    media_source_close(&source);
}

static void test_start(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("32x32", "2") "-c:v libx264 -g 25 -bf 2 b.mp4");
    make_clip("-itsoffset 0.5 -i b.mp4 -c copy late.mkv");
    struct media_source *source = open_source(at("late.mkv"), 1);
    assert_int_equal(media_source_film(source)->start_pts, 500);
    media_source_close(&source);
    make_clip("-ss 1.2 -i b.mp4 -c copy cut.mp4"); /* an edit list hides frames before 1.2 s */
    make_clip("-i b.mp4 -vf trim=start=1.2 -f rawvideo -pix_fmt yuv420p want.raw");
    source = open_source(at("cut.mp4"), 1);
    assert_int_equal(media_source_film(source)->start_pts, 0);
    int n = 0;
    for (struct data_frame *f; (f = read_frame(source)); n++)
        data_frame_unref(&f);
    char text[64];
    shell_text(text, sizeof text, "wc -c < want.raw");
    assert_int_equal(n, strtol(text, NULL, 10) / (32 * 32 * 3 / 2));
    media_source_close(&source);
}

#define FRAMES_MAX 128

static int collect(struct media_source *source, struct data_frame **frames)
{
    int n = 0;
    for (struct data_frame *f; (f = read_frame(source)) && n < FRAMES_MAX; n++)
        frames[n] = f;
    return n;
}

static void release(struct data_frame **frames, int n)
{
    for (int i = 0; i < n; i++)
        data_frame_unref(&frames[i]);
}

static void test_threads_seek_rewind(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("64x48", "3") "-c:v libx264 -g 20 -bf 3 -pix_fmt yuv420p t.mp4");
    struct data_frame *one[FRAMES_MAX], *many[FRAMES_MAX];
    struct lip_error err = {0};
    struct media_source *source = open_source(at("t.mp4"), 1), *other = open_source(at("t.mp4"), 5);
    int n = collect(source, one), m = collect(other, many);
    assert_int_equal(n, 75);
    assert_int_equal(m, n);
    for (int i = 0; i < n; i++)
        assert_true(same_samples(one[i], many[i]) && one[i]->pts == many[i]->pts);
    release(many, m);
    media_source_close(&other);

    for (int target = 0; target < n; target += 13) {
        OK(media_source_seek(source, one[target]->pts, &err));
        struct data_frame *f = read_frame(source);
        assert_non_null(f);
        assert_true(f->pts <= one[target]->pts);
        int i = 0;
        while (i < n && one[i]->pts != f->pts)
            i++;
        for (; f; i++) {
            assert_true(i < n && same_samples(f, one[i]) && f->duration == one[i]->duration);
            data_frame_unref(&f);
            f = i < target + 3 ? read_frame(source) : NULL;
        }
    }
    OK(media_source_rewind(source, &err));
    m = collect(source, many);
    assert_int_equal(m, n);
    assert_true(same_samples(many[7], one[7]) && many[7]->index == 7);
    release(many, m);
    release(one, n);
    media_source_close(&source);
}

static void test_damage(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    make_clip(TESTSRC("64x48", "2") "-c:v libx264 -g 25 -pix_fmt yuv420p "
              "-movflags faststart d.mp4");
    shell("head -c $(($(wc -c < d.mp4) * 8 / 10)) d.mp4 > cut.mp4");
    struct media_source *source = open_source(at("cut.mp4"), 3);
    int n = 0;
    for (struct data_frame *f; (f = read_frame(source)); n++)
        data_frame_unref(&f);
    assert_true(n > 5 && n < 50);
    media_source_close(&source);
    shell("cp d.mp4 bad.mp4 && printf 'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX' | dd of=bad.mp4 bs=1 "
          "seek=$(($(wc -c < d.mp4) / 2)) conv=notrunc 2>/dev/null");
    source = open_source(at("bad.mp4"), 1);
    for (n = 0; true; n++) {
        struct data_frame *f = read_frame(source);
        if (!f)
            break;
        data_frame_unref(&f);
    }
    assert_true(n >= 40);
    assert_true(media_source_n_damaged(source) > 0);
    media_source_close(&source);
}

static void refuses(const char *name, int code)
{
    struct lip_error err = {0};
    struct media_source *source = NULL;
    int r = media_source_open(at(name), NULL, &source, &err);
    if (r != code)
        fail_msg("%s: %s instead of %s (%s)", name, lip_status_name(r), lip_status_name(code),
                 err.text);
    assert_null(source);
    assert_int_equal(err.code, code);
    assert_true(strlen(err.text) > 10 && !strchr(err.text, '\n'));
}

static void test_bad_files(void **state)
{
    (void)state;
    shell("mkdir folder; : > empty.mp4; mkfifo pipe.mp4; echo 'To whom it may concern' > text.mp4; "
          "head -c 60000 /dev/zero > zero.mp4; "
          "printf '#EXTM3U\\n#EXT-X-TARGETDURATION:10\\n#EXTINF:10,\\na.ts\\n' > list.mp4; "
          "printf 'ffconcat version 1.0\\nfile a.ts\\n' > concat.mp4");
    refuses("missing.mp4", LIP_ERR_NOT_FOUND);
    refuses("folder", LIP_ERR_NOT_FOUND);
    refuses("pipe.mp4", LIP_ERR_NOT_FOUND);
    refuses("empty.mp4", LIP_ERR_FORMAT);
    refuses("text.mp4", LIP_ERR_FORMAT);
    refuses("zero.mp4", LIP_ERR_FORMAT);
    refuses("list.mp4", LIP_ERR_UNSUPPORTED);
    refuses("concat.mp4", LIP_ERR_UNSUPPORTED);
    NEEDS_FFMPEG;
    make_clip("-f lavfi -i sine=d=0.2 sound.wav");
    refuses("sound.wav", LIP_ERR_NO_VIDEO);
    make_clip(TESTSRC("64x48", "1") "-c:v libx264 -pix_fmt yuv420p whole.mp4");
    shell("head -c 3000 whole.mp4 > headless.mp4"); /* its index was at the end */
    refuses("headless.mp4", LIP_ERR_FORMAT);
    make_clip(TESTSRC("64x48", "0.04") "-frames:v 1 c.jpg");
    make_clip("-i sound.wav -i c.jpg -map 0 -map 1 -c:v copy -disposition:v attached_pic s.mp3");
    refuses("s.mp3", LIP_ERR_NO_VIDEO); /* a cover is not a film */
}

static void test_images(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    static const char *const names[] = {"i.png", "i.jpg", "i.webp"};
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, TESTSRC("50x40", "0.04") "-frames:v 1 %s", names[i]);
        make_clip(arguments);
        struct media_source *source = open_source(at(names[i]), 1);
        assert_true(media_source_film(source)->is_image);
        assert_int_equal(media_source_film(source)->duration_us, 40000);
        struct data_frame *f = read_frame(source);
        assert_non_null(f);
        assert_int_equal(f->pts, 0);
        assert_int_equal(f->duration, 1);
        data_frame_unref(&f);
        assert_null(read_frame(source));
        media_source_close(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),       cmocka_unit_test(test_palette),
        cmocka_unit_test(test_codecs),        cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_times),         cmocka_unit_test(test_durations_add_up),
        cmocka_unit_test(test_rotation),      cmocka_unit_test(test_aspect_and_colour),
        cmocka_unit_test(test_start),         cmocka_unit_test(test_threads_seek_rewind),
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_images),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
