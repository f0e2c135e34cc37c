/* SPDX-License-Identifier: MIT
 *
 * Files. Outputs are written beside their place and renamed at the end, so that a reader never
 * meets half a file. Every call has a fault hook for the torture tests. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The whole file, at most max_bytes; *ret_bytes is base memory with a 0 byte after the end.
 * Errors: LIP_ERR_NOT_FOUND, LIP_ERR_LIMIT, LIP_ERR_IO, LIP_ERR_NOMEM. */
int base_fs_read(const char *path, size_t max_bytes, uint8_t **ret_bytes, size_t *ret_n,
                 struct lip_error *err);
/* Writes beside, flushes to the disk and renames over path. */
int base_fs_write(const char *path, const void *bytes, size_t n, struct lip_error *err);

/* "dir/.name.<suffix>" for path "dir/name": where a half-made output lives until it is renamed.
 * *ret_path is base memory. */
int base_fs_beside(const char *path, const char *suffix, char **ret_path);
int base_fs_rename(const char *from, const char *to, struct lip_error *err);
bool base_fs_exists(const char *path);
int base_fs_remove(const char *path); /* a missing file is fine */
/* The regular files of a folder whose names begin with `prefix`, removed. */
int base_fs_remove_all(const char *dir, const char *prefix);
int base_fs_remove_dir(const char *path); /* an empty one; a missing one is fine */
/* Nothing is in it but what begins with `prefix`; false also where it cannot be read. */
bool base_fs_holds_only(const char *dir, const char *prefix);
int base_fs_make_dir(const char *path, struct lip_error *err); /* an existing one is fine */

/* A hash of size, first and last megabyte: tells one film from another quickly; not a proof. */
int base_fs_identity(const char *path, uint64_t *ret_hash, struct lip_error *err);

/* A 64-bit hash that can be chained through `seed`. Not for attackers. */
uint64_t base_hash(const void *bytes, size_t n, uint64_t seed);
uint32_t base_checksum(const void *bytes, size_t n); /* for torn writes, not for attackers */

/* For the torture tests: the nth file operation from now on fails; 0 = off. Returns the number of
 * operations since the last call. */
uint64_t base_fs_fail_nth(uint64_t nth);
/* Every wrapper of a file operation, in any room, asks this first; true: act as if the disk
 * failed. */
bool base_fs_must_fail(void);

#endif
