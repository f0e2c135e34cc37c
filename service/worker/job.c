/* SPDX-License-Identifier: MIT
 * The API's words into the engine's. http/ has checked them; what is unknown is left at its
 * default. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "worker/room.h"

#define WHERE "worker/job"
#define WHOLE_S (24. * 3600) /* an end behind the film's is the film's */

/* What a model takes notice of. */
struct model {
    const char *name;
    enum lip_tier tier;
    bool temperature, speaker, occlusion;
};

static const struct model models[] = {
    {"lipsync-1.9.0-beta", LIP_TIER_FAST, false, true, true},
    {"lipsync-2", LIP_TIER_STANDARD, true, true, true},
    {"lipsync-2-pro", LIP_TIER_PRO, true, true, true},
    {"sync-3", LIP_TIER_PRO, false, true, false},
    {"react-1", LIP_TIER_PRO, false, false, true},
};

void worker_input_name(const json_t *item, size_t i, char ret_name[16])
{
    const char *type = json_string_value(json_object_get(item, "type"));
    bool seen = type && (!strcmp(type, "video") || !strcmp(type, "image"));
    if (seen)
        snprintf(ret_name, 16, "film");
    else
        snprintf(ret_name, 16, "voice%u", (unsigned)(i % 1000));
}

static const struct model *find_model(const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "model"));
    for (size_t i = 0; name && i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, name))
            return &models[i];
    return NULL;
}

/* The first face that boxes show: its middle, and the frame. For segments, which know no boxes. */
static void take_boxes(const json_t *boxes, struct lip_segment *s)
{
    size_t i;
    json_t *box;
    json_array_foreach(boxes, i, box) {
        if (json_array_size(box) != 4)
            continue;
        double v[4];
        for (size_t k = 0; k < 4; k++)
            v[k] = json_number_value(json_array_get(box, k));
        s->face = LIP_FACE_POINT;
        s->face_x = (v[0] + v[2]) / 2;
        s->face_y = (v[1] + v[3]) / 2;
        s->face_frame = (int64_t)i;
        return;
    }
}

static void take_options(const json_t *options, const struct model *model, struct lip_segment *s)
{
    static const char *const modes[] = {"bounce", "loop", "cut_off", "silence", "remap"};
    const char *sync = json_string_value(json_object_get(options, "sync_mode"));
    for (int i = 0; sync && i < 5; i++)
        if (!strcmp(sync, modes[i]))
            s->sync = i;
    const json_t *temperature = json_object_get(options, "temperature");
    if (model->temperature && json_is_number(temperature))
        s->temperature = json_number_value(temperature);
    /* Off is not never: what certainly is in front of a mouth is never painted over. */
    if (model->occlusion && json_is_true(json_object_get(options, "occlusion_detection_enabled")))
        s->occlusion = LIP_OCCLUSION_ON;
    const json_t *asd = json_object_get(options, "active_speaker_detection");
    const json_t *point = json_object_get(asd, "coordinates");
    if (!model->speaker)
        return;
    if (json_is_true(json_object_get(asd, "auto_detect")) ||
        json_is_true(json_object_get(options, "active_speaker"))) {
        s->face = LIP_FACE_AUTO;
    } else if (json_array_size(point) == 2) {
        s->face = LIP_FACE_POINT;
        s->face_x = json_number_value(json_array_get(point, 0));
        s->face_y = json_number_value(json_array_get(point, 1));
        s->face_frame = json_integer_value(json_object_get(asd, "frame_number"));
    } else if (json_is_array(json_object_get(asd, "bounding_boxes"))) {
        take_boxes(json_object_get(asd, "bounding_boxes"), s);
    }
}

static int find_voice(const json_t *input, const char *ref)
{
    size_t i;
    json_t *item;
    json_array_foreach(input, i, item) {
        const char *type = json_string_value(json_object_get(item, "type"));
        const char *own = json_string_value(json_object_get(item, "refId"));
        bool voice = type && (!strcmp(type, "audio") || !strcmp(type, "text"));
        if (voice && i < WORKER_INPUTS_MAX && (!ref || (own && !strcmp(own, ref))))
            return (int)i;
    }
    return -1;
}

static int take_segment(const json_t *json, const json_t *segment, const struct model *model,
                        struct worker_plan *plan, struct lip_segment *s)
{
    const json_t *voice = json_object_get(segment, "audioInput");
    int i = find_voice(json_object_get(json, "input"),
                       json_string_value(json_object_get(voice, "refId")));
    if (i < 0)
        return LIP_ERR_ARG;
    take_options(json_object_get(json, "options"), model, s);
    take_options(json_object_get(segment, "optionsOverride"), model, s);
    s->start_s = json_number_value(json_object_get(segment, "startTime"));
    s->end_s = json_number_value(json_object_get(segment, "endTime"));
    s->voice = plan->voices[i];
    s->voice_from_s = json_number_value(json_object_get(voice, "startTime"));
    s->voice_to_s = json_number_value(json_object_get(voice, "endTime"));
    return LIP_OK;
}

static int take_segments(const json_t *json, const struct model *model, struct worker_plan *plan,
                         struct lip_error *err)
{
    const json_t *segments = json_object_get(json, "segments");
    size_t n = json_array_size(segments);
    plan->segments = base_alloc_array(n, sizeof *plan->segments);
    if (!plan->segments)
        return base_error_nomem(err, WHERE);
    for (size_t i = 0; i < n; i++) {
        lip_segment_default(&plan->segments[i]);
        if (take_segment(json, json_array_get(segments, i), model, plan, &plan->segments[i]))
            return base_error_set(err, LIP_ERR_ARG, WHERE, "segment %zu has no voice", i);
    }
    plan->job.segments = plan->segments;
    plan->job.n_segments = (int)n;
    return LIP_OK;
}

static const json_t *whole_boxes(const json_t *json, const struct model *model)
{
    const json_t *asd = json_object_get(json_object_get(json, "options"),
                                        "active_speaker_detection");
    const json_t *boxes = json_object_get(asd, "bounding_boxes");
    return model->speaker && json_is_array(boxes) ? boxes : NULL;
}

/* One voice for the whole film. A face in a frame that is known by its number is what a segment
 * says, so then the film is one segment. */
static int take_whole(const json_t *json, const struct model *model, struct worker_plan *plan,
                      struct lip_error *err)
{
    struct lip_segment s;
    struct lip_job *job = &plan->job;
    const json_t *input = json_object_get(json, "input");
    const char *type = json_string_value(json_object_get(json, "seen"));
    bool image = type && !strcmp(type, "image");
    int i = find_voice(input, NULL);
    lip_segment_default(&s);
    take_options(json_object_get(json, "options"), model, &s);
    if (i < 0)
        return base_error_set(err, LIP_ERR_ARG, WHERE, "there is no voice");
    job->voice = plan->voices[i];
    job->sync = image || s.sync < 0 ? LIP_SYNC_BOUNCE : (enum lip_sync_mode)s.sync;
    if (s.temperature >= 0)
        job->temperature = s.temperature;
    if (s.occlusion >= 0)
        job->occlusion = (enum lip_occlusion)s.occlusion;
    if (whole_boxes(json, model) && !image) {
        job->face = LIP_FACE_BOXES;
        job->face_boxes = WORKER_BOXES;
        return worker_json_write(".", WORKER_BOXES, whole_boxes(json, model), err);
    }
    if (s.face == LIP_FACE_AUTO && !image)
        job->face = LIP_FACE_AUTO;
    if (s.face != LIP_FACE_POINT)
        return LIP_OK;
    if (image) {
        job->face = LIP_FACE_POINT;
        job->face_x = s.face_x;
        job->face_y = s.face_y;
        return LIP_OK;
    }
    plan->segments = base_alloc_array(1, sizeof *plan->segments);
    if (!plan->segments)
        return base_error_nomem(err, WHERE);
    s.end_s = WHOLE_S;
    s.voice = job->voice;
    s.sync = (int)job->sync;
    plan->segments[0] = s;
    job->voice = NULL;
    job->segments = plan->segments;
    job->n_segments = 1;
    return LIP_OK;
}

int worker_plan_make(const json_t *json, struct worker_plan *ret_plan, struct lip_error *err)
{
    const struct model *model = find_model(json);
    const json_t *input = json_object_get(json, "input");
    size_t i;
    json_t *item;
    if (!model || json_array_size(input) > WORKER_INPUTS_MAX)
        return base_error_set(err, LIP_ERR_ARG, WHERE, "the job is damaged");
    struct worker_plan *plan = ret_plan; /* names lie in it, and the job points at them */
    *plan = (struct worker_plan){.segments = NULL};
    lip_job_default(&plan->job);
    json_array_foreach(input, i, item)
        worker_input_name(item, i, plan->voices[i]);
    snprintf(plan->film, sizeof plan->film, "film");
    plan->job.film = plan->film;
    plan->job.output = WORKER_OUTPUT;
    plan->job.report = WORKER_REPORT;
    plan->job.codec = LIP_CODEC_H264;
    plan->job.tier = model->tier;
    plan->job.overwrite = 1;
    plan->job.n_threads = (int)json_integer_value(json_object_get(json, "threads"));
    int r = json_is_array(json_object_get(json, "segments"))
                ? take_segments(json, model, plan, err) : take_whole(json, model, plan, err);
    if (r)
        worker_plan_done(plan);
    return r;
}

bool worker_plan_automatic(const struct worker_plan *plan)
{
    bool automatic = plan->job.face == LIP_FACE_AUTO;
    for (int i = 0; i < plan->job.n_segments; i++)
        automatic |= plan->segments[i].face == LIP_FACE_AUTO;
    return automatic;
}

void worker_plan_largest(struct worker_plan *plan)
{
    if (plan->job.face == LIP_FACE_AUTO)
        plan->job.face = LIP_FACE_LARGEST;
    for (int i = 0; i < plan->job.n_segments; i++)
        if (plan->segments[i].face == LIP_FACE_AUTO)
            plan->segments[i].face = LIP_FACE_LARGEST;
}

void worker_plan_done(struct worker_plan *plan)
{
    base_free(plan->segments);
    base_free(plan->only);
    plan->segments = NULL;
    plan->only = NULL;
}

const char *worker_error_code(int status, const char *text)
{
    bool voice = strstr(text, "'voice") != NULL;
    switch (status) {
    case LIP_ERR_NOT_FOUND:
    case LIP_ERR_FORMAT:
    case LIP_ERR_UNSUPPORTED:
    case LIP_ERR_LIMIT:
        return voice ? "generation_input_audio_invalid" : "generation_input_video_invalid";
    case LIP_ERR_NO_VIDEO:
        return "generation_input_video_invalid";
    case LIP_ERR_NO_AUDIO:
        return "generation_input_audio_invalid";
    case LIP_ERR_NO_FACE:
        return "generation_input_face_selection_invalid";
    case LIP_ERR_ARG:
        return "generation_input_segments_invalid";
    case LIP_ERR_NOMEM:
        return "generation_infra_resource_exhausted";
    case LIP_ERR_IO:
        return "generation_infra_storage_error";
    case LIP_ERR_MODEL:
    case LIP_ERR_DEVICE:
    case LIP_ERR_ENCODER:
        return "generation_infra_service_unavailable";
    default:
        return "generation_unknown_error";
    }
}
