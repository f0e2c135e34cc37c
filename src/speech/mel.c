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
/* What the embedding's net was trained on: samples of 16 bit, a tenth of decibels, plus 2; a fixed
 * floor about 80 dB below loud speech. */
#define EMBED_LOW_HZ 60.0
#define EMBED_HIGH_HZ 3800.0
#define EMBED_SCALE (32767.0f * 32767.0f)
#define EMBED_OFFSET 2.0f
#define EMBED_FLOOR 4.0f

static const double pi = 3.14159265358979323846;

/* O'Shaughnessy's mel scale, as HTK has it. */
static double mel_of_hz(double f_hz)
{
    return 2595.0 * log10(1.0 + f_hz / 700.0);
}

/* Slaney's mel scale: straight up to 1 kHz, then logarithmic. */
static double slaney_of_hz(double f_hz)
{
    return f_hz < 1000.0 ? f_hz * 3.0 / 200.0 : 15.0 + 27.0 * log(f_hz / 1000.0) / log(6.4);
}

static double hz_of_slaney(double mel)
{
    return mel < 15.0 ? mel * 200.0 / 3.0 : 1000.0 * exp(log(6.4) * (mel - 15.0) / 27.0);
}

static double bin_hz(int bin)
{
    return bin * (double)DATA_SOUND_RATE_HZ / SPEECH_FFT;
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

/* A band's weight at a frequency; below or at 0: outside. */
typedef double (*triangle_fn)(int band, double f_hz);

static void init_bank(struct speech_bank *bank, int n, triangle_fn triangle)
{
    size_t used = 0;

    bank->n = n;
    for (int b = 0; b < n; b++) {
        bank->start[b] = (uint16_t)used;
        for (int k = 1; k < SPEECH_BINS; k++) {
            double weight = triangle(b, bin_hz(k));
            if (weight <= 0.0)
                continue;
            if (bank->count[b] == 0)
                bank->first[b] = (uint16_t)k;
            bank->count[b]++;
            bank->weight[used++] = (float)weight;
        }
    }
}

/* Triangles of height 1, equally wide in mel, straight in mel between their corners. In the lowest
 * bands a triangle is hardly wider than a bin: it still touches one, only its level is arbitrary,
 * and standardisation takes levels away. */
static double row_triangle(int band, double f_hz)
{
    const double low = mel_of_hz(FREQ_LOW_HZ), high = mel_of_hz(FREQ_HIGH_HZ);
    const double step = (high - low) / (DATA_SOUND_BANDS + 1);

    return 1.0 - fabs(mel_of_hz(f_hz) - low - step * (band + 1)) / step;
}

/* Triangles of area 1, straight in Hz between corners that are evenly spaced in Slaney's mel. */
static double embed_triangle(int band, double f_hz)
{
    const double low = slaney_of_hz(EMBED_LOW_HZ), high = slaney_of_hz(EMBED_HIGH_HZ);
    const double step = (high - low) / (SPEECH_EMBED_BANDS + 1);
    const double left = hz_of_slaney(low + step * band);
    const double middle = hz_of_slaney(low + step * (band + 1));
    const double right = hz_of_slaney(low + step * (band + 2));

    return fmin((f_hz - left) / (middle - left), (right - f_hz) / (right - middle)) * 2.0 /
           (right - left);
}

void speech_mel_init(struct speech_mel *mel)
{
    memset(mel, 0, sizeof(*mel));
    for (int i = 0; i < DATA_SOUND_WINDOW; i++)
        mel->window[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * i / DATA_SOUND_WINDOW));
    init_fft(mel);
    init_bank(&mel->rows, DATA_SOUND_BANDS, row_triangle);
    init_bank(&mel->embed, SPEECH_EMBED_BANDS, embed_triangle);
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

static float band_power(const struct speech_bank *bank, int band, const float *power)
{
    const float *weight = bank->weight + bank->start[band], *bins = power + bank->first[band];
    float sum = 0.0f;

    for (int k = 0; k < bank->count[band]; k++)
        sum += weight[k] * bins[k];
    return sum;
}

void speech_mel_row(const struct speech_mel *mel, const float samples[DATA_SOUND_WINDOW],
                    struct data_sound_row *ret_row, float ret_embed_bands[SPEECH_EMBED_BANDS])
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
    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        ret_row->mel[b] = logf(fmaxf(band_power(&mel->rows, b, power), FLOOR));
    for (int b = 0; b < SPEECH_EMBED_BANDS; b++) {
        float level = EMBED_SCALE * band_power(&mel->embed, b, power);
        ret_embed_bands[b] = fmaxf(log10f(fmaxf(level, FLOOR)) + EMBED_OFFSET, EMBED_FLOOR);
    }
    ret_row->energy_log = logf(fmaxf(sum_sq / DATA_SOUND_WINDOW, FLOOR));
}
