/* SPDX-License-Identifier: MIT
 *
 * Segments as JSON, in the shape of the HTTP API: a list, or an object with the list and the files
 * that its refIds name. Whatever is wrong is said with the number of the segment. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "segments.h"

#define NAME_MAX_BYTES 4096
#define INPUTS_MAX 1000

/* What is being read. */
struct reading {
    const json_t *audio;  /* object: refId to file; NULL: a refId is a file's name */
    const json_t *input;  /* the same as the API has it: a list of objects */
    const char *folder;
    struct cli_segments *segments;
    size_t number;        /* of the segment, from 1 */
    char *why;
};

static int fail(const struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct reading *r, const char *format, ...)
{
    char text[CLI_WHY_MAX - 32];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->number)
        snprintf(r->why, CLI_WHY_MAX, "segment %zu: %s", r->number, text);
    else
        snprintf(r->why, CLI_WHY_MAX, "%s", text);
    return 2;
}

/* Only these keys, which `keys` lists with blanks between. */
static int check_keys(const struct reading *r, const json_t *object, const char *where,
                      const char *keys)
{
    const char *key = NULL;
    const json_t *value = NULL;
    if (!json_is_object(object))
        return fail(r, "%s is not an object", where);
    json_object_foreach((json_t *)object, key, value) {
        const char *at = strstr(keys, key);
        size_t n = strlen(key);
        while (at && !((at == keys || at[-1] == ' ') && (at[n] == ' ' || !at[n])))
            at = strstr(at + 1, key);
        if (!at || !n)
            return fail(r, "%s has no '%.40s'; it has: %s", where, key, keys);
    }
    return 0;
}

static int take_number(const struct reading *r, const json_t *object, const char *key, double least,
                       double most, double *ret)
{
    const json_t *value = json_object_get(object, key);
    double v = json_number_value(value);
    if (!json_is_number(value) || !(v >= least && v <= most))
        return fail(r, "'%s' is a number from %g to %g", key, least, most);
    *ret = v;
    return 0;
}

/* The file of a refId; NULL when it names none. */
static const char *file_of(const struct reading *r, const char *ref)
{
    if (r->audio)
        return json_string_value(json_object_get(r->audio, ref));
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(r->input, i, one) {
        const char *name = json_string_value(json_object_get(one, "refId"));
        const char *file = json_string_value(json_object_get(one, "file"));
        if (name && !strcmp(name, ref))
            return file ? file : json_string_value(json_object_get(one, "url"));
    }
    return r->input ? NULL : ref;
}

/* A copy that the segments own, behind the folder unless the name begins at the root. */
static int keep_name(const struct reading *r, const char *name, const char **ret)
{
    struct cli_segments *s = r->segments;
    const char *folder = r->folder && *name != '/' ? r->folder : "";
    size_t n = strlen(folder) + strlen(name) + 1;
    if (!*name || n > NAME_MAX_BYTES)
        return fail(r, "the name of a file is empty or too long");
    if (base_grow(&s->strings, &s->cap_strings, s->n_strings + 1, LIP_SEGMENTS_MAX + 64,
                  sizeof *s->strings))
        return fail(r, "too many segments, or no memory");
    char *copy = base_alloc(n);
    if (!copy)
        return fail(r, "no memory");
    snprintf(copy, n, "%s%s", folder, name);
    s->strings[s->n_strings++] = copy;
    *ret = copy;
    return 0;
}

static int take_audio(const struct reading *r, const json_t *audio, struct lip_segment *s)
{
    const json_t *ref = json_object_get(audio, "refId");
    bool from = json_object_get(audio, "startTime"), to = json_object_get(audio, "endTime");
    int bad = check_keys(r, audio, "'audioInput'", "refId startTime endTime");
    if (bad)
        return bad;
    if (!json_is_string(ref) || strlen(json_string_value(ref)) != json_string_length(ref))
        return fail(r, "'audioInput' needs a 'refId', a text");
    const char *file = file_of(r, json_string_value(ref));
    if (!file)
        return fail(r, "no audio has the refId '%.60s'", json_string_value(ref));
    bad = keep_name(r, file, &s->voice);
    if (!bad && from != to)
        bad = fail(r, "'startTime' and 'endTime' of 'audioInput' come as a pair");
    if (!bad && from)
        bad = take_number(r, audio, "startTime", 0, 86400, &s->voice_from_s);
    if (!bad && to)
        bad = take_number(r, audio, "endTime", 0, 86400, &s->voice_to_s);
    if (!bad && to && s->voice_to_s <= s->voice_from_s)
        bad = fail(r, "the piece of the audio ends before it begins");
    return bad;
}

static int take_sync(const struct reading *r, const json_t *value, struct lip_segment *s)
{
    static const char *const names[] = {"bounce", "loop", "cut_off", "silence", "remap"};
    const char *text = json_string_value(value);
    for (int i = 0; text && i <= LIP_SYNC_REMAP; i++)
        if (!strcmp(text, names[i])) {
            s->sync = i;
            return 0;
        }
    return fail(r, "'sync_mode' is one of bounce, loop, cut_off, silence, remap");
}

/* A point in the film's own pixels in a frame. */
static int take_point(const struct reading *r, const json_t *o, struct lip_segment *s)
{
    const json_t *at = json_object_get(o, "coordinates");
    const json_t *frame = json_object_get(o, "frame_number");
    if (!at && !frame)
        return 0;
    if (!json_is_integer(frame) || json_integer_value(frame) < 0 || json_array_size(at) != 2 ||
        !json_is_number(json_array_get(at, 0)) || !json_is_number(json_array_get(at, 1)))
        return fail(r, "'frame_number' (from 0) and 'coordinates' ([x, y]) come together");
    s->face = LIP_FACE_POINT;
    s->face_frame = json_integer_value(frame);
    s->face_x = json_number_value(json_array_get(at, 0));
    s->face_y = json_number_value(json_array_get(at, 1));
    return 0;
}

static int take_face(const struct reading *r, const json_t *value, struct lip_segment *s)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > LIP_FACES_MAX)
        return fail(r, "'face' is a number of 'lipsync faces'");
    s->face = LIP_FACE_NUMBER;
    s->face_number = (int)json_integer_value(value);
    return 0;
}

static int take_overrides(const struct reading *r, const json_t *o, struct lip_segment *s)
{
    static const char keys[] =
        "sync_mode temperature occlusion_detection_enabled active_speaker_detection face";
    const json_t *sync = json_object_get(o, "sync_mode"), *face = json_object_get(o, "face");
    const json_t *covered = json_object_get(o, "occlusion_detection_enabled");
    const json_t *speaker = json_object_get(o, "active_speaker_detection");
    int bad = check_keys(r, o, "'optionsOverride'", keys);
    if (!bad && sync)
        bad = take_sync(r, sync, s);
    if (!bad && json_object_get(o, "temperature"))
        bad = take_number(r, o, "temperature", 0, 1, &s->temperature);
    if (!bad && covered && !json_is_boolean(covered))
        bad = fail(r, "'occlusion_detection_enabled' is true or false");
    if (!bad && covered)
        s->occlusion = json_is_true(covered) ? LIP_OCCLUSION_ON : LIP_OCCLUSION_AUTO;
    const json_t *automatic = json_object_get(speaker, "auto_detect");
    if (!bad && speaker)
        bad = check_keys(r, speaker, "'active_speaker_detection'",
                         "frame_number coordinates auto_detect");
    if (!bad && automatic && !json_is_boolean(automatic))
        bad = fail(r, "'auto_detect' is true or false");
    if (!bad && json_is_true(automatic) && json_object_size(speaker) > 1)
        bad = fail(r, "'auto_detect' and 'coordinates' exclude each other");
    if (!bad && json_is_true(automatic))
        s->face = LIP_FACE_AUTO;
    else if (!bad && speaker && (!automatic || json_object_size(speaker) > 1))
        bad = take_point(r, speaker, s);
    if (!bad && face)
        bad = take_face(r, face, s);
    return bad;
}

static int take_segment(const struct reading *r, const json_t *o)
{
    struct cli_segments *all = r->segments;
    const json_t *overrides = json_object_get(o, "optionsOverride");
    struct lip_segment s;
    lip_segment_default(&s);
    int bad = check_keys(r, o, "a segment", "startTime endTime audioInput optionsOverride");
    if (!bad)
        bad = take_number(r, o, "startTime", 0, 86400, &s.start_s);
    if (!bad)
        bad = take_number(r, o, "endTime", 0, 86400, &s.end_s);
    if (!bad && s.start_s > s.end_s)
        bad = fail(r, "it ends (%g s) before it begins (%g s)", s.end_s, s.start_s);
    if (!bad)
        bad = take_audio(r, json_object_get(o, "audioInput"), &s);
    if (!bad && overrides && !json_is_null(overrides))
        bad = take_overrides(r, overrides, &s);
    if (bad)
        return bad;
    if (base_grow(&all->at, &all->cap, all->n + 1, LIP_SEGMENTS_MAX, sizeof *all->at))
        return fail(r, "more than %d segments, or no memory", LIP_SEGMENTS_MAX);
    all->at[all->n++] = s;
    return 0;
}

/* Each refId once. */
static int check_input(const struct reading *r)
{
    size_t n = json_array_size(r->input);
    if (r->input && (!json_is_array(r->input) || n > INPUTS_MAX))
        return fail(r, "'input' is a list of at most %d entries", INPUTS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *a = json_string_value(json_object_get(json_array_get(r->input, i), "refId"));
        for (size_t k = 0; a && k < i; k++) {
            const char *b = json_string_value(json_object_get(json_array_get(r->input, k),
                                                              "refId"));
            if (b && !strcmp(a, b))
                return fail(r, "two inputs have the refId '%.60s'", a);
        }
    }
    return 0;
}

int cli_segments_from(const json_t *root, const char *folder, struct cli_segments *segments,
                      char why[CLI_WHY_MAX])
{
    struct reading r = {.folder = folder, .segments = segments, .why = why};
    const json_t *list = root;
    int bad = 0;
    if (json_is_object(root)) {
        bad = check_keys(&r, root, "a file of segments", "segments audio input");
        list = json_object_get(root, "segments");
        r.audio = json_object_get(root, "audio");
        r.input = json_object_get(root, "input");
    }
    if (!bad && r.audio && !json_is_object(r.audio))
        bad = fail(&r, "'audio' is an object: refId to file");
    if (!bad)
        bad = check_input(&r);
    if (!bad && (!json_is_array(list) || !json_array_size(list)))
        bad = fail(&r, "segments are a list of at least one: [{\"startTime\": …, \"endTime\": …, "
                   "\"audioInput\": {\"refId\": …}}]");
    for (size_t i = 0; i < json_array_size(list) && !bad; i++) {
        r.number = i + 1;
        bad = take_segment(&r, json_array_get(list, i));
    }
    return bad;
}

int cli_segments_read(const char *bytes, size_t n, const char *folder,
                      struct cli_segments *segments, char why[CLI_WHY_MAX])
{
    json_error_t bad = {.line = 0};
    json_t *root = n <= CLI_SEGMENTS_BYTES_MAX ? json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &bad)
                                               : NULL;
    if (!root) {
        snprintf(why, CLI_WHY_MAX, n > CLI_SEGMENTS_BYTES_MAX ? "it is larger than 4 MiB"
                                                              : "this is not JSON: line %d: %.120s",
                 bad.line, bad.text);
        return 2;
    }
    int r = cli_segments_from(root, folder, segments, why);
    json_decref(root);
    return r;
}

int cli_ranges_from(const json_t *list, struct cli_segments *segments, char why[CLI_WHY_MAX])
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        const json_t *from = json_array_get(pair, 0), *to = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_number(from) || !json_is_number(to))
            return snprintf(why, CLI_WHY_MAX, "'only' is a list of pairs [start, end]"), 2;
        if (base_grow(&segments->only, &segments->cap_only, segments->n_only + 1, LIP_SEGMENTS_MAX,
                      sizeof *segments->only))
            return snprintf(why, CLI_WHY_MAX, "more than %d ranges", LIP_SEGMENTS_MAX), 2;
        segments->only[segments->n_only++] =
            (struct lip_range){json_number_value(from), json_number_value(to)};
    }
    return 0;
}
