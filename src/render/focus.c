/* SPDX-License-Identifier: MIT
 *
 * How blurred a frame is. Its own lips tell: a bank holds this person's lips in about the same
 * shape, and where these are sharp and those in the frame are not, the head moved or the lens was
 * elsewhere. Slopes along x and y are kept apart, since motion blurs along its way only. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define NEAR_N 8
#define SMOOTH_PX 1.f    /* grain is no edge */
#define COST_MAX 6.f     /* entries that fit worse than that tell nothing */
#define ENOUGH_PX 60

void render_focus_free(struct render_focus *focus)
{
    base_free(focus->planes);
    base_free(focus->inside);
    *focus = (struct render_focus){0};
}

static int reserve(struct render_focus *focus, size_t n)
{
    if (n <= focus->cap)
        return 0;
    render_focus_free(focus);
    focus->planes = base_alloc_array(n, 2 * sizeof *focus->planes);
    focus->inside = base_alloc_array(n, 1);
    if (!focus->planes || !focus->inside) {
        render_focus_free(focus);
        return LIP_ERR_NOMEM;
    }
    focus->cap = n;
    return 0;
}

void render_lips_fill(const float (*points)[2], float grown, float x, float y, int w, int h,
                      uint8_t *ret_inside)
{
    float lips[RENDER_OUTER_N][2], mid[2] = {-x, -y};
    for (int i = 0; i < RENDER_OUTER_N; i++)
        for (int k = 0; k < 2; k++)
            mid[k] += points[render_lips[i]][k] / RENDER_OUTER_N;
    for (int i = 0; i < RENDER_OUTER_N; i++)
        for (int k = 0; k < 2; k++)
            lips[i][k] = mid[k] + grown * (points[render_lips[i]][k] - (k ? y : x) - mid[k]);
    memset(ret_inside, 0, (size_t)w * (size_t)h);
    image_fill_polygon((const float(*)[2])lips, RENDER_OUTER_N, w, h, ret_inside);
}

/* Slopes of the grey picture in focus->planes inside these lips. */
static void measure(struct render_focus *focus, const float (*points)[2], float x, float y, int w,
                    int h, float ret[2])
{
    size_t n = (size_t)w * (size_t)h;
    image_blur(focus->planes, w, h, SMOOTH_PX, focus->planes + n);
    render_lips_fill(points, RENDER_LIPS_WHOLE, x, y, w, h, focus->inside);
    image_slopes(focus->planes, focus->inside, w, h, ret);
}

int render_focus_learn(struct data_bank *bank)
{
    struct render_focus focus = {0};
    int status = 0;
    for (size_t i = 0; i < bank->n && status == 0; i++) {
        struct data_bank_entry *e = &bank->entries[i];
        size_t n = (size_t)e->width_px * (size_t)e->height_px;
        if (e->slopes[1] > 0 || !n)
            continue;
        status = reserve(&focus, n);
        for (size_t k = 0; k < n && status == 0; k++)
            focus.planes[k] = (.299f * (float)e->rgb[3 * k] + .587f * (float)e->rgb[3 * k + 1] +
                               .114f * (float)e->rgb[3 * k + 2]) / 65535;
        if (status == 0)
            measure(&focus, e->patch_pts, 0, 0, e->width_px, e->height_px, e->slopes);
    }
    render_focus_free(&focus);
    return status;
}

/* The slopes that this person's lips have in the shape and pose of this frame; 0: not known. */
static void expect(const struct data_bank *bank, const struct data_face_geom *geom, float ret[2])
{
    struct render_near near = {.n = 0};
    float sum = 0;
    ret[0] = ret[1] = 0;
    render_near_find(bank, geom, geom->canon, NEAR_N, &near);
    for (int k = 0; k < near.n && near.cost < COST_MAX; k++) {
        const struct data_bank_entry *e = &bank->entries[near.entry[k]];
        if (!(e->slopes[0] > 0 && e->slopes[1] > 0))
            continue;
        sum += near.weight[k];
        for (int a = 0; a < 2; a++)
            ret[a] += near.weight[k] * logf(e->slopes[a]);
    }
    for (int a = 0; a < 2 && sum > 0; a++)
        ret[a] = expf(ret[a] / sum);
}

static struct data_rect lips_box(const struct render_geometry *g, struct data_rect within)
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < RENDER_OUTER_N; i++) {
        const float *q = g->from[render_lips[i]];
        x0 = fminf(x0, q[0]), x1 = fmaxf(x1, q[0]);
        y0 = fminf(y0, q[1]), y1 = fmaxf(y1, q[1]);
    }
    float m = .1f * g->scale_px + 3 * SMOOTH_PX;
    int left = (int)fmaxf(floorf(x0 - m), (float)within.x);
    int top = (int)fmaxf(floorf(y0 - m), (float)within.y);
    int right = (int)fminf(ceilf(x1 + m), (float)(within.x + within.w));
    int bottom = (int)fminf(ceilf(y1 + m), (float)(within.y + within.h));
    return (struct data_rect){left, top, right - left, bottom - top};
}

int render_focus_measure(struct render_focus *focus, const struct data_bank *bank,
                         const struct data_face_geom *geom, const struct render_geometry *g,
                         const struct data_patch *patch, float ret[2])
{
    float expected[2], seen[2];
    struct data_rect box = lips_box(g, patch->rect);
    ret[0] = ret[1] = 1;
    expect(bank, geom, expected);
    if (!(expected[0] > 0) || box.w < 8 || box.h < 8 || box.w * box.h < ENOUGH_PX)
        return 0;
    if (reserve(focus, (size_t)box.w * (size_t)box.h) < 0)
        return LIP_ERR_NOMEM;
    struct data_rect part = {box.x - patch->rect.x, box.y - patch->rect.y, box.w, box.h};
    data_patch_grey(patch, patch->target, part, focus->planes);
    measure(focus, g->from, (float)box.x, (float)box.y, box.w, box.h, seen);
    for (int a = 0; a < 2; a++)
        ret[a] = seen[a] / expected[a];
    return 0;
}
