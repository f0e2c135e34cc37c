/* SPDX-License-Identifier: MIT
 *
 * What a film carries besides picture and sound: metadata, chapters, cover art, attached fonts. */
#include <libavutil/avstring.h>
#include <stdio.h>
#include <string.h>

#include "media/join.h"

/* Speaks of the old coding or the old container, not of the film. */
static bool is_stale(const char *key)
{
    static const char list[] =
        "encoder,encoding_tool,major_brand,minor_version,compatible_brands,duration,"
        "number_of_frames,number_of_bytes,bps,rotate,alpha_mode,vendor_id,_statistics_writing_app,"
        "_statistics_writing_date_utc,_statistics_tags";
    return av_match_name(key, list) || !av_strncasecmp(key, "duration-", 9);
}

int media_metadata_copy(AVDictionary **to, const AVDictionary *from)
{
    const AVDictionaryEntry *e = NULL;
    int av = 0;
    while (av >= 0 && (e = av_dict_get(from, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (!is_stale(e->key))
            av = av_dict_set(to, e->key, e->value, 0);
    return av;
}

static int add_comment(struct media_mux *mux)
{
    const char *ours = mux->params->comment;
    if (!ours || !*ours)
        return 0;
    const AVDictionaryEntry *e = av_dict_get(mux->out->metadata, "comment", NULL, 0);
    if (!e)
        return av_dict_set(&mux->out->metadata, "comment", ours, 0);
    if (strstr(e->value, ours))
        return 0;
    char *both = av_asprintf("%s; %s", e->value, ours);
    if (!both)
        return AVERROR(ENOMEM);
    return av_dict_set(&mux->out->metadata, "comment", both, AV_DICT_DONT_STRDUP_VAL);
}

/* Times of the film on the clock of the output, in microseconds. */
static int64_t scaled_us(const struct media_mux *mux, int64_t film_us)
{
    return (int64_t)media_time_of(mux->params, (double)(film_us - mux->film_origin_us));
}

static int add_chapter(struct media_mux *mux, const AVChapter *from)
{
    int64_t start = scaled_us(mux, av_rescale_q(from->start, from->time_base, AV_TIME_BASE_Q));
    int64_t end = scaled_us(mux, av_rescale_q(from->end, from->time_base, AV_TIME_BASE_Q));
    int64_t last = mux->params->duration_us;
    start = start < 0 ? 0 : start;
    end = end > last ? last : end;
    if (start >= end)
        return 0;
    AVChapter *c = av_mallocz(sizeof *c);
    if (!c)
        return AVERROR(ENOMEM);
    c->id = from->id;
    c->time_base = AV_TIME_BASE_Q;
    c->start = start;
    c->end = end;
    int n = (int)mux->out->nb_chapters;
    int av = av_dynarray_add_nofree(&mux->out->chapters, &n, c);
    if (av < 0) {
        av_free(c);
        return av;
    }
    mux->out->nb_chapters = (unsigned)n;
    return media_metadata_copy(&c->metadata, from->metadata);
}

static const char *picture_ending(enum AVCodecID id)
{
    return id == AV_CODEC_ID_PNG ? "png" : id == AV_CODEC_ID_MJPEG ? "jpg" : NULL;
}

/* Matroska keeps a cover as an attached file. */
static int add_attachment(struct media_mux *mux, const AVStream *from, const uint8_t *bytes,
                          size_t n)
{
    AVStream *st = avformat_new_stream(mux->out, NULL);
    if (!st)
        return AVERROR(ENOMEM);
    st->codecpar->codec_type = AVMEDIA_TYPE_ATTACHMENT;
    st->codecpar->codec_id = from->codecpar->codec_id;
    st->codecpar->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!st->codecpar->extradata)
        return AVERROR(ENOMEM);
    memcpy(st->codecpar->extradata, bytes, n);
    st->codecpar->extradata_size = (int)n;
    int av = media_metadata_copy(&st->metadata, from->metadata);
    const char *ending = picture_ending(from->codecpar->codec_id);
    char name[16];
    snprintf(name, sizeof name, "cover.%s", ending ? ending : "bin");
    if (av >= 0 && ending && !av_dict_get(st->metadata, "filename", NULL, 0))
        av = av_dict_set(&st->metadata, "filename", name, 0);
    if (av >= 0 && ending && !av_dict_get(st->metadata, "mimetype", NULL, 0))
        av = av_dict_set(&st->metadata, "mimetype", ending[0] == 'p' ? "image/png" : "image/jpeg",
                         0);
    return av;
}

/* mp4 keeps it as a track of one picture; media_texts_next hands that picture over. */
static int add_cover_track(struct media_mux *mux, const AVStream *from)
{
    AVStream *st = avformat_new_stream(mux->out, NULL);
    if (!st)
        return AVERROR(ENOMEM);
    int av = avcodec_parameters_copy(st->codecpar, from->codecpar);
    st->codecpar->codec_tag = 0;
    st->time_base = (AVRational){1, 90000};
    st->disposition = AV_DISPOSITION_ATTACHED_PIC;
    st->id = from->index + 1; /* remembered for media_texts_next */
    return av;
}

static int add_stream(struct media_mux *mux, const AVStream *from)
{
    const AVCodecParameters *par = from->codecpar;
    bool mkv = mux->container == MEDIA_MKV;
    bool mp4 = mux->container == MEDIA_MP4; /* FFmpeg writes none into mov */
    if (par->codec_type == AVMEDIA_TYPE_ATTACHMENT && mkv && par->extradata_size > 0)
        return add_attachment(mux, from, par->extradata, (size_t)par->extradata_size);
    if (!(from->disposition & AV_DISPOSITION_ATTACHED_PIC) || from->attached_pic.size <= 0)
        return 0;
    if (mkv)
        return add_attachment(mux, from, from->attached_pic.data, (size_t)from->attached_pic.size);
    if (mp4 && picture_ending(par->codec_id))
        return add_cover_track(mux, from);
    base_log_print(mux->params->log, BASE_LOG_WARN, "the cover picture is left out");
    return 0;
}

int media_extras_add(struct media_mux *mux, struct lip_error *err)
{
    int av = 0;
    const AVFormatContext *film = mux->film.fmt;
    if (film)
        av = media_metadata_copy(&mux->out->metadata, film->metadata);
    if (av >= 0)
        av = add_comment(mux);
    if (av >= 0)
        av = media_mark_add(mux);
    for (unsigned i = 0; film && i < film->nb_chapters && av >= 0; i++)
        av = add_chapter(mux, film->chapters[i]);
    for (unsigned i = 0; film && i < film->nb_streams && av >= 0; i++)
        av = add_stream(mux, film->streams[i]);
    return av < 0 ? base_error_nomem(err, "media/join") : LIP_OK;
}
