/* SPDX-License-Identifier: MIT */
#include "engine/assign.h"

#include "base/alloc.h"

#define WHERE "engine/assign"
#define SNAP_MAX .5f /* face widths beside its box: farther away it is not the one that is meant */

void assign_done(struct assign *a)
{
    turns_done(&a->turns);
    boxes_done(&a->boxes);
    base_free(a->faces);
    a->faces = NULL;
}

static int know_faces(struct assign *a, struct lip_error *err)
{
    if (a->faces)
        return LIP_OK;
    a->faces = base_alloc_array(SPEAKER_FACES_MAX, sizeof *a->faces);
    if (!a->faces)
        return base_error_nomem(err, WHERE);
    return cast_list(a->score, a->faces, &a->n_faces, err);
}

static int know_turns(struct assign *a, const struct lip_job *job, struct lip_error *err)
{
    int r = know_faces(a, err);
    if (!r && !a->has_turns)
        r = turns_find(a->engine, job->film, a->score, a->faces, a->n_faces, a->progress,
                       &a->turns, err);
    a->has_turns = !r;
    return r;
}

static int know_boxes(struct assign *a, const struct lip_job *job, struct lip_error *err)
{
    int r = know_faces(a, err);
    if (!r && !a->has_boxes)
        r = boxes_open(job->face_boxes, &a->boxes, err);
    a->has_boxes = !r;
    return r;
}

/* Room for another face, or it is there already. */
static bool has_room(const struct roles *roles, int face)
{
    if (roles->n_casts < ROLES_CASTS_MAX)
        return true;
    for (size_t i = 0; i < roles->n_casts; i++)
        if (roles->casts[i].chosen == (size_t)face)
            return true;
    return false;
}

/* Frames [from, to): of a face (an index), or nobody's. */
static int give(struct assign *a, const struct lip_job *job, int64_t from, int64_t to, int voice,
                int face, struct lip_error *err)
{
    if (face < 0 || !has_room(a->roles, face))
        return roles_add_silence(a->roles, data_score_n_frames(a->score), from, to, err);
    struct lip_job own = *job;
    struct role role = {.from = from, .to = to, .voice = voice};
    own.face = LIP_FACE_NUMBER;
    own.face_number = a->faces[face].number;
    int r = roles_cast_face(a->roles, a->score, &own, NULL, &role.cast, err);
    return r ? r : roles_add(a->roles, &role, err);
}

/* Whoever surely speaks. */
static int by_turns(struct assign *a, const struct lip_job *job, int64_t from, int64_t to,
                    int voice, struct lip_error *err)
{
    int r = know_turns(a, job, err);
    struct speaker_run run = {.to = from};
    for (int64_t at = from; at < to && !r; at = run.to) {
        speaker_run_at(a->turns.at, a->turns.n, at, &run);
        r = give(a, job, at, run.to < to ? run.to : to, voice,
                 run.sure < SPEAKER_SURE ? SPEAKER_NOBODY : run.face, err);
    }
    return r;
}

/* The face at the box of a frame; SPEAKER_NOBODY: none is asked for, or none is there. */
static int face_in_box(struct assign *a, int64_t frame, struct data_face_obs *obs, int *ret_face,
                       struct lip_error *err)
{
    int64_t n = (int64_t)a->boxes.n;
    int64_t at = frame < n ? frame : frame < n + BOXES_SPARE ? n - 1 : -1;
    *ret_face = SPEAKER_NOBODY;
    if (at < 0 || !a->boxes.at[at].known)
        return LIP_OK;
    const struct box *box = &a->boxes.at[at];
    const double *m = data_score_film(a->score)->disp_from_img.m;
    double x = .5 * ((double)box->x0 + (double)box->x1), y = .5 * ((double)box->y0 +
                                                                  (double)box->y1);
    struct speaker_choice choice = {.kind = SPEAKER_POINT, .frame = frame,
                                    .x = (float)(m[0] * x + m[1] * y + m[2]),
                                    .y = (float)(m[3] * x + m[4] * y + m[5])};
    struct lip_error quiet = {0};
    size_t n_obs = 0, index = 0;
    float snap = 0;
    int r = data_score_read_faces(a->score, frame, obs, &n_obs, err);
    if (!r && !speaker_choose(a->faces, a->n_faces, &choice, obs, n_obs, &index, &snap, &quiet) &&
        snap <= SNAP_MAX)
        *ret_face = (int)index;
    return r;
}

static int by_boxes(struct assign *a, const struct lip_job *job, int64_t from, int64_t to,
                    int voice, struct lip_error *err)
{
    struct data_face_obs *obs = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *obs);
    int r = obs ? know_boxes(a, job, err) : base_error_nomem(err, WHERE);
    int64_t start = from;
    int last = SPEAKER_NOBODY;
    for (int64_t at = from; at < to && !r; at++) {
        int face;
        r = face_in_box(a, at, obs, &face, err);
        if (!r && face != last && at > start) {
            r = give(a, job, start, at, voice, last, err);
            start = at;
        }
        last = face;
    }
    if (!r)
        r = give(a, job, start, to, voice, last, err);
    base_free(obs);
    return r;
}

int assign_frames(struct assign *a, const struct lip_job *job, int64_t from, int64_t to, int voice,
                  struct lip_error *err)
{
    if (job->face == LIP_FACE_AUTO)
        return by_turns(a, job, from, to, voice, err);
    if (job->face == LIP_FACE_BOXES)
        return by_boxes(a, job, from, to, voice, err);
    struct role role = {.from = from, .to = to, .voice = voice};
    int r = roles_cast_face(a->roles, a->score, job, a->like, &role.cast, err);
    return r ? r : roles_add(a->roles, &role, err);
}

int assign_cast_speech(const struct turns_of_film *turns, struct cast *cast,
                       struct lip_error *err)
{
    bool known = turns->has_sound && cast->n_faces && cast->chosen < SPEAKER_TURNS_FACES_MAX &&
                 turns->voices[cast->chosen].speaks_s > 0;
    if (cast->speaks || !known)
        return LIP_OK;
    cast->speaks = base_alloc_zero((size_t)turns->n + 1);
    if (!cast->speaks)
        return base_error_nomem(err, WHERE);
    for (int64_t i = 0; i < turns->n; i++)
        cast->speaks[i] = turns->at[i].face == (int)cast->chosen;
    return LIP_OK;
}

int assign_speech(struct assign *a, const struct lip_job *job, struct lip_error *err)
{
    int r = know_faces(a, err);
    if (r || (a->n_faces < 2 && !a->has_turns) || !data_score_film(a->score)->has_audio)
        return r;
    r = know_turns(a, job, err);
    for (size_t k = 0; k < a->roles->n_casts && !r; k++)
        r = assign_cast_speech(&a->turns, &a->roles->casts[k], err);
    return r;
}
