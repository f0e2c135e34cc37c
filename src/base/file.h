/* SPDX-License-Identifier: MIT
 *
 * A file that is appended to and read at any place: the ground under the score. Single-threaded. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum base_file_mode {
    BASE_FILE_READ,   /* must exist */
    BASE_FILE_APPEND, /* must exist; reading and appending */
    BASE_FILE_CREATE  /* emptied or made; reading and appending */
};

struct base_file;

int base_file_open(const char *path, enum base_file_mode mode, struct base_file **ret_file,
                   struct lip_error *err);
/* A new one that has no name and ends with its closing, in $TMPDIR or else /var/tmp; for reading
 * and appending. */
int base_file_open_temporary(struct base_file **ret_file, struct lip_error *err);
void base_file_close(struct base_file **file); /* NULL and *NULL are fine */
uint64_t base_file_size(const struct base_file *file);
/* All or nothing: after a failure the file has its old size again, as far as the disk allows. */
int base_file_append(struct base_file *file, const void *bytes, size_t n, struct lip_error *err);
/* Exactly n bytes; fewer is LIP_ERR_IO. */
int base_file_read_at(struct base_file *file, uint64_t at, void *ret_bytes, size_t n,
                      struct lip_error *err);
int base_file_truncate(struct base_file *file, uint64_t size, struct lip_error *err);
int base_file_sync(struct base_file *file, struct lip_error *err);

#endif
