/* SPDX-License-Identifier: MIT
 *
 * nets_run <net.onnx> <input.f32> <output.f32> <repeats>
 *
 * Runs a net with one float input of fixed shape through src/nn, writes its outputs one after the
 * other, and prints the median time of the repeats in milliseconds. Exit 77: no ONNX Runtime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "nn/nn.h"

#define OUTPUTS_MAX 8
#define REPEATS_MAX 1000

static size_t n_elements(const struct nn_tensor *t)
{
    size_t n = 1;

    for (int d = 0; d < t->n_dims; d++)
        n *= (size_t)t->dims[d];
    return n;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int fail(const struct lip_error *err)
{
    fprintf(stderr, "nets_run: %s: %s\n", err->where, err->text);
    return 1;
}

/* Runs `repeats` times; the outputs stand one after the other in `out`. */
static int measure(struct nn_model *model, struct nn_tensor *in, float *out, int repeats,
                   struct lip_error *err)
{
    struct nn_tensor outputs[OUTPUTS_MAX];
    size_t n = nn_model_n_outputs(model), at = 0;
    int64_t times[REPEATS_MAX];

    for (size_t i = 0; i < n; i++) {
        nn_model_output(model, i, &outputs[i]);
        outputs[i].data = out + at;
        at += n_elements(&outputs[i]);
    }
    for (int r = 0; r < repeats; r++) {
        int64_t start = base_time_us();
        int status = nn_model_run(model, in, 1, outputs, n, err);

        if (status < 0)
            return status;
        times[r] = base_time_us() - start;
    }
    qsort(times, (size_t)repeats, sizeof(times[0]), compare_times);
    printf("%.2f\n", (double)times[repeats / 2] / 1000.0);
    return 0;
}

static int run(struct nn_runtime *rt, char **argv, struct lip_error *err)
{
    struct nn_model *model = NULL;
    struct nn_tensor in, t;
    uint8_t *bytes = NULL;
    float *out = NULL;
    size_t n_bytes = 0, n_out = 0;
    int repeats = (int)strtol(argv[4], NULL, 10);
    int status = nn_model_open(rt, argv[1], &model, err);

    if (status == 0)
        status = base_fs_read(argv[2], (size_t)64 << 20, &bytes, &n_bytes, err);
    if (status == 0 &&
        (nn_model_input(model, 0, &in) < 0 || n_bytes != 4 * n_elements(&in) ||
         nn_model_n_outputs(model) > OUTPUTS_MAX || repeats < 1 || repeats > REPEATS_MAX))
        status = base_error_set(err, LIP_ERR_ARG, "nets_run", "the input does not fit the net");
    for (size_t i = 0; status == 0 && nn_model_output(model, i, &t) == 0; i++)
        n_out += n_elements(&t);
    if (status == 0) {
        in.data = bytes;
        out = base_alloc_array(n_out, sizeof(*out));
        status = out ? measure(model, &in, out, repeats, err) : base_error_nomem(err, "nets_run");
    }
    if (status == 0)
        status = base_fs_write(argv[3], out, 4 * n_out, err);
    base_free(bytes);
    base_free(out);
    nn_model_close(&model);
    return status;
}

int main(int argc, char **argv)
{
    struct nn_runtime *rt = NULL;
    struct lip_error err = {0};
    int status;

    if (argc != 5) {
        fprintf(stderr, "usage: nets_run <net.onnx> <input.f32> <output.f32> <repeats>\n");
        return 2;
    }
    if (nn_runtime_open(NULL, &rt, &err) < 0) {
        fprintf(stderr, "skipped: %s\n", err.text);
        return 77;
    }
    status = run(rt, argv, &err);
    nn_runtime_close(&rt);
    return status < 0 ? fail(&err) : 0;
}
