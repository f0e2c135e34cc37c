/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

#define HELP_COLUMN 24
#define HELP_WIDTH 78

/* Prints text with line breaks at HELP_WIDTH; the cursor stands at HELP_COLUMN. */
static void print_wrapped(const char *text)
{
    int column = HELP_COLUMN;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column + (int)n > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        printf("%.*s%s", (int)n, text, text[n] ? " " : "");
        column += (int)n + 1;
        text += n + (text[n] == ' ');
    }
    printf("\n");
}

static void print_term(const char *term, const char *text)
{
    int n = printf("  %s", term);
    if (n >= HELP_COLUMN - 1)
        printf("\n%*s", HELP_COLUMN, "");
    else
        printf("%*s", HELP_COLUMN - n, "");
    print_wrapped(text);
}

static void print_option(const struct option_info *o)
{
    char term[192];
    snprintf(term, sizeof term, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->meta ? " " : "",
             o->meta ? o->meta : "");
    print_term(term, o->help);
    if (o->kind != OPT_CHOICE)
        return;
    printf("%*s", HELP_COLUMN, "");
    for (int i = 0; o->choices[i]; i++)
        printf("%s%s", i ? " | " : "", o->choices[i]);
    printf("\n");
}

void cli_print_help(const struct command_info *command)
{
    if (command) {
        printf("lipsync %s %s\n", command->name, command->arguments);
        print_term("", command->help);
    } else {
        printf("lipsync VIDEO VOICE -o OUT    lets the person in VIDEO speak VOICE\n\n"
               "Commands\n");
        for (size_t i = 0; i < cli_n_commands; i++) {
            char term[96];
            snprintf(term, sizeof term, "%s %s", cli_commands[i].name, cli_commands[i].arguments);
            print_term(term, cli_commands[i].help);
        }
    }
    printf("\nOptions\n");
    for (size_t i = 0; i < cli_n_options; i++)
        if (!command || cli_options[i].commands & command->bit)
            print_option(&cli_options[i]);
    printf(
        "\nExit codes: 0 done, 2 wrong use, 10-18 the input cannot be used, 30-36 memory, disk,\n"
        "models, device or encoder, 130 cancelled. 'man lipsync' lists them all.\n");
}

/* Manual page ---------------------------------------------------------------------------------- */

static const struct {
    int code;
    const char *meaning;
} exits[] = {
    {0, "done"},
    {1, "an error of the program itself: please report it"},
    {2, "wrong use: unknown option, value out of range, missing argument"},
    {10, "an input file does not exist or cannot be opened"},
    {11, "not a media file, or a damaged one"},
    {12, "the film has no picture"},
    {13, "the voice, or the film without a voice, has no sound"},
    {14, "the face that was asked for is not in the film"},
    {15, "readable, but it cannot be edited or written so"},
    {16, "larger or longer than a limit"},
    {17, "the score is damaged or belongs to another film"},
    {18, "the person file is of somebody else than the film shows"},
    {20, "some jobs of a batch failed; the others are done"},
    {30, "out of memory"},
    {31, "reading or writing failed: disk full, permission"},
    {32, "a net, a weight file or ONNX Runtime is missing or damaged"},
    {33, "the compute device is not there"},
    {34, "the output exists and --overwrite was not given"},
    {36, "the encoder is missing or refused the settings"},
    {130, "cancelled by a signal"},
};

static void man_options(void)
{
    printf("# OPTIONS\n\n");
    for (size_t i = 0; i < cli_n_options; i++) {
        const struct option_info *o = &cli_options[i];
        if (o->letter)
            printf("*-%c*, ", o->letter);
        printf("*--%s*", o->name);
        if (o->meta)
            printf(" _%s_", o->meta);
        printf("\n\t%c%s.", toupper((unsigned char)o->help[0]), o->help + 1);
        for (int k = 0; o->kind == OPT_CHOICE && o->choices[k]; k++)
            printf("%s%s", k ? ", " : " One of: ", o->choices[k]);
        printf("\n\n");
    }
}

int cli_run_man(const struct settings *settings)
{
    (void)settings;
    printf("lipsync(1)\n\n# NAME\n\nlipsync - lets the person in a film speak a new sound\n\n"
           "# SYNOPSIS\n\n");
    for (size_t i = 0; i < cli_n_commands; i++)
        printf("%s*lipsync*%s%s %s", i ? "++\n" : "", i ? " " : "", i ? cli_commands[i].name : "",
               cli_commands[i].arguments);
    printf(
        "\n\n# DESCRIPTION\n\nGive it a film of a person and a voice; it returns the same film in "
        "which that person's own\nmouth speaks the new sound. Outside the mouth region no decoded "
        "sample changes.\n\n# COMMANDS\n\n");
    for (size_t i = 0; i < cli_n_commands; i++)
        printf("*%s* %s\n\t%c%s.\n\n", cli_commands[i].name, cli_commands[i].arguments,
               toupper((unsigned char)cli_commands[i].help[0]), cli_commands[i].help + 1);
    man_options();
    printf("# EXIT STATUS\n\n");
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        printf("*%d*\n\t%s\n\n", exits[i].code, exits[i].meaning);
    printf(
        "# ENVIRONMENT\n\n*LIPSYNC_MODELS*\n\tFolder of the nets.\n\n*LIPSYNC_ONNXRUNTIME*\n\tPath "
        "of libonnxruntime.so.1.\n");
    return 0;
}

/* Completion ----------------------------------------------------------------------------------- */

int cli_run_completion(const struct settings *settings)
{
    if (settings->n_args && strcmp(settings->args[0], "bash")) {
        fprintf(stderr, "lipsync: only completion for bash is there\n");
        return 2;
    }
    printf("_lipsync()\n{\n    local now=${COMP_WORDS[COMP_CWORD]} "
           "before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    case $before in\n");
    for (size_t i = 0; i < cli_n_options; i++) {
        const struct option_info *o = &cli_options[i];
        if (o->kind != OPT_CHOICE)
            continue;
        printf("    --%s) mapfile -t COMPREPLY < <(compgen -W '", o->name);
        for (int k = 0; o->choices[k]; k++)
            printf("%s%s", k ? " " : "", o->choices[k]);
        printf("' -- \"$now\"); return ;;\n");
    }
    printf(
        "    esac\n    if [[ $now == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; i < cli_n_options; i++)
        printf("%s--%s", i ? " " : "", cli_options[i].name);
    printf("' -- \"$now\")\n    else\n        mapfile -t COMPREPLY < <(compgen -f -- \"$now\")\n"
           "        if [[ $COMP_CWORD -eq 1 ]]; then\n            mapfile -t -O ${#COMPREPLY[@]} "
           "COMPREPLY < <(compgen -W '");
    for (size_t i = 0; i < cli_n_commands; i++)
        printf("%s%s", i ? " " : "", cli_commands[i].name);
    printf("' -- \"$now\")\n        fi\n    fi\n}\ncomplete -o filenames -F _lipsync lipsync\n");
    return 0;
}
