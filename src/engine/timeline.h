/* SPDX-License-Identifier: MIT
 *
 * The report's time line: what was said, drawn and seen, point by point, for whoever draws it. */
#ifndef ENGINE_TIMELINE_H
#define ENGINE_TIMELINE_H

#include "engine/report.h"

/* The loudest sample of what is heard in each of n columns of 1 / per_s seconds; 0 where nothing
 * can be read. Errors: LIP_ERR_NOMEM. */
int timeline_peaks(const struct lip_job *job, double per_s, size_t n, float *ret_peaks,
                   struct lip_error *err);
/* JSON null when there is no memory for it. docs/guide/report.md has the fields. */
json_t *timeline_make(const struct report_input *in);

#endif
