/* SPDX-License-Identifier: MIT
 *
 * Decoded frames become frames of data/. Planar formats are wrapped as they lie. Packed ones
 * (rgb24, nv12, yuyv422, rgb48be, x2rgb10, …) are rearranged sample by sample, palettes looked up:
 * no value changes. What is left (5-6-5 bits, one-bit, floating point, Bayer, XYZ) goes through
 * swscale once. */
#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>
#include <string.h>

#include "base/alloc.h"
#include "media/pixels.h"

enum way { WRAP, REORDER, PALETTE, SCALE };

struct media_import {
    enum way way;
    int width_px, height_px;
    enum AVPixelFormat format; /* of the first frame */
    enum AVPixelFormat planar; /* what SCALE makes; also for frames unlike the first */
    struct media_form form;
    struct SwsContext *sws;
    uint16_t *line;
};

static void release_av(void *owner)
{
    AVFrame *av = owner;
    av_frame_free(&av);
}

const AVFrame *media_frame_av(const struct data_frame *frame)
{
    for (; frame; frame = frame->origin)
        if (frame->release == release_av)
            return frame->owner;
    return NULL;
}

/* Only entries in use count: the others are often left at 0. */
static bool palette_has_alpha(const AVFrame *av)
{
    for (int y = 0; y < av->height; y++)
        for (int x = 0; x < av->width; x++) {
            uint32_t entry;
            int i = av->data[0][(ptrdiff_t)y * av->linesize[0] + x];
            memcpy(&entry, av->data[1] + 4 * (ptrdiff_t)i, 4);
            if (entry >> 24 != 255)
                return true;
        }
    return false;
}

/* The form that keeps most of an odd format. */
static enum AVPixelFormat nearest_planar(enum AVPixelFormat format)
{
    static const enum AVPixelFormat list[] = {
        AV_PIX_FMT_GRAY8,   AV_PIX_FMT_GRAY16,  AV_PIX_FMT_GBRP,    AV_PIX_FMT_GBRAP,
        AV_PIX_FMT_GBRP16,  AV_PIX_FMT_GBRAP16, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P,
        AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVA444P, AV_PIX_FMT_NONE};
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!d || d->flags & AV_PIX_FMT_FLAG_HWACCEL || !sws_isSupportedInput(format))
        return AV_PIX_FMT_NONE;
    return avcodec_find_best_pix_fmt_of_list(list, format, 1, NULL);
}

static void choose_way(struct media_import *im, const AVFrame *first)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(first->format);
    bool known = media_form_of_format(first->format, &im->form);
    if (known && media_format_is_planar(first->format)) {
        im->way = WRAP;
        im->planar = first->format;
    } else if (known) {
        im->way = REORDER;
        im->planar = media_format_of_form(&im->form);
    } else if (d && d->flags & AV_PIX_FMT_FLAG_PAL) {
        im->way = PALETTE;
        im->form = (struct media_form){.layout = DATA_LAYOUT_RGB, .depth_bits = 8};
        im->form.has_alpha = palette_has_alpha(first);
        im->planar = im->form.has_alpha ? AV_PIX_FMT_GBRAP : AV_PIX_FMT_GBRP;
    } else {
        im->way = SCALE;
        im->planar = nearest_planar(first->format);
        if (im->planar != AV_PIX_FMT_NONE)
            media_form_of_format(im->planar, &im->form);
    }
}

int media_import_create(const AVFrame *first, struct media_import **ret_import,
                        struct lip_error *err)
{
    struct media_import *im = base_alloc_zero(sizeof *im);
    if (!im)
        return base_error_nomem(err, "media/pixels");
    im->width_px = first->width;
    im->height_px = first->height;
    im->format = first->format;
    choose_way(im, first);
    int r = LIP_OK;
    if (im->way == SCALE && im->planar == AV_PIX_FMT_NONE) {
        const char *name = av_get_pix_fmt_name(first->format);
        r = base_error_set(err, LIP_ERR_UNSUPPORTED, "media/pixels",
                           "the film's pixel format %s cannot be edited", name ? name : "?");
    } else if (!(im->line = base_alloc_array((size_t)im->width_px + 64, sizeof *im->line)))
        r = base_error_nomem(err, "media/pixels");
    if (r) {
        media_import_destroy(&im);
        return r;
    }
    *ret_import = im;
    return LIP_OK;
}

void media_import_destroy(struct media_import **import)
{
    if (!import || !*import)
        return;
    sws_freeContext((*import)->sws);
    base_free((*import)->line);
    base_free(*import);
    *import = NULL;
}

const struct media_form *media_import_form(const struct media_import *import)
{
    return &import->form;
}

const char *media_import_loss(const struct media_import *import)
{
    return import->way == SCALE ? "its pixel format is converted, sample values may change" : NULL;
}

static void set_colour(struct data_frame *f, const AVFrame *av)
{
    f->colour = (struct data_colour){.primaries = av->color_primaries,
                                     .transfer = av->color_trc,
                                     .matrix = av->colorspace,
                                     .full_range = av->color_range == AVCOL_RANGE_JPEG,
                                     .chroma_location = av->chroma_location};
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av->format);
    if (f->layout != DATA_LAYOUT_YUV && av->color_range != AVCOL_RANGE_MPEG)
        f->colour.full_range = true; /* what RGB and grey are when nothing is said */
    if (d && !strncmp(d->name, "yuvj", 4))
        f->colour.full_range = true;
    f->keyframe = av->key_frame;
}

/* Zero copy. Takes av over also when it fails. */
static int wrap(const struct media_form *form, AVFrame *av, struct data_frame **ret_frame,
                struct lip_error *err)
{
    struct data_frame *f = NULL;
    if (!av || data_frame_wrap(release_av, av, &f)) {
        av_frame_free(&av);
        return base_error_nomem(err, "media/pixels");
    }
    f->width_px = av->width;
    f->height_px = av->height;
    f->layout = form->layout;
    f->depth_bits = form->depth_bits;
    f->has_alpha = form->has_alpha;
    f->chroma_shift_x = form->chroma_shift_x;
    f->chroma_shift_y = form->chroma_shift_y;
    f->n_planes = (form->layout == DATA_LAYOUT_GRAY ? 1 : 3) + (form->has_alpha ? 1 : 0);
    for (int p = 0; p < f->n_planes; p++) {
        bool chroma = form->layout == DATA_LAYOUT_YUV && (p == 1 || p == 2);
        f->plane[p].data = av->data[p];
        f->plane[p].stride_bytes = av->linesize[p];
        f->plane[p].width_px = AV_CEIL_RSHIFT(av->width, chroma ? form->chroma_shift_x : 0);
        f->plane[p].height_px = AV_CEIL_RSHIFT(av->height, chroma ? form->chroma_shift_y : 0);
    }
    set_colour(f, av);
    *ret_frame = f;
    return LIP_OK;
}

/* A frame with own pixels; its origin is a shell that keeps the decoded frame's side data. */
static int own_frame(struct media_import *im, const AVFrame *av, struct data_frame **ret_frame,
                     struct lip_error *err)
{
    struct data_frame *f = NULL, *shell = NULL;
    const struct media_form *form = &im->form;
    AVFrame *props = av_frame_alloc();
    if (!props || av_frame_copy_props(props, av) < 0 ||
        data_frame_wrap(release_av, props, &shell)) {
        av_frame_free(&props);
        return base_error_nomem(err, "media/pixels");
    }
    if (data_frame_create(im->width_px, im->height_px, form->layout, form->depth_bits,
                          form->chroma_shift_x, form->chroma_shift_y, form->has_alpha, &f)) {
        data_frame_unref(&shell);
        return base_error_nomem(err, "media/pixels");
    }
    f->origin = shell;
    set_colour(f, av);
    *ret_frame = f;
    return LIP_OK;
}

/* Which plane of data/ a component of FFmpeg's descriptor (R G B A or Y U V A) belongs to. */
static int plane_of(const struct media_form *form, int component)
{
    static const int rgb[4] = {2, 0, 1, 3};
    return form->layout == DATA_LAYOUT_RGB ? rgb[component] : component;
}

static void copy_bytes(uint8_t *dst, const uint8_t *src, int step, int n)
{
    for (int x = 0; x < n; x++)
        dst[x] = src[(ptrdiff_t)x * step];
}

static void reorder_plane(struct media_import *im, const AVFrame *av, int c, struct data_plane *p)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av->format);
    const AVComponentDescriptor *comp = &d->comp[c];
    bool simple = comp->depth == 8 && !comp->shift;
    for (int y = 0; y < p->height_px; y++) {
        uint8_t *dst = p->data + y * p->stride_bytes;
        if (simple) {
            const uint8_t *src = av->data[comp->plane] + (ptrdiff_t)y * av->linesize[comp->plane];
            copy_bytes(dst, src + comp->offset, comp->step, p->width_px);
            continue;
        }
        const uint8_t *data[4] = {av->data[0], av->data[1], av->data[2], av->data[3]};
        uint16_t *line = comp->depth > 8 ? (uint16_t *)(void *)dst : im->line;
        av_read_image_line2(line, data, av->linesize, d, 0, y, c, p->width_px, 0, sizeof *line);
        for (int x = 0; comp->depth == 8 && x < p->width_px; x++)
            dst[x] = (uint8_t)line[x];
    }
}

static void look_up(const struct media_import *im, const AVFrame *av, struct data_frame *f)
{
    static const int shift[4] = {8, 0, 16, 24}; /* planes G, B, R, A of a word ARGB */
    uint32_t palette[256];
    memcpy(palette, av->data[1], sizeof palette);
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < im->height_px; y++) {
            uint8_t *dst = f->plane[p].data + y * f->plane[p].stride_bytes;
            const uint8_t *src = av->data[0] + (ptrdiff_t)y * av->linesize[0];
            for (int x = 0; x < im->width_px; x++)
                dst[x] = (uint8_t)(palette[src[x]] >> shift[p]);
        }
}

/* Odd formats, and frames that are unlike the first: size or format changed on the way. */
static int scale(struct media_import *im, const AVFrame *av, struct data_frame **ret_frame,
                 struct lip_error *err)
{
    int flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP |
                SWS_BITEXACT;
    AVFrame *out = av_frame_alloc();
    if (!out || av_frame_copy_props(out, av) < 0)
        goto no_memory;
    out->width = im->width_px;
    out->height = im->height_px;
    out->format = im->planar;
    im->sws = sws_getCachedContext(im->sws, av->width, av->height, av->format, im->width_px,
                                   im->height_px, im->planar, flags, NULL, NULL, NULL);
    if (av_frame_get_buffer(out, 0) < 0)
        goto no_memory;
    if (!im->sws || sws_scale(im->sws, (const uint8_t *const *)av->data, av->linesize, 0,
                              av->height, out->data, out->linesize) < 0) {
        av_frame_free(&out);
        return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/pixels",
                              "a frame's pixel format cannot be converted");
    }
    return wrap(&im->form, out, ret_frame, err);
no_memory:
    av_frame_free(&out);
    return base_error_nomem(err, "media/pixels");
}

static int import(struct media_import *im, AVFrame *av, struct data_frame **ret_frame,
                  struct lip_error *err)
{
    bool like_first =
        av->format == im->format && av->width == im->width_px && av->height == im->height_px;
    if (im->way == SCALE || !like_first)
        return scale(im, av, ret_frame, err);
    if (im->way == WRAP) {
        AVFrame *own = av_frame_alloc();
        if (own)
            av_frame_move_ref(own, av);
        return wrap(&im->form, own, ret_frame, err);
    }
    int r = own_frame(im, av, ret_frame, err);
    if (r)
        return r;
    if (im->way == PALETTE) {
        look_up(im, av, *ret_frame);
        return LIP_OK;
    }
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av->format);
    for (int c = 0; c < d->nb_components; c++)
        reorder_plane(im, av, c, &(*ret_frame)->plane[plane_of(&im->form, c)]);
    return LIP_OK;
}

int media_import_frame(struct media_import *im, AVFrame *av, struct data_frame **ret_frame,
                       struct lip_error *err)
{
    int r = import(im, av, ret_frame, err);
    av_frame_unref(av);
    return r;
}
