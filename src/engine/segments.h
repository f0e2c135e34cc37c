/* SPDX-License-Identifier: MIT
 *
 * The user's segments (and ranges of `only`) on exact clocks: where each lies in film, output and
 * voice. From them come the pieces of the plan, the roles, the pieces of the sound and the map of
 * times for subtitles and chapters. Microseconds here are exact; frames and samples are rounded
 * from them one by one, so nothing adds up. */
#ifndef ENGINE_SEGMENTS_H
#define ENGINE_SEGMENTS_H

#include "engine/plan.h"
#include "engine/roles.h"
#include "media/media.h"

struct segment {
    const struct lip_segment *asked; /* borrowed; NULL: a range of `only` */
    int number;                      /* as the user counts, from 1 */
    int voice;                       /* index of segments.voices */
    enum lip_sync_mode sync;
    int64_t from_us, to_us;          /* of the film */
    int64_t out_us, out_to_us;       /* of the output */
    int64_t voice_from_us, voice_us; /* the piece of the voice and how much of it is heard */
    int64_t first, end;              /* frames of the film that are touched */
};

/* A file with one temperature: it becomes one curve for each face that speaks it. */
struct segment_voice {
    const char *path;    /* borrowed */
    double temperature;
    int64_t length_us;   /* of the file */
    int64_t needed_us;   /* so much of it is spoken */
};

struct segments {
    struct segment *at; /* ascending, apart; n 0: the whole film is dubbed */
    size_t n;
    struct segment_voice *voices;
    size_t n_voices;
    int64_t film_us, end_shift_us; /* length of the film; the output is longer by this */
    bool film_has_sound;
};

static inline bool segments_asked(const struct lip_job *job)
{
    return job->n_segments > 0 || job->n_only > 0;
}
/* Of a job: ranges, order, contradictions. LIP_ERR_ARG with the number of the segment. */
int segments_check(const struct lip_job *job, struct lip_error *err);
/* All that is given, for a job's fingerprint; the voices' files are read. */
int segments_hash(const struct lip_job *job, uint64_t *ret_hash, struct lip_error *err);

/* Measures the voices. `job` is borrowed. segments_done also after a failure, and for a zeroed
 * one. */
int segments_open(struct segments *segments, const struct lip_job *job, struct lip_error *err);
void segments_done(struct segments *segments);
/* When the film is known: all the clocks. Segments of no length are dropped, with a word in the
 * log. */
int segments_place(struct segments *segments, const struct data_score *score,
                   const struct base_log *log, struct lip_error *err);
int segments_plan(const struct segments *segments, const struct data_score *score,
                  struct plan *ret_plan, struct lip_error *err);
/* The job that a segment is for itself: face, occlusion and temperature are its own. */
struct lip_job segments_job(const struct segment *segment, const struct lip_job *job,
                            const struct data_score *score);
/* Base memory. `film`: as media_ takes it. */
int segments_sounds(const struct segments *segments, const char *film,
                    struct media_sound **ret_sounds, size_t *ret_n, struct lip_error *err);
int segments_times(const struct segments *segments, struct media_time **ret_times, size_t *ret_n,
                   struct lip_error *err);

#endif
