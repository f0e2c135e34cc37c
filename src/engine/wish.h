/* SPDX-License-Identifier: MIT
 *
 * What the mouth of each output frame should look like, or why it is left alone. */
#ifndef ENGINE_WISH_H
#define ENGINE_WISH_H

#include "engine/plan.h"
#include "engine/roles.h"

struct wish {
    bool edit;      /* false: the frame stays as it is */
    int decline;    /* enum lip_decline when not edited, else -1 */
    float amount;   /* 0..1: how far from the frame's own mouth towards the voice's */
    struct render_cover cover; /* what is in front of the face */
    bool fades;     /* at an end of its role: not yet, or no longer, all of it */
    bool restart;   /* the walk through the bank may jump freely here */
    int cast;       /* whose mouth; -1: nobody's is to be moved, and none was declined */
    const struct data_curve *curve; /* that it follows; NULL when there is no cast */
    struct data_face_geom geom;
    float shape[DATA_FACE_POINTS][3]; /* CANON */
};

struct wishes {
    struct roles *roles;           /* borrowed, as the next three */
    struct data_score *score;
    const struct data_basis *basis;
    const struct plan *plan;
    uint8_t *nearness[ROLES_CASTS_MAX]; /* per frame of the film: 0 = no mouth to be seen, else how
                                           far the next such frame is */
    int64_t last_source; /* of the frame asked for before; -1 at first */
    int last_cast;       /* that was edited in it; -1: none */
};

/* Afterwards wishes_measure, or what it once found into `nearness`. */
int wishes_init(struct wishes *w, struct roles *roles, struct data_score *score,
                const struct data_basis *basis, const struct plan *plan, struct lip_error *err);
int wishes_measure(struct wishes *w, struct lip_error *err);
void wishes_done(struct wishes *w);
/* From the first frame again. */
void wishes_rewind(struct wishes *w);
/* Ask in output order (only `restart` depends on it). */
int wishes_at(struct wishes *w, const struct plan_frame *frame, struct wish *ret_wish,
              struct lip_error *err);

#endif
