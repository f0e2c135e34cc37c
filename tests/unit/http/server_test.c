/* SPDX-License-Identifier: MIT
 * The door itself: bytes in, bytes out, many at a time. Nothing is rendered here. */
#define _GNU_SOURCE
#include "unit/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "http/room.h"

#define CLIENTS 6
#define ROUNDS 8
#define UPLOAD_MAX 5000

static char folder[64], key[STORE_KEY_BYTES];
static struct store *store;
static struct http_server *server;

static int drop(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    struct lip_error err = {0};
    snprintf(folder, sizeof folder, "/tmp/lipsync-http-XXXXXX");
    if (!mkdtemp(folder) || store_open(folder, NULL, &store, &err) ||
        store_key_make(store, STORE_DEFAULT, "test", key, &err))
        return -1;
    struct http_params params = {.store = store, .host = "127.0.0.1", .fetches = true,
                                 .upload_max_bytes = UPLOAD_MAX};
    return http_open(&params, &server, &err);
}

static int tear_down(void **state)
{
    (void)state;
    http_close(&server);
    store_close(&store);
    return nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* Sends in pieces of `piece` bytes; the status, and the whole answer. */
static int talk(const char *bytes, size_t n, size_t piece, char *ret_answer, size_t cap)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(
                                 (uint16_t)http_port(server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    size_t got = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    for (size_t at = 0; at < n; at += piece)
        if (send(fd, bytes + at, n - at < piece ? n - at : piece, MSG_NOSIGNAL) < 0)
            break;
    for (ssize_t more; got + 1 < cap && (more = recv(fd, ret_answer + got, cap - 1 - got, 0)) > 0;)
        got += (size_t)more;
    ret_answer[got] = 0;
    close(fd);
    return sscanf(ret_answer, "HTTP/1.1 %d", &status) == 1 ? status : -1;
}

/* Sends these bytes and goes away. */
static int talk_half(const char *bytes, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(
                                 (uint16_t)http_port(server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int r = connect(fd, (struct sockaddr *)&to, sizeof to) ||
            send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n;
    usleep(100000); /* so that the file is begun */
    close(fd);
    return r;
}

#define ANSWER_BYTES 16384

static int request(const char *method, const char *path, const char *with_key,
                   char ret_answer[ANSWER_BYTES])
{
    char text[2000];
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: example.org:81\r\n"
                     "Connection: close\r\n%s%s%s\r\n", method, path, with_key ? "x-api-key: " : "",
                     with_key ? with_key : "", with_key ? "\r\n" : "");
    return talk(text, (size_t)n, (size_t)n, ret_answer, ANSWER_BYTES);
}

static int submit(const char *where, const char *type, const char *body, size_t n_body,
                  size_t piece, char ret_answer[ANSWER_BYTES])
{
    static const size_t cap = 32768;
    char *text = malloc(cap);
    assert_non_null(text);
    int n = snprintf(text, cap, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     "x-api-key: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", where, key,
                     type, n_body);
    assert_true((size_t)n + n_body < cap);
    memcpy(text + n, body, n_body);
    int status = talk(text, (size_t)n + n_body, piece, ret_answer, ANSWER_BYTES);
    free(text);
    return status;
}

static int post(const char *type, const char *body, size_t n_body, size_t piece,
                char ret_answer[ANSWER_BYTES])
{
    return submit("POST /v2/generate", type, body, n_body, piece, ret_answer);
}

/* Files of requests that failed go right after the answer. */
static void expect_files(int n)
{
    char media[80];
    int found = -1;
    snprintf(media, sizeof media, "%s/media", folder);
    for (int i = 0; i < 500 && found != n; i++) {
        DIR *dir = opendir(media);
        assert_non_null(dir);
        found = 0;
        for (struct dirent *e; (e = readdir(dir));)
            found += e->d_name[0] != '.';
        closedir(dir);
        usleep(found == n ? 0 : 4000);
    }
    assert_int_equal(found, n);
}

#define FORM "multipart/form-data; boundary=bb"
#define FIELD(name, text) \
    "--bb\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" text "\r\n"
#define FILE_PART(name, file, text) \
    "--bb\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file "\"\r\n" \
    "Content-Type: application/octet-stream\r\n\r\n" text "\r\n"
#define END "--bb--\r\n"

static void keys_are_asked_for(void **state)
{
    (void)state;
    char answer[ANSWER_BYTES];
    assert_int_equal(request("GET", "/v2/models", NULL, answer), 401);
    assert_non_null(strstr(answer, "Either Cookie or x-api-key header must be provided"));
    assert_int_equal(request("GET", "/v2/models", "sk-wrong", answer), 401);
    assert_int_equal(request("GET", "/v2/models", key, answer), 200);
    assert_int_equal(request("GET", "/v2/no/such/thing", NULL, answer), 401);
    assert_int_equal(request("GET", "/v2/no/such/thing", key, answer), 404);
    assert_int_equal(request("PUT", "/v2/models", key, answer), 404);
    assert_int_equal(request("GET", "/v2/errors", NULL, answer), 200);
    assert_int_equal(request("GET", "/health", NULL, answer), 200);
    assert_int_equal(request("GET", "/v2/assets/../../lock/content", key, answer), 404);
}

/* Files before and after fields, a client that sends an empty line behind the end, and bytes one by
 * one. */
static void forms(void **state)
{
    (void)state;
    static const char *const good[] = {
        FILE_PART("video", "../../x.mp4", "VIDEO\r\n--b") FILE_PART("audio", "a.wav", "AUDIO")
            FIELD("model", "lipsync-2") END "\r\n",
        FIELD("model", "lipsync-2") FIELD("options", "{\"sync_mode\":\"loop\"}")
            FILE_PART("audio", "a.wav", "AUDIO") FILE_PART("video", "x.mp4", "VIDEO") END,
        FIELD("input", "{\"type\":\"text\",\"provider\":{\"name\":\"elevenlabs\",\"voiceId\":"
              "\"en\",\"script\":\"hi\"}}") FILE_PART("video", "x.mp4", "VIDEO")
            FIELD("model", "sync-3") END "\r\n",
        FIELD("model", "lipsync-2") FIELD("input", "{\"type\":\"video\",\"url\":\"http://x/v\"}")
            FIELD("input", "{\"type\":\"audio\",\"url\":\"http://x/a\"}") END};
    char answer[ANSWER_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(good); i++)
        for (size_t piece = 1; piece < 5000; piece = piece * 61 + 1)
            if (post(FORM, good[i], strlen(good[i]), piece, answer) != 201)
                fail_msg("form %zu in pieces of %zu: %s", i, piece, answer);
    assert_int_equal(request("GET", "/v2/assets?searchQuery=x.mp4", key, answer), 200);
    assert_null(strstr(answer, ".."));
}

static void bad_forms(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "--bb", "nonsense", END,
        FILE_PART("video", "x.mp4", "VIDEO") FIELD("model", "lipsync-2"),
        FILE_PART("video", "x.mp4", "") FILE_PART("audio", "a", "A") FIELD("model", "sync-3") END,
        FILE_PART("video", "x", "V") FILE_PART("video", "x", "V") FIELD("model", "sync-3") END,
        FIELD("model", "lipsync-2") FIELD("input", "{") END,
        FIELD("model", "lipsync-2") FIELD("options", "7") FILE_PART("video", "x", "V")
            FILE_PART("audio", "x", "V") END};
    char answer[ANSWER_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(bad); i++)
        if (post(FORM, bad[i], strlen(bad[i]), 4000, answer) != 400 || !strstr(answer, "message"))
            fail_msg("form %zu: %s", i, answer);
    assert_int_equal(post("multipart/form-data", END, strlen(END), 100, answer), 400);
    assert_int_equal(post("application/json", "{\"model\":", 9, 100, answer), 400);
    assert_int_equal(post("application/json", "[]", 2, 100, answer), 400);
    expect_files(0);
    assert_int_equal(request("GET", "/v2/assets", key, answer), 200);
    assert_non_null(strstr(answer, "\"totalCount\":0"));
}

static void too_large(void **state)
{
    (void)state;
    static const char head[] = FILE_PART("video", "x.mp4", "");
    char answer[ANSWER_BYTES], body[20000];
    memset(body, 'v', sizeof body);
    memcpy(body, head, strlen(head) - 2);
    assert_int_equal(post(FORM, body, sizeof body, 1000, answer), 413);
    expect_files(0);
}

/* A place for a file: only who has its token sends there, and not too much. */
static void uploads(void **state)
{
    (void)state;
    char answer[ANSWER_BYTES], put[300], closed[300], url[300], body[20000], text[400];
    static const char ask[] = "{\"fileName\":\"v.mp4\",\"contentType\":\"video/mp4\",\"size\":9}";
    static const char huge[] = "{\"fileName\":\"v.mp4\",\"size\":1e9}", json[] = "application/json";
    const char *place = "POST /v2/assets/upload";
    memset(body, 'v', sizeof body);
    assert_int_equal(submit(place, json, huge, strlen(huge), 999, answer), 422);
    assert_int_equal(submit(place, json, "{}", 2, 999, answer), 400);
    assert_int_equal(submit(place, json, ask, strlen(ask), 999, answer), 201);
    const char *at = strstr(answer, "\"uploadUrl\":\"http://x/");
    snprintf(put, sizeof put, "PUT %.*s", (int)strcspn(at + 21, "\""), at + 21);
    at = strstr(answer, "\"url\":\"") + 7;
    snprintf(url, sizeof url, "%.*s", (int)strcspn(at, "\""), at);
    snprintf(closed, sizeof closed, "%.*s=%s", (int)strcspn(put, "="), put,
             "00000000-0000-4000-8000-000000000000");
    assert_int_equal(submit(closed, "video/mp4", body, 9, 999, answer), 404);
    assert_int_equal(submit(put, "video/mp4", body, sizeof body, 999, answer), 413);
    expect_files(0);
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc",
                     put);
    assert_int_equal(talk_half(text, (size_t)n), 0);
    expect_files(0);
    assert_int_equal(submit(put, "video/mp4", body, 9, 999, answer), 200);
    expect_files(1);
    n = snprintf(text, sizeof text, "{\"url\":\"%s\",\"type\":\"VIDEO\"}", url);
    assert_int_equal(submit("POST /v2/assets", json, text, (size_t)n, 999, answer), 201);
    assert_non_null(strstr(answer, "\"size\":9,"));
    assert_int_equal(submit(put, "video/mp4", body, 9, 999, answer), 404); /* its place is taken */
    expect_files(1);
}

/* Many at a time: new jobs, lists, long polls, and somebody who ends them. */
static void client(void *arg)
{
    static const char job[] = "{\"model\":\"lipsync-2\",\"input\":[{\"type\":\"video\",\"url\":"
                              "\"http://x/v\"},{\"type\":\"audio\",\"url\":\"http://x/a\"}]}";
    char *answer = malloc(ANSWER_BYTES), path[200], made[STORE_ID_BYTES];
    int *n_good = arg;
    for (int i = 0; i < ROUNDS && answer; i++) {
        *n_good += post("application/json", job, strlen(job), 4000, answer) == 201;
        const char *id = strstr(answer, "\"id\":\"");
        if (!id)
            continue;
        snprintf(made, sizeof made, "%.36s", id + 6);
        snprintf(path, sizeof path, "/v2/generations/%s/cancel", made);
        *n_good += request("POST", path, key, answer) == 200;
        snprintf(path, sizeof path, "/v2/generate/%s?wait=true&timeout=10", made);
        *n_good += request("GET", path, key, answer) == 200 && strstr(answer, "FAILED") != NULL;
        *n_good += request("GET", "/v2/generations?limit=3&status=FAILED", key, answer) == 200;
    }
    free(answer);
}

static void many_clients(void **state)
{
    (void)state;
    struct base_thread *threads[CLIENTS] = {NULL};
    int n_good[CLIENTS] = {0}, sum = 0;
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(base_thread_start(client, &n_good[i], &threads[i]), LIP_OK);
    for (int i = 0; i < CLIENTS; i++) {
        base_thread_join(&threads[i]);
        sum += n_good[i];
    }
    assert_int_equal(sum, 4 * CLIENTS * ROUNDS);
}

struct waiter {
    char path[100];
    int status;
};

static void wait_long(void *arg)
{
    struct waiter *w = arg;
    char answer[ANSWER_BYTES];
    w->status = request("GET", w->path, key, answer);
}

/* A server that ends does not wait for those who wait. */
static void ends_at_once(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char model[] = "lipsync-2", input[] = "[]";
    struct store_generation g = {.model = model, .input = input, .organization = STORE_DEFAULT};
    struct base_thread *thread = NULL;
    struct waiter w = {.status = 0};
    store_id_make(g.id);
    store_id_make(g.token);
    assert_int_equal(store_generation_add(store, &g, NULL, 0, &err), LIP_OK);
    snprintf(w.path, sizeof w.path, "/v2/generate/%s?wait=true&timeout=10", g.id);
    int64_t begin_us = base_time_us();
    assert_int_equal(base_thread_start(wait_long, &w, &thread), LIP_OK);
    usleep(200000);
    http_close(&server);
    base_thread_join(&thread);
    assert_true(base_time_us() - begin_us < (int64_t)8 * 1000000);
    assert_int_equal(w.status, 200);
}

/* The description tells of every route, and of no other; its words lead to schemas. */
static void described(void **state)
{
    (void)state;
    size_t cap = 300000, n_told = 0, n_routes = 0;
    char *answer = malloc(cap);
    static const char ask[] = "GET /api-json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_non_null(answer);
    assert_int_equal(talk(ask, strlen(ask), strlen(ask), answer, cap), 200);
    json_t *api = json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL), *path, *operation;
    const char *name, *method;
    json_object_foreach(json_object_get(api, "paths"), name, path)
        json_object_foreach(path, method, operation) {
            n_told++;
            assert_true(json_is_string(json_object_get(operation, "operationId")));
        }
    const struct http_route *route;
    for (; (route = http_route_at(n_routes)); n_routes++)
        for (size_t i = 0; i < n_routes; i++)
            assert_string_not_equal(route->operation, http_route_at(i)->operation);
    assert_int_equal(n_told, n_routes);
    assert_true(n_routes < HTTP_ROUTES_MAX);
    json_t *schemas = json_object_get(json_object_get(api, "components"), "schemas");
    for (const char *at = answer; (at = strstr(at, "#/components/schemas/"));) {
        char type[60] = "";
        at += strlen("#/components/schemas/");
        strncat(type, at, strcspn(at, "\"") < 59 ? strcspn(at, "\"") : 59);
        if (!json_object_get(schemas, type))
            fail_msg("there is no schema %s", type);
    }
    json_decref(api);
    free(answer);
}

static void figures(void **state)
{
    (void)state;
    char answer[ANSWER_BYTES];
    assert_int_equal(request("GET", "/v2/models", key, answer), 200);
    assert_int_equal(request("GET", "/v2/models", NULL, answer), 401);
    assert_int_equal(request("GET", "/metrics", NULL, answer), 200); /* from 127.0.0.1 */
    assert_non_null(strstr(answer, "lipsync_jobs{status=\"PENDING\"} 0\n"));
    assert_non_null(strstr(answer, "{method=\"GET\",route=\"/v2/models\",status=\"2xx\"} 1\n"));
    assert_non_null(strstr(answer, "{method=\"GET\",route=\"/v2/models\",status=\"4xx\"} 1\n"));
    static const char passed[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "X-Forwarded-For: 8.8.8.8\r\n\r\n";
    assert_int_equal(talk(passed, strlen(passed), 100, answer, sizeof answer), 401);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(keys_are_asked_for), WITH_SERVER(forms), WITH_SERVER(bad_forms),
        WITH_SERVER(too_large), WITH_SERVER(uploads), WITH_SERVER(described),
        WITH_SERVER(figures),
        WITH_SERVER(many_clients), WITH_SERVER(ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
