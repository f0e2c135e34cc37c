/* SPDX-License-Identifier: MIT
 *
 * The report's time line: what was said, drawn and seen, point by point, for whoever draws it. */
#include "engine/timeline.h"

#include <math.h>

#include "base/alloc.h"

#define WHERE "engine/timeline"
#define POINTS_MAX 3000
#define BLOCK 4096
#define PER_IOD 1000. /* openings are told in thousandths */

int timeline_peaks(const struct lip_job *job, double per_s, size_t n, float *ret_peaks,
                   struct lip_error *err)
{
    size_t got = 1;
    float *block = base_alloc_array(BLOCK, sizeof *block);
    struct media_audio *audio = NULL;
    struct lip_error why = {0};
    if (!block)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n; i++)
        ret_peaks[i] = 0;
    const char *heard = segments_asked(job) ? job->output : job->voice ? job->voice : job->film;
    bool readable = !media_audio_open(heard, DATA_SOUND_RATE_HZ, &audio, &why);
    for (int64_t at = 0; readable && got;) { /* no waveform is better than no report */
        if (media_audio_read(audio, block, BLOCK, &got, &why))
            break;
        for (size_t i = 0; i < got; i++, at++) {
            double x = (double)at / DATA_SOUND_RATE_HZ * per_s;
            if (x >= (double)n)
                got = 0;
            else
                ret_peaks[(size_t)x] = fmaxf(ret_peaks[(size_t)x], fabsf(block[i]));
        }
    }
    media_audio_close(&audio);
    base_free(block);
    return LIP_OK;
}

/* One point of the line; where several frames share it, the widest of each. */
struct point {
    int said, drawn, seen;  /* -1: not known */
    int mouth[3];           /* middle and width, DISP */
    bool has_mouth;
};

static int kept(uint16_t v)
{
    return v == TRACE_NONE ? -1 : (int)lround(PER_IOD * (double)trace_opening(v));
}

static void raise(int *to, int v)
{
    if (v > *to)
        *to = v;
}

/* Of the face that speaks in the frame; where none does, of the first that is known. */
static void find_mouth(const struct report_input *in, int64_t frame, struct point *p)
{
    const struct role *role = roles_find(in->roles, frame);
    struct cast *cast = &in->roles->casts[role ? role->cast : 0];
    const struct data_face_obs *obs = NULL;
    struct lip_error quiet = {0};
    if (!cast->n_faces || !cast->geometry.score ||
        geometry_obs(&cast->geometry, frame, &obs, &quiet) || !obs)
        return;
    const float *l = obs->points[61], *r = obs->points[291], *u = obs->points[0],
                *d = obs->points[17];
    p->mouth[0] = (int)lround((double)(l[0] + r[0]) / 2);
    p->mouth[1] = (int)lround((double)(u[1] + d[1]) / 2);
    p->mouth[2] = (int)lround(hypot((double)(r[0] - l[0]), (double)(r[1] - l[1])));
    p->has_mouth = true;
}

static void fill(const struct report_input *in, double step_s, size_t n, struct point *points)
{
    const struct trace *t = &in->stats->trace;
    struct plan walk = *in->plan;
    struct plan_frame f;
    for (size_t i = 0; i < n; i++)
        points[i] = (struct point){.said = -1, .drawn = -1, .seen = -1};
    plan_rewind(&walk);
    while (plan_next(&walk, &f)) {
        size_t i = (size_t)(plan_seconds(&walk, f.pts) / step_s + 1e-6);
        struct point *p = &points[i < n ? i : n - 1];
        raise(&p->said, kept(t->frames[f.index].said));
        if (perform_follows(in->stats->state[f.index]))
            raise(&p->drawn, kept(t->frames[f.index].drawn));
        raise(&p->seen, kept(in->stats->seen[f.index]));
        if (!p->has_mouth)
            find_mouth(in, f.source, p);
    }
}

static json_t *number_or_null(int v)
{
    return v < 0 ? json_null() : json_integer(v);
}

static json_t *put_points(const struct point *points, const float *peaks, size_t n)
{
    json_t *o = json_object(), *said = json_array(), *drawn = json_array(), *seen = json_array();
    json_t *voice = json_array(), *mouth = json_array();
    float loudest = 1e-4f;
    for (size_t i = 0; i < n; i++)
        loudest = fmaxf(loudest, peaks[i]);
    for (size_t i = 0; i < n; i++) {
        const struct point *p = &points[i];
        json_array_append_new(said, number_or_null(p->said));
        json_array_append_new(drawn, number_or_null(p->drawn));
        json_array_append_new(seen, number_or_null(p->seen));
        json_array_append_new(voice, json_integer(lroundf(100 * peaks[i] / loudest)));
        for (int k = 0; k < 3; k++)
            json_array_append_new(mouth, p->has_mouth ? json_integer(p->mouth[k]) : json_null());
    }
    json_object_set_new(o, "said", said);
    json_object_set_new(o, "drawn", drawn);
    json_object_set_new(o, "seen", seen);
    json_object_set_new(o, "voice", voice);
    json_object_set_new(o, "mouth", mouth);
    return o;
}

json_t *timeline_make(const struct report_input *in)
{
    double length_s = (double)plan_total_us(in->plan) * 1e-6;
    double step_s = fmax(plan_seconds(in->plan, in->plan->step_ticks), length_s / POINTS_MAX);
    size_t n = step_s > 0 ? (size_t)ceil(length_s / step_s - 1e-6) : 0;
    n = n < 1 ? 1 : n;
    struct point *points = base_alloc_array(n, sizeof *points);
    float *peaks = base_alloc_array(n, sizeof *peaks);
    json_t *o = NULL;
    struct lip_error quiet = {0};
    if (points && peaks && !timeline_peaks(in->job, 1 / step_s, n, peaks, &quiet)) {
        fill(in, step_s, n, points);
        o = put_points(points, peaks, n);
        json_object_set_new(o, "step_s", json_real(step_s));
    }
    base_free(points);
    base_free(peaks);
    return o ? o : json_null();
}
