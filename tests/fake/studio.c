/* SPDX-License-Identifier: MIT */
#include "fake/studio.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fs.h"
#include "data/frame.h"

#define VOICE_RATE_HZ 16000
#define VOICE_SAMPLES (VOICE_RATE_HZ * 6 / 5)

/* Hums that swell and stop, as 16-bit WAV. */
static bool make_voice(const char *path)
{
    struct base_buffer b;
    base_buffer_init(&b, 1 << 20);
    base_buffer_put(&b, "RIFF", 4);
    base_buffer_put_u32(&b, 36 + 2 * VOICE_SAMPLES);
    base_buffer_put(&b, "WAVEfmt ", 8);
    base_buffer_put_u32(&b, 16);
    base_buffer_put_u16(&b, 1); /* PCM */
    base_buffer_put_u16(&b, 1);
    base_buffer_put_u32(&b, VOICE_RATE_HZ);
    base_buffer_put_u32(&b, 2 * VOICE_RATE_HZ);
    base_buffer_put_u16(&b, 2);
    base_buffer_put_u16(&b, 16);
    base_buffer_put(&b, "data", 4);
    base_buffer_put_u32(&b, 2 * VOICE_SAMPLES);
    for (int i = 0; i < VOICE_SAMPLES; i++) {
        double t = i / (double)VOICE_RATE_HZ, swell = fmax(0, sin(2 * M_PI * 2.5 * t));
        double x = swell * (sin(2 * M_PI * 140 * t) + 0.5 * sin(2 * M_PI * 700 * t));
        base_buffer_put_u16(&b, (uint16_t)(int16_t)lrint(12000 * x));
    }
    bool ok = !b.status && !base_fs_write(path, b.data, b.size, NULL);
    base_buffer_done(&b);
    return ok;
}

int studio_open_engine(struct studio *s, struct lip_error *err)
{
    return engine_open_fake(fake_nets_run, &s->nets, getenv("LIPSYNC_MODELS"), &s->engine, err);
}

bool studio_open(struct studio *s)
{
    memset(s, 0, sizeof *s);
    memcpy(s->folder, "studio-XXXXXX", 14);
    const char *models = getenv("LIPSYNC_MODELS");
    static struct lip_error err; /* why_not points into it */
    if (!models || fake_nets_load(models, &s->nets)) {
        s->why_not = "the models' folder has no face_geometry.bin (npm packages missing?)";
        return false;
    }
    if (studio_open_engine(s, &err)) {
        s->why_not = err.text;
        return false;
    }
    s->why_not = "no folder can be made here";
    if (!mkdtemp(s->folder))
        return false;
    s->why_not = NULL;
    snprintf(s->voice, sizeof s->voice, "%s/voice.wav", s->folder);
    snprintf(s->output, sizeof s->output, "%s/out.mkv", s->folder);
    snprintf(s->score, sizeof s->score, "%s/film.score", s->folder);
    return make_voice(s->voice);
}

int studio_close(struct studio *s)
{
    lip_close(&s->engine);
    if (!s->voice[0])
        return 0;
    base_fs_remove(s->voice);
    base_fs_remove(s->output);
    base_fs_remove(s->score);
    char record[128];
    snprintf(record, sizeof record, "%s.lipsync.json", s->output);
    base_fs_remove(record);
    DIR *dir = opendir(s->folder);
    int n_left = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            printf("left behind: %s/%s\n", s->folder, e->d_name);
            n_left++;
        }
    if (dir)
        closedir(dir);
    rmdir(s->folder);
    return n_left;
}

struct lip_job studio_job(const struct studio *s)
{
    struct lip_job job;
    lip_job_default(&job);
    job.film = STUDIO_FILM;
    job.voice = s->voice;
    job.output = s->output;
    job.codec = LIP_CODEC_FFV1;
    job.sync = LIP_SYNC_CUT_OFF;
    job.n_threads = 1;
    job.overwrite = 1;
    return job;
}

static uint64_t hash_frame(const struct data_frame *f, uint64_t hash)
{
    hash = base_hash(&f->pts, sizeof f->pts, hash);
    size_t bytes = f->depth_bits > 8 ? 2 : 1;
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++)
            hash = base_hash(f->plane[p].data + y * f->plane[p].stride_bytes,
                             (size_t)f->plane[p].width_px * bytes, hash);
    return hash;
}

int studio_hash(const char *film, uint64_t *ret_hash, int64_t *ret_n)
{
    struct media_source *source = NULL;
    struct media_source_params params = {.n_threads = 1};
    struct data_frame *frame = NULL;
    uint64_t hash = 0;
    int64_t n = 0;
    int r = media_source_open(film, &params, &source, NULL);
    while (!r && !(r = media_source_read(source, &frame, NULL)) && frame) {
        hash = hash_frame(frame, hash);
        n++;
        data_frame_unref(&frame);
    }
    media_source_close(&source);
    *ret_hash = hash;
    *ret_n = n;
    return r;
}
