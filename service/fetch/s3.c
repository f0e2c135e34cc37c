/* SPDX-License-Identifier: MIT */
#include "fetch/s3.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/fs.h"

#define WHERE "fetch/s3"
#define TRIES 4
#define PAUSE_US 500000
#define CONNECT_S 20L
#define STALL_BYTES_S 1024L
#define STALL_S 60L
#define PART_BYTES ((int64_t)64 << 20) /* larger files go in parts of at least so much … */
#define PARTS_MAX 10000                /* … and at most so many */
#define ANSWER_BYTES 8192
#define TAG_BYTES 128

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

/* One request. PUT sends size_bytes of `file` from `from` on, POST sends `body`; `into` gets the
 * answer of GET. */
struct request {
    const char *method;
    const char *query; /* with its "?"; NULL: none */
    FILE *file;
    int64_t from, size_bytes, left;
    const char *body;
    struct base_file *into;
    struct lip_error unwritable;
    char answer[ANSWER_BYTES]; /* its beginning, where it goes nowhere else */
    size_t n_answer;
    char tag[TAG_BYTES]; /* what the store calls the content */
};

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    struct request *r = user;
    if (r->into)
        return base_file_append(r->into, bytes, size * n, &r->unwritable) ? 0 : size * n;
    size_t room = sizeof r->answer - 1 - r->n_answer, fits = size * n < room ? size * n : room;
    memcpy(r->answer + r->n_answer, bytes, fits);
    r->answer[r->n_answer += fits] = 0;
    return size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *user)
{
    static const char name[] = "etag:";
    struct request *r = user;
    size_t at = sizeof name - 1, end = size * n;
    if (end <= at || strncasecmp(bytes, name, at))
        return size * n;
    while (at < end && bytes[at] == ' ')
        at++;
    while (end > at && (bytes[end - 1] == '\r' || bytes[end - 1] == '\n'))
        end--;
    snprintf(r->tag, sizeof r->tag, "%.*s", (int)(end - at), bytes + at);
    return size * n;
}

static size_t give(char *bytes, size_t size, size_t n, void *user)
{
    struct request *r = user;
    size_t want = size * n < (size_t)r->left ? size * n : (size_t)r->left;
    size_t got = fread(bytes, 1, want, r->file);
    r->left -= (int64_t)got;
    return got;
}

static void set_body(CURL *c, struct request *r)
{
    r->n_answer = 0;
    r->answer[0] = r->tag[0] = 0;
    if (r->file) {
        fseeko(r->file, (off_t)r->from, SEEK_SET);
        r->left = r->size_bytes;
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(c, CURLOPT_READDATA, r);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->size_bytes);
    } else if (r->body) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(r->body));
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
    } else if (strcmp(r->method, "GET")) {
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    }
}

/* The status, or a negative number. */
static long ask(const struct s3 *s3, const char *name, struct request *r)
{
    char url[1200 + S3_UPLOAD_BYTES];
    long status = -1;
    CURL *c = curl_easy_init();
    /* libcurl 7.88 knows no hash of what it is still to read; TLS is what protects it. */
    struct curl_slist *headers = curl_slist_append(NULL, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
    if (headers && s3->token[0])
        curl_slist_append(headers, s3->token);
    if (headers && r->body)
        curl_slist_append(headers, "Content-Type: application/xml");
    snprintf(url, sizeof url, "%s%s%s", s3->url, name, r->query ? r->query : "");
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
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
    set_body(c, r);
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

bool s3_read_upload(const char *xml, char ret_id[S3_UPLOAD_BYTES])
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    const char *at = strstr(xml, "<UploadId>"), *end = at ? strstr(at, "</UploadId>") : NULL;
    size_t n = 0;
    for (at = end ? at + strlen("<UploadId>") : NULL; at && at < end; at++) {
        if (n + 4 > S3_UPLOAD_BYTES)
            return false;
        if (strchr(unreserved, *at))
            ret_id[n++] = *at;
        else
            n += (size_t)snprintf(ret_id + n, 4, "%%%02X", (unsigned char)*at);
    }
    ret_id[n] = 0;
    return n > 0;
}

/* A file on its way in parts. */
struct upload {
    const struct s3 *s3;
    const char *name;
    FILE *file;
    int64_t size_bytes, part_bytes;
    char id[S3_UPLOAD_BYTES];
    struct base_buffer list; /* of the parts, as XML */
};

static int begin_upload(struct upload *u, struct lip_error *err)
{
    struct request r = {.method = "POST", .query = "?uploads=", .body = ""};
    int error = ask_again(u->s3, u->name, &r, err);
    if (!error && !s3_read_upload(r.answer, u->id))
        error = base_error_set(err, LIP_ERR_IO, WHERE, "the storage takes no files in parts");
    return error;
}

static void put_text(struct base_buffer *b, const char *text)
{
    base_buffer_put(b, text, strlen(text));
}

static int send_part(struct upload *u, int number, struct lip_error *err)
{
    char query[S3_UPLOAD_BYTES + 64], line[TAG_BYTES + 96];
    int64_t from = (number - 1) * u->part_bytes, left = u->size_bytes - from;
    struct request r = {.method = "PUT", .query = query, .file = u->file, .from = from,
                        .size_bytes = left < u->part_bytes ? left : u->part_bytes};
    snprintf(query, sizeof query, "?partNumber=%d&uploadId=%s", number, u->id);
    int error = ask_again(u->s3, u->name, &r, err);
    if (!error && (!r.tag[0] || strpbrk(r.tag, "<&")))
        error = base_error_set(err, LIP_ERR_IO, WHERE, "the storage does not say what it has got");
    snprintf(line, sizeof line, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number,
             r.tag);
    put_text(&u->list, line);
    return error;
}

/* An answer of 200 may still say that it has failed. */
static int end_upload(struct upload *u, struct lip_error *err)
{
    char query[S3_UPLOAD_BYTES + 16];
    snprintf(query, sizeof query, "?uploadId=%s", u->id);
    put_text(&u->list, "</CompleteMultipartUpload>");
    base_buffer_put_u8(&u->list, 0);
    if (u->list.status)
        return base_error_nomem(err, WHERE);
    struct request r = {.method = "POST", .query = query, .body = (const char *)u->list.data};
    int error = ask_again(u->s3, u->name, &r, err);
    if (!error && strstr(r.answer, "<Error"))
        error = base_error_set(err, LIP_ERR_IO, WHERE, "the storage cannot join the parts of '%s'",
                               u->name);
    return error;
}

static void drop_upload(struct upload *u)
{
    char query[S3_UPLOAD_BYTES + 16];
    struct request r = {.method = "DELETE", .query = query};
    snprintf(query, sizeof query, "?uploadId=%s", u->id);
    ask_again(u->s3, u->name, &r, NULL);
}

static int put_in_parts(struct upload *u, struct lip_error *err)
{
    int64_t least = (u->size_bytes + PARTS_MAX - 1) / PARTS_MAX;
    u->part_bytes = least > PART_BYTES ? least : PART_BYTES;
    int n = (int)((u->size_bytes + u->part_bytes - 1) / u->part_bytes);
    int r = begin_upload(u, err);
    if (r)
        return r;
    base_buffer_init(&u->list, BASE_ALLOC_CEILING);
    put_text(&u->list, "<CompleteMultipartUpload>");
    for (int i = 1; i <= n && !r; i++)
        r = send_part(u, i, err);
    r = r ? r : end_upload(u, err);
    base_buffer_done(&u->list);
    if (r)
        drop_upload(u);
    return r;
}

int s3_put(const struct s3 *s3, const char *name, const char *path, struct lip_error *err)
{
    struct stat s;
    /* lint: allow fopen: libcurl reads it with our callback */
    FILE *file = fopen(path, "rbe");
    if (!file || fstat(fileno(file), &s)) {
        if (file)
            fclose(file);
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot read '%s'", name);
    }
    struct upload u = {.s3 = s3, .name = name, .file = file, .size_bytes = s.st_size};
    struct request r = {.method = "PUT", .file = file, .size_bytes = s.st_size};
    int error = s.st_size > PART_BYTES ? put_in_parts(&u, err) : ask_again(s3, name, &r, err);
    fclose(file);
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
