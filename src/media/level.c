/* SPDX-License-Identifier: MIT
 *
 * How well a film is coded: what the default quality goes by. */
#include <libavutil/video_enc_params.h>

#include "media/av.h"
#include "media/media.h"

#define PLACES 3
#define PICTURES 12 /* in each place */

struct look {
    struct media_input in;
    int stream;
    AVCodecContext *dec;
    AVPacket *pkt;
    AVFrame *frame;
    int mean[PLACES * PICTURES]; /* of the quantisers of a picture */
    int n;
};

/* The mean over a picture, -1 where the decoder does not tell. VP9 counts to 255, its CRF to 63. */
static int quantiser_of(const AVFrame *frame)
{
    const AVFrameSideData *sd = av_frame_get_side_data(frame, AV_FRAME_DATA_VIDEO_ENC_PARAMS);
    if (!sd)
        return -1;
    AVVideoEncParams *p = (AVVideoEncParams *)(void *)sd->data;
    double sum = 0, area = 0;
    for (unsigned i = 0; i < p->nb_blocks; i++) {
        const AVVideoBlockParams *b = av_video_enc_params_block(p, i);
        sum += (double)b->delta_qp * b->w * b->h;
        area += (double)b->w * b->h;
    }
    double q = p->qp + (area > 0 ? sum / area : 0);
    if (p->type == AV_VIDEO_ENC_PARAMS_VP9)
        q /= 4;
    else if (p->type != AV_VIDEO_ENC_PARAMS_H264)
        return -1;
    return q < 0 ? 0 : (int)(q + 0.5);
}

/* Some pictures from here on. What is damaged is passed over: it was told of in the first look. */
static void look_at_some(struct look *l)
{
    int64_t n_damaged = 0;
    for (int n = 0; n < PICTURES;) {
        int av = avcodec_receive_frame(l->dec, l->frame);
        if (av >= 0) {
            int q = quantiser_of(l->frame);
            if (q >= 0)
                l->mean[l->n++] = q;
            n++;
            av_frame_unref(l->frame);
            continue;
        }
        if (av != AVERROR(EAGAIN) ||
            media_input_packet(&l->in, l->stream, l->pkt, &n_damaged, NULL) != 1)
            return;
        avcodec_send_packet(l->dec, l->pkt);
        av_packet_unref(l->pkt);
    }
}

static int median(int *v, int n)
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && v[k] < v[k - 1]; k--) {
            int t = v[k];
            v[k] = v[k - 1];
            v[k - 1] = t;
        }
    return n ? v[n / 2] : -1;
}

static void look_around(struct look *l)
{
    const AVStream *st = l->in.fmt->streams[l->stream];
    int64_t length = l->in.fmt->duration > 0 ? l->in.fmt->duration : 0;
    l->dec->export_side_data |= AV_CODEC_EXPORT_DATA_VIDEO_ENC_PARAMS;
    for (int i = 0; i < PLACES; i++) {
        int64_t at_us = length * (2 * i + 1) / (2 * PLACES);
        int64_t at = av_rescale_q(at_us, AV_TIME_BASE_Q, st->time_base);
        int64_t start = st->start_time != AV_NOPTS_VALUE ? st->start_time : 0;
        avcodec_flush_buffers(l->dec);
        if (i && (!length || av_seek_frame(l->in.fmt, l->stream, start + at,
                                           AVSEEK_FLAG_BACKWARD) < 0))
            return;
        look_at_some(l);
    }
}

static int prores_profile(const AVCodecParameters *par)
{
    static const char tags[][5] = {"apco", "apcs", "apcn", "apch", "ap4h", "ap4x"};
    for (int i = 0; par->codec_id == AV_CODEC_ID_PRORES && i < 6; i++)
        if (par->codec_tag == MKTAG(tags[i][0], tags[i][1], tags[i][2], tags[i][3]))
            return i;
    return -1;
}

static double bits_per_pixel(const AVFormatContext *fmt, const AVStream *st)
{
    double rate_hz = st->avg_frame_rate.num > 0 ? av_q2d(st->avg_frame_rate) : 25;
    double bits = st->codecpar->bit_rate > 0 ? (double)st->codecpar->bit_rate
                                             : (double)fmt->bit_rate; /* with the sound */
    double pixels = (double)st->codecpar->width * st->codecpar->height * rate_hz;
    return pixels > 0 && bits > 0 ? bits / pixels : 0;
}

int media_level_read(const char *path, struct media_level *ret_level, struct lip_error *err)
{
    struct look l = {.stream = -1};
    *ret_level = (struct media_level){-1, -1, 0};
    struct lip_error quiet = {0};
    int r = media_input_open(path, &l.in, &quiet); /* drawn films have no file */
    if (!r)
        l.stream = media_input_stream(&l.in, AVMEDIA_TYPE_VIDEO);
    l.pkt = av_packet_alloc();
    l.frame = av_frame_alloc();
    if (!l.pkt || !l.frame)
        r = LIP_ERR_NOMEM;
    if (!r && l.stream >= 0 && !media_input_is_image(&l.in)) {
        const AVStream *st = l.in.fmt->streams[l.stream];
        enum AVCodecID id = st->codecpar->codec_id;
        ret_level->prores_profile = prores_profile(st->codecpar);
        ret_level->bits_per_pixel = bits_per_pixel(l.in.fmt, st);
        if ((id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_VP9) &&
            !media_decoder_open(st, 1, path, &l.dec, &quiet)) {
            look_around(&l);
            ret_level->quantiser = median(l.mean, l.n);
        }
    }
    avcodec_free_context(&l.dec);
    av_packet_free(&l.pkt);
    av_frame_free(&l.frame);
    media_input_close(&l.in);
    bool no_memory = r == LIP_ERR_NOMEM || quiet.code == LIP_ERR_NOMEM;
    return no_memory ? base_error_nomem(err, "media/level") : LIP_OK;
}
