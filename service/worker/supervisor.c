/* SPDX-License-Identifier: MIT
 * Takes jobs, starts their processes, watches over them, and tells the store how they ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "worker/room.h"

#define WHERE "worker"
#define JOBS_MAX 64
#define POLL_MS 100
#define NEWS_US 500000 /* how often progress goes to the store */
#define IDLE_US ((int64_t)5 * 1000000)
#define LOOKS_MAX 4
#define ENVIRONMENT_MAX 64

extern char **environ;

struct worker {
    struct worker_params params;
    char *texts[3]; /* models, runtime, device */
    struct base_thread *threads[JOBS_MAX];
    char program[512];
    atomic_int stopping, n_looks;
    struct postmen *postmen;
};

/* How a job's process ended, as far as its supervisor is concerned. TAKEN: another has the job. */
enum ending { ENDED, STOPPED, CANCELLED, TOO_LONG, LOST, TAKEN };

struct run {
    struct worker *worker;
    const struct store_generation *g;
    char *folder;
    pid_t pid;
    int news; /* where the process tells its progress */
    int percent;
    bool looks; /* only at the inputs */
    double faces_at_s;
    bool offered[STORE_DRAW + 1];  /* others may look at parts of the film, or draw them */
    struct relay *relay;           /* where those share no folder; NULL: not begun */
    const struct store_part *part; /* of somebody else's job; NULL: a whole job */
    char *job_folder;              /* … that job's folder, … */
    json_t *delivered;             /* … and what went to the vault already */
};

static void say(const struct worker *w, const struct run *run, const char *what)
{
    char line[400];
    snprintf(line, sizeof line, "job %s, attempt %d: %.300s", run->g->id, run->g->attempt, what);
    if (w->params.log)
        w->params.log(line);
}

/* The folder ----------------------------------------------------------------------------------- */

static int link_inputs(struct run *run, const json_t *input, struct lip_error *err)
{
    size_t i;
    json_t *item;
    json_array_foreach(input, i, item) {
        const char *id = json_string_value(json_object_get(item, "assetId"));
        char name[16], *from = NULL, *to = NULL;
        if (!id)
            continue;
        worker_input_name(item, i, name);
        int r = store_media_need(run->worker->params.store, id, "", &from, err);
        if (!r && !(to = worker_path(run->folder, name)))
            r = LIP_ERR_NOMEM;
        if (!r && link(from, to))
            r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "the asset %s is gone", id);
        base_free(from);
        base_free(to);
        if (r)
            return r;
    }
    return LIP_OK;
}

static void set_text(json_t *json, const char *name, const char *text)
{
    if (text)
        json_object_set_new(json, name, json_string(text));
}

static void set_parsed(json_t *json, const char *name, const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    if (value)
        json_object_set_new(json, name, value);
}

static json_t *job_json(const struct run *run)
{
    const struct worker *w = run->worker;
    const struct store_generation *g = run->g;
    size_t i;
    json_t *json = json_object(), *item;
    set_text(json, "model", g->model);
    set_parsed(json, "input", g->input);
    set_parsed(json, "options", g->options);
    set_parsed(json, "segments", g->segments);
    json_array_foreach(json_object_get(json, "input"), i, item) {
        const char *type = json_string_value(json_object_get(item, "type"));
        if (type && (!strcmp(type, "video") || !strcmp(type, "image")))
            set_text(json, "seen", type);
    }
    if (run->looks)
        json_object_set_new(json, "faces_at_s", json_real(run->faces_at_s));
    json_object_set_new(json, "part", json_integer(run->part ? run->part->number : 0));
    json_object_set_new(json, "parts", json_integer(run->part ? run->part->n : 0));
    json_object_set_new(json, "part_stage", json_integer(run->part ? (int)run->part->stage : 0));
    json_object_set_new(json, "part_s", json_real(w->params.part_s));
    set_text(json, "models", w->params.models);
    set_text(json, "runtime", w->params.runtime);
    set_text(json, "device", w->params.device);
    json_object_set_new(json, "threads", json_integer(w->params.n_threads));
    json_object_set_new(json, "memory_mb", json_integer(w->params.memory_mb));
    json_object_set_new(json, "time_s", json_integer(w->params.time_s));
    json_object_set_new(json, "fetch", json_integer(w->params.fetch));
    json_object_set_new(json, "fetch_max_bytes", json_integer(w->params.fetch_max_bytes));
    return json;
}

/* All parts of a job are made in folders of this one: work/<id>-0. */
static int parts_path(const struct worker *w, const struct store_generation *g, char **ret_path)
{
    return store_work_path(w->params.store, g->id, 0, ret_path);
}

static void drop_parts(const struct worker *w, const struct store_generation *g)
{
    char *path = NULL;
    if (!parts_path(w, g, &path))
        worker_folder_remove(path);
    base_free(path);
}

static int prepare(struct run *run, struct lip_error *err)
{
    int r = LIP_OK;
    drop_parts(run->worker, run->g);
    for (int i = 1; i <= run->g->attempt && !r; i++) { /* what killed servers left, too */
        base_free(run->folder);
        run->folder = NULL;
        r = store_work_path(run->worker->params.store, run->g->id, i, &run->folder);
        if (!r)
            worker_folder_remove(run->folder);
    }
    if (r)
        return base_error_nomem(err, WHERE);
    r = worker_folder_make(run->folder, err);
    for (int i = 1; i < run->g->attempt && !r && store_has_vault(run->worker->params.store); i++)
        relay_drop(run->worker->params.store, run->g->id, i, run->folder);
    json_t *json = job_json(run);
    if (!r)
        r = link_inputs(run, json_object_get(json, "input"), err);
    if (!r)
        r = worker_json_write(run->folder, WORKER_JOB, json, err);
    json_decref(json);
    return r;
}

/* The process ---------------------------------------------------------------------------------- */

/* Passwords and keys of the server stand in its environment: a job gets what it needs by name. */
static void keep_environment(char *ret_environment[ENVIRONMENT_MAX])
{
    static const char *const kept[] = {
        "PATH=", "HOME=", "LANG=", "LC_", "TZ=", "LD_LIBRARY_PATH=", "LIPSYNC_MODELS=",
        "LIPSYNC_ONNXRUNTIME=", "ESPEAK_DATA_PATH=", "SSL_CERT_", "CURL_CA_BUNDLE=",
        "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS="};
    int n = 0;
    for (char **at = environ; *at && n < ENVIRONMENT_MAX - 1; at++)
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (!strncmp(*at, kept[i], strlen(kept[i])) && n < ENVIRONMENT_MAX - 1)
                ret_environment[n++] = *at;
    ret_environment[n] = NULL;
}

static int start(struct run *run, struct lip_error *err)
{
    char parent[32], *environment[ENVIRONMENT_MAX];
    int ends[2];
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    char command[] = WORKER_COMMAND;
    char *argv[] = {run->worker->program, command, run->folder, parent, NULL};
    if (pipe2(ends, O_CLOEXEC))
        return base_error_set(err, LIP_ERR_IO, WHERE, "no pipe: %s", strerror(errno));
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    keep_environment(environment);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    posix_spawn_file_actions_addclosefrom_np(&files, 3); /* the server's files are not the job's */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0); /* so that all of it can be killed */
    posix_spawnattr_setsigmask(&attributes, &none);
    int failed = posix_spawn(&run->pid, argv[0], &files, &attributes, argv,
                             environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot start a process: %s",
                              strerror(failed));
    }
    run->news = ends[0];
    return LIP_OK;
}

/* From now on others may look at, or draw, parts of this job's film. */
static void offer_parts(struct run *run, enum store_stage stage, const char *text)
{
    struct store *store = run->worker->params.store;
    long n = strtol(text, NULL, 10);
    if (run->part || run->offered[stage] || n < 2 || n > WORKER_PARTS_MAX)
        return;
    run->offered[stage] = true;
    if (!store_has_vault(store))
        store_parts_offer(store, run->g->id, run->g->attempt, stage, (int)n, NULL);
    else if (run->relay || !relay_start(store, run->g, run->folder, &run->relay, NULL))
        relay_offer(run->relay, stage, (int)n);
}

/* Reads what came; false at the end. Lines are numbers, and only the last one counts. */
static bool hear(struct run *run)
{
    char text[256];
    ssize_t n = read(run->news, text, sizeof text - 1);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    text[n] = 0;
    for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *end = NULL;
        long v = strtol(line, &end, 10);
        if (end != line && *end == '\n' && v >= 0 && v <= 100)
            run->percent = (int)v;
        if (!strncmp(line, "look ", 5))
            offer_parts(run, STORE_LOOK, line + 5);
        if (!strncmp(line, "draw ", 5))
            offer_parts(run, STORE_DRAW, line + 5);
    }
    return true;
}

/* What it has started ends with it, while its number still is its own. */
static bool has_ended(pid_t pid, bool *ret_fine)
{
    siginfo_t info = {.si_pid = 0};
    int state = 0;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT))
        return errno != EINTR;
    if (info.si_pid != pid)
        return false;
    kill(-pid, SIGKILL);
    *ret_fine = waitpid(pid, &state, 0) == pid && WIFEXITED(state) && !WEXITSTATUS(state);
    return true;
}

/* False: the job is not this worker's any more, or the part not wanted. */
static bool tell(struct run *run, bool *ret_cancel)
{
    struct store *store = run->worker->params.store;
    bool wanted = true;
    if (run->part)
        return store_part_wanted(store, run->part, &wanted, NULL) || wanted;
    return store_generation_progress(store, run->g->id, run->g->attempt, run->percent / 100.0,
                                     ret_cancel, NULL) != LIP_ERR_STATE;
}

/* To where it is waited for, as it comes, so that nobody does it again. */
static int hand_over(struct run *run, bool is_whole, struct lip_error *err)
{
    struct store *store = run->worker->params.store;
    char *from = worker_path(run->folder, WORKER_PARTS);
    char *to = worker_path(run->job_folder, WORKER_PARTS);
    int r = from && to ? LIP_OK : base_error_nomem(err, WHERE);
    if (!r && store_has_vault(store))
        r = relay_deliver(store, run->part, from, run->delivered, is_whole, err);
    else if (!r)
        r = worker_hand_over(from, to, run->part->stage == STORE_DRAW, err);
    base_free(from);
    base_free(to);
    return r;
}

/* Until the process has ended, whoever ended it. */
static enum ending watch(struct run *run)
{
    struct worker *w = run->worker;
    int64_t end_us = base_time_us() + (int64_t)w->params.time_s * 1000000, next_us = 0;
    enum ending why = ENDED;
    bool open = true, cancel = false;
    for (;;) {
        struct pollfd p = {.fd = open ? run->news : -1, .events = POLLIN};
        if (poll(&p, 1, POLL_MS) > 0)
            open = hear(run);
        bool fine = false;
        if (has_ended(run->pid, &fine))
            return why != ENDED ? why : fine ? ENDED : LOST;
        int64_t now_us = base_time_us();
        if (why == ENDED && now_us >= next_us) {
            next_us = now_us + NEWS_US;
            if (!tell(run, &cancel))
                why = TAKEN;
            else if (run->part)
                hand_over(run, false, NULL); /* what is wrong with it shows at the end */
        }
        if (why == ENDED && atomic_load(&w->stopping))
            why = STOPPED;
        else if (why == ENDED && cancel)
            why = CANCELLED;
        else if (why == ENDED && now_us > end_us)
            why = TOO_LONG;
        if (why != ENDED)
            kill(-run->pid, SIGKILL);
    }
}

/* Endings -------------------------------------------------------------------------------------- */

static void finish(struct run *run, int status, double duration_s, const char *error,
                   const char *code)
{
    struct lip_error err = {0};
    struct store_outcome o = {.status = status, .duration_s = duration_s, .error = error,
                              .error_code = code};
    if (store_generation_finish(run->worker->params.store, run->g->id, run->g->attempt, &o, &err))
        say(run->worker, run, err.text);
    else
        say(run->worker, run, error ? error : "completed");
}

static int move_out(struct run *run, const char *name, const char *ending, struct lip_error *err)
{
    char *from = worker_path(run->folder, name), *to = NULL;
    int r = from && !store_media_path(run->worker->params.store, run->g->id, ending, &to)
                ? base_fs_rename(from, to, err) : base_error_nomem(err, WHERE);
    base_free(from);
    base_free(to);
    return r ? r : store_media_keep(run->worker->params.store, run->g->id, ending, err);
}

/* The film is in its place before the store says so; a crash between does the job again. */
static void take_result(struct run *run)
{
    struct lip_error err = {0};
    json_t *json = worker_json_read(run->folder, WORKER_RESULT);
    const json_t *status = json_object_get(json, "status");
    const char *error = json_string_value(json_object_get(json, "error"));
    const char *code = json_string_value(json_object_get(json, "error_code"));
    if (!json_is_integer(status)) {
        finish(run, STORE_FAILED, 0, "The job's process left no result",
               "generation_pipeline_failed");
    } else if (json_integer_value(status)) {
        finish(run, STORE_FAILED, 0, error ? error : "The job failed",
               code ? code : "generation_unknown_error");
    } else if (move_out(run, WORKER_OUTPUT, ".mp4", &err)) {
        finish(run, STORE_FAILED, 0, err.text, "generation_infra_storage_error");
    } else {
        move_out(run, WORKER_REPORT, ".json", NULL); /* the film is what was asked for */
        finish(run, STORE_COMPLETED, json_number_value(json_object_get(json, "duration_s")), NULL,
               NULL);
    }
    json_decref(json);
}

static void settle(struct run *run, enum ending why)
{
    const struct store_generation *g = run->g;
    struct store *store = run->worker->params.store;
    switch (why) {
    case ENDED:
        take_result(run);
        break;
    case STOPPED:
        store_generation_release(store, g->id, g->attempt, false, NULL);
        say(run->worker, run, "stopped, waits again");
        break;
    case TAKEN:
        say(run->worker, run, "another worker has the job by now");
        break;
    case CANCELLED:
        finish(run, STORE_FAILED, 0, "The job was cancelled", "generation_cancelled");
        break;
    case TOO_LONG:
        finish(run, STORE_FAILED, 0, "The job took longer than it may",
               "generation_infra_resource_exhausted");
        break;
    case LOST:
        if (g->crashes + 1 >= STORE_CRASHES_MAX) {
            finish(run, STORE_FAILED, 0, "The job's process was killed or crashed several times",
                   "generation_pipeline_failed");
        } else {
            say(run->worker, run, "its process was killed or crashed: once more");
            store_generation_release(store, g->id, g->attempt, true, NULL);
        }
        break;
    }
}

static void do_job(struct worker *w, const struct store_generation *g)
{
    struct lip_error err = {0};
    struct run run = {.worker = w, .g = g, .news = -1};
    int r = prepare(&run, &err);
    if (!r)
        r = start(&run, &err);
    if (r) {
        finish(&run, STORE_FAILED, 0, err.text, r == LIP_ERR_NOT_FOUND
               ? "asset_not_found" : "generation_infra_resource_exhausted");
    } else {
        say(w, &run, "started");
        settle(&run, watch(&run));
        relay_stop(&run.relay); /* afterwards: a file on its way may take longer than the lease */
        close(run.news);
    }
    drop_parts(w, g);
    if (run.folder)
        worker_folder_remove(run.folder);
    base_free(run.folder);
}

/* Links to what the job's own folder has. */
static int link_part(struct run *run, const char *to, struct lip_error *err)
{
    char *from = worker_path(run->job_folder, WORKER_PARTS);
    int r = from ? LIP_OK : base_error_nomem(err, WHERE);
    for (int i = 0; !r && i < WORKER_PART_FILES; i++)
        r = worker_share_files(run->job_folder, run->folder, worker_part_inputs[i], err);
    for (int i = 0; !r && run->part->stage == STORE_DRAW && i < WORKER_PART_FILES; i++)
        r = worker_share_files(from, to, worker_part_found[i], err);
    base_free(from);
    return r;
}

/* The folder of a part, with all that it needs. */
static int prepare_part(struct run *run, struct lip_error *err)
{
    struct store *store = run->worker->params.store;
    char *all = NULL, *to = NULL, name[32];
    snprintf(name, sizeof name, "%d-%d-%d", run->g->attempt, (int)run->part->stage,
             run->part->number);
    int r = !parts_path(run->worker, run->g, &all) &&
                    (run->folder = worker_path(all, name)) &&
                    (to = worker_path(run->folder, WORKER_PARTS))
                ? worker_folder_make(all, err) : base_error_nomem(err, WHERE);
    if (!r)
        r = worker_folder_make(run->folder, err);
    if (!r)
        r = worker_folder_make(to, err);
    json_t *json = job_json(run);
    if (!r && !store_has_vault(store))
        r = link_part(run, to, err);
    else if (!r && !(r = link_inputs(run, json_object_get(json, "input"), err)))
        r = relay_fetch(store, run->part, run->folder, to, err);
    base_free(all);
    base_free(to);
    if (!r)
        r = worker_json_write(run->folder, WORKER_JOB, json, err);
    json_decref(json);
    return r;
}

/* A part of a long film that another worker has in work. Whatever goes wrong, that one does it. */
static void do_part(struct worker *w, const struct store_part *part)
{
    struct lip_error err = {0};
    struct run run = {.worker = w, .g = &part->generation, .news = -1, .part = part};
    char line[300];
    run.delivered = json_object();
    enum ending why = STOPPED;
    int r = store_work_path(w->params.store, run.g->id, run.g->attempt, &run.job_folder);
    r = r ? base_error_nomem(&err, WHERE) : prepare_part(&run, &err);
    if (!r)
        r = start(&run, &err);
    if (!r) {
        why = watch(&run);
        close(run.news);
    }
    if (!r && why == ENDED)
        r = hand_over(&run, true, &err);
    snprintf(line, sizeof line, "%s part %d of %d: %.200s",
             part->stage == STORE_LOOK ? "look at" : "draw", part->number, part->n,
             r ? err.text : why == ENDED ? "done" : "given up");
    say(w, &run, line);
    if (run.folder)
        worker_folder_remove(run.folder);
    base_free(run.folder);
    base_free(run.job_folder);
    json_decref(run.delivered);
}

/* Measuring ------------------------------------------------------------------------------------ */

static int take_answer(struct run *run, char **ret_answer, struct lip_error *err)
{
    json_t *json = worker_json_read(run->folder, WORKER_RESULT);
    const json_t *status = json_object_get(json, "status");
    const char *text = json_string_value(json_object_get(json, "error"));
    int r = LIP_OK;
    if (!json_is_integer(status)) {
        r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "the inputs cannot be looked at in time");
    } else if (json_integer_value(status)) {
        r = base_error_set(err, (int)json_integer_value(status), WHERE, "%s",
                           text ? text : "the inputs cannot be looked at");
    } else {
        char *answer = json_dumps(json_object_get(json, "answer"), JSON_COMPACT);
        *ret_answer = base_strdup(answer);
        free(answer); /* lint: allow free: jansson gave this memory */
        r = *ret_answer ? LIP_OK : base_error_nomem(err, WHERE);
    }
    json_decref(json);
    return r;
}

static void wait_look(struct run *run)
{
    int64_t end_us = base_time_us() + (int64_t)WORKER_LOOK_S * 1000000;
    bool fine = false;
    while (!has_ended(run->pid, &fine)) {
        const volatile int *stop = run->worker->params.stop;
        if (base_time_us() > end_us || (stop && *stop))
            kill(-run->pid, SIGKILL);
        usleep(POLL_MS * 100);
    }
}

/* What a text among the inputs was spoken into. */
static int keep_speech(const struct run *run, const char *path, struct lip_error *err)
{
    json_t *input = json_loads(run->g->input, 0, NULL), *item;
    int r = LIP_ERR_NOT_FOUND;
    size_t i;
    json_array_foreach(input, i, item) {
        const char *type = json_string_value(json_object_get(item, "type"));
        char name[16];
        if (!type || strcmp(type, "text"))
            continue;
        worker_input_name(item, i, name);
        r = worker_take_file(run->folder, name, path, err);
        break;
    }
    json_decref(input);
    return r;
}

static int look(struct worker *w, char *input, double faces_at_s, const char *keep,
                char **ret_answer, struct lip_error *err)
{
    struct store_generation g = {.attempt = 1, .input = input};
    struct run run = {.worker = w, .g = &g, .news = -1, .looks = true, .faces_at_s = faces_at_s};
    store_id_make(g.id);
    int r = prepare(&run, err);
    if (!r)
        r = start(&run, err);
    if (!r) {
        wait_look(&run);
        close(run.news);
        r = take_answer(&run, ret_answer, err);
    }
    if (!r && keep)
        r = keep_speech(&run, keep, err);
    if (run.folder)
        worker_folder_remove(run.folder);
    base_free(run.folder);
    return r;
}

int worker_look(struct worker *w, const char *input, double faces_at_s, const char *keep,
                char **ret_answer, struct lip_error *err)
{
    int r = LIP_OK;
    char *copy = base_strdup(input);
    if (!copy)
        r = base_error_nomem(err, WHERE);
    else if (atomic_fetch_add(&w->n_looks, 1) >= LOOKS_MAX)
        r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "too many inputs are being looked at");
    else
        r = look(w, copy, faces_at_s, keep, ret_answer, err);
    if (copy)
        atomic_fetch_sub(&w->n_looks, 1);
    base_free(copy);
    return r;
}

static void work(void *arg)
{
    struct worker *w = arg;
    while (!atomic_load(&w->stopping)) {
        struct store_generation g;
        uint64_t seen = store_changes(w->params.store);
        struct store_part part;
        if (!store_part_claim(w->params.store, &part, NULL)) {
            do_part(w, &part);
            store_generation_done(&part.generation);
            continue;
        }
        if (store_generation_claim(w->params.store, &g, NULL)) {
            if (!atomic_load(&w->stopping))
                store_wait(w->params.store, seen, IDLE_US);
            continue;
        }
        do_job(w, &g);
        store_generation_done(&g);
    }
}

static int keep_texts(struct worker *w)
{
    const char **const texts[] = {&w->params.models, &w->params.runtime, &w->params.device};
    for (int i = 0; i < 3; i++) {
        w->texts[i] = base_strdup(*texts[i]);
        if (*texts[i] && !w->texts[i])
            return LIP_ERR_NOMEM;
        *texts[i] = w->texts[i];
    }
    return LIP_OK;
}

int worker_start(const struct worker_params *params, struct worker **ret_worker,
                 struct lip_error *err)
{
    if (params->n_jobs < 0 || params->n_jobs > JOBS_MAX)
        return base_error_arg(err, WHERE, "n_jobs");
    struct worker *w = base_alloc_zero(sizeof *w);
    if (!w)
        return base_error_nomem(err, WHERE);
    w->params = *params;
    ssize_t n = readlink("/proc/self/exe", w->program, sizeof w->program - 1);
    int r = keep_texts(w);
    if (!r && (n <= 0 || n == sizeof w->program - 1))
        r = base_error_set(err, LIP_ERR_INTERNAL, WHERE, "this program cannot find itself");
    for (int i = 0; !r && i < params->n_jobs; i++)
        r = base_thread_start(work, w, &w->threads[i]);
    if (!r && w->params.log)
        w->params.log(worker_walls());
    if (!r)
        r = postmen_start(&w->params, &w->postmen, err);
    if (r) {
        worker_stop(&w);
        return base_error_set(err, r, WHERE, "the worker cannot start");
    }
    *ret_worker = w;
    return LIP_OK;
}

void worker_stop(struct worker **worker)
{
    if (!worker || !*worker)
        return;
    struct worker *w = *worker;
    atomic_store(&w->stopping, 1);
    store_wake(w->params.store);
    postmen_stop(&w->postmen);
    for (int i = 0; i < JOBS_MAX; i++)
        base_thread_join(&w->threads[i]);
    for (int i = 0; i < 3; i++)
        base_free(w->texts[i]);
    base_free(w);
    *worker = NULL;
}
