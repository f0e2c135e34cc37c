/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_ENCODER_H
#define MEDIA_ENCODER_H

#include <libavcodec/avcodec.h>

#include "media/media.h"

enum AVCodecID media_encoder_codec_id(enum media_codec codec);

/* What the picture will be coded as. */
struct media_choice {
    const AVCodec *codec;
    enum AVPixelFormat format;
    bool lossless; /* quality 100 */
};

/* `loss` gets a few words on what the pixel format cannot hold, or "". */
int media_encoder_choose(enum media_codec codec, int quality, const struct data_film *film,
                         const struct data_frame *like, struct media_choice *ret_choice,
                         char *ret_loss, size_t cap, struct lip_error *err);
/* The film's frame rate, 25 where it is unknown. */
AVRational media_encoder_rate(const struct data_film *film);
/* An opened encoder in the film's time base. */
int media_encoder_open(const struct media_choice *choice, enum media_codec codec,
                       const struct media_encode_params *params,
                       const struct data_film *film, const struct data_frame *like,
                       AVCodecContext **ret_encoder, struct lip_error *err);

#endif
