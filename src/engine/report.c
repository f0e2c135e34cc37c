/* SPDX-License-Identifier: MIT */
#include "engine/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "engine/known.h"

#define WHERE "engine/report"
#define TEXT_MAX 4000

static const char *const sync_names[] = {"bounce", "loop", "cut_off", "silence", "remap"};

const char *lip_decline_name(int decline)
{
    static const char *const names[LIP_DECLINE_COUNT] = {"no_face", "profile", "tiny", "unsure",
                                                         "held"};
    return decline >= 0 && decline < LIP_DECLINE_COUNT ? names[decline] : "unknown";
}

static void warn(struct lip_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(struct lip_result *result, const char *format, ...)
{
    if (result->n_warnings == (int)(sizeof result->warnings / sizeof *result->warnings))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(result->warnings[result->n_warnings++], sizeof result->warnings[0], format, args);
    va_end(args);
}

static void warn_declines(struct lip_result *result)
{
    static const char *const why[LIP_DECLINE_COUNT] = {
        "the face is not seen", "the head is turned away too far", "the face is too small",
        "the face cannot be followed with certainty", NULL};
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        if (why[k] && result->declined[k])
            warn(result, "%" PRId64 " of %" PRId64 " frames keep their picture: %s",
                 result->declined[k], result->frames, why[k]);
}

static void add_warnings(const struct report_input *in, struct lip_result *result)
{
    if (!in->cast->n_faces) {
        warn(result, "no face was found: the picture is unchanged, only the sound is new");
        return;
    }
    warn_declines(result);
    if (in->cast->snap > 0.5f)
        warn(result, "no face at the asked point: the nearest one, %.1f face widths away, is used",
             (double)in->cast->snap);
    if (in->cast->likeness > KNOWN_DOUBTFUL)
        warn(result, "the person file may be of somebody else: the heads differ by %.1f %% of the "
             "distance of the eyes", 100 * (double)in->cast->likeness);
    if (in->cast->person.opening_pct[4] < 0.03f && !in->cast->n_lent)
        warn(result, "the mouth hardly opens in this film: teeth are drawn, not the person's own");
    else if (in->cast->bank.n < 50)
        warn(result,
             "only %zu usable pictures of the mouth: six seconds of speech give better ones",
             in->cast->bank.n);
}

void report_fill(const struct report_input *in, struct lip_result *ret_result)
{
    struct lip_result r = {.frames = in->stats->frames, .edited = in->stats->edited,
                           .matching = in->stats->matching, .copied = in->stats->copied};
    if (!r.copied)
        snprintf(r.why_not_copied, sizeof r.why_not_copied, "%s", in->stats->why_not_copied);
    memcpy(r.declined, in->stats->declined, sizeof r.declined);
    memcpy(r.stage_s, in->progress->stage_s, sizeof r.stage_s);
    r.duration_s = (double)plan_total_us(in->plan) * 1e-6;
    if (in->cast->n_faces)
        r.face = in->cast->faces[in->cast->chosen].number;
    r.bank_frames = (int)in->cast->bank.n;
    r.person_frames = (int)in->cast->n_lent;
    r.style_fitted = in->cast->style.fitted;
    r.agreement = (double)(in->cast->style.fitted ? in->cast->style.agreement
                                                  : in->cast->style.agreement_generic);
    add_warnings(in, &r);
    *ret_result = r;
}

bool report_text_is_fine(const char *text)
{
    json_t *o = strlen(text) <= TEXT_MAX ? json_string(text) : NULL; /* NULL: no UTF-8 */
    bool fine = o;
    json_decref(o);
    return fine;
}

/* JSON ----------------------------------------------------------------------------------------- */

static json_t *hash_text(uint64_t hash)
{
    char text[20];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return json_string(text);
}

static json_t *file_entry(const char *path)
{
    uint64_t hash = 0;
    json_t *o = json_pack("{s:s%}", "file", path, strlen(path));
    if (!o) /* the name is not UTF-8 */
        o = json_pack("{s:s}", "file", "?");
    if (!base_fs_identity(path, &hash, NULL))
        json_object_set_new(o, "xxh3_of_size_head_tail", hash_text(hash));
    return o;
}

static json_t *declines(const struct report_input *in)
{
    json_t *all = json_object();
    for (int k = 0; k < LIP_DECLINE_COUNT; k++) {
        if (!in->stats->declined[k])
            continue;
        json_t *ranges = json_array();
        for (size_t i = 0; i < in->stats->n_ranges[k]; i++) {
            const struct perform_range *range = &in->stats->ranges[k][i];
            json_array_append_new(ranges, json_pack("[f,f]", (double)range->from_us * 1e-6,
                                                    (double)range->to_us * 1e-6));
        }
        json_object_set_new(all, lip_decline_name(k),
                            json_pack("{s:I,s:o}", "frames", (json_int_t)in->stats->declined[k],
                                      "ranges_s", ranges));
    }
    return all;
}

static json_t *face_entry(const struct report_input *in, const struct lip_result *result)
{
    if (!result->face)
        return json_null();
    const struct speaker_face *face = &in->cast->faces[in->cast->chosen];
    return json_pack("{s:i,s:i,s:f,s:i,s:i,s:b,s:f,s:f,s:i}", "number", face->number,
                     "faces_in_film", (int)in->cast->n_faces,
                     "mean_size_px", (double)face->mean_size_px,
                     "bank_frames", result->bank_frames, "person_frames", result->person_frames,
                     "style_fitted", result->style_fitted,
                     "agreement", (double)in->cast->style.agreement, "agreement_generic",
                     (double)in->cast->style.agreement_generic, "lag_ms", in->cast->style.lag_ms);
}

static json_t *stage_times(const struct lip_result *result)
{
    json_t *o = json_object();
    for (int i = 0; i < LIP_STAGE_COUNT; i++)
        json_object_set_new(o, lip_stage_name(i), json_real(result->stage_s[i]));
    return o;
}

static json_t *build(const struct report_input *in, const struct lip_result *r)
{
    const struct data_film *film = data_score_film(in->score);
    json_t *warnings = json_array();
    for (int i = 0; i < r->n_warnings; i++)
        json_array_append_new(warnings, json_string(r->warnings[i]));
    json_t *o = json_object();
    json_object_set_new(o, "lipsync", json_string(LIP_VERSION));
    json_object_set_new(o, "film", file_entry(in->job->film));
    json_object_set_new(o, "voice", file_entry(in->job->voice ? in->job->voice : in->job->film));
    json_object_set_new(o, "output", file_entry(in->job->output));
    if (in->job->consent)
        json_object_set_new(o, "consent", json_string(in->job->consent));
    json_object_set_new(o, "models", hash_text(in->engine->models_hash));
    json_object_set_new(o, "sync", json_string(sync_names[in->job->sync]));
    json_object_set_new(o, "width_px", json_integer(film->width_px));
    json_object_set_new(o, "height_px", json_integer(film->height_px));
    json_object_set_new(o, "duration_s", json_real(r->duration_s));
    json_object_set_new(o, "voice_s", json_real((double)in->voice_us * 1e-6));
    json_object_set_new(o, "frames", json_integer(r->frames));
    json_object_set_new(o, "edited", json_integer(r->edited));
    json_object_set_new(o, "matching", json_integer(r->matching));
    json_object_set_new(o, "copied", json_integer(r->copied));
    if (!r->copied)
        json_object_set_new(o, "why_not_copied", json_string(r->why_not_copied));
    json_object_set_new(o, "declined", declines(in));
    json_object_set_new(o, "face", face_entry(in, r));
    json_object_set_new(o, "stage_s", stage_times(r));
    json_object_set_new(o, "warnings", warnings);
    return o;
}

int report_write(const char *path, const struct report_input *in, const struct lip_result *result,
                 struct lip_error *err)
{
    json_t *o = build(in, result);
    char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    int r = text ? base_fs_write(path, text, strlen(text), err) : base_error_nomem(err, WHERE);
    free(text); /* lint: allow free: jansson's own memory */
    json_decref(o);
    return r;
}
