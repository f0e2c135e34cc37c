/* SPDX-License-Identifier: MIT
 * Progress and cancelling: stops the job after a number of seconds, or shows it through. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lipsync/lipsync.h>

struct watchdog {
    time_t until;
    volatile int cancel;
};

static void show(void *user, const struct lip_progress *now)
{
    struct watchdog *dog = user;
    printf("%s: %.0f %%\n", lip_stage_name(now->stage), now->fraction * 100);
    if (time(NULL) >= dog->until)
        dog->cancel = 1; /* could as well come from another thread */
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "use: progress FILM VOICE OUT.mp4 SECONDS\n");
        return 2;
    }
    struct watchdog dog = {.until = time(NULL) + strtol(argv[4], NULL, 10)};
    struct lip_error err = {0};
    lip_engine *engine = NULL;
    struct lip_job job;
    lip_job_default(&job);
    job.film = argv[1];
    job.voice = argv[2];
    job.output = argv[3];
    job.overwrite = 1;
    job.progress = show;
    job.progress_user = &dog;
    job.cancel = &dog.cancel;
    int r = lip_open(NULL, &engine, &err);
    if (!r)
        r = lip_dub(engine, &job, NULL, &err);
    if (r)
        fprintf(stderr, "%s: %s\n", lip_status_name(r), err.text);
    lip_close(&engine);
    return r == 0 || r == LIP_ERR_CANCELLED ? 0 : 1;
}
