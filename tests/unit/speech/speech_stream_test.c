/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "speech/speech.h"

#define RATE DATA_SOUND_RATE_HZ

/* A stand-in for the voice net: the probability is the chunk's loudest sample, and the state counts
 * chunks, so that a lost context, state or chunk shows. */
struct fake {
    int n_runs, n_bad;
    float last_tail;
};

static int fake_vad(void *user, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                    struct nn_tensor *outputs, size_t n_outputs)
{
    struct fake *fake = user;
    const float *input = inputs[0].data, *state = inputs[1].data;
    float peak = 0.0f;

    if (strcmp(model, "silero_vad") != 0 || n_inputs != 3 || n_outputs != 2 ||
        inputs[0].dims[1] != 576 || *(const int64_t *)inputs[2].data != RATE)
        fake->n_bad++;
    if (input[63] != fake->last_tail || state[0] != (float)fake->n_runs)
        fake->n_bad++;
    fake->last_tail = input[575];
    fake->n_runs++;
    for (int i = 64; i < 576; i++)
        peak = fmaxf(peak, fabsf(input[i]));
    *(float *)outputs[0].data = peak;
    ((float *)outputs[1].data)[0] = (float)fake->n_runs;
    return 0;
}

static void fill_noise(float *samples, size_t n)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] =
            ((float)(seed >> 8) / 8388608.0f - 1.0f) * (0.05f + 0.9f * (float)i / (float)n);
    }
}

static size_t run(struct nn_runtime *runtime, const float *samples, size_t n, size_t piece,
                  struct data_sound_row *ret_rows, size_t max)
{
    struct speech_stream *stream = NULL;
    struct lip_error err = {0};
    size_t n_rows = 0;

    assert_int_equal(speech_stream_create(runtime, ".", false, &stream, &err), 0);
    for (size_t at = 0; at < n; at += piece) {
        size_t now = n - at < piece ? n - at : piece;
        assert_int_equal(speech_stream_push(stream, samples + at, now, &err), 0);
        while (n_rows < max && speech_stream_pull(stream, &ret_rows[n_rows]))
            n_rows++;
    }
    assert_int_equal(speech_stream_flush(stream, &err), 0);
    while (n_rows < max && speech_stream_pull(stream, &ret_rows[n_rows]))
        n_rows++;
    assert_int_equal(speech_stream_push(stream, samples, 1, &err), LIP_ERR_STATE);
    speech_stream_destroy(&stream);
    assert_null(stream);
    return n_rows;
}

#define N_SAMPLES 20011
static struct data_sound_row rows_a[200], rows_b[200];
static float noise[N_SAMPLES];

static void test_any_chunk_size_gives_the_same_rows(void **state)
{
    static const size_t pieces[] = {1, 7, 160, 511, 512, 4096, 400};
    struct fake fake_a = {0};
    struct nn_runtime *runtime = NULL;
    size_t n;

    (void)state;
    fill_noise(noise, N_SAMPLES);
    assert_int_equal(nn_runtime_open_fake(fake_vad, &fake_a, &runtime), 0);
    n = run(runtime, noise, N_SAMPLES, N_SAMPLES, rows_a, 200);
    assert_int_equal(n, (N_SAMPLES - 200 + 159) / 160);
    assert_int_equal(fake_a.n_bad, 0);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        memset(&fake_a, 0, sizeof(fake_a));
        memset(rows_b, 0, sizeof(rows_b));
        assert_int_equal(run(runtime, noise, N_SAMPLES, pieces[i], rows_b, 200), n);
        assert_memory_equal(rows_a, rows_b, n * sizeof(rows_a[0]));
    }
    nn_runtime_close(&runtime);
}

static void test_voice_is_that_of_the_chunk_at_the_centre(void **state)
{
    struct fake fake = {0};
    struct nn_runtime *runtime = NULL;
    size_t n;

    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) /* chunk c is at level (c + 1) / 64 */
        noise[i] = (float)(i / 512 + 1) / 64.0f;
    assert_int_equal(nn_runtime_open_fake(fake_vad, &fake, &runtime), 0);
    n = run(runtime, noise, N_SAMPLES, 333, rows_a, 200);
    assert_true(n > 100);
    for (size_t i = 0; i < n; i++)
        assert_float_equal(rows_a[i].voice, (float)((i * 160 + 200) / 512 + 1) / 64.0f, 1e-6);
    nn_runtime_close(&runtime);
}

static void test_energy_alone_hears_a_burst(void **state)
{
    size_t n;

    (void)state;
    fill_noise(noise, N_SAMPLES);
    for (size_t i = 0; i < N_SAMPLES; i++)
        noise[i] *= i > 8000 && i < 14000 ? 0.5f : 0.0005f;
    n = run(NULL, noise, N_SAMPLES, 1000, rows_a, 200);
    assert_true(rows_a[30].voice < 0.1f);
    assert_true(rows_a[65].voice > 0.9f);
    assert_true(rows_a[n - 5].voice < 0.1f);
}

static void test_short_and_damaged_sound(void **state)
{
    float bad[1600];

    (void)state;
    for (size_t i = 0; i < 1600; i++)
        bad[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : 1e30f;
    assert_int_equal(run(NULL, bad, 0, 1, rows_a, 200), 0);
    assert_int_equal(run(NULL, bad, 200, 1, rows_a, 200), 0);
    assert_int_equal(run(NULL, bad, 201, 1, rows_a, 200), 1);
    assert_int_equal(run(NULL, bad, 1600, 99, rows_a, 200), 9);
    for (size_t i = 0; i < 9; i++) {
        assert_float_equal(rows_a[i].energy_log, logf(1e-10f), 1e-4);
        for (int b = 0; b < DATA_SOUND_BANDS; b++)
            assert_float_equal(rows_a[i].mel[b], logf(1e-10f), 1e-4);
    }
}

static void test_a_tone_lands_in_its_band(void **state)
{
    int best = 0;

    (void)state;
    for (size_t i = 0; i < N_SAMPLES;
         i++) /* 1000 Hz = 1000 mel; bands are 33.0 mel apart from 78 */
        noise[i] = 0.5f * sinf(6.28318531f * 1000.0f * (float)i / RATE);
    run(NULL, noise, N_SAMPLES, 1000, rows_a, 200);
    for (int b = 1; b < DATA_SOUND_BANDS; b++)
        if (rows_a[50].mel[b] > rows_a[50].mel[best])
            best = b;
    assert_in_range(best, 26, 28);
    assert_float_equal(rows_a[50].energy_log, logf(0.125f), 0.01);
}

static void test_a_missing_net_is_said(void **state)
{
    struct lip_error err = {0};
    struct nn_runtime *runtime = NULL;
    struct speech_stream *stream = NULL;

    (void)state;
    if (nn_runtime_open(NULL, &runtime, &err) < 0) {
        print_message("skipped: no ONNX Runtime here\n");
        skip();
    }
    assert_int_equal(speech_stream_create(runtime, "/nowhere", true, &stream, &err), LIP_ERR_MODEL);
    assert_null(stream);
    nn_runtime_close(&runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_chunk_size_gives_the_same_rows),
        cmocka_unit_test(test_voice_is_that_of_the_chunk_at_the_centre),
        cmocka_unit_test(test_energy_alone_hears_a_burst),
        cmocka_unit_test(test_short_and_damaged_sound),
        cmocka_unit_test(test_a_tone_lands_in_its_band),
        cmocka_unit_test(test_a_missing_net_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
