/* SPDX-License-Identifier: MIT */
#include "engine/wish.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define WHERE "engine/wish"
#define FADE_FRAMES 5             /* over so many an edit comes and goes where a face is lost */
/* As the mesh measures yaw: a head turned by 60 degrees reads as about 43, and from 40 on its
 * points leave the outline of the cheek. */
#define YAW_FULL_RAD 0.44f        /* 25 degrees: full movement up to here … */
#define YAW_NONE_RAD 0.70f        /* … and none from 40 degrees on */
#define PITCH_FULL_RAD 0.60f
#define PITCH_NONE_RAD 0.87f
#define CONFIDENCE_NONE 0.25f
#define CONFIDENCE_FULL 0.55f
#define IOD_MIN_PX 14.f           /* a face narrower than about 22 pixels has no mouth to speak
                                     of */
#define CURVE_TAIL_S 0.1          /* after the voice's end the mouth is at rest */

static float ramp(float from, float to, float x)
{
    float t = (x - from) / (to - from);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

/* Whether there is a mouth in a frame that can be edited. */
static int see_mouth(struct wishes *w, int64_t frame, bool *ret_seen, struct lip_error *err)
{
    const struct data_face_obs *obs = NULL;
    struct render_cover cover;
    *ret_seen = false;
    int r = geometry_obs(&w->cast->geometry, frame, &obs, err);
    if (r || !obs)
        return r;
    r = cover_at(&w->cast->cover, frame, &cover, err);
    *ret_seen = !r && cover.mouth <= COVER_MOUTH_MAX;
    return r;
}

/* Distance in frames to the nearest frame of the same shot without the mouth, up to FADE_FRAMES. */
static int measure_nearness(struct wishes *w, struct lip_error *err)
{
    int64_t n = data_score_n_frames(w->score);
    uint8_t run = FADE_FRAMES;
    for (int64_t f = 0; f < n; f++) {
        bool seen;
        int r = see_mouth(w, f, &seen, err);
        if (r)
            return r;
        if (data_score_frame(w->score, f)->shot_start)
            run = FADE_FRAMES;
        run = !seen ? 0 : run < FADE_FRAMES ? (uint8_t)(run + 1) : FADE_FRAMES;
        w->nearness[f] = run;
    }
    run = FADE_FRAMES;
    for (int64_t f = n - 1; f >= 0; f--) {
        run = !w->nearness[f] ? 0 : run < FADE_FRAMES ? (uint8_t)(run + 1) : FADE_FRAMES;
        if (run < w->nearness[f])
            w->nearness[f] = run;
        if (data_score_frame(w->score, f)->shot_start)
            run = FADE_FRAMES;
    }
    return LIP_OK;
}

int wishes_init(struct wishes *w, struct cast *cast, struct data_score *score,
                const struct data_curve *curve, const struct data_basis *basis,
                const struct plan *plan, struct lip_error *err)
{
    *w = (struct wishes){.cast = cast, .score = score, .curve = curve, .basis = basis,
                         .plan = plan, .last_source = -1};
    w->nearness = base_alloc_array((size_t)data_score_n_frames(score), 1);
    if (!w->nearness)
        return base_error_nomem(err, WHERE);
    return cast->n_faces ? measure_nearness(w, err) : LIP_OK;
}

void wishes_done(struct wishes *w)
{
    base_free(w->nearness);
    w->nearness = NULL;
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
    float turned = 1 - ramp(YAW_FULL_RAD, YAW_NONE_RAD, fabsf(g->yaw_rad));
    turned *= 1 - ramp(PITCH_FULL_RAD, PITCH_NONE_RAD, fabsf(g->pitch_rad));
    float sure = ramp(CONFIDENCE_NONE, CONFIDENCE_FULL, g->confidence);
    if (g->scale < IOD_MIN_PX)
        decline(wish, LIP_DECLINE_TINY);
    else if (turned < 0.01f)
        decline(wish, LIP_DECLINE_PROFILE);
    else if (sure < 0.01f)
        decline(wish, LIP_DECLINE_UNSURE);
    return turned * sure;
}

static void shape_of(const struct wishes *w, double t_s, struct wish *wish)
{
    struct data_curve_sample s = {0};
    double end_s = w->curve->n ? (double)w->curve->n / w->curve->rate_hz : 0;
    if (t_s < end_s + CURVE_TAIL_S)
        data_curve_at(w->curve, t_s, &s);
    data_basis_shape(w->basis, (const float(*)[3])w->cast->person.rest, s.coef, wish->shape);
    for (int p = 0; p < DATA_FACE_POINTS; p++)
        for (int a = 0; a < 3; a++)
            wish->shape[p][a] = wish->geom.canon[p][a] +
                                wish->amount * (wish->shape[p][a] - wish->geom.canon[p][a]);
}

int wishes_at(struct wishes *w, const struct plan_frame *frame, struct wish *ret_wish,
              struct lip_error *err)
{
    memset(ret_wish, 0, offsetof(struct wish, geom));
    ret_wish->decline = -1;
    ret_wish->geom.valid = false;
    int64_t jump = frame->source - w->last_source;
    bool cut = w->last_source < 0 || jump > 2 || jump < -2;
    for (int64_t f = w->last_source + 1; !cut && f <= frame->source; f++)
        cut = data_score_frame(w->score, f)->shot_start;
    if (jump < 0 && data_score_frame(w->score, frame->source + 1)->shot_start)
        cut = true;
    w->last_source = frame->source;
    bool after_gap = !w->last_edit;
    w->last_edit = false;
    if (frame->held)
        return decline(ret_wish, LIP_DECLINE_HELD);
    if (!w->cast->n_faces)
        return decline(ret_wish, LIP_DECLINE_NO_FACE);
    int r = cover_at(&w->cast->cover, frame->source, &ret_wish->cover, err);
    if (r)
        return r;
    if (!w->nearness[frame->source])
        return decline(ret_wish, ret_wish->cover.mouth > COVER_MOUTH_MAX ? LIP_DECLINE_OCCLUDED
                                                                         : LIP_DECLINE_NO_FACE);
    r = geometry_at(&w->cast->geometry, frame->source, &ret_wish->geom, err);
    if (r)
        return r;
    if (!ret_wish->geom.valid)
        return decline(ret_wish, LIP_DECLINE_NO_FACE);
    float edge = ramp(0, FADE_FRAMES, (float)w->nearness[frame->source]);
    ret_wish->amount = edge * trust(&ret_wish->geom, ret_wish);
    if (ret_wish->decline >= 0)
        return LIP_OK;
    ret_wish->edit = w->last_edit = true;
    ret_wish->restart = cut || after_gap;
    shape_of(w, plan_seconds(w->plan, frame->pts), ret_wish);
    return LIP_OK;
}
