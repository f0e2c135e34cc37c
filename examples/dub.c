/* SPDX-License-Identifier: MIT
 * The smallest program: film + voice -> film. */
#include <stdio.h>

#include <lipsync/lipsync.h>

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "use: dub FILM VOICE OUT.mp4\n");
        return 2;
    }
    struct lip_error err = {0};
    lip_engine *engine = NULL;
    struct lip_job job;
    lip_job_default(&job);
    job.film = argv[1];
    job.voice = argv[2];
    job.output = argv[3];
    job.overwrite = 1;
    struct lip_result result;
    int r = lip_open(NULL, &engine, &err);
    if (!r)
        r = lip_dub(engine, &job, &result, &err);
    if (r)
        fprintf(stderr, "%s\n", err.text);
    else
        printf("%lld of %lld frames edited\n", (long long)result.edited, (long long)result.frames);
    lip_close(&engine);
    return r ? 1 : 0;
}
