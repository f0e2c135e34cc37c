/* SPDX-License-Identifier: MIT
 *
 * One look at a face whose place is known: finished pictures are measured with it. */
#include "base/alloc.h"
#include "face/parts.h"

int face_look(const struct face_models *models, const struct data_film *film,
              const struct data_person *person, const struct data_frame *frame,
              const float near_disp[DATA_FACE_POINTS][3], struct data_face_geom *ret_geom,
              struct lip_error *err)
{
    struct data_face_obs *obs = base_alloc_zero(sizeof *obs);
    if (!obs)
        return base_error_nomem(err, "face/look");
    struct face_crop crop = face_points_crop(near_disp);
    int r = face_mesh_run(models, film, frame, &crop, 1, obs->points, &obs->confidence, err);
    if (!r)
        face_geom_from_obs(person, obs, ret_geom);
    base_free(obs);
    return r;
}
