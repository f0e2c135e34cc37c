/* SPDX-License-Identifier: MIT
 * Each public call with each bad argument: the right code, a sentence, and nothing else happens.
 * What needs an open engine is skipped, with the reason, where the nets are missing. */
#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lipsync/lipsync.h>

#define OUT "abuse-out.mp4"
#define NO_FILM "abuse-no-film.mp4" /* a file that is there, but no film */

static lip_engine *engine;
static struct lip_error open_err;

static void names(void **state)
{
    (void)state;
    for (int i = 0; i < LIP_STAGE_COUNT; i++)
        assert_true(lip_stage_name(i)[0] != 0);
    for (int i = 0; i < LIP_DECLINE_COUNT; i++)
        assert_true(lip_decline_name(i)[0] != 0);
    const int bad[] = {-1, LIP_STAGE_COUNT, LIP_DECLINE_COUNT, 12345, -2147483647};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) { /* never NULL */
        assert_non_null(lip_stage_name(bad[i]));
        assert_non_null(lip_decline_name(bad[i]));
        assert_non_null(lip_verdict_name(bad[i]));
        assert_non_null(lip_status_name(bad[i]));
    }
    assert_string_equal(lip_version(), LIP_VERSION);
}

static void defaults(void **state)
{
    (void)state;
    struct lip_job job;
    struct lip_params params;
    memset(&job, 0xff, sizeof job);
    memset(&params, 0xff, sizeof params);
    lip_job_default(&job);
    lip_params_default(&params);
    assert_true(!job.film && !job.output && job.sync == LIP_SYNC_BOUNCE && !job.cancel);
    assert_true(job.temperature == 0.5);
    assert_true(!params.models_dir && !params.log);
    for (size_t i = 0; i < UNIT_COUNT(job.reserved); i++)
        assert_null(job.reserved[i]);
    struct lip_segment segment;
    memset(&segment, 0xff, sizeof segment);
    lip_segment_default(&segment);
    assert_true(!segment.voice && segment.sync < 0 && segment.face < 0 && segment.face_frame < 0);
    assert_true(segment.temperature < 0 && segment.occlusion < 0 && segment.end_s == 0);
    assert_true(!job.segments && !job.n_segments && !job.only && !job.n_only);
    lip_segment_default(NULL);
    lip_job_default(NULL);
    lip_params_default(NULL);
}

static void open_and_close(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct lip_params params;
    lip_engine *e = NULL;
    assert_int_equal(lip_open(NULL, NULL, &err), LIP_ERR_ARG);
    assert_int_equal(err.code, LIP_ERR_ARG);
    assert_int_equal(lip_open(NULL, NULL, NULL), LIP_ERR_ARG);

    lip_params_default(&params);
    params.models_dir = "abuse-no-such-folder";
    memset(&err, 0, sizeof err);
    assert_int_equal(lip_open(&params, &e, &err), LIP_ERR_MODEL);
    assert_true(err.code == LIP_ERR_MODEL && err.text[0]);
    assert_null(e);

    lip_params_default(&params);
    params.device = "abacus";
    int r = lip_open(&params, &e, NULL);
    assert_true(r == LIP_ERR_DEVICE || r == LIP_ERR_ARG || r == open_err.code);
    assert_null(e);
    lip_close(&e);
    lip_close(NULL);
}

static void doctor(void **state)
{
    (void)state;
    char text[64];
    memset(text, 'x', sizeof text);
    lip_doctor(NULL, text, 16);
    assert_true(memchr(text, 0, 16) != NULL);
    assert_int_equal(text[16], 'x');
    lip_doctor(NULL, text, 0);
    lip_doctor(NULL, NULL, 0);
    lip_doctor(NULL, NULL, 100);
}

/* One thing wrong with an otherwise good job. */
struct bad_job {
    const char *what;
    void (*spoil)(struct lip_job *job);
    int code;
};

static void no_film(struct lip_job *j) { j->film = NULL; }
static void empty_film(struct lip_job *j) { j->film = ""; }
static void missing_film(struct lip_job *j) { j->film = "abuse-no-such.mp4"; }
static void folder_film(struct lip_job *j) { j->film = "."; }
static void missing_voice(struct lip_job *j) { j->voice = "abuse-no-such.wav"; }
static void share_without_parts(struct lip_job *j) { j->n_shares = 2; }
static void share_beyond(struct lip_job *j)
{
    j->parts = "abuse-parts";
    j->n_shares = 2;
    j->share = 3;
}
static void too_many_shares(struct lip_job *j)
{
    j->parts = "abuse-parts";
    j->n_shares = 1001;
}
static void no_output(struct lip_job *j) { j->output = NULL; }
static void empty_output(struct lip_job *j) { j->output = ""; }
static void unknown_ending(struct lip_job *j) { j->output = "abuse-out.xyz"; }
static void no_ending(struct lip_job *j) { j->output = "abuse-out"; }
static void sync_low(struct lip_job *j) { j->sync = (enum lip_sync_mode)-1; }
static void sync_high(struct lip_job *j) { j->sync = (enum lip_sync_mode)5; }
static void codec_high(struct lip_job *j) { j->codec = (enum lip_codec)8; }
static void quality_low(struct lip_job *j) { j->quality = -1; }
static void quality_high(struct lip_job *j) { j->quality = 101; }
static void threads_low(struct lip_job *j) { j->n_threads = -1; }
static void crops_two(struct lip_job *j) { j->n_crops = 2; }
static void tier_high(struct lip_job *j) { j->tier = (enum lip_tier)3; }
static void choice_high(struct lip_job *j) { j->face = (enum lip_face_choice)5; }
static void no_boxes(struct lip_job *j) { j->face = LIP_FACE_BOXES; }
static void missing_person(struct lip_job *j) { j->person = "abuse-no-such.person"; }
static void no_person(struct lip_job *j) { j->person = NO_FILM; }
static void cold(struct lip_job *j) { j->temperature = -0.01; }
static void hot(struct lip_job *j) { j->temperature = 1.01; }
static void temperature_nan(struct lip_job *j) { j->temperature = NAN; }
static void occlusion_high(struct lip_job *j) { j->occlusion = (enum lip_occlusion)3; }
static void number_zero(struct lip_job *j) { j->face = LIP_FACE_NUMBER; j->face_number = 0; }
static void consent_bytes(struct lip_job *j) { j->consent = "yes \xff\xfe"; }
static void consent_long(struct lip_job *j)
{
    static char text[5000];
    memset(text, 'y', sizeof text - 1);
    j->consent = text;
}
static void report_nowhere(struct lip_job *j) { j->report = "abuse-none/r.json"; }
static void page_nowhere(struct lip_job *j) { j->report_page = "abuse-none/r.html"; }
static void report_over_film(struct lip_job *j) { j->report_page = NO_FILM; }
static void report_twice(struct lip_job *j) { j->report = j->report_page = "abuse-r.html"; }
static void point_nan(struct lip_job *j) { j->face = LIP_FACE_POINT; j->face_x = NAN; }
static void point_past(struct lip_job *j) { j->face = LIP_FACE_POINT; j->face_t_s = -1; }

static struct lip_segment two[2]; /* from 1 to 2 s and from 3 to 4 s, good as they are */
static struct lip_range ranges[2];

static void take_segments(struct lip_job *j)
{
    for (int i = 0; i < 2; i++) {
        lip_segment_default(&two[i]);
        two[i].start_s = 2 * i + 1;
        two[i].end_s = 2 * i + 2;
        two[i].voice = NO_FILM;
        ranges[i] = (struct lip_range){2 * i + 1, 2 * i + 2};
    }
    j->segments = two;
    j->n_segments = 2;
}
static void take_ranges(struct lip_job *j)
{
    take_segments(j);
    j->n_segments = 0;
    j->only = ranges;
    j->n_only = 2;
}
static void segments_null(struct lip_job *j) { j->n_segments = 1; }
static void segments_below(struct lip_job *j) { take_segments(j); j->n_segments = -1; }
static void segments_many(struct lip_job *j) { take_segments(j); j->n_segments = 1001; }
static void segments_and_voice(struct lip_job *j) { take_segments(j); j->voice = NO_FILM; }
static void segments_and_only(struct lip_job *j) { take_ranges(j); j->n_segments = 2; }
static void segment_backwards(struct lip_job *j) { take_segments(j); two[1].end_s = 2.5; }
static void segment_before(struct lip_job *j) { take_segments(j); two[0].start_s = -.1; }
static void segment_nan(struct lip_job *j) { take_segments(j); two[0].end_s = NAN; }
static void segment_endless(struct lip_job *j) { take_segments(j); two[1].end_s = 1e9; }
static void segment_overlap(struct lip_job *j) { take_segments(j); two[0].end_s = 3.001; }
static void segment_mute(struct lip_job *j) { take_segments(j); two[1].voice = NULL; }
static void segment_missing(struct lip_job *j) { take_segments(j); two[0].voice = "abuse-no.wav"; }
static void segment_output(struct lip_job *j) { take_segments(j); j->report = NO_FILM; }
static void segment_piece(struct lip_job *j)
{
    take_segments(j);
    two[1].voice_from_s = 2;
    two[1].voice_to_s = 2;
}
static void segment_piece_nan(struct lip_job *j) { take_segments(j); two[0].voice_to_s = NAN; }
static void segment_sync(struct lip_job *j) { take_segments(j); two[1].sync = 5; }
static void segment_hot(struct lip_job *j) { take_segments(j); two[1].temperature = 1.5; }
static void segment_cool(struct lip_job *j) { take_segments(j); two[1].temperature = NAN; }
static void segment_cover(struct lip_job *j) { take_segments(j); two[1].occlusion = 3; }
static void segment_face(struct lip_job *j) { take_segments(j); two[1].face = LIP_FACE_BOXES; }
static void segment_number(struct lip_job *j) { take_segments(j); two[1].face = LIP_FACE_NUMBER; }
static void segment_point(struct lip_job *j)
{
    take_segments(j);
    two[1].face = LIP_FACE_POINT;
    two[1].face_x = NAN;
}
static void only_null(struct lip_job *j) { j->n_only = 1; }
static void only_many(struct lip_job *j) { take_ranges(j); j->n_only = 1001; }
static void only_backwards(struct lip_job *j) { take_ranges(j); ranges[0].to_s = .5; }
static void only_nan(struct lip_job *j) { take_ranges(j); ranges[0].from_s = NAN; }
static void only_overlap(struct lip_job *j) { take_ranges(j); ranges[1].from_s = 1.5; }

static const struct bad_job bad_jobs[] = {
    {"segments that are not there", segments_null, LIP_ERR_ARG},
    {"-1 segments", segments_below, LIP_ERR_ARG},
    {"too many segments", segments_many, LIP_ERR_ARG},
    {"segments and a voice", segments_and_voice, LIP_ERR_ARG},
    {"segments and ranges", segments_and_only, LIP_ERR_ARG},
    {"a segment that ends before it begins", segment_backwards, LIP_ERR_ARG},
    {"a segment before the film", segment_before, LIP_ERR_ARG},
    {"a segment at NaN", segment_nan, LIP_ERR_ARG},
    {"a segment of years", segment_endless, LIP_ERR_ARG},
    {"segments that overlap", segment_overlap, LIP_ERR_ARG},
    {"a segment without a voice", segment_mute, LIP_ERR_ARG},
    {"a segment with a missing voice", segment_missing, LIP_ERR_NOT_FOUND},
    {"a report over a segment's voice", segment_output, LIP_ERR_ARG},
    {"an empty piece of a voice", segment_piece, LIP_ERR_ARG},
    {"a piece up to NaN", segment_piece_nan, LIP_ERR_ARG},
    {"a segment with sync 5", segment_sync, LIP_ERR_ARG},
    {"a segment that is too hot", segment_hot, LIP_ERR_ARG},
    {"a segment's temperature that is no number", segment_cool, LIP_ERR_ARG},
    {"a segment's occlusion too high", segment_cover, LIP_ERR_ARG},
    {"a segment's face choice too high", segment_face, LIP_ERR_ARG},
    {"a segment with face 0", segment_number, LIP_ERR_ARG},
    {"a segment with a face at NaN", segment_point, LIP_ERR_ARG},
    {"ranges that are not there", only_null, LIP_ERR_ARG},
    {"too many ranges", only_many, LIP_ERR_ARG},
    {"a range that ends before it begins", only_backwards, LIP_ERR_ARG},
    {"a range from NaN", only_nan, LIP_ERR_ARG},
    {"ranges that overlap", only_overlap, LIP_ERR_ARG},

    {"no film", no_film, LIP_ERR_ARG},
    {"empty film", empty_film, LIP_ERR_NOT_FOUND},
    {"missing film", missing_film, LIP_ERR_NOT_FOUND},
    {"a folder as film", folder_film, LIP_ERR_NOT_FOUND},
    {"missing voice", missing_voice, LIP_ERR_NOT_FOUND},
    {"missing person file", missing_person, LIP_ERR_NOT_FOUND},
    {"no person file", no_person, LIP_ERR_SCORE},
    {"no output", no_output, LIP_ERR_ARG},
    {"a share without a folder", share_without_parts, LIP_ERR_ARG},
    {"a share beyond the last", share_beyond, LIP_ERR_ARG},
    {"too many shares", too_many_shares, LIP_ERR_ARG},
    {"empty output", empty_output, LIP_ERR_UNSUPPORTED},
    {"unknown ending", unknown_ending, LIP_ERR_UNSUPPORTED},
    {"no ending", no_ending, LIP_ERR_UNSUPPORTED},
    {"sync -1", sync_low, LIP_ERR_ARG},
    {"sync 5", sync_high, LIP_ERR_ARG},
    {"occlusion too high", occlusion_high, LIP_ERR_ARG},
    {"temperature below 0", cold, LIP_ERR_ARG},
    {"temperature above 1", hot, LIP_ERR_ARG},
    {"temperature not a number", temperature_nan, LIP_ERR_ARG},
    {"codec 8", codec_high, LIP_ERR_ARG},
    {"quality -1", quality_low, LIP_ERR_ARG},
    {"quality 101", quality_high, LIP_ERR_ARG},
    {"threads -1", threads_low, LIP_ERR_ARG},
    {"two crops", crops_two, LIP_ERR_ARG},
    {"tier 3", tier_high, LIP_ERR_ARG},
    {"face choice 5", choice_high, LIP_ERR_ARG},
    {"boxes without a file", no_boxes, LIP_ERR_ARG},
    {"a consent that is no text", consent_bytes, LIP_ERR_ARG},
    {"a consent without end", consent_long, LIP_ERR_ARG},
    {"a report in no folder", report_nowhere, LIP_ERR_IO},
    {"a page in no folder", page_nowhere, LIP_ERR_IO},
    {"a page over the film", report_over_film, LIP_ERR_ARG},
    {"report and page in one file", report_twice, LIP_ERR_ARG},
    {"face number 0", number_zero, LIP_ERR_ARG},
    {"face at NaN", point_nan, LIP_ERR_ARG},
    {"face before the start", point_past, LIP_ERR_ARG},
};

static struct lip_job good_job(const char *film)
{
    struct lip_job job;
    lip_job_default(&job);
    job.film = film;
    job.output = OUT;
    return job;
}

static void need_engine(void)
{
    if (!engine) {
        printf("skipped: no engine here: %s\n", open_err.text);
        skip();
    }
}

static void spoilt_jobs(void **state)
{
    (void)state;
    need_engine();
    for (size_t i = 0; i < UNIT_COUNT(bad_jobs); i++) {
        struct lip_job job = good_job(NO_FILM);
        struct lip_error err = {0};
        struct lip_result result = {.face = 77};
        bad_jobs[i].spoil(&job);
        int r = lip_dub(engine, &job, &result, &err);
        if (r != bad_jobs[i].code)
            print_error("%s: %s, '%s'\n", bad_jobs[i].what, lip_status_name(r), err.text);
        assert_int_equal(r, bad_jobs[i].code);
        assert_true(err.code == r && err.text[0] && result.face == 77);
        assert_int_not_equal(access(OUT, F_OK), 0);
    }
}

static void no_film_at_all(void **state)
{
    (void)state;
    need_engine();
    struct lip_job job = good_job(NO_FILM);
    struct lip_error err = {0};
    assert_int_equal(lip_dub(engine, &job, NULL, &err), LIP_ERR_FORMAT);
    assert_true(err.code == LIP_ERR_FORMAT && err.text[0] && !strchr(err.text, '\n'));
    assert_int_equal(lip_dub(engine, &job, NULL, NULL), LIP_ERR_FORMAT);
    assert_int_not_equal(access(OUT, F_OK), 0);
}

static void missing_pointers(void **state)
{
    (void)state;
    struct lip_job job = good_job(NO_FILM);
    struct lip_face faces[LIP_FACES_MAX];
    struct lip_turn turns[1];
    size_t n = 99;
    assert_int_equal(lip_dub(NULL, &job, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_analyze(NULL, &job, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces(NULL, &job, NULL, faces, &n, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_sheet(NULL, "a", "b", NULL, 6, "c.png", NULL), LIP_ERR_ARG);
    need_engine();
    assert_int_equal(lip_dub(engine, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_analyze(engine, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_analyze(engine, &job, NULL), LIP_ERR_ARG); /* no score named */
    assert_int_equal(lip_faces(engine, NULL, NULL, faces, &n, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces(engine, &job, NULL, NULL, &n, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces(engine, &job, NULL, faces, NULL, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces(engine, &job, NULL, faces, &n, turns, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_show(NULL, &job, "c.svg", NULL), LIP_ERR_ARG);
    assert_int_equal(lip_show(engine, NULL, "c.svg", NULL), LIP_ERR_ARG);
    assert_int_equal(lip_show(engine, &job, "c.svg", NULL), LIP_ERR_ARG); /* no score */
    job.score = "abuse-no-such.score";
    assert_int_equal(lip_show(engine, &job, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_show(engine, &job, "c.svg", NULL), LIP_ERR_NOT_FOUND);
    job.score = NULL;
    struct lip_moment moment = {.frame = 7};
    struct lip_spot spots[LIP_FACES_MAX];
    size_t n_at = 99;
    assert_int_equal(lip_faces_at(NULL, "a", 0, &moment, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, NULL, 0, &moment, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "", 0, &moment, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", -1, &moment, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", (double)NAN, &moment, spots, &n_at, NULL),
                     LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", 1e6, &moment, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", 0, NULL, spots, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", 0, &moment, NULL, &n_at, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, "a", 0, &moment, spots, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_faces_at(engine, NO_FILM, 0, &moment, spots, &n_at, NULL), LIP_ERR_FORMAT);
    assert_true(moment.frame == 7 && n_at == 99);
    assert_int_equal(lip_faces_at(engine, "synthetic:64x48@25:10", .2, &moment, spots, &n_at, NULL),
                     LIP_OK);
    assert_true(moment.frame == 5 && moment.width_px == 64 && n_at <= LIP_FACES_MAX);
    assert_int_equal(lip_faces_at(engine, "synthetic:64x48@25:10", 9, &moment, spots, &n_at, NULL),
                     LIP_OK); /* over: the last frame */
    assert_true(moment.frame == 9 && fabs(moment.t_s - .36) < 1e-6);
    assert_int_equal(lip_sheet(engine, NULL, "b", NULL, 6, "c.png", NULL), LIP_ERR_ARG);
    assert_int_equal(lip_sheet(engine, "a", NULL, NULL, 6, "c.png", NULL), LIP_ERR_ARG);
    assert_int_equal(lip_sheet(engine, "a", "b", NULL, 6, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_sheet(engine, "a", "b", NULL, 1, "c.png", NULL), LIP_ERR_ARG);
    assert_int_equal(lip_sheet(engine, "a", "b", NULL, 13, "c.png", NULL), LIP_ERR_ARG);
    assert_int_equal(n, 99);
}

static void persons(void **state)
{
    (void)state;
    const char *const films[] = {NO_FILM, NULL};
    struct lip_job job = good_job(NULL);
    struct lip_person person = {.n_films = 77};
    struct lip_error err = {0};
    job.output = "abuse-out.person";
    assert_int_equal(lip_person_show(NULL, NULL, &person, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_person_show("a", NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_person_show("abuse-none", NULL, &person, &err), LIP_ERR_NOT_FOUND);
    assert_int_equal(lip_person_show(NO_FILM, NULL, &person, NULL), LIP_ERR_SCORE);
    assert_int_equal(lip_person_learn(NULL, &job, films, 1, &person, NULL), LIP_ERR_ARG);
    need_engine();
    assert_int_equal(lip_person_learn(engine, NULL, films, 1, &person, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_person_learn(engine, &job, NULL, 1, &person, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_person_learn(engine, &job, films, 0, &person, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_person_learn(engine, &job, films, LIP_PERSON_FILMS_MAX + 1, &person, NULL),
                     LIP_ERR_ARG);
    assert_int_equal(lip_person_learn(engine, &job, films, 2, &person, NULL), LIP_ERR_ARG);
    memset(&err, 0, sizeof err);
    assert_int_equal(lip_person_learn(engine, &job, films, 1, &person, &err), LIP_ERR_FORMAT);
    job.output = NO_FILM;
    assert_int_equal(lip_person_learn(engine, &job, films, 1, &person, NULL), LIP_ERR_ARG);
    job.output = NULL;
    assert_int_equal(lip_person_learn(engine, &job, films, 1, &person, NULL), LIP_ERR_ARG);
    assert_int_equal(access("abuse-out.person", F_OK), -1);
    assert_int_equal(person.n_films, 77);
}

static void live(void **state)
{
    (void)state;
    struct lip_live_params p;
    struct lip_mouth mouth = {.t_s = 77};
    struct lip_error err = {0};
    lip_live *stream = NULL;
    const float samples[] = {0.5f, NAN, INFINITY, -1e30f};
    memset(&p, 0xff, sizeof p);
    lip_live_params_default(&p);
    lip_live_params_default(NULL);
    assert_true(!p.score && !p.person && !p.face && p.temperature == 0.5);
    for (size_t i = 0; i < UNIT_COUNT(p.reserved); i++)
        assert_null(p.reserved[i]);
    assert_int_equal(lip_live_open(NULL, &p, &stream, &err), LIP_ERR_ARG);
    assert_true(err.code == LIP_ERR_ARG && err.text[0]);
    assert_int_equal(lip_live_push(NULL, samples, 1, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_live_flush(NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_live_pull(NULL, &mouth), LIP_ERR_ARG);
    lip_live_close(NULL);
    lip_live_close(&stream);
    need_engine();
    assert_int_equal(lip_live_open(engine, &p, NULL, NULL), LIP_ERR_ARG);
    const struct {
        struct lip_live_params params;
        int code;
    } bad[] = {
        {{.temperature = -0.01}, LIP_ERR_ARG},
        {{.temperature = NAN}, LIP_ERR_ARG},
        {{.face = 1}, LIP_ERR_ARG},
        {{.score = "a", .person = "b"}, LIP_ERR_ARG},
        {{.score = "a", .face = -1}, LIP_ERR_ARG},
        {{.score = "a", .face = LIP_FACES_MAX + 1}, LIP_ERR_ARG},
        {{.score = "abuse-none.score"}, LIP_ERR_NOT_FOUND},
        {{.score = NO_FILM}, LIP_ERR_SCORE},
        {{.person = "abuse-none.person"}, LIP_ERR_NOT_FOUND},
        {{.person = NO_FILM}, LIP_ERR_SCORE},
    };
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(lip_live_open(engine, &bad[i].params, &stream, &err), bad[i].code);
        assert_true(err.code == bad[i].code && err.text[0] && !stream);
    }
    assert_int_equal(lip_live_open(engine, NULL, &stream, NULL), LIP_OK);
    assert_int_equal(lip_live_push(stream, NULL, 1, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_live_push(stream, NULL, 0, NULL), LIP_OK);
    assert_int_equal(lip_live_pull(stream, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_live_pull(stream, &mouth), 0);
    assert_true(mouth.t_s == 77);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(lip_live_push(stream, samples, UNIT_COUNT(samples), NULL), LIP_OK);
    assert_int_equal(lip_live_flush(stream, NULL), LIP_OK);
    int n = 0;
    for (; lip_live_pull(stream, &mouth) == 1; n++)
        assert_true(mouth.opening >= 0 && mouth.opening < 1 && mouth.width > 0);
    assert_true(n > 10);
    memset(&err, 0, sizeof err);
    assert_int_equal(lip_live_push(stream, samples, 1, &err), LIP_ERR_STATE);
    assert_true(err.code == LIP_ERR_STATE && err.text[0]);
    lip_live_close(&stream);
    assert_null(stream);
    assert_int_equal(lip_live_open(engine, NULL, &stream, NULL), LIP_OK); /* over before it began */
    assert_int_equal(lip_live_flush(stream, NULL), LIP_OK);
    assert_int_equal(lip_live_pull(stream, &mouth), 0);
    lip_live_close(&stream);
}

static int refuse(void *user, const void *bytes, size_t n)
{
    (void)user;
    return bytes && n > 0;
}

static void names_of_visemes(void)
{
    const int bad[] = {-1, LIP_VISEMES_FORMATS, LIP_OCULUS_VISEMES, LIP_ARKIT_SHAPES, 2147483647};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) { /* never NULL */
        assert_non_null(lip_viseme_format_name(bad[i]));
        assert_non_null(lip_oculus_viseme_name(bad[i]));
        assert_non_null(lip_arkit_shape_name(bad[i]));
    }
    assert_string_equal(lip_viseme_format_name(LIP_VISEMES_GLB), "glb");
    assert_string_equal(lip_oculus_viseme_name(LIP_OCULUS_VISEMES - 1), "U");
    assert_string_equal(lip_arkit_shape_name(LIP_ARKIT_SHAPES - 1), "tongueOut");
}

/* 0.4 s of a tone, as a WAV file. */
static void write_tone(const char *path)
{
    const uint32_t rate_hz = 16000, n = 6400, bytes = 2 * n;
    uint8_t head[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0........\2\0\x10\0data....";
    const uint32_t at[] = {4, 36 + bytes, 24, rate_hz, 28, 2 * rate_hz, 40, bytes};
    for (size_t i = 0; i < UNIT_COUNT(at); i += 2)
        for (int k = 0; k < 4; k++)
            head[at[i] + (uint32_t)k] = (uint8_t)(at[i + 1] >> (8 * k));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(head, 1, sizeof head, f), sizeof head);
    for (uint32_t i = 0; i < n; i++) {
        int v = (int)(8000 * sin(i * 0.1));
        assert_true(fputc(v & 255, f) >= 0 && fputc(v >> 8 & 255, f) >= 0);
    }
    assert_int_equal(fclose(f), 0);
}

static void spoilt_visemes(const lip_visemes *heard)
{
    struct lip_viseme_frame frame = {.opening = 77};
    struct lip_error err = {0};
    const double bad_rates[] = {-1, 0.5, 1001, NAN, INFINITY};
    assert_int_equal(lip_visemes_at(heard, NAN, &frame), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_at(heard, 0, NULL), LIP_ERR_ARG);
    assert_true(frame.opening == 77);
    for (size_t i = 0; i < UNIT_COUNT(bad_rates); i++)
        assert_int_equal(lip_visemes_write(heard, 0, bad_rates[i], NULL, OUT, 0, NULL),
                         LIP_ERR_ARG);
    assert_int_equal(lip_visemes_write(heard, -1, 0, NULL, OUT, 0, &err), LIP_ERR_ARG);
    assert_true(err.text[0]);
    assert_int_equal(lip_visemes_write(heard, LIP_VISEMES_FORMATS, 0, NULL, OUT, 0, NULL),
                     LIP_ERR_ARG);
    assert_int_equal(lip_visemes_write(heard, 0, 0, NULL, NULL, 0, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_write(heard, 0, 0, NULL, "", 0, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_write(heard, 0, 0, NULL, "no-such/dir/f", 0, NULL), LIP_ERR_IO);
    assert_int_equal(lip_visemes_write(heard, 0, 0, NULL, NO_FILM, 0, NULL), LIP_ERR_EXISTS);
    assert_int_equal(lip_visemes_put(heard, 0, 0, NULL, NULL, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_put(heard, 0, 0, NULL, refuse, NULL, NULL), LIP_ERR_IO);
    assert_true(access(OUT, F_OK));
    assert_int_equal(lip_visemes_at(heard, 1e300, &frame), LIP_OK);
    assert_int_equal(lip_visemes_at(heard, -5, &frame), LIP_OK);
    assert_true(frame.opening >= 0 && frame.opening <= 1);
    for (int format = 0; format < LIP_VISEMES_FORMATS; format++) {
        assert_int_equal(lip_visemes_write(heard, format, 0, NULL, OUT, 0, NULL), LIP_OK);
        assert_int_equal(remove(OUT), 0);
    }
}

static void visemes(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct lip_job job;
    lip_visemes *heard = NULL;
    names_of_visemes();
    lip_job_default(&job);
    job.voice = "abuse-none.wav";
    assert_int_equal(lip_visemes_hear(NULL, &job, &heard, &err), LIP_ERR_ARG);
    assert_true(err.code == LIP_ERR_ARG && err.text[0]);
    assert_true(lip_visemes_length_s(NULL) == 0);
    assert_int_equal(lip_visemes_write(NULL, 0, 0, NULL, OUT, 0, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_put(NULL, 0, 0, NULL, refuse, NULL, NULL), LIP_ERR_ARG);
    lip_visemes_close(NULL);
    lip_visemes_close(&heard);
    need_engine();
    assert_int_equal(lip_visemes_hear(engine, NULL, &heard, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_hear(engine, &job, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_visemes_hear(engine, &job, &heard, NULL), LIP_ERR_NOT_FOUND);
    job.temperature = NAN;
    assert_int_equal(lip_visemes_hear(engine, &job, &heard, NULL), LIP_ERR_ARG);
    job.temperature = 0.5;
    job.voice = NO_FILM;
    memset(&err, 0, sizeof err);
    assert_int_equal(lip_visemes_hear(engine, &job, &heard, &err), LIP_ERR_FORMAT);
    assert_true(err.text[0] && !heard);
    write_tone("abuse-tone.wav");
    job.voice = "abuse-tone.wav";
    const int stop = 1;
    job.cancel = &stop;
    assert_int_equal(lip_visemes_hear(engine, &job, &heard, NULL), LIP_ERR_CANCELLED);
    job.cancel = NULL;
    assert_int_equal(lip_visemes_hear(engine, &job, &heard, NULL), LIP_OK);
    assert_true(fabs(lip_visemes_length_s(heard) - 0.4) < 1e-3);
    spoilt_visemes(heard);
    lip_visemes_close(&heard);
    assert_null(heard);
    remove("abuse-tone.wav");
}

static void probe(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct lip_media media = {.width_px = 7};
    assert_int_equal(lip_probe(NULL, &media, &err), LIP_ERR_ARG);
    assert_true(err.text[0]);
    assert_int_equal(lip_probe("", &media, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_probe(NO_FILM, NULL, NULL), LIP_ERR_ARG);
    assert_int_equal(lip_probe("abuse-not-there.mp4", &media, NULL), LIP_ERR_NOT_FOUND);
    memset(&err, 0, sizeof err);
    assert_int_equal(lip_probe(NO_FILM, &media, &err), LIP_ERR_FORMAT);
    assert_true(err.text[0] && media.width_px == 7);
    write_tone("abuse-tone.wav");
    assert_int_equal(lip_probe("abuse-tone.wav", &media, NULL), LIP_OK);
    assert_true(media.has_sound && !media.has_picture && fabs(media.duration_s - 0.4) < 1e-3);
    remove("abuse-tone.wav");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),       cmocka_unit_test(defaults),
        cmocka_unit_test(doctor),      cmocka_unit_test(open_and_close),
        cmocka_unit_test(spoilt_jobs), cmocka_unit_test(no_film_at_all),
        cmocka_unit_test(missing_pointers), cmocka_unit_test(persons),
        cmocka_unit_test(live),        cmocka_unit_test(visemes),
        cmocka_unit_test(probe),
    };
    FILE *f = fopen(NO_FILM, "wb");
    if (!f || fputs("Call me Ishmael, but I am no film.", f) < 0 || fclose(f))
        return 1;
    lip_open(NULL, &engine, &open_err);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    remove(NO_FILM);
    lip_close(&engine);
    return r || engine;
}
