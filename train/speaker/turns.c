/* SPDX-License-Identifier: MIT
 *
 * Who speaks in scenes that scenes.py composed: `turns SCENE...` prints a line for each, one
 * "face:sure" a frame (face -1: nobody; sure 0..255).
 *
 * A scene (numbers of the machine's order): i64 n_frames, n_faces, n_said, rate of what is said;
 * f32 times [n_frames]; u8 shot starts [n_frames]; f32 of each face [n_frames][14]; f32 said
 * [n_said][14]; f32 speech [n_said]. */
#include <stdio.h>

#include "base/alloc.h"
#include "speaker/turns.h"

#define FRAMES_MAX 1000000

static void *read_array(FILE *f, int64_t n, size_t size)
{
    void *to = base_alloc_array((size_t)n + 1, size);
    if (to && fread(to, size, (size_t)n, f) == (size_t)n)
        return to;
    base_free(to);
    return NULL;
}

static bool read_scene(FILE *f, struct speaker_scene *s)
{
    int64_t head[4];
    if (fread(head, sizeof head, 1, f) != 1 || head[0] < 1 || head[0] > FRAMES_MAX ||
        head[1] < 1 || head[1] > SPEAKER_TURNS_FACES_MAX || head[2] < 1 || head[2] > FRAMES_MAX)
        return false;
    s->n_frames = head[0];
    s->n_faces = (size_t)head[1];
    s->n_said = (size_t)head[2];
    s->said_rate_hz = (double)head[3];
    s->t_s = read_array(f, head[0], sizeof *s->t_s);
    s->shot_start = read_array(f, head[0], 1);
    bool ok = s->t_s && s->shot_start;
    for (size_t k = 0; k < s->n_faces && ok; k++) {
        s->seen[k] = read_array(f, head[0], sizeof *s->seen[k]);
        ok = s->seen[k] != NULL;
    }
    s->said = ok ? read_array(f, head[2], sizeof *s->said) : NULL;
    s->speech = s->said ? read_array(f, head[2], sizeof *s->speech) : NULL;
    return s->speech != NULL;
}

static void free_scene(struct speaker_scene *s)
{
    base_free((void *)s->t_s);
    base_free((void *)s->shot_start);
    for (size_t k = 0; k < SPEAKER_TURNS_FACES_MAX; k++)
        base_free((void *)s->seen[k]);
    base_free((void *)s->said);
    base_free((void *)s->speech);
}

static int tell(const char *path)
{
    struct speaker_voice voices[SPEAKER_TURNS_FACES_MAX];
    struct speaker_scene scene = {0};
    struct lip_error err = {0};
    FILE *f = fopen(path, "rb");
    bool ok = f && read_scene(f, &scene);
    struct speaker_turn *turns = base_alloc_array((size_t)scene.n_frames + 1, sizeof *turns);
    ok = ok && turns && !speaker_turns(&scene, turns, voices, &err);
    for (int64_t i = 0; i < scene.n_frames && ok; i++)
        printf("%d:%d%c", turns[i].face, turns[i].sure, i + 1 < scene.n_frames ? ' ' : '\n');
    if (!ok)
        fprintf(stderr, "turns: %s is no scene\n", path);
    if (f)
        fclose(f);
    base_free(turns);
    free_scene(&scene);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = argc < 2;
    for (int i = 1; i < argc; i++)
        status |= tell(argv[i]);
    return status;
}
