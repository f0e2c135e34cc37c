/* SPDX-License-Identifier: MIT
 *
 * Tracks are read forwards: pieces of the film follow one another, and so mostly do those of a
 * recording. Only a piece that lies before what was read last opens its file again. */
#include "media/splice.h"

#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "base/alloc.h"

#define WHERE "media/splice"
#define BLOCK 1024 /* samples */
#define SOURCES 2  /* neighbours overlap: the film's sound and a voice are open at once */
#define MATRIX_MAX 64 /* channels */

/* One file in the form that is wanted. */
struct source {
    const char *path; /* borrowed from a piece; NULL: nothing is open */
    struct media_track *track;
    SwrContext *swr;
    AVAudioFifo *fifo;
    int64_t at; /* number of the sample that the fifo gives next */
    bool ended;
};

struct media_splice {
    const struct media_sound *sounds;
    size_t n, first; /* pieces before `first` are over */
    int rate_hz;
    AVChannelLayout layout;
    struct source source[SOURCES];
    AVFrame *frame, *piece;
    int64_t n_out;
};

static void close_source(struct source *s)
{
    media_track_close(&s->track);
    swr_free(&s->swr);
    if (s->fifo)
        av_audio_fifo_free(s->fifo);
    *s = (struct source){0};
}

/* One voice for all channels: at its own level in the front ones, silent elsewhere. */
static int spread_mono(SwrContext *swr, const AVChannelLayout *to)
{
    double matrix[MATRIX_MAX] = {0};
    int n = to->nb_channels < MATRIX_MAX ? to->nb_channels : MATRIX_MAX;
    for (int c = 0; c < n; c++) {
        enum AVChannel channel = av_channel_layout_channel_from_index(to, (unsigned)c);
        bool centre = av_channel_layout_index_from_channel(to, AV_CHAN_FRONT_CENTER) >= 0;
        matrix[c] = centre ? channel == AV_CHAN_FRONT_CENTER
                           : channel == AV_CHAN_FRONT_LEFT || channel == AV_CHAN_FRONT_RIGHT;
    }
    return swr_set_matrix(swr, matrix, 1);
}

static int open_source(struct media_splice *p, struct source *s, const char *path,
                       struct lip_error *err)
{
    close_source(s);
    int r = media_track_open(path, &s->track, err);
    if (r)
        return r;
    const struct media_track_info *info = media_track_info(s->track);
    AVChannelLayout from = info->layout; /* borrowed */
    int av = swr_alloc_set_opts2(&s->swr, &p->layout, AV_SAMPLE_FMT_FLTP, p->rate_hz, &from,
                                 AV_SAMPLE_FMT_FLTP, info->rate_hz, 0, NULL);
    if (av >= 0 && info->n_channels == 1 && p->layout.nb_channels > 1)
        av = spread_mono(s->swr, &p->layout);
    if (av >= 0)
        av = swr_init(s->swr);
    s->fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, p->layout.nb_channels, 8192);
    if (av < 0 || !s->fifo) {
        close_source(s);
        return base_error_nomem(err, WHERE);
    }
    s->path = path;
    return LIP_OK;
}

/* A frame for n samples in the splice's form. */
static int take_frame(const struct media_splice *p, AVFrame *f, int n)
{
    av_frame_unref(f);
    f->format = AV_SAMPLE_FMT_FLTP;
    f->sample_rate = p->rate_hz;
    f->nb_samples = n;
    int av = av_channel_layout_copy(&f->ch_layout, &p->layout);
    return av < 0 ? av : av_frame_get_buffer(f, 0);
}

/* Reads on until the fifo holds n samples, or the file ends. */
static int gather(struct media_splice *p, struct source *s, int n, struct lip_error *err)
{
    while (!s->ended && av_audio_fifo_size(s->fifo) < n) {
        int got = media_track_read(s->track, p->frame, err);
        if (got < 0)
            return got;
        s->ended = !got;
        int n_out = swr_get_out_samples(s->swr, got ? p->frame->nb_samples : 0);
        int av = n_out > 0 ? take_frame(p, p->piece, n_out) : 0;
        if (av >= 0 && n_out > 0)
            av = swr_convert(s->swr, p->piece->extended_data, n_out,
                             got ? (const uint8_t **)p->frame->extended_data : NULL,
                             got ? p->frame->nb_samples : 0);
        if (av > 0)
            av = av_audio_fifo_write(s->fifo, (void **)p->piece->extended_data, av);
        if (av < 0)
            return base_error_nomem(err, WHERE);
    }
    return LIP_OK;
}

/* Up to n samples from `at` on into p->piece; fewer at the end. */
static int fetch(struct media_splice *p, struct source *s, int64_t at, int n, int *ret_got,
                 struct lip_error *err)
{
    int r = LIP_OK;
    while (s->at < at && !r && (!s->ended || av_audio_fifo_size(s->fifo))) { /* between pieces */
        r = gather(p, s, 1, err);
        int64_t skip = at - s->at, has = av_audio_fifo_size(s->fifo);
        skip = skip < has ? skip : has;
        av_audio_fifo_drain(s->fifo, (int)skip);
        s->at += skip;
    }
    if (!r)
        r = gather(p, s, n, err);
    int has = !r && s->at == at ? av_audio_fifo_size(s->fifo) : 0;
    n = n < has ? n : has;
    if (n && take_frame(p, p->piece, n) < 0)
        r = base_error_nomem(err, WHERE);
    if (r)
        return r;
    if (n)
        av_audio_fifo_read(s->fifo, (void **)p->piece->extended_data, n);
    s->at += n;
    *ret_got = n;
    return LIP_OK;
}

static int64_t samples(const struct media_splice *p, int64_t us)
{
    return av_rescale(us, p->rate_hz, AV_TIME_BASE);
}

/* The source of the piece's slot, with the piece's file open and not past `at`. */
static int source_for(struct media_splice *p, const struct media_sound *sound, int64_t at,
                      struct source **ret_source, struct lip_error *err)
{
    struct source *s = &p->source[sound->slot ? 1 : 0];
    *ret_source = s;
    if (s->path && !strcmp(s->path, sound->path) && s->at <= at)
        return LIP_OK;
    return open_source(p, s, sound->path, err);
}

/* Straight lines at both ends: two neighbours that overlap by their fades add up to one. */
static float gain_at(int64_t i, int64_t n, int64_t n_in, int64_t n_out)
{
    float in = i < n_in ? ((float)i + .5f) / (float)n_in : 1;
    float out = n - 1 - i < n_out ? ((float)(n - 1 - i) + .5f) / (float)n_out : 1;
    return in < out ? in : out;
}

/* Adds what a piece has in the block that begins at p->n_out. */
static int add_piece(struct media_splice *p, const struct media_sound *sound, AVFrame *block,
                     struct lip_error *err)
{
    int64_t from = samples(p, sound->at_us), to = samples(p, sound->at_us + sound->length_us);
    int64_t begin = from > p->n_out ? from : p->n_out, end = p->n_out + block->nb_samples;
    end = to < end ? to : end;
    struct source *s = NULL;
    int got = 0;
    if (begin >= end)
        return LIP_OK;
    int64_t at = samples(p, sound->from_us) + begin - from;
    int r = source_for(p, sound, at, &s, err);
    if (!r)
        r = fetch(p, s, at, (int)(end - begin), &got, err);
    if (r)
        return r;
    int64_t n_in = samples(p, sound->fade_in_us), n_out = samples(p, sound->fade_out_us);
    for (int c = 0; c < p->layout.nb_channels && got; c++) {
        float *to_block = (float *)(void *)block->extended_data[c] + (begin - p->n_out);
        const float *from_piece = (const float *)(const void *)p->piece->extended_data[c];
        for (int i = 0; i < got; i++)
            to_block[i] += from_piece[i] * gain_at(begin - from + i, to - from, n_in, n_out);
    }
    return LIP_OK;
}

int media_splice_read(struct media_splice *p, AVFrame *frame, struct lip_error *err)
{
    if (take_frame(p, frame, BLOCK) < 0)
        return base_error_nomem(err, WHERE);
    av_samples_set_silence(frame->extended_data, 0, BLOCK, p->layout.nb_channels,
                           AV_SAMPLE_FMT_FLTP);
    int64_t end = p->n_out + BLOCK;
    int r = LIP_OK;
    for (size_t i = p->first; i < p->n && !r && samples(p, p->sounds[i].at_us) < end; i++)
        r = add_piece(p, &p->sounds[i], frame, err);
    while (p->first < p->n && samples(p, p->sounds[p->first].at_us +
                                             p->sounds[p->first].length_us) <= end)
        p->first++;
    frame->pts = p->n_out;
    p->n_out = end;
    return r ? r : 1;
}

int media_splice_open(const struct media_sound *sounds, size_t n,
                      const struct media_track_info *info, struct media_splice **ret_splice,
                      struct lip_error *err)
{
    struct media_splice *p = base_alloc_zero(sizeof *p);
    if (!p)
        return base_error_nomem(err, WHERE);
    p->sounds = sounds;
    p->n = n;
    p->rate_hz = info->rate_hz;
    p->frame = av_frame_alloc();
    p->piece = av_frame_alloc();
    if (!p->frame || !p->piece || av_channel_layout_copy(&p->layout, &info->layout) < 0) {
        media_splice_close(&p);
        return base_error_nomem(err, WHERE);
    }
    *ret_splice = p;
    return LIP_OK;
}

void media_splice_close(struct media_splice **splice)
{
    if (!splice || !*splice)
        return;
    struct media_splice *p = *splice;
    for (int i = 0; i < SOURCES; i++)
        close_source(&p->source[i]);
    av_channel_layout_uninit(&p->layout);
    av_frame_free(&p->frame);
    av_frame_free(&p->piece);
    base_free(p);
    *splice = NULL;
}
