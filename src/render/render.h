/* SPDX-License-Identifier: MIT
 *
 * Curve to pixels: a bank of the person's own mouths, a walk through it, and two warped layers.
 * Mesh, bank and selection are immutable once made and shared; a render_canvas is one thread's. */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/bank.h"
#include "data/face.h"
#include "data/film.h"
#include "data/frame.h"
#include "data/look.h"
#include "data/patch.h"

/* Triangles of the face mesh, the inner mouth included (models_dir/face_geometry.bin). */
struct render_mesh;
int render_mesh_open(const char *path, struct render_mesh **ret_mesh, struct lip_error *err);
void render_mesh_close(struct render_mesh **mesh);

/* bank.c: which frames, then their pixels ------------------------------------------------------ */
struct render_bank_params {
    size_t n_entries_max; /* default 400 */
    size_t n_bytes_max;   /* default 48 MiB */
};
void render_bank_params_default(struct render_bank_params *params);

/* Push the geometry of every frame of the person in order; finish gives ascending frame numbers.
 * Everything when it fits, else runs of consecutive frames spread over mouth shapes and poses.
 * Memory is bounded whatever the length. */
struct render_bank_plan;
int render_bank_plan_create(const struct render_bank_params *params,
                            struct render_bank_plan **ret_plan);
int render_bank_plan_push(struct render_bank_plan *plan, const struct data_face_geom *geom);
int render_bank_plan_finish(struct render_bank_plan **plan, int64_t **ret_frames, size_t *ret_n);

/* Cuts the mouth out of a frame; call in ascending frame order. A frame that is no use (too
 * blurred, outside the picture) is left out silently. */
int render_bank_add(struct data_bank *bank, const struct data_film *film,
                    const struct data_frame *frame, const struct data_face_geom *geom,
                    struct lip_error *err);
/* After the last add, and after reading a bank from disk: medians, ranges and slopes. Errors:
 * LIP_ERR_NOMEM. */
int render_bank_finish(struct data_bank *bank);

/* merge.c: banks of several films of one person ------------------------------------------------ */

/* Moves all of `from` behind `into`, numbered apart, so that no run goes from one to the other.
 * Shapes must be those of one canonical face already. Errors: LIP_ERR_LIMIT when it is more than
 * DATA_BANK_MAX (nothing is moved), LIP_ERR_NOMEM. Ends with render_bank_finish. */
int render_bank_append(struct data_bank *into, struct data_bank *from, struct lip_error *err);
/* Colour of the skin around the lips, R'G'B' as coded, 0..1: median over the entries; 0 where there
 * is none. Errors: LIP_ERR_NOMEM. */
int render_bank_skin(const struct data_bank *bank, float ret_rgb[3]);
/* Brings pictures taken under another light, by another camera, to this one's: each channel times
 * the ratio of the two skins, at most fourfold. Nothing where a skin is not known. */
void render_bank_tint(struct data_bank *bank, const float from_rgb[3], const float to_rgb[3]);
/* Leaves what fits into the params: runs of frames spread over mouth shapes and poses, as the plan
 * chooses them. */
int render_bank_thin(struct data_bank *bank, const struct render_bank_params *params,
                     struct lip_error *err);

/* grid.c, likeness.c, cover.c: what is in front of the face ------------------------------------ */

/* The small lower face of one frame. `points` as in data_face_obs. What is outside of the picture
 * or turned away stays 0. Errors: LIP_ERR_NOMEM. */
int render_cover_look(const struct render_mesh *mesh, const struct data_film *film,
                      const struct data_frame *frame, const float points[DATA_FACE_POINTS][3],
                      struct data_look *ret_look);

/* What most of the looks of one person have in common; looks with something in front that is
 * not always there do not count. Too few looks: a likeness that knows nothing. */
#define RENDER_LOOKS_MAX 256
int render_likeness_learn(const struct render_mesh *mesh, const struct data_look *looks, size_t n,
                          struct data_likeness *ret_likeness, struct lip_error *err);

struct render_cover {
    uint8_t cell[DATA_LOOK_CELLS]; /* 1: something is in front */
    int n_cells;
    float mouth; /* share of the lips and what is near them, 0..1 */
    float oddness; /* above 0: not judged, because all is strange, so much (standard deviations) */
};
/* From one look alone. `caution` multiplies the thresholds: 1 as calibrated, less finds more. */
void render_cover_find(const struct render_mesh *mesh, const struct data_likeness *likeness,
                       const struct data_look *look, float caution,
                       struct render_cover *ret_cover);
/* Something is before all of the face. */
void render_cover_whole(const struct render_mesh *mesh, struct render_cover *ret_cover);
/* Keeps what is seen in enough of the frames around this one, from RENDER_COVER_AROUND before it
 * to as many after it (NULL: not the same shot, or no face; the middle one is not used). */
#define RENDER_COVER_AROUND 4
void render_cover_confirm(const struct render_mesh *mesh,
                          const struct render_cover *const around[2 * RENDER_COVER_AROUND + 1],
                          struct render_cover *cover);

/* select.c: a walk through the bank ------------------------------------------------------------ */
struct render_choice {
    int32_t entry[2]; /* indices into the bank; -1 = none (no bank) */
    float weight[2];  /* sum to 1; weight[1] is 0 outside of a cross-fade */
};

/* Fixed-lag Viterbi. Push one wish per output frame, pull one choice per wish, in order.
 * `wish` is a CANON shape. restart: the walk may jump freely here (cut, gap). */
struct render_selector;
int render_selector_create(const struct data_bank *bank, struct render_selector **ret_selector);
void render_selector_destroy(struct render_selector **selector);
int render_selector_push(struct render_selector *selector, const struct data_face_geom *geom,
                         const float wish[DATA_FACE_POINTS][3], bool restart);
void render_selector_flush(struct render_selector *selector);
bool render_selector_pull(struct render_selector *selector, struct render_choice *ret_choice);

/* geometry.c: the inner-lip opening (IOD) that is drawn for a wish: lips that nearly meet do. */
float render_drawn_opening(const float wish[DATA_FACE_POINTS][3]);

/* canvas.c: one frame -------------------------------------------------------------------------- */
struct render_canvas;
int render_canvas_create(const struct render_mesh *mesh, const struct data_film *film,
                         struct render_canvas **ret_canvas);
void render_canvas_destroy(struct render_canvas **canvas);
/* From how many entries of the bank the low band is averaged: 0 (the chosen one alone; fastest) to
 * RENDER_NEAR_MAX. */
#define RENDER_NEAR_MAX 12
#define RENDER_NEAR_DEFAULT 8
void render_canvas_set_near(struct render_canvas *canvas, int n_near);
/* Measurements only: draw also what would be left alone as within noise. */
void render_canvas_set_always(struct render_canvas *canvas, bool always);

/* What is in front of the face in the frames drawn from now on (NULL: nothing); borrowed. */
void render_canvas_set_cover(struct render_canvas *canvas, const struct render_cover *cover);

/* Draws the wish into ret_patch. Returns 1 when the wish is within noise of the frame's own mouth
 * (nothing to do), 0 when the patch is filled, < 0 on error. bank may be NULL or empty: then layer
 * 1 is the frame's own mouth warped, with a generic inner mouth. */
int render_canvas_draw(struct render_canvas *canvas, const struct data_bank *bank,
                       const struct data_person *person, const struct data_frame *frame,
                       const struct data_face_geom *geom, const float wish[DATA_FACE_POINTS][3],
                       const struct render_choice *choice, struct data_patch *ret_patch,
                       struct lip_error *err);

#endif
