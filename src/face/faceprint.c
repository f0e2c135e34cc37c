/* SPDX-License-Identifier: MIT
 *
 * Who it is: the net that dlib's author made (King 2017, as face-api ships it) looks at a face that
 * is turned upright and scaled to the places of dlib's mean face. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "face/analyzer.h"

#define INPUT_PX 150
#define PADDING 0.25 /* around the mean face, of its side */
#define LOOKS_MAX 8  /* of one track */
#define BETTER 1.2f  /* a view so much better than those before is worth another look … */
#define APART 5      /* … so many frames after the last one */
#define SIZE_FULL_PX 90.f /* a face this wide fills the net's picture; a smaller one says less */
#define TURNED_MAX .45f /* nose beside the middle of the eyes, in their distance: a profile */

/* Points of the mesh and where they lie in the mean face (dlib's, unit square). */
static const struct {
    uint16_t point;
    double x, y;
} anchors[] = {
    {33, .121737, .216423}, {133, .334606, .231733}, {362, .645647, .231733},
    {263, .858516, .216423}, {1, .490127, .515625},  {2, .490127, .628106},
    {61, .254149, .780233},  {291, .726104, .780233},
};
#define N_ANCHORS (sizeof anchors / sizeof anchors[0])

/* The similarity in the plane that brings the chip's places nearest to the points. */
static struct data_affine chip_affine(const float points[DATA_FACE_POINTS][3])
{
    double mean[4] = {0}, dot = 0, cross = 0, spread = 0;
    double side = INPUT_PX / (1 + 2 * PADDING);
    for (size_t i = 0; i < N_ANCHORS; i++) {
        mean[0] += (anchors[i].x + PADDING) * side / N_ANCHORS;
        mean[1] += (anchors[i].y + PADDING) * side / N_ANCHORS;
        mean[2] += (double)points[anchors[i].point][0] / N_ANCHORS;
        mean[3] += (double)points[anchors[i].point][1] / N_ANCHORS;
    }
    for (size_t i = 0; i < N_ANCHORS; i++) {
        double x = (anchors[i].x + PADDING) * side - mean[0];
        double y = (anchors[i].y + PADDING) * side - mean[1];
        double u = (double)points[anchors[i].point][0] - mean[2];
        double v = (double)points[anchors[i].point][1] - mean[3];
        dot += x * u + y * v;
        cross += x * v - y * u;
        spread += x * x + y * y;
    }
    double c = dot / spread, s = cross / spread;
    return (struct data_affine){
        {c, -s, mean[2] - c * mean[0] + s * mean[1], s, c, mean[3] - s * mean[0] - c * mean[1]}};
}

/* 0: says nothing, 1: large, from the front and surely a face. */
static float view_quality(const struct face_track *t)
{
    const float(*p)[3] = (const float(*)[3])t->points;
    double ex = (double)p[263][0] - p[33][0], ey = (double)p[263][1] - p[33][1];
    double eyes = hypot(ex, ey);
    if (!(eyes > 1))
        return 0;
    double nx = (double)p[1][0] - .5 * ((double)p[263][0] + p[33][0]);
    double ny = (double)p[1][1] - .5 * ((double)p[263][1] + p[33][1]);
    float turned = (float)fabs((nx * ex + ny * ey) / (eyes * eyes)) / TURNED_MAX;
    struct data_box box = face_points_box(p);
    float size = fminf((box.x1 - box.x0) / SIZE_FULL_PX, 1);
    return fmaxf(t->confidence * size * (1 - turned), 0);
}

/* Early, then ever more rarely, and where it is seen better than ever before. */
static bool is_due(const struct face_track *t, float quality)
{
    static const int32_t ages[] = {2, 12, 60, 240, 960};
    if (!(quality > 0) || t->n_looks >= LOOKS_MAX)
        return false;
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
        if (t->n_seen == ages[i])
            return true;
    return t->n_looks > 0 && quality > BETTER * t->best_look && t->n_seen >= t->last_look + APART;
}

static int look(const struct face_models *models, const struct data_film *film,
                const struct data_frame *frame, const struct face_track *track,
                struct data_faceprint *ret_faceprint, struct lip_error *err)
{
    float *image = base_alloc_array((size_t)INPUT_PX * INPUT_PX * 3, sizeof *image);
    if (!image)
        return base_error_nomem(err, "face/faceprint");
    struct image_crop crop = {.w = INPUT_PX, .h = INPUT_PX, .scale = 1,
                              .img_from_out = image_affine_multiply(
                                  film->img_from_disp,
                                  chip_affine((const float(*)[3])track->points))};
    struct nn_tensor in = {.name = "image", .type = NN_F32, .n_dims = 4,
                           .dims = {1, INPUT_PX, INPUT_PX, 3}, .data = image};
    struct nn_tensor out = {.name = "faceprint", .type = NN_F32, .n_dims = 2,
                            .dims = {1, DATA_FACEPRINT_DIMS}, .data = ret_faceprint->v};
    int r = image_crop_frame(frame, &crop, image);
    r = r ? base_error_set(err, r, "face/faceprint", "cannot cut out the face")
          : nn_model_run(models->faceprint, &in, 1, &out, 1, err);
    base_free(image);
    return r;
}

int face_print_push(struct face_analyzer *a, const struct data_frame *frame,
                       struct lip_error *err)
{
    int r = LIP_OK;
    a->n_faceprints = 0;
    for (int32_t i = 0; i < a->n_tracks && !r; i++) {
        struct face_track *t = &a->tracks[i];
        if (t->n_missed > 0 || !a->models->faceprint)
            continue;
        float quality = view_quality(t);
        t->n_seen += t->n_seen < INT32_MAX;
        if (!a->recognises || !is_due(t, quality))
            continue;
        struct data_faceprint *l = &a->faceprints[a->n_faceprints];
        r = look(a->models, &a->film, frame, t, l, err);
        bool finite = true;
        for (int k = 0; k < DATA_FACEPRINT_DIMS && !r; k++)
            finite = finite && isfinite(l->v[k]);
        t->n_looks++;
        t->last_look = t->n_seen;
        t->best_look = fmaxf(t->best_look, quality);
        l->frame = a->next_frame;
        l->track = t->id;
        l->weight = quality;
        a->n_faceprints += finite;
    }
    return r;
}

size_t face_analyzer_faceprints(const struct face_analyzer *analyzer,
                                const struct data_faceprint **ret_faceprints)
{
    *ret_faceprints = analyzer->faceprints;
    return analyzer->n_faceprints;
}
