/* SPDX-License-Identifier: MIT
 *
 * A main for the fuzz targets in ordinary builds: feeds each file of a folder, and seeded
 * mutations of it, to the target. It fails by crashing, or when there is nothing to feed.
 * Inputs are copied to memory of exactly their size, so that sanitizers see over-reads. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX ((size_t)1 << 20)
#define N_MUTATIONS 200
#define N_FILES_MAX 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_random(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void feed(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = calloc(n ? n : 1, 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void mutate(uint8_t *bytes, size_t *n, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    uint64_t n_edits = 1 + next_random(state) % 4;
    for (uint64_t i = 0; i < n_edits && *n; i++) {
        size_t at = next_random(state) % *n;
        switch (next_random(state) % 5) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << next_random(state) % 8);
            break;
        case 1:
            bytes[at] = edges[next_random(state) % sizeof edges];
            break;
        case 2:
            *n = at; /* torn file */
            break;
        case 3:
            memmove(bytes + at, bytes + at + 1, --*n - at);
            break;
        default:
            if (*n < INPUT_MAX) {
                memmove(bytes + at + 1, bytes + at, (*n)++ - at);
                bytes[at] = (uint8_t)next_random(state);
            }
        }
    }
}

static int replay_file(const char *path)
{
    static uint8_t seed[INPUT_MAX], work[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t n = fread(seed, 1, sizeof seed, f);
    fclose(f);
    feed(seed, n);
    uint64_t state = 0x9e3779b97f4a7c15u ^ n;
    for (int i = 0; i < N_MUTATIONS; i++) {
        size_t n_work = n;
        memcpy(work, seed, n);
        mutate(work, &n_work, &state);
        feed(work, n_work);
    }
    return 1;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **files = NULL;
    int n = argc == 2 ? scandir(argv[1], &files, visible, by_name) : -1;
    int n_fed = 0;
    feed((const uint8_t *)"", 0);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], files[i]->d_name);
        if (i < N_FILES_MAX)
            n_fed += replay_file(path);
        free(files[i]);
    }
    free(files);
    printf("%d seeds, %d mutations each\n", n_fed, N_MUTATIONS);
    return n_fed ? 0 : 1;
}
