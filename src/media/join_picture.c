/* SPDX-License-Identifier: MIT
 *
 * The picture track out of its parts. Decoding times are made anew: the i-th coded picture gets the
 * (i - delay)-th smallest presentation time, where delay is the deepest reordering of any part.
 * That grows strictly over the borders of parts, and never lies after the presentation. */
#include <string.h>

#include "base/alloc.h"
#include "media/join.h"
#include "media/partfile.h"

#define DELAY_MAX 64

struct media_picture {
    struct media_mux *mux;
    int stream;
    struct media_part_reader reader;
    bool reading;
    size_t n_opened;           /* parts */
    struct {                   /* of the first encoded and the first copied part: the rest must */
        uint8_t *bytes;        /* be the same */
        size_t n;
    } header[2];
    AVRational time_base;
    int64_t first_pts, last_pts, last_duration, step;
    int64_t n_pictures;        /* given so far */
    AVPacket *ahead;           /* the one after that which is given next */
    bool has_ahead;
    int64_t waiting[DELAY_MAX + 1]; /* sorted presentation times */
    size_t n_waiting, delay;
    AVRational ticks;          /* AVI: one tick per picture, {0, 0} elsewhere */
    int64_t last_tick;
};

/* Whether the part's header is one of the two; new ones are kept. */
static int check_header(struct media_picture *p, struct media_part_reader *rd,
                        struct lip_error *err)
{
    struct media_part_header h = {0};
    int r = media_part_header_read(rd->header, rd->header_size, &h, err);
    if (r)
        return r;
    int k = h.copied;
    media_part_header_done(&h);
    if (!p->header[k].bytes) {
        p->header[k].bytes = rd->header;
        p->header[k].n = rd->header_size;
        rd->header = NULL;
        return LIP_OK;
    }
    bool same = rd->header_size == p->header[k].n &&
                !memcmp(rd->header, p->header[k].bytes, rd->header_size);
    return same ? LIP_OK : LIP_ERR_STATE;
}

/* Looks at the ends of all parts: order, delay, and where the picture ends. */
static int survey(struct media_picture *p, struct lip_error *err)
{
    const struct media_join_params *params = p->mux->params;
    for (size_t i = 0; i < params->n_parts; i++) {
        struct media_part_reader rd = {0};
        int r = media_part_reader_open(params->parts[i], &rd, err);
        if (r)
            return r;
        r = i && rd.end.first_pts <= p->last_pts ? LIP_ERR_STATE : check_header(p, &rd, err);
        if (r == LIP_ERR_STATE)
            base_error_set(err, r, "media/join", "the part '%s' does not continue the one before",
                           params->parts[i]);
        if (!i)
            p->first_pts = rd.end.first_pts;
        p->last_pts = rd.end.last_pts;
        p->last_duration = rd.end.last_duration;
        p->delay = rd.end.delay > p->delay ? rd.end.delay : p->delay;
        media_part_reader_close(&rd);
        if (r)
            return r;
    }
    return LIP_OK;
}

/* The last picture lasts until the promised end of the film. */
static void settle_end(struct media_picture *p)
{
    int64_t end = av_rescale_q(p->mux->params->duration_us, AV_TIME_BASE_Q, p->time_base);
    int64_t duration = p->first_pts + end - p->last_pts;
    int64_t off = duration - p->last_duration;
    bool rounding = p->last_duration > 0 && off >= -1 && off <= 1;
    if (p->mux->params->duration_us > 0 && duration > 0 && !rounding)
        p->last_duration = duration;
    if (p->last_duration <= 0)
        p->last_duration = 1;
}

static int set_tags(struct media_picture *p, AVStream *st)
{
    const AVOutputFormat *format = p->mux->out->oformat;
    unsigned tag = st->codecpar->codec_tag;
    unsigned other = 0;
    bool fine = !format->codec_tag ||
                av_codec_get_id(format->codec_tag, tag) == st->codecpar->codec_id ||
                !av_codec_get_tag2(format->codec_tag, st->codecpar->codec_id, &other);
    if (!fine)
        st->codecpar->codec_tag = 0;
    bool mov = p->mux->container == MEDIA_MP4 || p->mux->container == MEDIA_MOV;
    if (mov && st->codecpar->codec_id == AV_CODEC_ID_HEVC)
        st->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1'); /* the form that Apple's players
                                                                take */
    bool alpha = st->codecpar->format == AV_PIX_FMT_YUVA420P;
    if (alpha && (p->mux->container == MEDIA_MKV || p->mux->container == MEDIA_WEBM))
        return av_dict_set(&st->metadata, "alpha_mode", "1", 0);
    return 0;
}

static int add_side(AVStream *st, enum AVPacketSideDataType type, const void *bytes, size_t n)
{
    if (!bytes || !n)
        return 0;
    uint8_t *side = av_stream_new_side_data(st, type, n);
    if (!side)
        return AVERROR(ENOMEM);
    memcpy(side, bytes, n);
    return 0;
}

static int fill_stream(struct media_picture *p, const struct media_part_header *h, AVStream *st)
{
    struct media_mux *mux = p->mux;
    int av = avcodec_parameters_copy(st->codecpar, h->par);
    st->time_base = p->ticks.num ? p->ticks : h->time_base;
    st->avg_frame_rate = st->r_frame_rate = h->frame_rate;
    st->sample_aspect_ratio = h->par->sample_aspect_ratio;
    st->disposition = AV_DISPOSITION_DEFAULT;
    if (av >= 0)
        av = add_side(st, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, h->screen.data, h->screen.size);
    if (av >= 0)
        av = add_side(st, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, h->light.data, h->light.size);
    bool mov = mux->container == MEDIA_MP4 || mux->container == MEDIA_MOV;
    if (av >= 0 && mux->has_matrix && mov)
        av = add_side(st, AV_PKT_DATA_DISPLAYMATRIX, mux->matrix, sizeof mux->matrix);
    else if (mux->has_matrix)
        base_log_print(mux->params->log, BASE_LOG_WARN,
                       "this container cannot hold the rotation of the film; mp4 and mov can");
    if (av >= 0 && mux->film_video >= 0)
        av = media_metadata_copy(&st->metadata, mux->film.fmt->streams[mux->film_video]->metadata);
    return av >= 0 ? set_tags(p, st) : av;
}

static bool has_sets(const AVCodecParameters *par)
{
    return par->codec_id == AV_CODEC_ID_H264 || par->codec_id == AV_CODEC_ID_HEVC;
}

/* The parameter sets of both, those of the higher profile first: the container's header is made
 * from the first one. */
static int add_sets(AVCodecParameters *par, const AVCodecParameters *other)
{
    bool second = par->profile != other->profile ? par->profile > other->profile
                                                 : par->level >= other->level;
    const AVCodecParameters *order[2] = {second ? par : other, second ? other : par};
    size_t n = (size_t)par->extradata_size + (size_t)other->extradata_size, at = 0;
    uint8_t *both = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!both)
        return AVERROR(ENOMEM);
    for (int i = 0; i < 2; i++) {
        memcpy(both + at, order[i]->extradata, (size_t)order[i]->extradata_size);
        at += (size_t)order[i]->extradata_size;
    }
    par->profile = order[0]->profile;
    par->level = par->level > other->level ? par->level : other->level;
    av_free(par->extradata);
    par->extradata = both;
    par->extradata_size = (int)n;
    return 0;
}

/* One header for all parts. */
static int merge_headers(struct media_picture *p, struct media_part_header *ret_header,
                         struct lip_error *err)
{
    int first = p->header[0].bytes ? 0 : 1;
    struct media_part_header h = {0}, copied = {0};
    int r = media_part_header_read(p->header[first].bytes, p->header[first].n, &h, err);
    if (!r && first == 0 && p->header[1].bytes)
        r = media_part_header_read(p->header[1].bytes, p->header[1].n, &copied, err);
    if (!r && copied.par) {
        if (copied.par->codec_id != h.par->codec_id || copied.par->width != h.par->width ||
            copied.par->height != h.par->height || av_cmp_q(copied.time_base, h.time_base))
            r = base_error_set(err, LIP_ERR_STATE, "media/join",
                               "copied and encoded parts do not fit together");
        else if (has_sets(h.par) && add_sets(h.par, copied.par) < 0)
            r = base_error_nomem(err, "media/join");
    }
    media_part_header_done(&copied);
    if (r)
        media_part_header_done(&h);
    else
        *ret_header = h;
    return r;
}

static int add_stream(struct media_picture *p, struct lip_error *err)
{
    struct media_part_header h = {0};
    int r = merge_headers(p, &h, err);
    if (r)
        return r;
    struct media_mux *mux = p->mux;
    p->time_base = h.time_base;
    p->step = av_rescale_q(1, av_inv_q(h.frame_rate), h.time_base);
    p->step = p->step > 0 ? p->step : 1;
    if (mux->container == MEDIA_AVI) /* it counts pictures; a finer clock would be filled up */
        p->ticks = av_inv_q(h.frame_rate);
    if (avformat_query_codec(mux->out->oformat, h.par->codec_id, FF_COMPLIANCE_NORMAL) != 1)
        r = base_error_set(err, LIP_ERR_UNSUPPORTED, "media/join", "%s cannot hold %s",
                           mux->out->oformat->long_name, avcodec_get_name(h.par->codec_id));
    AVStream *st = r ? NULL : avformat_new_stream(mux->out, NULL);
    int av = st ? fill_stream(p, &h, st) : AVERROR(ENOMEM);
    if (!r && av < 0)
        r = base_error_nomem(err, "media/join");
    if (!r)
        p->stream = st->index;
    media_part_header_done(&h);
    return r;
}

int media_picture_open(struct media_mux *mux, struct media_picture **ret_picture,
                       struct lip_error *err)
{
    struct media_picture *p = base_alloc_zero(sizeof *p);
    if (!p)
        return base_error_nomem(err, "media/join");
    p->mux = mux;
    p->last_tick = INT64_MIN;
    p->ahead = av_packet_alloc();
    int r = p->ahead ? survey(p, err) : base_error_nomem(err, "media/join");
    if (!r)
        r = add_stream(p, err);
    if (r) {
        media_picture_close(&p);
        return r;
    }
    settle_end(p);
    *ret_picture = p;
    return LIP_OK;
}

void media_picture_close(struct media_picture **picture)
{
    if (!picture || !*picture)
        return;
    media_part_reader_close(&(*picture)->reader);
    av_packet_free(&(*picture)->ahead);
    base_free((*picture)->header[0].bytes);
    base_free((*picture)->header[1].bytes);
    base_free(*picture);
    *picture = NULL;
}

/* The next coded picture of any part: 1, 0, LIP_ERR_. */
static int read_picture(struct media_picture *p, AVPacket *pkt, struct lip_error *err)
{
    const struct media_join_params *params = p->mux->params;
    for (;;) {
        if (!p->reading) {
            if (p->n_opened == params->n_parts)
                return 0;
            int r = media_part_reader_open(params->parts[p->n_opened], &p->reader, err);
            if (r)
                return r;
            p->n_opened++;
            p->reading = true;
        }
        int got = media_part_reader_next(&p->reader, pkt, err);
        if (got)
            return got;
        media_part_reader_close(&p->reader);
        p->reading = false;
    }
}

static int64_t decoding_time(struct media_picture *p, int64_t pts)
{
    size_t at = p->n_waiting++;
    for (; at > 0 && p->waiting[at - 1] > pts; at--)
        p->waiting[at] = p->waiting[at - 1];
    p->waiting[at] = pts;
    if (p->n_waiting <= p->delay) /* the first ones: before the start */
        return p->first_pts - (int64_t)(p->delay - (p->n_waiting - 1)) * p->step;
    int64_t dts = p->waiting[0];
    memmove(p->waiting, p->waiting + 1, --p->n_waiting * sizeof *p->waiting);
    return dts;
}

/* AVI counts pictures, so a time is rounded to a whole number of them. */
static void to_ticks(struct media_picture *p, AVPacket *pkt)
{
    av_packet_rescale_ts(pkt, p->time_base, p->ticks);
    if (p->last_tick != INT64_MIN && pkt->dts <= p->last_tick)
        pkt->dts = p->last_tick + 1;
    p->last_tick = pkt->dts;
    if (pkt->pts < pkt->dts)
        pkt->pts = pkt->dts;
    pkt->time_base = p->ticks;
}

/* One packet is read ahead, so that the last one is known as such: 1, 0, LIP_ERR_. */
static int take_picture(struct media_picture *p, AVPacket *pkt, struct lip_error *err)
{
    int got = p->has_ahead || p->n_pictures ? p->has_ahead : read_picture(p, p->ahead, err);
    if (got <= 0)
        return got;
    av_packet_move_ref(pkt, p->ahead);
    got = read_picture(p, p->ahead, err);
    p->has_ahead = got > 0;
    return got < 0 ? got : 1;
}

/* mp4 adds up the steps between decoding times: where the last pictures are unevenly long, that
 * ends before the picture does, and players would stop there. The last one decoded makes up for it
 * without being shown longer than the end. What is over then, the edit list cuts. */
static void reach_end(struct media_picture *p, AVPacket *pkt)
{
    bool mov = p->mux->container == MEDIA_MP4 || p->mux->container == MEDIA_MOV;
    int64_t end = p->last_pts + p->last_duration - p->first_pts;
    int64_t before = (int64_t)p->delay * p->step; /* decoding begins so much before time 0 */
    if (!mov || p->has_ahead || pkt->dts + pkt->duration + before >= end)
        return;
    pkt->duration = end - pkt->pts > pkt->duration ? end - pkt->pts : pkt->duration;
}

int media_picture_next(struct media_picture *p, AVPacket *pkt, struct lip_error *err)
{
    int got = take_picture(p, pkt, err);
    if (got <= 0)
        return got;
    pkt->stream_index = p->stream;
    pkt->time_base = p->time_base;
    if (pkt->pts == p->last_pts)
        pkt->duration = p->last_duration;
    pkt->dts = decoding_time(p, pkt->pts) - p->first_pts;
    pkt->pts -= p->first_pts; /* the first picture is time 0 */
    reach_end(p, pkt);
    p->n_pictures++;
    if (p->ticks.num)
        to_ticks(p, pkt);
    return 1;
}
