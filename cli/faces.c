/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options.h"

static void print_table(const struct lip_face *faces, size_t n)
{
    if (!n) {
        printf("no face was found\n");
        return;
    }
    printf("face   from s     to s   seen s   width px   --face-at\n");
    for (size_t i = 0; i < n; i++)
        printf("%4d %8.2f %8.2f %8.2f %10.0f   %.0f,%.0f@%.2f\n", faces[i].number,
               faces[i].first_s, faces[i].last_s, faces[i].seen_s, faces[i].size_px, faces[i].x,
               faces[i].y, faces[i].portrait_s);
}

static void print_json(const struct lip_face *faces, size_t n)
{
    printf("[");
    for (size_t i = 0; i < n; i++)
        printf("%s\n  {\"number\": %d, \"first_s\": %.3f, \"last_s\": %.3f, \"seen_s\": %.3f, "
               "\"width_px\": %.1f, \"x\": %.1f, \"y\": %.1f, \"portrait_s\": %.3f}",
               i ? "," : "", faces[i].number, faces[i].first_s, faces[i].last_s, faces[i].seen_s,
               faces[i].size_px, faces[i].x, faces[i].y, faces[i].portrait_s);
    printf("\n]\n");
}

int cli_run_faces(const struct settings *settings)
{
    struct cli_session s;
    struct lip_face faces[LIP_FACES_MAX];
    size_t n = 0;
    int r = cli_begin(settings, &s);
    if (r)
        return r;
    r = cli_end(&s, lip_faces(s.engine, &s.job, settings->output, faces, &n, &s.err));
    if (r)
        return r;
    if (settings->json)
        print_json(faces, n);
    else
        print_table(faces, n);
    return 0;
}
