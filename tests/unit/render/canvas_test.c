/* SPDX-License-Identifier: MIT
 * A frame drawn and blended: what changes, what does not, and whether the lips end where they were
 * wished. */
#include "unit/render/scene.h"

#include "base/status.h"
#include "blend/blend.h"

#define W 320
#define H 300

/* Draws and blends into a copy; *ret_status is that of the canvas. */
static struct data_frame *edit(const struct scene *s, const struct data_bank *bank,
                               struct data_frame *frame, const struct data_face_geom *g,
                               const float wish[DATA_FACE_POINTS][3],
                               const struct render_choice *choice, int *ret_status)
{
    struct render_canvas *canvas = NULL;
    struct blend_canvas *blend = NULL;
    struct data_patch patch;
    struct data_frame *out = data_frame_ref(frame);
    data_patch_init(&patch);
    assert_int_equal(data_frame_make_writable(&out), 0);
    assert_int_equal(render_canvas_create(s->mesh, &s->film, &canvas), 0);
    assert_int_equal(blend_canvas_create(&blend), 0);
    *ret_status =
        render_canvas_draw(canvas, bank, &s->person, frame, g, wish, choice, &patch, NULL);
    assert_true(*ret_status >= 0);
    if (*ret_status == 0)
        assert_int_equal(blend_canvas_apply(blend, &patch, out, NULL, NULL), 0);
    render_canvas_destroy(&canvas);
    blend_canvas_destroy(&blend);
    data_patch_done(&patch);
    return out;
}

static long count_changes(const struct data_frame *a, const struct data_frame *b, int y_end)
{
    long n = 0;
    for (int p = 0; p < a->n_planes; p++) {
        int rows = p && a->layout == DATA_LAYOUT_YUV ? y_end >> a->chroma_shift_y : y_end;
        for (int y = 0; y < rows && y < a->plane[p].height_px; y++)
            for (int x = 0; x < a->plane[p].width_px; x++)
                n += data_frame_sample(a, p, x, y) != data_frame_sample(b, p, x, y);
    }
    return n;
}

static void own_mouth_is_left_alone(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    float wish[DATA_FACE_POINTS][3];
    scene_open(&s, W, H);
    scene_wish(&s, .1f, wish);
    scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, 0, &g);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
    int status;
    struct data_frame *out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
    assert_int_equal(status, 1);
    assert_int_equal(count_changes(f, out, H), 0);
    data_frame_unref(&out);
    g.valid = false;
    out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
    assert_int_equal(status, 1);
    data_frame_unref(&out);
    data_frame_unref(&f);
    scene_close(&s);
}

static void nothing_above_the_nose_changes(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    float wish[DATA_FACE_POINTS][3];
    scene_open(&s, W, H);
    static const float openings[] = {0, .05f, .3f};
    for (int k = 0; k < 3; k++) {
        scene_wish(&s, .12f, wish);
        scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, 0, &g);
        struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
        scene_wish(&s, openings[k], wish);
        int status, nose = (int)(g.disp[2][1] - .07f * 90);
        struct data_frame *out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
        assert_int_equal(status, 0);
        assert_int_equal(count_changes(f, out, nose), 0);
        assert_true(count_changes(f, out, H) > 1000);
        for (int y = 0; y < 6; y++) /* the picture's far corner is beyond the reach */
            assert_int_equal(data_frame_sample(f, 0, 3, y), data_frame_sample(out, 0, 3, y));
        data_frame_unref(&out);
        data_frame_unref(&f);
    }
    scene_close(&s);
}

/* Whether the pixel at a CANON position shows skin, lip or teeth: luma of the painted scene. */
static float luma_at(const struct data_frame *f, const struct data_face_geom *g, const float p[3])
{
    int x = (int)(g->trans[0] + g->scale * (g->rot[0] * p[0] + g->rot[1] * p[1]));
    int y = (int)(g->trans[1] + g->scale * (g->rot[3] * p[0] + g->rot[4] * p[1]));
    return (float)data_frame_sample(f, 0, x, y) / 255;
}

static void lips_end_where_they_were_wished(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    struct data_bank bank;
    float wish[DATA_FACE_POINTS][3];
    data_bank_init(&bank);
    scene_open(&s, W, H);
    for (int k = 0; k < 6; k++) {
        scene_wish(&s, .03f * (float)k, wish);
        scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, k, &g);
        struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
        assert_int_equal(render_bank_add(&bank, &s.film, f, &g, NULL), 0);
        data_frame_unref(&f);
    }
    assert_int_equal(render_bank_finish(&bank), 0);
    assert_int_equal(bank.n, 6);
    for (int k = 0; k < 2; k++) { /* a turned head; open from closed, closed from open */
        float own[DATA_FACE_POINTS][3];
        struct render_choice choice = {{k ? 5 : 0, -1}, {1, 0}};
        scene_wish(&s, k ? 0 : .15f, own);
        scene_wish(&s, k ? .16f : 0, wish);
        scene_geom(&s, (const float(*)[3])own, 150, 140, 80, .3f, 9, &g);
        struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
        int status;
        struct data_frame *out = edit(&s, &bank, f, &g, (const float(*)[3])wish, &choice, &status);
        assert_int_equal(status, 0);
        float middle[3], lower_lip[3];
        for (int c = 0; c < 3; c++) {
            middle[c] = .5f * (wish[13][c] + wish[14][c]);
            lower_lip[c] = .5f * (wish[14][c] + wish[17][c]);
        }
        if (k)
            assert_true(luma_at(out, &g, middle) > .65f); /* teeth */
        else
            assert_true(luma_at(out, &g, middle) < .5f); /* lips that meet */
        assert_true(fabsf(luma_at(out, &g, lower_lip) - .35f) < .08f);
        data_frame_unref(&out);
        data_frame_unref(&f);
    }
    data_bank_done(&bank);
    scene_close(&s);
}

static void runs_are_repeatable(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g, other;
    struct data_patch patch;
    struct render_canvas *used = NULL;
    float wish[DATA_FACE_POINTS][3], own[DATA_FACE_POINTS][3];
    data_patch_init(&patch);
    scene_open(&s, W, H);
    scene_wish(&s, .02f, own);
    scene_wish(&s, .2f, wish);
    scene_geom(&s, (const float(*)[3])own, 160, 130, 90, 0, 0, &g);
    scene_geom(&s, (const float(*)[3])own, 100, 100, 60, .2f, 0, &other);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
    /* a canvas that has drawn other things gives the same picture as a fresh one */
    assert_int_equal(render_canvas_create(s.mesh, &s.film, &used), 0);
    assert_int_equal(render_canvas_draw(used, NULL, &s.person, f, &other, (const float(*)[3])wish,
                                        NULL, &patch, NULL),
                     0);
    assert_int_equal(render_canvas_draw(used, NULL, &s.person, f, &g, (const float(*)[3])wish, NULL,
                                        &patch, NULL),
                     0);
    size_t n = 12 * (size_t)patch.rect.w * (size_t)patch.rect.h;
    float *first = base_alloc_array(n, sizeof *first);
    assert_non_null(first);
    memcpy(first, patch.memory, n * sizeof *first);
    render_canvas_destroy(&used);
    assert_int_equal(render_canvas_create(s.mesh, &s.film, &used), 0);
    assert_int_equal(render_canvas_draw(used, NULL, &s.person, f, &g, (const float(*)[3])wish, NULL,
                                        &patch, NULL),
                     0);
    assert_memory_equal(first, patch.memory, n * sizeof *first);
    render_canvas_destroy(&used);
    data_patch_done(&patch);
    base_free(first);
    data_frame_unref(&f);
    scene_close(&s);
}

struct form {
    enum data_layout layout;
    int depth, sx, sy, w, h;
    float x, y, iod;
};

/* Odd sizes, all forms, tiny and huge faces, faces across the picture's edges. */
static void any_form_and_place(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {DATA_LAYOUT_YUV, 10, 1, 1, 321, 301, 160, 130, 90},
        {DATA_LAYOUT_YUV, 12, 0, 0, 200, 201, 100, 80, 60},
        {DATA_LAYOUT_YUV, 8, 2, 2, 203, 201, 100, 80, 60},
        {DATA_LAYOUT_RGB, 8, 0, 0, 320, 300, 160, 130, 90},
        {DATA_LAYOUT_RGB, 16, 0, 0, 320, 300, 160, 130, 90},
        {DATA_LAYOUT_GRAY, 8, 0, 0, 320, 300, 160, 130, 90},
        {DATA_LAYOUT_YUV, 8, 1, 1, 61, 63, 30, 25, 12},
        {DATA_LAYOUT_YUV, 8, 1, 1, 61, 63, 30, 25, 5},
        {DATA_LAYOUT_YUV, 8, 1, 1, 320, 300, 160, -200, 900},
        {DATA_LAYOUT_YUV, 8, 1, 1, 320, 300, 5, 130, 90},
        {DATA_LAYOUT_YUV, 8, 1, 1, 320, 300, 318, 290, 90},
        {DATA_LAYOUT_YUV, 8, 1, 1, 320, 300, 160, 240, 90},
        {DATA_LAYOUT_YUV, 8, 1, 0, 320, 300, 5000, -4000, 90},
        {DATA_LAYOUT_YUV, 8, 1, 1, 3, 2, 1, 1, 90},
    };
    for (size_t i = 0; i < UNIT_COUNT(forms); i++) {
        const struct form *m = &forms[i];
        struct scene s;
        struct data_face_geom g;
        struct data_bank bank;
        float wish[DATA_FACE_POINTS][3];
        data_bank_init(&bank);
        scene_open(&s, m->w, m->h);
        scene_wish(&s, .02f, wish);
        scene_geom(&s, (const float(*)[3])wish, m->x, m->y, m->iod, .1f, 0, &g);
        struct data_frame *f = scene_frame(&s, &g, m->layout, m->depth, m->sx, m->sy);
        assert_int_equal(render_bank_add(&bank, &s.film, f, &g, NULL), 0);
        assert_int_equal(render_bank_finish(&bank), 0);
        scene_wish(&s, .2f, wish);
        struct render_choice choice = {{bank.n ? 0 : -1, -1}, {1, 0}};
        int status;
        struct data_frame *out = edit(&s, &bank, f, &g, (const float(*)[3])wish, &choice, &status);
        bool seen = i < 7;
        if (seen) {
            assert_int_equal(status, 0);
            assert_true(count_changes(f, out, m->h) > 50);
        }
        data_frame_unref(&out);
        data_frame_unref(&f);
        data_bank_done(&bank);
        scene_close(&s);
    }
}

static void nonsense_geometry_is_declined(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    float wish[DATA_FACE_POINTS][3];
    scene_open(&s, W, H);
    scene_wish(&s, 0, wish);
    scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, 0, &g);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
    int status;
    wish[17][0] = NAN;
    wish[14][1] += .3f;
    struct data_frame *out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
    assert_int_equal(status, 1);
    data_frame_unref(&out);
    scene_wish(&s, .2f, wish);
    g.scale = INFINITY;
    out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
    assert_int_equal(status, 1);
    data_frame_unref(&out);
    data_frame_unref(&f);
    scene_close(&s);
}

/* The same film stored lying on its side, and as in a mirror: the viewer sees the same edit. */
static void stored_otherwise_looks_the_same(void **state)
{
    (void)state;
    static const struct data_affine turns[] = {
        {{0, 1, 0, -1, 0, W}}, {{0, -1, W, 1, 0, 0}}, {{-1, 0, W, 0, 1, 0}}};
    struct scene s;
    struct data_face_geom g;
    float wish[DATA_FACE_POINTS][3];
    int status;
    scene_open(&s, W, W);
    scene_wish(&s, .02f, wish);
    scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, .1f, 0, &g);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_GRAY, 8, 0, 0);
    scene_wish(&s, .2f, wish);
    struct data_frame *out = edit(&s, NULL, f, &g, (const float(*)[3])wish, NULL, &status);
    for (size_t k = 0; k < UNIT_COUNT(turns); k++) {
        struct data_frame *stored = NULL;
        assert_int_equal(data_frame_create(W, W, DATA_LAYOUT_GRAY, 8, 0, 0, false, &stored), 0);
        s.film.img_from_disp = turns[k];
        s.film.disp_from_img = image_affine_invert(turns[k]);
        for (int y = 0; y < W; y++)
            for (int x = 0; x < W; x++) {
                double ix, iy;
                image_affine_apply(&turns[k], x + .5, y + .5, &ix, &iy);
                stored->plane[0].data[(int)iy * stored->plane[0].stride_bytes + (int)ix] =
                    (uint8_t)data_frame_sample(f, 0, x, y);
            }
        struct data_frame *turned =
            edit(&s, NULL, stored, &g, (const float(*)[3])wish, NULL, &status);
        assert_int_equal(status, 0);
        long sum = 0, changed = 0;
        for (int y = 0; y < W; y++)
            for (int x = 0; x < W; x++) {
                double ix, iy;
                image_affine_apply(&turns[k], x + .5, y + .5, &ix, &iy);
                int want = data_frame_sample(out, 0, x, y);
                sum += abs(data_frame_sample(turned, 0, (int)ix, (int)iy) - want);
                changed += abs(data_frame_sample(f, 0, x, y) - want);
            }
        assert_true(changed > 50000 && sum * 15 < changed); /* the grid falls elsewhere */
        data_frame_unref(&turned);
        data_frame_unref(&stored);
    }
    data_frame_unref(&out);
    data_frame_unref(&f);
    scene_close(&s);
}

/* Mean luma of the lower lip. */
static float lip_luma(const struct data_frame *f, const struct data_face_geom *g)
{
    float sum = 0;
    for (int k = 0; k < 9; k++) {
        float p[3];
        for (int c = 0; c < 3; c++)
            p[c] = g->canon[14][c] + .1f * (float)(k + 1) * (g->canon[17][c] - g->canon[14][c]);
        sum += luma_at(f, g, p) / 9;
    }
    return sum;
}

static void the_low_band_is_shared(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    struct data_bank bank;
    float wish[DATA_FACE_POINTS][3], luma[2];
    data_bank_init(&bank);
    scene_open(&s, W, H);
    scene_wish(&s, .06f, wish);
    for (int k = 0; k < 2; k++) { /* the same mouth twice, its lips much lighter the second time */
        scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, k, &g);
        struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_GRAY, 8, 0, 0);
        for (int y = 0; k && y < H; y++)
            for (int x = 0; x < W; x++)
                if (f->plane[0].data[y * f->plane[0].stride_bytes + x] == 89)
                    f->plane[0].data[y * f->plane[0].stride_bytes + x] = 120;
        assert_int_equal(render_bank_add(&bank, &s.film, f, &g, NULL), 0);
        data_frame_unref(&f);
    }
    assert_int_equal(render_bank_finish(&bank), 0);
    scene_wish(&s, .02f, wish);
    scene_geom(&s, (const float(*)[3])wish, 160, 130, 90, 0, 9, &g);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_GRAY, 8, 0, 0);
    scene_wish(&s, .06f, wish);
    struct data_face_geom there = g;
    memcpy(there.canon, wish, sizeof wish);
    for (int k = 0; k < 2; k++) {
        struct render_choice choice = {{0, -1}, {1, 0}};
        int status;
        bank.n = k ? 2 : 1; /* they fit alike */
        struct data_frame *out = edit(&s, &bank, f, &g, (const float(*)[3])wish, &choice, &status);
        assert_int_equal(status, 0);
        luma[k] = lip_luma(out, &there);
        data_frame_unref(&out);
    }
    data_frame_unref(&f);
    assert_true(fabsf(luma[0] - 89 / 255.f) < .02f);
    assert_true(luma[1] - luma[0] > .3f * 31 / 255 && luma[1] - luma[0] < .6f * 31 / 255);
    data_bank_done(&bank);
    scene_close(&s);
}

static void the_skull_is_found_in_another_picture(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g[2];
    struct render_skull skull[2];
    struct render_plane plane[2], between;
    scene_open(&s, W, H);
    for (int k = 0; k < 2; k++) { /* an open mouth and another pose: the skull is the same */
        float wish[DATA_FACE_POINTS][3], points[DATA_FACE_POINTS][2];
        scene_wish(&s, .2f * (float)k, wish);
        scene_geom(&s, (const float(*)[3])wish, 150 + 7 * (float)k, 130, 90 - 20 * (float)k,
                   .3f * (float)k, k, &g[k]);
        for (int v = 0; v < DATA_FACE_POINTS; v++)
            memcpy(points[v], g[k].disp[v], sizeof points[v]);
        assert_true(render_skull_fit((const float(*)[3])g[k].canon, (const float(*)[2])points,
                                     &skull[k]));
        render_skull_plane(&skull[k], s.person.canon[13][2], &plane[k]);
    }
    assert_true(render_plane_between(&plane[0], &plane[1], &between));
    const float *a = g[0].disp[13], *b = g[1].disp[13]; /* the upper lip did not move */
    for (int c = 0; c < 2; c++)
        assert_true(fabsf(between.m[c][0] * a[0] + between.m[c][1] * a[1] + between.m[c][2] -
                          b[c]) < .1f);
    struct render_plane edgewise = {{{1, 2, 0}, {2, 4, 0}}};
    assert_false(render_plane_between(&edgewise, &plane[1], &between));
    float flat[DATA_FACE_POINTS][3] = {{0}}; /* no shape, no camera */
    float nowhere[DATA_FACE_POINTS][2] = {{0}};
    assert_false(render_skull_fit((const float(*)[3])flat, (const float(*)[2])nowhere, &skull[0]));
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_mouth_is_left_alone),
        cmocka_unit_test(nothing_above_the_nose_changes),
        cmocka_unit_test(lips_end_where_they_were_wished),
        cmocka_unit_test(runs_are_repeatable),
        cmocka_unit_test(any_form_and_place),
        cmocka_unit_test(nonsense_geometry_is_declined),
        cmocka_unit_test(the_low_band_is_shared),
        cmocka_unit_test(the_skull_is_found_in_another_picture),
        cmocka_unit_test(stored_otherwise_looks_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
