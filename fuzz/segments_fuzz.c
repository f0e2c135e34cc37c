/* SPDX-License-Identifier: MIT
 * cli/segments: a file of segments, and the text of --segment and --only. What is read can be
 * checked by the library, whatever it says. */
#include "fuzz.h"

#include "../cli/segments.h"

int cli_exit_code(int status) /* of the program, which is not linked here */
{
    return status ? 1 : 0;
}

static void look(const struct cli_segments *s)
{
    for (size_t i = 0; i < s->n; i++) {
        FUZZ_REQUIRE(s->at[i].voice && *s->at[i].voice);
        FUZZ_REQUIRE(s->at[i].start_s >= 0 && s->at[i].end_s >= 0);
        FUZZ_REQUIRE(s->at[i].sync >= -1 && s->at[i].sync <= LIP_SYNC_REMAP);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct cli_segments s = {0};
    char why[CLI_WHY_MAX] = "";
    if (cli_segments_read((const char *)bytes, n, "folder/", &s, why))
        FUZZ_REQUIRE(why[0]);
    else
        FUZZ_REQUIRE(s.n > 0);
    look(&s);
    cli_segments_done(&s);
    char *text = malloc(n + 1);
    FUZZ_REQUIRE(text != NULL);
    memcpy(text, bytes, n);
    text[n] = 0;
    if (!cli_segment_parse(text, &s, why))
        FUZZ_REQUIRE(s.n == 1);
    if (!cli_range_parse(text, &s, why))
        FUZZ_REQUIRE(s.n_only == 1);
    look(&s);
    cli_segments_done(&s);
    free(text); /* lint: allow free: the fuzzer's own */
    return 0;
}
