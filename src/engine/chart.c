/* SPDX-License-Identifier: MIT */
#include "engine/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

#define WHERE "engine/chart"
#define GROUND "#181818"
#define SVG_MAX ((size_t)64 << 20)

static void put(struct chart *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct chart *c, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        base_buffer_put(&c->svg, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcmp(path + n - m, ending);
}

int chart_init(struct chart *c, const char *path, int width_px, int height_px,
               struct lip_error *err)
{
    *c = (struct chart){.width_px = width_px, .height_px = height_px,
                        .is_svg = ends_in(path, ".svg")};
    if (!c->is_svg && !ends_in(path, ".png"))
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE, "'%s' must end in .svg or .png",
                              path);
    if (!c->is_svg)
        return picture_init(&c->picture, width_px, height_px, 0x18) ? base_error_nomem(err, WHERE)
                                                                    : LIP_OK;
    base_buffer_init(&c->svg, SVG_MAX);
    put(c, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n", width_px,
        height_px);
    chart_bar(c, 0, 0, width_px, height_px, GROUND);
    return LIP_OK;
}

void chart_done(struct chart *c)
{
    if (c->is_svg)
        base_buffer_done(&c->svg);
    else
        picture_done(&c->picture);
}

int chart_write(struct chart *c, const char *path, struct lip_error *err)
{
    if (!c->is_svg)
        return picture_write_png(&c->picture, path, err);
    chart_lift(c);
    put(c, "</svg>\n");
    if (c->svg.status)
        return base_error_set(err, c->svg.status, WHERE, "the drawing is too large");
    return base_fs_write(path, c->svg.data, c->svg.size, err);
}

static void dot(struct chart *c, int x, int y, unsigned long colour)
{
    if (x < 0 || y < 0 || x >= c->width_px || y >= c->height_px)
        return;
    uint8_t *to = c->picture.rgb + ((size_t)y * (size_t)c->width_px + (size_t)x) * 3;
    for (int i = 0; i < 3; i++)
        to[i] = (uint8_t)(colour >> (16 - 8 * i));
}

static unsigned long number_of(const char *colour)
{
    return strtoul(colour + 1, NULL, 16);
}

void chart_bar(struct chart *c, double x, double y, double w, double h, const char *colour)
{
    if (c->is_svg) {
        put(c, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y,
            w, h, colour);
        return;
    }
    unsigned long number = number_of(colour);
    for (int j = (int)lround(y); j < (int)lround(y + h); j++)
        for (int i = (int)lround(x); i < (int)lround(x + w); i++)
            dot(c, i, j, number);
}

void chart_lift(struct chart *c)
{
    if (c->drawing && c->is_svg)
        put(c, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", c->series);
    c->drawing = false;
}

void chart_line_to(struct chart *c, double x, double y, const char *colour)
{
    if (c->is_svg) {
        put(c, c->drawing ? " %.1f,%.1f" : "<polyline points=\"%.1f,%.1f", x, y);
    } else if (c->drawing) {
        int n = 1 + (int)(2 * fmax(fabs(x - c->last_x), fabs(y - c->last_y)));
        for (int i = 0; i <= n; i++) { /* two dots high, so that it is seen */
            double part = (double)i / n;
            int at_x = (int)lround(c->last_x + part * (x - c->last_x));
            int at_y = (int)lround(c->last_y + part * (y - c->last_y));
            dot(c, at_x, at_y, number_of(colour));
            dot(c, at_x, at_y + 1, number_of(colour));
        }
    }
    c->series = colour;
    c->drawing = true;
    c->last_x = x;
    c->last_y = y;
}

void chart_text(struct chart *c, double x, double y, const char *colour, const char *text)
{
    if (c->is_svg)
        put(c,
            "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" font-family=\"sans-serif\" "
            "font-size=\"11\">%s</text>\n",
            x, y + 9, colour, text);
    else
        picture_put_text(&c->picture, (int)lround(x), (int)lround(y), 1, text);
}
