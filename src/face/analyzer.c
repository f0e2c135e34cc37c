/* SPDX-License-Identifier: MIT
 *
 * Pass 1 for the picture: faces found, followed and measured, frame by frame. A followed face needs
 * the mesh alone: its points of this frame say where to look in the next one. The detector runs at
 * cuts, every few frames for newcomers, and whenever a face got lost. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "face/analyzer.h"

#define FLAG_START 0.6f /* the mesh's own opinion that this is a face: to begin a track */
#define FLAG_KEEP 0.3f  /* and to go on with it */
#define SETTLE_PASSES 3 /* looks until the crop of a fresh detection stands still */
#define SAME_FACE 0.25f /* overlap of boxes of one face, detector's against mesh's */
#define DOUBLE_FACE 0.5f /* two tracks that overlap more than this follow the same face */
#define LARGER 1.5f      /* a newcomer so much larger than the smallest face takes its place */
#define IDLE_EVERY 2     /* frames between looks while no face is followed */
#define SIZE_JUMP 1.6f   /* no face grows or shrinks by this factor within a frame */
#define CROP_SLOW 0.15   /* of a change of crop is followed at least */
#define CROP_FREE 0.04   /* of the crop's size: a change this large is followed at once */
#define CROP_POOR 0.08   /* a crop that is this far off gets another look in the same frame … */
#define LOOKS_MAX 3      /* … until there were so many */
#define PI 3.14159265358979323846
#define TILE_ASPECT 1.25 /* pictures longer than this are also looked at in squares */

void face_analyzer_params_default(struct face_analyzer_params *params)
{
    *params = (struct face_analyzer_params){
        .n_faces_max = 4, .n_crops = 1, .min_size_px = 24, .detect_every = 8};
}

int face_analyzer_create(const struct face_models *models, const struct data_film *film,
                         const struct face_analyzer_params *params,
                         struct face_analyzer **ret_analyzer, struct lip_error *err)
{
    if (params->n_faces_max < 1 || params->n_faces_max > FACE_PER_FRAME_MAX ||
        (params->n_crops != 1 && params->n_crops != 3) || params->detect_every < 1 ||
        !(params->min_size_px >= 0))
        return base_error_arg(err, "face/analyzer", "params");
    struct face_analyzer *a = base_alloc_zero(sizeof *a);
    if (!a)
        return base_error_nomem(err, "face/analyzer");
    a->models = models;
    a->film = *film;
    a->params = *params;
    a->recognises = true;
    *ret_analyzer = a;
    return LIP_OK;
}

void face_analyzer_destroy(struct face_analyzer **analyzer)
{
    if (!analyzer || !*analyzer)
        return;
    base_free(*analyzer);
    *analyzer = NULL;
}

void face_analyzer_recognise(struct face_analyzer *analyzer, bool on)
{
    analyzer->recognises = on;
}

static float box_size(const struct data_box *b)
{
    return fmaxf(b->x1 - b->x0, b->y1 - b->y0);
}

/* Large enough but not absurd, and its middle in the picture. */
static bool plausible(const struct face_analyzer *a, const struct data_box *b)
{
    float side = fmaxf((float)a->film.disp_width_px, (float)a->film.disp_height_px);
    float x = .5f * (b->x0 + b->x1), y = .5f * (b->y0 + b->y1);
    return b->x1 - b->x0 >= a->params.min_size_px && box_size(b) < 4 * side && x > 0 && y > 0 &&
           x < (float)a->film.disp_width_px && y < (float)a->film.disp_height_px;
}

/* ---- looking for faces ----------------------------------------------------------------------- */

static struct face_crop whole_window(const struct face_analyzer *a)
{
    double w = a->film.disp_width_px, h = a->film.disp_height_px;
    return (struct face_crop){.cx = w / 2, .cy = h / 2, .size = w > h ? w : h};
}

/* Squares along the longer side: a small face is larger there than in the whole picture. */
static int tile_count(const struct face_analyzer *a)
{
    double w = a->film.disp_width_px, h = a->film.disp_height_px;
    double aspect = w > h ? w / h : h / w;
    return aspect < TILE_ASPECT ? 0 : aspect > 8 ? 8 : (int)ceil(aspect);
}

static struct face_crop tile_window(const struct face_analyzer *a, int i)
{
    double w = a->film.disp_width_px, h = a->film.disp_height_px, side = w < h ? w : h;
    double at = side / 2 + (fmax(w, h) - side) * i / fmax(tile_count(a) - 1, 1);
    struct face_crop c = {.cx = w > h ? at : w / 2, .cy = w > h ? h / 2 : at, .size = side};
    return c;
}

/* A face that a tile's edge cuts is seen whole by another tile or in the whole picture. */
static bool cut_by_edge(const struct face_analyzer *a, const struct face_crop *tile,
                        const struct data_box *b)
{
    double x0 = tile->cx - tile->size / 2, y0 = tile->cy - tile->size / 2;
    double x1 = x0 + tile->size, y1 = y0 + tile->size;
    return (x0 > 1 && b->x0 < x0) || (y0 > 1 && b->y0 < y0) ||
           (x1 < a->film.disp_width_px - 1 && b->x1 > x1) ||
           (y1 < a->film.disp_height_px - 1 && b->y1 > y1);
}

static int look_into(const struct face_analyzer *a, const struct data_frame *frame,
                     const struct face_crop *window, enum face_detect_range range,
                     struct face_detection *found, size_t *n, struct lip_error *err)
{
    struct face_detection local[FACE_DETECTIONS_MAX];
    size_t n_local = 0;
    int r = face_detect_window(a->models, &a->film, frame, window, range, local, &n_local, err);
    for (size_t i = 0; r == LIP_OK && i < n_local; i++)
        if (!cut_by_edge(a, window, &local[i].box) && *n < FACE_DETECTIONS_MAX)
            found[(*n)++] = local[i];
    return r;
}

/* thorough: everything there is; otherwise the whole picture and one of the tiles in turn. */
static int look_for_faces(struct face_analyzer *a, const struct data_frame *frame, bool thorough,
                          struct face_detection *found, size_t *ret_n, struct lip_error *err)
{
    struct face_crop whole = whole_window(a);
    int n_tiles = tile_count(a), r;
    size_t n = 0;
    r = look_into(a, frame, &whole, FACE_DETECT_FULL, found, &n, err);
    if (r == LIP_OK && thorough)
        r = look_into(a, frame, &whole, FACE_DETECT_SHORT, found, &n, err);
    for (int i = 0; i < n_tiles && r == LIP_OK; i++) {
        if (!thorough && i != a->tile % n_tiles)
            continue;
        struct face_crop tile = tile_window(a, i);
        r = look_into(a, frame, &tile, FACE_DETECT_FULL, found, &n, err);
    }
    if (r != LIP_OK)
        return r;
    a->tile = n_tiles ? (a->tile + 1) % n_tiles : 0;
    a->last_look = a->next_frame;
    face_detections_merge(found, &n);
    *ret_n = n;
    return LIP_OK;
}

/* ---- following faces ------------------------------------------------------------------------- */

/* How far a crop is from where it should be, in its size. */
static double crop_error(const struct face_crop *c, const struct face_crop *to)
{
    double turn = remainder(to->angle_rad - c->angle_rad, 2 * PI);
    double off = fmax(hypot(to->cx - c->cx, to->cy - c->cy), fabs(to->size - c->size)) / to->size;
    return fmax(off, fabs(turn) / 2);
}

/* Lets the crop follow the points without taking over their noise, which the net would answer with
 * new noise: small changes are followed slowly, large ones at once. */
static void move_crop(struct face_track *t)
{
    struct face_crop to = face_points_crop((const float(*)[3])t->points), *c = &t->crop;
    double k = fmin(fmax(crop_error(c, &to) / CROP_FREE, CROP_SLOW), 1);
    c->cx += k * (to.cx - c->cx);
    c->cy += k * (to.cy - c->cy);
    c->size += k * (to.size - c->size);
    c->angle_rad += k * remainder(to.angle_rad - c->angle_rad, 2 * PI);
}

/* The track's next points, if the face is still there. A face that moved fast is seen at the edge
 * of the crop, where the net is poor: it is looked at again in a better one. */
static int follow(struct face_analyzer *a, const struct data_frame *frame, struct face_track *t,
                  struct lip_error *err)
{
    float points[DATA_FACE_POINTS][3], flag;
    struct data_box before = face_points_box((const float(*)[3])t->points), after;
    struct face_crop crop = t->crop, next;
    for (int look = 0; look < LOOKS_MAX; look++) {
        int r = face_mesh_run(a->models, &a->film, frame, &crop, a->params.n_crops, points, &flag,
                              err);
        if (r != LIP_OK)
            return r;
        next = face_points_crop((const float(*)[3])points);
        if (flag < FLAG_KEEP || crop_error(&crop, &next) < CROP_POOR)
            break;
        crop = next;
    }
    after = face_points_box((const float(*)[3])points);
    float change = box_size(&after) / fmaxf(box_size(&before), 1e-3f);
    t->n_missed++;
    if (flag >= FLAG_KEEP && plausible(a, &after) && change < SIZE_JUMP && change > 1 / SIZE_JUMP) {
        memcpy(t->points, points, sizeof points);
        t->confidence = flag;
        t->n_missed = 0;
        t->crop = crop;
        move_crop(t);
    }
    return LIP_OK;
}

/* Points of a freshly detected face; *ret_ok false when the mesh sees none there. */
static int settle(struct face_analyzer *a, const struct data_frame *frame,
                  const struct face_detection *d, struct face_track *ret_track, bool *ret_ok,
                  struct lip_error *err)
{
    struct face_crop crop = face_detection_crop(d);
    *ret_ok = false;
    for (int pass = 0; pass < SETTLE_PASSES; pass++) {
        int n_crops = pass == SETTLE_PASSES - 1 ? a->params.n_crops : 1;
        int r = face_mesh_run(a->models, &a->film, frame, &crop, n_crops, ret_track->points,
                              &ret_track->confidence, err);
        if (r != LIP_OK)
            return r;
        if (!(ret_track->confidence >= FLAG_KEEP))
            return LIP_OK;
        crop = face_points_crop((const float(*)[3])ret_track->points);
    }
    ret_track->crop = crop;
    struct data_box box = face_points_box((const float(*)[3])ret_track->points);
    *ret_ok = ret_track->confidence >= FLAG_START && plausible(a, &box);
    return LIP_OK;
}

static void drop(struct face_analyzer *a, int32_t i)
{
    memmove(&a->tracks[i], &a->tracks[i + 1],
            (size_t)(a->n_tracks - i - 1) * sizeof a->tracks[0]);
    a->n_tracks--;
}

/* The followed face (seen: in this frame; else: lost lately) that overlaps the box most, or -1. */
static int32_t overlapping(const struct face_analyzer *a, const struct data_box *box, bool seen)
{
    int32_t best = -1;
    float best_overlap = SAME_FACE;
    for (int32_t i = 0; i < a->n_tracks; i++) {
        if ((a->tracks[i].n_missed == 0) != seen)
            continue;
        struct data_box own = face_points_box((const float(*)[3])a->tracks[i].points);
        float overlap = face_box_overlap(&own, box);
        if (overlap > best_overlap) {
            best = i;
            best_overlap = overlap;
        }
    }
    return best;
}

/* Room for a face of this size: a free place, or that of a much smaller one. */
static bool make_room(struct face_analyzer *a, float size)
{
    if (a->n_tracks < a->params.n_faces_max)
        return true;
    int32_t smallest = 0;
    float smallest_size = HUGE_VALF;
    for (int32_t i = 0; i < a->n_tracks; i++) {
        struct data_box box = face_points_box((const float(*)[3])a->tracks[i].points);
        if (box_size(&box) < smallest_size) {
            smallest = i;
            smallest_size = box_size(&box);
        }
    }
    if (size < LARGER * smallest_size)
        return false;
    drop(a, smallest);
    return true;
}

static int take_in(struct face_analyzer *a, const struct data_frame *frame,
                   const struct face_detection *d, struct lip_error *err)
{
    struct face_track fresh = {0};
    bool ok;
    if (overlapping(a, &d->box, true) >= 0)
        return LIP_OK; /* known */
    int r = settle(a, frame, d, &fresh, &ok, err);
    if (r != LIP_OK || !ok)
        return r;
    struct data_box box = face_points_box((const float(*)[3])fresh.points);
    if (overlapping(a, &box, true) >= 0)
        return LIP_OK; /* the mesh slid over to a face that is followed already */
    int32_t lost = overlapping(a, &box, false);
    if (lost >= 0) {
        const struct face_track *old = &a->tracks[lost];
        fresh.id = old->id;
        fresh.n_seen = old->n_seen;
        fresh.n_looks = old->n_looks;
        fresh.last_look = old->last_look;
        fresh.best_look = old->best_look;
        a->tracks[lost] = fresh;
    } else if (make_room(a, box_size(&box))) {
        fresh.id = a->next_id++;
        a->tracks[a->n_tracks++] = fresh;
    }
    return LIP_OK;
}

/* No two tracks on one face: the older one stays. */
static void drop_doubles(struct face_analyzer *a)
{
    for (int32_t i = 0; i < a->n_tracks; i++) {
        struct data_box box = face_points_box((const float(*)[3])a->tracks[i].points);
        for (int32_t j = i + 1; j < a->n_tracks;) {
            struct data_box other = face_points_box((const float(*)[3])a->tracks[j].points);
            bool both_seen = a->tracks[i].n_missed == 0 && a->tracks[j].n_missed == 0;
            if (both_seen && face_box_overlap(&box, &other) > DOUBLE_FACE)
                drop(a, j);
            else
                j++;
        }
    }
}

static bool look_is_due(const struct face_analyzer *a, bool lost)
{
    int64_t since = a->next_frame - a->last_look;
    return lost || since >= a->params.detect_every || (a->n_tracks == 0 && since >= IDLE_EVERY);
}

static int advance(struct face_analyzer *a, const struct data_frame *frame, bool fresh,
                   struct lip_error *err)
{
    struct face_detection found[FACE_DETECTIONS_MAX];
    size_t n = 0;
    bool lost = false;
    int r = LIP_OK;
    for (int32_t i = 0; i < a->n_tracks && r == LIP_OK; i++) {
        r = follow(a, frame, &a->tracks[i], err);
        lost |= a->tracks[i].n_missed > 0;
    }
    drop_doubles(a);
    if (r == LIP_OK && (fresh || look_is_due(a, lost)))
        r = look_for_faces(a, frame, fresh || a->n_tracks == 0, found, &n, err);
    for (size_t i = 0; i < n && r == LIP_OK; i++)
        r = take_in(a, frame, &found[i], err);
    for (int32_t i = 0; i < a->n_tracks;) {
        if (a->tracks[i].n_missed > FACE_GAP_FRAMES)
            drop(a, i);
        else
            i++;
    }
    return r;
}

int face_analyzer_push(struct face_analyzer *a, const struct data_frame *frame,
                       struct data_face_obs *ret_faces, size_t *ret_n, bool *ret_shot_start,
                       struct lip_error *err)
{
    struct face_thumb thumb;
    bool first = a->next_frame == 0;
    face_thumb_make(frame, &thumb);
    bool cut = face_shots_push(&a->shots, &thumb);
    if (cut)
        a->n_tracks = 0;
    int r = advance(a, frame, first || cut, err);
    if (r == LIP_OK)
        r = face_print_push(a, frame, err);
    if (r != LIP_OK)
        return r;
    size_t n = 0;
    for (int32_t i = 0; i < a->n_tracks; i++) {
        const struct face_track *t = &a->tracks[i];
        if (t->n_missed > 0)
            continue;
        struct data_face_obs *o = &ret_faces[n++];
        o->frame = a->next_frame;
        o->track = t->id;
        o->confidence = t->confidence;
        memcpy(o->points, t->points, sizeof o->points);
    }
    *ret_n = n;
    *ret_shot_start = first || cut;
    a->next_frame++;
    return LIP_OK;
}
