/* SPDX-License-Identifier: MIT
 * Frames by number: whatever the order of asking, the frame is the one that reading in order
 * gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "engine/reader.h"

#define N 90

static char score_path[64], film_path[64];
static uint64_t expected[N];

static uint64_t hash_of(const struct data_frame *f)
{
    uint64_t hash = 0;
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++)
            hash = base_hash(f->plane[p].data + y * f->plane[p].stride_bytes,
                             (size_t)f->plane[p].width_px, hash);
    return hash;
}

/* Reads the film once in order: the table of frames and what each of them looks like. */
static struct data_score *learn(const char *film)
{
    struct media_source *source = NULL;
    struct media_source_params params = {0};
    struct data_score *score = NULL;
    struct lip_error err = {0};
    if (media_source_open(film, &params, &source, &err))
        fail_msg("%s", err.text);
    assert_int_equal(data_score_create(score_path, media_source_film(source), &score, NULL), 0);
    struct data_frame *f = NULL;
    for (int i = 0; !media_source_read(source, &f, NULL) && f; i++) {
        assert_true(i < N);
        struct data_score_frame head = {.pts = f->pts, .duration = f->duration,
                                        .keyframe = f->keyframe};
        expected[i] = hash_of(f);
        assert_int_equal(data_score_add_frame(score, &head, NULL, 0, NULL), 0);
        data_frame_unref(&f);
    }
    assert_int_equal(data_score_n_frames(score), N);
    media_source_close(&source);
    return score;
}

static void check(struct reader *reader, int64_t index)
{
    struct data_frame *f = NULL;
    struct lip_error err = {0};
    if (reader_get(reader, index, &f, &err))
        fail_msg("frame %d: %s", (int)index, err.text);
    assert_int_equal(f->index, index);
    assert_true(hash_of(f) == expected[index]);
    data_frame_unref(&f);
}

static void all_orders(const char *film)
{
    struct data_score *score = learn(film);
    struct reader *reader = NULL;
    struct media_source_params params = {0};
    assert_int_equal(reader_create(film, score, &params, &reader, NULL), 0);
    for (int64_t i = 0; i < N; i++) /* forwards */
        check(reader, i);
    for (int64_t i = N - 2; i >= 0; i--) /* bounce */
        check(reader, i);
    for (int64_t i = 1; i < 10; i++) /* and again */
        check(reader, i);
    for (int64_t i = 0, at = 7; i < 40; i++, at = (at * 31 + 17) % N) /* any jump */
        check(reader, at);
    check(reader, N - 1);
    check(reader, N - 1); /* a repeated frame */
    struct data_frame *f = NULL;
    assert_int_equal(reader_get(reader, N, &f, NULL), LIP_ERR_ARG);
    assert_int_equal(reader_get(reader, -1, &f, NULL), LIP_ERR_ARG);
    reader_destroy(&reader);
    data_score_close(&score);
}

static void drawn_film(void **state)
{
    (void)state;
    all_orders("synthetic:96x64@25:90");
}

/* B frames and key frames 24 apart. */
static void real_codec(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command,
             "ffmpeg -v error -y -f lavfi -i testsrc=s=96x64:r=25:d=3.6 -c:v libx264 -g 24 -bf 3 "
             "-pix_fmt yuv420p %s",
             film_path);
    if (system(command)) { /* lint: allow system: a test's own command */
        print_message("skipped: the ffmpeg program is missing\n");
        skip();
    }
    all_orders(film_path);
}

static void another_film_is_noticed(void **state)
{
    (void)state;
    struct data_score *score = learn("synthetic:96x64@25:90");
    struct reader *reader = NULL;
    struct media_source_params params = {0};
    struct lip_error err = {0};
    struct data_frame *f = NULL;
    assert_int_equal(reader_create("synthetic:96x64@25:20", score, &params, &reader, NULL), 0);
    assert_int_equal(reader_get(reader, 50, &f, &err), LIP_ERR_SCORE);
    assert_non_null(strstr(err.text, "not the one that was analyzed"));
    reader_destroy(&reader);
    data_score_close(&score);
}

int main(void)
{
    snprintf(score_path, sizeof score_path, "reader_test_%d.score", (int)getpid());
    snprintf(film_path, sizeof film_path, "reader_test_%d.mp4", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_film),
        cmocka_unit_test(real_codec),
        cmocka_unit_test(another_film_is_noticed),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(score_path);
    unlink(film_path);
    return r;
}
