/* SPDX-License-Identifier: MIT
 * The embedding's windows: every row gets the answer that belongs to it, edges repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "speech/internal.h"

#define ANSWERS 10
#define BINS 4
#define ROWS 130

/* Answer i of a window stands for the row 18 + 4 i of it: says that row's first band, and 1000 for
 * each channel, 0.25 for each bin. */
static int answer(void *user, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                  struct nn_tensor *outputs, size_t n_outputs)
{
    const float *windows = inputs[0].data;
    float *said = outputs[0].data;

    (void)user;
    if (strcmp(model, "speech_embedding") != 0 || n_inputs != 1 || n_outputs != 1 ||
        inputs[0].dims[0] != 2 || inputs[0].dims[1] != SPEECH_EMBED_WINDOW)
        return LIP_ERR_MODEL;
    for (int w = 0; w < 2; w++)
        for (int c = 0; c < DATA_SOUND_EMBED / BINS; c++)
            for (int i = 0; i < ANSWERS; i++)
                for (int bin = 0; bin < BINS; bin++) {
                    const float *window = windows + w * SPEECH_EMBED_WINDOW * SPEECH_EMBED_BANDS;
                    *said++ = window[(SPEECH_EMBED_BEFORE + 4 * i) * SPEECH_EMBED_BANDS] +
                              1000.0f * (float)c + 0.25f * (float)bin;
                }
    return 0;
}

static void test_each_row_gets_its_own_answer(void **state)
{
    struct nn_runtime *runtime = NULL;
    struct speech_embed embed;
    struct lip_error err = {0};
    float bands[SPEECH_EMBED_BANDS] = {0};
    uint64_t checked = 0;

    (void)state;
    assert_int_equal(nn_runtime_open_fake(answer, NULL, &runtime), 0);
    assert_int_equal(speech_embed_open(runtime, "/nowhere", &embed, &err), 0);
    for (int row = 0; row < ROWS; row++) {
        bands[0] = (float)row;
        assert_int_equal(speech_embed_push(&embed, bands, &err), 0);
        for (; checked < embed.n_rows; checked++) {
            int at = (int)(checked % SPEECH_EMBED_BLOCK) / 2;
            float even = (float)(checked / 2 * 2);
            assert_float_equal(embed.said[at][0], even, 0);
            assert_float_equal(embed.said[at][BINS * 7 + 3], even + 7000.75f, 0);
        }
    }
    /* the last row of a block is said 20 rows later, and not before */
    assert_int_equal(checked % SPEECH_EMBED_BLOCK, 0);
    assert_int_equal(checked, 80); /* of 130 - 20 */
    speech_embed_close(&embed);
    nn_runtime_close(&runtime);
}

/* Voice from a fake net, so that only the embedding is of interest. */
static int hear(void *user, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                struct nn_tensor *outputs, size_t n_outputs)
{
    if (!strcmp(model, "silero_vad")) {
        *(float *)outputs[0].data = 0.5f;
        return 0;
    }
    return answer(user, model, inputs, n_inputs, outputs, n_outputs);
}

static void test_the_stream_gives_all_rows_with_any_pieces(void **state)
{
    static float sound[DATA_SOUND_RATE_HZ * 2];
    static struct data_sound_row rows[2][256];
    size_t n_rows[2] = {0};
    const size_t pieces[2] = {sizeof(sound) / sizeof(*sound), 237};
    uint32_t seed = 3;

    (void)state;
    for (size_t i = 0; i < sizeof(sound) / sizeof(*sound); i++) {
        seed = seed * 1664525u + 1013904223u;
        sound[i] = (float)(seed >> 8) / 16777216.0f * (float)(i % 4000) / 4000.0f;
    }
    for (int k = 0; k < 2; k++) {
        struct nn_runtime *runtime = NULL;
        struct speech_stream *stream = NULL;
        struct lip_error err = {0};
        size_t n = sizeof(sound) / sizeof(*sound);
        assert_int_equal(nn_runtime_open_fake(hear, NULL, &runtime), 0);
        assert_int_equal(speech_stream_create(runtime, "/nowhere", true, &stream, &err), 0);
        for (size_t at = 0; at < n; at += pieces[k]) {
            size_t piece = n - at < pieces[k] ? n - at : pieces[k];
            assert_int_equal(speech_stream_push(stream, sound + at, piece, &err), 0);
            while (speech_stream_pull(stream, &rows[k][n_rows[k]]))
                n_rows[k]++;
        }
        assert_int_equal(speech_stream_flush(stream, &err), 0);
        while (speech_stream_pull(stream, &rows[k][n_rows[k]]))
            n_rows[k]++;
        speech_stream_destroy(&stream);
        nn_runtime_close(&runtime);
    }
    assert_int_equal(n_rows[0], 199);
    assert_int_equal(n_rows[1], n_rows[0]);
    assert_memory_equal(rows[0], rows[1], n_rows[0] * sizeof(rows[0][0]));
    for (size_t i = 0; i < n_rows[0]; i++) /* channels differ by 1000: each row was filled */
        assert_true(rows[0][i].embed[BINS] - rows[0][i].embed[0] > 999.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_gets_its_own_answer),
        cmocka_unit_test(test_the_stream_gives_all_rows_with_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
