/* SPDX-License-Identifier: MIT
 *
 * The score: what pass 1 saw and heard, on disk. A log of records, only ever appended to, so that a
 * killed analysis goes on where it stopped and memory does not grow with the film (an hour of one
 * face is about 370 MB of disk). Landmarks are kept as 16-bit offsets in a box around the face,
 * finer than 1/30000 of its size.
 *
 * File: "LIPSCORE", u32 version, then records: u32 kind, u32 size, payload, u32 checksum.
 * A torn last record is cut off on open. Not thread-safe; any number of readers of a finished
 * file. */
#ifndef DATA_SCORE_H
#define DATA_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/bank.h"
#include "data/curve.h"
#include "data/face.h"
#include "data/film.h"

struct lip_error;

#define DATA_SCORE_VERSION 2
#define DATA_SCORE_FRAMES_MAX ((int64_t)4 * 1000 * 1000)
#define DATA_SCORE_FACES_MAX 16 /* per frame */
#define DATA_SCORE_TRACKS_MAX 65536
#define DATA_SCORE_FACEPRINTS_MAX ((size_t)1 << 20)

struct data_score_frame {
    int64_t pts, duration; /* the film's time base */
    uint8_t keyframe, shot_start;
    uint8_t n_faces;
    int64_t obs_offset; /* of the first observation in the file */
};

struct data_score;

/* Creates (truncates) a score for a film. */
int data_score_create(const char *path, const struct data_film *film, struct data_score **ret_score,
                      struct lip_error *err);
/* Opens one for reading, or with `append` for going on. Errors: LIP_ERR_NOT_FOUND, LIP_ERR_SCORE,
 * LIP_ERR_NOMEM, LIP_ERR_IO. */
int data_score_open(const char *path, bool append, struct data_score **ret_score,
                    struct lip_error *err);
void data_score_close(struct data_score **score);
int data_score_flush(struct data_score *score, struct lip_error *err); /* to the disk */

const struct data_film *data_score_film(const struct data_score *score);

/* Frames, in order. `faces` has n entries, all of this frame. */
int data_score_add_frame(struct data_score *score, const struct data_score_frame *frame,
                         const struct data_face_obs *faces, size_t n, struct lip_error *err);
int64_t data_score_n_frames(const struct data_score *score);
const struct data_score_frame *data_score_frame(const struct data_score *score, int64_t index);
/* Who was seen, in a few frames of each track; before or after their frames. */
int data_score_add_faceprint(struct data_score *score, const struct data_faceprint *faceprint,
                            struct lip_error *err);
size_t data_score_n_faceprints(const struct data_score *score);
int data_score_read_faceprint(struct data_score *score, size_t index,
                             struct data_faceprint *ret_faceprint, struct lip_error *err);
/* The observations of a frame into ret_faces (at most DATA_SCORE_FACES_MAX); count in ret_n. */
int data_score_read_faces(struct data_score *score, int64_t index, struct data_face_obs *ret_faces,
                          size_t *ret_n, struct lip_error *err);

/* Pass 1 is over: tracks and shots are known. */
int data_score_finish(struct data_score *score, const struct data_track *tracks, size_t n_tracks,
                      const struct data_shot *shots, size_t n_shots, struct lip_error *err);
bool data_score_finished(const struct data_score *score);
const struct data_track *data_score_tracks(const struct data_score *score, size_t *ret_n);
const struct data_shot *data_score_shots(const struct data_score *score, size_t *ret_n);

/* Named blobs: person, bank, curve … A later one of the same name replaces the earlier.
 * `name` has at most 31 characters. read: LIP_ERR_NOT_FOUND when there is none;
 * *ret_bytes is base memory, the caller's. */
int data_score_put_blob(struct data_score *score, const char *name, const void *bytes, size_t n,
                        struct lip_error *err);
/* Forgets everything that came after the newest blob of this name: where a resumed analysis goes
 * on. LIP_ERR_NOT_FOUND when there is none. */
int data_score_cut_after_blob(struct data_score *score, const char *name, struct lip_error *err);
int data_score_get_blob(struct data_score *score, const char *name, uint8_t **ret_bytes,
                        size_t *ret_n, struct lip_error *err);

#endif
