/* SPDX-License-Identifier: MIT
 *
 * Faces: what was seen (obs), and what it means (person, geom).
 *
 * CANON is the person's own space: x right, y down, z away from the viewer, unit = IOD, the
 * distance between the outer eye corners (points 33 and 263) of the person's canonical shape,
 * origin = mean of the points that do not move with speech. Point numbers are those of the
 * MediaPipe face mesh; 468..477 are the irises. */
#ifndef DATA_FACE_H
#define DATA_FACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/look.h"

struct base_buffer;
struct lip_error;

#define DATA_FACE_POINTS 478
#define DATA_MESH_POINTS 468

struct data_box {
    float x0, y0, x1, y1; /* DISP pixels */
};

/* One face in one frame, as the nets saw it: no smoothing. */
struct data_face_obs {
    int64_t frame;    /* ordinal number in the film */
    int32_t track;    /* id of the track, from 0 */
    float confidence; /* 0..1, the mesh's face flag */
    float points[DATA_FACE_POINTS][3]; /* DISP pixels; z in the same unit, smaller = nearer */
    struct data_look look;
};

#define DATA_FACEPRINT_DIMS 128
/* Who it is, as seen in one frame: two of one person lie near each other (Euclid). */
struct data_faceprint {
    int64_t frame;
    int32_t track;
    float weight; /* 0..1: how well it was seen */
    float v[DATA_FACEPRINT_DIMS];
};

/* The mean of several of one person. */
struct data_print {
    float weight; /* 0: unknown; 1: seen very well */
    float v[DATA_FACEPRINT_DIMS];
};

/* A run of one face through consecutive frames of one shot. */
struct data_track {
    int32_t id;
    int32_t shot;
    int64_t first_frame, last_frame; /* both included */
    int64_t n_obs;                   /* gaps of a few frames are allowed */
    float mean_size_px;              /* face width, DISP */
    float mean_confidence;
    struct data_box box;             /* of the middle observation */
};

struct data_shot {
    int64_t first_frame, last_frame; /* both included */
};

/* What stays the same of a person through a film. */
struct data_person {
    float canon[DATA_FACE_POINTS][3]; /* mean shape, CANON, mouth as it is on average */
    float rest[DATA_FACE_POINTS][3];  /* mouth at rest: lips together or as near as this person
                                         goes */
    float opening_rest;
    float opening_pct[5]; /* 2, 25, 50, 75, 98 % of the inner-lip opening, IOD */
    float width_pct[5];   /* the same of the width 78-308 */
    int64_t n_frames;     /* how many observations it was learnt from */
};

/* One face in one frame, ready for motion/ and render/. */
struct data_face_geom {
    int64_t frame;
    /* DISP = scale * rot * CANON + trans (3-D; row-major; lightly smoothed in time) */
    float scale, rot[9], trans[3];
    float yaw_rad, pitch_rad, roll_rad; /* 0 = facing the camera, head upright (in DISP) */
    float disp[DATA_FACE_POINTS][3];    /* raw observed points, DISP pixels */
    float canon[DATA_FACE_POINTS][3];   /* pose removed, lightly smoothed, closures kept */
    float opening, width;               /* IOD: mean |13-14|,|82-87|,|312-317|; |78-308| */
    float confidence;                   /* 0..1 */
    bool valid;                         /* false: no observation here, nothing else is set */
};

/* Disk form of a person ("LIPPERSN", version 1). Errors of read: LIP_ERR_SCORE. */
int data_person_write(const struct data_person *person, struct base_buffer *out);
int data_person_read(const void *bytes, size_t n, struct data_person *ret_person,
                     struct lip_error *err);

#endif
