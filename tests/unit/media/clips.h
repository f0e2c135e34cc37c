/* SPDX-License-Identifier: MIT
 *
 * Media files for the tests: made by the ffmpeg command at test time, in a folder of their own that
 * goes away at the end. Tests that need the command say so and skip where it is missing. */
#ifndef CLIPS_H
#define CLIPS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "media/media.h"
#include "unit/unit.h"

#define UNUSED_HERE __attribute__((unused)) /* not every program uses every helper */

static char clips_dir[128];
static bool clips_have_ffmpeg;

/* Runs a shell command in the folder; what it prints goes into ret_text (may be NULL). */
UNUSED_HERE static int shell_text(char *ret_text, size_t cap, const char *command)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        dup2(out[1], 1);
        close(out[0]);
        if (chdir(clips_dir))
            _exit(126);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    size_t at = 0;
    char piece[4096];
    for (ssize_t got; (got = read(out[0], piece, sizeof piece)) > 0;)
        for (ssize_t i = 0; i < got; i++)
            if (ret_text && at + 1 < cap)
                ret_text[at++] = piece[i];
    close(out[0]);
    if (ret_text)
        ret_text[at] = 0;
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

UNUSED_HERE static void shell(const char *command)
{
    if (shell_text(NULL, 0, command))
        fail_msg("this command failed: %s", command);
}

/* Makes a file: `arguments` are ffmpeg's. */
UNUSED_HERE static void make_clip(const char *arguments)
{
    char command[2048];
    snprintf(command, sizeof command, "ffmpeg -v error -nostdin -y -threads 1 %s", arguments);
    shell(command);
}

static int clips_setup(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(clips_dir, sizeof clips_dir, "%s/lipsync-media-XXXXXX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(clips_dir))
        return -1;
    clips_have_ffmpeg = !shell_text(NULL, 0, "command -v ffmpeg && command -v ffprobe");
    return 0;
}

static int clips_teardown(void **state)
{
    (void)state;
    return shell_text(NULL, 0, "rm -rf \"$PWD\"");
}

#define NEEDS_FFMPEG \
    do { \
        if (!clips_have_ffmpeg) { \
            print_message("skipped: there is no ffmpeg command\n"); \
            skip(); \
        } \
    } while (0)

/* A path in the folder; good for the next eight calls. */
UNUSED_HERE static const char *at(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", clips_dir, name);
    return path;
}

#define OK(call) \
    do { \
        int status_ = (call); \
        if (status_) \
            fail_msg("%s: %s (%s)", #call, lip_status_name(status_), err.text); \
    } while (0)

UNUSED_HERE static struct media_source *open_source(const char *path, int n_threads)
{
    struct lip_error err = {0};
    struct media_source_params params = {.n_threads = n_threads};
    struct media_source *source = NULL;
    OK(media_source_open(path, &params, &source, &err));
    return source;
}

UNUSED_HERE static struct data_frame *read_frame(struct media_source *source)
{
    struct lip_error err = {0};
    struct data_frame *frame = NULL;
    OK(media_source_read(source, &frame, &err));
    return frame;
}

UNUSED_HERE static size_t row_bytes(const struct data_frame *f, int plane)
{
    return (size_t)f->plane[plane].width_px * (f->depth_bits > 8 ? 2 : 1);
}

/* All samples of a frame, plane after plane, without the ends of rows. Freed by the caller. */
UNUSED_HERE static uint8_t *flatten(const struct data_frame *f, size_t *ret_n)
{
    size_t n = 0;
    for (int p = 0; p < f->n_planes; p++)
        n += row_bytes(f, p) * (size_t)f->plane[p].height_px;
    uint8_t *bytes = malloc(n), *to = bytes;
    assert_non_null(bytes);
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++, to += row_bytes(f, p))
            memcpy(to, f->plane[p].data + y * f->plane[p].stride_bytes, row_bytes(f, p));
    *ret_n = n;
    return bytes;
}

UNUSED_HERE static bool same_samples(const struct data_frame *a, const struct data_frame *b)
{
    if (a->width_px != b->width_px || a->height_px != b->height_px || a->layout != b->layout ||
        a->depth_bits != b->depth_bits || a->n_planes != b->n_planes ||
        a->has_alpha != b->has_alpha)
        return false;
    size_t n = 0, m = 0;
    uint8_t *x = flatten(a, &n), *y = flatten(b, &m);
    bool same = n == m && !memcmp(x, y, n);
    free(x);
    free(y);
    return same;
}

/* Encodes a whole film in parts of `per_part` frames and joins it. */
struct copy_job {
    const char *film, *output, *voice;
    enum media_codec codec;
    int quality, per_part;
    int64_t voice_us; /* 0: as long as it is */
    bool overwrite, keep_sounds;
    const char *comment, *edited_by;
    bool (*cancelled)(void *user);
};

#define COPY_PARTS_MAX 32

UNUSED_HERE static int copy_parts(const struct copy_job *job, struct media_source *source,
                                  char paths[][640], size_t *ret_n, int64_t *ret_end,
                                  struct lip_error *err)
{
    const struct data_film *film = media_source_film(source);
    struct media_encode_params encode = {
        .codec = job->codec, .quality = job->quality, .output = job->output};
    struct media_part *part = NULL;
    struct data_frame *f = NULL;
    int r = LIP_OK;
    for (int n = 0; !r; n++) {
        r = media_source_read(source, &f, err);
        if (r || !f)
            break;
        if (n % job->per_part == 0 && *ret_n < COPY_PARTS_MAX) {
            r = part ? media_part_finish(&part, err) : LIP_OK;
            snprintf(paths[*ret_n], sizeof paths[0], "%s.part%zu", job->output, *ret_n);
            if (!r)
                r = media_part_open(paths[(*ret_n)++], film, f, &encode, &part, err);
        }
        if (!r)
            r = media_part_write(part, f, f->pts - film->start_pts, f->duration, err);
        *ret_end = f->pts - film->start_pts + f->duration;
        data_frame_unref(&f);
    }
    data_frame_unref(&f);
    if (!r)
        return media_part_finish(&part, err);
    media_part_abort(&part);
    return r;
}

UNUSED_HERE static int copy_film(const struct copy_job *job, struct lip_error *err)
{
    static char paths[COPY_PARTS_MAX][640];
    const char *parts[COPY_PARTS_MAX];
    struct media_source *source = NULL;
    struct media_source_params params = {.n_threads = 2};
    size_t n = 0;
    int64_t end = 0;
    int r = media_source_open(job->film, &params, &source, err);
    if (r)
        return r;
    r = copy_parts(job, source, paths, &n, &end, err);
    for (size_t i = 0; i < n; i++)
        parts[i] = paths[i];
    const struct data_film *film = media_source_film(source);
    struct media_join_params join = {
        .output = job->output, .parts = parts, .n_parts = n, .film = job->film,
        .voice = job->voice, .time_scale = 1, .keep_sounds = job->keep_sounds,
        .overwrite = job->overwrite, .comment = job->comment,
        .edited_by = job->edited_by, .edited_by_version = "1.2",
        .voice_duration_us = job->voice_us, .cancelled = job->cancelled};
    join.duration_us = (int64_t)((double)end * (double)film->time_base.num * 1e6 /
                                 (double)film->time_base.den + 0.5);
    struct media_audio_info info;
    if (!r && job->voice && !job->voice_us) {
        r = media_audio_measure(job->voice, &info, err);
        join.voice_duration_us = r ? 0 : info.duration_us;
    }
    if (!r)
        r = media_join(&join, err);
    for (size_t i = 0; i < n; i++)
        base_fs_remove(paths[i]);
    media_source_close(&source);
    return r;
}

#endif
