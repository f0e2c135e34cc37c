/* SPDX-License-Identifier: MIT
 *
 * Finds a file inside MediaPipe's packed assets: the table of contents is a JSON object in the
 * loader script beside them: {"filename": "/…/name", "start": 0, "end": 2495952}, … */
#ifndef TOOLS_PACKED_H
#define TOOLS_PACKED_H

#include <stddef.h>

/* The byte range of the entry whose path ends with "/" + name. Returns 0 or LIP_ERR_FORMAT. */
int packed_find(const char *script, size_t n, const char *name, size_t *ret_start, size_t *ret_end);

#endif
