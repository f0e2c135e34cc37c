/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/fs.h"
#include "batch.h"
#include "segments.h"

#define WHERE "cli/batch"
#define FILE_BYTES_MAX ((size_t)256 << 20)

void batch_fail(struct batch_line *line, int status, const char *text)
{
    json_decref(line->result);
    line->state = BATCH_FAILED;
    line->result = json_pack("{s:i,s:s,s:i,s:s,s:s}", "line", line->number, "status", "failed",
                             "code", cli_exit_code(status), "error", lip_status_name(status),
                             "message", text);
    if (!line->result) /* a sentence with a file name that is not UTF-8 */
        line->result = json_pack("{s:i,s:s,s:i,s:s,s:s}", "line", line->number, "status", "failed",
                                 "code", cli_exit_code(status), "error", lip_status_name(status),
                                 "message", "a file name is not UTF-8");
}

/* Keys ----------------------------------------------------------------------------------------- */

/* Options that belong to the whole run, not to a line. */
static bool is_for_the_run(const char *name)
{
    static const char *const names[] = {"output", "resume", "progress", "json", "device", "models",
                                        "runtime", "verbose", "help", "version", "threads", "jobs",
                                        "tts-command", "results"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

/* The value as text, kept by the line's object; NULL for a type that no option has. */
static const char *text_of(json_t *object, void *at)
{
    json_t *value = json_object_iter_value(at);
    char text[64];
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value) : NULL;
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    else
        return NULL;
    json_t *string = json_string(text);
    if (!string || json_object_iter_set_new(object, at, string))
        return NULL;
    return json_string_value(string);
}

static int take_key(struct batch_line *line, void *at, char why[CLI_WHY_MAX])
{
    static const char *const files[] = {"film", "video", "audio", "output"};
    struct settings *s = &line->settings;
    const char *key = json_object_iter_key(at);
    json_t *value = json_object_iter_value(at);
    const char **to[] = {&s->args[0], &s->args[0], &s->args[1], &s->output};
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(key, files[i])) {
            if (!json_is_string(value) || !json_string_length(value) ||
                !(*to[i] = text_of(line->json, at)))
                return snprintf(why, CLI_WHY_MAX, "'%s' is the name of a file", key), 2;
            return 0;
        }
    if (!strcmp(key, "segments") && !json_is_string(value))
        return s->segments_json = value, 0;
    if (!strcmp(key, "only") && json_is_array(value))
        return s->only_json = value, 0;
    char name[32];
    snprintf(name, sizeof name, "%s", key);
    for (char *c = name; *c; c++) /* text_file and face_at are as good as text-file and face-at */
        *c = *c == '_' ? '-' : *c;
    if (strlen(key) >= sizeof name || is_for_the_run(name))
        return snprintf(why, CLI_WHY_MAX, "a line of a batch has no '%.40s'", key), 2;
    if (json_is_boolean(value))
        return json_is_true(value) ? cli_set_option(name, NULL, CMD_DUB, s, why) : 0;
    const char *text = text_of(line->json, at);
    if (!text)
        return snprintf(why, CLI_WHY_MAX, "'%.40s' has a value of the wrong type", key), 2;
    return cli_set_option(name, text, CMD_DUB, s, why);
}

static int check_line(const struct settings *s, char why[CLI_WHY_MAX])
{
    int n_voices = (s->args[1] != NULL) + (s->text != NULL) + (s->text_file != NULL);
    bool segments = s->segments_json || s->segments;
    const char *text = NULL;
    if (!s->args[0])
        text = "a line needs a 'film'";
    else if (!s->output)
        text = "a line needs an 'output'";
    else if (n_voices + segments != 1)
        text = "a line needs one of 'audio', 'text', 'text_file' and 'segments'";
    if (text)
        snprintf(why, CLI_WHY_MAX, "%s", text);
    return text ? 2 : 0;
}

static uint64_t mix_file(uint64_t key, const char *path)
{
    uint64_t identity = 0;
    if (path && base_fs_identity(path, &identity, NULL))
        identity = 0; /* missing: the job will say so */
    return base_hash(&identity, sizeof identity, key);
}

/* The segments are read here so that a line that is wrong fails at once. */
static int mix_segments(const struct settings *s, uint64_t *key, char why[CLI_WHY_MAX])
{
    struct cli_segments segments;
    struct lip_job job;
    lip_job_default(&job);
    int r = cli_segments_take(s, &job, &segments, why);
    for (size_t i = 0; i < segments.n && !r; i++) {
        *key = mix_file(*key, segments.at[i].voice);
        *key = base_hash(&segments.at[i].start_s, sizeof segments.at[i].start_s, *key);
        *key = base_hash(&segments.at[i].end_s, sizeof segments.at[i].end_s, *key);
    }
    cli_segments_done(&segments);
    return r;
}

/* The line's own words, the files they name, and the options of the run that change the film. */
static uint64_t key_of(const struct batch_line *line, const struct settings *defaults)
{
    const struct settings *s = &line->settings;
    char *text = json_dumps(line->json, JSON_SORT_KEYS | JSON_COMPACT);
    uint64_t key = text ? base_hash(text, strlen(text), 0) : 0;
    free(text); /* lint: allow free: jansson's own memory */
    const char *const files[] = {s->args[0], s->args[1], s->text_file, s->person};
    for (size_t i = 0; i < 4; i++)
        key = mix_file(key, files[i]);
    const char *const words[] = {defaults->tts_command, defaults->voice, defaults->language};
    for (size_t i = 0; i < 3; i++)
        key = base_hash(words[i] ? words[i] : "", words[i] ? strlen(words[i]) : 0, key);
    const int numbers[] = {s->sync, s->codec, s->quality, s->face, s->crops, s->tier};
    key = base_hash(numbers, sizeof numbers, key);
    return base_hash(&s->temperature, sizeof s->temperature, key);
}

/* Lines ---------------------------------------------------------------------------------------- */

static void parse_line(struct batch_line *line, const char *text, size_t n,
                       const struct settings *defaults)
{
    char why[CLI_WHY_MAX] = "";
    json_error_t bad;
    line->settings = *defaults;
    memset(line->settings.args, 0, sizeof line->settings.args);
    line->settings.n_args = 0;
    line->settings.output = NULL;
    if (n > BATCH_LINE_BYTES_MAX) {
        batch_fail(line, LIP_ERR_LIMIT, "the line is longer than 256 kB");
        return;
    }
    line->json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &bad);
    if (!json_is_object(line->json)) {
        snprintf(why, sizeof why, "this is not a JSON object: %.120s",
                 line->json ? "another kind of value" : bad.text);
        batch_fail(line, LIP_ERR_ARG, why);
        return;
    }
    int r = 0;
    for (void *at = json_object_iter(line->json); at && !r;
         at = json_object_iter_next(line->json, at))
        r = take_key(line, at, why);
    if (!r)
        r = check_line(&line->settings, why);
    line->settings.n_args = line->settings.args[1] ? 2 : 1;
    if (!r) {
        line->key = key_of(line, defaults);
        r = mix_segments(&line->settings, &line->key, why);
    }
    if (r)
        batch_fail(line, LIP_ERR_ARG, why);
}

static int by_output(const void *a, const void *b)
{
    const struct batch_line *x = *(struct batch_line *const *)a;
    const struct batch_line *y = *(struct batch_line *const *)b;
    int order = strcmp(x->settings.output, y->settings.output);
    return order ? order : x->number - y->number;
}

/* Two lines may not write one file. */
static int refuse_twins(struct batch *batch, struct lip_error *err)
{
    struct batch_line **sorted = base_alloc_array(batch->n + 1, sizeof *sorted);
    size_t n = 0;
    if (!sorted)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < batch->n; i++)
        if (batch->lines[i].state == BATCH_OPEN)
            sorted[n++] = &batch->lines[i];
    qsort(sorted, n, sizeof *sorted, by_output);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(sorted[i]->settings.output, sorted[i - 1]->settings.output)) {
            char why[CLI_WHY_MAX];
            snprintf(why, sizeof why, "line %d has the same output", sorted[i - 1]->number);
            batch_fail(sorted[i], LIP_ERR_ARG, why);
        }
    base_free(sorted);
    return LIP_OK;
}

int batch_read(const char *path, const struct settings *defaults, struct batch *ret_batch,
               struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0, at = 0;
    struct batch b = {.n = 0};
    int number = 0, r = base_fs_read(path, FILE_BYTES_MAX, &bytes, &n, err);
    while (!r && at < n) {
        const char *line = (const char *)bytes + at;
        const char *end = memchr(line, '\n', n - at);
        size_t length = end ? (size_t)(end - line) : n - at;
        at += length + 1;
        number++;
        size_t blank = 0;
        while (blank < length && strchr(" \t\r", line[blank]))
            blank++;
        if (blank == length)
            continue;
        if (base_grow(&b.lines, &b.cap, b.n + 1, BATCH_LINES_MAX, sizeof *b.lines)) {
            r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "'%s' has more than %d jobs, or memory "
                               "is short", path, BATCH_LINES_MAX);
            break;
        }
        b.lines[b.n].number = number;
        parse_line(&b.lines[b.n++], line, length, defaults);
    }
    base_free(bytes);
    if (!r)
        r = refuse_twins(&b, err);
    if (r)
        batch_done(&b);
    else
        *ret_batch = b;
    return r;
}

void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        json_decref(batch->lines[i].json);
        json_decref(batch->lines[i].result);
    }
    base_free(batch->lines);
    *batch = (struct batch){.n = 0};
}

/* Results -------------------------------------------------------------------------------------- */

/* Whether the film that a result speaks of is still there as it was. */
static bool is_valid(const json_t *result)
{
    const char *output = json_string_value(json_object_get(result, "output"));
    const char *said = json_string_value(json_object_get(result, "output_hash"));
    uint64_t hash = 0;
    char text[20];
    if (!output || !said || base_fs_identity(output, &hash, NULL))
        return false;
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return !strcmp(text, said);
}

static void recall_line(struct batch *batch, json_t *old)
{
    const char *status = json_string_value(json_object_get(old, "status"));
    const char *job = json_string_value(json_object_get(old, "job"));
    uint64_t key = job ? strtoull(job, NULL, 16) : 0;
    for (size_t i = 0; status && key && i < batch->n; i++) {
        struct batch_line *line = &batch->lines[i];
        if (line->key != key || line->state == BATCH_FAILED)
            continue;
        if (!strcmp(status, "started") && line->state == BATCH_OPEN) {
            line->state = BATCH_STARTED;
        } else if (!strcmp(status, "done") && is_valid(old)) {
            json_decref(line->result);
            line->state = BATCH_DONE;
            line->result = json_incref(old);
            json_object_set_new(old, "line", json_integer(line->number));
        }
        return;
    }
}

int batch_recall(struct batch *batch, const char *results, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0, at = 0;
    if (!base_fs_exists(results))
        return LIP_OK;
    int r = base_fs_read(results, FILE_BYTES_MAX, &bytes, &n, err);
    while (!r && at < n) {
        const char *line = (const char *)bytes + at;
        const char *end = memchr(line, '\n', n - at);
        size_t length = end ? (size_t)(end - line) : n - at;
        json_error_t bad;
        json_t *old = json_loadb(line, length, 0, &bad); /* a torn last line is none */
        if (json_is_object(old))
            recall_line(batch, old);
        json_decref(old);
        at += length + 1;
    }
    base_free(bytes);
    return r;
}

static int put_result(struct base_buffer *b, const json_t *result)
{
    char *text = json_dumps(result, JSON_COMPACT | JSON_REAL_PRECISION(6));
    base_buffer_put(b, text ? text : "{}", text ? strlen(text) : 2);
    base_buffer_put_u8(b, '\n');
    free(text); /* lint: allow free: jansson's own memory */
    return b->status;
}

int batch_append(const char *results, const json_t *result, struct lip_error *err)
{
    struct base_file *file = NULL;
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    int r = put_result(&b, result) ? base_error_nomem(err, WHERE) : LIP_OK;
    if (!r)
        r = base_file_open(results, base_fs_exists(results) ? BASE_FILE_APPEND : BASE_FILE_CREATE,
                           &file, err);
    if (!r)
        r = base_file_append(file, b.data, b.size, err);
    base_file_close(&file);
    base_buffer_done(&b);
    return r;
}

int batch_write(const struct batch *batch, const char *results, struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, FILE_BYTES_MAX);
    for (size_t i = 0; i < batch->n; i++)
        if (batch->lines[i].result)
            put_result(&b, batch->lines[i].result);
    int r = b.status ? base_error_nomem(err, WHERE) : base_fs_write(results, b.data, b.size, err);
    base_buffer_done(&b);
    return r;
}
