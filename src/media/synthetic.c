/* SPDX-License-Identifier: MIT
 *
 * Everything is computed in whole numbers from (x, y, frame): the same bytes on every machine. */
#include "media/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "media/film.h"
#include "media/media.h"
#include "media/pixels.h"

#define SYNTHETIC_FRAMES_MAX 10000000
#define MOUTH_PERIOD 12
#define SWAY_PERIOD 50
#define BAR "+bar"
#define BAR_CONTAINER "synthetic" BAR /* where the film remembers it */
#define BAR_FROM 14 /* frames */
#define BAR_TO 26

static int bad_spec(const char *path, struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_ARG, "media/synthetic",
                          "'%s' is not of the form synthetic:WxH@FPS:N[:FORMAT]", path);
}

static bool number(const char **at, long min, long max, long *ret)
{
    char *end = NULL;
    long v = strtol(*at, &end, 10);
    if (end == *at || **at == '-' || v < min || v > max)
        return false;
    *at = end;
    *ret = v;
    return true;
}

static bool parse_numbers(const char **at, long ret_v[5])
{
    static const long max[5] = {MEDIA_SIDE_MAX_PX, MEDIA_SIDE_MAX_PX, 1000000, 1000000,
                                SYNTHETIC_FRAMES_MAX};
    static const char after[4] = {'x', '@', '/', ':'};
    ret_v[3] = 1;
    for (int i = 0; i < 5; i++) {
        if (!number(at, i == 4 ? 0 : 1, max[i], &ret_v[i]))
            return false;
        if (i == 4)
            return true;
        if (i == 2 && **at == ':')
            i = 3; /* a whole frame rate: no denominator */
        if (**at != after[i])
            return false;
        ++*at;
    }
    return false;
}

int media_synthetic_parse(const char *path, struct data_film *ret_film, struct lip_error *err)
{
    const char *at = path + strlen(MEDIA_SYNTHETIC_PREFIX);
    long v[5];
    if (!parse_numbers(&at, v) || (*at && *at != ':'))
        return bad_spec(path, err);
    char name[32];
    snprintf(name, sizeof name, "%s", *at ? at + 1 : "yuv420p");
    size_t length = strlen(name), n_bar = strlen(BAR);
    bool bar = length > n_bar && !strcmp(name + length - n_bar, BAR);
    if (bar)
        name[length - n_bar] = 0;
    enum AVPixelFormat format = av_get_pix_fmt(name);
    struct media_form form;
    if (!media_format_is_planar(format) || !media_form_of_format(format, &form))
        return bad_spec(path, err);
    if (!v[4])
        return base_error_set(err, LIP_ERR_NO_VIDEO, "media/synthetic", "'%s' has no frames", path);
    if ((int64_t)v[0] * v[1] > MEDIA_PIXELS_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, "media/synthetic",
                              "'%s' is larger than this program edits", path);
    struct data_film f = {.width_px = (int)v[0], .height_px = (int)v[1]};
    f.sample_aspect = (struct data_rational){1, 1};
    media_film_geometry(&f, NULL);
    f.time_base = (struct data_rational){v[3], v[2]};
    f.frame_rate = (struct data_rational){v[2], v[3]};
    f.depth_bits = form.depth_bits;
    f.has_alpha = form.has_alpha;
    f.colour = (struct data_colour){1, 1, form.layout == DATA_LAYOUT_RGB ? 0 : 1,
                                    form.layout == DATA_LAYOUT_RGB || !strncmp(name, "yuvj", 4), 1};
    f.n_frames_guess = v[4];
    f.duration_us = av_rescale(v[4], 1000000 * (int64_t)v[3], v[2]);
    f.identity = XXH3_64bits(path, strlen(path));
    snprintf(f.codec, sizeof f.codec, "synthetic");
    snprintf(f.container, sizeof f.container, "%s", bar ? BAR_CONTAINER : "synthetic");
    snprintf(f.pixel_format, sizeof f.pixel_format, "%s", name);
    *ret_film = f;
    return LIP_OK;
}

/* 0 … half … 0 over a period of 2 * half. */
static int triangle(int64_t t, int half)
{
    int phase = (int)(t % (2 * half));
    return phase < half ? phase : 2 * half - phase;
}

void media_synthetic_face(const struct data_film *film, int64_t index,
                          struct media_drawn_face *ret_face)
{
    int w = film->width_px, h = film->height_px;
    struct media_drawn_face f = {.face_ry = h * 3 / 10};
    f.face_rx = f.face_ry * 3 / 4;
    f.face_cx = w / 2 + (triangle(index, SWAY_PERIOD / 2) - SWAY_PERIOD / 4) * w / 600;
    f.face_cy = h / 2;
    f.mouth_cx = f.face_cx;
    f.mouth_cy = f.face_cy + f.face_ry / 2;
    f.mouth_rx = f.face_rx * 2 / 5;
    f.mouth_ry = triangle(index, MOUTH_PERIOD / 2) * f.face_ry / (5 * (MOUTH_PERIOD / 2));
    *ret_face = f;
}

bool media_synthetic_bar(const struct data_film *film, int64_t index, struct data_rect *ret_rect)
{
    struct media_drawn_face f;
    if (strcmp(film->container, BAR_CONTAINER) || index < BAR_FROM || index >= BAR_TO)
        return false;
    media_synthetic_face(film, index, &f);
    *ret_rect = (struct data_rect){f.mouth_cx + f.mouth_rx / 5, f.mouth_cy - f.face_ry / 5,
                                   f.mouth_rx * 4 / 5, f.face_ry * 3 / 5};
    return true;
}

static bool inside(int x, int y, int cx, int cy, int rx, int ry)
{
    if (rx <= 0 || ry <= 0)
        return false;
    int64_t dx = (int64_t)(x - cx) * ry, dy = (int64_t)(y - cy) * rx, r = (int64_t)rx * ry;
    return dx * dx + dy * dy <= r * r;
}

struct colour {
    int r, g, b;
};

static struct colour colour_at(const struct data_film *film, const struct media_drawn_face *f,
                               int x, int y, int64_t index)
{
    int ry = f->face_ry, rx = f->face_rx;
    struct data_rect bar;
    if (media_synthetic_bar(film, index, &bar) && x >= bar.x && y >= bar.y &&
        x < bar.x + bar.w && y < bar.y + bar.h)
        return (struct colour){40, 150 + (x + y) % 8, 60};
    if (!inside(x, y, f->face_cx, f->face_cy, rx, ry)) {
        int wave = (int)((x * 2 + y + index * 3) & 63); /* something that moves everywhere */
        return (struct colour){40 + x * 120 / film->width_px, 60 + wave,
                               90 + y * 120 / film->height_px};
    }
    if (inside(x, y, f->mouth_cx, f->mouth_cy, f->mouth_rx, f->mouth_ry))
        return (struct colour){90, 20, 25};
    if (inside(x, y, f->mouth_cx, f->mouth_cy, f->mouth_rx * 5 / 4, f->mouth_ry + ry / 14))
        return (struct colour){180, 85, 85}; /* lips */
    for (int side = -1; side <= 1; side += 2) {
        int ex = f->face_cx + side * rx * 2 / 5, ey = f->face_cy - ry / 4;
        if (inside(x, y, ex, ey, rx / 14 + 1, rx / 14 + 1))
            return (struct colour){35, 25, 20};
        if (inside(x, y, ex, ey, rx / 5, rx / 9 + 1))
            return (struct colour){235, 235, 235};
        if (inside(x, y, ex, ey - ry / 6, rx / 4, ry / 30 + 1))
            return (struct colour){80, 55, 40};
    }
    if (inside(x, y, f->face_cx, f->face_cy + ry / 10, rx / 9, ry / 6))
        return (struct colour){205, 150, 125};
    int shade = (x - f->face_cx) * 20 / (rx + 1);
    return (struct colour){220 + shade / 2, 170 + shade, 140 + shade};
}

/* BT.709, limited range, 8 bit, rounded; planes Y Cb Cr or G B R. */
static int sample_of(struct colour c, enum data_layout layout, int plane)
{
    if (layout == DATA_LAYOUT_RGB)
        return plane == 0 ? c.g : plane == 1 ? c.b : c.r;
    if (plane == 0)
        return 16 + (11966 * c.r + 40254 * c.g + 4064 * c.b + 32768) / 65536;
    if (plane == 1)
        return (128 * 65536 - 6596 * c.r - 22189 * c.g + 28784 * c.b + 32768) / 65536;
    return (128 * 65536 + 28784 * c.r - 26145 * c.g - 2639 * c.b + 32768) / 65536;
}

static int alpha_at(const struct data_film *film, const struct media_drawn_face *f, int x, int y)
{
    if (inside(x, y, f->face_cx, f->face_cy, f->face_rx, f->face_ry))
        return 255;
    return 255 - abs(x - f->face_cx) * 255 / film->width_px;
}

static void draw_plane(const struct data_film *film, const struct media_drawn_face *face,
                       struct data_frame *f, int p)
{
    struct data_plane *plane = &f->plane[p];
    bool is_alpha = f->has_alpha && p == f->n_planes - 1;
    bool chroma = f->layout == DATA_LAYOUT_YUV && (p == 1 || p == 2);
    int sx = chroma ? f->chroma_shift_x : 0, sy = chroma ? f->chroma_shift_y : 0;
    int extra = f->depth_bits - 8;
    for (int y = 0; y < plane->height_px; y++) {
        uint8_t *row = plane->data + y * plane->stride_bytes;
        for (int x = 0; x < plane->width_px; x++) {
            int xi = x << sx, yi = y << sy;
            int v = is_alpha ? alpha_at(film, face, xi, yi)
                             : sample_of(colour_at(film, face, xi, yi, f->index), f->layout, p);
            if (extra) /* low bits of their own, so that a lost bit shows */
                ((uint16_t *)(void *)row)[x] =
                    (uint16_t)(v << extra |
                               ((x * 7 + y * 13 + (int)(f->index % 97) * 5) & ((1 << extra) - 1)));
            else
                row[x] = (uint8_t)v;
        }
    }
}

int media_synthetic_draw(const struct data_film *film, int64_t index,
                         struct data_frame **ret_frame, struct lip_error *err)
{
    struct media_form form;
    struct data_frame *f = NULL;
    media_form_of_format(av_get_pix_fmt(film->pixel_format), &form);
    int r = data_frame_create(film->width_px, film->height_px, form.layout, form.depth_bits,
                              form.chroma_shift_x, form.chroma_shift_y, form.has_alpha, &f);
    if (r)
        return base_error_nomem(err, "media/synthetic");
    f->colour = film->colour;
    f->pts = index;
    f->duration = 1;
    f->index = index;
    f->keyframe = true;
    struct media_drawn_face face;
    media_synthetic_face(film, index, &face);
    for (int p = 0; p < f->n_planes; p++)
        draw_plane(film, &face, f, p);
    *ret_frame = f;
    return LIP_OK;
}
