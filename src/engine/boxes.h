/* SPDX-License-Identifier: MIT
 *
 * One box per frame that says where the speaker is: a JSON array, or an object whose
 * "bounding_boxes" is one, of [x0, y0, x1, y1] in the film's own pixels, or null for nobody. */
#ifndef ENGINE_BOXES_H
#define ENGINE_BOXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define BOXES_BYTES_MAX ((size_t)64 << 20)
#define BOXES_SPARE 8 /* frames: a list that is so much too short goes on with its last entry */

struct box {
    bool known; /* false: null, nobody */
    float x0, y0, x1, y1;
};
struct boxes {
    struct box *at;
    size_t n;
};

/* Errors: LIP_ERR_FORMAT with the number of the entry, LIP_ERR_NOMEM. */
int boxes_read(const char *text, size_t n, struct boxes *ret_boxes, struct lip_error *err);
int boxes_open(const char *path, struct boxes *ret_boxes, struct lip_error *err);
void boxes_done(struct boxes *boxes); /* zeroed is fine */

#endif
