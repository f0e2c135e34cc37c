/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "engine/assign.h"
#include "engine/credentials.h"
#include "engine/known.h"
#include "engine/listen.h"
#include "engine/perform.h"
#include "engine/report.h"
#include "engine/roles.h"
#include "engine/segments.h"
#include "engine/tier.h"
#include "engine/turnaround.h"
#include "engine/watch.h"
#include "engine/workdir.h"

#define WHERE "engine/job"
#define VOICE_US_MAX ((int64_t)12 * 3600 * 1000000)

void lip_segment_default(struct lip_segment *segment)
{
    if (!segment)
        return;
    *segment = (struct lip_segment){.sync = -1, .temperature = -1, .occlusion = -1, .face = -1,
                                    .face_frame = -1};
}

void lip_job_default(struct lip_job *job)
{
    if (!job)
        return;
    memset(job, 0, sizeof *job);
    job->codec = LIP_CODEC_AUTO;
    job->temperature = 0.5;
}

/* Everything that lip_dub holds while it runs. */
struct dub {
    lip_engine *engine;
    const struct lip_job *job;
    struct progress progress;
    struct workdir work;
    struct data_score *score;
    struct segments segments;
    struct roles roles;
    struct known *known; /* the person file, NULL: none */
    struct plan plan;
    struct perform_stats stats;
    struct judgement judged;
    struct credentials credentials; /* of the film, to be kept beside the output */
    int64_t voice_us; /* < 0: the film's own sound */
};

static bool same_file(const char *a, const char *b)
{
    char real_a[PATH_MAX], real_b[PATH_MAX];
    return a && b && realpath(a, real_a) && realpath(b, real_b) && !strcmp(real_a, real_b);
}

static int check_ranges(const struct lip_job *job, struct lip_error *err)
{
    if (job->sync > LIP_SYNC_REMAP || job->codec > LIP_CODEC_AUTO ||
        job->face > LIP_FACE_BOXES || job->tier > LIP_TIER_PRO ||
        job->occlusion > LIP_OCCLUSION_OFF)
        return base_error_arg(err, WHERE, "an enum is out of range");
    if (job->quality < 0 || job->quality > 100)
        return base_error_arg(err, WHERE, "the quality is a number from 1 to 100");
    if (job->n_threads < 0 || job->n_threads > 256)
        return base_error_arg(err, WHERE, "the number of threads is 0 to 256");
    if (job->n_crops != 0 && job->n_crops != 1 && job->n_crops != 3)
        return base_error_arg(err, WHERE, "the landmark ensemble has 1 or 3 crops");
    if (!(job->temperature >= 0 && job->temperature <= 1))
        return base_error_arg(err, WHERE, "the temperature is a number from 0 to 1");
    if (job->n_shares < 0 || job->n_shares > LIP_SHARES_MAX || job->share < 0 ||
        job->share > job->n_shares)
        return base_error_arg(err, WHERE, "a share is 0 to the number of shares, 1000 at most");
    if (job->consent && !report_text_is_fine(job->consent))
        return base_error_arg(err, WHERE, "the consent is UTF-8 text of at most 4000 bytes");
    if (job->face == LIP_FACE_BOXES && !job->face_boxes)
        return base_error_arg(err, WHERE, "a face by boxes needs the file of the boxes");
    if (job->face == LIP_FACE_NUMBER && job->face_number < 1)
        return base_error_arg(err, WHERE, "faces are numbered from 1");
    if (job->face == LIP_FACE_POINT &&
        !(job->face_t_s >= 0 && job->face_x > -1e6 && job->face_x < 1e6 && job->face_y > -1e6 &&
          job->face_y < 1e6))
        return base_error_arg(err, WHERE, "a face's point needs x, y in pixels and a time");
    return LIP_OK;
}

/* Said before hours of work, not after. */
static bool has_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return access(slash ? "/" : ".", W_OK) == 0;
    if (slash - path >= PATH_MAX)
        return false;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = 0;
    return access(folder, W_OK) == 0;
}

static int is_input(const char *path, struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_ARG, WHERE, "'%s' is an input and cannot be the output",
                          path);
}

static int check_job(const struct lip_job *job, struct lip_error *err)
{
    if (!job || !job->film || !job->output)
        return base_error_arg(err, WHERE, "a job needs a film and an output");
    int r = check_ranges(job, err);
    if (!r && job->n_shares && !job->parts)
        r = base_error_arg(err, WHERE, "a share needs a folder for the parts");
    if (!r)
        r = segments_check(job, err);
    if (r)
        return r;
    const char *const inputs[] = {job->film, job->voice, job->score, job->person};
    const char *const outputs[] = {job->output, job->report, job->report_page, job->mask};
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < 4; i++)
            if (same_file(inputs[i], outputs[k]))
                return is_input(outputs[k], err);
        for (int i = 0; i < job->n_segments; i++)
            if (same_file(job->segments[i].voice, outputs[k]))
                return is_input(outputs[k], err);
        for (size_t i = 0; i < k; i++)
            if (outputs[k] && outputs[i] && !strcmp(outputs[k], outputs[i]))
                return base_error_set(err, LIP_ERR_ARG, WHERE, "'%s' is named as two outputs",
                                      outputs[k]);
        if (outputs[k] && !has_folder(outputs[k]))
            return base_error_set(err, LIP_ERR_IO, WHERE,
                                  "cannot write '%s': its folder is missing or closed", outputs[k]);
    }
    if (!job->overwrite && !job->n_shares && base_fs_exists(job->output))
        return base_error_set(err, LIP_ERR_EXISTS, WHERE,
                              "'%s' exists; allow overwriting or choose another name", job->output);
    return media_output_check(job->output, (enum media_codec)job->codec, err);
}

/* All that decides the frames: a resumed run, or one on another machine, must agree in it. */
static int fingerprint(const struct dub *d, uint64_t *ret_hash, struct lip_error *err)
{
    const struct lip_job *job = d->job;
    uint64_t film = 0, voice = 0, boxes = 0;
    int r = base_fs_exists(job->film) ? base_fs_identity(job->film, &film, err) : LIP_OK;
    if (!r && job->voice)
        r = base_fs_identity(job->voice, &voice, err);
    if (!r && job->face_boxes && job->face == LIP_FACE_BOXES)
        r = base_fs_identity(job->face_boxes, &boxes, err);
    if (r)
        return r;
    const char *ending = strrchr(job->output, '.');
    char text[384];
    snprintf(text, sizeof text, "%s %.8s %llx %llx %llx %llx %d %d %d %d %d %d %.6f %.6f %.6f %d "
             "%llu %d %d %.6f %d %d",
             LIP_VERSION, ending ? ending : "", (unsigned long long)film, (unsigned long long)voice,
             (unsigned long long)(d->known ? d->known->file.hash : 0),
             (unsigned long long)d->engine->models_hash, job->tier, job->sync, job->codec,
             job->quality, job->face, job->face_number, job->face_x, job->face_y, job->face_t_s,
             tier_of(job).n_crops, (unsigned long long)job->seed, job->mask != NULL,
             PERFORM_PART_FRAMES, job->temperature, job->reencode != 0,
             job->occlusion);
    uint64_t hash = base_hash(text, strlen(text), 0), segments = 0;
    r = segments_asked(job) ? segments_hash(job, &segments, err) : LIP_OK;
    if (r)
        return r;
    if (segments_asked(job))
        hash = base_hash(&segments, sizeof segments, hash);
    if (boxes)
        hash = base_hash(&boxes, sizeof boxes, hash);
    *ret_hash = film ? hash : base_hash(job->film, strlen(job->film), hash);
    return LIP_OK;
}

static int has_own_sound(const char *film, struct lip_error *err)
{
    struct media_audio *audio = NULL;
    int r = media_audio_open(film, DATA_SOUND_RATE_HZ, &audio, err);
    media_audio_close(&audio);
    return r;
}

static int measure_voice(struct dub *d, struct lip_error *err)
{
    d->voice_us = -1;
    if (segments_asked(d->job))
        return segments_open(&d->segments, d->job, err);
    if (!d->job->voice)
        return has_own_sound(d->job->film, err);
    struct media_audio_info info;
    int r = media_audio_measure(d->job->voice, &info, err);
    if (r)
        return r;
    if (info.duration_us < 1)
        return base_error_set(err, LIP_ERR_NO_AUDIO, WHERE, "'%s' has no sound in it",
                              d->job->voice);
    if (info.duration_us > VOICE_US_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "the voice is longer than 12 hours");
    d->voice_us = info.duration_us;
    return LIP_OK;
}

/* How much of the film has to be looked at. A score that the user keeps is always whole. */
static int64_t enough_us(const struct dub *d)
{
    enum lip_sync_mode sync = d->job->sync;
    if (d->job->score || d->voice_us < 0 || sync == LIP_SYNC_SILENCE || sync == LIP_SYNC_REMAP)
        return -1;
    struct lip_error quiet = {0};
    struct tier tier = tier_of(d->job);
    bool learns_style = !d->known || !d->known->style.fitted;
    learns_style = learns_style && has_own_sound(d->job->film, &quiet) == LIP_OK;
    int64_t least = learns_style ? tier.style_us : tier.bank_us;
    return d->voice_us > least ? d->voice_us : least;
}

/* Who draws a share finds the film looked at, and does not write into what others read. */
static int read_score(struct dub *d, const char *path, struct lip_error *err)
{
    struct lip_error why = {0};
    int r = data_score_open(path, false, &d->score, &why);
    if (!r && data_score_finished(d->score))
        return LIP_OK;
    return base_error_set(err, r == LIP_ERR_NOMEM ? r : LIP_ERR_SCORE, WHERE,
                          "there is no finished score in '%s': share 0 comes first", d->job->parts);
}

static struct watch_params watch_params(const struct dub *d, const char *score_path)
{
    return (struct watch_params){.film = d->job->film, .score_path = score_path,
                                 .n_threads = d->job->n_threads, .n_crops = tier_of(d->job).n_crops,
                                 .enough_us = enough_us(d),
                                 .resume = d->job->resume || d->job->parts,
                                 .share = d->job->share, .n_shares = d->job->n_shares};
}

static int watch(struct dub *d, struct lip_error *err)
{
    char *temporary = NULL;
    if (!d->job->score && workdir_path(&d->work, "score", -1, "", &temporary))
        return base_error_nomem(err, WHERE);
    if (d->job->share) {
        int r = read_score(d, d->job->score ? d->job->score : temporary, err);
        base_free(temporary);
        return r;
    }
    struct watch_params params = watch_params(d, d->job->score ? d->job->score : temporary);
    params.n_shares = 0;
    progress_stage(&d->progress, LIP_STAGE_ANALYZE);
    int r = watch_film(d->engine, &params, &d->progress, &d->score, err);
    base_free(temporary);
    if (!r && d->job->output)
        r = media_output_check(d->job->output,
                               media_codec_of((enum media_codec)d->job->codec,
                                              data_score_film(d->score), d->job->output),
                               err);
    return r;
}

/* A segment's role. `like` as in cast_choose. */
static int assign_segment(struct dub *d, struct assign *assign, const struct segment *segment,
                          struct lip_error *err)
{
    struct lip_job own = segments_job(segment, d->job, d->score);
    const struct role *last = d->roles.n ? &d->roles.at[d->roles.n - 1] : NULL;
    /* two segments may meet in one frame */
    int64_t from = last && segment->first < last->to ? last->to : segment->first;
    struct lip_error why = {0};
    int r = assign_frames(assign, &own, from, segment->end, segment->voice, &why);
    return r ? base_error_set(err, r, why.where, "%s %d: %s",
                              segment->asked ? "segment" : "range", segment->number, why.text)
             : LIP_OK;
}

/* Whose mouth is moved in which frames of the film. */
static int assign(struct dub *d, struct lip_error *err)
{
    size_t n_voices = d->segments.n_voices;
    struct assign how = {.engine = d->engine, .score = d->score, .roles = &d->roles,
                         .progress = &d->progress,
                         .like = d->known ? &d->known->file : NULL};
    int r = roles_init(&d->roles, n_voices ? n_voices : 1, err);
    if (!r && segments_asked(d->job))
        r = segments_place(&d->segments, d->score, &d->engine->log, err);
    for (size_t i = 0; i < d->segments.n && !r; i++)
        r = assign_segment(d, &how, &d->segments.at[i], err);
    if (!r && !segments_asked(d->job))
        r = assign_frames(&how, d->job, 0, data_score_n_frames(d->score), 0, err);
    int unused;
    if (!r && !d->roles.n_casts) /* there is always one */
        r = roles_cast_face(&d->roles, d->score, d->job, how.like, &unused, err);
    if (!r)
        r = assign_speech(&how, d->job, err);
    assign_done(&how);
    return r;
}

/* The cast whose face is that of the person file. */
static struct cast *cast_of_file(struct dub *d)
{
    struct cast *best = d->roles.casts;
    double least = HUGE_VAL;
    for (size_t i = 0; i < d->roles.n_casts; i++) {
        struct cast *cast = &d->roles.casts[i];
        double unlike = cast_unlike(&d->known->file, &cast->person, &cast->print);
        if (unlike < least) {
            least = unlike;
            best = cast;
        }
    }
    return best;
}

static int learn(struct dub *d, struct lip_error *err)
{
    progress_stage(&d->progress, LIP_STAGE_LEARN);
    int r = assign(d, err);
    size_t n = d->roles.n_casts;
    for (size_t i = 0; i < n && !r; i++) {
        progress_share(&d->progress, (double)i / (double)n, 1. / (double)n);
        if (d->roles.casts[i].n_faces)
            r = cast_learn(&d->roles.casts[i], d->engine, d->score, d->job, &d->progress, err);
    }
    if (!r && d->known && d->roles.casts->n_faces)
        r = known_join(d->known, cast_of_file(d), d->job->film,
                       motion_model_basis(d->engine->motion), err);
    return r;
}

/* Pieces that are shown longer than they are turn where it is seen least in their face. */
static int choose_turns(struct dub *d, struct lip_error *err)
{
    struct media_source_params source = {.n_threads = d->job->n_threads, .log = &d->engine->log};
    struct turnaround_params params = {.score = d->score, .film = d->job->film, .source = &source};
    int r = LIP_OK;
    for (size_t i = 0; i < plan_n_pieces(&d->plan) && !r; i++) {
        const struct plan_piece *piece = plan_piece(&d->plan, i);
        const struct role *role = roles_find(&d->roles, piece->first + piece->n - 1);
        const struct cast *cast = role ? &d->roles.casts[role->cast] : NULL;
        struct plan_turn turn = piece->turn;
        if (!plan_turns(piece) || !cast || !cast->n_faces)
            continue;
        params.face = &cast->faces[cast->chosen];
        r = turnaround_choose(&params, piece, &turn, err);
        if (!r)
            plan_set_turn(&d->plan, i, &turn);
    }
    plan_rewind(&d->plan);
    return r;
}

static bool is_avi(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, ".avi");
}

static int make_plan(struct dub *d, struct lip_error *err)
{
    struct plan_params plan = {.sync = d->job->sync, .voice_us = d->voice_us};
    int r = segments_asked(d->job) ? segments_plan(&d->segments, d->score, &d->plan, err)
                                   : plan_init(&d->plan, d->score, &plan, err);
    if (!r && !is_avi(d->job->output))
        plan_pace_evenly(&d->plan);
    return r ? r : choose_turns(d, err);
}

static struct listen_params speech_of(const struct dub *d, const struct role *role)
{
    const struct cast *cast = &d->roles.casts[role->cast];
    struct listen_params params = {.voice = d->job->voice ? d->job->voice : d->job->film,
                                   .max_us = plan_total_us(&d->plan), .style = &cast->style,
                                   .person = &cast->person,
                                   .temperature = d->job->temperature};
    if (d->segments.n_voices) {
        const struct segment_voice *voice = &d->segments.voices[role->voice];
        params.voice = voice->path;
        params.max_us = voice->needed_us;
        params.temperature = voice->temperature;
    }
    return params;
}

/* The curve of a role, from the folder of the parts when it is there. */
static int take_curve(struct dub *d, const struct role *role, struct lip_error *err)
{
    struct data_curve *curve = roles_curve(&d->roles, role);
    struct listen_params params = speech_of(d, role);
    struct base_buffer b;
    char *path = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (params.max_us <= 0)
        return LIP_OK;
    if (!d->job->parts)
        return listen_curve(d->engine, &params, &d->progress, curve, err);
    int r = workdir_path(&d->work, "curve", curve - d->roles.curves, "", &path);
    if (r)
        return base_error_nomem(err, WHERE);
    base_buffer_init(&b, DATA_CURVE_BYTES_MAX);
    if (base_fs_exists(path)) {
        r = base_fs_read(path, DATA_CURVE_BYTES_MAX, &bytes, &n, err);
        if (!r)
            r = data_curve_read(bytes, n, curve, err);
    } else {
        r = listen_curve(d->engine, &params, &d->progress, curve, err);
        if (!r && data_curve_write(curve, &b))
            r = base_error_nomem(err, WHERE);
        if (!r)
            r = base_fs_write(path, b.data, b.size, err);
    }
    base_buffer_done(&b);
    base_free(bytes);
    base_free(path);
    return r;
}

/* The curves that the roles follow. */
static int listen(struct dub *d, struct lip_error *err)
{
    progress_stage(&d->progress, LIP_STAGE_LISTEN);
    int r = make_plan(d, err);
    for (size_t i = 0; i < d->roles.n && !r; i++) {
        const struct role *role = &d->roles.at[i];
        if (!roles_curve(&d->roles, role)->n && d->roles.casts[role->cast].n_faces)
            r = take_curve(d, role, err);
    }
    return r;
}

static int perform(struct dub *d, struct lip_error *err)
{
    progress_stage(&d->progress, LIP_STAGE_PERFORM);
    struct perform_params params = {.engine = d->engine, .job = d->job, .score = d->score,
                                    .roles = &d->roles, .plan = &d->plan, .work = &d->work};
    return perform_film(&params, &d->progress, &d->stats, err);
}

static void free_paths(char **paths, size_t n)
{
    for (size_t i = 0; paths && i < n; i++)
        base_free(paths[i]);
    base_free(paths);
}

static bool is_cancelled(void *user)
{
    const struct dub *d = user;
    return progress_check(&d->progress, NULL) != LIP_OK;
}

/* Joins the parts called `name` into one file. */
static int join_parts(struct dub *d, const char *name, struct media_join_params *params,
                      struct lip_error *err)
{
    size_t n = d->work.n_parts;
    char **paths = base_alloc_array(n, sizeof *paths);
    int r = paths ? LIP_OK : LIP_ERR_NOMEM;
    for (size_t i = 0; i < n && !r; i++)
        r = workdir_path(&d->work, name, (int64_t)i, ".nut", &paths[i]);
    if (r)
        base_error_nomem(err, WHERE);
    params->parts = (const char *const *)paths;
    params->n_parts = n;
    params->duration_us = plan_total_us(&d->plan);
    params->log = &d->engine->log;
    params->cancelled = is_cancelled;
    params->user = d;
    if (!r)
        r = media_join(params, err);
    free_paths(paths, n);
    return r;
}

/* The sound of pieces and the map of times. Where the voice is the film's own sound there is
 * nothing to put together. */
static int join_segments(struct dub *d, struct media_join_params *params,
                         struct media_sound **ret_sounds, struct media_time **ret_times,
                         struct lip_error *err)
{
    const struct segments *s = &d->segments;
    int r = segments_times(s, ret_times, &params->n_times, err);
    params->times = *ret_times;
    params->voice = s->film_has_sound ? d->job->film : NULL;
    if (r || !s->n || (d->job->n_only && !d->job->voice))
        return r;
    r = segments_sounds(s, d->job->film, ret_sounds, &params->n_sounds, err);
    params->sounds = *ret_sounds;
    params->sound_like = s->film_has_sound ? d->job->film : s->voices[s->at[0].voice].path;
    return r;
}

static int join(struct dub *d, struct lip_error *err)
{
    progress_stage(&d->progress, LIP_STAGE_JOIN);
    bool remap = d->job->sync == LIP_SYNC_REMAP && d->voice_us >= 0;
    struct media_sound *sounds = NULL;
    struct media_time *times = NULL;
    struct media_join_params params = {
        .output = d->job->output,
        .film = d->job->film,
        .voice = d->job->voice ? d->job->voice : d->job->film,
        .voice_duration_us = plan_total_us(&d->plan),
        .keep_sounds = plan_is_straight(&d->plan),
        .time_scale = remap ? (double)d->plan.total_ticks / (double)d->plan.film_ticks : 1,
        .overwrite = d->job->overwrite,
    };
    if (!d->job->no_mark) {
        params.comment = "Mouth movements changed by lipsync " LIP_VERSION;
        params.edited_by = "lipsync";
        params.edited_by_version = LIP_VERSION;
    }
    int r = segments_asked(d->job) ? join_segments(d, &params, &sounds, &times, err) : LIP_OK;
    if (!r)
        r = join_parts(d, "part", &params, err);
    base_free(sounds);
    base_free(times);
    if (r || !d->job->mask)
        return r;
    struct media_join_params mask = {.output = d->job->mask, .time_scale = 1, .overwrite = true};
    return join_parts(d, "mask", &mask, err);
}

/* The record beside the output is a part of the mark; a report that was asked for takes its
 * place. */
static int write_reports(struct dub *d, const struct report_input *in, struct lip_error *err)
{
    const struct lip_job *job = d->job;
    bool beside = !job->report && !job->no_mark;
    if (!beside && !job->report && !job->report_page)
        return LIP_OK;
    char *sidecar = beside ? report_beside(job->output, REPORT_RECORD) : NULL;
    json_t *made = beside && !sidecar ? NULL : report_make(in);
    int r = made || beside ? LIP_OK : base_error_nomem(err, WHERE);
    struct lip_error why = {.text = "out of memory"};
    if (beside && (!made || report_write(sidecar, made, &why))) /* the film is there and whole */
        base_log_print(&d->engine->log, BASE_LOG_WARN, "the record beside the output is missing: "
                       "%s", why.text);
    if (!r && job->report)
        r = report_write(job->report, made, err);
    if (!r && job->report_page && !made)
        r = base_error_nomem(err, WHERE);
    if (!r && job->report_page)
        r = page_write(job->report_page, in, made, err);
    json_decref(made);
    base_free(sidecar);
    return r;
}

static int report(struct dub *d, struct lip_result *ret_result, struct lip_error *err)
{
    progress_end(&d->progress);
    struct report_input in = {.engine = d->engine, .job = d->job, .score = d->score,
                              .roles = &d->roles, .plan = &d->plan, .stats = &d->stats,
                              .judged = &d->judged, .progress = &d->progress,
                              .segments = &d->segments,
                              .voice_us = d->voice_us};
    int r = write_reports(d, &in, err);
    if (!r && ret_result)
        report_fill(&in, ret_result);
    return r;
}

static void dub_done(struct dub *d, bool keep_work)
{
    roles_done(&d->roles);
    segments_done(&d->segments);
    plan_done(&d->plan);
    known_close(&d->known);
    data_score_close(&d->score);
    perform_stats_done(&d->stats);
    judge_done(&d->judged);
    credentials_done(&d->credentials);
    workdir_close(&d->work, keep_work);
    base_free(d);
}

static int open_work(struct dub *d, struct lip_error *err)
{
    uint64_t print = 0;
    int r = fingerprint(d, &print, err);
    if (r)
        return r;
    return d->job->parts ? workdir_open_parts(d->job->parts, print, &d->work, err)
                         : workdir_open(d->job->output, print, d->job->resume, &d->work, err);
}

/* From the drawn picture to the film. */
static int finish(struct dub *d, struct lip_result *ret_result, struct lip_error *err)
{
    int r = credentials_take(d->job, &d->stats.notes, &d->credentials, err);
    if (!r)
        r = judge_job(&d->roles, &d->plan, &d->stats, &d->judged, err);
    if (!r)
        r = join(d, err);
    if (!r)
        r = credentials_keep(d->job, &d->credentials, err);
    return r ? r : report(d, ret_result, err);
}

int lip_dub(lip_engine *engine, const struct lip_job *job, struct lip_result *ret_result,
            struct lip_error *err)
{
    if (!engine)
        return base_error_arg(err, WHERE, "no engine");
    int r = check_job(job, err);
    if (r)
        return r;
    struct dub *d = base_alloc_zero(sizeof *d);
    if (!d)
        return base_error_nomem(err, WHERE);
    d->engine = engine;
    d->job = job;
    progress_init(&d->progress, job);
    r = job->person ? known_open(engine, job->person, &d->known, err) : LIP_OK;
    if (!r)
        r = measure_voice(d, err);
    if (!r)
        r = open_work(d, err);
    if (!r)
        r = watch(d, err);
    if (!r)
        r = learn(d, err);
    if (!r)
        r = listen(d, err);
    if (!r)
        r = perform(d, err);
    if (!r && !job->n_shares)
        r = finish(d, ret_result, err);
    else if (!r && ret_result)
        *ret_result = (struct lip_result){.frames = d->stats.n_drawn};
    dub_done(d, r && job->resume);
    return r;
}

int lip_analyze(lip_engine *engine, const struct lip_job *job, struct lip_error *err)
{
    if (!engine || !job || !job->film || !job->score)
        return base_error_arg(err, WHERE, "an analysis needs a film and a score");
    int r = check_ranges(job, err);
    if (r)
        return r;
    if (same_file(job->film, job->score))
        return base_error_set(err, LIP_ERR_ARG, WHERE, "the score would overwrite the film");
    if (job->n_shares && !job->share)
        return base_error_arg(err, WHERE, "the shares of an analysis are numbered from 1");
    struct dub *d = base_alloc_zero(sizeof *d);
    if (!d)
        return base_error_nomem(err, WHERE);
    d->engine = engine;
    d->job = job;
    d->voice_us = -1;
    progress_init(&d->progress, job);
    if (job->n_shares) {
        struct watch_params params = watch_params(d, job->score);
        progress_stage(&d->progress, LIP_STAGE_ANALYZE);
        r = watch_share(engine, &params, &d->progress, err);
    } else {
        r = watch(d, err);
        r = r ? r : learn(d, err);
    }
    progress_end(&d->progress);
    dub_done(d, false);
    return r;
}
