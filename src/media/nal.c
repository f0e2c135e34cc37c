/* SPDX-License-Identifier: MIT
 *
 * Syntax: ITU-T H.264 and H.265, clauses 7.3 and annex B; avcC and hvcC: ISO/IEC 14496-15. */
#include "media/nal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

#define HEAD_BYTES 256 /* of a unit, without emulation bytes: enough for all ids in it */

enum { AVC_SLICE = 1, AVC_IDR = 5, AVC_SPS = 7, AVC_PPS = 8, AVC_SPS_MORE = 13, AVC_SUB_SPS = 15 };
enum {
    HEVC_RASL_N = 8, HEVC_RASL_R = 9, HEVC_BLA = 16, HEVC_BLA_RADL = 17, HEVC_BLA_LAST = 18,
    HEVC_IDR = 19, HEVC_IDR_LAST = 20, HEVC_CRA = 21, HEVC_IRAP_LAST = 23, HEVC_VCL_LAST = 31,
    HEVC_VPS = 32, HEVC_SPS = 33, HEVC_PPS = 34, HEVC_SEI = 39
};

static int type_of(enum AVCodecID codec, const uint8_t *unit)
{
    return codec == AV_CODEC_ID_H264 ? unit[0] & 31 : unit[0] >> 1 & 63;
}

static bool is_set(enum AVCodecID codec, int type)
{
    if (codec == AV_CODEC_ID_H264)
        return type == AVC_SPS || type == AVC_PPS || type == AVC_SPS_MORE || type == AVC_SUB_SPS;
    return type >= HEVC_VPS && type <= HEVC_PPS;
}

/* Units ---------------------------------------------------------------------------------------- */

static const uint8_t *find_code(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 3; at++)
        if (!at[0] && !at[1] && at[2] == 1)
            return at;
    return NULL;
}

static bool next_coded(struct media_nal_walk *w, const uint8_t **ret_unit, size_t *ret_n)
{
    const uint8_t *code = find_code(w->at, w->end);
    if (!code)
        return false;
    const uint8_t *unit = code + 3, *next = find_code(unit, w->end);
    const uint8_t *stop = next ? next : w->end;
    w->at = stop;
    while (stop > unit && !stop[-1]) /* zeros belong to the next code */
        stop--;
    *ret_unit = unit;
    *ret_n = (size_t)(stop - unit);
    return true;
}

bool media_nal_next(struct media_nal_walk *w, const uint8_t **ret_unit, size_t *ret_n)
{
    if (!w->length_bytes)
        return next_coded(w, ret_unit, ret_n);
    if (w->end - w->at < w->length_bytes)
        return false;
    size_t n = 0;
    for (int i = 0; i < w->length_bytes; i++)
        n = n << 8 | w->at[i];
    if (n > (size_t)(w->end - w->at - w->length_bytes))
        return false;
    *ret_unit = w->at + w->length_bytes;
    *ret_n = n;
    w->at += w->length_bytes + (ptrdiff_t)n;
    return true;
}

void media_nal_put(struct base_buffer *b, const uint8_t *unit, size_t n)
{
    static const uint8_t code[4] = {0, 0, 0, 1};
    base_buffer_put(b, code, sizeof code);
    base_buffer_put(b, unit, n);
}

/* Bits ----------------------------------------------------------------------------------------- */

/* Up to `cap` bytes of a unit without emulation bytes; returns how many. */
static size_t plain(const uint8_t *unit, size_t n, uint8_t *ret_bytes, size_t cap)
{
    size_t at = 0;
    int zeros = 0;
    for (size_t i = 0; i < n && at < cap; i++) {
        if (zeros >= 2 && unit[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = unit[i] ? 0 : zeros + 1;
        ret_bytes[at++] = unit[i];
    }
    return at;
}

struct bits {
    const uint8_t *bytes;
    size_t n, at; /* at: in bits */
};

static unsigned take_bits(struct bits *b, int n)
{
    unsigned v = 0;
    for (int i = 0; i < n; i++, b->at++)
        v = v << 1 | (b->at / 8 < b->n ? b->bytes[b->at / 8] >> (7 - b->at % 8) & 1u : 0);
    return v;
}

/* Exp-Golomb, clause 9.1; a value beyond 16 bits is no id and gives 65535. */
static unsigned take_ue(struct bits *b)
{
    int zeros = 0;
    while (zeros < 16 && !take_bits(b, 1))
        zeros++;
    return zeros == 16 ? 65535 : (1u << zeros) - 1 + take_bits(b, zeros);
}

/* The bit at which an HEVC SPS has its id: after a profile for each sub-layer. */
static size_t hevc_sps_id_at(struct bits b)
{
    b.at = 16 + 4;
    unsigned n_sub = take_bits(&b, 3);
    b.at = 16 + 8 + 96;
    if (n_sub) {
        unsigned present = take_bits(&b, 16);
        for (unsigned i = 0; i < n_sub; i++) {
            b.at += present >> (15 - 2 * i) & 1 ? 88 : 0;
            b.at += present >> (14 - 2 * i) & 1 ? 8 : 0;
        }
    }
    return b.at;
}

static uint32_t id_bit(unsigned id)
{
    return id < 32 ? (uint32_t)1 << id : 0;
}

static uint32_t ids_of(enum AVCodecID codec, const uint8_t *unit, size_t n)
{
    uint8_t head[HEAD_BYTES];
    struct bits b = {head, plain(unit, n, head, sizeof head), 0};
    int type = type_of(codec, unit);
    if (codec == AV_CODEC_ID_H264) {
        if (type != AVC_SPS && type != AVC_PPS)
            return 0;
        b.at = type == AVC_SPS ? 32 : 8;
        return id_bit(take_ue(&b));
    }
    b.at = type == HEVC_SPS ? hevc_sps_id_at(b) : 16;
    if (type == HEVC_VPS)
        return id_bit(take_bits(&b, 4));
    return type == HEVC_SPS || type == HEVC_PPS ? id_bit(take_ue(&b)) : 0;
}

uint32_t media_nal_ids(enum AVCodecID codec, const struct base_buffer *sets)
{
    struct media_nal_walk w = {sets->data, sets->data + sets->size, 0};
    const uint8_t *unit = NULL;
    size_t n = 0;
    uint32_t ids = 0;
    while (sets->size && media_nal_next(&w, &unit, &n))
        ids |= n > 2 ? ids_of(codec, unit, n) : 0;
    return ids;
}

/* Parameter sets ------------------------------------------------------------------------------- */

static unsigned take_be16(struct base_reader *r)
{
    unsigned high = base_reader_u8(r);
    return high << 8 | base_reader_u8(r);
}

static void take_units(struct base_reader *r, unsigned count, bool wanted, struct base_buffer *sets)
{
    for (unsigned i = 0; i < count && !r->failed; i++) {
        size_t n = take_be16(r);
        const uint8_t *unit = base_reader_take(r, n);
        if (unit && n && wanted)
            media_nal_put(sets, unit, n);
    }
}

static void take_avcc(struct base_reader *r, struct base_buffer *sets, int *ret_length_bytes)
{
    base_reader_take(r, 4);
    *ret_length_bytes = (base_reader_u8(r) & 3) + 1;
    take_units(r, base_reader_u8(r) & 31, true, sets);
    take_units(r, base_reader_u8(r), true, sets);
}

static void take_hvcc(struct base_reader *r, struct base_buffer *sets, int *ret_length_bytes)
{
    base_reader_take(r, 21);
    *ret_length_bytes = (base_reader_u8(r) & 3) + 1;
    unsigned n_arrays = base_reader_u8(r);
    for (unsigned i = 0; i < n_arrays && !r->failed; i++) {
        int type = base_reader_u8(r) & 63;
        take_units(r, take_be16(r), is_set(AV_CODEC_ID_HEVC, type) || type == HEVC_SEI, sets);
    }
}

int media_nal_sets(enum AVCodecID codec, const uint8_t *extradata, size_t n,
                   struct base_buffer *ret_sets, int *ret_length_bytes)
{
    if (n < 7)
        return LIP_ERR_FORMAT;
    struct base_reader r;
    base_reader_init(&r, extradata, n);
    int length_bytes = 0;
    if (extradata[0] == 1 && codec == AV_CODEC_ID_H264) {
        take_avcc(&r, ret_sets, &length_bytes);
    } else if (extradata[0] == 1) {
        take_hvcc(&r, ret_sets, &length_bytes);
    } else {
        struct media_nal_walk w = {extradata, extradata + n, 0};
        const uint8_t *unit = NULL;
        size_t size = 0;
        while (media_nal_next(&w, &unit, &size)) {
            int type = size > 2 ? type_of(codec, unit) : 0;
            if (is_set(codec, type) || (codec == AV_CODEC_ID_HEVC && type == HEVC_SEI))
                media_nal_put(ret_sets, unit, size);
        }
    }
    if (ret_sets->status)
        return ret_sets->status == LIP_ERR_NOMEM ? LIP_ERR_NOMEM : LIP_ERR_FORMAT;
    *ret_length_bytes = length_bytes;
    return r.failed || !ret_sets->size ? LIP_ERR_FORMAT : LIP_OK;
}

static bool is_known(const struct base_buffer *sets, const uint8_t *unit, size_t n)
{
    struct media_nal_walk w = {sets->data, sets->data + sets->size, 0};
    const uint8_t *known = NULL;
    size_t size = 0;
    while (media_nal_next(&w, &known, &size))
        if (size == n && !memcmp(known, unit, n))
            return true;
    return false;
}

/* Pictures ------------------------------------------------------------------------------------- */

/* A slice's kind; false: not a slice. */
static bool slice_start(enum AVCodecID codec, int type, enum media_nal_start *ret_start)
{
    *ret_start = MEDIA_NAL_NO_START;
    if (codec == AV_CODEC_ID_H264) {
        if (type == AVC_IDR)
            *ret_start = MEDIA_NAL_CLOSED;
        return type >= AVC_SLICE && type <= AVC_IDR;
    }
    if (type == HEVC_RASL_N || type == HEVC_RASL_R)
        *ret_start = MEDIA_NAL_LEANING;
    else if (type == HEVC_CRA)
        *ret_start = MEDIA_NAL_OPEN;
    else if (type >= HEVC_BLA && type <= HEVC_IDR_LAST)
        *ret_start = MEDIA_NAL_CLOSED;
    return type <= HEVC_VCL_LAST;
}

bool media_nal_look(enum AVCodecID codec, const uint8_t *bytes, size_t n, int length_bytes,
                    const struct base_buffer *sets, enum media_nal_start *ret_start)
{
    struct media_nal_walk w = {bytes, bytes + n, length_bytes};
    const uint8_t *unit = NULL;
    size_t size = 0;
    bool seen = false;
    while (media_nal_next(&w, &unit, &size)) {
        if (size < 2)
            continue;
        int type = type_of(codec, unit);
        enum media_nal_start start;
        if (is_set(codec, type) && !is_known(sets, unit, size))
            return false;
        if (!seen && slice_start(codec, type, &start)) {
            *ret_start = start;
            seen = true;
        }
    }
    return seen && (!length_bytes || w.at == w.end);
}

int media_nal_rewrite(enum AVCodecID codec, const uint8_t *bytes, size_t n, int length_bytes,
                      bool cut, struct base_buffer *ret_bytes)
{
    struct media_nal_walk w = {bytes, bytes + n, length_bytes};
    const uint8_t *unit = NULL;
    size_t size = 0;
    ret_bytes->size = 0;
    while (media_nal_next(&w, &unit, &size)) {
        size_t at = ret_bytes->size + 4;
        if (!size || is_set(codec, type_of(codec, unit))) /* they stand in the header */
            continue;
        media_nal_put(ret_bytes, unit, size);
        if (!ret_bytes->status && cut && codec == AV_CODEC_ID_HEVC &&
            type_of(codec, unit) == HEVC_CRA)
            ret_bytes->data[at] = (uint8_t)((unit[0] & 0x81) | HEVC_BLA_RADL << 1);
    }
    return ret_bytes->status;
}

/* Other ids ------------------------------------------------------------------------------------ */

/* The id 0 is one bit long, the id 15 has nine: a whole byte more, so that what follows keeps its
 * place within its byte and the slice's data stay as they are. */
static size_t widen_id(uint8_t *bytes, size_t n, size_t bit)
{
    size_t at = bit / 8;
    unsigned p = bit % 8, old = bytes[at];
    memmove(bytes + at + 1, bytes + at, n - at);
    bytes[at] = (uint8_t)((old & ~(0xffu >> p)) | 16u >> (1 + p));
    bytes[at + 1] = (uint8_t)((16u << (7 - p)) | (old & (0x7fu >> p)));
    return n + 1;
}

static void put_escaped(struct base_buffer *b, const uint8_t *bytes, size_t n)
{
    static const uint8_t code[4] = {0, 0, 0, 1};
    base_buffer_put(b, code, sizeof code);
    size_t from = 0;
    int zeros = 0;
    for (size_t i = 0; i < n; i++) {
        if (zeros >= 2 && bytes[i] <= 3) {
            base_buffer_put(b, bytes + from, i - from);
            base_buffer_put_u8(b, 3);
            from = i;
            zeros = 0;
        }
        zeros = bytes[i] ? 0 : zeros + 1;
    }
    base_buffer_put(b, bytes + from, n - from);
}

/* `bytes` has room for two more. */
static size_t move_unit(uint8_t *bytes, size_t n)
{
    int type = type_of(AV_CODEC_ID_HEVC, bytes);
    struct bits b = {bytes, n, 0};
    if (n < 4 || type > HEVC_PPS)
        return n;
    if (type == HEVC_VPS || type == HEVC_SPS)
        bytes[2] = (uint8_t)(MEDIA_NAL_HEVC_ID << 4 | (bytes[2] & 15));
    if (type == HEVC_SPS) {
        size_t bit = hevc_sps_id_at(b);
        return bit / 8 < n ? widen_id(bytes, n, bit) : n;
    }
    if (type == HEVC_PPS) { /* its own id, and its SPS's */
        n = widen_id(bytes, n, 16);
        return widen_id(bytes, n, 16 + 9);
    }
    if (type > HEVC_VCL_LAST)
        return n;
    bool irap = type >= HEVC_BLA && type <= HEVC_IRAP_LAST;
    return widen_id(bytes, n, irap ? 18 : 17);
}

int media_nal_move_ids(const uint8_t *bytes, size_t n, struct base_buffer *ret_bytes)
{
    struct media_nal_walk w = {bytes, bytes + n, 0};
    const uint8_t *unit = NULL;
    size_t size = 0;
    uint8_t *room = base_alloc(n + 2);
    if (!room)
        return LIP_ERR_NOMEM;
    ret_bytes->size = 0;
    while (media_nal_next(&w, &unit, &size)) {
        size_t got = plain(unit, size, room, size);
        if (got)
            put_escaped(ret_bytes, room, move_unit(room, got));
    }
    base_free(room);
    return ret_bytes->status;
}
