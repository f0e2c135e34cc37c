/* SPDX-License-Identifier: MIT
 *
 * Heads, and how one person's mouth answers to sound. Disk form: docs/design/motion.md. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "motion/internal.h"

#define MAGIC "LIPSTYLE"
#define VERSION 2    /* 1: heads on the last layer alone */
#define BEYOND 1.25f /* how far a new voice may go past what was seen of this mouth */
/* Shares of people's average range: below the first a mouth was not talking (the landmarks of a
 * still one move by less), from the second on its own range is trusted: some open theirs little. */
#define TALKS_FROM 0.12f
#define TALKS_SURELY 0.3f

int motion_head_create(uint32_t n_rows, uint32_t n_features, struct motion_head **ret_head)
{
    struct motion_head *head = base_alloc_zero(sizeof(*head));

    if (!head)
        return LIP_ERR_NOMEM;
    head->n_rows = n_rows;
    head->n_features = n_features;
    head->weights = base_alloc_array((size_t)n_rows * (n_features + 1), sizeof(float));
    if (!head->weights) {
        base_free(head);
        return LIP_ERR_NOMEM;
    }
    *ret_head = head;
    return 0;
}

void motion_head_destroy(struct motion_head **head)
{
    if (!head || !*head)
        return;
    base_free((*head)->weights);
    base_free(*head);
    *head = NULL;
}

void motion_head_apply(const struct motion_head *head, const float *features, float *ret_rows)
{
    const float *weight = head->weights;

    for (uint32_t r = 0; r < head->n_rows; r++, weight += head->n_features + 1) {
        double sum = weight[head->n_features];
        for (uint32_t i = 0; i < head->n_features; i++)
            sum += (double)weight[i] * features[i];
        ret_rows[r] = (float)sum;
    }
}

void motion_style_init(struct motion_style *style)
{
    memset(style, 0, sizeof(*style));
}

void motion_style_done(struct motion_style *style)
{
    if (!style)
        return;
    motion_head_destroy(&style->head);
    memset(style, 0, sizeof(*style));
}

static float unit(float v)
{
    return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
}

float motion_own_range(float seen, float average)
{
    return unit((seen / fmaxf(average, 1e-3f) - TALKS_FROM) / (TALKS_SURELY - TALKS_FROM));
}

/* A head that predicts by least squares says less than a mouth does (the part that sound does not
 * tell is missing). Half of that, in decibels, is given back; all of it would be noise made large.
 */
static float restored(float real_sd, float said_sd)
{
    float ratio = said_sd > 1e-6f ? real_sd / said_sd : 1.0f;
    return sqrtf(ratio < 1.0f ? 1.0f : ratio > 4.0f ? 4.0f : ratio);
}

void motion_style_range(const struct motion_model *model, const struct data_person *person,
                        struct motion_style *style)
{
    float mean = model->mean[MOTION_OPENING], sd = model->sd[MOTION_OPENING];
    float average[3], seen[3], middle, own, half_width;

    for (int i = 0; i < 3; i++)
        average[i] = fmaxf(mean + sd * model->opening_real[i], 0.0f);
    seen[0] = person->opening_pct[0];
    seen[2] = 0.4f * person->opening_pct[3] + 0.6f * person->opening_pct[4];
    /* A person's median is that of pauses, too: only half of it is believed. */
    middle = seen[0] + (seen[2] - seen[0]) * (average[1] - average[0]) /
                           fmaxf(average[2] - average[0], 1e-3f);
    seen[1] = 0.5f * (person->opening_pct[2] + middle);
    own = motion_own_range(seen[2] - seen[0], average[2] - average[0]);
    for (int i = 0; i < 3; i++) {
        style->opening_in[i] = mean + sd * model->opening_said[i];
        style->opening_out[i] = average[i] + own * (seen[i] - average[i]);
    }
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        /* The mouth's size in eye distances differs between people about as its opening does. */
        float size =
            (style->opening_out[2] - style->opening_out[0]) / fmaxf(average[2] - average[0], 1e-3f);
        style->gain[k] = size * model->sd[k] * restored(1.0f, model->said_sd[k]);
        style->offset[k] = size * model->mean[k];
        style->opening_dir[k] = model->opening_dir[k];
    }
    style->opening_min = fminf(person->opening_rest, person->opening_pct[0]);
    style->opening_max = BEYOND * fmaxf(style->opening_out[2], person->opening_pct[4]);
    half_width = fmaxf(fmaxf(person->width_pct[4] - person->width_pct[2],
                             person->width_pct[2] - person->width_pct[0]),
                       0.06f);
    style->width_min = person->width_pct[2] - BEYOND * half_width;
    style->width_max = person->width_pct[2] + BEYOND * half_width;
    style->ranged = true;
}

int motion_style_write(const struct motion_style *style, struct base_buffer *out)
{
    const struct motion_head *head = style->head;

    base_buffer_put(out, MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u32(out, (style->fitted ? 1u : 0u) | (style->ranged ? 2u : 0u));
    base_buffer_put_u32(out, head ? head->n_features : 0);
    base_buffer_put_u32(out, (uint32_t)(style->lag_ms + 1000));
    base_buffer_put_f32(out, style->agreement);
    base_buffer_put_f32(out, style->agreement_generic);
    base_buffer_put_f32s(out, style->gain, DATA_CURVE_DIMS);
    base_buffer_put_f32s(out, style->offset, DATA_CURVE_DIMS);
    base_buffer_put_f32s(out, style->opening_in, 3);
    base_buffer_put_f32s(out, style->opening_out, 3);
    base_buffer_put_f32s(out, style->opening_dir, DATA_CURVE_DIMS);
    base_buffer_put_f32(out, style->opening_min);
    base_buffer_put_f32(out, style->opening_max);
    base_buffer_put_f32(out, style->width_min);
    base_buffer_put_f32(out, style->width_max);
    if (head)
        base_buffer_put_f32s(out, head->weights, (size_t)head->n_rows * (head->n_features + 1));
    return out->status;
}

static void read_numbers(struct base_reader *reader, struct motion_style *style)
{
    style->agreement = base_reader_f32(reader);
    style->agreement_generic = base_reader_f32(reader);
    base_reader_f32s(reader, style->gain, DATA_CURVE_DIMS);
    base_reader_f32s(reader, style->offset, DATA_CURVE_DIMS);
    base_reader_f32s(reader, style->opening_in, 3);
    base_reader_f32s(reader, style->opening_out, 3);
    base_reader_f32s(reader, style->opening_dir, DATA_CURVE_DIMS);
    style->opening_min = base_reader_f32(reader);
    style->opening_max = base_reader_f32(reader);
    style->width_min = base_reader_f32(reader);
    style->width_max = base_reader_f32(reader);
}

static int damaged(struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_SCORE, "motion/style", "the mouth style is damaged");
}

int motion_style_read(const void *bytes, size_t n, struct motion_style *ret_style,
                      struct lip_error *err)
{
    struct motion_style style;
    struct base_reader reader;
    const uint8_t *magic;
    uint32_t version, flags, n_features, lag;
    size_t n_weights;

    motion_style_init(&style);
    base_reader_init(&reader, bytes, n);
    magic = base_reader_take(&reader, 8);
    version = base_reader_u32(&reader);
    if (!magic || memcmp(magic, MAGIC, 8) != 0 || version != VERSION)
        return base_error_set(err, LIP_ERR_SCORE, "motion/style",
                              "this is not a mouth style of version %d", VERSION);
    flags = base_reader_u32(&reader);
    n_features = base_reader_u32(&reader);
    lag = base_reader_u32(&reader);
    read_numbers(&reader, &style);
    style.fitted = flags & 1;
    style.ranged = flags & 2;
    n_weights = n_features ? (size_t)MOTION_HEAD_ROWS * ((size_t)n_features + 1) : 0;
    if (reader.failed || flags > 3 || lag > 2000 || n_features > MOTION_FEATURES_MAX ||
        style.fitted != (n_features > 0) || n - reader.at != n_weights * 4)
        return damaged(err);
    style.lag_ms = (int)lag - 1000;
    if (n_features) {
        if (motion_head_create(MOTION_HEAD_ROWS, n_features, &style.head) < 0)
            return base_error_nomem(err, "motion/style");
        base_reader_f32s(&reader, style.head->weights, n_weights);
    }
    if (reader.failed) {
        motion_style_done(&style);
        return damaged(err);
    }
    *ret_style = style;
    return 0;
}
