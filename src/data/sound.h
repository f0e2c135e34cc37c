/* SPDX-License-Identifier: MIT
 * Sound as the mouth's model hears it: one row of numbers every 10 ms. */
#ifndef DATA_SOUND_H
#define DATA_SOUND_H

#define DATA_SOUND_RATE_HZ 16000
#define DATA_SOUND_HOP 160    /* samples: 10 ms, 100 rows a second */
#define DATA_SOUND_WINDOW 400 /* samples: 25 ms, Hann; row i covers i*160 .. i*160+400, so that its
                                 centre is the time i * 10 ms + 12.5 ms */
#define DATA_SOUND_BANDS 80   /* mel bands, 50..7600 Hz, natural log of energy, floor 1e-10 */

#define DATA_SOUND_EMBED 384  /* what a net that knows speech makes of 0.4 s around two rows */

struct data_sound_row {
    float mel[DATA_SOUND_BANDS];
    float energy_log; /* natural log of the window's mean square, floor 1e-10 */
    float voice;      /* 0..1: speech probability */
    /* The same in the rows 2 m and 2 m + 1; zeros where there is no such net. */
    float embed[DATA_SOUND_EMBED];
};

#define DATA_SOUND_HISTOGRAM 240 /* bins of energy_log, -24..6 */

/* What a stream takes as heard before its first row: a recording like people's average. */
struct data_sound_prior {
    float rows; /* of speech, that it counts as */
    float mean[DATA_SOUND_BANDS], sd[DATA_SOUND_BANDS];
    float histogram[DATA_SOUND_HISTOGRAM]; /* shares of its energies, together 1 */
};

#endif
