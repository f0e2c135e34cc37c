/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/alloc.h"
#include "options.h"

static void print_table(const struct lip_face *faces, size_t n)
{
    if (!n) {
        printf("no face was found\n");
        return;
    }
    printf("face   from s     to s   seen s   width px   speaks s   sure   --face-at\n");
    for (size_t i = 0; i < n; i++)
        printf("%4d %8.2f %8.2f %8.2f %10.0f %10.2f %5.0f%%   %.0f,%.0f@%.2f\n", faces[i].number,
               faces[i].first_s, faces[i].last_s, faces[i].seen_s, faces[i].size_px,
               faces[i].speaks_s, 100 * faces[i].sure, faces[i].x, faces[i].y,
               faces[i].portrait_s);
}

static void print_json(const struct lip_face *faces, size_t n, const struct lip_turn *turns,
                       size_t n_turns)
{
    printf("{\"faces\": [");
    for (size_t i = 0; i < n; i++)
        printf("%s\n  {\"number\": %d, \"first_s\": %.3f, \"last_s\": %.3f, \"seen_s\": %.3f, "
               "\"width_px\": %.1f, \"x\": %.1f, \"y\": %.1f, \"portrait_s\": %.3f, "
               "\"speaks_s\": %.3f, \"sure\": %.3f}",
               i ? "," : "", faces[i].number, faces[i].first_s, faces[i].last_s, faces[i].seen_s,
               faces[i].size_px, faces[i].x, faces[i].y, faces[i].portrait_s, faces[i].speaks_s,
               faces[i].sure);
    printf("\n], \"turns\": [");
    for (size_t i = 0; i < n_turns; i++)
        printf("%s\n  {\"from_s\": %.3f, \"to_s\": %.3f, \"face\": %d, \"sure\": %.3f}",
               i ? "," : "", turns[i].from_s, turns[i].to_s, turns[i].face, turns[i].sure);
    printf("\n]}\n");
}

int cli_run_faces(const struct settings *settings)
{
    struct cli_session s;
    struct lip_face faces[LIP_FACES_MAX];
    struct lip_turn *turns = base_alloc_array(LIP_TURNS_MAX, sizeof *turns);
    size_t n = 0, n_turns = 0;
    if (!turns) {
        fprintf(stderr, "lipsync: out of memory\n");
        return 1;
    }
    int r = cli_begin(settings, &s);
    if (!r)
        r = cli_end(&s, lip_faces(s.engine, &s.job, settings->output, faces, &n, turns, &n_turns,
                                  &s.err));
    if (!r && settings->json)
        print_json(faces, n, turns, n_turns);
    else if (!r)
        print_table(faces, n);
    base_free(turns);
    return r;
}
