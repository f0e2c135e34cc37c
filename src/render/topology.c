/* SPDX-License-Identifier: MIT
 * Point numbers of the MediaPipe face mesh. */
#include "render/parts.h"

const uint16_t render_lips[RENDER_LIPS_N] = {
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0,  37, 39, 40, 185,
    78, 95,  88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
};
const uint16_t render_nose[RENDER_NOSE_N] = {2, 97,  98,  64,  48,  115, 220, 45,
                                             4, 275, 440, 344, 278, 294, 327, 326};
const uint16_t render_upper[RENDER_COLUMNS] = {78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308};
const uint16_t render_lower[RENDER_COLUMNS] = {78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308};
