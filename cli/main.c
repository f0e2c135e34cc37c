/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdio.h>

#include "options.h"

int main(int argc, char **argv)
{
    const struct command_info *command = NULL;
    struct settings settings;
    int r = cli_parse(argc, argv, &command, &settings);
    if (r)
        return r;
    if (settings.version) {
        printf("lipsync %s\n", lip_version());
        return 0;
    }
    if (settings.help) {
        cli_print_help(command);
        return 0;
    }
    mallopt(M_ARENA_MAX, 2); /* frames wander between threads: one arena each would keep them all */
    cli_catch_signals();
    return command->run(&settings);
}
