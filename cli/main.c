/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#if LIPSYNC_SERVICE
#include "worker/worker.h"
#endif

/* Frames come and go and wander between threads: they are given back to the system at once rather
 * than kept in every thread's heap (90 MB less at 1080p, no slower). */
static void tune_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

int main(int argc, char **argv)
{
    const struct command_info *command = NULL;
    struct settings settings;
#if LIPSYNC_SERVICE
    if (argc == 4 && !strcmp(argv[1], WORKER_COMMAND)) { /* the server calls itself: no command */
        tune_memory();
        return worker_child(argv[2], argv[3]);
    }
#endif
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
    tune_memory();
    cli_catch_signals();
    return command->run(&settings);
}
