/* SPDX-License-Identifier: MIT
 *
 * What a film carries that an edited film cannot keep: found before any work, so that it is said
 * and not silently lost. */
#include <string.h>

#include "base/alloc.h"
#include "media/av.h"
#include "media/media.h"
#include "media/notes.h"

#define HEAD_BYTES ((size_t)1 << 18) /* of pictures and unknown containers: manifests stand early */
#define BOXES_MAX 4096
#define FRAMES_LOOKED_AT 4

/* C2PA specification, appendix A: uuid box of BMFF files, chunk of RIFF files. */
static const uint8_t c2pa_uuid[16] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                      0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};

static bool holds(const uint8_t *bytes, size_t n, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i + size <= n; i++)
        if (!memcmp(bytes + i, text, size))
            return true;
    return false;
}

static uint64_t number(const uint8_t *bytes, int n, bool big)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | bytes[big ? i : n - 1 - i];
    return v;
}

static bool read_at(AVIOContext *pb, int64_t at, uint8_t *bytes, int n)
{
    return avio_seek(pb, at, SEEK_SET) == at && avio_read(pb, bytes, n) == n;
}

/* Boxes or chunks one after another, from `at` on; sizes are a stranger's. */
static bool walk_boxes(AVIOContext *pb)
{
    uint8_t head[32];
    for (int64_t at = 0, n = 0; n < BOXES_MAX && read_at(pb, at, head, sizeof head); n++) {
        uint64_t size = number(head, 4, true);
        if (!memcmp(head + 4, "uuid", 4) &&
            !memcmp(head + (size == 1 ? 16 : 8), c2pa_uuid, sizeof c2pa_uuid))
            return true;
        if (size == 1)
            size = number(head + 8, 8, true);
        if (size < 8 || size > (uint64_t)(INT64_MAX - at))
            return false;
        at += (int64_t)size;
    }
    return false;
}

static bool walk_chunks(AVIOContext *pb)
{
    uint8_t head[8];
    for (int64_t at = 12, n = 0; n < BOXES_MAX && read_at(pb, at, head, sizeof head); n++) {
        if (!memcmp(head, "C2PA", 4))
            return true;
        at += 8 + (int64_t)number(head + 4, 4, false);
        at += at & 1;
    }
    return false;
}

bool media_notes_c2pa(AVIOContext *pb)
{
    uint8_t head[12];
    if (!read_at(pb, 0, head, sizeof head))
        return false;
    if (!memcmp(head, "RIFF", 4))
        return walk_chunks(pb);
    if (!memcmp(head + 4, "ftyp", 4) || !memcmp(head + 4, "moov", 4) ||
        !memcmp(head + 4, "mdat", 4) || !memcmp(head + 4, "wide", 4))
        return walk_boxes(pb);
    uint8_t *bytes = base_alloc(HEAD_BYTES);
    if (!bytes)
        return false;
    avio_seek(pb, 0, SEEK_SET);
    int n = avio_read(pb, bytes, (int)HEAD_BYTES);
    bool found = n > 0 && holds(bytes, (size_t)n, "jumb") && holds(bytes, (size_t)n, "c2pa");
    base_free(bytes);
    return found;
}

static unsigned notes_of_frame(const AVFrame *frame)
{
    unsigned notes = 0;
    if (av_frame_get_side_data(frame, AV_FRAME_DATA_DYNAMIC_HDR_PLUS))
        notes |= MEDIA_NOTE_HDR10_PLUS;
    if (av_frame_get_side_data(frame, AV_FRAME_DATA_DOVI_METADATA) ||
        av_frame_get_side_data(frame, AV_FRAME_DATA_DOVI_RPU_BUFFER))
        notes |= MEDIA_NOTE_DOLBY_VISION;
    if (frame->interlaced_frame)
        notes |= MEDIA_NOTE_INTERLACED;
    return notes;
}

/* The first frames: what stands in the pictures themselves. */
static unsigned notes_of_frames(struct media_input *in, int stream, const char *path)
{
    AVCodecContext *dec = NULL;
    AVPacket *pkt = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int64_t n_damaged = 0;
    unsigned notes = 0;
    struct lip_error quiet = {0};
    bool fine = pkt && frame &&
                !media_decoder_open(in->fmt->streams[stream], 1, path, &dec, &quiet);
    for (int n = 0; fine && n < FRAMES_LOOKED_AT;) {
        int av = avcodec_receive_frame(dec, frame);
        if (av >= 0) {
            notes |= notes_of_frame(frame);
            av_frame_unref(frame);
            n++;
            continue;
        }
        if (av != AVERROR(EAGAIN) || media_input_packet(in, stream, pkt, &n_damaged, &quiet) != 1)
            break;
        avcodec_send_packet(dec, pkt);
        av_packet_unref(pkt);
    }
    avcodec_free_context(&dec);
    av_packet_free(&pkt);
    av_frame_free(&frame);
    return notes;
}

unsigned media_notes_read(const char *path)
{
    struct lip_error quiet = {0};
    struct media_io *io = NULL;
    struct media_input in = {0};
    unsigned notes = 0;
    if (media_io_open_read(path, &io, &quiet)) /* a drawn film: there is no file */
        return 0;
    if (media_notes_c2pa(io->pb))
        notes |= MEDIA_NOTE_C2PA;
    media_io_close(&io, path, NULL);
    if (media_input_open(path, &in, &quiet))
        return notes;
    int stream = media_input_stream(&in, AVMEDIA_TYPE_VIDEO);
    if (stream >= 0) {
        if (av_stream_get_side_data(in.fmt->streams[stream], AV_PKT_DATA_DOVI_CONF, NULL))
            notes |= MEDIA_NOTE_DOLBY_VISION;
        notes |= notes_of_frames(&in, stream, path);
    }
    media_input_close(&in);
    return notes;
}
