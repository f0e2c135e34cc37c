/* SPDX-License-Identifier: MIT
 * fetch/s3: what a store answers when a file is to go there in parts. What comes out is fit for an
 * address, and nothing is left of it but what stood there. */
#include "fuzz.h"

#include "fetch/s3.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%";
    char *xml = malloc(n + 1), id[S3_UPLOAD_BYTES];
    FUZZ_REQUIRE(xml != NULL);
    memcpy(xml, bytes, n);
    xml[n] = 0;
    if (s3_read_upload(xml, id)) {
        size_t length = strlen(id);
        FUZZ_REQUIRE(length > 0 && length < sizeof id && length <= 3 * strlen(xml));
        FUZZ_REQUIRE(!id[strspn(id, fit)]);
    }
    free(xml); /* lint: allow free: the fuzzer's own */
    return 0;
}
