/* SPDX-License-Identifier: MIT
 * base/buffer: the reader over foreign bytes. The first byte of each step chooses what is read. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_reader r;
    base_reader_init(&r, data, size);
    while (!r.failed && r.at < r.size) {
        char text[16];
        float v[5] = {0};
        size_t before = r.at;
        switch (base_reader_u8(&r) % 8) {
        case 0:
            base_reader_u16(&r);
            break;
        case 1:
            base_reader_u32(&r);
            break;
        case 2:
            base_reader_u64(&r);
            break;
        case 3:
            base_reader_f32s(&r, v, 5);
            FUZZ_REQUIRE(v[4] - v[4] == 0); /* finite, also after a failure */
            break;
        case 4:
            base_reader_string(&r, text, sizeof text);
            FUZZ_REQUIRE(memchr(text, 0, sizeof text) != NULL);
            break;
        case 5:
            base_reader_take(&r, (size_t)base_reader_u64(&r));
            break;
        default:
            break;
        }
        FUZZ_REQUIRE(r.at > before && r.at <= r.size);
    }
    return 0;
}
