/* SPDX-License-Identifier: MIT
 * bench/quality: what there is to see. */
#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "image/image.h"

#define FACE 300
#define MOUTH_W 400
#define SHEET_W (2 * FACE + 2 * MOUTH_W)
#define SHEET_H FACE

void sheet_init(struct sheet *s, int n_rows, int64_t first, int64_t end)
{
    *s = (struct sheet){.n_rows = n_rows < SHEET_ROWS_MAX ? n_rows : SHEET_ROWS_MAX};
    s->first = first;
    s->n_frames = end - first;
}

void sheet_done(struct sheet *s)
{
    base_free(s->rgb);
    s->rgb = NULL;
}

/* A square-pixel view of DISP around (x, y), w_disp pixels wide, into a w x h tile. */
static int tile(const struct clip *clip, const struct data_frame *frame, double x, double y,
                double w_disp, int w, int h, uint8_t *ret, int stride)
{
    double k = w_disp / w;
    struct data_affine disp_from_out = {{k, 0, x - k * w / 2, 0, k, y - k * h / 2}};
    struct image_crop crop = {
        w, h, image_affine_multiply(clip->film.img_from_disp, disp_from_out), 255, .5f, false};
    float *rgb = base_alloc_array((size_t)w * (size_t)h, 3 * sizeof *rgb);
    int status = rgb ? image_crop_frame(frame, &crop, rgb) : -1;
    for (int j = 0; status == 0 && j < h; j++)
        for (int i = 0; i < 3 * w; i++)
            ret[j * stride + i] = (uint8_t)fminf(fmaxf(rgb[j * 3 * w + i], 0), 255);
    base_free(rgb);
    return status;
}

int sheet_add(struct sheet *s, const struct clip *clip, int64_t index,
              const struct data_frame *real, const struct data_frame *out)
{
    if (s->n_done >= s->n_rows ||
        index < s->first + (2 * s->n_done + 1) * s->n_frames / (2 * s->n_rows))
        return 0;
    if (!s->rgb)
        s->rgb = base_alloc_array((size_t)s->n_rows, 3 * SHEET_W * SHEET_H);
    if (!s->rgb)
        return -1;
    const struct data_face_geom *g = &clip->geoms[index];
    const struct data_frame *both[2] = {real, out};
    uint8_t *row = s->rgb + (size_t)s->n_done * 3 * SHEET_W * SHEET_H;
    double mx = .5 * (g->disp[13][0] + g->disp[14][0]), my = .5 * (g->disp[0][1] + g->disp[17][1]);
    for (int k = 0; k < 2; k++) {
        if (tile(clip, both[k], g->disp[4][0], g->disp[4][1], 2.6 * g->scale, FACE, FACE,
                 row + (size_t)k * 3 * FACE, 3 * SHEET_W) < 0 ||
            tile(clip, both[k], mx, my, 1.3 * g->scale, MOUTH_W, SHEET_H,
                 row + 3 * (2 * FACE + (size_t)k * MOUTH_W), 3 * SHEET_W) < 0)
            return -1;
    }
    s->n_done++;
    return 0;
}

/* As PPM: needs no library, and every viewer of a developer reads it. */
int sheet_write(const struct sheet *s, const char *path)
{
    if (!s->n_done)
        return 0;
    FILE *f = fopen(path, "wb");
    size_t n = (size_t)s->n_done * 3 * SHEET_W * SHEET_H;
    bool good = f && fprintf(f, "P6 %d %d 255\n", SHEET_W, s->n_done * SHEET_H) > 0 &&
                fwrite(s->rgb, 1, n, f) == n;
    if (f && fclose(f) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "cannot write '%s'\n", path);
    return good ? 0 : -1;
}
