/* SPDX-License-Identifier: MIT */
#include "fetch/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/fs.h"

#define WHERE "fetch"
#define STALL_BYTES_S 1024L
#define CONNECT_S 20L

struct transfer {
    const struct fetch_params *params;
    struct base_file *file;
    int64_t bytes;
    bool too_large, forbidden, cancelled;
    struct lip_error unwritable;
};

void fetch_params_default(struct fetch_params *params)
{
    *params = (struct fetch_params){.bytes_max = (int64_t)2 << 30, .time_max_s = 3600,
                                    .stall_s = 30, .redirects_max = 5};
}

int fetch_init(struct lip_error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        return LIP_OK;
    return base_error_set(err, LIP_ERR_INTERNAL, WHERE, "libcurl does not start");
}

void fetch_done(void)
{
    curl_global_cleanup();
}

/* The last look before a connection: the name has been resolved, by whomever. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = user;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!t->params->allow_private && !fetch_address_is_public(&address->addr)) {
        t->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    size_t left = size * n;
    if ((int64_t)left > t->params->bytes_max - t->bytes) {
        t->too_large = true;
        return 0;
    }
    if (base_file_append(t->file, bytes, left, &t->unwritable))
        return 0;
    t->bytes += (int64_t)left;
    return size * n;
}

static int tick(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct transfer *t = user;
    (void)a, (void)b, (void)c, (void)d;
    t->cancelled = t->params->cancel && *t->params->cancel;
    return t->cancelled;
}

/* Parts of the URL ---------------------------------------------------------------------------- */

static void copy_part(CURLU *u, CURLUPart part, unsigned flags, char *ret, size_t size)
{
    char *text = NULL;
    ret[0] = 0;
    if (curl_url_get(u, part, &text, flags) == CURLUE_OK && text)
        snprintf(ret, size, "%s", text);
    curl_free(text);
}

static void take_name(CURLU *u, char ret_name[256])
{
    char path[4096];
    copy_part(u, CURLUPART_PATH, CURLU_URLDECODE, path, sizeof path);
    const char *slash = strrchr(path, '/');
    size_t n = 0;
    for (const char *p = slash ? slash + 1 : path; *p && n < 255; p++)
        if ((unsigned char)*p >= 0x20 && *p != 0x7f && *p != '\\')
            ret_name[n++] = *p;
    ret_name[n] = 0;
}

static int parse(const char *url, CURLU **ret_url, char host[256], struct lip_error *err)
{
    CURLU *u = curl_url();
    char scheme[16], user[4];
    if (!u)
        return base_error_nomem(err, WHERE);
    CURLUcode code = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    copy_part(u, CURLUPART_SCHEME, 0, scheme, sizeof scheme);
    copy_part(u, CURLUPART_HOST, 0, host, 256);
    copy_part(u, CURLUPART_USER, 0, user, sizeof user);
    bool web = strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
    if (code != CURLUE_OK || !web || !host[0] || user[0]) {
        curl_url_cleanup(u);
        return base_error_set(err, LIP_ERR_ARG, WHERE,
                              user[0] ? "an address with a user name is not taken"
                                      : "not an address of the form http://… or https://…");
    }
    *ret_url = u;
    return LIP_OK;
}

/* The transfer -------------------------------------------------------------------------------- */

static int explain(const struct transfer *t, CURLcode code, long status, const char *host,
                   struct lip_error *err)
{
    if (t->cancelled)
        return base_error_set(err, LIP_ERR_CANCELLED, WHERE, "cancelled");
    if (t->forbidden)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "an address to which '%s' leads is private: it is not fetched from",
                              host);
    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE,
                              "the file from '%s' is larger than %lld bytes", host,
                              (long long)t->params->bytes_max);
    if (t->unwritable.code)
        return base_error_set(err, t->unwritable.code, WHERE, "%s", t->unwritable.text);
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "'%s' redirects more than %d times", host,
                              t->params->redirects_max);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return base_error_set(err, LIP_ERR_LIMIT, WHERE, "'%s' answers too slowly", host);
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "'%s' redirects to something other than http and https", host);
    if (code == CURLE_OUT_OF_MEMORY)
        return base_error_nomem(err, WHERE);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return base_error_set(err, status < 500 ? LIP_ERR_NOT_FOUND : LIP_ERR_IO, WHERE,
                              "'%s' answers %ld", host, status);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no host '%s'", host);
    return base_error_set(err, LIP_ERR_IO, WHERE, "'%s': %s", host, curl_easy_strerror(code));
}

static void set_up(CURL *c, CURLU *u, struct transfer *t)
{
    const struct fetch_params *p = t->params;
    curl_easy_setopt(c, CURLOPT_CURLU, u);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* a proxy would look where we cannot */
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)p->redirects_max);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, p->time_max_s);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, p->stall_s);
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)p->bytes_max);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "lipsync");
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, tick);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
}

int fetch_file(const char *url, const struct fetch_params *params, const char *path,
               struct fetch_result *ret_result, struct lip_error *err)
{
    char host[256];
    CURLU *u = NULL;
    struct transfer t = {.params = params};
    int r = parse(url, &u, host, err);
    if (r)
        return r;
    CURL *c = curl_easy_init();
    if (!c)
        r = base_error_nomem(err, WHERE);
    else if (base_fs_exists(path))
        r = base_error_set(err, LIP_ERR_EXISTS, WHERE, "'%s' is there already", path);
    else
        r = base_file_open(path, BASE_FILE_CREATE, &t.file, err);
    if (!r) {
        set_up(c, u, &t);
        CURLcode code = curl_easy_perform(c);
        long status = 0;
        char *type = NULL;
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
        if (code != CURLE_OK)
            r = explain(&t, code, status, host, err);
        if (!r && ret_result) {
            ret_result->bytes = t.bytes;
            snprintf(ret_result->type, sizeof ret_result->type, "%s", type ? type : "");
            take_name(u, ret_result->name);
        }
    }
    if (r && t.file)
        base_fs_remove(path);
    base_file_close(&t.file);
    curl_easy_cleanup(c);
    curl_url_cleanup(u);
    return r;
}

static size_t drop(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    (void)bytes;
    t->bytes += (int64_t)(size * n);
    t->too_large = t->bytes > t->params->bytes_max;
    return t->too_large ? 0 : size * n;
}

int fetch_post(const char *url, const struct fetch_params *params, const char *header,
               const char *json, struct lip_error *err)
{
    char host[256];
    CURLU *u = NULL;
    struct transfer t = {.params = params};
    int r = parse(url, &u, host, err);
    if (r)
        return r;
    CURL *c = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *all = headers ? curl_slist_append(headers, header) : NULL;
    if (c && all) {
        long status = 0;
        set_up(c, u, &t);
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, all);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, json);
        CURLcode code = curl_easy_perform(c);
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK)
            r = explain(&t, code, status, host, err);
        else if (status < 200 || status > 299)
            r = base_error_set(err, LIP_ERR_IO, WHERE, "'%s' answers %ld", host, status);
    } else {
        r = base_error_nomem(err, WHERE);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    curl_url_cleanup(u);
    return r;
}
