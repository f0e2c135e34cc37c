/* SPDX-License-Identifier: MIT
 * The process that does one job, from its folder to result.json. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "fetch/fetch.h"
#include "worker/room.h"

#define WHERE "worker/child"
#define EXIT_NO_RESULT 70
#define PARTS_SCORE WORKER_PARTS "/score" /* where a job with parts keeps it */
#define WHOLE_SHARE .9 /* of a film: a voice so long needs all of it */
#define BOXES_FILE "fetched.json"
#define BOXES_BYTES_MAX ((int64_t)32 << 20) /* hours of frames */

/* A line for each percent; the supervisor reads them. */
static void on_progress(void *user, const struct lip_progress *p)
{
    int *last = user, now = (int)(100 * p->fraction);
    if (now == *last)
        return;
    *last = now;
    printf("%d\n", now);
    fflush(stdout);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int number_of(const json_t *object, const char *name)
{
    return (int)json_integer_value(json_object_get(object, name));
}

struct outcome {
    struct lip_error err;
    const char *code; /* NULL: by the error */
    double duration_s;
    json_t *answer; /* when inputs are looked at only */
};

static const char *inaccessible(const char *type)
{
    if (!strcmp(type, "image"))
        return "generation_input_image_inaccessible";
    return !strcmp(type, "video") ? "generation_input_video_inaccessible"
                                  : "generation_input_audio_inaccessible";
}

/* bounding_boxes_url becomes the bounding_boxes that it leads to. */
static int fetch_boxes(json_t *options, struct fetch_params params, struct outcome *o)
{
    json_t *asd = json_object_get(options, "active_speaker_detection");
    const char *url = text_of(asd, "bounding_boxes_url");
    if (!url)
        return LIP_OK;
    if (params.bytes_max > BOXES_BYTES_MAX)
        params.bytes_max = BOXES_BYTES_MAX;
    base_fs_remove(BOXES_FILE);
    int r = fetch_file(url, &params, BOXES_FILE, NULL, &o->err);
    json_t *json = r ? NULL : worker_json_read(".", BOXES_FILE);
    json_t *boxes = json_is_array(json) ? json : json_object_get(json, "bounding_boxes");
    if (!r && !worker_boxes_valid(boxes))
        r = base_error_set(&o->err, LIP_ERR_FORMAT, WHERE, "bounding_boxes_url leads to something "
                           "other than {\"bounding_boxes\": [[x1,y1,x2,y2] or null, ...]}");
    if (r && r != LIP_ERR_NOMEM)
        o->code = "generation_input_face_selection_invalid";
    if (!r)
        json_object_set(asd, "bounding_boxes", boxes);
    json_decref(json);
    return r;
}

/* Addresses first, while there is a network. */
static int fetch_inputs(json_t *json, struct outcome *o)
{
    size_t i;
    json_t *item;
    struct fetch_params params;
    int r = fetch_init(&o->err);
    fetch_params_default(&params);
    params.allow_private = number_of(json, "fetch") == WORKER_FETCH_ANY;
    params.bytes_max = json_integer_value(json_object_get(json, "fetch_max_bytes"));
    if (!r)
        r = fetch_boxes(json_object_get(json, "options"), params, o);
    json_array_foreach(json_object_get(json, "segments"), i, item)
        r = r ? r : fetch_boxes(json_object_get(item, "optionsOverride"), params, o);
    json_array_foreach(json_object_get(json, "input"), i, item) {
        const char *url = text_of(item, "url"), *type = text_of(item, "type");
        struct fetch_result result;
        char name[16];
        if (r || !url || !type || text_of(item, "assetId"))
            continue;
        worker_input_name(item, i, name);
        r = fetch_file(url, &params, name, &result, &o->err);
        if (r && r != LIP_ERR_NOMEM)
            o->code = inaccessible(type);
    }
    fetch_done();
    return r;
}

static int speak_inputs(const json_t *json, struct outcome *o)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(json, "input"), i, item) {
        const json_t *provider = json_object_get(item, "provider");
        const char *type = text_of(item, "type"), *script = text_of(provider, "script");
        char name[16];
        if (!type || strcmp(type, "text") || !script)
            continue;
        worker_input_name(item, i, name);
        int r = worker_speak(script, text_of(provider, "voiceId"), name, &o->err);
        if (r)
            return r;
    }
    return LIP_OK;
}

/* Who speaks is found by comparing mouths with the film's own sound, and whoever is silent there
 * stays as they are. A film that has no sound, or one face only, needs no such search: the face is
 * meant throughout. What is seen for that is kept for the job, which tells others that draw it. */
static int settle_speaker(lip_engine *engine, struct worker_plan *plan, struct lip_error *err)
{
    struct lip_face faces[LIP_FACES_MAX];
    struct lip_media media;
    struct lip_job look = plan->job;
    size_t n = 0;
    if (!worker_plan_automatic(plan))
        return LIP_OK;
    int r = lip_probe(plan->film, &media, err);
    if (!r && media.has_sound) {
        plan->job.score = look.score = plan->job.parts ? PARTS_SCORE : WORKER_SCORE;
        look.progress = NULL;
        r = lip_faces(engine, &look, NULL, faces, &n, NULL, NULL, err);
    }
    if (r || n > 1)
        return r;
    worker_plan_largest(plan);
    return base_fs_write(WORKER_LARGEST, "", 0, err);
}

static int open_engine(const json_t *json, lip_engine **ret_engine, struct lip_error *err)
{
    struct lip_params params;
    lip_params_default(&params);
    params.models_dir = text_of(json, "models");
    params.runtime = text_of(json, "runtime");
    params.device = text_of(json, "device");
    return lip_open(&params, ret_engine, err);
}

/* Others may take parts of a long film: of the looking, where all of it is looked at, … */
static int offer_looking(const json_t *json, struct worker_plan *plan, int *ret_n,
                         struct lip_error *err)
{
    struct lip_media film, voice = {.duration_s = 0};
    struct lip_job *job = &plan->job;
    double least_s = json_number_value(json_object_get(json, "part_s"));
    *ret_n = 0;
    if (least_s <= 0 || lip_probe(plan->film, &film, NULL) || film.rate_hz <= 0)
        return LIP_OK;
    bool all = !job->voice || job->n_only || worker_plan_automatic(plan) ||
               job->sync == LIP_SYNC_SILENCE || job->sync == LIP_SYNC_REMAP;
    if (job->voice && lip_probe(job->voice, &voice, NULL))
        return LIP_OK; /* the job will say what is wrong with it */
    *ret_n = (int)fmin(fmax(film.duration_s, voice.duration_s) / least_s, LIP_SHARES_MAX);
    if (*ret_n < 2)
        return LIP_OK;
    job->parts = WORKER_PARTS;
    int r = worker_folder_make(WORKER_PARTS, err), n = (int)(film.duration_s / least_s);
    if (!r && n >= 2 && (all || voice.duration_s > WHOLE_SHARE * film.duration_s))
        printf("look %d\n", n < *ret_n ? n : *ret_n);
    fflush(stdout);
    return r;
}

/* … and then of the drawing, while this process draws from the beginning. */
static int offer_drawing(lip_engine *engine, const struct lip_job *job, int n,
                         struct lip_error *err)
{
    struct lip_job first = *job;
    first.n_shares = n;
    int r = lip_dub(engine, &first, NULL, err);
    if (!r)
        printf("draw %d\n", n);
    fflush(stdout);
    return r;
}

/* One of those parts. */
static int take_part(lip_engine *engine, const json_t *json, struct worker_plan *plan,
                     struct lip_error *err)
{
    struct lip_job *job = &plan->job;
    job->share = number_of(json, "part");
    job->n_shares = number_of(json, "parts");
    job->parts = WORKER_PARTS;
    job->score = PARTS_SCORE;
    if (base_fs_exists(WORKER_LARGEST))
        worker_plan_largest(plan);
    return number_of(json, "part_stage") == STORE_LOOK ? lip_analyze(engine, job, err)
                                                       : lip_dub(engine, job, NULL, err);
}

static int dub(lip_engine *engine, const json_t *json, struct worker_plan *plan,
               struct lip_result *ret_result, struct lip_error *err)
{
    int n = 0, r = offer_looking(json, plan, &n, err);
    if (!r)
        r = settle_speaker(engine, plan, err);
    if (!r && n >= 2)
        r = offer_drawing(engine, &plan->job, n, err);
    return r ? r : lip_dub(engine, &plan->job, ret_result, err);
}

static int perform(const json_t *json, struct outcome *o)
{
    struct worker_plan *plan = base_alloc_zero(sizeof *plan);
    struct lip_result result = {.duration_s = 0};
    lip_engine *engine = NULL;
    int last = -1;
    if (!plan)
        return base_error_nomem(&o->err, WHERE);
    int r = open_engine(json, &engine, &o->err);
    if (!r)
        r = worker_wall(text_of(json, "models"), &o->err);
    if (!r)
        r = worker_plan_make(json, plan, &o->err);
    if (!r)
        r = worker_plan_ranges(json, plan, &o->err);
    plan->job.progress = on_progress;
    plan->job.progress_user = &last;
    if (!r)
        r = number_of(json, "part") ? take_part(engine, json, plan, &o->err)
                                    : dub(engine, json, plan, &result, &o->err);
    o->duration_s = result.duration_s;
    lip_close(&engine);
    worker_plan_done(plan);
    base_free(plan);
    return r;
}

/* The film, and the first voice. */
static int measure(const json_t *json, struct outcome *o)
{
    size_t i;
    json_t *item;
    bool film = false, voice = false;
    int r = worker_wall(text_of(json, "models"), &o->err);
    if (r)
        return r;
    o->answer = json_object();
    json_array_foreach(json_object_get(json, "input"), i, item) {
        struct lip_media media;
        char name[16];
        worker_input_name(item, i, name);
        bool seen = !strcmp(name, "film");
        if (seen ? film : voice)
            continue;
        r = lip_probe(name, &media, &o->err);
        if (r)
            return r;
        film |= seen;
        voice |= !seen;
        if (seen) {
            json_object_set_new(o->answer, "film_s", json_real(media.duration_s));
            json_object_set_new(o->answer, "rate_hz", json_real(media.rate_hz));
        } else {
            json_object_set_new(o->answer, "voice_s", json_real(media.duration_s));
        }
    }
    return LIP_OK;
}

static json_t *spot_json(const struct lip_spot *s)
{
    return json_pack("{s:[f,f,f,f],s:[f,f]}", "box", s->x0, s->y0, s->x1, s->y1, "coordinates",
                     s->film_x, s->film_y);
}

/* The faces of one moment. */
static int find_faces(const json_t *json, double t_s, struct outcome *o)
{
    struct lip_moment moment;
    struct lip_spot spots[LIP_FACES_MAX];
    lip_engine *engine = NULL;
    size_t n = 0;
    int r = open_engine(json, &engine, &o->err);
    if (!r)
        r = worker_wall(text_of(json, "models"), &o->err);
    if (!r)
        r = lip_faces_at(engine, "film", t_s, &moment, spots, &n, &o->err);
    json_t *faces = json_array();
    for (size_t i = 0; i < n && !r; i++)
        json_array_append_new(faces, spot_json(&spots[i]));
    if (r)
        json_decref(faces);
    else
        o->answer = json_pack("{s:f,s:I,s:i,s:i,s:o}", "t_s", moment.t_s, "frame",
                              (json_int_t)moment.frame, "width", moment.width_px, "height",
                              moment.height_px, "faces", faces);
    lip_close(&engine);
    return r;
}

/* Of the server and not of the input: that is the log's, with the paths in it. */
static bool is_ours(int status)
{
    return status == LIP_ERR_MODEL || status == LIP_ERR_DEVICE || status == LIP_ERR_IO ||
           status == LIP_ERR_ENCODER || status == LIP_ERR_INTERNAL;
}

static int write_result(int status, const struct outcome *o)
{
    json_t *json = json_object();
    json_object_set_new(json, "status", json_integer(status));
    json_object_set_new(json, "duration_s", json_real(o->duration_s));
    if (o->answer)
        json_object_set(json, "answer", o->answer);
    if (status) {
        const char *text = o->err.text[0] ? o->err.text : lip_status_name(status);
        if (!o->code && is_ours(status)) {
            fprintf(stderr, "lipsync: %s\n", text);
            text = "Something that the job needs is missing or failed on this server";
        }
        json_t *error = json_string(text);
        json_object_set_new(json, "error", error ? error : json_string(lip_status_name(status)));
        json_object_set_new(json, "error_code",
                            json_string(o->code ? o->code : worker_error_code(status, text)));
    }
    int r = worker_json_write(".", WORKER_RESULT, json, NULL);
    json_decref(json);
    return r;
}

int worker_child(const char *folder, const char *parent)
{
    struct outcome o = {.code = NULL};
    /* When the server is killed, so is its job; a server that is gone already is noticed, too. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != (pid_t)strtol(parent, NULL, 10))
        return EXIT_NO_RESULT;
    if (chdir(folder) || setenv("TMPDIR", ".", 1))
        return EXIT_NO_RESULT;
    json_t *json = worker_json_read(".", WORKER_JOB);
    int r = json ? worker_limit(number_of(json, "memory_mb"), number_of(json, "time_s"), &o.err)
                 : base_error_set(&o.err, LIP_ERR_IO, WHERE, "the job cannot be read");
    bool part = number_of(json, "part") > 0; /* then all of it is there */
    if (!r && !part)
        r = fetch_inputs(json, &o);
    worker_leave_network();
    if (!r && !part)
        r = speak_inputs(json, &o);
    const json_t *faces_at = json_object_get(json, "faces_at_s");
    double t_s = json_number_value(faces_at);
    if (!r)
        r = !faces_at ? perform(json, &o) : t_s < 0 ? measure(json, &o) : find_faces(json, t_s, &o);
    json_decref(json);
    bool written = !write_result(r, &o);
    json_decref(o.answer);
    return written ? 0 : EXIT_NO_RESULT;
}
