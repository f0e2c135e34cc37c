/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: all that the analyzer remembers, as bytes. */
#include <math.h>
#include <string.h>

#include "face/analyzer.h"

#define STATE_MAGIC 0x3246534cu /* "LSF2" */

void face_analyzer_reset(struct face_analyzer *a)
{
    a->next_frame = 0;
    a->last_look = 0;
    a->next_id = a->n_tracks = a->tile = 0;
    a->n_faceprints = 0;
    memset(&a->shots, 0, sizeof a->shots);
}

/* Bit by bit: a resumed analysis goes on with exactly these numbers. */
static void put_f64(struct base_buffer *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    base_buffer_put_u64(out, bits);
}

static double read_f64(struct base_reader *r)
{
    uint64_t bits = base_reader_u64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v))
        r->failed = 1;
    return v;
}

static void shots_write(const struct face_shots *s, struct base_buffer *out)
{
    base_buffer_put_u32(out, (uint32_t)s->n_memory);
    base_buffer_put_u32(out, (uint32_t)s->n_blank);
    base_buffer_put_u32(out, (uint32_t)s->n_history);
    base_buffer_put_f32s(out, s->history, FACE_SHOT_HISTORY);
    for (int i = 0; i < FACE_SHOT_MEMORY; i++) {
        base_buffer_put(out, s->memory[i].luma, sizeof s->memory[i].luma);
        base_buffer_put_f32s(out, s->memory[i].histogram, FACE_HISTOGRAM_BINS);
    }
}

static void shots_read(struct base_reader *r, struct face_shots *s)
{
    s->n_memory = (int32_t)base_reader_u32(r);
    s->n_blank = (int32_t)base_reader_u32(r);
    s->n_history = (int32_t)base_reader_u32(r);
    base_reader_f32s(r, s->history, FACE_SHOT_HISTORY);
    for (int i = 0; i < FACE_SHOT_MEMORY; i++) {
        const uint8_t *luma = base_reader_take(r, sizeof s->memory[i].luma);
        if (luma)
            memcpy(s->memory[i].luma, luma, sizeof s->memory[i].luma);
        base_reader_f32s(r, s->memory[i].histogram, FACE_HISTOGRAM_BINS);
    }
    if (s->n_memory < 0 || s->n_memory > FACE_SHOT_MEMORY || s->n_blank < 0 || s->n_history < 0 ||
        s->n_history > FACE_SHOT_HISTORY)
        r->failed = 1;
}

void face_analyzer_state_write(const struct face_analyzer *a, struct base_buffer *out)
{
    base_buffer_put_u32(out, STATE_MAGIC);
    base_buffer_put_u64(out, (uint64_t)a->next_frame);
    base_buffer_put_u64(out, (uint64_t)a->last_look);
    base_buffer_put_u32(out, (uint32_t)a->next_id);
    base_buffer_put_u32(out, (uint32_t)a->tile);
    shots_write(&a->shots, out);
    base_buffer_put_u32(out, (uint32_t)a->n_tracks);
    for (int32_t i = 0; i < a->n_tracks; i++) {
        const struct face_track *t = &a->tracks[i];
        base_buffer_put_u32(out, (uint32_t)t->id);
        base_buffer_put_u32(out, (uint32_t)t->n_missed);
        base_buffer_put_f32(out, t->confidence);
        put_f64(out, t->crop.cx);
        put_f64(out, t->crop.cy);
        put_f64(out, t->crop.size);
        put_f64(out, t->crop.angle_rad);
        base_buffer_put_u32(out, (uint32_t)t->n_seen);
        base_buffer_put_u32(out, (uint32_t)t->n_looks);
        base_buffer_put_u32(out, (uint32_t)t->last_look);
        base_buffer_put_f32(out, t->best_look);
        base_buffer_put_f32s(out, &t->points[0][0], DATA_FACE_POINTS * 3);
    }
}

/* No checkpoint of ours has a face far outside of any picture. */
static bool in_reach(const struct face_track *t)
{
    const double reach = 1e6;
    for (int i = 0; i < DATA_FACE_POINTS; i++)
        for (int k = 0; k < 3; k++)
            if (!(fabsf(t->points[i][k]) < reach))
                return false;
    return fabs(t->crop.cx) < reach && fabs(t->crop.cy) < reach && t->crop.size > 0 &&
           t->crop.size < reach && fabs(t->crop.angle_rad) < reach;
}

static void tracks_read(struct base_reader *r, struct face_analyzer *a)
{
    uint32_t n = base_reader_u32(r);
    if (n > (uint32_t)a->params.n_faces_max)
        r->failed = 1;
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        struct face_track *t = &a->tracks[i];
        t->id = (int32_t)base_reader_u32(r);
        t->n_missed = (int32_t)base_reader_u32(r);
        t->confidence = base_reader_f32(r);
        t->crop.cx = read_f64(r);
        t->crop.cy = read_f64(r);
        t->crop.size = read_f64(r);
        t->crop.angle_rad = read_f64(r);
        t->n_seen = (int32_t)base_reader_u32(r);
        t->n_looks = (int32_t)base_reader_u32(r);
        t->last_look = (int32_t)base_reader_u32(r);
        t->best_look = base_reader_f32(r);
        base_reader_f32s(r, &t->points[0][0], DATA_FACE_POINTS * 3);
        if (t->n_seen < 0 || t->n_looks < 0 || t->last_look < 0 || t->last_look > t->n_seen ||
            !(t->best_look >= 0))
            r->failed = 1;
        if (t->id < 0 || t->id >= a->next_id || t->n_missed < 0 || t->n_missed > FACE_GAP_FRAMES ||
            !in_reach(t))
            r->failed = 1;
        a->n_tracks = (int32_t)i + 1;
    }
}

int face_analyzer_state_read(struct face_analyzer *a, const void *bytes, size_t n,
                             struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    face_analyzer_reset(a);
    if (base_reader_u32(&r) != STATE_MAGIC)
        r.failed = 1;
    a->next_frame = (int64_t)base_reader_u64(&r);
    a->last_look = (int64_t)base_reader_u64(&r);
    a->next_id = (int32_t)base_reader_u32(&r);
    a->tile = (int32_t)base_reader_u32(&r);
    shots_read(&r, &a->shots);
    if (a->next_frame < 0 || a->last_look < 0 || a->last_look > a->next_frame || a->next_id < 0 ||
        a->tile < 0)
        r.failed = 1;
    tracks_read(&r, a);
    if (r.failed || r.at != n) {
        face_analyzer_reset(a);
        return base_error_set(err, LIP_ERR_SCORE, "face/analyzer",
                              "the checkpoint of the face analysis is damaged");
    }
    return LIP_OK;
}
