/* SPDX-License-Identifier: MIT
 *
 * The frames of a film in presentation order. One decoded frame is kept ahead: the duration of a
 * frame is the distance to the next one, whatever the container says. */
#include <libavutil/mastering_display_metadata.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/film.h"
#include "media/media.h"
#include "media/pixels.h"
#include "media/synthetic.h"

struct media_source {
    struct data_film film;
    const struct base_log *log;
    char *path;
    int n_threads;

    bool synthetic;
    int64_t drawn_at; /* synthetic: the next frame */

    struct media_input in;
    int stream;
    AVCodecContext *dec;
    AVPacket *pkt;
    bool pkt_waits; /* the decoder had no room for it */
    AVFrame *raw;
    struct media_import *import;
    bool has_matrix;
    int32_t matrix[9]; /* how the picture is to be turned, FFmpeg's form */

    struct data_frame *next; /* decoded, not yet given out */
    bool at_end, started;
    int64_t last_pts, last_duration;
    int64_t n_decoded; /* since the start of the film; -1 after a seek */
    int64_t n_given;   /* the same of frames given out */
    int64_t n_damaged;
    bool restart; /* damage was met by several threads: begin again with one */
};

/* Decoding ------------------------------------------------------------------------------------- */

/* What several threads make of damaged pictures depends on who is first. One thread does not. */
static void note_damage(struct media_source *s)
{
    s->n_damaged++;
    if (s->n_threads != 1)
        s->restart = true;
}

/* HDR data that only the container knows belong to every frame: parts begin at any of them. */
static int attach(AVFrame *av, const AVStream *st, enum AVPacketSideDataType from,
                  enum AVFrameSideDataType to)
{
    size_t n = 0;
    const uint8_t *bytes = av_stream_get_side_data(st, from, &n);
    if (!bytes || !n || av_frame_get_side_data(av, to))
        return 0;
    AVFrameSideData *sd = av_frame_new_side_data(av, to, n);
    if (!sd)
        return AVERROR(ENOMEM);
    memcpy(sd->data, bytes, n);
    return 0;
}

static int feed_decoder(struct media_source *s, struct lip_error *err)
{
    if (!s->pkt_waits) {
        int got = media_input_packet(&s->in, s->stream, s->pkt, &s->n_damaged, err);
        if (got < 0)
            return got;
        if (!got) {
            avcodec_send_packet(s->dec, NULL);
            return LIP_OK;
        }
    }
    int av = avcodec_send_packet(s->dec, s->pkt);
    s->pkt_waits = av == AVERROR(EAGAIN);
    if (!s->pkt_waits)
        av_packet_unref(s->pkt);
    if (av == AVERROR(ENOMEM))
        return base_error_nomem(err, "media/decode");
    if (av < 0 && av != AVERROR(EAGAIN) && av != AVERROR_EOF)
        note_damage(s);
    return LIP_OK;
}

/* 1: s->raw holds a frame, 0: the end (or s->restart), negative: error. */
static int decode(struct media_source *s, struct lip_error *err)
{
    const AVStream *st = s->in.fmt->streams[s->stream];
    while (!s->restart) {
        int av = avcodec_receive_frame(s->dec, s->raw);
        if (av >= 0) {
            if (s->raw->decode_error_flags)
                note_damage(s);
            if (s->restart)
                break;
            av = attach(s->raw, st, AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
                        AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
            if (av >= 0)
                av = attach(s->raw, st, AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
                            AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
            return av < 0 ? base_error_nomem(err, "media/decode") : 1;
        }
        if (av == AVERROR_EOF)
            return 0;
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/decode");
        if (av != AVERROR(EAGAIN))
            note_damage(s);
        int r = feed_decoder(s, err);
        if (r)
            return r;
    }
    av_frame_unref(s->raw);
    return 0;
}

static void close_decoder(struct media_source *s)
{
    data_frame_unref(&s->next);
    avcodec_free_context(&s->dec);
    av_packet_free(&s->pkt);
    av_frame_free(&s->raw);
    media_input_close(&s->in);
    s->pkt_waits = s->restart = s->at_end = s->started = false;
    s->n_decoded = s->n_given = s->n_damaged = 0;
    s->last_pts = INT64_MIN;
}

static int no_picture(const struct media_source *s, struct lip_error *err)
{
    bool sound = media_input_stream(&s->in, AVMEDIA_TYPE_AUDIO) >= 0;
    return base_error_set(err, LIP_ERR_NO_VIDEO, "media/source", "'%s' has no film in it%s",
                          s->path, sound ? ": it holds only sound" : "");
}

static int open_decoder(struct media_source *s, struct lip_error *err)
{
    int r = media_input_open(s->path, &s->in, err);
    if (r)
        return r;
    s->stream = media_input_stream(&s->in, AVMEDIA_TYPE_VIDEO);
    if (s->stream < 0)
        return no_picture(s, err);
    for (unsigned i = 0; i < s->in.fmt->nb_streams; i++)
        s->in.fmt->streams[i]->discard = (int)i == s->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    const AVStream *st = s->in.fmt->streams[s->stream];
    const AVCodecParameters *par = st->codecpar;
    if (par->width > MEDIA_SIDE_MAX_PX || par->height > MEDIA_SIDE_MAX_PX ||
        (int64_t)par->width * par->height > MEDIA_PIXELS_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, "media/source",
                              "'%s' is %d x %d pixels, more than this program edits", s->path,
                              par->width, par->height);
    s->pkt = av_packet_alloc();
    s->raw = av_frame_alloc();
    if (!s->pkt || !s->raw)
        return base_error_nomem(err, "media/source");
    return media_decoder_open(st, s->n_threads, s->path, &s->dec, err);
}

/* Begins again with one decoder thread and drops what had been decoded before. */
static int restart_with_one_thread(struct media_source *s, struct lip_error *err)
{
    int64_t n_decoded = s->n_decoded, n_given = s->n_given;
    int64_t last_pts = s->last_pts, last_duration = s->last_duration;
    struct data_frame *next = s->next;
    bool started = s->started;
    s->next = NULL;
    close_decoder(s);
    s->n_threads = 1;
    int r = open_decoder(s, err);
    for (int64_t n = 0; !r && (n_decoded < 0 || n < n_decoded); n++) {
        int got = decode(s, err);
        if (got <= 0) {
            r = got;
            break;
        }
        bool past = n_decoded < 0 && s->raw->best_effort_timestamp > last_pts;
        if (past)
            break; /* kept in s->raw: see fetch */
        av_frame_unref(s->raw);
    }
    s->next = next;
    s->started = started;
    s->n_decoded = n_decoded;
    s->n_given = n_given;
    s->last_pts = last_pts;
    s->last_duration = last_duration;
    return r;
}

/* Strictly growing time stamps for frames that have none, or a doubtful one. */
static int64_t pts_of(const struct media_source *s, const AVFrame *av)
{
    int64_t pts = av->best_effort_timestamp, last = s->last_pts;
    if (s->film.is_image)
        return 0;
    if (pts == AV_NOPTS_VALUE) {
        struct data_rational t = s->film.time_base, f = s->film.frame_rate;
        int64_t step = av->pkt_duration;
        if (step <= 0 && f.num && t.num)
            step = av_rescale(f.den, t.den, f.num * t.num);
        pts = last == INT64_MIN ? 0 : last + (step > 0 ? step : 1);
    }
    return last != INT64_MIN && pts <= last ? last + 1 : pts;
}

static int64_t usual_duration(const struct media_source *s, const AVFrame *av)
{
    struct data_rational t = s->film.time_base, f = s->film.frame_rate;
    if (s->film.is_image)
        return 1;
    if (av->pkt_duration > 0)
        return av->pkt_duration;
    return f.num && t.num ? av_rescale(f.den, t.den, f.num * t.num) : 0;
}

/* Decodes one frame into s->next (NULL at the end). */
static int fetch(struct media_source *s, struct lip_error *err)
{
    if (s->at_end || (s->film.is_image && s->n_decoded > 0)) {
        s->at_end = true;
        return LIP_OK;
    }
    int got = s->raw->buf[0] ? 1 : decode(s, err);
    if (!got && s->restart) {
        got = restart_with_one_thread(s, err);
        if (!got)
            got = s->raw->buf[0] ? 1 : decode(s, err);
    }
    if (got <= 0) {
        s->at_end = !got;
        return got;
    }
    int64_t pts = pts_of(s, s->raw), duration = usual_duration(s, s->raw);
    struct data_frame *f = NULL;
    int r = media_import_frame(s->import, s->raw, &f, err);
    if (r)
        return r;
    f->pts = s->last_pts = pts;
    f->duration = duration;
    f->index = s->n_decoded;
    if (s->n_decoded >= 0)
        s->n_decoded++;
    s->next = f;
    return LIP_OK;
}

/* Opening -------------------------------------------------------------------------------------- */

static int undecodable(const struct media_source *s, struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_NO_VIDEO, "media/source",
                          "'%s' has a picture track, but not one frame of it can be decoded",
                          s->path);
}

/* Decodes the first frame and learns the form of the film from it. */
static int learn_form(struct media_source *s, struct lip_error *err)
{
    int got = decode(s, err);
    if (!got && s->restart) {
        close_decoder(s);
        s->n_threads = 1;
        int r = open_decoder(s, err);
        got = r ? r : decode(s, err);
    }
    if (got <= 0)
        return got < 0 ? got : undecodable(s, err);
    int r = media_import_create(s->raw, &s->import, err);
    if (r)
        return r;
    media_film_fill(&s->in, s->stream, s->raw, &s->film);
    const int32_t *matrix = media_film_matrix(s->in.fmt->streams[s->stream], s->raw);
    s->has_matrix = matrix;
    if (matrix)
        memcpy(s->matrix, matrix, sizeof s->matrix);
    const struct media_form *form = media_import_form(s->import);
    s->film.depth_bits = form->depth_bits;
    s->film.has_alpha = form->has_alpha;
    if (media_import_loss(s->import))
        base_log_print(s->log, BASE_LOG_WARN, "%s: %s (%s)", s->path, media_import_loss(s->import),
                       s->film.pixel_format);
    r = fetch(s, err);
    if (r)
        return r;
    s->film.colour = s->next->colour;
    s->film.start_pts = s->next->pts;
    s->started = true;
    return base_fs_identity(s->path, &s->film.identity, err);
}

int media_source_open(const char *path, const struct media_source_params *params,
                      struct media_source **ret_source, struct lip_error *err)
{
    if (!path || !ret_source)
        return base_error_arg(err, "media/source", "path");
    struct media_source *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, "media/source");
    s->n_threads = params ? params->n_threads : 0;
    s->log = params ? params->log : NULL;
    s->last_pts = INT64_MIN;
    s->path = base_strdup(path);
    s->synthetic = !strncmp(path, MEDIA_SYNTHETIC_PREFIX, strlen(MEDIA_SYNTHETIC_PREFIX));
    int r = s->path ? LIP_OK : base_error_nomem(err, "media/source");
    if (!r && s->synthetic)
        r = media_synthetic_parse(path, &s->film, err);
    else if (!r) {
        r = open_decoder(s, err);
        if (!r)
            r = learn_form(s, err);
    }
    if (r) {
        media_source_close(&s);
        return r;
    }
    *ret_source = s;
    return LIP_OK;
}

void media_source_close(struct media_source **source)
{
    if (!source || !*source)
        return;
    close_decoder(*source);
    media_import_destroy(&(*source)->import);
    base_free((*source)->path);
    base_free(*source);
    *source = NULL;
}

const struct data_film *media_source_film(const struct media_source *source)
{
    return &source->film;
}

const int32_t *media_source_matrix(const struct media_source *source)
{
    return source->has_matrix ? source->matrix : NULL;
}

int64_t media_source_n_damaged(const struct media_source *source)
{
    return source->n_damaged;
}

/* Reading -------------------------------------------------------------------------------------- */

static int read_drawn(struct media_source *s, struct data_frame **ret_frame, struct lip_error *err)
{
    if (s->drawn_at >= s->film.n_frames_guess) {
        *ret_frame = NULL;
        return LIP_OK;
    }
    int r = media_synthetic_draw(&s->film, s->drawn_at, ret_frame, err);
    if (r)
        return r;
    s->drawn_at++;
    if (s->n_given < 0)
        (*ret_frame)->index = -1;
    return LIP_OK;
}

int media_source_read(struct media_source *s, struct data_frame **ret_frame, struct lip_error *err)
{
    if (s->synthetic)
        return read_drawn(s, ret_frame, err);
    int r = s->started ? LIP_OK : fetch(s, err);
    if (r)
        return r;
    s->started = true;
    struct data_frame *f = s->next;
    s->next = NULL;
    if (f) {
        r = fetch(s, err);
        if (r) {
            s->next = f; /* the error is told; what was decoded is not lost */
            return r;
        }
        if (s->next)
            f->duration = s->next->pts - f->pts;
        else if (f->duration <= 0)
            f->duration = s->last_duration > 0 ? s->last_duration : 1;
        s->last_duration = f->duration;
        if (s->n_given >= 0)
            s->n_given++;
    }
    *ret_frame = f;
    return LIP_OK;
}

int media_source_rewind(struct media_source *s, struct lip_error *err)
{
    s->drawn_at = s->n_given = 0;
    if (s->synthetic)
        return LIP_OK;
    /* Opening again is the one way that gives the same frames for every container. */
    close_decoder(s);
    return open_decoder(s, err);
}

/* Positions before or at `pts` and decodes the first clean frame into s->next. */
static int seek_once(struct media_source *s, int64_t pts, struct lip_error *err)
{
    data_frame_unref(&s->next);
    avcodec_flush_buffers(s->dec);
    av_frame_unref(s->raw);
    s->pkt_waits = s->at_end = false;
    s->n_decoded = s->n_given = -1;
    s->last_pts = INT64_MIN;
    if (av_seek_frame(s->in.fmt, s->stream, pts, AVSEEK_FLAG_BACKWARD) < 0)
        return 1;
    int got = media_input_packet(&s->in, s->stream, s->pkt, &s->n_damaged, err);
    if (got <= 0)
        return got < 0 ? got : 1;
    /* Frames shown before the key frame lean on what was skipped: they would not be clean. */
    bool clean = s->pkt->flags & AV_PKT_FLAG_KEY && s->pkt->pts != AV_NOPTS_VALUE;
    int64_t key_pts = s->pkt->pts;
    s->pkt_waits = true;
    while (clean) {
        got = decode(s, err);
        if (got < 0)
            return got;
        if (!got)
            return 1;
        if (s->raw->best_effort_timestamp >= key_pts)
            break;
        av_frame_unref(s->raw);
    }
    return clean ? fetch(s, err) : 1;
}

int media_source_seek(struct media_source *s, int64_t pts, struct lip_error *err)
{
    if (s->synthetic) {
        int64_t n = s->film.n_frames_guess;
        s->drawn_at = pts < 0 ? 0 : pts > n ? n : pts;
        s->n_given = -1;
        return LIP_OK;
    }
    /* A container may find its key frame by decoding time and so come too late: then further
     * back */
    static const int back_s[] = {0, 1, 5};
    struct data_rational t = s->film.time_base;
    for (size_t i = 0; !s->film.is_image && i < sizeof back_s / sizeof *back_s; i++) {
        int64_t at = pts - av_rescale(back_s[i], t.den, t.num);
        if (at <= s->film.start_pts)
            break;
        int r = seek_once(s, at, err);
        if (r < 0)
            return r;
        if (s->restart)
            break;
        if (!r && s->next && s->next->pts <= pts) {
            s->started = true;
            return LIP_OK;
        }
    }
    return media_source_rewind(s, err);
}
