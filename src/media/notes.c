/* SPDX-License-Identifier: MIT
 *
 * What a film carries that an edited film cannot keep: found before any work, so that it is said
 * and not silently lost. */
#include "media/av.h"
#include "media/media.h"
#include "media/notes.h"

#define FRAMES_LOOKED_AT 4

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
