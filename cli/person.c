/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static void print_text(const struct lip_person *p)
{
    printf("films      %d, %.1f s\n", p->n_films, p->seconds);
    printf("mouths     %d, %.0f pixels from eye to eye\n", p->n_mouths, p->size_px);
    printf("opening    %.3f at rest, %.3f at most, of the distance of the eyes\n", p->opening_rest,
           p->opening_max);
    if (p->style_fitted)
        printf("speaking   this person's own way, agreement %.2f\n", p->agreement);
    else
        printf("speaking   as people do on average, in this person's range\n");
    printf("contents   %016" PRIx64 "\n", p->hash);
}

static void print_json(const struct lip_person *p)
{
    printf("{\"films\": %d, \"seconds\": %.3f, \"mouths\": %d, \"size_px\": %.1f, "
           "\"opening_rest\": %.4f, \"opening_max\": %.4f, \"style_fitted\": %s, "
           "\"agreement\": %.4f, \"hash\": \"%016" PRIx64 "\"}\n",
           p->n_films, p->seconds, p->n_mouths, p->size_px, p->opening_rest, p->opening_max,
           p->style_fitted ? "true" : "false", p->agreement, p->hash);
}

static int learn(const struct settings *settings, struct lip_person *ret_person)
{
    struct cli_session s;
    if (!settings->output) {
        fprintf(stderr, "lipsync: name the person file with -o NAME.person\n");
        return 2;
    }
    int r = cli_begin(settings, &s);
    if (r)
        return r;
    s.job.film = s.job.voice = NULL;
    r = lip_person_learn(s.engine, &s.job, settings->args + 1, (size_t)settings->n_args - 1,
                         ret_person, &s.err);
    return cli_end(&s, r);
}

static int show(const struct settings *settings, struct lip_person *ret_person)
{
    struct lip_error err = {0};
    if (settings->n_args != 2) {
        fprintf(stderr, "lipsync: one person file can be shown: lipsync person show FILE\n");
        return 2;
    }
    int r = lip_person_show(settings->args[1], settings->output, ret_person, &err);
    return r ? cli_fail(r, &err) : 0;
}

/* lipsync person learn FOOTAGE... -o NAME.person; lipsync person show FILE [-o MOUTHS.png] */
int cli_run_person(const struct settings *settings)
{
    struct lip_person person;
    int r;
    if (!strcmp(settings->args[0], "learn")) {
        r = learn(settings, &person);
    } else if (!strcmp(settings->args[0], "show")) {
        r = show(settings, &person);
    } else {
        fprintf(stderr, "lipsync: a person is learnt or shown: lipsync person learn FOOTAGE… -o "
                        "NAME.person, lipsync person show NAME.person\n");
        return 2;
    }
    if (r)
        return r;
    if (settings->json)
        print_json(&person);
    else
        print_text(&person);
    return 0;
}
