/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *figures(const struct lip_figures *f)
{
    json_t *o = json_object();
    json_object_set_new(o, "speech_covered", number_or_null(f->speech_covered));
    json_object_set_new(o, "closures_drawn", number_or_null(f->closures_drawn));
    json_object_set_new(o, "closures_seen", number_or_null(f->closures_seen));
    json_object_set_new(o, "agreement_result", number_or_null(f->agreement_result));
    json_object_set_new(o, "silence_motion", number_or_null(f->silence_motion));
    json_object_set_new(o, "sharpness", number_or_null(f->sharpness));
    json_object_set_new(o, "jitter", number_or_null(f->jitter));
    json_object_set_new(o, "seam", number_or_null(f->seam));
    return o;
}

static void print_json(const struct lip_job *job, const struct lip_result *r)
{
    json_t *declined = json_object(), *warnings = json_array(), *stages = json_object();
    for (int i = 0; i < LIP_DECLINE_COUNT; i++)
        json_object_set_new(declined, lip_decline_name(i), json_integer(r->declined[i]));
    for (int i = 0; i < r->n_warnings; i++)
        json_array_append_new(warnings, json_string(r->warnings[i]));
    for (int i = 0; i < LIP_STAGE_COUNT; i++)
        json_object_set_new(stages, lip_stage_name(i), json_real(r->stage_s[i]));
    json_t *o = json_object();
    json_object_set_new(o, "output", json_string(job->output));
    json_object_set_new(o, "frames", json_integer(r->frames));
    json_object_set_new(o, "edited", json_integer(r->edited));
    json_object_set_new(o, "matching", json_integer(r->matching));
    json_object_set_new(o, "outside", json_integer(r->outside));
    json_object_set_new(o, "copied", json_integer(r->copied));
    if (!r->copied)
        json_object_set_new(o, "why_not_copied", json_string(r->why_not_copied));
    json_object_set_new(o, "declined", declined);
    json_object_set_new(o, "duration_s", json_real(r->duration_s));
    json_object_set_new(o, "face", json_integer(r->face));
    json_object_set_new(o, "bank_frames", json_integer(r->bank_frames));
    json_object_set_new(o, "person_frames", json_integer(r->person_frames));
    json_object_set_new(o, "style_fitted", json_boolean(r->style_fitted));
    json_object_set_new(o, "agreement", json_real(r->agreement));
    json_object_set_new(o, "stage_s", stages);
    json_object_set_new(o, "verdict", json_string(lip_verdict_name(r->verdict)));
    json_object_set_new(o, "sentence", json_string(r->sentence));
    json_object_set_new(o, "figures", figures(&r->figures));
    json_object_set_new(o, "warnings", warnings);
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(o);
}

static void print_text(const struct lip_job *job, const struct lip_result *r)
{
    double total_s = 0;
    for (int i = 0; i < LIP_STAGE_COUNT; i++)
        total_s += r->stage_s[i];
    fprintf(stderr, "%s: %.2f s, %" PRId64 " of %" PRId64 " frames edited", job->output,
            r->duration_s, r->edited, r->frames);
    if (r->face)
        fprintf(stderr, ", face %d, %d mouths of its own%s", r->face, r->bank_frames,
                r->style_fitted ? ", own style" : "");
    if (r->copied)
        fprintf(stderr, ", %.0f %% copied as coded",
                100.0 * (double)r->copied / (double)r->frames);
    fprintf(stderr, "; took %.1f s\n%s\n", total_s, r->sentence);
    for (int i = 0; i < r->n_warnings; i++)
        fprintf(stderr, "lipsync: note: %s\n", r->warnings[i]);
}

int cli_run_dub(const struct settings *settings)
{
    if (!settings->output) {
        fprintf(stderr, "lipsync: name the output with -o OUT.mp4\n");
        return 2;
    }
    if ((settings->n_args > 1) + (settings->text != NULL) + (settings->text_file != NULL) > 1) {
        fprintf(stderr, "lipsync: a voice is one of a file, --text and --text-file\n");
        return 2;
    }
    struct cli_session s;
    struct lip_result result;
    int r = cli_begin(settings, &s);
    if (r)
        return r;
    char *wav = NULL;
    int status = LIP_OK;
    if (settings->text || settings->text_file)
        status = cli_speak(settings, &wav, &s.err);
    if (wav)
        s.job.voice = wav;
    if (!status)
        status = lip_dub(s.engine, &s.job, &result, &s.err);
    cli_speak_done(settings, wav, status);
    r = cli_end(&s, status);
    if (r)
        return r;
    if (s.job.n_shares) {
        if (!settings->json && settings->progress < PROGRESS_JSON)
            fprintf(stderr, "share %d of %d: %" PRId64 " frames drawn\n", s.job.share,
                    s.job.n_shares, result.frames);
    } else if (settings->json)
        print_json(&s.job, &result);
    else if (settings->progress < PROGRESS_JSON)
        print_text(&s.job, &result);
    return 0;
}

int cli_run_render(const struct settings *settings)
{
    if (!settings->score || access(settings->score, R_OK)) {
        fprintf(stderr,
                "lipsync: 'render' needs --score FILE, a score made by 'lipsync analyze'\n");
        return settings->score ? cli_exit_code(LIP_ERR_NOT_FOUND) : 2;
    }
    return cli_run_dub(settings);
}
