/* SPDX-License-Identifier: MIT
 * Every allocation fails once: an error comes back, nothing leaks (the sanitizers look), and what
 * is done again afterwards is whole. And the reader of the mesh file, cut at every length. */
#include "unit/render/scene.h"

#include "base/fs.h"
#include "base/status.h"
#include "blend/blend.h"

static int whole_job(const struct scene *s, struct data_frame *frame,
                     const struct data_face_geom *g, const float wish[DATA_FACE_POINTS][3])
{
    struct data_bank bank;
    struct data_patch patch;
    struct render_selector *selector = NULL;
    struct render_canvas *canvas = NULL;
    struct blend_canvas *blend = NULL;
    struct render_choice choice = {{-1, -1}, {0, 0}};
    data_bank_init(&bank);
    data_patch_init(&patch);
    int r = render_bank_add(&bank, &s->film, frame, g, NULL);
    if (r == 0)
        r = render_bank_finish(&bank);
    if (r == 0)
        r = render_selector_create(&bank, &selector);
    if (r == 0)
        r = render_selector_push(selector, g, wish, false);
    if (r == 0) {
        render_selector_flush(selector);
        if (!render_selector_pull(selector, &choice))
            r = LIP_ERR_NOMEM;
    }
    if (r == 0)
        r = render_canvas_create(s->mesh, &s->film, &canvas);
    if (r == 0)
        r = blend_canvas_create(&blend);
    if (r == 0)
        r = render_canvas_draw(canvas, &bank, &s->person, frame, g, wish, &choice, &patch, NULL);
    if (r == 0)
        r = blend_canvas_apply(blend, &patch, frame, NULL, NULL);
    render_selector_destroy(&selector);
    render_canvas_destroy(&canvas);
    blend_canvas_destroy(&blend);
    data_bank_done(&bank);
    data_patch_done(&patch);
    return r;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct scene s;
    struct data_face_geom g;
    float wish[DATA_FACE_POINTS][3];
    scene_open(&s, 160, 150);
    scene_wish(&s, .02f, wish);
    scene_geom(&s, (const float(*)[3])wish, 80, 65, 45, 0, 0, &g);
    struct data_frame *f = scene_frame(&s, &g, DATA_LAYOUT_YUV, 8, 1, 1);
    scene_wish(&s, .2f, wish);
    uint64_t nth = 1;
    for (;; nth++) {
        base_alloc_fail_nth(nth);
        int r = whole_job(&s, f, &g, (const float(*)[3])wish);
        uint64_t made = base_alloc_fail_nth(0);
        assert_true(nth < 1000);
        if (made < nth) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, LIP_ERR_NOMEM);
    }
    assert_true(nth > 15);
    data_frame_unref(&f);
    scene_close(&s);
}

static void a_cut_mesh_file_is_refused(void **state)
{
    (void)state;
    char path[1024];
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct scene s;
    scene_open(&s, 8, 8);
    scene_close(&s);
    snprintf(path, sizeof path, "%s/face_geometry.bin", getenv("LIPSYNC_MODELS"));
    assert_int_equal(base_fs_read(path, 1 << 20, &bytes, &n, NULL), 0);
    for (size_t cut = 0; cut < n; cut += 1 + cut / 16) {
        struct render_mesh *mesh = NULL;
        assert_int_equal(render_mesh_parse(bytes, cut, &mesh, NULL), LIP_ERR_MODEL);
        assert_null(mesh);
    }
    struct render_mesh *mesh = NULL;
    uint8_t old = bytes[n - 1];
    bytes[n - 1] = 0xff; /* a point that does not exist */
    assert_int_equal(render_mesh_parse(bytes, n, &mesh, NULL), LIP_ERR_MODEL);
    bytes[n - 1] = old;
    assert_int_equal(render_mesh_parse(bytes, n, &mesh, NULL), 0);
    render_mesh_close(&mesh);
    assert_int_equal(render_mesh_open("does-not-exist", &mesh, NULL), LIP_ERR_NOT_FOUND);
    base_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_cut_mesh_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
