/* SPDX-License-Identifier: MIT
 * Written by train/speaker/axes.py: weights of the measures, one row a pair. */
#ifndef SPEAKER_AXES_H
#define SPEAKER_AXES_H

#include "speaker/traits.h"

static const float said_axes[SPEAKER_POSES][SPEAKER_MEASURES] = {
    {-0.179f, 0.158f, 0.252f, -0.098f, 0.026f, -0.019f, 0.015f, 0.057f, -0.022f,
     -0.314f, -0.006f, 0.039f, -0.275f, -0.133f},
    {-0.137f, -0.253f, -0.119f, -0.047f, 0.059f, -0.124f, 0.103f, 0.189f, -0.297f,
     -0.175f, -0.241f, -0.186f, 0.010f, 0.248f},
    {-0.114f, -0.275f, 0.337f, -0.304f, 0.438f, 0.060f, 0.138f, -0.114f, 0.207f,
     -0.160f, 0.519f, -0.182f, -0.191f, 0.511f},
};
static const float seen_axes[SPEAKER_POSES][SPEAKER_MEASURES] = {
    {-0.466f, 0.111f, 0.102f, 0.023f, 0.039f, -0.011f, -0.012f, -0.024f, -0.099f,
     -0.037f, 0.006f, -0.012f, -0.514f, -0.072f},
    {-0.409f, -0.494f, -0.324f, -0.048f, -0.248f, -0.076f, 0.087f, 0.112f, 0.069f,
     -0.197f, -0.192f, -0.101f, -0.085f, 0.259f},
    {-0.139f, -0.124f, 0.215f, -0.145f, 0.460f, 0.090f, 0.158f, -0.144f, -0.077f,
     0.087f, 0.419f, 0.161f, 0.059f, 0.534f},
};

#endif
