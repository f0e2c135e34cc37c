/* SPDX-License-Identifier: MIT
 *
 * Encoder settings. They depend on the film and the wish for quality, never on the machine: threads
 * are fixed by the size of the picture, so that the bytes are the same everywhere. Look-ahead is
 * short on purpose: it is what an encoder's memory goes into (docs/design/media.md has figures). */
#include "media/encoder.h"

#include <libavutil/mastering_display_metadata.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <string.h>

#include "media/av.h"
#include "media/copier.h"
#include "media/join.h"
#include "media/pixels.h"

#define GOP_S 5 /* seconds between key frames */
#define HD_PIXELS (1920 * 1088)

static int thread_count(const struct data_frame *like)
{
    int64_t pixels = (int64_t)like->width_px * like->height_px;
    return pixels <= 640 * 480 ? 2 : pixels <= HD_PIXELS ? 4 : 8;
}

static bool is_large(const struct data_frame *like)
{
    return (int64_t)like->width_px * like->height_px > HD_PIXELS;
}

/* Our quantiser is so many steps finer than the film's own: a third of its step, so that what is
 * added is a tenth of the error which the film's own coding has. */
#define FINER 10

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* The default of a codec: by the film's quantiser where that is known and has this codec's scale,
 * else finer for films that spend many bits. */
static int default_factor(const struct media_encode_params *params, bool same_scale, int usual)
{
    const struct media_level *level = params->level;
    if (!level)
        return usual;
    if (same_scale && level->quantiser >= 0)
        return clamp(level->quantiser - FINER, usual - 6, usual + 4);
    double bits = level->bits_per_pixel;
    return bits > 0.30 ? usual - 4 : bits > 0.12 ? usual - 2 : usual;
}

/* The constant rate factor of a codec whose scale ends at `worst`. */
static double rate_factor(int quality, double by_default, double worst)
{
    return quality ? worst * (1 - quality / 100.0) : by_default;
}

static bool film_is(const struct data_film *film, const char *codec)
{
    return !strcmp(film->codec, codec);
}

static void set_number(AVDictionary **o, const char *key, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%g", value);
    av_dict_set(o, key, text, 0);
}

/* HDR: what the mastering screen could show, in the text form that x264 and x265 share. */
static void hdr_params(const struct data_frame *like, bool x265, char *ret_text, size_t cap)
{
    const AVFrame *av = media_frame_av(like);
    const AVFrameSideData *screen =
        av ? av_frame_get_side_data(av, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA) : NULL;
    const AVFrameSideData *light =
        av ? av_frame_get_side_data(av, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL) : NULL;
    size_t at = 0;
    ret_text[0] = 0;
    if (screen) {
        const AVMasteringDisplayMetadata *m = (const void *)screen->data;
        int p[8];
        for (int i = 0; i < 8; i++) /* R G B as stored, then white; units of 0.00002 */
            p[i] = (int)(av_q2d(i < 6 ? m->display_primaries[i / 2][i % 2]
                                      : m->white_point[i % 2]) * 50000 + 0.5);
        if (m->has_primaries && m->has_luminance)
            at += (size_t)snprintf(ret_text, cap,
                                   ":%s=G(%d,%d)B(%d,%d)R(%d,%d)WP(%d,%d)L(%.0f,%.0f)",
                                   x265 ? "master-display" : "mastering-display", p[2], p[3], p[4],
                                   p[5], p[0], p[1], p[6], p[7], av_q2d(m->max_luminance) * 10000,
                                   av_q2d(m->min_luminance) * 10000);
    }
    if (light && at < cap) {
        const AVContentLightMetadata *l = (const void *)light->data;
        snprintf(ret_text + at, cap - at, ":%s=%u,%u", x265 ? "max-cll" : "cll", l->MaxCLL,
                 l->MaxFALL);
    }
}

static bool is_bottom_first(const struct data_film *film, const struct data_frame *like)
{
    const AVFrame *av = media_frame_av(like);
    return film->interlaced && av && !av->top_field_first;
}

/* x264 codes fields in pairs of macroblocks. */
static bool has_h264_fields(const struct data_film *film, const struct data_frame *like)
{
    return film->interlaced && like->height_px % 4 == 0;
}

static void options_h264(AVDictionary **o, const struct media_encode_params *params, bool lossless,
                         const struct data_film *film, const struct data_frame *like)
{
    bool large = is_large(like);
    char hdr[256], text[384];
    hdr_params(like, false, hdr, sizeof hdr);
    /* Each frame that x264 waits for costs 8 MB at 1080p, 35 MB at 4K: few of them. */
    /* FFmpeg tells x264 the order with the first frame: too late for the stream's head. */
    bool bottom = has_h264_fields(film, like) && is_bottom_first(film, like);
    snprintf(text, sizeof text, "sync-lookahead=0:cpu-independent=1:sps-id=%d:%s%s%s",
             params->beside ? media_copier_free_id(params->beside) : 0, bottom ? "bff=1:" : "",
             large ? "rc-lookahead=4:bframes=2:sliced-threads=1" : "rc-lookahead=6", hdr);
    av_dict_set(o, "preset", large ? "fast" : "medium", 0);
    av_dict_set(o, "x264-params", text, 0);
    if (lossless)
        av_dict_set(o, "qp", "0", 0);
    else
        set_number(o, "crf", rate_factor(params->quality,
                                         default_factor(params, film_is(film, "h264"), 16), 51));
}

static void options_hevc(AVDictionary **o, const struct media_encode_params *params, bool lossless,
                         const struct data_frame *like)
{
    bool large = is_large(like);
    char hdr[256], text[512];
    hdr_params(like, true, hdr, sizeof hdr);
    /* Also here a frame in waiting is what memory goes into; x265 alone takes 0.3 GB at 1080p. */
    snprintf(text, sizeof text,
             "log-level=none:frame-threads=1:pools=%d:lookahead-slices=0:open-gop=0:bframes=3:"
             "%s%s%s",
             thread_count(like), large ? "rc-lookahead=5:ref=2" : "rc-lookahead=6",
             lossless ? ":lossless=1" : "", hdr);
    av_dict_set(o, "preset", "fast", 0);
    av_dict_set(o, "x265-params", text, 0);
    if (!lossless)
        set_number(o, "crf", rate_factor(params->quality, default_factor(params, false, 18), 51));
}

static void options_vpx(AVDictionary **o, const struct media_encode_params *params,
                        const struct media_choice *choice, const struct data_film *film,
                        const struct data_frame *like)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(choice->format);
    if (choice->lossless)
        av_dict_set(o, "lossless", "1", 0);
    else
        set_number(o, "crf", rate_factor(params->quality,
                                         default_factor(params, film_is(film, "vp9"), 18), 63));
    av_dict_set(o, "b", "0", 0);
    av_dict_set(o, "deadline", "good", 0);
    av_dict_set(o, "cpu-used", "3", 0);
    av_dict_set(o, "row-mt", "0", 0); /* tiles alone: the same bytes in every run */
    av_dict_set(o, "lag-in-frames", is_large(like) ? "5" : "12", 0);
    av_dict_set(o, "tile-columns", like->width_px >= 1024 ? "2" : "0", 0);
    if (d && d->flags & AV_PIX_FMT_FLAG_ALPHA)
        av_dict_set(o, "auto-alt-ref", "0", 0); /* the two streams would drift apart */
}

static void options_aom(AVDictionary **o, const struct media_encode_params *params, bool lossless,
                        const struct data_frame *like)
{
    if (lossless) {
        av_dict_set(o, "aom-params", "lossless=1", 0);
        av_dict_set(o, "crf", "0", 0);
    } else
        set_number(o, "crf", (int)(rate_factor(params->quality, default_factor(params, false, 18),
                                               63) + 0.5));
    av_dict_set(o, "b", "0", 0);
    av_dict_set(o, "cpu-used", "6", 0);
    av_dict_set(o, "lag-in-frames", is_large(like) ? "5" : "12", 0);
    av_dict_set(o, "row-mt", "1", 0);
}

static void options_prores(AVDictionary **o, const struct media_encode_params *params,
                           const struct media_choice *choice)
{
    bool full = choice->format != AV_PIX_FMT_YUV422P10;
    int quality = params->quality, own = params->level ? params->level->prores_profile : -1;
    int profile = !quality || quality >= 75 ? 3 : quality >= 50 ? 2 : quality >= 25 ? 1 : 0;
    if (full)
        profile = quality == 100 ? 5 : 4;
    if (!quality && own >= 0 && (own >= 4) == full)
        profile = own;
    set_number(o, "profile", profile);
    av_dict_set(o, "vendor", "apl0", 0);
    if (choice->format == AV_PIX_FMT_YUVA444P10)
        av_dict_set(o, "alpha_bits", "16", 0);
}

static void options_ffv1(AVDictionary **o, const struct data_frame *like)
{
    av_dict_set(o, "level", "3", 0);
    av_dict_set(o, "slicecrc", "1", 0);
    /* FFmpeg refuses slices whose borders would cut a chroma sample: it chooses by itself then */
    bool odd = (like->chroma_shift_x && like->width_px % 16) ||
               (like->chroma_shift_y && like->height_px % 16);
    if (!odd)
        av_dict_set(o, "slices", like->width_px >= 640 && like->height_px >= 360 ? "16" : "4", 0);
}

static void set_options(AVDictionary **o, enum media_codec codec,
                        const struct media_encode_params *params,
                        const struct media_choice *choice, const struct data_film *film,
                        const struct data_frame *like)
{
    switch (codec) {
    case MEDIA_CODEC_HEVC:
        options_hevc(o, params, choice->lossless, like);
        return;
    case MEDIA_CODEC_PRORES:
        options_prores(o, params, choice);
        return;
    case MEDIA_CODEC_VP9:
        options_vpx(o, params, choice, film, like);
        return;
    case MEDIA_CODEC_AV1:
        options_aom(o, params, choice->lossless, like);
        return;
    case MEDIA_CODEC_FFV1:
        options_ffv1(o, like);
        return;
    case MEDIA_CODEC_H264:
    case MEDIA_CODEC_LIKE_SOURCE:
    case MEDIA_CODEC_AUTO:
        options_h264(o, params, choice->lossless, film, like);
    }
}

static void set_colour(AVCodecContext *enc, const struct data_frame *like)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(enc->pix_fmt);
    const AVFrame *av = media_frame_av(like);
    bool rgb_out = d && d->flags & AV_PIX_FMT_FLAG_RGB;
    enc->color_primaries = like->colour.primaries;
    enc->color_trc = like->colour.transfer;
    enc->colorspace = like->colour.matrix;
    enc->chroma_sample_location = like->colour.chroma_location;
    enc->color_range = like->colour.full_range ? AVCOL_RANGE_JPEG
                       : av ? av->color_range /* "not said" stays so */
                            : AVCOL_RANGE_MPEG;
    if (rgb_out)
        enc->colorspace = AVCOL_SPC_RGB;
    else if (like->layout == DATA_LAYOUT_RGB) { /* as export.c converts */
        enc->colorspace = AVCOL_SPC_BT709;
        enc->color_range = AVCOL_RANGE_MPEG;
        enc->chroma_sample_location = AVCHROMA_LOC_LEFT;
    } else if (enc->colorspace == AVCOL_SPC_RGB)
        enc->colorspace = AVCOL_SPC_UNSPECIFIED;
}

static void set_fields(AVCodecContext *enc, enum media_codec codec, const struct data_film *film,
                       const struct data_frame *like)
{
    enc->field_order = AV_FIELD_PROGRESSIVE;
    if (!film->interlaced)
        return;
    enc->field_order = is_bottom_first(film, like) ? AV_FIELD_BB : AV_FIELD_TT;
    if (codec == MEDIA_CODEC_PRORES ||
        (codec == MEDIA_CODEC_H264 && has_h264_fields(film, like)))
        enc->flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
}

AVRational media_encoder_rate(const struct data_film *film)
{
    AVRational rate = {(int)film->frame_rate.num, (int)film->frame_rate.den};
    return rate.num > 0 && rate.den > 0 ? rate : (AVRational){25, 1};
}

static void set_basics(AVCodecContext *enc, enum media_codec codec, const struct data_film *film,
                       const struct data_frame *like)
{
    enc->width = like->width_px;
    enc->height = like->height_px;
    enc->time_base = (AVRational){(int)film->time_base.num, (int)film->time_base.den};
    enc->framerate = media_encoder_rate(film);
    enc->sample_aspect_ratio =
        (AVRational){(int)film->sample_aspect.num, (int)film->sample_aspect.den};
    enc->thread_count = thread_count(like);
    enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER; /* parts are joined: headers stand in one place */
    enc->gop_size = codec == MEDIA_CODEC_FFV1 ? 1 : (int)(av_q2d(enc->framerate) * GOP_S + 0.5);
    if (enc->gop_size < 1)
        enc->gop_size = 1;
    set_fields(enc, codec, film, like);
    set_colour(enc, like);
}

/* AVI stores no presentation times, NUT no decoding times: both begin late with B-frames. */
static bool wants_order(const char *output)
{
    enum media_container c = output ? media_container_of(output) : MEDIA_CONTAINERS;
    return c == MEDIA_AVI || c == MEDIA_NUT;
}

int media_encoder_open(const struct media_choice *choice, enum media_codec codec,
                       const struct media_encode_params *params,
                       const struct data_film *film, const struct data_frame *like,
                       AVCodecContext **ret_encoder, struct lip_error *err)
{
    media_av_quiet();
    AVCodecContext *enc = avcodec_alloc_context3(choice->codec);
    if (!enc)
        return base_error_nomem(err, "media/encode");
    AVDictionary *options = NULL;
    enc->pix_fmt = choice->format;
    set_basics(enc, codec, film, like);
    set_options(&options, codec, params, choice, film, like);
    if (wants_order(params->output))
        enc->max_b_frames = 0;
    int av = avcodec_open2(enc, choice->codec, &options);
    av_dict_free(&options);
    if (av < 0) {
        avcodec_free_context(&enc);
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/encode");
        return base_error_set(err, LIP_ERR_ENCODER, "media/encode",
                              "the encoder %s refuses %d x %d pixels of %s: %s",
                              choice->codec->name, like->width_px, like->height_px,
                              av_get_pix_fmt_name(choice->format), media_av_text(av).s);
    }
    *ret_encoder = enc;
    return LIP_OK;
}
