/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const sync_choices[] = {"bounce", "loop", "cut_off", "silence", "remap", NULL};
static const char *const codec_choices[] = {"h264", "hevc", "prores", "vp9", "av1", "ffv1",
                                            "copy-like-source", "auto", NULL};
#define CODEC_AUTO 7 /* in this list, as in the public header */
static const char *const tier_choices[] = {"standard", "fast", "pro", NULL};
static const char *const occlusion_choices[] = {"auto", "on", "off", NULL};
static const char *const format_choices[] = {"rhubarb-tsv", "rhubarb-xml", "rhubarb-json", "moho",
                                             "oculus-csv", "oculus-json", "arkit-csv", "gltf",
                                             "glb", NULL}; /* as in the public header */
static const char *const fetch_choices[] = {"public", "any", "none", NULL};
static const char *const progress_choices[] = {"auto", "plain", "json", "none", NULL};

#define SERVES (CMD_SERVE | CMD_WORKER)
#define MAKE (CMD_DUB | CMD_RENDER)
#define LOOK (MAKE | CMD_ANALYZE | CMD_FACES)
#define LOOKS (LOOK | CMD_PERSON | CMD_BATCH)
#define MAKES (MAKE | CMD_BATCH)
#define SPEAKS (MAKE | CMD_VISEMES)
#define NETS (LOOKS | CMD_SHEET | CMD_SCORE | CMD_DOCTOR | CMD_VISEMES)
#define ALL 0xffffu
#define AT(field) offsetof(struct settings, field)

const struct option_info cli_options[] = {
    {"output", 'o', OPT_FILE, "FILE",
     "where the result goes; the ending names the container "
     "(mp4, mov, mkv, webm, avi; png for pictures, svg or png for curves)",
     MAKES | CMD_FACES | CMD_SHEET | CMD_SCORE | CMD_PERSON | CMD_VISEMES, AT(output), 0, 0, NULL},
    {"sync", 0, OPT_CHOICE, "MODE",
     "what happens when voice and film differ in length "
     "(default bounce)",
     MAKES, AT(sync), 0, 0, sync_choices},
    {"speaker", 0, OPT_TEXT, "WHO",
     "whose mouth follows the voice: 'largest' (the default: the largest face that stays), 'auto' "
     "(at every moment whoever speaks in the film; nobody where nobody in the picture does), a "
     "number of 'lipsync faces', or X,Y@T as for --face-at",
     MAKE, AT(speaker), 0, 0, NULL},
    {"face", 0, OPT_INT, "N",
     "the face that speaks, as numbered by 'lipsync faces' "
     "(default: the largest that stays)",
     MAKE | CMD_SCORE | CMD_PERSON, AT(face), 1, LIP_FACES_MAX, NULL},
    {"face-at", 0, OPT_TEXT, "X,Y@T",
     "the face at this point (upright pixels) at this time "
     "(seconds)",
     MAKE | CMD_SCORE | CMD_PERSON, AT(face_at), 0, 0, NULL},
    {"face-boxes", 0, OPT_FILE, "FILE.json",
     "the face in each frame's box: a list of [x0, y0, x1, y1] in the film's own pixels, or null "
     "where nobody speaks, one a frame",
     MAKE, AT(face_boxes), 0, 0, NULL},
    {"segment", 0, OPT_LIST, "START-END=AUDIO[:FROM-TO][,speaker=auto|N|X,Y@T][,sync=MODE]"
     "[,temperature=T][,occlusion=MODE]",
     "speak AUDIO, or its piece FROM-TO, from START to END of the film (seconds or M:SS); "
     "elsewhere picture and sound stay the film's; may be given several times",
     MAKE, AT(segment), 0, 0, NULL},
    {"segments", 0, OPT_FILE, "FILE", "the same from a JSON file: docs/guide/segments.md",
     MAKE, AT(segments), 0, 0, NULL},
    {"only", 0, OPT_LIST, "START-END",
     "dub only this part of the film (seconds or M:SS), with the voice lying on the film's clock; "
     "elsewhere picture and sound stay the film's; may be given several times",
     MAKE, AT(only), 0, 0, NULL},
    {"codec", 0, OPT_CHOICE, "NAME", "how the picture is encoded (default auto: like the film)",
     MAKES, AT(codec), 0, 0, codec_choices},
    {"quality", 0, OPT_INT, "N",
     "1 to 100 (default: by the film's own, visually lossless); ffv1 is always lossless",
     MAKES, AT(quality), 1, 100, NULL},
    {"reencode", 0, OPT_FLAG, NULL,
     "encode the whole picture; without it, groups of pictures in which nothing changes are copied "
     "as they are coded, where codec and container allow",
     MAKE, AT(reencode), 0, 0, NULL},
    {"occlusion", 0, OPT_CHOICE, "MODE",
     "keep hands, microphones and the like in front of the mouth: what certainly is one (auto, the "
     "default), also what perhaps is (on), never (off)",
     MAKE | CMD_ANALYZE, AT(occlusion), 0, 0, occlusion_choices},
    {"temperature", 0, OPT_NUMBER, "T",
     "how lively the mouth is, from 0 (calm) to 1 (wide) (default 0.5)",
     MAKES | CMD_SCORE | CMD_VISEMES, AT(temperature), 0, 1, NULL},
    {"format", 'f', OPT_CHOICE, "FORM", "the form of the file that 'visemes' writes", CMD_VISEMES,
     AT(format), 0, 0, format_choices},
    {"fps", 0, OPT_NUMBER, "N",
     "frames a second of that file (default: 100 for rhubarb, 24 for moho, 60 for weights)",
     CMD_VISEMES, AT(rate), 1, 1000, NULL},
    {"score", 0, OPT_FILE, "FILE",
     "keep what was seen and learnt in this file, or use what is in "
     "it",
     LOOKS | CMD_SHEET, AT(score), 0, 0, NULL},
    {"person", 0, OPT_FILE, "FILE",
     "what 'lipsync person learn' wrote: mouths and way of speaking of this person from other "
     "films",
     MAKES, AT(person), 0, 0, NULL},
    {"text", 0, OPT_TEXT, "TEXT", "speak this text instead of a voice file", SPEAKS, AT(text), 0, 0,
     NULL},
    {"text-file", 0, OPT_FILE, "FILE", "speak the text of this file", SPEAKS, AT(text_file), 0, 0,
     NULL},
    {"voice", 0, OPT_TEXT, "NAME",
     "the voice that speaks the text, as the speaking program names it",
     MAKES | CMD_VISEMES, AT(voice), 0, 0, NULL},
    {"language", 0, OPT_TEXT, "NAME", "the language of the text (default en)", MAKES | CMD_VISEMES,
     AT(language), 0, 0, NULL},
    {"tts-command", 0, OPT_TEXT, "COMMAND",
     "the program that speaks: words with {text_file} {voice} {language} {out}, run without a "
     "shell; {out} is the WAV file that it writes (default: espeak-ng)",
     MAKES | CMD_VISEMES, AT(tts_command), 0, 0, NULL},
    {"voice-out", 0, OPT_FILE, "FILE", "keep the spoken text as this WAV file", CMD_VISEMES,
     AT(voice_out), 0, 0, NULL},
    {"jobs", 'j', OPT_INT, "N",
     "jobs of a batch, a server or a worker that run at a time (default 1; 0 with a database: none "
     "here)", CMD_BATCH | SERVES, AT(jobs), 0, 64, NULL},
    {"data", 0, OPT_FILE, "DIR",
     "folder of what the server keeps (default lipsync-data); workers share it", SERVES, AT(data),
     0, 0, NULL},
    {"database", 0, OPT_TEXT, "postgresql://…",
     "keep everything but media there instead of in the folder: for servers and workers on several "
     "machines (default: $LIPSYNC_DATABASE)", SERVES, AT(database), 0, 0, NULL},
    {"storage", 0, OPT_TEXT, "s3://BUCKET/FOLDER",
     "keep media there, for machines that share no folder; --data is a cache then (credentials: "
     "$AWS_ACCESS_KEY_ID and so on)", SERVES, AT(storage), 0, 0, NULL},
    {"storage-endpoint", 0, OPT_TEXT, "URL", "of another S3 store than Amazon's", SERVES,
     AT(endpoint), 0, 0, NULL},
    {"cache-mb", 0, OPT_INT, "N", "how large that cache may be (default 20480)", SERVES,
     AT(cache_mb), 1, 100000000, NULL},
    {"host", 0, OPT_TEXT, "ADDRESS", "the address to listen on (default 127.0.0.1)", CMD_SERVE,
     AT(host), 0, 0, NULL},
    {"port", 0, OPT_INT, "N", "the port to listen on, 0 for any free one (default 8080)", CMD_SERVE,
     AT(port), 0, 65535, NULL},
    {"public-url", 0, OPT_TEXT, "URL",
     "what links begin with (default: as the client called the server)", CMD_SERVE, AT(public_url),
     0, 0, NULL},
    {"fetch", 0, OPT_CHOICE, "WHAT",
     "inputs by URL: from public addresses (public, the default), also from private ones (any), "
     "not at all (none)", SERVES, AT(fetch), 0, 0, fetch_choices},
    {"upload-mb", 0, OPT_INT, "N", "largest file that is taken, in MB (default 5120)", SERVES,
     AT(upload_mb), 1, 1000000, NULL},
    {"job-memory-mb", 0, OPT_INT, "N",
     "memory that a job may use, in MB of address space, 0 for no limit (default 12288)", SERVES,
     AT(memory_mb), 0, 1000000, NULL},
    {"job-seconds", 0, OPT_INT, "N", "how long a job may take (default 14400)", SERVES,
     AT(time_s), 1, 1000000, NULL},
    {"part-seconds", 0, OPT_NUMBER, "S",
     "films at least twice as long are drawn in parts of this length by jobs and workers that have "
     "nothing else to do (default 60; 0: each by one)", SERVES, AT(part_s), 0, 86400, NULL},
    {"new-key", 0, OPT_FLAG, NULL, "make and print one more API key", CMD_SERVE, AT(new_key), 0, 0,
     NULL},
    {"organization", 0, OPT_TEXT, "NAME",
     "whose key that is: what one organization keeps, no other sees; made when it is missing",
     CMD_SERVE, AT(organization), 0, 0, NULL},
    {"report", 0, OPT_REPORT, "FILE",
     "write what was done and how well: a page to read if FILE ends in .html, else JSON; may be "
     "given twice (default: JSON as OUT.lipsync.json)",
     MAKE, AT(report), 0, 0, NULL},
    {"no-mark", 0, OPT_FLAG, NULL,
     "leave out the marks that say that the film was edited (metadata, XMP, and the record beside "
     "it)",
     MAKE, AT(no_mark), 0, 0, NULL},
    {"consent", 0, OPT_TEXT, "TEXT",
     "what the record says of the consent of the person seen and of the speaker", MAKE, AT(consent),
     0, 0, NULL},
    {"mask", 0, OPT_FILE, "FILE", "write a film (mkv) that is white where the picture was changed",
     MAKE, AT(mask), 0, 0, NULL},
    {"columns", 0, OPT_INT, "N", "moments on a contact sheet (default 6)", CMD_SHEET, AT(columns),
     2, 12, NULL},
    {"tier", 0, OPT_CHOICE, "NAME",
     "how much is spent on a film: standard (default), fast or pro",
     LOOKS, AT(tier), 0, 0, tier_choices},
    {"crops", 0, OPT_INT, "N",
     "1 or 3 looks at each face: 3 is steadier and slower (default: the tier's)", LOOKS,
     AT(crops), 1, 3, NULL},
    {"threads", 0, OPT_INT, "N",
     "threads to use (default: one per processor); never changes the "
     "result",
     LOOKS | SERVES, AT(threads), 0, 256, NULL},
    {"seed", 0, OPT_NUMBER, "N", "seed of anything random", MAKE, AT(seed), 0, 9007199254740991.0,
     NULL},
    {"resume", 0, OPT_FLAG, NULL,
     "go on where an interrupted run of the same command stopped, and "
     "keep the work of this one if it is interrupted",
     MAKE | CMD_ANALYZE | CMD_PERSON, AT(resume), 0, 0, NULL},
    {"parts", 0, OPT_FILE, "DIR",
     "keep the drawn picture in parts in this folder (made where it is missing), and use what is "
     "in it; lipsync does not remove it",
     MAKE, AT(parts), 0, 0, NULL},
    {"share", 0, OPT_TEXT, "K/N",
     "do only one share of a long job, for several machines: 0/N first (look and listen), then 1/N "
     "to N/N anywhere at the same time, each into --parts; at the end the command without --share. "
     "With 'analyze': 1/N to N/N, each beside the same --score",
     MAKE | CMD_ANALYZE, AT(share), 0, 0, NULL},
    {"overwrite", 0, OPT_FLAG, NULL, "replace an existing output", MAKES | CMD_PERSON | CMD_VISEMES,
     AT(overwrite), 0, 0, NULL},
    {"progress", 0, OPT_CHOICE, "KIND",
     "a bar on a terminal, lines elsewhere (auto), or one of "
     "these",
     LOOKS, AT(progress), 0, 0, progress_choices},
    {"json", 0, OPT_FLAG, NULL, "print the result as JSON", MAKE | CMD_FACES | CMD_PERSON,
     AT(json), 0, 0, NULL},
    {"device", 0, OPT_TEXT, "NAME", "where the nets run: cpu (default), cuda, tensorrt, openvino …",
     NETS | SERVES, AT(device), 0, 0, NULL},
    {"models", 0, OPT_FILE, "DIR",
     "folder of the nets (default: $LIPSYNC_MODELS, then beside the "
     "program)",
     NETS | SERVES, AT(models), 0, 0, NULL},
    {"runtime", 0, OPT_FILE, "FILE",
     "the ONNX Runtime library (default: $LIPSYNC_ONNXRUNTIME, then "
     "the installed one)",
     NETS | SERVES, AT(runtime), 0, 0, NULL},
    {"verbose", 'v', OPT_FLAG, NULL, "say more on stderr", NETS, AT(verbose), 0, 0, NULL},
    {"help", 'h', OPT_FLAG, NULL, "print this and exit", ALL, AT(help), 0, 0, NULL},
    {"version", 'V', OPT_FLAG, NULL, "print the version and exit", ALL, AT(version), 0, 0, NULL},
};
const size_t cli_n_options = sizeof cli_options / sizeof *cli_options;

const struct command_info cli_commands[] = {
    {"dub", CMD_DUB, "VIDEO [VOICE] -o OUT", 1, 2, "the person in VIDEO speaks VOICE (default "
     "command: the word 'dub' may be left out; without VOICE the film's own sound is used)",
     cli_run_dub},
    {"render", CMD_RENDER, "VIDEO [VOICE] --score FILE -o OUT", 1, 2, "the same from a score that "
     "'analyze' made: the film is not looked at again", cli_run_render},
    {"analyze", CMD_ANALYZE, "VIDEO --score FILE", 1, 1, "look at a film once and keep what was "
     "seen and learnt", cli_run_analyze},
    {"faces", CMD_FACES, "VIDEO [-o FACES.png]", 1, 1, "list the faces of a film, with numbered "
     "portraits", cli_run_faces},
    {"sheet", CMD_SHEET, "ORIGINAL RESULT -o SHEET.png", 2, 2, "a contact sheet: original, result, "
     "mouths enlarged", cli_run_sheet},
    {"score", CMD_SCORE, "show SCORE [VOICE] -o CURVE.svg", 2, 3, "draw the mouth over time: what "
     "was seen and what is predicted from VOICE; with the film itself as VOICE, both",
     cli_run_score},
    {"person", CMD_PERSON, "learn FOOTAGE… -o NAME.person | show NAME.person [-o MOUTHS.png]", 2,
     ARGS_MAX, "learn a person from films, for --person with other films of the same person; or "
     "print what is in such a file", cli_run_person},
    {"batch", CMD_BATCH, "JOBS.jsonl [-o RESULTS.jsonl]", 1, 1, "many jobs, one JSON object a "
     "line: film, audio or text, output, and options by their names; each film is looked at once, "
     "what is done already is skipped", cli_run_batch},
    {"visemes", CMD_VISEMES, "[VOICE] -f FORM [-o FILE]", 0, 1, "the mouth of a voice for "
     "animation and game tools: held shapes (Rhubarb, Moho), Oculus visemes, ARKit blend "
     "shapes as CSV or glTF", cli_run_visemes},
    {"serve", CMD_SERVE, "[--data DIR]", 0, 0, "a server with Sync's API: docs/guide/server.md",
     cli_run_serve},
    {"worker", CMD_WORKER, "--database URL --data DIR", 0, 0, "takes jobs of a server that shares "
     "database and folder", cli_run_worker},
    {"doctor", CMD_DOCTOR, "", 0, 0, "what is installed, what is missing, and a self test",
     cli_run_doctor},
    {"completion", CMD_COMPLETION, "bash", 0, 1, "print the completion script for a shell",
     cli_run_completion},
    {"man", CMD_MAN, "", 0, 0, "print the manual page (scdoc)", cli_run_man},
};
const size_t cli_n_commands = sizeof cli_commands / sizeof *cli_commands;

static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "lipsync: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see 'lipsync --help'\n");
    va_end(args);
    return 2;
}

static int take_choice(const struct option_info *o, const char *value, void *at,
                       char why[CLI_WHY_MAX])
{
    for (int i = 0; o->choices[i]; i++)
        if (!strcmp(o->choices[i], value)) {
            memcpy(at, &i, sizeof i);
            return 0;
        }
    size_t n = (size_t)snprintf(why, CLI_WHY_MAX, "--%s is one of", o->name);
    for (int i = 0; o->choices[i]; i++)
        n += (size_t)snprintf(why + n, CLI_WHY_MAX - n, "%s %s", i ? "," : "", o->choices[i]);
    snprintf(why + n, CLI_WHY_MAX - n, ", not '%.40s'", value);
    return 2;
}

static int take_number(const struct option_info *o, const char *value, void *at,
                       char why[CLI_WHY_MAX])
{
    char *end = NULL;
    errno = 0;
    double v = strtod(value, &end);
    bool whole = o->kind != OPT_INT || v == floor(v);
    if (!*value || *end || errno || !isfinite(v) || !whole || v < o->min || v > o->max) {
        snprintf(why, CLI_WHY_MAX, "--%s is a number from %.0f to %.0f, not '%.40s'", o->name,
                 o->min, o->max, value);
        return 2;
    }
    int i = (int)v;
    if (o->kind == OPT_INT)
        memcpy(at, &i, sizeof i);
    else
        memcpy(at, &v, sizeof v);
    return 0;
}

static bool is_page(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (!strcasecmp(dot, ".html") || !strcasecmp(dot, ".htm"));
}

static int take_entry(const struct option_info *o, const char *value, struct cli_list *list,
                      char why[CLI_WHY_MAX])
{
    if (list->n == CLI_LIST_MAX) {
        snprintf(why, CLI_WHY_MAX, "--%s is given more than %d times; a file (--segments) holds "
                 "more", o->name, CLI_LIST_MAX);
        return 2;
    }
    list->at[list->n++] = value;
    return 0;
}

static int take_value(const struct option_info *o, const char *value, struct settings *s,
                      char why[CLI_WHY_MAX])
{
    void *at = (char *)s + o->offset;
    switch (o->kind) {
    case OPT_FLAG:
        memcpy(at, &(bool){true}, sizeof(bool));
        return 0;
    case OPT_INT:
    case OPT_NUMBER:
        return take_number(o, value, at, why);
    case OPT_CHOICE:
        return take_choice(o, value, at, why);
    case OPT_LIST:
        return take_entry(o, value, at, why);
    case OPT_REPORT:
        at = is_page(value) ? &s->page : at;
        /* fall through */
    case OPT_TEXT:
    case OPT_FILE:
        if (!*value) {
            snprintf(why, CLI_WHY_MAX, "--%s needs a value", o->name);
            return 2;
        }
        memcpy(at, &value, sizeof value);
        return 0;
    }
    return 1;
}

int cli_set_option(const char *name, const char *value, unsigned command, struct settings *s,
                   char why[CLI_WHY_MAX])
{
    for (size_t i = 0; i < cli_n_options; i++) {
        const struct option_info *o = &cli_options[i];
        if (strcmp(o->name, name) || !(o->commands & command))
            continue;
        if ((o->kind == OPT_FLAG) != !value) {
            snprintf(why, CLI_WHY_MAX, "'%s' is %s", name,
                     value ? "true or false" : "not true or false");
            return 2;
        }
        return take_value(o, value, s, why);
    }
    snprintf(why, CLI_WHY_MAX, "there is no option '%.40s'", name);
    return 2;
}

/* The option that an argument names; *ret_inline points behind '=' or is NULL. */
static const struct option_info *find_option(const char *arg, const char **ret_inline)
{
    *ret_inline = NULL;
    for (size_t i = 0; i < cli_n_options; i++) {
        const struct option_info *o = &cli_options[i];
        if (arg[1] != '-') {
            if (arg[1] == o->letter && o->letter && !arg[2])
                return o;
            continue;
        }
        size_t n = strlen(o->name);
        if (!strncmp(arg + 2, o->name, n) && (!arg[2 + n] || arg[2 + n] == '=')) {
            *ret_inline = arg[2 + n] ? arg + 3 + n : NULL;
            return o;
        }
    }
    return NULL;
}

static int take_option(int argc, char **argv, int *at, unsigned command, struct settings *s)
{
    const char *value = NULL, *arg = argv[*at];
    const struct option_info *o = find_option(arg, &value);
    if (!o)
        return usage("there is no option '%s'", arg);
    if (!(o->commands & command))
        return usage("--%s does not belong to this command", o->name);
    if (o->kind == OPT_FLAG && value)
        return usage("--%s takes no value", o->name);
    if (o->kind != OPT_FLAG && !value && ++*at >= argc)
        return usage("--%s needs a value: %s", o->name, o->meta);
    char why[CLI_WHY_MAX] = "";
    int r = take_value(o, o->kind == OPT_FLAG ? "" : value ? value : argv[*at], s, why);
    if (r)
        fprintf(stderr, "lipsync: %s\n", why);
    return r;
}

static const struct command_info *find_command(const char *name)
{
    for (size_t i = 0; i < cli_n_commands; i++)
        if (!strcmp(cli_commands[i].name, name))
            return &cli_commands[i];
    return NULL;
}

int cli_parse(int argc, char **argv, const struct command_info **ret_command,
              struct settings *ret_settings)
{
    struct settings s = {.codec = CODEC_AUTO, .columns = 6, .temperature = 0.5,
                         .format = -1, .jobs = 1, .part_s = 60, .port = 8080, .upload_mb = 5120,
                         .memory_mb = 12288, .cache_mb = 20480,
                         .time_s = 14400};
    const struct command_info *command = argc > 1 ? find_command(argv[1]) : NULL;
    int at = command ? 2 : 1;
    bool named = command, only_files = false;
    command = command ? command : &cli_commands[0];
    for (; at < argc; at++) {
        if (!only_files && !strcmp(argv[at], "--")) {
            only_files = true;
        } else if (!only_files && argv[at][0] == '-' && argv[at][1]) {
            int r = take_option(argc, argv, &at, command->bit, &s);
            if (r)
                return r;
        } else if (s.n_args < command->max_args) {
            s.args[s.n_args++] = argv[at];
        } else {
            return usage("'%s' is one argument too many for '%s'", argv[at], command->name);
        }
    }
    if (s.help || s.version || argc == 1) {
        *ret_command = named ? command : NULL;
        s.help = s.help || argc == 1;
    } else if (s.n_args < command->min_args) {
        return usage("'%s' needs: %s", command->name, command->arguments);
    } else {
        *ret_command = command;
    }
    *ret_settings = s;
    return 0;
}
