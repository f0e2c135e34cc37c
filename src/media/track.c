/* SPDX-License-Identifier: MIT
 *
 * Decoders give pieces with time stamps; time stamps are rounded (to 1 ms in Matroska), may leave
 * gaps and may overlap. The count of samples is the clock here: a piece that is off by less than
 * GAP_US is put where the count says, else silence is put in or samples are left out. Encoder delay
 * and padding are cut by FFmpeg's decoding layer (skip samples) before they come here. */
#include "media/track.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "base/alloc.h"
#include "media/media.h"

#define GAP_US 30000
#define CHANNELS_MAX 64
#define RATE_MAX_HZ 1000000
#define SILENCE_SAMPLES 8192                /* made at once */
#define PADDING_MAX 8192                    /* samples of a packet; more is a wrong promise */
#define SAMPLES_MAX ((int64_t)1 << 40)      /* a time stamp beyond is damage, not a gap */
#define GAP_MAX_S (24 * 3600)

struct media_track {
    struct media_track_info info;
    char *path;
    struct media_input in;
    AVCodecContext *dec;
    AVPacket *pkt;
    AVFrame *raw;     /* decoded, form of the file */
    SwrContext *swr;  /* to planar float in the form of the first piece */
    int swr_format, swr_rate;
    AVChannelLayout swr_layout;
    AVFrame *piece;   /* planar float, waits for the silence before it */
    int64_t n_out;    /* samples given out */
    int64_t n_silence; /* to be given before `piece` */
    int64_t n_damaged;
    int64_t end;      /* samples, where the container says that the track ends; 0 unknown */
    bool at_end, placed;
};

/* Decodes the next piece into t->raw. */
static int decode(struct media_track *t, struct lip_error *err)
{
    for (;;) {
        int av = avcodec_receive_frame(t->dec, t->raw);
        if (av >= 0 && (t->raw->nb_samples <= 0 || t->raw->sample_rate <= 0))
            continue;
        if (av >= 0)
            return 1;
        if (av == AVERROR_EOF)
            return 0;
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/audio");
        if (av != AVERROR(EAGAIN))
            t->n_damaged++;
        int got = media_input_packet(&t->in, t->info.stream, t->pkt, &t->n_damaged, err);
        if (got < 0)
            return got;
        av = avcodec_send_packet(t->dec, got ? t->pkt : NULL);
        av_packet_unref(t->pkt);
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/audio");
        if (av < 0 && av != AVERROR_EOF)
            t->n_damaged++;
    }
}

static int open_swr(struct media_track *t, struct lip_error *err)
{
    AVChannelLayout from = {0};
    int av = 0;
    if (t->raw->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC || !t->raw->ch_layout.nb_channels)
        av_channel_layout_default(&from, t->raw->ch_layout.nb_channels);
    else
        av = av_channel_layout_copy(&from, &t->raw->ch_layout);
    if (av >= 0) {
        swr_free(&t->swr);
        av = swr_alloc_set_opts2(&t->swr, &t->info.layout, AV_SAMPLE_FMT_FLTP, t->info.rate_hz,
                                 &from, t->raw->format, t->raw->sample_rate, 0, NULL);
    }
    if (av >= 0)
        av = swr_init(t->swr);
    av_channel_layout_uninit(&from);
    if (av >= 0) {
        t->swr_format = t->raw->format;
        t->swr_rate = t->raw->sample_rate;
        av_channel_layout_uninit(&t->swr_layout);
        av = av_channel_layout_copy(&t->swr_layout, &t->raw->ch_layout);
    }
    if (av >= 0)
        return LIP_OK;
    return media_av_error(err, LIP_ERR_UNSUPPORTED, "media/audio", av, "cannot read the sound of",
                          t->path);
}

/* t->raw to planar float in t->piece; keeps the time stamp. */
static int to_float(struct media_track *t, struct lip_error *err)
{
    if (!t->swr || t->swr_format != t->raw->format || t->swr_rate != t->raw->sample_rate ||
        av_channel_layout_compare(&t->swr_layout, &t->raw->ch_layout)) {
        int r = open_swr(t, err);
        if (r)
            return r;
    }
    av_frame_unref(t->piece);
    t->piece->format = AV_SAMPLE_FMT_FLTP;
    t->piece->sample_rate = t->info.rate_hz;
    t->piece->nb_samples = swr_get_out_samples(t->swr, t->raw->nb_samples);
    int av = av_channel_layout_copy(&t->piece->ch_layout, &t->info.layout);
    if (av >= 0)
        av = av_frame_get_buffer(t->piece, 0);
    if (av >= 0)
        av = swr_convert(t->swr, t->piece->extended_data, t->piece->nb_samples,
                         (const uint8_t **)t->raw->extended_data, t->raw->nb_samples);
    if (av < 0)
        return base_error_nomem(err, "media/audio");
    t->piece->nb_samples = av;
    t->piece->pts = t->raw->best_effort_timestamp;
    av_frame_unref(t->raw);
    return LIP_OK;
}

static void drop_head(AVFrame *f, int64_t n)
{
    n = n < f->nb_samples ? n : f->nb_samples;
    for (int c = 0; c < f->ch_layout.nb_channels; c++)
        f->extended_data[c] += n * (int64_t)sizeof(float);
    for (int c = 0; c < f->ch_layout.nb_channels && c < AV_NUM_DATA_POINTERS; c++)
        f->data[c] = f->extended_data[c];
    f->nb_samples -= (int)n;
}

/* Where the piece begins, counted in samples from time 0. */
static int64_t place_of(const struct media_track *t, const AVFrame *f)
{
    if (f->pts == AV_NOPTS_VALUE)
        return t->n_out;
    AVRational per_sample = {1, t->info.rate_hz};
    int64_t at = av_rescale_q(f->pts, t->info.time_base, per_sample) -
                 av_rescale(t->info.origin_us, t->info.rate_hz, AV_TIME_BASE);
    return at > SAMPLES_MAX || at < -SAMPLES_MAX ? t->n_out : at;
}

/* Puts the next piece in its place: sets n_silence, cuts overlaps. Called with n_silence 0. */
static int next_piece(struct media_track *t, struct lip_error *err)
{
    int r = to_float(t, err);
    if (r)
        return r;
    int64_t off = place_of(t, t->piece) - t->n_out;
    int64_t gap = av_rescale(GAP_US, t->info.rate_hz, AV_TIME_BASE);
    bool first = !t->n_out; /* nothing given yet: the place of the first sample is exact */
    if (!t->placed)
        t->info.first_at = off;
    t->placed = true;
    if (off > gap || (first && off > 0))
        t->n_silence = off < (int64_t)GAP_MAX_S * t->info.rate_hz ? off : 0;
    else if (off < -gap || (first && off < 0))
        drop_head(t->piece, -off);
    return LIP_OK;
}

static int silence(struct media_track *t, AVFrame *frame, struct lip_error *err)
{
    frame->format = AV_SAMPLE_FMT_FLTP;
    frame->sample_rate = t->info.rate_hz;
    frame->nb_samples = (int)(t->n_silence < SILENCE_SAMPLES ? t->n_silence : SILENCE_SAMPLES);
    if (av_channel_layout_copy(&frame->ch_layout, &t->info.layout) < 0 ||
        av_frame_get_buffer(frame, 0) < 0)
        return base_error_nomem(err, "media/audio");
    av_samples_set_silence(frame->extended_data, 0, frame->nb_samples, t->info.n_channels,
                           AV_SAMPLE_FMT_FLTP);
    t->n_silence -= frame->nb_samples;
    return 1;
}

int media_track_read(struct media_track *t, AVFrame *frame, struct lip_error *err)
{
    av_frame_unref(frame);
    int got = 1;
    while (!t->n_silence && !t->piece->nb_samples) {
        got = t->at_end ? 0 : t->raw->buf[0] ? 1 : decode(t, err);
        t->at_end = !got;
        if (got <= 0)
            return got;
        int r = next_piece(t, err);
        if (r)
            return r;
    }
    if (t->n_silence)
        got = silence(t, frame, err);
    else {
        av_frame_move_ref(frame, t->piece);
        t->piece->nb_samples = 0;
    }
    if (got < 0)
        return got;
    int64_t over = t->end ? t->n_out + frame->nb_samples - t->end : 0;
    if (over > 0 && over < PADDING_MAX) { /* the rest of the last packet */
        frame->nb_samples = (int)(t->end > t->n_out ? t->end - t->n_out : 0);
        t->at_end = true;
        t->n_silence = 0;
    }
    frame->pts = t->n_out;
    t->n_out += frame->nb_samples;
    return frame->nb_samples ? 1 : 0;
}

/* Opening -------------------------------------------------------------------------------------- */

/* For a film, time 0 is its first picture; exactly, so that picture is decoded. */
static int find_origin(struct media_track *t, const AVFrame *first, struct lip_error *err)
{
    int video = media_input_stream(&t->in, AVMEDIA_TYPE_VIDEO);
    if (video < 0) {
        if (first->best_effort_timestamp != AV_NOPTS_VALUE)
            t->info.origin_us = av_rescale_q(first->best_effort_timestamp, t->info.time_base,
                                             AV_TIME_BASE_Q);
        return LIP_OK;
    }
    struct media_source *film = NULL;
    struct media_source_params params = {.n_threads = 1};
    int r = media_source_open(t->path, &params, &film, NULL);
    if (r == LIP_ERR_NOMEM || r == LIP_ERR_IO)
        return base_error_set(err, r, "media/audio", "cannot read '%s'", t->path);
    if (!r) {
        const struct data_film *f = media_source_film(film);
        AVRational tb = {(int)f->time_base.num, (int)f->time_base.den};
        t->info.origin_us = av_rescale_q(f->start_pts, tb, AV_TIME_BASE_Q);
    } else if (t->in.fmt->streams[video]->start_time != AV_NOPTS_VALUE) {
        const AVStream *st = t->in.fmt->streams[video];
        t->info.origin_us = av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q);
    }
    media_source_close(&film);
    return LIP_OK;
}

/* Learns rate and channels from the first decoded piece, which stays in t->raw. */
static int learn_form(struct media_track *t, struct lip_error *err)
{
    int got = decode(t, err);
    if (got <= 0)
        return got < 0 ? got
                       : base_error_set(err, LIP_ERR_NO_AUDIO, "media/audio",
                                        "not one sound of '%s' can be decoded", t->path);
    int n = t->raw->ch_layout.nb_channels;
    if (n < 1 || n > CHANNELS_MAX || t->raw->sample_rate > RATE_MAX_HZ)
        return base_error_set(err, LIP_ERR_LIMIT, "media/audio",
                              "the sound of '%s' has %d channels at %d Hz, more than is read",
                              t->path, n, t->raw->sample_rate);
    t->info.rate_hz = t->raw->sample_rate;
    t->info.n_channels = n;
    if (t->raw->ch_layout.order == AV_CHANNEL_ORDER_NATIVE)
        av_channel_layout_copy(&t->info.layout, &t->raw->ch_layout);
    else
        av_channel_layout_default(&t->info.layout, n);
    return find_origin(t, t->raw, err);
}

/* mp4 and mov say to the sample where the track ends; FFmpeg gives the last packet whole. */
static int64_t promised_end(const struct media_track *t, const AVStream *st)
{
    if (!strstr(t->in.fmt->iformat->name, "mp4") || st->duration <= 0 ||
        st->start_time == AV_NOPTS_VALUE)
        return 0;
    int64_t end = av_rescale_q(st->start_time + st->duration, st->time_base,
                               (AVRational){1, t->info.rate_hz}) -
                  av_rescale(t->info.origin_us, t->info.rate_hz, AV_TIME_BASE);
    return end > 0 ? end : 0;
}

static int open_track(struct media_track *t, struct lip_error *err)
{
    int r = media_input_open(t->path, &t->in, err);
    if (r)
        return r;
    t->info.stream = media_input_stream(&t->in, AVMEDIA_TYPE_AUDIO);
    if (t->info.stream < 0)
        return base_error_set(err, LIP_ERR_NO_AUDIO, "media/audio", "'%s' has no sound in it",
                              t->path);
    for (unsigned i = 0; i < t->in.fmt->nb_streams; i++)
        if ((int)i != t->info.stream)
            t->in.fmt->streams[i]->discard = AVDISCARD_ALL;
    const AVStream *st = t->in.fmt->streams[t->info.stream];
    t->info.par = st->codecpar;
    t->info.metadata = st->metadata;
    t->info.time_base = st->time_base;
    t->pkt = av_packet_alloc();
    t->raw = av_frame_alloc();
    t->piece = av_frame_alloc();
    if (!t->pkt || !t->raw || !t->piece)
        return base_error_nomem(err, "media/audio");
    r = media_decoder_open(st, 1, t->path, &t->dec, err);
    if (!r)
        r = learn_form(t, err);
    if (!r)
        t->end = promised_end(t, st);
    return r;
}

int media_track_open(const char *path, struct media_track **ret_track, struct lip_error *err)
{
    struct media_track *t = base_alloc_zero(sizeof *t);
    if (!t)
        return base_error_nomem(err, "media/audio");
    t->path = base_strdup(path);
    int r = t->path ? open_track(t, err) : base_error_nomem(err, "media/audio");
    if (r) {
        media_track_close(&t);
        return r;
    }
    *ret_track = t;
    return LIP_OK;
}

void media_track_close(struct media_track **track)
{
    if (!track || !*track)
        return;
    struct media_track *t = *track;
    avcodec_free_context(&t->dec);
    av_packet_free(&t->pkt);
    av_frame_free(&t->raw);
    av_frame_free(&t->piece);
    swr_free(&t->swr);
    av_channel_layout_uninit(&t->swr_layout);
    av_channel_layout_uninit(&t->info.layout);
    media_input_close(&t->in);
    base_free(t->path);
    base_free(t);
    *track = NULL;
}

const struct media_track_info *media_track_info(const struct media_track *track)
{
    return &track->info;
}
