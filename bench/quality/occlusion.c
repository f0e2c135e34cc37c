/* SPDX-License-Identifier: MIT
 *
 * What is in front of a mouth: things of known outline are laid over a clip before anything looks
 * at it, and what is found is compared with the outline, inside the mouth's mask.
 *
 *   occlusion MODELS_DIR FILM [--kinds none,hand,mic,cup,hair,card] [--skin FILM] [--frames N]
 *             [--sheet FILE.ppm] [--rows N]
 * one line per kind:
 *   clip kind frames marked% area%   share of clean frames with anything marked in the mask, and of
 *                                    the mask's area there (frames without a thing)
 *   precision recall iou kept%       pixels of the mask in frames with a thing; kept: of the
 *                                    thing's pixels (alpha > .9) in an edited region, the
 *                                    share that is bit-identical in the result
 *   found% ms                        frames with a thing over > 5 % of the mask in which something
 *                                    was found; processor time per frame of look and judgement */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "blend/blend.h"
#include "clip.h"
#include "face/face.h"
#include "image/image.h"
#include "render/render.h"
#include "sheet.h"

enum kind { KIND_NONE, KIND_HAND, KIND_MIC, KIND_CUP, KIND_HAIR, KIND_CARD, N_KINDS };
static const char *const kind_names[] = {"none", "hand", "mic", "cup", "hair", "card"};

struct sums {
    long clean, clean_marked, with, found;
    double clean_area, clean_mask, both, thing, marked, kept, keepable;
    double look_s;
    long looked;
};

struct bench {
    const char *models, *film, *kinds, *skin, *sheet_path;
    int64_t n_max;
    int n_rows;
    struct clip clip;
    struct nn_runtime *runtime;
    struct face_models *nets;
    struct render_mesh *mesh;
    float skin_rgb[64][64][3]; /* filmed skin for the hand */
    struct data_look *looks;   /* per frame */
    struct data_face_obs *obs; /* per frame; track < 0: none */
    struct data_face_geom *geoms;
    struct render_cover *covers;
    struct data_person person;
    struct data_likeness likeness;
    struct data_bank bank;     /* of frames in which nothing was found */
    struct render_canvas *canvas;
    struct blend_canvas *blend;
    struct data_patch plain, covered;
    struct sheet sheet;
    struct sums sums;
};

/* Things --------------------------------------------------------------------------------------- */

/* Signed distance (IOD) to a capsule from a to b. */
static float capsule(float x, float y, float ax, float ay, float bx, float by, float r)
{
    float vx = bx - ax, vy = by - ay, t = ((x - ax) * vx + (y - ay) * vy) / (vx * vx + vy * vy);
    t = fminf(fmaxf(t, 0), 1);
    return hypotf(x - ax - t * vx, y - ay - t * vy) - r;
}

static float noise(int x, int y)
{
    uint32_t h = (uint32_t)x * 374761393u + (uint32_t)y * 668265263u;
    h = (h ^ h >> 13) * 1274126177u;
    return (float)((h ^ h >> 16) & 1023) / 1023 - .5f;
}

struct spot {
    float distance; /* IOD, below 0 inside */
    float opaque;
    float rgb[3];
};

static void skin_at(const struct bench *b, float x, float y, float light, float ret[3])
{
    int i = (int)(fabsf(x) * 90) % 126, j = (int)(fabsf(y) * 90) % 126;
    const float *s = b->skin_rgb[j < 63 ? j : 126 - j][i < 63 ? i : 126 - i];
    for (int k = 0; k < 3; k++)
        ret[k] = s[k] * light;
}

/* Four fingers and a palm, coming from below. */
static struct spot hand_at(const struct bench *b, float x, float y)
{
    struct spot s = {INFINITY, 1, {0}};
    float light = 1;
    for (int f = 0; f < 4; f++) {
        float ox = -.27f + .18f * (float)f, tip = -.12f + .05f * fabsf((float)f - 1.6f);
        float d = capsule(x, y, ox, tip, ox * 1.1f, .45f, .085f);
        if (d < s.distance) {
            s.distance = d;
            light = 1.06f - 2.2f * fmaxf(d + .045f, 0); /* darker between the fingers */
        }
    }
    float palm = capsule(x, y, -.2f, .6f, .2f, .6f, .28f);
    s.distance = fminf(s.distance, palm);
    skin_at(b, x, y, fmaxf(light, .6f), s.rgb);
    return s;
}

static struct spot mic_at(float x, float y, int px, int py)
{
    float ball = hypotf(x, y) - .19f, stick = capsule(x, y, .06f, .2f, .3f, 1.4f, .055f);
    float grid = ((px / 2 + py / 2) & 1) ? .05f : 0;
    float light = .16f + grid + .10f * (-.7f * x - .7f * y) / .19f + .03f * noise(px, py);
    struct spot s = {fminf(ball, stick), 1, {light, light, light * 1.05f}};
    if (stick < ball)
        s.rgb[0] = s.rgb[1] = s.rgb[2] = .1f + .03f * noise(px, py);
    return s;
}

static struct spot cup_at(float x, float y)
{
    float side = fabsf(x) - (.27f - .06f * y), end = fabsf(y - .2f) - .33f;
    float light = .72f + .5f * x - .9f * x * x;
    struct spot s = {fmaxf(side, end), 1, {.86f * light, .90f * light, .95f * light}};
    float handle = fabsf(hypotf(x - .32f, y - .22f) - .12f) - .03f;
    if (handle < s.distance)
        s.distance = handle;
    return s;
}

static struct spot hair_at(float x, float y)
{
    struct spot s = {INFINITY, .75f, {.16f, .10f, .07f}};
    for (int k = 0; k < 6; k++) {
        float at = -.35f + .13f * (float)k + .08f * sinf(3 * y + (float)k) + .1f * y;
        s.distance = fminf(s.distance, fabsf(x - at) - (.008f + .005f * (float)(k % 3)));
    }
    s.distance = fmaxf(s.distance, y - .5f);
    return s;
}

static struct spot card_at(float x, float y, int px, int py)
{
    float n = .02f * noise(px, py);
    struct spot s = {fmaxf(fabsf(x) - .35f, fabsf(y) - .3f), 1, {.25f + n, .42f + n, .62f + n}};
    return s;
}

/* Where a thing is in a frame, against the mouth, in IOD; false: not in the picture. In the middle
 * third of the clip it comes, stays before half of the mouth, moves about, and goes. */
static bool thing_place(const struct bench *b, int64_t frame, float *ret_x, float *ret_y)
{
    float t = ((float)frame / (float)b->clip.n_frames - .30f) / .40f;
    if (t <= 0 || t >= 1)
        return false;
    float in = image_smoothstep(0, .25f, t) * image_smoothstep(0, .25f, 1 - t);
    *ret_x = .22f * sinf(9 * t);
    *ret_y = .10f + 1.5f * (1 - in) + .06f * sinf(23 * t);
    return true;
}

/* Lays the thing over the frame; alpha over rect (w 0 when it is not there). */
static int lay_thing(const struct bench *b, enum kind kind, int64_t index,
                     struct data_frame **frame, struct data_rect *rect, float **ret_alpha)
{
    const struct data_face_geom *g = &b->clip.geoms[index];
    float dx, dy;
    rect->w = 0;
    if (kind == KIND_NONE || !g->valid || !thing_place(b, index, &dx, &dy))
        return 0;
    float iod = g->scale, mx = .5f * (g->disp[13][0] + g->disp[14][0]),
          my = .5f * (g->disp[13][1] + g->disp[14][1]);
    float cx = mx + dx * iod, cy = my + dy * iod;
    int w = (*frame)->width_px, h = (*frame)->height_px;
    int x0 = (int)fmaxf(cx - 1.2f * iod, 0), y0 = (int)fmaxf(cy - 1.5f * iod, 0);
    int x1 = (int)fminf(cx + 1.2f * iod, (float)w), y1 = (int)fminf(cy + 1.5f * iod, (float)h);
    if (x1 <= x0 + 2 || y1 <= y0 + 2)
        return 0;
    *rect = (struct data_rect){x0, y0, x1 - x0, y1 - y0};
    size_t area = (size_t)rect->w * (size_t)rect->h;
    float *rgb = base_alloc_array(area, 3 * sizeof *rgb);
    float *alpha = base_alloc_array(area, sizeof *alpha);
    if (!rgb || !alpha || data_frame_make_writable(frame))
        return -1;
    for (int y = 0; y < rect->h; y++)
        for (int x = 0; x < rect->w; x++) {
            float u = ((float)(x0 + x) + .5f - cx) / iod, v = ((float)(y0 + y) + .5f - cy) / iod;
            struct spot s = kind == KIND_HAND   ? hand_at(b, u, v)
                            : kind == KIND_MIC  ? mic_at(u, v, x, y)
                            : kind == KIND_CUP  ? cup_at(u, v)
                            : kind == KIND_HAIR ? hair_at(u, v)
                                                : card_at(u, v, x, y);
            size_t i = (size_t)y * (size_t)rect->w + (size_t)x;
            alpha[i] = s.opaque * (1 - image_smoothstep(-.8f, .8f, s.distance * iod));
            for (size_t k = 0; k < 3; k++)
                rgb[k * area + i] = s.rgb[k];
        }
    image_rgb_to_frame(rgb, alpha, *rect, *frame, NULL);
    base_free(rgb);
    *ret_alpha = alpha;
    return 0;
}

/* Skin for the hand: the forehead and cheek of another clip's first face. */
static int take_skin(struct bench *b)
{
    struct clip other;
    struct media_source *source = NULL;
    struct media_source_params params = {1, NULL};
    struct data_frame *frame = NULL;
    struct lip_error err = {0};
    if (clip_load(b->skin ? b->skin : b->film, b->models, NULL, 3, .3, 1, &other) < 0)
        return -1;
    const struct data_face_geom *g = &other.geoms[0];
    int status = media_source_open(other.path, &params, &source, &err);
    if (!status)
        status = media_source_read(source, &frame, &err);
    if (!status && frame && g->valid) {
        double k = .35 * g->scale / 64; /* the forehead between brows and hair */
        struct data_affine a = {{k, 0, g->disp[151][0] - 32 * k, 0, k, g->disp[151][1] - 32 * k}};
        struct image_crop crop = {64, 64, image_affine_multiply(other.film.img_from_disp, a), 1, 0,
                                  false};
        status = image_crop_frame(frame, &crop, &b->skin_rgb[0][0][0]);
    }
    data_frame_unref(&frame);
    media_source_close(&source);
    clip_free(&other);
    return status;
}

/* Looking -------------------------------------------------------------------------------------- */

static int look_frame(struct bench *b, struct face_analyzer *analyzer, enum kind kind, int64_t f,
                      struct data_frame *frame)
{
    struct data_face_obs faces[FACE_PER_FRAME_MAX];
    struct data_rect rect;
    struct lip_error err = {0};
    float *alpha = NULL;
    size_t n = 0, best = 0;
    bool cut = false;
    struct data_frame *seen = data_frame_ref(frame);
    int status = lay_thing(b, kind, f, &seen, &rect, &alpha);
    if (!status)
        status = face_analyzer_push(analyzer, seen, faces, &n, &cut, &err);
    for (size_t i = 1; i < n; i++)
        if (fabsf(faces[i].points[4][0] - b->clip.geoms[f].disp[4][0]) <
            fabsf(faces[best].points[4][0] - b->clip.geoms[f].disp[4][0]))
            best = i;
    b->obs[f].track = -1;
    memset(&b->looks[f], 0, sizeof b->looks[f]);
    if (!status && n) {
        clock_t t0 = clock();
        b->obs[f] = faces[best];
        status = render_cover_look(b->mesh, &b->clip.film, seen,
                                   (const float(*)[3])faces[best].points, &b->looks[f]);
        b->sums.look_s += (double)(clock() - t0) / CLOCKS_PER_SEC;
        b->sums.looked++;
    }
    data_frame_unref(&seen);
    base_free(alpha);
    return status;
}

/* Nothing is laid over: what was seen when the clip was loaded will do. */
static int look_clean(struct bench *b, struct face_analyzer *analyzer, enum kind kind, int64_t f,
                      struct data_frame *frame)
{
    (void)analyzer;
    (void)kind;
    const struct data_face_geom *g = &b->clip.geoms[f];
    b->geoms[f] = *g;
    b->obs[f].track = g->valid ? 0 : -1;
    memset(&b->looks[f], 0, sizeof b->looks[f]);
    clock_t t0 = clock();
    int status = g->valid ? render_cover_look(b->mesh, &b->clip.film, frame, g->disp, &b->looks[f])
                          : 0;
    b->sums.look_s += (double)(clock() - t0) / CLOCKS_PER_SEC;
    b->sums.looked += g->valid;
    return status;
}

/* Calls `each` for every frame of the clip. */
static int walk(struct bench *b, struct face_analyzer *analyzer, enum kind kind,
                int (*each)(struct bench *b, struct face_analyzer *analyzer, enum kind kind,
                            int64_t f, struct data_frame *frame))
{
    struct media_source *source = NULL;
    struct media_source_params params = {1, NULL};
    struct lip_error err = {0};
    int status = media_source_open(b->film, &params, &source, &err);
    for (int64_t f = 0; !status && f < b->clip.n_frames; f++) {
        struct data_frame *frame = NULL;
        status = media_source_read(source, &frame, &err);
        if (status || !frame)
            break;
        status = each(b, analyzer, kind, f, frame);
        data_frame_unref(&frame);
    }
    media_source_close(&source);
    return status;
}

static int judge(struct bench *b)
{
    struct lip_error err = {0};
    int64_t n = b->clip.n_frames, step = n / RENDER_LOOKS_MAX + 1;
    size_t m = 0;
    struct data_look *sample = base_alloc_array(RENDER_LOOKS_MAX, sizeof *sample);
    struct render_cover *raw = base_alloc_array((size_t)n, sizeof *raw);
    clock_t t0 = clock();
    for (int64_t f = 0; sample && f < n; f += step)
        if (b->obs[f].track >= 0)
            sample[m++] = b->looks[f];
    int status = sample && raw ? render_likeness_learn(b->mesh, sample, m, &b->likeness, &err) : -1;
    for (int64_t f = 0; !status && f < n; f++)
        if (b->obs[f].track >= 0)
            render_cover_find(b->mesh, &b->likeness, &b->looks[f], 1, &raw[f]);
    for (int64_t f = 0; !status && f < n; f++) {
        b->covers[f] = raw[f];
        const struct render_cover *around[2 * RENDER_COVER_AROUND + 1] = {NULL};
        for (int k = -RENDER_COVER_AROUND; k <= RENDER_COVER_AROUND; k++)
            if (f + k >= 0 && f + k < n)
                around[RENDER_COVER_AROUND + k] = &raw[f + k];
        render_cover_confirm(b->mesh, around, &b->covers[f]);
    }
    b->sums.look_s += (double)(clock() - t0) / CLOCKS_PER_SEC;
    base_free(sample);
    base_free(raw);
    return status;
}

static int smooth(struct bench *b)
{
    struct lip_error err = {0};
    struct face_smoother *smoother = NULL;
    int64_t at = 0, n = b->clip.n_frames;
    size_t m = 0;
    struct data_face_obs *own = base_alloc_array((size_t)n, sizeof *own);
    for (int64_t f = 0; own && f < n; f++)
        if (b->obs[f].track >= 0)
            own[m++] = b->obs[f];
    int status = own ? face_person_learn(own, m, &b->person, &err) : -1;
    if (!status)
        status = face_smoother_create(&b->person, &smoother);
    for (int64_t f = 0; !status && f <= n; f++) {
        if (f < n)
            status = face_smoother_push(smoother, f, b->obs[f].track >= 0 ? &b->obs[f] : NULL,
                                        false);
        else
            face_smoother_flush(smoother);
        while (!status && at < n && face_smoother_pull(smoother, &b->geoms[at]))
            at++;
    }
    face_smoother_destroy(&smoother);
    base_free(own);
    return status;
}

/* Comparing ------------------------------------------------------------------------------------ */

static float alpha_at(const float *alpha, struct data_rect r, int x, int y)
{
    if (r.w < 1 || x < r.x || y < r.y || x >= r.x + r.w || y >= r.y + r.h)
        return 0;
    return alpha[(size_t)(y - r.y) * (size_t)r.w + (size_t)(x - r.x)];
}

static void compare(struct bench *b, const float *alpha, struct data_rect thing,
                    const uint8_t *touched, const struct render_cover *cover)
{
    struct data_rect r = b->plain.rect;
    double mask = 0, lost = 0, over = 0, both = 0, marked = 0;
    for (int y = 0; y < r.h; y++)
        for (int x = 0; x < r.w; x++) {
            size_t i = (size_t)y * (size_t)r.w + (size_t)x;
            float m = b->plain.mouth_mask[i], a = alpha_at(alpha, thing, r.x + x, r.y + y);
            if (a > .9f && (m > 0 || b->plain.skin_mask[i] > 0)) {
                b->sums.keepable++;
                b->sums.kept += !touched[i];
            }
            if (m < .5f)
                continue;
            float spared = 1 - b->covered.mouth_mask[i] / m;
            mask++;
            lost += spared;
            over += a > .5f;
            marked += spared > .5f;
            both += spared > .5f && a > .5f;
        }
    if (thing.w < 1) {
        b->sums.clean++;
        b->sums.clean_marked += lost > 0;
        b->sums.clean_area += lost;
        b->sums.clean_mask += mask;
        return;
    }
    b->sums.both += both;
    b->sums.thing += over;
    b->sums.marked += marked;
    if (over > .05 * mask) {
        b->sums.with++;
        b->sums.found += cover->n_cells > 0;
    }
}

static int bank_frame(struct bench *b, struct face_analyzer *analyzer, enum kind kind, int64_t f,
                      struct data_frame *frame)
{
    (void)analyzer;
    struct data_rect thing;
    struct lip_error err = {0};
    float *alpha = NULL;
    if (b->covers[f].n_cells || !b->geoms[f].valid)
        return 0;
    struct data_frame *seen = data_frame_ref(frame);
    int status = lay_thing(b, kind, f, &seen, &thing, &alpha);
    if (!status)
        status = render_bank_add(&b->bank, &b->clip.film, seen, &b->geoms[f], &err);
    data_frame_unref(&seen);
    base_free(alpha);
    return status;
}

/* The entry with the most similar lips. */
static struct render_choice choose(const struct bench *b, const float wish[DATA_FACE_POINTS][3])
{
    static const uint16_t lips[] = {61, 291, 0, 17, 13, 14, 82, 87, 312, 317, 78, 308};
    struct render_choice choice = {{-1, -1}, {1, 0}};
    float least = INFINITY;
    for (size_t i = 0; i < b->bank.n; i++) {
        float sum = 0;
        for (size_t k = 0; k < sizeof lips / sizeof *lips; k++)
            for (int c = 0; c < 2; c++) {
                float d = wish[lips[k]][c] - b->bank.entries[i].canon[lips[k]][c];
                sum += d * d;
            }
        if (sum < least) {
            least = sum;
            choice.entry[0] = (int32_t)i;
        }
    }
    return choice;
}

static int draw_frame(struct bench *b, struct face_analyzer *analyzer, enum kind kind, int64_t f,
                      struct data_frame *frame)
{
    (void)analyzer;
    struct data_rect thing;
    struct lip_error err = {0};
    float *alpha = NULL;
    const struct data_face_geom *g = &b->geoms[f];
    struct data_frame *seen = data_frame_ref(frame);
    int status = lay_thing(b, kind, f, &seen, &thing, &alpha);
    bool idle = kind == KIND_NONE && !b->covers[f].n_cells; /* nothing can be lost */
    if (idle)
        b->sums.clean++;
    if (!status && g->valid && !idle) {
        /* another mouth of the same person, so that everything moves */
        int64_t n_frames = b->clip.n_frames;
        const struct data_face_geom *other = &b->clip.geoms[(f + n_frames / 3) % n_frames];
        const float(*wish)[3] = other->valid ? other->canon : g->canon;
        struct render_choice choice = choose(b, wish);
        render_canvas_set_cover(b->canvas, NULL);
        status = render_canvas_draw(b->canvas, &b->bank, &b->person, seen, g, wish, &choice,
                                    &b->plain, &err);
        render_canvas_set_cover(b->canvas, &b->covers[f]);
        if (status == 0)
            status = render_canvas_draw(b->canvas, &b->bank, &b->person, seen, g, wish, &choice,
                                        &b->covered, &err);
        struct data_frame *out = data_frame_ref(seen);
        uint8_t *touched = NULL;
        if (status == 0 && memcmp(&b->plain.rect, &b->covered.rect, sizeof b->plain.rect) == 0) {
            size_t n = (size_t)b->plain.rect.w * (size_t)b->plain.rect.h;
            float *mask = base_alloc_array(n, sizeof *mask);
            touched = base_alloc_zero(n);
            status = !mask || !touched || data_frame_make_writable(&out);
            if (!status) { /* blending uses the masks up */
                memcpy(mask, b->covered.mouth_mask, n * sizeof *mask);
                status = blend_canvas_apply(b->blend, &b->covered, out, touched, &err);
                memcpy(b->covered.mouth_mask, mask, n * sizeof *mask);
            }
            if (!status)
                compare(b, alpha, thing, touched, &b->covers[f]);
            if (!status && b->sheet_path)
                status = sheet_add(&b->sheet, &b->clip, f, seen, out);
            base_free(mask);
        }
        base_free(touched);
        data_frame_unref(&out);
    }
    data_frame_unref(&seen);
    base_free(alpha);
    return status < 0 ? status : 0;
}

static void print(const struct bench *b, enum kind kind)
{
    const char *name = strrchr(b->film, '/');
    const struct sums *s = &b->sums;
    printf("%-26.26s %-5s %4ld %6.2f %6.3f", name ? name + 1 : b->film, kind_names[kind], s->clean,
           s->clean ? 100. * (double)s->clean_marked / (double)s->clean : 0,
           s->clean_mask > 0 ? 100 * s->clean_area / s->clean_mask : 0);
    if (kind != KIND_NONE)
        printf("  %5.3f %5.3f %5.3f %6.1f  %5.1f", s->marked > 0 ? s->both / s->marked : 0,
               s->both / s->thing, s->both / (s->thing + s->marked - s->both),
               100 * s->kept / s->keepable, 100. * (double)s->found / (double)s->with);
    printf("  %.2f ms, %d looks\n", 1e3 * s->look_s / (double)s->looked, b->likeness.n_looks);
    fflush(stdout);
}

static int run_kind(struct bench *b, enum kind kind)
{
    struct face_analyzer *analyzer = NULL;
    struct face_analyzer_params params;
    struct lip_error err = {0};
    memset(&b->sums, 0, sizeof b->sums);
    face_analyzer_params_default(&params);
    int status = face_analyzer_create(b->nets, &b->clip.film, &params, &analyzer, &err);
    if (!status)
        status = walk(b, analyzer, kind, kind == KIND_NONE ? look_clean : look_frame);
    face_analyzer_destroy(&analyzer);
    if (!status)
        status = judge(b);
    if (!status && kind == KIND_NONE)
        b->person = b->clip.person;
    else if (!status)
        status = smooth(b);
    data_bank_done(&b->bank);
    if (!status && kind != KIND_NONE)
        status = walk(b, NULL, kind, bank_frame);
    if (!status)
        status = render_bank_finish(&b->bank);
    if (!status)
        status = walk(b, NULL, kind, draw_frame);
    if (!status)
        print(b, kind);
    return status;
}

static int run(struct bench *b)
{
    struct lip_error err = {0};
    struct nn_params nn = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/face_geometry.bin", b->models);
    if (render_mesh_open(path, &b->mesh, &err) < 0 || nn_runtime_open(&nn, &b->runtime, &err) < 0 ||
        face_models_open(b->runtime, b->models, &b->nets, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    if (clip_load(b->film, b->models, NULL, b->n_max, 0, 1, &b->clip) < 0 || take_skin(b) < 0)
        return -1;
    size_t n = (size_t)b->clip.n_frames;
    b->looks = base_alloc_array(n, sizeof *b->looks);
    b->obs = base_alloc_array(n, sizeof *b->obs);
    b->geoms = base_alloc_array(n, sizeof *b->geoms);
    b->covers = base_alloc_array(n, sizeof *b->covers);
    if (!b->looks || !b->obs || !b->geoms || !b->covers ||
        render_canvas_create(b->mesh, &b->clip.film, &b->canvas) < 0 ||
        blend_canvas_create(&b->blend) < 0)
        return -1;
    render_canvas_set_always(b->canvas, true);
    sheet_init(&b->sheet, b->n_rows, b->clip.n_frames * 3 / 10, b->clip.n_frames * 7 / 10);
    for (int k = 0; k < N_KINDS; k++)
        if (strstr(b->kinds, kind_names[k]) && run_kind(b, (enum kind)k) < 0)
            return -1;
    return b->sheet_path ? sheet_write(&b->sheet, b->sheet_path) : 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.kinds = "none,hand,mic,cup,hair,card", .n_max = 120, .n_rows = 6};
    bool good = argc > 2 && argc % 2;
    for (int i = 3; good && i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--kinds") == 0)
            b.kinds = argv[i + 1];
        else if (strcmp(argv[i], "--skin") == 0)
            b.skin = argv[i + 1];
        else if (strcmp(argv[i], "--frames") == 0)
            b.n_max = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--sheet") == 0)
            b.sheet_path = argv[i + 1];
        else if (strcmp(argv[i], "--rows") == 0)
            b.n_rows = (int)strtol(argv[i + 1], NULL, 10);
        else
            good = false;
    }
    if (!good) {
        fprintf(stderr, "usage: occlusion MODELS_DIR FILM [--kinds none,hand,mic,cup,hair,card]\n"
                        "       [--skin FILM] [--frames N] [--sheet FILE.ppm] [--rows N]\n");
        return 2;
    }
    b.models = argv[1];
    b.film = argv[2];
    data_patch_init(&b.plain);
    data_patch_init(&b.covered);
    int status = run(&b);
    data_patch_done(&b.plain);
    data_patch_done(&b.covered);
    data_bank_done(&b.bank);
    render_canvas_destroy(&b.canvas);
    blend_canvas_destroy(&b.blend);
    render_mesh_close(&b.mesh);
    face_models_close(&b.nets);
    nn_runtime_close(&b.runtime);
    sheet_done(&b.sheet);
    base_free(b.looks);
    base_free(b.obs);
    base_free(b.geoms);
    base_free(b.covers);
    clip_free(&b.clip);
    return status < 0 ? 1 : 0;
}
