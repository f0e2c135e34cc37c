/* SPDX-License-Identifier: MIT */
#include "engine/reader.h"

#include "base/alloc.h"
#include "base/status.h"

#define KEPT_MAX 64                      /* frames kept for walking backwards … */
#define KEPT_BYTES ((size_t)48 << 20)    /* … as long as they fit in here, but at least */
#define KEPT_MIN 4
#define READ_ON_MAX 48 /* a jump of fewer frames is read over rather than sought */
#define WHERE "engine/reader"

struct reader {
    struct media_source *source;
    const struct data_score *score;
    int64_t next;                      /* number of the frame that the source gives next */
    struct data_frame *kept[KEPT_MAX]; /* kept[i] has the number kept_first + i */
    int64_t kept_first;
    int n_kept;
    int64_t last;                      /* number asked for last; -1 at first */
};

int reader_create(const char *film, const struct data_score *score,
                  const struct media_source_params *params, struct reader **ret_reader,
                  struct lip_error *err)
{
    struct reader *r = base_alloc_zero(sizeof *r);
    if (!r)
        return base_error_nomem(err, WHERE);
    r->score = score;
    r->last = -1;
    int status = media_source_open(film, params, &r->source, err);
    if (status) {
        reader_destroy(&r);
        return status;
    }
    *ret_reader = r;
    return LIP_OK;
}

static void drop_kept(struct reader *r)
{
    for (int i = 0; i < r->n_kept; i++)
        data_frame_unref(&r->kept[i]);
    r->n_kept = 0;
}

void reader_destroy(struct reader **reader)
{
    if (!reader || !*reader)
        return;
    drop_kept(*reader);
    media_source_close(&(*reader)->source);
    base_free(*reader);
    *reader = NULL;
}

/* The number of the frame with this time stamp, or -1. */
static int64_t number_of(const struct reader *r, int64_t pts)
{
    int64_t lo = 0, hi = data_score_n_frames(r->score) - 1;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (data_score_frame(r->score, mid)->pts < pts)
            lo = mid + 1;
        else
            hi = mid;
    }
    return data_score_frame(r->score, lo)->pts == pts ? lo : -1;
}

/* The next frame; its number must be the expected one. */
static int read_one(struct reader *r, struct data_frame **ret_frame, struct lip_error *err)
{
    struct data_frame *f = NULL;
    int status = media_source_read(r->source, &f, err);
    if (status)
        return status;
    const struct data_score_frame *want = data_score_frame(r->score, r->next);
    if (!f || !want || f->pts != want->pts) {
        data_frame_unref(&f);
        return base_error_set(err, LIP_ERR_SCORE, WHERE,
                              "the film is not the one that was analyzed: frame %lld is missing",
                              (long long)r->next);
    }
    f->index = r->next++;
    *ret_frame = f;
    return LIP_OK;
}

static int rewind_to_start(struct reader *r, struct lip_error *err)
{
    int status = media_source_rewind(r->source, err);
    r->next = 0;
    return status;
}

/* Moves the source so that `next` is at or before index, at a key frame when a jump pays. */
static int position(struct reader *r, int64_t index, struct lip_error *err)
{
    int64_t key = index;
    while (key > 0 && !data_score_frame(r->score, key)->keyframe)
        key--;
    if (r->next <= index && (r->next >= key || index - r->next <= READ_ON_MAX))
        return LIP_OK;
    if (key == 0)
        return rewind_to_start(r, err);
    struct data_frame *f = NULL;
    struct lip_error quiet = {0};
    int status = media_source_seek(r->source, data_score_frame(r->score, key)->pts, &quiet);
    if (!status)
        status = media_source_read(r->source, &f, &quiet);
    int64_t got = !status && f ? number_of(r, f->pts) : -1;
    if (got < 0 || got > index) { /* the file cannot be sought: read it from the start */
        data_frame_unref(&f);
        return rewind_to_start(r, err);
    }
    r->next = got + 1;
    if (got == index) {
        drop_kept(r);
        f->index = got;
        r->kept[r->n_kept++] = f;
        r->kept_first = got;
        return LIP_OK;
    }
    data_frame_unref(&f);
    return LIP_OK;
}

static size_t frame_bytes(const struct data_frame *f)
{
    size_t n = 0;
    for (int p = 0; p < f->n_planes; p++)
        n += (size_t)f->plane[p].stride_bytes * (size_t)f->plane[p].height_px;
    return n;
}

/* Reads up to and including `index`, keeping the frames from `first` on. */
static int read_until(struct reader *r, int64_t first, int64_t index, struct lip_error *err)
{
    while (r->next <= index) {
        struct data_frame *f = NULL;
        int status = read_one(r, &f, err);
        if (status)
            return status;
        if (f->index < first) {
            data_frame_unref(&f);
            continue;
        }
        if (!r->n_kept)
            r->kept_first = f->index;
        r->kept[r->n_kept++] = f;
    }
    return LIP_OK;
}

static struct data_frame *find_kept(const struct reader *r, int64_t index)
{
    int64_t i = index - r->kept_first;
    return r->n_kept && i >= 0 && i < r->n_kept ? r->kept[i] : NULL;
}

/* How many frames before `index` to keep when the walk goes backwards. */
static int64_t backward_run(const struct reader *r, int64_t index)
{
    const struct data_frame *f = r->n_kept ? r->kept[0] : NULL;
    size_t fit = f ? KEPT_BYTES / frame_bytes(f) : KEPT_MIN;
    fit = fit < KEPT_MIN ? KEPT_MIN : fit > KEPT_MAX ? KEPT_MAX : fit;
    int64_t first = index - (int64_t)fit + 1;
    return first < 0 ? 0 : first;
}

int reader_get(struct reader *r, int64_t index, struct data_frame **ret_frame,
               struct lip_error *err)
{
    if (index < 0 || index >= data_score_n_frames(r->score))
        return base_error_arg(err, WHERE, "no such frame");
    struct data_frame *f = find_kept(r, index);
    if (!f) {
        int64_t first = r->last >= 0 && index == r->last - 1 ? backward_run(r, index) : index;
        drop_kept(r);
        int status = position(r, first, err);
        if (!status)
            status = read_until(r, first, index, err);
        if (status)
            return status;
        f = find_kept(r, index);
        if (!f)
            return base_error_set(err, LIP_ERR_INTERNAL, WHERE, "a frame was lost");
    }
    r->last = index;
    *ret_frame = data_frame_ref(f);
    return LIP_OK;
}
