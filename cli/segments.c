/* SPDX-License-Identifier: MIT
 *
 * Segments on the command line: START-END=AUDIO[:FROM-TO][,speaker=…][,sync=…][,temperature=…]. */
#include "segments.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

static const char *const sync_names[] = {"bounce", "loop", "cut_off", "silence", "remap"};

void cli_segments_done(struct cli_segments *s)
{
    for (size_t i = 0; i < s->n_strings; i++)
        base_free(s->strings[i]);
    base_free(s->strings);
    base_free(s->at);
    base_free(s->only);
    *s = (struct cli_segments){0};
}

/* A copy of n bytes that the segments own; NULL: no memory. */
static char *keep(struct cli_segments *s, const char *text, size_t n)
{
    if (base_grow(&s->strings, &s->cap_strings, s->n_strings + 1, LIP_SEGMENTS_MAX + 64,
                  sizeof *s->strings))
        return NULL;
    char *copy = base_alloc(n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = 0;
    s->strings[s->n_strings++] = copy;
    return copy;
}

/* [[H:]M:]S[.fraction], all of text..end. */
static bool take_time(const char *text, const char *end, double *ret_s)
{
    double sum = 0;
    int n_parts = 0;
    while (n_parts++ < 3) {
        char part[32];
        size_t n = 0;
        while (text < end && *text != ':' && n + 1 < sizeof part) {
            if (!isdigit((unsigned char)*text) && *text != '.')
                return false;
            part[n++] = *text++;
        }
        part[n] = 0;
        char *stop = NULL;
        double v = strtod(part, &stop);
        if (!n || *stop || !isfinite(v))
            return false;
        sum = 60 * sum + v;
        if (text == end) {
            *ret_s = sum;
            return true;
        }
        if (*text++ != ':')
            return false;
    }
    return false;
}

/* FROM-TO, all of text..end. */
static bool take_span(const char *text, const char *end, double *ret_from_s, double *ret_to_s)
{
    const char *dash = memchr(text, '-', (size_t)(end - text));
    return dash && take_time(text, dash, ret_from_s) && take_time(dash + 1, end, ret_to_s);
}

/* Words after the file's name, from the end ---------------------------------------------------- */

static int take_speaker(const char *value, struct lip_segment *s, char why[CLI_WHY_MAX])
{
    char end = 0;
    if (!strcmp(value, "auto")) {
        s->face = LIP_FACE_AUTO;
        return 0;
    }
    if (sscanf(value, "%lf,%lf@%lf%c", &s->face_x, &s->face_y, &s->face_t_s, &end) == 3) {
        s->face = LIP_FACE_POINT;
        return 0;
    }
    if (sscanf(value, "%d%c", &s->face_number, &end) == 1 && s->face_number >= 1) {
        s->face = LIP_FACE_NUMBER;
        return 0;
    }
    snprintf(why, CLI_WHY_MAX, "speaker is auto, a number of 'lipsync faces' or X,Y@SECONDS, "
             "not "
             "'%.60s'", value);
    return 2;
}

static int take_sync(const char *value, struct lip_segment *s, char why[CLI_WHY_MAX])
{
    for (int i = 0; i <= LIP_SYNC_REMAP; i++)
        if (!strcmp(value, sync_names[i])) {
            s->sync = i;
            return 0;
        }
    snprintf(why, CLI_WHY_MAX, "sync is one of bounce, loop, cut_off, silence, remap, not '%.40s'",
             value);
    return 2;
}

static int take_temperature(const char *value, struct lip_segment *s, char why[CLI_WHY_MAX])
{
    char *stop = NULL;
    s->temperature = strtod(value, &stop);
    if (*value && !*stop && s->temperature >= 0 && s->temperature <= 1)
        return 0;
    snprintf(why, CLI_WHY_MAX, "temperature is a number from 0 to 1, not '%.40s'", value);
    return 2;
}

static int take_occlusion(const char *value, struct lip_segment *s, char why[CLI_WHY_MAX])
{
    static const char *const names[] = {"auto", "on", "off"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(value, names[i])) {
            s->occlusion = i;
            return 0;
        }
    snprintf(why, CLI_WHY_MAX, "occlusion is one of auto, on, off, not '%.40s'", value);
    return 2;
}

static const struct {
    const char *key; /* with what surrounds it */
    int (*take)(const char *value, struct lip_segment *s, char why[CLI_WHY_MAX]);
} words[] = {{",speaker=", take_speaker},
             {",sync=", take_sync},
             {",temperature=", take_temperature},
             {",occlusion=", take_occlusion}};

/* The last place in text where one of the words stands. */
static char *last_word(char *text, size_t *ret_word)
{
    char *last = NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (char *at = strstr(text, words[i].key); at; at = strstr(at + 1, words[i].key))
            if (!last || at > last) {
                last = at;
                *ret_word = i;
            }
    return last;
}

static int take_words(char *text, struct lip_segment *s, char why[CLI_WHY_MAX])
{
    size_t word = 0;
    int r = 0;
    for (char *at; !r && (at = last_word(text, &word));) {
        r = words[word].take(at + strlen(words[word].key), s, why);
        *at = 0;
    }
    return r;
}

/* ":FROM-TO" at the end of a name is a piece of the file. */
static void take_piece(char *text, struct lip_segment *s)
{
    char *end = text + strlen(text), *at = end;
    while (at > text && (isdigit((unsigned char)at[-1]) || strchr(".:-", at[-1])))
        at--;
    char *colon = strchr(at, ':');
    if (colon && colon > text && take_span(colon + 1, end, &s->voice_from_s, &s->voice_to_s))
        *colon = 0;
}

static int no_memory(char why[CLI_WHY_MAX])
{
    snprintf(why, CLI_WHY_MAX, "too many segments, or no memory");
    return 2;
}

int cli_segment_parse(const char *text, struct cli_segments *segments, char why[CLI_WHY_MAX])
{
    struct lip_segment s;
    lip_segment_default(&s);
    const char *equals = strchr(text, '=');
    if (!equals || !equals[1] || !take_span(text, equals, &s.start_s, &s.end_s)) {
        snprintf(why, CLI_WHY_MAX, "--segment is START-END=AUDIO, as in 3.5-8=voice.wav, not "
                 "'%.80s'", text);
        return 2;
    }
    char *rest = keep(segments, equals + 1, strlen(equals + 1));
    if (!rest || base_grow(&segments->at, &segments->cap, segments->n + 1, LIP_SEGMENTS_MAX,
                           sizeof *segments->at))
        return no_memory(why);
    int r = take_words(rest, &s, why);
    if (r)
        return r;
    take_piece(rest, &s);
    s.voice = rest;
    segments->at[segments->n++] = s;
    return 0;
}

int cli_range_parse(const char *text, struct cli_segments *segments, char why[CLI_WHY_MAX])
{
    struct lip_range range;
    if (!take_span(text, text + strlen(text), &range.from_s, &range.to_s)) {
        snprintf(why, CLI_WHY_MAX, "--only is START-END, as in 3.5-8, not '%.80s'", text);
        return 2;
    }
    if (base_grow(&segments->only, &segments->cap_only, segments->n_only + 1, LIP_SEGMENTS_MAX,
                  sizeof *segments->only))
        return no_memory(why);
    segments->only[segments->n_only++] = range;
    return 0;
}

static int take_file(const char *path, struct cli_segments *ret, char why[CLI_WHY_MAX])
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error err = {0};
    char text[CLI_WHY_MAX] = "", *folder = NULL;
    int r = base_fs_read(path, CLI_SEGMENTS_BYTES_MAX, &bytes, &n, &err);
    if (r) {
        snprintf(why, CLI_WHY_MAX, "%.290s", err.text);
        return cli_exit_code(r);
    }
    const char *slash = strrchr(path, '/');
    if (slash && !(folder = keep(ret, path, (size_t)(slash - path) + 1)))
        r = no_memory(why);
    if (!r && (r = cli_segments_read((const char *)bytes, n, folder, ret, text)))
        snprintf(why, CLI_WHY_MAX, "'%.100s': %.180s", path, text);
    base_free(bytes);
    return r;
}

int cli_segments_take(const struct settings *s, struct lip_job *job, struct cli_segments *ret,
                      char why[CLI_WHY_MAX])
{
    int r = 0;
    *ret = (struct cli_segments){0};
    for (int i = 0; i < s->segment.n && !r; i++)
        r = cli_segment_parse(s->segment.at[i], ret, why);
    for (int i = 0; i < s->only.n && !r; i++)
        r = cli_range_parse(s->only.at[i], ret, why);
    if (!r && s->segments)
        r = take_file(s->segments, ret, why);
    if (!r && s->segments_json)
        r = cli_segments_from(s->segments_json, NULL, ret, why);
    if (!r && s->only_json)
        r = cli_ranges_from(s->only_json, ret, why);
    job->segments = ret->at;
    job->n_segments = (int)ret->n;
    job->only = ret->only;
    job->n_only = (int)ret->n_only;
    return r;
}
