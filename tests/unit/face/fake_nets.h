/* SPDX-License-Identifier: MIT
 * Painted faces and nets that see them: a face is a plain square of one of two colours (red, green)
 * on dark ground. The fake nets really look at their input, so that crops, letterboxes, rotations
 * and coordinates are proved, not assumed. */
#ifndef TESTS_FACE_FAKE_NETS_H
#define TESTS_FACE_FAKE_NETS_H

#include "shape.h"

#define N_COLOURS 2

struct fake {
    int n_detector_runs, n_mesh_runs, n_faceprint_runs;
    bool blind; /* the mesh sees no face */
};

/* Where the colour c is in an interleaved picture: pixel edges. Range of values: 0..1. */
static inline bool find_colour(const float *rgb, int px, int c, double scale, double offset,
                               double ret_box[4])
{
    double sum = 0, sx = 0, sy = 0;
    for (int y = 0; y < px; y++) {
        for (int x = 0; x < px; x++) {
            const float *p = rgb + 3 * ((size_t)y * (size_t)px + (size_t)x);
            double v = (p[c] - p[1 - c]) * scale + offset;
            if (v < .1)
                continue;
            sum += v;
            sx += v * (x + .5);
            sy += v * (y + .5);
        }
    }
    if (sum < 4)
        return false;
    double side = sqrt(sum / .8); /* faces are painted with 0.8 of full colour */
    ret_box[0] = sx / sum - side / 2;
    ret_box[1] = sy / sum - side / 2;
    ret_box[2] = sx / sum + side / 2;
    ret_box[3] = sy / sum + side / 2;
    return true;
}

static inline void fake_detector(const struct nn_tensor *in, struct nn_tensor *out, bool full)
{
    int px = full ? 192 : 128, n = full ? 2304 : 896;
    float *boxes = out[0].data, *scores = out[1].data;
    for (int i = 0; i < n; i++)
        scores[i] = -20;
    memset(boxes, 0, (size_t)n * 16 * sizeof *boxes);
    for (int c = 0; c < N_COLOURS; c++) {
        double b[4];
        if (!find_colour(in->data, px, c, .5, 0, b))
            continue;
        double cx = (b[0] + b[2]) / 2, cy = (b[1] + b[3]) / 2, side = b[2] - b[0];
        int grid = full ? 48 : 16, step = px / grid, col = (int)(cx / step), row = (int)(cy / step);
        int cell = row * grid + col, anchor = full ? cell : 2 * cell + c % 2;
        if (col < 0 || row < 0 || col >= grid || row >= grid)
            continue;
        float *v = boxes + 16 * anchor;
        double ax = (col + .5) * step, ay = (row + .5) * step;
        scores[anchor] = 3;
        v[0] = (float)(cx - ax);
        v[1] = (float)(cy - ay);
        v[2] = v[3] = (float)side;
        for (int k = 0; k < 6; k++) { /* eyes level; the rest at the centre */
            v[4 + 2 * k] = (float)(cx - ax + (k == 0 ? -side / 4 : k == 1 ? side / 4 : 0));
            v[5 + 2 * k] = (float)(cy - ay - (k < 2 ? side / 8 : 0));
        }
    }
}

/* Point i of a face of unit size: a fixed place in -0.5..0.5. */
static inline void unit_point(int i, double *ret_x, double *ret_y)
{
    uint32_t seed = (uint32_t)i * 7919u + 1;
    next_random(&seed);
    *ret_x = .5 * noise(&seed);
    *ret_y = .5 * noise(&seed);
    if (i < 4) { /* the corners, so that the box is the face */
        *ret_x = i & 1 ? .5 : -.5;
        *ret_y = i & 2 ? .5 : -.5;
    }
    if (i == 33 || i == 263) {
        *ret_x = i == 33 ? -.3 : .3;
        *ret_y = -.2;
    }
}

static inline void fill_points(float *out, int n, int stride, const uint16_t *numbers, int first,
                               const double b[4])
{
    for (int i = 0; i < n; i++) {
        double x, y;
        unit_point(numbers ? numbers[i] : first + i, &x, &y);
        out[stride * i] = (float)((b[0] + b[2]) / 2 + x * (b[2] - b[0]));
        out[stride * i + 1] = (float)((b[1] + b[3]) / 2 + y * (b[3] - b[1]));
        if (stride == 3)
            out[3 * i + 2] = (float)(x * (b[2] - b[0]));
    }
}

static inline void fake_mesh(const struct nn_tensor *in, struct nn_tensor *out, bool blind)
{
    double b[4] = {0, 0, 1, 1}, best[4] = {0, 0, 1, 1}, area = 0;
    for (int c = 0; c < N_COLOURS; c++) {
        if (find_colour(in->data, 192, c, 1, 0, b) && (b[2] - b[0]) > area) {
            area = b[2] - b[0];
            memcpy(best, b, sizeof best);
        }
    }
    fill_points(out[0].data, DATA_MESH_POINTS, 3, NULL, 0, best);
    fill_points(out[1].data, FACE_N_LIPS, 2, face_lip_points, 0, best);
    fill_points(out[2].data, FACE_N_EYE, 2, face_left_eye_points, 0, best);
    fill_points(out[3].data, FACE_N_EYE, 2, face_right_eye_points, 0, best);
    fill_points(out[4].data, 5, 2, NULL, 468, best);
    fill_points(out[5].data, 5, 2, NULL, 473, best);
    *(float *)out[6].data = area > 20 && !blind ? 6 : -6;
}

/* Says the colour of the middle: that of the face. */
static inline void fake_faceprint(const struct nn_tensor *in, struct nn_tensor *out)
{
    const float *middle = (const float *)in->data + 3 * (75 * 150 + 75);
    memset(out->data, 0, DATA_FACEPRINT_DIMS * sizeof(float));
    memcpy(out->data, middle, 3 * sizeof(float));
}

static inline int fake_run(void *user, const char *model, const struct nn_tensor *in, size_t n_in,
                           struct nn_tensor *out, size_t n_out)
{
    struct fake *fake = user;
    assert_int_equal(n_in, 1);
    if (strcmp(model, "face_mesh") == 0) {
        assert_int_equal(n_out, 7);
        fake->n_mesh_runs++;
        fake_mesh(in, out, fake->blind);
    } else if (strcmp(model, "faceprint") == 0) {
        assert_int_equal(n_out, 1);
        fake->n_faceprint_runs++;
        fake_faceprint(in, out);
    } else {
        assert_int_equal(n_out, 2);
        fake->n_detector_runs++;
        fake_detector(in, out, strcmp(model, "face_detector_full") == 0);
    }
    return LIP_OK;
}

/* A film whose DISP is its IMG turned and stretched. */
static inline struct data_film make_film(int img_w, int img_h, int rotation_deg, double aspect)
{
    struct data_film f = {.width_px = img_w, .height_px = img_h, .rotation_deg = rotation_deg};
    double w = img_w * aspect, h = img_h;
    bool turned = rotation_deg == 90;
    f.disp_width_px = (int)(turned ? h : w);
    f.disp_height_px = (int)(turned ? w : h);
    if (turned) /* clockwise: the picture's left edge becomes the top */
        f.disp_from_img = (struct data_affine){{0, -1, h, aspect, 0, 0}};
    else
        f.disp_from_img = (struct data_affine){{aspect, 0, 0, 0, 1, 0}};
    f.img_from_disp = image_affine_invert(f.disp_from_img);
    return f;
}

/* Paints a face: a square of DISP. Its middle and its reach in IMG say where to look. */
static inline void paint_face(struct data_frame *frame, const struct data_film *film, int colour,
                              double cx, double cy, double side)
{
    static const int plane_of[2] = {2, 0}; /* planes are G, B, R */
    double mx, my, reach = side;           /* pixels are at most that much narrower in DISP */
    image_affine_apply(&film->img_from_disp, cx, cy, &mx, &my);
    int x0 = (int)fmax(mx - reach, 0), x1 = (int)fmin(mx + reach, frame->width_px);
    int y0 = (int)fmax(my - reach, 0), y1 = (int)fmin(my + reach, frame->height_px);
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            double dx, dy;
            image_affine_apply(&film->disp_from_img, x + .5, y + .5, &dx, &dy);
            if (fabs(dx - cx) >= side / 2 || fabs(dy - cy) >= side / 2)
                continue;
            for (int p = 0; p < 3; p++)
                frame->plane[p].data[y * frame->plane[p].stride_bytes + x] =
                    p == plane_of[colour] ? 204 : 0;
        }
    }
}

/* A ground that tells scenes apart, without a trace of colour. */
static inline void paint_ground(struct data_frame *frame, uint32_t scene)
{
    uint32_t seed = scene * 977u + 5;
    uint8_t cells[12][20];
    for (int j = 0; j < 12; j++)
        for (int i = 0; i < 20; i++)
            cells[j][i] = (uint8_t)(next_random(&seed) % 120);
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < frame->height_px; y++)
            for (int x = 0; x < frame->width_px; x++)
                frame->plane[p].data[y * frame->plane[p].stride_bytes + x] =
                    cells[y * 12 / frame->height_px][x * 20 / frame->width_px];
}

#endif
