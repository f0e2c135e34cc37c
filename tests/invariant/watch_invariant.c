/* SPDX-License-Identifier: MIT
 * What is seen of a film is the same, byte by byte, whoever looks at which span of it: threads,
 * shares, a run that goes on with what an interrupted one has left, and a film that cannot be
 * sought. Fake nets and a drawn film. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/span.h"
#include "engine/watch.h"
#include "fake/studio.h"

#define FILM "synthetic:224x168@25:260" /* 10.4 s */
#define N_FRAMES 260
#define N_SPANS 6

static struct studio studio;
static uint64_t want;

static struct watch_params params_of(int n_threads)
{
    return (struct watch_params){.film = FILM, .score_path = studio.score, .n_threads = n_threads,
                                 .n_crops = 1, .enough_us = -1, .span_us = 2000000};
}

/* A job that ends itself after so many frames; < 0: never. */
struct stopper {
    volatile int cancel;
    int64_t after;
};

static void stop_after(void *user, const struct lip_progress *p)
{
    struct stopper *s = user;
    s->cancel |= s->after >= 0 && p->frames >= s->after;
}

static int watch(const struct watch_params *params, int64_t stop_at, struct data_score **ret_score)
{
    struct stopper stopper = {.after = stop_at};
    struct lip_job job = studio_job(&studio);
    struct progress progress;
    struct lip_error err = {0};
    job.cancel = &stopper.cancel;
    job.progress = stop_after;
    job.progress_user = &stopper;
    progress_init(&progress, &job);
    progress_stage(&progress, LIP_STAGE_ANALYZE);
    int r = params->n_shares ? watch_share(studio.engine, params, &progress, &err)
                             : watch_film(studio.engine, params, &progress, ret_score, &err);
    if (r && r != LIP_ERR_CANCELLED)
        print_error("%s (%s): %s\n", lip_status_name(r), err.where, err.text);
    return r;
}

static uint64_t hash_score(void)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    assert_int_equal(base_fs_read(studio.score, 64 << 20, &bytes, &n, NULL), LIP_OK);
    uint64_t hash = base_hash(bytes, n, 0);
    base_free(bytes);
    return hash;
}

static struct span_grid grid_of(const struct data_film *film)
{
    return (struct span_grid){.film = film, .score_path = studio.score, .span_us = 2000000,
                              .models_hash = studio.engine->models_hash, .n_crops = 1};
}

static int n_spans_left(void)
{
    struct span_grid grid = grid_of(NULL);
    int n = 0;
    for (int i = 0; i < 2 * N_SPANS; i++)
        n += span_exists(&grid, i);
    return n;
}

/* The score as it must be, and nothing beside it. */
static void check(const struct watch_params *params)
{
    struct data_score *score = NULL;
    assert_int_equal(watch(params, -1, &score), LIP_OK);
    assert_int_equal(data_score_n_frames(score), N_FRAMES);
    data_score_close(&score);
    assert_true(hash_score() == want);
    assert_int_equal(n_spans_left(), 0);
    base_fs_remove(studio.score);
}

/* The others are compared with this one; it must be worth it: one face, seen throughout, whose
 * track goes over all borders. */
static void one_thread(void **state)
{
    (void)state;
    struct watch_params params = params_of(1);
    struct data_score *score = NULL;
    size_t n_tracks = 0, n_shots = 0;
    assert_int_equal(watch(&params, -1, &score), LIP_OK);
    const struct data_track *tracks = data_score_tracks(score, &n_tracks);
    data_score_shots(score, &n_shots);
    assert_int_equal(n_shots, 1);
    assert_int_equal(n_tracks, 1);
    assert_int_equal(tracks[0].first_frame, 0);
    assert_int_equal(tracks[0].last_frame, N_FRAMES - 1);
    assert_int_equal(tracks[0].n_obs, N_FRAMES);
    data_score_close(&score);
    want = hash_score();
    base_fs_remove(studio.score);
    check(&params);
}

static void more_threads(void **state)
{
    (void)state;
    for (int n = 2; n <= 8; n += n) {
        struct watch_params params = params_of(n);
        check(&params);
    }
}

static void shares(void **state)
{
    (void)state;
    for (int n = 2; n <= 3; n++) {
        struct watch_params params = params_of(1), whole = params_of(2);
        params.n_shares = n;
        for (params.share = n; params.share > n / 2; params.share--)
            assert_int_equal(watch(&params, -1, NULL), LIP_OK);
        assert_true(n_spans_left() >= N_SPANS / 2);
        check(&whole);
    }
}

/* What a share has left is used: nothing is looked at but the rest. */
static void shares_are_used(void **state)
{
    (void)state;
    struct watch_params params = params_of(1), whole = params_of(1);
    struct data_score *score = NULL;
    params.n_shares = 1;
    params.share = 1;
    assert_int_equal(watch(&params, -1, NULL), LIP_OK);
    assert_int_equal(n_spans_left(), N_SPANS);
    assert_int_equal(watch(&whole, 1, &score), LIP_OK); /* one look would be one too many */
    data_score_close(&score);
    assert_true(hash_score() == want);
    base_fs_remove(studio.score);
}

/* One that is not to be gone on with leaves no span; those of others stay. */
static void leaves_nothing(void **state)
{
    (void)state;
    for (int64_t stop = 60; stop < N_FRAMES; stop += 60) {
        struct watch_params params = params_of(3), share = params_of(1);
        struct data_score *score = NULL;
        share.n_shares = share.share = 6;
        assert_int_equal(watch(&share, -1, NULL), LIP_OK);
        assert_int_equal(n_spans_left(), 1);
        int r = watch(&params, stop, &score);
        assert_int_equal(n_spans_left(), r == LIP_ERR_CANCELLED);
        data_score_close(&score);
        base_fs_remove(studio.score);
        struct span_grid grid = grid_of(NULL);
        span_remove(&grid, N_SPANS - 1);
    }
}

static void goes_on(void **state)
{
    (void)state;
    for (int64_t stop = 30; stop < N_FRAMES; stop += 80) {
        struct watch_params params = params_of(1 + (int)(stop % 4));
        struct data_score *score = NULL;
        params.resume = true;
        if (watch(&params, stop, &score) == LIP_ERR_CANCELLED)
            assert_null(score);
        data_score_close(&score);
        check(&params);
    }
}

/* Spans that do not follow on what was seen before them, as those of a film in which a jump leads
 * somewhere else: the film is read from its beginning. */
static void spans_that_do_not_follow(void **state)
{
    (void)state;
    struct media_source_params how = {.n_threads = 1};
    struct media_source *source = NULL;
    struct lip_error err = {0};
    assert_int_equal(media_source_open(FILM, &how, &source, &err), LIP_OK);
    struct span_grid grid = grid_of(media_source_film(source));
    for (int64_t shift = -1; shift <= 1; shift += 2) {
        struct span span;
        assert_int_equal(span_create(&grid, 2, &span, &err), LIP_OK);
        for (int64_t i = 80; i < 150; i++) { /* the lead begins with frame 80 at 3.2 s */
            struct data_score_frame f = {.pts = grid.film->start_pts + i + shift, .duration = 1};
            assert_int_equal(data_score_add_frame(span.score, &f, NULL, 0, &err), LIP_OK);
        }
        span.n_lead = 20;
        assert_int_equal(span_finish(&grid, &span, &err), LIP_OK);
        struct watch_params params = params_of(2);
        check(&params);
    }
    media_source_close(&source);
}

/* A file of that name with anything in it. */
static void damaged_spans(void **state)
{
    (void)state;
    char path[160];
    for (int i = 0; i < N_SPANS; i += 2) {
        struct watch_params params = params_of(2);
        snprintf(path, sizeof path, "%s.span%06d", studio.score, i);
        assert_int_equal(base_fs_write(path, "LIPSCORE, or so", 15, NULL), LIP_OK);
        check(&params);
    }
}

static void enough(void **state)
{
    (void)state;
    for (int n = 1; n <= 4; n += 3) {
        struct watch_params params = params_of(n);
        struct data_score *score = NULL;
        params.enough_us = 5000000;
        assert_int_equal(watch(&params, -1, &score), LIP_OK);
        assert_int_equal(data_score_n_frames(score), 127); /* to the first one later than that */
        data_score_close(&score);
        assert_int_equal(n_spans_left(), 0);
        base_fs_remove(studio.score);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread), cmocka_unit_test(more_threads), cmocka_unit_test(shares),
        cmocka_unit_test(shares_are_used), cmocka_unit_test(goes_on),
        cmocka_unit_test(leaves_nothing), cmocka_unit_test(spans_that_do_not_follow),
        cmocka_unit_test(damaged_spans),
        cmocka_unit_test(enough)};
    if (!studio_open(&studio)) {
        printf("skipped: %s\n", studio.why_not);
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return studio_close(&studio) ? 1 : failed;
}
