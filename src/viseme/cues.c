/* SPDX-License-Identifier: MIT
 *
 * Held shapes, as drawn mouths need them: one shape at a time, each long enough to be seen. Which
 * shapes and when is one search over the whole sound (Viterbi's, with least lengths), so that a
 * short shape is not dropped or stretched by rules but weighed against all others. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "viseme/viseme.h"

#define RATE_HZ 50.0        /* evidence is counted in moments of 20 ms, at any frame rate */
#define LEAST 0.02f         /* no shape is less likely than this */
#define CHANGE 1.6f         /* what a change of shape costs, as a logarithm of likelihood … */
#define CHANGE_TO_TOUCH 0.5f /* … but a closure that is missing is what everybody sees */
#define TOUCH_GAIN 2.0f     /* closures are short, and the net seldom sure of them */
#define YIELD 0.8f          /* so much the others give way to lips that surely meet */
#define SHORTEST_S 0.07     /* shorter shapes flicker, … */
#define TOUCH_S 0.04        /* … but lips that meet are seen at once */
#define REST_S 0.12
#define FRAMES_OF_SHAPE 2   /* a drawn shape stands for two frames at least … */
#define PEAK_LOOKS 5        /* moments of a frame that are looked at, at most */

struct shape_set {
    const char *names[VISEME_SHAPES_MAX + 1];
    int n, touch, teeth, rest;
};
static const struct shape_set sets[] = {
    [VISEME_RHUBARB] = {{"A", "B", "C", "D", "E", "F", "G", "H", "X"}, 9, 0, 6, 8},
    [VISEME_PRESTON] = {{"AI", "E", "etc", "FV", "L", "MBP", "O", "rest", "U", "WQ"}, 10, 5, 3, 7},
};

const char *viseme_shape_name(enum viseme_set set, int shape)
{
    return shape >= 0 && shape < sets[set].n ? sets[set].names[shape] : NULL;
}

/* How likely each shape is at a moment -------------------------------------------------------- */

static float step(float x, float from, float to)
{
    float u = (x - from) / (to - from);
    u = u < 0 ? 0 : u > 1 ? 1 : u;
    return u * u * (3 - 2 * u);
}

static float consonants(const float *p)
{
    return p[DATA_VISEME_DD] + p[DATA_VISEME_KK] + p[DATA_VISEME_CH] + p[DATA_VISEME_SS] +
           p[DATA_VISEME_NN] + p[DATA_VISEME_TH];
}

/* The vowels' shapes differ in how far the mouth opens: that is the mouth curve's to say. */
static void rhubarb(const struct data_viseme_sample *s, float *ret_score)
{
    const float *p = s->share;
    float wide = step(s->open, 0.35f, 0.65f), half = step(s->open, 0.1f, 0.3f);
    ret_score[0] = TOUCH_GAIN * p[DATA_VISEME_PP];
    ret_score[1] = consonants(p) + p[DATA_VISEME_I] + 0.3f * p[DATA_VISEME_RR] +
                   (1 - half) * (p[DATA_VISEME_E] + 0.5f * p[DATA_VISEME_AA]);
    ret_score[2] = half * p[DATA_VISEME_E] + (1 - wide) * (0.5f + 0.5f * half) * p[DATA_VISEME_AA];
    ret_score[3] = wide * p[DATA_VISEME_AA];
    ret_score[4] = p[DATA_VISEME_O] + 0.7f * p[DATA_VISEME_RR];
    ret_score[5] = p[DATA_VISEME_U] + p[DATA_VISEME_W];
    ret_score[6] = p[DATA_VISEME_FF];
    ret_score[7] = p[DATA_VISEME_L];
}

static void preston(const struct data_viseme_sample *s, float *ret_score)
{
    const float *p = s->share;
    ret_score[0] = p[DATA_VISEME_AA];
    ret_score[1] = p[DATA_VISEME_E] + p[DATA_VISEME_I];
    ret_score[2] = consonants(p) + p[DATA_VISEME_RR];
    ret_score[3] = p[DATA_VISEME_FF];
    ret_score[4] = p[DATA_VISEME_L];
    ret_score[5] = TOUCH_GAIN * p[DATA_VISEME_PP];
    ret_score[6] = p[DATA_VISEME_O];
    ret_score[8] = p[DATA_VISEME_U];
    ret_score[9] = p[DATA_VISEME_W];
}

/* A pause inside speech says nothing of the shape, so that the last one is held. */
static void score_at(const struct data_visemes *visemes, enum viseme_set set, double t_s,
                     float ret_score[VISEME_SHAPES_MAX])
{
    struct data_viseme_sample s;
    float pause;
    viseme_at(visemes, t_s, &s);
    memset(ret_score, 0, sizeof(float) * VISEME_SHAPES_MAX);
    if (set == VISEME_RHUBARB)
        rhubarb(&s, ret_score);
    else
        preston(&s, ret_score);
    pause = s.share[DATA_VISEME_SIL] / (float)sets[set].n;
    for (int k = 0; k < sets[set].n; k++)
        ret_score[k] = s.speech * (ret_score[k] + pause);
    ret_score[sets[set].rest] += 1 - s.speech;
    float *touch = &ret_score[sets[set].touch];
    *touch = fminf(fmaxf(*touch, 0.7f * s.speech * s.closure), 1);
}

/* Logarithms of a frame: the mean over its moments, of the closed lips the most, for a frame in
 * which lips meet must show it, whatever else happens in it. */
static void score_frame(const struct data_visemes *visemes, enum viseme_set set, double begin_s,
                        double length_s, float ret_log[VISEME_SHAPES_MAX])
{
    const struct shape_set *of = &sets[set];
    float mean[VISEME_SHAPES_MAX] = {0}, most = 0, score[VISEME_SHAPES_MAX];
    int looks = (int)ceil(length_s * RATE_HZ);
    looks = looks < 1 ? 1 : looks > PEAK_LOOKS ? PEAK_LOOKS : looks;
    for (int i = 0; i < looks; i++) {
        score_at(visemes, set, begin_s + length_s * (i + 0.5) / looks, score);
        for (int k = 0; k < of->n; k++)
            mean[k] += score[k] / (float)looks;
        most = fmaxf(most, score[of->touch]);
    }
    for (int k = 0; k < of->n; k++)
        mean[k] *= 1 - YIELD * most;
    mean[of->touch] = most;
    for (int k = 0; k < of->n; k++)
        ret_log[k] = logf(fmaxf(mean[k], LEAST)) * (float)(length_s * RATE_HZ);
}

/* The search ---------------------------------------------------------------------------------- */

struct search {
    int n, touch, ring; /* shapes, that of closed lips; frames that are remembered, more than any
                           least */
    int least[VISEME_SHAPES_MAX]; /* frames */
    double *best;                 /* [ring][n]: of paths whose shape has stood long enough */
    double *sum;                  /* [ring][n]: of logarithms from the beginning */
    uint8_t *from;                /* [frames][n]: 0 the shape stood before, else that before + 1 */
};

static int least_frames(const struct shape_set *set, int shape, double rate_hz)
{
    bool touch = shape == set->touch || shape == set->teeth;
    double s = touch ? TOUCH_S : shape == set->rest ? REST_S : SHORTEST_S;
    int frames = (int)ceil(s * rate_hz - 1e-6), least = touch ? 1 : FRAMES_OF_SHAPE;
    return frames > least ? frames : least;
}

/* The best path into shape k whose run begins right after frame `at`. */
static double best_before(const struct search *s, long long at, int k, int *ret_shape)
{
    const double *best = &s->best[(size_t)(at % s->ring) * (size_t)s->n];
    int from = -1;
    for (int i = 0; i < s->n; i++)
        if (i != k && (from < 0 || best[i] > best[from]))
            from = i;
    *ret_shape = from;
    return best[from] - (double)(k == s->touch ? CHANGE_TO_TOUCH : CHANGE);
}

static void advance(struct search *s, long long frame, const float *logs)
{
    const size_t here = (size_t)(frame % s->ring) * (size_t)s->n;
    const size_t before = (size_t)((frame + s->ring - 1) % s->ring) * (size_t)s->n;
    for (int k = 0; k < s->n; k++)
        s->sum[here + (size_t)k] = (frame ? s->sum[before + (size_t)k] : 0) + (double)logs[k];
    for (int k = 0; k < s->n; k++) {
        long long begin = frame - s->least[k]; /* the last frame of the shape before */
        uint8_t *from = &s->from[(size_t)frame * (size_t)s->n + (size_t)k];
        double stays = frame ? s->best[before + (size_t)k] + (double)logs[k] : (double)logs[k];
        s->best[here + (size_t)k] = stays;
        if (begin < 0)
            continue;
        int other;
        size_t then = (size_t)(begin % s->ring) * (size_t)s->n + (size_t)k;
        double comes = best_before(s, begin, k, &other) + s->sum[here + (size_t)k] - s->sum[then];
        if (comes > stays) {
            s->best[here + (size_t)k] = comes;
            *from = (uint8_t)(other + 1);
        }
    }
}

/* Backwards along the best path; *ret_cues is base memory. */
static int read_off(const struct search *s, long long n_frames, struct viseme_cue **ret_cues,
                    size_t *ret_n)
{
    struct viseme_cue *cues = NULL;
    size_t n = 0, cap = 0;
    const double *last = &s->best[(size_t)((n_frames - 1) % s->ring) * (size_t)s->n];
    int shape = 0;
    for (int k = 1; k < s->n; k++)
        shape = last[k] > last[shape] ? k : shape;
    for (long long end = n_frames, frame = n_frames - 1; end > 0;) {
        uint8_t from = s->from[(size_t)frame * (size_t)s->n + (size_t)shape];
        long long first = from ? frame - s->least[shape] + 1 : frame;
        if (!from && frame > 0) {
            frame--;
            continue;
        }
        int r = base_grow(&cues, &cap, n + 1, VISEME_FRAMES_MAX, sizeof *cues);
        if (r) {
            base_free(cues);
            return r;
        }
        cues[n++] = (struct viseme_cue){first, end, shape};
        end = first;
        frame = first - 1;
        shape = from - 1;
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct viseme_cue swap = cues[i];
        cues[i] = cues[n - 1 - i];
        cues[n - 1 - i] = swap;
    }
    *ret_cues = cues;
    *ret_n = n;
    return LIP_OK;
}

long long viseme_n_frames(const struct data_visemes *visemes, double rate_hz)
{
    double n = ceil(visemes->length_s * rate_hz - 1e-6);
    return n < 1 ? 1 : (long long)n;
}

int viseme_cues(const struct data_visemes *visemes, enum viseme_set set, double rate_hz,
                struct viseme_cue **ret_cues, size_t *ret_n)
{
    struct search s = {.n = sets[set].n, .touch = sets[set].touch, .ring = 1};
    float logs[VISEME_SHAPES_MAX];
    const long long n_frames = viseme_n_frames(visemes, rate_hz);
    if (n_frames > VISEME_FRAMES_MAX)
        return LIP_ERR_LIMIT;
    for (int k = 0; k < s.n; k++) {
        s.least[k] = least_frames(&sets[set], k, rate_hz);
        s.ring = s.least[k] >= s.ring ? s.least[k] + 1 : s.ring;
    }
    s.best = base_alloc_array((size_t)s.ring * (size_t)s.n, sizeof *s.best);
    s.sum = base_alloc_array((size_t)s.ring * (size_t)s.n, sizeof *s.sum);
    s.from = base_alloc_array((size_t)n_frames * (size_t)s.n, 1);
    int r = s.best && s.sum && s.from ? LIP_OK : LIP_ERR_NOMEM;
    for (long long f = 0; !r && f < n_frames; f++) {
        score_frame(visemes, set, (double)f / rate_hz, 1 / rate_hz, logs);
        advance(&s, f, logs);
    }
    if (!r)
        r = read_off(&s, n_frames, ret_cues, ret_n);
    base_free(s.best);
    base_free(s.sum);
    base_free(s.from);
    return r;
}
