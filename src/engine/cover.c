/* SPDX-License-Identifier: MIT */
#include "engine/cover.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

#define WHERE "engine/cover"
#define CAUTION_ON .75f  /* asked for: finds more, also what is not there */
#define SWEPT_MAX 12   /* frames: half a second before the whole face */
#define MARKED_MAX .5    /* auto: a film with more strange looks than that was not understood */

int cover_init(struct cover *c, struct geometry *geometry, const struct render_mesh *mesh,
               enum lip_occlusion mode, struct lip_error *err)
{
    *c = (struct cover){.geometry = geometry, .mesh = mesh, .mode = mode};
    for (int i = 0; i < COVER_KEPT; i++)
        c->kept_frame[i] = -1;
    c->kept = base_alloc_array(COVER_KEPT, sizeof *c->kept);
    c->likeness = base_alloc_zero(sizeof *c->likeness);
    if (c->kept && c->likeness)
        return LIP_OK;
    cover_done(c);
    return base_error_nomem(err, WHERE);
}

void cover_done(struct cover *c)
{
    base_free(c->kept);
    base_free(c->likeness);
    c->kept = NULL;
    c->likeness = NULL;
}

static float caution(const struct cover *c)
{
    return c->mode == LIP_OCCLUSION_ON ? CAUTION_ON : 1;
}

/* Looks spread over the whole film. */
static int take_sample(struct cover *c, const struct speaker_face *face, struct data_look *sample,
                       size_t *ret_n, struct lip_error *err)
{
    int64_t step = face->n_obs / RENDER_LOOKS_MAX + 1, seen = 0;
    size_t n = 0;
    int r = LIP_OK;
    for (int64_t f = 0; !r && n < RENDER_LOOKS_MAX && f < data_score_n_frames(c->geometry->score);
         f++) {
        const struct data_face_obs *obs = NULL;
        r = geometry_obs(c->geometry, f, &obs, err);
        if (!r && obs && seen++ % step == 0)
            sample[n++] = obs->look;
    }
    *ret_n = n;
    return r;
}

static void doubt(struct cover *c, const struct data_look *sample, size_t n)
{
    size_t n_marked = 0;
    for (size_t i = 0; i < n; i++) {
        struct render_cover cover;
        render_cover_find(c->mesh, c->likeness, &sample[i], caution(c), &cover);
        n_marked += cover.n_cells > 0;
    }
    if ((double)n_marked > MARKED_MAX * (double)n)
        c->likeness->n_looks = 0;
}

int cover_learn(struct cover *c, const struct speaker_face *face, struct lip_error *err)
{
    memset(c->likeness, 0, sizeof *c->likeness);
    if (c->mode == LIP_OCCLUSION_OFF)
        return LIP_OK;
    size_t n = 0;
    struct data_look *sample = base_alloc_array(RENDER_LOOKS_MAX, sizeof *sample);
    int r = sample ? take_sample(c, face, sample, &n, err) : base_error_nomem(err, WHERE);
    if (!r)
        r = render_likeness_learn(c->mesh, sample, n, c->likeness, err);
    if (!r && c->mode == LIP_OCCLUSION_AUTO)
        doubt(c, sample, n);
    base_free(sample);
    return r;
}

int cover_write(const struct cover *c, struct base_buffer *out)
{
    base_buffer_put_u8(out, (uint8_t)c->mode);
    return data_likeness_write(c->likeness, out);
}

int cover_read(struct cover *c, const void *bytes, size_t n, struct lip_error *err)
{
    const uint8_t *b = bytes;
    if (n < 1 || b[0] != (uint8_t)c->mode)
        return base_error_set(err, LIP_ERR_SCORE, WHERE,
                              "the score was learnt with another --occlusion");
    return data_likeness_read(b + 1, n - 1, c->likeness, err);
}

/* From one frame alone; *ret_cover NULL where the face is not seen. Valid until a frame COVER_KEPT
 * away is asked for. */
static int find(struct cover *c, int64_t frame, const struct render_cover **ret_cover,
                struct lip_error *err)
{
    *ret_cover = NULL;
    if (!data_score_frame(c->geometry->score, frame))
        return LIP_OK;
    size_t slot = (size_t)(frame % COVER_KEPT);
    if (c->kept_frame[slot] != frame) {
        const struct data_face_obs *obs = NULL;
        int r = geometry_obs(c->geometry, frame, &obs, err);
        if (r)
            return r;
        c->kept_frame[slot] = frame;
        c->kept_valid[slot] = obs != NULL;
        if (obs)
            render_cover_find(c->mesh, c->likeness, &obs->look, caution(c), &c->kept[slot]);
    }
    if (c->kept_valid[slot])
        *ret_cover = &c->kept[slot];
    return LIP_OK;
}

/* Whether a step from one frame to the next or the one before stays in the shot. */
static bool same_shot(const struct cover *c, int64_t frame, int step)
{
    /* the frame with which a shot begins, looking over its edge from either side */
    const struct data_score_frame *edge =
        data_score_frame(c->geometry->score, step > 0 ? frame + 1 : frame);
    return edge && !edge->shot_start;
}

/* Looked at alone and with the frames around it. */
static int confirm(struct cover *c, int64_t frame, struct render_cover *ret_cover,
                   struct lip_error *err)
{
    const struct render_cover *around[2 * RENDER_COVER_AROUND + 1] = {NULL};
    int r = find(c, frame, &around[RENDER_COVER_AROUND], err);
    if (r || !around[RENDER_COVER_AROUND])
        return r;
    *ret_cover = *around[RENDER_COVER_AROUND];
    if (!ret_cover->n_cells)
        return LIP_OK;
    for (int step = -1; step <= 1; step += 2)
        for (int k = 1; !r && k <= RENDER_COVER_AROUND; k++) {
            if (!same_shot(c, frame + step * (k - 1), step))
                break;
            r = find(c, frame + step * k, &around[RENDER_COVER_AROUND + step * k], err);
        }
    if (!r)
        render_cover_confirm(c->mesh, around, ret_cover);
    return r;
}

/* What comes before the whole face makes all of it strange, as a new light does. It is something in
 * front when over such frames alone one comes to a frame in which there is something in front. */
static int is_swept(struct cover *c, int64_t frame, bool *ret_swept, struct lip_error *err)
{
    *ret_swept = false;
    for (int step = -1; step <= 1; step += 2)
        for (int k = 1; k <= SWEPT_MAX && same_shot(c, frame + step * (k - 1), step); k++) {
            struct render_cover next = {.n_cells = 0};
            int r = confirm(c, frame + step * k, &next, err);
            if (r)
                return r;
            *ret_swept |= next.n_cells > 0;
            if (!(next.oddness > 0))
                break;
        }
    return LIP_OK;
}

int cover_at(struct cover *c, int64_t frame, struct render_cover *ret_cover, struct lip_error *err)
{
    memset(ret_cover, 0, sizeof *ret_cover);
    if (!c->likeness || !c->likeness->n_looks)
        return LIP_OK;
    struct render_cover cover = {.n_cells = 0};
    bool swept = false;
    int r = confirm(c, frame, &cover, err);
    if (!r && cover.oddness > 0)
        r = is_swept(c, frame, &swept, err);
    if (swept)
        render_cover_whole(c->mesh, &cover);
    if (!r)
        *ret_cover = cover;
    return r;
}
