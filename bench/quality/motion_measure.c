/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "motion.h"
#include "speech/speech.h"

#define LAG_GAIN 0.08
#define LAGS 15 /* of 20 ms */
#define FILE_MAX ((size_t)1 << 30)

const char *const figure_names[N_FIGURES] = {
    "open r", "all r",  "lag ms", "width", "meets", "closed",
    "false",  "spread", "often",  "lmd %", "jitter",
};

/* Outer and inner ring of the lips in the mesh. */
static const int lips[LIP_POINTS] = {
    61,  146, 91,  181, 84,  17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0,  37,  39, 40, 185,
    78,  95,  88,  178, 87,  14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82,  81, 80, 191};

void talk_lips(const float points[DATA_FACE_POINTS][3], float ret_lips[LIP_POINTS][2])
{
    for (int i = 0; i < LIP_POINTS; i++)
        for (int a = 0; a < 2; a++)
            ret_lips[i][a] = points[lips[i]][a];
}

void talk_standardise(struct data_sound_row *rows, size_t n, const struct data_sound_prior *prior)
{
    struct speech_stats *stats = base_alloc_zero(sizeof *stats);
    struct speech_running *running = base_alloc_zero(sizeof *running);
    if (!stats || !running)
        abort();
    if (prior)
        speech_running_init(running, prior);
    for (size_t i = 0; prior && i < n; i++)
        speech_running_next(running, &rows[i]);
    speech_stats_init(stats);
    for (size_t i = 0; !prior && i < n; i++)
        speech_stats_add(stats, &rows[i]);
    speech_stats_finish(stats);
    for (size_t i = 0; !prior && i < n; i++)
        speech_stats_apply(stats, &rows[i]);
    base_free(stats);
    base_free(running);
}

static void read_frames(struct base_reader *reader, const struct data_basis *basis,
                        struct talk *talk)
{
    static float points[DATA_FACE_POINTS][3];
    for (size_t i = 0; i < talk->n_frames; i++) {
        struct motion_observed *seen = &talk->observed[i];
        seen->t_s = (double)base_reader_f32(reader);
        seen->valid = base_reader_f32(reader) > 0.5f;
        seen->opening = base_reader_f32(reader);
        talk->widths[i] = base_reader_f32(reader);
        base_reader_f32s(reader, (float *)points, DATA_MESH_POINTS * 3);
        data_basis_project(basis, talk->person.rest, points, seen->coef);
        talk_lips(points, talk->lips[i]);
    }
}

/* The sound lies beside the mouth: .rows for .mouth. */
static int read_rows(const char *mouth_path, struct talk *talk)
{
    struct base_reader reader, embeds;
    uint8_t *bytes = NULL;
    size_t n = 0;
    char path[4096];
    snprintf(path, sizeof path, "%.*s.rows", (int)(strlen(mouth_path) - strlen(".mouth")),
             mouth_path);
    if (base_fs_read(path, FILE_MAX, &bytes, &n, NULL))
        return -1;
    base_reader_init(&reader, bytes, n);
    base_reader_take(&reader, 16);
    talk->n_rows = base_reader_u32(&reader);
    if (base_reader_u32(&reader) != DATA_SOUND_BANDS + 2 ||
        base_reader_u32(&reader) != DATA_SOUND_EMBED)
        reader.failed = 1;
    embeds = reader;
    base_reader_take(&embeds, talk->n_rows * (DATA_SOUND_BANDS + 2) * sizeof(float));
    talk->rows = base_alloc_array(talk->n_rows + 1, sizeof *talk->rows);
    if (!talk->rows)
        abort();
    for (size_t i = 0; i < talk->n_rows; i++) {
        struct data_sound_row *row = &talk->rows[i];
        base_reader_f32s(&reader, row->mel, DATA_SOUND_BANDS);
        row->energy_log = base_reader_f32(&reader);
        row->voice = base_reader_f32(&reader);
        if (i % 2)
            memcpy(row->embed, row[-1].embed, sizeof row->embed);
        else
            base_reader_f32s(&embeds, row->embed, DATA_SOUND_EMBED);
    }
    base_free(bytes);
    return reader.failed || embeds.failed ? -1 : 0;
}

int talk_load(const char *path, const struct data_basis *basis,
              const struct data_sound_prior *prior, struct talk *ret_talk)
{
    struct base_reader reader;
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct talk *talk = ret_talk;
    memset(talk, 0, sizeof *talk);
    if (strlen(path) < 7 || base_fs_read(path, FILE_MAX, &bytes, &n, NULL))
        return -1;
    base_reader_init(&reader, bytes, n);
    base_reader_take(&reader, 16);
    talk->n_frames = base_reader_u32(&reader);
    base_reader_u32(&reader);
    base_reader_f32s(&reader, (float *)talk->person.rest, DATA_MESH_POINTS * 3);
    talk->person.opening_rest = base_reader_f32(&reader);
    base_reader_f32s(&reader, talk->person.opening_pct, 5);
    base_reader_f32s(&reader, talk->person.width_pct, 5);
    talk->observed = base_alloc_array(talk->n_frames + 1, sizeof *talk->observed);
    talk->lips = base_alloc_array(talk->n_frames + 1, sizeof *talk->lips);
    talk->widths = base_alloc_array(talk->n_frames + 1, sizeof *talk->widths);
    if (!talk->observed || !talk->lips || !talk->widths)
        abort();
    read_frames(&reader, basis, talk);
    base_free(bytes);
    if (reader.failed || read_rows(path, talk))
        return -1;
    talk_standardise(talk->rows, talk->n_rows, prior);
    return 0;
}

void talk_free(struct talk *talk)
{
    base_free(talk->observed);
    base_free(talk->lips);
    base_free(talk->widths);
    base_free(talk->rows);
}

/* Said and seen at the same frames. */
struct series {
    size_t n;
    size_t *frame;
    float *said, *seen, *said_width, *seen_width, *distance;
};

static double correlation(const float *a, const float *b, size_t n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        ma += (double)a[i] / (double)n;
        mb += (double)b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double x = (double)a[i] - ma, y = (double)b[i] - mb;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static double deviation(const float *v, size_t n)
{
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        mean += (double)v[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += ((double)v[i] - mean) * ((double)v[i] - mean);
    return sqrt(sum / (double)n);
}

static double roughness(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 1; i + 1 < n; i++)
        sum += fabs((double)v[i - 1] - 2 * (double)v[i] + (double)v[i + 1]);
    return sum;
}

/* How often the opening rises through the middle of its range, with a little hysteresis. */
static double openings(const float *v, size_t n, float low, float range)
{
    size_t count = 0;
    bool open = false;
    for (size_t i = 0; i < n; i++) {
        count += !open && v[i] > low + 0.45f * range;
        open = v[i] > low + (open ? 0.3f : 0.45f) * range;
    }
    return (double)count;
}

/* A closure is a low of the seen opening below a tenth of the person's range that stands out by 0.2
 * of it within 80 to 120 ms; it is met when the said opening is below `share` within a frame. */
static double closures(const struct series *s, float low, float range, float share)
{
    size_t n = 0, met = 0;
    for (size_t i = 2; i + 2 < s->n; i++) {
        const float *seen = s->seen + i, *said = s->said + i;
        bool open = false;
        for (int d = -2; d <= 2; d++)
            open |= seen[d] > low + 0.3f * range;
        if (seen[0] > low + 0.1f * range || seen[-1] < seen[0] || seen[1] < seen[0] || !open)
            continue;
        n++;
        met += fminf(fminf(said[-1], said[0]), said[1]) < low + share * range;
    }
    return n ? (double)met / (double)n : NAN;
}

/* Of the frames with the mouth well open, the share that is said to be shut. */
static double wrong_closures(const struct series *s, float low, float range)
{
    size_t n = 0, wrong = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->seen[i] < low + 0.35f * range)
            continue;
        n++;
        wrong += s->said[i] < low + 0.12f * range;
    }
    return n ? (double)wrong / (double)n : NAN;
}

static void say(const struct data_basis *basis, const struct talk *talk,
                const struct data_curve *curve, double lag_s, struct series *s)
{
    static float points[DATA_FACE_POINTS][3], at[LIP_POINTS][2];
    for (size_t i = 0; i < s->n; i++) {
        struct data_curve_sample sample;
        double sum = 0;
        data_curve_at(curve, talk->observed[s->frame[i]].t_s + lag_s, &sample);
        data_basis_shape(basis, (const float(*)[3])talk->person.rest, sample.coef, points);
        s->said[i] = data_mouth_opening((const float(*)[3])points);
        s->said_width[i] = data_mouth_width((const float(*)[3])points);
        talk_lips((const float(*)[3])points, at);
        for (int p = 0; p < LIP_POINTS; p++) {
            const float *real = talk->lips[s->frame[i]][p];
            sum += hypot((double)(at[p][0] - real[0]), (double)(at[p][1] - real[1]));
        }
        s->distance[i] = (float)(sum / LIP_POINTS);
    }
}

static void collect(const struct talk *talk, const struct data_curve *curve, double from_s,
                    float speech_min, struct series *s)
{
    s->n = 0;
    for (size_t i = 0; i < talk->n_frames; i++) {
        struct data_curve_sample sample;
        data_curve_at(curve, talk->observed[i].t_s, &sample);
        if (!talk->observed[i].valid || talk->observed[i].t_s < from_s ||
            sample.speech < speech_min)
            continue;
        s->frame[s->n] = i;
        s->seen[s->n] = talk->observed[i].opening;
        s->seen_width[s->n++] = talk->widths[i];
    }
}

static int best_lag(const struct data_basis *basis, const struct talk *talk,
                    const struct data_curve *curve, struct series *s)
{
    double best = -2;
    int best_lag = 0;
    for (int lag = -LAGS; lag <= LAGS; lag++) {
        say(basis, talk, curve, lag * 0.02, s);
        double r = correlation(s->said, s->seen, s->n) - (lag ? LAG_GAIN : 0);
        if (r > best) {
            best = r;
            best_lag = lag;
        }
    }
    return best_lag;
}

static void fill_figures(const struct talk *talk, const struct series *s, double f[N_FIGURES])
{
    float low = talk->person.opening_pct[0], range = talk->person.opening_pct[4] - low;
    f[OPENING] = correlation(s->said, s->seen, s->n);
    f[WIDTH] = correlation(s->said_width, s->seen_width, s->n);
    f[MEETS] = closures(s, low, range, 0.25f);
    f[CLOSED] = closures(s, low, range, 0.12f);
    f[WRONG] = wrong_closures(s, low, range);
    f[SPREAD] = deviation(s->said, s->n) / deviation(s->seen, s->n);
    double seen = openings(s->seen, s->n, low, range);
    f[OFTEN] = seen > 0 ? openings(s->said, s->n, low, range) / seen : NAN;
    f[LANDMARKS] = 0;
    for (size_t i = 0; i < s->n; i++)
        f[LANDMARKS] += 100 * (double)s->distance[i] / (double)s->n;
    f[JITTER] = roughness(s->said, s->n) / roughness(s->seen, s->n);
}

bool talk_measure(const struct data_basis *basis, const struct talk *talk,
                  const struct data_curve *curve, double from_s, double ret_figures[N_FIGURES])
{
    size_t n = talk->n_frames + 1;
    float *values = base_alloc_array(5 * n, sizeof *values);
    struct series s = {0, base_alloc_array(n, sizeof(size_t)), values, values + n, values + 2 * n,
                       values + 3 * n, values + 4 * n};
    if (!values || !s.frame)
        abort();
    collect(talk, curve, from_s, 0.5f, &s);
    bool enough = s.n >= 40;
    if (enough) {
        int lag = best_lag(basis, talk, curve, &s);
        ret_figures[LAG_MS] = lag * 20;
        say(basis, talk, curve, lag * 0.02, &s);
        fill_figures(talk, &s, ret_figures);
        collect(talk, curve, from_s, -1, &s);
        say(basis, talk, curve, lag * 0.02, &s);
        ret_figures[OPENING_ALL] = correlation(s.said, s.seen, s.n);
    }
    base_free(values);
    base_free(s.frame);
    return enough;
}
