/* SPDX-License-Identifier: MIT
 *
 * How well the mouth follows the sound, by the same calls that the engine makes.
 *
 *   bench-motion MODELS [--weights DIR] [--adapt SECONDS] [--live yes] CLIP.mouth...
 *   bench-motion MODELS --agree PERSON.mouth CLEAN VOICE[@SPEED]...
 *
 * The first prints a line per clip and setting and the means: `new` without adaptation; `own` after
 * adaptation on the first 60 % (at most 60 s) of a clip of 12 s and more, or on the first SECONDS
 * of a longer clip, tested on what comes after; `new, rest` without adaptation on the same rest.
 * DIR holds other weights than MODELS/motion. `--live yes`: the net of low latency, with the rows
 * standardised as they come; it is not fitted, so that there is only `new`. `still`: share of
 * frames, driven by silence and by a whisper of noise, that move or stand open after the first
 * 200 ms. `x real` is the speed on one core, sound rows to curve. The second prints how far the
 * curves of disturbed voices (SPEED times as fast) agree with the curve of the clean one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "media/media.h"
#include "motion.h"
#include "speech/speech.h"

#define ADAPT_SHARE 0.6
#define ADAPT_MAX_S 60.0
#define ADAPT_CLIP_S 12.0
#define STILL_S 4
#define STILL_AFTER 10     /* samples: 200 ms */
#define STILL_IOD 0.004f   /* so far may lips be from rest: the mesh's own noise */
#define N_SETTINGS 3

struct bench {
    struct nn_runtime *runtime;
    const char *models_dir;
    struct motion_model *model;
    double sums[N_SETTINGS][N_FIGURES], counts[N_SETTINGS][N_FIGURES];
    double cpu_s, sound_s, still, n_clips;
    double adapt_s; /* 0: a share of the clip */
};
static const char *const setting_names[N_SETTINGS] = {"new", "new, rest", "own"};

static void fail(const struct lip_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void make_curve(struct bench *b, const struct motion_style *style,
                       const struct data_person *person, const struct data_sound_row *rows,
                       size_t n, struct data_curve *ret_curve)
{
    struct motion_stream *stream = NULL;
    struct data_curve_sample sample;
    struct lip_error err = {0};
    clock_t began = clock();
    data_curve_init(ret_curve, MOTION_RATE_HZ);
    if (motion_stream_create(b->model, style, person, &stream, &err) ||
        motion_stream_push(stream, rows, n, &err) || motion_stream_flush(stream, &err))
        fail(&err);
    while (motion_stream_pull(stream, &sample))
        if (data_curve_push(ret_curve, &sample))
            abort();
    motion_stream_destroy(&stream);
    b->cpu_s += (double)(clock() - began) / CLOCKS_PER_SEC;
    b->sound_s += (double)n / 100;
}

static void adapt(struct bench *b, const struct talk *talk, double until_s,
                  struct motion_style *ret_style)
{
    struct motion_fit *fit = NULL;
    struct lip_error err = {0};
    size_t n = 0, n_rows = (size_t)(until_s * 100);
    while (n < talk->n_frames && talk->observed[n].t_s < until_s)
        n++;
    if (motion_fit_create(b->model, &talk->person, talk->observed, n, &fit, &err) ||
        motion_fit_push(fit, talk->rows, n_rows < talk->n_rows ? n_rows : talk->n_rows, &err) ||
        motion_fit_finish(&fit, ret_style, &err))
        fail(&err);
}

/* Sound to rows, standardised. */
static struct data_sound_row *hear(struct bench *b, const float *samples, size_t n, size_t *ret_n)
{
    struct speech_stream *stream = NULL;
    const struct data_sound_prior *prior = motion_model_prior(b->model);
    struct data_sound_row *rows = base_alloc_array(n / DATA_SOUND_HOP + 4, sizeof *rows);
    struct lip_error err = {0};
    size_t n_rows = 0;
    if (!rows)
        abort();
    if (speech_stream_create(b->runtime, b->models_dir, !prior, &stream, &err) ||
        speech_stream_push(stream, samples, n, &err) || speech_stream_flush(stream, &err))
        fail(&err);
    while (n_rows < n / DATA_SOUND_HOP + 4 && speech_stream_pull(stream, &rows[n_rows]))
        n_rows++;
    talk_standardise(rows, n_rows, prior);
    speech_stream_destroy(&stream);
    *ret_n = n_rows;
    return rows;
}

/* Share of frames that are not at rest, over silence and over noise at -60 dB. */
static double still(struct bench *b, const struct motion_style *style, const struct talk *talk)
{
    static float sound[STILL_S * DATA_SOUND_RATE_HZ], points[DATA_FACE_POINTS][3];
    static float lips[LIP_POINTS][2], rest[LIP_POINTS][2];
    size_t n = 0, away = 0;
    talk_lips((const float(*)[3])talk->person.rest, rest);
    for (int noisy = 0; noisy < 2; noisy++) {
        struct data_curve curve;
        size_t n_rows = 0;
        uint32_t seed = 5;
        for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
            seed = seed * 1664525u + 1013904223u;
            sound[i] = noisy ? 0.0017f * ((float)(seed >> 8) / 8388608.0f - 1.0f) : 0;
        }
        struct data_sound_row *rows = hear(b, sound, sizeof sound / sizeof *sound, &n_rows);
        make_curve(b, style, &talk->person, rows, n_rows, &curve);
        for (size_t i = STILL_AFTER; i < curve.n; i++, n++) {
            bool moved = false;
            data_basis_shape(motion_model_basis(b->model), (const float(*)[3])talk->person.rest,
                             curve.samples[i].coef, points);
            talk_lips((const float(*)[3])points, lips);
            for (int p = 0; p < LIP_POINTS; p++)
                moved |= hypotf(lips[p][0] - rest[p][0], lips[p][1] - rest[p][1]) > STILL_IOD;
            away += moved;
        }
        data_curve_done(&curve);
        base_free(rows);
    }
    return (double)away / (double)n;
}

static void print_row(const char *name, const char *setting, const double f[N_FIGURES])
{
    printf("| %-24s | %-9s |", name, setting);
    for (int i = 0; i < N_FIGURES; i++)
        printf(i == LAG_MS ? " %6.0f |" : " %6.2f |", f[i]);
}

static void report(struct bench *b, const char *name, int setting, const double f[N_FIGURES])
{
    print_row(name, setting_names[setting], f);
    for (int i = 0; i < N_FIGURES; i++) {
        double v = i == LAG_MS ? fabs(f[i]) : f[i];
        if (isnan(v))
            continue;
        b->sums[setting][i] += v;
        b->counts[setting][i]++;
    }
}

static void bench_clip(struct bench *b, const struct talk *talk, const char *name)
{
    const struct data_basis *basis = motion_model_basis(b->model);
    struct motion_style style;
    struct data_curve curve, own;
    double f[N_FIGURES];
    double length_s = talk->n_frames ? talk->observed[talk->n_frames - 1].t_s : 0;
    motion_style_init(&style);
    make_curve(b, &style, &talk->person, talk->rows, talk->n_rows, &curve);
    if (talk_measure(basis, talk, &curve, 0, f)) {
        report(b, name, 0, f);
        printf("\n");
    }
    b->still += still(b, &style, talk);
    b->n_clips++;
    double until_s = b->adapt_s > 0 ? b->adapt_s : fmin(ADAPT_SHARE * length_s, ADAPT_MAX_S);
    if (!motion_model_prior(b->model) && length_s >= fmax(ADAPT_CLIP_S, until_s + 2)) {
        bool rest = talk_measure(basis, talk, &curve, until_s, f);
        if (rest) {
            report(b, name, 1, f);
            printf("\n");
        }
        adapt(b, talk, until_s, &style);
        make_curve(b, &style, &talk->person, talk->rows, talk->n_rows, &own);
        if (rest && talk_measure(basis, talk, &own, until_s, f)) {
            report(b, name, 2, f);
            printf(" %s, %.0f s\n", style.fitted ? "fitted" : "range only", until_s);
        }
        data_curve_done(&own);
    }
    data_curve_done(&curve);
    motion_style_done(&style);
}

static int bench_clips(struct bench *b, int n, char **paths)
{
    printf("| %-24s | %-9s |", "clip", "mouth");
    for (int i = 0; i < N_FIGURES; i++)
        printf(" %6s |", figure_names[i]);
    printf("\n|---|---|%s\n", "---|---|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < n; i++) {
        const char *slash = strrchr(paths[i], '/');
        struct talk talk;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(slash ? slash + 1 : paths[i], "."),
                 slash ? slash + 1 : paths[i]);
        if (talk_load(paths[i], motion_model_basis(b->model), motion_model_prior(b->model),
                      &talk) == 0)
            bench_clip(b, &talk, name);
        else
            fprintf(stderr, "%s cannot be read\n", name);
        talk_free(&talk);
    }
    for (int k = 0; k < N_SETTINGS; k++) {
        double mean[N_FIGURES];
        char name[32];
        if (b->counts[k][OPENING] == 0)
            continue;
        for (int i = 0; i < N_FIGURES; i++)
            mean[i] = b->counts[k][i] > 0 ? b->sums[k][i] / b->counts[k][i] : NAN;
        snprintf(name, sizeof name, "**mean of %.0f**", b->counts[k][OPENING]);
        print_row(name, setting_names[k], mean);
        printf("\n");
    }
    printf("\nlag: mean of its size. still: %.2f %% of frames. cost: %.0f x real time\n",
           b->n_clips > 0 ? 100 * b->still / b->n_clips : 0, b->sound_s / b->cpu_s);
    return 0;
}

/* Agreement of disturbed voices ---------------------------------------------------------------- */

static void curve_of(struct bench *b, const struct data_person *person, const char *path,
                     struct data_curve *ret_curve)
{
    struct media_audio *audio = NULL;
    struct lip_error err = {0};
    struct motion_style style;
    float *samples = NULL, block[4096];
    size_t n = 0, cap = 0, got = 1, n_rows = 0;
    motion_style_init(&style);
    if (media_audio_open(path, DATA_SOUND_RATE_HZ, &audio, &err))
        fail(&err);
    while (got) {
        if (media_audio_read(audio, block, 4096, &got, &err))
            fail(&err);
        if (base_grow(&samples, &cap, n + got + 1, (size_t)1 << 28, sizeof *samples))
            abort();
        memcpy(samples + n, block, got * sizeof *block);
        n += got;
    }
    media_audio_close(&audio);
    struct data_sound_row *rows = hear(b, samples, n, &n_rows);
    make_curve(b, &style, person, rows, n_rows, ret_curve);
    base_free(rows);
    base_free(samples);
}

static float opening_at(struct bench *b, const struct data_person *person,
                        const struct data_curve *curve, double t_s, float *ret_closure)
{
    static float points[DATA_FACE_POINTS][3];
    struct data_curve_sample s;
    data_curve_at(curve, t_s, &s);
    data_basis_shape(motion_model_basis(b->model), (const float(*)[3])person->rest, s.coef,
                     points);
    *ret_closure = s.closure;
    return data_mouth_opening((const float(*)[3])points);
}

static int bench_agree(struct bench *b, int n, char **paths)
{
    struct talk talk;
    struct data_curve clean;
    if (talk_load(paths[0], motion_model_basis(b->model), motion_model_prior(b->model), &talk))
        return 1;
    curve_of(b, &talk.person, paths[1], &clean);
    printf("| voice | open r | closure r | spread |\n|---|---|---|---|\n");
    for (int i = 2; i < n; i++) {
        struct data_curve other;
        char *at = strrchr(paths[i], '@');
        double speed = at ? strtod(at + 1, NULL) : 1, s[8] = {0};
        if (at)
            *at = 0;
        curve_of(b, &talk.person, paths[i], &other);
        for (size_t k = 0; k < clean.n; k++) {
            float closed_a, closed_b;
            double t_s = (double)k / clean.rate_hz;
            double x = (double)opening_at(b, &talk.person, &clean, t_s, &closed_a);
            double y = (double)opening_at(b, &talk.person, &other, t_s / speed, &closed_b);
            double a = (double)closed_a, c = (double)closed_b;
            double add[8] = {x, y, x * x, y * y, x * y, a * a, c * c, a * c};
            for (int j = 0; j < 8; j++)
                s[j] += add[j] / (double)clean.n;
        }
        double vx = s[2] - s[0] * s[0], vy = s[3] - s[1] * s[1];
        printf("| %s | %.2f | %.2f | %.2f |\n",
               strrchr(paths[i], '/') ? strrchr(paths[i], '/') + 1 : paths[i],
               (s[4] - s[0] * s[1]) / sqrt(vx * vy), s[7] / sqrt(s[5] * s[6]), sqrt(vy / vx));
        data_curve_done(&other);
    }
    data_curve_done(&clean);
    talk_free(&talk);
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct lip_error err = {0};
    char weights[4096];
    bool live = false;
    if (argc < 3) {
        fprintf(stderr, "usage: bench-motion MODELS [--weights DIR] [--adapt SECONDS] [--live yes] "
                        "CLIP.mouth..."
                        " | MODELS --agree PERSON.mouth CLEAN VOICE[@SPEED]...\n");
        return 2;
    }
    b.models_dir = argv[1];
    snprintf(weights, sizeof weights, "%s/motion", argv[1]);
    for (; argc > 4; argc -= 2, argv += 2) {
        if (!strcmp(argv[2], "--weights"))
            snprintf(weights, sizeof weights, "%s", argv[3]);
        else if (!strcmp(argv[2], "--adapt"))
            b.adapt_s = strtod(argv[3], NULL);
        else if (!strcmp(argv[2], "--live"))
            live = !strcmp(argv[3], "yes");
        else
            break;
    }
    if (nn_runtime_open(NULL, &b.runtime, &err) ||
        (live ? motion_model_open_live(weights, &b.model, &err)
              : motion_model_open(b.runtime, weights, &b.model, &err)))
        fail(&err);
    bool agree = !strcmp(argv[2], "--agree") && argc > 5;
    int r = agree ? bench_agree(&b, argc - 3, argv + 3) : bench_clips(&b, argc - 2, argv + 2);
    motion_model_close(&b.model);
    nn_runtime_close(&b.runtime);
    return r;
}
