/* SPDX-License-Identifier: MIT
 * What a job did, as a struct for programs and as JSON for files. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/learn.h"
#include "engine/perform.h"
#include "engine/plan.h"

struct report_input {
    const lip_engine *engine;
    const struct lip_job *job;
    const struct data_score *score;
    const struct cast *cast;
    const struct plan *plan;
    const struct perform_stats *stats;
    const struct progress *progress;
    int64_t voice_us;
};

bool report_text_is_fine(const char *text); /* a text of the user's that a report can hold */
void report_fill(const struct report_input *in, struct lip_result *ret_result);
int report_write(const char *path, const struct report_input *in, const struct lip_result *result,
                 struct lip_error *err);

#endif
