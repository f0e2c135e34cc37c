/* SPDX-License-Identifier: MIT */
#include "engine/picture.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "image/image.h"
#include "media/media.h"

#define GLYPH_W 5
#define GLYPH_H 7

/* Rows of five dots, the leftmost one is bit 4. */
static const struct {
    char letter;
    uint8_t rows[GLYPH_H];
} font[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},
    {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {30, 1, 1, 14, 1, 1, 30}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},
    {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {'A', {14, 17, 17, 31, 17, 17, 17}}, {'B', {30, 17, 17, 30, 17, 17, 30}},
    {'C', {14, 17, 16, 16, 16, 17, 14}}, {'D', {30, 17, 17, 17, 17, 17, 30}},
    {'E', {31, 16, 16, 30, 16, 16, 31}}, {'F', {31, 16, 16, 30, 16, 16, 16}},
    {'G', {14, 17, 16, 23, 17, 17, 15}}, {'H', {17, 17, 17, 31, 17, 17, 17}},
    {'I', {14, 4, 4, 4, 4, 4, 14}},      {'J', {7, 2, 2, 2, 2, 18, 12}},
    {'K', {17, 18, 20, 24, 20, 18, 17}}, {'L', {16, 16, 16, 16, 16, 16, 31}},
    {'M', {17, 27, 21, 21, 17, 17, 17}}, {'N', {17, 25, 21, 19, 17, 17, 17}},
    {'O', {14, 17, 17, 17, 17, 17, 14}}, {'P', {30, 17, 17, 30, 16, 16, 16}},
    {'Q', {14, 17, 17, 17, 21, 18, 13}}, {'R', {30, 17, 17, 30, 20, 18, 17}},
    {'S', {15, 16, 16, 14, 1, 1, 30}},   {'T', {31, 4, 4, 4, 4, 4, 4}},
    {'U', {17, 17, 17, 17, 17, 17, 14}}, {'V', {17, 17, 17, 17, 17, 10, 4}},
    {'W', {17, 17, 17, 21, 21, 27, 17}}, {'X', {17, 17, 10, 4, 10, 17, 17}},
    {'Y', {17, 17, 10, 4, 4, 4, 4}},     {'Z', {31, 1, 2, 4, 8, 16, 31}},
    {'.', {0, 0, 0, 0, 0, 12, 12}},      {'-', {0, 0, 0, 31, 0, 0, 0}},
    {':', {0, 12, 12, 0, 12, 12, 0}},    {'/', {1, 1, 2, 4, 8, 16, 16}},
    {'%', {24, 25, 2, 4, 8, 19, 3}},     {'(', {2, 4, 8, 8, 8, 4, 2}},
    {')', {8, 4, 2, 2, 2, 4, 8}},
};

int picture_init(struct picture *p, int width_px, int height_px, uint8_t grey)
{
    *p = (struct picture){width_px, height_px, NULL};
    size_t n = (size_t)width_px * (size_t)height_px * 3;
    p->rgb = base_alloc(n);
    if (!p->rgb)
        return LIP_ERR_NOMEM;
    memset(p->rgb, grey, n);
    return LIP_OK;
}

void picture_done(struct picture *p)
{
    base_free(p->rgb);
    p->rgb = NULL;
}

int picture_put_frame(struct picture *p, const struct data_film *film,
                      const struct data_frame *frame, const struct picture_view *v)
{
    struct data_affine disp_from_out = {{v->w / v->w_px, 0, v->x, 0, v->h / v->h_px, v->y}};
    struct image_crop crop = {
        .w = v->w_px, .h = v->h_px, .scale = 1,
        .img_from_out = image_affine_multiply(film->img_from_disp, disp_from_out)};
    float *rgb = base_alloc_array((size_t)v->w_px * (size_t)v->h_px * 3, sizeof *rgb);
    if (!rgb)
        return LIP_ERR_NOMEM;
    int r = image_crop_frame(frame, &crop, rgb);
    for (int y = 0; !r && y < v->h_px; y++)
        for (int x = 0; x < v->w_px * 3; x++) {
            int to_y = v->to_y + y, to_x = v->to_x * 3 + x;
            if (to_y < 0 || to_y >= p->height_px || to_x < 0 || to_x >= p->width_px * 3)
                continue;
            float s = rgb[y * v->w_px * 3 + x] * 255.f + 0.5f;
            p->rgb[(size_t)to_y * (size_t)p->width_px * 3 + (size_t)to_x] =
                (uint8_t)(s < 0 ? 0 : s > 255 ? 255 : s);
        }
    base_free(rgb);
    return r;
}

static void put_dot(struct picture *p, int x, int y, int zoom)
{
    for (int j = y; j < y + zoom; j++)
        for (int i = x; i < x + zoom; i++)
            if (i >= 0 && j >= 0 && i < p->width_px && j < p->height_px)
                memset(p->rgb + ((size_t)j * (size_t)p->width_px + (size_t)i) * 3, 255, 3);
}

void picture_put_text(struct picture *p, int x, int y, int zoom, const char *text)
{
    for (; *text; text++, x += (GLYPH_W + 1) * zoom)
        for (size_t g = 0; g < sizeof font / sizeof *font; g++) {
            if (font[g].letter != toupper((unsigned char)*text))
                continue;
            for (int row = 0; row < GLYPH_H; row++)
                for (int col = 0; col < GLYPH_W; col++)
                    if (font[g].rows[row] >> (GLYPH_W - 1 - col) & 1)
                        put_dot(p, x + col * zoom, y + row * zoom, zoom);
        }
}

int picture_write_png(const struct picture *p, const char *path, struct lip_error *err)
{
    return media_png_write(path, p->rgb, p->width_px, p->height_px, err);
}
