/* SPDX-License-Identifier: MIT
 * data/personfile: a valid file edited by the input, its hash made right again (else every edit
 * would end at the hash); or the input itself. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "data/personfile.h"
#include <lipsync/error.h>

static void try_read(const uint8_t *bytes, size_t n)
{
    static struct data_personfile file;
    struct lip_error err = {0};
    int r = data_personfile_read(bytes, n, &file, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (r)
        return;
    FUZZ_REQUIRE(file.n_films <= DATA_PERSONFILE_FILMS_MAX && file.bank.n <= DATA_BANK_MAX);
    uint32_t sum = 0;
    for (size_t i = 0; i < file.n_style; i++)
        sum += file.style[i];
    FUZZ_REQUIRE(sum <= 255 * file.n_style);
    data_personfile_done(&file);
}

static void try_hashed(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    FUZZ_REQUIRE(copy);
    memcpy(copy, bytes, n);
    if (n >= 8) {
        uint64_t hash = base_hash(copy, n - 8, 0);
        for (size_t i = 0; i < 8; i++)
            copy[n - 8 + i] = (uint8_t)(hash >> 8 * i);
    }
    try_read(copy, n);
    free(copy);
}

static void write_valid(struct base_buffer *b)
{
    static struct data_personfile file;
    static uint8_t style[4] = {1, 2, 3, 4};
    uint16_t rgb[2 * 3 * 3] = {1, 2, 3};
    struct data_bank_entry *entry = base_alloc_array(1, sizeof *entry);
    FUZZ_REQUIRE(entry);
    entry->width_px = 3;
    entry->height_px = 2;
    entry->rgb = rgb;
    data_personfile_init(&file);
    file.n_films = 2;
    file.style = style;
    file.n_style = sizeof style;
    file.bank = (struct data_bank){.n = 1, .cap = 1, .entries = entry};
    FUZZ_REQUIRE(!data_personfile_write(&file, b));
    base_free(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_read(data, size);
    try_hashed(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    write_valid(&b);
    fuzz_try_edited(&b, data, size, try_hashed);
    base_buffer_done(&b);
    return 0;
}
