/* SPDX-License-Identifier: MIT */
#include "media/av.h"

#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
#include <stdio.h>

#include "media/media.h"

struct media_av_text media_av_text(int av)
{
    struct media_av_text t = {{0}};
    av_strerror(av, t.s, sizeof t.s);
    return t;
}

int media_av_error(struct lip_error *err, int code, const char *where, int av, const char *what,
                   const char *path)
{
    if (av == AVERROR(ENOMEM))
        return base_error_nomem(err, where);
    return base_error_set(err, code, where, "%s '%s': %s", what, path, media_av_text(av).s);
}

void media_av_quiet(void)
{
    if (av_log_get_level() == AV_LOG_INFO) /* FFmpeg's own default: nobody has chosen */
        av_log_set_level(AV_LOG_QUIET);
}

void media_versions(char *ret_text, size_t cap)
{
    const struct {
        const char *name;
        unsigned v;
    } lib[] = {{"libavformat", avformat_version()},
               {"libavcodec", avcodec_version()},
               {"libavutil", avutil_version()},
               {"libswscale", swscale_version()},
               {"libswresample", swresample_version()}};
    size_t at = 0;
    for (size_t i = 0; i < sizeof lib / sizeof *lib && at < cap; i++) {
        int n = snprintf(ret_text + at, cap - at, "%s %u.%u.%u\n", lib[i].name, lib[i].v >> 16,
                         lib[i].v >> 8 & 255, lib[i].v & 255);
        at += n > 0 ? (size_t)n : 0;
    }
}
