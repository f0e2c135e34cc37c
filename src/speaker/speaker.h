/* SPDX-License-Identifier: MIT
 *
 * Whose mouth: which tracks are the face that was asked for. */
#ifndef SPEAKER_SPEAKER_H
#define SPEAKER_SPEAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/face.h"

#define SPEAKER_FACES_MAX 32
#define SPEAKER_TRACKS_MAX 1024 /* of one face */

/* Faces as a user counts them: tracks of one person, over gaps and cuts, largest and longest first,
 * numbered from 1. */
struct speaker_face {
    int number;              /* from 1, in the order of importance */
    int32_t track_ids[SPEAKER_TRACKS_MAX]; /* ascending */
    size_t n_tracks;
    int64_t first_frame, last_frame, n_obs;
    float mean_size_px;
    struct data_box box;     /* of the longest track's middle observation */
    int64_t portrait_frame;  /* a frame in which it is seen well */
};

/* What is known of a track's head: its canonical shape over points that do not move with speech
 * (CANON), and whose face it is. */
#define SPEAKER_SHAPE_POINTS 70
struct speaker_head {
    bool shaped; /* points are set */
    float points[SPEAKER_SHAPE_POINTS][3];
    struct data_print print;
};
/* How far apart two faceprints are; docs/design/speaker.md. */
double speaker_print_distance(const float a[DATA_FACEPRINT_DIMS],
                              const float b[DATA_FACEPRINT_DIMS]);
#define SPEAKER_SAME_PERSON 0.38
#define SPEAKER_OTHER_PERSON 0.5
/* Are they one person's? UNKNOWN: they do not tell. */
enum speaker_likeness { SPEAKER_UNKNOWN, SPEAKER_ALIKE, SPEAKER_DIFFERENT };
enum speaker_likeness speaker_compare_prints(const struct data_print *a,
                                             const struct data_print *b);

/* Groups tracks into at most SPEAKER_FACES_MAX faces; what is over goes without a face, the least
 * important first. Importance = observations x size. `heads` (one a track, or NULL) keep people
 * apart who are framed alike, and find them again who are framed otherwise. An empty
 * film gives *ret_n 0. Errors: LIP_ERR_NOMEM. */
int speaker_list(const struct data_track *tracks, const struct speaker_head *heads,
                 size_t n_tracks, struct speaker_face *ret_faces, size_t *ret_n,
                 struct lip_error *err);

enum speaker_choice_kind { SPEAKER_LARGEST, SPEAKER_NUMBER, SPEAKER_POINT };

struct speaker_choice {
    enum speaker_choice_kind kind;
    int number;        /* SPEAKER_NUMBER: from 1 */
    float x, y;        /* SPEAKER_POINT: DISP pixels */
    int64_t frame;
};

/* The face that was asked for: an index into faces. For SPEAKER_POINT `at` holds the observations
 * of that frame: the box that holds the point, else the nearest face (its distance in face widths
 * in *ret_snap; 0 when inside). LIP_ERR_NO_FACE with a sentence that says which faces there are. */
int speaker_choose(const struct speaker_face *faces, size_t n, const struct speaker_choice *choice,
                   const struct data_face_obs *at, size_t n_at, size_t *ret_index, float *ret_snap,
                   struct lip_error *err);

#endif
