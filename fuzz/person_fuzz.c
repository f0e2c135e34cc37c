/* SPDX-License-Identifier: MIT
 * data/face: a person's record, made valid and then edited by the input; or the input itself. */
#include "fuzz.h"

#include "data/face.h"
#include <lipsync/error.h>

static void try_read(const uint8_t *bytes, size_t n)
{
    struct data_person person;
    struct lip_error err = {0};
    int r = data_person_read(bytes, n, &person, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    for (int i = 0; !r && i < 5; i++)
        FUZZ_REQUIRE(person.width_pct[i] - person.width_pct[i] == 0); /* finite */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct data_person zero;
    try_read(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    FUZZ_REQUIRE(!data_person_write(&zero, &b));
    fuzz_try_edited(&b, data, size, try_read);
    base_buffer_done(&b);
    return 0;
}
