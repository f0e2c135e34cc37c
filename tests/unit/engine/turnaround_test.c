/* SPDX-License-Identifier: MIT
 * Where a film turns or starts again: where the head stands still, and where it is in one place. */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/turnaround.h"

#define N 100
#define FILM "synthetic:64x48@25:100"

static char path[64];

/* A film whose only head is at `place` (pixels) in each frame. */
static struct data_score *score_of(double (*place)(int frame))
{
    struct media_source *source = NULL;
    struct media_source_params one = {.n_threads = 1};
    struct data_score *score = NULL;
    struct data_frame *frame = NULL;
    struct data_face_obs *obs = base_alloc_zero(sizeof *obs);
    assert_non_null(obs);
    assert_int_equal(media_source_open(FILM, &one, &source, NULL), LIP_OK);
    assert_int_equal(data_score_create(path, media_source_film(source), &score, NULL), LIP_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(media_source_read(source, &frame, NULL), LIP_OK);
        struct data_score_frame f = {.pts = frame->pts, .duration = frame->duration,
                                     .keyframe = true, .shot_start = i == 0};
        obs->frame = i;
        for (int p = 0; p < DATA_FACE_POINTS; p++) {
            obs->points[p][0] = (float)(200 + p % 20 * 5 + place(i));
            obs->points[p][1] = (float)(100 + p / 20 * 5);
        }
        assert_int_equal(data_score_add_frame(score, &f, obs, 1, NULL), LIP_OK);
        data_frame_unref(&frame);
    }
    media_source_close(&source);
    base_free(obs);
    return score;
}

static struct plan_turn turn_of(double (*place)(int frame), enum lip_sync_mode sync)
{
    static struct speaker_face face = {.number = 1, .n_tracks = 1};
    struct media_source_params one = {.n_threads = 1};
    struct data_score *score = score_of(place);
    struct plan_params params = {.sync = sync, .voice_us = 9000000};
    struct turnaround_params turn = {.score = score, .film = FILM, .source = &one, .face = &face};
    struct plan plan;
    struct lip_error err = {0};
    assert_int_equal(plan_init(&plan, score, &params, &err), LIP_OK);
    struct plan_turn found = plan_piece(&plan, 0)->turn;
    assert_true(found.low == 0 && found.high == N - 1);
    assert_int_equal(turnaround_choose(&turn, plan_piece(&plan, 0), &found, &err), LIP_OK);
    data_score_close(&score);
    return found;
}

/* Quick, but for the frames around 10 and 88. */
static double rests_twice(int frame)
{
    double a = frame < 10 ? frame - 10 : frame < 88 ? 0 : frame - 88;
    double between = frame <= 10 || frame >= 88 ? 0 : sin((frame - 10) * M_PI / 39);
    return a * fabs(a) + 40 * between * between;
}

/* At even speed: frame 95 is where frame 14 is, and moves on likewise. */
static double passes_by(int frame)
{
    return frame < 50 ? 6 * frame : 6 * (frame - 81);
}

static double stands(int frame)
{
    (void)frame;
    return 0;
}

static void bounce(void **state)
{
    (void)state;
    struct plan_turn turn = turn_of(rests_twice, LIP_SYNC_BOUNCE);
    printf("turns at %d and %d\n", (int)turn.low, (int)turn.high);
    assert_in_range(turn.low, 9, 11);
    assert_in_range(turn.high, 87, 89);
    turn = turn_of(stands, LIP_SYNC_BOUNCE);
    assert_true(turn.calm_low && turn.calm_high && turn.low < 25 && turn.high > 75);
    turn = turn_of(passes_by, LIP_SYNC_BOUNCE);
    assert_false(turn.calm_low || turn.calm_high);
}

static void loop(void **state)
{
    (void)state;
    struct plan_turn turn = turn_of(passes_by, LIP_SYNC_LOOP);
    printf("from %d to %d\n", (int)turn.high, (int)turn.low);
    assert_int_equal(turn.high - turn.low, 80); /* the frame after it would be at the same place */
}

int main(void)
{
    snprintf(path, sizeof path, "turnaround_test_%d.score", (int)getpid());
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounce), cmocka_unit_test(loop)};
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return r;
}
