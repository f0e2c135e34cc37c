/* SPDX-License-Identifier: MIT */
#include "fetch/s3.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/fs.h"

#define WHERE "fetch/s3"
#define TRIES 4
#define PAUSE_US 500000
#define CONNECT_S 20L
#define STALL_BYTES_S 1024L
#define STALL_S 60L

struct s3 {
    char url[1024]; /* of the folder, with its last slash */
    char user[512], sign[128], token[4200];
};

static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-/";
    return !text[strspn(text, letters)];
}

static int write_url(struct s3 *s3, const char *bucket, const char *prefix, const char *endpoint,
                     const char *region)
{
    const char *slash = *prefix && prefix[strlen(prefix) - 1] != '/' ? "/" : "";
    int n = endpoint ? snprintf(s3->url, sizeof s3->url, "%.*s/%s/%s%s",
                                (int)(strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/')),
                                endpoint, bucket, prefix, slash)
                     : snprintf(s3->url, sizeof s3->url, "https://%s.s3.%s.amazonaws.com/%s%s",
                                bucket, region, prefix, slash);
    return n > 0 && (size_t)n < sizeof s3->url ? LIP_OK : LIP_ERR_ARG;
}

int s3_open(const char *address, const char *endpoint, struct s3 **ret_s3, struct lip_error *err)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *token = getenv("AWS_SESSION_TOKEN"), *region = getenv("AWS_REGION");
    char bucket[256] = "";
    const char *at = !strncmp(address, "s3://", 5) ? address + 5 : "";
    size_t n = strcspn(at, "/");
    region = region ? region : "us-east-1";
    if (!n || n >= sizeof bucket || !is_plain(at) || !is_plain(region))
        return base_error_set(err, LIP_ERR_ARG, WHERE, "a storage is named s3://BUCKET/FOLDER");
    if (!id || !secret)
        return base_error_set(err, LIP_ERR_ARG, WHERE, "S3 needs AWS_ACCESS_KEY_ID and "
                              "AWS_SECRET_ACCESS_KEY in the environment");
    if (endpoint && strncmp(endpoint, "http://", 7) && strncmp(endpoint, "https://", 8))
        return base_error_set(err, LIP_ERR_ARG, WHERE, "an endpoint is an http or https address");
    memcpy(bucket, at, n);
    struct s3 *s3 = base_alloc_zero(sizeof *s3);
    if (!s3)
        return base_error_nomem(err, WHERE);
    snprintf(s3->user, sizeof s3->user, "%s:%s", id, secret);
    snprintf(s3->sign, sizeof s3->sign, "aws:amz:%s:s3", region);
    if (token)
        snprintf(s3->token, sizeof s3->token, "x-amz-security-token: %s", token);
    if (write_url(s3, bucket, at + n + (at[n] == '/'), endpoint, region)) {
        s3_close(&s3);
        return base_error_set(err, LIP_ERR_ARG, WHERE, "the storage's name is too long");
    }
    *ret_s3 = s3;
    return LIP_OK;
}

void s3_close(struct s3 **s3)
{
    base_free(*s3);
    *s3 = NULL;
}

/* One request: `file` is sent with PUT, `into` gets the answer of GET. */
struct request {
    const char *method;
    FILE *file;
    int64_t size_bytes;
    struct base_file *into;
    struct lip_error unwritable;
};

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    struct request *r = user;
    if (r->into && base_file_append(r->into, bytes, size * n, &r->unwritable))
        return 0;
    return size * n;
}

static size_t give(char *bytes, size_t size, size_t n, void *user)
{
    return fread(bytes, size, n, user);
}

/* The status, or a negative number. */
static long ask(const struct s3 *s3, const char *name, struct request *r)
{
    char url[1200];
    long status = -1;
    CURL *c = curl_easy_init();
    /* libcurl 7.88 knows no hash of what it is still to read; TLS is what protects it. */
    struct curl_slist *headers = curl_slist_append(NULL, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
    if (headers && s3->token[0])
        curl_slist_append(headers, s3->token);
    snprintf(url, sizeof url, "%s%s", s3->url, name);
    if (!c)
        return -1;
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_USERPWD, s3->user);
    curl_easy_setopt(c, CURLOPT_AWS_SIGV4, s3->sign);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    if (r->file) {
        rewind(r->file);
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(c, CURLOPT_READDATA, r->file);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->size_bytes);
    } else if (strcmp(r->method, "GET")) {
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    }
    CURLcode code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK && code != CURLE_HTTP_RETURNED_ERROR)
        status = -1;
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    return status;
}

/* The name alone is told: addresses may hold secrets. */
static int explain(long status, const char *name, const struct request *r, struct lip_error *err)
{
    if (r->unwritable.code)
        return base_error_set(err, r->unwritable.code, WHERE, "%s", r->unwritable.text);
    if (status == 404)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "the storage has no '%s'", name);
    if (status < 0)
        return base_error_set(err, LIP_ERR_IO, WHERE, "the storage cannot be reached");
    return base_error_set(err, LIP_ERR_IO, WHERE, "the storage answers %ld to %s '%s'", status,
                          r->method, name);
}

/* Once more where the storage is busy or was not reached. */
static int ask_again(const struct s3 *s3, const char *name, struct request *r,
                     struct lip_error *err)
{
    long status = -1;
    for (int i = 0; i < TRIES; i++) {
        if (i)
            usleep(PAUSE_US << (i - 1));
        status = ask(s3, name, r);
        if (status >= 200 && status < 300)
            return LIP_OK;
        if ((status > 0 && status < 500 && status != 429) || r->unwritable.code || r->into)
            break; /* half a file has come perhaps: the caller begins anew */
    }
    return explain(status, name, r, err);
}

int s3_put(const struct s3 *s3, const char *name, const char *path, struct lip_error *err)
{
    struct stat s;
    /* lint: allow fopen: libcurl reads it with our callback */
    struct request r = {.method = "PUT", .file = fopen(path, "rbe")};
    if (!r.file || fstat(fileno(r.file), &s)) {
        if (r.file)
            fclose(r.file);
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot read '%s'", name);
    }
    r.size_bytes = s.st_size;
    int error = ask_again(s3, name, &r, err);
    fclose(r.file);
    return error;
}

int s3_get(const struct s3 *s3, const char *name, const char *path, struct lip_error *err)
{
    int error = LIP_ERR_IO;
    for (int i = 0; i < TRIES && error == LIP_ERR_IO; i++) {
        struct request r = {.method = "GET"};
        base_error_clear(err);
        base_fs_remove(path);
        error = base_file_open(path, BASE_FILE_CREATE, &r.into, err);
        if (!error)
            error = ask_again(s3, name, &r, err);
        base_file_close(&r.into);
    }
    if (error)
        base_fs_remove(path);
    return error;
}

int s3_drop(const struct s3 *s3, const char *name, struct lip_error *err)
{
    struct request r = {.method = "DELETE"};
    return ask_again(s3, name, &r, err);
}
