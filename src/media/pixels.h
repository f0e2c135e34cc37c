/* SPDX-License-Identifier: MIT
 *
 * Between FFmpeg's many pixel formats and the planar frames of data/. */
#ifndef MEDIA_PIXELS_H
#define MEDIA_PIXELS_H

#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <stdbool.h>

#include "base/status.h"
#include "data/frame.h"

struct media_form {
    enum data_layout layout;
    int depth_bits, chroma_shift_x, chroma_shift_y;
    bool has_alpha;
};

/* True when the format is a rearrangement of such a form, so that samples can be copied. */
bool media_form_of_format(enum AVPixelFormat format, struct media_form *ret_form);
/* True when frames of this format are frames of data/ as they lie. */
bool media_format_is_planar(enum AVPixelFormat format);
/* A format for this form: planar where FFmpeg has one, else packed (gray with alpha), else NONE. */
enum AVPixelFormat media_format_of_form(const struct media_form *form);
bool media_form_same(const struct media_form *a, const struct media_form *b);
struct media_form media_form_of_frame(const struct data_frame *frame);

/* Into the house: one per source -------------------------------------------------------------- */
struct media_import;

/* The form of all frames is settled by the first frame. */
int media_import_create(const AVFrame *first, struct media_import **ret_import,
                        struct lip_error *err);
void media_import_destroy(struct media_import **import);
const struct media_form *media_import_form(const struct media_import *import);
/* A word on what is lost, or NULL when every sample keeps its value. */
const char *media_import_loss(const struct media_import *import);
/* Takes the content of *av over (it is left empty), whatever the outcome. `pts` and the like are
 * the caller's to set. */
int media_import_frame(struct media_import *import, AVFrame *av, struct data_frame **ret_frame,
                       struct lip_error *err);

/* Out of the house: one per encoder ----------------------------------------------------------- */
struct media_export;

int media_export_create(const struct data_frame *like, enum AVPixelFormat format,
                        struct media_export **ret_export, struct lip_error *err);
void media_export_destroy(struct media_export **xport);
/* A frame for the encoder with the samples of `frame` and the side data of the decoded frame it
 * comes from. Without conversion the pixels are shared, not copied. */
int media_export_frame(struct media_export *xport, struct data_frame *frame, AVFrame **ret_av,
                       struct lip_error *err);

/* The decoded frame behind this one, or NULL: for a frame of this room itself or its origin. */
const AVFrame *media_frame_av(const struct data_frame *frame);

#endif
