/* SPDX-License-Identifier: MIT */
#include "data/look.h"

#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "base/status.h"

#define MAGIC "LIPLIKE"
#define VERSION 1
#define LOOKS_MAX (1 << 20)
#define VALUE_MAX 1e6f /* far above any grey level */

int data_likeness_write(const struct data_likeness *l, struct base_buffer *out)
{
    base_buffer_put(out, MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u32(out, (uint32_t)l->n_looks);
    base_buffer_put_f32s(out, l->mean, DATA_LOOK_VALUES);
    base_buffer_put_f32s(out, l->sd, DATA_LOOK_VALUES);
    base_buffer_put_f32s(out, &l->direction[0][0], DATA_LIKENESS_DIMS * DATA_LOOK_VALUES);
    base_buffer_put_f32s(out, l->range, DATA_LIKENESS_DIMS);
    return out->status;
}

static bool in_range(const float *v, size_t n, float min)
{
    for (size_t i = 0; i < n; i++)
        if (!(v[i] >= min && v[i] <= VALUE_MAX))
            return false;
    return true;
}

int data_likeness_read(const void *bytes, size_t n, struct data_likeness *ret_likeness,
                       struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    const uint8_t *magic = base_reader_take(&r, 8);
    bool ours = magic && !memcmp(magic, MAGIC, 8) && base_reader_u32(&r) == VERSION;
    struct data_likeness l = {.n_looks = (int32_t)base_reader_u32(&r)};
    base_reader_f32s(&r, l.mean, DATA_LOOK_VALUES);
    base_reader_f32s(&r, l.sd, DATA_LOOK_VALUES);
    base_reader_f32s(&r, &l.direction[0][0], DATA_LIKENESS_DIMS * DATA_LOOK_VALUES);
    base_reader_f32s(&r, l.range, DATA_LIKENESS_DIMS);
    if (!ours || r.failed || r.at != n || l.n_looks < 0 || l.n_looks > LOOKS_MAX ||
        !in_range(l.mean, DATA_LOOK_VALUES, -VALUE_MAX) || !in_range(l.sd, DATA_LOOK_VALUES, 0) ||
        !in_range(&l.direction[0][0], DATA_LIKENESS_DIMS * DATA_LOOK_VALUES, -1.01f) ||
        !in_range(l.range, DATA_LIKENESS_DIMS, 0))
        return base_error_set(err, LIP_ERR_SCORE, "data/look", "the person's likeness is damaged");
    *ret_likeness = l;
    return LIP_OK;
}
