/* SPDX-License-Identifier: MIT
 * What a job did and what it is worth: as a struct for programs, as JSON, and as a page to read. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include <jansson.h>

#include "engine/judge.h"
#include "engine/perform.h"
#include "engine/plan.h"
#include "engine/roles.h"
#include "engine/segments.h"

#define REPORT_SCHEMA_VERSION 1

struct report_input {
    const lip_engine *engine;
    const struct lip_job *job;
    const struct data_score *score;
    const struct roles *roles;
    const struct plan *plan;
    const struct perform_stats *stats;
    const struct judgement *judged;
    const struct progress *progress;
    const struct segments *segments;
    int64_t voice_us;
};

bool report_text_is_fine(const char *text); /* a text of the user's that a report can hold */
void report_fill(const struct report_input *in, struct lip_result *ret_result);
#define REPORT_RECORD ".lipsync.json"
/* The film's own content credentials. Not ".c2pa" or the like, which would say that they are the
 * output's. */
#define REPORT_CREDENTIALS ".source.c2pa"
/* The output's path and one of these; base memory, NULL when there is none. */
char *report_beside(const char *output, const char *ending);
/* Reads the job's files once more for their hashes. NULL: out of memory. */
json_t *report_make(const struct report_input *in);
int report_write(const char *path, const json_t *report, struct lip_error *err);

/* page.c: `report` is what report_make made. The voice is read once more for its waveform. */
int page_write(const char *path, const struct report_input *in, const json_t *report,
               struct lip_error *err);

#endif
