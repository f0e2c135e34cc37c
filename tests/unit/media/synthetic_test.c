/* SPDX-License-Identifier: MIT
 * Films drawn by the program. */
#include "unit/media/clips.h"

static void test_form(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int depth, planes, shift_x, shift_y;
    } form[] = {{"yuv420p", 8, 3, 1, 1},      {"yuv422p10le", 10, 3, 1, 0},
                {"yuva420p", 8, 4, 1, 1},     {"gbrp", 8, 3, 0, 0},
                {"gray", 8, 1, 0, 0},         {"gbrap12le", 12, 4, 0, 0},
                {"yuv444p16le", 16, 3, 0, 0}, {"yuv411p", 8, 3, 2, 0}};
    for (size_t i = 0; i < UNIT_COUNT(form); i++) {
        char path[128];
        snprintf(path, sizeof path, "synthetic:61x35@30000/1001:3:%s", form[i].format);
        struct media_source *source = open_source(path, 1);
        const struct data_film *film = media_source_film(source);
        assert_int_equal(film->width_px, 61);
        assert_int_equal(film->frame_rate.num, 30000);
        assert_int_equal(film->time_base.num, 1001);
        assert_int_equal(film->duration_us, 100100);
        struct data_frame *f = NULL;
        for (int n = 0; (f = read_frame(source)); n++) {
            assert_int_equal(f->depth_bits, form[i].depth);
            assert_int_equal(f->n_planes, form[i].planes);
            assert_int_equal(f->chroma_shift_x, form[i].shift_x);
            assert_int_equal(f->chroma_shift_y, form[i].shift_y);
            assert_int_equal(f->pts, n);
            assert_int_equal(f->index, n);
            data_frame_unref(&f);
        }
        media_source_close(&source);
    }
}

/* The mouth is where and as large as the formula says; it opens and closes. */
static void test_mouth(void **state)
{
    (void)state;
    struct media_source *source = open_source("synthetic:320x240@25:13:gbrp", 1);
    int most = 0;
    for (struct data_frame *f; (f = read_frame(source));) {
        struct media_drawn_face face;
        media_synthetic_face(media_source_film(source), f->index, &face);
        int dark = 0;
        for (int y = face.mouth_cy - face.face_ry / 3; y < face.mouth_cy + face.face_ry / 3; y++)
            dark += data_frame_sample(f, 2, face.mouth_cx, y) == 90 &&
                    data_frame_sample(f, 0, face.mouth_cx, y) == 20;
        assert_int_equal(dark, face.mouth_ry ? 2 * face.mouth_ry + 1 : 0);
        most = dark > most ? dark : most;
        if (f->index == 0 || f->index == 12)
            assert_int_equal(dark, 0);
        data_frame_unref(&f);
    }
    assert_true(most > 20);
    media_source_close(&source);
}

static void test_same_every_time(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct media_source *a = open_source("synthetic:64x48@25:20:yuv420p10le", 1);
    struct media_source *b = open_source("synthetic:64x48@25:20:yuv420p10le", 4);
    assert_int_equal(media_source_film(a)->identity, media_source_film(b)->identity);
    OK(media_source_seek(b, 7, &err));
    struct data_frame *y = read_frame(b);
    assert_int_equal(y->pts, 7);
    assert_int_equal(y->index, -1);
    for (int i = 0; i < 8; i++) {
        struct data_frame *x = read_frame(a);
        assert_true(same_samples(x, y) == (i == 7));
        data_frame_unref(&x);
    }
    data_frame_unref(&y);
    OK(media_source_rewind(b, &err));
    y = read_frame(b);
    assert_int_equal(y->index, 0);
    data_frame_unref(&y);
    media_source_close(&a);
    media_source_close(&b);
}

static void test_bad_names(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
    } bad[] = {{"synthetic:", LIP_ERR_ARG},
               {"synthetic:0x10@25:5", LIP_ERR_ARG},
               {"synthetic:10x10@25", LIP_ERR_ARG},
               {"synthetic:10x10@25:5:", LIP_ERR_ARG},
               {"synthetic:10x10@25:5:nonsense", LIP_ERR_ARG},
               {"synthetic:10x10@25:5:rgb24", LIP_ERR_ARG}, /* not planar */
               {"synthetic:10x10@25:5x", LIP_ERR_ARG},
               {"synthetic:-10x10@25:5", LIP_ERR_ARG},
               {"synthetic:99999x10@25:5", LIP_ERR_ARG},
               {"synthetic:16384x16384@25:5", LIP_ERR_LIMIT},
               {"synthetic:10x10@25:0", LIP_ERR_NO_VIDEO}};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        struct media_source *source = NULL;
        struct lip_error err = {0};
        assert_int_equal(media_source_open(bad[i].path, NULL, &source, &err), bad[i].code);
        assert_null(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_mouth),
        cmocka_unit_test(test_same_every_time),
        cmocka_unit_test(test_bad_names),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
