/* SPDX-License-Identifier: MIT */
#include "engine/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "engine/timeline.h"

#define WHERE "engine/report"
#define TEXT_MAX 4000
#define SOURCE_TYPE \
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

static const char *const sync_names[] = {"bounce", "loop", "cut_off", "silence", "remap"};
static const char *const codec_names[] = {"h264", "hevc", "prores", "vp9",
                                          "av1",  "ffv1", "copy-like-source", "auto"};
static const char *const tier_names[] = {"standard", "fast", "pro"};
static const char *const face_names[] = {"largest", "number", "point", "auto", "boxes"};

const char *lip_decline_name(int decline)
{
    static const char *const names[LIP_DECLINE_COUNT] = {"no_face", "profile", "tiny", "unsure",
                                                         "held",    "occluded", "not_speaking"};
    return decline >= 0 && decline < LIP_DECLINE_COUNT ? names[decline] : "unknown";
}

const char *lip_verdict_name(int verdict)
{
    static const char *const names[LIP_VERDICT_COUNT] = {"good", "look", "poor", "unchanged"};
    return verdict >= 0 && verdict < LIP_VERDICT_COUNT ? names[verdict] : "unknown";
}

bool report_text_is_fine(const char *text)
{
    json_t *o = strlen(text) <= TEXT_MAX ? json_string(text) : NULL; /* NULL: no UTF-8 */
    bool fine = o;
    json_decref(o);
    return fine;
}

char *report_beside(const char *output, const char *ending)
{
    size_t n = strlen(output) + strlen(ending) + 1;
    char *path = base_alloc(n);
    if (path)
        snprintf(path, n, "%s%s", output, ending);
    return path;
}

static void fill_warnings(const struct judgement *judged, struct lip_result *r)
{
    const size_t max = sizeof r->warnings / sizeof *r->warnings;
    for (size_t i = 0; i < judged->n_warnings && i < max; i++) {
        const struct judge_warning *w = &judged->warnings[i];
        char *to = r->warnings[r->n_warnings++];
        snprintf(to, sizeof r->warnings[0], "%s%s%s", w->text, w->remedy ? ". " : "",
                 w->remedy ? w->remedy : "");
    }
}

void report_fill(const struct report_input *in, struct lip_result *ret_result)
{
    const struct judgement *judged = in->judged;
    struct lip_result r = {.frames = in->stats->n_frames, .edited = judged->edited.n_frames,
                           .matching = judged->matching.n_frames,
                           .outside = judged->outside.n_frames, .verdict = judged->verdict,
                           .copied = in->stats->n_copied};
    if (!r.copied)
        memcpy(r.why_not_copied, in->stats->why_not_copied, sizeof r.why_not_copied);
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        r.declined[k] = judged->declined[k].n_frames;
    memcpy(r.stage_s, in->progress->stage_s, sizeof r.stage_s);
    memcpy(r.sentence, judged->sentence, sizeof r.sentence);
    r.duration_s = (double)plan_total_us(in->plan) * 1e-6;
    const struct cast *first = in->roles->casts;
    if (first->n_faces)
        r.face = first->faces[first->chosen].number;
    r.style_fitted = first->style.fitted;
    r.agreement = (double)(first->style.fitted ? first->style.agreement
                                               : first->style.agreement_generic);
    for (size_t i = 0; i < in->roles->n_casts; i++) {
        r.bank_frames += (int)in->roles->casts[i].bank.n;
        r.person_frames += (int)in->roles->casts[i].n_lent;
    }
    const struct judge_figure *f = judged->figures;
    r.figures = (struct lip_figures){
        .speech_covered = f[JUDGE_COVERED].value, .closures_drawn = f[JUDGE_CLOSURES].value,
        .closures_seen = f[JUDGE_SHUT_SEEN].value, .agreement_result = f[JUDGE_AGREEMENT].value,
        .silence_motion = f[JUDGE_SILENCE].value, .sharpness = f[JUDGE_SHARPNESS].value,
        .jitter = f[JUDGE_JITTER].value, .seam = f[JUDGE_SEAM].value};
    fill_warnings(judged, &r);
    *ret_result = r;
}

/* JSON ----------------------------------------------------------------------------------------- */

/* A name of a file; bytes that are no UTF-8 become question marks. */
static json_t *name_of(const char *path)
{
    json_t *o = json_string(path);
    if (o)
        return o;
    char *copy = base_strdup(path);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c > 126)
            *c = '?';
    o = copy ? json_string(copy) : NULL;
    base_free(copy);
    return o ? o : json_string("?");
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* A time to a tenth of a millisecond: what a film's clock is worth. */
static json_t *seconds(double t_s)
{
    return json_real(round(t_s * 1e4) * 1e-4);
}

static json_t *hash_text(uint64_t hash)
{
    char text[20];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return json_string(text);
}

static json_t *file_entry(const char *path);

/* The film's content credentials, which its edited picture cannot carry. */
static json_t *credentials_entry(const struct report_input *in)
{
    if (!(in->stats->notes & MEDIA_NOTE_C2PA_KEPT))
        return json_null();
    char *path = report_beside(in->job->output, REPORT_CREDENTIALS);
    json_t *o = path ? file_entry(path) : NULL;
    base_free(path);
    return o;
}

static json_t *file_entry(const char *path)
{
    char sha256[65];
    int64_t n = 0;
    struct lip_error why = {0};
    json_t *o = json_object();
    json_object_set_new(o, "file", name_of(path));
    bool fine = !media_digest(path, sha256, &n, &why);
    json_object_set_new(o, "bytes", fine ? json_integer(n) : json_null());
    json_object_set_new(o, "sha256", fine ? json_string(sha256) : json_null());
    if (!fine)
        json_object_set_new(o, "why_not", name_of(why.text));
    return o;
}

static json_t *ranges_entry(const struct report_input *in, const struct judge_ranges *r)
{
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < r->n; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "from_s", seconds(r->at[i].from_s));
        json_object_set_new(one, "to_s", seconds(r->at[i].to_s));
        json_object_set_new(one, "from_frame", json_integer(r->at[i].from_frame));
        json_object_set_new(one, "to_frame", json_integer(r->at[i].to_frame));
        json_array_append_new(list, one);
    }
    double n = (double)(in->stats->n_frames > 0 ? in->stats->n_frames : 1);
    json_object_set_new(o, "frames", json_integer(r->n_frames));
    json_object_set_new(o, "share", json_real((double)r->n_frames / n));
    json_object_set_new(o, "ranges", list);
    if (r->joined_s > 0)
        json_object_set_new(o, "gaps_closed_up_to_s", json_real(r->joined_s));
    return o;
}

static json_t *declines(const struct report_input *in)
{
    json_t *all = json_object();
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        if (in->judged->declined[k].n_frames)
            json_object_set_new(all, lip_decline_name(k),
                                ranges_entry(in, &in->judged->declined[k]));
    return all;
}

static json_t *face_entry(const struct cast *cast)
{
    if (!cast->n_faces)
        return json_null();
    const struct speaker_face *face = &cast->faces[cast->chosen];
    json_t *o = json_object();
    json_object_set_new(o, "number", json_integer(face->number));
    json_object_set_new(o, "faces_in_film", json_integer((json_int_t)cast->n_faces));
    json_object_set_new(o, "mean_size_px", json_real((double)face->mean_size_px));
    json_object_set_new(o, "bank_frames", json_integer((json_int_t)cast->bank.n));
    json_object_set_new(o, "person_frames", json_integer((json_int_t)cast->n_lent));
    json_object_set_new(o, "style_fitted", json_boolean(cast->style.fitted));
    json_object_set_new(o, "agreement", json_real((double)cast->style.agreement));
    json_object_set_new(o, "agreement_generic", json_real((double)cast->style.agreement_generic));
    json_object_set_new(o, "lag_ms", json_integer(cast->style.lag_ms));
    return o;
}

/* All faces that speak, with the frames in which each was edited. */
static json_t *faces_entry(const struct report_input *in)
{
    json_t *all = json_array();
    size_t n = in->roles->n_casts;
    for (size_t i = 0; i < n && in->roles->casts[i].n_faces; i++) {
        json_t *o = face_entry(&in->roles->casts[i]);
        json_object_set_new(o, "edited",
                            ranges_entry(in, n > 1 ? &in->judged->edited_of[i]
                                                   : &in->judged->edited));
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *figures_entry(const struct judgement *judged)
{
    json_t *all = json_object();
    for (int i = 0; i < JUDGE_FIGURES; i++) {
        const struct judge_figure *f = &judged->figures[i];
        json_t *o = json_object();
        json_object_set_new(o, "value", number_or_null(f->value));
        json_object_set_new(o, "n", json_integer(f->n));
        json_object_set_new(o, "good_from", json_real(judge_figures[i].low));
        json_object_set_new(o, "good_to", json_real(judge_figures[i].high));
        if (f->why_not)
            json_object_set_new(o, "why_not", json_string(f->why_not));
        json_object_set_new(all, judge_figures[i].name, o);
    }
    return all;
}

static json_t *warnings_entry(const struct report_input *in)
{
    json_t *all = json_array();
    for (size_t i = 0; i < in->judged->n_warnings; i++) {
        const struct judge_warning *w = &in->judged->warnings[i];
        json_t *o = json_object();
        json_object_set_new(o, "kind", json_string(w->kind));
        json_object_set_new(o, "look", json_boolean(w->is_serious));
        json_object_set_new(o, "text", json_string(w->text));
        json_object_set_new(o, "remedy", w->remedy ? json_string(w->remedy) : json_null());
        json_object_set_new(o, "at", w->at ? ranges_entry(in, w->at) : json_null());
        json_array_append_new(all, o);
    }
    return all;
}

/* All that decided the result; a new field of struct lip_job gets its line here. */
static json_t *settings_entry(const struct lip_job *job)
{
    json_t *o = json_object();
    json_object_set_new(o, "sync", json_string(sync_names[job->sync]));
    json_object_set_new(o, "codec", json_string(codec_names[job->codec]));
    json_object_set_new(o, "quality", job->quality ? json_integer(job->quality) : json_null());
    json_object_set_new(o, "reencode", json_boolean(job->reencode));
    json_object_set_new(o, "temperature", json_real(job->temperature));
    json_object_set_new(o, "face", json_string(face_names[job->face]));
    if (job->face == LIP_FACE_NUMBER)
        json_object_set_new(o, "face_number", json_integer(job->face_number));
    if (job->face == LIP_FACE_POINT) {
        json_object_set_new(o, "face_x", number_or_null(job->face_x));
        json_object_set_new(o, "face_y", number_or_null(job->face_y));
        json_object_set_new(o, "face_t_s", number_or_null(job->face_t_s));
    }
    json_object_set_new(o, "tier", json_string(tier_names[job->tier]));
    json_object_set_new(o, "crops", job->n_crops ? json_integer(job->n_crops) : json_null());
    json_object_set_new(o, "seed", json_integer((json_int_t)job->seed));
    json_object_set_new(o, "threads", job->n_threads ? json_integer(job->n_threads) : json_null());
    json_object_set_new(o, "resume", json_boolean(job->resume));
    json_object_set_new(o, "mark", json_boolean(!job->no_mark));
    json_object_set_new(o, "person", job->person ? file_entry(job->person) : json_null());
    json_object_set_new(o, "score", job->score ? name_of(job->score) : json_null());
    json_object_set_new(o, "mask", job->mask ? name_of(job->mask) : json_null());
    return o;
}

/* The segments, or the ranges of `only`, and where they lie in the result. */
static json_t *segments_entry(const struct report_input *in)
{
    json_t *all = json_array();
    for (size_t i = 0; i < in->segments->n; i++) {
        const struct segment *s = &in->segments->at[i];
        const struct segment_voice *voice = &in->segments->voices[s->voice];
        const struct role *role = roles_find(in->roles, s->first);
        const struct cast *cast = role ? &in->roles->casts[role->cast] : NULL;
        json_t *o = json_object();
        json_object_set_new(o, "number", json_integer(s->number));
        json_object_set_new(o, "film_from_s", seconds((double)s->from_us * 1e-6));
        json_object_set_new(o, "film_to_s", seconds((double)s->to_us * 1e-6));
        json_object_set_new(o, "from_s", seconds((double)s->out_us * 1e-6));
        json_object_set_new(o, "to_s", seconds((double)s->out_to_us * 1e-6));
        json_object_set_new(o, "voice", file_entry(voice->path));
        json_object_set_new(o, "voice_from_s", seconds((double)s->voice_from_us * 1e-6));
        json_object_set_new(o, "voice_to_s",
                            seconds((double)(s->voice_from_us + s->voice_us) * 1e-6));
        json_object_set_new(o, "sync", s->asked ? json_string(sync_names[s->sync]) : json_null());
        json_object_set_new(o, "temperature", json_real(voice->temperature));
        json_object_set_new(o, "face", cast && cast->n_faces
                                           ? json_integer(cast->faces[cast->chosen].number)
                                           : json_null());
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *program_entry(const lip_engine *engine)
{
    char libraries[512];
    json_t *o = json_object(), *files = json_array();
    media_versions(libraries, sizeof libraries);
    json_object_set_new(o, "name", json_string("lipsync"));
    json_object_set_new(o, "version", json_string(lip_version()));
    json_object_set_new(o, "api_version", json_integer(LIP_API_VERSION));
    json_object_set_new(o, "libraries", name_of(libraries));
    json_object_set_new(o, "models_hash", hash_text(engine->models_hash));
    for (size_t i = 0; i < engine_n_model_files; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", engine->models_dir, engine_model_files[i]);
        json_t *file = file_entry(path);
        json_object_set_new(file, "file", json_string(engine_model_files[i]));
        json_array_append_new(files, file);
    }
    json_object_set_new(o, "models", files);
    return o;
}

static json_t *costs_entry(const struct report_input *in)
{
    struct rusage usage = {0};
    json_t *o = json_object(), *stages = json_object();
    double wall_s = 0;
    for (int i = 0; i < LIP_STAGE_COUNT; i++) {
        wall_s += in->progress->stage_s[i];
        json_object_set_new(stages, lip_stage_name(i), json_real(in->progress->stage_s[i]));
    }
    getrusage(RUSAGE_SELF, &usage);
    json_object_set_new(o, "stage_s", stages);
    json_object_set_new(o, "wall_s", json_real(wall_s));
    json_object_set_new(o, "processor_s",
                        json_real(base_processor_s() - in->progress->processor_start_s));
    json_object_set_new(o, "peak_memory_bytes", json_integer((json_int_t)usage.ru_maxrss * 1024));
    return o;
}

static json_t *film_entry(const struct report_input *in)
{
    const struct data_film *film = data_score_film(in->score);
    json_t *o = file_entry(in->job->film);
    json_object_set_new(o, "width_px", json_integer(film->disp_width_px));
    json_object_set_new(o, "height_px", json_integer(film->disp_height_px));
    json_object_set_new(o, "frames_looked_at", json_integer(data_score_n_frames(in->score)));
    json_object_set_new(o, "frames_a_second",
                        film->frame_rate.num > 0 ? json_real((double)film->frame_rate.num /
                                                             (double)film->frame_rate.den)
                                                 : json_null());
    json_object_set_new(o, "codec", json_string(film->codec));
    json_object_set_new(o, "content_credentials", credentials_entry(in));
    json_object_set_new(o, "pixel_format", json_string(film->pixel_format));
    return o;
}

static json_t *result_entry(const struct report_input *in)
{
    json_t *o = json_object();
    json_object_set_new(o, "frames", json_integer(in->stats->n_frames));
    json_object_set_new(o, "duration_s", seconds((double)plan_total_us(in->plan) * 1e-6));
    json_object_set_new(o, "copied", json_integer(in->stats->n_copied));
    json_object_set_new(o, "why_not_copied",
                        in->stats->n_copied ? json_null()
                                            : json_string(in->stats->why_not_copied));
    json_object_set_new(o, "edited", ranges_entry(in, &in->judged->edited));
    json_object_set_new(o, "matching", ranges_entry(in, &in->judged->matching));
    json_object_set_new(o, "outside", ranges_entry(in, &in->judged->outside));
    json_object_set_new(o, "declined", declines(in));
    return o;
}

static json_t *mark_entry(const struct lip_job *job)
{
    json_t *o = json_object();
    json_object_set_new(o, "marked", json_boolean(!job->no_mark));
    json_object_set_new(o, "digital_source_type",
                        job->no_mark ? json_null() : json_string(SOURCE_TYPE));
    json_object_set_new(o, "consent", job->consent ? json_string(job->consent) : json_null());
    return o;
}

json_t *report_make(const struct report_input *in)
{
    const struct lip_job *job = in->job;
    json_t *o = json_object(), *verdict = json_object(), *voice;
    json_object_set_new(verdict, "grade", json_string(lip_verdict_name(in->judged->verdict)));
    json_object_set_new(verdict, "sentence", json_string(in->judged->sentence));
    json_object_set_new(o, "schema", json_string("lipsync-report"));
    json_object_set_new(o, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
    json_object_set_new(o, "verdict", verdict);
    json_object_set_new(o, "program", program_entry(in->engine));
    json_object_set_new(o, "film", film_entry(in));
    voice = job->voice ? file_entry(job->voice) : json_deep_copy(json_object_get(o, "film"));
    if (job->n_segments) { /* they have their own */
        json_decref(voice);
        voice = json_object();
        json_object_set_new(voice, "file", json_null());
    }
    json_object_set_new(voice, "duration_s", in->voice_us >= 0
                                                 ? seconds((double)in->voice_us * 1e-6)
                                                 : json_null());
    json_object_set_new(o, "voice", voice);
    json_object_set_new(o, "segments", segments_entry(in));
    json_object_set_new(o, "output", file_entry(job->output));
    json_object_set_new(o, "mark", mark_entry(job));
    json_object_set_new(o, "settings", settings_entry(job));
    json_object_set_new(o, "result", result_entry(in));
    json_object_set_new(o, "face", face_entry(in->roles->casts));
    json_object_set_new(o, "faces", faces_entry(in));
    json_object_set_new(o, "figures", figures_entry(in->judged));
    json_object_set_new(o, "warnings", warnings_entry(in));
    json_object_set_new(o, "timeline", timeline_make(in));
    json_object_set_new(o, "costs", costs_entry(in));
    return o;
}

/* Where the list that begins at `at` ends, when it holds numbers only; else NULL. */
static char *row_end(char *at)
{
    char *end = at + 1 + strspn(at + 1, " \n0123456789.,-+eEnul");
    return *end == ']' ? end : NULL;
}

/* A row of numbers stays in one line: thousands of lines of one figure each help nobody. */
static void join_rows(char *text)
{
    char *to = text, *row = NULL;
    bool quoted = false;
    for (char *at = text; *at; at++) {
        if (quoted && *at == '\\' && at[1])
            *to++ = *at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && *at == '[' && !row)
            row = row_end(at);
        if (row && (*at == ' ' || *at == '\n'))
            continue;
        if (at == row)
            row = NULL;
        *to++ = *at;
    }
    *to = 0;
}

int report_write(const char *path, const json_t *report, struct lip_error *err)
{
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    if (text)
        join_rows(text);
    int r = text ? base_fs_write(path, text, strlen(text), err) : base_error_nomem(err, WHERE);
    free(text); /* lint: allow free: jansson's own memory */
    return r;
}
