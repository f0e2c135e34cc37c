/* SPDX-License-Identifier: MIT
 *
 * Looks: the lower face of one frame in small, fixed to the mesh, so that the same cell always
 * shows the same skin; and the likeness, what such looks of one person have in common. A cell is
 * 1/20 IOD wide; the grid hangs from the upper cheeks to the chin. */
#ifndef DATA_LOOK_H
#define DATA_LOOK_H

#include <stddef.h>
#include <stdint.h>

struct base_buffer;
struct lip_error;

#define DATA_LOOK_COLS 32
#define DATA_LOOK_ROWS 24
#define DATA_LOOK_CELLS (DATA_LOOK_COLS * DATA_LOOK_ROWS)
#define DATA_LOOK_ABOVE 8      /* rows above the base of the nose: they tell about the light */
#define DATA_LOOK_PER_IOD 20   /* cells */
#define DATA_LOOK_BLOCKS (DATA_LOOK_CELLS / 4) /* colour is kept for 2 x 2 cells */
#define DATA_LOOK_VALUES (DATA_LOOK_CELLS + 2 * DATA_LOOK_BLOCKS)

struct data_look {
    uint8_t grey[DATA_LOOK_ROWS][DATA_LOOK_COLS]; /* 1..255 of coded R'G'B'; 0: not seen here */
    uint8_t blue[DATA_LOOK_ROWS / 2][DATA_LOOK_COLS / 2]; /* colour differences, 128 = none */
    uint8_t red[DATA_LOOK_ROWS / 2][DATA_LOOK_COLS / 2];
};

#define DATA_LIKENESS_DIMS 8

/* Values in the order grey, blue, red of a look, in its units (grey levels, blue and red around
 * 0), under the light of the mean look. */
struct data_likeness {
    int32_t n_looks; /* that it was learnt from; 0: nothing is known, nothing is in front */
    float mean[DATA_LOOK_VALUES];
    float sd[DATA_LOOK_VALUES]; /* of what the directions leave over; 0: never seen */
    float direction[DATA_LIKENESS_DIMS][DATA_LOOK_VALUES]; /* unit vectors */
    float range[DATA_LIKENESS_DIMS]; /* standard deviation along each; 0: not in use */
};

/* Disk form ("LIPLIKE\0", version 1). Errors of read: LIP_ERR_SCORE. */
int data_likeness_write(const struct data_likeness *likeness, struct base_buffer *out);
int data_likeness_read(const void *bytes, size_t n, struct data_likeness *ret_likeness,
                       struct lip_error *err);

#endif
