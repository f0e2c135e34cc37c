/* SPDX-License-Identifier: MIT
 *
 * The mouth curve: how a mouth moves over time, free of any particular face.
 * A shape is rest + sum over k of coef[k] * basis[k], in CANON units. */
#ifndef DATA_CURVE_H
#define DATA_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "data/face.h"

struct base_buffer;
struct lip_error;

#define DATA_CURVE_DIMS 12
#define DATA_CURVE_SAMPLES_MAX ((size_t)50 * 3600 * 12) /* twelve hours at 50 Hz */

/* Directions in which mouths move, over all mesh points (zero where speech moves nothing). */
struct data_basis {
    float comp[DATA_CURVE_DIMS][DATA_MESH_POINTS][3]; /* orthonormal over the points; CANON */
    float sd[DATA_CURVE_DIMS]; /* standard deviation of each coefficient over people */
};

struct data_curve_sample {
    float coef[DATA_CURVE_DIMS];
    float speech;  /* 0..1: 1 while somebody speaks; 0 shows the rest pose */
    float closure; /* 0..1: probability that the lips are meant to touch */
};

struct data_curve {
    int rate_hz; /* samples per second; sample i belongs to the time i / rate_hz */
    size_t n, cap;
    struct data_curve_sample *samples;
};

void data_curve_init(struct data_curve *curve, int rate_hz);
void data_curve_done(struct data_curve *curve);
/* Errors: LIP_ERR_NOMEM, LIP_ERR_LIMIT. */
int data_curve_push(struct data_curve *curve, const struct data_curve_sample *sample);
/* The curve at a time, cubic between samples, held at the ends; rest pose for an empty curve. */
void data_curve_at(const struct data_curve *curve, double t_s,
                   struct data_curve_sample *ret_sample);

/* ret_points[p] = rest[p] + sum coef[k] basis[k][p]; the irises are copied from rest. */
void data_basis_shape(const struct data_basis *basis, const float rest[DATA_FACE_POINTS][3],
                      const float coef[DATA_CURVE_DIMS], float ret_points[DATA_FACE_POINTS][3]);
/* The coefficients that come nearest to points - rest. */
void data_basis_project(const struct data_basis *basis, const float rest[DATA_FACE_POINTS][3],
                        const float points[DATA_FACE_POINTS][3], float ret_coef[DATA_CURVE_DIMS]);

#define DATA_CURVE_BYTES_MAX (64 + DATA_CURVE_SAMPLES_MAX * (DATA_CURVE_DIMS + 2) * 4)
/* Disk form of a curve file ("LIPCURVE", version 1): see docs/design/data.md. A file of its own or
 * a record of the score. Errors of read: LIP_ERR_SCORE, LIP_ERR_NOMEM. */
int data_curve_write(const struct data_curve *curve, struct base_buffer *out);
int data_curve_read(const void *bytes, size_t n, struct data_curve *ret_curve,
                    struct lip_error *err);

/* The same for a basis ("LIPBASIS", version 1). */
int data_basis_write(const struct data_basis *basis, struct base_buffer *out);
int data_basis_read(const void *bytes, size_t n, struct data_basis *ret_basis,
                    struct lip_error *err);

/* Inner-lip opening (mean of |13-14|, |82-87|, |312-317|) and width (|78-308|) of a shape. */
float data_mouth_opening(const float points[DATA_FACE_POINTS][3]);
float data_mouth_width(const float points[DATA_FACE_POINTS][3]);

#endif
