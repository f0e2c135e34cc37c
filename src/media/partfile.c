/* SPDX-License-Identifier: MIT */
#include "media/partfile.h"

#include <libavutil/pixdesc.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/pixels.h"

#define MAGIC "lippart2"
#define PICTURE_MARK 0x31434950u /* "PIC1" */
#define END_MARK 0x31444e45u     /* "END1" */
#define END_BYTES (4 + 4 * 8 + 4 + 4)

static int damaged(const char *path, struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_FORMAT, "media/part", "the part '%s' is damaged", path);
}

/* Header --------------------------------------------------------------------------------------- */

static void put_blob(struct base_buffer *b, const void *bytes, size_t n)
{
    base_buffer_put_u32(b, (uint32_t)n);
    base_buffer_put(b, bytes, n);
}

int media_part_header_write(const struct media_part_header *h, struct base_buffer *b)
{
    const AVCodecParameters *p = h->par;
    const char *format = av_get_pix_fmt_name(p->format);
    base_buffer_put_string(b, avcodec_get_name(p->codec_id));
    base_buffer_put_string(b, format ? format : "");
    const int64_t numbers[] = {p->codec_tag,
                               p->width,
                               p->height,
                               p->profile,
                               p->level,
                               p->color_range,
                               p->color_primaries,
                               p->color_trc,
                               p->color_space,
                               p->chroma_location,
                               p->field_order,
                               p->sample_aspect_ratio.num,
                               p->sample_aspect_ratio.den,
                               p->bits_per_raw_sample,
                               p->bits_per_coded_sample,
                               h->time_base.num,
                               h->time_base.den,
                               h->frame_rate.num,
                               h->frame_rate.den,
                               h->copied};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        base_buffer_put_u64(b, (uint64_t)numbers[i]);
    put_blob(b, p->extradata, (size_t)p->extradata_size);
    put_blob(b, h->screen.data, h->screen.size);
    put_blob(b, h->light.data, h->light.size);
    return b->status;
}

static int take_int(struct base_reader *r)
{
    return (int)(int64_t)base_reader_u64(r);
}

static void take_numbers(struct base_reader *r, struct media_part_header *h)
{
    AVCodecParameters *p = h->par;
    p->codec_tag = (uint32_t)base_reader_u64(r);
    p->width = take_int(r);
    p->height = take_int(r);
    p->profile = take_int(r);
    p->level = take_int(r);
    p->color_range = take_int(r);
    p->color_primaries = take_int(r);
    p->color_trc = take_int(r);
    p->color_space = take_int(r);
    p->chroma_location = take_int(r);
    p->field_order = take_int(r);
    p->sample_aspect_ratio.num = take_int(r);
    p->sample_aspect_ratio.den = take_int(r);
    p->bits_per_raw_sample = take_int(r);
    p->bits_per_coded_sample = take_int(r);
    h->time_base.num = take_int(r);
    h->time_base.den = take_int(r);
    h->frame_rate.num = take_int(r);
    h->frame_rate.den = take_int(r);
    h->copied = take_int(r) != 0;
}

static int take_blob(struct base_reader *r, uint8_t **ret_data, size_t *ret_size)
{
    size_t n = base_reader_u32(r);
    const uint8_t *bytes = base_reader_take(r, n);
    if (!bytes || !n)
        return LIP_OK;
    *ret_data = base_alloc(n);
    if (!*ret_data)
        return LIP_ERR_NOMEM;
    memcpy(*ret_data, bytes, n);
    *ret_size = n;
    return LIP_OK;
}

static int take_extradata(struct base_reader *r, AVCodecParameters *p)
{
    size_t n = base_reader_u32(r);
    const uint8_t *bytes = base_reader_take(r, n);
    if (!bytes || !n)
        return LIP_OK;
    p->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!p->extradata)
        return LIP_ERR_NOMEM;
    memcpy(p->extradata, bytes, n);
    p->extradata_size = (int)n;
    return LIP_OK;
}

static bool is_sane(const struct media_part_header *h)
{
    const AVCodecParameters *p = h->par;
    return p->codec_id != AV_CODEC_ID_NONE && p->format != AV_PIX_FMT_NONE && p->width > 0 &&
           p->height > 0 && p->width <= MEDIA_SIDE_MAX_PX && p->height <= MEDIA_SIDE_MAX_PX &&
           p->sample_aspect_ratio.num >= 0 && p->sample_aspect_ratio.den >= 0 &&
           h->time_base.num > 0 && h->time_base.den > 0 && h->frame_rate.num > 0 &&
           h->frame_rate.den > 0;
}

int media_part_header_read(const uint8_t *bytes, size_t n, struct media_part_header *ret_header,
                           struct lip_error *err)
{
    struct media_part_header h = {.par = avcodec_parameters_alloc()};
    struct base_reader r;
    char name[64], format[64];
    base_reader_init(&r, bytes, n);
    base_reader_string(&r, name, sizeof name);
    base_reader_string(&r, format, sizeof format);
    const AVCodecDescriptor *d = avcodec_descriptor_get_by_name(name);
    int status = h.par ? LIP_OK : LIP_ERR_NOMEM;
    if (!status) {
        h.par->codec_type = AVMEDIA_TYPE_VIDEO;
        h.par->codec_id = d && d->type == AVMEDIA_TYPE_VIDEO ? d->id : AV_CODEC_ID_NONE;
        h.par->format = av_get_pix_fmt(format);
        take_numbers(&r, &h);
        status = take_extradata(&r, h.par);
    }
    if (!status)
        status = take_blob(&r, &h.screen.data, &h.screen.size);
    if (!status)
        status = take_blob(&r, &h.light.data, &h.light.size);
    if (!status && (r.failed || !is_sane(&h)))
        status = LIP_ERR_FORMAT;
    if (status) {
        media_part_header_done(&h);
        return base_error_set(err, status, "media/part", "a part's header is damaged");
    }
    *ret_header = h;
    return LIP_OK;
}

void media_part_header_done(struct media_part_header *header)
{
    avcodec_parameters_free(&header->par);
    base_free(header->screen.data);
    base_free(header->light.data);
    memset(header, 0, sizeof *header);
}

static int keep_side(const AVFrame *av, enum AVFrameSideDataType type, uint8_t **ret_data,
                     size_t *ret_size)
{
    const AVFrameSideData *sd = av ? av_frame_get_side_data(av, type) : NULL;
    if (!sd || !sd->size)
        return LIP_OK;
    *ret_data = base_alloc(sd->size);
    if (!*ret_data)
        return LIP_ERR_NOMEM;
    memcpy(*ret_data, sd->data, sd->size);
    *ret_size = sd->size;
    return LIP_OK;
}

int media_part_header_light(struct media_part_header *h, const struct data_frame *like)
{
    const AVFrame *av = media_frame_av(like);
    int r = keep_side(av, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, &h->screen.data,
                      &h->screen.size);
    return r ? r : keep_side(av, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, &h->light.data,
                             &h->light.size);
}

/* Writing -------------------------------------------------------------------------------------- */

int media_part_put_start(AVIOContext *pb, const struct base_buffer *header)
{
    avio_write(pb, (const uint8_t *)MAGIC, 8);
    avio_wl32(pb, (unsigned)header->size);
    avio_wl32(pb, base_checksum(header->data, header->size));
    avio_write(pb, header->data, (int)header->size);
    return pb->error;
}

int media_part_put_picture(AVIOContext *pb, const AVPacket *pkt)
{
    size_t n_side = 0;
    const uint8_t *side =
        av_packet_get_side_data(pkt, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, &n_side);
    avio_wl32(pb, PICTURE_MARK);
    avio_wl64(pb, (uint64_t)pkt->pts);
    avio_wl64(pb, (uint64_t)pkt->duration);
    avio_wl32(pb, (unsigned)pkt->flags);
    avio_wl32(pb, (unsigned)pkt->size);
    avio_wl32(pb, (unsigned)n_side);
    avio_wl32(pb, base_checksum(pkt->data, (size_t)pkt->size));
    avio_write(pb, pkt->data, pkt->size);
    avio_write(pb, side, (int)n_side);
    return pb->error;
}

int media_part_put_end(AVIOContext *pb, const struct media_part_end *end)
{
    struct base_buffer b;
    base_buffer_init(&b, END_BYTES);
    base_buffer_put_u32(&b, END_MARK);
    base_buffer_put_u64(&b, (uint64_t)end->n_pictures);
    base_buffer_put_u64(&b, (uint64_t)end->first_pts);
    base_buffer_put_u64(&b, (uint64_t)end->last_pts);
    base_buffer_put_u64(&b, (uint64_t)end->last_duration);
    base_buffer_put_u32(&b, end->delay);
    int r = b.status ? AVERROR(ENOMEM) : 0;
    if (!r) {
        base_buffer_put_u32(&b, base_checksum(b.data, b.size));
        avio_write(pb, b.data, (int)b.size);
        r = b.status ? AVERROR(ENOMEM) : pb->error;
    }
    base_buffer_done(&b);
    return r;
}

/* How many pictures came out before this one that are shown after it. */
static uint32_t count_later(const struct media_part_tally *t, int64_t pts)
{
    const int64_t ring = sizeof t->seen / sizeof *t->seen;
    int64_t n = t->end.n_pictures;
    uint32_t later = 0;
    for (int64_t i = n > ring ? n - ring : 0; i < n; i++)
        later += t->seen[i % ring] > pts;
    return later;
}

void media_part_tally_add(struct media_part_tally *t, const AVPacket *pkt)
{
    uint32_t later = count_later(t, pkt->pts);
    struct media_part_end *end = &t->end;
    if (later > end->delay)
        end->delay = later;
    if (!end->n_pictures || pkt->pts < end->first_pts)
        end->first_pts = pkt->pts;
    if (!end->n_pictures || pkt->pts >= end->last_pts) {
        end->last_pts = pkt->pts;
        end->last_duration = pkt->duration;
    }
    t->seen[end->n_pictures++ % (int64_t)(sizeof t->seen / sizeof *t->seen)] = pkt->pts;
}

/* Reading -------------------------------------------------------------------------------------- */

static bool read_exactly(AVIOContext *pb, uint8_t *bytes, size_t n)
{
    return n <= INT_MAX && avio_read(pb, bytes, (int)n) == (int)n;
}

static int read_end(struct media_part_reader *rd, struct lip_error *err)
{
    uint8_t bytes[END_BYTES];
    struct base_reader r;
    int64_t size = avio_size(rd->io->pb);
    if (size < END_BYTES || avio_seek(rd->io->pb, size - END_BYTES, SEEK_SET) < 0 ||
        !read_exactly(rd->io->pb, bytes, sizeof bytes))
        return damaged(rd->path, err);
    base_reader_init(&r, bytes, sizeof bytes);
    uint32_t mark = base_reader_u32(&r);
    rd->end.n_pictures = (int64_t)base_reader_u64(&r);
    rd->end.first_pts = (int64_t)base_reader_u64(&r);
    rd->end.last_pts = (int64_t)base_reader_u64(&r);
    rd->end.last_duration = (int64_t)base_reader_u64(&r);
    rd->end.delay = base_reader_u32(&r);
    if (mark != END_MARK || base_reader_u32(&r) != base_checksum(bytes, END_BYTES - 4) ||
        rd->end.n_pictures < 1 || rd->end.first_pts > rd->end.last_pts || rd->end.delay > 64)
        return damaged(rd->path, err);
    return LIP_OK;
}

static int read_start(struct media_part_reader *rd, struct lip_error *err)
{
    uint8_t magic[8];
    AVIOContext *pb = rd->io->pb;
    if (avio_seek(pb, 0, SEEK_SET) < 0 || !read_exactly(pb, magic, 8) || memcmp(magic, MAGIC, 8))
        return damaged(rd->path, err);
    size_t n = avio_rl32(pb);
    uint32_t sum = avio_rl32(pb);
    if (!n || n > MEDIA_PART_HEADER_MAX)
        return damaged(rd->path, err);
    rd->header = base_alloc(n);
    rd->header_size = n;
    if (!rd->header)
        return base_error_nomem(err, "media/part");
    if (!read_exactly(pb, rd->header, n) || base_checksum(rd->header, n) != sum)
        return damaged(rd->path, err);
    return LIP_OK;
}

int media_part_reader_open(const char *path, struct media_part_reader *ret_reader,
                           struct lip_error *err)
{
    struct media_part_reader rd = {.path = path};
    int r = media_io_open_read(path, &rd.io, err);
    if (!r)
        r = read_end(&rd, err);
    if (!r)
        r = read_start(&rd, err);
    if (r) {
        media_part_reader_close(&rd);
        return r;
    }
    *ret_reader = rd;
    return LIP_OK;
}

void media_part_reader_close(struct media_part_reader *reader)
{
    media_io_close(&reader->io, "", NULL);
    base_free(reader->header);
    reader->header = NULL;
}

int media_part_reader_next(struct media_part_reader *rd, AVPacket *pkt, struct lip_error *err)
{
    AVIOContext *pb = rd->io->pb;
    uint32_t mark = avio_rl32(pb);
    if (mark == END_MARK)
        return 0;
    int64_t pts = (int64_t)avio_rl64(pb), duration = (int64_t)avio_rl64(pb);
    uint32_t flags = avio_rl32(pb), n = avio_rl32(pb), n_side = avio_rl32(pb);
    uint32_t sum = avio_rl32(pb);
    int64_t left = avio_size(pb) - avio_tell(pb);
    if (mark != PICTURE_MARK || n > MEDIA_PART_PICTURE_MAX || n_side > MEDIA_PART_PICTURE_MAX ||
        (int64_t)n + n_side > left)
        return damaged(rd->path, err);
    int av = av_new_packet(pkt, (int)n);
    uint8_t *side = NULL;
    if (av >= 0 && n_side &&
        !(side = av_packet_new_side_data(pkt, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, n_side)))
        av = AVERROR(ENOMEM);
    if (av < 0) {
        av_packet_unref(pkt);
        return base_error_nomem(err, "media/part");
    }
    if (!read_exactly(pb, pkt->data, n) || (side && !read_exactly(pb, side, n_side)) ||
        base_checksum(pkt->data, n) != sum) {
        av_packet_unref(pkt);
        return damaged(rd->path, err);
    }
    pkt->pts = pts;
    pkt->duration = duration;
    pkt->flags = flags & AV_PKT_FLAG_KEY;
    return 1;
}
