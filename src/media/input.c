/* SPDX-License-Identifier: MIT */
#include <libavutil/avstring.h>
#include <string.h>

#include "base/thread.h"
#include "media/av.h"
#include "media/media.h"

#define PROBE_BYTES (10 << 20)   /* enough for the slowest headers seen (transport streams) */
#define PROBE_FORMAT_BYTES (1 << 20)
#define PROBE_TIME_US 10000000
#define STREAMS_MAX 100
#define DAMAGE_RUN_MAX 1000      /* read errors in a row before the rest is given up */

/* Demuxers that open other files or addresses, or that see a film in a text. */
static const char refused[] =
    "hls,applehttp,concat,concatf,dash,webm_dash_manifest,sdp,rtsp,rtp,sap,imf,lavfi,image2,"
    "vobsub,vapoursynth,avisynth,ffmetadata,redir";
static const char text_art[] = "tty,bin,adf,idf,xbin";

static int refuse_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                       AVDictionary **options)
{
    (void)s, (void)pb, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

static int bad_file(struct media_input *in, int av, const char *path, struct lip_error *err)
{
    if (in->io->failed)
        return base_error_set(err, LIP_ERR_IO, "media/input", "cannot read '%s': %s", path,
                              strerror(in->io->failed));
    if (av == AVERROR(ENOMEM))
        return base_error_nomem(err, "media/input");
    return base_error_set(err, LIP_ERR_FORMAT, "media/input",
                          "'%s' is damaged or incomplete: its %s header cannot be read", path,
                          in->fmt && in->fmt->iformat ? in->fmt->iformat->name : "file");
}

static int find_format(struct media_input *in, const char *path, const AVInputFormat **ret_format,
                       struct lip_error *err)
{
    const AVInputFormat *format = NULL;
    /* No name is handed over: what a file is called does not decide what it is. */
    int r = av_probe_input_buffer2(in->io->pb, &format, "", NULL, 0, PROBE_FORMAT_BYTES);
    if (r < 0 && in->io->failed)
        return bad_file(in, r, path, err);
    if (r == AVERROR(ENOMEM))
        return base_error_nomem(err, "media/input");
    if (r < 0 || !format || av_match_name(format->name, text_art))
        return base_error_set(err, LIP_ERR_FORMAT, "media/input",
                              "'%s' is not a media file of a known kind", path);
    if (av_match_name(format->name, refused))
        return base_error_set(
            err, LIP_ERR_UNSUPPORTED, "media/input",
            "'%s' is a list that points to other files (%s); give the film itself", path,
            format->name);
    *ret_format = format;
    return LIP_OK;
}

static int set_limits(AVFormatContext *fmt)
{
    fmt->io_open = refuse_open;
    fmt->probesize = PROBE_BYTES;
    fmt->max_analyze_duration = PROBE_TIME_US;
    fmt->max_streams = STREAMS_MAX;
    fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    /* No protocol has this name: also demuxers that open by themselves are stopped. */
    fmt->protocol_whitelist = av_strdup("none");
    return fmt->protocol_whitelist ? 0 : AVERROR(ENOMEM);
}

int media_input_open(const char *path, struct media_input *ret_input, struct lip_error *err)
{
    media_av_quiet();
    struct media_input in = {0};
    const AVInputFormat *format = NULL;
    int r = media_io_open_read(path, &in.io, err);
    if (!r)
        r = find_format(&in, path, &format, err);
    if (r)
        goto fail;
    in.fmt = avformat_alloc_context();
    if (!in.fmt || set_limits(in.fmt) < 0) {
        r = base_error_nomem(err, "media/input");
        goto fail;
    }
    in.fmt->pb = in.io->pb;
    AVDictionary *options = NULL; /* only mov and mp4 know it: their XMP as metadata */
    int av = av_dict_set(&options, "export_xmp", "1", 0);
    if (av >= 0)
        av = avformat_open_input(&in.fmt, "", format, &options); /* frees fmt when it fails */
    av_dict_free(&options);
    if (av >= 0) {
        av_format_inject_global_side_data(in.fmt); /* HDR data of the container reach the frames */
        av = avformat_find_stream_info(in.fmt, NULL);
    }
    if (av < 0 || in.io->failed) {
        r = bad_file(&in, av, path, err);
        goto fail;
    }
    *ret_input = in;
    return LIP_OK;
fail:
    media_input_close(&in);
    return r;
}

void media_input_close(struct media_input *input)
{
    avformat_close_input(&input->fmt);
    media_io_close(&input->io, "", NULL);
}

bool media_input_is_image(const struct media_input *input)
{
    const char *name = input->fmt->iformat->name;
    size_t n = strlen(name);
    return n > 5 && !strcmp(name + n - 5, "_pipe");
}

/* Higher is better, 0: not usable. */
static int64_t stream_rank(const AVStream *st, enum AVMediaType type)
{
    const AVCodecParameters *par = st->codecpar;
    if (par->codec_type != type || !avcodec_find_decoder(par->codec_id))
        return 0;
    if (st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS))
        return 0; /* cover art is not a film */
    int64_t rank = 1;
    if (type == AVMEDIA_TYPE_VIDEO)
        rank += (int64_t)par->width * par->height;
    if (st->disposition & AV_DISPOSITION_DEFAULT)
        rank += (int64_t)1 << 40;
    return rank;
}

int media_input_stream(const struct media_input *input, enum AVMediaType type)
{
    int best = -1;
    int64_t best_rank = 0;
    for (unsigned i = 0; i < input->fmt->nb_streams; i++) {
        int64_t rank = stream_rank(input->fmt->streams[i], type);
        if (rank > best_rank) { /* the first of equals */
            best_rank = rank;
            best = (int)i;
        }
    }
    return best;
}

/* FFmpeg's own VP8 and VP9 decoders drop the alpha plane; libvpx's keep it. */
static const AVCodec *choose_decoder(const AVStream *st)
{
    const AVDictionaryEntry *alpha = av_dict_get(st->metadata, "alpha_mode", NULL, 0);
    const AVCodec *codec = NULL;
    if (alpha && !strcmp(alpha->value, "1")) {
        if (st->codecpar->codec_id == AV_CODEC_ID_VP9)
            codec = avcodec_find_decoder_by_name("libvpx-vp9");
        else if (st->codecpar->codec_id == AV_CODEC_ID_VP8)
            codec = avcodec_find_decoder_by_name("libvpx");
    }
    return codec ? codec : avcodec_find_decoder(st->codecpar->codec_id);
}

/* Every thread holds a frame of its own: fewer of them for large pictures. */
static int thread_count(const AVCodecParameters *par, int n_threads)
{
    int n = n_threads > 0 ? n_threads : base_cpu_count();
    int max = (int64_t)par->width * par->height > 2560 * 1440 ? 6 : 16;
    return n < max ? n : max;
}

int media_decoder_open(const AVStream *stream, int n_threads, const char *path,
                       AVCodecContext **ret_decoder, struct lip_error *err)
{
    const AVCodec *codec = choose_decoder(stream);
    if (!codec)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/decode",
                              "'%s' is coded with %s, which this FFmpeg cannot decode", path,
                              avcodec_get_name(stream->codecpar->codec_id));
    AVCodecContext *dec = avcodec_alloc_context3(codec);
    int av = dec ? avcodec_parameters_to_context(dec, stream->codecpar) : AVERROR(ENOMEM);
    if (av >= 0) {
        dec->pkt_timebase = stream->time_base;
        dec->thread_count = thread_count(stream->codecpar, n_threads);
        dec->max_pixels = MEDIA_PIXELS_MAX;
        if (dec->thread_count > 1) /* tell of damage at once: source.c begins anew then */
            dec->err_recognition |= AV_EF_EXPLODE;
        dec->flags |= AV_CODEC_FLAG_UNALIGNED; /* else odd cropping is rounded to aligned rows */
        av = avcodec_open2(dec, codec, NULL);
    }
    if (av < 0) {
        avcodec_free_context(&dec);
        return media_av_error(err, LIP_ERR_UNSUPPORTED, "media/decode", av,
                              "cannot start the decoder for", path);
    }
    *ret_decoder = dec;
    return LIP_OK;
}

int media_input_packet(struct media_input *input, int stream, AVPacket *pkt, int64_t *n_damaged,
                       struct lip_error *err)
{
    for (int run = 0; run < DAMAGE_RUN_MAX;) {
        int av = av_read_frame(input->fmt, pkt);
        if (av == AVERROR(ENOMEM))
            return base_error_nomem(err, "media/read");
        if (input->io->failed) {
            av_packet_unref(pkt);
            return base_error_set(err, LIP_ERR_IO, "media/read", "reading failed: %s",
                                  strerror(input->io->failed));
        }
        if (av == AVERROR_EOF)
            return 0;
        if (av < 0) {
            ++*n_damaged;
            run++;
            continue;
        }
        if (pkt->stream_index == stream)
            return 1;
        av_packet_unref(pkt);
    }
    return 0;
}
