/* SPDX-License-Identifier: MIT
 * The whole engine, while memory or the disk fails: a clear error or a whole film, an old output
 * that is untouched, nothing left behind. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "fake/studio.h"
#include "torture/torture.h"

static struct studio studio;

static int open_engine(void *arg)
{
    (void)arg;
    struct lip_error err = {0};
    lip_close(&studio.engine);
    int r = studio_open_engine(&studio, &err);
    assert_int_equal(r, err.code);
    assert_true(!r == !!studio.engine);
    return r;
}

static const char old[] = "the old output";

static int dub(void *arg)
{
    (void)arg;
    FILE *f = fopen(studio.output, "wb");
    assert_non_null(f);
    fputs(old, f);
    fclose(f);
    struct lip_job job = studio_job(&studio);
    struct lip_error err = {0};
    struct lip_result result = {.face = 77};
    job.film = "synthetic:224x168@25:12";
    job.score = studio.score;
    int r = lip_dub(studio.engine, &job, &result, &err);
    assert_int_equal(r, err.code);
    char text[64] = "";
    f = fopen(studio.output, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_true((n == strlen(old) && !strcmp(text, old)) == (r != 0));
    assert_true((result.face == 77) == (r != 0));
    remove(studio.score);
    return r;
}

/* The same with a segment: pieces of sound, a plan of pieces. */
static int dub_segment(void *arg)
{
    struct lip_segment *one = arg;
    struct lip_job job = studio_job(&studio);
    struct lip_error err = {0};
    lip_segment_default(one);
    one->start_s = .1;
    one->end_s = .3;
    one->voice = job.voice;
    one->voice_to_s = .3;
    job.voice = NULL;
    job.segments = one;
    job.n_segments = 1;
    job.film = "synthetic:224x168@25:12";
    remove(studio.output);
    int r = lip_dub(studio.engine, &job, NULL, &err);
    assert_int_equal(r, err.code);
    FILE *f = fopen(studio.output, "rb");
    assert_true((f != NULL) == (r == 0));
    if (f)
        fclose(f);
    return r;
}

static void dubbing_a_segment(void **state)
{
    (void)state;
    struct lip_segment one;
    const struct torture t = {.name = "segment", .run = dub_segment, .arg = &one, .runs_max = 30,
                              .may_pass = 1};
    int n_wrong = torture_allocations(&t);
    assert_int_equal(n_wrong + torture_files(&t), 0);
}

static void opening(void **state)
{
    (void)state;
    const struct torture t = {.name = "open", .run = open_engine};
    assert_int_equal(torture_allocations(&t), 0);
    assert_int_equal(torture_files(&t), 0);
    assert_int_equal(open_engine(NULL), LIP_OK);
}

/* FFmpeg's own allocations are out of reach: only ours fail. A failure to look at one frame may be
 * a decline, so a whole film is a right answer, too. */
static void dubbing(void **state)
{
    (void)state;
    const struct torture t = {.name = "dub", .run = dub, .runs_max = 60, .may_pass = 1};
    int n_wrong = torture_allocations(&t);
    assert_int_equal(n_wrong + torture_files(&t), 0);
}

static int hear_and_write(void *arg)
{
    (void)arg;
    struct lip_job job = studio_job(&studio);
    struct lip_error err = {0};
    lip_visemes *heard = NULL;
    int r = lip_visemes_hear(studio.engine, &job, &heard, &err);
    assert_int_equal(r, err.code);
    assert_true((heard != NULL) == (r == 0));
    for (int format = 0; !r && format < LIP_VISEMES_FORMATS; format++) {
        r = lip_visemes_write(heard, format, 0, NULL, studio.output, 1, &err);
        assert_int_equal(r, err.code);
    }
    lip_visemes_close(&heard);
    remove(studio.output);
    return r;
}

static void visemes(void **state)
{
    (void)state;
    const struct torture t = {.name = "visemes", .run = hear_and_write, .runs_max = 60,
                              .may_pass = 1};
    int n_wrong = torture_allocations(&t);
    assert_int_equal(n_wrong + torture_files(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),
        cmocka_unit_test(dubbing),
        cmocka_unit_test(dubbing_a_segment),
        cmocka_unit_test(visemes),
    };
    if (!studio_open(&studio)) {
        printf("skipped: %s\n", studio.why_not);
        return 77;
    }
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    return r + studio_close(&studio);
}
