/* SPDX-License-Identifier: MIT
 *
 * One head seen in two films. The mesh sees it a little differently each time (lens, height of
 * the camera, light), so shapes learnt in one are brought over to the other before they are
 * compared. */
#include <math.h>
#include <string.h>

#include "face/parts.h"

bool face_person_match(const struct data_person *from, const struct data_person *to,
                       struct face_match *ret_match)
{
    struct face_match m = {0};
    struct face_pose pose;
    double rms = 0, back[9];
    if (!face_pose_fit(from->canon, to->canon, face_stable_points, FACE_N_STABLE, &pose, &rms) ||
        !isfinite(rms) || !isfinite(pose.scale) || !(pose.scale > .5) || !(pose.scale < 2))
        return false;
    m.distance = (float)rms;
    m.scale = (float)pose.scale;
    for (int k = 0; k < 9; k++) {
        m.rot[k] = (float)pose.rot[k];
        back[k] = pose.rot[k % 3 * 3 + k / 3];
    }
    for (int k = 0; k < 3; k++)
        m.trans[k] = (float)pose.trans[k];
    face_rotation_angles(back, &m.yaw_rad, &m.pitch_rad, &m.roll_rad);
    memset(m.shift, 0, sizeof m.shift);
    float rest[DATA_FACE_POINTS][3];
    memcpy(rest, from->rest, sizeof rest);
    face_match_shape(&m, rest);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int k = 0; k < 3; k++)
            m.shift[p][k] = to->rest[p][k] - rest[p][k];
    *ret_match = m;
    return true;
}

void face_match_shape(const struct face_match *m, float shape[DATA_FACE_POINTS][3])
{
    for (int p = 0; p < DATA_FACE_POINTS; p++) {
        float x = shape[p][0], y = shape[p][1], z = shape[p][2];
        for (int k = 0; k < 3; k++)
            shape[p][k] = m->scale * (m->rot[3 * k] * x + m->rot[3 * k + 1] * y +
                                      m->rot[3 * k + 2] * z) +
                          m->trans[k] + m->shift[p][k];
    }
}
