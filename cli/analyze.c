/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options.h"

int cli_run_analyze(const struct settings *settings)
{
    if (!settings->score) {
        fprintf(stderr, "lipsync: name the score with --score FILE\n");
        return 2;
    }
    struct cli_session s;
    int r = cli_begin(settings, &s);
    return r ? r : cli_end(&s, lip_analyze(s.engine, &s.job, &s.err));
}
