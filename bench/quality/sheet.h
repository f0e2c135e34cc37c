/* SPDX-License-Identifier: MIT
 * bench/quality: a contact sheet, one row per frame: original, result, both mouths enlarged. */
#ifndef BENCH_QUALITY_SHEET_H
#define BENCH_QUALITY_SHEET_H

#include "clip.h"

#define SHEET_ROWS_MAX 24

struct sheet {
    int n_rows, n_done;
    int64_t first, n_frames;
    uint8_t *rgb; /* rows of SHEET_W x SHEET_H */
};

void sheet_init(struct sheet *s, int n_rows, int64_t first_frame, int64_t end_frame);
void sheet_done(struct sheet *s);
/* Takes the frame when it is one of the evenly spread ones. */
int sheet_add(struct sheet *s, const struct clip *clip, int64_t index,
              const struct data_frame *real, const struct data_frame *out);
int sheet_write(const struct sheet *s, const char *path);

#endif
