/* SPDX-License-Identifier: MIT
 *
 * The face that was asked for. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "speaker/speaker.h"

#define LISTED_MAX 5 /* faces named in an error's sentence */

struct text {
    char bytes[320];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->n, sizeof t->bytes - t->n, format, args);
    va_end(args);
    if (n > 0)
        t->n = t->n + (size_t)n < sizeof t->bytes ? t->n + (size_t)n : sizeof t->bytes - 1;
}

/* "the film has 2 faces: 1 (frames 0-250, about 210 px wide), 2 (…)" */
static void describe(const struct speaker_face *faces, size_t n, struct text *out)
{
    if (n == 0) {
        append(out, "no face was found in the film");
        return;
    }
    append(out, "the film has %zu face%s: ", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n && i < LISTED_MAX; i++)
        append(out, "%s%d (frames %lld-%lld, %.0f px wide)", i ? ", " : "", faces[i].number,
               (long long)faces[i].first_frame, (long long)faces[i].last_frame,
               (double)faces[i].mean_size_px);
    if (n > LISTED_MAX)
        append(out, " and %zu more", n - LISTED_MAX);
}

static size_t face_of_track(const struct speaker_face *faces, size_t n, int32_t track)
{
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < faces[f].n_tracks; i++)
            if (faces[f].track_ids[i] == track)
                return f;
    return n;
}

static struct data_box box_of(const struct data_face_obs *o)
{
    struct data_box b = {o->points[0][0], o->points[0][1], o->points[0][0], o->points[0][1]};
    for (int i = 1; i < DATA_MESH_POINTS; i++) {
        b.x0 = fminf(b.x0, o->points[i][0]);
        b.y0 = fminf(b.y0, o->points[i][1]);
        b.x1 = fmaxf(b.x1, o->points[i][0]);
        b.y1 = fmaxf(b.y1, o->points[i][1]);
    }
    return b;
}

/* Distance to the box (0 inside) and to its middle, in its widths. */
static void measure(const struct data_box *b, float x, float y, float *ret_outside,
                    float *ret_middle)
{
    float w = fmaxf(b->x1 - b->x0, 1e-3f);
    float dx = fmaxf(fmaxf(b->x0 - x, x - b->x1), 0), dy = fmaxf(fmaxf(b->y0 - y, y - b->y1), 0);
    *ret_outside = sqrtf(dx * dx + dy * dy) / w;
    dx = .5f * (b->x0 + b->x1) - x;
    dy = .5f * (b->y0 + b->y1) - y;
    *ret_middle = sqrtf(dx * dx + dy * dy) / w;
}

/* Among faces that hold the point, the one whose middle is nearest; else the nearest box. */
static size_t nearest(const struct speaker_face *faces, size_t n,
                      const struct speaker_choice *choice, const struct data_face_obs *at,
                      size_t n_at, float *ret_snap)
{
    size_t best = n;
    float best_outside = HUGE_VALF, best_middle = HUGE_VALF;
    for (size_t i = 0; i < n_at; i++) {
        size_t face = face_of_track(faces, n, at[i].track);
        struct data_box box = box_of(&at[i]);
        float outside, middle;
        if (face == n)
            continue;
        measure(&box, choice->x, choice->y, &outside, &middle);
        if (outside < best_outside || (outside == best_outside && middle < best_middle)) {
            best = face;
            best_outside = outside;
            best_middle = middle;
        }
    }
    *ret_snap = best_outside;
    return best;
}

int speaker_choose(const struct speaker_face *faces, size_t n, const struct speaker_choice *choice,
                   const struct data_face_obs *at, size_t n_at, size_t *ret_index, float *ret_snap,
                   struct lip_error *err)
{
    struct text known = {{0}, 0};
    size_t index = n;
    float snap = 0;
    describe(faces, n, &known);
    switch (choice->kind) {
    case SPEAKER_LARGEST:
        index = 0;
        break;
    case SPEAKER_NUMBER:
        if (choice->number >= 1 && (size_t)choice->number <= n)
            index = (size_t)choice->number - 1;
        else
            return base_error_set(err, LIP_ERR_NO_FACE, "speaker", "there is no face number %d: %s",
                                  choice->number, known.bytes);
        break;
    case SPEAKER_POINT:
        if (!isfinite(choice->x) || !isfinite(choice->y))
            return base_error_arg(err, "speaker", "the point of the face");
        index = nearest(faces, n, choice, at, n_at, &snap);
        if (index == n && n > 0)
            return base_error_set(err, LIP_ERR_NO_FACE, "speaker",
                                  "no face is seen in frame %lld: %s", (long long)choice->frame,
                                  known.bytes);
        break;
    default:
        return base_error_arg(err, "speaker", "choice");
    }
    if (index >= n)
        return base_error_set(err, LIP_ERR_NO_FACE, "speaker", "%s", known.bytes);
    *ret_index = index;
    if (ret_snap)
        *ret_snap = snap;
    return LIP_OK;
}
