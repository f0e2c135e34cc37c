/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include <stdio.h>

#include "base/alloc.h"
#include "make.h"
#include "viseme/viseme.h"

#define TEXT_MAX 200

static struct data_viseme_sample samples[MADE_MAX];

/* The shapes' names in order, as one word with spaces. */
static void shapes(const struct data_visemes *v, enum viseme_set set, double rate_hz, char *ret)
{
    struct viseme_cue *cues = NULL;
    size_t n = 0, at = 0;
    assert_int_equal(viseme_cues(v, set, rate_hz, &cues, &n), 0);
    assert_int_equal(cues[0].first_frame, 0);
    assert_int_equal(cues[n - 1].end_frame, viseme_n_frames(v, rate_hz));
    for (size_t i = 0; i < n; i++) {
        assert_true(cues[i].first_frame < cues[i].end_frame);
        assert_true(!i || (cues[i].first_frame == cues[i - 1].end_frame &&
                           cues[i].shape != cues[i - 1].shape));
        at += (size_t)snprintf(ret + at, TEXT_MAX - at, "%s%s", i ? " " : "",
                               viseme_shape_name(set, cues[i].shape));
        assert_true(at < TEXT_MAX);
    }
    base_free(cues);
}

static void what_is_said(void **state)
{
    (void)state;
    const struct run runs[] = {{DATA_VISEME_SIL, 20, 0}, {DATA_VISEME_PP, 5, 0},
                               {DATA_VISEME_AA, 8, 0.9f}, {DATA_VISEME_L, 6, 0.3f},
                               {DATA_VISEME_E, 8, 0.4f}, {DATA_VISEME_FF, 6, 0.1f},
                               {DATA_VISEME_O, 8, 0.5f}, {DATA_VISEME_W, 6, 0.1f},
                               {DATA_VISEME_SS, 6, 0.1f}, {DATA_VISEME_SIL, 20, 0}};
    struct data_visemes v;
    char text[TEXT_MAX];
    make(runs, UNIT_COUNT(runs), samples, &v);
    shapes(&v, VISEME_RHUBARB, 100, text);
    assert_string_equal(text, "X A D H C G E F B X");
    shapes(&v, VISEME_PRESTON, 100, text);
    assert_string_equal(text, "rest MBP AI L E FV O WQ etc rest");
    shapes(&v, VISEME_PRESTON, 24, text);
    assert_string_equal(text, "rest MBP AI L E FV O WQ etc rest");
}

/* Nothing flickers, at any rate: what is too short goes, but lips that meet stay. */
static void holds(void **state)
{
    (void)state;
    const struct run runs[] = {{DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_O, 1, 0.9f},
                               {DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_PP, 2, 0},
                               {DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_O, 1, 0.9f},
                               {DATA_VISEME_U, 1, 0.9f}, {DATA_VISEME_L, 1, 0.9f},
                               {DATA_VISEME_AA, 10, 0.9f}};
    const double rates_hz[] = {12, 24, 25, 29.97, 60, 100, 240};
    struct data_visemes v;
    make(runs, UNIT_COUNT(runs), samples, &v);
    for (size_t i = 0; i < UNIT_COUNT(rates_hz); i++) {
        struct viseme_cue *cues = NULL;
        size_t n = 0;
        char text[TEXT_MAX];
        shapes(&v, VISEME_RHUBARB, rates_hz[i], text);
        assert_non_null(strstr(text, "D A D"));
        assert_int_equal(viseme_cues(&v, VISEME_RHUBARB, rates_hz[i], &cues, &n), 0);
        for (size_t k = 0; k + 1 < n; k++) {
            long long frames = cues[k].end_frame - cues[k].first_frame;
            bool touch = cues[k].shape == 0;
            assert_true(frames >= (touch ? 1 : 2));
            assert_true((double)frames / rates_hz[i] >= (touch ? 0.04 : 0.07) - 1e-9);
        }
        base_free(cues);
    }
}

/* A short pause inside speech holds what was there; a long one rests. */
static void pauses(void **state)
{
    (void)state;
    const struct run runs[] = {{DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_SIL, 4, 0.9f},
                               {DATA_VISEME_AA, 10, 0.9f}, {DATA_VISEME_SIL, 30, 0}};
    struct data_visemes v;
    char text[TEXT_MAX];
    make(runs, UNIT_COUNT(runs), samples, &v);
    for (size_t i = 10; i < 14; i++)
        samples[i].speech = 1; /* the mouth does not come to rest in it */
    shapes(&v, VISEME_RHUBARB, 100, text);
    assert_string_equal(text, "D X");
}

static void edges(void **state)
{
    (void)state;
    struct data_visemes nothing = {.rate_hz = 50};
    struct viseme_cue *cues = NULL;
    size_t n = 0;
    char text[TEXT_MAX];
    shapes(&nothing, VISEME_RHUBARB, 100, text);
    assert_string_equal(text, "X");
    nothing.length_s = 1e6;
    assert_int_equal(viseme_cues(&nothing, VISEME_RHUBARB, 1000, &cues, &n), LIP_ERR_LIMIT);
    assert_null(cues);
    assert_null(viseme_shape_name(VISEME_RHUBARB, 9));
    assert_null(viseme_shape_name(VISEME_PRESTON, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(holds),
        cmocka_unit_test(pauses),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
