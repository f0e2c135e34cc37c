/* SPDX-License-Identifier: MIT
 *
 * What FFmpeg's pixel formats are in terms of data/. */
#include "media/pixels.h"

#include <string.h>

static const uint64_t odd_kinds = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                  AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT |
                                  AV_PIX_FMT_FLAG_BAYER;

bool media_form_of_format(enum AVPixelFormat format, struct media_form *ret_form)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!d || d->flags & odd_kinds || !strncmp(d->name, "xyz", 3))
        return false;
    bool alpha = d->flags & AV_PIX_FMT_FLAG_ALPHA;
    int colours = d->nb_components - alpha;
    if (d->comp[0].depth < 8 || d->comp[0].depth > 16 || (colours != 1 && colours != 3))
        return false;
    for (int c = 1; c < d->nb_components; c++)
        if (d->comp[c].depth != d->comp[0].depth)
            return false;
    bool rgb = d->flags & AV_PIX_FMT_FLAG_RGB;
    if (d->log2_chroma_w > 2 || d->log2_chroma_h > 2)
        return false;
    *ret_form = (struct media_form){
        .layout = colours == 1 ? DATA_LAYOUT_GRAY : rgb ? DATA_LAYOUT_RGB : DATA_LAYOUT_YUV,
        .depth_bits = d->comp[0].depth,
        .chroma_shift_x = colours == 3 && !rgb ? d->log2_chroma_w : 0,
        .chroma_shift_y = colours == 3 && !rgb ? d->log2_chroma_h : 0,
        .has_alpha = alpha};
    return true;
}

bool media_format_is_planar(enum AVPixelFormat format)
{
    struct media_form form;
    if (!media_form_of_format(format, &form))
        return false;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    int bytes = form.depth_bits > 8 ? 2 : 1;
    bool big_endian = d->flags & AV_PIX_FMT_FLAG_BE;
    if (bytes == 2 && big_endian != (AV_NE(1, 0) == 1))
        return false;
    for (int c = 0; c < d->nb_components; c++)
        if (d->comp[c].step != bytes || d->comp[c].offset || d->comp[c].shift)
            return false;
    return av_pix_fmt_count_planes(format) == d->nb_components;
}

bool media_form_same(const struct media_form *a, const struct media_form *b)
{
    return a->layout == b->layout && a->depth_bits == b->depth_bits &&
           a->chroma_shift_x == b->chroma_shift_x && a->chroma_shift_y == b->chroma_shift_y &&
           a->has_alpha == b->has_alpha;
}

enum AVPixelFormat media_format_of_form(const struct media_form *form)
{
    enum AVPixelFormat packed = AV_PIX_FMT_NONE;
    for (const AVPixFmtDescriptor *d = NULL; (d = av_pix_fmt_desc_next(d));) {
        enum AVPixelFormat format = av_pix_fmt_desc_get_id(d);
        struct media_form other;
        if (!strncmp(d->name, "yuvj", 4) || !media_form_of_format(format, &other) ||
            !media_form_same(form, &other))
            continue;
        if (media_format_is_planar(format))
            return format;
        if (packed == AV_PIX_FMT_NONE && form->layout == DATA_LAYOUT_GRAY &&
            !(d->flags & AV_PIX_FMT_FLAG_BE))
            packed = format; /* ya8, ya16le: gray with alpha has no planar format */
    }
    return packed;
}

struct media_form media_form_of_frame(const struct data_frame *f)
{
    return (struct media_form){.layout = f->layout,
                               .depth_bits = f->depth_bits,
                               .chroma_shift_x = f->chroma_shift_x,
                               .chroma_shift_y = f->chroma_shift_y,
                               .has_alpha = f->has_alpha};
}
