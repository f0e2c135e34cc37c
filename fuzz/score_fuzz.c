/* SPDX-License-Identifier: MIT
 * data/score: a score file. Checksums would stop every mutation, so the input is taken twice: as
 * the whole file, and as records (kind, u16 size, bytes) that are framed with right checksums
 * after a valid film record. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "data/score.h"

static void look_at_all(struct data_score *score)
{
    static struct data_face_obs faces[DATA_SCORE_FACES_MAX];
    struct lip_error err = {0};
    size_t n = 0;
    for (int64_t i = 0; i < data_score_n_frames(score) && i < 50; i++)
        if (!data_score_read_faces(score, i, faces, &n, &err))
            FUZZ_REQUIRE(n == data_score_frame(score, i)->n_faces);
    data_score_tracks(score, &n);
    data_score_shots(score, &n);
    uint8_t *blob = NULL;
    if (!data_score_get_blob(score, "person", &blob, &n, NULL))
        base_free(blob);
}

static void try_open(const void *bytes, size_t n)
{
    int fd = memfd_create("score", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int append = 0; append < 2; append++) {
        struct data_score *score = NULL;
        struct lip_error err = {0};
        int r = data_score_open(path, append, &score, &err);
        FUZZ_REQUIRE((r == 0) == (err.code == 0) && (r == 0) == (score != NULL));
        if (score)
            look_at_all(score);
        data_score_close(&score);
    }
    close(fd);
}

/* The head and the film record of a real score, made once. */
static void put_valid_start(struct base_buffer *b)
{
    int fd = memfd_create("start", MFD_CLOEXEC);
    char path[64];
    FUZZ_REQUIRE(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct data_film film = {.width_px = 64, .height_px = 48, .disp_width_px = 64,
                             .disp_height_px = 48, .time_base = {1, 25}, .depth_bits = 8};
    struct data_score *score = NULL;
    FUZZ_REQUIRE(!data_score_create(path, &film, &score, NULL));
    data_score_close(&score);
    uint8_t *bytes = NULL;
    size_t n = 0;
    FUZZ_REQUIRE(!base_fs_read(path, 4096, &bytes, &n, NULL));
    base_buffer_put(b, bytes, n);
    base_free(bytes);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_open(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 21);
    put_valid_start(&b);
    while (size >= 3) {
        size_t n = (size_t)data[1] | (size_t)data[2] << 8;
        n = n < size - 3 ? n : size - 3;
        base_buffer_put_u32(&b, data[0]);
        base_buffer_put_u32(&b, (uint32_t)n);
        base_buffer_put(&b, data + 3, n);
        base_buffer_put_u32(&b, base_checksum(data + 3, n));
        data += 3 + n;
        size -= 3 + n;
    }
    FUZZ_REQUIRE(!b.status);
    try_open(b.data, b.size);
    base_buffer_done(&b);
    return 0;
}
