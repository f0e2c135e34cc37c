/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_NOTES_H
#define MEDIA_NOTES_H

#include <libavformat/avio.h>
#include <stdbool.h>

/* c2pa.c: whether a file carries a C2PA manifest: mp4 and its kin, RIFF, PNG, JPEG. */
bool media_notes_c2pa(AVIOContext *pb);

#endif
