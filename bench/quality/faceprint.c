/* SPDX-License-Identifier: MIT
 *
 * Who is seen in films, as vectors: for faceprint.py.
 *
 *   bench-faceprint MODELS FRAMES FILM...
 *
 * A line per track: film, track, looks, weight, then the mean vector. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "face/face.h"
#include "media/media.h"

#define TRACKS_MAX 64

struct sum {
    double weight, v[DATA_FACEPRINT_DIMS];
    int n;
};

static void add(struct sum *sums, const struct data_faceprint *l)
{
    if (l->track >= TRACKS_MAX)
        return;
    struct sum *s = &sums[l->track];
    for (int i = 0; i < DATA_FACEPRINT_DIMS; i++)
        s->v[i] += (double)(l->weight * l->v[i]);
    s->weight += (double)l->weight;
    s->n++;
}

static void print(const char *film, const struct sum *sums)
{
    for (int t = 0; t < TRACKS_MAX; t++) {
        if (!(sums[t].weight > 0))
            continue;
        printf("%s\t%d\t%d\t%.3f", film, t, sums[t].n, sums[t].weight / sums[t].n);
        for (int i = 0; i < DATA_FACEPRINT_DIMS; i++)
            printf("\t%.5f", sums[t].v[i] / sums[t].weight);
        printf("\n");
    }
}

static int look_at(const struct face_models *models, const char *path, int n_frames,
                   struct lip_error *err)
{
    static struct data_face_obs faces[FACE_PER_FRAME_MAX];
    static struct sum sums[TRACKS_MAX];
    struct media_source_params source_params = {.n_threads = 1};
    struct face_analyzer_params params;
    struct media_source *source = NULL;
    struct face_analyzer *analyzer = NULL;
    memset(sums, 0, sizeof sums);
    face_analyzer_params_default(&params);
    int r = media_source_open(path, &source_params, &source, err);
    if (!r)
        r = face_analyzer_create(models, media_source_film(source), &params, &analyzer, err);
    for (int f = 0; f < n_frames && !r; f++) {
        const struct data_faceprint *seen;
        struct data_frame *frame = NULL;
        size_t n = 0;
        bool cut;
        r = media_source_read(source, &frame, err);
        if (r || !frame)
            break;
        r = face_analyzer_push(analyzer, frame, faces, &n, &cut, err);
        n = face_analyzer_faceprints(analyzer, &seen);
        for (size_t i = 0; i < n && !r; i++)
            add(sums, &seen[i]);
        data_frame_unref(&frame);
    }
    face_analyzer_destroy(&analyzer);
    media_source_close(&source);
    if (!r)
        print(path, sums);
    return r;
}

int main(int argc, char **argv)
{
    struct lip_error err = {0};
    struct nn_params params = {0};
    struct nn_runtime *runtime = NULL;
    struct face_models *models = NULL;
    if (argc < 4) {
        fprintf(stderr, "usage: bench-faceprint MODELS FRAMES FILM...\n");
        return 2;
    }
    int r = nn_runtime_open(&params, &runtime, &err);
    if (!r)
        r = face_models_open(runtime, argv[1], &models, &err);
    for (int i = 3; i < argc && !r; i++)
        if (look_at(models, argv[i], (int)strtol(argv[2], NULL, 10), &err))
            fprintf(stderr, "%s: %s\n", argv[i], err.text);
    if (r)
        fprintf(stderr, "%s\n", err.text);
    face_models_close(&models);
    nn_runtime_close(&runtime);
    return r ? 1 : 0;
}
