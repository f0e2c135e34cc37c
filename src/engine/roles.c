/* SPDX-License-Identifier: MIT */
#include "engine/roles.h"

#include "base/alloc.h"

#define WHERE "engine/roles"

int roles_init(struct roles *roles, size_t n_voices, struct lip_error *err)
{
    *roles = (struct roles){.n_voices = n_voices};
    roles->casts = base_alloc_array(ROLES_CASTS_MAX + 1, sizeof *roles->casts);
    roles->curves = base_alloc_array(n_voices * ROLES_CASTS_MAX, sizeof *roles->curves);
    if (!roles->casts || !roles->curves)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n_voices * ROLES_CASTS_MAX; i++)
        data_curve_init(&roles->curves[i], MOTION_RATE_HZ);
    return LIP_OK;
}

void roles_done(struct roles *roles)
{
    for (size_t i = 0; roles->casts && i < roles->n_casts; i++)
        cast_done(&roles->casts[i]);
    for (size_t i = 0; roles->curves && i < roles->n_voices * ROLES_CASTS_MAX; i++)
        data_curve_done(&roles->curves[i]);
    base_free(roles->casts);
    base_free(roles->curves);
    base_free(roles->at);
    base_free(roles->silent);
    *roles = (struct roles){0};
}

static bool is_same(const struct cast *a, const struct cast *b)
{
    if (!a->n_faces || !b->n_faces)
        return a->n_faces == b->n_faces;
    return a->chosen == b->chosen && a->occlusion == b->occlusion;
}

int roles_cast_face(struct roles *roles, struct data_score *score, const struct lip_job *job,
                    const struct data_personfile *like, int *ret_cast, struct lip_error *err)
{
    struct cast *fresh = &roles->casts[roles->n_casts]; /* in its place: it points into itself */
    cast_init(fresh);
    int r = cast_choose(fresh, score, job, like, err);
    size_t i = 0;
    while (!r && i < roles->n_casts && !is_same(&roles->casts[i], fresh))
        i++;
    if (!r && i == ROLES_CASTS_MAX)
        r = base_error_set(err, LIP_ERR_LIMIT, WHERE, "more than %d faces speak in this job",
                           ROLES_CASTS_MAX);
    if (r || i < roles->n_casts)
        cast_done(fresh);
    else
        roles->n_casts++;
    if (!r)
        *ret_cast = (int)i;
    return r;
}

int roles_add(struct roles *roles, const struct role *role, struct lip_error *err)
{
    struct role *last = roles->n ? &roles->at[roles->n - 1] : NULL;
    if (role->from >= role->to)
        return LIP_OK;
    if (last && role->from < last->to)
        return base_error_set(err, LIP_ERR_INTERNAL, WHERE, "roles are not in order");
    if (last && role->from == last->to && role->cast == last->cast && role->voice == last->voice) {
        last->to = role->to;
        return LIP_OK;
    }
    int r = base_grow(&roles->at, &roles->cap, roles->n + 1, ROLES_MAX, sizeof *roles->at);
    if (r)
        return r == LIP_ERR_NOMEM
                   ? base_error_nomem(err, WHERE)
                   : base_error_set(err, r, WHERE, "the speaker changes too often");
    roles->at[roles->n++] = *role;
    return LIP_OK;
}

int roles_add_silence(struct roles *roles, int64_t n_frames, int64_t from, int64_t to,
                      struct lip_error *err)
{
    if (!roles->silent)
        roles->silent = base_alloc_array((size_t)n_frames + 1, 1);
    if (!roles->silent)
        return base_error_nomem(err, WHERE);
    for (int64_t i = from; i < to && i < n_frames; i++)
        roles->silent[i] = 1;
    return LIP_OK;
}

const struct role *roles_find(const struct roles *roles, int64_t frame)
{
    size_t lo = 0, hi = roles->n;
    while (lo < hi) { /* the first that ends after the frame */
        size_t mid = lo + (hi - lo) / 2;
        if (roles->at[mid].to <= frame)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < roles->n && roles->at[lo].from <= frame ? &roles->at[lo] : NULL;
}

bool roles_go_on(const struct roles *roles, int64_t frame, int64_t other)
{
    const struct role *a = roles_find(roles, frame), *b = roles_find(roles, other);
    return a && b && a->cast == b->cast;
}
