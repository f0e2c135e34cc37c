/* SPDX-License-Identifier: MIT
 *
 * A sound track as one unbroken run of samples from time 0 on, at its own rate and channels. */
#ifndef MEDIA_TRACK_H
#define MEDIA_TRACK_H

#include <libavutil/frame.h>

#include "media/av.h"

struct media_track;

struct media_track_info {
    int rate_hz, n_channels;
    AVChannelLayout layout;        /* owned by the track */
    const AVCodecParameters *par;  /* owned by the track */
    const AVDictionary *metadata;  /* owned by the track */
    AVRational time_base;
    int stream;
    int64_t origin_us; /* the file's time that is 0 here: its first picture, or its first sample */
    int64_t first_at;  /* where its first sample lies, in samples; below 0 is cut away */
};

/* Errors as media_audio_open. */
int media_track_open(const char *path, struct media_track **ret_track, struct lip_error *err);
void media_track_close(struct media_track **track);
const struct media_track_info *media_track_info(const struct media_track *track);
/* The next samples, planar float; gaps are filled with silence, what lies before time 0 is cut.
 * 1: *frame is filled, 0: the end, negative: LIP_ERR_. */
int media_track_read(struct media_track *track, AVFrame *frame, struct lip_error *err);

#endif
