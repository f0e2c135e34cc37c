/* SPDX-License-Identifier: MIT
 *
 * The faces of a score. Tracks do not carry the shape of the head, so it is learnt here from a few
 * of their observations. */
#include "engine/learn.h"

#include <string.h>

#include "base/alloc.h"

#define WHERE "engine/list"
#define OBS_PER_TRACK 24
#define OBS_LEAST 5 /* a shape of fewer says little */

static int add_obs(struct data_score *score, int64_t frame, int32_t track,
                   struct data_face_obs *scratch, struct data_face_obs *sample, size_t *n,
                   struct lip_error *err)
{
    size_t n_faces = 0;
    int r = data_score_read_faces(score, frame, scratch, &n_faces, err);
    for (size_t i = 0; i < n_faces && !r; i++)
        if (scratch[i].track == track)
            sample[(*n)++] = scratch[i];
    return r;
}

/* `scratch` holds the faces of one frame, `sample` OBS_PER_TRACK observations. */
static int shape_of(struct data_score *score, const struct data_track *track,
                    struct data_face_obs *scratch, struct data_face_obs *sample,
                    struct speaker_head *head, struct lip_error *err)
{
    int64_t length = track->last_frame - track->first_frame + 1, step = length / OBS_PER_TRACK + 1;
    size_t n = 0;
    int r = LIP_OK;
    for (int64_t f = track->first_frame; f <= track->last_frame && n < OBS_PER_TRACK && !r;
         f += step)
        r = add_obs(score, f, track->id, scratch, sample, &n, err);
    if (r || n < OBS_LEAST)
        return r;
    struct data_person *person = base_alloc(sizeof *person);
    if (!person)
        return base_error_nomem(err, WHERE);
    struct lip_error quiet = {0};
    r = face_person_learn(sample, n, person, &quiet);
    head->shaped = !r;
    for (size_t p = 0; p < SPEAKER_SHAPE_POINTS && !r; p++)
        memcpy(head->points[p], person->canon[face_stable_points[p]], sizeof head->points[p]);
    base_free(person);
    return r == LIP_ERR_NOMEM ? base_error_nomem(err, WHERE) : LIP_OK;
}

/* One more of the same person. Until finish_print the weight is their sum. */
static void join_print(struct data_print *mean, const struct data_faceprint *print)
{
    if (!(print->weight > 0))
        return;
    mean->weight += print->weight;
    for (int k = 0; k < DATA_FACEPRINT_DIMS; k++)
        mean->v[k] += print->weight / mean->weight * (print->v[k] - mean->v[k]);
}

static void finish_print(struct data_print *mean, float n)
{
    if (n > 0)
        mean->weight /= n;
}

/* The mean faceprint of each track. Tracks come in the order of their ids. */
static int add_prints(struct data_score *score, const struct data_track *tracks, size_t n_tracks,
                      struct speaker_head *heads, struct lip_error *err)
{
    struct data_faceprint print;
    float *n_looks = base_alloc_array(n_tracks + 1, sizeof *n_looks);
    int r = n_looks ? LIP_OK : base_error_nomem(err, WHERE);
    for (size_t i = 0; i < data_score_n_faceprints(score) && !r; i++) {
        r = data_score_read_faceprint(score, i, &print, err);
        size_t lo = 0, hi = n_tracks;
        while (lo < hi && !r) {
            size_t middle = (lo + hi) / 2;
            if (tracks[middle].id < print.track)
                lo = middle + 1;
            else
                hi = middle;
        }
        if (r || lo == n_tracks || tracks[lo].id != print.track || !(print.weight > 0))
            continue;
        n_looks[lo]++;
        join_print(&heads[lo].print, &print);
    }
    for (size_t t = 0; t < n_tracks && !r; t++)
        finish_print(&heads[t].print, n_looks[t]);
    base_free(n_looks);
    return r;
}

static bool has_track(const struct speaker_face *face, int32_t track)
{
    for (size_t i = 0; i < face->n_tracks; i++)
        if (face->track_ids[i] == track)
            return true;
    return false;
}

int cast_print(struct data_score *score, const struct speaker_face *face,
               struct data_print *ret_print, struct lip_error *err)
{
    float n = 0;
    int r = LIP_OK;
    *ret_print = (struct data_print){.weight = 0};
    for (size_t i = 0; i < data_score_n_faceprints(score) && !r; i++) {
        struct data_faceprint print;
        r = data_score_read_faceprint(score, i, &print, err);
        if (r || !has_track(face, print.track) || !(print.weight > 0))
            continue;
        join_print(ret_print, &print);
        n++;
    }
    finish_print(ret_print, n);
    return r;
}

bool cast_head(struct data_score *score, const struct speaker_face *face,
               struct data_person *ret_person)
{
    struct geometry g;
    struct lip_error quiet = {0};
    struct data_face_obs *sample = base_alloc_array(OBS_PER_TRACK, sizeof *sample);
    int64_t step = (face->last_frame - face->first_frame) / OBS_PER_TRACK + 1;
    size_t n = 0;
    int r = sample ? geometry_init(&g, score, face, &quiet) : LIP_ERR_NOMEM;
    bool opened = !r;
    for (int64_t f = face->first_frame; f <= face->last_frame && n < OBS_PER_TRACK && !r;
         f += step) {
        const struct data_face_obs *obs = NULL;
        r = geometry_obs(&g, f, &obs, &quiet);
        if (!r && obs)
            sample[n++] = *obs;
    }
    if (!r)
        r = n ? face_person_learn(sample, n, ret_person, &quiet) : LIP_ERR_NO_FACE;
    if (opened)
        geometry_done(&g);
    base_free(sample);
    return !r;
}

int cast_list(struct data_score *score, struct speaker_face ret_faces[SPEAKER_FACES_MAX],
              size_t *ret_n, struct lip_error *err)
{
    _Static_assert(SPEAKER_SHAPE_POINTS == FACE_N_STABLE, "a shape is the stable points");
    size_t n = 0;
    const struct data_track *tracks = data_score_tracks(score, &n);
    struct speaker_head *heads = base_alloc_array(n, sizeof *heads);
    struct data_face_obs *scratch = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *scratch);
    struct data_face_obs *sample = base_alloc_array(OBS_PER_TRACK, sizeof *sample);
    int r = heads && scratch && sample ? LIP_OK : base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n && n > 1 && !r; i++)
        r = shape_of(score, &tracks[i], scratch, sample, &heads[i], err);
    if (!r && n > 1)
        r = add_prints(score, tracks, n, heads, err);
    if (!r)
        r = speaker_list(tracks, heads, n, ret_faces, ret_n, err);
    base_free(heads);
    base_free(scratch);
    base_free(sample);
    return r;
}
