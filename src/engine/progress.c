/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "base/thread.h"

#define REPORT_EVERY_US 100000

/* How much of a job each stage takes, roughly; only for the bar. */
static const double share[LIP_STAGE_COUNT] = {0.28, 0.06, 0.04, 0.60, 0.02};

const char *lip_stage_name(int stage)
{
    static const char *const names[LIP_STAGE_COUNT] = {"analyze", "learn", "listen", "perform",
                                                       "join"};
    return stage >= 0 && stage < LIP_STAGE_COUNT ? names[stage] : "unknown";
}

void progress_init(struct progress *p, const struct lip_job *job)
{
    *p = (struct progress){.job = job, .stage = -1, .share = 1,
                           .processor_start_s = base_processor_s()};
}

void progress_end(struct progress *p)
{
    if (p->stage < 0)
        return;
    p->stage_s[p->stage] += (double)(base_time_us() - p->stage_start_us) * 1e-6;
    p->done += share[p->stage];
    p->stage = -1;
}

void progress_stage(struct progress *p, int stage)
{
    progress_end(p);
    p->stage = stage;
    p->stage_start_us = base_time_us();
    progress_share(p, 0, 1);
    p->done = 0;
    for (int i = 0; i < stage; i++)
        p->done += share[i];
    progress_tell(p, 0, 0, 0);
}

void progress_share(struct progress *p, double from, double share_of_stage)
{
    p->from = from;
    p->share = share_of_stage;
}

void progress_tell(struct progress *p, double fraction, double media_s, int64_t frames)
{
    int64_t now = base_time_us();
    bool edge = fraction <= 0 || fraction >= 1;
    if (!p->job->progress || (!edge && now - p->last_report_us < REPORT_EVERY_US))
        return;
    p->last_report_us = now;
    fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    fraction = p->from + p->share * fraction;
    double spent_s = (double)(now - p->stage_start_us) * 1e-6;
    struct lip_progress report = {
        .stage = p->stage,
        .stage_fraction = fraction,
        .fraction = p->done + share[p->stage] * fraction,
        .speed = spent_s > 0.05 ? media_s / spent_s : 0,
        .left_s = fraction > 0.02 ? spent_s * (1 - fraction) / fraction : -1,
        .frames = frames,
    };
    p->job->progress(p->job->progress_user, &report);
}

int progress_check(const struct progress *p, struct lip_error *err)
{
    if (p->job->cancel && *p->job->cancel)
        return base_error_set(err, LIP_ERR_CANCELLED, "engine", "cancelled");
    return LIP_OK;
}
