/* SPDX-License-Identifier: MIT
 * The nn room: the fake backend, the error paths, and threads that share one net. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "nn/nn.h"

static int double_it(void *user, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                     struct nn_tensor *outputs, size_t n_outputs)
{
    const float *in = inputs[0].data;
    float *out = outputs[0].data;

    if (strcmp(model, "face_mesh") != 0 || n_inputs != 1 || n_outputs != 1)
        return LIP_ERR_MODEL;
    for (int64_t i = 0; i < inputs[0].dims[0]; i++)
        out[i] = 2.0f * in[i];
    ++*(int *)user;
    return 0;
}

static void fake_backend_runs(void **state)
{
    float in[3] = {1, 2, 3}, out[3] = {0};
    struct nn_tensor a = {NULL, NN_F32, 1, {3}, in}, b = {NULL, NN_F32, 1, {3}, out}, t;
    struct nn_runtime *rt = NULL;
    struct nn_model *model = NULL, *other = NULL;
    struct lip_error err = {0};
    int n_calls = 0;

    (void)state;
    assert_int_equal(nn_runtime_open_fake(NULL, NULL, &rt), LIP_ERR_ARG);
    assert_int_equal(nn_runtime_open_fake(double_it, &n_calls, &rt), 0);
    assert_string_equal(nn_runtime_version(rt), "fake");
    assert_string_equal(nn_runtime_devices(rt), "cpu");
    assert_int_equal(nn_model_open(rt, "no/such/folder/face_mesh.onnx", &model, &err), 0);
    assert_int_equal(nn_model_run(model, &a, 1, &b, 1, &err), 0);
    assert_true(out[0] == 2 && out[1] == 4 && out[2] == 6);
    assert_int_equal(n_calls, 1);
    assert_int_equal(nn_model_n_inputs(model), 0);
    assert_int_equal(nn_model_input(model, 0, &t), LIP_ERR_ARG);
    assert_int_equal(nn_model_open(rt, "other.onnx", &other, &err), 0);
    assert_int_equal(nn_model_run(other, &a, 1, &b, 1, &err), LIP_ERR_MODEL);
    assert_int_equal(err.code, LIP_ERR_MODEL);
    nn_model_close(&other);
    nn_model_close(&model);
    nn_runtime_close(&rt);
    assert_null(model);
    assert_null(rt);
    nn_model_close(&model);
    nn_runtime_close(&rt);
}

static void bad_arguments_are_refused(void **state)
{
    float v[3];
    struct nn_tensor good = {NULL, NN_F32, 1, {3}, v}, bad = good;
    struct nn_runtime *rt = NULL;
    struct nn_model *model = NULL;
    int n_calls = 0;

    (void)state;
    assert_int_equal(nn_runtime_open(NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(nn_runtime_open_fake(double_it, &n_calls, &rt), 0);
    assert_int_equal(nn_model_open(NULL, "x", &model, NULL), LIP_ERR_ARG);
    assert_int_equal(nn_model_open(rt, NULL, &model, NULL), LIP_ERR_ARG);
    assert_int_equal(nn_model_open(rt, "x", NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(nn_model_open(rt, "face_mesh", &model, NULL), 0);
    assert_int_equal(nn_model_run(NULL, &good, 1, &good, 1, NULL), LIP_ERR_ARG);
    assert_int_equal(nn_model_run(model, NULL, 1, &good, 1, NULL), LIP_ERR_ARG);
    bad.data = NULL;
    assert_int_equal(nn_model_run(model, &bad, 1, &good, 1, NULL), LIP_ERR_ARG);
    bad = good;
    bad.dims[0] = -1;
    assert_int_equal(nn_model_run(model, &good, 1, &bad, 1, NULL), LIP_ERR_ARG);
    bad = good;
    bad.n_dims = NN_DIMS_MAX + 1;
    assert_int_equal(nn_model_run(model, &good, 1, &bad, 1, NULL), LIP_ERR_ARG);
    assert_int_equal(n_calls, 0);
    nn_model_close(&model);
    nn_runtime_close(&rt);
}

static void missing_library_says_so(void **state)
{
    struct nn_params params = {.library = "/no/such/libonnxruntime.so.1"};
    struct nn_runtime *rt = NULL;
    struct lip_error err = {0};

    (void)state;
    assert_int_equal(nn_runtime_open(&params, &rt, &err), LIP_ERR_MODEL);
    assert_null(rt);
    assert_non_null(strstr(err.text, params.library));
    params.library = "libm.so.6"; /* a library, but not this one */
    err = (struct lip_error){0};
    assert_int_equal(nn_runtime_open(&params, &rt, &err), LIP_ERR_MODEL);
    assert_non_null(strstr(err.text, "not ONNX Runtime"));
    assert_null(strchr(err.text, '\n'));
}

/* The real runtime, or NULL after a printed reason. */
static struct nn_runtime *open_real(void)
{
    struct nn_runtime *rt = NULL;
    struct lip_error err = {0};

    if (nn_runtime_open(NULL, &rt, &err) < 0)
        printf("skipped: %s\n", err.text);
    return rt;
}

static void unknown_device_names_what_there_is(void **state)
{
    static const char *const names[] = {"abacus", "cuda", "cp"};
    struct nn_runtime *rt = open_real(), *none = NULL;

    (void)state;
    if (!rt)
        skip();
    assert_non_null(strstr(nn_runtime_devices(rt), "cpu"));
    assert_true(nn_runtime_version(rt)[0] == '1');
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        struct nn_params params = {.device = names[i]};
        struct lip_error err = {0};

        if (nn_runtime_open(&params, &none, &err) == 0 && strcmp(names[i], "cuda") == 0) {
            nn_runtime_close(&none); /* a machine that has one */
            continue;
        }
        assert_int_equal(err.code, LIP_ERR_DEVICE);
        assert_null(none);
        assert_non_null(strstr(err.text, names[i]));
        assert_non_null(strstr(err.text, nn_runtime_devices(rt)));
    }
    nn_runtime_close(&rt);
}

static void missing_or_damaged_net_says_so(void **state)
{
    static const char path[] = "nn_test_damaged.onnx";
    struct nn_runtime *rt = open_real();
    struct nn_model *model = NULL;
    struct lip_error err = {0};

    (void)state;
    if (!rt)
        skip();
    assert_int_equal(nn_model_open(rt, "no/such/net.onnx", &model, &err), LIP_ERR_MODEL);
    assert_non_null(strstr(err.text, "'net'"));
    assert_null(model);
    err = (struct lip_error){0};
    assert_int_equal(base_fs_write(path, "this is no net", 14, &err), 0);
    assert_int_equal(nn_model_open(rt, path, &model, &err), LIP_ERR_MODEL);
    assert_null(strchr(err.text, '\n'));
    assert_null(model);
    base_fs_remove(path);
    nn_runtime_close(&rt);
}

/* The short-range detector of the build, or NULL after a printed reason. */
static struct nn_model *open_detector(struct nn_runtime *rt)
{
    const char *folder = getenv("LIPSYNC_MODELS");
    struct nn_model *model = NULL;
    struct lip_error err = {0};
    char path[4096];

    snprintf(path, sizeof(path), "%s/face_detector_short.onnx", folder ? folder : ".");
    if (!base_fs_exists(path)) {
        printf("skipped: no nets in LIPSYNC_MODELS\n");
        return NULL;
    }
    if (nn_model_open(rt, path, &model, &err) < 0)
        fail_msg("%s", err.text);
    return model;
}

/* Each of our allocations fails once while a runtime and a net are opened. */
static void memory_runs_out(void **state)
{
    struct nn_runtime *rt = open_real();
    struct nn_model *model = rt ? open_detector(rt) : NULL;
    const char *folder = getenv("LIPSYNC_MODELS");
    char path[4096];
    int status = LIP_ERR_NOMEM;

    (void)state;
    nn_model_close(&model);
    nn_runtime_close(&rt);
    snprintf(path, sizeof(path), "%s/face_detector_short.onnx", folder ? folder : ".");
    if (!base_fs_exists(path))
        skip();
    for (uint64_t n = 1; status < 0 && n < 100; n++) {
        struct lip_error err = {0};

        base_alloc_fail_nth(n);
        status = nn_runtime_open(NULL, &rt, &err);
        if (status == 0)
            status = nn_model_open(rt, path, &model, &err);
        base_alloc_fail_nth(0);
        assert_true(status == 0 || status == LIP_ERR_NOMEM);
        assert_true((status == 0) == (model != NULL));
        nn_model_close(&model);
        nn_runtime_close(&rt);
    }
    assert_int_equal(status, 0);
}

enum { IMAGE = 128 * 128 * 3, N_REGRESSORS = 896 * 16, N_SCORES = 896, N_THREADS = 4 };

struct job {
    struct nn_model *model;
    float image[IMAGE], regressors[N_REGRESSORS], scores[N_SCORES];
    int status;
};

static void detect(void *arg)
{
    struct job *j = arg;
    struct nn_tensor in = {NULL, NN_F32, 4, {1, 128, 128, 3}, j->image};
    struct nn_tensor out[2] = {{"scores", NN_F32, 1, {N_SCORES}, j->scores},
                               {"regressors", NN_F32, 2, {896, 16}, j->regressors}};

    for (int i = 0; i < 3 && (i == 0 || j->status == 0); i++)
        j->status = nn_model_run(j->model, &in, 1, out, 2, NULL);
}

static void fill(struct job *j, struct nn_model *model)
{
    memset(j, 0, sizeof(*j));
    j->model = model;
    for (int i = 0; i < IMAGE; i++)
        j->image[i] = (float)((i * 37 + i / 911) % 256) / 127.5f - 1.0f;
}

/* The same image gives the same bits, alone and beside others. */
static void threads_share_a_net(void **state)
{
    struct nn_runtime *rt = open_real();
    struct nn_model *model = rt ? open_detector(rt) : NULL;
    struct base_thread *threads[N_THREADS] = {0};
    struct job *jobs;

    (void)state;
    if (!model) {
        nn_runtime_close(&rt);
        skip();
    }
    jobs = calloc(N_THREADS + 1, sizeof(*jobs));
    assert_non_null(jobs);
    for (int i = 0; i <= N_THREADS; i++)
        fill(&jobs[i], model);
    detect(&jobs[N_THREADS]);
    assert_int_equal(jobs[N_THREADS].status, 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(base_thread_start(detect, &jobs[i], &threads[i]), 0);
    for (int i = 0; i < N_THREADS; i++) {
        base_thread_join(&threads[i]);
        assert_int_equal(jobs[i].status, 0);
        assert_memory_equal(jobs[i].scores, jobs[N_THREADS].scores, sizeof(jobs[i].scores));
        assert_memory_equal(jobs[i].regressors, jobs[N_THREADS].regressors,
                            sizeof(jobs[i].regressors));
    }
    assert_true(jobs[0].scores[0] != 0.0f);
    free(jobs);
    nn_model_close(&model);
    nn_runtime_close(&rt);
}

static void expect_refusal(struct nn_model *model, const struct nn_tensor *in, size_t n_in,
                           struct nn_tensor *out, const char *word)
{
    struct lip_error err = {0};

    assert_int_equal(nn_model_run(model, in, n_in, out, 1, &err), LIP_ERR_MODEL);
    assert_non_null(strstr(err.text, word));
}

static void wrong_tensors_are_named(void **state)
{
    struct nn_runtime *rt = open_real();
    struct nn_model *model = rt ? open_detector(rt) : NULL;
    struct nn_tensor in = {"image", NN_F32, 4, {1, 128, 128, 3}, NULL}, bad_in;
    struct nn_tensor out = {"scores", NN_F32, 1, {N_SCORES}, NULL}, bad_out, t;
    struct lip_error err = {0};
    struct job *j;

    (void)state;
    if (!model) {
        nn_runtime_close(&rt);
        skip();
    }
    j = malloc(sizeof(*j));
    assert_non_null(j);
    fill(j, model);
    in.data = j->image;
    out.data = j->scores;
    assert_int_equal(nn_model_n_inputs(model), 1);
    assert_int_equal(nn_model_n_outputs(model), 2);
    assert_int_equal(nn_model_input(model, 0, &t), 0);
    assert_string_equal(t.name, "image");
    assert_int_equal(t.n_dims, 4);
    assert_int_equal(t.dims[1], 128);
    assert_int_equal(nn_model_output(model, 2, &t), LIP_ERR_ARG);
    assert_int_equal(nn_model_run(model, &in, 1, &out, 1, &err), 0);
    bad_in = in;
    bad_in.dims[1] = 64;
    expect_refusal(model, &bad_in, 1, &out, "'image'");
    bad_in = in;
    bad_in.type = NN_I64;
    expect_refusal(model, &bad_in, 1, &out, "'image'");
    bad_in = in;
    bad_in.name = "picture";
    expect_refusal(model, &bad_in, 1, &out, "'picture'");
    expect_refusal(model, &in, 0, &out, "1 inputs");
    bad_out = out;
    bad_out.dims[0] = N_SCORES - 1;
    expect_refusal(model, &in, 1, &bad_out, "'scores'");
    free(j);
    nn_model_close(&model);
    nn_runtime_close(&rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fake_backend_runs),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(missing_library_says_so),
        cmocka_unit_test(unknown_device_names_what_there_is),
        cmocka_unit_test(missing_or_damaged_net_says_so),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(threads_share_a_net),
        cmocka_unit_test(wrong_tensors_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
