/* SPDX-License-Identifier: MIT
 * Who speaks when, as bytes (docs/design/speaker.md). */
#include "speaker/turns.h"

#include "base/alloc.h"

#define WHERE "speaker/kept"
#define VERSION 1

int speaker_turns_write(const struct speaker_turn *turns, int64_t n_frames,
                        const struct speaker_voice *voices, size_t n_faces, struct base_buffer *b)
{
    base_buffer_put_u32(b, VERSION);
    base_buffer_put_u32(b, (uint32_t)n_faces);
    base_buffer_put_u64(b, (uint64_t)n_frames);
    for (size_t f = 0; f < n_faces; f++) {
        base_buffer_put_f32(b, voices[f].agreement);
        base_buffer_put_f32(b, (float)voices[f].lag_ms);
        base_buffer_put_f32(b, (float)voices[f].speaks_s);
        base_buffer_put_f32(b, voices[f].sure);
    }
    for (int64_t i = 0; i < n_frames; i++) {
        base_buffer_put_u8(b, (uint8_t)turns[i].face);
        base_buffer_put_u8(b, turns[i].sure);
    }
    return b->status;
}

int speaker_turns_read(const uint8_t *bytes, size_t n, int64_t n_frames, size_t n_faces,
                       struct speaker_turn *ret_turns, struct speaker_voice *ret_voices)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    bool fits = base_reader_u32(&r) == VERSION && base_reader_u32(&r) == n_faces &&
                base_reader_u64(&r) == (uint64_t)n_frames;
    for (size_t f = 0; f < n_faces && fits; f++) {
        float agreement = base_reader_f32(&r), lag_ms = base_reader_f32(&r);
        float speaks_s = base_reader_f32(&r), sure = base_reader_f32(&r);
        fits = agreement >= -1 && agreement <= 1 && lag_ms >= -1e4f && lag_ms <= 1e4f &&
               speaks_s >= 0 && sure >= 0 && sure <= 1;
        if (fits)
            ret_voices[f] = (struct speaker_voice){agreement, (int)lag_ms, (double)speaks_s, sure};
    }
    for (int64_t i = 0; i < n_frames && fits; i++) {
        int8_t face = (int8_t)base_reader_u8(&r);
        ret_turns[i] = (struct speaker_turn){face, base_reader_u8(&r)};
        fits = face >= SPEAKER_NOBODY && face < (int)n_faces;
    }
    return fits && !r.failed && r.at == n ? LIP_OK : LIP_ERR_FORMAT;
}
