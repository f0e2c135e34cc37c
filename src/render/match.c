/* SPDX-License-Identifier: MIT
 * How badly an entry of the bank fits a wish in a pose; the same measure for the walk and for the
 * low band. */
#include "render/parts.h"

#define NEAR_COST .7f /* so much worse, an entry counts 1/e in the low band */

void render_lips_of(const float p[DATA_FACE_POINTS][3], float ret[RENDER_LIPS_N * 3])
{
    for (int i = 0; i < RENDER_LIPS_N; i++) {
        const float *q = p[render_lips[i]];
        ret[i] = q[0];
        ret[RENDER_LIPS_N + i] = q[1];
        ret[2 * RENDER_LIPS_N + i] = .35f * q[2];
    }
}

static float square(float x)
{
    return x * x;
}

void render_wanted_make(const struct data_face_geom *geom, const float wish[DATA_FACE_POINTS][3],
                        struct render_wanted *w)
{
    float dx = wish[78][0] - wish[308][0], dy = wish[78][1] - wish[308][1];
    float dz = wish[78][2] - wish[308][2];
    render_lips_of(wish, w->lips);
    w->opening = render_opening(wish);
    w->width = sqrtf(dx * dx + dy * dy + dz * dz);
    w->lip_z = .5f * (wish[13][2] + wish[14][2]);
    w->posed = geom->valid;
    w->yaw_rad = geom->yaw_rad;
    w->pitch_rad = geom->pitch_rad;
    w->roll_rad = geom->roll_rad;
}

float render_wanted_cost(const struct render_wanted *w, const struct data_bank *bank, size_t entry,
                         const float lips[RENDER_LIPS_N * 3])
{
    const float deg = 57.29578f;
    const struct data_bank_entry *e = &bank->entries[entry];
    float sum = 0, median = bank->sharpness_median;
    for (int i = 0; i < RENDER_LIPS_N * 3; i++)
        sum += square(w->lips[i] - lips[i]);
    /* Teeth can be hidden, not made: rather a mouth that is open too wide. (.016: differences
     * within the landmarks' noise do not count.) */
    float stretch = logf((w->opening + .016f) / (e->opening + .016f));
    float cost = sqrtf(sum / RENDER_LIPS_N) / .02f + .5f * fabsf(w->opening - e->opening) / .02f +
                 .35f * fabsf(logf((w->opening + .012f) / (e->opening + .012f))) +
                 4 * fmaxf(0, stretch - .1f) + .4f * fabsf(w->width - e->width) / .03f +
                 .3f * fabsf(w->lip_z - .5f * (e->canon[13][2] + e->canon[14][2])) / .03f;
    if (w->posed)
        cost += .6f * (square((w->yaw_rad - e->yaw_rad) * deg / 10) +
                       square((w->pitch_rad - e->pitch_rad) * deg / 10) +
                       square((w->roll_rad - e->roll_rad) * deg / 25));
    if (median > 0)
        cost += .6f * fmaxf(0, 1 - e->sharpness / median);
    return cost + e->burden;
}

void render_near_find(const struct data_bank *bank, const struct data_face_geom *geom,
                      const float wish[DATA_FACE_POINTS][3], int n_max, struct render_near *ret)
{
    struct render_wanted wanted;
    float lips[RENDER_LIPS_N * 3], cost[RENDER_NEAR_MAX], sum = 0;
    int n = 0;
    render_wanted_make(geom, wish, &wanted);
    n_max = n_max < RENDER_NEAR_MAX ? n_max : RENDER_NEAR_MAX;
    for (size_t b = 0; b < bank->n && n_max > 0; b++) {
        render_lips_of(bank->entries[b].canon, lips);
        float c = render_wanted_cost(&wanted, bank, b, lips);
        int at = n;
        for (; at > 0 && c < cost[at - 1]; at--)
            if (at < n_max) {
                cost[at] = cost[at - 1];
                ret->entry[at] = ret->entry[at - 1];
            }
        if (at < n_max) {
            cost[at] = c;
            ret->entry[at] = (int32_t)b;
        }
        n += n < n_max;
    }
    for (int k = 0; k < n; k++)
        sum += ret->weight[k] = expf((cost[0] - cost[k]) / NEAR_COST);
    for (int k = 0; k < n; k++)
        ret->weight[k] /= sum;
    ret->n = n;
    ret->cost = n ? cost[0] : 0;
}
