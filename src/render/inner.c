/* SPDX-License-Identifier: MIT
 *
 * Between the lips. An affine stretch would stretch teeth; instead every column of the opening
 * keeps its source's size from both lips inwards, and what must give way is a band around the
 * column's darkest line, where the rows of teeth part. The map is monotone: nothing is mirrored or
 * doubled. Above that line the place in the source is then moved to where the skull puts it. */
#include "render/parts.h"

#define SEAM_COLUMNS 37
#define SEAM_ROWS 33
#define SKULL_LIMIT .05f /* IOD: how far teeth may be moved against the lips' columns */
#define BAND .05f /* half height of the band that gives way */

static float dot(const float a[2], float x, float y)
{
    return a[0] * x + a[1] * y;
}

void render_mouth_make(const float points[][2], const float axis_y[2], struct render_mouth *m)
{
    const float *l = points[render_upper[0]], *r = points[render_upper[RENDER_COLUMNS - 1]];
    float dx = r[0] - l[0], dy = r[1] - l[1], len = sqrtf(dx * dx + dy * dy);
    m->right[0] = len > 0 ? dx / len : 1;
    m->right[1] = len > 0 ? dy / len : 0;
    float side = dot(axis_y, -m->right[1], m->right[0]) < 0 ? -1.f : 1.f;
    m->down[0] = -m->right[1] * side;
    m->down[1] = m->right[0] * side;
    memcpy(m->origin, l, sizeof m->origin);
    m->top = INFINITY, m->bottom = -INFINITY;
    for (int k = 0; k < RENDER_COLUMNS; k++) {
        const float *p[2] = {points[render_upper[k]], points[render_lower[k]]};
        float(*out[2])[2] = {m->upper, m->lower};
        for (int s = 0; s < 2; s++) {
            float x = p[s][0] - l[0], y = p[s][1] - l[1];
            out[s][k][0] = dot(m->right, x, y);
            out[s][k][1] = dot(m->down, x, y);
            if (k && out[s][k][0] < out[s][k - 1][0]) /* columns run from corner to corner */
                out[s][k][0] = out[s][k - 1][0];
            m->top = fminf(m->top, out[s][k][1]);
            m->bottom = fmaxf(m->bottom, out[s][k][1]);
        }
    }
}

static void column_at(const struct render_mouth *m, float c, float ret_upper[2], float ret_lower[2])
{
    int k = (int)c;
    k = k < 0 ? 0 : k > RENDER_COLUMNS - 2 ? RENDER_COLUMNS - 2 : k;
    float t = c - (float)k;
    for (int i = 0; i < 2; i++) {
        ret_upper[i] = m->upper[k][i] + t * (m->upper[k + 1][i] - m->upper[k][i]);
        ret_lower[i] = m->lower[k][i] + t * (m->lower[k + 1][i] - m->lower[k][i]);
    }
}

/* The column whose line at height v passes through u. */
static float column_of(const struct render_mouth *m, float u, float v)
{
    float last = m->upper[0][0] + v * (m->lower[0][0] - m->upper[0][0]);
    for (int k = 1; k < RENDER_COLUMNS; k++) {
        float next = m->upper[k][0] + v * (m->lower[k][0] - m->upper[k][0]);
        if (u <= next || k == RENDER_COLUMNS - 1) {
            float t = next > last ? (u - last) / (next - last) : .5f;
            return (float)(k - 1) + (t < 0 ? 0 : t > 1 ? 1 : t);
        }
        last = next;
    }
    return 0;
}

bool render_mouth_find(const struct render_mouth *m, float x, float y, float *ret_column,
                       float *ret_v, float *ret_edge_px)
{
    float dx = x - m->origin[0], dy = y - m->origin[1];
    float u = dot(m->right, dx, dy), w = dot(m->down, dx, dy);
    if (u <= m->upper[0][0] || u >= m->upper[RENDER_COLUMNS - 1][0] || w < m->top || w > m->bottom)
        return false;
    float upper[2], lower[2], v = .5f, c = 0;
    for (int round = 0; round < 3; round++) { /* columns are nearly upright: settles at once */
        c = column_of(m, u, v);
        column_at(m, c, upper, lower);
        float height = lower[1] - upper[1];
        if (!(height > .05f) || w < upper[1] || w > lower[1])
            return false;
        v = (w - upper[1]) / height;
    }
    *ret_column = c;
    *ret_v = v;
    *ret_edge_px = fminf(w - upper[1], lower[1] - w);
    return true;
}

static void place(const struct render_mouth *m, float c, float v, float *ret_x, float *ret_y)
{
    float upper[2], lower[2];
    column_at(m, c, upper, lower);
    float u = upper[0] + v * (lower[0] - upper[0]), w = upper[1] + v * (lower[1] - upper[1]);
    *ret_x = m->origin[0] + u * m->right[0] + w * m->down[0];
    *ret_y = m->origin[1] + u * m->right[1] + w * m->down[1];
}

/* The darkest line from corner to corner, by dynamic programming; heights 0..1 per column. */
static void find_seam(const struct render_mouth *m, const struct render_pixels *source,
                      float ret_seam[SEAM_COLUMNS])
{
    float cost[SEAM_COLUMNS][SEAM_ROWS];
    int8_t from[SEAM_COLUMNS][SEAM_ROWS];
    for (int k = 0; k < SEAM_COLUMNS; k++)
        for (int r = 0; r < SEAM_ROWS; r++) {
            float v = .25f + .65f * (float)r / (SEAM_ROWS - 1), x, y;
            place(m, (float)k * (RENDER_COLUMNS - 1) / (SEAM_COLUMNS - 1), v, &x, &y);
            render_v4 p = render_pixels_linear(source, x, y);
            float grey = 255 * (.299f * p[0] + .587f * p[1] + .114f * p[2]);
            cost[k][r] = grey + 60 * (v - .6f) * (v - .6f);
            from[k][r] = 0;
            if (!k)
                continue;
            float best = INFINITY;
            for (int d = -2; d <= 2; d++) {
                if (r + d < 0 || r + d >= SEAM_ROWS)
                    continue;
                float via = cost[k - 1][r + d] + 2 * fabsf((float)d);
                if (via < best) {
                    best = via;
                    from[k][r] = (int8_t)d;
                }
            }
            cost[k][r] += best;
        }
    int r = 0;
    for (int i = 1; i < SEAM_ROWS; i++)
        if (cost[SEAM_COLUMNS - 1][i] < cost[SEAM_COLUMNS - 1][r])
            r = i;
    for (int k = SEAM_COLUMNS - 1; k >= 0; k--) {
        ret_seam[k] = .25f + .65f * (float)r / (SEAM_ROWS - 1);
        r += from[k][r];
    }
}

/* v of the wish to v of the source; r = wished over source height of the column. *ret_dark: how
 * much of this place is the gap that opens between the rows of teeth, which was never filmed.
 * `soft`: half width of the gap's edges, in v. */
static float map_height(float v, float r, float g, float soft, float *ret_dark)
{
    float v0, v1, s0, s1; /* the band: wished v0..v1 shows source s0..s1 */
    if (r >= .9f) {
        s0 = g - BAND, s1 = g + BAND;
        v0 = s0 / r, v1 = 1 - (1 - s1) / r;
    } else { /* too little room: the middle of the source is cut out */
        v0 = g - BAND, v1 = g + BAND;
        s0 = r * v0, s1 = 1 - r * (1 - v1);
    }
    *ret_dark = image_smoothstep(1.1f, 1.5f, r) * .92f * image_smoothstep(v0 - soft, v0 + soft, v) *
                (1 - image_smoothstep(v1 - soft, v1 + soft, v));
    if (v <= v0)
        return r * v;
    if (v >= v1)
        return 1 - r * (1 - v);
    return s0 + (v - v0) / (v1 - v0) * (s1 - s0);
}

static float seam_at(const float seam[SEAM_COLUMNS], float c)
{
    float at = c * (SEAM_COLUMNS - 1) / (RENDER_COLUMNS - 1);
    int k = (int)at;
    k = k < 0 ? 0 : k > SEAM_COLUMNS - 2 ? SEAM_COLUMNS - 2 : k;
    return seam[k] + (at - (float)k) * (seam[k + 1] - seam[k]);
}

static float column_height(const struct render_mouth *m, float c)
{
    float upper[2], lower[2];
    column_at(m, c, upper, lower);
    float du = lower[0] - upper[0], dw = lower[1] - upper[1];
    return dw > 0 ? sqrtf(du * du + dw * dw) : 0;
}

/* The dark of this mouth: the darkest tenth of what is seen between the lips, and at most a fifth
 * of the lip's own colour. */
static render_v4 cavity_colour(const struct render_mouth *m, const struct render_pixels *source)
{
    const render_v4 tint = {.20f, .15f, .16f, 0};
    render_v4 darkest = {1, 1, 1, 0}, lip = {0, 0, 0, 0};
    float least = INFINITY;
    for (int k = 4; k <= 2 * RENDER_COLUMNS - 6; k++)
        for (int r = 0; r < 9; r++) {
            float x, y;
            place(m, .5f * (float)k, .15f + .7f * (float)r / 8, &x, &y);
            render_v4 p = render_pixels_linear(source, x, y);
            float grey = .299f * p[0] + .587f * p[1] + .114f * p[2];
            if (grey < least) {
                least = grey;
                darkest = p;
            }
        }
    for (int k = 3; k <= 7; k++) {
        float x, y;
        place(m, (float)k, 1, &x, &y);
        lip += render_pixels_linear(source, x + 2 * m->down[0], y + 2 * m->down[1]) / 5;
    }
    render_v4 limit = lip * tint;
    for (int c = 0; c < 3; c++)
        darkest[c] = darkest[c] < limit[c] ? darkest[c] : limit[c];
    return darkest;
}

/* The skull's map into the source; false where it cannot be had. */
static bool find_teeth(const struct render_geometry *g, const struct render_origin *o,
                       struct render_plane *ret)
{
    struct render_skull skull;
    struct render_plane there;
    if (!render_skull_fit(o->canon, o->points, &skull))
        return false;
    render_skull_plane(&skull, g->teeth_z, &there);
    return render_plane_between(&g->teeth, &there, ret);
}

/* Moves a place in the source from where the lips' columns put it to where the skull puts it, by
 * `share`: upper teeth stay where they are while lips and corners move over them. Not above the
 * source's own upper lip, and never far: a pose that is a little wrong must not show another
 * part. */
static void hold_to_skull(const struct render_plane *teeth, const struct render_mouth *from,
                          float px, float py, float column, float share, float limit_px, float *x,
                          float *y)
{
    const float(*m)[3] = teeth->m;
    float dx = m[0][0] * px + m[0][1] * py + m[0][2] - *x;
    float dy = m[1][0] * px + m[1][1] * py + m[1][2] - *y;
    float du = fminf(fmaxf(dot(from->right, dx, dy), -limit_px), limit_px) * share;
    float dw = fminf(fmaxf(dot(from->down, dx, dy), -limit_px), limit_px) * share;
    float upper[2], lower[2];
    column_at(from, column, upper, lower);
    float depth = dot(from->down, *x - from->origin[0], *y - from->origin[1]) - upper[1];
    dw = fmaxf(dw, fminf(0, 1 - depth));
    *x += du * from->right[0] + dw * from->down[0];
    *y += du * from->right[1] + dw * from->down[1];
}

/* What one pixel between the lips shows of the source. */
struct inner {
    const struct render_geometry *g;
    const struct render_origin *origin;
    struct render_mouth to, from;
    struct render_plane teeth;
    bool has_teeth;
    float seam[SEAM_COLUMNS], edge;
    render_v4 cavity;
};

static render_v4 look_up(const struct inner *in, float px, float py, float c, float v)
{
    const struct render_mouth *from = &in->from;
    float wished = column_height(&in->to, c) / in->g->scale_px;
    float had = fmaxf(column_height(from, c) / in->origin->scale_px, 1e-3f);
    float r = fminf(fmaxf(wished / had, .02f), 50), x, y, dark;
    float inward = image_smoothstep(.5f, 2, fminf(c, RENDER_COLUMNS - 1 - c));
    float soft = fminf(in->edge / fmaxf(wished, 1e-3f), .2f), seam = seam_at(in->seam, c);
    float mapped = map_height(v, r, seam, soft, &dark);
    /* A slit is the stretched line of closed lips; a drawn one would be a black thread. */
    dark *= image_smoothstep(.010f, .035f, wished - had);
    place(from, c, v + inward * (mapped - v), &x, &y);
    if (in->has_teeth) {
        float share = inward * (1 - image_smoothstep(seam - .1f, seam + .15f, mapped));
        hold_to_skull(&in->teeth, from, px, py, c, share, SKULL_LIMIT * in->origin->scale_px, &x,
                      &y);
    }
    render_v4 p = render_pixels_cubic(in->origin->pixels, x, y);
    return p + (in->cavity - p) * (inward * dark);
}

void render_inner_paint(const struct render_geometry *g, const struct render_origin *origin,
                        const struct render_look *look, struct data_rect box, render_v4 *out)
{
    struct inner in = {.g = g, .origin = origin, .edge = look->edge};
    render_mouth_make(g->to, g->axis_y, &in.to);
    render_mouth_make(origin->points, g->axis_y, &in.from);
    find_seam(&in.from, origin->pixels, in.seam);
    in.cavity = render_lift(cavity_colour(&in.from, origin->pixels), look->dark);
    in.has_teeth = find_teeth(g, origin, &in.teeth);
    for (int j = 0; j < box.h; j++)
        for (int i = 0; i < box.w; i++) {
            float c, v, edge, x = (float)(box.x + i) + .5f, y = (float)(box.y + j) + .5f;
            if (render_mouth_find(&in.to, x, y, &c, &v, &edge))
                out[(size_t)j * (size_t)box.w + (size_t)i] = look_up(&in, x, y, c, v);
        }
}
