/* SPDX-License-Identifier: MIT
 * Segments and ranges as a user writes them: --segment, --only, and JSON. */
#ifndef CLI_SEGMENTS_H
#define CLI_SEGMENTS_H

#include <jansson.h>

#include "options.h"

#define CLI_SEGMENTS_BYTES_MAX ((size_t)4 << 20) /* of a file */

struct cli_segments {
    struct lip_segment *at;
    size_t n, cap;
    struct lip_range *only;
    size_t n_only, cap_only;
    char **strings; /* what `at` points to */
    size_t n_strings, cap_strings;
};

void cli_segments_done(struct cli_segments *segments); /* zeroed is fine */

/* All that a command line or a line of a batch says, put into the job, which borrows it.
 * 0, or 2 (LIP_ERR_ARG) or another exit code with a sentence. `ret` is to be freed in any case. */
int cli_segments_take(const struct settings *settings, struct lip_job *job,
                      struct cli_segments *ret, char why[CLI_WHY_MAX]);

/* One by one; all append. 0 or 2. `folder`: where relative names begin, NULL: the working one. */
int cli_segment_parse(const char *text, struct cli_segments *segments, char why[CLI_WHY_MAX]);
int cli_range_parse(const char *text, struct cli_segments *segments, char why[CLI_WHY_MAX]);
int cli_segments_read(const char *bytes, size_t n, const char *folder,
                      struct cli_segments *segments, char why[CLI_WHY_MAX]);
int cli_segments_from(const json_t *root, const char *folder, struct cli_segments *segments,
                      char why[CLI_WHY_MAX]);
int cli_ranges_from(const json_t *list, struct cli_segments *segments, char why[CLI_WHY_MAX]);

#endif
