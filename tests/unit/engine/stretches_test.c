/* SPDX-License-Identifier: MIT
 * What is copied: whole units of frames that stay, shown forwards at the film's own pace; every
 * output frame belongs to one stretch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/stretches.h"

#define N 200   /* frames of the film */
#define UNIT 20 /* frames of a unit */
#define STEP 40
#define N_UNITS (N / UNIT)

static char path[64];
static struct data_score *score;
static struct media_unit units[N_UNITS];

static void add(struct media_unit_run *run, int frame)
{
    int64_t pts = frame * STEP - 400;
    if (!run->n++)
        run->first_pts = pts;
    run->sum += media_unit_mark(pts);
}

/* `leaning` frames of each unit but the first lean on the unit before it. */
static void make_units(int leaning)
{
    memset(units, 0, sizeof units);
    for (int f = 0; f < N; f++) {
        int u = f / UNIT, next = (f + leaning) / UNIT;
        if (next > u && next < N_UNITS)
            add(&units[next].leaning, f);
        else
            add(&units[u].shown, f);
        units[u].usable = true;
    }
}

static int setup(void **state)
{
    (void)state;
    struct data_film film = {.width_px = 64, .height_px = 64, .disp_width_px = 64,
                             .disp_height_px = 64, .time_base = {1, 1000}};
    snprintf(path, sizeof path, "/tmp/lipsync-stretches-%d", (int)getpid());
    if (data_score_create(path, &film, &score, NULL))
        return -1;
    for (int f = 0; f < N; f++) {
        struct data_score_frame frame = {.pts = f * STEP - 400, .duration = STEP};
        if (data_score_add_frame(score, &frame, NULL, 0, NULL))
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    data_score_close(&score);
    return remove(path);
}

struct edits {
    int64_t from, to; /* output frames from .. to - 1 change */
};

static bool kept(void *user, int64_t index)
{
    const struct edits *e = user;
    return index < e->from || index >= e->to;
}

/* Checks the whole list; text: "c" and "e" with the numbers of frames. */
static void expect(enum lip_sync_mode sync, int64_t voice_ms, struct edits edits, const char *text)
{
    struct plan plan;
    struct stretches s;
    struct plan_params params = {.sync = sync, .voice_us = voice_ms * 1000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    assert_int_equal(stretches_init(&s, &plan, units, N_UNITS, 70, kept, &edits, NULL), 0);
    char got[512] = "";
    int64_t done = 0, n_copied = 0;
    for (size_t i = 0; i < s.n; i++) {
        const struct stretch *g = &s.at[i];
        assert_int_equal(g->first, done);
        assert_true(g->n > 0);
        done += g->n;
        n_copied += g->n_units ? g->n : 0;
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d", g->n_units ? " c" : " e",
                 (int)g->n);
        int64_t frames = 0;
        for (size_t u = g->unit; u < g->unit + g->n_units; u++)
            frames += units[u].shown.n + (u > g->unit ? units[u].leaning.n : 0);
        assert_int_equal(frames, g->n_units ? g->n : 0);
    }
    assert_int_equal(done, plan_count(&plan));
    assert_int_equal(n_copied, s.n_copied);
    assert_string_equal(got, text);
    stretches_done(&s);
}

static void forwards(void **state)
{
    (void)state;
    make_units(0);
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){0, 0}, " c200");
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){0, N}, " e70 e70 e60");
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){65, 66}, " c60 e20 c120");
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){59, 61}, " c40 e40 c120");
    expect(LIP_SYNC_CUT_OFF, 4400, (struct edits){0, 1}, " e20 c80 e10"); /* the end is cut */
    expect(LIP_SYNC_SILENCE, 9000, (struct edits){0, 1}, " e20 c180 e25"); /* held at the end */
}

static void other_ways(void **state)
{
    (void)state;
    make_units(0);
    expect(LIP_SYNC_REMAP, 9000, (struct edits){0, 0}, " e70 e70 e70 e15");
    expect(LIP_SYNC_LOOP, 12000, (struct edits){0, 30}, " e40 c160 c100");
    /* backwards: encoded; the frame at which it turns is the first one forwards too */
    expect(LIP_SYNC_BOUNCE, 20000, (struct edits){0, 1}, " e20 c180 e70 e70 e58 c100 e2");
}

static void open_groups(void **state)
{
    (void)state;
    make_units(2);
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){0, 0}, " c200");
    /* frames 78 and 79 lean on the unit that changes: they are encoded with it */
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){65, 66}, " c58 e22 c120");
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){58, 59}, " c58 e2 c140"); /* a leaning one */
}

static void doubts(void **state)
{
    (void)state;
    make_units(0);
    units[2].usable = false;
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){0, 0}, " c40 e20 c140");
    units[2].usable = true;
    units[4].shown.sum++; /* another frame than the score has */
    units[6].shown.n--;
    expect(LIP_SYNC_CUT_OFF, 8000, (struct edits){0, 0}, " c80 e20 c20 e20 c60");
    struct plan plan;
    struct stretches s;
    struct edits none = {0, 0};
    struct plan_params params = {.sync = LIP_SYNC_CUT_OFF, .voice_us = 8000000};
    assert_int_equal(plan_init(&plan, score, &params, NULL), 0);
    assert_int_equal(stretches_init(&s, &plan, NULL, 0, 250, kept, &none, NULL), 0);
    assert_true(s.n == 1 && s.n_copied == 0);
    stretches_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards),
        cmocka_unit_test(other_ways),
        cmocka_unit_test(open_groups),
        cmocka_unit_test(doubts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
