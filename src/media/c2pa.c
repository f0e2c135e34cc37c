/* SPDX-License-Identifier: MIT
 *
 * Content credentials: where a file's C2PA manifest store lies, and the store itself. Places by the
 * C2PA specification's chapter on embedding: a uuid box of BMFF files, a chunk of RIFF files and of
 * PNG. A JPEG spreads it over segments; it is found there, but not put together. */
#include <string.h>

#include "base/alloc.h"
#include "media/av.h"
#include "media/media.h"
#include "media/notes.h"

#define HEAD_BYTES ((size_t)1 << 18) /* of unknown containers: manifests stand early */
#define BOXES_MAX 4096
#define PURPOSE_MAX 16

static const uint8_t c2pa_uuid[16] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                      0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};

/* Where something lies; size 0: nowhere. */
struct place {
    int64_t at, size;
};

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

/* Inside a C2PA box: version, a word of what it is for, the place of a table, and the store. A
 * store of another layout is there, but of no use to us. */
static bool find_store(AVIOContext *pb, int64_t begin, int64_t end, struct place *ret_store)
{
    uint8_t head[PURPOSE_MAX + 16];
    if (end - begin < (int64_t)sizeof head || !read_at(pb, begin, head, sizeof head))
        return false;
    const uint8_t *word = head + 4, *stop = memchr(word, 0, PURPOSE_MAX);
    if (!stop || !strcmp((const char *)word, "merkle"))
        return false;
    int64_t at = begin + (stop + 1 - head) + 8;
    if (!read_at(pb, at, head, 8) || memcmp(head + 4, "jumb", 4))
        return false;
    uint64_t size = number(head, 4, true);
    if (size < 8 || size > (uint64_t)(end - at))
        return false;
    *ret_store = (struct place){at, (int64_t)size};
    return true;
}

/* Boxes one after another; sizes are a stranger's. True: there is one of C2PA. */
static bool walk_boxes(AVIOContext *pb, struct place *ret_store)
{
    uint8_t head[32];
    bool found = false;
    for (int64_t at = 0, n = 0; n < BOXES_MAX && read_at(pb, at, head, sizeof head); n++) {
        uint64_t size = number(head, 4, true);
        int in = 8;
        if (size == 1) {
            size = number(head + 8, 8, true);
            in = 16;
        }
        bool fine = size >= 8 && size <= (uint64_t)(INT64_MAX - at);
        if (!memcmp(head + 4, "uuid", 4) && !memcmp(head + in, c2pa_uuid, sizeof c2pa_uuid)) {
            found = true;
            if (fine && find_store(pb, at + in + 16, at + (int64_t)size, ret_store))
                return true;
        }
        if (!fine)
            break;
        at += (int64_t)size;
    }
    return found;
}

static bool walk_chunks(AVIOContext *pb, struct place *ret_store)
{
    uint8_t head[8];
    for (int64_t at = 12, n = 0; n < BOXES_MAX && read_at(pb, at, head, sizeof head); n++) {
        int64_t size = (int64_t)number(head + 4, 4, false);
        if (!memcmp(head, "C2PA", 4)) {
            *ret_store = (struct place){at + 8, size};
            return true;
        }
        at += 8 + size + (size & 1);
    }
    return false;
}

static bool walk_png(AVIOContext *pb, struct place *ret_store)
{
    uint8_t head[8];
    for (int64_t at = 8, n = 0; n < BOXES_MAX && read_at(pb, at, head, sizeof head); n++) {
        int64_t size = (int64_t)number(head, 4, true);
        if (!memcmp(head + 4, "caBX", 4)) {
            *ret_store = (struct place){at + 8, size};
            return true;
        }
        at += 12 + size;
    }
    return false;
}

static bool looks_like_it(AVIOContext *pb)
{
    uint8_t *bytes = base_alloc(HEAD_BYTES);
    if (!bytes)
        return false;
    avio_seek(pb, 0, SEEK_SET);
    int n = avio_read(pb, bytes, (int)HEAD_BYTES);
    bool found = n > 0 && holds(bytes, (size_t)n, "jumb") && holds(bytes, (size_t)n, "c2pa");
    base_free(bytes);
    return found;
}

static bool find(AVIOContext *pb, struct place *ret_store)
{
    uint8_t head[12];
    if (!read_at(pb, 0, head, sizeof head))
        return false;
    if (!memcmp(head, "RIFF", 4))
        return walk_chunks(pb, ret_store);
    if (!memcmp(head, "\x89PNG\r\n\x1a\n", 8))
        return walk_png(pb, ret_store);
    if (!memcmp(head + 4, "ftyp", 4) || !memcmp(head + 4, "moov", 4) ||
        !memcmp(head + 4, "mdat", 4) || !memcmp(head + 4, "wide", 4))
        return walk_boxes(pb, ret_store);
    return looks_like_it(pb);
}

bool media_notes_c2pa(AVIOContext *pb)
{
    struct place store = {0};
    return find(pb, &store);
}

int media_c2pa_read(const char *path, uint8_t **ret_bytes, size_t *ret_n, struct lip_error *err)
{
    struct media_io *io = NULL;
    struct place store = {0};
    int r = media_io_open_read(path, &io, err);
    if (r)
        return r;
    bool usable = find(io->pb, &store) && store.size > 0 && store.size <= MEDIA_C2PA_BYTES_MAX;
    uint8_t *bytes = usable ? base_alloc((size_t)store.size) : NULL;
    if (usable && !bytes)
        r = base_error_nomem(err, "media/c2pa");
    else if (usable)
        usable = read_at(io->pb, store.at, bytes, (int)store.size);
    if (!r && !usable)
        r = LIP_ERR_NOT_FOUND;
    media_io_close(&io, path, NULL);
    if (r) {
        base_free(bytes);
        return r;
    }
    *ret_bytes = bytes;
    *ret_n = (size_t)store.size;
    return LIP_OK;
}
