/* SPDX-License-Identifier: MIT
 * media/nal: the first byte chooses codec and form; the second says how many bytes are extradata,
 * the rest is a coded picture. What is rewritten can be read again. */
#include "fuzz.h"

#include "media/nal.h"

static size_t count_units(const struct base_buffer *b)
{
    struct media_nal_walk w = {b->data, b->data + b->size, 0};
    const uint8_t *unit = NULL;
    size_t n = 0, count = 0;
    while (b->size && media_nal_next(&w, &unit, &n)) {
        FUZZ_REQUIRE(unit >= b->data && unit + n <= b->data + b->size);
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    enum AVCodecID codec = data[0] & 1 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
    size_t n_extra = data[1] < size - 2 ? data[1] : size - 2;
    const uint8_t *picture = data + 2 + n_extra;
    size_t n = size - 2 - n_extra;
    struct base_buffer sets, again;
    int length_bytes = data[0] >> 1 & 3;
    length_bytes += length_bytes > 0;
    base_buffer_init(&sets, MEDIA_NAL_SETS_MAX);
    base_buffer_init(&again, (size_t)1 << 20);
    int told = 0;
    if (!media_nal_sets(codec, data + 2, n_extra, &sets, &told))
        FUZZ_REQUIRE(told >= 0 && told <= 4 && count_units(&sets) > 0);
    media_nal_ids(codec, &sets);
    enum media_nal_start start = MEDIA_NAL_NO_START;
    bool known = media_nal_look(codec, picture, n, length_bytes, &sets, &start);
    FUZZ_REQUIRE(start >= MEDIA_NAL_NO_START && start <= MEDIA_NAL_OPEN);
    FUZZ_REQUIRE(!media_nal_rewrite(codec, picture, n, length_bytes, data[0] & 16, &again));
    if (known && !length_bytes)
        FUZZ_REQUIRE(count_units(&again) > 0);
    FUZZ_REQUIRE(!media_nal_move_ids(picture, n, &again));
    count_units(&again);
    base_buffer_done(&sets);
    base_buffer_done(&again);
    return 0;
}
