/* SPDX-License-Identifier: MIT */
#include "engine/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/known.h"

#define WHERE "engine/judge"
#define LOOKS_MIN 8       /* fewer looks say nothing of an agreement */
#define CLOSURES_MIN 4
#define FRAMES_MIN 50     /* of each side, for jitter; a quarter of it for sharpness */
#define REST_MIN .02f     /* IOD: motion beyond it is seen … */
#define REST_SHARE .15f   /* … or beyond this share of the person's range */
#define SEEN_SHARE .05f   /* of the range: by so much the net may see a shut mouth open */
#define LAG_MS 60
#define COVERED_POOR .5
#define CLOSURES_POOR .5
#define AGREEMENT_POOR .2

const struct judge_figure_info judge_figures[JUDGE_FIGURES] = {
    {"speech_covered", "Speech covered",
     "Of the frames in which the new voice speaks: how many show a mouth that follows it.", .98, 1,
     true},
    {"closures_drawn", "Closures met",
     "Of the moments at which the voice closes the lips (as in m, b, p): at how many the mouth in "
     "the picture is shut, by the shapes that were drawn.", .9, 1, true},
    {"closures_seen", "Closures seen",
     "The same, but looked for anew in the finished picture, for a sample of these moments.", .7, 1,
     true},
    {"agreement_result", "Agreement with the voice",
     "How well the opening of the mouth, found anew in a sample of the finished pictures, follows "
     "what the new voice asks for (correlation; 1 is perfect).", .7, 1, false},
    {"silence_motion", "Motion in silence",
     "Of the frames in which nobody speaks: in how many the mouth is not at rest.", 0, .05, true},
    {"sharpness", "Sharpness",
     "Fine detail of the drawn mouths, compared with the person's own speaking mouths in this "
     "film.", .8, 1.25, false},
    {"jitter", "Jitter",
     "Trembling of the drawn mouths from frame to frame, compared with the person's own speaking "
     "mouths; where the new voice moves faster, that much more is expected.", 0, 1.35, false},
    {"seam", "Seams",
     "Steps of brightness along the edges of the edit, compared with the same lines in the film.",
     0, 1.1, false},
    {"agreement_film", "The film's own sound",
     "How well the film's own mouth follows the film's own sound, from which this person's way of "
     "speaking is learnt (correlation).", .3, 1, false},
};

void judge_time(double t_s, char ret_text[24])
{
    int64_t s = (int64_t)(t_s < 0 ? 0 : t_s);
    if (s >= 3600)
        snprintf(ret_text, 24, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60),
                 (int)(s % 60));
    else
        snprintf(ret_text, 24, "%02d:%02d", (int)(s / 60), (int)(s % 60));
}

/* Ranges --------------------------------------------------------------------------------------- */

struct judge {
    const struct roles *roles;
    const struct plan *plan;
    const struct perform_stats *stats;
    struct judgement *out;
    float rest[ROLES_CASTS_MAX]; /* opening of each mouth at rest, as it is drawn */
};

typedef bool (*frame_test)(const struct judge *j, int64_t index, int which);

static bool has_state(const struct judge *j, int64_t i, int which)
{
    return j->stats->state[i] == which;
}

static bool is_edited_of(const struct judge *j, int64_t i, int which)
{
    return j->stats->state[i] == PERFORM_EDITED && j->stats->trace.frames[i].cast == which;
}

/* The opening that a viewer sees: of the mouth that was drawn, or of the film's own. */
static uint16_t shown(const struct judge *j, int64_t i)
{
    const struct trace_frame *f = &j->stats->trace.frames[i];
    return perform_follows(j->stats->state[i]) ? f->drawn : f->own;
}

static bool is_restless(const struct judge *j, int64_t i, int which)
{
    (void)which;
    const struct trace *t = &j->stats->trace;
    const struct trace_frame *f = &t->frames[i];
    uint16_t opening = shown(j, i);
    return f->flags & TRACE_SILENCE && opening != TRACE_NONE &&
           fabsf(trace_opening(opening) - j->rest[f->cast]) >
               fmaxf(REST_MIN, REST_SHARE * t->mouth[f->cast].range);
}

/* A closure is met when the mouth is shut within a frame of it. */
static bool is_unshut(const struct judge *j, int64_t i, int which)
{
    (void)which;
    const struct trace *t = &j->stats->trace;
    int cast = t->frames[i].cast;
    if (!(t->frames[i].flags & TRACE_CLOSURE) || shown(j, i) == TRACE_NONE)
        return false;
    for (int64_t k = i - 1; k <= i + 1; k++)
        if (k >= 0 && k < t->n && t->frames[k].cast == cast && shown(j, k) != TRACE_NONE &&
            trace_opening(shown(j, k)) <= t->mouth[cast].closed)
            return false;
    return true;
}

static int add_frame(struct judge_ranges *r, const struct plan_frame *f, const struct plan *plan)
{
    double from_s = plan_seconds(plan, f->pts), to_s = plan_seconds(plan, f->pts + f->duration);
    struct judge_range *last = r->n ? &r->at[r->n - 1] : NULL;
    r->n_frames++;
    if (last && (f->index == last->to_frame + 1 || from_s - last->to_s <= r->joined_s)) {
        last->to_s = to_s;
        last->to_frame = f->index;
        return LIP_OK;
    }
    int status = base_grow(&r->at, &r->cap, r->n + 1, JUDGE_RANGES_MAX, sizeof *r->at);
    if (!status)
        r->at[r->n++] = (struct judge_range){from_s, to_s, f->index, f->index};
    return status;
}

/* Where a test holds. More ranges than a report can hold are joined over ever longer gaps. */
static int find_ranges(const struct judge *j, frame_test test, int which, struct judge_ranges *ret)
{
    for (double joined_s = 0;; joined_s = joined_s > 0 ? 2 * joined_s : .1) {
        struct plan walk = *j->plan;
        struct plan_frame f;
        int r = LIP_OK;
        ret->n = 0;
        ret->n_frames = 0;
        ret->joined_s = joined_s;
        plan_rewind(&walk);
        while (!r && plan_next(&walk, &f))
            if (test(j, f.index, which))
                r = add_frame(ret, &f, &walk);
        if (r != LIP_ERR_LIMIT)
            return r;
    }
}

static int find_all_ranges(struct judge *j)
{
    struct judgement *out = j->out;
    int r = find_ranges(j, has_state, PERFORM_EDITED, &out->edited);
    if (!r)
        r = find_ranges(j, has_state, PERFORM_MATCHING, &out->matching);
    if (!r)
        r = find_ranges(j, has_state, PERFORM_OUTSIDE, &out->outside);
    for (int k = 0; (size_t)k < j->roles->n_casts && j->roles->n_casts > 1 && !r; k++)
        r = find_ranges(j, is_edited_of, k, &out->edited_of[k]);
    for (int k = 0; k < LIP_DECLINE_COUNT && !r; k++)
        r = find_ranges(j, has_state, PERFORM_DECLINED + k, &out->declined[k]);
    if (!r)
        r = find_ranges(j, is_restless, 0, &out->restless);
    if (!r)
        r = find_ranges(j, is_unshut, 0, &out->unshut);
    return r;
}

void judge_done(struct judgement *judgement)
{
    struct judge_ranges *fixed[] = {&judgement->edited, &judgement->matching, &judgement->outside,
                                    &judgement->restless, &judgement->unshut};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        base_free(fixed[i]->at);
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        base_free(judgement->declined[k].at);
    for (int k = 0; k < ROLES_CASTS_MAX; k++)
        base_free(judgement->edited_of[k].at);
    memset(judgement, 0, sizeof *judgement);
}

/* Figures -------------------------------------------------------------------------------------- */

static void set(struct judge *j, enum judge_figure_name name, bool known, double value, int64_t n,
                const char *why_not)
{
    bool fine = known && isfinite(value);
    j->out->figures[name] =
        (struct judge_figure){fine ? value : (double)NAN, n, fine ? NULL : why_not};
}

static void count_shares(struct judge *j)
{
    const struct perform_stats *s = j->stats;
    int64_t n_voice = 0, n_covered = 0, n_silent = 0, n_closures = 0, n_looked = 0, n_shut = 0;
    for (int64_t i = 0; i < s->n_frames; i++) {
        const struct trace_frame *f = &s->trace.frames[i];
        bool known = shown(j, i) != TRACE_NONE;
        n_voice += (f->flags & TRACE_VOICE) != 0;
        n_covered += f->flags & TRACE_VOICE && perform_follows(s->state[i]);
        n_silent += f->flags & TRACE_SILENCE && known;
        n_closures += f->flags & TRACE_CLOSURE && known;
        if (!(f->flags & TRACE_CLOSURE) || s->seen[i] == TRACE_NONE)
            continue;
        n_looked++;
        const struct trace_mouth *mouth = &s->trace.mouth[f->cast];
        n_shut += trace_opening(s->seen[i]) <= mouth->closed + SEEN_SHARE * mouth->range;
    }
    double unshut = (double)j->out->unshut.n_frames, restless = (double)j->out->restless.n_frames;
    set(j, JUDGE_COVERED, n_voice, (double)n_covered / (double)n_voice, n_voice,
        "the voice does not speak");
    set(j, JUDGE_CLOSURES, n_closures >= CLOSURES_MIN, 1 - unshut / (double)n_closures, n_closures,
        "the voice hardly ever closes the lips");
    set(j, JUDGE_SHUT_SEEN, n_looked >= CLOSURES_MIN, (double)n_shut / (double)n_looked, n_looked,
        "too few of these moments were looked at");
    set(j, JUDGE_SILENCE, n_silent, restless / (double)n_silent, n_silent,
        "the voice is never silent while the face is seen");
}

/* Correlation of what is seen in the result with what the voice asks for. */
static void measure_agreement(struct judge *j)
{
    const struct perform_stats *s = j->stats;
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < s->n_frames; i++) {
        const struct trace_frame *f = &s->trace.frames[i];
        uint16_t seen = perform_follows(s->state[i]) ? s->seen[i] : f->own;
        if (!(f->flags & TRACE_REGULAR) || !(f->flags & TRACE_VOICE) || seen == TRACE_NONE)
            continue;
        double a = (double)trace_opening(f->said), b = (double)trace_opening(seen);
        n++;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    double spread = (n * xx - x * x) * (n * yy - y * y);
    set(j, JUDGE_AGREEMENT, n >= LOOKS_MIN && spread > 0, (n * xy - x * y) / sqrt(spread),
        (int64_t)n, "too few speaking frames were looked at");
}

/* Of the film's own mouth and sound; 0: unknown. */
static double own_agreement(const struct cast *cast)
{
    const struct motion_style *style = &cast->style;
    return (double)(style->fitted ? style->agreement : style->agreement_generic);
}

/* Mean squared second difference of openings over frames with a flag that go on. */
static double quickness(const struct judge *j, enum trace_flag flag, bool said)
{
    const struct trace *t = &j->stats->trace;
    double sum = 0, n = 0, v[3];
    for (int64_t i = 2; i < t->n; i++) {
        bool whole = true;
        for (int k = 0; k < 3; k++) {
            const struct trace_frame *f = &t->frames[i - k];
            uint16_t kept = said ? f->said : f->own;
            whole &= f->flags & flag && kept != TRACE_NONE && !(k < 2 && f->flags & TRACE_CUT);
            v[k] = (double)trace_opening(kept);
        }
        if (!whole)
            continue;
        double d = v[0] - 2 * v[1] + v[2];
        sum += d * d;
        n++;
    }
    return n >= FRAMES_MIN ? sum / n : 0;
}

/* How much more quickly the voice moves the mouth than the film does: a picture that follows it
 * changes more from frame to frame and does not tremble. At least 1. */
static double haste(const struct judge *j)
{
    double voice = quickness(j, TRACE_VOICE, true), film = quickness(j, TRACE_FILM, false);
    return film > 0 && voice > film ? sqrt(voice / film) : 1;
}

static void compare_with_film(struct judge *j)
{
    const struct measure_sums *s = &j->stats->sums;
    static const char why[] = "the person hardly speaks in the film, or too little was drawn";
    const int64_t *n = s->n_sharpness;
    set(j, JUDGE_SHARPNESS, n[0] >= FRAMES_MIN / 4 && n[1] >= FRAMES_MIN / 4,
        s->sharpness[0] / (double)n[0] / (s->sharpness[1] / (double)n[1]), n[0], why);
    n = s->n_jitter;
    set(j, JUDGE_JITTER, n[0] >= FRAMES_MIN && n[1] >= FRAMES_MIN,
        sqrt(s->jitter[0] / (double)n[0] / (s->jitter[1] / (double)n[1])) / haste(j), n[0], why);
    set(j, JUDGE_SEAM, s->n_seam > 0, sqrt(s->seam[0] / s->seam[1]), s->n_seam,
        "nothing was drawn");
    const struct cast *worst = j->roles->casts;
    for (size_t i = 1; i < j->roles->n_casts; i++)
        if (own_agreement(&j->roles->casts[i]) < own_agreement(worst))
            worst = &j->roles->casts[i];
    double own = own_agreement(worst);
    set(j, JUDGE_FILM, own != 0, own, worst->person.n_frames,
        "the film has no sound of its own, or too little speech");
}

/* Warnings ------------------------------------------------------------------------------------- */

static struct judge_warning *warn(struct judge *j, const char *kind, bool is_serious,
                                  const char *remedy, const struct judge_ranges *at,
                                  const char *format, ...) __attribute__((format(printf, 6, 7)));

static struct judge_warning *warn(struct judge *j, const char *kind, bool is_serious,
                                  const char *remedy, const struct judge_ranges *at,
                                  const char *format, ...)
{
    struct judgement *out = j->out;
    struct judge_warning *w = &out->warnings[out->n_warnings];
    if (out->n_warnings + 1 < JUDGE_WARNINGS_MAX)
        out->n_warnings++;
    *w = (struct judge_warning){.kind = kind, .is_serious = is_serious, .remedy = remedy, .at = at};
    va_list args;
    va_start(args, format);
    vsnprintf(w->text, sizeof w->text, format, args);
    va_end(args);
    return w;
}

/* "from 00:12 to 00:15 and in 3 more places" */
static void say_places(const struct judge_ranges *at, char ret[96])
{
    char from[24], to[24];
    judge_time(at->at[0].from_s, from);
    judge_time(at->at[0].to_s, to);
    int n = snprintf(ret, 96, strcmp(from, to) ? "from %s to %s" : "at %s", from, to);
    if (at->n > 1)
        snprintf(ret + n, 96 - (size_t)n, " and in %zu more place%s", at->n - 1,
                 at->n > 2 ? "s" : "");
}

static void warn_declines(struct judge *j)
{
    static const struct {
        const char *why, *remedy;
    } of[LIP_DECLINE_COUNT] = {
        [LIP_DECLINE_NO_FACE] = {"the face is not seen", "Use a take in which the face stays in "
                                 "the picture, or choose another face with --face."},
        [LIP_DECLINE_PROFILE] = {"the head is turned away by more than about 60 degrees",
                                 "A take in which the speaker faces the camera would help."},
        [LIP_DECLINE_TINY] = {"the face is too small", "A closer shot, or the film at its full "
                              "resolution, would help."},
        [LIP_DECLINE_UNSURE] = {"the face cannot be followed with certainty",
                                "More light, less blur and nothing before the face would help."},
        [LIP_DECLINE_OCCLUDED] = {"something is in front of the mouth",
                                  "Look at these places; where nothing is in front, use "
                                  "--occlusion off."},
        [LIP_DECLINE_NOT_SPEAKING] = {"nobody in the picture surely speaks",
                                      "'lipsync faces' draws who speaks when; --speaker N names "
                                      "the face."},
    };
    for (int k = 0; k < LIP_DECLINE_COUNT; k++) {
        const struct judge_ranges *at = &j->out->declined[k];
        char places[96];
        if (!at->n || k == LIP_DECLINE_HELD)
            continue;
        say_places(at, places);
        warn(j, lip_decline_name(k), true,
             of[k].remedy ? of[k].remedy : "Look at these places.", at,
             "%s %s: %" PRId64 " of %" PRId64 " frames were left as they were",
             of[k].why ? of[k].why : lip_decline_name(k), places, at->n_frames,
             j->stats->n_frames);
    }
}

static bool is_bad(const struct judge *j, enum judge_figure_name name)
{
    double v = j->out->figures[name].value;
    return !isnan(v) && (v < judge_figures[name].low || v > judge_figures[name].high);
}

static void warn_motion(struct judge *j)
{
    struct judgement *out = j->out;
    char places[96];
    if (is_bad(j, JUDGE_CLOSURES)) {
        say_places(&out->unshut, places);
        warn(j, "closures", true, "Frames that could not be edited are the usual cause; see them "
             "in the time line.", &out->unshut,
             "the lips stay open %s where the voice closes them", places);
    }
    if (is_bad(j, JUDGE_SILENCE)) {
        say_places(&out->restless, places);
        warn(j, "silence_motion", true, "Frames that could not be edited show the film's own "
             "speech; a take in which the speaker is silent there would help.", &out->restless,
             "the mouth moves %s while nobody speaks", places);
    }
    if (is_bad(j, JUDGE_SHUT_SEEN))
        warn(j, "closures_seen", true, "Look at the lips where the voice says m, b and p.", NULL,
             "in the finished picture only %.0f %% of the looked-at closures are seen shut",
             100 * out->figures[JUDGE_SHUT_SEEN].value);
    if (is_bad(j, JUDGE_AGREEMENT))
        warn(j, "agreement", true, "Look at the mouth where it speaks; more footage of the speaker "
             "facing the camera would help.", NULL,
             "the mouth in the finished picture follows the voice loosely (correlation %.2f)",
             out->figures[JUDGE_AGREEMENT].value);
}

static void warn_picture(struct judge *j)
{
    const struct judge_figure *f = j->out->figures;
    if (is_bad(j, JUDGE_SHARPNESS))
        warn(j, "sharpness", true, "More footage in which the person speaks, as sharp as the rest, "
             "would help.", NULL, "the drawn mouths are %s than the person's own (ratio %.2f)",
             f[JUDGE_SHARPNESS].value < 1 ? "softer" : "harder", f[JUDGE_SHARPNESS].value);
    if (is_bad(j, JUDGE_JITTER))
        warn(j, "jitter", true, "A steadier shot, or --crops 3, would help.", NULL,
             "the drawn mouths tremble more than the person's own (ratio %.2f)",
             f[JUDGE_JITTER].value);
    if (is_bad(j, JUDGE_SEAM))
        warn(j, "seam", true, "Look at the edge of the mouth region; even light on the face would "
             "help.", NULL, "the edge of the edit may be seen (ratio %.2f)", f[JUDGE_SEAM].value);
}

static void warn_face(struct judge *j, const struct cast *c)
{
    char who[24] = ""; /* where several faces speak */
    if (j->roles->n_casts > 1 && c->n_faces)
        snprintf(who, sizeof who, "face %d: ", c->faces[c->chosen].number);
    if (c->snap > 0.5f)
        warn(j, "face_beside", true, "Check the portrait with 'lipsync faces'.", NULL,
             "%sno face at the asked point: the nearest one, %.1f face widths away, is used", who,
             (double)c->snap);
    if (c->likeness > KNOWN_DOUBTFUL)
        warn(j, "person_doubtful", true, "Check that the person file is of the one who is seen.",
             NULL, "%sthe person file may be of somebody else: the heads differ by %.1f %% of the "
             "distance of the eyes", who, 100 * (double)c->likeness);
    if (c->person.opening_pct[4] < 0.03f && !c->n_lent)
        warn(j, "never_open", true, "Footage in which the person speaks would help.", NULL,
             "%sthe mouth hardly opens in this film: teeth are drawn, not the person's own", who);
    else if (c->bank.n < 50)
        warn(j, "small_bank", false, "Six seconds of speech give better ones.", NULL,
             "%sonly %zu usable pictures of the mouth", who, c->bank.n);
    double own = own_agreement(c);
    if (own != 0 && own < judge_figures[JUDGE_FILM].low)
        warn(j, "film_sound", false, "If this film is itself dubbed or out of step, this is why.",
             NULL, "%sthe film's own mouth does not follow its own sound (correlation %.2f): the "
             "style of speaking is people's average", who, own);
    else if (c->style.fitted && (c->style.lag_ms >= LAG_MS || c->style.lag_ms <= -LAG_MS))
        warn(j, "film_lag", false, "The new voice is put in step with the picture.", NULL,
             "%sthe film's own picture is %d ms %s against its sound", who,
             c->style.lag_ms < 0 ? -c->style.lag_ms : c->style.lag_ms,
             c->style.lag_ms < 0 ? "early" : "late");
}

/* What the film had and the result has not, or not whole. */
static void warn_notes(struct judge *j)
{
    unsigned notes = j->stats->notes;
    const char *left = j->stats->n_copied ? "are kept in the copied frames only" : "are lost";
    if (notes & MEDIA_NOTE_C2PA)
        warn(j, "c2pa", false, "Keep the film, so that the result can name it as its source.", NULL,
             "the film's content credentials (C2PA) are signed for its own pictures and %s",
             notes & MEDIA_NOTE_C2PA_KEPT ? "kept in a file beside the output" : "left out");
    if (notes & MEDIA_NOTE_DOLBY_VISION)
        warn(j, "dolby_vision", true, "Give the HDR10 version of the film.", NULL,
             "the film's Dolby Vision data %s: colours may be wrong", left);
    if (notes & MEDIA_NOTE_HDR10_PLUS)
        warn(j, "hdr10_plus", false, "Its HDR10 data are kept.", NULL,
             "the film's HDR10+ data for each scene %s", left);
    if (notes & MEDIA_NOTE_INTERLACED)
        warn(j, "interlaced", false, "A deinterlaced film gives a cleaner mouth.", NULL,
             "the film is interlaced and stays so: the mouth is drawn on whole frames");
}

/* The verdict ---------------------------------------------------------------------------------- */

static bool is_poor(const struct judge *j)
{
    const struct judge_figure *f = j->out->figures; /* NAN is below nothing */
    return f[JUDGE_COVERED].value < COVERED_POOR || f[JUDGE_CLOSURES].value < CLOSURES_POOR ||
           f[JUDGE_AGREEMENT].value < AGREEMENT_POOR;
}

static void decide(struct judge *j)
{
    struct judgement *out = j->out;
    const struct judge_warning *first = NULL;
    int n_serious = 0;
    double covered = 100 * out->figures[JUDGE_COVERED].value;
    for (size_t i = 0; i < out->n_warnings; i++)
        if (out->warnings[i].is_serious && !n_serious++)
            first = &out->warnings[i];
    if (!out->edited.n_frames && !out->matching.n_frames)
        out->verdict = LIP_VERDICT_UNCHANGED;
    else
        out->verdict = is_poor(j)  ? LIP_VERDICT_POOR
                       : n_serious ? LIP_VERDICT_LOOK
                                   : LIP_VERDICT_GOOD;
    char *to = out->sentence;
    size_t cap = sizeof out->sentence;
    if (out->verdict == LIP_VERDICT_UNCHANGED)
        snprintf(to, cap, "Only the sound is new: the picture is as it was.");
    else if (out->verdict == LIP_VERDICT_GOOD && isnan(covered))
        snprintf(to, cap, "Good: the voice is silent, and so is the mouth.");
    else if (out->verdict == LIP_VERDICT_GOOD)
        snprintf(to, cap, "Good: the mouth follows the voice in %.0f %% of the speech.", covered);
    else if (n_serious > 1)
        snprintf(to, cap, "%s %s; and %d other thing%s.",
                 out->verdict == LIP_VERDICT_LOOK ? "Look at this:" : "Poor:", first->text,
                 n_serious - 1, n_serious > 2 ? "s" : "");
    else
        snprintf(to, cap, "%s %s.", out->verdict == LIP_VERDICT_LOOK ? "Look at this:" : "Poor:",
                 first ? first->text : "the mouth hardly follows the voice");
}

static bool has_face(const struct roles *roles)
{
    for (size_t i = 0; i < roles->n_casts; i++)
        if (roles->casts[i].n_faces)
            return true;
    return false;
}

int judge_job(const struct roles *roles, const struct plan *plan,
              const struct perform_stats *stats, struct judgement *ret_judgement,
              struct lip_error *err)
{
    memset(ret_judgement, 0, sizeof *ret_judgement);
    struct judge j = {.roles = roles, .plan = plan, .stats = stats, .out = ret_judgement};
    for (size_t i = 0; i < roles->n_casts; i++)
        j.rest[i] = render_drawn_opening((const float(*)[3])roles->casts[i].person.rest);
    if (find_all_ranges(&j))
        return base_error_nomem(err, WHERE);
    count_shares(&j);
    measure_agreement(&j);
    compare_with_film(&j);
    if (!has_face(roles)) {
        warn(&j, "no_face", true, "Check that the film shows a face from the front.", NULL,
             "no face was found: the picture is unchanged, only the sound is new");
    } else {
        warn_declines(&j);
        warn_motion(&j);
        warn_picture(&j);
        for (size_t i = 0; i < roles->n_casts; i++)
            warn_face(&j, &roles->casts[i]);
        warn_notes(&j);
    }
    decide(&j);
    return LIP_OK;
}
