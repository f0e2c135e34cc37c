/* SPDX-License-Identifier: MIT
 * Links with a token: films and uploads go out as they lie on the disk, whole or in part. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/room.h"

struct range {
    int64_t from, to; /* the first and the last byte */
};

/* One range as in RFC 9110 14.1. 1: take it, 0: none or several (the whole is sent), -1: outside of
 * the file. */
static int take_range(const char *text, int64_t size, struct range *ret_range)
{
    long long from = 0, to = 0;
    int n = 0;
    if (!text || strncmp(text, "bytes=", 6) || strchr(text, ','))
        return 0;
    text += 6;
    if (*text == '-') {
        if (sscanf(text, "-%lld%n", &to, &n) != 1 || text[n] || to < 0)
            return 0;
        if (!to || !size)
            return -1;
        *ret_range = (struct range){to < size ? size - to : 0, size - 1};
        return 1;
    }
    if (sscanf(text, "%lld-%n", &from, &n) != 1 || from < 0 || !n)
        return 0;
    text += n;
    to = size - 1;
    if (*text && (sscanf(text, "%lld%n", &to, &n) != 1 || text[n] || to < from))
        return 0;
    if (from >= size)
        return -1;
    *ret_range = (struct range){from, to < size ? to : size - 1};
    return 1;
}

static enum MHD_Result send_range(struct http_request *r, int fd, int64_t size,
                                  const char *type, const char *file_name)
{
    struct range range = {0, size - 1};
    char text[400];
    const char *wanted = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Range");
    int part = take_range(wanted, size, &range);
    if (part < 0) {
        close(fd);
        return http_reply_error(r, 416, NULL, "The range lies outside of the file");
    }
    uint64_t n = (uint64_t)(range.to - range.from + 1);
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64(n, fd, (uint64_t)range.from);
    if (!response) {
        close(fd);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", "sandbox");
    snprintf(text, sizeof text, "inline; filename=\"%s\"", file_name);
    MHD_add_response_header(response, "Content-Disposition", text);
    snprintf(text, sizeof text, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range.from, range.to,
             size);
    if (part)
        MHD_add_response_header(response, "Content-Range", text);
    return http_send(r, part ? 206 : 200, response, (int64_t)n);
}

static enum MHD_Result send_file(struct http_request *r, const char *id, const char *ending,
                                 const char *type, const char *file_name)
{
    char *path = NULL;
    struct stat s;
    struct lip_error err = {0};
    int error = store_media_need(r->store, id, ending, &path, &err);
    if (error && error != LIP_ERR_NOT_FOUND)
        return http_reply_failure(r, error, &err);
    /* lint: allow open: libmicrohttpd sends from a descriptor */
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    base_free(path);
    if (fd >= 0 && !fstat(fd, &s) && S_ISREG(s.st_mode) && s.st_size)
        return send_range(r, fd, s.st_size, type, file_name);
    if (fd >= 0)
        close(fd);
    return http_reply_error(r, 404, NULL, "The file is gone");
}

static bool has_token(struct http_request *r, const char *token)
{
    const char *given = http_query(r, "token");
    return given && store_secret_equal(given, token);
}

enum MHD_Result http_generation_result(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    char name[300];
    int error = store_generation_get(r->store, r->id, &g, &err);
    /* The same answer for a wrong id and a wrong token: neither can be tried out alone. */
    if (error == LIP_ERR_NOT_FOUND)
        return http_reply_error(r, 404, "generation_not_found", "There is no such result");
    if (error)
        return http_reply_failure(r, error, &err);
    bool fine = has_token(r, g.token) && g.status == STORE_COMPLETED;
    snprintf(name, sizeof name, "%s.mp4", g.file_name ? g.file_name : g.id);
    store_generation_done(&g);
    if (!fine)
        return http_reply_error(r, 404, "generation_not_found", "There is no such result");
    return send_file(r, r->id, ".mp4", "video/mp4", name);
}

enum MHD_Result http_generation_report(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_generation g;
    int error = http_generation_find(r, &g, &err);
    if (error)
        return http_reply_failure(r, error, &err);
    store_generation_done(&g);
    return send_file(r, r->id, ".json", "application/json", "report.json");
}

/* By the end of the name: some browsers play nothing that is not said to be media. What it really
 * is nobody has looked at, so that other types are not told. */
static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {"mp4", "video/mp4"},   {"m4v", "video/mp4"},   {"mov", "video/quicktime"},
        {"webm", "video/webm"}, {"mkv", "video/x-matroska"}, {"wav", "audio/wav"},
        {"mp3", "audio/mpeg"},  {"m4a", "audio/mp4"},   {"aac", "audio/aac"},
        {"flac", "audio/flac"}, {"ogg", "audio/ogg"},   {"opus", "audio/ogg"},
        {"png", "image/png"},   {"jpg", "image/jpeg"},  {"jpeg", "image/jpeg"},
        {"webp", "image/webp"},
    };
    const char *dot = name ? strrchr(name, '.') : NULL;
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(dot + 1, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

enum MHD_Result http_asset_content(struct http_request *r)
{
    struct lip_error err = {0};
    struct store_asset a;
    int error = store_asset_get(r->store, r->id, &a, &err);
    if (error && error != LIP_ERR_NOT_FOUND)
        return http_reply_failure(r, error, &err);
    bool fine = !error && has_token(r, a.token);
    const char *type = type_of(error ? NULL : a.name);
    if (!error)
        store_asset_done(&a);
    if (!fine)
        return http_reply_error(r, 404, "asset_not_found", "There is no such asset");
    return send_file(r, r->id, "", type, r->id);
}
