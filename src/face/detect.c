/* SPDX-License-Identifier: MIT
 *
 * Boxes of faces: the two BlazeFace detectors of MediaPipe (Bazarevsky et al. 2019). Each gives for
 * every anchor of a grid a logit and 16 numbers: box centre, box size and six points, in input
 * pixels, centres and points relative to the anchor. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "face/parts.h"

#define VALUES 16
#define SHORT_PX 128
#define SHORT_ANCHORS 896
#define FULL_PX 192
#define FULL_ANCHORS 2304
#define OVERLAP 0.3f /* boxes that share more than this are one face */

struct detector {
    int input_px, n_anchors;
    float min_score;
};

/* The short-range net is surer of itself than the full-range one on things that are no faces. */
static const struct detector detectors[2] = {
    [FACE_DETECT_SHORT] = {SHORT_PX, SHORT_ANCHORS, .55f},
    [FACE_DETECT_FULL] = {FULL_PX, FULL_ANCHORS, .55f},
};

/* Anchor centres in input pixels: short range has a 16x16 grid with 2 anchors a cell, then an 8x8
 * grid with 6; full range a 48x48 grid with one. */
static void anchor_at(enum face_detect_range range, int i, float *ret_x, float *ret_y)
{
    int grid = 48, cell = i, step;
    if (range == FACE_DETECT_SHORT) {
        grid = i < 512 ? 16 : 8;
        cell = i < 512 ? i / 2 : (i - 512) / 6;
    }
    step = detectors[range].input_px / grid;
    *ret_x = ((float)(cell % grid) + .5f) * (float)step;
    *ret_y = ((float)(cell / grid) + .5f) * (float)step;
}

static float logistic(float x)
{
    return 1 / (1 + expf(-(x < -80 ? -80 : x > 80 ? 80 : x)));
}

struct data_affine face_crop_affine(const struct face_crop *crop, int px)
{
    double k = crop->size / px, c = k * cos(crop->angle_rad), s = k * sin(crop->angle_rad);
    double h = .5 * px;
    return (struct data_affine){
        {c, -s, crop->cx - c * h + s * h, s, c, crop->cy - s * h - c * h}};
}

static void decode(enum face_detect_range range, const float *v, int anchor, float score,
                   const struct data_affine *disp_from_input, struct face_detection *ret_found)
{
    float ax, ay;
    double x[2], y[2], px, py;
    anchor_at(range, anchor, &ax, &ay);
    /* windows are upright: the two corners stay corners */
    for (int k = 0; k < 2; k++) {
        float half = k ? .5f : -.5f;
        image_affine_apply(disp_from_input, ax + v[0] + half * v[2], ay + v[1] + half * v[3],
                           &x[k], &y[k]);
    }
    ret_found->score = score;
    ret_found->box = (struct data_box){(float)x[0], (float)y[0], (float)x[1], (float)y[1]};
    for (int k = 0; k < FACE_KEYPOINTS; k++) {
        image_affine_apply(disp_from_input, ax + v[4 + 2 * k], ay + v[5 + 2 * k], &px, &py);
        ret_found->keypoints[k][0] = (float)px;
        ret_found->keypoints[k][1] = (float)py;
    }
}

/* Adds; when full, the weakest makes room. */
static void add(struct face_detection *found, size_t *n, const struct face_detection *one)
{
    size_t at = *n;
    if (at == FACE_DETECTIONS_MAX) {
        at = 0;
        for (size_t i = 1; i < *n; i++)
            if (found[i].score < found[at].score)
                at = i;
        if (found[at].score >= one->score)
            return;
    } else {
        (*n)++;
    }
    found[at] = *one;
}

static bool sane(const struct face_detection *d)
{
    float w = d->box.x1 - d->box.x0, h = d->box.y1 - d->box.y0;
    return w > 1 && h > 1 && isfinite(w) && isfinite(h) && isfinite(d->box.x0) &&
           isfinite(d->box.y0);
}

static int run(const struct nn_model *model, const struct detector *d, float *input, float *boxes,
               float *scores, struct lip_error *err)
{
    struct nn_tensor in = {.name = "image",
                           .type = NN_F32,
                           .n_dims = 4,
                           .dims = {1, d->input_px, d->input_px, 3},
                           .data = input};
    struct nn_tensor out[2] = {{.name = "regressors",
                                .type = NN_F32,
                                .n_dims = 2,
                                .dims = {d->n_anchors, VALUES},
                                .data = boxes},
                               {.name = "scores",
                                .type = NN_F32,
                                .n_dims = 1,
                                .dims = {d->n_anchors},
                                .data = scores}};
    return nn_model_run(model, &in, 1, out, 2, err);
}

int face_detect_window(const struct face_models *models, const struct data_film *film,
                       const struct data_frame *frame, const struct face_crop *window,
                       enum face_detect_range range, struct face_detection *ret_found,
                       size_t *ret_n, struct lip_error *err)
{
    const struct detector *d = &detectors[range];
    struct data_affine disp = face_crop_affine(window, d->input_px);
    struct image_crop crop = {.w = d->input_px,
                              .h = d->input_px,
                              .img_from_out = image_affine_multiply(film->img_from_disp, disp),
                              .scale = 2,
                              .offset = -1,
                              .border_zero = true};
    struct face_detection local[FACE_DETECTIONS_MAX];
    size_t n_pixels = (size_t)d->input_px * (size_t)d->input_px * 3, n = 0;
    size_t n_anchors = (size_t)d->n_anchors;
    float *memory = base_alloc((n_pixels + n_anchors * (VALUES + 1)) * sizeof *memory);
    if (!memory)
        return base_error_nomem(err, "face/detect");
    float *boxes = memory + n_pixels, *scores = boxes + n_anchors * VALUES;
    int r = image_crop_frame(frame, &crop, memory);
    if (r != LIP_OK)
        base_error_set(err, r, "face/detect", "cannot cut out the picture for the face detector");
    if (r == LIP_OK)
        r = run(range == FACE_DETECT_SHORT ? models->detector_short : models->detector_full, d,
                memory, boxes, scores, err);
    for (int i = 0; r == LIP_OK && i < d->n_anchors; i++) {
        float score = logistic(scores[i]);
        struct face_detection one;
        if (!(score >= d->min_score))
            continue;
        decode(range, boxes + (size_t)i * VALUES, i, score, &disp, &one);
        if (sane(&one))
            add(local, &n, &one);
    }
    if (r == LIP_OK) {
        face_detections_merge(local, &n);
        for (size_t i = 0; i < n; i++)
            add(ret_found, ret_n, &local[i]);
    }
    base_free(memory);
    return r;
}

float face_box_overlap(const struct data_box *a, const struct data_box *b)
{
    float w = fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0);
    float h = fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0);
    float both = w > 0 && h > 0 ? w * h : 0;
    float all = (a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0) - both;
    return all > 0 ? both / all : 0;
}

static void add_weighted(float *sum, const struct face_detection *d)
{
    const float *box = &d->box.x0, *points = &d->keypoints[0][0];
    for (int k = 0; k < 4; k++)
        sum[k] += d->score * box[k];
    for (int k = 0; k < 2 * FACE_KEYPOINTS; k++)
        sum[4 + k] += d->score * points[k];
}

void face_detections_merge(struct face_detection *found, size_t *n)
{
    struct face_detection merged[FACE_DETECTIONS_MAX];
    bool used[FACE_DETECTIONS_MAX] = {false};
    size_t n_merged = 0;
    for (;;) {
        size_t best = *n;
        for (size_t i = 0; i < *n; i++)
            if (!used[i] && (best == *n || found[i].score > found[best].score))
                best = i;
        if (best == *n)
            break;
        float sum[4 + 2 * FACE_KEYPOINTS] = {0}, weight = 0;
        for (size_t i = 0; i < *n; i++) {
            if (used[i] ||
                (i != best && face_box_overlap(&found[i].box, &found[best].box) <= OVERLAP))
                continue;
            used[i] = true;
            add_weighted(sum, &found[i]);
            weight += found[i].score;
        }
        struct face_detection *out = &merged[n_merged++];
        out->score = found[best].score;
        out->box = (struct data_box){sum[0] / weight, sum[1] / weight, sum[2] / weight,
                                     sum[3] / weight};
        for (int k = 0; k < FACE_KEYPOINTS; k++)
            for (int j = 0; j < 2; j++)
                out->keypoints[k][j] = sum[4 + 2 * k + j] / weight;
    }
    memcpy(found, merged, n_merged * sizeof *found);
    *n = n_merged;
}

/* Half as large again as the box, level with the eyes: what the mesh was trained on. */
struct face_crop face_detection_crop(const struct face_detection *d)
{
    float w = d->box.x1 - d->box.x0, h = d->box.y1 - d->box.y0;
    return (struct face_crop){.cx = .5 * ((double)d->box.x0 + d->box.x1),
                              .cy = .5 * ((double)d->box.y0 + d->box.y1),
                              .size = 1.5 * (w > h ? w : h),
                              .angle_rad = atan2((double)d->keypoints[1][1] - d->keypoints[0][1],
                                                 (double)d->keypoints[1][0] - d->keypoints[0][0])};
}
