/* SPDX-License-Identifier: MIT
 * Sound to mouth as it comes: a mouth is there LIP_LIVE_DELAY_MS after its time, nothing that is
 * heard later changes it, and the size of the pieces changes nothing. Fake nets, our own weights.
 */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "fake/studio.h"

#define N_SAMPLES (4 * LIP_LIVE_RATE_HZ)
#define N_MOUTHS (4 * LIP_LIVE_MOUTHS_HZ)
#define MOUTH (LIP_LIVE_RATE_HZ / LIP_LIVE_MOUTHS_HZ)
#define DELAY (LIP_LIVE_RATE_HZ / 1000 * LIP_LIVE_DELAY_MS)
#define SILENCE_FROM (2 * LIP_LIVE_RATE_HZ)
#define SILENCE_TO (3 * LIP_LIVE_RATE_HZ)

static struct studio studio;
static float sound[N_SAMPLES];
static struct lip_mouth mouths_a[N_MOUTHS + 4], mouths_b[N_MOUTHS + 4];

/* Syllables of a hum, with a second of silence. */
static void make_sound(void)
{
    uint32_t seed = 7;
    for (int i = 0; i < N_SAMPLES; i++) {
        double t = i / (double)LIP_LIVE_RATE_HZ, swell = 0.55 + 0.45 * sin(2 * M_PI * 4 * t);
        double tone = sin(2 * M_PI * (500 + 300 * sin(9 * t)) * t);
        double x = swell * (sin(2 * M_PI * 140 * t) + 0.5 * tone);
        seed = seed * 1664525u + 1013904223u;
        sound[i] = (float)(0.3 * x) + 0.01f * ((float)(seed >> 8) / 8388608.0f - 1.0f);
        if (i >= SILENCE_FROM && i < SILENCE_TO)
            sound[i] = 0;
    }
}

static lip_live *open_live(const struct lip_live_params *params)
{
    lip_live *live = NULL;
    struct lip_error err = {0};
    int r = lip_live_open(studio.engine, params, &live, &err);
    if (r)
        print_error("%s: %s\n", lip_status_name(r), err.text);
    assert_int_equal(r, LIP_OK);
    return live;
}

static size_t pull_all(lip_live *live, struct lip_mouth *mouths, size_t n)
{
    while (n < N_MOUTHS + 4 && lip_live_pull(live, &mouths[n]) == 1) {
        assert_true(fabs(mouths[n].t_s - (double)n / LIP_LIVE_MOUTHS_HZ) < 1e-9);
        n++;
    }
    return n;
}

static size_t run(const struct lip_live_params *params, size_t piece, struct lip_mouth *ret_mouths)
{
    lip_live *live = open_live(params);
    size_t n = 0;
    memset(ret_mouths, 0, (N_MOUTHS + 4) * sizeof *ret_mouths);
    for (size_t at = 0; at < N_SAMPLES; at += piece) {
        size_t part = N_SAMPLES - at < piece ? N_SAMPLES - at : piece;
        assert_int_equal(lip_live_push(live, sound + at, part, NULL), LIP_OK);
        n = pull_all(live, ret_mouths, n);
    }
    assert_int_equal(lip_live_flush(live, NULL), LIP_OK);
    assert_int_equal(lip_live_flush(live, NULL), LIP_OK);
    n = pull_all(live, ret_mouths, n);
    assert_int_equal(lip_live_push(live, sound, 1, NULL), LIP_ERR_STATE);
    lip_live_close(&live);
    assert_null(live);
    return n;
}

static void a_mouth_is_there_in_time(void **state)
{
    (void)state;
    lip_live *live = open_live(NULL);
    size_t n = 0, least = N_SAMPLES;
    for (size_t at = 0; at < N_SAMPLES; at += 160) {
        size_t heard = at + 160;
        assert_int_equal(lip_live_push(live, sound + at, 160, NULL), LIP_OK);
        n = pull_all(live, mouths_a, n);
        if (heard >= DELAY)
            assert_true(n >= (heard - DELAY) / MOUTH + 1);
        if (n)
            least = least < heard - (n - 1) * MOUTH ? least : heard - (n - 1) * MOUTH;
    }
    printf("the earliest mouth comes %d ms after its time\n", (int)(least / 16));
    assert_int_equal(lip_live_flush(live, NULL), LIP_OK);
    assert_in_range(pull_all(live, mouths_a, n), N_MOUTHS, N_MOUTHS + 1);
    lip_live_close(&live);
}

static void later_sound_changes_nothing(void **state)
{
    (void)state;
    const size_t mouths[] = {0, 1, 40, 77, 98, 120, 163};
    size_t n = run(NULL, 160, mouths_a);
    for (size_t i = 0; i < UNIT_COUNT(mouths); i++) {
        size_t from = mouths[i] * MOUTH + DELAY;
        for (size_t k = from; k < N_SAMPLES; k++)
            sound[k] = 0.4f * (float)(k % 97) / 97 - 0.2f;
        assert_int_equal(run(NULL, 160, mouths_b), n);
        assert_memory_equal(mouths_a, mouths_b, (mouths[i] + 1) * sizeof *mouths_a);
        assert_memory_not_equal(mouths_a, mouths_b, n * sizeof *mouths_a);
        make_sound();
    }
}

static void any_piece_gives_the_same(void **state)
{
    (void)state;
    const size_t pieces[] = {1, 37, 4000, N_SAMPLES};
    size_t n = run(NULL, 160, mouths_a);
    for (size_t i = 0; i < UNIT_COUNT(pieces); i++) {
        assert_int_equal(run(NULL, pieces[i], mouths_b), n);
        assert_memory_equal(mouths_a, mouths_b, sizeof mouths_a);
    }
}

static void silence_closes(void **state)
{
    (void)state;
    size_t n = run(NULL, 160, mouths_a), from = SILENCE_FROM / MOUTH, to = SILENCE_TO / MOUTH;
    float most = 0, rise = 0;
    for (size_t i = 5; i < from; i++)
        most = fmaxf(most, mouths_a[i].opening);
    assert_true(mouths_a[from - 10].speech == 1 && most > 0.02f && most < 0.5f);
    /* A chunk of the voice's net may hold both: 32 ms, then 120 ms of closing. */
    for (size_t i = from + 8; i < to - 5; i++) {
        assert_true(mouths_a[i].speech == 0);
        assert_true(mouths_a[i].opening == mouths_a[to - 10].opening);
        for (int k = 0; k < LIP_MOUTH_COEFFICIENTS; k++)
            assert_true(mouths_a[i].coefficients[k] == 0);
    }
    assert_true(mouths_a[to].speech > 0.3f && mouths_a[to + 3].speech == 1); /* in time … */
    for (size_t i = 1; i < n; i++) /* … but not with a jump */
        rise = fmaxf(rise, mouths_a[i].speech - mouths_a[i - 1].speech);
    assert_true(rise < 0.36f);
    for (size_t i = 0; i < n; i++)
        assert_true(mouths_a[i].width > 0.3f && mouths_a[i].width < 1.2f);
}

static void a_known_person(void **state)
{
    (void)state;
    struct lip_job job = studio_job(&studio);
    struct lip_live_params params;
    struct lip_error err = {0};
    lip_live *live = NULL;
    char file[128];
    const char *const films[] = {STUDIO_FILM};
    snprintf(file, sizeof file, "%s/a.person", studio.folder);
    job.score = studio.score;
    assert_int_equal(lip_dub(studio.engine, &job, NULL, &err), LIP_OK);
    lip_live_params_default(&params);
    assert_true(params.temperature == 0.5 && !params.score && !params.person);
    params.score = studio.score;
    size_t n = run(&params, 800, mouths_a);
    run(NULL, 800, mouths_b);
    assert_memory_not_equal(mouths_a, mouths_b, n * sizeof *mouths_a);
    params.face = 1;
    run(&params, 800, mouths_b);
    assert_memory_equal(mouths_a, mouths_b, n * sizeof *mouths_a);
    params.face = 2;
    assert_int_equal(lip_live_open(studio.engine, &params, &live, &err), LIP_ERR_SCORE);
    assert_true(err.code == LIP_ERR_SCORE && !live);
    job.score = NULL;
    job.output = file;
    assert_int_equal(lip_person_learn(studio.engine, &job, films, 1, NULL, NULL), LIP_OK);
    params = (struct lip_live_params){.person = file, .temperature = 1};
    assert_int_equal(run(&params, 800, mouths_b), n);
    assert_memory_not_equal(mouths_a, mouths_b, n * sizeof *mouths_a);
    base_fs_remove(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mouth_is_there_in_time), cmocka_unit_test(later_sound_changes_nothing),
        cmocka_unit_test(any_piece_gives_the_same), cmocka_unit_test(silence_closes),
        cmocka_unit_test(a_known_person),
    };
    if (!studio_open(&studio)) {
        printf("skipped: %s\n", studio.why_not);
        return 77;
    }
    make_sound();
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    return studio_close(&studio) || r;
}
