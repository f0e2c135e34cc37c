/* SPDX-License-Identifier: MIT */
#include "engine/geometry.h"

#include "base/alloc.h"
#include "base/status.h"

#define WHERE "engine/geometry"

int geometry_init(struct geometry *g, struct data_score *score, const struct speaker_face *face,
                  struct lip_error *err)
{
    *g = (struct geometry){.score = score, .face = face};
    for (int i = 0; i < GEOMETRY_KEPT; i++)
        g->kept_frame[i] = -1;
    g->kept = base_alloc_array(GEOMETRY_KEPT, sizeof *g->kept);
    g->scratch = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *g->scratch);
    if (g->kept && g->scratch)
        return LIP_OK;
    geometry_done(g);
    return base_error_nomem(err, WHERE);
}

void geometry_done(struct geometry *g)
{
    base_free(g->kept);
    base_free(g->scratch);
    g->kept = g->scratch = NULL;
}

static bool is_mine(const struct speaker_face *face, int32_t track)
{
    for (size_t i = 0; i < face->n_tracks; i++)
        if (face->track_ids[i] == track)
            return true;
    return false;
}

int geometry_obs(struct geometry *g, int64_t frame, const struct data_face_obs **ret_obs,
                 struct lip_error *err)
{
    *ret_obs = NULL;
    if (frame < 0 || frame >= data_score_n_frames(g->score))
        return LIP_OK;
    size_t slot = (size_t)(frame % GEOMETRY_KEPT), n = 0;
    if (g->kept_frame[slot] != frame) {
        int r = data_score_read_faces(g->score, frame, g->scratch, &n, err);
        if (r)
            return r;
        g->kept_frame[slot] = frame;
        g->kept_valid[slot] = false;
        for (size_t i = 0; i < n && !g->kept_valid[slot]; i++) {
            if (!is_mine(g->face, g->scratch[i].track))
                continue;
            g->kept[slot] = g->scratch[i];
            g->kept_valid[slot] = true;
        }
    }
    if (g->kept_valid[slot])
        *ret_obs = &g->kept[slot];
    return LIP_OK;
}

int geometry_at(struct geometry *g, int64_t frame, struct data_face_geom *ret_geom,
                struct lip_error *err)
{
    ret_geom->valid = false;
    ret_geom->frame = frame;
    const struct data_face_obs *obs = NULL;
    int r = geometry_obs(g, frame, &obs, err);
    if (r || !obs)
        return r;
    struct face_smoother *smoother = NULL;
    r = face_smoother_create(g->person, &smoother);
    if (r)
        return base_error_nomem(err, WHERE);
    for (int64_t f = frame - FACE_SMOOTHER_RADIUS; f <= frame + FACE_SMOOTHER_RADIUS && !r; f++) {
        const struct data_score_frame *head = data_score_frame(g->score, f);
        if (!head)
            continue;
        r = geometry_obs(g, f, &obs, err);
        if (!r && face_smoother_push(smoother, f, obs, head->shot_start))
            r = base_error_nomem(err, WHERE);
    }
    face_smoother_flush(smoother);
    bool found = false;
    while (!r && !found && face_smoother_pull(smoother, ret_geom))
        found = ret_geom->frame == frame;
    if (!found)
        ret_geom->valid = false;
    face_smoother_destroy(&smoother);
    return r;
}
