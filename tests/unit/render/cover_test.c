/* SPDX-License-Identifier: MIT
 * What is in front of a mouth is found on the looks of a made-up person, stays bit for bit, and
 * nothing is found where nothing is. */
#include "scene.h"

#include "blend/blend.h"

#define N_FRAMES 40
#define BAR_FROM 15
#define BAR_TO 27
#define VEIL_TO 32 /* from BAR_TO on, where it is asked for */
#define IOD_PX 90

struct watched {
    struct scene scene;
    struct data_face_geom geoms[N_FRAMES];
    struct data_look looks[N_FRAMES];
    struct data_likeness likeness;
    struct render_cover alone[N_FRAMES];
};

static struct watched watched;
static struct watched *const w = &watched;

static const struct data_rect bar = {165, 141, 30, 90}; /* right half of the mouth, and the chin */

/* Something before all of the face, of the face's own brightness. */
static void veil(struct data_frame *f)
{
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < 240; y++)
            for (int x = 60; x < 260; x++)
                scene_put(f, p, x, y, .5f + .15f * sinf(.2f * (float)x) * cosf(.15f * (float)y));
}

/* The mouth moves, the head sways a little. */
static struct data_frame *frame_at(int i, bool with_bar)
{
    float wish[DATA_FACE_POINTS][3];
    scene_wish(&w->scene, .08f * (.5f - .5f * cosf(.9f * (float)i)), wish);
    scene_geom(&w->scene, (const float(*)[3])wish, 160 + 2 * sinf(.3f * (float)i), 100, IOD_PX,
               .02f * sinf(.2f * (float)i), i, &w->geoms[i]);
    struct data_frame *f = scene_frame(&w->scene, &w->geoms[i], DATA_LAYOUT_RGB, 8, 0, 0);
    for (int p = 0; with_bar && p < 3; p++)
        for (int y = bar.y; y < bar.y + bar.h; y++)
            for (int x = bar.x; x < bar.x + bar.w; x++)
                scene_put(f, p, x, y, p == 0 ? .15f : .2f + .02f * (float)((x + y) % 3));
    return f;
}

static void watch_all(bool with_bar, bool with_veil)
{
    struct lip_error err = {0};
    for (int i = 0; i < N_FRAMES; i++) {
        struct data_frame *f = frame_at(i, with_bar && i >= BAR_FROM && i < BAR_TO);
        if (with_veil && i >= BAR_TO && i < VEIL_TO)
            veil(f);
        assert_int_equal(render_cover_look(w->scene.mesh, &w->scene.film, f,
                                           (const float(*)[3])w->geoms[i].disp, &w->looks[i]), 0);
        data_frame_unref(&f);
    }
    assert_int_equal(render_likeness_learn(w->scene.mesh, w->looks, N_FRAMES, &w->likeness, &err),
                     0);
    for (int i = 0; i < N_FRAMES; i++)
        render_cover_find(w->scene.mesh, &w->likeness, &w->looks[i], 1, &w->alone[i]);
}

static void watch(bool with_bar)
{
    watch_all(with_bar, false);
    assert_true(w->likeness.n_looks >= N_FRAMES - (BAR_TO - BAR_FROM));
}

static struct render_cover confirmed(int i)
{
    const struct render_cover *around[2 * RENDER_COVER_AROUND + 1] = {NULL};
    for (int k = -RENDER_COVER_AROUND; k <= RENDER_COVER_AROUND; k++)
        if (i + k >= 0 && i + k < N_FRAMES)
            around[RENDER_COVER_AROUND + k] = &w->alone[i + k];
    struct render_cover cover = w->alone[i];
    render_cover_confirm(w->scene.mesh, around, &cover);
    return cover;
}

static int open_scene(void **state)
{
    (void)state;
    memset(w, 0, sizeof *w);
    scene_open(&w->scene, 320, 240);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&w->scene);
    return 0;
}

static void nothing_is_found_where_nothing_is(void **state)
{
    open_scene(state);
    watch(false);
    assert_int_equal(w->likeness.n_looks, N_FRAMES);
    for (int i = 0; i < N_FRAMES; i++)
        assert_int_equal(w->alone[i].n_cells, 0);
    close_scene(state);
}

static void found_while_it_is_there(void **state)
{
    open_scene(state);
    watch(true);
    for (int i = 0; i < N_FRAMES; i++) {
        struct render_cover cover = confirmed(i);
        bool there = i >= BAR_FROM && i < BAR_TO;
        assert_true(there == (cover.n_cells > 0));
        assert_true(there ? cover.mouth > .2f && cover.mouth < .6f : cover.mouth == 0);
    }
    close_scene(state);
}

static void what_covers_all_is_strange_and_is_not_learnt(void **state)
{
    open_scene(state);
    watch_all(true, true);
    for (int i = BAR_TO; i < VEIL_TO; i++) {
        assert_int_equal(w->alone[i].n_cells, 0);
        assert_true(w->alone[i].oddness > 0);
    }
    for (int i = BAR_FROM; i < BAR_TO; i++)
        assert_true(w->alone[i].n_cells > 0);
    assert_true(w->likeness.n_looks <= N_FRAMES - (VEIL_TO - BAR_FROM));
    render_cover_whole(w->scene.mesh, &w->alone[BAR_TO]);
    assert_true(w->alone[BAR_TO].mouth == 1);
    close_scene(state);
}

static void what_flashes_up_is_nothing(void **state)
{
    open_scene(state);
    watch(true);
    for (int i = 0; i < N_FRAMES; i++)
        if (i < BAR_FROM || i >= BAR_FROM + 3)
            memset(&w->alone[i], 0, sizeof w->alone[i]);
    for (int i = BAR_FROM; i < BAR_FROM + 3; i++)
        assert_int_equal(confirmed(i).n_cells, 0);
    close_scene(state);
}

static int n_changed(const struct data_frame *a, const struct data_frame *b, int x0, int y0, int x1,
                     int y1)
{
    int n = 0;
    for (int p = 0; p < 3; p++)
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++)
                n += data_frame_sample(a, p, x, y) != data_frame_sample(b, p, x, y);
    return n;
}

static void its_pixels_stay_and_the_mouth_moves(void **state)
{
    open_scene(state);
    watch(true);
    struct lip_error err = {0};
    struct render_canvas *canvas = NULL;
    struct blend_canvas *blend = NULL;
    struct data_bank bank;
    struct data_patch patch;
    data_bank_init(&bank);
    data_patch_init(&patch);
    assert_int_equal(render_canvas_create(w->scene.mesh, &w->scene.film, &canvas), 0);
    assert_int_equal(blend_canvas_create(&blend), 0);
    for (int i = 0; i < BAR_FROM; i++) {
        struct data_frame *f = frame_at(i, false);
        assert_int_equal(render_bank_add(&bank, &w->scene.film, f, &w->geoms[i], &err), 0);
        data_frame_unref(&f);
    }
    assert_int_equal(render_bank_finish(&bank), 0);
    for (int i = BAR_FROM + 1; i < BAR_TO - 1; i++) {
        for (int spared = 0; spared < 2; spared++) {
            struct render_cover cover = confirmed(i);
            struct data_frame *was = frame_at(i, true), *out = data_frame_ref(was);
            float wish[DATA_FACE_POINTS][3];
            scene_wish(&w->scene, i % 2 ? .12f : 0, wish);
            struct render_choice choice = {{3, -1}, {1, 0}};
            render_canvas_set_cover(canvas, spared ? &cover : NULL);
            render_canvas_set_always(canvas, true);
            assert_int_equal(render_canvas_draw(canvas, &bank, &w->scene.person, was, &w->geoms[i],
                                                (const float(*)[3])wish, &choice, &patch, &err), 0);
            assert_int_equal(data_frame_make_writable(&out), 0);
            assert_int_equal(blend_canvas_apply(blend, &patch, out, NULL, &err), 0);
            int on_bar = n_changed(was, out, bar.x, bar.y, bar.x + bar.w, bar.y + bar.h);
            int beside = n_changed(was, out, 120, 130, 150, 190);
            assert_true(beside > 300);
            if (spared)
                assert_int_equal(on_bar, 0);
            else
                assert_true(on_bar > 300);
            data_frame_unref(&was);
            data_frame_unref(&out);
        }
    }
    data_patch_done(&patch);
    data_bank_done(&bank);
    blend_canvas_destroy(&blend);
    render_canvas_destroy(&canvas);
    close_scene(state);
}

static void few_looks_know_nothing(void **state)
{
    open_scene(state);
    watch(true);
    struct render_cover cover;
    assert_int_equal(render_likeness_learn(w->scene.mesh, w->looks, 5, &w->likeness, NULL), 0);
    assert_int_equal(w->likeness.n_looks, 0);
    render_cover_find(w->scene.mesh, &w->likeness, &w->looks[20], 1, &cover);
    assert_int_equal(cover.n_cells, 0);
    close_scene(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_where_nothing_is),
        cmocka_unit_test(found_while_it_is_there),
        cmocka_unit_test(what_covers_all_is_strange_and_is_not_learnt),
        cmocka_unit_test(what_flashes_up_is_nothing),
        cmocka_unit_test(its_pixels_stay_and_the_mouth_moves),
        cmocka_unit_test(few_looks_know_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
