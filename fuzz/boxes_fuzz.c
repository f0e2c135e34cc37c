/* SPDX-License-Identifier: MIT
 * engine: the file of boxes. */
#include "fuzz.h"

#include "engine/boxes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct boxes boxes = {0};
    struct lip_error err = {0};
    int r = boxes_read((const char *)bytes, n, &boxes, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    for (size_t i = 0; i < boxes.n; i++)
        FUZZ_REQUIRE(!boxes.at[i].known || (boxes.at[i].x0 <= boxes.at[i].x1 &&
                                            boxes.at[i].y0 <= boxes.at[i].y1));
    boxes_done(&boxes);
    return 0;
}
