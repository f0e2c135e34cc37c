/* SPDX-License-Identifier: MIT */
#include "engine/edges.h"

#include <math.h>
#include <string.h>

#include "image/image.h"

#define REST_S 0.1 /* so fast does a mouth go to rest after its voice */

/* When the film's own frames of a piece are over and its last one stands; else the piece's end. */
static int64_t hold_of(const struct plan_piece *piece)
{
    bool holds = piece->total_ticks > piece->film_ticks && !piece->grid_n && !plan_turns(piece);
    return piece->at_ticks + (holds ? piece->film_ticks : piece->total_ticks);
}

static bool holds(const struct plan_piece *piece)
{
    return hold_of(piece) < piece->at_ticks + piece->total_ticks;
}

/* Whether an edit has to fade between frame - 1 and frame of the film. */
static bool fades(const struct plan *plan, const struct roles *roles, int64_t frame)
{
    const struct data_score_frame *f = data_score_frame(plan->score, frame);
    return f && frame > 0 && !f->shot_start && !roles_go_on(roles, frame - 1, frame);
}

/* Whether it has to where piece i begins: also after a picture that stood. */
static bool parts(const struct plan *plan, const struct roles *roles, size_t i)
{
    int64_t first = plan_piece(plan, i - 1)->first + plan_piece(plan, i - 1)->n;
    const struct data_score_frame *f = data_score_frame(plan->score, first);
    return (f && !f->shot_start && holds(plan_piece(plan, i - 1))) || fades(plan, roles, first);
}

float edges_amount(const struct plan *plan, const struct roles *roles,
                   const struct plan_frame *frame, const struct role *role)
{
    const struct plan_piece *piece = plan_piece(plan, frame->piece);
    int64_t middle = frame->pts + frame->duration / 2, end = piece->first + piece->n;
    double nearest_s = ROLES_FADE_S, held_s = plan_seconds(plan, middle - hold_of(piece));
    if (frame->piece > 0 && parts(plan, roles, frame->piece))
        nearest_s = fmin(nearest_s, plan_seconds(plan, middle - piece->at_ticks));
    if (parts(plan, roles, frame->piece + 1))
        nearest_s = fmin(nearest_s, plan_seconds(plan, piece->at_ticks + piece->total_ticks -
                                                           middle));
    if (frame->held)
        nearest_s = fmin(nearest_s, ROLES_FADE_S - held_s);
    int64_t here = data_score_frame(plan->score, frame->source)->pts + frame->duration / 2;
    if (role->from > piece->first && fades(plan, roles, role->from))
        nearest_s = fmin(nearest_s, plan_seconds(plan, here - data_score_frame(
                                                           plan->score, role->from)->pts));
    if (role->to < end && fades(plan, roles, role->to))
        nearest_s = fmin(nearest_s, plan_seconds(plan, data_score_frame(
                                                           plan->score, role->to)->pts - here));
    return image_smoothstep(0, (float)ROLES_FADE_S, (float)nearest_s);
}

/* What a piece's voice says to the mouth at a time of the output, also before and after the piece:
 * its first shape, and rest. */
static void sample_piece(const struct plan *plan, const struct plan_piece *piece,
                         const struct data_curve *curve, int64_t pts,
                         struct data_curve_sample *ret_sample)
{
    double t_s = plan_seconds(plan, (pts > piece->at_ticks ? pts : piece->at_ticks) -
                                        piece->voice_ticks) + piece->voice_s;
    double end_s = curve->n ? (double)curve->n / curve->rate_hz : 0;
    double over_s = t_s - piece->voice_end_s;
    memset(ret_sample, 0, sizeof *ret_sample);
    if (t_s < end_s + REST_S && over_s < REST_S)
        data_curve_at(curve, t_s, ret_sample);
    if (over_s > 0) /* the file goes on, but no longer here */
        for (int k = 0; k < DATA_CURVE_DIMS; k++)
            ret_sample->coef[k] *= 1 - image_smoothstep(0, (float)REST_S, (float)over_s);
}

/* Whether piece i takes the mouth over from the piece before, in the same shot. */
static bool takes_over(const struct plan *plan, const struct roles *roles, size_t i)
{
    if (!i || i >= plan_n_pieces(plan) || holds(plan_piece(plan, i - 1)))
        return false;
    int64_t first = plan_piece(plan, i)->first;
    return !data_score_frame(plan->score, first)->shot_start &&
           roles_go_on(roles, first - 1, first);
}

/* Mixes in what the piece on the other side of a border says: half of it at the border. */
static bool mix(const struct plan *plan, const struct roles *roles, size_t other, int64_t source,
                int64_t pts, double from_border_s, struct data_curve_sample *sample)
{
    float share = 1 - image_smoothstep((float)(-ROLES_FADE_S / 2), (float)(ROLES_FADE_S / 2),
                                       (float)from_border_s);
    const struct role *role = roles_find(roles, source);
    struct data_curve_sample s;
    if (!(share > 0))
        return false;
    sample_piece(plan, plan_piece(plan, other), roles_curve(roles, role), pts, &s);
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        sample->coef[k] += share * (s.coef[k] - sample->coef[k]);
    return true;
}

bool edges_sample(const struct plan *plan, const struct roles *roles,
                  const struct plan_frame *frame, const struct role *role,
                  struct data_curve_sample *ret_sample)
{
    size_t i = frame->piece;
    const struct plan_piece *piece = plan_piece(plan, i);
    bool mixed = false;
    sample_piece(plan, piece, roles_curve(roles, role), frame->pts, ret_sample);
    if (takes_over(plan, roles, i))
        mixed |= mix(plan, roles, i - 1, piece->first - 1, frame->pts,
                     plan_seconds(plan, frame->pts - piece->at_ticks), ret_sample);
    if (takes_over(plan, roles, i + 1))
        mixed |= mix(plan, roles, i + 1, piece->first + piece->n, frame->pts,
                     plan_seconds(plan, piece->at_ticks + piece->total_ticks - frame->pts),
                     ret_sample);
    return mixed;
}
