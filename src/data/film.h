/* SPDX-License-Identifier: MIT
 *
 * What is known of a film before its frames are looked at.
 *
 * Two pixel spaces. IMG: the decoded picture as stored, x right, y down, pixel edges (the centre of
 * the first pixel is 0.5, 0.5). DISP: the picture as a viewer sees it, rotated upright and with
 * square pixels. Landmarks, boxes and user coordinates are DISP; pixels are touched in IMG. For
 * most films the two are the same. */
#ifndef DATA_FILM_H
#define DATA_FILM_H

#include <stdbool.h>
#include <stdint.h>

struct data_rational {
    int64_t num, den;
};

/* x' = m[0] x + m[1] y + m[2];  y' = m[3] x + m[4] y + m[5] */
struct data_affine {
    double m[6];
};

/* The numbers of ITU-T H.273 (as FFmpeg uses them); 2 is "unspecified". */
struct data_colour {
    int primaries, transfer, matrix;
    bool full_range;
    int chroma_location;
};

struct data_film {
    int width_px, height_px;           /* IMG */
    int disp_width_px, disp_height_px; /* DISP */
    struct data_affine disp_from_img, img_from_disp;
    struct data_rational time_base;  /* of all pts and durations of this film, in seconds */
    struct data_rational frame_rate; /* average; 0/1 when unknown */
    struct data_rational sample_aspect; /* 1/1 when square or unknown */
    int rotation_deg; /* clockwise turn that makes it upright: 0, 90, 180, 270 */
    int depth_bits;   /* 8..16 per sample */
    bool has_alpha, is_image, has_audio, interlaced;
    struct data_colour colour;
    int64_t start_pts;      /* of the first frame, may be negative */
    int64_t duration_us;    /* as the container says; 0 when unknown; counted frames are the
                               truth */
    int64_t n_frames_guess; /* for progress only; 0 when unknown */
    uint64_t identity;      /* hash of size, head and tail of the file: same film or not */
    char codec[32], container[64], pixel_format[32];
};

#endif
