/* SPDX-License-Identifier: MIT
 *
 * A mouth as animators think of it: what is said as it is seen, and how far the lips are moved. */
#ifndef DATA_VISEME_H
#define DATA_VISEME_H

#include <stddef.h>

/* The fifteen of the Oculus set, then two that drawn mouths have shapes of their own for. The order
 * is that of the net's head and of train/visemes/phones.py. */
enum data_viseme {
    DATA_VISEME_SIL,
    DATA_VISEME_PP, /* p b m */
    DATA_VISEME_FF, /* f v */
    DATA_VISEME_TH,
    DATA_VISEME_DD, /* t d */
    DATA_VISEME_KK, /* k g */
    DATA_VISEME_CH, /* ch j sh zh */
    DATA_VISEME_SS, /* s z */
    DATA_VISEME_NN, /* n ng */
    DATA_VISEME_RR,
    DATA_VISEME_AA,
    DATA_VISEME_E,
    DATA_VISEME_I,
    DATA_VISEME_O,
    DATA_VISEME_U,
    DATA_VISEME_L,
    DATA_VISEME_W,
    DATA_VISEMES
};

/* One moment. Distances are in IOD (data/face.h), from rest. */
struct data_viseme_sample {
    float share[DATA_VISEMES]; /* how likely each is; together 1 */
    float open;                /* 0 lips together .. 1 as far as speech opens them, mostly */
    float jaw, lower_lip, upper_lip; /* the chin's and the lower lip's way down, the upper's up */
    float width;               /* between the corners: below 0 narrower than at rest */
    float speech;              /* 0..1: 0 the mouth is at rest */
    float closure;             /* 0..1: how likely the lips are meant to touch */
};

struct data_visemes {
    int rate_hz; /* sample i belongs to the time i / rate_hz */
    double length_s; /* of the sound */
    size_t n;
    struct data_viseme_sample *samples; /* base memory */
};

#endif
