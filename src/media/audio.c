/* SPDX-License-Identifier: MIT
 *
 * Sound for analysis: a track mixed to one channel and resampled. */
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "media/media.h"
#include "media/track.h"

struct media_audio {
    struct media_track *track;
    SwrContext *swr;
    AVFrame *frame;
    int rate_hz, track_rate_hz;
    int64_t n_in, n_out; /* samples read from the track, samples given out */
    bool at_end;
};

static int open_mixer(struct media_audio *a, struct lip_error *err)
{
    const struct media_track_info *info = media_track_info(a->track);
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO, from = info->layout; /* borrowed */
    int av = swr_alloc_set_opts2(&a->swr, &mono, AV_SAMPLE_FMT_FLTP, a->rate_hz, &from,
                                 AV_SAMPLE_FMT_FLTP, info->rate_hz, 0, NULL);
    if (av >= 0) /* the channels' weights sum to one: a mix never clips */
        av = av_opt_set_double(a->swr, "rematrix_maxval", 1.0, 0);
    if (av >= 0)
        av = swr_init(a->swr);
    if (av >= 0)
        return LIP_OK;
    if (av == AVERROR(ENOMEM))
        return base_error_nomem(err, "media/audio");
    return base_error_set(err, LIP_ERR_UNSUPPORTED, "media/audio",
                          "the sound's %d channels cannot be mixed to one", info->n_channels);
}

int media_audio_open(const char *path, int rate_hz, struct media_audio **ret_audio,
                     struct lip_error *err)
{
    if (!path || rate_hz < 1000 || rate_hz > 384000 || !ret_audio)
        return base_error_arg(err, "media/audio", "path or rate");
    struct media_audio *a = base_alloc_zero(sizeof *a);
    if (!a)
        return base_error_nomem(err, "media/audio");
    a->rate_hz = rate_hz;
    int r = media_track_open(path, &a->track, err);
    if (!r) {
        a->track_rate_hz = media_track_info(a->track)->rate_hz;
        a->frame = av_frame_alloc();
        r = a->frame ? open_mixer(a, err) : base_error_nomem(err, "media/audio");
    }
    if (r) {
        media_audio_close(&a);
        return r;
    }
    *ret_audio = a;
    return LIP_OK;
}

void media_audio_close(struct media_audio **audio)
{
    if (!audio || !*audio)
        return;
    media_track_close(&(*audio)->track);
    swr_free(&(*audio)->swr);
    av_frame_free(&(*audio)->frame);
    base_free(*audio);
    *audio = NULL;
}

/* How many samples there may be by now: the resampler's tail is cut, so that n samples at rate r
 * become round(n * rate_hz / r). */
static int64_t allowance(const struct media_audio *a)
{
    return av_rescale(a->n_in, a->rate_hz, a->track_rate_hz) - a->n_out;
}

int media_audio_read(struct media_audio *a, float *ret_samples, size_t n, size_t *ret_got,
                     struct lip_error *err)
{
    size_t got = 0;
    while (got < n) {
        int64_t room = (int64_t)(n - got);
        if (a->at_end && room > allowance(a))
            room = allowance(a);
        room = room > 1 << 20 ? 1 << 20 : room;
        uint8_t *out = (uint8_t *)(ret_samples + got);
        int k = room > 0 ? swr_convert(a->swr, &out, (int)room, NULL, 0) : 0;
        if (k < 0)
            return base_error_nomem(err, "media/audio");
        got += (size_t)k;
        a->n_out += k;
        if (k)
            continue;
        if (a->at_end) { /* what the resampler kept back is silence of a few samples */
            for (; got < n && allowance(a) > 0; a->n_out++)
                ret_samples[got++] = 0;
            break;
        }
        int r = media_track_read(a->track, a->frame, err);
        if (r < 0)
            return r;
        a->at_end = !r;
        a->n_in += r ? a->frame->nb_samples : 0;
        if (swr_convert(a->swr, NULL, 0, r ? (const uint8_t **)a->frame->extended_data : NULL,
                        r ? a->frame->nb_samples : 0) < 0)
            return base_error_nomem(err, "media/audio");
    }
    *ret_got = got;
    return LIP_OK;
}

int media_audio_measure(const char *path, struct media_audio_info *ret_info, struct lip_error *err)
{
    struct media_track *track = NULL;
    int r = path && ret_info ? media_track_open(path, &track, err)
                             : base_error_arg(err, "media/audio", "path");
    if (r)
        return r;
    const struct media_track_info *info = media_track_info(track);
    struct media_audio_info out = {.rate_hz = info->rate_hz, .n_channels = info->n_channels};
    snprintf(out.codec, sizeof out.codec, "%s", avcodec_get_name(info->par->codec_id));
    AVFrame *frame = av_frame_alloc();
    int64_t n = 0;
    int got = frame ? 1 : base_error_nomem(err, "media/audio");
    while (got > 0) {
        got = media_track_read(track, frame, err);
        n += got > 0 ? frame->nb_samples : 0;
    }
    av_frame_free(&frame);
    media_track_close(&track);
    if (got < 0)
        return got;
    out.n_samples = n;
    out.duration_us = av_rescale(n, AV_TIME_BASE, out.rate_hz);
    *ret_info = out;
    return LIP_OK;
}
