/* SPDX-License-Identifier: MIT
 * One recording, many messages: the film is looked at once, the score serves every voice. */
#include <stdio.h>

#include <lipsync/lipsync.h>

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "use: many_voices FILM FILM.score VOICE...   (writes message-N.mp4)\n");
        return 2;
    }
    struct lip_error err = {0};
    lip_engine *engine = NULL;
    struct lip_job job;
    lip_job_default(&job);
    job.film = argv[1];
    job.score = argv[2];
    job.overwrite = 1;
    int r = lip_open(NULL, &engine, &err);
    if (!r)
        r = lip_analyze(engine, &job, &err);
    for (int i = 3; i < argc && !r; i++) {
        char name[64];
        snprintf(name, sizeof name, "message-%d.mp4", i - 2);
        job.voice = argv[i];
        job.output = name;
        r = lip_dub(engine, &job, NULL, &err);
        if (!r)
            printf("%s\n", name);
    }
    if (r)
        fprintf(stderr, "%s\n", err.text);
    lip_close(&engine);
    return r ? 1 : 0;
}
