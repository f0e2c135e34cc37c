/* SPDX-License-Identifier: MIT
 *
 * Banks of several films of one person. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define WHERE "render/merge"
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
