/* SPDX-License-Identifier: MIT
 *
 * One window of sound to log-mel bands. The definition is in docs/design/speech.md, and
 * train/motion/sound_rows.py computes the same with numpy (tests/parity proves it). */
#include "speech/internal.h"

#include <math.h>
#include <string.h>

#define FREQ_LOW_HZ 50.0
#define FREQ_HIGH_HZ 7600.0
#define FLOOR 1e-10f

static const double pi = 3.14159265358979323846;

/* O'Shaughnessy's mel scale, as HTK has it. */
static double mel_of_hz(double f_hz)
{
    return 2595.0 * log10(1.0 + f_hz / 700.0);
}

static void init_fft(struct speech_mel *mel)
{
    for (int i = 0; i < SPEECH_FFT / 2; i++) {
        mel->cos_table[i] = (float)cos(2.0 * pi * i / SPEECH_FFT);
        mel->sin_table[i] = (float)-sin(2.0 * pi * i / SPEECH_FFT);
    }
    for (unsigned i = 0; i < SPEECH_FFT; i++) {
        unsigned r = 0;
        for (unsigned bit = 0; bit < SPEECH_FFT_LOG2; bit++)
            r |= ((i >> bit) & 1u) << (SPEECH_FFT_LOG2 - 1 - bit);
        mel->reversed[i] = (uint16_t)r;
    }
}

/* Triangles of height 1, equally wide in mel, straight in mel between their corners. In the lowest
 * bands a triangle is hardly wider than a bin: it still touches one, only its level is arbitrary,
 * and standardisation takes levels away. */
static void init_bands(struct speech_mel *mel)
{
    const double low = mel_of_hz(FREQ_LOW_HZ), high = mel_of_hz(FREQ_HIGH_HZ);
    const double step = (high - low) / (DATA_SOUND_BANDS + 1);
    size_t used = 0;

    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        double centre = low + step * (b + 1);
        mel->first[b] = 0;
        mel->count[b] = 0;
        mel->start[b] = (uint16_t)used;
        for (int k = 1; k < SPEECH_BINS; k++) {
            double away = fabs(mel_of_hz(k * (double)DATA_SOUND_RATE_HZ / SPEECH_FFT) - centre);
            if (away >= step)
                continue;
            if (mel->count[b] == 0)
                mel->first[b] = (uint16_t)k;
            mel->count[b]++;
            mel->weight[used++] = (float)(1.0 - away / step);
        }
    }
}

void speech_mel_init(struct speech_mel *mel)
{
    memset(mel, 0, sizeof(*mel));
    for (int i = 0; i < DATA_SOUND_WINDOW; i++)
        mel->window[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * i / DATA_SOUND_WINDOW));
    init_fft(mel);
    init_bands(mel);
}

/* Radix-2, decimation in time; re and im hold the input in bit-reversed order. */
static void fft(const struct speech_mel *mel, float re[SPEECH_FFT], float im[SPEECH_FFT])
{
    for (int half = 1; half < SPEECH_FFT; half *= 2) {
        int turn = SPEECH_FFT / (2 * half);
        for (int block = 0; block < SPEECH_FFT; block += 2 * half) {
            for (int k = 0; k < half; k++) {
                int a = block + k, b = a + half;
                float c = mel->cos_table[k * turn], s = mel->sin_table[k * turn];
                float tr = re[b] * c - im[b] * s, ti = re[b] * s + im[b] * c;
                re[b] = re[a] - tr;
                im[b] = im[a] - ti;
                re[a] += tr;
                im[a] += ti;
            }
        }
    }
}

void speech_mel_row(const struct speech_mel *mel, const float samples[DATA_SOUND_WINDOW],
                    struct data_sound_row *ret_row)
{
    float re[SPEECH_FFT] = {0}, im[SPEECH_FFT] = {0}, power[SPEECH_BINS];
    float sum_sq = 0.0f;

    for (int i = 0; i < DATA_SOUND_WINDOW; i++) {
        re[mel->reversed[i]] = samples[i] * mel->window[i];
        sum_sq += samples[i] * samples[i];
    }
    fft(mel, re, im);
    for (int k = 0; k < SPEECH_BINS; k++)
        power[k] = re[k] * re[k] + im[k] * im[k];
    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        const float *weight = mel->weight + mel->start[b], *bins = power + mel->first[b];
        float sum = 0.0f;
        for (int k = 0; k < mel->count[b]; k++)
            sum += weight[k] * bins[k];
        ret_row->mel[b] = logf(fmaxf(sum, FLOOR));
    }
    ret_row->energy_log = logf(fmaxf(sum_sq / DATA_SOUND_WINDOW, FLOOR));
}
