/* SPDX-License-Identifier: MIT
 *
 * What is said, as it is seen: the trunk with a head of one row per viseme. */
#include <math.h>

#include "base/alloc.h"
#include "motion/internal.h"

struct motion_visemes {
    const struct motion_model *model;
    struct motion_trunk *trunk;
};

int motion_visemes_create(const struct motion_model *model, struct motion_visemes **ret_visemes,
                          struct lip_error *err)
{
    struct motion_visemes *visemes = base_alloc_zero(sizeof(*visemes));

    if (!visemes)
        return base_error_nomem(err, "motion/visemes");
    visemes->model = model;
    if (motion_trunk_create(model, &visemes->trunk) < 0) {
        motion_visemes_destroy(&visemes);
        return base_error_nomem(err, "motion/visemes");
    }
    *ret_visemes = visemes;
    return 0;
}

void motion_visemes_destroy(struct motion_visemes **visemes)
{
    if (!visemes || !*visemes)
        return;
    motion_trunk_destroy(&(*visemes)->trunk);
    base_free(*visemes);
    *visemes = NULL;
}

int motion_visemes_push(struct motion_visemes *visemes, const struct data_sound_row *row,
                        struct lip_error *err)
{
    return motion_trunk_push(visemes->trunk, row) < 0 ? base_error_nomem(err, "motion/visemes") : 0;
}

int motion_visemes_flush(struct motion_visemes *visemes, struct lip_error *err)
{
    return motion_trunk_flush(visemes->trunk) < 0 ? base_error_nomem(err, "motion/visemes") : 0;
}

bool motion_visemes_pull(struct motion_visemes *visemes, float ret_shares[DATA_VISEMES])
{
    const float *features;
    float voice, largest = -INFINITY, sum = 0.0f;

    if (!motion_trunk_pull(visemes->trunk, &features, &voice))
        return false;
    motion_head_apply(&visemes->model->head, features, ret_shares);
    for (int v = 0; v < DATA_VISEMES; v++)
        largest = fmaxf(largest, ret_shares[v]);
    for (int v = 0; v < DATA_VISEMES; v++)
        sum += ret_shares[v] = expf(ret_shares[v] - largest);
    for (int v = 0; v < DATA_VISEMES; v++)
        ret_shares[v] /= sum;
    return true;
}
