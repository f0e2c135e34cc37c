/* SPDX-License-Identifier: MIT
 * bench/quality: reading a clip and finding its face. */
#include "clip.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "face/face.h"

#define FRAMES_MAX 4000

struct look {
    struct nn_runtime *runtime;
    struct face_models *models;
    struct media_source *source;
    struct face_analyzer *analyzer;
    struct data_face_obs *obs; /* all faces of all frames */
    size_t n_obs, cap_obs;
};

static void look_done(struct look *l)
{
    face_analyzer_destroy(&l->analyzer);
    face_models_close(&l->models);
    nn_runtime_close(&l->runtime);
    media_source_close(&l->source);
    base_free(l->obs);
}

static int look_at_frames(struct look *l, int64_t n_max, struct clip *clip, struct lip_error *err)
{
    struct data_face_obs faces[16];
    for (clip->n_frames = 0; clip->n_frames < n_max; clip->n_frames++) {
        struct data_frame *frame = NULL;
        size_t n = 0;
        bool cut = false;
        if (media_source_read(l->source, &frame, err) < 0)
            return -1;
        if (!frame)
            return 0;
        int status = face_analyzer_push(l->analyzer, frame, faces, &n, &cut, err);
        data_frame_unref(&frame);
        if (status < 0 || base_grow(&l->obs, &l->cap_obs, l->n_obs + n, 1 << 20, sizeof *l->obs))
            return -1;
        memcpy(l->obs + l->n_obs, faces, n * sizeof *faces);
        l->n_obs += n;
    }
    return 0;
}

/* The track that is seen most often. */
static int32_t main_track(const struct look *l)
{
    int32_t best = -1;
    size_t most = 0;
    for (size_t i = 0; i < l->n_obs; i++) {
        size_t n = 0;
        for (size_t k = 0; k < l->n_obs; k++)
            n += l->obs[k].track == l->obs[i].track;
        if (n > most) {
            most = n;
            best = l->obs[i].track;
        }
    }
    return best;
}

static int make_geoms(const struct look *l, struct clip *clip, struct lip_error *err)
{
    int32_t track = main_track(l);
    struct data_face_obs *own = base_alloc_array(l->n_obs + 1, sizeof *own);
    size_t n = 0, n_first = 0;
    for (size_t i = 0; own && i < l->n_obs; i++)
        if (l->obs[i].track == track) {
            own[n++] = l->obs[i];
            n_first += l->obs[i].frame < clip->split;
        }
    struct face_smoother *smoother = NULL;
    clip->geoms = base_alloc_array((size_t)clip->n_frames + 1, sizeof *clip->geoms);
    int status = own && clip->geoms ? face_person_learn(own, n_first, &clip->person, err) : -1;
    if (status == 0)
        status = face_smoother_create(&clip->person, &smoother);
    int64_t at = 0;
    size_t k = 0;
    for (int64_t f = 0; status == 0 && f < clip->n_frames; f++) {
        const struct data_face_obs *o = k < n && own[k].frame == f ? &own[k++] : NULL;
        status = face_smoother_push(smoother, f, o, false);
        while (status == 0 && at < clip->n_frames && face_smoother_pull(smoother, &clip->geoms[at]))
            at++;
    }
    if (status == 0)
        face_smoother_flush(smoother);
    while (status == 0 && at < clip->n_frames && face_smoother_pull(smoother, &clip->geoms[at]))
        at++;
    face_smoother_destroy(&smoother);
    base_free(own);
    return status;
}

/* A raw dump, good for one build on one machine. */
static void cache_name(const struct clip *clip, const char *dir, int64_t n_max, double held_out,
                       int n_crops, char ret_name[4096])
{
    const char *name = strrchr(clip->path, '/');
    snprintf(ret_name, 4096, "%s/%s.%lld.%g.%d.geoms", dir, name ? name + 1 : clip->path,
             (long long)n_max, held_out, n_crops);
}

static bool cache_read(struct clip *clip, const char *name)
{
    FILE *f = fopen(name, "rb");
    struct clip c = {0};
    bool good = f && fread(&c, sizeof c, 1, f) == 1 && c.n_frames > 0 && c.n_frames <= FRAMES_MAX;
    struct data_face_geom *geoms = NULL;
    if (good)
        geoms = base_alloc_array((size_t)c.n_frames, sizeof *geoms);
    good = geoms && fread(geoms, sizeof *geoms, (size_t)c.n_frames, f) == (size_t)c.n_frames;
    if (f)
        fclose(f);
    if (!good) {
        base_free(geoms);
        return false;
    }
    c.path = clip->path;
    c.geoms = geoms;
    *clip = c;
    return true;
}

static void cache_write(const struct clip *clip, const char *name)
{
    FILE *f = fopen(name, "wb");
    if (!f)
        return;
    fwrite(clip, sizeof *clip, 1, f);
    fwrite(clip->geoms, sizeof *clip->geoms, (size_t)clip->n_frames, f);
    fclose(f);
}

int clip_load(const char *path, const char *models_dir, const char *cache_dir, int64_t n_max,
              double held_out, int n_crops, struct clip *clip)
{
    char cache[4096];
    struct look l = {0};
    struct lip_error err = {0};
    struct face_analyzer_params params;
    struct nn_params nn = {0};
    struct media_source_params media = {1, NULL};
    memset(clip, 0, sizeof *clip);
    clip->path = path;
    if (cache_dir) {
        cache_name(clip, cache_dir, n_max, held_out, n_crops, cache);
        if (cache_read(clip, cache))
            return 0;
    }
    face_analyzer_params_default(&params);
    params.n_crops = n_crops;
    if (nn_runtime_open(&nn, &l.runtime, &err) < 0 ||
        face_models_open(l.runtime, models_dir, &l.models, &err) < 0 ||
        media_source_open(path, &media, &l.source, &err) < 0)
        goto fail;
    clip->film = *media_source_film(l.source);
    if (face_analyzer_create(l.models, &clip->film, &params, &l.analyzer, &err) < 0 ||
        look_at_frames(&l, n_max > 0 && n_max < FRAMES_MAX ? n_max : FRAMES_MAX, clip, &err) < 0)
        goto fail;
    clip->split = (int64_t)((1 - held_out) * (double)clip->n_frames);
    if (make_geoms(&l, clip, &err) < 0)
        goto fail;
    look_done(&l);
    if (cache_dir)
        cache_write(clip, cache);
    return 0;
fail:
    fprintf(stderr, "%s: %s\n", path, err.code ? err.text : "no usable face, or no memory");
    look_done(&l);
    clip_free(clip);
    return -1;
}

void clip_free(struct clip *clip)
{
    base_free(clip->geoms);
    clip->geoms = NULL;
}
