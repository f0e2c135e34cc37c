/* SPDX-License-Identifier: MIT */
#include "engine/segments.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

#define WHERE "engine/segments"
#define TIME_MAX_S (24. * 3600)
#define VOICES_US_MAX ((int64_t)12 * 3600 * 1000000)
#define FADE_US 8000 /* of the sound, at the ends of a segment */

static int64_t us_of(double t_s)
{
    return (int64_t)llround(t_s * 1e6);
}

/* Checking ------------------------------------------------------------------------------------- */

static int wrong(struct lip_error *err, const char *what, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int wrong(struct lip_error *err, const char *what, int number, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return base_error_set(err, LIP_ERR_ARG, WHERE, "%s %d %s", what, number, text);
}

/* NaN is neither. */
static bool is_time(double t_s)
{
    return t_s >= 0 && t_s <= TIME_MAX_S;
}

static int check_face(const struct lip_segment *s, int number, struct lip_error *err)
{
    if (s->face > LIP_FACE_AUTO || s->sync > LIP_SYNC_REMAP || s->occlusion > LIP_OCCLUSION_OFF)
        return wrong(err, "segment", number, "has an enum that is out of range");
    if (s->face == LIP_FACE_NUMBER && s->face_number < 1)
        return wrong(err, "segment", number, "names a face by a number below 1");
    bool point = s->face_x > -1e6 && s->face_x < 1e6 && s->face_y > -1e6 && s->face_y < 1e6;
    if (s->face == LIP_FACE_POINT && !(point && (s->face_frame >= 0 || is_time(s->face_t_s))))
        return wrong(err, "segment", number, "needs x, y in pixels and a time for its face");
    if (!(s->temperature < 0) && !(s->temperature <= 1))
        return wrong(err, "segment", number, "has a temperature that is not from 0 to 1");
    return LIP_OK;
}

static int check_segment(const struct lip_segment *s, int number, struct lip_error *err)
{
    if (!is_time(s->start_s) || !is_time(s->end_s))
        return wrong(err, "segment", number, "needs a start and an end in seconds, from 0 on");
    if (s->start_s > s->end_s)
        return wrong(err, "segment", number, "ends (%.3f s) before it begins (%.3f s)", s->end_s,
                     s->start_s);
    if (!s->voice || !*s->voice)
        return wrong(err, "segment", number, "has no voice");
    if (!is_time(s->voice_from_s) || !is_time(s->voice_to_s))
        return wrong(err, "segment", number, "needs times from 0 on for its piece of the voice");
    if (s->voice_to_s > 0 && us_of(s->voice_to_s) <= us_of(s->voice_from_s))
        return wrong(err, "segment", number, "takes a piece of the voice that ends (%.3f s) before "
                     "it begins (%.3f s)", s->voice_to_s, s->voice_from_s);
    return check_face(s, number, err);
}

struct span {
    int64_t from_us, to_us;
    int number;
};

static int by_start(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    return x->to_us != y->to_us ? (x->to_us < y->to_us ? -1 : 1) : x->number - y->number;
}

static int check_overlaps(struct span *spans, int n, const char *what, struct lip_error *err)
{
    qsort(spans, (size_t)n, sizeof *spans, by_start);
    for (int i = 1; i < n; i++)
        if (spans[i].from_us < spans[i - 1].to_us)
            return base_error_set(err, LIP_ERR_ARG, WHERE, "the %ss %d (%.3f to %.3f s) and %d "
                                  "(%.3f to %.3f s) overlap", what, spans[i - 1].number,
                                  (double)spans[i - 1].from_us * 1e-6,
                                  (double)spans[i - 1].to_us * 1e-6, spans[i].number,
                                  (double)spans[i].from_us * 1e-6,
                                  (double)spans[i].to_us * 1e-6);
    return LIP_OK;
}

static int check_all(const struct lip_job *job, struct span *spans, struct lip_error *err)
{
    int r = LIP_OK;
    for (int i = 0; i < job->n_segments && !r; i++) {
        const struct lip_segment *s = &job->segments[i];
        r = check_segment(s, i + 1, err);
        if (!r)
            spans[i] = (struct span){us_of(s->start_s), us_of(s->end_s), i + 1};
    }
    for (int i = 0; i < job->n_only && !r; i++) {
        const struct lip_range *s = &job->only[i];
        if (!is_time(s->from_s) || !is_time(s->to_s) || s->from_s > s->to_s)
            r = wrong(err, "range", i + 1, "needs a start and a later end in seconds, from 0 on");
        else
            spans[i] = (struct span){us_of(s->from_s), us_of(s->to_s), i + 1};
    }
    int n = job->n_segments + job->n_only; /* one of them is 0 */
    return r ? r : check_overlaps(spans, n, job->n_only ? "range" : "segment", err);
}

int segments_check(const struct lip_job *job, struct lip_error *err)
{
    if (!segments_asked(job) && !job->n_segments && !job->n_only)
        return LIP_OK;
    if (job->n_segments < 0 || job->n_segments > LIP_SEGMENTS_MAX || job->n_only < 0 ||
        job->n_only > LIP_SEGMENTS_MAX)
        return base_error_arg(err, WHERE, "the number of segments or ranges is 0 to 1000");
    if ((job->n_segments && !job->segments) || (job->n_only && !job->only))
        return base_error_arg(err, WHERE, "the segments or ranges are missing");
    if (job->n_segments && job->n_only)
        return base_error_arg(err, WHERE, "a job has segments or ranges, not both");
    if (job->n_segments && job->voice)
        return base_error_arg(err, WHERE, "segments bring their own voices: the job has none");
    struct span *spans = base_alloc_array(LIP_SEGMENTS_MAX, sizeof *spans);
    int r = spans ? check_all(job, spans, err) : base_error_nomem(err, WHERE);
    base_free(spans);
    return r;
}

static uint64_t mix(double v, uint64_t hash)
{
    v = v == 0 ? 0 : v; /* one zero */
    return base_hash(&v, sizeof v, hash);
}

static uint64_t mix_segment(const struct lip_segment *s, uint64_t hash)
{
    const double all[] = {s->start_s, s->end_s, s->voice_from_s, s->voice_to_s, s->sync,
                          s->temperature, s->occlusion, s->face, s->face_number, s->face_x,
                          s->face_y, s->face_t_s, (double)s->face_frame};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        hash = mix(all[i], hash);
    return hash;
}

int segments_hash(const struct lip_job *job, uint64_t *ret_hash, struct lip_error *err)
{
    uint64_t hash = 0;
    for (int i = 0; i < job->n_segments; i++) {
        uint64_t voice = 0;
        int r = base_fs_identity(job->segments[i].voice, &voice, err);
        if (r)
            return r;
        hash = mix_segment(&job->segments[i], base_hash(&voice, sizeof voice, hash));
    }
    for (int i = 0; i < job->n_only; i++)
        hash = mix(job->only[i].to_s, mix(job->only[i].from_s, hash));
    *ret_hash = hash;
    return LIP_OK;
}

/* Opening -------------------------------------------------------------------------------------- */

/* The voice with this file and temperature; measured when it is new. */
static int take_voice(struct segments *all, const char *path, double temperature, int *ret_voice,
                      struct lip_error *err)
{
    int64_t length_us = -1;
    for (size_t i = 0; i < all->n_voices; i++) {
        if (strcmp(all->voices[i].path, path))
            continue;
        length_us = all->voices[i].length_us;
        *ret_voice = (int)i;
        if (all->voices[i].temperature == temperature)
            return LIP_OK;
    }
    struct media_audio_info info = {.duration_us = length_us};
    int r = length_us < 0 ? media_audio_measure(path, &info, err) : LIP_OK;
    if (r)
        return r;
    if (info.duration_us < 1)
        return base_error_set(err, LIP_ERR_NO_AUDIO, WHERE, "'%s' has no sound in it", path);
    all->voices[all->n_voices] = (struct segment_voice){path, temperature, info.duration_us, 0};
    *ret_voice = (int)all->n_voices++;
    return LIP_OK;
}

static int open_segment(struct segments *all, const struct lip_job *job, int i,
                        struct lip_error *err)
{
    const struct lip_segment *asked = &job->segments[i];
    double temperature = asked->temperature < 0 ? job->temperature : asked->temperature;
    struct segment *s = &all->at[all->n];
    *s = (struct segment){.asked = asked, .number = i + 1, .from_us = us_of(asked->start_s),
                          .to_us = us_of(asked->end_s),
                          .sync = asked->sync < 0 ? job->sync : (enum lip_sync_mode)asked->sync,
                          .voice_from_us = us_of(asked->voice_from_s)};
    int r = take_voice(all, asked->voice, temperature, &s->voice, err);
    if (r)
        return r;
    int64_t length_us = all->voices[s->voice].length_us;
    int64_t to_us = asked->voice_to_s > 0 ? us_of(asked->voice_to_s) : length_us;
    s->voice_us = (to_us < length_us ? to_us : length_us) - s->voice_from_us;
    if (s->voice_us < 1)
        return base_error_set(err, LIP_ERR_ARG, WHERE, "segment %d takes a piece from %.3f s on, "
                              "but '%s' is only %.3f s long", i + 1, asked->voice_from_s,
                              asked->voice, (double)length_us * 1e-6);
    all->n++;
    return LIP_OK;
}

/* The voice lies on the film's clock; where it is over there is silence. */
static int open_range(struct segments *all, const struct lip_job *job, int i,
                      struct lip_error *err)
{
    struct segment *s = &all->at[all->n++];
    int64_t from_us = us_of(job->only[i].from_s), to_us = us_of(job->only[i].to_s);
    *s = (struct segment){.number = i + 1, .from_us = from_us, .to_us = to_us,
                          .sync = LIP_SYNC_SILENCE, .voice_from_us = from_us};
    int r = take_voice(all, job->voice ? job->voice : job->film, job->temperature, &s->voice, err);
    if (r)
        return r;
    int64_t left_us = all->voices[s->voice].length_us - from_us;
    s->voice_us = left_us < 0 ? 0 : left_us < to_us - from_us ? left_us : to_us - from_us;
    return LIP_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    return x->to_us != y->to_us ? (x->to_us < y->to_us ? -1 : 1) : x->number - y->number;
}

static int check_voices(const struct segments *all, struct lip_error *err)
{
    int64_t sum_us = 0;
    for (size_t i = 0; i < all->n_voices; i++)
        sum_us += all->voices[i].length_us;
    if (sum_us > VOICES_US_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "the voices are longer than 12 hours");
    return LIP_OK;
}

int segments_open(struct segments *segments, const struct lip_job *job, struct lip_error *err)
{
    *segments = (struct segments){0};
    size_t n = (size_t)job->n_segments + (size_t)job->n_only;
    segments->at = base_alloc_array(n + 1, sizeof *segments->at);
    segments->voices = base_alloc_array(n + 1, sizeof *segments->voices);
    int r = segments->at && segments->voices ? LIP_OK : base_error_nomem(err, WHERE);
    for (int i = 0; i < job->n_segments && !r; i++)
        r = open_segment(segments, job, i, err);
    for (int i = 0; i < job->n_only && !r; i++)
        r = open_range(segments, job, i, err);
    if (r)
        return r;
    qsort(segments->at, segments->n, sizeof *segments->at, by_place);
    return check_voices(segments, err);
}

void segments_done(struct segments *segments)
{
    base_free(segments->at);
    base_free(segments->voices);
    *segments = (struct segments){0};
}

/* Placing -------------------------------------------------------------------------------------- */

static int64_t out_length_us(const struct segment *s)
{
    int64_t film = s->to_us - s->from_us, voice = s->voice_us;
    if (!s->asked)
        return film;
    if (s->sync == LIP_SYNC_CUT_OFF)
        return voice < film ? voice : film;
    if (s->sync == LIP_SYNC_SILENCE)
        return voice > film ? voice : film;
    return voice;
}

static int64_t pts_of(const struct data_score *score, int64_t frame)
{
    return data_score_frame(score, frame)->pts - data_score_frame(score, 0)->pts;
}

/* The first frame that begins at or after a time; the number of frames when there is none. */
static int64_t frame_from(const struct data_score *score, int64_t ticks)
{
    int64_t lo = 0, hi = data_score_n_frames(score);
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (pts_of(score, mid) < ticks)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Every frame that is shown during the segment, and at least one. */
static void place_frames(struct segment *s, const struct plan *film, int64_t after)
{
    const struct data_score *score = film->score;
    int64_t from = plan_ticks(film, s->from_us), n = data_score_n_frames(score);
    s->first = frame_from(score, from);
    if (s->first == n || pts_of(score, s->first) > from)
        s->first--;
    s->end = frame_from(score, plan_ticks(film, s->to_us));
    s->first = s->first > after ? s->first : after;
    s->end = s->end > s->first ? s->end : s->first + 1;
    s->end = s->end < n ? s->end : n;
    s->first = s->first < s->end ? s->first : s->end - 1;
}

static int place(struct segments *all, const struct plan *film, const struct base_log *log,
                 struct lip_error *err)
{
    size_t n = 0;
    int64_t shift_us = 0, after = 0;
    for (size_t i = 0; i < all->n; i++) {
        struct segment s = all->at[i];
        const char *what = s.asked ? "segment" : "range";
        if (s.from_us >= all->film_us && s.to_us > s.from_us)
            return wrong(err, what, s.number, "begins at %.3f s, but the film is only %.3f s long",
                         (double)s.from_us * 1e-6, (double)all->film_us * 1e-6);
        s.to_us = s.to_us < all->film_us ? s.to_us : all->film_us;
        if (s.to_us <= s.from_us) {
            base_log_print(log, BASE_LOG_WARN, "%s %d has no length: it changes nothing", what,
                           s.number);
            continue;
        }
        int64_t length_us = out_length_us(&s);
        s.out_us = s.from_us + shift_us;
        s.out_to_us = s.out_us + length_us;
        shift_us += length_us - (s.to_us - s.from_us);
        s.voice_us = s.voice_us < length_us ? s.voice_us : length_us;
        place_frames(&s, film, after);
        after = s.end;
        struct segment_voice *voice = &all->voices[s.voice];
        if (voice->needed_us < s.voice_from_us + s.voice_us)
            voice->needed_us = s.voice_from_us + s.voice_us;
        all->at[n++] = s;
    }
    all->n = n;
    all->end_shift_us = shift_us;
    return LIP_OK;
}

int segments_place(struct segments *segments, const struct data_score *score,
                   const struct base_log *log, struct lip_error *err)
{
    const struct data_film *film = data_score_film(score);
    struct plan_params params = {.sync = LIP_SYNC_SILENCE, .voice_us = -1};
    struct plan plan;
    if (film->is_image)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "a still picture has no segments: give it one voice");
    int r = plan_init(&plan, score, &params, err);
    if (r)
        return r;
    segments->film_has_sound = film->has_audio;
    segments->film_us = plan_total_us(&plan);
    return place(segments, &plan, log, err);
}

struct lip_job segments_job(const struct segment *segment, const struct lip_job *job,
                            const struct data_score *score)
{
    struct lip_job own = *job;
    const struct lip_segment *asked = segment->asked;
    if (!asked)
        return own;
    if (asked->occlusion >= 0)
        own.occlusion = (enum lip_occlusion)asked->occlusion;
    if (asked->face < 0)
        return own;
    own.face = (enum lip_face_choice)asked->face;
    own.face_number = asked->face_number;
    own.face_x = asked->face_x;
    own.face_y = asked->face_y;
    own.face_t_s = asked->face_t_s;
    if (own.face == LIP_FACE_POINT && asked->face_frame >= 0) {
        const struct data_film *film = data_score_film(score);
        const double *m = film->disp_from_img.m;
        int64_t last = data_score_n_frames(score) - 1;
        int64_t frame = asked->face_frame < last ? asked->face_frame : last;
        own.face_x = m[0] * asked->face_x + m[1] * asked->face_y + m[2];
        own.face_y = m[3] * asked->face_x + m[4] * asked->face_y + m[5];
        own.face_t_s = ((double)pts_of(score, frame) + .5) * (double)film->time_base.num /
                       (double)film->time_base.den;
    }
    return own;
}

/* What follows from it ------------------------------------------------------------------------- */

int segments_plan(const struct segments *segments, const struct data_score *score,
                  struct plan *ret_plan, struct lip_error *err)
{
    size_t n = 0;
    int64_t n_frames = data_score_n_frames(score), done = 0, shift_us = 0;
    struct plan_part *parts = base_alloc_array(2 * segments->n + 1, sizeof *parts);
    if (!parts)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < segments->n; i++) {
        const struct segment *s = &segments->at[i];
        if (s->first > done)
            parts[n++] = (struct plan_part){.first = done, .n = s->first - done,
                                            .sync = LIP_SYNC_SILENCE, .shift_us = shift_us};
        parts[n++] = (struct plan_part){
            .first = s->first, .n = s->end - s->first, .sync = s->sync, .shift_us = shift_us,
            .voice_at_us = s->out_us, .voice_s = (double)s->voice_from_us * 1e-6,
            .voice_end_s = (double)(s->voice_from_us + s->voice_us) * 1e-6};
        shift_us = s->out_to_us - s->to_us;
        done = s->end;
    }
    if (n_frames > done)
        parts[n++] = (struct plan_part){.first = done, .n = n_frames - done,
                                        .sync = LIP_SYNC_SILENCE, .shift_us = shift_us};
    int r = plan_init_parts(ret_plan, score, parts, n, segments->end_shift_us, err);
    base_free(parts);
    return r;
}

/* Of a fade at an end of a segment: at most half of what is there. */
static int64_t fade_us(const struct segment *s)
{
    int64_t film = (s->to_us - s->from_us) / 2, out = (s->out_to_us - s->out_us) / 2;
    int64_t most = film < out ? film : out;
    return most < FADE_US ? most : FADE_US;
}

/* The film's own sound from the end of segment `before` (NULL: the film's beginning) to the
 * beginning of `next` (NULL: its end). It reaches into both by their fades. */
static bool film_sound(const struct segments *all, const char *film, const struct segment *before,
                       const struct segment *next, struct media_sound *ret_sound)
{
    int64_t from = before ? before->to_us : 0, to = next ? next->from_us : all->film_us;
    int64_t shift = before ? before->out_to_us - before->to_us : 0;
    int64_t in = before ? fade_us(before) : 0, out = next ? fade_us(next) : 0;
    if (!all->film_has_sound || to <= from)
        return false;
    *ret_sound = (struct media_sound){.path = film, .from_us = from - in,
                                      .at_us = from - in + shift,
                                      .length_us = to - from + in + out, .fade_in_us = in,
                                      .fade_out_us = out};
    return true;
}

int segments_sounds(const struct segments *segments, const char *film,
                    struct media_sound **ret_sounds, size_t *ret_n, struct lip_error *err)
{
    size_t n = 0;
    struct media_sound *sounds = base_alloc_array(2 * segments->n + 1, sizeof *sounds);
    if (!sounds)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i <= segments->n; i++) {
        const struct segment *before = i ? &segments->at[i - 1] : NULL;
        const struct segment *s = i < segments->n ? &segments->at[i] : NULL;
        n += film_sound(segments, film, before, s, &sounds[n]);
        if (!s || !s->voice_us)
            continue;
        int64_t fade = fade_us(s), out = s->voice_us < 2 * fade ? s->voice_us / 2 : fade;
        sounds[n++] = (struct media_sound){.path = segments->voices[s->voice].path, .slot = 1,
                                           .from_us = s->voice_from_us, .at_us = s->out_us,
                                           .length_us = s->voice_us, .fade_in_us = out,
                                           .fade_out_us = out};
    }
    *ret_sounds = sounds;
    *ret_n = n;
    return LIP_OK;
}

int segments_times(const struct segments *segments, struct media_time **ret_times, size_t *ret_n,
                   struct lip_error *err)
{
    size_t n = 0;
    struct media_time *times = base_alloc_array(3 * segments->n + 1, sizeof *times);
    if (!times)
        return base_error_nomem(err, WHERE);
    times[n++] = (struct media_time){0, 0};
    for (size_t i = 0; i < segments->n; i++) {
        const struct segment *s = &segments->at[i];
        int64_t film = s->to_us - s->from_us, out = s->out_to_us - s->out_us;
        int64_t same = s->sync == LIP_SYNC_REMAP && s->asked ? 0 : film < out ? film : out;
        times[n++] = (struct media_time){s->from_us, s->out_us};
        if (same)
            times[n++] = (struct media_time){s->from_us + same, s->out_us + same};
        times[n++] = (struct media_time){s->to_us, s->out_to_us};
    }
    *ret_times = times;
    *ret_n = n;
    return LIP_OK;
}
