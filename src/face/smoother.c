/* SPDX-License-Identifier: MIT
 *
 * Geometry of each frame, lightly smoothed in time without delay (docs/design/face.md). */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/curve.h"
#include "face/parts.h"

#define RADIUS FACE_SMOOTHER_RADIUS /* weights beyond it are below 1e-4 of the middle's */
#define SLOTS 16
#define POSE_SIGMA 0.7
#define TRANS_SIGMA 0.35
#define SHAPE_SIGMA 0.6
#define CLOSURE_RANGE 0.02f /* IOD */

struct slot {
    bool valid, restart; /* restart: nothing before this frame belongs to it */
    struct face_pose pose; /* CANON -> DISP, raw */
    float opening;         /* raw */
    struct data_face_geom geom; /* canon raw here, smoothed when handed out */
};

struct face_smoother {
    const struct data_person *person;
    struct slot slots[SLOTS];
    int64_t n_pushed, n_pulled; /* frames so far; frame i lies in slot i % SLOTS */
    int64_t last_frame;
    bool flushed;
};

static void set_geom_pose(struct data_face_geom *geom, const struct face_pose *pose)
{
    geom->scale = (float)pose->scale;
    for (int k = 0; k < 9; k++)
        geom->rot[k] = (float)pose->rot[k];
    for (int k = 0; k < 3; k++)
        geom->trans[k] = (float)pose->trans[k];
    face_rotation_angles(pose->rot, &geom->yaw_rad, &geom->pitch_rad, &geom->roll_rad);
}

static void raw_geom(const struct data_person *person, const struct data_face_obs *obs,
                     struct face_pose *ret_pose, struct data_face_geom *ret_geom)
{
    struct face_pose inverse;
    *ret_geom = (struct data_face_geom){.frame = obs->frame};
    if (!face_pose_fit(person->canon, obs->points, face_stable_points, FACE_N_STABLE, ret_pose,
                       NULL))
        return;
    face_pose_invert(ret_pose, &inverse);
    set_geom_pose(ret_geom, ret_pose);
    memcpy(ret_geom->disp, obs->points, sizeof ret_geom->disp);
    face_pose_apply(&inverse, obs->points, DATA_FACE_POINTS, ret_geom->canon);
    ret_geom->opening = data_mouth_opening(ret_geom->canon);
    ret_geom->width = data_mouth_width(ret_geom->canon);
    ret_geom->confidence = obs->confidence;
    ret_geom->valid = true;
}

void face_geom_from_obs(const struct data_person *person, const struct data_face_obs *obs,
                        struct data_face_geom *ret_geom)
{
    struct face_pose pose;
    raw_geom(person, obs, &pose, ret_geom);
}

int face_smoother_create(const struct data_person *person, struct face_smoother **ret_smoother)
{
    struct face_smoother *s = base_alloc_zero(sizeof *s);
    if (!s)
        return LIP_ERR_NOMEM;
    s->person = person;
    *ret_smoother = s;
    return LIP_OK;
}

void face_smoother_destroy(struct face_smoother **smoother)
{
    if (!smoother || !*smoother)
        return;
    base_free(*smoother);
    *smoother = NULL;
}

int face_smoother_push(struct face_smoother *s, int64_t frame, const struct data_face_obs *obs,
                       bool restart)
{
    if (s->flushed || s->n_pushed - s->n_pulled >= SLOTS - RADIUS)
        return LIP_ERR_STATE; /* the caller pulls between pushes */
    struct slot *slot = &s->slots[s->n_pushed % SLOTS];
    if (obs) {
        raw_geom(s->person, obs, &slot->pose, &slot->geom);
    } else {
        slot->geom = (struct data_face_geom){0};
    }
    slot->geom.frame = frame;
    slot->valid = slot->geom.valid;
    slot->opening = slot->geom.opening;
    slot->restart = restart || (s->n_pushed > 0 && frame != s->last_frame + 1);
    s->last_frame = frame;
    s->n_pushed++;
    return LIP_OK;
}

void face_smoother_flush(struct face_smoother *s)
{
    s->flushed = true;
}

static const struct slot *slot_at(const struct face_smoother *s, int64_t i)
{
    return &s->slots[i % SLOTS];
}

/* How many frames to each side belong together with frame i. The window is the same to both sides,
 * so that a steady motion is not shifted at its ends. */
static int window_radius(const struct face_smoother *s, int64_t i)
{
    int left = 0, right = 0;
    while (left < RADIUS && i - left > 0 && !slot_at(s, i - left)->restart &&
           slot_at(s, i - left - 1)->valid)
        left++;
    while (right < RADIUS && i + right + 1 < s->n_pushed && slot_at(s, i + right + 1)->valid &&
           !slot_at(s, i + right + 1)->restart)
        right++;
    return left < right ? left : right;
}

/* weights[RADIUS + d] for d = -radius..radius, sum 1 */
static void gaussian(double sigma, int radius, double ret_weights[2 * RADIUS + 1])
{
    double sum = 0;
    for (int d = -radius; d <= radius; d++)
        sum += ret_weights[RADIUS + d] = exp(-.5 * d * d / (sigma * sigma));
    for (int d = -radius; d <= radius; d++)
        ret_weights[RADIUS + d] /= sum;
}

static void smooth_pose(const struct face_smoother *s, int64_t i, int radius,
                        struct face_pose *ret_pose)
{
    const struct face_pose *middle = &slot_at(s, i)->pose;
    double w[2 * RADIUS + 1], w_trans[2 * RADIUS + 1];
    double scale = 0, turn[3] = {0}, trans[3] = {0}, relative[9], vector[3], step[9];
    gaussian(POSE_SIGMA, radius, w);
    gaussian(TRANS_SIGMA, radius, w_trans);
    for (int d = -radius; d <= radius; d++) {
        const struct face_pose *p = &slot_at(s, i + d)->pose;
        scale += w[RADIUS + d] * p->scale;
        for (int k = 0; k < 9; k++) { /* p->rot * middle->rot^T */
            const double *a = &p->rot[k / 3 * 3], *b = &middle->rot[k % 3 * 3];
            relative[k] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        }
        face_rotation_to_vector(relative, vector);
        for (int k = 0; k < 3; k++) {
            turn[k] += w[RADIUS + d] * vector[k];
            trans[k] += w_trans[RADIUS + d] * p->trans[k];
        }
    }
    face_rotation_from_vector(turn, step);
    ret_pose->scale = scale;
    for (int k = 0; k < 9; k++) {
        const double *a = &step[k / 3 * 3], *b = &middle->rot[k % 3];
        ret_pose->rot[k] = a[0] * b[0] + a[1] * b[3] + a[2] * b[6];
    }
    memcpy(ret_pose->trans, trans, sizeof trans);
}

/* Smoothed shape, except where that would open lips which were closed (renderer's closure guard):
 * w = clip((opening smoothed - opening raw) / 0.02), shape = smoothed (1 - w) + raw w. */
static void smooth_shape(const struct face_smoother *s, int64_t i, int radius,
                         struct data_face_geom *geom)
{
    double w[2 * RADIUS + 1];
    const struct slot *middle = slot_at(s, i);
    gaussian(SHAPE_SIGMA, radius, w);
    for (int p = 0; p < DATA_FACE_POINTS; p++) {
        for (int k = 0; k < 3; k++) {
            double sum = 0;
            for (int d = -radius; d <= radius; d++)
                sum += w[RADIUS + d] * slot_at(s, i + d)->geom.canon[p][k];
            geom->canon[p][k] = (float)sum;
        }
    }
    float raw = (data_mouth_opening(geom->canon) - middle->opening) / CLOSURE_RANGE;
    raw = raw < 0 ? 0 : raw > 1 ? 1 : raw;
    for (int p = 0; p < DATA_FACE_POINTS && raw > 0; p++)
        for (int k = 0; k < 3; k++)
            geom->canon[p][k] += raw * (middle->geom.canon[p][k] - geom->canon[p][k]);
    geom->opening = data_mouth_opening(geom->canon);
    geom->width = data_mouth_width(geom->canon);
}

bool face_smoother_pull(struct face_smoother *s, struct data_face_geom *ret_geom)
{
    int64_t i = s->n_pulled;
    if (i >= s->n_pushed || (!s->flushed && i + RADIUS >= s->n_pushed))
        return false;
    const struct slot *slot = slot_at(s, i);
    *ret_geom = slot->geom;
    if (slot->valid) {
        struct face_pose pose;
        int radius = window_radius(s, i);
        smooth_pose(s, i, radius, &pose);
        set_geom_pose(ret_geom, &pose);
        smooth_shape(s, i, radius, ret_geom);
    }
    s->n_pulled++;
    return true;
}
