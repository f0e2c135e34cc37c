/* SPDX-License-Identifier: MIT
 *
 * lipsync batch JOBS.jsonl: many jobs, each film looked at once, several jobs at a time. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "batch.h"
#include "segments.h"

#define WHERE "cli/batch"
#define JOBS_MAX 64

/* A film as some lines look at it: analyzed by the first of them, used by all. */
struct shared {
    uint64_t key;
    char *score;
    pthread_mutex_t lock;
    bool tried;
    int status;
    struct lip_error err;
};

struct run {
    const struct settings *settings;
    struct batch batch;
    struct shared *films;
    size_t n_films, cap_films;
    size_t *film_of; /* per line */
    char *results, *folder;
    lip_engine *engine;
    pthread_mutex_t lock; /* of what follows, and of the results file */
    size_t next, n_over, n_failed, n_before;
    int status; /* of the run itself: the results cannot be written */
    struct lip_error err;
};

/* Shared looks --------------------------------------------------------------------------------- */

static uint64_t look_key(const struct settings *s)
{
    uint64_t key = 0;
    if (base_fs_identity(s->args[0], &key, NULL))
        key = base_hash(s->args[0], strlen(s->args[0]), 1);
    const int numbers[] = {s->face, s->crops, s->tier};
    key = base_hash(numbers, sizeof numbers, key);
    const char *const texts[] = {s->face_at, s->face_boxes, s->speaker};
    for (size_t i = 0; i < 3; i++)
        if (texts[i])
            key = base_hash(texts[i], strlen(texts[i]), key + i);
    return key;
}

static int share_film(struct run *run, size_t line, struct lip_error *err)
{
    const struct settings *s = &run->batch.lines[line].settings;
    uint64_t key = look_key(s);
    for (size_t i = 0; i < run->n_films; i++)
        if (run->films[i].key == key) {
            run->film_of[line] = i;
            return LIP_OK;
        }
    if (base_grow(&run->films, &run->cap_films, run->n_films + 1, BATCH_LINES_MAX,
                  sizeof *run->films))
        return base_error_nomem(err, WHERE);
    struct shared *film = &run->films[run->n_films];
    size_t n = strlen(run->folder) + 40;
    film->score = base_alloc(n);
    if (!film->score)
        return base_error_nomem(err, WHERE);
    snprintf(film->score, n, "%s/%016" PRIx64 ".score", run->folder, key);
    film->key = key;
    pthread_mutex_init(&film->lock, NULL);
    run->film_of[line] = run->n_films++;
    return LIP_OK;
}

/* The score of the job's film, made by whoever comes first. */
static int look(struct run *run, struct shared *film, const struct lip_job *job,
                struct lip_error *err)
{
    pthread_mutex_lock(&film->lock);
    if (!film->tried) {
        struct lip_job once = *job;
        once.voice = once.output = NULL;
        once.score = film->score;
        once.resume = 1;
        film->status = lip_analyze(run->engine, &once, &film->err);
        film->tried = film->status != LIP_ERR_CANCELLED;
    }
    int r = film->status;
    if (r)
        *err = film->err;
    pthread_mutex_unlock(&film->lock);
    return r;
}

/* One line ------------------------------------------------------------------------------------- */

static json_t *result_of(const struct batch_line *line, const struct lip_result *r, double took_s)
{
    char key[20], hash[20];
    uint64_t identity = 0;
    base_fs_identity(line->settings.output, &identity, NULL);
    snprintf(key, sizeof key, "%016" PRIx64, line->key);
    snprintf(hash, sizeof hash, "%016" PRIx64, identity);
    json_t *declined = json_object(), *warnings = json_array();
    for (int i = 0; i < LIP_DECLINE_COUNT; i++)
        json_object_set_new(declined, lip_decline_name(i), json_integer(r->declined[i]));
    for (int i = 0; i < r->n_warnings; i++)
        json_array_append_new(warnings, json_string(r->warnings[i]));
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:f,s:f,s:I,s:I,s:o,s:i,s:f,s:o}", "line", line->number,
                     "status", "done", "output", line->settings.output, "output_hash", hash, "job",
                     key, "duration_s", r->duration_s, "took_s", took_s, "frames",
                     (json_int_t)r->frames, "edited", (json_int_t)r->edited, "declined", declined,
                     "bank_frames", r->bank_frames, "agreement", r->agreement, "warnings",
                     warnings);
}

static int speak_and_dub(struct run *run, size_t at, struct lip_result *ret_result,
                         struct lip_error *err)
{
    struct batch_line *line = &run->batch.lines[at];
    struct settings *s = &line->settings;
    struct lip_job job;
    struct cli_segments segments = {0};
    char *wav = NULL, why[CLI_WHY_MAX] = "";
    s->resume = line->state == BATCH_STARTED;
    s->overwrite = s->overwrite || s->resume; /* it is this job's own output */
    int r = cli_job(s, &job);
    if (r)
        return base_error_set(err, LIP_ERR_ARG, WHERE, "options that do not go together");
    r = cli_segments_take(s, &job, &segments, why);
    if (r) {
        cli_segments_done(&segments);
        return base_error_set(err, LIP_ERR_ARG, WHERE, "%s", why);
    }
    bool speaks = s->text || s->text_file;
    if (!s->score) {
        r = look(run, &run->films[run->film_of[at]], &job, err);
        job.score = run->films[run->film_of[at]].score;
    }
    if (!r && !s->overwrite && base_fs_exists(s->output)) /* before anything is spoken */
        r = base_error_set(err, LIP_ERR_EXISTS, WHERE,
                           "'%s' exists; allow overwriting or choose another name", s->output);
    if (!r && speaks)
        r = cli_speak(s, &wav, err);
    if (speaks)
        job.voice = wav;
    if (!r)
        r = lip_dub(run->engine, &job, ret_result, err);
    cli_speak_done(s, wav, r == LIP_ERR_CANCELLED ? r : 0);
    cli_segments_done(&segments);
    return r;
}

static void note_start(struct run *run, const struct batch_line *line)
{
    char key[20];
    snprintf(key, sizeof key, "%016" PRIx64, line->key);
    json_t *mark = json_pack("{s:i,s:s,s:s}", "line", line->number, "status", "started", "job",
                             key);
    pthread_mutex_lock(&run->lock);
    if (!run->status)
        run->status = mark ? batch_append(run->results, mark, &run->err) : LIP_ERR_NOMEM;
    pthread_mutex_unlock(&run->lock);
    json_decref(mark);
}

static void note_end(struct run *run, struct batch_line *line)
{
    pthread_mutex_lock(&run->lock);
    run->n_over++;
    run->n_failed += line->state == BATCH_FAILED;
    if (!run->status && line->result)
        run->status = batch_append(run->results, line->result, &run->err);
    if (run->settings->progress != PROGRESS_NONE)
        fprintf(stderr, "%zu of %zu: line %d %s%s\n", run->n_over, run->batch.n, line->number,
                line->state == BATCH_DONE ? "done, " : "failed: ",
                line->state == BATCH_DONE
                    ? line->settings.output
                    : json_string_value(json_object_get(line->result, "message")));
    pthread_mutex_unlock(&run->lock);
}

static void do_line(struct run *run, size_t at)
{
    struct batch_line *line = &run->batch.lines[at];
    struct lip_result result;
    struct lip_error err = {0};
    int64_t start_us = base_time_us();
    note_start(run, line);
    int r = speak_and_dub(run, at, &result, &err);
    if (r == LIP_ERR_CANCELLED)
        return; /* it stays open: the next run does it */
    if (r) {
        batch_fail(line, r, err.text);
    } else {
        line->state = BATCH_DONE;
        line->result = result_of(line, &result, (double)(base_time_us() - start_us) * 1e-6);
    }
    note_end(run, line);
}

static void work(void *arg)
{
    struct run *run = arg;
    for (;;) {
        pthread_mutex_lock(&run->lock);
        while (run->next < run->batch.n && run->batch.lines[run->next].state > BATCH_STARTED)
            run->next++;
        size_t at = run->next++;
        bool stop = at >= run->batch.n || run->status || *cli_cancel_flag();
        pthread_mutex_unlock(&run->lock);
        if (stop)
            return;
        do_line(run, at);
    }
}

/* All lines ------------------------------------------------------------------------------------ */

static int prepare(struct run *run, struct lip_error *err)
{
    const struct settings *s = run->settings;
    size_t n = strlen(s->args[0]) + 32;
    run->results = base_alloc(n);
    if (!run->results)
        return base_error_nomem(err, WHERE);
    snprintf(run->results, n, "%s%s", s->output ? s->output : s->args[0],
             s->output ? "" : ".results.jsonl");
    if (base_fs_beside(run->results, "lipsync-batch", &run->folder))
        return base_error_nomem(err, WHERE);
    int r = batch_read(s->args[0], s, &run->batch, err);
    if (!r)
        r = batch_recall(&run->batch, run->results, err);
    if (!r)
        r = base_fs_make_dir(run->folder, err);
    run->film_of = base_alloc_array(run->batch.n + 1, sizeof *run->film_of);
    if (!r && !run->film_of)
        r = base_error_nomem(err, WHERE);
    for (size_t i = 0; i < run->batch.n && !r; i++) {
        struct batch_line *line = &run->batch.lines[i];
        run->n_failed += line->state == BATCH_FAILED;
        run->n_before += line->state == BATCH_DONE;
        run->n_over += line->state >= BATCH_DONE;
        if (line->state == BATCH_FAILED && s->progress != PROGRESS_NONE)
            fprintf(stderr, "line %d failed: %s\n", line->number,
                    json_string_value(json_object_get(line->result, "message")));
        else if (line->state < BATCH_DONE)
            r = share_film(run, i, err);
    }
    return r;
}

static int perform(struct run *run, struct lip_error *err)
{
    int n = run->settings->jobs, total = run->settings->threads;
    struct base_thread *threads[JOBS_MAX] = {NULL};
    total = total > 0 ? total : base_cpu_count();
    n = n > 0 ? n : 1;
    n = n < JOBS_MAX ? n : JOBS_MAX;
    for (size_t i = 0; i < run->batch.n; i++)
        run->batch.lines[i].settings.threads = total / n > 0 ? total / n : 1;
    int r = LIP_OK;
    for (int i = 1; i < n && !r; i++)
        r = base_thread_start(work, run, &threads[i]);
    work(run); /* whatever could be started works */
    for (int i = 1; i < n; i++)
        base_thread_join(&threads[i]);
    r = run->status;
    if (r)
        *err = run->err;
    else /* in the order of the lines, without marks */
        r = batch_write(&run->batch, run->results, err);
    return r;
}

static void run_done(struct run *run, bool keep)
{
    for (size_t i = 0; i < run->n_films; i++) {
        pthread_mutex_destroy(&run->films[i].lock);
        base_free(run->films[i].score);
    }
    if (run->folder && !keep) {
        base_fs_remove_all(run->folder, "");
        base_fs_remove_dir(run->folder);
    }
    base_free(run->films);
    base_free(run->film_of);
    base_free(run->results);
    base_free(run->folder);
    batch_done(&run->batch);
    pthread_mutex_destroy(&run->lock);
    lip_close(&run->engine);
}

int cli_run_batch(const struct settings *settings)
{
    struct run run = {.settings = settings};
    struct lip_error err = {0};
    pthread_mutex_init(&run.lock, NULL);
    int r = prepare(&run, &err), code = r ? cli_fail(r, &err) : 0;
    bool open = run.n_over < run.batch.n;
    if (!code && open)
        code = cli_open(settings, &run.engine);
    if (!code && (r = perform(&run, &err)))
        code = cli_fail(r, &err);
    bool stopped = *cli_cancel_flag() && run.n_over < run.batch.n;
    if (!code && settings->progress != PROGRESS_NONE)
        fprintf(stderr, "%s: %zu jobs, %zu done before, %zu failed%s; results in %s\n",
                settings->args[0], run.batch.n, run.n_before, run.n_failed,
                stopped ? ", stopped" : "", run.results);
    if (!code)
        code = stopped ? cli_exit_code(LIP_ERR_CANCELLED) : run.n_failed ? CLI_EXIT_SOME_FAILED : 0;
    run_done(&run, stopped || r);
    return code;
}
