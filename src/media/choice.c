/* SPDX-License-Identifier: MIT
 *
 * Which encoder and which pixel format: the source's own where the codec has it, else the
 * nearest. */
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <string.h>

#include "media/encoder.h"
#include "media/join.h"
#include "media/pixels.h"

#define FORMATS_MAX 128

/* H.264 where there is no encoder of the family. */
static enum media_codec family_of(const struct data_film *film)
{
    static const struct {
        const char *name;
        enum media_codec codec;
    } family[] = {{"hevc", MEDIA_CODEC_HEVC},     {"vp9", MEDIA_CODEC_VP9},
                  {"vp8", MEDIA_CODEC_VP9},       {"av1", MEDIA_CODEC_AV1},
                  {"prores", MEDIA_CODEC_PRORES}, {"dnxhd", MEDIA_CODEC_PRORES},
                  {"cfhd", MEDIA_CODEC_PRORES},   {"ffv1", MEDIA_CODEC_FFV1},
                  {"huffyuv", MEDIA_CODEC_FFV1},  {"ffvhuff", MEDIA_CODEC_FFV1},
                  {"utvideo", MEDIA_CODEC_FFV1},  {"qtrle", MEDIA_CODEC_FFV1},
                  {"rawvideo", MEDIA_CODEC_FFV1}, {"v210", MEDIA_CODEC_FFV1},
                  {"magicyuv", MEDIA_CODEC_FFV1}};
    for (size_t i = 0; i < sizeof family / sizeof *family; i++)
        if (!strcmp(film->codec, family[i].name))
            return family[i].codec;
    return MEDIA_CODEC_H264;
}

/* Whether players expect such a file, not only whether it can be written. */
static bool is_usual_in(enum media_container container, enum media_codec codec)
{
    if (container == MEDIA_AVI && codec != MEDIA_CODEC_H264 && codec != MEDIA_CODEC_FFV1)
        return false;
    if (container == MEDIA_MOV && (codec == MEDIA_CODEC_VP9 || codec == MEDIA_CODEC_AV1))
        return false;
    const AVOutputFormat *format = media_container_format(container);
    return format && avformat_query_codec(format, media_encoder_codec_id(codec),
                                          FF_COMPLIANCE_NORMAL) == 1;
}

static enum media_codec nearest(const struct data_film *film, const char *output)
{
    enum media_container c = output ? media_container_of(output) : MEDIA_MKV;
    enum media_codec own = family_of(film);
    if (film->has_alpha && own == MEDIA_CODEC_H264)
        own = MEDIA_CODEC_FFV1;
    if (is_usual_in(c, own))
        return own;
    if (c == MEDIA_WEBM)
        return MEDIA_CODEC_VP9;
    if (c == MEDIA_MOV && (film->has_alpha || own == MEDIA_CODEC_FFV1))
        return MEDIA_CODEC_PRORES;
    return film->depth_bits > 8 && is_usual_in(c, MEDIA_CODEC_HEVC) ? MEDIA_CODEC_HEVC
                                                                   : MEDIA_CODEC_H264;
}

enum media_codec media_codec_of(enum media_codec codec, const struct data_film *film,
                                const char *output)
{
    if (codec == MEDIA_CODEC_LIKE_SOURCE)
        return family_of(film);
    return codec == MEDIA_CODEC_AUTO ? nearest(film, output) : codec;
}

enum AVCodecID media_encoder_codec_id(enum media_codec codec)
{
    switch (codec) {
    case MEDIA_CODEC_HEVC:
        return AV_CODEC_ID_HEVC;
    case MEDIA_CODEC_PRORES:
        return AV_CODEC_ID_PRORES;
    case MEDIA_CODEC_VP9:
        return AV_CODEC_ID_VP9;
    case MEDIA_CODEC_AV1:
        return AV_CODEC_ID_AV1;
    case MEDIA_CODEC_FFV1:
        return AV_CODEC_ID_FFV1;
    case MEDIA_CODEC_H264:
    case MEDIA_CODEC_LIKE_SOURCE:
    case MEDIA_CODEC_AUTO:
        break;
    }
    return AV_CODEC_ID_H264;
}

static const char *encoder_name(enum media_codec codec, bool rgb)
{
    switch (codec) {
    case MEDIA_CODEC_HEVC:
        return "libx265";
    case MEDIA_CODEC_PRORES:
        return "prores_ks";
    case MEDIA_CODEC_VP9:
        return "libvpx-vp9";
    case MEDIA_CODEC_AV1:
        return "libaom-av1"; /* SVT-AV1 writes to standard error and has no 4:2:2 and 4:4:4 */
    case MEDIA_CODEC_FFV1:
        return "ffv1";
    case MEDIA_CODEC_H264:
    case MEDIA_CODEC_LIKE_SOURCE:
    case MEDIA_CODEC_AUTO:
        break;
    }
    return rgb ? "libx264rgb" : "libx264";
}

/* H.264 and HEVC crop in whole chroma samples: an odd side needs full chroma along it. */
static bool fits(enum media_codec codec, const struct media_form *form,
                 const struct data_frame *like)
{
    if (codec != MEDIA_CODEC_H264 && codec != MEDIA_CODEC_HEVC)
        return true;
    return !(like->width_px & ((1 << form->chroma_shift_x) - 1)) &&
           !(like->height_px & ((1 << form->chroma_shift_y) - 1));
}

/* RGB and grey streams of the lossy codecs are shown by few players; YUV is shown by all. */
static bool is_usual(enum media_codec codec, bool lossless, const struct media_form *form)
{
    return codec == MEDIA_CODEC_FFV1 || form->layout == DATA_LAYOUT_YUV ||
           (lossless && form->layout == DATA_LAYOUT_RGB);
}

static enum AVPixelFormat choose_format(enum media_codec codec, const struct media_choice *choice,
                                        const struct data_film *film,
                                        const struct data_frame *like)
{
    struct media_form want = media_form_of_frame(like), form;
    enum AVPixelFormat list[FORMATS_MAX + 1], packed = AV_PIX_FMT_NONE;
    int n = 0;
    for (const enum AVPixelFormat *f = choice->codec->pix_fmts; f && *f != AV_PIX_FMT_NONE; f++) {
        const char *name = av_get_pix_fmt_name(*f);
        if (n == FORMATS_MAX || !name || !strncmp(name, "yuvj", 4) ||
            !media_form_of_format(*f, &form) || !fits(codec, &form, like) ||
            !is_usual(codec, choice->lossless, &form))
            continue;
        if (media_format_is_planar(*f)) {
            if (media_form_same(&form, &want))
                return *f;
            list[n++] = *f;
        } else if (media_form_same(&form, &want)) {
            packed = *f; /* the same samples in another order */
        }
    }
    list[n] = AV_PIX_FMT_NONE;
    if (packed != AV_PIX_FMT_NONE)
        return packed;
    /* A photograph is made into a film to be shown: in the form that every player shows. */
    bool photo = film->is_image && want.layout == DATA_LAYOUT_RGB && !choice->lossless &&
                 (codec == MEDIA_CODEC_H264 || codec == MEDIA_CODEC_HEVC);
    struct media_form plain = {.layout = DATA_LAYOUT_YUV, .depth_bits = 8, .chroma_shift_x = 1,
                               .chroma_shift_y = 1};
    if (photo && fits(codec, &plain, like))
        return AV_PIX_FMT_YUV420P;
    if (want.layout == DATA_LAYOUT_GRAY) { /* grey gets colour planes that say nothing */
        plain.depth_bits = want.depth_bits;
        plain.has_alpha = want.has_alpha;
        if (fits(codec, &plain, like))
            want = plain;
    }
    enum AVPixelFormat from = media_format_of_form(&want);
    if (!n || from == AV_PIX_FMT_NONE)
        return AV_PIX_FMT_NONE;
    return avcodec_find_best_pix_fmt_of_list(list, from, want.has_alpha, NULL);
}

static void name_loss(const struct data_frame *like, enum AVPixelFormat format, char *ret_loss,
                      size_t cap)
{
    struct media_form want = media_form_of_frame(like), got;
    media_form_of_format(format, &got);
    bool chroma = want.layout != DATA_LAYOUT_GRAY && got.layout == DATA_LAYOUT_YUV &&
                  (got.chroma_shift_x > want.chroma_shift_x ||
                   got.chroma_shift_y > want.chroma_shift_y);
    bool resampled = want.layout == DATA_LAYOUT_YUV && !chroma &&
                     (got.chroma_shift_x != want.chroma_shift_x ||
                      got.chroma_shift_y != want.chroma_shift_y);
    snprintf(
        ret_loss, cap, "%s%s%s%s%s", want.has_alpha && !got.has_alpha ? ", no transparency" : "",
        got.depth_bits < want.depth_bits ? ", fewer bits per sample" : "",
        chroma ? ", coarser colour" : "", resampled ? ", colour resampled" : "",
        want.layout == DATA_LAYOUT_RGB && got.layout == DATA_LAYOUT_YUV ? ", RGB becomes YUV" : "");
}

int media_encoder_choose(enum media_codec codec, int quality, const struct data_film *film,
                         const struct data_frame *like, struct media_choice *ret_choice,
                         char *ret_loss, size_t cap, struct lip_error *err)
{
    bool lossless = quality >= 100 && codec != MEDIA_CODEC_PRORES;
    bool rgb = lossless && codec == MEDIA_CODEC_H264 && like->layout == DATA_LAYOUT_RGB &&
               like->depth_bits == 8 && !like->has_alpha;
    struct media_choice c = {.lossless = lossless || codec == MEDIA_CODEC_FFV1};
    const char *name = encoder_name(codec, rgb);
    c.codec = avcodec_find_encoder_by_name(name);
    if (!c.codec)
        return base_error_set(err, LIP_ERR_ENCODER, "media/encode",
                              "this FFmpeg has no encoder %s", name);
    c.format = choose_format(codec, &c, film, like);
    if (c.format == AV_PIX_FMT_NONE)
        return base_error_set(err, LIP_ERR_ENCODER, "media/encode",
                              "%s cannot encode a picture of %d x %d pixels of this form", name,
                              like->width_px, like->height_px);
    name_loss(like, c.format, ret_loss, cap);
    *ret_choice = c;
    return LIP_OK;
}
