/* SPDX-License-Identifier: MIT
 * data/look: a person's likeness, made valid and then edited by the input; or the input itself. */
#include "fuzz.h"

#include "data/look.h"
#include <lipsync/error.h>

static struct data_likeness likeness;

static void try_read(const uint8_t *bytes, size_t n)
{
    struct lip_error err = {0};
    int r = data_likeness_read(bytes, n, &likeness, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    for (int i = 0; !r && i < DATA_LOOK_VALUES; i++)
        FUZZ_REQUIRE(likeness.sd[i] >= 0);
    for (int i = 0; !r && i < DATA_LIKENESS_DIMS; i++)
        FUZZ_REQUIRE(likeness.range[i] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct data_likeness zero = {.n_looks = 20};
    try_read(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    FUZZ_REQUIRE(!data_likeness_write(&zero, &b));
    fuzz_try_edited(&b, data, size, try_read);
    base_buffer_done(&b);
    return 0;
}
