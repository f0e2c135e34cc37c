/* SPDX-License-Identifier: MIT
 * Threads, a score from an earlier run, and a job that was cancelled and resumed may change the
 * time, never the frames. Fake nets and a drawn film: every sanitizer sees the whole engine. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "fake/studio.h"
#include "media/media.h"

static struct studio studio;
static uint64_t want;
static int64_t n_want;

static uint64_t dub(struct lip_job *job, struct lip_result *ret_result)
{
    struct lip_error err = {0};
    uint64_t hash = 0;
    int64_t n = 0;
    int r = lip_dub(studio.engine, job, ret_result, &err);
    if (r)
        print_error("%s (%s): %s\n", lip_status_name(r), err.where, err.text);
    assert_int_equal(r, LIP_OK);
    assert_int_equal(studio_hash(job->output, &hash, &n), LIP_OK);
    assert_int_equal(n, n_want ? n_want : n);
    n_want = n;
    return hash;
}

/* The others are compared with this one; it must be worth it. */
static void one_thread(void **state)
{
    (void)state;
    struct lip_job job = studio_job(&studio);
    struct lip_result result;
    want = dub(&job, &result);
    printf("%d frames, %d edited, bank of %d\n", (int)result.frames, (int)result.edited,
           result.bank_frames);
    assert_int_equal(result.frames, n_want);
    assert_int_equal(result.face, 1);
    assert_true(result.edited > result.frames / 2);
    assert_true(n_want == 30); /* 1.2 s at 25 frames a second */
    assert_true(dub(&job, NULL) == want);
}

static void more_threads(void **state)
{
    (void)state;
    for (int n = 2; n <= 5; n += 1 + (n > 2)) {
        struct lip_job job = studio_job(&studio);
        job.n_threads = n;
        assert_true(dub(&job, NULL) == want);
    }
}

/* Where rows of sound cannot be laid down it is heard twice. */
static void no_temporary_folder(void **state)
{
    (void)state;
    struct lip_job job = studio_job(&studio);
    setenv("TMPDIR", "/nowhere/at/all", 1);
    assert_true(dub(&job, NULL) == want);
    unsetenv("TMPDIR");
}

static void score_used_again(void **state)
{
    (void)state;
    struct lip_job job = studio_job(&studio);
    job.score = studio.score;
    assert_true(dub(&job, NULL) == want);
    assert_true(base_fs_exists(studio.score));
    assert_true(dub(&job, NULL) == want);
    base_fs_remove(studio.score);
}

/* Two segments of other lengths, of which the second takes a piece of the voice. */
static struct lip_job segments_job(struct lip_segment two[2])
{
    struct lip_job job = studio_job(&studio);
    for (int i = 0; i < 2; i++) {
        lip_segment_default(&two[i]);
        two[i].start_s = .2 + .5 * i;
        two[i].end_s = two[i].start_s + .3;
        two[i].voice = job.voice;
        two[i].sync = i ? LIP_SYNC_LOOP : LIP_SYNC_REMAP;
    }
    two[1].voice_from_s = .5;
    two[1].voice_to_s = .9;
    job.voice = NULL;
    job.segments = two;
    job.n_segments = 2;
    return job;
}

static void segments_and_threads(void **state)
{
    (void)state;
    struct lip_segment two[2];
    struct lip_job job = segments_job(two);
    struct lip_result result;
    n_want = 65; /* 1.6 s + 0.9 s + 0.1 s */
    uint64_t one = dub(&job, &result);
    assert_true(one != want && result.outside > 5 && result.edited + result.matching > 20);
    job.n_threads = 3;
    assert_true(dub(&job, NULL) == one);
    job.score = studio.score;
    assert_true(dub(&job, NULL) == one);
    assert_true(dub(&job, NULL) == one);
    base_fs_remove(studio.score);
    struct lip_range all = {0, 1e4}; /* all of the film: as without a range, but for the length */
    struct lip_job whole = studio_job(&studio), range = whole;
    whole.sync = LIP_SYNC_SILENCE;
    range.only = &all;
    range.n_only = 1;
    n_want = 40;
    uint64_t by_policy = dub(&whole, NULL);
    assert_true(dub(&range, &result) == by_policy && result.outside == 0);
    n_want = 30;
}

struct stopper {
    volatile int cancel;
    int stage, n_told;
};

static void stop_in_stage(void *user, const struct lip_progress *progress)
{
    struct stopper *s = user;
    s->n_told++;
    if (progress->stage == s->stage)
        s->cancel = 1;
}

static void cancelled_and_resumed(void **state)
{
    (void)state;
    base_fs_remove(studio.output);
    for (int stage = LIP_STAGE_ANALYZE; stage <= LIP_STAGE_PERFORM; stage++) {
        struct stopper stopper = {.stage = stage};
        struct lip_job job = studio_job(&studio);
        job.resume = 1;
        job.cancel = &stopper.cancel;
        job.progress = stop_in_stage;
        job.progress_user = &stopper;
        struct lip_error err = {0};
        int r = lip_dub(studio.engine, &job, NULL, &err);
        assert_true(r == LIP_ERR_CANCELLED || r == LIP_OK); /* a stage may be over at once */
        assert_true(stopper.n_told > 0);
        if (r) {
            assert_int_equal(err.code, LIP_ERR_CANCELLED);
            assert_false(base_fs_exists(studio.output));
        }
        job.cancel = NULL;
        assert_true(dub(&job, NULL) == want);
        base_fs_remove(studio.output);
    }
}

/* A person file: the same for any number of threads and for a lesson that was broken off; a job
 * that uses it, too; and it changes something. */
static uint64_t learnt(const char *file, int n_threads, int cancel_in)
{
    const char *const films[] = {STUDIO_FILM, "synthetic:256x192@25:30"};
    struct stopper stopper = {.stage = cancel_in};
    struct lip_job job = studio_job(&studio);
    struct lip_person person = {0};
    struct lip_error err = {0};
    job.output = file;
    job.n_threads = n_threads;
    job.resume = 1;
    if (cancel_in >= 0) {
        job.cancel = &stopper.cancel;
        job.progress = stop_in_stage;
        job.progress_user = &stopper;
        int r = lip_person_learn(studio.engine, &job, films, 2, &person, &err);
        assert_true(r == LIP_ERR_CANCELLED && !base_fs_exists(file) && person.n_films == 0);
        base_error_clear(&err);
        job.cancel = NULL;
        job.progress = NULL;
    }
    int r = lip_person_learn(studio.engine, &job, films, 2, &person, &err);
    if (r)
        print_error("%s: %s\n", lip_status_name(r), err.text);
    assert_int_equal(r, LIP_OK);
    assert_true(person.n_films == 2 && person.n_mouths > 20 && person.seconds > 2);
    return person.hash;
}

static void person_file(void **state)
{
    (void)state;
    char file[128], picture[128];
    snprintf(file, sizeof file, "%s/a.person", studio.folder);
    snprintf(picture, sizeof picture, "%s/a.png", studio.folder);
    uint64_t hash = learnt(file, 1, -1);
    struct lip_person seen = {0};
    struct lip_error err = {0};
    assert_int_equal(lip_person_show(file, picture, &seen, &err), LIP_OK);
    assert_true(seen.hash == hash && seen.n_films == 2 && base_fs_exists(picture));
    assert_int_equal(lip_person_show(studio.voice, NULL, &seen, &err), LIP_ERR_SCORE);
    struct lip_job job = studio_job(&studio);
    struct lip_result result;
    job.person = file;
    uint64_t with = dub(&job, &result);
    assert_true(result.person_frames == seen.n_mouths &&
                result.bank_frames > result.person_frames);
    assert_true(with != want);
    job.n_threads = 3;
    job.score = studio.score;
    assert_true(dub(&job, NULL) == with); /* and what is kept in a score is the film's own */
    job.person = NULL;
    assert_true(dub(&job, NULL) == want);
    base_fs_remove(studio.score);
    base_fs_remove(file);
    assert_true(learnt(file, 3, -1) == hash);
    base_fs_remove(file);
    assert_true(learnt(file, 1, LIP_STAGE_LEARN) == hash);
    base_fs_remove(file);
    base_fs_remove(picture);
}

/* Reads the next frame of both films; false at the end. */
static bool next_pair(struct media_source *const source[2], struct data_frame *ret_frame[2])
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(media_source_read(source[i], &ret_frame[i], NULL), LIP_OK);
    return ret_frame[0] && ret_frame[1];
}

/* Samples of all planes that differ, inside the rectangle and outside of it. */
static void compare(struct data_frame *const frame[2], const struct data_rect *r, int64_t *ret_in,
                    int64_t *ret_out)
{
    for (int p = 0; p < frame[0]->n_planes; p++) {
        int sx = p ? frame[0]->chroma_shift_x : 0, sy = p ? frame[0]->chroma_shift_y : 0;
        for (int y = 0; y < frame[0]->plane[p].height_px; y++)
            for (int x = 0; x < frame[0]->plane[p].width_px; x++) {
                bool differ = data_frame_sample(frame[0], p, x, y) !=
                              data_frame_sample(frame[1], p, x, y);
                int u = x << sx, v = y << sy;
                bool in = u > r->x + sx && v > r->y + sy && u < r->x + r->w - 1 - sx &&
                          v < r->y + r->h - 1 - sy;
                *(in ? ret_in : ret_out) += differ;
            }
    }
}

/* A bar before half of the mouth stays, the other half speaks; with the search for such things off,
 * the mouth is drawn over it. The drawn person's landmarks are rough, so a part of the bar's upper
 * end is not found: that every pixel can stay is the test of render/cover. */
static void bar_stays_in_front(void **state)
{
    (void)state;
    const char *const film = "synthetic:224x168@25:40:yuv444p+bar";
    int64_t changed[2] = {0, 0};
    for (int off = 0; off < 2; off++) {
        struct lip_job job = studio_job(&studio);
        job.film = film;
        job.occlusion = off ? LIP_OCCLUSION_OFF : LIP_OCCLUSION_AUTO;
        dub(&job, NULL);
        struct media_source *source[2] = {NULL, NULL};
        struct data_frame *frame[2] = {NULL, NULL};
        struct media_source_params params = {.n_threads = 1};
        assert_int_equal(media_source_open(film, &params, &source[0], NULL), LIP_OK);
        assert_int_equal(media_source_open(job.output, &params, &source[1], NULL), LIP_OK);
        int64_t n_bar = 0, in = 0, out = 0;
        while (next_pair(source, frame)) {
            struct data_rect bar;
            if (media_synthetic_bar(media_source_film(source[0]), frame[0]->index, &bar)) {
                compare(frame, &bar, &in, &out);
                n_bar++;
            }
            for (int i = 0; i < 2; i++)
                data_frame_unref(&frame[i]);
        }
        data_frame_unref(&frame[0]);
        data_frame_unref(&frame[1]);
        media_source_close(&source[0]);
        media_source_close(&source[1]);
        printf("search %s: %d frames, %d samples differ on the bar, %d beside it\n",
               off ? "off" : "on", (int)n_bar, (int)in, (int)out);
        assert_true(n_bar > 8 && out > 1000);
        changed[off] = in;
    }
    assert_true(changed[0] < changed[1]);
}

static void bar_with_more_threads(void **state)
{
    (void)state;
    struct lip_job job = studio_job(&studio);
    job.film = "synthetic:224x168@25:40:yuv420p+bar";
    job.sync = LIP_SYNC_BOUNCE;
    uint64_t one = dub(&job, NULL);
    job.n_threads = 3;
    assert_true(dub(&job, NULL) == one);
    job.score = studio.score;
    assert_true(dub(&job, NULL) == one);
    assert_true(dub(&job, NULL) == one);
    base_fs_remove(studio.score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread), cmocka_unit_test(more_threads),
        cmocka_unit_test(no_temporary_folder), cmocka_unit_test(score_used_again),
        cmocka_unit_test(segments_and_threads), cmocka_unit_test(bar_stays_in_front),
        cmocka_unit_test(bar_with_more_threads), cmocka_unit_test(cancelled_and_resumed),
        cmocka_unit_test(person_file),
    };
    if (!studio_open(&studio)) {
        printf("skipped: %s\n", studio.why_not);
        return 77;
    }
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    return r + studio_close(&studio);
}
