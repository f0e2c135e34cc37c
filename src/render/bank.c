/* SPDX-License-Identifier: MIT
 *
 * The person's bank: which frames of a film to keep, and cutting them out. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define WHERE "render/bank"
#define RUN_SHIFT                                                                                  \
    3 /* frames are kept in runs of 8: runs can be played, single frames only shown                \
       */
#define ITEMS_MAX (1 << 17)
#define FEATURES 8
#define PROFILE_RAD .66f /* of yaw, as the mesh measures it */
#define FACING_MIN 24
#define MARGIN .35f         /* IOD around the lips */
#define PATCH_SIDE_MAX 4096 /* what the disk form takes */
#define NOVELTY_MAX 9.f     /* squared: a tracking error is not worth more than a new shape */

struct item {
    int64_t frame;
    float yaw_rad;
    float f[FEATURES];
};

struct render_bank_plan {
    struct render_bank_params params;
    struct item *items;
    size_t n, cap;
    int64_t stride; /* every stride-th run is kept */
    double bytes_sum;
};

void render_bank_params_default(struct render_bank_params *params)
{
    *params = (struct render_bank_params){400, (size_t)48 << 20};
}

int render_bank_plan_create(const struct render_bank_params *params,
                            struct render_bank_plan **ret_plan)
{
    if (!params || !ret_plan || params->n_entries_max < 1)
        return LIP_ERR_ARG;
    struct render_bank_plan *p = base_alloc_zero(sizeof *p);
    if (!p)
        return LIP_ERR_NOMEM;
    p->params = *params;
    p->stride = 1;
    *ret_plan = p;
    return 0;
}

/* Features in units in which a distance of 1 is a visible difference (as in the walk's costs). */
static void describe(const struct data_face_geom *g, float f[FEATURES])
{
    const float deg = 57.29578f;
    const float(*p)[3] = g->canon;
    f[0] = .7f * g->opening / .02f;
    f[1] = .6f * logf(g->opening + .012f);
    f[2] = .6f * g->width / .03f;
    f[3] = .6f * (p[17][1] - p[0][1]) / .03f;
    f[4] = .5f * (p[13][2] + p[14][2]) / 2 / .03f;
    f[5] = .77f * g->yaw_rad * deg / 10;
    f[6] = .77f * g->pitch_rad * deg / 10;
    f[7] = .77f * g->roll_rad * deg / 25;
}

static double entry_bytes(const struct data_face_geom *g)
{
    const float(*p)[3] = g->canon;
    double w = fabs((double)p[291][0] - p[61][0]) + 2 * MARGIN;
    double h = fabs((double)p[17][1] - p[0][1]) + 2 * MARGIN;
    return 6 * w * h * g->scale * g->scale + sizeof(struct data_bank_entry);
}

/* Drops every second run, so that an endless film stays inside ITEMS_MAX. */
static void thin(struct render_bank_plan *p)
{
    p->stride *= 2;
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if ((p->items[i].frame >> RUN_SHIFT) % p->stride == 0)
            p->items[n++] = p->items[i];
    p->n = n;
}

int render_bank_plan_push(struct render_bank_plan *p, const struct data_face_geom *geom)
{
    if (!p || !geom)
        return LIP_ERR_ARG;
    if (!geom->valid || !(geom->scale > 0) || (geom->frame >> RUN_SHIFT) % p->stride)
        return 0;
    struct item item = {.frame = geom->frame, .yaw_rad = geom->yaw_rad};
    describe(geom, item.f);
    for (int k = 0; k < FEATURES; k++)
        if (!isfinite(item.f[k]))
            return 0;
    if (p->n >= ITEMS_MAX)
        thin(p);
    int status = base_grow(&p->items, &p->cap, p->n + 1, ITEMS_MAX, sizeof *p->items);
    if (status < 0)
        return status;
    p->items[p->n++] = item;
    /* a running mean that survives thinning */
    p->bytes_sum += (entry_bytes(geom) - p->bytes_sum) / (double)p->n;
    return 0;
}

/* Beyond the limit the mesh leaves the outline of the face, and what lies behind it would be taken
 * along: such frames are used only where there are hardly any others. */
static void leave_profiles(struct render_bank_plan *p)
{
    size_t n = 0, n_facing = 0;
    for (size_t i = 0; i < p->n; i++)
        n_facing += fabsf(p->items[i].yaw_rad) <= PROFILE_RAD;
    for (size_t i = 0; i < p->n; i++)
        if (n_facing < FACING_MIN || fabsf(p->items[i].yaw_rad) <= PROFILE_RAD)
            p->items[n++] = p->items[i];
    p->n = n;
}

static size_t run_end(const struct render_bank_plan *p, size_t from)
{
    size_t to = from + 1;
    while (to < p->n && p->items[to].frame >> RUN_SHIFT == p->items[from].frame >> RUN_SHIFT)
        to++;
    return to;
}

static float distance2(const struct item *a, const struct item *b)
{
    float sum = 0;
    for (int k = 0; k < FEATURES; k++)
        sum += (a->f[k] - b->f[k]) * (a->f[k] - b->f[k]);
    return sum;
}

/* The run not taken yet that adds the most that is new; p->n when none is left. */
static size_t most_novel(const struct render_bank_plan *p, const float *novelty,
                         const uint8_t *taken)
{
    size_t best = p->n;
    float best_sum = -1;
    for (size_t i = 0, end; i < p->n; i = end) {
        end = run_end(p, i);
        float sum = 0;
        for (size_t k = i; k < end; k++)
            sum += novelty[k];
        if (!taken[i] && sum > best_sum) {
            best_sum = sum;
            best = i;
        }
    }
    return best;
}

/* Greedy k-centre over runs. */
static void choose_runs(const struct render_bank_plan *p, size_t n_max, float *novelty,
                        uint8_t *taken)
{
    for (size_t i = 0; i < p->n; i++)
        novelty[i] = NOVELTY_MAX;
    for (size_t n = 0;;) {
        size_t run = most_novel(p, novelty, taken), end;
        if (run >= p->n)
            return;
        end = run_end(p, run);
        if (n + (end - run) > n_max)
            return;
        n += end - run;
        for (size_t k = run; k < end; k++)
            taken[k] = 1;
        for (size_t i = 0; i < p->n; i++)
            for (size_t k = run; k < end; k++)
                novelty[i] = fminf(novelty[i], distance2(&p->items[i], &p->items[k]));
    }
}

static void plan_destroy(struct render_bank_plan **plan)
{
    base_free((*plan)->items);
    base_free(*plan);
    *plan = NULL;
}

int render_bank_plan_finish(struct render_bank_plan **plan, int64_t **ret_frames, size_t *ret_n)
{
    if (!plan || !*plan)
        return LIP_ERR_ARG;
    struct render_bank_plan *p = *plan;
    leave_profiles(p);
    size_t n_max =
        p->params.n_entries_max < DATA_BANK_MAX ? p->params.n_entries_max : DATA_BANK_MAX;
    if (p->n) {
        double fit = (double)p->params.n_bytes_max / p->bytes_sum;
        if (fit < (double)n_max)
            n_max = fit < 1 ? 1 : (size_t)fit;
    }
    int64_t *frames = base_alloc_array(p->n + 1, sizeof *frames);
    float *novelty = base_alloc_array(p->n + 1, sizeof *novelty);
    uint8_t *taken = base_alloc_zero(p->n + 1);
    int status = frames && novelty && taken ? 0 : LIP_ERR_NOMEM;
    if (status == 0) {
        if (p->n <= n_max)
            memset(taken, 1, p->n);
        else
            choose_runs(p, n_max, novelty, taken);
        size_t n = 0;
        for (size_t i = 0; i < p->n; i++)
            if (taken[i])
                frames[n++] = p->items[i].frame;
        *ret_frames = frames;
        *ret_n = n;
        frames = NULL;
    }
    base_free(frames);
    base_free(novelty);
    base_free(taken);
    plan_destroy(plan);
    return status;
}

/* The lips and a margin, cut to the frame; w 0 when the lips are not wholly in the picture. */
static struct data_rect crop_of(const struct data_film *film, const struct data_frame *frame,
                                const struct data_face_geom *geom, float scale_px,
                                float ret_img[DATA_FACE_POINTS][2])
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int v = 0; v < DATA_FACE_POINTS; v++) {
        double x, y;
        image_affine_apply(&film->img_from_disp, geom->disp[v][0], geom->disp[v][1], &x, &y);
        ret_img[v][0] = (float)x;
        ret_img[v][1] = (float)y;
    }
    for (int i = 0; i < RENDER_OUTER_N; i++) {
        const float *q = ret_img[render_lips[i]];
        x0 = fminf(x0, q[0]), x1 = fmaxf(x1, q[0]);
        y0 = fminf(y0, q[1]), y1 = fmaxf(y1, q[1]);
    }
    struct data_rect r = {0, 0, 0, 0};
    float w = (float)frame->width_px, h = (float)frame->height_px, m = MARGIN * scale_px;
    if (!(x0 >= 0 && y0 >= 0 && x1 <= w && y1 <= h && x1 > x0 && y1 > y0))
        return r;
    r.x = (int)fmaxf(0, floorf(x0 - m));
    r.y = (int)fmaxf(0, floorf(y0 - m));
    r.w = (int)fminf(w, ceilf(x1 + m)) - r.x;
    r.h = (int)fminf(h, ceilf(y1 + m)) - r.y;
    return r;
}

static float grey_at(const struct data_bank_entry *e, int x, int y)
{
    x = x < 0 ? 0 : x >= e->width_px ? e->width_px - 1 : x;
    y = y < 0 ? 0 : y >= e->height_px ? e->height_px - 1 : y;
    const uint16_t *p = e->rgb + 3 * ((size_t)y * (size_t)e->width_px + (size_t)x);
    return (.299f * (float)p[0] + .587f * (float)p[1] + .114f * (float)p[2]) / 65535;
}

static float grey_linear(const struct data_bank_entry *e, float x, float y)
{
    x = fminf(fmaxf(x - .5f, -1), (float)e->width_px);
    y = fminf(fmaxf(y - .5f, -1), (float)e->height_px);
    float fx = floorf(x), fy = floorf(y), wx = x - fx, wy = y - fy;
    int ix = (int)fx, iy = (int)fy;
    float a = grey_at(e, ix, iy) * (1 - wx) + grey_at(e, ix + 1, iy) * wx;
    float b = grey_at(e, ix, iy + 1) * (1 - wx) + grey_at(e, ix + 1, iy + 1) * wx;
    return a + wy * (b - a);
}

/* The small grey mouth, fixed to the skull: a box of 1 x 3/4 IOD under the nose. Two by two samples
 * a cell; mean removed. */
static void make_texture(const struct data_film *film, const struct data_face_geom *geom,
                         struct data_rect crop, struct data_bank_entry *e)
{
    const float(*p)[3] = geom->canon;
    const float *r = geom->rot;
    float z = .25f * (p[0][2] + p[17][2] + p[61][2] + p[291][2]);
    double sum = 0;
    for (int j = 0; j < DATA_BANK_TEX_H; j++)
        for (int i = 0; i < DATA_BANK_TEX_W; i++) {
            float v = 0;
            for (int k = 0; k < 4; k++) {
                float cx =
                    p[2][0] + ((float)i + .25f + .5f * (float)(k & 1)) / DATA_BANK_TEX_W - .5f;
                float cy =
                    p[2][1] + .75f * ((float)j + .25f + .5f * (float)(k >> 1)) / DATA_BANK_TEX_H;
                double x = geom->scale * (r[0] * cx + r[1] * cy + r[2] * z) + geom->trans[0];
                double y = geom->scale * (r[3] * cx + r[4] * cy + r[5] * z) + geom->trans[1];
                image_affine_apply(&film->img_from_disp, x, y, &x, &y);
                v += .25f * grey_linear(e, (float)(x - crop.x), (float)(y - crop.y));
            }
            e->tex[j][i] = v;
            sum += v;
        }
    float mean = (float)(sum / (DATA_BANK_TEX_W * DATA_BANK_TEX_H));
    for (int j = 0; j < DATA_BANK_TEX_H; j++)
        for (int i = 0; i < DATA_BANK_TEX_W; i++)
            e->tex[j][i] -= mean;
}

static int measure_sharpness(const struct data_bank_entry *e, float *ret_sharpness)
{
    size_t n = (size_t)e->width_px * (size_t)e->height_px;
    float *grey = base_alloc_array(n, sizeof *grey);
    uint8_t *inside = base_alloc_zero(n);
    if (!grey || !inside) {
        base_free(grey);
        base_free(inside);
        return LIP_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++)
        grey[i] = grey_at(e, (int)(i % (size_t)e->width_px), (int)(i / (size_t)e->width_px));
    render_lips_fill(e->patch_pts, RENDER_LIPS_WHOLE, 0, 0, e->width_px, e->height_px, inside);
    *ret_sharpness = image_sharpness(grey, inside, e->width_px, e->height_px);
    base_free(grey);
    base_free(inside);
    return 0;
}

static float median_sharpness(const struct data_bank *bank)
{
    float s[DATA_BANK_MAX];
    size_t n = bank->n < DATA_BANK_MAX ? bank->n : DATA_BANK_MAX;
    for (size_t i = 0; i < n; i++)
        s[i] = bank->entries[i].sharpness;
    return render_median(s, n);
}

static int cut(const struct data_frame *frame, struct data_rect r, struct data_bank_entry *e)
{
    size_t n = (size_t)r.w * (size_t)r.h;
    float *rgb = base_alloc_array(n, 3 * sizeof *rgb);
    e->rgb = base_alloc_array(n, 3 * sizeof *e->rgb);
    if (!rgb || !e->rgb) {
        base_free(rgb);
        return LIP_ERR_NOMEM;
    }
    image_rgb_from_frame(frame, r, rgb);
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < 3; p++) {
            float v = rgb[p * n + i];
            v = v > 0 ? (v < 1 ? v : 1) : 0;
            e->rgb[3 * i + p] = (uint16_t)(v * 65535 + .5f);
        }
    base_free(rgb);
    e->width_px = r.w;
    e->height_px = r.h;
    return 0;
}

static void fill_entry(const struct data_face_geom *geom, struct data_rect r, float scale_px,
                       const float img[DATA_FACE_POINTS][2], struct data_bank_entry *e)
{
    e->frame = geom->frame;
    e->yaw_rad = geom->yaw_rad;
    e->pitch_rad = geom->pitch_rad;
    e->roll_rad = geom->roll_rad;
    e->scale_px = scale_px;
    e->opening = geom->opening;
    e->width = geom->width;
    memcpy(e->canon, geom->canon, sizeof e->canon);
    for (int v = 0; v < DATA_FACE_POINTS; v++) {
        e->patch_pts[v][0] = img[v][0] - (float)r.x;
        e->patch_pts[v][1] = img[v][1] - (float)r.y;
    }
}

int render_bank_add(struct data_bank *bank, const struct data_film *film,
                    const struct data_frame *frame, const struct data_face_geom *geom,
                    struct lip_error *err)
{
    if (!bank || !film || !frame || !geom)
        return base_error_arg(err, WHERE, "an argument");
    if (bank->n && bank->entries[bank->n - 1].frame >= geom->frame)
        return base_error_arg(err, WHERE, "frames in ascending order");
    if (!geom->valid || bank->n >= DATA_BANK_MAX)
        return 0;
    float img[DATA_FACE_POINTS][2], scale_px = geom->scale * render_pixel_scale(film);
    struct data_rect r = crop_of(film, frame, geom, scale_px, img);
    if (r.w < 4 || r.h < 4 || r.w > PATCH_SIDE_MAX || r.h > PATCH_SIDE_MAX)
        return 0;
    int status =
        base_grow(&bank->entries, &bank->cap, bank->n + 1, DATA_BANK_MAX, sizeof *bank->entries);
    if (status < 0)
        return base_error_nomem(err, WHERE);
    struct data_bank_entry *e = &bank->entries[bank->n];
    memset(e, 0, sizeof *e);
    fill_entry(geom, r, scale_px, (const float(*)[2])img, e);
    status = cut(frame, r, e);
    if (status == 0)
        status = measure_sharpness(e, &e->sharpness);
    if (status < 0) {
        base_free(e->rgb);
        e->rgb = NULL;
        return base_error_nomem(err, WHERE);
    }
    if (bank->n >= 24 && e->sharpness < .35f * median_sharpness(bank)) { /* blurred by motion */
        base_free(e->rgb);
        e->rgb = NULL;
        return 0;
    }
    make_texture(film, geom, r, e);
    bank->n++;
    return 0;
}

int render_bank_finish(struct data_bank *bank)
{
    bank->sharpness_median = median_sharpness(bank);
    bank->opening_max = 0;
    bank->width_min = bank->n ? bank->entries[0].width : 0;
    bank->width_max = bank->width_min;
    for (size_t i = 0; i < bank->n; i++) {
        const struct data_bank_entry *e = &bank->entries[i];
        bank->opening_max = fmaxf(bank->opening_max, e->opening);
        bank->width_min = fminf(bank->width_min, e->width);
        bank->width_max = fmaxf(bank->width_max, e->width);
    }
    return render_focus_learn(bank);
}
