/* SPDX-License-Identifier: MIT */
#include "engine/who.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "engine/geometry.h"
#include "engine/picture.h"
#include "engine/reader.h"

#define WHERE "engine/who"
#define CELL_PX 200
#define GAP_PX 8
#define COLUMNS 4
#define LANE_PX 34  /* of a face: above its size, below a bar where it speaks */
#define BAR_PX 10
#define LABEL_PX 40 /* at a lane's left */
#define AXIS_PX 22
#define TICKS 8

static const uint8_t seen_rgb[3] = {88, 96, 110}, sure_rgb[3] = {90, 200, 120};
static const uint8_t unsure_rgb[3] = {60, 104, 72}, lane_rgb[3] = {36, 38, 42};

struct who {
    struct picture picture;
    struct data_score *score;
    const struct speaker_face *faces;
    size_t n;
    const struct turns_of_film *turns;
    int lanes_y, lanes_w; /* where the lanes begin, and how wide they are */
    double largest_px;
};

/* The bounding box of a face's observation in a frame, made square and a little larger. */
static int head_view(struct data_score *score, const struct speaker_face *face, int64_t frame,
                     struct picture_view *view, struct lip_error *err)
{
    struct geometry g;
    const struct data_face_obs *obs = NULL;
    struct data_box box = face->box;
    int r = geometry_init(&g, score, face, err);
    if (!r)
        r = geometry_obs(&g, frame, &obs, err);
    if (!r && obs) {
        box = (struct data_box){INFINITY, INFINITY, -INFINITY, -INFINITY};
        for (int p = 0; p < DATA_MESH_POINTS; p++) {
            box.x0 = fminf(box.x0, obs->points[p][0]);
            box.y0 = fminf(box.y0, obs->points[p][1]);
            box.x1 = fmaxf(box.x1, obs->points[p][0]);
            box.y1 = fmaxf(box.y1, obs->points[p][1]);
        }
    }
    geometry_done(&g);
    double side = 1.5 * (double)fmaxf(box.x1 - box.x0, box.y1 - box.y0);
    view->x = (double)(box.x0 + box.x1) / 2 - side / 2;
    view->y = (double)(box.y0 + box.y1) / 2 - side / 2;
    view->w = view->h = side;
    return r;
}

static int put_portraits(struct who *w, const struct lip_job *job, struct lip_error *err)
{
    struct reader *reader = NULL;
    struct media_source_params source = {.n_threads = job->n_threads};
    int r = reader_create(job->film, w->score, &source, &reader, err);
    for (size_t i = 0; i < w->n && !r; i++) {
        const struct speaker_face *face = &w->faces[i];
        struct picture_view v = {.w_px = CELL_PX, .h_px = CELL_PX,
                                 .to_x = GAP_PX + (int)(i % COLUMNS) * (CELL_PX + GAP_PX),
                                 .to_y = GAP_PX + (int)(i / COLUMNS) * (CELL_PX + GAP_PX)};
        struct data_frame *frame = NULL;
        r = head_view(w->score, face, face->portrait_frame, &v, err);
        if (!r)
            r = reader_get(reader, face->portrait_frame, &frame, err);
        if (!r && picture_put_frame(&w->picture, data_score_film(w->score), frame, &v))
            r = base_error_nomem(err, WHERE);
        data_frame_unref(&frame);
        char text[32];
        snprintf(text, sizeof text, "%d", face->number);
        picture_put_text(&w->picture, v.to_x + 6, v.to_y + 6, 3, text);
        snprintf(text, sizeof text, "%.0f PX", (double)face->mean_size_px);
        picture_put_text(&w->picture, v.to_x + 6, v.to_y + CELL_PX - 18, 2, text);
    }
    reader_destroy(&reader);
    return r;
}

/* Column x of the picture, y0..y1 (not included). */
static void put_column(struct picture *p, int x, int y0, int y1, const uint8_t rgb[3])
{
    for (int y = y0; y < y1; y++)
        for (int k = 0; k < 3; k++)
            p->rgb[3 * ((size_t)y * (size_t)p->width_px + (size_t)x) + (size_t)k] = rgb[k];
}

/* What a column of the lanes shows of each face. */
struct column {
    double size_px[SPEAKER_FACES_MAX];
    int speaks[SPEAKER_FACES_MAX]; /* frames, and of them sure ones */
    int sure[SPEAKER_FACES_MAX];
    int n_frames;
};

static double width_of(const struct data_face_obs *o)
{
    float x0 = o->points[0][0], x1 = x0;
    for (int p = 1; p < DATA_MESH_POINTS; p++) {
        x0 = fminf(x0, o->points[p][0]);
        x1 = fmaxf(x1, o->points[p][0]);
    }
    return (double)(x1 - x0);
}

static void add_speaker(const struct who *w, int64_t frame, struct column *c)
{
    int face = w->turns->at[frame].face;
    if (face < 0 || (size_t)face >= w->n)
        return;
    c->speaks[face]++;
    c->sure[face] += speaker_turn_sure(&w->turns->at[frame]) >= SPEAKER_SURE;
}

/* One frame is looked at for sizes, all of them for who speaks. */
static int fill_column(const struct who *w, int64_t from, int64_t to, struct data_face_obs *obs,
                       struct column *c, struct lip_error *err)
{
    size_t n_obs = 0;
    int r = data_score_read_faces(w->score, (from + to) / 2, obs, &n_obs, err);
    for (size_t k = 0; k < n_obs && !r; k++)
        for (size_t f = 0; f < w->n; f++)
            for (size_t t = 0; t < w->faces[f].n_tracks; t++)
                if (w->faces[f].track_ids[t] == obs[k].track)
                    c->size_px[f] = width_of(&obs[k]);
    for (int64_t i = from; i < to && !r; i++)
        add_speaker(w, i, c);
    c->n_frames = (int)(to - from);
    return r;
}

static void draw_column(struct who *w, int x, const struct column *c)
{
    for (size_t f = 0; f < w->n; f++) {
        int y = w->lanes_y + (int)f * (LANE_PX + GAP_PX), floor_y = y + LANE_PX - BAR_PX - 2;
        put_column(&w->picture, x, y, y + LANE_PX, lane_rgb);
        int height = (int)lround(c->size_px[f] / w->largest_px * (floor_y - y));
        height = height < floor_y - y ? height : floor_y - y;
        put_column(&w->picture, x, floor_y - height, floor_y, seen_rgb);
        if (2 * c->speaks[f] > c->n_frames)
            put_column(&w->picture, x, y + LANE_PX - BAR_PX, y + LANE_PX,
                       2 * c->sure[f] > c->speaks[f] ? sure_rgb : unsure_rgb);
    }
}

static void put_labels(struct who *w)
{
    const struct data_rational tb = data_score_film(w->score)->time_base;
    int64_t n = data_score_n_frames(w->score);
    int64_t ticks = data_score_frame(w->score, n - 1)->pts - data_score_frame(w->score, 0)->pts;
    double length_s = (double)ticks * (double)tb.num / (double)tb.den;
    char text[32];
    for (size_t f = 0; f < w->n; f++) {
        snprintf(text, sizeof text, "%d", w->faces[f].number);
        picture_put_text(&w->picture, GAP_PX, w->lanes_y + (int)f * (LANE_PX + GAP_PX) + 6, 3,
                         text);
    }
    for (int i = 0; i <= TICKS; i++) {
        snprintf(text, sizeof text, "%.*f", length_s < 20 ? 1 : 0, length_s * i / TICKS);
        int x = GAP_PX + LABEL_PX + w->lanes_w * i / TICKS - (i == TICKS ? 36 : 0);
        picture_put_text(&w->picture, x, w->picture.height_px - AXIS_PX + 6, 1, text);
    }
}

static int put_lanes(struct who *w, struct lip_error *err)
{
    int64_t n = data_score_n_frames(w->score);
    struct data_face_obs *obs = base_alloc_array(DATA_SCORE_FACES_MAX, sizeof *obs);
    struct column *c = base_alloc(sizeof *c);
    int r = obs && c ? LIP_OK : base_error_nomem(err, WHERE);
    for (int x = 0; x < w->lanes_w && !r; x++) {
        int64_t from = n * x / w->lanes_w, to = n * (x + 1) / w->lanes_w;
        *c = (struct column){.n_frames = 0};
        r = fill_column(w, from, to > from ? to : from + 1, obs, c, err);
        if (!r)
            draw_column(w, GAP_PX + LABEL_PX + x, c);
    }
    base_free(obs);
    base_free(c);
    if (!r)
        put_labels(w);
    return r;
}

int who_draw(const struct lip_job *job, struct data_score *score, const struct speaker_face *faces,
             size_t n, const struct turns_of_film *turns, const char *path, struct lip_error *err)
{
    struct who w = {.score = score, .faces = faces, .n = n, .turns = turns, .largest_px = 1};
    int rows = ((int)n + COLUMNS - 1) / COLUMNS, width = COLUMNS * (CELL_PX + GAP_PX) + GAP_PX;
    w.lanes_y = rows * (CELL_PX + GAP_PX) + 2 * GAP_PX;
    w.lanes_w = width - LABEL_PX - 2 * GAP_PX;
    for (size_t f = 0; f < n; f++)
        w.largest_px = fmax(w.largest_px, 1.2 * (double)faces[f].mean_size_px);
    int r = picture_init(&w.picture, width,
                         w.lanes_y + (int)n * (LANE_PX + GAP_PX) + AXIS_PX, 24);
    r = r ? base_error_nomem(err, WHERE) : put_portraits(&w, job, err);
    if (!r)
        r = put_lanes(&w, err);
    if (!r)
        r = picture_write_png(&w.picture, path, err);
    picture_done(&w.picture);
    return r;
}
