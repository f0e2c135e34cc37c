/* SPDX-License-Identifier: MIT
 * motion/style: a person's style, as it stands and as edits of a valid one. What can be read is
 * written back and is the same bytes again. */
#include "fuzz.h"

#include "motion/internal.h"

static void try_read(const uint8_t *bytes, size_t n)
{
    struct lip_error err = {0};
    struct motion_style style;
    struct base_buffer b;
    int r = motion_style_read(bytes, n, &style, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (r)
        return;
    base_buffer_init(&b, (size_t)1 << 24);
    FUZZ_REQUIRE(!motion_style_write(&style, &b));
    FUZZ_REQUIRE(b.size == n && !memcmp(b.data, bytes, n));
    base_buffer_done(&b);
    motion_style_done(&style);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct motion_style style;
    struct base_buffer valid;

    try_read(data, size);
    motion_style_init(&style);
    FUZZ_REQUIRE(!motion_head_create(MOTION_HEAD_ROWS, 3, &style.head));
    style.fitted = style.ranged = true;
    base_buffer_init(&valid, (size_t)1 << 20);
    FUZZ_REQUIRE(!motion_style_write(&style, &valid));
    fuzz_try_edited(&valid, data, size, try_read);
    base_buffer_done(&valid);
    motion_style_done(&style);
    return 0;
}
