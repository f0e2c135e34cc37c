/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/learn.h"
#include "engine/picture.h"
#include "engine/reader.h"
#include "engine/tier.h"
#include "engine/turns.h"
#include "engine/watch.h"
#include "engine/who.h"
#include "engine/workdir.h"

#define WHERE "engine/faces"
#define GAP_PX 8
#define COLUMNS_MAX 12

/* A score to look into: the user's, or one in a folder that goes away again. */
struct look {
    struct workdir work;
    struct data_score *score;
};

static int look_open(struct look *look, lip_engine *engine, const struct lip_job *job,
                     int64_t enough_us, const char *beside, struct lip_error *err)
{
    *look = (struct look){0};
    char *temporary = NULL;
    int r = LIP_OK;
    if (!job->score) {
        r = workdir_open(beside, 0, false, &look->work, err);
        if (!r && workdir_path(&look->work, "score", -1, "", &temporary))
            r = base_error_nomem(err, WHERE);
    }
    struct progress progress;
    progress_init(&progress, job);
    struct watch_params params = {.film = job->film,
                                  .score_path = job->score ? job->score : temporary,
                                  .n_threads = job->n_threads, .n_crops = tier_of(job).n_crops,
                                  .enough_us = job->score ? -1 : enough_us};
    progress_stage(&progress, LIP_STAGE_ANALYZE);
    if (!r)
        r = watch_film(engine, &params, &progress, &look->score, err);
    base_free(temporary);
    return r;
}

static void look_close(struct look *look)
{
    data_score_close(&look->score);
    workdir_close(&look->work, false);
}

static double seconds_of(const struct data_score *score, int64_t frame)
{
    const struct data_rational tb = data_score_film(score)->time_base;
    int64_t ticks = data_score_frame(score, frame)->pts - data_score_frame(score, 0)->pts;
    return (double)ticks * (double)tb.num / (double)tb.den;
}

static void describe(const struct data_score *score, const struct speaker_face *face,
                     const struct speaker_voice *voice, struct lip_face *ret_face)
{
    int64_t n = data_score_n_frames(score);
    double step_s = n > 1 ? seconds_of(score, n - 1) / (double)(n - 1) : 0.04;
    *ret_face = (struct lip_face){
        .number = face->number,
        .first_s = seconds_of(score, face->first_frame),
        .last_s = seconds_of(score, face->last_frame) + step_s,
        .seen_s = (double)face->n_obs * step_s,
        .size_px = (double)face->mean_size_px,
        .x = (double)(face->box.x0 + face->box.x1) / 2,
        .y = (double)(face->box.y0 + face->box.y1) / 2,
        .portrait_s = seconds_of(score, face->portrait_frame),
        .speaks_s = voice->speaks_s,
        .sure = (double)voice->sure,
    };
}

/* Where a temporary score may lie: beside the picture that is asked for, else in the temporary
 * folder of the system. */
static const char *scratch_place(const char *picture, char ret_path[512])
{
    const char *dir = getenv("TMPDIR"); /* lint: allow getenv: the usual way to name it */
    snprintf(ret_path, 512, "%s/lipsync-%p", dir && *dir ? dir : "/tmp", (void *)ret_path);
    return picture ? picture : ret_path;
}

static void list_turns(const struct data_score *score, const struct turns_of_film *turns,
                       const struct speaker_face *faces, struct lip_turn *ret_turns, size_t *ret_n)
{
    size_t n = 0;
    double step_s = turns->n > 1 ? seconds_of(score, turns->n - 1) / (double)(turns->n - 1) : .04;
    for (int64_t from = 0, to; from < turns->n && n < LIP_TURNS_MAX; from = to) {
        struct speaker_run run;
        speaker_run_at(turns->at, turns->n, from, &run);
        to = run.to;
        ret_turns[n++] = (struct lip_turn){.from_s = seconds_of(score, from),
                                           .to_s = to < turns->n ? seconds_of(score, to)
                                                             : seconds_of(score, to - 1) + step_s,
                                           .face = run.face < 0 ? 0 : faces[run.face].number,
                                           .sure = (double)run.sure};
    }
    *ret_n = n;
}

int lip_faces(lip_engine *engine, const struct lip_job *job, const char *picture,
              struct lip_face ret_faces[LIP_FACES_MAX], size_t *ret_n,
              struct lip_turn *ret_turns, size_t *ret_n_turns, struct lip_error *err)
{
    if (!engine || !job || !job->film || !ret_faces || !ret_n || (ret_turns && !ret_n_turns))
        return base_error_arg(err, WHERE, "a list of faces needs a film and a place to put it");
    char place[512];
    struct look look;
    struct turns_of_film turns = {0};
    struct progress progress;
    size_t n = 0;
    struct speaker_face *faces = base_alloc_array(SPEAKER_FACES_MAX, sizeof *faces);
    if (!faces)
        return base_error_nomem(err, WHERE);
    int r = look_open(&look, engine, job, -1, scratch_place(picture, place), err);
    if (!r)
        r = cast_list(look.score, faces, &n, err);
    progress_init(&progress, job);
    if (!r)
        r = turns_find(engine, job->film, look.score, faces, n, &progress, &turns, err);
    if (!r && picture && n)
        r = who_draw(job, look.score, faces, n, &turns, picture, err);
    for (size_t i = 0; i < n && !r; i++)
        describe(look.score, &faces[i], &turns.voices[i], &ret_faces[i]);
    if (!r && ret_turns)
        list_turns(look.score, &turns, faces, ret_turns, ret_n_turns);
    if (!r)
        *ret_n = n;
    turns_done(&turns);
    look_close(&look);
    base_free(faces);
    return r;
}

/* Contact sheet -------------------------------------------------------------------------------- */

struct sheet {
    struct picture picture;
    struct data_score *score;
    struct cast cast;
    const struct data_film *film;
    struct media_source *result;
    struct reader *original;
    int n_columns, frame_w, frame_h;
};

#define MOUTH_W 180
#define MOUTH_H 120
#define LABEL_H 16

static int sheet_height(const struct sheet *s)
{
    return LABEL_H + 2 * (s->frame_h + GAP_PX) + 2 * (MOUTH_H + GAP_PX);
}

/* A box around the lips of the original, 1.5 mouth widths wide at rest. */
static bool mouth_view(struct sheet *s, int64_t frame, struct picture_view *view)
{
    const struct data_face_obs *obs = NULL;
    struct lip_error quiet = {0};
    if (!s->cast.n_faces || geometry_obs(&s->cast.geometry, frame, &obs, &quiet) || !obs)
        return false;
    const float *l = obs->points[61], *r = obs->points[291], *u = obs->points[0],
                *d = obs->points[17];
    double w = 2.0 * hypot((double)(r[0] - l[0]), (double)(r[1] - l[1]));
    view->w = w;
    view->h = w * MOUTH_H / MOUTH_W;
    view->x = (double)(l[0] + r[0]) / 2 - w / 2;
    view->y = (double)(u[1] + d[1]) / 2 - view->h * 0.45;
    return true;
}

/* One picture of the sheet: whole frame in `row` (0 or 1), mouth below. */
static int put_cell(struct sheet *s, const struct data_frame *frame, int64_t number, int column,
                    int row, struct lip_error *err)
{
    int x = GAP_PX + column * (s->frame_w + GAP_PX);
    struct picture_view whole = {0, 0, s->film->disp_width_px, s->film->disp_height_px, x,
                                 LABEL_H + row * (s->frame_h + GAP_PX), s->frame_w, s->frame_h};
    struct picture_view mouth = {.to_x = x + (s->frame_w - MOUTH_W) / 2,
                                 .to_y = LABEL_H + 2 * (s->frame_h + GAP_PX) +
                                         row * (MOUTH_H + GAP_PX),
                                 .w_px = MOUTH_W, .h_px = MOUTH_H};
    int r = picture_put_frame(&s->picture, s->film, frame, &whole);
    if (!r && mouth_view(s, number, &mouth))
        r = picture_put_frame(&s->picture, s->film, frame, &mouth);
    return r ? base_error_nomem(err, WHERE) : LIP_OK;
}

static int64_t number_at(const struct data_score *score, double t_s)
{
    int64_t n = data_score_n_frames(score), i = 0;
    while (i + 1 < n && seconds_of(score, i + 1) <= t_s + 1e-6)
        i++;
    return i;
}

static int fill_sheet(struct sheet *s, double length_s, struct lip_error *err)
{
    int64_t first_pts = 0;
    const struct data_rational tb = media_source_film(s->result)->time_base;
    int column = 0, r = LIP_OK;
    for (int64_t i = 0; column < s->n_columns && !r; i++) {
        struct data_frame *frame = NULL, *original = NULL;
        r = media_source_read(s->result, &frame, err);
        if (r || !frame)
            break;
        first_pts = i ? first_pts : frame->pts;
        double t_s = (double)(frame->pts - first_pts) * (double)tb.num / (double)tb.den;
        if (t_s >= (column + 0.5) * length_s / s->n_columns) {
            int64_t number = number_at(s->score, t_s);
            char label[24];
            snprintf(label, sizeof label, "%.2f S", t_s);
            picture_put_text(&s->picture, GAP_PX + column * (s->frame_w + GAP_PX), 4, 1, label);
            r = reader_get(s->original, number, &original, err);
            if (!r)
                r = put_cell(s, original, number, column, 0, err);
            if (!r)
                r = put_cell(s, frame, number, column, 1, err);
            column++;
        }
        data_frame_unref(&original);
        data_frame_unref(&frame);
    }
    return r;
}

static int sheet_open(struct sheet *s, const char *original, struct lip_error *err)
{
    struct media_source_params params = {0};
    struct lip_job job;
    lip_job_default(&job);
    s->film = data_score_film(s->score);
    s->frame_w = 240;
    s->frame_h = s->frame_w * s->film->disp_height_px / s->film->disp_width_px;
    int r = cast_choose(&s->cast, s->score, &job, NULL, err);
    if (!r && picture_init(&s->picture, GAP_PX + s->n_columns * (s->frame_w + GAP_PX),
                           sheet_height(s), 24))
        r = base_error_nomem(err, WHERE);
    if (!r)
        r = reader_create(original, s->score, &params, &s->original, err);
    return r;
}

int lip_sheet(lip_engine *engine, const char *original, const char *result, const char *score,
              int n_columns, const char *png, struct lip_error *err)
{
    if (!engine || !original || !result || !png || n_columns < 2 || n_columns > COLUMNS_MAX)
        return base_error_arg(err, WHERE, "a sheet needs two films, a PNG and 2 to 12 columns");
    struct sheet *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, WHERE);
    struct lip_job job;
    lip_job_default(&job);
    job.film = original;
    job.score = score;
    s->n_columns = n_columns;
    cast_init(&s->cast);
    struct look look = {0};
    struct media_source_params params = {0};
    int r = media_source_open(result, &params, &s->result, err);
    int64_t result_us = r ? 0 : media_source_film(s->result)->duration_us;
    if (!r)
        r = look_open(&look, engine, &job, result_us > 0 ? result_us : -1, png, err);
    s->score = look.score;
    if (!r)
        r = sheet_open(s, original, err);
    if (!r) {
        double film_s = seconds_of(s->score, data_score_n_frames(s->score) - 1);
        double result_s = (double)result_us * 1e-6;
        r = fill_sheet(s, result_s > 0 && result_s < film_s ? result_s : film_s, err);
    }
    if (!r)
        r = picture_write_png(&s->picture, png, err);
    reader_destroy(&s->original);
    media_source_close(&s->result);
    picture_done(&s->picture);
    cast_done(&s->cast);
    look_close(&look);
    base_free(s);
    return r;
}
