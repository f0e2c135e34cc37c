/* SPDX-License-Identifier: MIT
 *
 * Face analysis to look at: points drawn on frames, the mouth enlarged, and figures.
 *
 *   bench-face MODELS FILM [-o PREFIX] [-every N] [-frames N] [-crops 1|3]
 *              [-detect N] [-dump FILE]
 *
 * PREFIX-<frame>.ppm: the face's surroundings with all points (lips and irises coloured), and below
 * it the mouth, twice as large. FILE: per observation i64 frame, i32 track, f32 confidence, then
 * 478 x 3 f32. Figures on stdout. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "data/curve.h"
#include "face/parts.h"
#include "media/media.h"

#define OUT_W 640
#define FACE_H 640
#define MOUTH_H 320

struct options {
    const char *models, *film, *prefix, *dump;
    int every, crops, detect;
    int64_t frames;
};

struct watch {
    struct options opt;
    struct nn_runtime *runtime;
    struct face_models *models;
    struct media_source *source;
    const struct data_film *film;
    struct face_analyzer *analyzer;
    FILE *dump;
    float *rgb;     /* (FACE_H + MOUTH_H) * OUT_W * 3 */
    struct data_face_obs before[2]; /* of the last two frames of the largest face */
    int n_before;
    double jitter_stable, jitter_lips, time_us;
    int64_t n_jitter, n_frames, n_seen, n_cuts;
};

static const uint16_t outer_lips[] = {61,  146, 91,  181, 84,  17, 314, 405, 321, 375, 291,
                                      409, 270, 269, 267, 0,   37, 39,  40,  185, 61};
static const uint16_t inner_lips[] = {78,  95,  88,  178, 87,  14, 317, 402, 318, 324, 308,
                                      415, 310, 311, 312, 13,  82, 81,  80,  191, 78};

static void dot(float *rgb, int h, double x, double y, int size, const float colour[3])
{
    for (int j = 0; j < size; j++) {
        for (int i = 0; i < size; i++) {
            int ix = (int)floor(x - .5 * size + .5) + i, iy = (int)floor(y - .5 * size + .5) + j;
            if (ix >= 0 && iy >= 0 && ix < OUT_W && iy < h)
                memcpy(rgb + 3 * ((size_t)iy * OUT_W + (size_t)ix), colour, 3 * sizeof *colour);
        }
    }
}

static void line(float *rgb, int h, const struct data_affine *view, const float *a, const float *b,
                 const float colour[3])
{
    double x0, y0, x1, y1;
    image_affine_apply(view, a[0], a[1], &x0, &y0);
    image_affine_apply(view, b[0], b[1], &x1, &y1);
    int n = (int)(fabs(x1 - x0) + fabs(y1 - y0)) + 1;
    for (int i = 0; i < n; i++)
        dot(rgb, h, x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n, 1, colour);
}

/* A square of DISP into the picture, with the points on it. */
static void draw_view(struct watch *w, const struct data_frame *frame,
                      const struct data_face_obs *o, double cx, double cy, double width, int h,
                      bool lines, float *rgb)
{
    static const float white[3] = {1, 1, 1}, red[3] = {1, 0, 0}, green[3] = {0, 1, 0},
                       yellow[3] = {1, 1, 0};
    double k = width / OUT_W;
    struct data_affine disp = {{k, 0, cx - k * OUT_W / 2, 0, k, cy - k * h / 2}};
    struct data_affine back = image_affine_invert(disp);
    struct image_crop crop = {.w = OUT_W,
                              .h = h,
                              .img_from_out = image_affine_multiply(w->film->img_from_disp, disp),
                              .scale = 1};
    if (image_crop_frame(frame, &crop, rgb) != LIP_OK)
        return;
    for (int i = 0; i < DATA_FACE_POINTS; i++) {
        bool lip = false;
        double x, y;
        for (int j = 0; j < FACE_N_LIPS; j++)
            lip |= face_lip_points[j] == i;
        image_affine_apply(&back, o->points[i][0], o->points[i][1], &x, &y);
        if (!lines)
            dot(rgb, h, x, y, 2, lip ? green : i >= DATA_MESH_POINTS ? red : white);
    }
    for (size_t i = 0; lines && i + 1 < sizeof outer_lips / sizeof outer_lips[0]; i++) {
        line(rgb, h, &back, o->points[outer_lips[i]], o->points[outer_lips[i + 1]], green);
        line(rgb, h, &back, o->points[inner_lips[i]], o->points[inner_lips[i + 1]], yellow);
    }
}

static void draw(struct watch *w, const struct data_frame *frame, const struct data_face_obs *o)
{
    char path[512];
    struct data_box b = face_points_box((const float(*)[3])o->points);
    double size = 1.25 * fmax((double)b.x1 - b.x0, (double)b.y1 - b.y0);
    double mx = .5 * ((double)o->points[61][0] + o->points[291][0]);
    double my = .5 * ((double)o->points[0][1] + o->points[17][1]);
    draw_view(w, frame, o, .5 * ((double)b.x0 + b.x1), .5 * ((double)b.y0 + b.y1), size, FACE_H,
              false, w->rgb);
    draw_view(w, frame, o, mx, my, size * .45, MOUTH_H, true,
              w->rgb + (size_t)FACE_H * OUT_W * 3);
    snprintf(path, sizeof path, "%s-%05" PRId64 "-%d.ppm", w->opt.prefix, o->frame, o->track);
    FILE *f = fopen(path, "wb");
    if (!f)
        return;
    fprintf(f, "P6\n%d %d\n255\n", OUT_W, FACE_H + MOUTH_H);
    for (size_t i = 0; i < (size_t)(FACE_H + MOUTH_H) * OUT_W * 3; i++)
        fputc((int)(255 * fminf(fmaxf(w->rgb[i], 0), 1) + .5f), f);
    fclose(f);
}

/* RMS of the second difference of some points over IOD: noise, where the head is still. */
static void measure_jitter(struct watch *w, const struct data_face_obs *o)
{
    double iod = hypot((double)o->points[263][0] - o->points[33][0],
                       (double)o->points[263][1] - o->points[33][1]);
    double stable = 0, lips = 0, move = 0;
    if (w->n_before == 2 && w->before[0].track == o->track && w->before[1].track == o->track) {
        for (int set = 0; set < 2; set++) {
            int n = set ? FACE_N_LIPS : FACE_N_STABLE;
            double sum = 0;
            for (int i = 0; i < n; i++) {
                int p = set ? face_lip_points[i] : face_stable_points[i];
                for (int k = 0; k < 2; k++) {
                    double a = w->before[1].points[p][k], m = w->before[0].points[p][k];
                    double d = a - 2 * m + o->points[p][k];
                    sum += d * d;
                    if (!set)
                        move += fabs(o->points[p][k] - a) / (2 * n);
                }
            }
            *(set ? &lips : &stable) = sqrt(sum / n) / iod;
        }
        if (move / iod < .01) {
            w->jitter_stable += stable * stable;
            w->jitter_lips += lips * lips;
            w->n_jitter++;
        }
    }
    w->before[1] = w->before[0];
    w->before[0] = *o;
    w->n_before = w->n_before < 2 ? w->n_before + 1 : 2;
}

/* Processor time of this thread: other programs do not count. */
static double thread_time_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int watch_frame(struct watch *w, const struct data_frame *frame, struct lip_error *err)
{
    struct data_face_obs faces[FACE_PER_FRAME_MAX];
    size_t n = 0, largest = 0;
    float size = 0;
    bool start = false;
    double t = thread_time_us();
    int r = face_analyzer_push(w->analyzer, frame, faces, &n, &start, err);
    if (r != LIP_OK)
        return r;
    w->time_us += thread_time_us() - t;
    w->n_cuts += start;
    w->n_seen += n > 0;
    for (size_t i = 0; i < n; i++) {
        struct data_box b = face_points_box((const float(*)[3])faces[i].points);
        if (w->dump) {
            fwrite(&faces[i].frame, 8, 1, w->dump);
            fwrite(&faces[i].track, 4, 1, w->dump);
            fwrite(&faces[i].confidence, 4, 1, w->dump);
            fwrite(faces[i].points, sizeof faces[i].points, 1, w->dump);
        }
        if (w->opt.prefix && w->n_frames % w->opt.every == 0)
            draw(w, frame, &faces[i]);
        if (b.x1 - b.x0 > size) {
            size = b.x1 - b.x0;
            largest = i;
        }
    }
    if (n > 0)
        measure_jitter(w, &faces[largest]);
    else
        w->n_before = 0;
    w->n_frames++;
    return LIP_OK;
}

static int watch_film(struct watch *w, struct lip_error *err)
{
    struct face_analyzer_params params;
    struct nn_params nn = {0};
    struct media_source_params media = {.n_threads = 1};
    int r = nn_runtime_open(&nn, &w->runtime, err);
    if (r == LIP_OK)
        r = face_models_open(w->runtime, w->opt.models, &w->models, err);
    if (r == LIP_OK)
        r = media_source_open(w->opt.film, &media, &w->source, err);
    if (r != LIP_OK)
        return r;
    w->film = media_source_film(w->source);
    face_analyzer_params_default(&params);
    params.n_crops = w->opt.crops;
    params.detect_every = w->opt.detect;
    r = face_analyzer_create(w->models, w->film, &params, &w->analyzer, err);
    while (r == LIP_OK && w->n_frames < w->opt.frames) {
        struct data_frame *frame = NULL;
        r = media_source_read(w->source, &frame, err);
        if (r != LIP_OK || !frame)
            break;
        r = watch_frame(w, frame, err);
        data_frame_unref(&frame);
    }
    return r;
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.every = 25, .crops = 1, .detect = 8, .frames = INT64_MAX};
    if (argc < 3)
        return false;
    o->models = argv[1];
    o->film = argv[2];
    for (int i = 3; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "-o") == 0)
            o->prefix = value;
        else if (strcmp(argv[i], "-dump") == 0)
            o->dump = value;
        else if (strcmp(argv[i], "-every") == 0)
            o->every = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "-frames") == 0)
            o->frames = strtol(value, NULL, 10);
        else if (strcmp(argv[i], "-crops") == 0)
            o->crops = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "-detect") == 0)
            o->detect = (int)strtol(value, NULL, 10);
        else
            return false;
    }
    return o->every > 0;
}

int main(int argc, char **argv)
{
    static struct watch w;
    struct lip_error err = {0};
    if (!parse(argc, argv, &w.opt)) {
        fprintf(stderr, "usage: bench-face MODELS FILM [-o PREFIX] [-every N] [-frames N] "
                        "[-crops 1|3] [-detect N] [-dump FILE]\n");
        return 2;
    }
    w.rgb = base_alloc_array((size_t)(FACE_H + MOUTH_H) * OUT_W * 3, sizeof *w.rgb);
    w.dump = w.opt.dump ? fopen(w.opt.dump, "wb") : NULL;
    int r = w.rgb ? watch_film(&w, &err) : LIP_ERR_NOMEM;
    if (r != LIP_OK)
        fprintf(stderr, "%s: %s\n", err.where, err.text);
    double n = w.n_jitter ? (double)w.n_jitter : 1, frames = w.n_frames ? (double)w.n_frames : 1;
    printf("frames %" PRId64 "  with a face %" PRId64 "  shots %" PRId64 "  cpu ms/frame %.2f  "
           "jitter IOD (still frames %" PRId64 "): stable %.5f lips %.5f\n",
           w.n_frames, w.n_seen, w.n_cuts, w.time_us / 1000 / frames, w.n_jitter,
           sqrt(w.jitter_stable / n), sqrt(w.jitter_lips / n));
    if (w.dump)
        fclose(w.dump);
    face_analyzer_destroy(&w.analyzer);
    media_source_close(&w.source);
    face_models_close(&w.models);
    nn_runtime_close(&w.runtime);
    base_free(w.rgb);
    return r == LIP_OK ? 0 : 1;
}
