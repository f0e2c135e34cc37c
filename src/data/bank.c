/* SPDX-License-Identifier: MIT */
#include "data/bank.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/status.h"

#define MAGIC "LIPBANK"
#define VERSION 1
#define PATCH_SIDE_MAX 4096
#define TEX_FLOATS (DATA_BANK_TEX_W * DATA_BANK_TEX_H)

void data_bank_init(struct data_bank *bank)
{
    *bank = (struct data_bank){0};
}

void data_bank_done(struct data_bank *bank)
{
    for (size_t i = 0; i < bank->n; i++)
        base_free(bank->entries[i].rgb);
    base_free(bank->entries);
    data_bank_init(bank);
}

static size_t rgb_samples(const struct data_bank_entry *e)
{
    return (size_t)e->width_px * (size_t)e->height_px * 3;
}

size_t data_bank_size_bytes(const struct data_bank *bank)
{
    size_t size = bank->cap * sizeof *bank->entries;
    for (size_t i = 0; i < bank->n; i++)
        size += rgb_samples(&bank->entries[i]) * sizeof(uint16_t);
    return size;
}

static void write_entry(const struct data_bank_entry *e, struct base_buffer *out)
{
    base_buffer_put_u64(out, (uint64_t)e->frame);
    const float head[] = {e->yaw_rad, e->pitch_rad, e->roll_rad, e->scale_px,
                          e->opening, e->width,     e->sharpness};
    base_buffer_put_f32s(out, head, sizeof head / sizeof *head);
    base_buffer_put_f32s(out, &e->canon[0][0], DATA_FACE_POINTS * 3);
    base_buffer_put_f32s(out, &e->patch_pts[0][0], DATA_FACE_POINTS * 2);
    base_buffer_put_f32s(out, &e->tex[0][0], TEX_FLOATS);
    base_buffer_put_u32(out, (uint32_t)e->width_px);
    base_buffer_put_u32(out, (uint32_t)e->height_px);
    for (size_t i = 0; i < rgb_samples(e); i++)
        base_buffer_put_u16(out, e->rgb[i]);
}

int data_bank_write(const struct data_bank *bank, struct base_buffer *out)
{
    base_buffer_reserve(out, 64 + data_bank_size_bytes(bank));
    base_buffer_put(out, MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u32(out, (uint32_t)bank->n);
    const float head[] = {bank->sharpness_median, bank->opening_max, bank->width_min,
                          bank->width_max};
    base_buffer_put_f32s(out, head, sizeof head / sizeof *head);
    for (size_t i = 0; i < bank->n; i++)
        write_entry(&bank->entries[i], out);
    return out->status;
}

/* Reads one entry; its rgb is the caller's to free, also on failure. */
static int read_entry(struct base_reader *r, struct data_bank_entry *e)
{
    e->frame = (int64_t)base_reader_u64(r);
    float head[7];
    base_reader_f32s(r, head, 7);
    e->yaw_rad = head[0];
    e->pitch_rad = head[1];
    e->roll_rad = head[2];
    e->scale_px = head[3];
    e->opening = head[4];
    e->width = head[5];
    e->sharpness = head[6];
    base_reader_f32s(r, &e->canon[0][0], DATA_FACE_POINTS * 3);
    base_reader_f32s(r, &e->patch_pts[0][0], DATA_FACE_POINTS * 2);
    base_reader_f32s(r, &e->tex[0][0], TEX_FLOATS);
    uint32_t w = base_reader_u32(r), h = base_reader_u32(r);
    if (r->failed || w < 1 || h < 1 || w > PATCH_SIDE_MAX || h > PATCH_SIDE_MAX)
        return LIP_ERR_SCORE;
    const uint8_t *p = base_reader_take(r, (size_t)w * h * 6);
    if (!p)
        return LIP_ERR_SCORE;
    e->width_px = (int)w;
    e->height_px = (int)h;
    e->rgb = base_alloc(rgb_samples(e) * sizeof(uint16_t));
    if (!e->rgb)
        return LIP_ERR_NOMEM;
    for (size_t i = 0; i < rgb_samples(e); i++)
        e->rgb[i] = (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
    return LIP_OK;
}

static int damaged(struct lip_error *err)
{
    return base_error_set(err, LIP_ERR_SCORE, "data/bank", "the bank of mouths is damaged");
}

int data_bank_read(const void *bytes, size_t n, struct data_bank *ret_bank, struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    const uint8_t *magic = base_reader_take(&r, 8);
    if (!magic || memcmp(magic, MAGIC, 8) || base_reader_u32(&r) != VERSION)
        return damaged(err);
    uint32_t count = base_reader_u32(&r);
    float head[4];
    base_reader_f32s(&r, head, 4);
    if (r.failed || count > DATA_BANK_MAX)
        return damaged(err);
    struct data_bank b = {.sharpness_median = head[0], .opening_max = head[1],
                          .width_min = head[2], .width_max = head[3]};
    int status = LIP_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        status = base_grow(&b.entries, &b.cap, b.n + 1, DATA_BANK_MAX, sizeof *b.entries);
        if (status)
            break;
        struct data_bank_entry *e = &b.entries[b.n++];
        status = read_entry(&r, e);
        if (!status && b.n > 1 && e->frame <= e[-1].frame)
            status = LIP_ERR_SCORE;
    }
    if (!status && r.at != n)
        status = LIP_ERR_SCORE;
    if (status) {
        data_bank_done(&b);
        return status == LIP_ERR_SCORE ? damaged(err) : base_error_nomem(err, "data/bank");
    }
    *ret_bank = b;
    return LIP_OK;
}
