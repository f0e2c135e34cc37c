/* SPDX-License-Identifier: MIT
 *
 * Media files. The only room that knows FFmpeg. Objects are single-threaded; different objects may
 * live in different threads. All times of a source are in its film's time base. */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/status.h"
#include "data/film.h"
#include "data/frame.h"
#include "data/patch.h"

#define MEDIA_SIDE_MAX_PX 16384
#define MEDIA_PIXELS_MAX (1 << 26) /* of one picture: 8192 x 8192, or 16384 x 4096 */

/* Source: the frames of a film ---------------------------------------------------------------- */
struct media_source;

struct media_source_params {
    int n_threads; /* decoder threads; 0 = one per processor; the frames are the same for any n */
    const struct base_log *log;
};

/* `path`: a file, or "synthetic:WxH@FPS:N[:FORMAT]" for a film drawn by the program (tests).
 * Errors: LIP_ERR_NOT_FOUND, LIP_ERR_FORMAT, LIP_ERR_NO_VIDEO, LIP_ERR_UNSUPPORTED,
 * LIP_ERR_LIMIT. */
int media_source_open(const char *path, const struct media_source_params *params,
                      struct media_source **ret_source, struct lip_error *err);
void media_source_close(struct media_source **source);
const struct data_film *media_source_film(const struct media_source *source);

/* The next frame in presentation order; *ret_frame NULL at the end. Packed formats come out as
 * planar ones with the same sample values; `index` counts from 0 after open or rewind, and is -1
 * after a seek. A damaged packet is skipped and counted, not an error; a file of which nothing can
 * be decoded is LIP_ERR_NO_VIDEO. */
int media_source_read(struct media_source *source, struct data_frame **ret_frame,
                      struct lip_error *err);
/* To a key frame at or before pts (best effort: the caller checks pts and falls back to rewind). */
int media_source_seek(struct media_source *source, int64_t pts, struct lip_error *err);
int media_source_rewind(struct media_source *source, struct lip_error *err);
int64_t media_source_n_damaged(const struct media_source *source);

/* Where the drawn person of a synthetic film is, in IMG pixels: an ellipse of skin with a dark-red
 * ellipse, the mouth, in it. mouth_ry goes from 0 (closed) to 0.2 face_ry and back in 12 frames. */
struct media_drawn_face {
    int face_cx, face_cy, face_rx, face_ry;
    int mouth_cx, mouth_cy, mouth_rx, mouth_ry;
};
void media_synthetic_face(const struct data_film *film, int64_t index,
                          struct media_drawn_face *ret_face);
/* What is in front of half of the mouth in a film "…+bar", IMG; false: nothing is in this frame. */
bool media_synthetic_bar(const struct data_film *film, int64_t index, struct data_rect *ret_rect);

/* What a film carries that an edited film cannot keep, or that wants a word. */
enum {
    MEDIA_NOTE_C2PA = 1,          /* content credentials: signed for other pictures */
    MEDIA_NOTE_DOLBY_VISION = 2,
    MEDIA_NOTE_HDR10_PLUS = 4,
    MEDIA_NOTE_INTERLACED = 8,
    MEDIA_NOTE_C2PA_KEPT = 16     /* set by who keeps them in a file of their own */
};
/* A set of them; what cannot be read has none. */
unsigned media_notes_read(const char *path);
/* The C2PA manifest store of an mp4, mov, avi, wav or png as it lies in the file; *ret_bytes is
 * base memory. LIP_ERR_NOT_FOUND without a word: there is none, or not in one piece. */
#define MEDIA_C2PA_BYTES_MAX ((int64_t)64 << 20)
int media_c2pa_read(const char *path, uint8_t **ret_bytes, size_t *ret_n, struct lip_error *err);

/* Sound for analysis -------------------------------------------------------------------------- */
struct media_audio;

/* The first (default) sound track of any file, resampled to mono float at rate_hz. Sample 0 is the
 * time 0 of the file's own clock as a player shows it: a track that starts later begins with
 * silence, one that starts earlier is cut; for a film, time 0 is the first frame.
 * Errors: as above, LIP_ERR_NO_AUDIO. */
int media_audio_open(const char *path, int rate_hz, struct media_audio **ret_audio,
                     struct lip_error *err);
void media_audio_close(struct media_audio **audio);
/* Up to n samples; *ret_got 0 at the end. */
int media_audio_read(struct media_audio *audio, float *ret_samples, size_t n, size_t *ret_got,
                     struct lip_error *err);

struct media_audio_info {
    int rate_hz, n_channels;
    int64_t n_samples;   /* per channel, from time 0 on */
    int64_t duration_us; /* the same, rounded */
    char codec[32];
};
/* Decodes the whole track once to count it exactly. */
int media_audio_measure(const char *path, struct media_audio_info *ret_info, struct lip_error *err);

/* Encoding ------------------------------------------------------------------------------------ */
/* How well a film is coded. */
struct media_level {
    int quantiser;      /* H.264: mean QP; VP9: mean index / 4, the scale of its CRF; -1 unknown */
    int prores_profile; /* 0 Proxy … 5 4444 XQ, -1 when it is no ProRes */
    double bits_per_pixel; /* 0 unknown */
};
/* Looks at some pictures in three places. Not an error: a film of which nothing can be told. */
int media_level_read(const char *path, struct media_level *ret_level, struct lip_error *err);

enum media_codec {
    MEDIA_CODEC_H264, MEDIA_CODEC_HEVC, MEDIA_CODEC_PRORES, MEDIA_CODEC_VP9, MEDIA_CODEC_AV1,
    MEDIA_CODEC_FFV1, MEDIA_CODEC_LIKE_SOURCE, MEDIA_CODEC_AUTO
};

struct media_encode_params {
    enum media_codec codec; /* LIKE_SOURCE: the source's family, H.264 where no encoder exists;
                               AUTO: likewise where `output` can hold it, else the nearest */
    int quality;            /* 0..100; 0 = by `level` (visually lossless), 100 = as good as the
                               codec can. Mapped per codec, see docs/guide */
    const struct media_level *level; /* how well the film is coded; NULL: unknown */
    const char *output;     /* where the parts will go to: AVI and NUT need pictures coded in the
                               order they are shown; may be NULL */
    const struct media_copier *beside; /* copied parts lie beside these; may be NULL */
    const struct base_log *log;
};

/* One part of the picture track, written to a file of its own: parts are encoded independently so
 * that a killed job goes on at the last finished part, and are joined without re-encoding.
 * The encoder's own threads are fixed by the resolution, never by the machine: same bytes. */
struct media_part;

/* `film`: size, rate, colour, aspect; `like` is a frame of the pixel form to be encoded. The
 * encoder's pixel format is the source's where the codec has it, else the nearest without loss of
 * depth or alpha; a codec that cannot keep alpha or depth says so once in the log. */
int media_part_open(const char *path, const struct data_film *film, const struct data_frame *like,
                    const struct media_encode_params *params, struct media_part **ret_part,
                    struct lip_error *err);
/* pts strictly grows; in the film's time base, on the output's clock. */
int media_part_write(struct media_part *part, struct data_frame *frame, int64_t pts,
                     int64_t duration, struct lip_error *err);
int media_part_finish(struct media_part **part, struct lip_error *err); /* frees in any case */
void media_part_abort(struct media_part **part);                       /* removes the file */
/* Whether the file is a finished part, and how many frames it has: before a resumed job uses it.
 * Looks at both ends only. Errors: LIP_ERR_NOT_FOUND, LIP_ERR_FORMAT. */
int media_part_check(const char *path, int64_t *ret_n_frames, struct lip_error *err);

/* Copying -------------------------------------------------------------------------------------
 * Runs of the film's own coded pictures become parts without being decoded, and lie between encoded
 * ones. A unit is the smallest such run: it begins with a key picture that nothing after it reaches
 * beyond. */
struct media_copier;

/* Pictures shown without a gap. Which ones they are is said by their number, the smallest pts and
 * the sum of media_unit_mark over all of them. */
struct media_unit_run {
    int64_t n, first_pts;
    uint64_t sum;
};

struct media_unit {
    struct media_unit_run shown;
    /* HEVC with open groups: pictures shown just before `shown` that lean on the unit before this
     * one. They are copied only together with that. */
    struct media_unit_run leaning;
    bool usable; /* all its times are known, no damage was met */
    int64_t n_packets;
};

static inline uint64_t media_unit_mark(int64_t pts)
{
    uint64_t x = (uint64_t)pts * 0x9e3779b97f4a7c15u; /* splitmix64's mix: distinct sums */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    return x ^ x >> 27;
}

struct media_copier_params {
    const char *film;
    const struct data_frame *like; /* any frame of it */
    const struct media_encode_params *encode; /* what the pictures between will be coded as */
    bool (*cancelled)(void *user); /* NULL: never */
    void *user;
};

/* Reads the whole film without decoding it. Where nothing can be copied *ret_copier is NULL and
 * ret_why gets the reason, a clause without a full stop. Errors: as media_source_open,
 * LIP_ERR_CANCELLED. */
int media_copier_open(const struct media_copier_params *params, const struct data_film *film,
                      struct media_copier **ret_copier, char *ret_why, size_t cap,
                      struct lip_error *err);
void media_copier_close(struct media_copier **copier);
const struct media_unit *media_copier_units(const struct media_copier *copier, size_t *ret_n);
/* Units first to first + n - 1 as a finished part; `shift` is added to every pts, the last picture
 * shown lasts last_duration. Forwards is quick, backwards opens the film again. */
int media_copier_write(struct media_copier *copier, const char *path, size_t first, size_t n,
                       int64_t shift, int64_t last_duration, struct lip_error *err);

/* Joining ------------------------------------------------------------------------------------- */
/* A piece of a sound track and its place in the output. */
struct media_sound {
    const char *path;
    int slot;         /* 0 or 1: only pieces of different slots may overlap; a slot's pieces are
                         ascending */
    int64_t from_us;  /* in the file: time 0 as media_audio_open has it */
    int64_t at_us, length_us; /* in the output */
    int64_t fade_in_us, fade_out_us; /* at its ends, inside of it */
};

/* Where the film's clock goes: straight lines between these. Both ascending; what lies before the
 * first one or behind the last moves along with it. */
struct media_time {
    int64_t film_us, out_us;
};

struct media_join_params {
    const char *output;        /* ending decides the container: mp4 mov mkv webm avi m4v nut */
    const char *const *parts;  /* in order */
    size_t n_parts;
    const char *film;          /* for chapters, subtitles, metadata, rotation, cover; may be NULL */
    const char *voice;         /* sound file or film; NULL: no sound */
    int64_t duration_us;       /* of the output picture */
    int64_t voice_duration_us; /* how much of the voice is used; padded with silence or cut to it */
    const struct media_sound *sounds; /* instead of the voice: pieces, ascending in the output. The
                                         sound is coded anew … */
    size_t n_sounds;
    const char *sound_like;           /* … with rate, channels and metadata of this file's */
    double time_scale;         /* subtitles and chapters of the film: t_out = t_film * scale … */
    const struct media_time *times; /* … or by these, when there are any */
    size_t n_times;
    bool keep_sounds;          /* the film is shown once, forwards, at its own pace: its further
                                  sound tracks fit and are kept */
    bool overwrite;
    const char *comment;       /* metadata: what made this */
    const char *edited_by, *edited_by_version; /* a program: the output says that a trained model of
                                                  it made a part of the picture; NULL: no mark */
    bool (*cancelled)(void *user); /* asked now and then; NULL: never */
    void *user;
    const struct base_log *log;
};

/* Writes beside and renames at the end. The voice is copied when the container takes its codec and
 * its length needs no change; else it is re-encoded at its own rate and channels.
 * Errors: LIP_ERR_EXISTS, LIP_ERR_IO, LIP_ERR_UNSUPPORTED (container), LIP_ERR_ENCODER,
 * LIP_ERR_CANCELLED. */
int media_join(const struct media_join_params *params, struct lip_error *err);

/* Whether the ending of `path` names a container that can hold this codec: checked before any work.
 * For LIKE_SOURCE and AUTO only the ending: ask again with media_codec_of. */
int media_output_check(const char *path, enum media_codec codec, struct lip_error *err);
/* What the codec means for this film and output: never LIKE_SOURCE, never AUTO. */
enum media_codec media_codec_of(enum media_codec codec, const struct data_film *film,
                                const char *output);

/* Pictures ------------------------------------------------------------------------------------ */
/* Writes 8-bit interleaved RGB as PNG, beside and renamed. */
int media_png_write(const char *path, const uint8_t *rgb, int width_px, int height_px,
                    struct lip_error *err);

/* SHA-256 in hexadecimal, and the size. Errors: LIP_ERR_NOT_FOUND, LIP_ERR_FORMAT (empty),
 * LIP_ERR_IO, LIP_ERR_NOMEM. */
int media_digest(const char *path, char ret_sha256[65], int64_t *ret_bytes, struct lip_error *err);

/* One line per library for `lipsync doctor`. */
void media_versions(char *ret_text, size_t cap);

#endif
