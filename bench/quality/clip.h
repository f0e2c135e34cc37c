/* SPDX-License-Identifier: MIT
 * bench/quality: a clip, its face, and the pictures that are compared. */
#ifndef BENCH_QUALITY_CLIP_H
#define BENCH_QUALITY_CLIP_H

#include <stdbool.h>

#include "data/face.h"
#include "data/film.h"
#include "data/frame.h"
#include "data/patch.h"
#include "media/media.h"

struct clip {
    const char *path;
    struct data_film film;
    struct data_person person; /* learnt from the first part only */
    struct data_face_geom *geoms; /* one per frame */
    int64_t n_frames, split;   /* frames from split on are held out */
};

/* Finds the face in every frame, with 1 or 3 crops; at most n_max frames (0: all). Prints why when
 * it fails (-1). cache_dir (may be NULL): what was found is kept there and used again; empty it
 * when src/face changes. */
int clip_load(const char *path, const char *models_dir, const char *cache_dir, int64_t n_max,
              double held_out, int n_crops, struct clip *ret_clip);
void clip_free(struct clip *clip);

/* A grey picture with its colours kept for the error: n = w * h floats a plane, R'G'B' 0..1. */
struct picture {
    int w, h;
    float *rgb;
};
void picture_free(struct picture *p);
int picture_from_frame(const struct data_frame *frame, struct data_rect rect, struct picture *p);

/* Sums of one method over the frames of a clip. */
enum { BOX_LIPS, BOX_MOUTH, N_BOXES };

/* What is seen between the lips, on cells fixed to the skull (.6 IOD wide). */
#define FLICKER_W 96
#define FLICKER_H 56
struct flicker_view {
    float grey[FLICKER_H][FLICKER_W];
    bool seen[FLICKER_H][FLICKER_W];
};
struct flicker {
    struct flicker_view last[3];
    long n, weight;
    double sum; /* squared second differences in time */
};

struct score {
    double psnr[N_BOXES], ssim[N_BOXES];
    double sharp_out, sharp_real; /* sums over frames, lips */
    double hf_out, hf_real;       /* sums of squared second differences in time */
    long n, n_hf;
    float last[2][2][48 * 64]; /* out/real, the two frames before this one, stabilised */
    int n_last;
    double seam[2], grain[2]; /* out/real: energies */
    struct flicker flicker[2];
};

/* Adds one frame. Both pictures show `rect` of the frame. */
int score_add(struct score *s, const struct clip *clip, const struct data_face_geom *geom,
              struct data_rect rect, const struct picture *real, const struct picture *out);
/* The two boxes' outer bound for a frame, cut to the frame; w 0 when outside. */
struct data_rect score_rect(const struct clip *clip, const struct data_frame *frame,
                            const struct data_face_geom *geom);
/* Adds what detail.c looks at; call it beside score_add. `wish`: the lips of `out`, CANON; `patch`:
 * its masks. */
int score_add_detail(struct score *s, const struct clip *clip, const struct data_face_geom *geom,
                     const float wish[DATA_FACE_POINTS][3], const struct data_patch *patch,
                     struct data_rect rect, const struct picture *real, const struct picture *out);
/* Seam energy, teeth flicker, grain, each out / real; NAN where there is nothing to see. */
void score_details(const struct score *s, double ret[3]);
/* PSNR SSIM (lips) PSNR SSIM (mouth) sharpness jitter */
void score_values(const struct score *s, double ret[6]);

/* The baselines' pictures: a canonical raster (2 px per 1/100 IOD) pasted by pose alone. */
#define RASTER_W 288
#define RASTER_H 208
struct raster {
    float rgb[3][RASTER_H][RASTER_W];
};
void raster_from_frame(const struct clip *clip, const struct data_frame *frame,
                       const struct data_face_geom *geom, struct raster *ret);
/* Over the target by the mouth mask of the patch; result into a copy of the frame. */
int raster_paste(const struct clip *clip, const struct raster *raster,
                 const struct data_face_geom *geom, const struct data_patch *patch,
                 struct data_frame *frame);

#endif
