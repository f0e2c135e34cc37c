/* SPDX-License-Identifier: MIT
 *
 * What training sees of a clip: the mouth over time, by the project's own rooms, so that training
 * and use see the same. What it hears: hear.c.
 *
 *   extract MODELS OUT_DIR CLIP...    writes OUT_DIR/<clip's name>.mouth for each clip
 *
 * The file ("LIPMOUTH-CLIP02\0"): u32 n_frames, n_points; rest[n_points][3]; opening_rest,
 * opening_pct[5], width_pct[5]; per frame: t_s, valid, opening, width, canon[n_points][3]. All
 * numbers float32, little-endian. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "data/frame.h"
#include "face/face.h"
#include "media/media.h"
#include "nn/nn.h"

#define FRAMES_MAX 100000
#define BYTES_MAX ((size_t)1 << 30)

struct seen {
    double t_s;
    struct data_face_obs obs;
    bool has_face;
};

struct clip {
    struct seen *frames;
    size_t n, cap;
};

/* The largest face; a clip shows one person. */
static void pick(const struct data_face_obs *faces, size_t n, struct seen *seen)
{
    float best = 0.0f;

    for (size_t i = 0; i < n; i++) {
        float dx = faces[i].points[263][0] - faces[i].points[33][0];
        float dy = faces[i].points[263][1] - faces[i].points[33][1];
        float size = dx * dx + dy * dy;
        if (size <= best)
            continue;
        best = size;
        seen->obs = faces[i];
        seen->has_face = true;
    }
}

static int watch(const struct face_models *models, const char *path, struct clip *clip,
                 struct lip_error *err)
{
    struct media_source_params params = {.n_threads = 1};
    struct face_analyzer_params face_params;
    struct media_source *source = NULL;
    struct face_analyzer *analyzer = NULL;
    static struct data_face_obs faces[16];
    int64_t first_pts = 0;
    int status = media_source_open(path, &params, &source, err);

    face_analyzer_params_default(&face_params);
    if (status == 0)
        status =
            face_analyzer_create(models, media_source_film(source), &face_params, &analyzer, err);
    while (status == 0) {
        struct data_rational base = media_source_film(source)->time_base;
        struct data_frame *frame = NULL;
        struct seen *seen;
        size_t n = 0;
        bool cut;
        status = media_source_read(source, &frame, err);
        if (status < 0 || !frame)
            break;
        if (clip->n == 0)
            first_pts = frame->pts;
        status = base_grow(&clip->frames, &clip->cap, clip->n + 1, FRAMES_MAX, sizeof(*seen));
        if (status == 0)
            status = face_analyzer_push(analyzer, frame, faces, &n, &cut, err);
        if (status == 0) {
            seen = &clip->frames[clip->n++];
            seen->t_s = (double)(frame->pts - first_pts) * (double)base.num / (double)base.den;
            pick(faces, n, seen);
        }
        data_frame_unref(&frame);
    }
    face_analyzer_destroy(&analyzer);
    media_source_close(&source);
    return status;
}

static int learn(const struct clip *clip, struct data_person *ret_person, struct lip_error *err)
{
    struct data_face_obs *obs = base_alloc_array(clip->n + 1, sizeof(*obs));
    size_t n = 0, step = clip->n / 2000 + 1;
    int status;

    if (!obs)
        return base_error_nomem(err, "extract");
    for (size_t i = 0; i < clip->n; i += step)
        if (clip->frames[i].has_face)
            obs[n++] = clip->frames[i].obs;
    status = face_person_learn(obs, n, ret_person, err);
    base_free(obs);
    return status;
}

static void put_geom(const struct clip *clip, struct face_smoother *smoother,
                     struct base_buffer *out, size_t *n_done)
{
    static struct data_face_geom geom;

    while (face_smoother_pull(smoother, &geom)) {
        base_buffer_put_f32(out, (float)clip->frames[(*n_done)++].t_s);
        base_buffer_put_f32(out, geom.valid ? 1.0f : 0.0f);
        base_buffer_put_f32(out, geom.valid ? geom.opening : 0.0f);
        base_buffer_put_f32(out, geom.valid ? geom.width : 0.0f);
        if (!geom.valid)
            memset(geom.canon, 0, sizeof(geom.canon));
        base_buffer_put_f32s(out, &geom.canon[0][0], DATA_MESH_POINTS * 3);
    }
}

static int write_clip(const struct clip *clip, const char *path, struct lip_error *err)
{
    static struct data_person person;
    struct face_smoother *smoother = NULL;
    struct base_buffer out;
    size_t n_done = 0;
    int status = learn(clip, &person, err);

    if (status == 0)
        status = face_smoother_create(&person, &smoother);
    if (status < 0)
        return status;
    base_buffer_init(&out, BYTES_MAX);
    base_buffer_put(&out, "LIPMOUTH-CLIP02", 16);
    base_buffer_put_u32(&out, (uint32_t)clip->n);
    base_buffer_put_u32(&out, DATA_MESH_POINTS);
    base_buffer_put_f32s(&out, &person.rest[0][0], DATA_MESH_POINTS * 3);
    base_buffer_put_f32(&out, person.opening_rest);
    base_buffer_put_f32s(&out, person.opening_pct, 5);
    base_buffer_put_f32s(&out, person.width_pct, 5);
    for (size_t i = 0; i < clip->n; i++) {
        const struct seen *seen = &clip->frames[i];
        face_smoother_push(smoother, (int64_t)i, seen->has_face ? &seen->obs : NULL, false);
        put_geom(clip, smoother, &out, &n_done);
    }
    face_smoother_flush(smoother);
    put_geom(clip, smoother, &out, &n_done);
    status = out.status;
    if (status == 0 && n_done != clip->n)
        status = base_error_set(err, LIP_ERR_INTERNAL, "extract", "the smoother lost frames");
    if (status == 0)
        status = base_fs_write(path, out.data, out.size, err);
    base_buffer_done(&out);
    face_smoother_destroy(&smoother);
    return status;
}

static int extract(const struct face_models *models, const char *out_dir, const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct lip_error err = {0};
    struct clip clip = {0};
    char out_path[4096];
    int status;

    snprintf(out_path, sizeof(out_path), "%s/%s.mouth", out_dir, name);
    if (base_fs_exists(out_path))
        return 0;
    status = watch(models, path, &clip, &err);
    if (status == 0)
        status = write_clip(&clip, out_path, &err);
    if (status < 0)
        printf("%s: %s\n", name, err.text);
    else
        printf("%s: %zu frames\n", name, clip.n);
    fflush(stdout);
    base_free(clip.frames);
    return status;
}

int main(int argc, char **argv)
{
    struct lip_error err = {0};
    struct nn_runtime *runtime = NULL;
    struct face_models *models = NULL;

    if (argc < 4) {
        fprintf(stderr, "usage: extract MODELS OUT_DIR CLIP...\n");
        return 2;
    }
    if (nn_runtime_open(NULL, &runtime, &err) < 0 ||
        face_models_open(runtime, argv[1], &models, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        extract(models, argv[2], argv[i]); /* a clip without a face is no clip */
    face_models_close(&models);
    nn_runtime_close(&runtime);
    return 0;
}
