/* SPDX-License-Identifier: MIT
 * Several people: lists the faces, then lets the second one speak (or the only one). */
#include <stdio.h>

#include <lipsync/lipsync.h>

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "use: choose_face FILM VOICE OUT.mp4 FACES.png\n");
        return 2;
    }
    struct lip_error err = {0};
    lip_engine *engine = NULL;
    struct lip_face faces[LIP_FACES_MAX];
    size_t n = 0;
    struct lip_job job;
    lip_job_default(&job);
    job.film = argv[1];
    job.voice = argv[2];
    job.output = argv[3];
    job.overwrite = 1;
    int r = lip_open(NULL, &engine, &err);
    if (!r)
        r = lip_faces(engine, &job, argv[4], faces, &n, NULL, NULL, &err);
    for (size_t i = 0; i < n && !r; i++)
        printf("face %d: %.0f px wide, seen for %.1f s\n", faces[i].number, faces[i].size_px,
               faces[i].seen_s);
    if (!r && n) {
        job.face = LIP_FACE_NUMBER;
        job.face_number = n > 1 ? 2 : 1;
        r = lip_dub(engine, &job, NULL, &err);
    }
    if (r)
        fprintf(stderr, "%s\n", err.text);
    lip_close(&engine);
    return r ? 1 : 0;
}
