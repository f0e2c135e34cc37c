/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share with one another (and with their tests). */
#ifndef FACE_PARTS_H
#define FACE_PARTS_H

#include "face/face.h"
#include "image/image.h"

/* topology.c */
#define FACE_N_LIPS 80
#define FACE_N_EYE 71
extern const uint16_t face_lip_points[FACE_N_LIPS];
extern const uint16_t face_left_eye_points[FACE_N_EYE];
extern const uint16_t face_right_eye_points[FACE_N_EYE];

/* A crop's place: a square of DISP, turned. */
struct face_crop {
    double cx, cy, size, angle_rad; /* DISP pixels; angle from x towards y */
};
/* DISP from the crop's own pixels, 0..px on both sides. */
struct data_affine face_crop_affine(const struct face_crop *crop, int px);

/* models.c */
struct face_models {
    struct nn_model *detector_short, *detector_full, *mesh;
    struct nn_model *faceprint; /* NULL: there is none */
};

/* detect.c: boxes in a picture ----------------------------------------------------------------- */
#define FACE_DETECTIONS_MAX 32
#define FACE_KEYPOINTS 6 /* eye at the image's left, eye at its right, nose, mouth, two ears */

struct face_detection {
    float score;         /* 0..1 */
    struct data_box box; /* DISP */
    float keypoints[FACE_KEYPOINTS][2];
};

enum face_detect_range { FACE_DETECT_SHORT, FACE_DETECT_FULL };

/* Looks into a square of DISP and adds what it finds to ret_found (FACE_DETECTIONS_MAX long). */
int face_detect_window(const struct face_models *models, const struct data_film *film,
                       const struct data_frame *frame, const struct face_crop *window,
                       enum face_detect_range range, struct face_detection *ret_found,
                       size_t *ret_n, struct lip_error *err);
/* Weighted non-maximum suppression in place: those that overlap are averaged by score. */
void face_detections_merge(struct face_detection *found, size_t *n);
/* Where the mesh should look for the face of a detection. */
struct face_crop face_detection_crop(const struct face_detection *found);

/* mesh.c: points of one face ------------------------------------------------------------------- */
/* One look of the net: points in DISP, flag 0..1. */
int face_mesh_run(const struct face_models *models, const struct data_film *film,
                  const struct data_frame *frame, const struct face_crop *crop, int n_crops,
                  float ret_points[DATA_FACE_POINTS][3], float *ret_flag, struct lip_error *err);
struct face_crop face_points_crop(const float points[DATA_FACE_POINTS][3]);

/* shots.c: where one camera take ends ---------------------------------------------------------- */
#define FACE_THUMB_W 64
#define FACE_THUMB_H 32
#define FACE_SHOT_MEMORY 3
#define FACE_SHOT_HISTORY 8
#define FACE_HISTOGRAM_BINS 32

struct face_thumb {
    uint8_t luma[FACE_THUMB_H][FACE_THUMB_W];
    float histogram[FACE_HISTOGRAM_BINS];
};

struct face_shots {
    struct face_thumb memory[FACE_SHOT_MEMORY]; /* the last frames that count, newest first */
    int32_t n_memory;
    int32_t n_blank;                   /* burnt-out frames since the last one that counted */
    float history[FACE_SHOT_HISTORY];  /* the last differences, newest first */
    int32_t n_history;
};

void face_thumb_make(const struct data_frame *frame, struct face_thumb *ret_thumb);
/* 0 = same picture, about 1 = another one; blind to a change of light and to small motion. */
float face_thumb_difference(const struct face_thumb *a, const struct face_thumb *b);
float face_thumb_histogram_distance(const struct face_thumb *a, const struct face_thumb *b);
/* True when a new shot begins with this frame; never for the first one. */
bool face_shots_push(struct face_shots *shots, const struct face_thumb *thumb);

/* pose.c --------------------------------------------------------------------------------------- */
/* to = scale * rot * from + trans */
struct face_pose {
    double scale, rot[9], trans[3];
};

/* The similarity that brings `from` nearest to `to` over the listed points (least squares).
 * False (and the identity) when the points have no extent. ret_rms may be NULL. */
bool face_pose_fit(const float (*from)[3], const float (*to)[3], const uint16_t *points, size_t n,
                   struct face_pose *ret_pose, double *ret_rms);
void face_pose_invert(const struct face_pose *pose, struct face_pose *ret_inverse);
void face_pose_apply(const struct face_pose *pose, const float (*in)[3], size_t n,
                     float (*ret_out)[3]);
void face_rotation_from_vector(const double vector[3], double ret_rot[9]);
void face_rotation_to_vector(const double rot[9], double ret_vector[3]);
void face_rotation_angles(const double rot[9], float *ret_yaw, float *ret_pitch, float *ret_roll);

#endif
