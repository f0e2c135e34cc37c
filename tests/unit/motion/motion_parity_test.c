/* SPDX-License-Identifier: MIT
 * The features and what the head says equal those that train/motion/export.py computes with torch.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "unit/motion/make.h"

static char path[4096];

static const char *below_root(const char *name)
{
    assert_non_null(getenv("LIPSYNC_SOURCE_ROOT"));
    snprintf(path, sizeof(path), "%s/%s", getenv("LIPSYNC_SOURCE_ROOT"), name);
    return path;
}

static struct motion_model *open_model(void)
{
    struct motion_model *model = NULL;
    struct lip_error err = {0};

    assert_int_equal(motion_model_open(NULL, below_root("models/motion"), &model, &err), 0);
    return model;
}

static struct motion_model *open_live(void)
{
    struct motion_model *model = NULL;
    struct lip_error err = {0};

    assert_int_equal(motion_model_open_live(below_root("models/motion"), &model, &err), 0);
    return model;
}

static struct motion_model *open_visemes(void)
{
    struct motion_model *model = NULL;
    struct lip_error err = {0};

    assert_int_equal(motion_model_open_visemes(below_root("models/motion"), &model, &err), 0);
    return model;
}

static void compare_with_torch(const struct motion_model *model, const char *vectors)
{
    struct motion_trunk *trunk = NULL;
    struct base_reader rows, embeds, features, said;
    struct lip_error err = {0};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0, n_seen = 0, at;
    uint32_t n_rows, n_samples;
    double worst = 0.0, worst_said = 0.0;

    assert_int_equal(base_fs_read(below_root(vectors), 1 << 20, &bytes, &n_bytes, &err), 0);
    base_reader_init(&rows, bytes, n_bytes);
    assert_memory_equal(base_reader_take(&rows, 8), "LIPMTVEC", 8);
    n_rows = base_reader_u32(&rows);
    n_samples = base_reader_u32(&rows);
    assert_int_equal(base_reader_u32(&rows), model->head.n_features);
    assert_int_equal(base_reader_u32(&rows), model->head.n_rows);
    embeds = features = said = rows;
    at = (size_t)n_rows * MOTION_INPUTS * 4;
    base_reader_take(&embeds, at);
    at += (size_t)(n_rows / 2) * DATA_SOUND_EMBED * 4;
    base_reader_take(&features, at);
    at += (size_t)n_samples * model->head.n_features * 4;
    base_reader_take(&said, at);

    assert_int_equal(motion_trunk_create(model, &trunk), 0);
    for (uint32_t i = 0; i <= n_rows; i++) {
        static struct data_sound_row row;
        const float *x;
        float voice, head[DATA_VISEMES]; /* the largest of the heads */
        if (i < n_rows) {
            base_reader_f32s(&rows, row.mel, DATA_SOUND_BANDS);
            row.energy_log = base_reader_f32(&rows);
            row.voice = base_reader_f32(&rows);
            if (i % 2 == 0)
                base_reader_f32s(&embeds, row.embed, DATA_SOUND_EMBED);
            assert_int_equal(motion_trunk_push(trunk, &row), 0);
        } else {
            assert_int_equal(motion_trunk_flush(trunk), 0);
        }
        for (; motion_trunk_pull(trunk, &x, &voice); n_seen++) {
            motion_head_apply(&model->head, x, head);
            for (uint32_t f = 0; f < model->head.n_features; f++)
                worst = fmax(worst, fabs(x[f] - base_reader_f32(&features)));
            for (uint32_t r = 0; r < model->head.n_rows; r++)
                worst_said = fmax(worst_said, fabs(head[r] - base_reader_f32(&said)));
        }
    }
    assert_int_equal(n_seen, n_samples);
    assert_false(rows.failed || features.failed || said.failed);
    assert_int_equal(said.at, said.size);
    print_message("largest difference: features %.2g, head %.2g\n", worst, worst_said);
    assert_true(worst < 1e-3 && worst_said < 1e-3);
    motion_trunk_destroy(&trunk);
    base_free(bytes);
}

static void test_net_and_head_equal_those_of_torch(void **state)
{
    struct motion_model *model = open_model();

    (void)state;
    assert_null(motion_model_prior(model));
    compare_with_torch(model, "tests/parity/motion_vectors.bin");
    motion_model_close(&model);
}

static void test_so_do_those_of_the_live_net(void **state)
{
    struct motion_model *model = open_live();

    (void)state;
    assert_non_null(motion_model_prior(model));
    assert_int_equal(model->n_features, model->head.n_features);
    compare_with_torch(model, "tests/parity/live_vectors.bin");
    motion_model_close(&model);
}

static void test_so_do_those_of_the_net_that_hears_visemes(void **state)
{
    struct motion_model *model = open_visemes();
    struct motion_visemes *visemes = NULL;
    static struct data_sound_row row;
    float shares[DATA_VISEMES];
    int n = 0;

    (void)state;
    assert_int_equal(model->n_features, model->head.n_features);
    compare_with_torch(model, "tests/parity/viseme_vectors.bin");
    assert_int_equal(motion_visemes_create(model, &visemes, NULL), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(motion_visemes_push(visemes, &row, NULL), 0);
    assert_int_equal(motion_visemes_flush(visemes, NULL), 0);
    for (; motion_visemes_pull(visemes, shares); n++) {
        float sum = 0.0f;
        for (int v = 0; v < DATA_VISEMES; v++)
            sum += shares[v];
        assert_true(fabsf(sum - 1.0f) < 1e-5f);
    }
    assert_true(n > 0 && n <= 21); /* pushes without pulls lose what they finished before */
    motion_visemes_destroy(&visemes);
    motion_visemes_destroy(&visemes);
    motion_model_close(&model);
}

/* Rows that a sample waits for: its own look-ahead and one sample of smoothing. */
static void test_the_live_net_waits_for_less_than_it_promises(void **state)
{
    struct motion_model *model = open_live();
    struct data_person person;
    int row = -1; /* of sample 0 */

    (void)state;
    for (uint32_t i = 0; i < model->n_layers; i++)
        row += (i == 0 ? 1 : 2) * model->layers[i].taps[model->layers[i].n_taps - 1];
    row += 2;
    /* The row's centre, and a chunk of 32 ms that holds it and has just begun. */
    assert_true(10 * row + 12.5 + 32.0 < MOTION_LIVE_AHEAD_MS);
    assert_true(motion_model_average(model, &person));
    assert_true(person.rest[308][0] - person.rest[78][0] > 0.4f);
    assert_true(person.opening_pct[4] > person.opening_pct[0] + 0.05f);
    assert_true(person.width_pct[4] > person.width_pct[0]);
    motion_model_close(&model);
    model = open_model();
    assert_false(motion_model_average(model, &person));
    motion_model_close(&model);
}

static void test_the_basis_is_orthonormal_and_opens_the_mouth(void **state)
{
    struct motion_model *model = open_model();
    const struct data_basis *basis = motion_model_basis(model);
    static const int above[] = {33, 263, 10, 168, 6};

    (void)state;
    for (int a = 0; a < DATA_CURVE_DIMS; a++)
        for (int b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int p = 0; p < DATA_MESH_POINTS; p++)
                for (int c = 0; c < 3; c++)
                    sum += (double)basis->comp[a][p][c] * basis->comp[b][p][c];
            assert_true(fabs(sum - (a == b)) < 1e-4);
        }
    for (int a = 0; a < DATA_CURVE_DIMS; a++) {
        assert_true(basis->sd[a] > 0.0f);
        for (int i = 0; i < 5; i++)
            for (int c = 0; c < 3; c++)
                assert_float_equal(basis->comp[a][above[i]][c], 0.0f, 1e-6);
    }
    assert_true(basis->comp[0][14][1] > basis->comp[0][13][1] + 0.03f);
    motion_model_close(&model);
}

static void test_damaged_weights_are_refused(void **state)
{
    struct motion_model *model = NULL;
    struct lip_error err = {0};

    (void)state;
    assert_int_equal(motion_model_open(NULL, "/nowhere", &model, &err), LIP_ERR_MODEL);
    assert_null(model);
    assert_true(err.text[0] != 0);
    assert_int_equal(motion_model_open_live("/nowhere", &model, NULL), LIP_ERR_MODEL);
    assert_null(model);
    assert_int_equal(motion_model_open_visemes("/nowhere", &model, NULL), LIP_ERR_MODEL);
    assert_null(model);
}

#define N_ROWS 101
#define N_SAMPLES (N_ROWS / 2 + 1)
#define N_WIDE (6 * MAKE_FEATURES) /* the last layer, the first, and four shifted copies */

static size_t run_trunk(const struct motion_model *model, const struct data_sound_row *rows,
                        float *ret_features)
{
    struct motion_trunk *trunk = NULL;
    const float *x;
    float voice;
    size_t n = 0;

    assert_int_equal(motion_trunk_create(model, &trunk), 0);
    for (size_t i = 0; i <= N_ROWS; i++) {
        assert_int_equal(
            i < N_ROWS ? motion_trunk_push(trunk, &rows[i]) : motion_trunk_flush(trunk), 0);
        for (; motion_trunk_pull(trunk, &x, &voice); n++) {
            assert_true(n < N_SAMPLES);
            memcpy(ret_features + n * model->n_features, x, model->n_features * sizeof(float));
        }
    }
    motion_trunk_destroy(&trunk);
    return n;
}

static void test_a_wide_model_gives_other_moments_too(void **state)
{
    static struct data_sound_row rows[N_ROWS];
    static float narrow[N_SAMPLES * MAKE_FEATURES], wide[N_SAMPLES * N_WIDE];
    static const int shifts[] = {-6, -3, 3, 6};
    struct motion_model *model = make_model();

    (void)state;
    make_rows(rows, N_ROWS, 5);
    assert_int_equal(run_trunk(model, rows, narrow), N_SAMPLES);
    model->wide = true;
    model->n_features = motion_trunk_wide(model);
    assert_int_equal(model->n_features, N_WIDE);
    assert_int_equal(motion_trunk_shifted(model), 4 * MAKE_FEATURES);
    assert_int_equal(run_trunk(model, rows, wide), N_SAMPLES);
    for (int j = 0; j < N_SAMPLES; j++) {
        assert_memory_equal(wide + j * N_WIDE, narrow + j * MAKE_FEATURES,
                            MAKE_FEATURES * sizeof(float));
        for (int s = 0; s < 4; s++)
            if (j + shifts[s] >= 0 && j + shifts[s] < N_SAMPLES)
                assert_memory_equal(wide + j * N_WIDE + (2 + s) * MAKE_FEATURES,
                                    narrow + (j + shifts[s]) * MAKE_FEATURES,
                                    MAKE_FEATURES * sizeof(float));
    }
    motion_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wide_model_gives_other_moments_too),
        cmocka_unit_test(test_net_and_head_equal_those_of_torch),
        cmocka_unit_test(test_so_do_those_of_the_live_net),
        cmocka_unit_test(test_so_do_those_of_the_net_that_hears_visemes),
        cmocka_unit_test(test_the_live_net_waits_for_less_than_it_promises),
        cmocka_unit_test(test_the_basis_is_orthonormal_and_opens_the_mouth),
        cmocka_unit_test(test_damaged_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
