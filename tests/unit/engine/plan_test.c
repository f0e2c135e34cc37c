/* SPDX-License-Identifier: MIT
 * The length policies: exact lengths, the order of frames, variable frame rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/plan.h"

#define TICKS 1000 /* per second */

static char path[64];

/* A score whose frames last as long as `durations` says, in turn. */
static struct data_score *score_of(int64_t n, const int64_t *durations, size_t n_durations)
{
    struct data_film film = {.width_px = 64, .height_px = 64, .disp_width_px = 64,
                             .disp_height_px = 64, .time_base = {1, TICKS}};
    struct data_score *score = NULL;
    assert_int_equal(data_score_create(path, &film, &score, NULL), 0);
    int64_t pts = -400; /* films may start before zero */
    for (int64_t i = 0; i < n; i++) {
        int64_t d = durations[(size_t)i % n_durations];
        struct data_score_frame f = {.pts = pts, .duration = d, .keyframe = i == 0};
        assert_int_equal(data_score_add_frame(score, &f, NULL, 0, NULL), 0);
        pts += d;
    }
    return score;
}

/* Walks the plan; checks that it has no holes; gives its length. */
static int64_t walk(struct plan *plan, int64_t *ret_sources, size_t cap)
{
    struct plan_frame f;
    int64_t end = 0, n = 0;
    plan_rewind(plan);
    while (plan_next(plan, &f)) {
        assert_int_equal(f.index, n);
        assert_int_equal(f.pts, end);
        assert_true(f.duration > 0);
        end = f.pts + f.duration;
        if ((size_t)n < cap)
            ret_sources[n] = f.source;
        n++;
    }
    assert_int_equal(plan_count(plan), n);
    return end;
}

static const int64_t even[] = {40};
static const int64_t uneven[] = {40, 20, 60, 33};

/* The table of the API contract: a film of 4.00 s, a voice of 8.64 s, and the reverse. */
static void lengths(void **state)
{
    (void)state;
    static const struct {
        enum lip_sync_mode sync;
        int64_t long_voice, short_voice;
    } cases[] = {
        {LIP_SYNC_BOUNCE, 8640, 2500},  {LIP_SYNC_LOOP, 8640, 2500},
        {LIP_SYNC_CUT_OFF, 4000, 2500}, {LIP_SYNC_SILENCE, 8640, 4000},
        {LIP_SYNC_REMAP, 8640, 2500},
    };
    struct data_score *score = score_of(100, even, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plan plan;
        struct plan_params params = {cases[i].sync, 8640000};
        assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
        assert_int_equal(walk(&plan, NULL, 0), cases[i].long_voice);
        assert_int_equal(plan_total_us(&plan), cases[i].long_voice * 1000);
        params.voice_us = 2500000;
        assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
        assert_int_equal(walk(&plan, NULL, 0), cases[i].short_voice);
    }
    data_score_close(&score);
}

static void lengths_with_variable_rate(void **state)
{
    (void)state;
    struct data_score *score = score_of(90, uneven, 4);
    for (int sync = LIP_SYNC_BOUNCE; sync <= LIP_SYNC_REMAP; sync++)
        for (int64_t voice = 17; voice < 9000; voice += 331) {
            struct plan plan;
            struct plan_params params = {(enum lip_sync_mode)sync, voice * 1000};
            assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
            int64_t film = plan.film_ticks, want = voice;
            if (sync == LIP_SYNC_CUT_OFF && film < voice)
                want = film;
            if (sync == LIP_SYNC_SILENCE && film > voice)
                want = film;
            assert_int_equal(walk(&plan, NULL, 0), want);
        }
    data_score_close(&score);
}

static void bounce_turns_without_doubling(void **state)
{
    (void)state;
    struct data_score *score = score_of(4, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_BOUNCE, 12 * 40 * 1000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    int64_t got[12], want[] = {0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1};
    walk(&plan, got, 12);
    assert_memory_equal(got, want, sizeof want);
    data_score_close(&score);
}

static void loop_starts_again(void **state)
{
    (void)state;
    struct data_score *score = score_of(3, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_LOOP, 7 * 40 * 1000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    int64_t got[7], want[] = {0, 1, 2, 0, 1, 2, 0};
    walk(&plan, got, 7);
    assert_memory_equal(got, want, sizeof want);
    data_score_close(&score);
}

static void silence_holds_the_last_frame(void **state)
{
    (void)state;
    struct data_score *score = score_of(2, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_SILENCE, 5 * 40 * 1000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    struct plan_frame f;
    for (int i = 0; plan_next(&plan, &f); i++) {
        assert_int_equal(f.source, i < 2 ? i : 1);
        assert_int_equal(f.held, i >= 2);
    }
    data_score_close(&score);
}

static void remap_covers_the_film_evenly(void **state)
{
    (void)state;
    struct data_score *score = score_of(100, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_REMAP, 2000000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    int64_t got[50];
    walk(&plan, got, 50);
    for (int i = 1; i < 50; i++)
        assert_int_equal(got[i] - got[i - 1], 2);
    data_score_close(&score);
}

static void no_voice_means_the_film_itself(void **state)
{
    (void)state;
    struct data_score *score = score_of(10, uneven, 4);
    for (int sync = LIP_SYNC_BOUNCE; sync <= LIP_SYNC_REMAP; sync++) {
        struct plan plan;
        struct plan_params params = {(enum lip_sync_mode)sync, -1};
        assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
        assert_int_equal(walk(&plan, NULL, 0), plan.film_ticks);
    }
    data_score_close(&score);
}

static void no_sliver_of_a_frame_at_the_end(void **state)
{
    (void)state;
    struct data_score *score = score_of(100, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_BOUNCE, 1001000}; /* 25 frames and 1 ms */
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    assert_int_equal(plan_count(&plan), 25);
    assert_int_equal(walk(&plan, NULL, 0), 1001);
    data_score_close(&score);
}

static void refuses(void **state)
{
    (void)state;
    struct plan plan;
    struct lip_error err = {0};
    struct data_score *score = score_of(0, even, 1);
    struct plan_params params = {LIP_SYNC_BOUNCE, 1000000};
    assert_int_equal(plan_init(&plan, score, &params, &err), LIP_ERR_NO_VIDEO);
    data_score_close(&score);
    score = score_of(10, even, 1);
    params.voice_us = (int64_t)13 * 3600 * 1000000;
    assert_int_equal(plan_init(&plan, score, &params, NULL), LIP_ERR_LIMIT);
    data_score_close(&score);
}

/* A film of 4 s: as it is, then a second in another length, then as it is. */
static void parts_have_exact_lengths(void **state)
{
    (void)state;
    for (int uneven_rate = 0; uneven_rate < 2; uneven_rate++) {
        struct data_score *score = score_of(100, uneven_rate ? uneven : even, uneven_rate ? 4 : 1);
        for (int sync = LIP_SYNC_BOUNCE; sync <= LIP_SYNC_REMAP; sync++)
            for (int64_t more = -700; more < 3000; more += 137) {
                struct plan plan;
                struct plan_part parts[] = {
                    {.n = 25, .sync = LIP_SYNC_CUT_OFF},
                    {.first = 25, .n = 27, .sync = (enum lip_sync_mode)sync},
                    {.first = 52, .n = 48, .sync = LIP_SYNC_CUT_OFF, .shift_us = 1000 * more}};
                assert_int_equal(plan_init_parts(&plan, score, parts, 3, 1000 * more, NULL), 0);
                assert_int_equal(walk(&plan, NULL, 0), plan.film_ticks + more);
                assert_int_equal(plan.total_ticks, plan.film_ticks + more);
                assert_int_equal(plan_is_straight(&plan), more == 0);
                struct plan_frame f;
                plan_rewind(&plan);
                while (plan_next(&plan, &f)) {
                    int64_t film = data_score_frame(score, f.source)->pts + 400;
                    if (f.piece == 0)
                        assert_int_equal(f.pts, film);
                    if (f.piece == 1)
                        assert_true(f.source >= 25 && f.source < 52);
                    if (f.piece == 2) /* frames after it lie where the film has them */
                        assert_int_equal(f.pts, film + more);
                }
                assert_int_equal(f.source, 99);
                plan_done(&plan);
            }
        data_score_close(&score);
    }
}

/* Rounding must not add up: a thousand parts, each a third of a tick longer. */
static void parts_do_not_drift(void **state)
{
    (void)state;
    struct data_score *score = score_of(1000, even, 1);
    static struct plan_part parts[1000];
    for (int i = 0; i < 1000; i++)
        parts[i] = (struct plan_part){.first = i, .n = 1, .sync = LIP_SYNC_SILENCE,
                                      .shift_us = (int64_t)i * 1000 / 3};
    struct plan plan;
    assert_int_equal(plan_init_parts(&plan, score, parts, 1000, 333333, NULL), 0);
    assert_int_equal(walk(&plan, NULL, 0), 40000 + 333);
    plan_done(&plan);
    data_score_close(&score);
}

/* Every frame equally often, in even steps, whatever the length; exact in any case. */
static void remap_at_an_even_pace(void **state)
{
    (void)state;
    for (int uneven_rate = 0; uneven_rate < 2; uneven_rate++) {
        struct data_score *score = score_of(100, uneven_rate ? uneven : even, uneven_rate ? 4 : 1);
        for (int64_t voice = 130; voice < 20000; voice += 331) {
            struct plan plan;
            struct plan_params params = {LIP_SYNC_REMAP, voice * 1000};
            struct plan_frame f;
            int64_t shows[100] = {0}, least = 1000, most = 0, n_shown = 0;
            assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
            plan_pace_evenly(&plan);
            assert_int_equal(walk(&plan, NULL, 0), voice);
            plan_rewind(&plan);
            while (plan_next(&plan, &f)) {
                shows[f.source]++;
                least = f.duration < least ? f.duration : least;
                most = f.duration > most ? f.duration : most;
            }
            for (int i = 0; i < 100; i++)
                n_shown += shows[i] > 0;
            bool slower = voice >= plan.film_ticks / 2;
            assert_true(n_shown == 100 || !slower);
            for (int i = 0; i < 100 && slower; i++)
                assert_int_equal(shows[i], shows[0]);
            if (!uneven_rate && slower) /* ticks of rounding */
                assert_true(most - least <= 3 && least >= 18 && most <= 52);
        }
        data_score_close(&score);
    }
}

/* From the end of the first pass on between the turns; slowly where it is calm. */
static void turns_where_it_is_told(void **state)
{
    (void)state;
    struct data_score *score = score_of(20, even, 1);
    struct plan plan;
    struct plan_params params = {LIP_SYNC_LOOP, 45 * 40 * 1000};
    struct plan_turn turn = {.low = 2, .high = 17};
    int64_t got[64], n = 0;
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    assert_true(plan_turns(plan_piece(&plan, 0)));
    plan_set_turn(&plan, 0, &turn);
    assert_int_equal(walk(&plan, got, 64), 45 * 40);
    for (int64_t i = 0, want = 0; i < 45; i++, want = want == 17 ? 2 : want + 1)
        assert_int_equal(got[i], want);
    params.sync = LIP_SYNC_BOUNCE;
    turn.calm_high = turn.calm_low = true;
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    plan_set_turn(&plan, 0, &turn);
    assert_int_equal(walk(&plan, got, 64), 45 * 40);
    static const int64_t want[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 16, 16,
                                   17, 17, 17, 16, 16, 15, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5,
                                   4, 3, 2, 2, 3, 3, 4, 4, 5};
    for (n = 0; n < 36; n++)
        assert_int_equal(got[n], want[n]);
    params.voice_us = 15 * 40 * 1000; /* shorter than the film: no turn, nothing changes */
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    assert_false(plan_turns(plan_piece(&plan, 0)));
    plan_set_turn(&plan, 0, &turn);
    walk(&plan, got, 64);
    for (n = 0; n < 15; n++)
        assert_int_equal(got[n], n);
    data_score_close(&score);
}

static void voice_clock_of_parts(void **state)
{
    (void)state;
    struct data_score *score = score_of(100, even, 1);
    struct plan_part parts[] = {{.n = 50, .sync = LIP_SYNC_CUT_OFF},
                                {.first = 50, .n = 50, .sync = LIP_SYNC_LOOP,
                                 .voice_at_us = 2010000, .voice_s = 7}};
    struct plan plan;
    struct plan_frame f;
    assert_int_equal(plan_init_parts(&plan, score, parts, 2, 0, NULL), 0);
    while (plan_next(&plan, &f))
        assert_float_equal(f.voice_s, f.piece ? 7 + (double)f.pts / TICKS - 2.01
                                              : (double)f.pts / TICKS, 1e-9);
    plan_done(&plan);
    data_score_close(&score);
}

int main(void)
{
    snprintf(path, sizeof path, "plan_test_%d.score", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(lengths_with_variable_rate),
        cmocka_unit_test(bounce_turns_without_doubling),
        cmocka_unit_test(parts_have_exact_lengths),
        cmocka_unit_test(parts_do_not_drift),
        cmocka_unit_test(voice_clock_of_parts),
        cmocka_unit_test(remap_at_an_even_pace),
        cmocka_unit_test(turns_where_it_is_told),
        cmocka_unit_test(loop_starts_again),
        cmocka_unit_test(silence_holds_the_last_frame),
        cmocka_unit_test(remap_covers_the_film_evenly),
        cmocka_unit_test(no_voice_means_the_film_itself),
        cmocka_unit_test(no_sliver_of_a_frame_at_the_end),
        cmocka_unit_test(refuses),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return r;
}
