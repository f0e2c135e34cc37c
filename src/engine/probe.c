/* SPDX-License-Identifier: MIT */
#include <lipsync/lipsync.h>

#include "media/media.h"

#define WHERE "engine/probe"

static int probe_sound(const char *path, struct lip_media *ret_media, struct lip_error *err)
{
    struct media_audio_info info;
    int r = media_audio_measure(path, &info, err);
    if (!r)
        *ret_media = (struct lip_media){.has_sound = 1, .duration_s = info.duration_us / 1e6};
    return r;
}

int lip_probe(const char *path, struct lip_media *ret_media, struct lip_error *err)
{
    struct media_source_params params = {.n_threads = 1};
    struct media_source *source = NULL;
    struct lip_error own = {0};
    if (!path || !*path || !ret_media)
        return base_error_arg(err, WHERE, "a probe needs a file and a place for its result");
    int r = media_source_open(path, &params, &source, &own);
    if (r == LIP_ERR_NO_VIDEO)
        return probe_sound(path, ret_media, err);
    if (r)
        return base_error_set(err, r, own.where, "%s", own.text);
    const struct data_film *film = media_source_film(source);
    struct lip_media media = {.has_picture = 1, .is_image = film->is_image,
                              .has_sound = film->has_audio, .width_px = film->disp_width_px,
                              .height_px = film->disp_height_px};
    if (!film->is_image) {
        if (film->frame_rate.num > 0 && film->frame_rate.den > 0)
            media.rate_hz = (double)film->frame_rate.num / (double)film->frame_rate.den;
        media.duration_s = film->duration_us / 1e6;
    }
    media_source_close(&source);
    *ret_media = media;
    return LIP_OK;
}
