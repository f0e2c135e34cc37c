/* SPDX-License-Identifier: MIT
 *
 * The film's own coded pictures become parts. Streams of two encoders lie in one track then: in
 * H.264 and HEVC all parameter sets stand in the track's header under ids that do not clash, other
 * codecs say in each key picture all that is needed. */
#include "media/copier.h"

#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/encoder.h"
#include "media/join.h"
#include "media/nal.h"
#include "media/partfile.h"
#include "media/pixels.h"
#include "media/synthetic.h"

#define WHERE "media/copy"
#define UNITS_MAX ((size_t)4 * 1000 * 1000) /* as many as a film may have frames */
#define ASK_EVERY 256 /* packets between two looks at the cancel flag */

struct media_copier {
    char *path;
    struct media_input in;
    int stream;
    enum AVCodecID codec;
    int length_bytes;         /* of the lengths in its packets, 0: start codes */
    struct base_buffer sets;  /* its parameter sets */
    int free_id;
    struct media_part_header header;
    struct media_unit *units;
    size_t n_units, cap_units;
    AVPacket *pkt;
    bool waits;               /* pkt is the next one */
    size_t at;                /* the unit that the next packet belongs to */
    struct base_buffer bytes; /* a picture in the form of parts */
};

static bool has_nals(enum AVCodecID id)
{
    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC;
}

/* Whether it can be done ----------------------------------------------------------------------- */

static bool refuse(char *ret_why, size_t cap, const char *why)
{
    snprintf(ret_why, cap, "%s", why);
    return false;
}

static bool form_fits(const struct media_copier_params *p, const struct data_film *film,
                      enum media_codec codec, char *ret_why, size_t cap)
{
    struct media_choice choice;
    struct media_form want = media_form_of_frame(p->like), got, own;
    char loss[160];
    enum AVPixelFormat source = av_get_pix_fmt(film->pixel_format);
    if (media_encoder_choose(codec, p->encode->quality, film, p->like, &choice, loss, sizeof loss,
                             NULL) ||
        !media_form_of_format(choice.format, &got) || !media_form_of_format(source, &own))
        return refuse(ret_why, cap, "the film's pixel format is an unusual one");
    if (codec == MEDIA_CODEC_PRORES && got.depth_bits < want.depth_bits)
        got.depth_bits = want.depth_bits; /* FFmpeg reads 12 bits and writes 10, of the same kind */
    if (!media_form_same(&got, &want) || !media_form_same(&own, &want))
        return refuse(ret_why, cap, "the result has another pixel format than the film");
    if (want.has_alpha && codec == MEDIA_CODEC_VP9)
        return refuse(ret_why, cap, "VP9 keeps transparency in a stream of its own");
    if (film->interlaced && codec == MEDIA_CODEC_HEVC)
        return refuse(ret_why, cap, "the film is interlaced HEVC");
    return true;
}

static bool is_possible(const struct media_copier_params *p, const struct data_film *film,
                        char *ret_why, size_t cap)
{
    if (film->is_image ||
        !strncmp(p->film, MEDIA_SYNTHETIC_PREFIX, strlen(MEDIA_SYNTHETIC_PREFIX)))
        return refuse(ret_why, cap, "the film is not a coded one");
    enum media_codec codec = media_codec_of(p->encode->codec, film, p->encode->output);
    const char *name = avcodec_get_name(media_encoder_codec_id(codec));
    if (strcmp(film->codec, name)) {
        snprintf(ret_why, cap, "the film is coded as %s, the result as %s", film->codec, name);
        return false;
    }
    enum media_container c = media_container_of(p->encode->output);
    if (c != MEDIA_MP4 && c != MEDIA_MOV && c != MEDIA_MKV && c != MEDIA_WEBM)
        return refuse(ret_why, cap, "AVI and NUT do not keep the times of reordered pictures");
    return form_fits(p, film, codec, ret_why, cap);
}

/* FFV1 and ProRes say in the track's header what a decoder needs: it must be that of our own. */
static bool header_fits(const struct media_copier_params *p, const struct data_film *film,
                        const AVCodecParameters *own, char *ret_why, size_t cap)
{
    enum media_codec codec = media_codec_of(p->encode->codec, film, p->encode->output);
    if (codec != MEDIA_CODEC_FFV1 && codec != MEDIA_CODEC_PRORES)
        return true;
    struct media_choice choice;
    char loss[160];
    AVCodecContext *enc = NULL;
    if (media_encoder_choose(codec, p->encode->quality, film, p->like, &choice, loss, sizeof loss,
                             NULL) ||
        media_encoder_open(&choice, codec, p->encode, film, p->like, &enc, NULL))
        return refuse(ret_why, cap, "the encoder cannot be started");
    bool same = codec == MEDIA_CODEC_PRORES
                    ? enc->codec_tag == own->codec_tag
                    : enc->extradata_size == own->extradata_size && own->extradata_size > 0 &&
                          !memcmp(enc->extradata, own->extradata, (size_t)own->extradata_size);
    avcodec_free_context(&enc);
    return same || refuse(ret_why, cap, "the film is coded with other settings than the result");
}

/* 1: fine, 0: ret_why says why not, LIP_ERR_NOMEM. */
static int take_sets(struct media_copier *c, const AVCodecParameters *par, char *ret_why,
                     size_t cap)
{
    if (!has_nals(c->codec))
        return 1;
    int r = media_nal_sets(c->codec, par->extradata, (size_t)par->extradata_size, &c->sets,
                           &c->length_bytes);
    if (r == LIP_ERR_NOMEM)
        return r;
    uint32_t ids = media_nal_ids(c->codec, &c->sets);
    c->free_id = c->codec == AV_CODEC_ID_HEVC ? MEDIA_NAL_HEVC_ID : 1;
    while (c->codec == AV_CODEC_ID_H264 && c->free_id < 31 && ids >> c->free_id & 1)
        c->free_id++;
    if (r || ids >> c->free_id & 1)
        return refuse(ret_why, cap, "the film's parameter sets leave no room for others");
    return 1;
}

static int copy_extradata(AVCodecParameters *par, const uint8_t *bytes, size_t n)
{
    av_freep(&par->extradata);
    par->extradata_size = 0;
    if (!n)
        return 0;
    par->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!par->extradata)
        return AVERROR(ENOMEM);
    memcpy(par->extradata, bytes, n);
    par->extradata_size = (int)n;
    return 0;
}

static int fill_header(struct media_copier *c, const struct media_copier_params *p,
                       const struct data_film *film, struct lip_error *err)
{
    const AVStream *st = c->in.fmt->streams[c->stream];
    struct media_part_header *h = &c->header;
    h->copied = true;
    h->time_base = (AVRational){(int)film->time_base.num, (int)film->time_base.den};
    h->frame_rate = media_encoder_rate(film);
    h->par = avcodec_parameters_alloc();
    if (!h->par || avcodec_parameters_copy(h->par, st->codecpar) < 0 ||
        media_part_header_light(h, p->like) ||
        (has_nals(c->codec) && copy_extradata(h->par, c->sets.data, c->sets.size) < 0))
        return base_error_nomem(err, WHERE);
    h->par->format = av_get_pix_fmt(film->pixel_format);
    h->par->width = film->width_px;
    h->par->height = film->height_px;
    if (c->codec != AV_CODEC_ID_PRORES)
        h->par->codec_tag = 0;
    h->par->sample_aspect_ratio =
        (AVRational){(int)film->sample_aspect.num, (int)film->sample_aspect.den};
    return LIP_OK;
}

/* Units ---------------------------------------------------------------------------------------- */

/* 1: c->pkt is the next picture, 0: the end, LIP_ERR_. */
static int next_packet(struct media_copier *c, struct lip_error *err)
{
    if (c->waits) {
        c->waits = false;
        return 1;
    }
    int64_t n_damaged = 0;
    av_packet_unref(c->pkt);
    int got = media_input_packet(&c->in, c->stream, c->pkt, &n_damaged, err);
    if (got == 1 && n_damaged)
        c->pkt->flags |= AV_PKT_FLAG_CORRUPT;
    return got;
}

static bool look(const struct media_copier *c, enum media_nal_start *ret_start)
{
    const AVPacket *pkt = c->pkt;
    if (has_nals(c->codec))
        return media_nal_look(c->codec, pkt->data, (size_t)pkt->size, c->length_bytes, &c->sets,
                              ret_start);
    *ret_start = pkt->flags & AV_PKT_FLAG_KEY ? MEDIA_NAL_CLOSED : MEDIA_NAL_NO_START;
    return true;
}

static void add_to_run(struct media_unit_run *run, int64_t pts)
{
    if (!run->n || pts < run->first_pts)
        run->first_pts = pts;
    run->sum += media_unit_mark(pts);
    run->n++;
}

/* Adds c->pkt to the last unit, or begins one. 0 or LIP_ERR_. */
static int note_packet(struct media_copier *c)
{
    enum media_nal_start start = MEDIA_NAL_NO_START;
    bool known = look(c, &start);
    bool begins = start == MEDIA_NAL_CLOSED || start == MEDIA_NAL_OPEN;
    if (begins || !c->n_units) {
        int r = base_grow(&c->units, &c->cap_units, c->n_units + 1, UNITS_MAX, sizeof *c->units);
        if (r)
            return r;
        c->units[c->n_units++] = (struct media_unit){.usable = begins};
    }
    struct media_unit *u = &c->units[c->n_units - 1];
    u->n_packets++;
    const AVPacket *pkt = c->pkt;
    if (!known || pkt->pts == AV_NOPTS_VALUE ||
        pkt->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT) ||
        av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, NULL)) {
        u->usable = false;
        return LIP_OK;
    }
    add_to_run(start == MEDIA_NAL_LEANING ? &u->leaning : &u->shown, pkt->pts);
    return LIP_OK;
}

static int find_units(struct media_copier *c, const struct media_copier_params *p,
                      struct lip_error *err)
{
    for (int64_t n = 0;; n++) {
        int got = next_packet(c, err);
        if (got <= 0)
            return got;
        if (note_packet(c))
            return base_error_nomem(err, WHERE);
        if (n % ASK_EVERY == 0 && p->cancelled && p->cancelled(p->user))
            return base_error_set(err, LIP_ERR_CANCELLED, WHERE, "cancelled");
    }
}

/* Opening -------------------------------------------------------------------------------------- */

static int open_input(struct media_copier *c, struct lip_error *err)
{
    media_input_close(&c->in);
    int r = media_input_open(c->path, &c->in, err);
    if (r)
        return r;
    c->stream = media_input_stream(&c->in, AVMEDIA_TYPE_VIDEO);
    if (c->stream < 0)
        return base_error_set(err, LIP_ERR_NO_VIDEO, WHERE, "'%s' has no film in it", c->path);
    for (unsigned i = 0; i < c->in.fmt->nb_streams; i++)
        c->in.fmt->streams[i]->discard = (int)i == c->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    c->codec = c->in.fmt->streams[c->stream]->codecpar->codec_id;
    c->at = 0;
    c->waits = false;
    return LIP_OK;
}

/* 1: opened, 0: nothing can be copied, LIP_ERR_. */
static int open_copier(struct media_copier *c, const struct media_copier_params *p,
                       const struct data_film *film, char *ret_why, size_t cap,
                       struct lip_error *err)
{
    base_buffer_init(&c->sets, MEDIA_NAL_SETS_MAX);
    base_buffer_init(&c->bytes, MEDIA_PART_PICTURE_MAX);
    c->path = base_strdup(p->film);
    c->pkt = av_packet_alloc();
    if (!c->path || !c->pkt)
        return base_error_nomem(err, WHERE);
    int r = open_input(c, err);
    if (r)
        return r;
    const AVCodecParameters *par = c->in.fmt->streams[c->stream]->codecpar;
    if (!header_fits(p, film, par, ret_why, cap))
        return 0;
    r = take_sets(c, par, ret_why, cap);
    if (r <= 0)
        return r ? base_error_nomem(err, WHERE) : 0;
    r = fill_header(c, p, film, err);
    if (!r)
        r = find_units(c, p, err);
    if (!r)
        r = open_input(c, err);
    return r ? r : 1;
}

int media_copier_open(const struct media_copier_params *params, const struct data_film *film,
                      struct media_copier **ret_copier, char *ret_why, size_t cap,
                      struct lip_error *err)
{
    ret_why[0] = 0;
    *ret_copier = NULL;
    if (!is_possible(params, film, ret_why, cap))
        return LIP_OK;
    struct media_copier *c = base_alloc_zero(sizeof *c);
    if (!c)
        return base_error_nomem(err, WHERE);
    int r = open_copier(c, params, film, ret_why, cap, err);
    if (r <= 0)
        media_copier_close(&c);
    else
        *ret_copier = c;
    return r < 0 ? r : LIP_OK;
}

void media_copier_close(struct media_copier **copier)
{
    if (!copier || !*copier)
        return;
    struct media_copier *c = *copier;
    media_input_close(&c->in);
    av_packet_free(&c->pkt);
    media_part_header_done(&c->header);
    base_buffer_done(&c->sets);
    base_buffer_done(&c->bytes);
    base_free(c->units);
    base_free(c->path);
    base_free(c);
    *copier = NULL;
}

const struct media_unit *media_copier_units(const struct media_copier *copier, size_t *ret_n)
{
    *ret_n = copier->n_units;
    return copier->units;
}

int media_copier_free_id(const struct media_copier *copier)
{
    return copier->free_id;
}

/* Writing -------------------------------------------------------------------------------------- */

/* Reads on to the first packet of a unit. */
static int go_to(struct media_copier *c, size_t unit, struct lip_error *err)
{
    int r = unit < c->at ? open_input(c, err) : LIP_OK;
    for (; !r && c->at < unit; c->at++)
        for (int64_t i = 0; !r && i < c->units[c->at].n_packets; i++) {
            int got = next_packet(c, err);
            r = got == 1 ? LIP_OK : got ? got : LIP_ERR_STATE;
        }
    return r;
}

static int put_packet(struct media_copier *c, struct media_io *io, bool cut,
                      struct media_part_tally *tally)
{
    AVPacket view = *c->pkt;
    view.flags &= AV_PKT_FLAG_KEY;
    if (has_nals(c->codec)) {
        enum media_nal_start start = MEDIA_NAL_NO_START;
        look(c, &start);
        if (cut && start == MEDIA_NAL_LEANING)
            return 0;
        if (media_nal_rewrite(c->codec, view.data, (size_t)view.size, c->length_bytes, cut,
                              &c->bytes))
            return AVERROR(ENOMEM);
        view.data = c->bytes.data;
        view.size = (int)c->bytes.size;
    }
    media_part_tally_add(tally, &view);
    return media_part_put_picture(io->pb, &view);
}

static int put_units(struct media_copier *c, struct media_io *io, size_t n, int64_t shift,
                     int64_t last_duration, struct lip_error *err)
{
    struct media_part_tally tally = {0};
    size_t first = c->at;
    int av = 0;
    for (; c->at < first + n; c->at++)
        for (int64_t i = 0; i < c->units[c->at].n_packets; i++) {
            int got = next_packet(c, err);
            if (got != 1)
                return got ? got : LIP_ERR_STATE;
            c->pkt->pts += shift;
            av = put_packet(c, io, c->at == first, &tally);
            if (av < 0)
                return av == AVERROR(ENOMEM) ? LIP_ERR_NOMEM : LIP_ERR_IO;
        }
    tally.end.last_duration = last_duration;
    av = media_part_put_end(io->pb, &tally.end);
    return av == AVERROR(ENOMEM) ? LIP_ERR_NOMEM : av < 0 ? LIP_ERR_IO : LIP_OK;
}

static int put_header(struct media_copier *c, struct media_io *io)
{
    struct base_buffer b;
    base_buffer_init(&b, MEDIA_PART_HEADER_MAX);
    int r = media_part_header_write(&c->header, &b);
    if (!r && media_part_put_start(io->pb, &b) < 0)
        r = LIP_ERR_IO;
    base_buffer_done(&b);
    return r;
}

int media_copier_write(struct media_copier *c, const char *path, size_t first, size_t n,
                       int64_t shift, int64_t last_duration, struct lip_error *err)
{
    if (!n || first >= c->n_units || n > c->n_units - first)
        return base_error_arg(err, WHERE, "no such units");
    struct media_io *io = NULL;
    int r = media_io_open_write(path, &io, err);
    if (r)
        return r;
    r = put_header(c, io);
    if (!r)
        r = go_to(c, first, err);
    if (!r)
        r = put_units(c, io, n, shift, last_duration, err);
    int closed = media_io_close(&io, path, err);
    r = r ? r : closed;
    if (!r)
        return LIP_OK;
    base_fs_remove(path);
    if (r == LIP_ERR_NOMEM)
        return base_error_nomem(err, WHERE);
    if (r == LIP_ERR_STATE)
        return base_error_set(err, r, WHERE, "'%s' has changed while it was being read", c->path);
    return base_error_set(err, r, WHERE, "cannot write '%s'", path);
}
