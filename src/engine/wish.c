/* SPDX-License-Identifier: MIT */
#include "engine/wish.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/edges.h"
#include "image/image.h"

#define WHERE "engine/wish"
#define FADE_FRAMES 5             /* over so many an edit comes and goes where a face is lost */
/* As the mesh measures yaw: a head turned by 45 degrees reads as about 33, by 60 as about 43. */
#define YAW_FULL_RAD 0.57f        /* 33 degrees: full movement up to here … */
#define YAW_NONE_RAD 0.77f        /* … and none from 44 degrees on */
#define PITCH_FULL_RAD 0.60f
#define PITCH_NONE_RAD 0.87f
#define CONFIDENCE_NONE 0.25f
#define CONFIDENCE_FULL 0.55f
#define IOD_FULL_PX 17.f          /* full movement from here on … */
#define IOD_NONE_PX 13.f          /* … none in a face narrower than about 28 pixels */

/* Whether there is a mouth in a frame that can be edited. */
static int see_mouth(struct cast *cast, int64_t frame, bool *ret_seen, struct lip_error *err)
{
    const struct data_face_obs *obs = NULL;
    struct render_cover cover;
    *ret_seen = false;
    int r = geometry_obs(&cast->geometry, frame, &obs, err);
    if (r || !obs)
        return r;
    r = cover_at(&cast->cover, frame, &cover, err);
    *ret_seen = !r && cover.mouth <= COVER_MOUTH_MAX;
    return r;
}

/* Distance in frames to the nearest frame of the same shot without the mouth, up to FADE_FRAMES. */
static int measure_nearness(struct wishes *w, int cast, struct lip_error *err)
{
    int64_t n = data_score_n_frames(w->score);
    uint8_t *nearness = w->nearness[cast], run = FADE_FRAMES;
    for (int64_t f = 0; f < n; f++) {
        bool seen;
        int r = see_mouth(&w->roles->casts[cast], f, &seen, err);
        if (r)
            return r;
        if (data_score_frame(w->score, f)->shot_start)
            run = FADE_FRAMES;
        run = !seen ? 0 : run < FADE_FRAMES ? (uint8_t)(run + 1) : FADE_FRAMES;
        nearness[f] = run;
    }
    run = FADE_FRAMES;
    for (int64_t f = n - 1; f >= 0; f--) {
        run = !nearness[f] ? 0 : run < FADE_FRAMES ? (uint8_t)(run + 1) : FADE_FRAMES;
        if (run < nearness[f])
            nearness[f] = run;
        if (data_score_frame(w->score, f)->shot_start)
            run = FADE_FRAMES;
    }
    return LIP_OK;
}

int wishes_init(struct wishes *w, struct roles *roles, struct data_score *score,
                const struct data_basis *basis, const struct plan *plan, struct lip_error *err)
{
    *w = (struct wishes){.roles = roles, .score = score, .basis = basis, .plan = plan};
    wishes_rewind(w);
    for (size_t i = 0; i < roles->n_casts; i++)
        if (!(w->nearness[i] = base_alloc_array((size_t)data_score_n_frames(score), 1)))
            return base_error_nomem(err, WHERE);
    return LIP_OK;
}

int wishes_measure(struct wishes *w, struct lip_error *err)
{
    int r = LIP_OK;
    for (size_t i = 0; i < w->roles->n_casts && !r; i++)
        if (w->roles->casts[i].n_faces)
            r = measure_nearness(w, (int)i, err);
    return r;
}

void wishes_done(struct wishes *w)
{
    for (size_t i = 0; i < ROLES_CASTS_MAX; i++)
        base_free(w->nearness[i]);
    memset(w->nearness, 0, sizeof w->nearness);
}

void wishes_rewind(struct wishes *w)
{
    w->last_source = w->last_cast = -1;
}

static int decline(struct wish *wish, int why)
{
    wish->edit = false;
    wish->decline = why;
    wish->amount = 0;
    return LIP_OK;
}

/* How far this pose and this observation can be trusted with an edit; sets the decline when not. */
static float trust(const struct data_face_geom *g, struct wish *wish)
{
    float turned = 1 - image_smoothstep(YAW_FULL_RAD, YAW_NONE_RAD, fabsf(g->yaw_rad));
    turned *= 1 - image_smoothstep(PITCH_FULL_RAD, PITCH_NONE_RAD, fabsf(g->pitch_rad));
    float sure = image_smoothstep(CONFIDENCE_NONE, CONFIDENCE_FULL, g->confidence);
    float large = image_smoothstep(IOD_NONE_PX, IOD_FULL_PX, g->scale);
    if (large < 0.01f)
        decline(wish, LIP_DECLINE_TINY);
    else if (turned < 0.01f)
        decline(wish, LIP_DECLINE_PROFILE);
    else if (sure < 0.01f)
        decline(wish, LIP_DECLINE_UNSURE);
    return turned * sure * large;
}

static void shape_of(const struct wishes *w, const struct plan_frame *frame,
                     const struct role *role, struct wish *wish)
{
    const struct data_person *person = &w->roles->casts[wish->cast].person;
    struct data_curve_sample s;
    wish->fades |= edges_sample(w->plan, w->roles, frame, role, &s);
    data_basis_shape(w->basis, (const float(*)[3])person->rest, s.coef, wish->shape);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++)
            wish->shape[p][a] = wish->geom.canon[p][a] +
                                wish->amount * (wish->shape[p][a] - wish->geom.canon[p][a]);
}

/* Whether the picture does not go on from the frame that was asked for before. */
static bool is_cut(const struct wishes *w, const struct plan_frame *frame)
{
    int64_t jump = frame->source - w->last_source;
    bool cut = w->last_source < 0 || jump > 2 || jump < -2;
    for (int64_t f = w->last_source + 1; !cut && f <= frame->source; f++)
        cut = data_score_frame(w->score, f)->shot_start;
    if (jump < 0 && data_score_frame(w->score, frame->source + 1)->shot_start)
        cut = true;
    return cut;
}

/* With the cast and the curve set. */
static int wish_of(struct wishes *w, const struct plan_frame *frame, const struct role *role,
                   struct wish *wish, struct lip_error *err)
{
    struct cast *cast = &w->roles->casts[role->cast];
    float role_edge = edges_amount(w->plan, w->roles, frame, role);
    if (frame->held && !(role_edge > 0))
        return decline(wish, LIP_DECLINE_HELD);
    if (!cast->n_faces)
        return decline(wish, LIP_DECLINE_NO_FACE);
    int r = cover_at(&cast->cover, frame->source, &wish->cover, err);
    if (r)
        return r;
    uint8_t nearness = w->nearness[role->cast][frame->source];
    if (!nearness)
        return decline(wish, wish->cover.mouth > COVER_MOUTH_MAX ? LIP_DECLINE_OCCLUDED
                                                                 : LIP_DECLINE_NO_FACE);
    r = geometry_at(&cast->geometry, frame->source, &wish->geom, err);
    if (r)
        return r;
    if (!wish->geom.valid)
        return decline(wish, LIP_DECLINE_NO_FACE);
    float edge = image_smoothstep(0, FADE_FRAMES, (float)nearness);
    wish->amount = edge * trust(&wish->geom, wish) * role_edge;
    wish->fades = role_edge < 1;
    wish->edit = wish->decline < 0;
    return LIP_OK;
}

int wishes_at(struct wishes *w, const struct plan_frame *frame, struct wish *ret_wish,
              struct lip_error *err)
{
    memset(ret_wish, 0, offsetof(struct wish, geom));
    ret_wish->decline = ret_wish->cast = -1;
    ret_wish->geom.valid = false;
    bool cut = is_cut(w, frame);
    int last_cast = w->last_cast;
    w->last_source = frame->source;
    w->last_cast = -1;
    const struct role *role = roles_find(w->roles, frame->source);
    if (!role && w->roles->silent && w->roles->silent[frame->source])
        return decline(ret_wish, LIP_DECLINE_NOT_SPEAKING);
    if (!role)
        return LIP_OK;
    ret_wish->cast = role->cast;
    ret_wish->curve = roles_curve(w->roles, role);
    int r = wish_of(w, frame, role, ret_wish, err);
    if (r || !ret_wish->edit)
        return r;
    w->last_cast = role->cast;
    ret_wish->restart = cut || last_cast != role->cast;
    shape_of(w, frame, role, ret_wish);
    return LIP_OK;
}
