/* SPDX-License-Identifier: MIT
 *
 * An inner layer of a net that was trained on a great deal of speech to tell keywords (Google's
 * speech embedding, as openWakeWord ships it). The net hears windows of 76 rows and answers every
 * fourth row; two windows two rows apart give an answer for every second row. Windows begin at
 * fixed rows, so the answer does not depend on how the sound was cut. */
#include <stdio.h>
#include <string.h>

#include "speech/internal.h"

#define N_WINDOWS 2
#define N_SAID 10   /* answers of a window */
#define N_BINS 4    /* of frequency that are left, per channel */
#define N_CHANNELS (DATA_SOUND_EMBED / N_BINS)
#define STEP 2      /* rows from window to window */

int speech_embed_open(struct nn_runtime *runtime, const char *models_dir,
                      struct speech_embed *ret_embed, struct lip_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/speech_embedding.onnx", models_dir ? models_dir : ".");

    if (n < 0 || (size_t)n >= sizeof(path))
        return base_error_set(err, LIP_ERR_ARG, "speech/embed",
                              "the models' folder has too long a name");
    memset(ret_embed, 0, sizeof(*ret_embed));
    return nn_model_open(runtime, path, &ret_embed->model, err);
}

void speech_embed_close(struct speech_embed *embed)
{
    nn_model_close(&embed->model);
}

/* said [window][channel][answer][bin] -> rows 2 m of the block, m = STEP * answer / 2 + window. */
static void take(const float *said, struct speech_embed *embed)
{
    for (int w = 0; w < N_WINDOWS; w++)
        for (int c = 0; c < N_CHANNELS; c++)
            for (int i = 0; i < N_SAID; i++)
                for (int bin = 0; bin < N_BINS; bin++)
                    embed->said[N_WINDOWS * i + w][c * N_BINS + bin] = *said++;
}

static int run(struct speech_embed *embed, struct lip_error *err)
{
    static const int64_t dims_in[] = {N_WINDOWS, SPEECH_EMBED_WINDOW, SPEECH_EMBED_BANDS, 1};
    float windows[N_WINDOWS][SPEECH_EMBED_WINDOW][SPEECH_EMBED_BANDS];
    float said[N_WINDOWS * DATA_SOUND_EMBED * N_SAID];
    struct nn_tensor input = {"input_1", NN_F32, 4, {0}, windows};
    struct nn_tensor output = {
        "hidden", NN_F32, 4, {N_WINDOWS, N_CHANNELS, N_SAID, N_BINS}, said};
    int status;

    memcpy(input.dims, dims_in, sizeof(dims_in));
    for (int w = 0; w < N_WINDOWS; w++)
        memcpy(windows[w], embed->heard[w * STEP], sizeof(windows[w]));
    memset(said, 0, sizeof(said));
    status = nn_model_run(embed->model, &input, 1, &output, 1, err);
    if (status < 0)
        return status;
    take(said, embed);
    embed->n_rows += SPEECH_EMBED_BLOCK;
    return 0;
}

int speech_embed_push(struct speech_embed *embed, const float bands[SPEECH_EMBED_BANDS],
                      struct lip_error *err)
{
    int status;

    if (embed->n_rows == 0 && embed->n_heard == 0) /* before the first row it is repeated */
        for (; embed->n_heard < SPEECH_EMBED_BEFORE; embed->n_heard++)
            memcpy(embed->heard[embed->n_heard], bands, sizeof(embed->heard[0]));
    memcpy(embed->heard[embed->n_heard++], bands, sizeof(embed->heard[0]));
    if (embed->n_heard < SPEECH_EMBED_HEARD)
        return 0;
    status = run(embed, err);
    if (status < 0)
        return status;
    embed->n_heard -= SPEECH_EMBED_BLOCK;
    memmove(embed->heard, embed->heard[SPEECH_EMBED_BLOCK],
            (size_t)embed->n_heard * sizeof(embed->heard[0]));
    return 0;
}
