/* SPDX-License-Identifier: MIT
 *
 * The one table of options. From it come parsing, --help, the man page and shell completion. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <lipsync/lipsync.h>

/* Commands as bits, so that an option can say where it belongs. */
enum command_bit {
    CMD_DUB = 1 << 0,
    CMD_RENDER = 1 << 1,
    CMD_ANALYZE = 1 << 2,
    CMD_FACES = 1 << 3,
    CMD_SHEET = 1 << 4,
    CMD_DOCTOR = 1 << 5,
    CMD_COMPLETION = 1 << 6,
    CMD_MAN = 1 << 7,
    CMD_SCORE = 1 << 8,
    CMD_PERSON = 1 << 9,
    CMD_BATCH = 1 << 10,
    CMD_VISEMES = 1 << 11,
    CMD_SERVE = 1 << 12,
    CMD_WORKER = 1 << 13
};

#define ARGS_MAX (1 + LIP_PERSON_FILMS_MAX)

enum progress_kind { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

#define CLI_LIST_MAX 32

/* The values of an option that may be given several times. */
struct cli_list {
    const char *at[CLI_LIST_MAX];
    int n;
};

struct json_t;

/* Everything that a command line can say. */
struct settings {
    const char *args[ARGS_MAX];
    int n_args;
    const char *output, *score, *person, *report, *page, *mask, *device, *models, *runtime;
    const char *face_at, *face_boxes, *speaker;
    const char *text, *text_file, *voice, *language, *tts_command, *voice_out;
    int sync, codec, quality, threads, face, tier, crops, occlusion, columns, progress, jobs;
    int format; /* enum lip_viseme_format; < 0: not said */
    double seed, temperature, rate, part_s;
    const char *consent, *parts, *share;
    struct cli_list segment, only;
    const char *segments;
    const char *data, *database, *storage, *endpoint, *host, *public_url, *organization;
    int port, fetch, upload_mb, memory_mb, time_s, cache_mb;
    const struct json_t *segments_json, *only_json; /* of a line of a batch */
    bool new_key;
    bool overwrite, reencode, resume, no_mark, json, verbose, help, version;
};

enum option_kind { OPT_FLAG, OPT_INT, OPT_NUMBER, OPT_TEXT, OPT_FILE, OPT_CHOICE,
                   OPT_LIST, /* texts: may be given several times */
                   OPT_REPORT /* a file: a page or JSON, by its ending */ };

struct option_info {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *meta;    /* what the value is called, NULL for flags */
    const char *help;
    unsigned commands;   /* enum command_bit */
    size_t offset;       /* of the value in struct settings */
    double min, max;     /* OPT_INT, OPT_NUMBER */
    const char *const *choices; /* OPT_CHOICE: the index is the value; ends with NULL */
};

struct command_info {
    const char *name;
    unsigned bit;
    const char *arguments; /* "VIDEO [VOICE]" */
    int min_args, max_args;
    const char *help;
    int (*run)(const struct settings *settings);
};

extern const struct option_info cli_options[];
extern const size_t cli_n_options;
extern const struct command_info cli_commands[];
extern const size_t cli_n_commands;

/* Finds command and options in argv. 0, or an exit code after a sentence on stderr. */
int cli_parse(int argc, char **argv, const struct command_info **ret_command,
              struct settings *ret_settings);

/* One option by its name, as a line of a batch has it; value NULL for a flag. 0, or 2 with a
 * sentence. The value is borrowed. */
#define CLI_WHY_MAX 300
int cli_set_option(const char *name, const char *value, unsigned command, struct settings *s,
                   char why[CLI_WHY_MAX]);

/* help.c */
void cli_print_help(const struct command_info *command); /* NULL: all commands */
int cli_run_man(const struct settings *settings);
int cli_run_completion(const struct settings *settings);

/* common.c */
int cli_exit_code(int status);
int cli_fail(int status, const struct lip_error *err); /* prints the sentence; gives the exit
                                                          code */
int cli_open(const struct settings *settings, lip_engine **ret_engine);
int cli_job(const struct settings *settings, struct lip_job *ret_job);
void cli_catch_signals(void);
const volatile int *cli_cancel_flag(void);
#define CLI_EXIT_SOME_FAILED 20 /* of a batch */

/* speak.c: text as a voice. The sound lies beside the output until cli_speak_done, which keeps it
 * where an interrupted job is to be resumed. Prints nothing. */
int cli_speak(const struct settings *settings, char **ret_wav, struct lip_error *err);
void cli_speak_done(const struct settings *settings, char *wav, int status);

/* progress.c: the bar, lines or JSON on stderr */
struct cli_progress {
    int kind; /* enum progress_kind, resolved */
    int last_stage, last_tenth;
    bool line_open;
};
void cli_progress_start(struct cli_progress *p, const struct settings *settings,
                        struct lip_job *job);
void cli_progress_end(struct cli_progress *p);

/* A job with its engine and its progress: what most commands begin and end with. */
struct cli_segments;
struct cli_session {
    struct lip_job job;
    struct cli_segments *segments; /* what the job borrows */
    lip_engine *engine;
    struct cli_progress progress;
    struct lip_error err;
};
/* 0, or an exit code after a sentence. */
int cli_begin(const struct settings *settings, struct cli_session *s);
int cli_end(struct cli_session *s, int status); /* gives the exit code */

/* one file each */
int cli_run_dub(const struct settings *settings);
int cli_run_render(const struct settings *settings);
int cli_run_analyze(const struct settings *settings);
int cli_run_faces(const struct settings *settings);
int cli_run_sheet(const struct settings *settings);
int cli_run_score(const struct settings *settings);
int cli_run_person(const struct settings *settings);
int cli_run_batch(const struct settings *settings);
int cli_run_visemes(const struct settings *settings);
int cli_run_serve(const struct settings *settings);
int cli_run_worker(const struct settings *settings);
int cli_run_doctor(const struct settings *settings);

#endif
