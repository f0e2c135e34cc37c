/* SPDX-License-Identifier: MIT */
#include <libavutil/mem.h>
#include <libavutil/sha.h>
#include <stdio.h>

#include "media/av.h"
#include "media/media.h"

#define BLOCK_BYTES (64 * 1024)

int media_digest(const char *path, char ret_sha256[65], int64_t *ret_bytes, struct lip_error *err)
{
    struct media_io *io = NULL;
    int r = media_io_open_read(path, &io, err);
    if (r)
        return r;
    struct AVSHA *sha = av_sha_alloc();
    uint8_t *block = av_malloc(BLOCK_BYTES), sum[32];
    int64_t n = 0;
    int got = 1;
    if (!sha || !block || av_sha_init(sha, 256) < 0)
        r = base_error_nomem(err, "media/digest");
    while (!r && (got = avio_read(io->pb, block, BLOCK_BYTES)) > 0) {
        av_sha_update(sha, block, (size_t)got);
        n += got;
    }
    if (!r && (io->failed || (got < 0 && got != AVERROR_EOF)))
        r = base_error_set(err, LIP_ERR_IO, "media/digest", "cannot read '%s'", path);
    if (!r) {
        av_sha_final(sha, sum);
        for (int i = 0; i < 32; i++)
            snprintf(ret_sha256 + 2 * i, 3, "%02x", sum[i]);
        *ret_bytes = n;
    }
    av_free(sha);
    av_free(block);
    media_io_close(&io, "", NULL);
    return r;
}
