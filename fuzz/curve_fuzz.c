/* SPDX-License-Identifier: MIT
 * data/curve: a curve file. What can be read is written back and is the same bytes again. */
#include "fuzz.h"

#include "data/curve.h"
#include <lipsync/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lip_error err = {0};
    struct data_curve curve;
    int r = data_curve_read(data, size, &curve, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (r)
        return 0;
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 24);
    FUZZ_REQUIRE(!data_curve_write(&curve, &b));
    FUZZ_REQUIRE(b.size == size && !memcmp(b.data, data, size));
    struct data_curve_sample s;
    for (double t = -1; t < 3; t += 0.37)
        data_curve_at(&curve, t, &s);
    base_buffer_done(&b);
    data_curve_done(&curve);
    return 0;
}
