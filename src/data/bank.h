/* SPDX-License-Identifier: MIT
 *
 * The person's bank: their own mouths, at native resolution, in the order in which they were
 * filmed, so that runs of consecutive frames can be played. Immutable once built; then shared
 * between threads. */
#ifndef DATA_BANK_H
#define DATA_BANK_H

#include <stddef.h>
#include <stdint.h>

#include "data/face.h"

struct base_buffer;
struct lip_error;

#define DATA_BANK_TEX_W 64
#define DATA_BANK_TEX_H 48
#define DATA_BANK_MAX 1500

struct data_bank_entry {
    int64_t frame;    /* ordinal number in the film */
    float yaw_rad, pitch_rad, roll_rad;
    float scale_px;   /* pixels per IOD in the patch */
    float opening, width;
    float sharpness;  /* standard deviation of the Laplacian of the mouth, 0..1 grey */
    float slopes[2];  /* render_lip_slopes of it; 0: not known. Not on disk */
    float burden;     /* cost of showing it: 0, more for mouths of another film. Not on disk */
    float canon[DATA_FACE_POINTS][3]; /* CANON */
    float patch_pts[DATA_FACE_POINTS][2]; /* landmarks in patch pixels (pixel edges) */
    int width_px, height_px;
    uint16_t *rgb;    /* height * width * 3, R'G'B' as coded, 0..65535 = 0..1 */
    float tex[DATA_BANK_TEX_H][DATA_BANK_TEX_W]; /* small stabilised grey mouth for join costs */
};

struct data_bank {
    size_t n, cap;
    struct data_bank_entry *entries; /* ascending frame */
    float sharpness_median;
    float opening_max, width_min, width_max; /* over the entries */
};

void data_bank_init(struct data_bank *bank);
void data_bank_done(struct data_bank *bank);
size_t data_bank_size_bytes(const struct data_bank *bank);

/* Disk form ("LIPBANK\0", version 1). Errors of read: LIP_ERR_SCORE, LIP_ERR_NOMEM. */
int data_bank_write(const struct data_bank *bank, struct base_buffer *out);
int data_bank_read(const void *bytes, size_t n, struct data_bank *ret_bank, struct lip_error *err);

#endif
