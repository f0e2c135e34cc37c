/* SPDX-License-Identifier: MIT
 *
 * One frame: the wish becomes two layers and their masks. No state goes from frame to frame. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define WHERE "render/canvas"
#define SCALE_MIN_PX 4.f /* smaller faces have no mouth to speak of */

struct render_canvas {
    const struct render_mesh *mesh;
    struct data_film film;
    bool always;
    int n_near;
    struct render_near near; /* of this frame */
    struct render_geometry geometry;
    struct render_field field;
    struct render_front front;
    const struct render_cover *cover; /* borrowed; NULL: nothing is in front */
    struct render_map map;
    struct render_pixels source, bank, layer, mixed;
    struct render_band band;
    struct render_focus focus;
    float *line; /* one line of all fields, and of the grid's columns */
    size_t line_cap;
};

int render_canvas_create(const struct render_mesh *mesh, const struct data_film *film,
                         struct render_canvas **ret_canvas)
{
    if (!mesh || !film || !ret_canvas)
        return LIP_ERR_ARG;
    struct render_canvas *c = base_alloc_zero(sizeof *c);
    if (!c)
        return LIP_ERR_NOMEM;
    c->mesh = mesh;
    c->film = *film;
    c->n_near = RENDER_NEAR_DEFAULT;
    *ret_canvas = c;
    return 0;
}

void render_canvas_destroy(struct render_canvas **canvas)
{
    if (!canvas || !*canvas)
        return;
    struct render_canvas *c = *canvas;
    render_field_free(&c->field);
    render_front_free(&c->front);
    render_map_free(&c->map);
    render_pixels_free(&c->source);
    render_pixels_free(&c->bank);
    render_pixels_free(&c->layer);
    render_pixels_free(&c->mixed);
    render_band_free(&c->band);
    render_focus_free(&c->focus);
    base_free(c->line);
    base_free(c);
    *canvas = NULL;
}

void render_canvas_set_near(struct render_canvas *canvas, int n_near)
{
    canvas->n_near = n_near < 0 ? 0 : n_near > RENDER_NEAR_MAX ? RENDER_NEAR_MAX : n_near;
}

void render_canvas_set_always(struct render_canvas *canvas, bool always)
{
    canvas->always = always;
}

void render_canvas_set_cover(struct render_canvas *canvas, const struct render_cover *cover)
{
    canvas->cover = cover;
}

/* Below the detector's own noise (about .005 IOD) an edit would only add flicker. */
static bool within_noise(const struct data_face_geom *geom, const float wish[DATA_FACE_POINTS][3])
{
    float rms, max;
    render_lip_difference(geom->canon, wish, &rms, &max);
    float d = render_opening(geom->canon) - render_opening(wish);
    return rms < .004f && max < .012f && fabsf(d) < .004f;
}

static bool usable(const struct render_geometry *g)
{
    if (!(g->scale_px >= SCALE_MIN_PX) || !isfinite(g->scale_px))
        return false;
    for (int v = 0; v < DATA_MESH_POINTS; v++)
        for (int k = 0; k < 2; k++)
            if (!(fabsf(g->from[v][k]) < 1e6f) || !(fabsf(g->to[v][k]) < 1e6f))
                return false;
    return true;
}

static int reserve_line(struct render_canvas *c, int w)
{
    size_t want = FIELD_N * ((size_t)w + (size_t)c->field.w);
    if (want <= c->line_cap)
        return 0;
    float *line = base_alloc_array(want, sizeof *line);
    if (!line)
        return LIP_ERR_NOMEM;
    base_free(c->line);
    c->line = line;
    c->line_cap = want;
    return 0;
}

/* What is in front stays as it is, and is not drawn out from where it is either. */
static void spare_front(const struct render_canvas *c, struct data_rect rect, int y,
                        float *const line[FIELD_N])
{
    for (int x = 0; c->front.any && x < rect.w; x++) {
        float here = render_front_at(&c->front, rect, (float)x, (float)y);
        float there = render_front_at(&c->front, rect, (float)x + .5f + line[FIELD_DX][x],
                                      (float)y + .5f + line[FIELD_DY][x]);
        line[FIELD_SKIN][x] *= (1 - here) * (1 - there);
        line[FIELD_MOUTH][x] *= 1 - here;
    }
}

/* The masks at pixel resolution, and layer 0: the frame warped by itself. Right at the lips layer 1
 * covers everything and nobody looks at layer 0, so it is left as the frame is. */
static void draw_skin(struct render_canvas *c, struct data_patch *patch)
{
    struct data_rect r = patch->rect;
    size_t w = (size_t)r.w, area = w * (size_t)r.h;
    float *line[FIELD_N], *column = c->line + FIELD_N * w;
    for (int p = 0; p < FIELD_N; p++)
        line[p] = c->line + (size_t)p * w;
    memcpy(patch->skin, patch->target, 3 * area * sizeof(float));
    for (int y = 0; y < r.h; y++) {
        size_t at = (size_t)y * w;
        render_field_line(&c->field, r.x, r.y + y, r.w, column, line);
        spare_front(c, r, y, line);
        memcpy(patch->skin_mask + at, line[FIELD_SKIN], w * sizeof(float));
        memcpy(patch->mouth_mask + at, line[FIELD_MOUTH], w * sizeof(float));
        memcpy(patch->lip_distance + at, line[FIELD_LIP], w * sizeof(float));
        for (int x = 0; x < r.w; x++) {
            if (!(line[FIELD_SKIN][x] > 0) ||
                (line[FIELD_MOUTH][x] >= 1 && line[FIELD_LIP][x] < .03f))
                continue;
            render_v4 v = render_pixels_cubic(&c->source, (float)x + .5f + line[FIELD_DX][x],
                                              (float)y + .5f + line[FIELD_DY][x]);
            for (size_t p = 0; p < 3; p++)
                patch->skin[p * area + at + (size_t)x] = v[p];
        }
    }
}

/* The part of the patch where the mouth's mask is above zero; IMG. */
static struct data_rect mouth_box(const struct data_patch *patch)
{
    struct data_rect r = patch->rect;
    int x0 = r.w, y0 = r.h, x1 = 0, y1 = 0;
    for (int y = 0; y < r.h; y++)
        for (int x = 0; x < r.w; x++)
            if (patch->mouth_mask[(size_t)y * (size_t)r.w + (size_t)x] > 0) {
                x0 = x < x0 ? x : x0;
                x1 = x + 1 > x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0;
                y1 = y + 1;
            }
    if (x1 <= x0)
        return (struct data_rect){r.x, r.y, 0, 0};
    return (struct data_rect){r.x + x0, r.y + y0, x1 - x0, y1 - y0};
}

/* A colour of the face that is skin whatever the mouth does: cheeks and chin. */
static render_v4 skin_colour(const struct render_canvas *c, struct data_rect rect)
{
    static const uint16_t points[3] = {205, 425, 199};
    render_v4 sum = {0, 0, 0, 0};
    for (int i = 0; i < 3; i++)
        sum += render_pixels_linear(&c->source, c->geometry.from[points[i]][0] - (float)rect.x,
                                    c->geometry.from[points[i]][1] - (float)rect.y);
    return sum / 3;
}

/* The skin and lips of one source warped to the wish, into c->layer (box). */
static void draw_source(struct render_canvas *c, const struct render_origin *o,
                        const struct data_patch *patch, struct data_rect box)
{
    size_t w = (size_t)patch->rect.w, area = w * (size_t)patch->rect.h;
    render_map_mesh(&c->map, c->mesh, &c->geometry, o->points);
    for (int j = 0; j < box.h; j++)
        for (int i = 0; i < box.w; i++) {
            size_t at = (size_t)j * (size_t)box.w + (size_t)i;
            size_t in_patch =
                (size_t)(box.y + j - patch->rect.y) * w + (size_t)(box.x + i - patch->rect.x);
            const float *from = c->map.at[at], *skin = patch->skin + in_patch;
            if (patch->mouth_mask[in_patch] > 0 && !isnan(from[0]))
                c->layer.px[at] = render_pixels_cubic(o->pixels, from[0], from[1]);
            else
                c->layer.px[at] = (render_v4){skin[0], skin[area], skin[2 * area], 0};
        }
}

/* Between the lips. Only one source is ever seen there: two rows of teeth laid over one another
 * look worse than the change from one to the other. */
static void draw_inner(struct render_canvas *c, const struct render_origin *o, struct data_rect box)
{
    struct render_look look;
    render_look_at(o->pixels, o->scale_px, &look);
    render_inner_paint(&c->geometry, o, &look, box, c->mixed.px);
}

/* For mouths that were never seen open. */
static void draw_generic(struct render_canvas *c, const struct render_origin *o,
                         const struct data_patch *patch, struct data_rect box)
{
    const struct render_geometry *g = &c->geometry;
    struct render_look look;
    render_look_at(o->pixels, o->scale_px, &look);
    float lacking = image_smoothstep(1.5f, 2.2f, g->opening / (o->opening + .012f)) *
                    image_smoothstep(.018f, .035f, g->opening) *
                    (1 - image_smoothstep(.025f, .05f, o->opening));
    if (lacking > 0)
        render_generic_paint(g, lacking, skin_colour(c, patch->rect), &look, box, c->mixed.px);
}

static int load_entry(struct render_canvas *c, const struct data_bank_entry *e,
                      struct render_origin *ret_origin)
{
    int status = render_pixels_resize(&c->bank, e->width_px, e->height_px);
    if (status < 0)
        return status;
    render_pixels_from_bank(e, &c->bank);
    *ret_origin = (struct render_origin){&c->bank, e->patch_pts, e->scale_px, e->opening,
                                   e->canon};
    return 0;
}

static void mix(struct render_canvas *c, size_t n, float weight, bool first)
{
    for (size_t i = 0; i < n; i++)
        c->mixed.px[i] = first ? c->layer.px[i] * weight : c->mixed.px[i] + c->layer.px[i] * weight;
}

/* The bank frames of a choice, the weaker one first, so that the stronger one stays loaded for the
 * inner mouth. *ret_any false when the choice names none. */
static int draw_choice(struct render_canvas *c, const struct data_bank *bank,
                       const struct render_choice *choice, const struct data_patch *patch,
                       struct data_rect box, bool *ret_any)
{
    struct render_origin origin;
    size_t n = (size_t)box.w * (size_t)box.h;
    int strong = choice->weight[1] > choice->weight[0];
    *ret_any = false;
    for (int k = 0; k < 2; k++) {
        int which = k ? strong : !strong;
        int32_t entry = choice->entry[which];
        if (entry < 0 || (size_t)entry >= bank->n || !(choice->weight[which] > 0))
            continue;
        int status = load_entry(c, &bank->entries[entry], &origin);
        if (status < 0)
            return status;
        draw_source(c, &origin, patch, box);
        mix(c, n, choice->weight[which], !*ret_any);
        *ret_any = true;
    }
    if (!*ret_any)
        return 0;
    draw_inner(c, &origin, box);
    int status = render_band_share(&c->band, c->mesh, &c->geometry, bank, &c->near,
                                   choice->entry[strong], box, c->mixed.px);
    draw_generic(c, &origin, patch, box);
    return status;
}

/* Layer 1 into c->mixed: one or two bank frames, or without a bank the frame's own mouth. */
static int draw_mouth(struct render_canvas *c, const struct data_bank *bank,
                      const struct data_face_geom *geom, const struct render_choice *choice,
                      const struct data_patch *patch, struct data_rect box)
{
    bool any = false;
    int status = render_map_resize(&c->map, box);
    if (status == 0)
        status = render_pixels_resize(&c->layer, box.w, box.h);
    if (status == 0)
        status = render_pixels_resize(&c->mixed, box.w, box.h);
    if (status == 0 && bank && choice)
        status = draw_choice(c, bank, choice, patch, box, &any);
    if (status < 0 || any)
        return status;
    float points[DATA_MESH_POINTS][2];
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        points[v][0] = c->geometry.from[v][0] - (float)patch->rect.x;
        points[v][1] = c->geometry.from[v][1] - (float)patch->rect.y;
    }
    struct render_origin own = {&c->source, (const float(*)[2])points, c->geometry.scale_px,
                         c->geometry.opening_own, geom->canon};
    draw_source(c, &own, patch, box);
    mix(c, (size_t)box.w * (size_t)box.h, 1, true);
    draw_inner(c, &own, box);
    draw_generic(c, &own, patch, box);
    return 0;
}

static void store_mouth(const struct render_canvas *c, struct data_rect box,
                        struct data_patch *patch)
{
    size_t w = (size_t)patch->rect.w, area = w * (size_t)patch->rect.h;
    memcpy(patch->mouth, patch->skin, 3 * area * sizeof(float));
    for (int j = 0; j < box.h; j++)
        for (int i = 0; i < box.w; i++) {
            render_v4 v = c->mixed.px[(size_t)j * (size_t)box.w + (size_t)i];
            size_t at =
                (size_t)(box.y + j - patch->rect.y) * w + (size_t)(box.x + i - patch->rect.x);
            for (size_t p = 0; p < 3; p++)
                patch->mouth[p * area + at] = v[p];
        }
}

int render_canvas_draw(struct render_canvas *c, const struct data_bank *bank,
                       const struct data_person *person, const struct data_frame *frame,
                       const struct data_face_geom *geom, const float wish[DATA_FACE_POINTS][3],
                       const struct render_choice *choice, struct data_patch *ret_patch,
                       struct lip_error *err)
{
    if (!c || !person || !frame || !geom || !wish || !ret_patch)
        return base_error_arg(err, WHERE, "an argument");
    if (!geom->valid || (!c->always && within_noise(geom, wish)))
        return 1;
    render_geometry_make(c->mesh, &c->film, person, geom, wish, &c->geometry);
    if (!usable(&c->geometry))
        return 1;
    int status = render_field_make(&c->field, c->mesh, frame, &c->geometry);
    if (status < 0)
        return base_error_nomem(err, WHERE);
    struct data_rect rect = render_field_bounds(&c->field, frame);
    if (rect.w < 1 || rect.h < 1)
        return 1;
    status = data_patch_resize(ret_patch, rect);
    if (status == 0)
        status = render_pixels_resize(&c->source, rect.w, rect.h);
    if (status == 0)
        status = reserve_line(c, rect.w);
    if (status == 0) {
        image_rgb_from_frame(frame, rect, ret_patch->target);
        status = render_front_make(&c->front, c->mesh, &c->geometry, c->cover, ret_patch->target,
                                   rect);
    }
    if (status < 0)
        return base_error_set(err, status, WHERE, "not enough memory for a picture of %d x %d",
                              rect.w, rect.h);
    render_pixels_from_planes(ret_patch->target, &c->source);
    ret_patch->iod_px = c->geometry.scale_px;
    draw_skin(c, ret_patch);
    struct data_rect box = mouth_box(ret_patch);
    c->near.n = 0;
    if (box.w > 0 && bank)
        render_near_find(bank, geom, wish, c->n_near, &c->near);
    ret_patch->has_mouth = box.w > 0;
    if (box.w > 0) {
        if (bank && !c->front.any)
            status = render_focus_measure(&c->focus, bank, geom, &c->geometry, ret_patch,
                                          ret_patch->steepness);
        if (status == 0)
            status = draw_mouth(c, bank, geom, choice, ret_patch, box);
        if (status < 0)
            return base_error_nomem(err, WHERE);
        store_mouth(c, box, ret_patch);
    }
    return 0;
}
