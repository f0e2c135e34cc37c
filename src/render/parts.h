/* SPDX-License-Identifier: MIT
 *
 * Inside render/ only. Lengths are in IOD unless a name says _px; pictures that are sampled are
 * interleaved RGBX floats, so that one sample is one vector. */
#ifndef RENDER_PARTS_H
#define RENDER_PARTS_H

#include <math.h>
#include <string.h>

#include "image/image.h"
#include "render/render.h"

/* topology.c ---------------------------------------------------------------------------------- */
#define RENDER_OUTER_N 20
#define RENDER_LIPS_N 40
#define RENDER_NOSE_N 16
#define RENDER_COLUMNS 11 /* points of each inner lip line, corner to corner */

extern const uint16_t render_lips[RENDER_LIPS_N]; /* the outer ring, then the inner ring */
extern const uint16_t render_nose[RENDER_NOSE_N];
extern const uint16_t render_upper[RENDER_COLUMNS], render_lower[RENDER_COLUMNS]; /* inner lines */

/* grid.c: where the cells of a look lie on the mesh -------------------------------------------- */
enum { RENDER_CELL_NONE, RENDER_CELL_EDGE, RENDER_CELL_FACE, RENDER_CELL_MOUTH };

struct render_grid {
    float vertex[DATA_MESH_POINTS][2]; /* cells: where each point of the mesh lies in the grid */
    uint8_t kind[DATA_LOOK_CELLS];
    uint16_t point[DATA_LOOK_CELLS][3]; /* the triangle around the cell's middle … */
    float weight[DATA_LOOK_CELLS][3];   /* … and the middle in it */
};
struct render_mesh;
void render_grid_make(struct render_mesh *mesh);

static inline int render_block_of(int cell)
{
    return cell / DATA_LOOK_COLS / 2 * (DATA_LOOK_COLS / 2) + cell % DATA_LOOK_COLS / 2;
}

/* likeness.c: how strange each cell of a look is, standard deviations; NAN: nothing known ------ */
void render_likeness_judge(const struct data_likeness *likeness, const struct data_look *look,
                           float ret_strangeness[DATA_LOOK_CELLS]);

/* mesh.c -------------------------------------------------------------------------------------- */
struct render_mesh {
    size_t n_triangles;
    uint16_t (*triangles)[3];
    float vertices[DATA_MESH_POINTS][3]; /* the canonical face of the file; y up */
    struct render_grid grid;
    float front; /* sign of the area (y down) of a triangle that faces the camera */
};
int render_mesh_parse(const void *bytes, size_t n, struct render_mesh **ret_mesh,
                      struct lip_error *err);

/* skull.c: what does not move with speech ------------------------------------------------------ */
struct render_skull {
    float m[2][4]; /* CANON x, y, z, 1 to pixels */
};
struct render_plane {
    float m[2][3]; /* x, y, 1 to pixels */
};
/* The affine camera that best shows the eyes, nose and forehead of `canon` at `points`. */
bool render_skull_fit(const float canon[DATA_FACE_POINTS][3], const float points[][2],
                      struct render_skull *ret);
void render_skull_plane(const struct render_skull *skull, float depth, struct render_plane *ret);
/* From the plane in one picture to the same plane in another; false when it stands edgewise. */
bool render_plane_between(const struct render_plane *from, const struct render_plane *to,
                          struct render_plane *ret);

/* geometry.c: where the points are and where they shall be ------------------------------------- */
struct render_geometry {
    float scale_px;                  /* IMG pixels per IOD */
    float from[DATA_MESH_POINTS][2]; /* the frame's own points, IMG */
    float to[DATA_MESH_POINTS][2];   /* the wished points, IMG */
    float canon_y[DATA_MESH_POINTS]; /* of the person's mean shape */
    float orientation;          /* sign of the area of a triangle that is seen from the front */
    float axis_x[2], axis_y[2]; /* IMG pixels per CANON x and y */
    float origin[2], origin_canon[2]; /* the nose base in IMG and its CANON x, y */
    float stomion[2];                 /* where the lips meet at rest, IMG */
    float opening, opening_own;       /* of the wish and of the frame */
    struct render_plane teeth;        /* the plane of the upper teeth, CANON to IMG */
    float teeth_z;
};

float render_median(float *v, size_t n); /* sorts; 0 of none */
float render_opening(const float points[DATA_FACE_POINTS][3]);
/* Largest and rms distance (IOD) over the lip points. */
void render_lip_difference(const float a[DATA_FACE_POINTS][3], const float b[DATA_FACE_POINTS][3],
                           float *ret_rms, float *ret_max);
void render_geometry_make(const struct render_mesh *mesh, const struct data_film *film,
                          const struct data_person *person, const struct data_face_geom *geom,
                          const float wish[DATA_FACE_POINTS][3], struct render_geometry *ret);
float render_pixel_scale(const struct data_film *film); /* IMG pixels per DISP pixel */
/* CANON x, y of an IMG position, taken in the plane of the face through the nose base. */
void render_canon_of(const struct render_geometry *g, float x, float y, float *ret_x, float *ret_y);

/* pixels.c: sampling ----------------------------------------------------------------------------
 */
typedef float render_v4 __attribute__((vector_size(16)));

struct render_pixels {
    render_v4 *px;
    int w, h;
    size_t cap; /* pixels */
};
int render_pixels_resize(struct render_pixels *p, int w, int h);
void render_pixels_free(struct render_pixels *p);
void render_pixels_from_planes(const float *rgb, struct render_pixels *p);
void render_pixels_from_bank(const struct data_bank_entry *entry, struct render_pixels *p);
/* Pixel edges, edges replicated; Catmull-Rom. */
render_v4 render_pixels_cubic(const struct render_pixels *p, float x, float y);
render_v4 render_pixels_linear(const struct render_pixels *p, float x, float y);

/* What drawn parts must not exceed: half the width (IOD) of the edges of a filmed picture, and its
 * darkest grey. */
struct render_look {
    float edge, dark;
};
void render_look_at(const struct render_pixels *picture, float iod_px, struct render_look *ret);
render_v4 render_lift(render_v4 colour, float dark); /* no darker than that */

/* field.c: everything that is smooth, on a coarse grid ------------------------------------------
 */
enum { FIELD_DX, FIELD_DY, FIELD_SKIN, FIELD_MOUTH, FIELD_LIP, FIELD_N };

struct render_field {
    struct data_rect area; /* IMG pixels that the grid covers */
    int step_px, w, h;     /* node (i, j) stands at area + (i + .5, j + .5) * step */
    float *plane[FIELD_N]; /* displacement in px (target to source), masks, distance to the lips */
    float *work[3];
    uint8_t *inside;
    float *memory;
    size_t cap;
};
int render_field_make(struct render_field *field, const struct render_mesh *mesh,
                      const struct data_frame *frame, const struct render_geometry *g);
void render_field_free(struct render_field *field);
/* The part of the frame that an edit touches, inside area; w 0 when nothing. */
struct data_rect render_field_bounds(const struct render_field *field, const struct data_frame *f);
/* One line of pixels (x0.., y in IMG, n of them) of all planes. */
void render_field_line(const struct render_field *field, int x0, int y, int n, float *column,
                       float *const ret[FIELD_N]);

/* front.c: what is in front, per pixel --------------------------------------------------------- */
#define RENDER_FRONT_PLANES 21
struct render_front {
    bool any;     /* false: nothing is in front, alpha is not set */
    float *alpha; /* over the patch: 1 = in front, stays as it is */
    size_t cap_alpha;
    int step_px, w, h; /* the coarse picture */
    float *plane[RENDER_FRONT_PLANES], *scratch;
    float *memory;
    size_t cap;
};
/* `rgb`: the frame over rect, three planes. cover NULL: nothing is in front. */
int render_front_make(struct render_front *front, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct render_cover *cover,
                      const float *rgb, struct data_rect rect);
void render_front_free(struct render_front *front);
float render_front_at(const struct render_front *front, struct data_rect rect, float x, float y);

/* warp.c: the exact mesh warp of the mouth
 * --------------------------------------------------------- */
struct render_map {
    struct data_rect box; /* IMG */
    float (*at)[2];       /* source position of each pixel, x NAN where there is none */
    size_t cap;
};
int render_map_resize(struct render_map *map, struct data_rect box);
void render_map_free(struct render_map *map);
/* Backward map of the mesh from `to` (IMG) to `source` (source pixels). */
void render_map_mesh(struct render_map *map, const struct render_mesh *mesh,
                     const struct render_geometry *g, const float source[][2]);

/* What layer 1 is taken from: pixels, points in them, and how wide the mouth stands open there. */
struct render_origin {
    const struct render_pixels *pixels;
    const float (*points)[2];
    float scale_px, opening; /* source pixels per IOD; IOD */
    const float (*canon)[3]; /* the same points, CANON */
};

/* inner.c: what is seen between the lips ----------------------------------------------------------
 */

/* The opening between the lips as columns from corner to corner, and the mouth's own axes. */
struct render_mouth {
    float origin[2], right[2], down[2];                       /* unit vectors, pixels */
    float upper[RENDER_COLUMNS][2], lower[RENDER_COLUMNS][2]; /* along right and down */
    float top, bottom;                                        /* of all of them, along down */
};
void render_mouth_make(const float points[][2], const float axis_y[2], struct render_mouth *ret);
/* Column 0..10 and height v (0 upper lip, 1 lower lip) of a position; false when it is not between
 * the lips. ret_edge_px: distance to the nearer lip along the column. */
bool render_mouth_find(const struct render_mouth *m, float x, float y, float *ret_column,
                       float *ret_v, float *ret_edge_px);

/* Paints over `out` (box, RGBX) where a pixel lies between the wished lips: teeth keep their size
 * and their place in the skull, the opening grows or shrinks at its darkest. */
void render_inner_paint(const struct render_geometry *g, const struct render_origin *origin,
                        const struct render_look *look, struct data_rect box, render_v4 *out);

/* match.c: how badly an entry fits a wish -------------------------------------------------------
 */
struct render_wanted {
    float lips[RENDER_LIPS_N * 3]; /* as render_lips_of gives them */
    float opening, width, lip_z, yaw_rad, pitch_rad, roll_rad;
    bool posed;
};
/* x, y and .35 z of the lip points, plane by plane. */
void render_lips_of(const float p[DATA_FACE_POINTS][3], float ret[RENDER_LIPS_N * 3]);
void render_wanted_make(const struct data_face_geom *geom, const float wish[DATA_FACE_POINTS][3],
                        struct render_wanted *ret);
float render_wanted_cost(const struct render_wanted *w, const struct data_bank *bank, size_t entry,
                         const float lips[RENDER_LIPS_N * 3]);
/* The entries that fit best, best first, and how much each counts (sum to 1). */
struct render_near {
    int n;
    int32_t entry[RENDER_NEAR_MAX];
    float weight[RENDER_NEAR_MAX];
    float cost; /* of the best */
};
void render_near_find(const struct data_bank *bank, const struct data_face_geom *geom,
                      const float wish[DATA_FACE_POINTS][3], int n_max, struct render_near *ret);

/* focus.c: how blurred a frame is, told by its own lips -------------------------------------------
 */
struct render_focus {
    float *planes; /* grey and scratch */
    uint8_t *inside;
    size_t cap; /* pixels */
};
#define RENDER_LIPS_WHOLE 1.2f /* lips and their edge */
/* Pixels of a w x h picture inside the lips grown by a factor; x, y: its corner in the plane of the
 * points. */
void render_lips_fill(const float (*points)[2], float grown, float x, float y, int w, int h,
                      uint8_t *ret_inside);
/* Fills in the entries' slopes. Errors: LIP_ERR_NOMEM. */
int render_focus_learn(struct data_bank *bank);
/* ret[k] as in data_patch. Errors: LIP_ERR_NOMEM. */
int render_focus_measure(struct render_focus *focus, const struct data_bank *bank,
                         const struct data_face_geom *geom, const struct render_geometry *g,
                         const struct data_patch *patch, float ret[2]);
void render_focus_free(struct render_focus *focus);

/* band.c: the low band, shared by many sources ----------------------------------------------------
 */
struct render_band {
    struct render_map map;
    struct render_pixels source, layer, sum;
    float *planes; /* three colours and a scratch */
    size_t cap;    /* floats */
};
/* Replaces the low band of `out` (box, drawn from the entry `own`) by the mean of the near
 * entries, each warped to the same shape. Errors: LIP_ERR_NOMEM. */
int render_band_share(struct render_band *band, const struct render_mesh *mesh,
                      const struct render_geometry *g, const struct data_bank *bank,
                      const struct render_near *near, int32_t own, struct data_rect box,
                      render_v4 *out);
void render_band_free(struct render_band *band);

/* generic.c: an inner mouth drawn by rule, for mouths never seen open -----------------------------
 */
void render_generic_paint(const struct render_geometry *g, float weight, render_v4 skin,
                          const struct render_look *look, struct data_rect box, render_v4 *out);

#endif
