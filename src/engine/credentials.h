/* SPDX-License-Identifier: MIT
 * A film's content credentials (C2PA) are signed for its own pictures: an edited film cannot carry
 * them, so they are kept in a file of their own beside it. */
#ifndef ENGINE_CREDENTIALS_H
#define ENGINE_CREDENTIALS_H

#include "engine/engine.h"

struct credentials {
    uint8_t *bytes; /* NULL: there are none to keep */
    size_t n;
};

/* Takes them from the film and adds MEDIA_NOTE_C2PA_KEPT. They count as part of the mark: none with
 * no_mark. `taken` is zeroed before. Errors: LIP_ERR_NOMEM. */
int credentials_take(const struct lip_job *job, unsigned *notes, struct credentials *ret_taken,
                     struct lip_error *err);
/* Writes them beside the output, which is whole by then. */
int credentials_keep(const struct lip_job *job, const struct credentials *taken,
                     struct lip_error *err);
void credentials_done(struct credentials *taken);

#endif
