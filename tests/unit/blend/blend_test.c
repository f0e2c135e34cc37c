/* SPDX-License-Identifier: MIT
 * The composite: masks are obeyed, light is matched, lips keep their colour. */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "blend/blend.h"

#define W 120
#define H 90

struct fixture {
    struct blend_canvas *canvas;
    struct data_frame *frame;
    struct data_patch patch;
};

/* A grey frame of 100; both layers repeat it; no mask anywhere. */
static void setup(struct fixture *f, struct data_rect rect)
{
    assert_int_equal(blend_canvas_create(&f->canvas), 0);
    assert_int_equal(data_frame_create(W, H, DATA_LAYOUT_YUV, 8, 1, 1, false, &f->frame), 0);
    f->frame->colour.full_range = true;
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < f->frame->plane[p].height_px; y++)
            memset(f->frame->plane[p].data + y * f->frame->plane[p].stride_bytes, p ? 128 : 100,
                   (size_t)f->frame->plane[p].width_px);
    data_patch_init(&f->patch);
    assert_int_equal(data_patch_resize(&f->patch, rect), 0);
    size_t n = (size_t)rect.w * (size_t)rect.h;
    for (size_t i = 0; i < 3 * n; i++)
        f->patch.target[i] = f->patch.skin[i] = f->patch.mouth[i] = 100 / 255.f;
    memset(f->patch.skin_mask, 0, 3 * n * sizeof(float));
    f->patch.iod_px = 60;
    f->patch.has_mouth = true;
}

static void done(struct fixture *f)
{
    blend_canvas_destroy(&f->canvas);
    data_frame_unref(&f->frame);
    data_patch_done(&f->patch);
}

/* A mouth of 12 x 6 px radius in the middle of the patch, its ramp and its distance map. */
static void put_mouth(struct data_patch *p)
{
    for (int y = 0; y < p->rect.h; y++)
        for (int x = 0; x < p->rect.w; x++) {
            float dx = (float)(x - p->rect.w / 2) / 12, dy = (float)(y - p->rect.h / 2) / 6;
            float d = fmaxf(0, (sqrtf(dx * dx + dy * dy) - 1) * 9) / p->iod_px;
            size_t i = (size_t)y * (size_t)p->rect.w + (size_t)x;
            p->lip_distance[i] = d;
            p->mouth_mask[i] = d < .1f ? 1 : d < .26f ? (.26f - d) / .16f : 0;
        }
}

static void no_mask_no_change(void **state)
{
    (void)state;
    struct fixture f;
    struct data_rect r = {20, 10, 80, 60};
    setup(&f, r);
    for (size_t i = 0; i < 3 * 80 * 60; i++)
        f.patch.skin[i] = f.patch.mouth[i] = .9f;
    uint8_t touched[80 * 60];
    assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, touched, NULL), 0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_int_equal(data_frame_sample(f.frame, 0, x, y), 100);
    for (size_t i = 0; i < sizeof touched; i++)
        assert_int_equal(touched[i], 0);
    done(&f);
}

static void other_light_is_matched(void **state)
{
    (void)state;
    static const float lights[] = {.8f, 1.25f};
    for (int k = 0; k < 2; k++) {
        struct fixture f;
        struct data_rect r = {20, 10, 80, 60};
        setup(&f, r);
        put_mouth(&f.patch);
        for (size_t i = 0; i < 3 * 80 * 60; i++) { /* the mouth, filmed under another light */
            float own = f.patch.lip_distance[i % (80 * 60)] > 0 ? 100 / 255.f : 60 / 255.f;
            f.patch.mouth[i] = own * lights[k];
        }
        assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, NULL), 0);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int v = data_frame_sample(f.frame, 0, x, y);
                assert_true(abs(v - 100) <= 2 || abs(v - 60) <= 2);
            }
        assert_true(abs(data_frame_sample(f.frame, 0, 20 + 40, 10 + 30) - 60) <= 2);
        done(&f);
    }
}

static void a_colour_cast_is_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct data_rect r = {20, 10, 80, 60};
    setup(&f, r);
    put_mouth(&f.patch);
    for (size_t i = 0; i < 80 * 60; i++)
        f.patch.mouth[i] = .1f; /* hardly any red: no gain makes that good */
    assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, NULL), 0);
    int cr = data_frame_sample(f.frame, 2, (20 + 40) / 2, (10 + 30) / 2);
    assert_true(cr < 110); /* stays a cast, instead of a red lip */
    done(&f);
}

static void skin_layer_is_laid_by_its_mask(void **state)
{
    (void)state;
    struct fixture f;
    struct data_rect r = {W - 40, H - 30, 40, 30}; /* up to the frame's corner */
    setup(&f, r);
    f.patch.has_mouth = false;
    size_t n = 40 * 30;
    for (size_t i = 0; i < n; i++) {
        f.patch.skin_mask[i] = i % 40 < 20 ? .5f : 0;
        for (size_t c = 0; c < 3; c++)
            f.patch.skin[c * n + i] = 200 / 255.f;
    }
    assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, NULL), 0);
    assert_int_equal(data_frame_sample(f.frame, 0, W - 30, H - 2), 150);
    assert_int_equal(data_frame_sample(f.frame, 0, W - 10, H - 2), 100);
    assert_int_equal(data_frame_sample(f.frame, 0, W - 41, H - 2), 100);
    done(&f);
}

static float noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / (1 << 24) - .5f;
}

/* Deviation of luma in the middle of the mouth. */
static float deviation(const struct data_frame *f)
{
    double sum = 0, squares = 0, n = 0;
    for (int y = 10 + 27; y < 10 + 34; y++)
        for (int x = 20 + 32; x < 20 + 48; x++, n++) {
            double v = data_frame_sample(f, 0, x, y);
            sum += v;
            squares += v * v;
        }
    return (float)sqrt(squares / n - sum / n * sum / n);
}

static void the_mouth_is_as_grainy_as_the_frame(void **state)
{
    (void)state;
    static const float grains[3] = {.03f, .12f, .12f}; /* of the frame; the mouth has .12 */
    float found[3];
    for (int k = 0; k < 3; k++) {
        struct fixture f;
        struct data_rect r = {20, 10, 80, 60};
        uint32_t seed = 9;
        setup(&f, r);
        put_mouth(&f.patch);
        for (size_t i = 0; i < 80 * 60; i++) {
            float own = noise(&seed), other = noise(&seed);
            for (size_t c = 0; c < 3; c++) {
                f.patch.target[c * 80 * 60 + i] += grains[k] * own;
                f.patch.skin[c * 80 * 60 + i] += grains[k] * own;
                f.patch.mouth[c * 80 * 60 + i] += .12f * other;
            }
        }
        if (k == 2) /* nothing is known of the skin: the mouth stays as it is */
            for (size_t i = 0; i < 80 * 60; i++)
                f.patch.lip_distance[i] = 0;
        assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, NULL), 0);
        found[k] = deviation(f.frame);
        done(&f);
    }
    float as_it_was = .12f * 255 / sqrtf(12);
    assert_true(fabsf(found[0] / as_it_was - .25f) < .1f);
    assert_true(fabsf(found[1] / as_it_was - 1) < .15f);
    assert_true(fabsf(found[2] / as_it_was - 1) < .15f);
}

/* Slopes of luma along x and y in the middle of the mouth. */
static void slopes(const struct data_frame *f, double ret[2])
{
    ret[0] = ret[1] = 0;
    for (int y = 10 + 27; y < 10 + 34; y++)
        for (int x = 20 + 32; x < 20 + 48; x++) {
            double dx = (double)data_frame_sample(f, 0, x + 1, y) - data_frame_sample(f, 0, x, y);
            double dy = (double)data_frame_sample(f, 0, x, y + 1) - data_frame_sample(f, 0, x, y);
            ret[0] += dx * dx;
            ret[1] += dy * dy;
        }
}

static void a_blurred_frame_blurs_the_mouth_along_its_way(void **state)
{
    (void)state;
    double found[3][2];
    for (int k = 0; k < 3; k++) {
        struct fixture f;
        setup(&f, (struct data_rect){20, 10, 80, 60});
        put_mouth(&f.patch);
        for (size_t i = 0; i < 3 * 80 * 60; i++)
            f.patch.mouth[i] += .2f * sinf(.5f * (float)(i % 80)) +
                                .2f * sinf(.5f * (float)(i / 80 % 60));
        f.patch.steepness[0] = k == 1 ? .3f : 1;
        f.patch.steepness[1] = k == 2 ? .85f : 1; /* shape and light do that much */
        assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, NULL), 0);
        slopes(f.frame, found[k]);
        done(&f);
    }
    assert_true(found[0][0] > 0 && found[0][1] > 0);
    assert_true(found[1][0] < .45 * found[0][0] && found[1][0] > .15 * found[0][0]);
    assert_true(found[1][1] > .8 * found[0][1]);
    for (int a = 0; a < 2; a++)
        assert_true(found[2][a] == found[0][a]);
}

static void a_patch_outside_is_refused(void **state)
{
    (void)state;
    static const struct data_rect rects[] = {
        {-1, 0, 40, 30}, {0, -4, 40, 30}, {W - 39, 0, 40, 30}, {0, H - 29, 40, 30}};
    for (size_t i = 0; i < UNIT_COUNT(rects); i++) {
        struct fixture f;
        struct lip_error err = {0};
        setup(&f, rects[i]);
        assert_int_equal(blend_canvas_apply(f.canvas, &f.patch, f.frame, NULL, &err), LIP_ERR_ARG);
        assert_int_equal(err.code, LIP_ERR_ARG);
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_mask_no_change),
        cmocka_unit_test(other_light_is_matched),
        cmocka_unit_test(a_colour_cast_is_limited),
        cmocka_unit_test(skin_layer_is_laid_by_its_mask),
        cmocka_unit_test(the_mouth_is_as_grainy_as_the_frame),
        cmocka_unit_test(a_blurred_frame_blurs_the_mouth_along_its_way),
        cmocka_unit_test(a_patch_outside_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
