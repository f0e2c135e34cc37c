/* SPDX-License-Identifier: MIT
 * data/curve: a basis file, made valid and then edited by the input; or the input itself. */
#include "fuzz.h"

#include "data/curve.h"
#include <lipsync/error.h>

static void try_read(const uint8_t *bytes, size_t n)
{
    struct data_basis basis;
    struct lip_error err = {0};
    int r = data_basis_read(bytes, n, &basis, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (r)
        return;
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        FUZZ_REQUIRE(basis.sd[k] - basis.sd[k] == 0); /* finite */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct data_basis zero;
    try_read(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    FUZZ_REQUIRE(!data_basis_write(&zero, &b));
    fuzz_try_edited(&b, data, size, try_read);
    base_buffer_done(&b);
    return 0;
}
