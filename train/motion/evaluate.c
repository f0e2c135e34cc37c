/* SPDX-License-Identifier: MIT
 *
 * How well the mouth follows the sound, by the same calls that the engine makes.
 *
 *   evaluate WEIGHTS_DIR CLIP.mouth...
 *
 * For each clip (see extract.c): correlation of the opening with the seen one at the best lag over
 * all frames, and in speech at no lag and at the best lag, width, articulation (spread said /
 * spread seen), jitter (second differences said / seen) and closures found; without adaptation, and
 * after adaptation on the first 10, 30 and 60 seconds, tested on the rest. Moments of speech only.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "motion/internal.h"
#include "speech/speech.h"

#define N_FIGURES 9
#define FRAMES_MAX 200000
#define LAG_GAIN 0.08
static const char *const figure_names[N_FIGURES] = {
    "r_all", "r", "r_lag", "r_width", "artic", "jitter", "meets", "closed", "false",
};

static const struct setting {
    const char *name;
    double adapt_s, from_s; /* film used for adaptation; where the test begins */
} settings[] = {
    {"nothing", 0.0, 0.0},          {"nothing, > 10 s", 0.0, 10.0}, {"10 s", 10.0, 10.0},
    {"nothing, > 30 s", 0.0, 30.0}, {"30 s", 30.0, 30.0},           {"nothing, > 60 s", 0.0, 60.0},
    {"60 s", 60.0, 60.0},
};
#define N_SETTINGS 7

struct clip {
    struct data_person person;
    struct motion_observed *observed;
    float *widths;
    struct data_sound_row *rows;
    size_t n_frames, n_rows;
};

static int read_clip(const char *path, const struct data_basis *basis, struct clip *clip)
{
    static float points[DATA_FACE_POINTS][3];
    struct base_reader reader;
    struct lip_error err = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;

    memset(clip, 0, sizeof(*clip));
    if (base_fs_read(path, (size_t)1 << 30, &bytes, &n, &err) < 0)
        return -1;
    base_reader_init(&reader, bytes, n);
    base_reader_take(&reader, 16);
    clip->n_frames = base_reader_u32(&reader);
    clip->n_rows = base_reader_u32(&reader);
    base_reader_u32(&reader);
    base_reader_f32s(&reader, (float *)clip->person.rest, DATA_MESH_POINTS * 3);
    clip->person.opening_rest = base_reader_f32(&reader);
    base_reader_f32s(&reader, clip->person.opening_pct, 5);
    base_reader_f32s(&reader, clip->person.width_pct, 5);
    clip->observed = base_alloc_array(clip->n_frames + 1, sizeof(*clip->observed));
    clip->widths = base_alloc_array(clip->n_frames + 1, sizeof(float));
    clip->rows = base_alloc_array(clip->n_rows + 1, sizeof(*clip->rows));
    for (size_t i = 0; i < clip->n_frames; i++) {
        struct motion_observed *seen = &clip->observed[i];
        seen->t_s = base_reader_f32(&reader);
        seen->valid = base_reader_f32(&reader) > 0.5f;
        seen->opening = base_reader_f32(&reader);
        clip->widths[i] = base_reader_f32(&reader);
        base_reader_f32s(&reader, (float *)points, DATA_MESH_POINTS * 3);
        data_basis_project(basis, clip->person.rest, points, seen->coef);
    }
    for (size_t i = 0; i < clip->n_rows; i++)
        base_reader_f32s(&reader, clip->rows[i].mel, DATA_SOUND_BANDS + 2);
    base_free(bytes);
    return reader.failed ? -1 : 0;
}

static void done_clip(struct clip *clip)
{
    base_free(clip->observed);
    base_free(clip->widths);
    base_free(clip->rows);
}

static void standardise(struct clip *clip)
{
    static struct speech_stats stats;

    speech_stats_init(&stats);
    for (size_t i = 0; i < clip->n_rows; i++)
        speech_stats_add(&stats, &clip->rows[i]);
    speech_stats_finish(&stats);
    for (size_t i = 0; i < clip->n_rows; i++)
        speech_stats_apply(&stats, &clip->rows[i]);
}

static void speak(const struct motion_model *model, const struct motion_style *style,
                  const struct clip *clip, struct data_curve *curve)
{
    struct motion_stream *stream = NULL;
    struct data_curve_sample sample;

    if (motion_stream_create(model, style, &clip->person, &stream, NULL) < 0 ||
        motion_stream_push(stream, clip->rows, clip->n_rows, NULL) < 0 ||
        motion_stream_flush(stream, NULL) < 0)
        exit(1);
    while (motion_stream_pull(stream, &sample))
        if (data_curve_push(curve, &sample) < 0)
            exit(1);
    motion_stream_destroy(&stream);
}

static void adapt(const struct motion_model *model, const struct clip *clip, double until_s,
                  struct motion_style *ret_style)
{
    struct motion_fit *fit = NULL;
    size_t n = 0, n_rows = (size_t)(until_s * 100);

    while (n < clip->n_frames && clip->observed[n].t_s < until_s)
        n++;
    if (motion_fit_create(model, &clip->person, clip->observed, n, &fit, NULL) < 0 ||
        motion_fit_push(fit, clip->rows, n_rows < clip->n_rows ? n_rows : clip->n_rows, NULL) < 0 ||
        motion_fit_finish(&fit, ret_style, NULL) < 0)
        exit(1);
}

struct series {
    size_t n;
    float *said, *seen, *said_width, *seen_width;
    double *t_s;
};

static double spread(const float *v, size_t n)
{
    double sum = 0.0, sum_sq = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += v[i];
    for (size_t i = 0; i < n; i++)
        sum_sq += (v[i] - sum / (double)n) * (v[i] - sum / (double)n);
    return sqrt(sum_sq / (double)n);
}

static double jitter(const float *v, size_t n)
{
    double sum = 0.0;

    for (size_t i = 1; i + 1 < n; i++)
        sum += fabs(v[i - 1] - 2.0 * v[i] + v[i + 1]);
    return sum;
}

/* Of the moments at which the lips were seen to meet (a low of the opening, below a tenth of the
 * range, between open moments), the share at which the said opening is below `share` of the range
 * within a frame. */
static double closures(const struct series *s, const struct data_person *person, float share)
{
    float low = person->opening_pct[0], range = person->opening_pct[4] - low;
    size_t n = 0, found = 0;

    for (size_t i = 2; i + 2 < s->n; i++) {
        const float *seen = s->seen + i, *said = s->said + i;
        bool open_near = false;
        for (int d = -2; d <= 2; d++)
            open_near |= seen[d] > low + 0.3f * range;
        if (seen[0] > low + 0.1f * range || seen[-1] < seen[0] || seen[1] < seen[0] || !open_near)
            continue;
        n++;
        found += fminf(fminf(said[-1], said[0]), said[1]) < low + share * range;
    }
    return n ? (double)found / (double)n : NAN;
}

/* Of the moments at which the mouth was seen well open, the share at which it is said to be shut.
 */
static double false_closures(const struct series *s, const struct data_person *person)
{
    float low = person->opening_pct[0], range = person->opening_pct[4] - low;
    size_t n = 0, wrong = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->seen[i] < low + 0.35f * range)
            continue;
        n++;
        wrong += s->said[i] < low + 0.12f * range;
    }
    return n ? (double)wrong / (double)n : NAN;
}

/* What the curve says at the times of the series, `lag_s` earlier or later. */
static void say(const struct motion_model *model, const struct clip *clip,
                const struct data_curve *curve, double lag_s, struct series *s)
{
    static float points[DATA_FACE_POINTS][3];

    for (size_t i = 0; i < s->n; i++) {
        struct data_curve_sample sample;
        data_curve_at(curve, s->t_s[i] + lag_s, &sample);
        data_basis_shape(&model->basis, clip->person.rest, sample.coef, points);
        s->said[i] = data_mouth_opening(points);
        s->said_width[i] = data_mouth_width(points);
    }
}

static void collect(const struct clip *clip, const struct data_curve *curve, double from_s,
                    float speech_min, struct series *s)
{
    s->n = 0;
    for (size_t i = 0; i < clip->n_frames && i < FRAMES_MAX; i++) {
        const struct motion_observed *seen = &clip->observed[i];
        struct data_curve_sample sample;
        data_curve_at(curve, seen->t_s, &sample);
        if (!seen->valid || seen->t_s < from_s || sample.speech < speech_min)
            continue;
        s->t_s[s->n] = seen->t_s;
        s->seen[s->n] = seen->opening;
        s->seen_width[s->n++] = clip->widths[i];
    }
}

/* Figures from from_s on; false when there is too little speech. All but r at the lag at which
 * sound and picture agree best, when it is better by LAG_GAIN; all but r_all over frames of speech.
 */
static bool measure(const struct motion_model *model, const struct clip *clip,
                    const struct data_curve *curve, double from_s, double ret_figures[N_FIGURES])
{
    static float values[4][FRAMES_MAX];
    static double times[FRAMES_MAX];
    struct series s = {0, values[0], values[1], values[2], values[3], times};
    double best;
    int best_lag = 0;

    collect(clip, curve, from_s, 0.5f, &s);
    if (s.n < 40)
        return false;
    say(model, clip, curve, 0.0, &s);
    ret_figures[1] = motion_correlation(s.said, s.seen, s.n);
    best = ret_figures[1] + LAG_GAIN;
    for (int lag = -15; lag <= 15; lag++) {
        double r;
        say(model, clip, curve, lag * 0.02, &s);
        r = motion_correlation(s.said, s.seen, s.n);
        if (r > best) {
            best = r;
            best_lag = lag;
        }
    }
    say(model, clip, curve, best_lag * 0.02, &s);
    ret_figures[2] = motion_correlation(s.said, s.seen, s.n);
    ret_figures[3] = motion_correlation(s.said_width, s.seen_width, s.n);
    ret_figures[4] = spread(s.said, s.n) / spread(s.seen, s.n);
    ret_figures[5] = jitter(s.said, s.n) / jitter(s.seen, s.n);
    ret_figures[6] = closures(&s, &clip->person, 0.25f);
    ret_figures[7] = closures(&s, &clip->person, 0.12f);
    ret_figures[8] = false_closures(&s, &clip->person);
    collect(clip, curve, from_s, -1.0f, &s);
    say(model, clip, curve, best_lag * 0.02, &s);
    ret_figures[0] = motion_correlation(s.said, s.seen, s.n);
    return true;
}

static void print_row(const char *name, const char *what, const double figures[N_FIGURES])
{
    printf("%-28s %-16s", name, what);
    for (int i = 0; i < N_FIGURES; i++)
        printf(" %7.3f", figures[i]);
}

static void add(double sums[], double counts[], const double figures[N_FIGURES])
{
    for (int i = 0; i < N_FIGURES; i++)
        if (!isnan(figures[i])) {
            sums[i] += figures[i];
            counts[i] += 1.0;
        }
}

struct table {
    double sums[N_SETTINGS][N_FIGURES], counts[N_SETTINGS][N_FIGURES];
};

/* One clip in all settings. An adapted head is compared with the generic one on the same part. */
static void evaluate(const struct motion_model *model, const struct clip *clip, const char *name,
                     struct table *table)
{
    struct motion_style style;
    struct data_curve generic, adapted;
    double figures[N_FIGURES];

    motion_style_init(&style);
    data_curve_init(&generic, MOTION_RATE_HZ);
    speak(model, &style, clip, &generic);
    for (int k = 0; k < N_SETTINGS; k++) {
        const struct setting *setting = &settings[k];
        data_curve_init(&adapted, MOTION_RATE_HZ);
        motion_style_init(&style);
        if (setting->adapt_s > 0.0) {
            adapt(model, clip, setting->adapt_s, &style);
            speak(model, &style, clip, &adapted);
        }
        if (measure(model, clip, setting->adapt_s > 0.0 ? &adapted : &generic, setting->from_s,
                    figures)) {
            print_row(name, setting->name, figures);
            if (setting->adapt_s > 0.0)
                printf("  %s %.2f, generic %.2f, lag %+d ms", style.fitted ? "fitted" : "not used",
                       (double)style.agreement, (double)style.agreement_generic, style.lag_ms);
            printf("\n");
            add(table->sums[k], table->counts[k], figures);
        }
        data_curve_done(&adapted);
        motion_style_done(&style);
    }
    data_curve_done(&generic);
}

int main(int argc, char **argv)
{
    struct table table = {0};
    struct motion_model *model = NULL;
    struct lip_error err = {0};

    if (argc < 3 || motion_model_open(NULL, argv[1], &model, &err) < 0) {
        fprintf(stderr, "usage: evaluate WEIGHTS_DIR CLIP.mouth...\n%s\n", err.text);
        return 2;
    }
    printf("%-28s %-16s", "clip", "adapted on");
    for (int i = 0; i < N_FIGURES; i++)
        printf(" %7s", figure_names[i]);
    printf("\n");
    for (int i = 2; i < argc; i++) {
        const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
        struct clip clip;
        if (read_clip(argv[i], motion_model_basis(model), &clip) == 0) {
            standardise(&clip);
            evaluate(model, &clip, name, &table);
        } else {
            fprintf(stderr, "%s cannot be read\n", name);
        }
        done_clip(&clip);
    }
    for (int k = 0; k < N_SETTINGS; k++) {
        double means[N_FIGURES];
        for (int i = 0; i < N_FIGURES; i++)
            means[i] = table.counts[k][i] > 0.0 ? table.sums[k][i] / table.counts[k][i] : NAN;
        print_row("mean over clips", settings[k].name, means);
        printf("  %.0f clips\n", table.counts[k][0]);
    }
    motion_model_close(&model);
    return 0;
}
