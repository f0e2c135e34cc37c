/* SPDX-License-Identifier: MIT */
#include "data/face.h"

#include <string.h>

#include "base/buffer.h"
#include "base/status.h"

#define MAGIC "LIPPERSN"
#define VERSION 1

int data_person_write(const struct data_person *person, struct base_buffer *out)
{
    base_buffer_put(out, MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_f32s(out, &person->canon[0][0], DATA_FACE_POINTS * 3);
    base_buffer_put_f32s(out, &person->rest[0][0], DATA_FACE_POINTS * 3);
    base_buffer_put_f32(out, person->opening_rest);
    base_buffer_put_f32s(out, person->opening_pct, 5);
    base_buffer_put_f32s(out, person->width_pct, 5);
    base_buffer_put_u64(out, (uint64_t)person->n_frames);
    return out->status;
}

int data_person_read(const void *bytes, size_t n, struct data_person *ret_person,
                     struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    const uint8_t *magic = base_reader_take(&r, 8);
    struct data_person p = {0};
    bool ours = magic && !memcmp(magic, MAGIC, 8) && base_reader_u32(&r) == VERSION;
    base_reader_f32s(&r, &p.canon[0][0], DATA_FACE_POINTS * 3);
    base_reader_f32s(&r, &p.rest[0][0], DATA_FACE_POINTS * 3);
    p.opening_rest = base_reader_f32(&r);
    base_reader_f32s(&r, p.opening_pct, 5);
    base_reader_f32s(&r, p.width_pct, 5);
    p.n_frames = (int64_t)base_reader_u64(&r);
    if (!ours || r.failed || r.at != n)
        return base_error_set(err, LIP_ERR_SCORE, "data/person", "the person's record is damaged");
    *ret_person = p;
    return LIP_OK;
}
