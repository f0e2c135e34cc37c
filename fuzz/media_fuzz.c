/* SPDX-License-Identifier: MIT
 * media: any file as a film and as a voice, parts, and the names of drawn films. The first byte
 * chooses the reader; files may also be edits of a valid film or part that is made once. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "media/media.h"
#include "media/partfile.h"

static void path_of(int fd, char ret_path[64])
{
    snprintf(ret_path, 64, "/proc/self/fd/%d", fd);
}

static int file_of(const void *bytes, size_t n, char ret_path[64])
{
    int fd = memfd_create("media", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    path_of(fd, ret_path);
    return fd;
}

static void read_film(const char *path)
{
    struct media_source *source = NULL;
    struct media_source_params params = {.n_threads = 1};
    struct lip_error err = {0};
    int r = media_source_open(path, &params, &source, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0) && (r == 0) == (source != NULL));
    int64_t last = INT64_MIN;
    for (int i = 0; !r && i < 10; i++) {
        struct data_frame *f = NULL;
        r = media_source_read(source, &f, &err);
        if (r || !f)
            break;
        FUZZ_REQUIRE(f->pts > last && f->width_px == media_source_film(source)->width_px);
        FUZZ_REQUIRE(f->duration > 0 && f->height_px == media_source_film(source)->height_px);
        last = f->pts;
        data_frame_unref(&f);
    }
    media_source_close(&source);
}

static void read_voice(const char *path)
{
    struct media_audio *audio = NULL;
    struct lip_error err = {0};
    static float samples[4096];
    size_t got = 1;
    int r = media_audio_open(path, 16000, &audio, &err);
    FUZZ_REQUIRE((r == 0) == (audio != NULL));
    for (int i = 0; !r && got && i < 10; i++)
        r = media_audio_read(audio, samples, 4096, &got, &err);
    media_audio_close(&audio);
}

static void try_media(const uint8_t *bytes, size_t n)
{
    char path[64];
    int fd = file_of(bytes, n, path);
    read_film(path);
    read_voice(path);
    media_notes_read(path);
    close(fd);
}

static void try_part(const uint8_t *bytes, size_t n)
{
    char path[64];
    int fd = file_of(bytes, n, path);
    struct media_part_reader reader;
    AVPacket *pkt = av_packet_alloc();
    FUZZ_REQUIRE(pkt);
    if (!media_part_reader_open(path, &reader, NULL)) {
        while (media_part_reader_next(&reader, pkt, NULL) > 0)
            av_packet_unref(pkt);
        media_part_reader_close(&reader);
    }
    av_packet_free(&pkt);
    close(fd);
}

static void try_header(const uint8_t *bytes, size_t n)
{
    struct media_part_header header;
    struct base_buffer again;
    if (media_part_header_read(bytes, n, &header, NULL))
        return;
    base_buffer_init(&again, 1 << 20);
    FUZZ_REQUIRE(!media_part_header_write(&header, &again));
    base_buffer_done(&again);
    media_part_header_done(&header);
}

static void try_name(const uint8_t *bytes, size_t n)
{
    char name[96] = "synthetic:";
    struct media_source *source = NULL;
    n = n < 80 ? n : 80;
    memcpy(name + 10, bytes, n);
    if (!media_source_open(name, NULL, &source, NULL)) {
        struct data_frame *f = NULL; /* only what is drawn quickly */
        if (media_source_film(source)->width_px < 500 && media_source_film(source)->height_px < 500)
            FUZZ_REQUIRE(!media_source_read(source, &f, NULL) && f);
        data_frame_unref(&f);
    }
    media_source_close(&source);
}

static void load(const char *path, struct base_buffer *ret_file)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    FUZZ_REQUIRE(!base_fs_read(path, 1 << 24, &bytes, &n, NULL));
    base_buffer_init(ret_file, 1 << 24);
    base_buffer_put(ret_file, bytes, n);
    base_free(bytes);
}

/* A part of two pictures, and the film it is joined to. */
static void make_valid(struct base_buffer *ret_part, struct base_buffer *ret_film)
{
    char dir[] = P_tmpdir "/lipsync-fuzz-XXXXXX", part_path[64], film_path[64];
    FUZZ_REQUIRE(mkdtemp(dir));
    snprintf(part_path, sizeof part_path, "%s/part", dir);
    snprintf(film_path, sizeof film_path, "%s/film.mkv", dir);
    struct media_source *source = NULL;
    struct media_part *part = NULL;
    struct media_encode_params encode = {.codec = MEDIA_CODEC_FFV1};
    FUZZ_REQUIRE(!media_source_open("synthetic:16x16@25:2", NULL, &source, NULL));
    for (struct data_frame *f = NULL; !media_source_read(source, &f, NULL) && f;) {
        if (!part)
            FUZZ_REQUIRE(!media_part_open(part_path, media_source_film(source), f, &encode, &part,
                                          NULL));
        FUZZ_REQUIRE(!media_part_write(part, f, f->pts, 1, NULL));
        data_frame_unref(&f);
    }
    FUZZ_REQUIRE(!media_part_finish(&part, NULL));
    media_source_close(&source);
    const char *parts[] = {part_path};
    struct media_join_params join = {.output = film_path, .parts = parts, .n_parts = 1,
                                     .duration_us = 80000};
    FUZZ_REQUIRE(!media_join(&join, NULL));
    load(part_path, ret_part);
    load(film_path, ret_film);
    unlink(part_path);
    unlink(film_path);
    rmdir(dir);
}

static void try_edited(const struct base_buffer *valid, const uint8_t *data, size_t size,
                       void (*try_read)(const uint8_t *bytes, size_t n))
{
    struct base_buffer copy;
    base_buffer_init(&copy, 1 << 24);
    base_buffer_put(&copy, valid->data, valid->size);
    fuzz_try_edited(&copy, data, size, try_read);
    base_buffer_done(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct base_buffer part, film;
    if (!part.size)
        make_valid(&part, &film);
    if (!size)
        return 0;
    uint8_t way = *data++;
    size--;
    switch (way % 6) {
    case 0:
        try_media(data, size);
        break;
    case 1:
        try_edited(&film, data, size, try_media);
        break;
    case 2:
        try_part(data, size);
        break;
    case 3:
        try_edited(&part, data, size, try_part);
        break;
    case 4:
        try_header(data, size);
        break;
    default:
        try_name(data, size);
    }
    return 0;
}
