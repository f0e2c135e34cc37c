/* SPDX-License-Identifier: MIT
 *
 * Tracks and shots of a whole film, from its observations. Memory: a record per track and shot. */
#include <string.h>

#include "base/alloc.h"
#include "face/parts.h"

#define TRACKS_MAX 65536
#define SHOTS_MAX 1000000
#define OPEN_MAX 64   /* tracks that may still go on: more than 16 only for a moment at a cut */
#define SAMPLES_MAX 32 /* boxes kept of an open track, to know the middle one at its end */

struct open_track {
    size_t index; /* in tracks */
    double size_sum, confidence_sum;
    int64_t stride; /* every stride-th observation is kept */
    size_t n_samples;
    struct data_box samples[SAMPLES_MAX];
};

struct collect {
    struct data_track *tracks;
    size_t n_tracks, cap_tracks;
    struct data_shot *shots;
    size_t n_shots, cap_shots;
    struct open_track open[OPEN_MAX];
    size_t n_open;
    int64_t frame; /* of the last frame read */
};

static void close_track(struct collect *c, size_t at)
{
    struct open_track *o = &c->open[at];
    struct data_track *t = &c->tracks[o->index];
    t->mean_size_px = (float)(o->size_sum / (double)t->n_obs);
    t->mean_confidence = (float)(o->confidence_sum / (double)t->n_obs);
    t->box = o->samples[(size_t)((t->n_obs - 1) / 2 / o->stride)];
    c->open[at] = c->open[--c->n_open];
}

/* Every second sample goes, and from now on only every second observation is kept. */
static void thin_out(struct open_track *o)
{
    for (size_t i = 0; 2 * i < o->n_samples; i++)
        o->samples[i] = o->samples[2 * i];
    o->n_samples = (o->n_samples + 1) / 2;
    o->stride *= 2;
}

static int add_face(struct collect *c, const struct data_face_obs *face)
{
    struct open_track *o = NULL;
    for (size_t i = 0; i < c->n_open && !o; i++)
        if (c->tracks[c->open[i].index].id == face->track)
            o = &c->open[i];
    if (!o) {
        if (c->n_open == OPEN_MAX) { /* the one that was seen longest ago is over */
            size_t oldest = 0;
            for (size_t i = 1; i < c->n_open; i++)
                if (c->tracks[c->open[i].index].last_frame <
                    c->tracks[c->open[oldest].index].last_frame)
                    oldest = i;
            close_track(c, oldest);
        }
        int r = base_grow(&c->tracks, &c->cap_tracks, c->n_tracks + 1, TRACKS_MAX,
                          sizeof *c->tracks);
        if (r != LIP_OK)
            return r;
        c->tracks[c->n_tracks] = (struct data_track){
            .id = face->track, .shot = (int32_t)c->n_shots - 1, .first_frame = c->frame};
        o = &c->open[c->n_open++];
        *o = (struct open_track){.index = c->n_tracks++, .stride = 1};
    }
    struct data_track *t = &c->tracks[o->index];
    struct data_box box = face_points_box((const float(*)[3])face->points);
    if (t->n_obs % o->stride == 0) {
        if (o->n_samples == SAMPLES_MAX)
            thin_out(o);
        if (t->n_obs % o->stride == 0)
            o->samples[o->n_samples++] = box;
    }
    o->size_sum += (double)box.x1 - box.x0;
    o->confidence_sum += face->confidence;
    t->n_obs++;
    t->last_frame = c->frame;
    return LIP_OK;
}

static int add_frame(struct collect *c, const struct data_face_obs *faces, size_t n, bool start)
{
    c->frame++;
    if (start || c->n_shots == 0) {
        int r = base_grow(&c->shots, &c->cap_shots, c->n_shots + 1, SHOTS_MAX, sizeof *c->shots);
        if (r != LIP_OK)
            return r;
        c->shots[c->n_shots++].first_frame = c->frame;
        while (c->n_open > 0)
            close_track(c, 0);
    }
    c->shots[c->n_shots - 1].last_frame = c->frame;
    for (size_t i = 0; i < n; i++) {
        int r = add_face(c, &faces[i]);
        if (r != LIP_OK)
            return r;
    }
    return LIP_OK;
}

int face_tracks_collect(void *user,
                        int (*next)(void *user, struct data_face_obs *ret_faces, size_t *ret_n,
                                    bool *ret_shot_start),
                        struct data_track **ret_tracks, size_t *ret_n_tracks,
                        struct data_shot **ret_shots, size_t *ret_n_shots, struct lip_error *err)
{
    struct collect *c = base_alloc_zero(sizeof *c);
    struct data_face_obs *faces = base_alloc_array(FACE_PER_FRAME_MAX, sizeof *faces);
    int r = c && faces ? 1 : LIP_ERR_NOMEM;
    if (c)
        c->frame = -1;
    while (r > 0) {
        size_t n = 0;
        bool start = false;
        r = next(user, faces, &n, &start);
        if (r > 0) {
            int added = add_frame(c, faces, n, start);
            r = added != LIP_OK ? added : 1;
        }
    }
    if (r == LIP_OK) {
        while (c->n_open > 0)
            close_track(c, 0);
        *ret_tracks = c->tracks;
        *ret_n_tracks = c->n_tracks;
        *ret_shots = c->shots;
        *ret_n_shots = c->n_shots;
    } else {
        base_error_set(err, r, "face/tracks", "cannot gather the tracks of the film");
        base_free(c ? c->tracks : NULL);
        base_free(c ? c->shots : NULL);
    }
    base_free(c);
    base_free(faces);
    return r;
}
