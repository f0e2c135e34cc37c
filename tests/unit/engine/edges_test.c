/* SPDX-License-Identifier: MIT
 * How an edit comes and goes, and how one voice gives way to another: a film of 100 frames of 40 ms
 * in two pieces that meet at 2 s; voice 0 says 1 all the time, voice 1 says 3. */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/edges.h"

#define FRAMES 100
#define FRAME_S .04

static char path[64];
static struct data_score *score;
static struct roles roles;
static struct plan plan;

/* Two pieces, the second `shift_s` later than the film has it. */
static void set_up(int64_t cut_at, int cast_of_second, double shift_s)
{
    struct data_film film = {.width_px = 64, .height_px = 64, .disp_width_px = 64,
                             .disp_height_px = 64, .time_base = {1, 1000}};
    assert_int_equal(data_score_create(path, &film, &score, NULL), 0);
    for (int64_t i = 0; i < FRAMES; i++) {
        struct data_score_frame f = {.pts = i * 40, .duration = 40, .shot_start = i == cut_at};
        assert_int_equal(data_score_add_frame(score, &f, NULL, 0, NULL), 0);
    }
    assert_int_equal(roles_init(&roles, 2, NULL), 0);
    assert_int_equal(roles_add(&roles, &(struct role){10, 50, 0, 0}, NULL), 0);
    assert_int_equal(roles_add(&roles, &(struct role){50, 90, cast_of_second, 1}, NULL), 0);
    for (int v = 0; v < 2; v++) {
        struct data_curve *curve = roles_curve(&roles, &roles.at[v]);
        struct data_curve_sample s = {.coef = {v ? 3.f : 1.f}};
        for (int i = 0; i < 400; i++)
            assert_int_equal(data_curve_push(curve, &s), 0);
    }
    struct plan_part parts[2] = {
        {.n = 50, .sync = LIP_SYNC_SILENCE, .voice_end_s = 9},
        {.first = 50, .n = 50, .sync = LIP_SYNC_SILENCE, .shift_us = (int64_t)(shift_s * 1e6),
         .voice_at_us = 2000000 + (int64_t)(shift_s * 1e6), .voice_end_s = 9}};
    assert_int_equal(plan_init_parts(&plan, score, parts, 2, (int64_t)(shift_s * 1e6), NULL), 0);
}

static void tear_down(void)
{
    plan_done(&plan);
    roles_done(&roles);
    data_score_close(&score);
    unlink(path);
}

struct seen {
    float amount, said;
    bool mixed, held;
};

/* Of the whole output; frames of nobody are NAN. */
static size_t walk(struct seen *ret_seen, size_t cap)
{
    struct plan_frame f;
    size_t n = 0;
    plan_rewind(&plan);
    for (; n < cap && plan_next(&plan, &f); n++) {
        const struct role *role = roles_find(&roles, f.source);
        struct data_curve_sample s = {0};
        ret_seen[n] = (struct seen){.amount = NAN, .held = f.held};
        if (!role)
            continue;
        ret_seen[n].amount = edges_amount(&plan, &roles, &f, role);
        ret_seen[n].mixed = edges_sample(&plan, &roles, &f, role, &s);
        ret_seen[n].said = s.coef[0];
    }
    return n;
}

static void assert_steady(const struct seen *seen, size_t from, size_t to, float amount, float said)
{
    for (size_t i = from; i < to; i++) {
        assert_float_equal(seen[i].amount, amount, 1e-6);
        assert_float_equal(seen[i].said, said, 1e-4);
        assert_false(seen[i].mixed);
    }
}

static void one_mouth_goes_from_voice_to_voice(void **state)
{
    (void)state;
    struct seen seen[FRAMES + 30];
    set_up(-1, 0, 0);
    assert_int_equal(walk(seen, FRAMES + 30), FRAMES);
    assert_true(isnan(seen[9].amount) && isnan(seen[90].amount));
    for (int i = 10; i < 14; i++) { /* comes in over 160 ms, and goes so */
        assert_float_equal(seen[i].amount, seen[99 - i].amount, 1e-4);
        assert_true(seen[i].amount > 0 && seen[i].amount < seen[i + 1].amount);
    }
    assert_steady(seen, 14, 48, 1, 1);
    assert_steady(seen, 53, 86, 1, 3);
    for (size_t i = 48; i < 53; i++) {
        assert_float_equal(seen[i].amount, 1, 1e-6);
        assert_true(seen[i].said > seen[i - 1].said - 1e-6f);
        assert_true(seen[i].said - seen[i - 1].said < 1.f);
    }
    assert_float_equal(seen[50].said, 2, 1e-4);
    tear_down();
}

static void another_mouth_or_a_cut_does_not(void **state)
{
    (void)state;
    struct seen seen[FRAMES + 30];
    set_up(-1, 1, 0);
    walk(seen, FRAMES + 30);
    for (size_t i = 46; i < 54; i++) {
        assert_false(seen[i].mixed);
        assert_true(seen[i].amount < 1);
        assert_float_equal(seen[i].said, i < 50 ? 1 : 3, 1e-4);
    }
    tear_down();
    set_up(50, 0, 0);
    walk(seen, FRAMES + 30);
    assert_steady(seen, 14, 50, 1, 1);
    assert_steady(seen, 50, 86, 1, 3);
    tear_down();
}

/* The first piece is a second longer than its pictures. */
static void a_picture_that_stands_gets_its_own_mouth(void **state)
{
    (void)state;
    struct seen seen[FRAMES + 30];
    set_up(-1, 0, 1);
    assert_int_equal(walk(seen, FRAMES + 30), FRAMES + 25);
    assert_steady(seen, 14, 50, 1, 1);
    for (size_t i = 50; i < 54; i++)
        assert_true(seen[i].held && seen[i].amount > 0 && seen[i].amount < seen[i - 1].amount);
    assert_steady(seen, 54, 75, 0, 1);
    for (size_t i = 75; i < 79; i++)
        assert_true(!seen[i].held && seen[i].amount > seen[i - 1].amount);
    assert_steady(seen, 79, 111, 1, 3);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_mouth_goes_from_voice_to_voice),
                                       cmocka_unit_test(another_mouth_or_a_cut_does_not),
                                       cmocka_unit_test(a_picture_that_stands_gets_its_own_mouth)};
    snprintf(path, sizeof path, "edges_test_%d.score", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
