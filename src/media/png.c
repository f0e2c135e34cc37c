/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/fs.h"
#include "media/av.h"
#include "media/media.h"

static int encode(const uint8_t *rgb, int w, int h, AVCodecContext *enc, AVFrame *f, AVPacket *pkt)
{
    enc->width = f->width = w;
    enc->height = f->height = h;
    enc->pix_fmt = AV_PIX_FMT_RGB24;
    f->format = AV_PIX_FMT_RGB24;
    enc->time_base = (AVRational){1, 25};
    enc->thread_count = 1;
    int av = avcodec_open2(enc, NULL, NULL);
    if (av >= 0)
        av = av_frame_get_buffer(f, 0);
    for (int y = 0; av >= 0 && y < h; y++)
        memcpy(f->data[0] + (ptrdiff_t)y * f->linesize[0], rgb + (size_t)y * (size_t)w * 3,
               (size_t)w * 3);
    if (av >= 0)
        av = avcodec_send_frame(enc, f);
    if (av >= 0)
        av = avcodec_send_frame(enc, NULL);
    return av >= 0 ? avcodec_receive_packet(enc, pkt) : av;
}

int media_png_write(const char *path, const uint8_t *rgb, int width_px, int height_px,
                    struct lip_error *err)
{
    if (!path || !rgb || width_px < 1 || height_px < 1 || width_px > MEDIA_SIDE_MAX_PX ||
        height_px > MEDIA_SIDE_MAX_PX)
        return base_error_arg(err, "media/png", "picture");
    media_av_quiet();
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
    if (!codec)
        return base_error_set(err, LIP_ERR_ENCODER, "media/png", "this FFmpeg cannot write PNG");
    AVCodecContext *enc = avcodec_alloc_context3(codec);
    AVFrame *frame = av_frame_alloc();
    AVPacket *pkt = av_packet_alloc();
    int av = AVERROR(ENOMEM), r;
    if (enc && frame && pkt)
        av = encode(rgb, width_px, height_px, enc, frame, pkt);
    if (av < 0)
        r = media_av_error(err, LIP_ERR_ENCODER, "media/png", av, "cannot make", path);
    else
        r = base_fs_write(path, pkt->data, (size_t)pkt->size, err);
    avcodec_free_context(&enc);
    av_frame_free(&frame);
    av_packet_free(&pkt);
    return r;
}
