/* SPDX-License-Identifier: MIT
 *
 * Subtitles of the film, copied or turned into the container's own text form, on the output's
 * clock; its further sound tracks, copied where they fit; and the cover picture of mp4, which is a
 * track of one packet. */
#include <string.h>

#include "base/alloc.h"
#include "media/join.h"

#define TRACKS_MAX 32
#define TEXT_BYTES_MAX (64 * 1024)

struct text_track {
    int from, to;          /* stream numbers; to -1: not kept */
    AVCodecContext *dec, *enc; /* both NULL: copied */
    int64_t last_us;
    bool sound;
};

struct media_texts {
    struct media_mux *mux;
    struct text_track track[TRACKS_MAX];
    int n_tracks;
    unsigned next_cover;   /* stream of the output to look at next */
    AVPacket *pkt;
    uint8_t *text;         /* one coded subtitle */
};

static enum AVCodecID text_codec(enum media_container container)
{
    switch (container) {
    case MEDIA_MP4:
    case MEDIA_MOV:
        return AV_CODEC_ID_MOV_TEXT;
    case MEDIA_MKV:
        return AV_CODEC_ID_SUBRIP;
    case MEDIA_WEBM:
        return AV_CODEC_ID_WEBVTT;
    case MEDIA_AVI:
    case MEDIA_NUT:
    case MEDIA_CONTAINERS:
        break;
    }
    return AV_CODEC_ID_NONE;
}

static bool is_copied(enum media_container container, enum AVCodecID id)
{
    if (container == MEDIA_MKV)
        return id == AV_CODEC_ID_SUBRIP || id == AV_CODEC_ID_ASS || id == AV_CODEC_ID_WEBVTT ||
               id == AV_CODEC_ID_HDMV_PGS_SUBTITLE || id == AV_CODEC_ID_DVD_SUBTITLE;
    return id == text_codec(container) && id != AV_CODEC_ID_NONE;
}

static int open_decoder(struct text_track *t, const AVStream *from)
{
    const AVCodec *codec = avcodec_find_decoder(from->codecpar->codec_id);
    t->dec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!t->dec || avcodec_parameters_to_context(t->dec, from->codecpar) < 0)
        return AVERROR(EINVAL);
    t->dec->pkt_timebase = from->time_base;
    return avcodec_open2(t->dec, codec, NULL);
}

static int open_encoder(struct text_track *t, enum AVCodecID id)
{
    const AVCodec *codec = avcodec_find_encoder(id);
    t->enc = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!t->enc)
        return AVERROR(EINVAL);
    t->enc->time_base = AV_TIME_BASE_Q;
    if (t->dec->subtitle_header) {
        size_t n = (size_t)t->dec->subtitle_header_size;
        t->enc->subtitle_header = av_mallocz(n + 1);
        if (!t->enc->subtitle_header)
            return AVERROR(ENOMEM);
        memcpy(t->enc->subtitle_header, t->dec->subtitle_header, n);
        t->enc->subtitle_header_size = (int)n;
    }
    return avcodec_open2(t->enc, codec, NULL);
}

static void close_track(struct text_track *t)
{
    avcodec_free_context(&t->dec);
    avcodec_free_context(&t->enc);
}

static int add_track(struct media_texts *x, const AVStream *from, struct lip_error *err)
{
    struct media_mux *mux = x->mux;
    struct text_track t = {.from = from->index, .to = -1, .last_us = INT64_MIN};
    enum AVCodecID id = from->codecpar->codec_id, wants = text_codec(mux->container);
    const AVCodecDescriptor *d = avcodec_descriptor_get(id);
    bool copied = is_copied(mux->container, id);
    bool turned = !copied && wants != AV_CODEC_ID_NONE && d && d->props & AV_CODEC_PROP_TEXT_SUB &&
                  open_decoder(&t, from) >= 0 && open_encoder(&t, wants) >= 0;
    if (!copied && !turned) {
        close_track(&t);
        base_log_print(mux->params->log, BASE_LOG_WARN,
                       "subtitles of the kind %s are left out: the container has no place for them",
                       avcodec_get_name(id));
        return LIP_OK;
    }
    AVStream *st = avformat_new_stream(mux->out, NULL);
    int av = st ? 0 : AVERROR(ENOMEM);
    if (av >= 0)
        av = copied ? avcodec_parameters_copy(st->codecpar, from->codecpar)
                    : avcodec_parameters_from_context(st->codecpar, t.enc);
    if (av >= 0)
        av = media_metadata_copy(&st->metadata, from->metadata);
    if (av < 0) {
        close_track(&t);
        return base_error_nomem(err, "media/join");
    }
    st->codecpar->codec_tag = 0;
    st->time_base = copied ? from->time_base : (AVRational){1, 1000};
    st->disposition = from->disposition;
    t.to = st->index;
    x->track[x->n_tracks++] = t;
    return LIP_OK;
}

/* A sound track besides the one that the voice replaces: music and effects, another language. */
static int add_sound(struct media_texts *x, const AVStream *from, struct lip_error *err)
{
    struct media_mux *mux = x->mux;
    const struct media_join_params *params = mux->params;
    const char *name = avcodec_get_name(from->codecpar->codec_id);
    if (!params->keep_sounds ||
        avformat_query_codec(mux->out->oformat, from->codecpar->codec_id, FF_COMPLIANCE_NORMAL) !=
            1) {
        base_log_print(params->log, BASE_LOG_WARN,
                       "a further sound track (%s) is left out: %s", name,
                       params->keep_sounds ? "the container has no place for it"
                                           : "the film is not shown once and at its own pace");
        return LIP_OK;
    }
    AVStream *st = avformat_new_stream(mux->out, NULL);
    if (!st || avcodec_parameters_copy(st->codecpar, from->codecpar) < 0 ||
        media_metadata_copy(&st->metadata, from->metadata) < 0)
        return base_error_nomem(err, "media/join");
    st->codecpar->codec_tag = 0;
    st->time_base = from->time_base;
    st->disposition = from->disposition & ~AV_DISPOSITION_DEFAULT;
    x->track[x->n_tracks++] = (struct text_track){.from = from->index, .to = st->index,
                                                  .sound = true, .last_us = INT64_MIN};
    return LIP_OK;
}

/* The track that the voice stands for. */
static int replaced_sound(const struct media_mux *mux)
{
    return mux->params->voice || mux->params->n_sounds
               ? media_input_stream(&mux->film, AVMEDIA_TYPE_AUDIO)
               : -1;
}

int media_texts_open(struct media_mux *mux, struct media_texts **ret_texts, struct lip_error *err)
{
    struct media_texts *x = base_alloc_zero(sizeof *x);
    if (!x)
        return base_error_nomem(err, "media/join");
    x->mux = mux;
    x->pkt = av_packet_alloc();
    x->text = base_alloc(TEXT_BYTES_MAX);
    int r = x->pkt && x->text ? LIP_OK : base_error_nomem(err, "media/join");
    const AVFormatContext *film = mux->film.fmt;
    int replaced = replaced_sound(mux);
    for (unsigned i = 0; i < film->nb_streams && !r; i++) {
        AVStream *from = film->streams[i];
        bool text = from->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
        bool sound = from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && (int)i != replaced;
        if (text && x->n_tracks < TRACKS_MAX)
            r = add_track(x, from, err);
        if (sound && x->n_tracks < TRACKS_MAX)
            r = add_sound(x, from, err);
        from->discard = text || sound ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    if (r) {
        media_texts_close(&x);
        return r;
    }
    *ret_texts = x;
    return LIP_OK;
}

void media_texts_close(struct media_texts **texts)
{
    if (!texts || !*texts)
        return;
    for (int i = 0; i < (*texts)->n_tracks; i++)
        close_track(&(*texts)->track[i]);
    av_packet_free(&(*texts)->pkt);
    base_free((*texts)->text);
    base_free(*texts);
    *texts = NULL;
}

/* Cover of mp4: its bytes lie in the film's stream. 1: pkt is it, 0: no more. */
static int next_cover(struct media_texts *x, AVPacket *pkt, struct lip_error *err)
{
    AVFormatContext *out = x->mux->out;
    while (x->next_cover < out->nb_streams) {
        const AVStream *st = out->streams[x->next_cover++];
        if (!(st->disposition & AV_DISPOSITION_ATTACHED_PIC))
            continue;
        for (unsigned i = 0; i < x->mux->film.fmt->nb_streams; i++) {
            const AVStream *from = x->mux->film.fmt->streams[i];
            if (!(from->disposition & AV_DISPOSITION_ATTACHED_PIC) || from->index + 1 != st->id)
                continue;
            if (av_packet_ref(pkt, &from->attached_pic) < 0)
                return base_error_nomem(err, "media/join");
            pkt->stream_index = st->index;
            pkt->time_base = st->time_base;
            pkt->pts = pkt->dts = 0;
            return 1;
        }
    }
    return 0;
}

/* Moves the times of a packet to the output's clock; false: it lies outside. */
static bool to_output(struct media_texts *x, struct text_track *t, AVPacket *pkt)
{
    const struct media_mux *mux = x->mux;
    AVRational tb = mux->film.fmt->streams[t->from]->time_base;
    if (pkt->pts == AV_NOPTS_VALUE)
        return false;
    double film_us = (double)(av_rescale_q(pkt->pts, tb, AV_TIME_BASE_Q) - mux->film_origin_us);
    double long_us = (double)av_rescale_q(pkt->duration, tb, AV_TIME_BASE_Q);
    int64_t from = (int64_t)media_time_of(mux->params, film_us);
    int64_t to = (int64_t)media_time_of(mux->params, film_us + long_us);
    if (from < 0 && to > 0)
        from = 0;
    if (to > mux->params->duration_us)
        to = mux->params->duration_us;
    bool is_cut = to <= from && pkt->duration > 0; /* it lay in what is not shown */
    if (from < 0 || from >= mux->params->duration_us || from < t->last_us || is_cut)
        return false;
    t->last_us = from;
    pkt->time_base = AV_TIME_BASE_Q;
    pkt->pts = pkt->dts = from;
    pkt->duration = to > from ? to - from : 0;
    pkt->stream_index = t->to;
    pkt->pos = -1;
    return true;
}

/* Turns one text into the container's form, in place. 1, 0 (nothing to show), LIP_ERR_. */
static int turn(struct media_texts *x, struct text_track *t, AVPacket *pkt, struct lip_error *err)
{
    AVSubtitle sub;
    int got = 0;
    if (avcodec_decode_subtitle2(t->dec, &sub, &got, pkt) < 0 || !got)
        return 0;
    sub.start_display_time = 0;
    sub.end_display_time = (uint32_t)(pkt->duration / 1000);
    sub.pts = pkt->pts;
    int n = sub.num_rects ? avcodec_encode_subtitle(t->enc, x->text, TEXT_BYTES_MAX, &sub) : 0;
    avsubtitle_free(&sub);
    if (n <= 0)
        return 0;
    AVPacket *fresh = x->pkt;
    av_packet_unref(fresh);
    if (av_new_packet(fresh, n) < 0)
        return base_error_nomem(err, "media/join");
    memcpy(fresh->data, x->text, (size_t)n);
    fresh->pts = fresh->dts = pkt->pts;
    fresh->duration = pkt->duration;
    fresh->time_base = pkt->time_base;
    fresh->stream_index = pkt->stream_index;
    fresh->flags |= AV_PKT_FLAG_KEY;
    av_packet_unref(pkt);
    av_packet_move_ref(pkt, fresh);
    return 1;
}

/* Sound is exact in its own time base. What lies less than a tenth of a second before the first
 * picture warms the decoder up: mp4 and mov keep it and skip it, the others have no way to. */
static bool sound_to_output(struct media_texts *x, struct text_track *t, AVPacket *pkt)
{
    const struct media_mux *mux = x->mux;
    AVRational tb = mux->film.fmt->streams[t->from]->time_base;
    if (pkt->pts == AV_NOPTS_VALUE)
        return false;
    int64_t pts = pkt->pts - av_rescale_q(mux->film_origin_us, AV_TIME_BASE_Q, tb);
    int64_t end = av_rescale_q(mux->params->duration_us, AV_TIME_BASE_Q, tb);
    bool warms_up = mux->container == MEDIA_MP4 || mux->container == MEDIA_MOV;
    int64_t begin = warms_up ? -av_rescale(tb.den, 1, 10 * (int64_t)tb.num) : 0;
    if (pts >= end || pts < begin || pts <= t->last_us)
        return false;
    if (pts + pkt->duration > end)
        pkt->duration = end - pts;
    t->last_us = pts;
    pkt->time_base = tb;
    pkt->pts = pkt->dts = pts;
    pkt->stream_index = t->to;
    pkt->pos = -1;
    return true;
}

int media_texts_next(struct media_texts *x, AVPacket *pkt, struct lip_error *err)
{
    int got = next_cover(x, pkt, err);
    if (got || !x->n_tracks)
        return got;
    for (;;) {
        int av = av_read_frame(x->mux->film.fmt, pkt);
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/join");
        if (av < 0) /* the end; damage in the film has been told of when its frames were read */
            return 0;
        for (int i = 0; i < x->n_tracks; i++) {
            struct text_track *t = &x->track[i];
            if (t->from != pkt->stream_index ||
                !(t->sound ? sound_to_output(x, t, pkt) : to_output(x, t, pkt)))
                continue;
            got = t->dec ? turn(x, t, pkt, err) : 1;
            if (got)
                return got;
            break;
        }
        av_packet_unref(pkt);
    }
}
