/* SPDX-License-Identifier: MIT
 * Cuts on painted pictures: soft blobs that move, flash, fade and change. */
#include "shape.h"

#define W 320
#define H 180

static struct data_frame *frame;
static struct face_shots shots;

static int open_frame(void **state)
{
    (void)state;
    return data_frame_create(W, H, DATA_LAYOUT_YUV, 8, 1, 1, false, &frame);
}

static int close_frame(void **state)
{
    (void)state;
    data_frame_unref(&frame);
    return 0;
}

/* A scene is a seed: 40 soft blobs on a plane that is wider than the picture. */
static void paint(uint32_t scene, double shift_x, double gain, double lift)
{
    static float plane[H][W];
    uint32_t seed = scene;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            plane[y][x] = 90;
    for (int b = 0; b < 60; b++) {
        double cx = W * (1 + 1.5 * noise(&seed)) - shift_x, cy = H / 2. * (1 + noise(&seed));
        double r = 12 + 25 * fabs(noise(&seed)), level = 90 * noise(&seed);
        int y0 = (int)fmax(cy - r, 0), y1 = (int)fmin(cy + r + 1, H);
        int x0 = (int)fmax(cx - r, 0), x1 = (int)fmin(cx + r + 1, W);
        for (int y = y0; y < y1; y++) {
            for (int x = x0; x < x1; x++) {
                double d = ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (r * r);
                if (d < 1)
                    plane[y][x] += (float)(level * (1 - d));
            }
        }
    }
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            double v = plane[y][x] * gain + lift;
            frame->plane[0].data[y * frame->plane[0].stride_bytes + x] =
                (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

static bool push(void)
{
    struct face_thumb thumb;
    face_thumb_make(frame, &thumb);
    return face_shots_push(&shots, &thumb);
}

static void start(uint32_t scene)
{
    memset(&shots, 0, sizeof shots);
    for (int i = 0; i < 10; i++) {
        paint(scene, i, 1, 0);
        assert_false(push());
    }
}

static void other_scenes_are_cuts(void **state)
{
    (void)state;
    for (uint32_t scene = 1; scene < 12; scene++) {
        start(scene);
        paint(scene + 100, 0, 1, 0);
        assert_true(push());
        paint(scene + 100, 1, 1, 0);
        assert_false(push());
    }
}

static void every_cut_of_a_quick_row(void **state)
{
    (void)state;
    start(1);
    for (uint32_t scene = 2; scene < 8; scene++)
        for (int i = 0; i < 5; i++) {
            paint(scene, i, 1, 0);
            assert_int_equal(push(), i == 0);
        }
}

/* From slow to 6 % of the width a frame. */
static void pans_are_no_cuts(void **state)
{
    (void)state;
    for (uint32_t scene = 1; scene < 5; scene++) {
        double x = 0, speed = 0;
        start(scene);
        for (int i = 0; i < 30; i++) {
            speed = fmin(speed + 3, 19);
            x += speed;
            paint(scene, 10 + fmin(x, 300), 1, 0);
            assert_false(push());
        }
    }
}

static void flashes_are_no_cuts(void **state)
{
    (void)state;
    static const double gains[] = {1.6, 3, 1, 1, .4}, lifts[] = {20, 60, 120, 255, 0};
    for (uint32_t scene = 1; scene < 6; scene++) {
        for (int kind = 0; kind < 5; kind++) {
            for (int length = 1; length <= 2; length++) {
                start(scene);
                for (int i = 0; i < 6; i++) {
                    bool on = i < length;
                    paint(scene, 10 + i, on ? gains[kind] : 1, on ? lifts[kind] : 0);
                    assert_false(push());
                }
            }
        }
    }
}

/* A cut under a flash is still found, when the flash is over. */
static void a_flash_hides_no_cut(void **state)
{
    (void)state;
    start(3);
    paint(3, 10, 1, 255);
    assert_false(push());
    paint(44, 0, 1, 0);
    assert_true(push());
}

static void through_black(void **state)
{
    (void)state;
    int cuts = 0;
    start(5);
    for (int i = 0; i < 30; i++) {
        paint(5, 10, fmax(0, 1 - i / 10.), 0);
        assert_false(push());
    }
    for (int i = 0; i < 15; i++) {
        paint(66, 0, fmin(1, i / 10.), 0);
        cuts += push();
    }
    assert_int_equal(cuts, 1);
}

static void a_black_film_has_no_cuts(void **state)
{
    (void)state;
    memset(&shots, 0, sizeof shots);
    for (int i = 0; i < 20; i++) {
        paint(1, 0, 0, i % 3);
        assert_false(push());
    }
}

/* The same picture in 10 bits and as RGB has the same thumb. */
static void depth_does_not_matter(void **state)
{
    (void)state;
    struct data_frame *deep = NULL;
    struct face_thumb a, b;
    assert_int_equal(data_frame_create(W, H, DATA_LAYOUT_RGB, 10, 0, 0, false, &deep), LIP_OK);
    paint(9, 0, 1, 0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            ((uint16_t *)(void *)(deep->plane[0].data + y * deep->plane[0].stride_bytes))[x] =
                (uint16_t)(data_frame_sample(frame, 0, x, y) << 2);
    face_thumb_make(frame, &a);
    face_thumb_make(deep, &b);
    data_frame_unref(&deep);
    assert_memory_equal(a.luma, b.luma, sizeof a.luma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_scenes_are_cuts),
        cmocka_unit_test(every_cut_of_a_quick_row),
        cmocka_unit_test(pans_are_no_cuts),
        cmocka_unit_test(flashes_are_no_cuts),
        cmocka_unit_test(a_flash_hides_no_cut),
        cmocka_unit_test(through_black),
        cmocka_unit_test(a_black_film_has_no_cuts),
        cmocka_unit_test(depth_does_not_matter),
    };
    return cmocka_run_group_tests(tests, open_frame, close_frame);
}
