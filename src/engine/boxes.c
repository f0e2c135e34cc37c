/* SPDX-License-Identifier: MIT */
#include "engine/boxes.h"

#include <jansson.h>
#include <math.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "data/score.h"

#define WHERE "engine/boxes"
#define PIXEL_MAX 1e6

/* Corners may come in any order. */
static bool take_box(const json_t *entry, struct box *ret_box)
{
    double v[4];
    *ret_box = (struct box){0};
    if (json_is_null(entry))
        return true;
    if (json_array_size(entry) != 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(entry, i);
        v[i] = json_number_value(number);
        if (!json_is_number(number) || !(fabs(v[i]) <= PIXEL_MAX))
            return false;
    }
    *ret_box = (struct box){true, (float)fmin(v[0], v[2]), (float)fmin(v[1], v[3]),
                            (float)fmax(v[0], v[2]), (float)fmax(v[1], v[3])};
    return true;
}

static int take_list(const json_t *list, struct boxes *ret_boxes, struct lip_error *err)
{
    size_t n = json_array_size(list);
    if (n > (size_t)DATA_SCORE_FRAMES_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "there are too many boxes");
    struct box *at = base_alloc_array(n + 1, sizeof *at);
    if (!at)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n; i++)
        if (!take_box(json_array_get(list, i), &at[i])) {
            base_free(at);
            return base_error_set(err, LIP_ERR_FORMAT, WHERE,
                                  "box %zu (from 0) is neither null nor [x0, y0, x1, y1]", i);
        }
    *ret_boxes = (struct boxes){at, n};
    return LIP_OK;
}

int boxes_read(const char *text, size_t n, struct boxes *ret_boxes, struct lip_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(text, n, 0, &why);
    const json_t *list = json_is_object(root) ? json_object_get(root, "bounding_boxes") : root;
    int r;
    if (!root)
        r = base_error_set(err, LIP_ERR_FORMAT, WHERE, "the boxes are no JSON: %s (line %d)",
                           why.text, why.line);
    else if (!json_is_array(list))
        r = base_error_set(err, LIP_ERR_FORMAT, WHERE,
                           "the boxes are no list of one entry per frame");
    else
        r = take_list(list, ret_boxes, err);
    json_decref(root);
    return r;
}

int boxes_open(const char *path, struct boxes *ret_boxes, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    int r = base_fs_read(path, BOXES_BYTES_MAX, &bytes, &n, err);
    if (!r)
        r = boxes_read((const char *)bytes, n, ret_boxes, err);
    base_free(bytes);
    return r;
}

void boxes_done(struct boxes *boxes)
{
    base_free(boxes->at);
    *boxes = (struct boxes){0};
}
