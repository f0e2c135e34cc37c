/* SPDX-License-Identifier: MIT
 * data/bank: a bank of two small mouths, made valid and then edited by the input; or the input
 * itself. */
#include "fuzz.h"

#include "base/alloc.h"
#include "data/bank.h"
#include <lipsync/error.h>

static void try_read(const uint8_t *bytes, size_t n)
{
    struct data_bank bank;
    struct lip_error err = {0};
    int r = data_bank_read(bytes, n, &bank, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (r)
        return;
    FUZZ_REQUIRE(bank.n <= DATA_BANK_MAX);
    uint32_t sum = 0;
    for (size_t i = 0; i < bank.n; i++) {
        const struct data_bank_entry *e = &bank.entries[i];
        for (int p = 0; p < e->width_px * e->height_px * 3; p++)
            sum += e->rgb[p];
    }
    FUZZ_REQUIRE(data_bank_size_bytes(&bank) >= sum / 65535);
    data_bank_done(&bank);
}

static void write_valid(struct base_buffer *b)
{
    uint16_t rgb[2 * 3 * 3] = {1, 2, 3};
    struct data_bank_entry *entries = base_alloc_array(2, sizeof *entries);
    FUZZ_REQUIRE(entries);
    for (int i = 0; i < 2; i++) {
        entries[i].frame = i;
        entries[i].width_px = 3;
        entries[i].height_px = 2;
        entries[i].rgb = rgb;
    }
    struct data_bank bank = {.n = 2, .cap = 2, .entries = entries};
    FUZZ_REQUIRE(!data_bank_write(&bank, b));
    base_free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_read(data, size);
    struct base_buffer b;
    base_buffer_init(&b, (size_t)1 << 20);
    write_valid(&b);
    fuzz_try_edited(&b, data, size, try_read);
    base_buffer_done(&b);
    return 0;
}
