/* SPDX-License-Identifier: MIT */
#include "speaker/traits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "speaker/axes.h"

#define LOCAL_S 1.2f     /* to both sides: what is slower than this is posture, not speech */
#define STILL_SHARE .15f /* of what the sound asks for: mouths that move less are still */
#define STILL_S .6f      /* to both sides */
#define STILL_FULL .2f   /* root mean square of the opening, in its spreads: still … */
#define STILL_NONE .4f   /* … and moving */
#define CLIP 2.5f        /* in spreads */
#define LEAST_SPREAD 1.f /* of a pose: what moves less than mouths do is not made more of … */
#define LEAST_SPEED .5f  /* … of a speed */
#define SPEED_S .04f     /* a speed is the change between so much before and after */

/* One measure, or one trait, over time. */
struct series {
    const float *of;
    size_t step; /* numbers from one moment to the next */
    const float *t_s;
    const uint8_t *cut; /* NULL: no shots */
    size_t n;
};

static float clip(float v)
{
    return v < -CLIP ? -CLIP : v > CLIP ? CLIP : v;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Sums over a neighbourhood. */
struct sums {
    size_t n;
    double sum, squares;
};

static void add(struct sums *s, float v, int sign)
{
    if (!isfinite(v))
        return;
    s->n += (size_t)sign;
    s->sum += sign * (double)v;
    s->squares += sign * (double)v * (double)v;
}

/* Takes off the mean of the neighbourhood (of the same shot), and gives the spread of the livelier
 * half of the neighbourhoods: a mouth that is silent for most of a film is no livelier for it. */
static float centre(const struct series *in, float *out, float *scratch)
{
    size_t lo = 0, hi = 0, n_spreads = 0, shot = 0;
    struct sums near = {0};
    for (size_t i = 0; i < in->n; i++) {
        if (in->cut && in->cut[i] && i > shot) {
            shot = lo = hi = i;
            near = (struct sums){0};
        }
        for (; hi < in->n && in->t_s[hi] <= in->t_s[i] + LOCAL_S &&
               (hi <= i || !in->cut || !in->cut[hi]); hi++)
            add(&near, in->of[hi * in->step], 1);
        for (; in->t_s[lo] < in->t_s[i] - LOCAL_S; lo++)
            add(&near, in->of[lo * in->step], -1);
        out[i] = NAN;
        if (!isfinite(in->of[i * in->step]) || near.n < 2)
            continue;
        double mean = near.sum / (double)near.n;
        out[i] = in->of[i * in->step] - (float)mean;
        scratch[n_spreads++] = (float)sqrt(fmax(near.squares / (double)near.n - mean * mean, 0));
    }
    if (!n_spreads)
        return 0;
    qsort(scratch, n_spreads, sizeof *scratch, compare_floats);
    return scratch[n_spreads * 3 / 4];
}

static void scale(float *v, size_t n, float spread)
{
    for (size_t i = 0; i < n; i++)
        v[i] = clip(v[i] / spread);
}

/* From the standardised opening. */
static void find_still(const float *opening, const float *t_s, size_t n, float *ret_still)
{
    size_t lo = 0, hi = 0;
    struct sums near = {0};
    for (size_t i = 0; i < n; i++) {
        for (; hi < n && t_s[hi] <= t_s[i] + STILL_S; hi++)
            add(&near, opening[hi], 1);
        for (; t_s[lo] < t_s[i] - STILL_S; lo++)
            add(&near, opening[lo], -1);
        float rms = near.n ? (float)sqrt(fmax(near.squares, 0) / (double)near.n) : 1;
        ret_still[i] = fminf(fmaxf((STILL_NONE - rms) / (STILL_NONE - STILL_FULL), 0), 1);
    }
}

/* The memory that is needed while traits are made. */
struct workshop {
    float *measure, *trait, *scratch;
};

/* Linear between two moments that are there, in the same shot; else NAN. `*at`, the last moment up
 * to t_s, is kept for the next call. */
static float between(const struct series *in, float t_s, size_t *at)
{
    while (*at + 1 < in->n && in->t_s[*at + 1] <= t_s)
        ++*at;
    size_t i = *at, next = i + 1;
    if (in->t_s[i] > t_s || next >= in->n || (in->cut && in->cut[next]))
        return t_s == in->t_s[i] ? in->of[i] : NAN;
    float part = (t_s - in->t_s[i]) / (in->t_s[next] - in->t_s[i]);
    return in->of[i] + part * (in->of[next] - in->of[i]);
}

static bool has_cut(const struct series *in, size_t from, size_t to)
{
    for (size_t i = from + 1; in->cut && i <= to && i < in->n; i++)
        if (in->cut[i])
            return true;
    return false;
}

/* NAN near cuts and ends, and where the face is not there. */
static void find_speed(const struct series *in, float *ret_speed)
{
    size_t before = 0, after = 0;
    for (size_t i = 0; i < in->n; i++) {
        float from = between(in, in->t_s[i] - SPEED_S, &before);
        ret_speed[i] = between(in, in->t_s[i] + SPEED_S, &after) - from;
        if (has_cut(in, before, after))
            ret_speed[i] = NAN;
    }
}

/* Measures to poses. `least`: spreads of measures that are not gone below; NULL: none. `still`:
 * [n], or NULL. ret_spreads: of the measures. */
static void mix(const struct series *in, const float axes[SPEAKER_POSES][SPEAKER_MEASURES],
                const float *least, const struct workshop *w, float *const ret_poses[],
                float *ret_still, float ret_spreads[SPEAKER_MEASURES])
{
    struct series one = *in;
    for (int k = 0; k < SPEAKER_POSES; k++)
        memset(ret_poses[k], 0, in->n * sizeof(float));
    for (int m = 0; m < SPEAKER_MEASURES; m++) {
        one.of = in->of + m;
        ret_spreads[m] = fmaxf(centre(&one, w->measure, w->scratch), least ? least[m] : 1e-5f);
        scale(w->measure, in->n, ret_spreads[m]);
        if (m == SPEAKER_OPENING && ret_still)
            find_still(w->measure, in->t_s, in->n, ret_still);
        for (int k = 0; k < SPEAKER_POSES; k++)
            for (size_t i = 0; i < in->n; i++)
                ret_poses[k][i] += axes[k][m] * w->measure[i];
    }
}

/* Poses to traits, in place. */
static void finish(const struct series *in, const struct workshop *w, float *const ret_traits[])
{
    struct series one = *in;
    one.step = 1;
    for (int k = 0; k < SPEAKER_POSES; k++) {
        float *pose = ret_traits[k], *speed = ret_traits[SPEAKER_POSES + k];
        one.of = pose;
        find_speed(&one, speed);
        float spread = centre(&one, w->trait, w->scratch);
        memcpy(pose, w->trait, in->n * sizeof(float));
        scale(pose, in->n, fmaxf(spread, LEAST_SPREAD));
        one.of = speed;
        spread = centre(&one, w->trait, w->scratch);
        memcpy(speed, w->trait, in->n * sizeof(float));
        scale(speed, in->n, fmaxf(spread, LEAST_SPEED));
    }
}

static int make_room(struct speaker_traits *traits, const struct speaker_scene *scene)
{
    size_t n = (size_t)scene->n_frames;
    bool ok = true;
    for (int k = 0; k < SPEAKER_TRAITS; k++) {
        traits->said[k] = base_alloc_array(scene->n_said + 1, sizeof(float));
        ok = ok && traits->said[k];
        for (size_t f = 0; f < scene->n_faces; f++) {
            traits->seen[f][k] = base_alloc_array(n + 1, sizeof(float));
            ok = ok && traits->seen[f][k];
        }
    }
    for (size_t f = 0; f < scene->n_faces; f++) {
        traits->still[f] = base_alloc_array(n + 1, sizeof(float));
        ok = ok && traits->still[f];
    }
    return ok ? LIP_OK : LIP_ERR_NOMEM;
}

static void fill(struct speaker_traits *traits, const struct speaker_scene *scene,
                 const struct workshop *w, float *said_t_s)
{
    size_t n = (size_t)scene->n_frames;
    float least[SPEAKER_MEASURES], spreads[SPEAKER_MEASURES];
    for (size_t i = 0; i < scene->n_said; i++)
        said_t_s[i] = (float)((double)i / scene->said_rate_hz);
    struct series series = {scene->said[0], SPEAKER_MEASURES, said_t_s, NULL, scene->n_said};
    mix(&series, said_axes, NULL, w, traits->said, NULL, least);
    finish(&series, w, traits->said);
    for (int m = 0; m < SPEAKER_MEASURES; m++)
        least[m] *= STILL_SHARE;
    for (size_t f = 0; f < scene->n_faces; f++) {
        series = (struct series){scene->seen[f][0], SPEAKER_MEASURES, scene->t_s,
                                 scene->shot_start, n};
        mix(&series, seen_axes, least, w, traits->seen[f], traits->still[f], spreads);
        finish(&series, w, traits->seen[f]);
    }
}

int speaker_traits_init(struct speaker_traits *traits, const struct speaker_scene *scene)
{
    size_t n = (size_t)scene->n_frames, most = n > scene->n_said ? n : scene->n_said;
    *traits = (struct speaker_traits){0};
    struct workshop w = {base_alloc_array(most + 1, sizeof(float)),
                         base_alloc_array(most + 1, sizeof(float)),
                         base_alloc_array(most + 1, sizeof(float))};
    float *said_t_s = base_alloc_array(scene->n_said + 1, sizeof *said_t_s);
    int r = w.measure && w.trait && w.scratch && said_t_s ? make_room(traits, scene)
                                                          : LIP_ERR_NOMEM;
    if (!r)
        fill(traits, scene, &w, said_t_s);
    base_free(w.measure);
    base_free(w.trait);
    base_free(w.scratch);
    base_free(said_t_s);
    return r;
}

void speaker_traits_done(struct speaker_traits *traits)
{
    for (int k = 0; k < SPEAKER_TRAITS; k++) {
        for (size_t f = 0; f < SPEAKER_TURNS_FACES_MAX; f++)
            base_free(traits->seen[f][k]);
        base_free(traits->said[k]);
    }
    for (size_t f = 0; f < SPEAKER_TURNS_FACES_MAX; f++)
        base_free(traits->still[f]);
    *traits = (struct speaker_traits){0};
}
