/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options.h"

int cli_run_doctor(const struct settings *settings)
{
    char text[4096];
    struct lip_params params;
    lip_params_default(&params);
    params.models_dir = settings->models;
    params.runtime = settings->runtime;
    params.device = settings->device;
    int r = lip_doctor(&params, text, sizeof text);
    printf("%s", text);
    return cli_exit_code(r);
}
