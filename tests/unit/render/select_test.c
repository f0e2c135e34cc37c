/* SPDX-License-Identifier: MIT
 * The walk through the bank against an exhaustive search, and the plan of a bank. */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "render/parts.h"

static void make_entry(struct data_bank_entry *e, int64_t frame, float opening, uint32_t *seed)
{
    memset(e, 0, sizeof *e);
    e->frame = frame;
    e->opening = opening;
    e->width = .4f;
    e->sharpness = 1;
    for (int k = 0; k < RENDER_COLUMNS; k++) {
        float x = .04f * (float)(k - 5);
        e->canon[render_upper[k]][0] = e->canon[render_lower[k]][0] = x;
        e->canon[render_lower[k]][1] += k % 10 ? opening : 0;
    }
    for (int i = 0; i < DATA_BANK_TEX_W * DATA_BANK_TEX_H; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        (&e->tex[0][0])[i] = (float)(*seed >> 24) / 255 - .5f + opening * (float)(i % 7);
    }
}

static void make_bank(struct data_bank *bank, size_t n, const float *openings, int64_t stride)
{
    uint32_t seed = 5;
    data_bank_init(bank);
    bank->entries = base_alloc_array(n, sizeof *bank->entries);
    assert_non_null(bank->entries);
    bank->n = bank->cap = n;
    for (size_t i = 0; i < n; i++)
        make_entry(&bank->entries[i], (int64_t)i * stride, openings[i], &seed);
    assert_int_equal(render_bank_finish(bank), 0);
}

/* Pushes wishes that are the shapes of the given openings and returns the choices. */
static size_t walk(const struct data_bank *bank, const float *openings, size_t n,
                   struct render_choice *ret)
{
    struct render_selector *s = NULL;
    struct data_face_geom geom = {.valid = true};
    struct data_bank_entry *wish = base_alloc_zero(sizeof *wish);
    uint32_t seed = 1;
    size_t got = 0;
    assert_int_equal(render_selector_create(bank, &s), 0);
    for (size_t t = 0; t < n; t++) {
        make_entry(wish, 0, openings[t], &seed);
        assert_int_equal(render_selector_push(s, &geom, (const float(*)[3])wish->canon, false), 0);
        while (render_selector_pull(s, &ret[got]))
            got++;
    }
    render_selector_flush(s);
    while (got < n && render_selector_pull(s, &ret[got]))
        got++;
    struct render_choice more;
    assert_false(render_selector_pull(s, &more));
    render_selector_destroy(&s);
    base_free(wish);
    return got;
}

static void consecutive_frames_are_preferred(void **state)
{
    (void)state;
    float openings[40], wishes[40];
    struct data_bank bank;
    struct render_choice c[40];
    for (int i = 0; i < 40; i++)
        openings[i] = .13f + .1f * sinf((float)i * .4f);
    make_bank(&bank, 40, openings, 1);
    /* The bank's own run, a little wrong. Not of closed lips: for a wish of a slit the walk rightly
     * leaves them. */
    for (int i = 0; i < 20; i++)
        wishes[i] = openings[12 + i] + (i % 2 ? .004f : -.004f);
    assert_int_equal(walk(&bank, wishes, 20, c), 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(c[i].entry[0], 12 + i);
        assert_true(c[i].weight[0] == 1 && c[i].weight[1] == 0);
    }
    data_bank_done(&bank);
}

static void jumps_are_cross_faded(void **state)
{
    (void)state;
    float openings[30], wishes[30];
    struct data_bank bank;
    struct render_choice c[30];
    for (int i = 0; i < 30; i++)
        openings[i] = .01f * (float)i;
    make_bank(&bank, 30, openings, 1);
    for (int i = 0; i < 30; i++) /* 0..14, then from far away */
        wishes[i] = i < 15 ? openings[i] : openings[i - 15] + .15f;
    wishes[14] = .15f;
    for (int i = 15; i < 30; i++)
        wishes[i] = openings[i - 15];
    assert_int_equal(walk(&bank, wishes, 30, c), 30);
    int n_faded = 0;
    for (int i = 0; i < 30; i++) {
        assert_true(fabsf(c[i].weight[0] + c[i].weight[1] - 1) < 1e-6f);
        n_faded += c[i].weight[1] > 0;
    }
    assert_int_equal(n_faded, 2);
    data_bank_done(&bank);
}

/* Cost of a path as select.c defines it for this bank: equal pose, sharpness and lip depth. */
static float local_cost(float want, float have)
{
    float sum = 0;
    for (int k = 0; k < RENDER_LIPS_N - 20; k++) /* nine of the forty points differ */
        sum += k < 9 ? (want - have) * (want - have) : 0;
    return sqrtf(sum / RENDER_LIPS_N) / .02f + .5f * fabsf(want - have) / .02f +
           .35f * fabsf(logf((want + .012f) / (have + .012f))) +
           4 * fmaxf(0, logf((want + .016f) / (have + .016f)) - .1f);
}

static float texture_distance(const struct data_bank *bank, size_t a, size_t b)
{
    double var = 0, d = 0;
    size_t n = DATA_BANK_TEX_W * DATA_BANK_TEX_H;
    for (size_t i = 0; i < bank->n; i++)
        for (size_t k = 0; k < n; k++)
            var += pow((&bank->entries[i].tex[0][0])[k], 2);
    for (size_t k = 0; k < n; k++)
        d += pow((&bank->entries[a].tex[0][0])[k] - (&bank->entries[b].tex[0][0])[k], 2);
    return (float)(sqrt(d / (double)n) / sqrt(var / (double)(n * bank->n)));
}

static float step_cost(const struct data_bank *bank, size_t a, size_t b)
{
    int64_t step = bank->entries[b].frame - bank->entries[a].frame;
    if (step == 1)
        return 0;
    if (step == 0 || step == 2)
        return .15f;
    return step == -1 ? .2f : 1 + 2 * texture_distance(bank, a, b);
}

static float path_cost(const struct data_bank *bank, const float *openings, const float *wishes,
                       size_t n, const size_t *path)
{
    float sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += local_cost(wishes[t], openings[path[t]]) +
               (t ? step_cost(bank, path[t - 1], path[t]) : 0);
    return sum;
}

static void equals_exhaustive_search(void **state)
{
    (void)state;
    enum { N = 5, T = 6 };
    uint32_t seed = 11;
    for (int round = 0; round < 8; round++) {
        float openings[N], wishes[T];
        for (int i = 0; i < N; i++) {
            seed = seed * 1664525u + 1013904223u;
            openings[i] = .2f * (float)(seed >> 16) / 65536;
        }
        for (int t = 0; t < T; t++) {
            seed = seed * 1664525u + 1013904223u;
            wishes[t] = .2f * (float)(seed >> 16) / 65536;
        }
        struct data_bank bank;
        struct render_choice c[T];
        make_bank(&bank, N, openings, 1);
        assert_int_equal(walk(&bank, wishes, T, c), T);
        size_t path[T], chosen[T];
        float best = INFINITY;
        for (int code = 0; code < 15625; code++) { /* 5^6 paths */
            for (int t = 0, rest = code; t < T; t++, rest /= N)
                path[t] = (size_t)(rest % N);
            best = fminf(best, path_cost(&bank, openings, wishes, T, path));
        }
        for (int t = 0; t < T; t++)
            chosen[t] = (size_t)c[t].entry[0];
        assert_true(fabsf(path_cost(&bank, openings, wishes, T, chosen) - best) < 1e-3f);
        data_bank_done(&bank);
    }
}

static void an_empty_bank_gives_no_entries(void **state)
{
    (void)state;
    struct data_bank bank;
    struct render_choice c[20];
    float wishes[20] = {0};
    data_bank_init(&bank);
    assert_int_equal(walk(&bank, wishes, 20, c), 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(c[i].entry[0], -1);
}

static void the_low_band_comes_from_those_that_fit(void **state)
{
    (void)state;
    static const float openings[12] = {.30f, .02f, .11f, .10f, .25f, .12f,
                                       .09f, .20f, .05f, .13f, .28f, .0f};
    struct data_bank bank;
    struct render_near near;
    struct data_face_geom geom = {.valid = true};
    struct data_bank_entry *wish = base_alloc_zero(sizeof *wish);
    uint32_t seed = 1;
    make_bank(&bank, 12, openings, 5);
    make_entry(wish, 0, .10f, &seed);
    for (int n = 0; n <= RENDER_NEAR_MAX + 4; n++) {
        float sum = 0;
        render_near_find(&bank, &geom, (const float(*)[3])wish->canon, n, &near);
        assert_int_equal(near.n, n < 12 ? n : 12);
        for (int k = 0; k < near.n; k++) {
            sum += near.weight[k];
            assert_true(k == 0 || near.weight[k] <= near.weight[k - 1]);
            for (int j = 0; j < k; j++)
                assert_int_not_equal(near.entry[j], near.entry[k]);
        }
        assert_true(n == 0 || near.entry[0] == 3);
        assert_true(n != 3 || near.weight[2] > .1f); /* .11 and .09 are good, too */
        assert_true(n < 12 || near.weight[11] < 1e-4f); /* .30 is not */
        assert_true(n == 0 || fabsf(sum - 1) < 1e-5f);
    }
    base_free(wish);
    data_bank_done(&bank);
}

static void plan_keeps_runs_and_extremes(void **state)
{
    (void)state;
    struct render_bank_params params = {80, (size_t)1 << 30};
    struct render_bank_plan *plan = NULL;
    struct data_face_geom *g = base_alloc_zero(sizeof *g);
    int64_t *frames = NULL;
    size_t n = 0;
    assert_int_equal(render_bank_plan_create(&params, &plan), 0);
    for (int64_t f = 0; f < 5000; f++) { /* mostly at rest; once wide open, once turned away */
        g->frame = f;
        g->valid = f % 97 != 0;
        g->scale = 100;
        g->opening = f >= 2400 && f < 2408 ? .3f : .01f + .002f * (float)(f % 5);
        g->yaw_rad = f >= 4000 && f < 4008 ? .5f : 0;
        assert_int_equal(render_bank_plan_push(plan, g), 0);
    }
    assert_int_equal(render_bank_plan_finish(&plan, &frames, &n), 0);
    assert_null(plan);
    assert_true(n <= 80 && n > 60);
    bool open = false, turned = false;
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || frames[i] > frames[i - 1]);
        assert_true(frames[i] % 97 != 0);
        open |= frames[i] == 2404;
        turned |= frames[i] == 4004;
    }
    assert_true(open && turned);
    base_free(frames);
    /* a bound in bytes binds too */
    params.n_bytes_max = 1 << 20;
    assert_int_equal(render_bank_plan_create(&params, &plan), 0);
    for (int64_t f = 0; f < 200; f++) {
        g->frame = f;
        g->valid = true;
        assert_int_equal(render_bank_plan_push(plan, g), 0);
    }
    assert_int_equal(render_bank_plan_finish(&plan, &frames, &n), 0);
    assert_true(n < 40);
    base_free(frames);
    base_free(g);
}

static void an_endless_film_is_bounded(void **state)
{
    (void)state;
    struct render_bank_params params;
    struct render_bank_plan *plan = NULL;
    struct data_face_geom *g = base_alloc_zero(sizeof *g);
    int64_t *frames = NULL;
    size_t n = 0;
    render_bank_params_default(&params);
    params.n_entries_max = 16;
    assert_int_equal(render_bank_plan_create(&params, &plan), 0);
    g->valid = true;
    g->scale = 50;
    for (int64_t f = 0; f < 300000; f++) {
        g->frame = f;
        g->opening = (float)(f % 1000) / 5000;
        assert_int_equal(render_bank_plan_push(plan, g), 0);
    }
    assert_int_equal(render_bank_plan_finish(&plan, &frames, &n), 0);
    assert_true(n > 8 && n <= 16);
    base_free(frames);
    base_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consecutive_frames_are_preferred),
        cmocka_unit_test(jumps_are_cross_faded),
        cmocka_unit_test(equals_exhaustive_search),
        cmocka_unit_test(an_empty_bank_gives_no_entries),
        cmocka_unit_test(the_low_band_comes_from_those_that_fit),
        cmocka_unit_test(plan_keeps_runs_and_extremes),
        cmocka_unit_test(an_endless_film_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
