/* SPDX-License-Identifier: MIT
 *
 * Who speaks when: the seen mouths against the one that the film's own sound asks for. */
#ifndef SPEAKER_TURNS_H
#define SPEAKER_TURNS_H

#include <stdint.h>

#include "base/buffer.h"
#include "data/curve.h"
#include "speaker/speaker.h"

#define SPEAKER_TURNS_FACES_MAX 16 /* the most important ones; the others never speak */
#define SPEAKER_NOBODY (-1)

/* What is measured of a mouth: the coefficients of the basis, opening and width (IOD). */
#define SPEAKER_OPENING DATA_CURVE_DIMS
#define SPEAKER_WIDTH (DATA_CURVE_DIMS + 1)
#define SPEAKER_MEASURES (DATA_CURVE_DIMS + 2)

struct speaker_scene {
    int64_t n_frames;
    const float *t_s;          /* ascending */
    const uint8_t *shot_start; /* 1: a new shot begins with the frame */
    size_t n_faces;            /* at most SPEAKER_TURNS_FACES_MAX */
    /* One a frame; NAN: the face is not there. */
    const float (*seen[SPEAKER_TURNS_FACES_MAX])[SPEAKER_MEASURES];
    /* What the sound asks for: a mouth that follows it, and whether there is speech, 0..1. No
     * sound: n_said 0. */
    const float (*said)[SPEAKER_MEASURES];
    const float *speech;
    size_t n_said;
    double said_rate_hz;
};

struct speaker_turn {
    int8_t face;  /* index, or SPEAKER_NOBODY */
    uint8_t sure; /* 0..255: the probability that this is so */
};
static inline float speaker_turn_sure(const struct speaker_turn *turn)
{
    return (float)turn->sure / 255;
}
#define SPEAKER_SURE .8f /* from here on it may be acted upon */

/* A run of frames in which one face is at work. At both ends of a turn, where it may as well be
 * the next one's, there are runs of their own that are not sure. */
struct speaker_run {
    int64_t from, to; /* `to` is the first frame after it */
    int face;
    float sure;       /* mean over its frames */
};
/* The rest of the run of frame `at` of n. */
void speaker_run_at(const struct speaker_turn *turns, int64_t n, int64_t at,
                    struct speaker_run *ret_run);

struct speaker_voice {
    float agreement; /* correlation of what is seen with what is said while this face speaks */
    int lag_ms;      /* above 0: the picture is late */
    double speaks_s; /* surely */
    float sure;      /* mean over the frames in which it speaks, 0..1 */
};

/* ret_turns: one a frame. ret_voices: one a face. Errors: LIP_ERR_NOMEM. */
int speaker_turns(const struct speaker_scene *scene, struct speaker_turn *ret_turns,
                  struct speaker_voice *ret_voices, struct lip_error *err);

/* Their disk form. read: LIP_ERR_FORMAT where it is damaged, or of another number of frames or
 * faces; then what was returned is to be thrown away. */
int speaker_turns_write(const struct speaker_turn *turns, int64_t n_frames,
                        const struct speaker_voice *voices, size_t n_faces, struct base_buffer *b);
int speaker_turns_read(const uint8_t *bytes, size_t n, int64_t n_frames, size_t n_faces,
                       struct speaker_turn *ret_turns, struct speaker_voice *ret_voices);

#endif
