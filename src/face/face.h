/* SPDX-License-Identifier: MIT
 *
 * Faces: find, follow, measure. Pass 1 pushes every frame in order through a face_analyzer, which
 * gives observations, shots and tracks. After that, face_person_learn and face_smoother turn
 * observations into geometry. Objects are single-threaded. */
#ifndef FACE_FACE_H
#define FACE_FACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/face.h"
#include "data/film.h"
#include "data/frame.h"
#include "nn/nn.h"

/* topology.c: lists of point numbers, all from the MediaPipe face mesh ------------------------- */
#define FACE_N_STABLE 70
extern const uint16_t face_stable_points[FACE_N_STABLE]; /* do not move with speech */
extern const size_t face_n_stable_points;

/* analyzer.c ----------------------------------------------------------------------------------- */
struct face_models; /* detector (short and full range) and mesh, shared and immutable */

/* models_dir holds face_detector_short.onnx, face_detector_full.onnx, face_mesh.onnx and, if people
 * are to be recognised again, faceprint.onnx. */
int face_models_open(struct nn_runtime *runtime, const char *models_dir,
                     struct face_models **ret_models, struct lip_error *err);
void face_models_close(struct face_models **models);

struct face_analyzer;

struct face_analyzer_params {
    int n_faces_max;   /* followed at once, 1..16; default 4 */
    int n_crops;       /* landmark ensemble: 1 or 3 slightly different crops averaged */
    float min_size_px; /* DISP face width below which a face is not followed; default 24 */
    int detect_every;  /* frames between looks for new faces; default 8; also at each cut */
};
void face_analyzer_params_default(struct face_analyzer_params *params);

int face_analyzer_create(const struct face_models *models, const struct data_film *film,
                         const struct face_analyzer_params *params,
                         struct face_analyzer **ret_analyzer, struct lip_error *err);
void face_analyzer_destroy(struct face_analyzer **analyzer);

/* The next frame. Observations of this frame into ret_faces (at most n_faces_max), count in ret_n;
 * *ret_shot_start true when a new shot begins with this frame. */
int face_analyzer_push(struct face_analyzer *analyzer, const struct data_frame *frame,
                       struct data_face_obs *ret_faces, size_t *ret_n, bool *ret_shot_start,
                       struct lip_error *err);
/* Whether the net that knows who it is looks at faces; at first it does. */
void face_analyzer_recognise(struct face_analyzer *analyzer, bool on);
/* What the net that knows who it is said of faces of the last pushed frame; a few frames of each
 * track are looked at. Valid until the next push; none without that net. */
size_t face_analyzer_faceprints(const struct face_analyzer *analyzer,
                                const struct data_faceprint **ret_faceprints);

/* Tracks and shots from the observations of a whole film, read once in frame order (`ret_faces` has
 * room for FACE_PER_FRAME_MAX). The arrays are base memory, the caller's; NULL when empty. Tracks
 * come in the order of their ids. Errors: those of `next`, LIP_ERR_LIMIT, LIP_ERR_NOMEM. */
#define FACE_PER_FRAME_MAX 16
int face_tracks_collect(void *user,
                        int (*next)(void *user, struct data_face_obs *ret_faces, size_t *ret_n,
                                    bool *ret_shot_start), /* 1 = a frame, 0 = end, < 0 = error */
                        struct data_track **ret_tracks, size_t *ret_n_tracks,
                        struct data_shot **ret_shots, size_t *ret_n_shots, struct lip_error *err);
/* look.c: the points of a face in a frame, with one look of the net near where it is known to be
 * (DISP). ret_geom->confidence says whether a face was found; nothing is smoothed. Thread-safe. */
int face_look(const struct face_models *models, const struct data_film *film,
              const struct data_person *person, const struct data_frame *frame,
              const float near_disp[DATA_FACE_POINTS][3], struct data_face_geom *ret_geom,
              struct lip_error *err);

/* mesh.c */
struct data_box face_points_box(const float points[DATA_FACE_POINTS][3]);
/* Intersection over union. */
float face_box_overlap(const struct data_box *a, const struct data_box *b);

/* person.c, pose.c ----------------------------------------------------------------------------- */

/* Canonical shape, resting mouth and personal ranges from observations of one person (all of them,
 * or a spread sample of at most some thousands): generalised Procrustes on the stable points.
 * Errors: LIP_ERR_NO_FACE when fewer than one usable observation, LIP_ERR_NOMEM. */
int face_person_learn(const struct data_face_obs *obs, size_t n, struct data_person *ret_person,
                      struct lip_error *err);

/* match.c: the same head in two films. shape' = scale rot shape + trans + shift: a similarity over
 * the points that do not move with speech, and what brings the one resting mouth to the other. */
struct face_match {
    float distance; /* rms over the stable points after the similarity, IOD: who is it */
    float scale, rot[9], trans[3];
    float yaw_rad, pitch_rad, roll_rad; /* to be added to the angles of the head that is brought
                                           over (small ones) */
    float shift[DATA_FACE_POINTS][3];
};
/* False when the two cannot be compared. */
bool face_person_match(const struct data_person *from, const struct data_person *to,
                       struct face_match *ret_match);
void face_match_shape(const struct face_match *match, float shape[DATA_FACE_POINTS][3]);

/* No frame farther away than this changes a frame's geometry. */
#define FACE_SMOOTHER_RADIUS 3

/* Zero-phase smoothing in a sliding window: push observations in frame order (obs NULL = the face
 * is not there in this frame), pull geometry of the same frames in the same order, a few frames
 * later. A gap (obs NULL or a jump of `frame`), a cut (`restart`) or the end closes the window.
 * Sigmas in frames: pose 0.7, translation 0.35, lips and jaw 0.6, closures kept. Pull until false
 * after each push (LIP_ERR_STATE when more than a dozen frames wait). `person` is borrowed. */
struct face_smoother;

int face_smoother_create(const struct data_person *person, struct face_smoother **ret_smoother);
void face_smoother_destroy(struct face_smoother **smoother);
int face_smoother_push(struct face_smoother *smoother, int64_t frame,
                       const struct data_face_obs *obs, bool restart);
void face_smoother_flush(struct face_smoother *smoother); /* no more pushes */
bool face_smoother_pull(struct face_smoother *smoother, struct data_face_geom *ret_geom);

/* Geometry of one observation without smoothing. */
void face_geom_from_obs(const struct data_person *person, const struct data_face_obs *obs,
                        struct data_face_geom *ret_geom);

#endif
