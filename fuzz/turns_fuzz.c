/* SPDX-License-Identifier: MIT
 * speaker/kept: who speaks when, from a score. What is read has only faces that there are, and is
 * written again as it was. */
#include "fuzz.h"

#include "speaker/turns.h"

#define N_FRAMES 8
#define N_FACES 2

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct speaker_turn turns[N_FRAMES] = {{.face = 0, .sure = 255}};
    struct speaker_voice voices[N_FACES] = {{.agreement = .5f, .speaks_s = 2, .sure = 1}};
    struct base_buffer valid, again;
    base_buffer_init(&valid, 4096);
    base_buffer_init(&again, 4096);
    FUZZ_REQUIRE(!speaker_turns_write(turns, N_FRAMES, voices, N_FACES, &valid));
    size_t size = fuzz_edit(valid.data, valid.size, bytes, n);
    if (!speaker_turns_read(valid.data, size, N_FRAMES, N_FACES, turns, voices)) {
        for (int i = 0; i < N_FRAMES; i++)
            FUZZ_REQUIRE(turns[i].face >= SPEAKER_NOBODY && turns[i].face < N_FACES);
        FUZZ_REQUIRE(!speaker_turns_write(turns, N_FRAMES, voices, N_FACES, &again));
        FUZZ_REQUIRE(again.size == size);
    }
    base_buffer_done(&valid);
    base_buffer_done(&again);
    return 0;
}
