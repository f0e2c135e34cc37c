/* SPDX-License-Identifier: MIT */
#include "fake/nets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "face/parts.h"

/* What is seen in a picture, in its pixels. */
struct sight {
    int n_skin;
    float cx, cy, rx, ry;
    float mouth_ry; /* half the opening */
};

struct extent {
    int x0, y0, x1, y1, n;
};

static void extend(struct extent *e, int x, int y)
{
    if (!e->n++)
        *e = (struct extent){x, y, x, y, 1};
    e->x0 = x < e->x0 ? x : e->x0;
    e->x1 = x > e->x1 ? x : e->x1;
    e->y0 = y < e->y0 ? y : e->y0;
    e->y1 = y > e->y1 ? y : e->y1;
}

/* Values are (v - low) / (high - low) of 0..1. The colours are those of media/synthetic.c. */
static struct sight look(const float *rgb, int px, float low, float high)
{
    struct extent skin = {0}, mouth = {0};
    for (int i = 0; i < px * px; i++) {
        float r = (rgb[3 * i] - low) / (high - low), g = (rgb[3 * i + 1] - low) / (high - low);
        float b = (rgb[3 * i + 2] - low) / (high - low);
        if (r > 0.76f && r - b > 0.15f)
            extend(&skin, i % px, i / px);
        else if (r > 0.22f && r < 0.5f && g < 0.2f && b < 0.2f)
            extend(&mouth, i % px, i / px);
    }
    struct sight s = {.n_skin = skin.n};
    s.cx = 0.5f * (float)(skin.x0 + skin.x1 + 1);
    s.cy = 0.5f * (float)(skin.y0 + skin.y1 + 1);
    s.rx = 0.5f * (float)(skin.x1 - skin.x0 + 1);
    s.ry = 0.5f * (float)(skin.y1 - skin.y0 + 1);
    s.mouth_ry = mouth.n ? 0.5f * (float)(mouth.y1 - mouth.y0 + 1) : 0;
    return s;
}

static struct nn_tensor *output(struct nn_tensor *outputs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (outputs[i].name && !strcmp(outputs[i].name, name))
            return &outputs[i];
    return NULL;
}

/* One box, told by the first anchor, whose centre is half a cell from the corner. */
static int detect(const struct nn_tensor *image, float cell_px, struct nn_tensor *outputs, size_t n)
{
    struct nn_tensor *boxes = output(outputs, n, "regressors");
    struct nn_tensor *scores = output(outputs, n, "scores");
    if (!boxes || !scores)
        return LIP_ERR_MODEL;
    struct sight s = look(image->data, (int)image->dims[1], -1, 1);
    float *v = boxes->data, *score = scores->data, anchor = 0.5f * cell_px;
    memset(v, 0, (size_t)(boxes->dims[0] * boxes->dims[1]) * sizeof *v);
    for (int64_t i = 0; i < scores->dims[0]; i++)
        score[i] = -50;
    if (s.n_skin < 60)
        return LIP_OK;
    score[0] = 5;
    const float points[16] = {s.cx, s.cy + 0.1f * s.ry, 2.2f * s.rx, 2.2f * s.rx,
                              s.cx - 0.4f * s.rx, s.cy - 0.25f * s.ry, /* eyes */
                              s.cx + 0.4f * s.rx, s.cy - 0.25f * s.ry};
    for (int i = 0; i < 16; i++)
        v[i] = i == 2 || i == 3 ? points[i] : points[i] - anchor;
    return LIP_OK;
}

static void place_points(const struct fake_nets *nets, const struct sight *s, float (*p)[3])
{
    float lip_y = 0.5f * (nets->mesh[13][1] + nets->mesh[14][1]);
    for (int i = 0; i < DATA_MESH_POINTS; i++) {
        float y = nets->mesh[i][1] - lip_y, near = 1 - fabsf(y) / 0.35f;
        bool lip = near > 0 && fabsf(nets->mesh[i][0]) < 0.45f;
        p[i][0] = s->cx + s->rx * nets->mesh[i][0];
        p[i][1] = s->cy + s->ry * nets->mesh[i][1];
        p[i][2] = s->rx * nets->mesh[i][2];
        if (lip)
            p[i][1] += (y < 0 ? -s->mouth_ry : s->mouth_ry) * near;
    }
}

static void pick(const float (*p)[3], const uint16_t *numbers, struct nn_tensor *out)
{
    float *xy = out->data;
    for (int64_t i = 0; i < out->dims[0]; i++)
        for (int a = 0; a < 2; a++)
            xy[2 * i + a] = p[numbers[i]][a];
}

/* The middle of an eye, five times. */
static void iris(const float (*p)[3], int corner, int other, struct nn_tensor *out)
{
    float *xy = out->data;
    for (int64_t i = 0; i < out->dims[0]; i++)
        for (int a = 0; a < 2; a++)
            xy[2 * i + a] = 0.5f * (p[corner][a] + p[other][a]);
}

static int mesh(const struct fake_nets *nets, const struct nn_tensor *image,
                struct nn_tensor *outputs, size_t n)
{
    static const char *const names[7] = {"mesh",      "lips",       "left_eye", "right_eye",
                                         "left_iris", "right_iris", "face_flag"};
    struct nn_tensor *out[7];
    for (int i = 0; i < 7; i++)
        if (!(out[i] = output(outputs, n, names[i])))
            return LIP_ERR_MODEL;
    struct sight s = look(image->data, (int)image->dims[1], 0, 1);
    float (*p)[3] = out[0]->data;
    place_points(nets, &s, p);
    const float (*q)[3] = (const float (*)[3])p;
    pick(q, face_lip_points, out[1]);
    pick(q, face_left_eye_points, out[2]);
    pick(q, face_right_eye_points, out[3]);
    iris(q, 33, 133, out[4]);
    iris(q, 263, 362, out[5]);
    *(float *)out[6]->data = s.n_skin > 500 ? 10.f : -10.f;
    return LIP_OK;
}

static int voice(const struct nn_tensor *inputs, struct nn_tensor *outputs, size_t n)
{
    struct nn_tensor *speech = output(outputs, n, "output"), *state = output(outputs, n, "stateN");
    const float *x = inputs[0].data;
    float power = 0;
    if (!speech || !state)
        return LIP_ERR_MODEL;
    for (int64_t i = 0; i < inputs[0].dims[1]; i++)
        power += x[i] * x[i] / (float)inputs[0].dims[1];
    *(float *)speech->data = fminf(1, 20 * sqrtf(power));
    memset(state->data, 0, 256 * sizeof(float));
    return LIP_OK;
}

/* Each answer repeats the bands of the row that it stands for, more quietly. */
static int embed(const struct nn_tensor *windows, struct nn_tensor *outputs, size_t n)
{
    struct nn_tensor *hidden = output(outputs, n, "hidden");
    const int64_t *dims = hidden ? hidden->dims : NULL;
    const int64_t n_bands = windows->dims[2], size = windows->dims[1] * n_bands;
    if (!hidden || hidden->n_dims != 4)
        return LIP_ERR_MODEL;
    float *v = hidden->data;
    for (int64_t w = 0; w < dims[0]; w++)
        for (int64_t c = 0; c < dims[1]; c++)
            for (int64_t i = 0; i < dims[2]; i++)
                for (int64_t bin = 0; bin < dims[3]; bin++) {
                    const float *row = (const float *)windows->data + w * size;
                    row += (18 + 4 * i) * n_bands;
                    *v++ = 0.1f * row[(c * dims[3] + bin) % n_bands];
                }
    return LIP_OK;
}

int fake_nets_run(void *nets, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                  struct nn_tensor *outputs, size_t n_outputs)
{
    if (n_inputs < 1)
        return LIP_ERR_MODEL;
    if (!strcmp(model, "face_detector_short"))
        return detect(inputs, 8, outputs, n_outputs);
    if (!strcmp(model, "face_detector_full"))
        return detect(inputs, 4, outputs, n_outputs);
    if (!strcmp(model, "face_mesh"))
        return mesh(nets, inputs, outputs, n_outputs);
    if (!strcmp(model, "faceprint")) {
        memset(outputs->data, 0, DATA_FACEPRINT_DIMS * sizeof(float)); /* there is one person */
        return LIP_OK;
    }
    if (!strcmp(model, "silero_vad"))
        return voice(inputs, outputs, n_outputs);
    if (!strcmp(model, "speech_embedding"))
        return embed(inputs, outputs, n_outputs);
    return LIP_ERR_MODEL;
}

static void scale_to_unit(float (*p)[3])
{
    float hi[2] = {-1e9f, -1e9f}, lo[2] = {1e9f, 1e9f};
    for (int i = 0; i < DATA_MESH_POINTS; i++)
        for (int a = 0; a < 2; a++) {
            hi[a] = fmaxf(hi[a], p[i][a]);
            lo[a] = fminf(lo[a], p[i][a]);
        }
    float rx = 0.5f * (hi[0] - lo[0]), ry = 0.5f * (hi[1] - lo[1]);
    for (int i = 0; i < DATA_MESH_POINTS; i++) {
        p[i][0] = (p[i][0] - 0.5f * (hi[0] + lo[0])) / rx;
        p[i][1] = -(p[i][1] - 0.5f * (hi[1] + lo[1])) / ry; /* the file's y points up */
        p[i][2] = -p[i][2] / rx;
    }
}

int fake_nets_load(const char *models_dir, struct fake_nets *ret_nets)
{
    char path[4096];
    uint8_t *bytes = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/face_geometry.bin", models_dir);
    int status = base_fs_read(path, 1 << 20, &bytes, &n, NULL);
    if (status)
        return status;
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    base_reader_take(&r, 8 + 4); /* magic, version */
    uint32_t n_points = base_reader_u32(&r), n_triangles = base_reader_u32(&r);
    size_t left = n > 20 + 6 * (size_t)n_triangles ? n - 20 - 6 * (size_t)n_triangles : 0;
    size_t skip = left / (4 * DATA_MESH_POINTS); /* floats per point: x, y, z and perhaps more */
    for (int i = 0; i < DATA_MESH_POINTS; i++) {
        base_reader_f32s(&r, ret_nets->mesh[i], 3);
        base_reader_take(&r, skip > 3 ? 4 * (skip - 3) : 0);
    }
    base_free(bytes);
    scale_to_unit(ret_nets->mesh);
    return r.failed || n_points != DATA_MESH_POINTS ? LIP_ERR_MODEL : LIP_OK;
}
