/* SPDX-License-Identifier: MIT
 * Copied parts beside encoded ones: every copied frame is the decoder's own of the film, at its own
 * time, whatever stands before it. */
#include "unit/media/clips.h"

#define FRAMES_MAX 128

struct loaded {
    struct media_source *source;
    struct data_frame *frame[FRAMES_MAX];
    int n;
    bool copied[FRAMES_MAX];
};

static void load(const char *path, struct loaded *l)
{
    *l = (struct loaded){.source = open_source(path, 1)};
    for (struct data_frame *f; l->n < FRAMES_MAX && (f = read_frame(l->source)); l->n++)
        l->frame[l->n] = f;
}

static void unload(struct loaded *l)
{
    for (int i = 0; i < l->n; i++)
        data_frame_unref(&l->frame[i]);
    media_source_close(&l->source);
}

static int number_of(const struct loaded *l, int64_t pts)
{
    for (int i = 0; i < l->n; i++)
        if (l->frame[i]->pts == pts)
            return i;
    return -1;
}

struct splice {
    char paths[FRAMES_MAX][512];
    const char *parts[FRAMES_MAX];
    size_t n;
};

static char *add_path(struct splice *s)
{
    char name[32];
    snprintf(name, sizeof name, "s.part%zu", s->n);
    snprintf(s->paths[s->n], sizeof s->paths[0], "%s", at(name));
    s->parts[s->n] = s->paths[s->n];
    return s->paths[s->n++];
}

static void encode(struct splice *s, struct loaded *l, int from, int to,
                   const struct media_encode_params *params)
{
    struct lip_error err = {0};
    struct media_part *part = NULL;
    const struct data_film *film = media_source_film(l->source);
    if (from >= to)
        return;
    OK(media_part_open(add_path(s), film, l->frame[from], params, &part, &err));
    for (int i = from; i < to; i++)
        OK(media_part_write(part, l->frame[i], l->frame[i]->pts - film->start_pts,
                            l->frame[i]->duration, &err));
    OK(media_part_finish(&part, &err));
}

/* Every second run of `run` units is copied. */
static void splice(struct splice *s, struct loaded *l, struct media_copier *copier, size_t run,
                   size_t phase, const struct media_encode_params *params)
{
    struct lip_error err = {0};
    size_t n_units = 0;
    const struct media_unit *units = media_copier_units(copier, &n_units);
    int done = 0;
    for (size_t u = phase * run; u < n_units; u += 2 * run) {
        size_t n = n_units - u < run ? n_units - u : run;
        int first = number_of(l, units[u].shown.first_pts), end = first;
        for (size_t k = u; k < u + n; k++) {
            assert_true(units[k].usable);
            end += (int)units[k].shown.n + (k > u ? (int)units[k].leaning.n : 0);
        }
        assert_true(first >= done && end <= l->n);
        encode(s, l, done, first, params);
        OK(media_copier_write(copier, add_path(s), u, n, -media_source_film(l->source)->start_pts,
                              l->frame[end - 1]->duration, &err));
        for (int i = first; i < end; i++)
            l->copied[i] = true;
        done = end;
    }
    encode(s, l, done, l->n, params);
}

/* FFmpeg's own program is the judge: a hash for every frame, and its time. */
static size_t hashes(const char *file, char ret[][64], size_t max)
{
    static char text[1 << 16], command[512];
    snprintf(command, sizeof command, "ffmpeg -v error -i %s -map 0:v:0 -fps_mode passthrough "
             "-enc_time_base -1 -f framemd5 - 2>&1 | grep -v '^#'", file);
    assert_int_equal(shell_text(text, sizeof text, command), 0);
    size_t n = 0;
    for (char *line = text, *end; n < max && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        char *hash = strrchr(line, ',');
        if (!hash)
            fail_msg("%s: ffmpeg says: %s", file, line);
        snprintf(ret[n++], 64, "%s", hash + 1);
    }
    return n;
}

static void check(const char *film, const char *output, const struct loaded *l, double tolerance_s)
{
    static char before[FRAMES_MAX][64], after[FRAMES_MAX][64];
    assert_int_equal(hashes(film, before, FRAMES_MAX), l->n);
    size_t n = hashes(output, after, FRAMES_MAX);
    if (n != (size_t)l->n)
        fail_msg("%s has %zu frames, not %d", output, n, l->n);
    struct loaded got;
    load(at(output), &got);
    assert_int_equal(got.n, l->n);
    const struct data_film *a = media_source_film(l->source), *b = media_source_film(got.source);
    int n_copied = 0;
    for (int i = 0; i < l->n; i++) {
        double t = (double)((l->frame[i]->pts - a->start_pts) * a->time_base.num) /
                   (double)a->time_base.den;
        double u = (double)((got.frame[i]->pts - b->start_pts) * b->time_base.num) /
                   (double)b->time_base.den;
        if (t - u > tolerance_s || u - t > tolerance_s)
            fail_msg("%s: frame %d is at %.6f s, not %.6f", output, i, u, t);
        if (!l->copied[i])
            continue;
        n_copied++;
        if (strcmp(before[i], after[i]) || !same_samples(l->frame[i], got.frame[i]))
            fail_msg("%s: the copied frame %d differs", output, i);
    }
    assert_true(n_copied > 5 && n_copied < l->n);
    unload(&got);
}

static const struct kind {
    const char *film, *arguments, *output;
    enum media_codec codec;
    int64_t leaning; /* at least so many leaning pictures are in it */
} kinds[] = {
    {"h.mp4", "-c:v libx264 -g 6 -bf 3 -pix_fmt yuv420p", "ho.mp4", MEDIA_CODEC_H264, 0},
    {"h.mkv", "-c:v libx264 -g 6 -bf 3 -pix_fmt yuv420p", "ho.mkv", MEDIA_CODEC_H264, 0},
    {"h.ts", "-c:v libx264 -g 6 -bf 2 -pix_fmt yuv420p", "ht.mp4", MEDIA_CODEC_H264, 0},
    {"hb.mp4", "-c:v libx264 -g 6 -profile:v baseline -pix_fmt yuv420p", "hbo.mov",
     MEDIA_CODEC_H264, 0},
    {"hh.mp4", "-c:v libx264 -g 6 -bf 2 -pix_fmt yuv422p10le", "hho.mp4", MEDIA_CODEC_H264, 0},
    {"hx.mp4", "-c:v libx264 -g 6 -bf 2 -pix_fmt yuv420p -x264-params sps-id=1", "hxo.mp4",
     MEDIA_CODEC_H264, 0},
    {"hi.mp4", "-c:v libx264 -g 6 -bf 2 -pix_fmt yuv420p -flags +ildct+ilme -top 1", "hio.mp4",
     MEDIA_CODEC_H264, 0},
    {"hr.mp4", "-c:v libx264 -g 6 -bf 3 -x264-params bframes=3:b-pyramid=2:ref=5", "hro.mkv",
     MEDIA_CODEC_H264, 0},
    {"e.mp4", "-c:v libx265 -x265-params log-level=none:keyint=6:min-keyint=6:open-gop=0:bframes=3 "
     "-pix_fmt yuv420p", "eo.mp4", MEDIA_CODEC_HEVC, 0},
    {"eo.mkv", "-c:v libx265 -x265-params log-level=none:keyint=6:min-keyint=6:open-gop=1:"
     "bframes=3:scenecut=0 -pix_fmt yuv420p", "eoo.mp4", MEDIA_CODEC_HEVC, 1},
    {"et.ts", "-c:v libx265 -x265-params log-level=none:keyint=6:min-keyint=6:open-gop=1:bframes=3:"
     "scenecut=0 -pix_fmt yuv420p10le", "eto.mkv", MEDIA_CODEC_HEVC, 1},
    {"v.webm", "-c:v libvpx-vp9 -g 6 -cpu-used 8 -pix_fmt yuv420p", "vo.webm", MEDIA_CODEC_VP9, 0},
    {"v.mp4", "-c:v libvpx-vp9 -g 6 -cpu-used 8 -pix_fmt yuv420p10le", "vo.mp4", MEDIA_CODEC_VP9,
     0},
    {"a.mkv", "-c:v libaom-av1 -g 6 -cpu-used 8 -pix_fmt yuv420p", "ao.mp4", MEDIA_CODEC_AV1, 0},
    {"p.mov", "-c:v prores_ks -profile:v 3 -pix_fmt yuv422p10le", "po.mov", MEDIA_CODEC_PRORES, 0},
    {"q.mov", "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le", "qo.mov", MEDIA_CODEC_PRORES,
     0},
};

static void try_splice(const struct kind *k, const char *film, size_t run, size_t phase)
{
    struct lip_error err = {0};
    struct loaded l;
    static struct splice s;
    struct media_copier *copier = NULL;
    char output[512], why[160];
    snprintf(output, sizeof output, "%s", at(k->output));
    load(film, &l);
    s.n = 0;
    struct media_encode_params params = {.codec = k->codec, .output = output};
    struct media_copier_params copy = {.film = film, .like = l.frame[0], .encode = &params};
    OK(media_copier_open(&copy, media_source_film(l.source), &copier, why, sizeof why, &err));
    if (!copier)
        fail_msg("%s: %s", k->film, why);
    params.beside = copier;
    size_t n_units = 0;
    const struct media_unit *units = media_copier_units(copier, &n_units);
    int64_t leaning = 0;
    for (size_t i = 0; i < n_units; i++)
        leaning += units[i].leaning.n;
    assert_true(n_units > 4 && leaning >= k->leaning);
    splice(&s, &l, copier, run, phase, &params);
    struct media_join_params join = {.output = output, .parts = s.parts, .n_parts = s.n,
                                     .film = film, .duration_us = 1400000, .time_scale = 1,
                                     .overwrite = true};
    OK(media_join(&join, &err));
    bool rounded = strstr(output, ".mkv") || strstr(output, ".webm"); /* to milliseconds */
    check(k->film, k->output, &l, rounded ? 0.0011 : 0.00002);
    media_copier_close(&copier);
    unload(&l);
}

static void try_kind(const struct kind *k)
{
    char command[1024], film[512];
    snprintf(command, sizeof command, "-f lavfi -i testsrc2=s=96x64:r=25:d=1.4 %s %s",
             k->arguments, k->film);
    make_clip(command);
    snprintf(film, sizeof film, "%s", at(k->film));
    try_splice(k, film, 1 + (size_t)(k - kinds) % 2, (size_t)(k - kinds) % 2);
}

static void test_splices(void **state)
{
    (void)state;
    NEEDS_FFMPEG;
    const char *only = getenv("COPIER_KIND"); /* for looking at one of them */
    for (size_t i = 0; i < UNIT_COUNT(kinds); i++)
        if (!only || !strcmp(only, kinds[i].film))
            try_kind(&kinds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splices),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
