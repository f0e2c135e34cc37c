/* SPDX-License-Identifier: MIT
 *
 * Level and spread of a recording, and of one that is not over yet. Rows with speech count twenty
 * times as much as rows without, so that a recording with long pauses and one without come to the
 * same scale. */
#include "speech/speech.h"

#include <math.h>
#include <string.h>

#define HISTOGRAM_LOW (-24.0f)
#define HISTOGRAM_STEP (30.0f / DATA_SOUND_HISTOGRAM)
#define WEIGHT_MIN 0.05
#define RUNNING_MAX (4.0 * 60.0 * 100.0) /* rows: four minutes */
#define SD_MIN 0.2 /* a band that never changes (silence, band-limited sound) is not blown up */

void speech_stats_init(struct speech_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        stats->inv_sd[b] = 1.0f;
}

void speech_stats_add(struct speech_stats *stats, const struct data_sound_row *row)
{
    double weight = WEIGHT_MIN + (1.0 - WEIGHT_MIN) * row->voice;
    float bin = (row->energy_log - HISTOGRAM_LOW) / HISTOGRAM_STEP;

    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        stats->sum[b] += weight * row->mel[b];
        stats->sum_sq[b] += weight * row->mel[b] * row->mel[b];
    }
    for (int i = 0; i < DATA_SOUND_EMBED; i++)
        stats->sum_embed[i] += weight * row->embed[i];
    stats->n += weight;
    stats->n_rows += 1.0;
    stats->histogram[bin <= 0.0f                    ? 0
                     : bin >= DATA_SOUND_HISTOGRAM ? DATA_SOUND_HISTOGRAM - 1
                                                   : (int)bin] += 1.0;
}

/* Inside the bin that holds the 90th percentile: linear. */
static float energy_percentile(const struct speech_stats *stats, double share)
{
    double wanted = share * stats->n_rows, below = 0.0;

    for (int i = 0; i < DATA_SOUND_HISTOGRAM; i++) {
        double here = stats->histogram[i];
        if (here > 0.0 && below + here >= wanted)
            return HISTOGRAM_LOW + HISTOGRAM_STEP * (float)(i + (wanted - below) / here);
        below += here;
    }
    return 0.0f;
}

void speech_stats_finish(struct speech_stats *stats)
{
    if (stats->n <= 0.0)
        return;
    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        double mean = stats->sum[b] / stats->n;
        double variance = stats->sum_sq[b] / stats->n - mean * mean;
        stats->mean[b] = (float)mean;
        stats->inv_sd[b] = (float)(1.0 / fmax(sqrt(fmax(variance, 0.0)), SD_MIN));
    }
    for (int i = 0; i < DATA_SOUND_EMBED; i++)
        stats->mean_embed[i] = (float)(stats->sum_embed[i] / stats->n);
    stats->energy_p90 = energy_percentile(stats, 0.9);
}

void speech_stats_apply(const struct speech_stats *stats, struct data_sound_row *row)
{
    for (int b = 0; b < DATA_SOUND_BANDS; b++)
        row->mel[b] = (row->mel[b] - stats->mean[b]) * stats->inv_sd[b];
    for (int i = 0; i < DATA_SOUND_EMBED; i++)
        row->embed[i] -= stats->mean_embed[i];
    row->energy_log -= stats->energy_p90;
}

void speech_running_init(struct speech_running *running, const struct data_sound_prior *prior)
{
    struct speech_stats *stats = &running->stats;

    speech_stats_init(stats);
    stats->n = stats->n_rows = prior->rows;
    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        double mean = prior->mean[b], sd = prior->sd[b];
        stats->sum[b] = stats->n * mean;
        stats->sum_sq[b] = stats->n * (sd * sd + mean * mean);
    }
    for (int i = 0; i < DATA_SOUND_HISTOGRAM; i++)
        stats->histogram[i] = stats->n_rows * prior->histogram[i];
}

/* All that was heard counts half from now on, so that a stream without end still adapts. */
static void fade(struct speech_stats *stats)
{
    stats->n *= 0.5;
    stats->n_rows *= 0.5;
    for (int b = 0; b < DATA_SOUND_BANDS; b++) {
        stats->sum[b] *= 0.5;
        stats->sum_sq[b] *= 0.5;
    }
    for (int i = 0; i < DATA_SOUND_HISTOGRAM; i++)
        stats->histogram[i] *= 0.5;
}

void speech_running_next(struct speech_running *running, struct data_sound_row *row)
{
    struct speech_stats *stats = &running->stats;

    speech_stats_add(stats, row);
    if (stats->n_rows >= RUNNING_MAX)
        fade(stats);
    speech_stats_finish(stats);
    memset(stats->mean_embed, 0, sizeof(stats->mean_embed));
    speech_stats_apply(stats, row);
}
