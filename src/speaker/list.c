/* SPDX-License-Identifier: MIT
 *
 * Faces as a user counts them, out of tracks (docs/design/speaker.md). */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "speaker/speaker.h"

#define SIZE_RATIO 1.7   /* one face in two takes: at most this much larger */
#define PLACE_SHIFT 0.75 /* … and its middle at most this many face widths away */
/* Root mean square distance of two canonical shapes, IOD: below it for 78 % of the pairs of clips
 * of one person (the others at quite different poses), 2.6 % of those of different people. */
#define SHAPE_SHIFT .018
#define POOR_PRINT .35    /* a print of less weight is surer neither that it is one person … */
#define POOR_MARGIN .08   /* … nor that it is another: the bounds move apart by this */
#define GROUPED_MAX 16384 /* the grouping is quadratic; more tracks than a long film has */

struct ranked {
    const struct data_track *track;
    const struct speaker_head *head; /* NULL: unknown */
    double importance;
    int face; /* index, or -1 */
};

static double importance_of(const struct data_track *t)
{
    return (double)t->n_obs * t->mean_size_px;
}

/* The most important first; the order of ids decides between equals. */
static int by_importance(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->importance != y->importance)
        return x->importance < y->importance ? 1 : -1;
    return (x->track->id > y->track->id) - (x->track->id < y->track->id);
}

static bool together_in_time(const struct data_track *a, const struct data_track *b)
{
    return a->first_frame <= b->last_frame && b->first_frame <= a->last_frame;
}

/* 0 = same place and size; below 1 = may be one face. */
static double difference(const struct data_track *a, const struct data_track *b)
{
    double wa = (double)a->box.x1 - a->box.x0, wb = (double)b->box.x1 - b->box.x0;
    double dx = .5 * ((double)a->box.x0 + a->box.x1 - b->box.x0 - b->box.x1);
    double dy = .5 * ((double)a->box.y0 + a->box.y1 - b->box.y0 - b->box.y1);
    if (!(wa > 0) || !(wb > 0))
        return HUGE_VAL;
    double shift = sqrt(dx * dx + dy * dy) / fmax(wa, wb) / PLACE_SHIFT;
    double size = fabs(log(wa / wb)) / log(SIZE_RATIO);
    return fmax(shift, size);
}

static enum speaker_likeness compare_shapes(const struct speaker_head *a,
                                            const struct speaker_head *b)
{
    if (!a || !b || !a->shaped || !b->shaped)
        return SPEAKER_UNKNOWN;
    double sum = 0;
    for (int p = 0; p < SPEAKER_SHAPE_POINTS; p++)
        for (int i = 0; i < 3; i++) {
            double d = (double)a->points[p][i] - b->points[p][i];
            sum += d * d;
        }
    return sqrt(sum / SPEAKER_SHAPE_POINTS) > SHAPE_SHIFT ? SPEAKER_DIFFERENT
                                                       : SPEAKER_ALIKE;
}

double speaker_print_distance(const float a[DATA_FACEPRINT_DIMS],
                              const float b[DATA_FACEPRINT_DIMS])
{
    double sum = 0;
    for (int i = 0; i < DATA_FACEPRINT_DIMS; i++) {
        double d = (double)a[i] - b[i];
        sum += d * d;
    }
    return sqrt(sum);
}

/* Where the bounds lie when one of them is of this weight. */
static double margin_of(float weight)
{
    return weight < POOR_PRINT ? POOR_MARGIN : 0;
}

enum speaker_likeness speaker_compare_prints(const struct data_print *a,
                                             const struct data_print *b)
{
    if (!(a->weight > 0) || !(b->weight > 0))
        return SPEAKER_UNKNOWN;
    double d = speaker_print_distance(a->v, b->v), margin = margin_of(fminf(a->weight, b->weight));
    return d < SPEAKER_SAME_PERSON - margin    ? SPEAKER_ALIKE
           : d > SPEAKER_OTHER_PERSON + margin ? SPEAKER_DIFFERENT
                                               : SPEAKER_UNKNOWN;
}

/* The mean print of a face's tracks so far. */
struct mean_print {
    double weight, sum[DATA_FACEPRINT_DIMS];
};

static void add_print(struct mean_print *mean, const struct ranked *one)
{
    if (!one->head || !(one->head->print.weight > 0))
        return;
    double weight = (double)one->head->print.weight * sqrt((double)one->track->n_obs);
    mean->weight += weight;
    for (int i = 0; i < DATA_FACEPRINT_DIMS; i++)
        mean->sum[i] += weight * (double)one->head->print.v[i];
}

/* How well a track fits to a face, after the nearest of the face's tracks in place and size: surely
 * the same person: below .5, wherever it is seen; surely another: HUGE_VAL; in between place and
 * size decide, or a head of the same shape. */
static double judge_print(const struct mean_print *mean, const struct ranked *one, double nearest,
                          bool shaped_alike)
{
    if (!one->head || !(one->head->print.weight > 0) || !(mean->weight > 0))
        return nearest;
    float print[DATA_FACEPRINT_DIMS];
    for (int i = 0; i < DATA_FACEPRINT_DIMS; i++)
        print[i] = (float)(mean->sum[i] / mean->weight);
    double d = speaker_print_distance(print, one->head->print.v);
    double margin = margin_of(one->head->print.weight);
    double same = SPEAKER_SAME_PERSON - margin, other = SPEAKER_OTHER_PERSON + margin;
    if (d < same)
        return .5 * d / same;
    if (d > other)
        return HUGE_VAL;
    return shaped_alike ? fmin(.5 + .5 * nearest, .95) : .5 + .5 * nearest;
}

/* How well a track fits to each face: the least difference to one of its tracks so far, and what
 * the faceprints say; HUGE_VAL when the face is seen elsewhere at the same time, for nobody is in
 * two places. */
static void misfits(const struct ranked *all, size_t n, const struct ranked *one,
                    const struct mean_print *means, double ret_misfit[SPEAKER_FACES_MAX])
{
    bool elsewhere[SPEAKER_FACES_MAX] = {false}, shaped_alike[SPEAKER_FACES_MAX] = {false};
    for (int f = 0; f < SPEAKER_FACES_MAX; f++)
        ret_misfit[f] = HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        int f = all[i].face;
        if (f < 0 || elsewhere[f])
            continue;
        elsewhere[f] = together_in_time(all[i].track, one->track);
        enum speaker_likeness shape = compare_shapes(all[i].head, one->head);
        shaped_alike[f] = shaped_alike[f] || shape == SPEAKER_ALIKE;
        if (shape != SPEAKER_DIFFERENT)
            ret_misfit[f] = fmin(ret_misfit[f], difference(all[i].track, one->track));
    }
    for (int f = 0; f < SPEAKER_FACES_MAX; f++)
        ret_misfit[f] = elsewhere[f] ? HUGE_VAL : judge_print(&means[f], one, ret_misfit[f],
                                                              shaped_alike[f]);
}

static void start_face(struct speaker_face *face, const struct data_track *t)
{
    memset(face, 0, sizeof *face);
    face->first_frame = t->first_frame;
    face->last_frame = t->last_frame;
}

static void add_track(struct speaker_face *face, const struct data_track *t)
{
    face->track_ids[face->n_tracks++] = t->id;
    face->first_frame = t->first_frame < face->first_frame ? t->first_frame : face->first_frame;
    face->last_frame = t->last_frame > face->last_frame ? t->last_frame : face->last_frame;
    face->mean_size_px = (float)(((double)face->mean_size_px * (double)face->n_obs +
                                  (double)t->mean_size_px * (double)t->n_obs) /
                                 (double)(face->n_obs + t->n_obs));
    face->n_obs += t->n_obs;
}

static int compare_ids(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int compare_faces(const void *a, const void *b)
{
    const struct speaker_face *x = a, *y = b;
    double ix = (double)x->n_obs * x->mean_size_px, iy = (double)y->n_obs * y->mean_size_px;
    if (ix != iy)
        return ix < iy ? 1 : -1;
    return (x->track_ids[0] > y->track_ids[0]) - (x->track_ids[0] < y->track_ids[0]);
}

/* The longest track's middle: the box belongs to it, and so a portrait is cut from there. */
static void set_portrait(struct speaker_face *face, const struct ranked *all, size_t n, int index)
{
    const struct data_track *longest = NULL;
    for (size_t i = 0; i < n; i++)
        if (all[i].face == index && (!longest || all[i].track->n_obs > longest->n_obs))
            longest = all[i].track;
    if (longest) {
        face->box = longest->box;
        face->portrait_frame = (longest->first_frame + longest->last_frame) / 2;
    }
}

static size_t group(struct ranked *all, size_t n, struct speaker_face *faces,
                    struct mean_print *means)
{
    size_t n_faces = 0;
    for (size_t i = 0; i < n; i++) {
        int best = -1;
        double best_misfit = 1, misfit[SPEAKER_FACES_MAX];
        misfits(all, i, &all[i], means, misfit);
        for (size_t f = 0; f < n_faces; f++) {
            if (faces[f].n_tracks == SPEAKER_TRACKS_MAX)
                continue;
            if (misfit[f] < best_misfit) {
                best = (int)f;
                best_misfit = misfit[f];
            }
        }
        if (best < 0 && n_faces < SPEAKER_FACES_MAX) {
            best = (int)n_faces++;
            start_face(&faces[best], all[i].track);
        }
        all[i].face = best;
        if (best < 0)
            continue;
        add_track(&faces[best], all[i].track);
        add_print(&means[best], &all[i]);
    }
    return n_faces;
}

int speaker_list(const struct data_track *tracks, const struct speaker_head *heads,
                 size_t n_tracks, struct speaker_face *ret_faces, size_t *ret_n,
                 struct lip_error *err)
{
    struct ranked *all = base_alloc_array(n_tracks, sizeof *all);
    struct mean_print *means = base_alloc_array(SPEAKER_FACES_MAX, sizeof *means);
    if (!all || !means) {
        base_free(all);
        base_free(means);
        return base_error_nomem(err, "speaker/list");
    }
    size_t n = 0;
    for (size_t i = 0; i < n_tracks; i++)
        if (tracks[i].n_obs > 0)
            all[n++] = (struct ranked){&tracks[i], heads ? &heads[i] : NULL,
                                       importance_of(&tracks[i]), -1};
    if (n > 0)
        qsort(all, n, sizeof *all, by_importance);
    n = n < GROUPED_MAX ? n : GROUPED_MAX;
    size_t n_faces = group(all, n, ret_faces, means);
    for (size_t f = 0; f < n_faces; f++) {
        set_portrait(&ret_faces[f], all, n, (int)f);
        qsort(ret_faces[f].track_ids, ret_faces[f].n_tracks, sizeof(int32_t), compare_ids);
    }
    if (n_faces > 0)
        qsort(ret_faces, n_faces, sizeof *ret_faces, compare_faces);
    for (size_t f = 0; f < n_faces; f++)
        ret_faces[f].number = (int)f + 1;
    *ret_n = n_faces;
    base_free(means);
    base_free(all);
    return LIP_OK;
}
