/* SPDX-License-Identifier: MIT
 *
 * The voice goes out untouched where the container takes its codec and its length is right;
 * else it is coded anew at its own rate and channels, padded or cut to the sample. */
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "base/alloc.h"
#include "media/join.h"
#include "media/splice.h"
#include "media/track.h"

#define PIECE_SAMPLES 1024 /* of codecs without a frame size of their own */

struct media_voice {
    struct media_mux *mux;
    int stream;
    struct media_track *track; /* coding anew; while opening also for copying */
    struct media_splice *splice; /* coding anew from pieces: then `track` only gives the form */
    const char *path;            /* of the track */
    struct media_track_info info;

    /* copying */
    struct media_input in;
    int64_t last_at, next_at, end; /* in samples */
    bool counted;      /* next_at is exact */

    /* coding anew */
    AVCodecContext *enc;
    SwrContext *swr;
    AVAudioFifo *fifo;
    AVFrame *frame, *piece;
    int64_t n_left;    /* samples that the encoder has still to get */
    int64_t n_sent;
    int64_t shift;     /* added to the times of packets, in samples: see codec_delay */
    bool track_ended, flushed;
};

/* Which codec ---------------------------------------------------------------------------------- */

static bool is_lossless(const AVCodecParameters *par)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(par->codec_id);
    return d && d->props & AV_CODEC_PROP_LOSSLESS && !(d->props & AV_CODEC_PROP_LOSSY);
}

static bool is_pcm(const AVCodecParameters *par)
{
    return av_get_exact_bits_per_sample(par->codec_id) > 0;
}

/* What keeps its start and end to the sample in this container, tried with FFmpeg 5.1: codecs with
 * encoder delay need an edit list (mp4, mov) or a codec delay (Opus in Matroska). */
static bool keeps_time(enum media_container container, const AVCodecParameters *par)
{
    enum AVCodecID id = par->codec_id;
    switch (container) {
    case MEDIA_MP4: /* FLAC: FFmpeg 5.1 calls it experimental and few players read it */
        return id == AV_CODEC_ID_AAC || id == AV_CODEC_ID_MP3 || id == AV_CODEC_ID_AC3 ||
               id == AV_CODEC_ID_EAC3 || id == AV_CODEC_ID_OPUS || id == AV_CODEC_ID_ALAC;
    case MEDIA_MOV:
        return id == AV_CODEC_ID_AAC || id == AV_CODEC_ID_MP3 || id == AV_CODEC_ID_AC3 ||
               id == AV_CODEC_ID_ALAC || is_pcm(par);
    case MEDIA_MKV:
        return id == AV_CODEC_ID_FLAC || id == AV_CODEC_ID_OPUS || id == AV_CODEC_ID_VORBIS ||
               id == AV_CODEC_ID_AC3 || is_pcm(par);
    case MEDIA_WEBM:
        return id == AV_CODEC_ID_OPUS || id == AV_CODEC_ID_VORBIS;
    case MEDIA_AVI:
    case MEDIA_NUT:
        return is_pcm(par);
    case MEDIA_CONTAINERS:
        break;
    }
    return false;
}

static enum AVCodecID new_codec(enum media_container container, const AVCodecParameters *par)
{
    bool deep = par->bits_per_raw_sample > 16 || av_get_exact_bits_per_sample(par->codec_id) > 16;
    enum AVCodecID pcm =
        is_lossless(par) && deep ? AV_CODEC_ID_PCM_S24LE : AV_CODEC_ID_PCM_S16LE;
    switch (container) {
    case MEDIA_MOV:
        return is_lossless(par) ? pcm : AV_CODEC_ID_AAC;
    case MEDIA_MKV:
        return AV_CODEC_ID_FLAC;
    case MEDIA_WEBM:
        return AV_CODEC_ID_OPUS;
    case MEDIA_AVI:
    case MEDIA_NUT:
        return pcm;
    case MEDIA_MP4:
    case MEDIA_CONTAINERS:
        break;
    }
    return AV_CODEC_ID_AAC;
}

/* Matroska writes how long Opus needs to warm up, and players subtract it: times include it
 * there. */
static int64_t codec_delay(const struct media_voice *v, const AVCodecParameters *par)
{
    bool mkv = v->mux->container == MEDIA_MKV || v->mux->container == MEDIA_WEBM;
    return mkv && par->codec_id == AV_CODEC_ID_OPUS ? par->initial_padding : 0;
}

/* Copying -------------------------------------------------------------------------------------- */

/* Half a frame of the codec: what no ear and no player notices. */
static int64_t tolerance(const struct media_track_info *info)
{
    if (is_lossless(info->par) || is_pcm(info->par))
        return 1; /* cut and padded without loss: no reason to be generous */
    int n = info->par->frame_size > 0 ? info->par->frame_size : 1024;
    return n / 2;
}

static bool can_copy(const struct media_voice *v, int64_t n_has, int64_t n_wants)
{
    const struct media_track_info *info = &v->info;
    int64_t off = n_has > n_wants ? n_has - n_wants : n_wants - n_has;
    int64_t early = av_rescale(info->rate_hz, 1, 1000); /* 1 ms: time stamps may be rounded to it */
    return off <= tolerance(info) && info->first_at >= -early &&
           keeps_time(v->mux->container, info->par) &&
           avformat_query_codec(v->mux->out->oformat, info->par->codec_id,
                                FF_COMPLIANCE_NORMAL) == 1;
}

static int open_copy(struct media_voice *v, int64_t n_wants, struct lip_error *err)
{
    int r = media_input_open(v->path, &v->in, err);
    if (r)
        return r;
    for (unsigned i = 0; i < v->in.fmt->nb_streams; i++)
        if ((int)i != v->info.stream)
            v->in.fmt->streams[i]->discard = AVDISCARD_ALL;
    const AVStream *from = v->in.fmt->streams[v->info.stream];
    AVStream *st = avformat_new_stream(v->mux->out, NULL);
    if (!st || avcodec_parameters_copy(st->codecpar, from->codecpar) < 0 ||
        media_metadata_copy(&st->metadata, from->metadata) < 0)
        return base_error_nomem(err, "media/join");
    unsigned tag = 0;
    const struct AVCodecTag *const *tags = v->mux->out->oformat->codec_tag;
    if (tags && av_codec_get_id(tags, st->codecpar->codec_tag) != st->codecpar->codec_id &&
        av_codec_get_tag2(tags, st->codecpar->codec_id, &tag))
        st->codecpar->codec_tag = 0;
    st->time_base = (AVRational){1, v->info.rate_hz};
    v->stream = st->index;
    v->end = n_wants;
    v->next_at = INT64_MIN;
    v->shift = codec_delay(v, st->codecpar);
    return LIP_OK;
}

/* Where a packet lies, in samples. Containers that count milliseconds are off by a little: then the
 * count of samples so far is the truth (and at the start, the known delay of the codec). */
static int64_t place_packet(struct media_voice *v, const AVPacket *pkt)
{
    const AVStream *st = v->in.fmt->streams[v->info.stream];
    AVRational per_sample = {1, v->info.rate_hz};
    int64_t close = v->info.rate_hz / 500;
    bool first = v->next_at == INT64_MIN;
    int64_t expected = first ? -(int64_t)st->codecpar->initial_padding : v->next_at;
    int64_t stamp = pkt->pts != AV_NOPTS_VALUE ? pkt->pts : pkt->dts;
    if (stamp == AV_NOPTS_VALUE)
        return first ? 0 : expected;
    int64_t at = av_rescale_q(stamp, st->time_base, per_sample) -
                 av_rescale(v->info.origin_us, v->info.rate_hz, AV_TIME_BASE);
    bool known = first ? st->codecpar->initial_padding > 0 : v->counted;
    bool fits = known && at - expected < close && expected - at < close;
    if (!first && !fits && at <= v->last_at)
        at = v->last_at + 1;
    return fits ? expected : at;
}

static int next_copied(struct media_voice *v, AVPacket *pkt, struct lip_error *err)
{
    int64_t n_damaged = 0;
    int got = media_input_packet(&v->in, v->info.stream, pkt, &n_damaged, err);
    if (got <= 0)
        return got;
    AVStream *st = v->in.fmt->streams[v->info.stream];
    AVRational per_sample = {1, v->info.rate_hz};
    int64_t at = place_packet(v, pkt);
    int64_t n = av_get_audio_frame_duration2(st->codecpar, pkt->size);
    v->counted = n > 0; /* of Vorbis, packets do not tell */
    if (n <= 0)
        n = pkt->duration > 0 ? av_rescale_q(pkt->duration, st->time_base, per_sample) : 1;
    v->last_at = at;
    v->next_at = at + n;
    if (at + n > v->end && at < v->end)
        n = v->end - at; /* the last one: its padding is not played */
    pkt->pts = pkt->dts = at + v->shift;
    pkt->duration = n;
    pkt->stream_index = v->stream;
    pkt->time_base = per_sample;
    pkt->pos = -1;
    return 1;
}

/* Coding anew ---------------------------------------------------------------------------------- */

static int nearest_rate(const AVCodec *codec, int rate_hz)
{
    int best = rate_hz, distance = INT_MAX;
    for (const int *r = codec->supported_samplerates; r && *r; r++) {
        int d = *r >= rate_hz ? *r - rate_hz : 1000000 + rate_hz - *r; /* rather above than below */
        if (d < distance) {
            distance = d;
            best = *r;
        }
    }
    return best;
}

static enum AVSampleFormat sample_format(const AVCodec *codec, const AVCodecParameters *par)
{
    bool deep = is_lossless(par) &&
                (par->bits_per_raw_sample > 16 || av_get_exact_bits_per_sample(par->codec_id) > 16);
    enum AVSampleFormat best = codec->sample_fmts[0];
    for (const enum AVSampleFormat *f = codec->sample_fmts; *f != AV_SAMPLE_FMT_NONE; f++) {
        if (*f == AV_SAMPLE_FMT_FLTP)
            return *f;
        if (deep && *f == AV_SAMPLE_FMT_S32)
            best = *f;
    }
    return best;
}

/* `least`: what the sound had already. */
static int64_t bit_rate(const AVCodecContext *enc, int64_t least)
{
    int channels = enc->ch_layout.nb_channels;
    int64_t rate = channels == 1 ? 128000 : 96000 * (int64_t)channels;
    rate = rate > least ? rate : least;
    int64_t most = 6 * (int64_t)enc->sample_rate * channels * 3 / 4; /* AAC's own ceiling is near */
    return rate < most ? rate : most;
}

static int set_layout(AVCodecContext *enc, const AVCodec *codec, const AVChannelLayout *from)
{
    const AVChannelLayout *fallback = NULL;
    for (const AVChannelLayout *l = codec->ch_layouts; l && l->nb_channels; l++) {
        if (!av_channel_layout_compare(l, from))
            return av_channel_layout_copy(&enc->ch_layout, from);
        if (l->nb_channels == from->nb_channels)
            fallback = l;
    }
    if (fallback)
        return av_channel_layout_copy(&enc->ch_layout, fallback);
    if (codec->ch_layouts) { /* more channels than the codec has: two */
        av_channel_layout_default(&enc->ch_layout, 2);
        return 0;
    }
    return av_channel_layout_copy(&enc->ch_layout, from);
}

static int open_encoder(struct media_voice *v, struct lip_error *err)
{
    enum AVCodecID id = new_codec(v->mux->container, v->info.par);
    const AVCodec *codec = id == AV_CODEC_ID_OPUS ? avcodec_find_encoder_by_name("libopus")
                                                  : avcodec_find_encoder(id);
    if (!codec)
        return base_error_set(err, LIP_ERR_ENCODER, "media/voice",
                              "this FFmpeg has no encoder for %s", avcodec_get_name(id));
    v->enc = avcodec_alloc_context3(codec);
    if (!v->enc)
        return base_error_nomem(err, "media/voice");
    v->enc->sample_rate = nearest_rate(codec, v->info.rate_hz);
    v->enc->sample_fmt = sample_format(codec, v->info.par);
    v->enc->time_base = (AVRational){1, v->enc->sample_rate};
    int av = set_layout(v->enc, codec, &v->info.layout);
    if (!(codec->capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE))
        v->enc->bit_rate = bit_rate(v->enc, v->splice && !is_lossless(v->info.par)
                                                    ? v->info.par->bit_rate : 0);
    if (v->enc->sample_fmt == AV_SAMPLE_FMT_S32)
        v->enc->bits_per_raw_sample = 24;
    v->enc->flags |= AV_CODEC_FLAG_BITEXACT;
    if (v->mux->out->oformat->flags & AVFMT_GLOBALHEADER)
        v->enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (av >= 0)
        av = avcodec_open2(v->enc, codec, NULL);
    return av >= 0 ? LIP_OK
                   : media_av_error(err, LIP_ERR_ENCODER, "media/voice", av,
                                    "the sound encoder refuses", v->path);
}

static int open_converter(struct media_voice *v, struct lip_error *err)
{
    AVChannelLayout from = v->info.layout; /* borrowed */
    int av = swr_alloc_set_opts2(&v->swr, &v->enc->ch_layout, v->enc->sample_fmt,
                                 v->enc->sample_rate, &from, AV_SAMPLE_FMT_FLTP, v->info.rate_hz, 0,
                                 NULL);
    if (av >= 0)
        av = swr_init(v->swr);
    v->fifo = av_audio_fifo_alloc(v->enc->sample_fmt, v->enc->ch_layout.nb_channels, 8192);
    v->frame = av_frame_alloc();
    v->piece = av_frame_alloc();
    return av < 0 || !v->fifo || !v->frame || !v->piece ? base_error_nomem(err, "media/voice")
                                                        : LIP_OK;
}

static int open_anew(struct media_voice *v, struct lip_error *err)
{
    int r = open_encoder(v, err);
    if (!r)
        r = open_converter(v, err);
    if (r)
        return r;
    AVStream *st = avformat_new_stream(v->mux->out, NULL);
    if (!st || avcodec_parameters_from_context(st->codecpar, v->enc) < 0 ||
        media_metadata_copy(&st->metadata, v->info.metadata) < 0)
        return base_error_nomem(err, "media/voice");
    st->time_base = v->enc->time_base;
    v->stream = st->index;
    v->shift = codec_delay(v, st->codecpar);
    v->n_left = av_rescale(v->mux->params->voice_duration_us, v->enc->sample_rate, AV_TIME_BASE);
    base_log_print(v->mux->params->log, BASE_LOG_INFO, "the %s is coded as %s at %d Hz",
                   v->splice ? "sound" : "voice", v->enc->codec->name, v->enc->sample_rate);
    return LIP_OK;
}

/* Moves what the converter holds, or makes of `in`, into the fifo. */
static int convert(struct media_voice *v, const AVFrame *in, struct lip_error *err)
{
    int n = swr_get_out_samples(v->swr, in ? in->nb_samples : 0);
    if (n <= 0)
        return LIP_OK;
    av_frame_unref(v->piece);
    v->piece->format = v->enc->sample_fmt;
    v->piece->nb_samples = n;
    int av = av_channel_layout_copy(&v->piece->ch_layout, &v->enc->ch_layout);
    if (av >= 0)
        av = av_frame_get_buffer(v->piece, 0);
    if (av >= 0)
        av = swr_convert(v->swr, v->piece->extended_data, n,
                         in ? (const uint8_t **)in->extended_data : NULL, in ? in->nb_samples : 0);
    if (av > 0)
        av = av_audio_fifo_write(v->fifo, (void **)v->piece->extended_data, av);
    return av < 0 ? base_error_nomem(err, "media/voice") : LIP_OK;
}

/* Fills the fifo up to n samples, as far as the voice goes. */
static int gather(struct media_voice *v, int n, struct lip_error *err)
{
    while (!v->track_ended && av_audio_fifo_size(v->fifo) < n) {
        int got = v->splice ? media_splice_read(v->splice, v->frame, err)
                            : media_track_read(v->track, v->frame, err);
        if (got < 0)
            return got;
        v->track_ended = !got;
        int r = convert(v, got ? v->frame : NULL, err);
        if (r)
            return r;
    }
    return LIP_OK;
}

static int send_piece(struct media_voice *v, struct lip_error *err)
{
    int n = v->enc->frame_size > 0 ? v->enc->frame_size : PIECE_SAMPLES;
    n = n < v->n_left ? n : (int)v->n_left;
    int r = gather(v, n, err);
    if (r)
        return r;
    AVFrame *f = v->piece;
    av_frame_unref(f);
    f->format = v->enc->sample_fmt;
    f->sample_rate = v->enc->sample_rate;
    f->nb_samples = n;
    if (av_channel_layout_copy(&f->ch_layout, &v->enc->ch_layout) < 0 ||
        av_frame_get_buffer(f, 0) < 0)
        return base_error_nomem(err, "media/voice");
    int got = av_audio_fifo_read(v->fifo, (void **)f->extended_data, n);
    if (got < 0)
        return base_error_nomem(err, "media/voice");
    if (got < n) /* the voice is over: silence up to the end */
        av_samples_set_silence(f->extended_data, got, n - got, f->ch_layout.nb_channels, f->format);
    f->pts = v->n_sent;
    v->n_sent += n;
    v->n_left -= n;
    int av = avcodec_send_frame(v->enc, f);
    return av < 0 ? media_av_error(err, LIP_ERR_ENCODER, "media/voice", av,
                                   "the sound encoder failed for", v->path)
                  : LIP_OK;
}

static int next_anew(struct media_voice *v, AVPacket *pkt, struct lip_error *err)
{
    for (;;) {
        int av = avcodec_receive_packet(v->enc, pkt);
        if (av >= 0) {
            pkt->stream_index = v->stream;
            pkt->time_base = v->enc->time_base;
            pkt->pts += v->shift;
            pkt->dts = pkt->pts;
            return 1;
        }
        if (av == AVERROR_EOF)
            return 0;
        if (av != AVERROR(EAGAIN))
            return media_av_error(err, LIP_ERR_ENCODER, "media/voice", av,
                                  "the sound encoder failed for", v->path);
        int r = LIP_OK;
        if (v->n_left > 0)
            r = send_piece(v, err);
        else if (!v->flushed) {
            avcodec_send_frame(v->enc, NULL);
            v->flushed = true;
        }
        if (r)
            return r;
    }
}

/* Both ----------------------------------------------------------------------------------------- */

static int open_pieces(struct media_voice *v, struct lip_error *err)
{
    const struct media_join_params *params = v->mux->params;
    v->path = params->sound_like;
    int r = media_track_open(v->path, &v->track, err);
    if (!r)
        v->info = *media_track_info(v->track);
    if (!r)
        r = media_splice_open(params->sounds, params->n_sounds, &v->info, &v->splice, err);
    return r ? r : open_anew(v, err);
}

static int open_voice(struct media_voice *v, struct lip_error *err)
{
    const struct media_join_params *params = v->mux->params;
    struct media_audio_info whole;
    v->path = params->voice;
    int r = media_audio_measure(params->voice, &whole, err);
    if (!r)
        r = media_track_open(params->voice, &v->track, err);
    if (r)
        return r;
    v->info = *media_track_info(v->track);
    int64_t n_wants = av_rescale(params->voice_duration_us, whole.rate_hz, AV_TIME_BASE);
    if (n_wants <= 0)
        return base_error_arg(err, "media/voice", "voice duration");
    return can_copy(v, whole.n_samples, n_wants) ? open_copy(v, n_wants, err) : open_anew(v, err);
}

int media_voice_open(struct media_mux *mux, struct media_voice **ret_voice, struct lip_error *err)
{
    struct media_voice *v = base_alloc_zero(sizeof *v);
    if (!v)
        return base_error_nomem(err, "media/voice");
    v->mux = mux;
    int r = mux->params->n_sounds ? open_pieces(v, err) : open_voice(v, err);
    if (r) {
        media_voice_close(&v);
        return r;
    }
    *ret_voice = v;
    return LIP_OK;
}

void media_voice_close(struct media_voice **voice)
{
    if (!voice || !*voice)
        return;
    struct media_voice *v = *voice;
    media_splice_close(&v->splice);
    media_track_close(&v->track);
    media_input_close(&v->in);
    avcodec_free_context(&v->enc);
    swr_free(&v->swr);
    if (v->fifo)
        av_audio_fifo_free(v->fifo);
    av_frame_free(&v->frame);
    av_frame_free(&v->piece);
    base_free(v);
    *voice = NULL;
}

int media_voice_next(struct media_voice *v, AVPacket *pkt, struct lip_error *err)
{
    return v->enc ? next_anew(v, pkt, err) : next_copied(v, pkt, err);
}
