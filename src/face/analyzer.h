/* SPDX-License-Identifier: MIT
 *
 * The analyzer's inside, shared by who follows faces (analyzer.c) and who recognises them
 * (faceprint.c). */
#ifndef FACE_ANALYZER_H
#define FACE_ANALYZER_H

#include "face/parts.h"

#define FACE_GAP_FRAMES 8 /* a face may be away this long and is still the same track */

struct face_track {
    int32_t id, n_missed;
    float confidence;
    struct face_crop crop;             /* where the mesh looks next */
    float points[DATA_FACE_POINTS][3]; /* where it was seen last, DISP */
    int32_t n_seen, n_looks, last_look; /* of the net that knows who it is: frames seen, looks
                                           taken, n_seen at the last one */
    float best_look;                    /* the best view so far, 0..1 */
};

struct face_analyzer {
    const struct face_models *models;
    struct data_film film;
    struct face_analyzer_params params;
    int64_t next_frame, last_look; /* last_look: of the detector */
    int32_t next_id, n_tracks, tile; /* tile: whose turn it is */
    struct face_track tracks[FACE_PER_FRAME_MAX];
    struct face_shots shots;
    bool recognises;
    struct data_faceprint faceprints[FACE_PER_FRAME_MAX];
    size_t n_faceprints; /* of the last push */
};

/* faceprint.c: looks at those faces of the frame of which a look is due. */
int face_print_push(struct face_analyzer *analyzer, const struct data_frame *frame,
                       struct lip_error *err);

#endif
