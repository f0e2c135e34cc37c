/* SPDX-License-Identifier: MIT
 * Versions. LIP_API_VERSION grows by one with every change of these headers. */
#ifndef LIPSYNC_VERSION_H
#define LIPSYNC_VERSION_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIP_VERSION "0.1.0"
#define LIP_API_VERSION 15

/* The version of the library that is running, "0.1.0". Thread-safe. */
LIP_API const char *lip_version(void);

#ifdef __cplusplus
}
#endif
#endif
