/* SPDX-License-Identifier: MIT */
#include "engine/measure.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "face/face.h"
#include "image/image.h"

#define EVERY 4        /* of so many frames one is measured for sharpness and seams */
#define ROW_STEP 2     /* rows of a patch that are looked at for seams */
#define LIPS_GROW .08f /* IOD around the lips belong to the mouth */
#define SURE .5f       /* the net's confidence from which on an opening is believed */
#define RING 20

static const uint16_t outer_lips[RING] = {61,  146, 91,  181, 84,  17, 314, 405, 321, 375,
                                          291, 409, 270, 269, 267, 0,  37,  39,  40,  185};

void measure_done(struct measure *m)
{
    base_free(m->edges);
    base_free(m->grey);
    base_free(m->inside);
    *m = (struct measure){0};
}

static void pose_apply(const struct data_face_geom *g, const float p[3], float *ret_x, float *ret_y)
{
    const float *r = g->rot;
    *ret_x = g->scale * (r[0] * p[0] + r[1] * p[1] + r[2] * p[2]) + g->trans[0];
    *ret_y = g->scale * (r[3] * p[0] + r[4] * p[1] + r[5] * p[2]) + g->trans[1];
}

/* Textures ------------------------------------------------------------------------------------- */

/* Luma (green, where the film is RGB) between samples, 0..1; edges replicated. */
static float luma_at(const struct data_frame *f, float x, float y)
{
    x = fminf(fmaxf(x - .5f, 0), (float)f->width_px - 1);
    y = fminf(fmaxf(y - .5f, 0), (float)f->height_px - 1);
    int x0 = (int)x, y0 = (int)y;
    int x1 = x0 + 1 < f->width_px ? x0 + 1 : x0, y1 = y0 + 1 < f->height_px ? y0 + 1 : y0;
    float u = x - (float)x0, v = y - (float)y0;
    float top = (float)data_frame_sample(f, 0, x0, y0) * (1 - u) +
                (float)data_frame_sample(f, 0, x1, y0) * u;
    float low = (float)data_frame_sample(f, 0, x0, y1) * (1 - u) +
                (float)data_frame_sample(f, 0, x1, y1) * u;
    return (top * (1 - v) + low * v) / (float)((1 << f->depth_bits) - 1);
}

/* Where a place of the texture's field lies in the frame: 1 x .75 IOD below the nose, in the plane
 * of the lips, as the head's pose has it. What moves in it is the mouth and not the head. */
static void place_of(const struct measure_view *v, float i, float j, double ret[2])
{
    const float(*canon)[3] = v->person->canon;
    float z = .25f * (canon[0][2] + canon[17][2] + canon[61][2] + canon[291][2]), x, y;
    float p[3] = {canon[2][0] - .5f + i / MEASURE_TEX_W,
                  canon[2][1] + .75f * j / MEASURE_TEX_H, z};
    pose_apply(&v->wish->geom, p, &x, &y);
    image_affine_apply(&v->film->img_from_disp, x, y, &ret[0], &ret[1]);
}

static void take_texture(const struct measure_view *v, const struct data_frame *frame, float *ret)
{
    double at[2], right[2], down[2];
    place_of(v, .5f, .5f, at);
    place_of(v, 1.5f, .5f, right);
    place_of(v, .5f, 1.5f, down);
    for (int k = 0; k < 2; k++) {
        right[k] -= at[k];
        down[k] -= at[k];
    }
    for (int j = 0; j < MEASURE_TEX_H; j++)
        for (int i = 0; i < MEASURE_TEX_W; i++)
            ret[j * MEASURE_TEX_W + i] = luma_at(frame, (float)(at[0] + i * right[0] + j * down[0]),
                                                 (float)(at[1] + i * right[1] + j * down[1]));
}

void measure_film_frame(const struct measure_view *v, const struct data_frame *frame,
                        struct measure_frame *ret)
{
    memset(ret, 0, offsetof(struct measure_frame, texture));
    ret->seen = TRACE_NONE;
    if (!v->wish->edit || !(v->trace->flags & TRACE_FILM))
        return;
    take_texture(v, frame, ret->texture[MEASURE_FILM]);
    ret->has_texture[MEASURE_FILM] = true;
}

/* Patches -------------------------------------------------------------------------------------- */

static bool wants_patch(const struct measure_view *v)
{
    return v->index % EVERY == 0;
}

/* How much the two masks change from each sample to the next one in its row and in its column: the
 * places where an edit could show. */
int measure_patch(struct measure *m, const struct measure_view *v, const struct data_patch *p)
{
    if (!wants_patch(v))
        return LIP_OK;
    size_t w = (size_t)p->rect.w, h = (size_t)p->rect.h;
    int r = base_grow(&m->edges, &m->cap_edges, 2 * w * h, BASE_ALLOC_CEILING, sizeof *m->edges);
    if (r)
        return r;
    for (size_t y = 0; y + 1 < h; y += ROW_STEP)
        for (size_t x = 0; x + 1 < w; x++) {
            size_t i = y * w + x;
            const float *a = p->skin_mask + i, *b = p->mouth_mask + i;
            bool mouth = p->has_mouth;
            m->edges[2 * i] = fabsf(a[0] - a[1]) + (mouth ? fabsf(b[0] - b[1]) : 0);
            m->edges[2 * i + 1] = fabsf(a[0] - a[w]) + (mouth ? fabsf(b[0] - b[w]) : 0);
        }
    return LIP_OK;
}

static float grey_at(const float *rgb, size_t area, size_t i)
{
    return .299f * rgb[i] + .587f * rgb[area + i] + .114f * rgb[2 * area + i];
}

static void add_seams(const struct measure *m, const struct data_patch *p, const float *rgb,
                      double *ret_sum)
{
    size_t w = (size_t)p->rect.w, h = (size_t)p->rect.h, area = w * h;
    double sum = 0;
    for (size_t y = 0; y + 1 < h; y += ROW_STEP)
        for (size_t x = 0; x + 1 < w; x++) {
            size_t i = y * w + x;
            const float *edge = m->edges + 2 * i;
            if (!(edge[0] > 0) && !(edge[1] > 0))
                continue;
            float here = grey_at(rgb, area, i);
            float dx = grey_at(rgb, area, i + 1) - here, dy = grey_at(rgb, area, i + w) - here;
            sum += (double)(edge[0] * dx * dx + edge[1] * dy * dy);
        }
    *ret_sum = sum;
}

/* The lips as a ring of points in the patch's pixels, grown a little around their middle. */
static void ring_of(const struct measure_view *v, enum measure_side side, struct data_rect rect,
                    float ret[RING][2])
{
    const struct data_face_geom *g = &v->wish->geom;
    float cx = 0, cy = 0;
    for (int i = 0; i < RING; i++) {
        float x = g->disp[outer_lips[i]][0], y = g->disp[outer_lips[i]][1];
        double img_x, img_y;
        if (side == MEASURE_RESULT)
            pose_apply(g, v->wish->shape[outer_lips[i]], &x, &y);
        image_affine_apply(&v->film->img_from_disp, x, y, &img_x, &img_y);
        ret[i][0] = (float)(img_x - rect.x);
        ret[i][1] = (float)(img_y - rect.y);
        cx += ret[i][0] / RING;
        cy += ret[i][1] / RING;
    }
    const double *d = v->film->img_from_disp.m;
    float px = LIPS_GROW * g->scale * (float)sqrt(fabs(d[0] * d[4] - d[1] * d[3]));
    for (int i = 0; i < RING; i++) {
        float dx = ret[i][0] - cx, dy = ret[i][1] - cy, length = fmaxf(hypotf(dx, dy), 1e-3f);
        ret[i][0] += px * dx / length;
        ret[i][1] += px * dy / length;
    }
}

/* The part of the patch that holds the ring; w 0 when it does not lie inside. */
static struct data_rect bounds_of(const float ring[RING][2], struct data_rect rect)
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < RING; i++) {
        x0 = fminf(x0, ring[i][0]), x1 = fmaxf(x1, ring[i][0]);
        y0 = fminf(y0, ring[i][1]), y1 = fmaxf(y1, ring[i][1]);
    }
    if (!(x0 >= 1) || !(y0 >= 1) || !(x1 < (float)rect.w - 2) || !(y1 < (float)rect.h - 2))
        return (struct data_rect){0, 0, 0, 0};
    int left = (int)x0 - 1, top = (int)y0 - 1;
    return (struct data_rect){left, top, (int)x1 + 2 - left, (int)y1 + 2 - top};
}

static int take_sharpness(struct measure *m, const struct measure_view *v,
                          enum measure_side side, const struct data_patch *p, const float *rgb,
                          struct measure_frame *measured)
{
    float ring[RING][2];
    ring_of(v, side, p->rect, ring);
    struct data_rect box = bounds_of((const float(*)[2])ring, p->rect);
    if (box.w < 4 || box.h < 4)
        return LIP_OK;
    size_t n = (size_t)box.w * (size_t)box.h, w = (size_t)p->rect.w;
    int r = base_grow(&m->grey, &m->cap_grey, n, BASE_ALLOC_CEILING, sizeof *m->grey);
    if (!r)
        r = base_grow(&m->inside, &m->cap_inside, n, BASE_ALLOC_CEILING, 1);
    if (r)
        return r;
    for (int j = 0; j < box.h; j++)
        for (int i = 0; i < box.w; i++)
            m->grey[j * box.w + i] = grey_at(rgb, w * (size_t)p->rect.h,
                                             (size_t)(box.y + j) * w + (size_t)(box.x + i));
    for (int i = 0; i < RING; i++) {
        ring[i][0] -= (float)box.x;
        ring[i][1] -= (float)box.y;
    }
    image_fill_polygon((const float(*)[2])ring, RING, box.w, box.h, m->inside);
    measured->sharpness[side] = image_sharpness(m->grey, m->inside, box.w, box.h);
    measured->has_sharpness[side] = true;
    return LIP_OK;
}

/* Blending leaves the finished picture in the place of layer 0, and the target as it was. */
int measure_blended(struct measure *m, const struct measure_view *v, const struct data_patch *p,
                    struct measure_frame *measured)
{
    if (!wants_patch(v))
        return LIP_OK;
    int r = LIP_OK;
    if (v->trace->flags & TRACE_VOICE)
        r = take_sharpness(m, v, MEASURE_RESULT, p, p->skin, measured);
    if (!r && v->trace->flags & TRACE_FILM)
        r = take_sharpness(m, v, MEASURE_FILM, p, p->target, measured);
    if (r)
        return r;
    add_seams(m, p, p->skin, &measured->seam[MEASURE_RESULT]);
    add_seams(m, p, p->target, &measured->seam[MEASURE_FILM]);
    measured->has_seam = true;
    return LIP_OK;
}

/* The result ----------------------------------------------------------------------------------- */

int measure_result_frame(const struct measure_view *v, const struct data_frame *frame,
                         struct measure_frame *measured, struct lip_error *err)
{
    if (v->trace->flags & TRACE_VOICE) {
        take_texture(v, frame, measured->texture[MEASURE_RESULT]);
        measured->has_texture[MEASURE_RESULT] = true;
    }
    if (!(v->trace->flags & TRACE_LOOK))
        return LIP_OK;
    struct data_face_geom *geom = base_alloc_zero(sizeof *geom);
    if (!geom)
        return base_error_nomem(err, "engine/measure");
    int r = face_look(v->engine->faces, v->film, v->person, frame,
                      (const float(*)[3])v->wish->geom.disp, geom, err);
    if (!r && geom->valid && geom->confidence >= SURE)
        measured->seen = trace_kept(geom->opening);
    base_free(geom);
    return r;
}

/* Sums ----------------------------------------------------------------------------------------- */

void measure_sums_add(struct measure_sums *to, const struct measure_sums *from)
{
    for (int k = 0; k < MEASURE_SIDES; k++) {
        to->sharpness[k] += from->sharpness[k];
        to->jitter[k] += from->jitter[k];
        to->seam[k] += from->seam[k];
        to->n_sharpness[k] += from->n_sharpness[k];
        to->n_jitter[k] += from->n_jitter[k];
    }
    to->n_seam += from->n_seam;
}

static void add_texture(struct measure_run *run, int side, const float *now,
                        struct measure_sums *sums)
{
    float(*last)[MEASURE_TEX_N] = run->last[side];
    if (run->n_last[side] >= 2) {
        double sum = 0;
        for (int i = 0; i < MEASURE_TEX_N; i++) {
            float d = last[0][i] - 2 * last[1][i] + now[i];
            sum += (double)(d * d);
        }
        sums->jitter[side] += sum / MEASURE_TEX_N;
        sums->n_jitter[side]++;
    }
    memcpy(last[0], last[1], sizeof last[0]);
    memcpy(last[1], now, sizeof last[1]);
    run->n_last[side]++;
}

void measure_run_add(struct measure_run *run, const struct measure_frame *f, int64_t source,
                     bool cut, struct measure_sums *sums)
{
    int64_t step = source - run->last_source;
    bool goes_on = !cut && (step == 1 || step == -1); /* a picture shown twice says nothing */
    run->last_source = source;
    for (int k = 0; k < MEASURE_SIDES; k++) {
        if (!goes_on)
            run->n_last[k] = 0;
        if (f->has_texture[k])
            add_texture(run, k, f->texture[k], sums);
        else
            run->n_last[k] = 0;
        if (f->has_sharpness[k]) {
            sums->sharpness[k] += (double)f->sharpness[k];
            sums->n_sharpness[k]++;
        }
        sums->seam[k] += f->has_seam ? f->seam[k] : 0;
    }
    sums->n_seam += f->has_seam;
}
