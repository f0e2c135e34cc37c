/* SPDX-License-Identifier: MIT */
#include "engine/span.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"

#define WHERE "engine/span"
#define BLOB "span"
#define BLOB_BYTES (5 * 8 + 1)

int64_t span_time(const struct span_grid *grid, int64_t pts)
{
    const struct data_rational tb = grid->film->time_base;
    double s = (double)(pts - grid->film->start_pts) * (double)tb.num / (double)tb.den;
    return s > 0 ? (int64_t)(s * 1e6 + .5) : 0;
}

int64_t span_at(const struct span_grid *grid, int64_t at_us)
{
    return at_us / grid->span_us;
}

int64_t span_start(const struct span_grid *grid, int64_t number)
{
    return number * grid->span_us;
}

int64_t span_lead(const struct span_grid *grid, int64_t number)
{
    int64_t at = span_start(grid, number) - SPAN_LEAD_US;
    return at > 0 ? at : 0;
}

int64_t span_count_guess(const struct span_grid *grid)
{
    const struct data_film *f = grid->film;
    int64_t us = f->duration_us;
    if (us <= 0 && f->frame_rate.num > 0 && f->n_frames_guess > 0)
        us = (int64_t)((double)f->n_frames_guess * (double)f->frame_rate.den /
                       (double)f->frame_rate.num * 1e6);
    int64_t n = us > 0 && us < INT64_MAX / 2 ? (us + grid->span_us - 1) / grid->span_us : 1;
    return n < 1 ? 1 : n < DATA_SCORE_FRAMES_MAX ? n : DATA_SCORE_FRAMES_MAX;
}

static int path_of(const struct span_grid *grid, int64_t number, const char *ending,
                   char **ret_path)
{
    size_t n = strlen(grid->score_path) + 48;
    *ret_path = base_alloc(n);
    if (!*ret_path)
        return LIP_ERR_NOMEM;
    snprintf(*ret_path, n, "%s.%s%06lld%s", grid->score_path, grid->streamed ? "streamed" : "span",
             (long long)number, ending);
    return LIP_OK;
}

bool span_exists(const struct span_grid *grid, int64_t number)
{
    char *path = NULL;
    bool there = !path_of(grid, number, "", &path) && base_fs_exists(path);
    base_free(path);
    return there;
}

void span_remove(const struct span_grid *grid, int64_t number)
{
    char *path = NULL;
    if (!path_of(grid, number, "", &path))
        base_fs_remove(path);
    base_free(path);
}

int span_create(const struct span_grid *grid, int64_t number, struct span *ret_span,
                struct lip_error *err)
{
    char *path = NULL;
    *ret_span = (struct span){.number = number};
    int r = path_of(grid, number, ".new", &path) ? base_error_nomem(err, WHERE)
            : data_score_create(path, grid->film, &ret_span->score, err);
    base_free(path);
    return r;
}

static void put_blob(const struct span_grid *grid, const struct span *span, struct base_buffer *b)
{
    base_buffer_put_u64(b, (uint64_t)span->number);
    base_buffer_put_u64(b, (uint64_t)grid->span_us);
    base_buffer_put_u64(b, grid->models_hash);
    base_buffer_put_u64(b, (uint64_t)grid->n_crops);
    base_buffer_put_u64(b, (uint64_t)span->n_lead);
    base_buffer_put_u8(b, span->is_last);
}

int span_finish(const struct span_grid *grid, struct span *span, struct lip_error *err)
{
    struct base_buffer b;
    char *from = NULL, *to = NULL;
    base_buffer_init(&b, BLOB_BYTES);
    put_blob(grid, span, &b);
    int r = b.status || path_of(grid, span->number, ".new", &from) ||
            path_of(grid, span->number, "", &to) ? base_error_nomem(err, WHERE) : LIP_OK;
    if (!r)
        r = data_score_put_blob(span->score, BLOB, b.data, b.size, err);
    if (!r)
        r = data_score_finish(span->score, NULL, 0, NULL, 0, err);
    data_score_close(&span->score);
    if (!r)
        r = base_fs_rename(from, to, err);
    if (r && from)
        base_fs_remove(from);
    base_buffer_done(&b);
    base_free(from);
    base_free(to);
    return r;
}

void span_drop(const struct span_grid *grid, struct span *span)
{
    char *path = NULL;
    if (!span->score)
        return;
    data_score_close(&span->score);
    if (!path_of(grid, span->number, ".new", &path))
        base_fs_remove(path);
    base_free(path);
}

/* Whether all that was written into the span says that it is the one that is looked for. */
static bool is_of_grid(const struct span_grid *grid, struct span *span)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct base_reader r;
    if (!data_score_finished(span->score) ||
        data_score_film(span->score)->identity != grid->film->identity ||
        data_score_get_blob(span->score, BLOB, &bytes, &n, NULL))
        return false;
    base_reader_init(&r, bytes, n);
    bool fits = n == BLOB_BYTES && base_reader_u64(&r) == (uint64_t)span->number &&
                base_reader_u64(&r) == (uint64_t)grid->span_us &&
                base_reader_u64(&r) == grid->models_hash &&
                base_reader_u64(&r) == (uint64_t)grid->n_crops;
    uint64_t n_lead = fits ? base_reader_u64(&r) : 0;
    span->is_last = fits && base_reader_u8(&r);
    span->n_lead = (int64_t)n_lead;
    base_free(bytes);
    return fits && n_lead <= (uint64_t)data_score_n_frames(span->score);
}

int span_open(const struct span_grid *grid, int64_t number, struct span *ret_span,
              struct lip_error *err)
{
    char *path = NULL;
    *ret_span = (struct span){.number = number};
    int r = path_of(grid, number, "", &path) ? base_error_nomem(err, WHERE)
            : data_score_open(path, false, &ret_span->score, err);
    base_free(path);
    if (!r && !is_of_grid(grid, ret_span))
        r = base_error_set(err, LIP_ERR_SCORE, WHERE, "a span of another film, or a damaged one");
    if (r)
        span_close(ret_span);
    return r;
}

void span_close(struct span *span)
{
    data_score_close(&span->score);
}
