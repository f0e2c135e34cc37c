/* SPDX-License-Identifier: MIT
 *
 * Frames of data/ become frames for an encoder: shared as they are where the encoder takes their
 * form, packed sample by sample where only the order differs (gbrp to bgr0), else converted. */
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <string.h>

#include "base/alloc.h"
#include "media/pixels.h"

enum way { SHARE, PACK, SCALE };

struct media_export {
    enum way way;
    enum AVPixelFormat format; /* of the encoder */
    enum AVPixelFormat planar; /* of the frames; SCALE only */
    struct media_form form;
    struct SwsContext *sws;
};

/* The matrix that swscale shall use for a picture; RGB to YUV uses BT.709 (see docs/design). */
static const int *coefficients(const struct data_frame *f)
{
    if (f->layout == DATA_LAYOUT_RGB || f->colour.matrix == AVCOL_SPC_UNSPECIFIED)
        return sws_getCoefficients(SWS_CS_ITU709);
    return sws_getCoefficients(f->colour.matrix);
}

/* swscale's numbers: chroma positions are in 1/256 of a luma sample, -513 is "unknown". */
static int open_scaler(struct media_export *x, const struct data_frame *like)
{
    int flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP |
                SWS_BITEXACT;
    x->sws = sws_alloc_context();
    if (!x->sws)
        return AVERROR(ENOMEM);
    /* swscale takes grey for full range: saying so for both keeps the values as they are */
    bool full = like->layout == DATA_LAYOUT_GRAY ||
                (like->colour.full_range && like->layout != DATA_LAYOUT_RGB);
    av_opt_set_int(x->sws, "srcw", like->width_px, 0);
    av_opt_set_int(x->sws, "srch", like->height_px, 0);
    av_opt_set_int(x->sws, "src_format", x->planar, 0);
    av_opt_set_int(x->sws, "dstw", like->width_px, 0);
    av_opt_set_int(x->sws, "dsth", like->height_px, 0);
    av_opt_set_int(x->sws, "dst_format", x->format, 0);
    av_opt_set_int(x->sws, "sws_flags", flags, 0);
    av_opt_set_int(x->sws, "src_range", full, 0);
    av_opt_set_int(x->sws, "dst_range", full, 0);
    int av = sws_init_context(x->sws, NULL, NULL);
    if (av >= 0)
        sws_setColorspaceDetails(x->sws, coefficients(like), full, coefficients(like), full, 0,
                                 1 << 16, 1 << 16);
    return av;
}

int media_export_create(const struct data_frame *like, enum AVPixelFormat format,
                        struct media_export **ret_export, struct lip_error *err)
{
    struct media_export *x = base_alloc_zero(sizeof *x);
    if (!x)
        return base_error_nomem(err, "media/pixels");
    x->format = format;
    x->form = media_form_of_frame(like);
    x->planar = media_format_of_form(&x->form);
    struct media_form want;
    bool known = media_form_of_format(format, &want);
    int av = 0;
    if (known && media_form_same(&want, &x->form)) {
        x->way = media_format_is_planar(format) ? SHARE : PACK;
    } else {
        x->way = SCALE;
        av = x->planar == AV_PIX_FMT_NONE ? AVERROR(EINVAL) : open_scaler(x, like);
    }
    if (av < 0) {
        media_export_destroy(&x);
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/pixels");
        return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/pixels",
                              "the picture cannot be converted to %s", av_get_pix_fmt_name(format));
    }
    *ret_export = x;
    return LIP_OK;
}

void media_export_destroy(struct media_export **xport)
{
    if (!xport || !*xport)
        return;
    sws_freeContext((*xport)->sws);
    base_free(*xport);
    *xport = NULL;
}

static void unref_frame(void *opaque, uint8_t *data)
{
    (void)data;
    struct data_frame *f = opaque;
    data_frame_unref(&f);
}

static int share(struct data_frame *f, AVFrame *av)
{
    av->buf[0] = av_buffer_create(f->plane[0].data, 1, unref_frame, f, AV_BUFFER_FLAG_READONLY);
    if (!av->buf[0])
        return AVERROR(ENOMEM);
    data_frame_ref(f);
    for (int p = 0; p < f->n_planes; p++) {
        av->data[p] = f->plane[p].data;
        av->linesize[p] = (int)f->plane[p].stride_bytes;
    }
    return 0;
}

static void pack(const struct data_frame *f, AVFrame *av)
{
    static const int rgb[4] = {2, 0, 1, 3};
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av->format);
    for (int y = 0; y < f->height_px; y++) {
        memset(av->data[0] + (ptrdiff_t)y * av->linesize[0], 0, (size_t)av->linesize[0]);
        for (int c = 0; c < d->nb_components; c++) {
            int p = f->layout == DATA_LAYOUT_RGB ? rgb[c] : c;
            const uint8_t *src = f->plane[p].data + y * f->plane[p].stride_bytes;
            const AVComponentDescriptor *comp = &d->comp[c];
            uint8_t *dst = av->data[comp->plane] + (ptrdiff_t)y * av->linesize[comp->plane];
            int bytes = f->depth_bits > 8 ? 2 : 1;
            for (int x = 0; x < f->plane[p].width_px; x++)
                memcpy(dst + comp->offset + (ptrdiff_t)x * comp->step, src + x * bytes,
                       (size_t)bytes);
        }
    }
}

static int convert(struct media_export *x, const struct data_frame *f, AVFrame *av)
{
    int r = av_frame_get_buffer(av, 0);
    if (r < 0)
        return r;
    if (x->way == PACK) {
        pack(f, av);
        return 0;
    }
    const uint8_t *src[4] = {0};
    int stride[4] = {0};
    for (int p = 0; p < f->n_planes; p++) {
        src[p] = f->plane[p].data;
        stride[p] = (int)f->plane[p].stride_bytes;
    }
    return sws_scale(x->sws, src, stride, 0, f->height_px, av->data, av->linesize);
}

/* Side data that speaks of the old bitstream or of how it is to be shown elsewhere. */
static void drop_stale(AVFrame *av)
{
    static const enum AVFrameSideDataType stale[] = {
        AV_FRAME_DATA_MOTION_VECTORS,   AV_FRAME_DATA_DISPLAYMATRIX,
        AV_FRAME_DATA_VIDEO_ENC_PARAMS, AV_FRAME_DATA_REGIONS_OF_INTEREST,
        AV_FRAME_DATA_SEI_UNREGISTERED, AV_FRAME_DATA_FILM_GRAIN_PARAMS};
    for (size_t i = 0; i < sizeof stale / sizeof *stale; i++)
        av_frame_remove_side_data(av, stale[i]);
    av_dict_free(&av->metadata);
    av->pict_type = AV_PICTURE_TYPE_NONE; /* else x264 repeats the old encoder's choices */
    av->key_frame = 0;
    av->crop_top = av->crop_bottom = av->crop_left = av->crop_right = 0;
}

int media_export_frame(struct media_export *x, struct data_frame *frame, AVFrame **ret_av,
                       struct lip_error *err)
{
    struct media_form form = media_form_of_frame(frame);
    if (!media_form_same(&form, &x->form))
        return base_error_arg(err, "media/pixels", "a frame of another form");
    AVFrame *av = av_frame_alloc();
    const AVFrame *origin = media_frame_av(frame);
    int r = av ? 0 : AVERROR(ENOMEM);
    if (!r && origin)
        r = av_frame_copy_props(av, origin);
    if (r >= 0) {
        drop_stale(av);
        av->width = frame->width_px;
        av->height = frame->height_px;
        av->format = x->format;
        r = x->way == SHARE ? share(frame, av) : convert(x, frame, av);
    }
    if (r < 0) {
        av_frame_free(&av);
        if (r == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/pixels");
        return base_error_set(err, LIP_ERR_INTERNAL, "media/pixels", "a frame cannot be converted");
    }
    *ret_av = av;
    return LIP_OK;
}
