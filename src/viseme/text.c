/* SPDX-License-Identifier: MIT
 *
 * The files that are text. Numbers are printed without the C library's locale: a program that sets
 * one must not get a comma for a point. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "viseme/viseme.h"

static const struct {
    const char *name;
    double rate_hz; /* usual */
} formats[VISEME_FORMATS] = {
    [VISEME_RHUBARB_TSV] = {"rhubarb-tsv", 100}, [VISEME_RHUBARB_XML] = {"rhubarb-xml", 100},
    [VISEME_RHUBARB_JSON] = {"rhubarb-json", 100}, [VISEME_MOHO] = {"moho", 24},
    [VISEME_OCULUS_CSV] = {"oculus-csv", 60}, [VISEME_OCULUS_JSON] = {"oculus-json", 60},
    [VISEME_ARKIT_CSV] = {"arkit-csv", 60}, [VISEME_GLTF] = {"gltf", 60},
    [VISEME_GLB] = {"glb", 60},
};

const char *viseme_format_name(int format)
{
    return format >= 0 && format < VISEME_FORMATS ? formats[format].name : NULL;
}

/* Pieces of text ------------------------------------------------------------------------------ */

void viseme_print(struct base_buffer *out, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_buffer_put(out, text, n < 0 ? 0 : n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

/* v >= 0 with so many decimals. */
static void print_fixed(struct base_buffer *out, double v, int decimals)
{
    long long scale = 1, all;
    for (int i = 0; i < decimals; i++)
        scale *= 10;
    all = llround(v * (double)scale);
    viseme_print(out, "%lld.%0*lld", all / scale, decimals, all % scale);
}

static void print_json_text(struct base_buffer *out, const char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            viseme_print(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            viseme_print(out, "\\u%04x", (unsigned)*text);
        else
            base_buffer_put(out, text, 1);
}

/* XML knows no control characters: they are left out. */
static void print_xml_text(struct base_buffer *out, const char *text)
{
    for (; *text; text++)
        if (*text == '&' || *text == '<' || *text == '>')
            viseme_print(out, "&%s;", *text == '&' ? "amp" : *text == '<' ? "lt" : "gt");
        else if ((unsigned char)*text >= 0x20)
            base_buffer_put(out, text, 1);
}

/* Cues ---------------------------------------------------------------------------------------- */

struct cue_list {
    struct viseme_cue *cues;
    size_t n;
    enum viseme_set set;
    double rate_hz, length_s;
};

static const char *name_of(const struct cue_list *list, size_t i)
{
    return viseme_shape_name(list->set, list->cues[i].shape);
}

static double begin_of(const struct cue_list *list, size_t i)
{
    return (double)list->cues[i].first_frame / list->rate_hz;
}

/* The last cue ends with the sound, which ends inside a frame. */
static double end_of(const struct cue_list *list, size_t i)
{
    return i + 1 < list->n ? begin_of(list, i + 1) : fmax(list->length_s, begin_of(list, i));
}

static void write_tsv(const struct cue_list *list, struct base_buffer *out)
{
    for (size_t i = 0; i < list->n; i++) {
        print_fixed(out, begin_of(list, i), 2);
        viseme_print(out, "\t%s\n", name_of(list, i));
    }
    print_fixed(out, end_of(list, list->n - 1), 2);
    viseme_print(out, "\tX\n");
}

static void write_xml(const struct cue_list *list, const char *sound, struct base_buffer *out)
{
    viseme_print(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rhubarbResult>\n  <metadata>\n"
                      "    <soundFile>");
    print_xml_text(out, sound);
    viseme_print(out, "</soundFile>\n    <duration>");
    print_fixed(out, list->length_s, 2);
    viseme_print(out, "</duration>\n  </metadata>\n  <mouthCues>\n");
    for (size_t i = 0; i < list->n; i++) {
        viseme_print(out, "    <mouthCue start=\"");
        print_fixed(out, begin_of(list, i), 2);
        viseme_print(out, "\" end=\"");
        print_fixed(out, end_of(list, i), 2);
        viseme_print(out, "\">%s</mouthCue>\n", name_of(list, i));
    }
    viseme_print(out, "  </mouthCues>\n</rhubarbResult>\n");
}

static void write_json(const struct cue_list *list, const char *sound, struct base_buffer *out)
{
    viseme_print(out, "{\n  \"metadata\": {\n    \"soundFile\": \"");
    print_json_text(out, sound);
    viseme_print(out, "\",\n    \"duration\": ");
    print_fixed(out, list->length_s, 2);
    viseme_print(out, "\n  },\n  \"mouthCues\": [\n");
    for (size_t i = 0; i < list->n; i++) {
        viseme_print(out, "    { \"start\": ");
        print_fixed(out, begin_of(list, i), 2);
        viseme_print(out, ", \"end\": ");
        print_fixed(out, end_of(list, i), 2);
        viseme_print(out, ", \"value\": \"%s\" }%s\n", name_of(list, i),
                     i + 1 < list->n ? "," : "");
    }
    viseme_print(out, "  ]\n}\n");
}

/* Frames count from 1. */
static void write_moho(const struct cue_list *list, struct base_buffer *out)
{
    viseme_print(out, "MohoSwitch1\n");
    for (size_t i = 0; i < list->n; i++)
        viseme_print(out, "%lld %s\n", list->cues[i].first_frame + 1, name_of(list, i));
    viseme_print(out, "%lld rest\n", list->cues[list->n - 1].end_frame + 1);
}

static int write_cues(const struct data_visemes *visemes, enum viseme_format format,
                      double rate_hz, const char *sound, struct base_buffer *out)
{
    struct cue_list list = {.set = format == VISEME_MOHO ? VISEME_PRESTON : VISEME_RHUBARB,
                            .rate_hz = rate_hz, .length_s = visemes->length_s};
    int r = viseme_cues(visemes, list.set, rate_hz, &list.cues, &list.n);
    if (r)
        return r;
    if (format == VISEME_RHUBARB_TSV)
        write_tsv(&list, out);
    else if (format == VISEME_RHUBARB_XML)
        write_xml(&list, sound, out);
    else if (format == VISEME_RHUBARB_JSON)
        write_json(&list, sound, out);
    else
        write_moho(&list, out);
    base_free(list.cues);
    return out->status;
}

/* Weights ------------------------------------------------------------------------------------- */

static void write_oculus_csv(const struct data_visemes *visemes, double rate_hz,
                             struct base_buffer *out)
{
    float w[VISEME_OCULUS];
    viseme_print(out, "time");
    for (int k = 0; k < VISEME_OCULUS; k++)
        viseme_print(out, ",%s", viseme_oculus_name(k));
    for (long long f = 0; f < viseme_n_frames(visemes, rate_hz) && !out->status; f++) {
        viseme_oculus(visemes, (double)f / rate_hz, w);
        viseme_print(out, "\n");
        print_fixed(out, (double)f / rate_hz, 4);
        for (int k = 0; k < VISEME_OCULUS; k++) {
            viseme_print(out, ",");
            print_fixed(out, (double)w[k], 4);
        }
    }
    viseme_print(out, "\n");
}

static void write_oculus_json(const struct data_visemes *visemes, double rate_hz,
                              const char *sound, struct base_buffer *out)
{
    float w[VISEME_OCULUS];
    viseme_print(out, "{\n  \"soundFile\": \"");
    print_json_text(out, sound);
    viseme_print(out, "\",\n  \"duration\": ");
    print_fixed(out, visemes->length_s, 4);
    viseme_print(out, ",\n  \"frameRate\": ");
    print_fixed(out, rate_hz, 6);
    viseme_print(out, ",\n  \"visemes\": [");
    for (int k = 0; k < VISEME_OCULUS; k++)
        viseme_print(out, "%s\"%s\"", k ? ", " : "", viseme_oculus_name(k));
    viseme_print(out, "],\n  \"frames\": [");
    for (long long f = 0; f < viseme_n_frames(visemes, rate_hz) && !out->status; f++) {
        viseme_oculus(visemes, (double)f / rate_hz, w);
        viseme_print(out, "%s\n    [", f ? "," : "");
        for (int k = 0; k < VISEME_OCULUS; k++) {
            viseme_print(out, "%s", k ? ", " : "");
            print_fixed(out, (double)w[k], 4);
        }
        viseme_print(out, "]");
    }
    viseme_print(out, "\n  ]\n}\n");
}

/* Hours, minutes, seconds, the frame inside the second, and what is left of a frame. */
static void print_timecode(struct base_buffer *out, double t_s, double rate_hz)
{
    long long s = (long long)floor(t_s + 1e-9);
    double frame = fmax((t_s - (double)s) * rate_hz, 0);
    long long mills = llround(frame * 1000);
    viseme_print(out, "%02lld:%02lld:%02lld:%02lld.%03lld", s / 3600, s / 60 % 60, s % 60,
                 mills / 1000, mills % 1000);
}

/* The columns of a take that the app Live Link Face saves. Head and eyes do not move. */
static void write_arkit_csv(const struct data_visemes *visemes, double rate_hz,
                            struct base_buffer *out)
{
    static const char *const turns[] = {"Head", "LeftEye", "RightEye"};
    float w[VISEME_ARKIT];
    viseme_print(out, "Timecode,BlendShapeCount");
    for (int k = 0; k < VISEME_ARKIT; k++) {
        const char *name = viseme_arkit_name(k);
        viseme_print(out, ",%c%s", toupper((unsigned char)name[0]), name + 1);
    }
    for (int k = 0; k < 3; k++)
        viseme_print(out, ",%sYaw,%sPitch,%sRoll", turns[k], turns[k], turns[k]);
    for (long long f = 0; f < viseme_n_frames(visemes, rate_hz) && !out->status; f++) {
        viseme_arkit(visemes, (double)f / rate_hz, w);
        viseme_print(out, "\n");
        print_timecode(out, (double)f / rate_hz, rate_hz);
        viseme_print(out, ",%d", VISEME_ARKIT + 9);
        for (int k = 0; k < VISEME_ARKIT + 9; k++) {
            viseme_print(out, ",");
            print_fixed(out, k < VISEME_ARKIT ? (double)w[k] : 0, 8);
        }
    }
    viseme_print(out, "\n");
}

int viseme_write(const struct data_visemes *visemes, enum viseme_format format, double rate_hz,
                 const char *sound, struct base_buffer *out)
{
    rate_hz = rate_hz > 0 ? rate_hz : formats[format].rate_hz;
    if (viseme_n_frames(visemes, rate_hz) > VISEME_FRAMES_MAX)
        return LIP_ERR_LIMIT;
    switch (format) {
    case VISEME_OCULUS_CSV:
        write_oculus_csv(visemes, rate_hz, out);
        return out->status;
    case VISEME_OCULUS_JSON:
        write_oculus_json(visemes, rate_hz, sound, out);
        return out->status;
    case VISEME_ARKIT_CSV:
        write_arkit_csv(visemes, rate_hz, out);
        return out->status;
    case VISEME_GLTF:
    case VISEME_GLB:
        return viseme_write_gltf(visemes, rate_hz, format == VISEME_GLB, out);
    default:
        return write_cues(visemes, format, rate_hz, sound, out);
    }
}
