/* SPDX-License-Identifier: MIT
 *
 * A hidden Markov model over the frames: its states are the faces and nobody (docs/design/
 * speaker.md). While a face speaks, each trait o of its mouth follows the predicted one p with
 * correlation r: o = r p + noise; else it knows nothing of p. Both have mean 0 and variance 1. */
#include "speaker/turns.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "speaker/traits.h"

#define WHERE "speaker/turns"
#define STATES (SPEAKER_TURNS_FACES_MAX + 1)
#define AGREEMENT_RANGE .6f /* a face's own agreement may be so much less or more, of the usual */
#define ROUNDS 3         /* of estimating agreement and lag from the turns found */
#define POSES_PER_S 3.f  /* independent looks in a second of speech … */
#define SPEEDS_PER_S 12.f
#define STILL_PER_S 4.f  /* against a still mouth that is to have spoken */
#define QUIET_PER_S 1.f  /* for nobody, in a second of silence */
#define TRUST .5         /* in all this where it is asked how sure it is: looks are not that many */
#define SWITCH_COST 4.f  /* nats: within speech … */
#define PAUSE_COST 2.5f  /* … where nobody makes a sound … */
#define CUT_COST 1.5f    /* … and where the shot changes */
#define EDGE_S .8f       /* on both sides of a change within a shot nothing is sure */
#define LEAST_SURE_S 2.  /* of a face in the film: less may agree by chance, at some lag */
#define LAG_STEP_S .04f
#define LAG_STEPS 7      /* to both sides */
#define LAG_COST .3      /* nats for each step */
#define LAG_OWN_STEPS 4
#define LAG_OWN_COST 1.
#define STEP_MAX_S .1f   /* a frame shown longer counts as this long */

/* Usual correlations of what is seen with what is said. */
static const float usual[SPEAKER_TRAITS] = {.6f, .47f, .35f, .6f, .4f, .23f};

struct turns {
    const struct speaker_scene *scene;
    struct lip_error *err;
    struct speaker_traits traits;
    float agreement[SPEAKER_TURNS_FACES_MAX][SPEAKER_TRAITS], lag_s[SPEAKER_TURNS_FACES_MAX];
    float *score, *forward; /* [frame][state]: log evidence, and sums up to there */
    uint8_t *from;        /* [frame][state] */
    int8_t *path;
    size_t n_states;
};

static float step_s(const struct speaker_scene *s, int64_t i)
{
    float dt = i + 1 < s->n_frames ? s->t_s[i + 1] - s->t_s[i] : i ? s->t_s[i] - s->t_s[i - 1] : 0;
    return dt > STEP_MAX_S ? STEP_MAX_S : dt;
}

/* Linear between samples; 0 outside. */
static float sample(const float *v, const struct speaker_scene *s, float t_s)
{
    double at = (double)t_s * s->said_rate_hz;
    if (!(at >= 0) || at > (double)s->n_said - 1)
        return 0;
    size_t i = (size_t)at;
    float part = (float)(at - (double)i);
    float a = v[i], b = i + 1 < s->n_said ? v[i + 1] : a;
    float x = a + part * (b - a);
    return isfinite(x) ? x : 0;
}

/* Evidence: log odds in frame i of the face's speaking what is said, against its not. */
static float evidence(const struct turns *t, size_t face, int64_t i, float lag_s)
{
    const struct speaker_scene *s = t->scene;
    float at_s = s->t_s[i] - lag_s, sum = -STILL_PER_S * t->traits.still[face][i];
    if (!isfinite(t->traits.seen[face][0][i]))
        return -INFINITY;
    for (int k = 0; k < SPEAKER_TRAITS; k++) {
        float r = t->agreement[face][k], o = t->traits.seen[face][k][i];
        float rest = 1 - r * r, off = o - r * sample(t->traits.said[k], s, at_s);
        float looks = k < SPEAKER_POSES ? POSES_PER_S : SPEEDS_PER_S;
        if (isfinite(o))
            sum += looks * (-.5f * logf(rest) - .5f * (off * off / rest - o * o));
    }
    return step_s(s, i) * sample(s->speech, s, at_s) * sum;
}

/* Agreement and lag ---------------------------------------------------------------------------- */

struct moments {
    double n, pp, oo, po; /* both have mean 0 */
};

static void add_moment(struct moments *m, float p, float o, float weight)
{
    m->n += (double)weight;
    m->pp += (double)(weight * p * p);
    m->oo += (double)(weight * o * o);
    m->po += (double)(weight * p * o);
}

static double correlation(const struct moments *m)
{
    return m->n > 0 && m->pp > 0 && m->oo > 0 ? m->po / sqrt(m->pp * m->oo) : 0;
}

/* From the frames in which the face was found to speak: how well it agrees there. */
static void find_agreement(struct turns *t, size_t face)
{
    const struct speaker_scene *s = t->scene;
    for (int k = 0; k < SPEAKER_TRAITS; k++) {
        struct moments m = {0};
        for (int64_t i = 0; i < s->n_frames; i++) {
            float at_s = s->t_s[i] - t->lag_s[face];
            if (t->path[i] == (int8_t)face && isfinite(t->traits.seen[face][k][i]))
                add_moment(&m, sample(t->traits.said[k], s, at_s), t->traits.seen[face][k][i],
                           step_s(s, i) * sample(s->speech, s, at_s));
        }
        /* A short turn says little of how well this face agrees in general. */
        double r = (correlation(&m) * m.n + 3 * (double)usual[k]) / (m.n + 3);
        double least = (double)(usual[k] * (1 - AGREEMENT_RANGE));
        double most = fmin((double)(usual[k] * (1 + AGREEMENT_RANGE)), .8);
        t->agreement[face][k] = (float)fmin(fmax(r, least), most);
    }
}

/* The chain ------------------------------------------------------------------------------------ */

/* Log evidence of a face in each frame, against nobody in speech. */
static void weigh(struct turns *t, size_t face)
{
    for (int64_t i = 0; i < t->scene->n_frames; i++)
        t->score[(size_t)i * t->n_states + face] = evidence(t, face, i, t->lag_s[face]);
}

/* The same of nobody. */
static void weigh_nobody(struct turns *t)
{
    const struct speaker_scene *s = t->scene;
    for (int64_t i = 0; i < s->n_frames; i++)
        t->score[(size_t)i * t->n_states + s->n_faces] =
            step_s(s, i) * QUIET_PER_S * (1 - sample(s->speech, s, s->t_s[i]));
}

/* What it costs that somebody else is at work in frame i than in the one before. */
static float switch_cost(const struct turns *t, int64_t i)
{
    const struct speaker_scene *s = t->scene;
    float speech = fminf(sample(s->speech, s, s->t_s[i]), sample(s->speech, s, s->t_s[i - 1]));
    float cost = PAUSE_COST + (SWITCH_COST - PAUSE_COST) * speech;
    return s->shot_start[i] ? fminf(cost, CUT_COST) : cost;
}

/* The likeliest path. */
static void find_path(struct turns *t)
{
    size_t n = t->n_states;
    double best[STATES], next[STATES];
    for (size_t k = 0; k < n; k++)
        best[k] = (double)t->score[k];
    for (int64_t i = 1; i < t->scene->n_frames; i++) {
        double cost = (double)switch_cost(t, i);
        size_t top = 0;
        for (size_t k = 1; k < n; k++)
            top = best[k] > best[top] ? k : top;
        for (size_t k = 0; k < n; k++) {
            bool stays = best[k] >= best[top] - cost;
            t->from[(size_t)i * n + k] = (uint8_t)(stays ? k : top);
            next[k] = (stays ? best[k] : best[top] - cost) + (double)t->score[(size_t)i * n + k];
        }
        memcpy(best, next, sizeof best);
    }
    size_t at = 0;
    for (size_t k = 1; k < n; k++)
        at = best[k] > best[at] ? k : at;
    for (int64_t i = t->scene->n_frames - 1; i >= 0; i--) {
        t->path[i] = at == t->scene->n_faces ? SPEAKER_NOBODY : (int8_t)at;
        at = i ? t->from[(size_t)i * n + at] : at;
    }
}

/* The gain of the likeliest path, without finding it. */
static double best_gain(const struct turns *t)
{
    size_t n = t->n_states;
    double best[STATES];
    for (size_t k = 0; k < n; k++)
        best[k] = (double)t->score[k];
    for (int64_t i = 1; i < t->scene->n_frames; i++) {
        double cost = (double)switch_cost(t, i), top = -HUGE_VAL;
        for (size_t k = 0; k < n; k++)
            top = fmax(top, best[k]);
        for (size_t k = 0; k < n; k++)
            best[k] = fmax(best[k], top - cost) + (double)t->score[(size_t)i * n + k];
    }
    double top = -HUGE_VAL;
    for (size_t k = 0; k < n; k++)
        top = fmax(top, best[k]);
    return top;
}

static void set_lag(struct turns *t, size_t face, float lag_s)
{
    t->lag_s[face] = lag_s;
    weigh(t, face);
}

/* Steps in the order 0, 1, -1, 2, -2 …: of equals the smallest is taken. */
static float lag_of(int k)
{
    return (float)(k % 2 ? (k + 1) / 2 : -k / 2) * LAG_STEP_S;
}

/* The lag of the film: the one with which all faces together explain most. */
static float find_common_lag(struct turns *t)
{
    double best = -HUGE_VAL;
    float at_s = 0;
    for (int k = 0; k <= 2 * LAG_STEPS; k++) {
        for (size_t f = 0; f < t->scene->n_faces; f++)
            set_lag(t, f, lag_of(k));
        double gain = best_gain(t) - LAG_COST * fabs((double)lag_of(k)) / (double)LAG_STEP_S;
        if (gain > best + 1e-6) {
            best = gain;
            at_s = lag_of(k);
        }
    }
    return at_s;
}

/* A face's own lag, near that of the film: takes of other cameras may be joined. */
static void find_lag(struct turns *t, size_t face, float common_s)
{
    double best = -HUGE_VAL;
    float at_s = 0;
    for (int k = 0; k <= 2 * LAG_OWN_STEPS; k++) {
        set_lag(t, face, common_s + lag_of(k));
        double gain = best_gain(t) - LAG_OWN_COST * fabs((double)lag_of(k)) / (double)LAG_STEP_S;
        if (gain > best + 1e-6) {
            best = gain;
            at_s = t->lag_s[face];
        }
    }
    set_lag(t, face, at_s);
}

static double log_sum(const double *v, size_t n)
{
    double top = -HUGE_VAL, sum = 0;
    for (size_t k = 0; k < n; k++)
        top = fmax(top, v[k]);
    if (!isfinite(top))
        return top;
    for (size_t k = 0; k < n; k++)
        sum += exp(v[k] - top);
    return top + log(sum);
}

static void pass_on(const struct turns *t, int64_t i, const double *in, double *out)
{
    size_t n = t->n_states;
    double move = exp(-(double)switch_cost(t, i));
    double stay = log(1 / (1 + move * (double)(n - 1)));
    double all = log_sum(in, n) + stay + log(move);
    for (size_t k = 0; k < n; k++) { /* staying, and coming from any state */
        double two[2] = {in[k] + stay + log1p(-move), all};
        out[k] = log_sum(two, 2);
    }
}

static void add_evidence(const struct turns *t, int64_t i, double *v)
{
    for (size_t k = 0; k < t->n_states; k++)
        v[k] += TRUST * (double)t->score[(size_t)i * t->n_states + k];
    double norm = log_sum(v, t->n_states);
    for (size_t k = 0; k < t->n_states; k++)
        v[k] -= norm;
}

/* How probable the path's states are: sums over all paths that lead there and that go on. */
static void find_sureness(struct turns *t, struct speaker_turn *ret_turns)
{
    size_t n = t->n_states;
    int64_t n_frames = t->scene->n_frames;
    double v[STATES] = {0}, next[STATES], sum[STATES];
    for (int64_t i = 0; i < n_frames; i++) {
        if (i) {
            pass_on(t, i, v, next);
            memcpy(v, next, sizeof v);
        }
        add_evidence(t, i, v);
        for (size_t k = 0; k < n; k++)
            t->forward[(size_t)i * n + k] = (float)v[k];
    }
    memset(v, 0, sizeof v);
    for (int64_t i = n_frames - 1; i >= 0; i--) {
        size_t at = t->path[i] < 0 ? n - 1 : (size_t)t->path[i];
        for (size_t k = 0; k < n; k++)
            sum[k] = (double)t->forward[(size_t)i * n + k] + v[k];
        double sure = exp(sum[at] - log_sum(sum, n));
        ret_turns[i] = (struct speaker_turn){t->path[i], (uint8_t)lround(255 * fmin(sure, 1))};
        add_evidence(t, i, v);
        if (i) {
            pass_on(t, i, v, next);
            memcpy(v, next, sizeof v);
        }
    }
}

#define UNSURE ((uint8_t)(255 * SPEAKER_SURE) - 1)

static void doubt(struct speaker_turn *turn)
{
    turn->sure = turn->sure > UNSURE ? UNSURE : turn->sure;
}

/* The moment of a change is known less well than it seems. */
static void doubt_edges(const struct turns *t, struct speaker_turn *turns)
{
    const struct speaker_scene *s = t->scene;
    for (int64_t i = 1; i < s->n_frames; i++) {
        if (turns[i].face == turns[i - 1].face || s->shot_start[i])
            continue;
        for (int64_t k = i; k < s->n_frames && s->t_s[k] < s->t_s[i] + EDGE_S; k++)
            if (k == i || !s->shot_start[k])
                doubt(&turns[k]);
            else
                break;
        for (int64_t k = i - 1; k >= 0 && s->t_s[k] > s->t_s[i] - EDGE_S; k--) {
            doubt(&turns[k]);
            if (s->shot_start[k])
                break;
        }
    }
}

/* A face that surely speaks for a moment only may agree by chance, for its lag was searched for:
 * then it is not sure at all. */
static void doubt_moments(const struct turns *t, struct speaker_turn *turns)
{
    const struct speaker_scene *s = t->scene;
    double sure_s[SPEAKER_TURNS_FACES_MAX] = {0};
    for (int64_t i = 0; i < s->n_frames; i++)
        if (turns[i].face >= 0 && speaker_turn_sure(&turns[i]) >= SPEAKER_SURE)
            sure_s[turns[i].face] += (double)step_s(s, i);
    for (int64_t i = 0; i < s->n_frames; i++)
        if (turns[i].face >= 0 && sure_s[turns[i].face] < LEAST_SURE_S)
            doubt(&turns[i]);
}

/* Public --------------------------------------------------------------------------------------- */

/* Without sound: the most important of the faces in the picture. */
static void without_sound(const struct speaker_scene *s, struct speaker_turn *ret_turns)
{
    for (int64_t i = 0; i < s->n_frames; i++) {
        ret_turns[i] = (struct speaker_turn){SPEAKER_NOBODY, 255};
        for (size_t f = s->n_faces; f-- > 0;)
            if (isfinite(s->seen[f][i][0]))
                ret_turns[i].face = (int8_t)f;
    }
}

void speaker_run_at(const struct speaker_turn *turns, int64_t n, int64_t at,
                    struct speaker_run *ret_run)
{
    int face = turns[at].face;
    int64_t first = at, end = at + 1, from, to;
    while (first > 0 && turns[first - 1].face == face)
        first--;
    while (end < n && turns[end].face == face)
        end++;
    for (from = first; from < end && speaker_turn_sure(&turns[from]) < SPEAKER_SURE;)
        from++;
    for (to = end; to > from && speaker_turn_sure(&turns[to - 1]) < SPEAKER_SURE;)
        to--;
    /* Before, within and after what is sure. */
    int64_t upto = at < from ? from : at < to ? to : end;
    double sum = 0;
    for (int64_t i = at; i < upto; i++)
        sum += (double)speaker_turn_sure(&turns[i]);
    *ret_run = (struct speaker_run){at, upto, face, (float)(sum / (double)(upto - at))};
}

static void sum_up(const struct turns *t, const struct speaker_turn *turns,
                   struct speaker_voice *ret_voices)
{
    const struct speaker_scene *s = t->scene;
    double sure[SPEAKER_TURNS_FACES_MAX] = {0};
    int64_t n[SPEAKER_TURNS_FACES_MAX] = {0};
    struct speaker_run run;
    for (size_t f = 0; f < s->n_faces; f++)
        ret_voices[f] = (struct speaker_voice){.lag_ms = (int)lroundf(1000 * t->lag_s[f])};
    for (int64_t at = 0; at < s->n_frames; at = run.to) {
        speaker_run_at(turns, s->n_frames, at, &run);
        if (run.face < 0)
            continue;
        struct speaker_voice *v = &ret_voices[run.face];
        v->agreement = t->agreement[run.face][0];
        sure[run.face] += (double)run.sure * (double)(run.to - run.from);
        n[run.face] += run.to - run.from;
        for (int64_t i = run.from; i < run.to && run.sure >= SPEAKER_SURE; i++)
            v->speaks_s += (double)step_s(s, i);
    }
    for (size_t f = 0; f < s->n_faces; f++)
        ret_voices[f].sure = n[f] ? (float)(sure[f] / (double)n[f]) : 0;
}

static int find_turns(struct turns *t, struct speaker_turn *ret_turns)
{
    const struct speaker_scene *s = t->scene;
    int r = speaker_traits_init(&t->traits, s);
    t->n_states = s->n_faces + 1;
    size_t cells = (size_t)s->n_frames * t->n_states;
    t->score = base_alloc_array(cells + 1, sizeof *t->score);
    t->forward = base_alloc_array(cells + 1, sizeof *t->forward);
    t->from = base_alloc_array(cells + 1, 1);
    t->path = base_alloc_array((size_t)s->n_frames + 1, 1);
    if (r || !t->score || !t->forward || !t->from || !t->path)
        return base_error_nomem(t->err, WHERE);
    weigh_nobody(t);
    for (size_t f = 0; f < s->n_faces; f++)
        memcpy(t->agreement[f], usual, sizeof usual);
    float common_s = find_common_lag(t);
    for (size_t f = 0; f < s->n_faces; f++)
        set_lag(t, f, common_s);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t f = 0; f < s->n_faces; f++)
            find_lag(t, f, common_s);
        find_path(t);
        for (size_t f = 0; f < s->n_faces; f++) {
            find_agreement(t, f);
            weigh(t, f);
        }
    }
    find_path(t);
    find_sureness(t, ret_turns);
    doubt_moments(t, ret_turns);
    doubt_edges(t, ret_turns);
    return LIP_OK;
}

int speaker_turns(const struct speaker_scene *scene, struct speaker_turn *ret_turns,
                  struct speaker_voice *ret_voices, struct lip_error *err)
{
    if (scene->n_faces > SPEAKER_TURNS_FACES_MAX || scene->n_frames < 0)
        return base_error_arg(err, WHERE, "scene");
    struct turns t = {.scene = scene, .err = err};
    int r = LIP_OK;
    if (scene->n_said && scene->n_faces && scene->n_frames)
        r = find_turns(&t, ret_turns);
    else
        without_sound(scene, ret_turns);
    if (!r)
        sum_up(&t, ret_turns, ret_voices);
    speaker_traits_done(&t.traits);
    base_free(t.score);
    base_free(t.forward);
    base_free(t.from);
    base_free(t.path);
    return r;
}
