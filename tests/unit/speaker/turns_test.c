/* SPDX-License-Identifier: MIT
 * Who speaks when: mouths that follow the sound, and mouths that do not. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "speaker/turns.h"

#define RATE 25
#define N (20 * RATE)
#define SAID_RATE 50
#define N_SAID (20 * SAID_RATE)

static float t_s[N], speech[N_SAID];
static uint8_t shots[N];
static float seen[3][N][SPEAKER_MEASURES], said[N_SAID][SPEAKER_MEASURES];
static struct speaker_turn turns[N];
static struct speaker_voice voices[3];
static uint32_t seed;

static float noise(void)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        seed = seed * 1664525 + 1013904223;
        sum += (float)(seed >> 8) / (1 << 24) - .5f;
    }
    return sum * 1.7f; /* variance about 1 */
}

static double lattice(int who, int trait, int64_t at)
{
    uint64_t h = (uint64_t)at * 0x9e3779b97f4a7c15u + (uint64_t)(who * 977 + trait * 131 + 1);
    h = (h ^ h >> 31) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return (double)((h ^ h >> 31) >> 40) / (1 << 24) - .5;
}

/* A mouth's way: noise below about 5 Hz, another one for each `who`. */
static float way(int who, int trait, double t)
{
    double at = 10 * (t + 10), v = 0;
    for (int64_t k = (int64_t)at - 2; k <= (int64_t)at + 3; k++)
        v += lattice(who, trait, k) * exp(-.8 * (at - (double)k) * (at - (double)k));
    return (float)v * 3;
}

/* Everybody follows their own way; who speaks follows the sound's, `lag` later. */
static struct speaker_scene make_scene(int n_faces, double lag, int (*who)(double t))
{
    struct speaker_scene s = {.n_frames = N, .t_s = t_s, .shot_start = shots,
                              .n_faces = (size_t)n_faces, .speech = speech, .n_said = N_SAID,
                              .said_rate_hz = SAID_RATE};
    seed = 7;
    memset(shots, 0, sizeof shots);
    for (int i = 0; i < N_SAID; i++) {
        speech[i] = 1;
        for (int k = 0; k < SPEAKER_MEASURES; k++)
            said[i][k] = .03f * way(0, k, (double)i / SAID_RATE);
    }
    for (int i = 0; i < N; i++) {
        t_s[i] = (float)i / RATE;
        for (int f = 0; f < n_faces; f++)
            for (int k = 0; k < SPEAKER_MEASURES; k++) {
                bool speaks = who((double)t_s[i]) == f;
                float own = speaks ? way(0, k, (double)t_s[i] - lag)
                                   : way(f + 1, k, (double)t_s[i]);
                seen[f][i][k] = .1f + .02f * (.75f * own + .6f * noise());
            }
    }
    for (int f = 0; f < n_faces; f++)
        s.seen[f] = (const float(*)[SPEAKER_MEASURES])seen[f];
    s.said = (const float(*)[SPEAKER_MEASURES])said;
    return s;
}

static void run(const struct speaker_scene *s)
{
    struct lip_error err = {0};
    assert_int_equal(speaker_turns(s, turns, voices, &err), LIP_OK);
}

/* Share of the frames between two times in which it is this face. */
static double share(double from, double to, int face)
{
    int n = 0, hits = 0;
    for (int i = 0; i < N; i++)
        if ((double)t_s[i] >= from && (double)t_s[i] < to) {
            n++;
            hits += turns[i].face == face;
        }
    return (double)hits / n;
}

static int in_turn(double t)
{
    return t < 8 ? 0 : t < 14 ? 1 : 0;
}
static int nobody(double t)
{
    (void)t;
    return -1;
}
static int first(double t)
{
    (void)t;
    return 0;
}

static void two_in_turn(void **state)
{
    (void)state;
    struct speaker_scene s = make_scene(2, .12, in_turn);
    run(&s);
    assert_true(share(0.5, 7.5, 0) > .98);
    assert_true(share(8.5, 13.5, 1) > .98);
    assert_true(share(14.5, 19.5, 0) > .98);
    assert_int_equal(voices[0].lag_ms, 120);
    assert_int_equal(voices[1].lag_ms, 120);
    assert_true(voices[0].speaks_s > 8 && voices[1].speaks_s > 3);
    assert_true(voices[0].agreement > .4f);
    assert_true(speaker_turn_sure(&turns[4 * RATE]) > SPEAKER_SURE);
    assert_true(speaker_turn_sure(&turns[8 * RATE]) < speaker_turn_sure(&turns[11 * RATE]));
    struct speaker_run r;
    speaker_run_at(turns, N, 4 * RATE, &r);
    assert_true(r.face == 0 && r.from == 4 * RATE && r.to <= 8 * RATE + 10 &&
                r.sure >= SPEAKER_SURE);
}

/* Mouths move, but not to this sound: somebody unseen speaks. */
static void voice_over(void **state)
{
    (void)state;
    struct speaker_scene s = make_scene(2, 0, nobody);
    run(&s);
    assert_true(share(0, 20, SPEAKER_NOBODY) > .8);
    assert_true(voices[0].speaks_s + voices[1].speaks_s == 0);
}

static void silence_is_nobodys(void **state)
{
    (void)state;
    struct speaker_scene s = make_scene(1, 0, first);
    for (int i = 10 * SAID_RATE; i < N_SAID; i++)
        speech[i] = 0;
    run(&s);
    assert_true(share(0.5, 9.5, 0) > .98);
    assert_true(share(12, 20, SPEAKER_NOBODY) > .98);
    for (int i = 0; i < N_SAID; i++) /* a short pause is the speaker's */
        speech[i] = i < 10 * SAID_RATE || i > 11 * SAID_RATE;
    run(&s);
    assert_true(share(0.5, 19.5, 0) > .98);
}

static void a_listener_is_still(void **state)
{
    (void)state;
    struct speaker_scene s = make_scene(2, 0, first);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < SPEAKER_MEASURES; k++)
            seen[1][i][k] = .1f + 1e-4f * noise();
    run(&s);
    assert_true(share(0.5, 19.5, 0) > .98);
    for (int i = 0; i < N; i++) /* alone in the picture */
        seen[0][i][0] = i < 10 * RATE ? seen[0][i][0] : NAN;
    shots[10 * RATE] = 1;
    run(&s);
    assert_true(share(0.5, 9.5, 0) > .98);
    assert_true(share(10, 20, 0) == 0 && share(11, 19, 1) < .02);
}

static void without_a_sound(void **state)
{
    (void)state;
    struct speaker_scene s = make_scene(2, 0, first);
    s.n_said = 0;
    for (int i = 0; i < N / 2; i++)
        seen[0][i][0] = NAN;
    run(&s);
    assert_true(share(0, 10, 1) == 1 && share(10, 20, 0) == 1);
    s.n_faces = 0;
    run(&s);
    assert_true(share(0, 20, SPEAKER_NOBODY) == 1);
    s.n_frames = 0;
    run(&s);
    s.n_faces = SPEAKER_TURNS_FACES_MAX + 1;
    assert_int_equal(speaker_turns(&s, turns, voices, NULL), LIP_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_in_turn),         cmocka_unit_test(voice_over),
        cmocka_unit_test(silence_is_nobodys),  cmocka_unit_test(a_listener_is_still),
        cmocka_unit_test(without_a_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
