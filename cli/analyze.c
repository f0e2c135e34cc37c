/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options.h"

int cli_run_analyze(const struct settings *settings)
{
    struct lip_job job;
    int r = cli_job(settings, &job);
    if (r)
        return r;
    if (!job.score) {
        fprintf(stderr, "lipsync: name the score with --score FILE\n");
        return 2;
    }
    lip_engine *engine = NULL;
    r = cli_open(settings, &engine);
    if (r)
        return r;
    struct lip_error err = {0};
    struct cli_progress progress;
    cli_progress_start(&progress, settings, &job);
    r = lip_analyze(engine, &job, &err);
    cli_progress_end(&progress);
    lip_close(&engine);
    if (r)
        return cli_fail(r, &err);
    if (settings->json)
        printf("{\"score\": \"written\"}\n");
    return 0;
}
