/* SPDX-License-Identifier: MIT
 * The rows equal those that train/motion/sound_rows.py computes with numpy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "speech/speech.h"

static void test_rows_equal_those_of_numpy(void **state)
{
    char path[4096];
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    struct base_reader reader;
    struct lip_error err = {0};
    struct speech_stream *stream = NULL;
    struct data_sound_row row;
    double worst = 0.0;
    uint32_t n_samples, n_rows, i = 0;

    (void)state;
    assert_non_null(getenv("LIPSYNC_SOURCE_ROOT"));
    snprintf(path, sizeof(path), "%s/tests/parity/speech_rows.bin", getenv("LIPSYNC_SOURCE_ROOT"));
    assert_int_equal(base_fs_read(path, 1 << 20, &bytes, &n_bytes, &err), 0);
    base_reader_init(&reader, bytes, n_bytes);
    assert_memory_equal(base_reader_take(&reader, 8), "LIPSPVEC", 8);
    n_samples = base_reader_u32(&reader);
    n_rows = base_reader_u32(&reader);

    assert_int_equal(speech_stream_create(NULL, NULL, false, &stream, &err), 0);
    for (uint32_t s = 0; s < n_samples; s++) {
        float sample = (float)(int16_t)base_reader_u16(&reader) / 32768.0f;
        assert_int_equal(speech_stream_push(stream, &sample, 1, &err), 0);
    }
    assert_int_equal(speech_stream_flush(stream, &err), 0);
    for (; speech_stream_pull(stream, &row); i++) {
        for (int b = 0; b < DATA_SOUND_BANDS; b++)
            worst = fmax(worst, fabs(row.mel[b] - base_reader_f32(&reader)));
        worst = fmax(worst, fabs(row.energy_log - base_reader_f32(&reader)));
    }
    assert_int_equal(i, n_rows);
    assert_false(reader.failed);
    assert_int_equal(reader.at, reader.size);
    print_message("largest difference %.2g\n", worst);
    assert_true(worst < 1e-3);
    speech_stream_destroy(&stream);
    base_free(bytes);
}

static void read_prior(struct base_reader *reader, struct data_sound_prior *ret_prior)
{
    ret_prior->rows = base_reader_f32(reader);
    base_reader_f32s(reader, ret_prior->mean, DATA_SOUND_BANDS);
    base_reader_f32s(reader, ret_prior->sd, DATA_SOUND_BANDS);
    base_reader_f32s(reader, ret_prior->histogram, DATA_SOUND_HISTOGRAM);
}

/* Rows made comparable as they come: as train/motion/data.py does it for the live net. */
static void test_running_level_equals_that_of_numpy(void **state)
{
    static struct speech_running running;
    static struct data_sound_prior prior;
    char path[4096];
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    struct base_reader rows, wanted;
    struct data_sound_row row = {0};
    double worst = 0.0;
    uint32_t n;

    (void)state;
    snprintf(path, sizeof(path), "%s/tests/parity/live_rows.bin", getenv("LIPSYNC_SOURCE_ROOT"));
    assert_int_equal(base_fs_read(path, 1 << 20, &bytes, &n_bytes, NULL), 0);
    base_reader_init(&rows, bytes, n_bytes);
    assert_memory_equal(base_reader_take(&rows, 8), "LIPLVROW", 8);
    n = base_reader_u32(&rows);
    read_prior(&rows, &prior);
    wanted = rows;
    base_reader_take(&wanted, (size_t)n * (DATA_SOUND_BANDS + 2) * 4);
    speech_running_init(&running, &prior);
    for (uint32_t i = 0; i < n; i++) {
        base_reader_f32s(&rows, row.mel, DATA_SOUND_BANDS);
        row.energy_log = base_reader_f32(&rows);
        row.voice = base_reader_f32(&rows);
        speech_running_next(&running, &row);
        for (int b = 0; b < DATA_SOUND_BANDS; b++)
            worst = fmax(worst, fabs(row.mel[b] - base_reader_f32(&wanted)));
        worst = fmax(worst, fabs(row.energy_log - base_reader_f32(&wanted)));
        assert_float_equal(row.voice, base_reader_f32(&wanted), 0.0);
    }
    assert_true(!wanted.failed && wanted.at == wanted.size && n > 200);
    print_message("largest difference %.2g\n", worst);
    assert_true(worst < 1e-3);
    base_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_equal_those_of_numpy),
                                       cmocka_unit_test(test_running_level_equals_that_of_numpy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
