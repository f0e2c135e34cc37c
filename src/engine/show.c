/* SPDX-License-Identifier: MIT
 * What a score has seen of a mouth and what a voice makes of it, over time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/chart.h"
#include "engine/learn.h"
#include "engine/listen.h"

#define WHERE "engine/show"
#define MARGIN_PX 60
#define TOP_PX 28
#define GAP_PX 14
#define PX_PER_S 120
#define WIDTH_MIN_PX 800
#define WIDTH_MAX_PX 15000
#define SAID_COLOUR "#4fa3ff"
#define SEEN_COLOUR "#ff9d3b"
#define WAVE_COLOUR "#3a3f46"
#define PANEL_COLOUR "#202226"
#define TEXT_COLOUR "#d8d8d8"
#define BLOCK 4096

enum panel { OPENING, WIDTH, CLOSURE, SPEECH, N_PANELS };
static const struct {
    const char *name;
    int height_px;
} panels[N_PANELS] = {{"opening", 220}, {"width", 120}, {"closure", 70}, {"speech", 40}};

/* One frame of the film as it was seen. */
struct seen {
    double t_s;
    float opening, width;
    bool valid;
};

struct show {
    lip_engine *engine;
    const struct lip_job *job;
    struct data_score *score;
    struct cast cast;
    struct data_curve curve;
    struct seen *seen;
    size_t n_seen;
    float *peaks; /* of the sound, one a column */
    double length_s, px_per_s;
    int width_px;
    float low[2], high[2]; /* of opening and width: the panels' ranges */
    struct chart chart;
};

/* What there is to show ------------------------------------------------------------------------ */

static int get_blob(struct show *s, const char *what, uint8_t **ret_bytes, size_t *ret_n)
{
    char name[32];
    struct lip_error quiet = {0};
    snprintf(name, sizeof name, "%s %d", what, s->cast.faces[s->cast.chosen].number);
    return data_score_get_blob(s->score, name, ret_bytes, ret_n, &quiet);
}

/* The person must be in the score; without a style that fits these nets it is the generic one. */
static int recall(struct show *s, struct lip_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    struct base_reader reader;
    if (get_blob(s, "person", &bytes, &n))
        return base_error_set(err, LIP_ERR_SCORE, WHERE,
                              "nobody is known in this score yet: 'lipsync analyze' learns them");
    int r = data_person_read(bytes, n, &s->cast.person, err);
    base_free(bytes);
    bytes = NULL;
    if (r || get_blob(s, "models", &bytes, &n))
        return r;
    base_reader_init(&reader, bytes, n);
    bool same = base_reader_u64(&reader) == s->engine->models_hash;
    base_free(bytes);
    bytes = NULL;
    if (!same || get_blob(s, "style", &bytes, &n))
        return LIP_OK;
    struct lip_error quiet = {0};
    r = motion_style_read(bytes, n, &s->cast.style, &quiet);
    base_free(bytes);
    return r == LIP_ERR_NOMEM ? base_error_nomem(err, WHERE) : LIP_OK;
}

static int look(struct show *s, struct lip_error *err)
{
    const struct data_film *film = data_score_film(s->score);
    int64_t n = data_score_n_frames(s->score);
    struct data_face_geom *geom = base_alloc(sizeof *geom);
    s->seen = base_alloc_array((size_t)n + 1, sizeof *s->seen);
    int r = geom && s->seen ? LIP_OK : base_error_nomem(err, WHERE);
    s->cast.geometry.person = &s->cast.person;
    for (int64_t f = 0; f < n && !r; f++) {
        r = geometry_at(&s->cast.geometry, f, geom, err);
        if (r)
            break;
        int64_t ticks = data_score_frame(s->score, f)->pts - data_score_frame(s->score, 0)->pts;
        s->seen[s->n_seen++] = (struct seen){
            .t_s = (double)ticks * (double)film->time_base.num / (double)film->time_base.den,
            .opening = geom->valid ? geom->opening : 0,
            .width = geom->valid ? geom->width : 0, .valid = geom->valid};
    }
    base_free(geom);
    return r;
}

static int add_peaks(struct show *s, struct lip_error *err)
{
    struct media_audio *audio = NULL;
    float block[BLOCK];
    size_t got = 1;
    int64_t at = 0;
    int r = media_audio_open(s->job->voice, DATA_SOUND_RATE_HZ, &audio, err);
    while (!r && got) {
        r = media_audio_read(audio, block, BLOCK, &got, err);
        for (size_t i = 0; !r && i < got; i++, at++) {
            int x = (int)((double)at / DATA_SOUND_RATE_HZ * s->px_per_s);
            if (x < s->width_px)
                s->peaks[x] = fmaxf(s->peaks[x], fabsf(block[i]));
        }
    }
    media_audio_close(&audio);
    return r;
}

static int listen(struct show *s, struct lip_error *err)
{
    struct progress progress;
    progress_init(&progress, s->job);
    struct listen_params params = {.voice = s->job->voice, .max_us = -1, .style = &s->cast.style,
                                   .person = &s->cast.person,
                                   .temperature = s->job->temperature};
    return listen_curve(s->engine, &params, &progress, &s->curve, err);
}

/* Said and seen -------------------------------------------------------------------------------- */

static void said_at(const struct show *s, double t_s, struct data_curve_sample *ret_sample,
                    float *ret_opening, float *ret_width)
{
    float points[DATA_FACE_POINTS][3];
    data_curve_at(&s->curve, t_s, ret_sample);
    data_basis_shape(motion_model_basis(s->engine->motion),
                     (const float(*)[3])s->cast.person.rest, ret_sample->coef, points);
    *ret_opening = data_mouth_opening((const float(*)[3])points);
    *ret_width = data_mouth_width((const float(*)[3])points);
}

static void set_range(struct show *s)
{
    const struct data_person *p = &s->cast.person;
    const float margin = 0.3f * (p->width_pct[4] - p->width_pct[0]) + 0.01f;
    s->low[0] = 0;
    s->high[0] = fmaxf(1.3f * p->opening_pct[4], 0.05f);
    s->low[1] = p->width_pct[0] - margin;
    s->high[1] = p->width_pct[4] + margin;
}

/* Of the opening over the frames of speech; NAN when too little is known. */
static double agreement(const struct show *s)
{
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < s->n_seen; i++) {
        struct data_curve_sample sample;
        float opening, width;
        said_at(s, s->seen[i].t_s, &sample, &opening, &width);
        if (!s->seen[i].valid || sample.speech < 0.5f)
            continue;
        double a = (double)opening, b = (double)s->seen[i].opening;
        n++;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    double spread = (n * xx - x * x) * (n * yy - y * y);
    return n > 20 && spread > 0 ? (n * xy - x * y) / sqrt(spread) : NAN;
}

/* Drawing -------------------------------------------------------------------------------------- */

static double top_of(int panel)
{
    double y = TOP_PX;
    for (int i = 0; i < panel; i++)
        y += panels[i].height_px + GAP_PX;
    return y;
}

static void plot(struct show *s, int panel, double t_s, float value, const char *colour)
{
    float low = panel <= WIDTH ? s->low[panel] : 0, high = panel <= WIDTH ? s->high[panel] : 1;
    double part = (double)((value - low) / (high - low));
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    chart_line_to(&s->chart, MARGIN_PX + t_s * s->px_per_s,
                  top_of(panel) + (1 - part) * (panels[panel].height_px - 2), colour);
}

static void draw_ground(struct show *s)
{
    double loudest = 1e-4, steps[] = {0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800};
    size_t k = 0;
    for (int i = 0; i < N_PANELS; i++) {
        chart_bar(&s->chart, MARGIN_PX, top_of(i), s->width_px, panels[i].height_px, PANEL_COLOUR);
        chart_text(&s->chart, 6, top_of(i) + 4, TEXT_COLOUR, panels[i].name);
    }
    for (int x = 0; x < s->width_px; x++)
        loudest = fmax(loudest, (double)s->peaks[x]);
    for (int x = 0; x < s->width_px; x++) {
        double h = (double)s->peaks[x] / loudest * panels[OPENING].height_px;
        if (h >= 1)
            chart_bar(&s->chart, MARGIN_PX + x,
                      top_of(OPENING) + (panels[OPENING].height_px - h) / 2, 1, h, WAVE_COLOUR);
    }
    while (k + 1 < sizeof steps / sizeof *steps && steps[k] * s->px_per_s < 60)
        k++;
    for (double t_s = 0; t_s <= s->length_s; t_s += steps[k]) {
        char text[24];
        snprintf(text, sizeof text, steps[k] < 1 ? "%.1f s" : "%.0f s", t_s);
        chart_bar(&s->chart, MARGIN_PX + t_s * s->px_per_s, TOP_PX, 1,
                  top_of(N_PANELS) - TOP_PX - GAP_PX, WAVE_COLOUR);
        chart_text(&s->chart, MARGIN_PX + t_s * s->px_per_s, top_of(N_PANELS) - 8, TEXT_COLOUR,
                   text);
    }
}

static void draw_legend(struct show *s, bool said, bool seen)
{
    char text[48] = "predicted from the sound";
    double r = said && seen ? agreement(s) : NAN;
    if (said && !isnan(r))
        snprintf(text, sizeof text, "predicted from the sound: r %.2f", r);
    if (said) {
        chart_bar(&s->chart, MARGIN_PX, 12, 20, 4, SAID_COLOUR);
        chart_text(&s->chart, MARGIN_PX + 26, 10, TEXT_COLOUR, text);
    }
    if (seen) {
        chart_bar(&s->chart, MARGIN_PX + 300, 12, 20, 4, SEEN_COLOUR);
        chart_text(&s->chart, MARGIN_PX + 326, 10, TEXT_COLOUR, "seen in the film");
    }
}

static void draw_seen(struct show *s)
{
    for (int panel = OPENING; panel <= WIDTH; panel++) {
        for (size_t i = 0; i < s->n_seen; i++) {
            const struct seen *e = &s->seen[i];
            if (e->valid)
                plot(s, panel, e->t_s, panel == OPENING ? e->opening : e->width, SEEN_COLOUR);
            else
                chart_lift(&s->chart);
        }
        chart_lift(&s->chart);
    }
}

static void draw_said(struct show *s)
{
    double step_s = fmax(1.0 / MOTION_RATE_HZ, 1.0 / s->px_per_s);
    for (int panel = 0; panel < N_PANELS; panel++) {
        for (int64_t i = 0; (double)i * step_s < (double)s->curve.n / s->curve.rate_hz; i++) {
            struct data_curve_sample sample;
            float value[N_PANELS];
            said_at(s, (double)i * step_s, &sample, &value[OPENING], &value[WIDTH]);
            value[CLOSURE] = sample.closure;
            value[SPEECH] = sample.speech;
            plot(s, panel, (double)i * step_s, value[panel], SAID_COLOUR);
        }
        chart_lift(&s->chart);
    }
}

static int draw(struct show *s, const char *path, bool seen, struct lip_error *err)
{
    int height_px = (int)top_of(N_PANELS) + 10;
    int r = chart_init(&s->chart, path, s->width_px + MARGIN_PX + 20, height_px, err);
    if (r)
        return r;
    draw_ground(s);
    if (seen)
        draw_seen(s);
    if (s->curve.n)
        draw_said(s);
    draw_legend(s, s->curve.n > 0, seen);
    r = chart_write(&s->chart, path, err);
    chart_done(&s->chart);
    return r;
}

/* ---------------------------------------------------------------------------------------------- */

static int show(struct show *s, const char *path, struct lip_error *err)
{
    int r = data_score_open(s->job->score, false, &s->score, err);
    if (!r && !data_score_finished(s->score))
        r = base_error_set(err, LIP_ERR_SCORE, WHERE, "the analysis in this score is not finished");
    if (!r)
        r = cast_choose(&s->cast, s->score, s->job, NULL, err);
    if (!r && !s->cast.n_faces)
        r = base_error_set(err, LIP_ERR_NO_FACE, WHERE, "there is no face in this score");
    if (!r)
        r = recall(s, err);
    if (!r)
        r = look(s, err);
    if (!r && s->job->voice)
        r = listen(s, err);
    if (r)
        return r;
    uint64_t identity = 0; /* another voice has nothing to do with what was seen */
    bool own = !s->job->voice || (!base_fs_identity(s->job->voice, &identity, err) &&
                                  identity == data_score_film(s->score)->identity);
    s->length_s = s->curve.n ? (double)s->curve.n / s->curve.rate_hz : 0;
    if (own && s->n_seen)
        s->length_s = fmax(s->length_s, s->seen[s->n_seen - 1].t_s);
    double width = fmin(fmax(s->length_s * PX_PER_S, WIDTH_MIN_PX), WIDTH_MAX_PX);
    s->width_px = (int)width;
    s->px_per_s = width / fmax(s->length_s, 0.1);
    s->peaks = base_alloc_array((size_t)s->width_px + 1, sizeof *s->peaks);
    if (!s->peaks)
        return base_error_nomem(err, WHERE);
    set_range(s);
    r = s->job->voice ? add_peaks(s, err) : LIP_OK;
    return r ? r : draw(s, path, own, err);
}

int lip_show(lip_engine *engine, const struct lip_job *job, const char *picture,
             struct lip_error *err)
{
    if (!engine || !job || !job->score || !picture)
        return base_error_arg(err, WHERE, "a curve needs a score and a picture to draw it on");
    if (!(job->temperature >= 0 && job->temperature <= 1))
        return base_error_arg(err, WHERE, "the temperature is a number from 0 to 1");
    struct show *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, WHERE);
    s->engine = engine;
    s->job = job;
    cast_init(&s->cast);
    data_curve_init(&s->curve, MOTION_RATE_HZ);
    int r = show(s, picture, err);
    data_curve_done(&s->curve);
    cast_done(&s->cast);
    data_score_close(&s->score);
    base_free(s->seen);
    base_free(s->peaks);
    base_free(s);
    return r;
}
