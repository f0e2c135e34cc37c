/* SPDX-License-Identifier: MIT
 *
 * The curve of a voice: what the head says, brought to this person's range, closed where lips are
 * meant to touch, held inside this mouth's limits, and brought to rest in silence. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/internal.h"

/* In samples of 20 ms. */
#define RING 32         /* a power of two, more than a sample waits, and MOTION_TIMING_REACH */
#define VOICES 256      /* a power of two, more than the net's reach and what a sample waits */
#define PAUSE_MIN 6     /* a shorter pause is part of speech */
#define CLOSE_OVER 6.0f /* the mouth comes to rest this long after the voice … */
#define RISE_MAX 0.35f  /* so much the gate opens in a sample where it cannot see far */
#define VOICE_ON 0.5f
#define VOICE_OFF 0.3f
#define OPENING_SPEED 20.0f /* ranges (5 to 95 %) a second; real mouths: 1 step in 2000 */
#define EXPRESSION 1.6f /* how much wider the mouth goes at temperature 1, and calmer at 0 */
#define SAMPLES_WAITING_MAX ((size_t)MOTION_RATE_HZ * 3600)

/* What the two nets' streams can afford, in samples. */
struct pace {
    int ahead;         /* so long a sample waits for the net's answers after it */
    int voices_ahead;  /* so far the voice after a sample is known by then */
    float open_before; /* the mouth leaves rest this long before the voice: lips move before they
                          are heard */
    bool patient;      /* pauses and meetings are seen whole before they are shown */
};
static const struct pace whole_pace = {12, 12, 10.0f, true};
/* The net of low latency looks two voices past its sample, and the smoothing waits for one more. */
static const struct pace live_pace = {1, 3, 4.0f, false};

struct raw {
    float rows[MOTION_HEAD_ROWS]; /* coefficients and opening in CANON */
    float closure;
};

struct motion_stream {
    const struct motion_model *model;
    struct motion_style style; /* head is borrowed */
    struct motion_mouth mouth;
    struct motion_trunk *trunk;
    struct raw ring[RING];
    struct pace pace;
    int64_t n_raw, n_out; /* since the beginning */
    int64_t quiet;        /* samples since the voice was last active, up to n_out */
    /* Is somebody speaking at each of n_voices samples? Sample i lives at i & (VOICES - 1). */
    bool active[VOICES];
    int64_t n_rows, n_voices;
    float last_voice;
    float gate; /* of the last sample */
    float opening;    /* of the last sample, before the gate */
    float expression; /* gain on all that is away from rest */
    struct data_curve_sample *samples;
    size_t taken, n, cap;
    bool flushed;
};

int motion_stream_create(const struct motion_model *model, const struct motion_style *style,
                         const struct data_person *person, struct motion_stream **ret_stream,
                         struct lip_error *err)
{
    struct motion_stream *stream;

    if (style->head &&
        (style->head->n_features != model->n_features || style->head->n_rows != MOTION_HEAD_ROWS))
        return base_error_set(err, LIP_ERR_SCORE, "motion/stream",
                              "the person's style was made with another mouth model");
    stream = base_alloc_zero(sizeof(*stream));
    if (!stream)
        return base_error_nomem(err, "motion/stream");
    stream->model = model;
    stream->pace = model->live ? live_pace : whole_pace;
    stream->style = *style;
    if (!style->ranged)
        motion_style_range(model, person, &stream->style);
    motion_mouth_init(&stream->mouth, &model->basis, person);
    stream->quiet = INT32_MAX;
    stream->opening = stream->style.opening_max;
    stream->expression = 1.0f;
    if (motion_trunk_create(model, &stream->trunk) < 0) {
        motion_stream_destroy(&stream);
        return base_error_nomem(err, "motion/stream");
    }
    *ret_stream = stream;
    return 0;
}

void motion_stream_express(struct motion_stream *stream, double temperature)
{
    double t = temperature < 0.0 ? 0.0 : temperature > 1.0 ? 1.0 : temperature;

    stream->expression = (float)pow(EXPRESSION, 2.0 * t - 1.0);
}

void motion_stream_destroy(struct motion_stream **stream)
{
    if (!stream || !*stream)
        return;
    motion_trunk_destroy(&(*stream)->trunk);
    base_free((*stream)->samples);
    base_free(*stream);
    *stream = NULL;
}

/* Straight between the three quantiles and on beyond them; never steeper than 2.5. */
static float map_opening(const struct motion_style *style, float said)
{
    const float *in = style->opening_in, *out = style->opening_out;
    int half = said < in[1] ? 0 : 1;
    float run = fmaxf(in[half + 1] - in[half], 1e-4f);
    float slope = fminf((out[half + 1] - out[half]) / run, 2.5f);
    return out[1] + slope * (said - in[1]);
}

/* The voice of a sample is the larger one of the two rows around its time. */
static void hear_voice(struct motion_stream *stream, float voice)
{
    float here = fmaxf(voice, stream->last_voice);

    stream->last_voice = voice;
    if (stream->n_rows++ % 2 == 0 && stream->n_voices > 0)
        return;
    if (stream->n_voices == 0)
        here = voice;
    bool before = stream->n_voices > 0 && stream->active[(stream->n_voices - 1) & (VOICES - 1)];
    stream->active[stream->n_voices++ & (VOICES - 1)] = here > (before ? VOICE_OFF : VOICE_ON);
}

static void hear(struct motion_stream *stream, const float *features)
{
    const struct motion_model *model = stream->model;
    const struct motion_style *style = &stream->style;
    struct raw *raw = &stream->ring[stream->n_raw++ & (RING - 1)];
    float said[MOTION_MODEL_ROWS], closure;

    motion_head_apply(&model->head, features, said);
    closure = 1.0f / (1.0f + expf(-said[MOTION_CLOSURE]));
    said[MOTION_OPENING] =
        model->mean[MOTION_OPENING] + model->sd[MOTION_OPENING] * said[MOTION_OPENING];
    if (style->head)
        motion_head_apply(style->head, features, said);
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        raw->rows[k] = style->offset[k] + style->gain[k] * said[k];
    raw->rows[MOTION_OPENING] = map_opening(style, said[MOTION_OPENING]);
    raw->closure = closure;
}

/* Samples from n_out to the next active one, itself included; INT32_MAX: none in sight. */
static int64_t until_voice(const struct motion_stream *stream)
{
    for (int64_t i = 0; i <= stream->pace.voices_ahead; i++) {
        if (stream->n_out + i >= stream->n_voices)
            break;
        if (stream->active[(stream->n_out + i) & (VOICES - 1)])
            return i;
    }
    return INT32_MAX;
}

/* How far the mouth is under way, 0 rest .. 1 speech, at sample n_out. */
static float gate(struct motion_stream *stream)
{
    int64_t until = until_voice(stream);
    float leaving, coming;

    if (until == 0) {
        stream->quiet = 0;
        return 1.0f;
    }
    stream->quiet += stream->quiet < INT32_MAX;
    /* The pause from the last active sample to the next has quiet + until - 1 samples. */
    if (stream->quiet + until - 1 < PAUSE_MIN)
        return 1.0f;
    leaving = 1.0f - motion_smoothstep((float)stream->quiet / CLOSE_OVER);
    coming = 1.0f - motion_smoothstep((float)until / stream->pace.open_before);
    return fmaxf(leaving, coming);
}

/* A pause that turns out to be short, or a voice that was not seen coming, opens at once, but not
 * with a jump. */
static float ease(struct motion_stream *stream, float target)
{
    stream->gate = stream->pace.patient ? target : fminf(target, stream->gate + RISE_MAX);
    return stream->gate;
}

static const struct raw *neighbour(const struct motion_stream *stream, int64_t index)
{
    index = index < 0 ? 0 : index >= stream->n_raw ? stream->n_raw - 1 : index;
    return &stream->ring[index & (RING - 1)];
}

/* Lips part quickly, but not at once: the jaw has a weight. */
static float limit_speed(struct motion_stream *stream, float opening)
{
    const struct motion_style *style = &stream->style;
    float step = OPENING_SPEED * (style->opening_out[2] - style->opening_out[0]) / MOTION_RATE_HZ;

    stream->opening = fminf(opening, stream->opening + fmaxf(step, 0.0f));
    return stream->opening;
}

/* Inside the limits: first the opening along the mouth's own way of opening, then the width by
 * going part of the way back to rest. */
static void shape_mouth(struct motion_stream *stream, float opening, float touch,
                        float coef[DATA_CURVE_DIMS])
{
    const struct motion_style *style = &stream->style;
    float rest = stream->mouth.width_rest, width;

    opening = fminf(fmaxf(opening, style->opening_min), style->opening_max);
    opening += touch * (style->opening_min - opening);
    opening = limit_speed(stream, opening);
    motion_mouth_open(&stream->mouth, style->opening_dir, opening, coef);
    width = motion_mouth_width(&stream->mouth, coef);
    if ((width > style->width_max && style->width_max > rest) ||
        (width < style->width_min && style->width_min < rest)) {
        float limit = width > style->width_max ? style->width_max : style->width_min;
        float share = (limit - rest) / (width - rest);
        for (int k = 0; k < DATA_CURVE_DIMS; k++)
            coef[k] *= share;
        motion_mouth_open(&stream->mouth, style->opening_dir, opening, coef);
    }
}

/* Temperature: all that is away from rest goes further or less far. Before closures and limits, so
 * that both hold at any temperature. Beyond what this mouth often does it gives way softly: no wide
 * mouth stands at its limit. */
static void express(const struct motion_stream *stream, float rows[MOTION_HEAD_ROWS])
{
    float rest = stream->mouth.gap_rest, often = stream->style.opening_out[2];
    float room = fmaxf(stream->style.opening_max - often, 1e-3f);

    if (stream->expression == 1.0f)
        return;
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        rows[k] *= stream->expression;
    rows[MOTION_OPENING] = rest + stream->expression * (rows[MOTION_OPENING] - rest);
    if (rows[MOTION_OPENING] > often)
        rows[MOTION_OPENING] = often + room * (1.0f - expf((often - rows[MOTION_OPENING]) / room));
}

static float touch_here(const struct motion_stream *stream)
{
    float closure[MOTION_TIMING_WINDOW];

    for (int i = 0; i < MOTION_TIMING_WINDOW; i++)
        closure[i] = neighbour(stream, stream->n_out + i - MOTION_TIMING_REACH)->closure;
    return stream->pace.patient ? motion_timing_touch(closure) : motion_timing_touch_live(closure);
}

static int speak(struct motion_stream *stream)
{
    const struct raw *before = neighbour(stream, stream->n_out - 1);
    const struct raw *here = neighbour(stream, stream->n_out);
    const struct raw *after = neighbour(stream, stream->n_out + 1);
    struct data_curve_sample *sample;
    float rows[MOTION_HEAD_ROWS], speech;
    int status = base_grow(&stream->samples, &stream->cap, stream->n + 1, SAMPLES_WAITING_MAX,
                           sizeof(*stream->samples));

    if (status < 0)
        return status;
    for (int i = 0; i < MOTION_HEAD_ROWS; i++)
        rows[i] = 0.25f * before->rows[i] + 0.5f * here->rows[i] + 0.25f * after->rows[i];
    express(stream, rows);
    shape_mouth(stream, rows[MOTION_OPENING], touch_here(stream), rows);
    speech = ease(stream, gate(stream));
    sample = &stream->samples[stream->n++];
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        sample->coef[k] = speech * rows[k];
    sample->speech = speech;
    sample->closure = speech * here->closure;
    stream->n_out++;
    return 0;
}

static int advance(struct motion_stream *stream)
{
    const float *features;
    float voice;
    int status = 0;

    while (status == 0 && motion_trunk_pull(stream->trunk, &features, &voice)) {
        hear(stream, features);
        if (stream->n_raw - stream->n_out > stream->pace.ahead)
            status = speak(stream);
    }
    return status;
}

static int fail(int status, struct lip_error *err)
{
    if (status == LIP_ERR_NOMEM)
        return base_error_nomem(err, "motion/stream");
    return base_error_set(err, status, "motion/stream", "too many curve samples are waiting");
}

int motion_stream_push(struct motion_stream *stream, const struct data_sound_row *rows, size_t n,
                       struct lip_error *err)
{
    if (stream->flushed)
        return base_error_set(err, LIP_ERR_STATE, "motion/stream", "sound after the end");
    if (stream->taken == stream->n)
        stream->taken = stream->n = 0;
    for (size_t i = 0; i < n; i++) {
        int status = motion_trunk_push(stream->trunk, &rows[i]);
        hear_voice(stream, rows[i].voice);
        if (status == 0)
            status = advance(stream);
        if (status < 0)
            return fail(status, err);
    }
    return 0;
}

int motion_stream_flush(struct motion_stream *stream, struct lip_error *err)
{
    int status;

    if (stream->flushed)
        return 0;
    stream->flushed = true;
    status = motion_trunk_flush(stream->trunk);
    if (status == 0)
        status = advance(stream);
    while (status == 0 && stream->n_out < stream->n_raw)
        status = speak(stream);
    return status < 0 ? fail(status, err) : 0;
}

bool motion_stream_pull(struct motion_stream *stream, struct data_curve_sample *ret_sample)
{
    if (stream->taken >= stream->n)
        return false;
    *ret_sample = stream->samples[stream->taken++];
    return true;
}
