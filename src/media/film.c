/* SPDX-License-Identifier: MIT */
#include "media/film.h"

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "media/pixels.h"

/* The linear part of a display matrix as a signed permutation: x' = a x + c y, y' = b x + d y. */
static bool upright_turn(const int32_t matrix[9], int ret_abcd[4])
{
    static const int at[4] = {0, 1, 3, 4};
    double v[4], size = 0;
    for (int i = 0; i < 4; i++) {
        v[i] = matrix[at[i]] / 65536.0;
        size = fmax(size, fabs(v[i]));
    }
    if (size <= 0)
        return false;
    for (int i = 0; i < 4; i++) {
        double unit = v[i] / size;
        ret_abcd[i] = unit > 0.5 ? 1 : unit < -0.5 ? -1 : 0;
        if (fabs(unit - ret_abcd[i]) > 0.02) /* about one degree */
            return false;
    }
    int det = ret_abcd[0] * ret_abcd[3] - ret_abcd[1] * ret_abcd[2];
    return det == 1 || det == -1;
}

static struct data_affine invert(const struct data_affine *t)
{
    const double *m = t->m;
    double det = m[0] * m[4] - m[1] * m[3];
    struct data_affine i = {{m[4] / det, -m[1] / det, 0, -m[3] / det, m[0] / det, 0}};
    i.m[2] = -(i.m[0] * m[2] + i.m[1] * m[5]);
    i.m[5] = -(i.m[3] * m[2] + i.m[4] * m[5]);
    return i;
}

bool media_film_geometry(struct data_film *film, const int32_t matrix[9])
{
    int t[4] = {1, 0, 0, 1};
    bool known = true;
    if (matrix && !upright_turn(matrix, t)) {
        known = false;
        t[0] = t[3] = 1;
        t[1] = t[2] = 0;
    }
    double aspect = (double)film->sample_aspect.num / (double)film->sample_aspect.den;
    int wide = (int)lround(film->width_px * aspect); /* square pixels: only the width changes */
    wide = wide < 1 ? 1 : wide;
    double sx = (double)wide / film->width_px;
    int w = wide, h = film->height_px;
    film->disp_width_px = t[0] ? w : h;
    film->disp_height_px = t[0] ? h : w;
    /* What a negative factor turns to the left of 0 comes back by the size of that axis. */
    double x0 = t[0] < 0 ? w : t[2] < 0 ? h : 0, y0 = t[1] < 0 ? w : t[3] < 0 ? h : 0;
    film->disp_from_img =
        (struct data_affine){{t[0] * sx, t[2], x0, t[1] * sx, t[3], y0}};
    film->img_from_disp = invert(&film->disp_from_img);
    /* Clockwise on a screen with y down: x goes to y for 90. Mirrors count by their x axis. */
    film->rotation_deg = t[0] > 0 ? 0 : t[1] > 0 ? 90 : t[0] < 0 ? 180 : 270;
    return known;
}

static struct data_rational aspect_of(const AVStream *st, const AVFrame *first)
{
    AVRational a = st->sample_aspect_ratio;
    if (a.num <= 0 || a.den <= 0)
        a = first->sample_aspect_ratio;
    double v = a.num > 0 && a.den > 0 ? av_q2d(a) : 0;
    if (v < 0.1 || v > 10) /* unknown or nonsense */
        a = (AVRational){1, 1};
    return (struct data_rational){a.num, a.den};
}

static struct data_rational rate_of(const AVStream *st)
{
    AVRational r = st->avg_frame_rate;
    if (r.num <= 0 || r.den <= 0 || av_q2d(r) > 1000)
        r = st->r_frame_rate;
    if (r.num <= 0 || r.den <= 0 || av_q2d(r) > 1000)
        return (struct data_rational){0, 1};
    return (struct data_rational){r.num, r.den};
}

static void fill_times(const struct media_input *in, const AVStream *st, struct data_film *f)
{
    f->time_base = (struct data_rational){st->time_base.num, st->time_base.den};
    f->frame_rate = rate_of(st);
    if (f->is_image) {
        f->time_base = (struct data_rational){1, 25};
        f->frame_rate = (struct data_rational){25, 1};
        f->duration_us = 40000;
        f->n_frames_guess = 1;
        return;
    }
    if (st->duration > 0 && st->duration != AV_NOPTS_VALUE)
        f->duration_us = av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);
    else if (in->fmt->duration > 0)
        f->duration_us = in->fmt->duration;
    f->n_frames_guess = st->nb_frames > 0 ? st->nb_frames : 0;
    if (!f->n_frames_guess && f->frame_rate.num)
        f->n_frames_guess = av_rescale(f->duration_us, f->frame_rate.num,
                                       f->frame_rate.den * (int64_t)AV_TIME_BASE);
}

const int32_t *media_film_matrix(const AVStream *st, const AVFrame *first)
{
    size_t n = 0;
    const uint8_t *m = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &n);
    if (m && n >= 9 * sizeof(int32_t))
        return (const int32_t *)(const void *)m;
    const AVFrameSideData *sd = av_frame_get_side_data(first, AV_FRAME_DATA_DISPLAYMATRIX);
    if (sd && sd->size >= 9 * sizeof(int32_t)) /* the orientation tag of a JPEG */
        return (const int32_t *)(const void *)sd->data;
    return NULL;
}

void media_film_fill(const struct media_input *input, int stream, const AVFrame *first,
                     struct data_film *ret_film)
{
    const AVStream *st = input->fmt->streams[stream];
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(first->format);
    struct data_film f = {.width_px = first->width, .height_px = first->height};
    f.is_image = media_input_is_image(input);
    f.has_audio = media_input_stream(input, AVMEDIA_TYPE_AUDIO) >= 0;
    f.interlaced = first->interlaced_frame || (st->codecpar->field_order > AV_FIELD_PROGRESSIVE);
    f.sample_aspect = aspect_of(st, first);
    media_film_geometry(&f, media_film_matrix(st, first));
    fill_times(input, st, &f);
    snprintf(f.codec, sizeof f.codec, "%s", avcodec_get_name(st->codecpar->codec_id));
    snprintf(f.container, sizeof f.container, "%s", input->fmt->iformat->name);
    snprintf(f.pixel_format, sizeof f.pixel_format, "%s", d ? d->name : "?");
    *ret_film = f;
}
