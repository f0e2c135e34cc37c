/* SPDX-License-Identifier: MIT
 * media/xmp: the XMP packet of a stranger's film. What comes out carries the mark and can be
 * marked again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "media/xmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *old = malloc(n + 1), *once = NULL, *twice = NULL;
    FUZZ_REQUIRE(old != NULL);
    memcpy(old, bytes, n);
    old[n] = 0;
    if (!media_xmp_mark(old, "lipsync", "1", &once)) {
        FUZZ_REQUIRE(strstr(once, MEDIA_XMP_SOURCE_TYPE) ||
                     strstr(once, "trainedAlgorithmicMedia"));
        FUZZ_REQUIRE(!media_xmp_mark(once, "lipsync", "1", &twice));
        FUZZ_REQUIRE(strlen(once) <= 6 * strlen(old) + 600); /* by what is said, not by more */
    }
    base_free(once);
    base_free(twice);
    free(old); /* lint: allow free: the fuzzer's own */
    return 0;
}
