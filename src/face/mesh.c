/* SPDX-License-Identifier: MIT
 *
 * 478 points of a face: the attention mesh of MediaPipe (Grishchenko et al. 2020), whose lips, eyes
 * and irises are refined by looks of their own. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "face/parts.h"

#define INPUT_PX 192
#define CROP_MARGIN 1.5 /* crop side over the larger side of the face's box */

struct outputs {
    float mesh[DATA_MESH_POINTS][3];
    float lips[FACE_N_LIPS][2];
    float left_eye[FACE_N_EYE][2], right_eye[FACE_N_EYE][2];
    float left_iris[5][2], right_iris[5][2];
    float flag;
    float input[INPUT_PX * INPUT_PX * 3];
};

/* The three looks of the ensemble: landmark noise is halved when they are averaged. */
static const double crop_scale[3] = {1.00, 1.06, 0.95};
static const double crop_turn[3] = {0, .03, -.03};

static int run(const struct face_models *models, struct outputs *o, struct lip_error *err)
{
    struct nn_tensor in = {.name = "image",
                           .type = NN_F32,
                           .n_dims = 4,
                           .dims = {1, INPUT_PX, INPUT_PX, 3},
                           .data = o->input};
    struct nn_tensor out[] = {
        {.name = "mesh", .n_dims = 2, .dims = {DATA_MESH_POINTS, 3}, .data = o->mesh},
        {.name = "lips", .n_dims = 2, .dims = {FACE_N_LIPS, 2}, .data = o->lips},
        {.name = "left_eye", .n_dims = 2, .dims = {FACE_N_EYE, 2}, .data = o->left_eye},
        {.name = "right_eye", .n_dims = 2, .dims = {FACE_N_EYE, 2}, .data = o->right_eye},
        {.name = "left_iris", .n_dims = 2, .dims = {5, 2}, .data = o->left_iris},
        {.name = "right_iris", .n_dims = 2, .dims = {5, 2}, .data = o->right_iris},
        {.name = "face_flag", .n_dims = 1, .dims = {1}, .data = &o->flag},
    };
    return nn_model_run(models->mesh, &in, 1, out, sizeof out / sizeof out[0], err);
}

static void refine(const float (*from)[2], const uint16_t *numbers, int n,
                   float (*points)[3])
{
    for (int i = 0; i < n; i++) {
        points[numbers[i]][0] = from[i][0];
        points[numbers[i]][1] = from[i][1];
    }
}

/* The iris net knows no depth: the mean of its eye's rim (the first 16 points of the eye list). */
static void add_iris(const float (*iris)[2], const uint16_t *eye, float (*points)[3],
                     float (*ret_iris)[3])
{
    float z = 0;
    for (int i = 0; i < 16; i++)
        z += points[eye[i]][2] / 16;
    for (int i = 0; i < 5; i++) {
        ret_iris[i][0] = iris[i][0];
        ret_iris[i][1] = iris[i][1];
        ret_iris[i][2] = z;
    }
}

/* All outputs as 478 points in input pixels. */
static void assemble(const struct outputs *o, float points[DATA_FACE_POINTS][3])
{
    memcpy(points, o->mesh, sizeof o->mesh);
    refine(o->left_eye, face_left_eye_points, FACE_N_EYE, points);
    refine(o->right_eye, face_right_eye_points, FACE_N_EYE, points);
    refine(o->lips, face_lip_points, FACE_N_LIPS, points);
    add_iris(o->left_iris, face_left_eye_points, points, &points[DATA_MESH_POINTS]);
    add_iris(o->right_iris, face_right_eye_points, points, &points[DATA_MESH_POINTS + 5]);
}

static bool finite_points(float points[DATA_FACE_POINTS][3])
{
    for (int i = 0; i < DATA_FACE_POINTS; i++)
        for (int k = 0; k < 3; k++)
            if (!isfinite(points[i][k]))
                return false;
    return true;
}

static int look(const struct face_models *models, const struct data_film *film,
                const struct data_frame *frame, const struct face_crop *place, struct outputs *o,
                float points[DATA_FACE_POINTS][3], struct lip_error *err)
{
    struct data_affine disp = face_crop_affine(place, INPUT_PX);
    struct image_crop crop = {.w = INPUT_PX,
                              .h = INPUT_PX,
                              .img_from_out = image_affine_multiply(film->img_from_disp, disp),
                              .scale = 1};
    int r = image_crop_frame(frame, &crop, o->input);
    if (r != LIP_OK)
        return base_error_set(err, r, "face/mesh", "cannot cut out the face");
    r = run(models, o, err);
    if (r != LIP_OK)
        return r;
    assemble(o, points);
    if (!finite_points(points) || !isfinite(o->flag))
        o->flag = -100; /* a damaged net's numbers are no face */
    for (int i = 0; i < DATA_FACE_POINTS; i++) {
        double x, y;
        image_affine_apply(&disp, points[i][0], points[i][1], &x, &y);
        points[i][0] = (float)x;
        points[i][1] = (float)y;
        points[i][2] *= (float)(place->size / INPUT_PX);
    }
    return LIP_OK;
}

int face_mesh_run(const struct face_models *models, const struct data_film *film,
                  const struct data_frame *frame, const struct face_crop *place, int n_crops,
                  float ret_points[DATA_FACE_POINTS][3], float *ret_flag, struct lip_error *err)
{
    struct outputs *o = base_alloc(sizeof *o);
    float points[DATA_FACE_POINTS][3], sum[DATA_FACE_POINTS][3] = {{0}};
    float flag = 1;
    int r = o ? LIP_OK : base_error_nomem(err, "face/mesh");
    for (int c = 0; r == LIP_OK && c < n_crops; c++) {
        struct face_crop one = *place;
        one.size *= crop_scale[c];
        one.angle_rad += crop_turn[c];
        r = look(models, film, frame, &one, o, points, err);
        if (r != LIP_OK)
            break;
        float f = 1 / (1 + expf(-o->flag));
        flag = f < flag ? f : flag;
        for (int i = 0; i < DATA_FACE_POINTS; i++)
            for (int k = 0; k < 3; k++)
                sum[i][k] += points[i][k] / (float)n_crops;
    }
    if (r == LIP_OK) {
        memcpy(ret_points, sum, sizeof sum);
        *ret_flag = flag;
    }
    base_free(o);
    return r;
}

struct data_box face_points_box(const float points[DATA_FACE_POINTS][3])
{
    struct data_box b = {points[0][0], points[0][1], points[0][0], points[0][1]};
    for (int i = 1; i < DATA_MESH_POINTS; i++) {
        b.x0 = fminf(b.x0, points[i][0]);
        b.y0 = fminf(b.y0, points[i][1]);
        b.x1 = fmaxf(b.x1, points[i][0]);
        b.y1 = fmaxf(b.y1, points[i][1]);
    }
    return b;
}

struct face_crop face_points_crop(const float points[DATA_FACE_POINTS][3])
{
    double angle = atan2((double)points[263][1] - points[33][1],
                         (double)points[263][0] - points[33][0]);
    double c = cos(angle), s = sin(angle), x0 = 0, x1 = 0, y0 = 0, y1 = 0;
    for (int i = 0; i < DATA_MESH_POINTS; i++) {
        double x = c * points[i][0] + s * points[i][1], y = c * points[i][1] - s * points[i][0];
        x0 = i == 0 || x < x0 ? x : x0;
        x1 = i == 0 || x > x1 ? x : x1;
        y0 = i == 0 || y < y0 ? y : y0;
        y1 = i == 0 || y > y1 ? y : y1;
    }
    double mx = .5 * (x0 + x1), my = .5 * (y0 + y1);
    return (struct face_crop){.cx = c * mx - s * my,
                              .cy = s * mx + c * my,
                              .size = CROP_MARGIN * (x1 - x0 > y1 - y0 ? x1 - x0 : y1 - y0),
                              .angle_rad = angle};
}
