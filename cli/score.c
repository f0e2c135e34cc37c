/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "options.h"

/* lipsync score show SCORE [VOICE] -o OUT.svg */
int cli_run_score(const struct settings *settings)
{
    struct lip_job job;
    int r = cli_job(settings, &job);
    if (r)
        return r;
    if (strcmp(settings->args[0], "show")) {
        fprintf(stderr, "lipsync: a score can only be shown: lipsync score show SCORE …\n");
        return 2;
    }
    if (!job.output) {
        fprintf(stderr, "lipsync: name the drawing with -o OUT.svg or OUT.png\n");
        return 2;
    }
    job.film = NULL;
    job.score = settings->args[1];
    job.voice = settings->n_args > 2 ? settings->args[2] : NULL;
    lip_engine *engine = NULL;
    r = cli_open(settings, &engine);
    if (r)
        return r;
    struct lip_error err = {0};
    r = lip_show(engine, &job, job.output, &err);
    lip_close(&engine);
    return r ? cli_fail(r, &err) : 0;
}
