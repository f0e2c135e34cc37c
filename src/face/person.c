/* SPDX-License-Identifier: MIT
 *
 * A person's own face, free of pose: generalised Procrustes over many observations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/curve.h"
#include "face/parts.h"

#define ROUNDS 4
#define REST_SHARE 0.10   /* of the frames, the most closed ones, make the mouth at rest */
#define REST_YAW_RAD 0.25f /* the mesh guesses far lips badly when the head is turned further … */
#define REST_TURN 0.15f   /* … and a radian more is as bad as this opening, IOD */
#define TRIM 2.5          /* residuals above this many medians do not count … */
#define TRIM_FREE 0.02    /* … unless they are below this anyway, IOD */

/* One observation as it lies on the canonical shape. */
struct sample {
    struct face_pose pose; /* observation -> CANON */
    double weight;         /* 0: not used */
    double rms;            /* over the stable points, CANON */
    float yaw, opening, width;
};

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Linear between the sorted values. */
static float percentile(const float *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n)
        return sorted[n - 1];
    return (float)(sorted[i] + (at - (double)i) * ((double)sorted[i + 1] - sorted[i]));
}

static double distance(const float *a, const float *b)
{
    double x = (double)a[0] - b[0], y = (double)a[1] - b[1], z = (double)a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}

/* Turns a shape upright (33->263 = x, 10->152 = y), IOD 1, centre of the stable points at 0. */
static bool normalise(float shape[DATA_FACE_POINTS][3])
{
    double x[3], y[3], z[3], iod = distance(shape[33], shape[263]), dot = 0, len = 0;
    if (!(iod > 0) || !isfinite(iod))
        return false;
    for (int k = 0; k < 3; k++)
        x[k] = ((double)shape[263][k] - shape[33][k]) / iod;
    for (int k = 0; k < 3; k++)
        dot += x[k] * ((double)shape[152][k] - shape[10][k]);
    for (int k = 0; k < 3; k++) {
        y[k] = (double)shape[152][k] - shape[10][k] - dot * x[k];
        len += y[k] * y[k];
    }
    if (!(len > 1e-12 * iod * iod))
        return false;
    for (int k = 0; k < 3; k++)
        y[k] /= sqrt(len);
    z[0] = x[1] * y[2] - x[2] * y[1];
    z[1] = x[2] * y[0] - x[0] * y[2];
    z[2] = x[0] * y[1] - x[1] * y[0];

    struct face_pose turn = {1 / iod, {x[0], x[1], x[2], y[0], y[1], y[2], z[0], z[1], z[2]}, {0}};
    face_pose_apply(&turn, (const float(*)[3])shape, DATA_FACE_POINTS, shape);
    for (int k = 0; k < 3; k++) {
        double c = 0;
        for (size_t i = 0; i < FACE_N_STABLE; i++)
            c += shape[face_stable_points[i]][k];
        c /= FACE_N_STABLE;
        for (int i = 0; i < DATA_FACE_POINTS; i++)
            shape[i][k] = (float)(shape[i][k] - c);
    }
    return true;
}

/* Lays every observation on the shape; bad fits and turned heads weigh less or nothing.
 * Returns how many count. */
static size_t place(const struct data_face_obs *obs, size_t n, const float (*shape)[3],
                    struct sample *samples, float *sorted)
{
    size_t n_used = 0;
    for (size_t i = 0; i < n; i++) {
        struct sample *s = &samples[i];
        float pitch, roll;
        s->weight = 0;
        if (!face_pose_fit(obs[i].points, shape, face_stable_points, FACE_N_STABLE, &s->pose,
                           &s->rms) ||
            !isfinite(s->rms))
            continue;
        double turned[9];
        for (int k = 0; k < 9; k++) /* the head's own rotation is the inverse */
            turned[k] = s->pose.rot[k % 3 * 3 + k / 3];
        face_rotation_angles(turned, &s->yaw, &pitch, &roll);
        double turn = (s->yaw * (double)s->yaw + pitch * (double)pitch) / (.35 * .35);
        s->weight = (obs[i].confidence > 0 ? obs[i].confidence : 0) / (1 + turn);
        if (s->weight > 0)
            sorted[n_used++] = (float)s->rms;
    }
    if (n_used == 0)
        return 0;
    qsort(sorted, n_used, sizeof *sorted, compare_floats);
    double limit = fmax(TRIM * percentile(sorted, n_used, .5), TRIM_FREE);
    n_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (samples[i].rms > limit)
            samples[i].weight = 0;
        n_used += samples[i].weight > 0;
    }
    return n_used;
}

/* Weighted mean of the placed observations. */
static void mean_shape(const struct data_face_obs *obs, size_t n, const struct sample *samples,
                       double (*sum)[3], float ret_shape[DATA_FACE_POINTS][3])
{
    float placed[DATA_FACE_POINTS][3];
    double total = 0;
    memset(sum, 0, DATA_FACE_POINTS * sizeof *sum);
    for (size_t i = 0; i < n; i++) {
        double w = samples[i].weight;
        if (w <= 0)
            continue;
        face_pose_apply(&samples[i].pose, obs[i].points, DATA_FACE_POINTS, placed);
        for (int p = 0; p < DATA_FACE_POINTS; p++)
            for (int k = 0; k < 3; k++)
                sum[p][k] += w * placed[p][k];
        total += w;
    }
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int k = 0; k < 3; k++)
            ret_shape[p][k] = (float)(sum[p][k] / total);
}

/* Opening and width of every used observation into `samples`; percentiles into the person. */
static void measure_mouth(const struct data_face_obs *obs, size_t n, struct sample *samples,
                          float *sorted, struct data_person *person)
{
    static const double shares[5] = {.02, .25, .5, .75, .98};
    size_t n_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (samples[i].weight <= 0)
            continue;
        samples[i].opening = (float)(samples[i].pose.scale * data_mouth_opening(obs[i].points));
        samples[i].width = (float)(samples[i].pose.scale * data_mouth_width(obs[i].points));
    }
    for (int what = 0; what < 2; what++) {
        n_used = 0;
        for (size_t i = 0; i < n; i++)
            if (samples[i].weight > 0)
                sorted[n_used++] = what ? samples[i].width : samples[i].opening;
        qsort(sorted, n_used, sizeof *sorted, compare_floats);
        for (int k = 0; k < 5; k++)
            (what ? person->width_pct : person->opening_pct)[k] =
                percentile(sorted, n_used, shares[k]);
    }
}

/* Keeps the weights of the frames in which the mouth is most closed; a turned head counts like a
 * mouth that is open a little. */
static void keep_closed(size_t n, struct sample *samples, float *sorted)
{
    size_t n_used = 0;
    for (size_t i = 0; i < n; i++) {
        if (samples[i].weight <= 0)
            continue;
        samples[i].opening += REST_TURN * fmaxf(fabsf(samples[i].yaw) - REST_YAW_RAD, 0);
        sorted[n_used++] = samples[i].opening;
    }
    qsort(sorted, n_used, sizeof *sorted, compare_floats);
    float limit = percentile(sorted, n_used, REST_SHARE);
    for (size_t i = 0; i < n; i++)
        if (samples[i].opening > limit)
            samples[i].weight = 0;
}

static size_t most_frontal(const struct data_face_obs *obs, size_t n)
{
    size_t best = n;
    double best_turn = HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        const float(*p)[3] = obs[i].points;
        double iod = distance(p[33], p[263]);
        double turn = fabs((double)p[33][2] - p[263][2]) / iod + 1 - obs[i].confidence;
        if (iod > 0 && turn < best_turn) { /* false for a NaN */
            best = i;
            best_turn = turn;
        }
    }
    return best;
}

static int learn(const struct data_face_obs *obs, size_t n, struct sample *samples, float *sorted,
                 double (*sum)[3], struct data_person *person)
{
    size_t first = most_frontal(obs, n), n_used = 0;
    if (first == n)
        return LIP_ERR_NO_FACE;
    memcpy(person->canon, obs[first].points, sizeof person->canon);
    if (!normalise(person->canon))
        return LIP_ERR_NO_FACE;
    for (int round = 0; round <= ROUNDS; round++) {
        n_used = place(obs, n, (const float(*)[3])person->canon, samples, sorted);
        if (n_used == 0)
            return LIP_ERR_NO_FACE;
        if (round == ROUNDS)
            break;
        mean_shape(obs, n, samples, sum, person->canon);
        if (!normalise(person->canon))
            return LIP_ERR_NO_FACE;
    }
    person->n_frames = (int64_t)n_used;
    measure_mouth(obs, n, samples, sorted, person);
    keep_closed(n, samples, sorted);
    mean_shape(obs, n, samples, sum, person->rest);
    person->opening_rest = data_mouth_opening(person->rest);
    return LIP_OK;
}

int face_person_learn(const struct data_face_obs *obs, size_t n, struct data_person *ret_person,
                      struct lip_error *err)
{
    if (!obs || n == 0)
        return base_error_set(err, LIP_ERR_NO_FACE, "face/person",
                              "there is no picture of the face to learn from");
    struct sample *samples = base_alloc_array(n, sizeof *samples);
    float *sorted = base_alloc_array(n, sizeof *sorted);
    double(*sum)[3] = base_alloc_array(DATA_FACE_POINTS, sizeof *sum);
    struct data_person *person = base_alloc_zero(sizeof *person);
    int r = LIP_ERR_NOMEM;
    if (samples && sorted && sum && person)
        r = learn(obs, n, samples, sorted, sum, person);
    if (r == LIP_OK)
        *ret_person = *person;
    else if (r == LIP_ERR_NOMEM)
        base_error_nomem(err, "face/person");
    else
        base_error_set(err, r, "face/person", "none of %zu observations of the face is usable", n);
    base_free(samples);
    base_free(sorted);
    base_free(sum);
    base_free(person);
    return r;
}
