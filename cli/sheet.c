/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options.h"

int cli_run_sheet(const struct settings *settings)
{
    if (!settings->output) {
        fprintf(stderr, "lipsync: name the picture with -o SHEET.png\n");
        return 2;
    }
    lip_engine *engine = NULL;
    int r = cli_open(settings, &engine);
    if (r)
        return r;
    struct lip_error err = {0};
    r = lip_sheet(engine, settings->args[0], settings->args[1], settings->score, settings->columns,
                  settings->output, &err);
    lip_close(&engine);
    return r ? cli_fail(r, &err) : 0;
}
