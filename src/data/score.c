/* SPDX-License-Identifier: MIT */
#include "data/score.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/fs.h"
#include "base/status.h"

#define MAGIC "LIPSCORE"
#define WHERE "data/score"
#define HEAD_BYTES 12 /* magic and version */
#define RECORD_MAX ((size_t)512 << 20)
#define NAME_MAX 32
#define BLOBS_MAX 192 /* five of each of 32 faces, and some more */
#define SHOTS_MAX ((size_t)1 << 20)
#define FRAME_HEAD_BYTES 19
#define FACEPRINT_BYTES (8 + 4 + 4 + DATA_FACEPRINT_DIMS * 4)
#define FACE_BYTES (4 + 4 + 16 + DATA_FACE_POINTS * 3 * 2 + DATA_LOOK_VALUES)

enum kind { KIND_FILM = 1, KIND_FRAME, KIND_FINISH, KIND_BLOB, KIND_FACEPRINT };

struct blob {
    char name[NAME_MAX];
    uint64_t at;
    size_t n;
};

struct data_score {
    struct base_file *file;
    struct data_film film;
    struct data_score_frame *frames;
    size_t n_frames, cap_frames;
    struct data_track *tracks;
    size_t n_tracks;
    struct data_shot *shots;
    size_t n_shots;
    uint64_t *faceprints; /* where each lies in the file */
    size_t n_faceprints, cap_faceprints;
    struct blob blobs[BLOBS_MAX];
    size_t n_blobs;
    bool finished, has_film;
};

static int damaged(struct lip_error *err, const char *what)
{
    return base_error_set(err, LIP_ERR_SCORE, WHERE, "the score is damaged: %s", what);
}

/* Records -------------------------------------------------------------------------------------- */

static int append_record(struct data_score *s, enum kind kind, const struct base_buffer *payload,
                         struct lip_error *err)
{
    if (payload->status == LIP_ERR_NOMEM)
        return base_error_nomem(err, WHERE);
    if (payload->status)
        return base_error_set(err, payload->status, WHERE, "a part of the score is too large");
    uint64_t start = base_file_size(s->file);
    struct base_buffer b;
    base_buffer_init(&b, 64);
    base_buffer_put_u32(&b, kind);
    base_buffer_put_u32(&b, (uint32_t)payload->size);
    base_buffer_put_u32(&b, base_checksum(payload->data, payload->size));
    int r = b.status ? base_error_nomem(err, WHERE) : base_file_append(s->file, b.data, 8, err);
    if (!r)
        r = base_file_append(s->file, payload->data, payload->size, err);
    if (!r)
        r = base_file_append(s->file, b.data + 8, 4, err);
    base_buffer_done(&b);
    if (r && base_file_size(s->file) > start)
        base_file_truncate(s->file, start, NULL); /* else the next open cuts it off */
    return r;
}

static void put_film(struct base_buffer *b, const struct data_film *f)
{
    const int32_t ints[] = {f->width_px, f->height_px, f->disp_width_px, f->disp_height_px,
                            f->rotation_deg, f->depth_bits, f->has_alpha, f->is_image, f->has_audio,
                            f->interlaced, f->colour.primaries, f->colour.transfer,
                            f->colour.matrix, f->colour.full_range, f->colour.chroma_location};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        base_buffer_put_u32(b, (uint32_t)ints[i]);
    const int64_t longs[] = {f->time_base.num, f->time_base.den, f->frame_rate.num,
                             f->frame_rate.den, f->sample_aspect.num, f->sample_aspect.den,
                             f->start_pts, f->duration_us, f->n_frames_guess,
                             (int64_t)f->identity};
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++)
        base_buffer_put_u64(b, (uint64_t)longs[i]);
    for (int i = 0; i < 6; i++) {
        uint64_t bits[2];
        memcpy(&bits[0], &f->disp_from_img.m[i], 8);
        memcpy(&bits[1], &f->img_from_disp.m[i], 8);
        base_buffer_put_u64(b, bits[0]);
        base_buffer_put_u64(b, bits[1]);
    }
    base_buffer_put_string(b, f->codec);
    base_buffer_put_string(b, f->container);
    base_buffer_put_string(b, f->pixel_format);
}

static int32_t take_i32(struct base_reader *r)
{
    return (int32_t)base_reader_u32(r);
}

static int64_t take_i64(struct base_reader *r)
{
    return (int64_t)base_reader_u64(r);
}

static double take_f64(struct base_reader *r)
{
    uint64_t bits = base_reader_u64(r);
    double v;
    memcpy(&v, &bits, 8);
    if (!isfinite(v))
        r->failed = 1;
    return v;
}

static void take_film(struct base_reader *r, struct data_film *f)
{
    f->width_px = take_i32(r);
    f->height_px = take_i32(r);
    f->disp_width_px = take_i32(r);
    f->disp_height_px = take_i32(r);
    f->rotation_deg = take_i32(r);
    f->depth_bits = take_i32(r);
    f->has_alpha = take_i32(r) != 0;
    f->is_image = take_i32(r) != 0;
    f->has_audio = take_i32(r) != 0;
    f->interlaced = take_i32(r) != 0;
    f->colour.primaries = take_i32(r);
    f->colour.transfer = take_i32(r);
    f->colour.matrix = take_i32(r);
    f->colour.full_range = take_i32(r) != 0;
    f->colour.chroma_location = take_i32(r);
    f->time_base.num = take_i64(r);
    f->time_base.den = take_i64(r);
    f->frame_rate.num = take_i64(r);
    f->frame_rate.den = take_i64(r);
    f->sample_aspect.num = take_i64(r);
    f->sample_aspect.den = take_i64(r);
    f->start_pts = take_i64(r);
    f->duration_us = take_i64(r);
    f->n_frames_guess = take_i64(r);
    f->identity = base_reader_u64(r);
    for (int i = 0; i < 6; i++) {
        f->disp_from_img.m[i] = take_f64(r);
        f->img_from_disp.m[i] = take_f64(r);
    }
    base_reader_string(r, f->codec, sizeof f->codec);
    base_reader_string(r, f->container, sizeof f->container);
    base_reader_string(r, f->pixel_format, sizeof f->pixel_format);
    if (f->width_px < 1 || f->height_px < 1 || f->disp_width_px < 1 || f->disp_height_px < 1 ||
        f->time_base.num < 1 || f->time_base.den < 1)
        r->failed = 1;
}

/* Points as 16-bit offsets from the middle of the face, in units of half its size. */
static void put_face(struct base_buffer *b, const struct data_face_obs *o)
{
    float lo[3], hi[3], half = 1e-3f;
    memcpy(lo, o->points[0], sizeof lo);
    memcpy(hi, o->points[0], sizeof hi);
    for (int p = 1; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++) {
            lo[a] = fminf(lo[a], o->points[p][a]);
            hi[a] = fmaxf(hi[a], o->points[p][a]);
        }
    for (int a = 0; a < 3; a++)
        half = fmaxf(half, (hi[a] - lo[a]) / 2);
    base_buffer_put_u32(b, (uint32_t)o->track);
    base_buffer_put_f32(b, o->confidence);
    for (int a = 0; a < 3; a++)
        base_buffer_put_f32(b, (lo[a] + hi[a]) / 2);
    base_buffer_put_f32(b, half);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++) {
            float q = (o->points[p][a] - (lo[a] + hi[a]) / 2) / half * 32767;
            q = q < -32767 ? -32767 : q > 32767 ? 32767 : q;
            base_buffer_put_u16(b, (uint16_t)(int16_t)lrintf(q));
        }
    base_buffer_put(b, o->look.grey, sizeof o->look.grey);
    base_buffer_put(b, o->look.blue, sizeof o->look.blue);
    base_buffer_put(b, o->look.red, sizeof o->look.red);
}

static void take_bytes(struct base_reader *r, void *ret, size_t n)
{
    const uint8_t *bytes = base_reader_take(r, n);
    if (bytes)
        memcpy(ret, bytes, n);
}

static void take_face(struct base_reader *r, struct data_face_obs *o)
{
    o->track = take_i32(r);
    o->confidence = base_reader_f32(r);
    float centre[3];
    base_reader_f32s(r, centre, 3);
    float half = base_reader_f32(r);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++)
            o->points[p][a] = centre[a] + (float)(int16_t)base_reader_u16(r) * half / 32767;
    take_bytes(r, o->look.grey, sizeof o->look.grey);
    take_bytes(r, o->look.blue, sizeof o->look.blue);
    take_bytes(r, o->look.red, sizeof o->look.red);
}

/* Taking records back -------------------------------------------------------------------------- */

static int take_frame(struct data_score *s, struct base_reader *r, uint64_t at,
                      struct lip_error *err)
{
    struct data_score_frame f = {.pts = take_i64(r), .duration = take_i64(r)};
    f.keyframe = base_reader_u8(r);
    f.shot_start = base_reader_u8(r);
    f.n_faces = base_reader_u8(r);
    f.obs_offset = (int64_t)(at + r->at);
    if (r->failed || f.n_faces > DATA_SCORE_FACES_MAX ||
        r->size - r->at != (size_t)f.n_faces * FACE_BYTES)
        return damaged(err, "a frame has the wrong size");
    int status = base_grow(&s->frames, &s->cap_frames, s->n_frames + 1,
                           (size_t)DATA_SCORE_FRAMES_MAX, sizeof *s->frames);
    if (status)
        return base_error_set(err, status, WHERE, "the film has too many frames");
    s->frames[s->n_frames++] = f;
    return LIP_OK;
}

static void take_track(struct base_reader *r, struct data_track *t)
{
    t->id = take_i32(r);
    t->shot = take_i32(r);
    t->first_frame = take_i64(r);
    t->last_frame = take_i64(r);
    t->n_obs = take_i64(r);
    t->mean_size_px = base_reader_f32(r);
    t->mean_confidence = base_reader_f32(r);
    base_reader_f32s(r, &t->box.x0, 4);
}

static int take_finish(struct data_score *s, struct base_reader *r, struct lip_error *err)
{
    uint32_t n_tracks = base_reader_u32(r), n_shots = base_reader_u32(r);
    if (r->failed || n_tracks > DATA_SCORE_TRACKS_MAX || n_shots > SHOTS_MAX)
        return damaged(err, "too many tracks or shots");
    base_free(s->tracks);
    base_free(s->shots);
    s->n_tracks = s->n_shots = 0;
    s->tracks = base_alloc_array(n_tracks, sizeof *s->tracks);
    s->shots = base_alloc_array(n_shots, sizeof *s->shots);
    if (!s->tracks || !s->shots)
        return base_error_nomem(err, WHERE);
    for (uint32_t i = 0; i < n_tracks; i++)
        take_track(r, &s->tracks[i]);
    for (uint32_t i = 0; i < n_shots; i++) {
        s->shots[i].first_frame = take_i64(r);
        s->shots[i].last_frame = take_i64(r);
    }
    if (r->failed || r->at != r->size)
        return damaged(err, "the list of tracks is cut off");
    s->n_tracks = n_tracks;
    s->n_shots = n_shots;
    s->finished = true;
    return LIP_OK;
}

static struct blob *find_blob(struct data_score *s, const char *name)
{
    for (size_t i = 0; i < s->n_blobs; i++)
        if (!strcmp(s->blobs[i].name, name))
            return &s->blobs[i];
    return NULL;
}

static int remember_blob(struct data_score *s, const char *name, uint64_t at, size_t n,
                         struct lip_error *err)
{
    struct blob *blob = find_blob(s, name);
    if (!blob && s->n_blobs == BLOBS_MAX)
        return damaged(err, "too many parts");
    if (!blob)
        blob = &s->blobs[s->n_blobs++];
    *blob = (struct blob){.at = at, .n = n};
    memcpy(blob->name, name, strlen(name));
    return LIP_OK;
}

static int remember_faceprint(struct data_score *s, uint64_t at, struct lip_error *err)
{
    int r = base_grow(&s->faceprints, &s->cap_faceprints, s->n_faceprints + 1,
                      DATA_SCORE_FACEPRINTS_MAX, sizeof *s->faceprints);
    if (r)
        return base_error_set(err, r, WHERE, "the film shows too many people");
    s->faceprints[s->n_faceprints++] = at;
    return LIP_OK;
}

static int take_record(struct data_score *s, uint32_t kind, const uint8_t *payload, size_t n,
                       uint64_t at, struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, payload, n);
    if ((kind == KIND_FILM) == s->has_film)
        return damaged(err, "the film's description is not at the start");
    switch ((enum kind)kind) {
    case KIND_FILM:
        take_film(&r, &s->film);
        s->has_film = true;
        return r.failed ? damaged(err, "the film's description is cut off") : LIP_OK;
    case KIND_FRAME:
        return take_frame(s, &r, at, err);
    case KIND_FINISH:
        return take_finish(s, &r, err);
    case KIND_BLOB: {
        char name[NAME_MAX];
        base_reader_string(&r, name, sizeof name);
        return r.failed ? damaged(err, "a part has no name")
                        : remember_blob(s, name, at + r.at, n - r.at, err);
    }
    case KIND_FACEPRINT:
        return n == FACEPRINT_BYTES ? remember_faceprint(s, at, err)
                                   : damaged(err, "a faceprint is cut off");
    }
    return damaged(err, "it has a part of an unknown kind");
}

/* Reads the next record at *at. 1 = read, 0 = the end or a torn record (cut it off here). */
static int scan_record(struct data_score *s, uint64_t *at, uint8_t **buf, size_t *cap,
                       struct lip_error *err)
{
    uint64_t left = base_file_size(s->file) - *at;
    uint8_t head[8];
    if (left < sizeof head + 4)
        return 0;
    int status = base_file_read_at(s->file, *at, head, sizeof head, err);
    if (status)
        return status;
    struct base_reader r;
    base_reader_init(&r, head, sizeof head);
    uint32_t kind = base_reader_u32(&r), n = base_reader_u32(&r);
    if (n > RECORD_MAX || left < (uint64_t)n + 12)
        return 0;
    if (base_grow(buf, cap, (size_t)n + 4, RECORD_MAX + 4, 1))
        return base_error_nomem(err, WHERE);
    status = base_file_read_at(s->file, *at + 8, *buf, (size_t)n + 4, err);
    if (status)
        return status;
    base_reader_init(&r, *buf + n, 4);
    if (base_reader_u32(&r) != base_checksum(*buf, n))
        return 0;
    status = take_record(s, kind, *buf, n, *at + 8, err);
    *at += (uint64_t)n + 12;
    return status ? status : 1;
}

static int scan(struct data_score *s, bool append, struct lip_error *err)
{
    uint8_t head[HEAD_BYTES];
    if (base_file_size(s->file) < HEAD_BYTES)
        return base_error_set(err, LIP_ERR_SCORE, WHERE, "this is not a score");
    int status = base_file_read_at(s->file, 0, head, HEAD_BYTES, err);
    if (status)
        return status;
    if (memcmp(head, MAGIC, 8))
        return base_error_set(err, LIP_ERR_SCORE, WHERE, "this is not a score");
    if (head[8] != DATA_SCORE_VERSION || head[9] || head[10] || head[11])
        return base_error_set(err, LIP_ERR_SCORE, WHERE,
                              "the score was written by another version");
    uint64_t at = HEAD_BYTES;
    uint8_t *buf = NULL;
    size_t cap = 0;
    do
        status = scan_record(s, &at, &buf, &cap, err);
    while (status > 0);
    base_free(buf);
    if (!status && !s->has_film)
        status = damaged(err, "it is empty");
    if (!status && append && at < base_file_size(s->file))
        status = base_file_truncate(s->file, at, err);
    return status;
}

/* Public --------------------------------------------------------------------------------------- */

int data_score_create(const char *path, const struct data_film *film, struct data_score **ret_score,
                      struct lip_error *err)
{
    struct data_score *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, WHERE);
    s->film = *film;
    s->has_film = true;
    struct base_buffer b;
    base_buffer_init(&b, 4096);
    base_buffer_put(&b, MAGIC, 8);
    base_buffer_put_u32(&b, DATA_SCORE_VERSION);
    int r = b.status ? base_error_nomem(err, WHERE)
                     : base_file_open(path, BASE_FILE_CREATE, &s->file, err);
    if (!r)
        r = base_file_append(s->file, b.data, b.size, err);
    b.size = 0;
    put_film(&b, film);
    if (!r)
        r = append_record(s, KIND_FILM, &b, err);
    base_buffer_done(&b);
    if (r)
        data_score_close(&s);
    else
        *ret_score = s;
    return r;
}

int data_score_open(const char *path, bool append, struct data_score **ret_score,
                    struct lip_error *err)
{
    struct data_score *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, WHERE);
    int r = base_file_open(path, append ? BASE_FILE_APPEND : BASE_FILE_READ, &s->file, err);
    if (!r)
        r = scan(s, append, err);
    if (r)
        data_score_close(&s);
    else
        *ret_score = s;
    return r;
}

void data_score_close(struct data_score **score)
{
    if (!score || !*score)
        return;
    struct data_score *s = *score;
    base_file_close(&s->file);
    base_free(s->frames);
    base_free(s->tracks);
    base_free(s->shots);
    base_free(s->faceprints);
    base_free(s);
    *score = NULL;
}

int data_score_flush(struct data_score *score, struct lip_error *err)
{
    return base_file_sync(score->file, err);
}

const struct data_film *data_score_film(const struct data_score *score)
{
    return &score->film;
}

int data_score_add_frame(struct data_score *score, const struct data_score_frame *frame,
                         const struct data_face_obs *faces, size_t n, struct lip_error *err)
{
    if (n > DATA_SCORE_FACES_MAX)
        return base_error_arg(err, WHERE, "too many faces in a frame");
    struct data_score_frame f = *frame;
    f.n_faces = (uint8_t)n;
    f.obs_offset = (int64_t)base_file_size(score->file) + 8 + FRAME_HEAD_BYTES;
    int r = base_grow(&score->frames, &score->cap_frames, score->n_frames + 1,
                      (size_t)DATA_SCORE_FRAMES_MAX, sizeof *score->frames);
    if (r)
        return base_error_set(err, r, WHERE, "the film has too many frames");
    struct base_buffer b;
    base_buffer_init(&b, FRAME_HEAD_BYTES + DATA_SCORE_FACES_MAX * FACE_BYTES);
    base_buffer_put_u64(&b, (uint64_t)f.pts);
    base_buffer_put_u64(&b, (uint64_t)f.duration);
    base_buffer_put_u8(&b, f.keyframe);
    base_buffer_put_u8(&b, f.shot_start);
    base_buffer_put_u8(&b, f.n_faces);
    for (size_t i = 0; i < n; i++)
        put_face(&b, &faces[i]);
    r = append_record(score, KIND_FRAME, &b, err);
    base_buffer_done(&b);
    if (!r)
        score->frames[score->n_frames++] = f;
    return r;
}

int64_t data_score_n_frames(const struct data_score *score)
{
    return (int64_t)score->n_frames;
}

const struct data_score_frame *data_score_frame(const struct data_score *score, int64_t index)
{
    return index >= 0 && index < (int64_t)score->n_frames ? &score->frames[index] : NULL;
}

int data_score_read_faces(struct data_score *score, int64_t index, struct data_face_obs *ret_faces,
                          size_t *ret_n, struct lip_error *err)
{
    const struct data_score_frame *f = data_score_frame(score, index);
    if (!f)
        return base_error_arg(err, WHERE, "no such frame");
    for (size_t i = 0; i < f->n_faces; i++) {
        uint8_t bytes[FACE_BYTES];
        int r = base_file_read_at(score->file, (uint64_t)f->obs_offset + i * FACE_BYTES, bytes,
                                  sizeof bytes, err);
        if (r)
            return r;
        struct base_reader reader;
        base_reader_init(&reader, bytes, sizeof bytes);
        take_face(&reader, &ret_faces[i]);
        ret_faces[i].frame = index;
        if (reader.failed)
            return damaged(err, "a face is not made of numbers");
    }
    *ret_n = f->n_faces;
    return LIP_OK;
}

int data_score_add_faceprint(struct data_score *score, const struct data_faceprint *faceprint,
                            struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, FACEPRINT_BYTES);
    base_buffer_put_u64(&b, (uint64_t)faceprint->frame);
    base_buffer_put_u32(&b, (uint32_t)faceprint->track);
    base_buffer_put_f32(&b, faceprint->weight);
    base_buffer_put_f32s(&b, faceprint->v, DATA_FACEPRINT_DIMS);
    uint64_t at = base_file_size(score->file) + 8;
    int r = append_record(score, KIND_FACEPRINT, &b, err);
    base_buffer_done(&b);
    return r ? r : remember_faceprint(score, at, err);
}

size_t data_score_n_faceprints(const struct data_score *score)
{
    return score->n_faceprints;
}

int data_score_read_faceprint(struct data_score *score, size_t index,
                             struct data_faceprint *ret_faceprint, struct lip_error *err)
{
    uint8_t bytes[FACEPRINT_BYTES];
    struct base_reader reader;
    if (index >= score->n_faceprints)
        return base_error_arg(err, WHERE, "no such faceprint");
    int r = base_file_read_at(score->file, score->faceprints[index], bytes, sizeof bytes, err);
    if (r)
        return r;
    base_reader_init(&reader, bytes, sizeof bytes);
    struct data_faceprint faceprint;
    faceprint.frame = take_i64(&reader);
    faceprint.track = take_i32(&reader);
    faceprint.weight = base_reader_f32(&reader);
    base_reader_f32s(&reader, faceprint.v, DATA_FACEPRINT_DIMS);
    if (reader.failed)
        return damaged(err, "a faceprint is not made of numbers");
    *ret_faceprint = faceprint;
    return LIP_OK;
}

int data_score_finish(struct data_score *score, const struct data_track *tracks, size_t n_tracks,
                      const struct data_shot *shots, size_t n_shots, struct lip_error *err)
{
    struct base_buffer b;
    base_buffer_init(&b, RECORD_MAX);
    base_buffer_put_u32(&b, (uint32_t)n_tracks);
    base_buffer_put_u32(&b, (uint32_t)n_shots);
    for (size_t i = 0; i < n_tracks; i++) {
        const struct data_track *t = &tracks[i];
        base_buffer_put_u32(&b, (uint32_t)t->id);
        base_buffer_put_u32(&b, (uint32_t)t->shot);
        base_buffer_put_u64(&b, (uint64_t)t->first_frame);
        base_buffer_put_u64(&b, (uint64_t)t->last_frame);
        base_buffer_put_u64(&b, (uint64_t)t->n_obs);
        base_buffer_put_f32(&b, t->mean_size_px);
        base_buffer_put_f32(&b, t->mean_confidence);
        base_buffer_put_f32s(&b, &t->box.x0, 4);
    }
    for (size_t i = 0; i < n_shots; i++) {
        base_buffer_put_u64(&b, (uint64_t)shots[i].first_frame);
        base_buffer_put_u64(&b, (uint64_t)shots[i].last_frame);
    }
    int r = append_record(score, KIND_FINISH, &b, err);
    if (!r) {
        struct base_reader reader;
        base_reader_init(&reader, b.data, b.size);
        r = take_finish(score, &reader, err);
    }
    base_buffer_done(&b);
    return r;
}

bool data_score_finished(const struct data_score *score)
{
    return score->finished;
}

const struct data_track *data_score_tracks(const struct data_score *score, size_t *ret_n)
{
    *ret_n = score->n_tracks;
    return score->tracks;
}

const struct data_shot *data_score_shots(const struct data_score *score, size_t *ret_n)
{
    *ret_n = score->n_shots;
    return score->shots;
}

int data_score_put_blob(struct data_score *score, const char *name, const void *bytes, size_t n,
                        struct lip_error *err)
{
    if (strlen(name) >= NAME_MAX)
        return base_error_arg(err, WHERE, "the name of a part is too long");
    if (score->n_blobs == BLOBS_MAX && !find_blob(score, name))
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "the score has too many parts");
    struct base_buffer b;
    base_buffer_init(&b, RECORD_MAX);
    base_buffer_put_string(&b, name);
    size_t head = b.size;
    base_buffer_put(&b, bytes, n);
    uint64_t at = base_file_size(score->file) + 8 + head;
    int r = append_record(score, KIND_BLOB, &b, err);
    base_buffer_done(&b);
    return r ? r : remember_blob(score, name, at, n, err);
}

int data_score_cut_after_blob(struct data_score *score, const char *name, struct lip_error *err)
{
    const struct blob *blob = find_blob(score, name);
    if (!blob)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "the score has no part '%s'", name);
    uint64_t end = blob->at + blob->n + 4;
    int r = base_file_truncate(score->file, end, err);
    if (r)
        return r;
    while (score->n_frames && (uint64_t)score->frames[score->n_frames - 1].obs_offset > end)
        score->n_frames--;
    while (score->n_faceprints && score->faceprints[score->n_faceprints - 1] > end)
        score->n_faceprints--;
    size_t kept = 0;
    for (size_t i = 0; i < score->n_blobs; i++)
        if (score->blobs[i].at < end)
            score->blobs[kept++] = score->blobs[i];
    score->n_blobs = kept;
    score->finished = false;
    return LIP_OK;
}

int data_score_get_blob(struct data_score *score, const char *name, uint8_t **ret_bytes,
                        size_t *ret_n, struct lip_error *err)
{
    const struct blob *blob = find_blob(score, name);
    if (!blob)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "the score has no part '%s'", name);
    uint8_t *bytes = base_alloc(blob->n);
    if (!bytes)
        return base_error_nomem(err, WHERE);
    int r = base_file_read_at(score->file, blob->at, bytes, blob->n, err);
    if (r) {
        base_free(bytes);
        return r;
    }
    *ret_bytes = bytes;
    *ret_n = blob->n;
    return LIP_OK;
}
