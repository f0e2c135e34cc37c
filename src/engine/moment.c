/* SPDX-License-Identifier: MIT
 *
 * The faces of one moment of a film, without a look at the rest of it. */
#include <lipsync/lipsync.h>

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "engine/engine.h"
#include "media/media.h"

#define WHERE "engine/moment"
#define FACES_MAX FACE_PER_FRAME_MAX

static int64_t pts_at(const struct data_film *film, double t_s)
{
    return film->start_pts + (int64_t)llround(t_s * (double)film->time_base.den /
                                              (double)film->time_base.num);
}

/* The last frame that begins no later than pts; where none does, the first. From where the source
 * stands; *ret_frame NULL when nothing came. */
static int read_until(struct media_source *source, int64_t pts, struct data_frame **ret_frame,
                      struct lip_error *err)
{
    struct data_frame *last = NULL, *next = NULL;
    int r = LIP_OK;
    while (!(r = media_source_read(source, &next, err)) && next) {
        bool later = next->pts > pts;
        if (!later || !last) {
            data_frame_unref(&last);
            last = next;
            next = NULL;
        }
        data_frame_unref(&next);
        if (later)
            break;
    }
    if (r)
        data_frame_unref(&last);
    *ret_frame = last;
    return r;
}

/* A jump where the container can, else from the beginning. */
static int read_at(struct media_source *source, double t_s, struct data_frame **ret_frame,
                   struct lip_error *err)
{
    const struct data_film *film = media_source_film(source);
    struct lip_error quiet = {0};
    int64_t pts = pts_at(film, t_s);
    *ret_frame = NULL;
    int r = film->is_image ? LIP_OK : media_source_seek(source, pts, &quiet);
    if (!r)
        r = read_until(source, pts, ret_frame, film->is_image ? err : &quiet);
    if (!r && *ret_frame && ((*ret_frame)->pts <= pts || film->is_image))
        return LIP_OK;
    data_frame_unref(ret_frame);
    r = media_source_rewind(source, err);
    if (!r)
        r = read_until(source, pts, ret_frame, err);
    if (!r && !*ret_frame)
        r = base_error_set(err, LIP_ERR_NO_VIDEO, WHERE, "there is no picture that can be decoded");
    return r;
}

static struct lip_moment describe(const struct data_film *film, const struct data_frame *frame)
{
    double t_s = (double)(frame->pts - film->start_pts) * (double)film->time_base.num /
                 (double)film->time_base.den;
    double rate_hz = film->frame_rate.num > 0 && film->frame_rate.den > 0
                         ? (double)film->frame_rate.num / (double)film->frame_rate.den : 0;
    struct lip_moment m = {.width_px = film->disp_width_px, .height_px = film->disp_height_px};
    if (film->is_image)
        return m;
    m.t_s = fmax(t_s, 0);
    m.frame = frame->index >= 0 ? frame->index : (int64_t)llround(m.t_s * rate_hz);
    return m;
}

static struct lip_spot spot_of(const struct data_film *film, const struct data_face_obs *obs)
{
    const double *m = film->img_from_disp.m;
    struct lip_spot s = {INFINITY, INFINITY, -INFINITY, -INFINITY, 0, 0};
    for (int p = 0; p < DATA_MESH_POINTS; p++) {
        s.x0 = fmin(s.x0, (double)obs->points[p][0]);
        s.y0 = fmin(s.y0, (double)obs->points[p][1]);
        s.x1 = fmax(s.x1, (double)obs->points[p][0]);
        s.y1 = fmax(s.y1, (double)obs->points[p][1]);
    }
    double x = (s.x0 + s.x1) / 2, y = (s.y0 + s.y1) / 2;
    s.film_x = m[0] * x + m[1] * y + m[2];
    s.film_y = m[3] * x + m[4] * y + m[5];
    return s;
}

/* Largest first, ties from the left. */
static int by_size(const void *a, const void *b)
{
    const struct lip_spot *p = a, *q = b;
    double d = (q->x1 - q->x0) - (p->x1 - p->x0);
    return d > 0 ? 1 : d < 0 ? -1 : (p->x0 > q->x0) - (p->x0 < q->x0);
}

static int look(lip_engine *engine, const struct data_film *film, const struct data_frame *frame,
                struct lip_spot *ret_faces, size_t *ret_n, struct lip_error *err)
{
    struct face_analyzer *analyzer = NULL;
    struct face_analyzer_params params;
    size_t n = 0;
    bool shot = false;
    struct data_face_obs *obs = base_alloc_array(FACES_MAX, sizeof *obs);
    if (!obs)
        return base_error_nomem(err, WHERE);
    face_analyzer_params_default(&params);
    params.n_faces_max = FACES_MAX;
    int r = face_analyzer_create(engine->faces, film, &params, &analyzer, err);
    if (!r)
        r = face_analyzer_push(analyzer, frame, obs, &n, &shot, err);
    for (size_t i = 0; i < n && !r; i++)
        ret_faces[i] = spot_of(film, &obs[i]);
    if (!r) {
        qsort(ret_faces, n, sizeof *ret_faces, by_size);
        *ret_n = n;
    }
    face_analyzer_destroy(&analyzer);
    base_free(obs);
    return r;
}

int lip_faces_at(lip_engine *engine, const char *film, double t_s, struct lip_moment *ret_moment,
                 struct lip_spot ret_faces[LIP_FACES_MAX], size_t *ret_n, struct lip_error *err)
{
    if (!engine || !film || !*film || !(t_s >= 0 && t_s < 1e6) || !ret_moment || !ret_faces ||
        !ret_n)
        return base_error_arg(err, WHERE, "a moment needs a film, a time and a place for faces");
    struct media_source_params params = {.n_threads = 1, .log = &engine->log};
    struct media_source *source = NULL;
    struct data_frame *frame = NULL;
    int r = media_source_open(film, &params, &source, err);
    if (!r)
        r = read_at(source, t_s, &frame, err);
    if (!r)
        r = look(engine, media_source_film(source), frame, ret_faces, ret_n, err);
    if (!r)
        *ret_moment = describe(media_source_film(source), frame);
    data_frame_unref(&frame);
    media_source_close(&source);
    return r;
}
