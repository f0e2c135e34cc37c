/* SPDX-License-Identifier: MIT
 *
 * Files in a store that speaks S3, signed by libcurl (AWS Signature Version 4). Credentials come
 * from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION. */
#ifndef FETCH_S3_H
#define FETCH_S3_H

#include <stdbool.h>

#include "base/status.h"

struct s3;

/* `address`: "s3://BUCKET/FOLDER". `endpoint`: "https://host:port" of another store than Amazon's,
 * where the bucket is the first part of the path; NULL: Amazon's. Nothing is asked yet.
 * Errors: LIP_ERR_ARG, LIP_ERR_NOMEM. */
int s3_open(const char *address, const char *endpoint, struct s3 **ret_s3, struct lip_error *err);
void s3_close(struct s3 **s3); /* *NULL is fine */

/* A file of the folder; what is larger than 64 MiB goes in parts (a store takes 10000 of at most
 * 5 GiB). Safe from several threads after fetch_init; tried again where the store is busy.
 * Errors: LIP_ERR_NOT_FOUND (get), LIP_ERR_IO. */
int s3_put(const struct s3 *s3, const char *name, const char *path, struct lip_error *err);
int s3_get(const struct s3 *s3, const char *name, const char *path, struct lip_error *err);
int s3_drop(const struct s3 *s3, const char *name, struct lip_error *err);

/* The id of an upload in what a store answers, made fit for an address. False: there is none, or it
 * is too long. */
#define S3_UPLOAD_BYTES 3100 /* 1024 letters at three bytes each */
bool s3_read_upload(const char *xml, char ret_id[S3_UPLOAD_BYTES]);

#endif
