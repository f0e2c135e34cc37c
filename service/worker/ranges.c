/* SPDX-License-Identifier: MIT
 * What only the film itself, or another machine's answer, makes clear about a job. */
#include <math.h>

#include "base/alloc.h"
#include "worker/room.h"

#define WHERE "worker/ranges"
#define BOXES_MAX 400000 /* as http/ takes them */
#define RANGES_MAX 1000

bool worker_boxes_valid(const json_t *boxes)
{
    size_t i;
    json_t *box;
    bool any = false;
    if (!json_is_array(boxes) || json_array_size(boxes) > BOXES_MAX)
        return false;
    json_array_foreach(boxes, i, box) {
        if (json_is_null(box))
            continue;
        for (size_t k = 0; k < 4; k++)
            if (!json_is_number(json_array_get(box, k)) ||
                !(fabs(json_number_value(json_array_get(box, k))) < 1e6))
                return false;
        if (json_array_size(box) != 4)
            return false;
        any = true;
    }
    return any;
}

/* A face in a frame with a number made the film one segment; ranges and segments exclude each
 * other, so here it is a point in time. */
static void take_point(struct worker_plan *plan, double rate_hz)
{
    const struct lip_segment *s = plan->segments;
    struct lip_job *job = &plan->job;
    if (!s)
        return;
    job->face = LIP_FACE_POINT;
    job->face_x = s->face_x;
    job->face_y = s->face_y;
    job->face_t_s = (double)s->face_frame / rate_hz;
    job->voice = s->voice;
    job->segments = NULL;
    job->n_segments = 0;
}

int worker_plan_ranges(const json_t *json, struct worker_plan *plan, struct lip_error *err)
{
    const json_t *list = NULL, *item;
    bool frames = false;
    struct lip_media media;
    for (size_t i = 0; !list && (item = json_array_get(json_object_get(json, "input"), i)); i++) {
        list = json_object_get(item, "segments_frames");
        frames = json_is_array(list);
        list = frames ? list : json_object_get(item, "segments_secs");
        list = json_is_array(list) ? list : NULL;
    }
    size_t n = json_array_size(list);
    if (!n)
        return LIP_OK;
    if (n > RANGES_MAX)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "too many ranges");
    int r = lip_probe(plan->film, &media, err);
    if (!r && media.rate_hz <= 0)
        r = base_error_set(err, LIP_ERR_ARG, WHERE, "ranges need a film, not an image");
    if (!r && !(plan->only = base_alloc_array(n, sizeof *plan->only)))
        r = base_error_nomem(err, WHERE);
    for (size_t i = 0; !r && i < n; i++) {
        const json_t *pair = json_array_get(list, i);
        double per_s = frames ? media.rate_hz : 1;
        plan->only[i].from_s = json_number_value(json_array_get(pair, 0)) / per_s;
        plan->only[i].to_s = json_number_value(json_array_get(pair, 1)) / per_s;
    }
    if (r)
        return r;
    take_point(plan, media.rate_hz);
    plan->job.only = plan->only;
    plan->job.n_only = (int)n;
    return LIP_OK;
}
