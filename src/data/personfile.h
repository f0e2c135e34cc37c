/* SPDX-License-Identifier: MIT
 *
 * A person file: what was learnt of one person from any number of films, to be used in others. The
 * shape of the head, the bank of mouths, and how the mouth answers to sound. */
#ifndef DATA_PERSONFILE_H
#define DATA_PERSONFILE_H

#include <stddef.h>
#include <stdint.h>

#include "data/bank.h"
#include "data/face.h"

struct base_buffer;
struct lip_error;

#define DATA_PERSONFILE_FILMS_MAX 256
#define DATA_PERSONFILE_BYTES_MAX ((size_t)384 << 20)

struct data_personfile_film {
    uint64_t identity; /* base_fs_identity */
    float seconds;     /* looked at */
};

struct data_personfile {
    uint64_t models_hash; /* of the nets that looked */
    uint64_t hash;        /* over everything else; set by read and write */
    struct data_personfile_film films[DATA_PERSONFILE_FILMS_MAX];
    size_t n_films;
    struct data_person person;
    struct data_print print; /* whose face it is */
    struct data_bank bank; /* films one after another, numbered apart */
    uint8_t *style;        /* a disk form of motion/; nobody here looks inside. Base memory */
    size_t n_style;
};

void data_personfile_init(struct data_personfile *file);
void data_personfile_done(struct data_personfile *file);

/* Disk form ("LIPKNOWN", version 2). Write sets file->hash. Errors of read: LIP_ERR_SCORE,
 * LIP_ERR_NOMEM. ret_file is large: keep it on the heap. */
int data_personfile_write(struct data_personfile *file, struct base_buffer *out);
int data_personfile_read(const void *bytes, size_t n, struct data_personfile *ret_file,
                         struct lip_error *err);

#endif
