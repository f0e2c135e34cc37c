/* SPDX-License-Identifier: MIT
 *
 * One part of the picture track on its way to the disk. */
#include <libavutil/pixdesc.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/encoder.h"
#include "media/media.h"
#include "media/nal.h"
#include "media/partfile.h"
#include "media/pixels.h"

#define WAITING_MAX 256 /* pictures inside an encoder: look-ahead, threads and reordering */

struct media_part {
    char *path;
    struct media_io *io;
    AVCodecContext *enc;
    struct media_export *xport;
    AVPacket *pkt;
    struct {
        int64_t pts, duration;
    } waiting[WAITING_MAX]; /* ring: durations of what went in, found again by pts */
    size_t n_in;
    bool moves_ids;
    struct base_buffer moved; /* the coded picture with other ids */
    struct media_part_header header;
    struct media_part_tally tally;
};

/* Ours get other ids than the film's, which may lie beside them. */
static int move_ids(struct media_part *p, const uint8_t *bytes, size_t n, struct lip_error *err)
{
    base_buffer_done(&p->moved);
    base_buffer_init(&p->moved, MEDIA_PART_PICTURE_MAX);
    return media_nal_move_ids(bytes, n, &p->moved) ? base_error_nomem(err, "media/part") : LIP_OK;
}

static int move_header_ids(struct media_part *p, struct lip_error *err)
{
    AVCodecParameters *par = p->header.par;
    int r = move_ids(p, par->extradata, (size_t)par->extradata_size, err);
    if (r)
        return r;
    uint8_t *extra = av_mallocz(p->moved.size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!extra)
        return base_error_nomem(err, "media/part");
    memcpy(extra, p->moved.data, p->moved.size);
    av_freep(&par->extradata);
    par->extradata = extra;
    par->extradata_size = (int)p->moved.size;
    return LIP_OK;
}

static int prepare_header(struct media_part *p, const struct data_frame *like,
                          struct lip_error *err)
{
    struct media_part_header *h = &p->header;
    h->par = avcodec_parameters_alloc();
    h->time_base = p->enc->time_base;
    h->frame_rate = p->enc->framerate;
    if (!h->par || avcodec_parameters_from_context(h->par, p->enc) < 0 ||
        media_part_header_light(h, like))
        return base_error_nomem(err, "media/part");
    return p->moves_ids ? move_header_ids(p, err) : LIP_OK;
}

/* With the first picture: some encoders (AV1) know their own header only then. */
static int write_start(struct media_part *p, struct lip_error *err)
{
    AVCodecParameters *par = p->header.par;
    size_t n = 0;
    const uint8_t *extra = av_packet_get_side_data(p->pkt, AV_PKT_DATA_NEW_EXTRADATA, &n);
    if (extra && n && !par->extradata_size) {
        par->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
        if (!par->extradata)
            return base_error_nomem(err, "media/part");
        memcpy(par->extradata, extra, n);
        par->extradata_size = (int)n;
    }
    struct base_buffer b;
    base_buffer_init(&b, MEDIA_PART_HEADER_MAX);
    int av = media_part_header_write(&p->header, &b) ? AVERROR(ENOMEM) : 0;
    if (av >= 0)
        av = media_part_put_start(p->io->pb, &b);
    base_buffer_done(&b);
    return av < 0 ? media_av_error(err, LIP_ERR_IO, "media/part", av, "cannot write", p->path)
                  : LIP_OK;
}

static int open_part(struct media_part *p, const struct data_film *film,
                     const struct data_frame *like, const struct media_encode_params *params,
                     struct lip_error *err)
{
    struct media_choice choice;
    char loss[160];
    enum media_codec codec = media_codec_of(params->codec, film, params->output);
    int r = media_encoder_choose(codec, params->quality, film, like, &choice, loss, sizeof loss,
                                 err);
    if (!r)
        r = media_encoder_open(&choice, codec, params, film, like, &p->enc, err);
    if (!r)
        r = media_export_create(like, choice.format, &p->xport, err);
    p->moves_ids = params->beside && codec == MEDIA_CODEC_HEVC;
    if (!r && !(p->pkt = av_packet_alloc()))
        r = base_error_nomem(err, "media/part");
    if (!r)
        r = media_io_open_write(p->path, &p->io, err);
    if (!r)
        r = prepare_header(p, like, err);
    if (!r && loss[0])
        base_log_print(params->log, BASE_LOG_WARN, "%s is written as %s%s", choice.codec->name,
                       av_get_pix_fmt_name(choice.format), loss);
    return r;
}

int media_part_open(const char *path, const struct data_film *film, const struct data_frame *like,
                    const struct media_encode_params *params, struct media_part **ret_part,
                    struct lip_error *err)
{
    if (!path || !film || !like || !params || !ret_part || params->quality < 0 ||
        params->quality > 100 || film->time_base.num <= 0 || film->time_base.den <= 0)
        return base_error_arg(err, "media/part", "path, film, frame or quality (0 to 100)");
    struct media_part *p = base_alloc_zero(sizeof *p);
    if (!p)
        return base_error_nomem(err, "media/part");
    p->path = base_strdup(path);
    int r = p->path ? open_part(p, film, like, params, err) : base_error_nomem(err, "media/part");
    if (r) {
        media_part_abort(&p);
        return r;
    }
    *ret_part = p;
    return LIP_OK;
}

static void free_part(struct media_part **part)
{
    struct media_part *p = *part;
    media_io_close(&p->io, p->path ? p->path : "", NULL);
    avcodec_free_context(&p->enc);
    media_export_destroy(&p->xport);
    av_packet_free(&p->pkt);
    media_part_header_done(&p->header);
    base_buffer_done(&p->moved);
    base_free(p->path);
    base_free(p);
    *part = NULL;
}

void media_part_abort(struct media_part **part)
{
    if (!part || !*part)
        return;
    if ((*part)->io) /* else nothing of ours lies there */
        base_fs_remove((*part)->path);
    free_part(part);
}

static int64_t duration_of(const struct media_part *p, int64_t pts)
{
    for (size_t i = 0; i < WAITING_MAX; i++)
        if (p->waiting[i].pts == pts && p->waiting[i].duration)
            return p->waiting[i].duration;
    return 0;
}

static int write_packet(struct media_part *p, struct lip_error *err)
{
    int r = p->tally.end.n_pictures ? LIP_OK : write_start(p, err);
    p->pkt->duration = duration_of(p, p->pkt->pts);
    media_part_tally_add(&p->tally, p->pkt);
    AVPacket view = *p->pkt;
    if (!r && p->moves_ids) {
        r = move_ids(p, p->pkt->data, (size_t)p->pkt->size, err);
        view.data = p->moved.data;
        view.size = (int)p->moved.size;
    }
    int av = r ? 0 : media_part_put_picture(p->io->pb, &view);
    base_buffer_done(&p->moved);
    av_packet_unref(p->pkt);
    if (r)
        return r;
    return av < 0 ? media_av_error(err, LIP_ERR_IO, "media/part", av, "cannot write", p->path)
                  : LIP_OK;
}

/* NULL flushes. */
static int encode(struct media_part *p, AVFrame *av_frame, struct lip_error *err)
{
    int av = avcodec_send_frame(p->enc, av_frame);
    while (av >= 0) {
        av = avcodec_receive_packet(p->enc, p->pkt);
        if (av == AVERROR(EAGAIN) || av == AVERROR_EOF)
            return LIP_OK;
        int r = av < 0 ? LIP_OK : write_packet(p, err);
        if (r)
            return r;
    }
    return media_av_error(err, LIP_ERR_ENCODER, "media/part", av, "the encoder failed for",
                          p->path);
}

int media_part_write(struct media_part *part, struct data_frame *frame, int64_t pts,
                     int64_t duration, struct lip_error *err)
{
    if (frame->width_px != part->enc->width || frame->height_px != part->enc->height)
        return base_error_arg(err, "media/part", "a frame of another size");
    AVFrame *av = NULL;
    int r = media_export_frame(part->xport, frame, &av, err);
    if (r)
        return r;
    av->pts = pts;
    av->pkt_duration = duration;
    size_t slot = part->n_in++ % WAITING_MAX;
    part->waiting[slot].pts = pts;
    part->waiting[slot].duration = duration;
    r = encode(part, av, err);
    av_frame_free(&av);
    return r;
}

int media_part_finish(struct media_part **part, struct lip_error *err)
{
    struct media_part *p = *part;
    int r = encode(p, NULL, err);
    if (!r && (p->tally.end.n_pictures != (int64_t)p->n_in || !p->n_in))
        r = base_error_set(err, LIP_ERR_ENCODER, "media/part",
                           "the encoder gave %lld pictures for %zu frames of '%s'",
                           (long long)p->tally.end.n_pictures, p->n_in, p->path);
    int av = r ? 0 : media_part_put_end(p->io->pb, &p->tally.end);
    if (av == AVERROR(ENOMEM))
        r = base_error_nomem(err, "media/part");
    else if (av < 0)
        r = LIP_ERR_IO; /* the sentence comes from closing */
    int closed = media_io_close(&p->io, p->path, err);
    r = r ? r : closed;
    if (r) {
        base_error_set(err, r, "media/part", "cannot write '%s'", p->path);
        base_fs_remove(p->path);
    }
    free_part(part);
    return r;
}

int media_part_check(const char *path, int64_t *ret_n_frames, struct lip_error *err)
{
    struct media_part_reader rd;
    int r = media_part_reader_open(path, &rd, err);
    if (r)
        return r;
    *ret_n_frames = rd.end.n_pictures;
    media_part_reader_close(&rd);
    return LIP_OK;
}
