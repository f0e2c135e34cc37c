/* SPDX-License-Identifier: MIT
 *
 * What each output frame should show, kept small: it is made while the walk through the bank is
 * chosen, so it costs no second look, and a resumed job makes the same one. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "engine/wish.h"

#define TRACE_NONE 0xffff        /* an opening that is not known */
#define TRACE_PER_IOD 20000.f    /* openings are kept in this unit */
#define TRACE_CLOSED_SHARE 0.2f /* of the person's range: a mouth that is less open is shut */

enum trace_flag {
    TRACE_CUT = 1,      /* the picture does not go on from the frame before */
    TRACE_VOICE = 2,    /* the new voice speaks */
    TRACE_SILENCE = 4,  /* it has not spoken for a while, nor will it soon */
    TRACE_FILM = 8,     /* the film's own mouth moves as if it spoke */
    TRACE_CLOSURE = 16, /* the frame nearest to a moment at which the voice closes the lips */
    TRACE_LOOK = 32,    /* this frame's result is looked at again with the net */
    TRACE_REGULAR = 64, /* … because it was its turn */
    TRACE_EDGE = 128    /* the edit comes or goes here: the film's own mouth is seen as well */
};

struct trace_frame {
    uint16_t said;  /* opening that the voice asks for */
    uint16_t drawn; /* opening of the mouth that is drawn; TRACE_NONE where nothing is */
    uint16_t own;   /* of the film's own mouth in this frame; TRACE_NONE where it is not known */
    uint8_t speech, closure; /* of the curve, 0..255 */
    int8_t decline;          /* enum lip_decline, -1 */
    int8_t cast;             /* whose mouth; -1: nobody's */
    uint8_t flags;           /* enum trace_flag */
};

struct trace {
    int64_t n;
    struct trace_frame *frames;
    struct trace_mouth {
        float closed; /* IOD: an opening below it is a shut mouth */
        float range;  /* IOD: from the person's closed mouth to the widest */
    } mouth[ROLES_CASTS_MAX]; /* of each cast */
};

int trace_init(struct trace *trace, int64_t n_frames, const struct roles *roles);
void trace_done(struct trace *trace);
/* In output order; `wish` is what wishes_at said of `frame`. */
void trace_add(struct trace *trace, const struct wishes *wishes, const struct plan_frame *frame,
               const struct wish *wish);
/* When all frames are there: the flags that look at neighbours. */
void trace_finish(struct trace *trace, const struct plan *plan, const struct roles *roles);
float trace_widest(const struct trace *trace); /* range of all mouths */

static inline float trace_opening(uint16_t kept)
{
    return (float)kept / TRACE_PER_IOD;
}
static inline uint16_t trace_kept(float opening)
{
    float v = opening * TRACE_PER_IOD + .5f;
    return (uint16_t)(v > 65534 ? 65534 : v > 0 ? v : 0);
}

#endif
