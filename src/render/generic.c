/* SPDX-License-Identifier: MIT
 *
 * An inner mouth drawn by rule: a dark cavity, a tongue, upper teeth that stay with the skull.
 * For people who were never seen with an open mouth. Lower teeth were tried and left out: a narrow
 * band of them along the lip looks like a grey rim. Lengths in IOD. */
#include "render/parts.h"

struct paint {
    render_v4 lip, teeth;
    float iod_px, opening, soft; /* soft: half width of an edge */
};

static render_v4 colour(float r, float g, float b)
{
    return (render_v4){r, g, b, 0};
}

/* 1 where x is above (smaller than) the edge, soft. */
static float before(const struct paint *p, float x, float edge)
{
    return 1 - image_smoothstep(edge - p->soft, edge + p->soft, x);
}

/* How one tooth differs from a perfect one: -1..1, another number for each side and use. Nobody's
 * teeth are alike; the same ones must come out for every frame. */
static float odd(int tooth, int use)
{
    uint32_t h = (uint32_t)(tooth * 7 + use + 40) * 2654435761u;
    return (float)((h >> 16) & 1023) / 511.5f - 1;
}

struct tooth {
    float edge;  /* the lower end, measured from the stomion */
    float gap;   /* how deep in a gap between two */
    float shade; /* 1 = the colour of the others */
};

static void tooth_at(float x, struct tooth *ret)
{
    static const float borders[] = {0, .094f, .166f, .240f, .300f};
    float a = fabsf(x), nearest = 1, edge = .034f - .035f * (a / .26f) * (a / .26f);
    int k = 0;
    for (int i = 0; i < 5; i++)
        nearest = fminf(nearest, fabsf(a - borders[i] - (i ? .003f * odd(i, x < 0) : 0)));
    while (k < 3 && a > borders[k + 1])
        k++;
    if (k == 1)
        edge -= .008f;
    int tooth = x < 0 ? -1 - k : k;
    float round = 1 - image_smoothstep(0, .022f, nearest);
    ret->gap = 1 - image_smoothstep(.002f, .010f, nearest);
    ret->edge = edge + .003f * odd(tooth, 2) - .010f * round * round;
    ret->shade = 1 + .035f * odd(tooth, 3);
}

/* x from the middle, y from the stomion, v between the lips, `upper` the upper lip's height.
 */
static render_v4 shade(const struct paint *p, float x, float y, float v, float upper, float inward)
{
    render_v4 c = p->lip * colour(.20f, .15f, .16f);
    float tongue = image_smoothstep(.35f, .80f, v) * image_smoothstep(.06f, .16f, p->opening) *
                   image_smoothstep(.1f, .6f, inward);
    /* a tongue is round: darker at its sides and towards the throat, a furrow along its middle */
    float bend = 1 - .35f * image_smoothstep(.02f, .16f, fabsf(x)) -
                 .25f * (1 - image_smoothstep(.5f, .95f, v)) -
                 .10f * expf(-(x / .016f) * (x / .016f));
    c += (p->lip * colour(.74f, .60f, .62f) * bend - c) * tongue;
    float falloff = .45f + .55f * expf(-(x / .24f) * (x / .24f));
    struct tooth t;
    tooth_at(x, &t);
    float edge = fminf(fmaxf(t.edge, upper + .018f), upper + .075f);
    /* towards the gum a tooth is yellower and darker, at its end it lets the dark through */
    float root = 1 - image_smoothstep(upper, upper + .05f, y);
    float tip = image_smoothstep(edge - .016f, edge, y);
    float teeth = before(p, y, edge) * before(p, fabsf(x), .300f);
    render_v4 enamel = p->teeth * (falloff * t.shade * (1 - .16f * t.gap) * (1 - .10f * tip));
    enamel *= colour(1, 1, 1) - colour(.06f, .10f, .17f) * root;
    c += (enamel - c) * teeth;
    c *= .70f + .30f * image_smoothstep(0, .035f, y - upper);
    return c * (.35f + .65f * image_smoothstep(0, .7f, inward));
}

/* The lips' own colour: half-way between the two lines of the lower lip. */
static render_v4 lip_colour(const struct render_geometry *g, struct data_rect box,
                            const render_v4 *out, render_v4 fallback)
{
    static const uint16_t pairs[5][2] = {{17, 14}, {84, 87}, {314, 317}, {181, 178}, {405, 402}};
    render_v4 sum = {0, 0, 0, 0};
    int n = 0;
    for (int k = 0; k < 5; k++) {
        const float *a = g->to[pairs[k][0]], *b = g->to[pairs[k][1]];
        int x = (int)floorf(.5f * (a[0] + b[0])) - box.x,
            y = (int)floorf(.5f * (a[1] + b[1])) - box.y;
        if (x < 0 || y < 0 || x >= box.w || y >= box.h)
            continue;
        sum += out[(size_t)y * (size_t)box.w + (size_t)x];
        n++;
    }
    return n ? sum / (float)n : fallback;
}

static render_v4 teeth_colour(render_v4 skin)
{
    float max = fmaxf(skin[0], fmaxf(skin[1], skin[2]));
    if (!(max > 0))
        return skin;
    return (colour(1.05f, 1, .90f) * .65f + skin / max * .35f) * (max * .87f);
}

void render_generic_paint(const struct render_geometry *g, float weight, render_v4 skin,
                          const struct render_look *look, struct data_rect box, render_v4 *out)
{
    struct render_mouth m;
    render_mouth_make(g->to, g->axis_y, &m);
    float iod = g->scale_px;
    struct paint p = {.lip = lip_colour(g, box, out, skin),
                      .teeth = teeth_colour(skin),
                      .iod_px = iod,
                      .opening = g->opening,
                      .soft = look->edge};
    float middle = .5f * m.upper[RENDER_COLUMNS - 1][0];
    float stomion =
        (g->stomion[0] - m.origin[0]) * m.down[0] + (g->stomion[1] - m.origin[1]) * m.down[1];
    for (int j = 0; j < box.h; j++)
        for (int i = 0; i < box.w; i++) {
            float c, v, edge, x = (float)(box.x + i) + .5f, y = (float)(box.y + j) + .5f;
            if (!render_mouth_find(&m, x, y, &c, &v, &edge))
                continue;
            float dx = x - m.origin[0], dy = y - m.origin[1];
            float u = dx * m.right[0] + dy * m.right[1], w = dx * m.down[0] + dy * m.down[1];
            int k = c >= RENDER_COLUMNS - 1 ? RENDER_COLUMNS - 2 : (int)c;
            float t = c - (float)k;
            float top = m.upper[k][1] + t * (m.upper[k + 1][1] - m.upper[k][1]);
            render_v4 drawn = shade(&p, (u - middle) / iod, (w - stomion) / iod, v,
                                    (top - stomion) / iod, fminf(c, RENDER_COLUMNS - 1 - c) / 2);
            render_v4 *at = &out[(size_t)j * (size_t)box.w + (size_t)i];
            drawn = render_lift(drawn, look->dark);
            *at += (drawn - *at) * (weight * image_smoothstep(0, fmaxf(1, 2 * p.soft * iod), edge));
        }
}
