/* SPDX-License-Identifier: MIT
 *
 * The output says of itself that its picture was edited by a trained model: an XMP packet where the
 * container has a place for one, and a source type, a program and a comment in its own metadata.
 * A film's own packet is carried over, marked or not. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "media/join.h"
#include "media/xmp.h"

/* XMP part 3 (ISO 16684-3): the box of MP4, the chunk of AVI. QuickTime has moov/udta/XMP_, which
 * FFmpeg writes from the metadata "xmp"; Matroska has no place, so there it is a tag. */
static const uint8_t uuid[16] = {0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8,
                                 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac};

/* The packet that the output gets into mux->xmp; NULL: none. */
static int make_packet(struct media_mux *mux)
{
    const struct media_join_params *p = mux->params;
    const AVDictionaryEntry *e = av_dict_get(mux->out->metadata, "xmp", NULL, 0);
    const char *old = e ? e->value : NULL;
    if (old && strlen(old) > MEDIA_XMP_MAX) {
        base_log_print(p->log, BASE_LOG_WARN, "the film's XMP is too long: it is left out");
        old = NULL;
    }
    if (p->edited_by) {
        int r = media_xmp_mark(old, p->edited_by, p->edited_by_version, &mux->xmp);
        if (r == LIP_ERR_FORMAT) {
            base_log_print(p->log, BASE_LOG_WARN, "the film's XMP is damaged: it is left out");
            r = media_xmp_mark(NULL, p->edited_by, p->edited_by_version, &mux->xmp);
        }
        return r ? AVERROR(ENOMEM) : 0;
    }
    mux->xmp = base_strdup(old);
    return old && !mux->xmp ? AVERROR(ENOMEM) : 0;
}

static int name_program(struct media_mux *mux)
{
    const struct media_join_params *p = mux->params;
    char program[64];
    snprintf(program, sizeof program, "%s %s", p->edited_by, p->edited_by_version);
    /* Only mp4 has a field for the program that FFmpeg writes in files without dates. */
    if (mux->container == MEDIA_MP4)
        return av_dict_set(&mux->out->metadata, "encoding_tool", program, 0);
    return av_dict_set(&mux->out->metadata, "DIGITAL_SOURCE_TYPE", MEDIA_XMP_SOURCE_TYPE, 0);
}

int media_mark_add(struct media_mux *mux)
{
    int av = make_packet(mux);
    if (av >= 0)
        av = av_dict_set(&mux->out->metadata, "xmp", NULL, 0);
    bool is_tag = mux->container != MEDIA_MP4 && mux->container != MEDIA_AVI;
    if (av >= 0 && mux->xmp && is_tag)
        av = av_dict_set(&mux->out->metadata, mux->container == MEDIA_MOV ? "xmp" : "XMP",
                         mux->xmp, 0);
    return av >= 0 && mux->params->edited_by ? name_program(mux) : av;
}

static void append_box(AVIOContext *pb, const char *xmp, size_t n)
{
    avio_wb32(pb, (uint32_t)(8 + sizeof uuid + n));
    avio_wl32(pb, MKTAG('u', 'u', 'i', 'd'));
    avio_write(pb, uuid, sizeof uuid);
    avio_write(pb, (const unsigned char *)xmp, (int)n);
}

/* Grows the one RIFF list by a chunk. Files of several lists (beyond 1 GB) keep their tags only. */
static int append_chunk(struct media_mux *mux, AVIOContext *pb, int64_t end, size_t n)
{
    struct media_io *io = NULL;
    if (media_io_open_read(mux->beside, &io, NULL))
        return AVERROR(EIO);
    avio_skip(io->pb, 4);
    int64_t size = avio_rl32(io->pb);
    media_io_close(&io, "", NULL);
    if (size + 8 != end)
        return 0;
    avio_wl32(pb, MKTAG('_', 'P', 'M', 'X'));
    avio_wl32(pb, (uint32_t)n);
    avio_write(pb, (const unsigned char *)mux->xmp, (int)n);
    if (n % 2)
        avio_w8(pb, 0);
    avio_seek(pb, 4, SEEK_SET);
    avio_wl32(pb, (uint32_t)(size + 8 + (int64_t)(n + n % 2)));
    return 0;
}

int media_mark_append(struct media_mux *mux)
{
    bool box = mux->container == MEDIA_MP4, chunk = mux->container == MEDIA_AVI;
    if (!mux->xmp || (!box && !chunk))
        return 0;
    AVIOContext *pb = mux->io->pb;
    avio_flush(pb);
    int64_t end = avio_size(pb);
    if (end < 0 || avio_seek(pb, end, SEEK_SET) < 0)
        return AVERROR(EIO);
    size_t n = strlen(mux->xmp);
    int av = 0;
    if (box) /* at the end, so that nothing moves: no offset has to be mended */
        append_box(pb, mux->xmp, n);
    else
        av = append_chunk(mux, pb, end, n);
    avio_flush(pb);
    return av < 0 ? av : pb->error;
}
