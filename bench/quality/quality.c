/* SPDX-License-Identifier: MIT
 *
 * The picture's self-check. The last part of a clip is held out; the bank comes from the first; the
 * person's mouth of the held-out part is drawn from its own landmarks and compared with what the
 * camera saw, beside two baselines. Other drives (--drive) are for looking at, with --sheet.
 *
 *   quality MODELS_DIR FILM [--frames N] [--held-out F] [--bank N] [--person FILE]
 *           [--drive own|closed|open|shift:K|film:PATH] [--sheet FILE.ppm] [--rows N]
 *           [--baselines yes|no] [--cache DIR] [--crops 1|3] [--near N]
 * --person: the mouths of a person file join the bank; --bank 0: they are all there is;
 * --bring none|similar|rest: how their shapes are brought over (rest is what the engine does)
 * prints one line per method: clip method PSNR SSIM (lips) PSNR SSIM (box) sharpness jitter
 * seam flicker grain ms */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "blend/blend.h"
#include "clip.h"
#include "engine/known.h"
#include "image/image.h"
#include "render/render.h"
#include "sheet.h"

#define SKIN_N 24 /* mouths of the clip that are looked at for their colour, with --bank 0 */

enum { METHOD_RENDER, METHOD_NEAREST, METHOD_MEAN, N_METHODS };
static const char *const method_names[] = {"render", "nearest", "mean"};

struct options {
    const char *models, *film, *drive, *sheet, *cache, *person, *bring;
    int64_t n_frames;
    double held_out;
    size_t n_bank;
    int n_rows, n_crops, n_near;
    bool baselines;
};

struct bench {
    struct options options;
    struct clip clip, other; /* other: whose mouth drives, with --drive film:PATH */
    struct render_mesh *mesh;
    struct data_bank bank;
    struct render_canvas *canvas;
    struct blend_canvas *blend;
    struct data_patch patch;
    struct render_choice *choices;
    size_t n_own; /* of the bank's entries, those of the clip itself */
    struct raster *rasters; /* of the bank's frames, for the baselines */
    struct raster mean;
    struct score scores[N_METHODS];
    struct sheet sheet;
    double draw_ms, blend_ms;
    long n_drawn;
};

static const struct data_face_geom *geom_of(const struct bench *b, int64_t frame)
{
    return &b->clip.geoms[frame];
}

/* Whether a point belongs to the lower lip: at rest the two lips lie at the same height. */
static bool is_lower_lip(int point)
{
    static const uint16_t lower[] = {14,  87,  178, 88,  95,  317, 402, 318, 324, 15,  86,  179,
                                     89,  96,  316, 403, 319, 325, 16,  85,  180, 90,  77,  315,
                                     404, 320, 307, 17,  84,  181, 91,  146, 314, 405, 321, 375};
    for (size_t i = 0; i < sizeof lower / sizeof *lower; i++)
        if (lower[i] == point)
            return true;
    return false;
}

/* A drawn-out or closed mouth: the resting lips with the lower lip and jaw moved by `opening`. */
static void make_shape(const struct data_person *p, float opening, float ret[DATA_FACE_POINTS][3])
{
    memcpy(ret, p->rest, sizeof p->rest);
    float lip = .5f * (p->rest[13][1] + p->rest[14][1]), chin = p->rest[152][1];
    float x0 = p->rest[61][0], x1 = p->rest[291][0];
    for (int v = 0; v < DATA_MESH_POINTS; v++) {
        float y = p->rest[v][1], side = fabsf(p->rest[v][0] - .5f * (x0 + x1)) / (.5f * (x1 - x0));
        float down = is_lower_lip(v) ? 1 : image_smoothstep(lip + .01f, lip + .05f, y);
        float centre = 1 - .9f * image_smoothstep(.2f, 1.05f, side);
        float jaw = image_smoothstep(lip, chin, y) * (1 - .6f * image_smoothstep(.6f, 2.6f, side));
        ret[v][1] += opening * fmaxf(down * centre, jaw) * .9f;
        ret[v][1] -=
            opening * .1f * centre * image_smoothstep(lip - .12f, lip - .01f, y) * (1 - down);
    }
}

static void wish_of(const struct bench *b, int64_t frame, float ret[DATA_FACE_POINTS][3])
{
    const char *drive = b->options.drive;
    memcpy(ret, geom_of(b, frame)->canon, sizeof b->clip.person.canon);
    if (strcmp(drive, "closed") == 0) {
        make_shape(&b->clip.person, 0, ret);
    } else if (strcmp(drive, "open") == 0) {
        make_shape(&b->clip.person, .22f * (.5f - .5f * cosf((float)frame * .35f)), ret);
    } else if (strncmp(drive, "shift:", 6) == 0) {
        int64_t n = b->clip.n_frames - b->clip.split, k = strtol(drive + 6, NULL, 10);
        int64_t from = b->clip.split + ((frame - b->clip.split + k) % n + n) % n;
        if (geom_of(b, from)->valid)
            memcpy(ret, geom_of(b, from)->canon, sizeof b->clip.person.canon);
    } else if (b->other.geoms) { /* what the other's mouth does, on this person's resting face */
        const struct data_face_geom *g = &b->other.geoms[frame % b->other.n_frames];
        memcpy(ret, b->clip.person.rest, sizeof b->clip.person.rest);
        for (int v = 0; g->valid && v < DATA_FACE_POINTS; v++)
            for (int k = 0; k < 3; k++)
                ret[v][k] += g->canon[v][k] - b->other.person.rest[v][k];
    }
}

static int walk(struct bench *b)
{
    struct render_selector *selector = NULL;
    int64_t n = b->clip.n_frames - b->clip.split, got = 0;
    b->choices = base_alloc_array((size_t)n + 1, sizeof *b->choices);
    int status = b->choices ? render_selector_create(&b->bank, &selector) : -1;
    for (int64_t f = b->clip.split; status == 0 && f < b->clip.n_frames; f++) {
        float wish[DATA_FACE_POINTS][3];
        wish_of(b, f, wish);
        status = render_selector_push(selector, geom_of(b, f), (const float(*)[3])wish, false);
        while (status == 0 && got < n && render_selector_pull(selector, &b->choices[got]))
            got++;
    }
    if (status == 0)
        render_selector_flush(selector);
    while (status == 0 && got < n && render_selector_pull(selector, &b->choices[got]))
        got++;
    render_selector_destroy(&selector);
    return status == 0 && got == n ? 0 : -1;
}

static int learn(struct bench *b, const struct data_frame *frame, int64_t index)
{
    const struct data_face_geom *g = geom_of(b, index);
    size_t before = b->bank.n;
    if (!g->valid || before >= (b->options.n_bank ? b->options.n_bank : SKIN_N))
        return 0;
    struct lip_error err = {0};
    if (render_bank_add(&b->bank, &b->clip.film, frame, g, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    if (b->bank.n > before)
        raster_from_frame(&b->clip, frame, g, &b->rasters[before]);
    return 0;
}

/* The mouths of the person file, brought over as the engine does. */
static int join_person(struct bench *b)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct lip_error err = {0};
    static struct data_personfile file;
    static struct face_match match;
    data_personfile_init(&file);
    int r = base_fs_read(b->options.person, DATA_PERSONFILE_BYTES_MAX, &bytes, &n, &err);
    if (!r)
        r = data_personfile_read(bytes, n, &file, &err);
    base_free(bytes);
    if (!r && !face_person_match(&file.person, &b->clip.person, &match))
        r = base_error_set(&err, LIP_ERR_PERSON, "bench", "the heads cannot be compared");
    if (!r) {
        if (strcmp(b->options.bring, "similar") == 0)
            memset(match.shift, 0, sizeof match.shift);
        if (strcmp(b->options.bring, "none") != 0)
            known_bring(&file.bank, &match);
        known_burden(&file.bank, b->n_own ? b->bank.entries[b->n_own / 2].scale_px : 0);
        r = known_tint(&file.bank, &b->bank);
        if (!b->options.n_bank) { /* they were only there for their colour */
            data_bank_done(&b->bank);
            b->n_own = 0;
        }
        fprintf(stderr, "heads differ by %.4f IOD, %zu mouths lent\n", (double)match.distance,
                file.bank.n);
        if (!r)
            r = render_bank_append(&b->bank, &file.bank, &err);
    }
    data_personfile_done(&file);
    if (r)
        fprintf(stderr, "%s\n", err.text);
    return r;
}

static int finish_learning(struct bench *b)
{
    if (render_bank_finish(&b->bank))
        return LIP_ERR_NOMEM;
    b->n_own = b->bank.n;
    float *mean = &b->mean.rgb[0][0][0];
    memset(mean, 0, sizeof b->mean);
    for (size_t i = 0; i < b->bank.n; i++)
        for (size_t k = 0; k < sizeof b->mean / sizeof *mean; k++)
            mean[k] += (&b->rasters[i].rgb[0][0][0])[k] / (float)b->bank.n;
    return b->options.person ? join_person(b) : 0;
}

static size_t nearest_entry(const struct bench *b, const float wish[DATA_FACE_POINTS][3])
{
    static const uint16_t lips[] = {61,  291, 0,  17,  13, 14,  82, 87,
                                    312, 317, 78, 308, 37, 267, 84, 314};
    size_t best = 0;
    float least = INFINITY;
    for (size_t i = 0; i < b->n_own; i++) {
        float sum = 0;
        for (size_t k = 0; k < sizeof lips / sizeof *lips; k++)
            for (int c = 0; c < 2; c++) {
                float d = wish[lips[k]][c] - b->bank.entries[i].canon[lips[k]][c];
                sum += d * d;
            }
        if (sum < least) {
            least = sum;
            best = i;
        }
    }
    return best;
}

static int compare(struct bench *b, int method, const struct data_frame *real,
                   const struct data_frame *out, const struct data_face_geom *g,
                   const float wish[DATA_FACE_POINTS][3])
{
    struct data_rect rect = score_rect(&b->clip, real, g);
    struct picture a = {0}, c = {0};
    int status = 0;
    if (rect.w > 0) {
        status = picture_from_frame(real, rect, &a) | picture_from_frame(out, rect, &c);
        if (status == 0)
            status = score_add(&b->scores[method], &b->clip, g, rect, &a, &c);
        if (status == 0)
            status = score_add_detail(&b->scores[method], &b->clip, g, wish, &b->patch, rect, &a,
                                      &c);
    }
    picture_free(&a);
    picture_free(&c);
    return status;
}

/* One baseline over a fresh copy; the patch must still hold its masks. */
static int baseline(struct bench *b, int method, const struct raster *raster,
                    struct data_frame *frame, const struct data_face_geom *g)
{
    const float(*wish)[3] = g->canon;
    struct data_frame *copy = data_frame_ref(frame);
    int status = data_frame_make_writable(&copy);
    if (status == 0)
        status = raster_paste(&b->clip, raster, g, &b->patch, copy);
    if (status == 0)
        status = compare(b, method, frame, copy, g, wish);
    data_frame_unref(&copy);
    return status;
}

static int perform(struct bench *b, struct data_frame *frame, int64_t index)
{
    const struct data_face_geom *g = geom_of(b, index);
    struct lip_error err = {0};
    float wish[DATA_FACE_POINTS][3];
    if (!g->valid)
        return 0;
    wish_of(b, index, wish);
    clock_t t0 = clock(); /* processor time: other programs do not count */
    int status =
        render_canvas_draw(b->canvas, &b->bank, &b->clip.person, frame, g, (const float(*)[3])wish,
                           &b->choices[index - b->clip.split], &b->patch, &err);
    clock_t t1 = clock();
    if (status != 0)
        return status < 0 ? status : 0;
    bool own = strcmp(b->options.drive, "own") == 0 && b->options.baselines;
    if (own && b->n_own)
        status = baseline(b, METHOD_NEAREST, &b->rasters[nearest_entry(b, (const float(*)[3])wish)],
                          frame, g) |
                 baseline(b, METHOD_MEAN, &b->mean, frame, g);
    struct data_frame *out = data_frame_ref(frame);
    status |= data_frame_make_writable(&out);
    clock_t t2 = clock();
    if (status == 0)
        status = blend_canvas_apply(b->blend, &b->patch, out, NULL, &err);
    b->draw_ms += (double)(t1 - t0) * 1e3 / CLOCKS_PER_SEC;
    b->blend_ms += (double)(clock() - t2) * 1e3 / CLOCKS_PER_SEC;
    b->n_drawn++;
    if (status == 0)
        status = compare(b, METHOD_RENDER, frame, out, g, (const float(*)[3])wish);
    if (status == 0 && b->options.sheet)
        status = sheet_add(&b->sheet, &b->clip, index, frame, out);
    data_frame_unref(&out);
    return status;
}

static int second_pass(struct bench *b)
{
    struct media_source *source = NULL;
    struct media_source_params params = {1, NULL};
    struct lip_error err = {0};
    int status = media_source_open(b->clip.path, &params, &source, &err);
    for (int64_t f = 0; status == 0 && f < b->clip.n_frames; f++) {
        struct data_frame *frame = NULL;
        status = media_source_read(source, &frame, &err);
        if (status < 0 || !frame)
            break;
        if (f < b->clip.split) {
            status = learn(b, frame, f);
        } else {
            if (f == b->clip.split) {
                status = finish_learning(b);
                if (status == 0)
                    status = walk(b);
            }
            if (status == 0)
                status = perform(b, frame, f);
        }
        data_frame_unref(&frame);
    }
    media_source_close(&source);
    return status;
}

/* How often the walk leaves its run. */
static double jump_rate(const struct bench *b)
{
    int64_t n = b->clip.n_frames - b->clip.split, jumps = 0;
    for (int64_t i = 1; i < n; i++) {
        int32_t from = b->choices[i - 1].entry[0], to = b->choices[i].entry[0];
        if (from < 0 || to < 0)
            continue;
        int64_t step = b->bank.entries[to].frame - b->bank.entries[from].frame;
        jumps += step < -1 || step > 2;
    }
    return n > 1 ? (double)jumps / (double)(n - 1) : 0;
}

static void print(const struct bench *b)
{
    const char *name = strrchr(b->clip.path, '/');
    name = name ? name + 1 : b->clip.path;
    for (int m = 0; m < N_METHODS; m++) {
        double v[6], d[3];
        if (!b->scores[m].n)
            continue;
        score_values(&b->scores[m], v);
        score_details(&b->scores[m], d);
        printf("%-28.28s %-8s %6.2f %6.3f %6.2f %6.3f %6.2f %6.2f %6.2f %6.2f %6.2f", name,
               method_names[m], v[0], v[1], v[2], v[3], v[4], v[5], d[0], d[1], d[2]);
        if (m == METHOD_RENDER)
            printf("  %5.2f %5.2f ms, IOD %.0f px, %zu bank, %ld frames, %.0f %% jumps",
                   b->draw_ms / (double)b->n_drawn, b->blend_ms / (double)b->n_drawn,
                   (double)geom_of(b, b->clip.split)->scale, b->bank.n, b->n_drawn,
                   100 * jump_rate(b));
        printf("\n");
    }
}

static int parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.drive = "own", .bring = "rest", .held_out = .4, .n_bank = 400,
                          .n_rows = 6, .n_crops = 1, .n_near = RENDER_NEAR_DEFAULT,
                          .baselines = true};
    if (argc < 3)
        return -1;
    o->models = argv[1];
    o->film = argv[2];
    for (int i = 3; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--frames") == 0)
            o->n_frames = strtol(value, NULL, 10);
        else if (strcmp(name, "--held-out") == 0)
            o->held_out = strtod(value, NULL);
        else if (strcmp(name, "--bank") == 0)
            o->n_bank = (size_t)strtol(value, NULL, 10);
        else if (strcmp(name, "--rows") == 0)
            o->n_rows = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--crops") == 0)
            o->n_crops = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--near") == 0)
            o->n_near = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--person") == 0)
            o->person = value;
        else if (strcmp(name, "--bring") == 0)
            o->bring = value;
        else if (strcmp(name, "--drive") == 0)
            o->drive = value;
        else if (strcmp(name, "--baselines") == 0)
            o->baselines = strcmp(value, "no") != 0;
        else if (strcmp(name, "--cache") == 0)
            o->cache = value;
        else if (strcmp(name, "--sheet") == 0)
            o->sheet = value;
        else
            return -1;
    }
    return argc % 2 ? 0 : -1;
}

static int run(struct bench *b)
{
    struct lip_error err = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/face_geometry.bin", b->options.models);
    if (render_mesh_open(path, &b->mesh, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    if (clip_load(b->options.film, b->options.models, b->options.cache, b->options.n_frames,
                  b->options.held_out, b->options.n_crops, &b->clip) < 0)
        return -1;
    if (strncmp(b->options.drive, "film:", 5) == 0 &&
        clip_load(b->options.drive + 5, b->options.models, b->options.cache, 250, .4, 1,
                  &b->other) < 0)
        return -1;
    b->rasters = base_alloc_array((size_t)b->clip.split + 1, sizeof *b->rasters);
    if (!b->rasters || render_canvas_create(b->mesh, &b->clip.film, &b->canvas) < 0 ||
        blend_canvas_create(&b->blend) < 0)
        return -1;
    render_canvas_set_always(b->canvas, true);
    render_canvas_set_near(b->canvas, b->options.n_near);
    sheet_init(&b->sheet, b->options.n_rows, b->clip.split, b->clip.n_frames);
    if (second_pass(b) < 0)
        return -1;
    print(b);
    return b->options.sheet ? sheet_write(&b->sheet, b->options.sheet) : 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (parse(argc, argv, &b.options) < 0) {
        fprintf(
            stderr,
            "usage: quality MODELS_DIR FILM [--frames N] [--held-out F] [--bank N]\n"
            "       [--person FILE] [--bring none|similar|rest]\n"
            "       [--drive own|closed|open|shift:K|film:PATH] [--sheet FILE.ppm] [--rows N]\n"
            "       [--baselines yes|no] [--cache DIR] [--crops 1|3] [--near N]\n");
        return 2;
    }
    data_bank_init(&b.bank);
    data_patch_init(&b.patch);
    int status = run(&b);
    data_patch_done(&b.patch);
    data_bank_done(&b.bank);
    render_canvas_destroy(&b.canvas);
    blend_canvas_destroy(&b.blend);
    render_mesh_close(&b.mesh);
    sheet_done(&b.sheet);
    base_free(b.choices);
    base_free(b.rasters);
    clip_free(&b.clip);
    clip_free(&b.other);
    return status < 0 ? 1 : 0;
}
