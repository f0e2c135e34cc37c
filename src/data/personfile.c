/* SPDX-License-Identifier: MIT */
#include "data/personfile.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#define WHERE "data/personfile"
#define MAGIC "LIPKNOWN"
#define VERSION 2
#define STYLE_BYTES_MAX ((size_t)1 << 20)

void data_personfile_init(struct data_personfile *file)
{
    memset(file, 0, sizeof *file);
}

void data_personfile_done(struct data_personfile *file)
{
    data_bank_done(&file->bank);
    base_free(file->style);
    data_personfile_init(file);
}

/* A part and its length in front, which is known only afterwards. */
static void put_part(struct base_buffer *out, const struct data_personfile *file,
                     int (*put)(const struct data_personfile *file, struct base_buffer *out))
{
    size_t at = out->size;
    base_buffer_put_u64(out, 0);
    put(file, out);
    if (out->status)
        return;
    uint64_t n = out->size - at - 8;
    for (size_t i = 0; i < 8; i++)
        out->data[at + i] = (uint8_t)(n >> 8 * i);
}

static int put_person(const struct data_personfile *file, struct base_buffer *out)
{
    return data_person_write(&file->person, out);
}

static int put_style(const struct data_personfile *file, struct base_buffer *out)
{
    base_buffer_put(out, file->style, file->n_style);
    return out->status;
}

static int put_bank(const struct data_personfile *file, struct base_buffer *out)
{
    return data_bank_write(&file->bank, out);
}

int data_personfile_write(struct data_personfile *file, struct base_buffer *out)
{
    if (file->n_films > DATA_PERSONFILE_FILMS_MAX || file->n_style > STYLE_BYTES_MAX)
        return LIP_ERR_ARG;
    size_t start = out->size;
    base_buffer_put(out, MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u64(out, file->models_hash);
    base_buffer_put_u32(out, (uint32_t)file->n_films);
    for (size_t i = 0; i < file->n_films; i++) {
        base_buffer_put_u64(out, file->films[i].identity);
        base_buffer_put_f32(out, file->films[i].seconds);
    }
    base_buffer_put_f32(out, file->print.weight);
    base_buffer_put_f32s(out, file->print.v, DATA_FACEPRINT_DIMS);
    put_part(out, file, put_person);
    put_part(out, file, put_style);
    put_part(out, file, put_bank);
    if (out->status)
        return out->status;
    file->hash = base_hash(out->data + start, out->size - start, 0);
    base_buffer_put_u64(out, file->hash);
    return out->status;
}

static int damaged(struct lip_error *err, const char *what)
{
    return base_error_set(err, LIP_ERR_SCORE, WHERE, "the person file is damaged: %s", what);
}

/* The bytes of the next part; NULL when they are not all there. */
static const uint8_t *take_part(struct base_reader *r, size_t *ret_n)
{
    uint64_t n = base_reader_u64(r);
    if (r->failed || n > r->size - r->at)
        return NULL;
    *ret_n = (size_t)n;
    return base_reader_take(r, (size_t)n);
}

static int take_films(struct base_reader *r, struct data_personfile *file, struct lip_error *err)
{
    file->models_hash = base_reader_u64(r);
    uint32_t n = base_reader_u32(r);
    if (r->failed || n > DATA_PERSONFILE_FILMS_MAX)
        return damaged(err, "the list of its films");
    for (uint32_t i = 0; i < n; i++) {
        file->films[i].identity = base_reader_u64(r);
        file->films[i].seconds = base_reader_f32(r);
    }
    file->n_films = n;
    return r->failed ? damaged(err, "the list of its films") : LIP_OK;
}

static int take_parts(struct base_reader *r, struct data_personfile *file, struct lip_error *err)
{
    size_t n = 0;
    file->print.weight = base_reader_f32(r);
    base_reader_f32s(r, file->print.v, DATA_FACEPRINT_DIMS);
    if (r->failed || file->print.weight < 0)
        return damaged(err, "whose face it is");
    const uint8_t *bytes = take_part(r, &n);
    int status = bytes ? data_person_read(bytes, n, &file->person, err)
                       : damaged(err, "the shape of the head");
    if (status)
        return status;
    bytes = take_part(r, &n);
    if (!bytes || n > STYLE_BYTES_MAX)
        return damaged(err, "the way of speaking");
    file->style = base_alloc(n);
    if (!file->style)
        return base_error_nomem(err, WHERE);
    memcpy(file->style, bytes, n);
    file->n_style = n;
    bytes = take_part(r, &n);
    return bytes ? data_bank_read(bytes, n, &file->bank, err) : damaged(err, "the mouths");
}

int data_personfile_read(const void *bytes, size_t n, struct data_personfile *ret_file,
                         struct lip_error *err)
{
    struct base_reader r, end;
    base_reader_init(&r, bytes, n);
    const uint8_t *magic = base_reader_take(&r, 8);
    if (!magic || memcmp(magic, MAGIC, 8))
        return base_error_set(err, LIP_ERR_SCORE, WHERE, "this is not a person file");
    if (base_reader_u32(&r) != VERSION || r.failed)
        return base_error_set(err, LIP_ERR_SCORE, WHERE,
                              "the person file was written by another version");
    if (n < 28)
        return damaged(err, "it is cut off");
    base_reader_init(&end, (const uint8_t *)bytes + n - 8, 8);
    uint64_t hash = base_reader_u64(&end);
    if (hash != base_hash(bytes, n - 8, 0))
        return damaged(err, "it was changed or is cut off");
    struct data_personfile *file = base_alloc(sizeof *file);
    if (!file)
        return base_error_nomem(err, WHERE);
    data_personfile_init(file);
    file->hash = hash;
    int status = take_films(&r, file, err);
    if (!status)
        status = take_parts(&r, file, err);
    if (!status && r.at != n - 8)
        status = damaged(err, "something follows its end");
    if (status)
        data_personfile_done(file);
    else
        *ret_file = *file;
    base_free(file);
    return status;
}
