/* SPDX-License-Identifier: MIT
 *
 * Voice activity: the Silero net, or energy alone where there is no net. */
#include "speech/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* All in nats of energy (4.34 dB each). */
#define FLOOR_START (-11.5f)      /* -50 dB of full scale: until something quieter is heard */
#define FLOOR_RISE_PER_ROW 0.007f /* 3 dB a second: slower than any pause between words is long */
#define FLOOR_FALL 0.2f           /* share of the way down per row */
#define ABOVE_FLOOR 2.5f          /* 11 dB over the floor counts as half speech */
#define QUIETEST_SPEECH (-13.0f)  /* -56 dB of full scale */
#define SOFTNESS 0.6f
#define LEVEL_SHARE 0.3f /* of a new row in the smoothed level: about 30 ms */

static float logistic(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

float speech_energy_voice_next(struct speech_energy_voice *voice, float energy_log)
{
    if (!voice->started) {
        voice->started = true;
        voice->level = energy_log;
        voice->floor = fminf(energy_log, FLOOR_START);
    }
    voice->level += LEVEL_SHARE * (energy_log - voice->level);
    if (voice->level < voice->floor)
        voice->floor += FLOOR_FALL * (voice->level - voice->floor);
    else
        voice->floor += FLOOR_RISE_PER_ROW;
    return logistic((voice->level - voice->floor - ABOVE_FLOOR) / SOFTNESS) *
           logistic((voice->level - QUIETEST_SPEECH) / SOFTNESS);
}

int speech_vad_open(struct nn_runtime *runtime, const char *models_dir, struct speech_vad *ret_vad,
                    struct lip_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/silero_vad.onnx", models_dir ? models_dir : ".");

    if (n < 0 || (size_t)n >= sizeof(path))
        return base_error_set(err, LIP_ERR_ARG, "speech/voice",
                              "the models' folder has too long a name");
    memset(ret_vad, 0, sizeof(*ret_vad));
    return nn_model_open(runtime, path, &ret_vad->model, err);
}

void speech_vad_close(struct speech_vad *vad)
{
    nn_model_close(&vad->model);
}

int speech_vad_next(struct speech_vad *vad, float *ret_voice, struct lip_error *err)
{
    int64_t rate_hz = DATA_SOUND_RATE_HZ;
    float voice = 0.0f, state_next[SPEECH_VAD_STATE];
    struct nn_tensor inputs[3] = {
        {"input", NN_F32, 2, {1, SPEECH_VAD_CONTEXT + SPEECH_VAD_CHUNK}, vad->input},
        {"state", NN_F32, 3, {2, 1, 128}, vad->state},
        {"sr", NN_I64, 0, {0}, &rate_hz},
    };
    struct nn_tensor outputs[2] = {
        {"output", NN_F32, 2, {1, 1}, &voice},
        {"stateN", NN_F32, 3, {2, 1, 128}, state_next},
    };
    int status;

    memset(state_next, 0, sizeof(state_next));
    status = nn_model_run(vad->model, inputs, 3, outputs, 2, err);
    if (status < 0)
        return status;
    memcpy(vad->state, state_next, sizeof(vad->state));
    memcpy(vad->input, vad->input + SPEECH_VAD_CHUNK, SPEECH_VAD_CONTEXT * sizeof(float));
    *ret_voice = voice >= 0.0f && voice <= 1.0f ? voice : 0.0f;
    return 0;
}
