/* SPDX-License-Identifier: MIT
 * The judge on jobs made by hand: every figure is known beforehand, and what was not measured is
 * said to be unknown. */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/score.h"
#include "engine/judge.h"

#define N 200
#define SCORE "judge-test.score"

struct job {
    struct data_score *score;
    struct roles roles;
    struct plan plan;
    struct perform_stats stats;
    struct judgement judged;
};

/* 8 s at 25 frames a second, one face, a voice that speaks all the time and is followed. */
static void make(struct job *j)
{
    struct data_film film = {.width_px = 64, .height_px = 48, .disp_width_px = 64,
                             .disp_height_px = 48, .time_base = {1, 25}, .frame_rate = {25, 1},
                             .depth_bits = 8};
    struct plan_params params = {.sync = LIP_SYNC_BOUNCE, .voice_us = -1};
    memset(j, 0, sizeof *j);
    assert_int_equal(roles_init(&j->roles, 1, NULL), LIP_OK);
    j->roles.n_casts = 1;
    cast_init(j->roles.casts);
    j->roles.casts->n_faces = 1;
    j->roles.casts->bank.n = 100;
    j->roles.casts->person.opening_pct[0] = .01f;
    j->roles.casts->person.opening_pct[4] = .21f;
    assert_int_equal(data_score_create(SCORE, &film, &j->score, NULL), LIP_OK);
    for (int64_t i = 0; i < N; i++) {
        struct data_score_frame f = {.pts = i, .duration = 1};
        assert_int_equal(data_score_add_frame(j->score, &f, NULL, 0, NULL), LIP_OK);
    }
    assert_int_equal(plan_init(&j->plan, j->score, &params, NULL), LIP_OK);
    j->stats.n_frames = N;
    j->stats.state = base_alloc_array(N, 1);
    j->stats.seen = base_alloc_array(N, sizeof *j->stats.seen);
    assert_int_equal(trace_init(&j->stats.trace, N, &j->roles), LIP_OK);
    for (int i = 0; i < N; i++) {
        float opening = .1f + .08f * sinf((float)i);
        j->stats.seen[i] = TRACE_NONE;
        j->stats.trace.frames[i] = (struct trace_frame){
            .said = trace_kept(opening), .drawn = trace_kept(opening), .own = trace_kept(.15f),
            .speech = 255, .decline = -1, .flags = TRACE_VOICE};
    }
    for (int k = 0; k < MEASURE_SIDES; k++) {
        j->stats.sums.sharpness[k] = 5 - k;
        j->stats.sums.jitter[k] = k ? 1 : 1.21;
        j->stats.sums.seam[k] = 2;
        j->stats.sums.n_sharpness[k] = 50;
        j->stats.sums.n_jitter[k] = 100;
    }
    j->stats.sums.n_seam = 40;
}

static void judge(struct job *j)
{
    assert_int_equal(judge_job(&j->roles, &j->plan, &j->stats, &j->judged, NULL), LIP_OK);
}

static void done(struct job *j)
{
    judge_done(&j->judged);
    perform_stats_done(&j->stats);
    j->roles.casts->bank.n = 0;
    roles_done(&j->roles);
    data_score_close(&j->score);
    unlink(SCORE);
}

static double figure(const struct job *j, enum judge_figure_name name)
{
    const struct judge_figure *f = &j->judged.figures[name];
    assert_true(isnan(f->value) == (f->why_not != NULL)); /* unknown always says why */
    return f->value;
}

static void good_job(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    judge(&j);
    assert_int_equal(j.judged.verdict, LIP_VERDICT_GOOD);
    assert_int_equal(j.judged.n_warnings, 0);
    assert_true(figure(&j, JUDGE_COVERED) == 1);
    assert_true(fabs(figure(&j, JUDGE_SHARPNESS) - 1.25) < 1e-9);
    assert_true(fabs(figure(&j, JUDGE_JITTER) - 1.1) < 1e-9);
    assert_true(figure(&j, JUDGE_SEAM) == 1);
    assert_true(isnan(figure(&j, JUDGE_CLOSURES)) && isnan(figure(&j, JUDGE_SILENCE)));
    assert_true(isnan(figure(&j, JUDGE_AGREEMENT)) && isnan(figure(&j, JUDGE_FILM)));
    assert_true(j.judged.edited.n == 1 && j.judged.edited.n_frames == N);
    assert_true(j.judged.edited.at[0].from_s == 0 && fabs(j.judged.edited.at[0].to_s - 8) < 1e-9);
    assert_true(j.judged.edited.at[0].to_frame == N - 1);
    done(&j);
}

/* A voice that moves the mouth twice as far as the film's own speech does, as fast. */
static void a_quick_voice_is_no_tremor(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    for (int i = 0; i < N; i++) {
        j.stats.trace.frames[i].own = trace_kept(.1f + .04f * sinf((float)i));
        j.stats.trace.frames[i].flags |= TRACE_FILM;
    }
    j.stats.sums.jitter[0] = 4; /* of squares: twice */
    judge(&j);
    assert_true(fabs(figure(&j, JUDGE_JITTER) - 1) < .01);
    done(&j);
}

static void places(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    for (int i = 50; i < 75; i++) { /* 2 s to 3 s turned away */
        j.stats.state[i] = PERFORM_DECLINED + LIP_DECLINE_PROFILE;
        j.stats.trace.frames[i].decline = LIP_DECLINE_PROFILE;
    }
    for (int i = 100; i < 110; i++)
        j.stats.state[i] = PERFORM_MATCHING;
    judge(&j);
    assert_int_equal(j.judged.verdict, LIP_VERDICT_LOOK);
    assert_true(fabs(figure(&j, JUDGE_COVERED) - .875) < 1e-9);
    const struct judge_ranges *r = &j.judged.declined[LIP_DECLINE_PROFILE];
    assert_true(r->n == 1 && r->n_frames == 25 && r->at[0].from_frame == 50);
    assert_true(fabs(r->at[0].from_s - 2) < 1e-9 && fabs(r->at[0].to_s - 3) < 1e-9);
    assert_int_equal(j.judged.edited.n, 3);
    assert_int_equal(j.judged.matching.n_frames, 10);
    assert_non_null(strstr(j.judged.warnings[0].text, "from 00:02 to 00:03"));
    assert_non_null(strstr(j.judged.sentence, "00:02"));
    assert_non_null(j.judged.warnings[0].remedy);
    done(&j);
}

static void closures_and_silence(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    for (int i = 10; i < 60; i += 10) { /* five closures, one of them left open */
        j.stats.trace.frames[i].flags |= TRACE_CLOSURE;
        for (int k = i - 1; k <= i + 1; k++)
            j.stats.trace.frames[k].drawn = trace_kept(i == 30 || k != i + 1 ? .1f : .02f);
        j.stats.seen[i] = trace_kept(i < 30 ? .1f : .01f);
    }
    for (int i = 100; i < 200; i++) { /* four seconds of silence, one of them in motion */
        struct trace_frame *f = &j.stats.trace.frames[i];
        f->flags = TRACE_SILENCE;
        f->drawn = trace_kept(i < 175 ? 0 : .1f);
    }
    judge(&j);
    assert_true(fabs(figure(&j, JUDGE_CLOSURES) - .8) < 1e-9);
    assert_true(fabs(figure(&j, JUDGE_SHUT_SEEN) - .6) < 1e-9);
    assert_true(fabs(figure(&j, JUDGE_SILENCE) - .25) < 1e-9);
    assert_true(j.judged.unshut.n == 1 && j.judged.unshut.at[0].from_frame == 30);
    assert_true(j.judged.restless.n == 1 && j.judged.restless.at[0].from_frame == 175);
    assert_int_equal(j.judged.verdict, LIP_VERDICT_LOOK);
    done(&j);
}

static void agreement(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    for (int i = 4; i < N; i += 8) {
        j.stats.trace.frames[i].flags |= TRACE_REGULAR | TRACE_LOOK;
        j.stats.seen[i] = j.stats.trace.frames[i].said;
    }
    judge(&j);
    assert_true(fabs(figure(&j, JUDGE_AGREEMENT) - 1) < 1e-6);
    judge_done(&j.judged);
    for (int i = 4; i < N; i += 8) /* the wrong way round */
        j.stats.seen[i] = (uint16_t)(trace_kept(.3f) - j.stats.trace.frames[i].said);
    judge(&j);
    assert_true(fabs(figure(&j, JUDGE_AGREEMENT) + 1) < 1e-6);
    assert_int_equal(j.judged.verdict, LIP_VERDICT_POOR);
    done(&j);
}

static void nothing_done(void **state)
{
    (void)state;
    struct job j;
    make(&j);
    j.roles.casts->n_faces = 0;
    memset(&j.stats.sums, 0, sizeof j.stats.sums);
    memset(j.stats.state, PERFORM_DECLINED + LIP_DECLINE_NO_FACE, N);
    judge(&j);
    assert_int_equal(j.judged.verdict, LIP_VERDICT_UNCHANGED);
    assert_true(figure(&j, JUDGE_COVERED) == 0 && isnan(figure(&j, JUDGE_SEAM)));
    assert_non_null(strstr(j.judged.warnings[0].text, "no face was found"));
    done(&j);
}

static void times(void **state)
{
    (void)state;
    char text[24];
    judge_time(12.9, text);
    assert_string_equal(text, "00:12");
    judge_time(3725, text);
    assert_string_equal(text, "1:02:05");
    judge_time(-1, text);
    assert_string_equal(text, "00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_job), cmocka_unit_test(a_quick_voice_is_no_tremor),
        cmocka_unit_test(places),
        cmocka_unit_test(closures_and_silence), cmocka_unit_test(agreement),
        cmocka_unit_test(nothing_done), cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
