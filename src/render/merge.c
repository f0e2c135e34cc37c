/* SPDX-License-Identifier: MIT
 *
 * Banks of several films of one person. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define WHERE "render/merge"
#define SKIN_FROM 1.5f /* the lips grown so much … */
#define SKIN_TO 2.2f
#define TINT_MAX 4.f
#define APART 1024 /* frames between two films: more than any run or step of the walk; a multiple
                      of the runs in which frames are kept */

int render_bank_append(struct data_bank *into, struct data_bank *from, struct lip_error *err)
{
    if (into->n + from->n > DATA_BANK_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "a bank has at most %d mouths",
                              DATA_BANK_MAX);
    int status = base_grow(&into->entries, &into->cap, into->n + from->n + 1, DATA_BANK_MAX + 1,
                           sizeof *into->entries);
    if (status)
        return base_error_nomem(err, WHERE);
    int64_t first = 0;
    if (into->n)
        first = (into->entries[into->n - 1].frame / APART + 2) * APART;
    for (size_t i = 0; i < from->n; i++) {
        into->entries[into->n] = from->entries[i];
        into->entries[into->n++].frame += first;
        from->entries[i].rgb = NULL; /* it belongs to the other one now */
    }
    data_bank_done(from);
    return render_bank_finish(into) ? base_error_nomem(err, WHERE) : LIP_OK;
}

static int plan_of(const struct data_bank *bank, const struct render_bank_params *params,
                   int64_t **ret_frames, size_t *ret_n)
{
    struct render_bank_plan *plan = NULL;
    struct data_face_geom *geom = base_alloc_zero(sizeof *geom);
    int status = geom ? render_bank_plan_create(params, &plan) : LIP_ERR_NOMEM;
    for (size_t i = 0; i < bank->n && !status; i++) {
        const struct data_bank_entry *e = &bank->entries[i];
        geom->valid = true;
        geom->frame = e->frame;
        geom->scale = e->scale_px;
        geom->yaw_rad = e->yaw_rad;
        geom->pitch_rad = e->pitch_rad;
        geom->roll_rad = e->roll_rad;
        geom->opening = e->opening;
        geom->width = e->width;
        memcpy(geom->canon, e->canon, sizeof geom->canon);
        status = render_bank_plan_push(plan, geom);
    }
    base_free(geom);
    int64_t *frames = NULL;
    size_t n = 0;
    int finished = plan ? render_bank_plan_finish(&plan, &frames, &n) : LIP_OK;
    status = status ? status : finished;
    if (status) {
        base_free(frames);
        return status;
    }
    *ret_frames = frames;
    *ret_n = n;
    return LIP_OK;
}

int render_bank_thin(struct data_bank *bank, const struct render_bank_params *params,
                     struct lip_error *err)
{
    int64_t *frames = NULL;
    size_t n_frames = 0, n = 0, at = 0;
    if (plan_of(bank, params, &frames, &n_frames))
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < bank->n; i++) {
        struct data_bank_entry *e = &bank->entries[i];
        while (at < n_frames && frames[at] < e->frame)
            at++;
        if (at < n_frames && frames[at] == e->frame)
            bank->entries[n++] = *e;
        else
            base_free(e->rgb);
    }
    bank->n = n;
    base_free(frames);
    return render_bank_finish(bank) ? base_error_nomem(err, WHERE) : LIP_OK;
}

/* Light ---------------------------------------------------------------------------------------- */

/* Mean colour of the skin around the lips; false when none of it is in the picture. */
static bool skin_of(const struct data_bank_entry *e, uint8_t *lips, uint8_t *around, float ret[3])
{
    double sum[3] = {0, 0, 0}, n = 0;
    render_lips_fill(e->patch_pts, SKIN_FROM, 0, 0, e->width_px, e->height_px, lips);
    render_lips_fill(e->patch_pts, SKIN_TO, 0, 0, e->width_px, e->height_px, around);
    for (size_t i = 0; i < (size_t)e->width_px * (size_t)e->height_px; i++) {
        if (lips[i] || !around[i])
            continue;
        for (size_t c = 0; c < 3; c++)
            sum[c] += (double)e->rgb[3 * i + c] / 65535;
        n++;
    }
    for (int c = 0; c < 3; c++)
        ret[c] = n > 0 ? (float)(sum[c] / n) : 0;
    return n > 0;
}

int render_bank_skin(const struct data_bank *bank, float ret_rgb[3])
{
    size_t most = 0, n = 0;
    for (size_t i = 0; i < bank->n; i++) {
        size_t px = (size_t)bank->entries[i].width_px * (size_t)bank->entries[i].height_px;
        most = px > most ? px : most;
    }
    float *means = base_alloc_array(3 * bank->n + 1, sizeof *means);
    uint8_t *masks = base_alloc_array(most + 1, 2);
    int status = means && masks ? LIP_OK : LIP_ERR_NOMEM;
    memset(ret_rgb, 0, 3 * sizeof *ret_rgb);
    for (size_t i = 0; i < bank->n && status == LIP_OK; i++) {
        float one[3];
        if (!skin_of(&bank->entries[i], masks, masks + most, one))
            continue;
        for (size_t c = 0; c < 3; c++)
            means[c * bank->n + n] = one[c];
        n++;
    }
    for (size_t c = 0; c < 3; c++)
        ret_rgb[c] = render_median(means + c * bank->n, n);
    base_free(means);
    base_free(masks);
    return status;
}

void render_bank_tint(struct data_bank *bank, const float from_rgb[3], const float to_rgb[3])
{
    float gain[3];
    for (int c = 0; c < 3; c++) {
        if (!(from_rgb[c] > 0) || !(to_rgb[c] > 0))
            return;
        gain[c] = fminf(fmaxf(to_rgb[c] / from_rgb[c], 1 / TINT_MAX), TINT_MAX);
    }
    for (size_t i = 0; i < bank->n; i++) {
        struct data_bank_entry *e = &bank->entries[i];
        for (size_t k = 0; k < 3 * (size_t)e->width_px * (size_t)e->height_px; k++)
            e->rgb[k] = (uint16_t)fminf(gain[k % 3] * (float)e->rgb[k] + .5f, 65535);
        e->slopes[0] = e->slopes[1] = 0; /* of the old light */
    }
}
