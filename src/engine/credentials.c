/* SPDX-License-Identifier: MIT */
#include "engine/credentials.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/report.h"

#define WHERE "engine/credentials"

int credentials_take(const struct lip_job *job, unsigned *notes, struct credentials *ret_taken,
                     struct lip_error *err)
{
    struct lip_error quiet = {0};
    if (job->no_mark || !(*notes & MEDIA_NOTE_C2PA))
        return LIP_OK;
    int r = media_c2pa_read(job->film, &ret_taken->bytes, &ret_taken->n, &quiet);
    if (r == LIP_ERR_NOMEM)
        return base_error_nomem(err, WHERE);
    if (!r)
        *notes |= MEDIA_NOTE_C2PA_KEPT;
    return LIP_OK;
}

int credentials_keep(const struct lip_job *job, const struct credentials *taken,
                     struct lip_error *err)
{
    if (!taken->bytes)
        return LIP_OK;
    char *path = report_beside(job->output, REPORT_CREDENTIALS);
    int r = path ? base_fs_write(path, taken->bytes, taken->n, err) : base_error_nomem(err, WHERE);
    base_free(path);
    return r;
}

void credentials_done(struct credentials *taken)
{
    base_free(taken->bytes);
    *taken = (struct credentials){0};
}
