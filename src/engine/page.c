/* SPDX-License-Identifier: MIT
 *
 * The report as a page: one file, nothing loaded from anywhere, no script. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "engine/timeline.h"

#define WHERE "engine/page"
#define PAGE_MAX ((size_t)64 << 20)
#define PX_PER_S 40.
#define WIDTH_MIN 960.
#define WIDTH_MAX 12000.
#define WAVE_Y 0.
#define WAVE_H 56.
#define CURVE_Y 64.
#define CURVE_H 150.
#define STATE_Y 222.
#define STATE_H 20.
#define WARN_Y 248.
#define WARN_H 12.
#define AXIS_Y 262.
#define HEIGHT 286
#define PLACES_MAX 12 /* listed under a warning; the time line shows all */

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fbfbf9;--card:#fff;--ink:#1c1e21;--soft:#5b626b;"
    "--line:#d9dbdf;--good:#1c7f4b;--look:#a86400;--poor:#b3322e;--edited:#3aa76d;"
    "--matching:#a3cdb7;--said:#2f6fd0;--drawn:#d0561f;--wave:#c3c9d2;--no_face:#8b929c;"
    "--profile:#e0a100;--tiny:#a06cc0;--unsure:#d9534f;--held:#6f8fcf;"
    "--outside:#dfe1e5;--occluded:#8a5a2b;--other:#c06c9a}"
    "@media(prefers-color-scheme:dark){:root{--bg:#15171a;--card:#1e2125;--ink:#e8e9eb;"
    "--soft:#a0a7b0;--line:#363b42;--outside:#2b2f35;--good:#5fd094;--look:#f0b34a;--poor:#ff8078;"
    "--edited:#36915f;--matching:#33594a;--said:#78aaf5;--drawn:#f28a55;--wave:#434a54}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif}main{max-width:1060px;margin:0 auto;padding:24px 16px 48px}"
    "h1{font-size:1.35rem;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:32px 0 "
    "8px}p{margin:4px 0}.soft{color:var(--soft);font-size:.9rem}.card{background:var(--card);"
    "border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:12px 0}"
    ".verdict{border-left:6px solid var(--soft);font-size:1.1rem}.verdict.good{border-color:"
    "var(--good)}.verdict.look{border-color:var(--look)}.verdict.poor{border-color:var(--poor)}"
    ".facts{display:flex;flex-wrap:wrap;gap:4px 28px}.facts b{font-size:1.15rem}"
    ".scroll{overflow-x:auto}svg{display:block}svg text{fill:var(--soft);font:11px system-ui,"
    "sans-serif}.wave{stroke:var(--wave);fill:none}.said{stroke:var(--said);fill:none;"
    "stroke-width:1.4}.drawn{stroke:var(--drawn);fill:none;stroke-width:1.2}.seen{fill:none;"
    "stroke:var(--ink);stroke-width:1}.rule{stroke:var(--line)}.mark{fill:var(--look)}"
    ".key{display:inline-flex;align-items:center;gap:6px;margin:4px 16px 0 0;font-size:.85rem;"
    "color:var(--soft)}.key i{width:14px;height:10px;border-radius:2px;display:inline-block}"
    ".key i.ring{width:9px;height:9px;border:1px solid var(--ink);border-radius:50%}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:8px 10px 8px 0;border-top:1px solid var(--line);font-weight:400}"
    "td.value{white-space:nowrap;font-size:1.1rem;font-variant-numeric:tabular-nums}"
    "td.value.good{color:var(--good)}td.value.bad{color:var(--look)}"
    "td.wrap,td code{overflow-wrap:anywhere}code{font-size:.82rem}"
    "ul{padding-left:20px;margin:6px 0}li{margin:6px 0}details{margin:10px 0}"
    "summary{cursor:pointer}@media(max-width:640px){.figures thead{display:none}.figures tr{"
    "display:grid;grid-template-columns:1fr auto;border-top:1px solid var(--line);padding:8px 0}"
    ".figures td,.figures th{border:0;padding:0}.figures td.why{grid-column:1/3}}";

struct page {
    const struct report_input *in;
    const json_t *report;
    struct base_buffer out;
    float *peaks; /* of the voice, one a column */
    double length_s, width, px_per_s;
};

static void put(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Short pieces only; longer ones are text. */
static void put(struct page *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        base_buffer_put(&p->out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_raw(struct page *p, const char *text)
{
    base_buffer_put(&p->out, text, strlen(text));
}

/* Text of others: what HTML would read as its own is written in its own way. */
static void put_text(struct page *p, const char *text)
{
    for (; text && *text; text++) {
        const char *said = *text == '<'    ? "&lt;"
                           : *text == '>'  ? "&gt;"
                           : *text == '&'  ? "&amp;"
                           : *text == '"'  ? "&quot;"
                           : *text == '\'' ? "&#39;"
                                           : NULL;
        if (said)
            put_raw(p, said);
        else
            base_buffer_put(&p->out, text, 1);
    }
}

/* The time line ------------------------------------------------------------------------------- */

static int read_peaks(struct page *p, struct lip_error *err)
{
    size_t n = (size_t)p->width + 1;
    p->peaks = base_alloc_array(n, sizeof *p->peaks);
    return p->peaks ? timeline_peaks(p->in->job, p->px_per_s, n, p->peaks, err)
                    : base_error_nomem(err, WHERE);
}

static void put_wave(struct page *p)
{
    float loudest = 1e-4f;
    for (size_t x = 0; x < (size_t)p->width; x++)
        loudest = fmaxf(loudest, p->peaks[x]);
    put_raw(p, "<path class=\"wave\" d=\"");
    for (size_t x = 0; x < (size_t)p->width; x++) {
        double h = .5 * WAVE_H * (double)(p->peaks[x] / loudest), middle = WAVE_Y + .5 * WAVE_H;
        if (h >= .5)
            put(p, "M%zu %.0fV%.0f", x, middle - h, middle + h);
    }
    put_raw(p, "\"/>\n");
}

/* Of the wish or of the drawn mouth; where many frames share a column, their extremes. */
static void put_curve(struct page *p, bool drawn)
{
    const struct trace *t = &p->in->stats->trace;
    struct plan walk = *p->in->plan;
    struct plan_frame f;
    double high = fmax(1.4 * (double)trace_widest(t), .05), last_x = -2;
    bool open = false;
    plan_rewind(&walk);
    while (plan_next(&walk, &f)) {
        const struct trace_frame *frame = &t->frames[f.index];
        bool is_shown = perform_follows(p->in->stats->state[f.index]);
        uint16_t v = !drawn ? frame->said : is_shown ? frame->drawn : TRACE_NONE;
        double x = plan_seconds(&walk, f.pts) * p->px_per_s;
        if (v == TRACE_NONE) {
            put_raw(p, open ? "\"/>\n" : "");
            open = false;
            continue;
        }
        if (open && x - last_x < .4)
            continue;
        double y = CURVE_Y + CURVE_H * (1 - fmin(1, (double)trace_opening(v) / high));
        if (!open)
            put(p, "<polyline class=\"%s\" points=\"", drawn ? "drawn" : "said");
        put(p, "%.1f,%.1f ", x, y);
        open = true;
        last_x = x;
    }
    put_raw(p, open ? "\"/>\n" : "");
}

static void put_seen(struct page *p)
{
    const struct trace *t = &p->in->stats->trace;
    struct plan walk = *p->in->plan;
    struct plan_frame f;
    double high = fmax(1.4 * (double)trace_widest(t), .05);
    plan_rewind(&walk);
    while (plan_next(&walk, &f)) {
        uint16_t v = p->in->stats->seen[f.index];
        if (v != TRACE_NONE)
            put(p, "<circle class=\"seen\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>",
                plan_seconds(&walk, f.pts) * p->px_per_s,
                CURVE_Y + CURVE_H * (1 - fmin(1, (double)trace_opening(v) / high)));
    }
    put_raw(p, "\n");
}

static void put_ranges(struct page *p, const struct judge_ranges *r, const char *name, double y,
                       double h, const char *title)
{
    char from[24], to[24];
    for (size_t i = 0; i < r->n; i++) {
        judge_time(r->at[i].from_s, from);
        judge_time(r->at[i].to_s, to);
        put(p, "<rect style=\"fill:var(--%s,var(--other))\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"><title>", name, r->at[i].from_s * p->px_per_s, y,
            fmax(.6, (r->at[i].to_s - r->at[i].from_s) * p->px_per_s), h);
        put_text(p, title);
        put(p, ", %s to %s</title></rect>\n", from, to);
    }
}

static void put_axis(struct page *p)
{
    static const double steps[] = {1, 2, 5, 10, 30, 60, 300, 600, 1800};
    size_t k = 0;
    while (k + 1 < sizeof steps / sizeof *steps && steps[k] * p->px_per_s < 60)
        k++;
    for (double t_s = 0; t_s <= p->length_s; t_s += steps[k]) {
        char text[24];
        judge_time(t_s, text);
        put(p, "<line class=\"rule\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%.0f\"/>"
            "<text x=\"%.1f\" y=\"%.0f\">%s</text>\n", t_s * p->px_per_s, t_s * p->px_per_s,
            AXIS_Y, t_s * p->px_per_s + 3, AXIS_Y + 16, text);
    }
}

static void put_timeline(struct page *p)
{
    const struct judgement *judged = p->in->judged;
    put(p, "<h2>Time line</h2>\n<div class=\"card\"><div class=\"scroll\"><svg role=\"img\" "
        "aria-label=\"mouth, edits and warnings over time\" width=\"%.0f\" height=\"%d\">\n",
        p->width + 40, HEIGHT);
    put_axis(p);
    put_wave(p);
    put_curve(p, false);
    put_curve(p, true);
    put_seen(p);
    put_ranges(p, &judged->edited, "edited", STATE_Y, STATE_H, "edited");
    put_ranges(p, &judged->matching, "matching", STATE_Y, STATE_H, "matches already");
    put_ranges(p, &judged->outside, "outside", STATE_Y, STATE_H, "not to be edited");
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        put_ranges(p, &judged->declined[k], lip_decline_name(k), STATE_Y, STATE_H,
                   lip_decline_name(k));
    for (size_t i = 0; i < judged->n_warnings; i++)
        if (judged->warnings[i].at && judged->warnings[i].is_serious)
            put_ranges(p, judged->warnings[i].at, "look", WARN_Y, WARN_H, judged->warnings[i].text);
    put_raw(p, "</svg></div>\n<p>");
    static const char *const keys[][2] = {
        {"wave", "the new voice"}, {"said", "opening that the voice asks for"},
        {"drawn", "opening that was drawn"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(p, "<span class=\"key\"><i style=\"background:var(--%s)\"></i>%s</span>", keys[i][0],
            keys[i][1]);
    put_raw(p, "<span class=\"key\"><i class=\"ring\"></i>found again in the result</span>");
    put_raw(p, "<span class=\"key\"><i style=\"background:var(--edited)\"></i>edited</span>");
    if (judged->matching.n)
        put_raw(p, "<span class=\"key\"><i style=\"background:var(--matching)\"></i>the film's own "
                "mouth matches already</span>");
    if (judged->outside.n)
        put_raw(p, "<span class=\"key\"><i style=\"background:var(--outside)\"></i>not to be "
                "edited</span>");
    for (int k = 0; k < LIP_DECLINE_COUNT; k++)
        if (judged->declined[k].n)
            put(p, "<span class=\"key\"><i style=\"background:var(--%s,var(--other))\"></i>left as "
                "it was: %s</span>", lip_decline_name(k), lip_decline_name(k));
    put_raw(p, "<span class=\"key\"><i style=\"background:var(--look)\"></i>look here</span>"
            "</p></div>\n");
}

/* Words and tables ----------------------------------------------------------------------------- */

static const char *text_at(const json_t *o, const char *a, const char *b)
{
    const char *text = json_string_value(json_object_get(json_object_get(o, a), b));
    return text ? text : "";
}

static void put_head(struct page *p)
{
    const struct judgement *judged = p->in->judged;
    put_raw(p, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'unsafe-inline'\"><title>");
    put_text(p, text_at(p->report, "output", "file"));
    put_raw(p, " - lipsync report</title><style>");
    put_raw(p, style);
    put_raw(p, "</style></head><body><main>\n<p class=\"soft\">lipsync report</p><h1>");
    put_text(p, text_at(p->report, "output", "file"));
    put(p, "</h1>\n<div class=\"card verdict %s\">", lip_verdict_name(judged->verdict));
    put_text(p, judged->sentence);
    put_raw(p, "</div>\n");
}

static void put_facts(struct page *p)
{
    const struct report_input *in = p->in;
    char length[24];
    double n = (double)(in->stats->n_frames > 0 ? in->stats->n_frames : 1);
    int64_t left = in->stats->n_frames - in->judged->edited.n_frames -
                   in->judged->matching.n_frames;
    size_t n_mouths = 0;
    for (size_t i = 0; i < in->roles->n_casts; i++)
        n_mouths += in->roles->casts[i].bank.n;
    judge_time(p->length_s, length);
    put(p, "<div class=\"card facts\"><span><b>%s</b> <span class=\"soft\">long</span></span>"
        "<span><b>%.1f %%</b> <span class=\"soft\">of %lld frames edited</span></span>", length,
        100 * (double)in->judged->edited.n_frames / n, (long long)in->stats->n_frames);
    put(p, "<span><b>%.1f %%</b> <span class=\"soft\">match already</span></span>"
        "<span><b>%.1f %%</b> <span class=\"soft\">left as they were</span></span>",
        100 * (double)in->judged->matching.n_frames / n, 100 * (double)left / n);
    put(p, "<span><b>%zu</b> <span class=\"soft\">mouths of the person's own used</span></span>"
        "</div>\n", n_mouths);
}

static void put_value(struct page *p, const struct judge_figure_info *info, double v)
{
    if (info->is_share)
        put(p, "%.0f&nbsp;%%", 100 * v);
    else
        put(p, "%.2f", v);
}

static void put_figures(struct page *p)
{
    put_raw(p, "<h2>Figures</h2>\n<div class=\"card\"><table class=\"figures\"><tbody>\n");
    for (int i = 0; i < JUDGE_FIGURES; i++) {
        const struct judge_figure_info *info = &judge_figures[i];
        const struct judge_figure *f = &p->in->judged->figures[i];
        bool known = !isnan(f->value), good = f->value >= info->low && f->value <= info->high;
        put(p, "<tr><th>%s</th><td class=\"value %s\">", info->title,
            !known ? "soft" : good ? "good" : "bad");
        if (known)
            put_value(p, info, f->value);
        else
            put_raw(p, "&ndash;");
        put_raw(p, "</td><td class=\"soft\">good: ");
        if (info->low > 0)
            put_value(p, info, info->low);
        put_raw(p, info->low <= 0 ? "up to " : info->high < 1.001 ? " and more" : " to ");
        if (info->low <= 0 || info->high > 1.001)
            put_value(p, info, info->high);
        put_raw(p, "</td><td class=\"soft why\">");
        put_text(p, info->meaning);
        if (!known && f->why_not) {
            put_raw(p, " <b>Not measured:</b> ");
            put_text(p, f->why_not);
            put_raw(p, ".");
        }
        put_raw(p, "</td></tr>\n");
    }
    put_raw(p, "</tbody></table></div>\n");
}

static void put_places(struct page *p, const struct judge_ranges *r)
{
    put_raw(p, "<br><span class=\"soft\">");
    for (size_t i = 0; i < r->n && i < PLACES_MAX; i++) {
        char from[24], to[24];
        judge_time(r->at[i].from_s, from);
        judge_time(r->at[i].to_s, to);
        put(p, strcmp(from, to) ? "%s%s&ndash;%s" : "%s%s", i ? ", " : "", from, to);
    }
    put(p, r->n > PLACES_MAX ? " and %zu more</span>" : "</span>", r->n - PLACES_MAX);
}

static void put_warnings(struct page *p)
{
    const struct judgement *judged = p->in->judged;
    if (!judged->n_warnings)
        return;
    put_raw(p, "<h2>Notes</h2>\n<div class=\"card\"><ul>\n");
    for (size_t i = 0; i < judged->n_warnings; i++) {
        const struct judge_warning *w = &judged->warnings[i];
        put_raw(p, w->is_serious ? "<li><b>" : "<li>");
        put_text(p, w->text);
        put_raw(p, w->is_serious ? ".</b> " : ". ");
        put_text(p, w->remedy);
        if (w->at)
            put_places(p, w->at);
        put_raw(p, "</li>\n");
    }
    put_raw(p, "</ul></div>\n");
}

static void put_row(struct page *p, const char *name, const json_t *value)
{
    char text[40];
    put_raw(p, "<tr><th>");
    put_text(p, name);
    put_raw(p, "</th><td class=\"wrap\">");
    if (json_is_string(value))
        put_text(p, json_string_value(value));
    else if (json_is_boolean(value))
        put_raw(p, json_is_true(value) ? "yes" : "no");
    else if (json_is_number(value)) {
        snprintf(text, sizeof text, "%.10g", json_number_value(value));
        put_text(p, text);
    } else {
        put_raw(p, "&ndash;");
    }
    put_raw(p, "</td></tr>\n");
}

static void put_table(struct page *p, const char *title, json_t *o)
{
    const char *key = NULL;
    json_t *value = NULL;
    put(p, "<details><summary>%s</summary><table>\n", title);
    json_object_foreach(o, key, value)
        if (!json_is_object(value) && !json_is_array(value))
            put_row(p, key, value);
    put_raw(p, "</table></details>\n");
}

/* A line each: where, what is heard, whose mouth. */
static void put_segments(struct page *p)
{
    const struct segments *all = p->in->segments;
    if (!all->n)
        return;
    put_raw(p, "<h2>Segments</h2>\n<div class=\"card\"><table>\n<tr><th>In the result</th>"
            "<th>In the film</th><th>Voice</th><th>Face</th></tr>\n");
    for (size_t i = 0; i < all->n; i++) {
        const struct segment *s = &all->at[i];
        const struct role *role = roles_find(p->in->roles, s->first);
        const struct cast *cast = role ? &p->in->roles->casts[role->cast] : NULL;
        put(p, "<tr><td>%.2f&ndash;%.2f s</td><td>%.2f&ndash;%.2f s</td><td class=\"wrap\">",
            (double)s->out_us * 1e-6, (double)s->out_to_us * 1e-6, (double)s->from_us * 1e-6,
            (double)s->to_us * 1e-6);
        put_text(p, all->voices[s->voice].path);
        put(p, ", %.2f&ndash;%.2f s</td><td>%d</td></tr>\n", (double)s->voice_from_us * 1e-6,
            (double)(s->voice_from_us + s->voice_us) * 1e-6,
            cast && cast->n_faces ? cast->faces[cast->chosen].number : 0);
    }
    put_raw(p, "</table></div>\n");
}

/* Where each face was edited, when there are several. */
static void put_faces(struct page *p)
{
    const struct roles *roles = p->in->roles;
    if (roles->n_casts < 2)
        return;
    put_raw(p, "<h2>Faces</h2>\n<div class=\"card\"><table>\n");
    for (size_t i = 0; i < roles->n_casts; i++) {
        const struct cast *cast = &roles->casts[i];
        const struct judge_ranges *at = &p->in->judged->edited_of[i];
        put(p, "<tr><th>Face %d</th><td class=\"wrap\">",
            cast->n_faces ? cast->faces[cast->chosen].number : 0);
        for (size_t k = 0; k < at->n && k < PLACES_MAX; k++)
            put(p, "%s%.2f&ndash;%.2f s", k ? ", " : "edited at ", at->at[k].from_s,
                at->at[k].to_s);
        put_raw(p, !at->n ? "never edited" : at->n > PLACES_MAX ? " and more" : "");
        put_raw(p, "</td></tr>\n");
    }
    put_raw(p, "</table></div>\n");
}

static void put_details(struct page *p)
{
    const json_t *costs = json_object_get(p->report, "costs");
    put_raw(p, "<h2>Details</h2>\n<div class=\"card\">\n");
    put_table(p, "The film", json_object_get(p->report, "film"));
    put_table(p, "The voice", json_object_get(p->report, "voice"));
    put_table(p, "The output", json_object_get(p->report, "output"));
    put_table(p, "Settings", json_object_get(p->report, "settings"));
    put_table(p, "The face", json_object_get(p->report, "face"));
    put_table(p, "Mark and consent", json_object_get(p->report, "mark"));
    put_table(p, "Program", json_object_get(p->report, "program"));
    put_table(p, "Seconds per stage", json_object_get(costs, "stage_s"));
    put_table(p, "Time and memory", json_object_get(p->report, "costs"));
    put_raw(p, "</div>\n</main></body></html>\n");
}

int page_write(const char *path, const struct report_input *in, const json_t *report,
               struct lip_error *err)
{
    struct page p = {.in = in, .report = report,
                     .length_s = (double)plan_total_us(in->plan) * 1e-6};
    p.width = fmin(fmax(p.length_s * PX_PER_S, WIDTH_MIN), WIDTH_MAX);
    p.px_per_s = p.width / fmax(p.length_s, .1);
    base_buffer_init(&p.out, PAGE_MAX);
    int r = read_peaks(&p, err);
    if (!r) {
        put_head(&p);
        put_facts(&p);
        put_timeline(&p);
        put_warnings(&p);
        put_segments(&p);
        put_faces(&p);
        put_figures(&p);
        put_details(&p);
        r = p.out.status ? base_error_set(err, p.out.status, WHERE, "the page is too large")
                         : base_fs_write(path, p.out.data, p.out.size, err);
    }
    base_free(p.peaks);
    base_buffer_done(&p.out);
    return r;
}
