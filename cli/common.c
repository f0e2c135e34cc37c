/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "options.h"
#include "segments.h"

/* Set by a signal, read by the job. A second signal ends the program at once. */
static volatile int cancelled;

static void on_signal(int number)
{
    cancelled = 1;
    signal(number, SIG_DFL);
}

const volatile int *cli_cancel_flag(void)
{
    return &cancelled;
}

void cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int cli_exit_code(int status)
{
    switch (status) {
    case LIP_OK:
        return 0;
    case LIP_ERR_ARG:
    case LIP_ERR_STATE:
        return 2;
    case LIP_ERR_CANCELLED:
        return 130;
    case LIP_ERR_INTERNAL:
        return 1;
    default:
        return -status;
    }
}

int cli_fail(int status, const struct lip_error *err)
{
    fprintf(stderr, "lipsync: %s\n", err->text[0] ? err->text : lip_status_name(status));
    return cli_exit_code(status);
}

static void log_line(void *user, int level, const char *text)
{
    const struct settings *settings = user;
    if (level <= (settings->verbose ? 3 : 1))
        fprintf(stderr, "lipsync: %s\n", text);
}

int cli_open(const struct settings *settings, lip_engine **ret_engine)
{
    struct lip_params params;
    struct lip_error err = {0};
    lip_params_default(&params);
    params.models_dir = settings->models;
    params.runtime = settings->runtime;
    params.device = settings->device;
    params.log = log_line;
    params.log_user = (void *)settings; /* only read by log_line */
    int r = lip_open(&params, ret_engine, &err);
    return r ? cli_fail(r, &err) : 0;
}

static int take_segments(const struct settings *settings, struct cli_session *s)
{
    char why[CLI_WHY_MAX] = "";
    s->segments = base_alloc_zero(sizeof *s->segments);
    int r = s->segments ? cli_segments_take(settings, &s->job, s->segments, why)
                        : cli_exit_code(LIP_ERR_NOMEM);
    if (r)
        fprintf(stderr, "lipsync: %s\n", why);
    return r;
}

static void drop_segments(struct cli_session *s)
{
    if (s->segments)
        cli_segments_done(s->segments);
    base_free(s->segments);
    s->segments = NULL;
}

int cli_begin(const struct settings *settings, struct cli_session *s)
{
    *s = (struct cli_session){.engine = NULL};
    int r = cli_job(settings, &s->job);
    if (!r)
        r = take_segments(settings, s);
    if (!r)
        r = cli_open(settings, &s->engine);
    if (!r)
        cli_progress_start(&s->progress, settings, &s->job);
    else
        drop_segments(s);
    return r;
}

int cli_end(struct cli_session *s, int status)
{
    cli_progress_end(&s->progress);
    lip_close(&s->engine);
    drop_segments(s);
    return status ? cli_fail(status, &s->err) : 0;
}

static int take_point(const char *text, struct lip_job *job)
{
    char end = 0;
    job->face = LIP_FACE_POINT;
    if (sscanf(text, "%lf,%lf@%lf%c", &job->face_x, &job->face_y, &job->face_t_s, &end) == 3 &&
        job->face_t_s >= 0)
        return 0;
    fprintf(stderr, "lipsync: --face-at is X,Y@SECONDS, as in 640,320@1.5, not '%s'\n", text);
    return 2;
}

static int take_speaker(const char *who, struct lip_job *job)
{
    char end = 0;
    if (!strcmp(who, "largest"))
        return 0;
    if (!strcmp(who, "auto"))
        job->face = LIP_FACE_AUTO;
    else if (sscanf(who, "%lf,%lf@%lf%c", &job->face_x, &job->face_y, &job->face_t_s, &end) == 3 &&
             job->face_t_s >= 0)
        job->face = LIP_FACE_POINT;
    else if (sscanf(who, "%d%c", &job->face_number, &end) == 1 && job->face_number >= 1)
        job->face = LIP_FACE_NUMBER;
    else {
        fprintf(stderr, "lipsync: --speaker is auto, largest, a number of 'lipsync faces' or "
                        "X,Y@SECONDS, not '%s'\n", who);
        return 2;
    }
    return 0;
}

/* One way to say whose mouth it is. */
static int take_face(const struct settings *s, struct lip_job *job)
{
    if ((s->face != 0) + (s->face_at != NULL) + (s->face_boxes != NULL) + (s->speaker != NULL) >
        1) {
        fprintf(stderr, "lipsync: --speaker, --face, --face-at and --face-boxes exclude each "
                        "other\n");
        return 2;
    }
    job->face = s->face ? LIP_FACE_NUMBER : s->face_boxes ? LIP_FACE_BOXES : LIP_FACE_LARGEST;
    job->face_number = s->face;
    job->face_boxes = s->face_boxes;
    if (s->speaker)
        return take_speaker(s->speaker, job);
    return s->face_at ? take_point(s->face_at, job) : 0;
}

static int take_share(const char *text, struct lip_job *job)
{
    char end = 0;
    if (sscanf(text, "%d/%d%c", &job->share, &job->n_shares, &end) == 2 && job->share >= 0 &&
        job->n_shares >= 1 && job->share <= job->n_shares && job->n_shares <= LIP_SHARES_MAX)
        return 0;
    fprintf(stderr, "lipsync: --share is K/N with K from 0 to N, N at most %d\n", LIP_SHARES_MAX);
    return 2;
}

int cli_job(const struct settings *s, struct lip_job *ret_job)
{
    lip_job_default(ret_job);
    ret_job->film = s->args[0];
    ret_job->voice = s->n_args > 1 ? s->args[1] : NULL;
    ret_job->output = s->output;
    ret_job->score = s->score;
    ret_job->person = s->person;
    ret_job->report = s->report;
    ret_job->report_page = s->page;
    ret_job->mask = s->mask;
    ret_job->no_mark = s->no_mark;
    ret_job->consent = s->consent;
    ret_job->sync = (enum lip_sync_mode)s->sync;
    ret_job->codec = (enum lip_codec)s->codec;
    ret_job->quality = s->quality;
    ret_job->n_threads = s->threads;
    ret_job->tier = (enum lip_tier)s->tier;
    ret_job->n_crops = s->crops;
    ret_job->overwrite = s->overwrite;
    ret_job->reencode = s->reencode;
    ret_job->resume = s->resume;
    ret_job->seed = (uint64_t)s->seed;
    ret_job->occlusion = (enum lip_occlusion)s->occlusion;
    ret_job->temperature = s->temperature;
    ret_job->cancel = &cancelled;
    if (s->crops == 2) {
        fprintf(stderr, "lipsync: --crops is 1 or 3\n");
        return 2;
    }
    ret_job->parts = s->parts;
    if (s->share && take_share(s->share, ret_job))
        return 2;
    return take_face(s, ret_job);
}
