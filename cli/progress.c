/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define BAR 24

static void print_bar(struct cli_progress *p, const struct lip_progress *now)
{
    char bar[BAR + 1];
    int full = (int)(now->stage_fraction * BAR);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = 0;
    if (p->line_open && now->stage != p->last_stage)
        fprintf(stderr, "\n");
    fprintf(stderr, "\r%-8s [%s] %3d %%", lip_stage_name(now->stage), bar,
            (int)(now->stage_fraction * 100));
    if (now->speed > 0)
        fprintf(stderr, "  %5.2f x real time", now->speed);
    if (now->left_s >= 0 && now->stage_fraction < 1)
        fprintf(stderr, "  %4.0f s left", now->left_s);
    fprintf(stderr, "\033[K");
    p->line_open = true;
}

static void print_line(const struct cli_progress *p, const struct lip_progress *now)
{
    int tenth = (int)(now->stage_fraction * 10);
    if (now->stage == p->last_stage && (tenth == p->last_tenth || tenth % 5))
        return;
    fprintf(stderr, "%s %d %%", lip_stage_name(now->stage), (int)(now->stage_fraction * 100));
    if (now->speed > 0)
        fprintf(stderr, ", %.2f x real time", now->speed);
    fprintf(stderr, "\n");
}

static void print_json(const struct lip_progress *now)
{
    fprintf(stderr,
            "{\"stage\":\"%s\",\"stage_fraction\":%.4f,\"fraction\":%.4f,\"speed\":%.3f,"
            "\"left_s\":%.1f,\"frames\":%lld}\n",
            lip_stage_name(now->stage), now->stage_fraction, now->fraction, now->speed, now->left_s,
            (long long)now->frames);
}

static void show(void *user, const struct lip_progress *now)
{
    struct cli_progress *p = user;
    if (p->kind == PROGRESS_AUTO)
        print_bar(p, now);
    else if (p->kind == PROGRESS_PLAIN)
        print_line(p, now);
    else
        print_json(now);
    p->last_stage = now->stage;
    p->last_tenth = (int)(now->stage_fraction * 10);
}

void cli_progress_start(struct cli_progress *p, const struct settings *settings,
                        struct lip_job *job)
{
    *p = (struct cli_progress){.kind = settings->progress, .last_stage = -1, .last_tenth = -1};
    if (p->kind == PROGRESS_AUTO && !isatty(STDERR_FILENO))
        p->kind = PROGRESS_PLAIN;
    if (p->kind == PROGRESS_NONE)
        return;
    job->progress = show;
    job->progress_user = p;
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->line_open)
        fprintf(stderr, "\n");
}
