/* SPDX-License-Identifier: MIT
 *
 * Parts, voice and the film's other streams become one file: written beside its place and renamed
 * when it is whole. */
#include "media/join.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/encoder.h"
#include "media/film.h"
#include "media/synthetic.h"

#define FEEDS 3
#define ASK_EVERY 64 /* packets between two looks at the cancel flag */

static const struct {
    const char *ending, *format;
    enum media_container container;
} endings[] = {{"mp4", "mp4", MEDIA_MP4},       {"m4v", "mp4", MEDIA_MP4},
               {"mov", "mov", MEDIA_MOV},       {"mkv", "matroska", MEDIA_MKV},
               {"webm", "webm", MEDIA_WEBM},    {"avi", "avi", MEDIA_AVI},
               {"nut", "nut", MEDIA_NUT}};

enum media_container media_container_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot + 1, endings[i].ending))
            return endings[i].container;
    return MEDIA_CONTAINERS;
}

const AVOutputFormat *media_container_format(enum media_container container)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (endings[i].container == container)
            return av_guess_format(endings[i].format, NULL, NULL);
    return NULL;
}

static int find_format(const char *path, enum media_container *ret_container,
                       const AVOutputFormat **ret_format, struct lip_error *err)
{
    *ret_container = media_container_of(path);
    *ret_format = media_container_format(*ret_container);
    if (*ret_format)
        return LIP_OK;
    return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/join",
                          "'%s' must end in mp4, m4v, mov, mkv, webm, avi or nut", path);
}

int media_output_check(const char *path, enum media_codec codec, struct lip_error *err)
{
    enum media_container container;
    const AVOutputFormat *format = NULL;
    int r = find_format(path, &container, &format, err);
    if (r || codec >= MEDIA_CODEC_LIKE_SOURCE)
        return r;
    enum AVCodecID id = media_encoder_codec_id(codec);
    if (avformat_query_codec(format, id, FF_COMPLIANCE_NORMAL) == 1)
        return LIP_OK;
    return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/join",
                          "'%s': a file of this kind cannot hold %s; mkv can", path,
                          avcodec_get_name(id));
}

double media_time_of(const struct media_join_params *params, double film_us)
{
    const struct media_time *t = params->times;
    size_t n = params->n_times, i = 0;
    if (!n)
        return film_us * (params->time_scale > 0 ? params->time_scale : 1);
    while (i + 1 < n && (double)t[i + 1].film_us <= film_us)
        i++;
    double over = film_us - (double)t[i].film_us;
    if (over <= 0 || i + 1 == n)
        return (double)t[i].out_us + over;
    return (double)t[i].out_us + over * (double)(t[i + 1].out_us - t[i].out_us) /
                                     (double)(t[i + 1].film_us - t[i].film_us);
}

/* The film's other streams are wanted; what stands in the way of them does not stop the job. */
static int open_film(struct media_mux *mux, struct lip_error *err)
{
    const char *path = mux->params->film;
    mux->film_video = -1;
    if (!path || !strncmp(path, MEDIA_SYNTHETIC_PREFIX, strlen(MEDIA_SYNTHETIC_PREFIX)))
        return LIP_OK;
    struct media_source *source = NULL;
    struct media_source_params one = {.n_threads = 1};
    int r = media_source_open(path, &one, &source, err);
    if (r)
        return r;
    const struct data_film *film = media_source_film(source);
    AVRational tb = {(int)film->time_base.num, (int)film->time_base.den};
    mux->film_origin_us = av_rescale_q(film->start_pts, tb, AV_TIME_BASE_Q);
    const int32_t *matrix = media_source_matrix(source);
    mux->has_matrix = matrix && (film->rotation_deg || matrix[0] < 0 || matrix[4] < 0);
    if (matrix)
        memcpy(mux->matrix, matrix, sizeof mux->matrix);
    media_source_close(&source);
    r = media_input_open(path, &mux->film, err);
    if (!r)
        mux->film_video = media_input_stream(&mux->film, AVMEDIA_TYPE_VIDEO);
    return r;
}

/* Only mp4's faststart asks for this: it moves the index to the front of our own file. */
static int reopen_own(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                      AVDictionary **options)
{
    (void)options;
    struct media_io *io = NULL;
    if (flags & AVIO_FLAG_WRITE || strcmp(url, s->url) || media_io_open_read(url, &io, NULL))
        return AVERROR(EIO);
    *pb = io->pb;
    return 0;
}

static int close_own(AVFormatContext *s, AVIOContext *pb)
{
    (void)s;
    struct media_io *io = pb->opaque;
    return media_io_close(&io, "", NULL) ? AVERROR(EIO) : 0;
}

static int open_mux(struct media_mux *mux, struct lip_error *err)
{
    const AVOutputFormat *format = NULL;
    int r = find_format(mux->params->output, &mux->container, &format, err);
    if (r)
        return r;
    if (!mux->params->overwrite && base_fs_exists(mux->params->output))
        return base_error_set(err, LIP_ERR_EXISTS, "media/join", "'%s' exists already",
                              mux->params->output);
    if (base_fs_beside(mux->params->output, "part", &mux->beside) ||
        avformat_alloc_output_context2(&mux->out, format, NULL, mux->beside) < 0)
        return base_error_nomem(err, "media/join");
    mux->out->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO; /* no dates, no random numbers */
    if (mux->container != MEDIA_NUT) /* NUT has no time before 0: it begins with its first one */
        mux->out->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED; /* the first picture stays at
                                                                      0 */
    mux->out->io_open = reopen_own;
    mux->out->io_close2 = close_own;
    return LIP_OK;
}

static int write_header(struct media_mux *mux, int rate_hz, struct lip_error *err)
{
    int r = media_io_open_write(mux->beside, &mux->io, err);
    if (r)
        return r;
    mux->exists = true;
    mux->out->pb = mux->io->pb;
    AVDictionary *options = NULL;
    if (mux->container == MEDIA_MP4 || mux->container == MEDIA_MOV) {
        av_dict_set(&options, "movflags", "+faststart", 0);
        /* Edit lists count in this unit: the sound's end is exact to a sample. */
        av_dict_set_int(&options, "movie_timescale", rate_hz > 0 ? rate_hz : 90000, 0);
    }
    int av = avformat_write_header(mux->out, &options);
    av_dict_free(&options);
    if (av >= 0)
        return LIP_OK;
    return media_av_error(err, mux->io->failed ? LIP_ERR_IO : LIP_ERR_UNSUPPORTED, "media/join", av,
                          "cannot begin", mux->params->output);
}

/* The three feeds, merged by time -------------------------------------------------------------- */

struct feeds {
    struct media_picture *picture;
    struct media_voice *voice;
    struct media_texts *texts;
    AVPacket *pkt[FEEDS]; /* the next one of each; without data and side data: none */
    bool waits[FEEDS];
};

static int refill(struct feeds *f, int i, struct lip_error *err)
{
    int got = 0;
    if (i == 0)
        got = media_picture_next(f->picture, f->pkt[i], err);
    else if (i == 1 && f->voice)
        got = media_voice_next(f->voice, f->pkt[i], err);
    else if (i == 2 && f->texts)
        got = media_texts_next(f->texts, f->pkt[i], err);
    f->waits[i] = got > 0;
    return got < 0 ? got : LIP_OK;
}

static int earliest(const struct feeds *f)
{
    int best = -1;
    for (int i = 0; i < FEEDS; i++)
        if (f->waits[i] &&
            (best < 0 || av_compare_ts(f->pkt[i]->dts, f->pkt[i]->time_base, f->pkt[best]->dts,
                                       f->pkt[best]->time_base) < 0))
            best = i;
    return best;
}

static int write_failed(const struct media_mux *mux, int av, struct lip_error *err)
{
    int code = mux->io->failed || mux->io->pb->error ? LIP_ERR_IO : LIP_ERR_ENCODER;
    return media_av_error(err, code, "media/join", av, "cannot write", mux->params->output);
}

static int write_packets(struct media_mux *mux, struct feeds *f, struct lip_error *err)
{
    int r = LIP_OK;
    for (int i = 0; i < FEEDS && !r; i++)
        r = refill(f, i, err);
    const struct media_join_params *params = mux->params;
    for (int64_t n = 0; !r; n++) {
        int i = earliest(f);
        if (i < 0)
            return LIP_OK;
        if (n % ASK_EVERY == 0 && params->cancelled && params->cancelled(params->user))
            return base_error_set(err, LIP_ERR_CANCELLED, "media/join", "cancelled");
        AVPacket *pkt = f->pkt[i];
        av_packet_rescale_ts(pkt, pkt->time_base, mux->out->streams[pkt->stream_index]->time_base);
        int av = av_interleaved_write_frame(mux->out, pkt);
        if (av < 0 || mux->io->failed)
            return write_failed(mux, av < 0 ? av : AVERROR(EIO), err);
        r = refill(f, i, err);
    }
    return r;
}

static int open_feeds(struct media_mux *mux, struct feeds *f, struct lip_error *err)
{
    for (int i = 0; i < FEEDS; i++)
        if (!(f->pkt[i] = av_packet_alloc()))
            return base_error_nomem(err, "media/join");
    int r = media_picture_open(mux, &f->picture, err);
    if (!r && (mux->params->voice || mux->params->n_sounds))
        r = media_voice_open(mux, &f->voice, err);
    if (!r && mux->film.fmt)
        r = media_texts_open(mux, &f->texts, err);
    return r ? r : media_extras_add(mux, err);
}

static void close_feeds(struct feeds *f)
{
    media_picture_close(&f->picture);
    media_voice_close(&f->voice);
    media_texts_close(&f->texts);
    for (int i = 0; i < FEEDS; i++)
        av_packet_free(&f->pkt[i]);
}

static int sound_rate(const struct media_mux *mux)
{
    for (unsigned i = 0; i < mux->out->nb_streams; i++)
        if (mux->out->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
            return mux->out->streams[i]->codecpar->sample_rate;
    return 0;
}

static int finish(struct media_mux *mux, struct lip_error *err)
{
    int av = av_write_trailer(mux->out);
    if (av >= 0)
        av = media_mark_append(mux);
    if (av < 0 || mux->io->failed)
        return write_failed(mux, av < 0 ? av : AVERROR(EIO), err);
    mux->out->pb = NULL;
    int r = media_io_close(&mux->io, mux->params->output, err);
    if (!r)
        r = base_fs_rename(mux->beside, mux->params->output, err);
    if (!r)
        mux->exists = false;
    return r;
}

static void close_mux(struct media_mux *mux)
{
    if (mux->io)
        media_io_close(&mux->io, "", NULL);
    if (mux->out)
        mux->out->pb = NULL;
    avformat_free_context(mux->out);
    media_input_close(&mux->film);
    if (mux->exists)
        base_fs_remove(mux->beside);
    base_free(mux->beside);
    base_free(mux->xmp);
}

int media_join(const struct media_join_params *params, struct lip_error *err)
{
    if (!params || !params->output || !params->parts || !params->n_parts)
        return base_error_arg(err, "media/join", "output or parts");
    media_av_quiet();
    struct media_mux mux = {.params = params};
    struct feeds feeds = {0};
    int r = open_mux(&mux, err);
    if (!r)
        r = open_film(&mux, err);
    if (!r)
        r = open_feeds(&mux, &feeds, err);
    if (!r)
        r = write_header(&mux, sound_rate(&mux), err);
    if (!r)
        r = write_packets(&mux, &feeds, err);
    if (!r)
        r = finish(&mux, err);
    close_feeds(&feeds);
    close_mux(&mux);
    return r;
}
