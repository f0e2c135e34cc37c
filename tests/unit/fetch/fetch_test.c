/* SPDX-License-Identifier: MIT
 * The fetcher against a server that misbehaves in every way it can, and the addresses it must not
 * go to. */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch/fetch.h"

#define FILE_NAME "fetch_test.tmp"

static int listener = -1, port;
static pthread_t server;
static char posted[2048]; /* the last request to /hook */

static void answer(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return; /* the fetcher has gone: it may */
}

static void serve(int fd)
{
    char request[2048] = {0}, text[256];
    if (recv(fd, request, sizeof request - 1, 0) <= 0)
        return;
    if (strncmp(request, "POST /hook ", 11) == 0) {
        memcpy(posted, request, sizeof posted);
        answer(fd, "HTTP/1.1 204 Fine\r\n\r\n");
        return;
    }
    char *path = strchr(request, ' ') + 1, *end = strchr(path, ' ');
    if (end)
        *end = 0;
    if (strcmp(path, "/a%20film.mp4") == 0) {
        answer(fd, "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\nhello");
    } else if (strcmp(path, "/unsized") == 0) {
        answer(fd, "HTTP/1.1 200 OK\r\n\r\n");
        for (int i = 0; i < 100; i++)
            answer(fd, "a line of twenty byte");
    } else if (strcmp(path, "/large") == 0) {
        answer(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4000000000000\r\n\r\n");
    } else if (strcmp(path, "/short") == 0) {
        answer(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    } else if (strcmp(path, "/slow") == 0) {
        answer(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nh");
        recv(fd, request, sizeof request, 0); /* until the other side has had enough */
    } else if (strcmp(path, "/loop") == 0) {
        answer(fd, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/moved") == 0) {
        snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/a%%20film."
                 "mp4\r\nContent-Length: 0\r\n\r\n", port);
        answer(fd, text);
    } else if (strcmp(path, "/to-file") == 0) {
        answer(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
                   "Content-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/broken") == 0) {
        answer(fd, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    } else {
        answer(fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    }
}

static void *run(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        serve(fd);
        close(fd);
    }
}

static int start(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    return listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) ||
           listen(listener, 8) || getsockname(listener, (struct sockaddr *)&at, &n) ||
           (port = ntohs(at.sin_port)) == 0 || fetch_init(NULL) ||
           pthread_create(&server, NULL, run, NULL);
}

static int stop(void **state)
{
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(server, NULL);
    close(listener);
    fetch_done();
    return 0;
}

static struct fetch_params params_at_home(void)
{
    struct fetch_params p;
    fetch_params_default(&p);
    assert_false(p.allow_private);
    p.allow_private = true;
    p.stall_s = 1;
    return p;
}

static int fetch(const char *path, const struct fetch_params *p, struct fetch_result *ret)
{
    char url[256];
    struct lip_error err = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    int r = fetch_file(url, p, FILE_NAME, ret, &err);
    assert_int_equal(r, err.code);
    struct stat there;
    assert_true((stat(FILE_NAME, &there) == 0) == (r == 0)); /* nothing half-fetched stays */
    if (r)
        assert_true(err.text[0] && !strstr(err.text, path)); /* a path may hold a secret */
    return r;
}

static void a_file_is_fetched(void **state)
{
    (void)state;
    struct fetch_params p = params_at_home();
    struct fetch_result result;
    struct stat there;
    assert_int_equal(fetch("/a%20film.mp4?token=secret", &p, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(fetch("/a%20film.mp4", &p, &result), 0);
    assert_true(result.bytes == 5);
    assert_string_equal(result.type, "video/mp4");
    assert_string_equal(result.name, "a film.mp4");
    assert_int_equal(stat(FILE_NAME, &there), 0);
    assert_true(there.st_size == 5);
    struct lip_error err = {0};
    assert_int_equal(fetch_file("http://127.0.0.1/", &p, FILE_NAME, NULL, &err),
                     LIP_ERR_EXISTS);
    assert_int_equal(stat(FILE_NAME, &there), 0); /* another one's file is not overwritten */
    unlink(FILE_NAME);
    assert_int_equal(fetch("/moved", &p, &result), 0);
    assert_true(result.bytes == 5);
    unlink(FILE_NAME);
}

static void limits_hold(void **state)
{
    (void)state;
    struct fetch_params p = params_at_home();
    assert_int_equal(fetch("/large", &p, NULL), LIP_ERR_LIMIT);
    assert_int_equal(fetch("/loop", &p, NULL), LIP_ERR_LIMIT);
    assert_int_equal(fetch("/slow", &p, NULL), LIP_ERR_LIMIT);
    p.bytes_max = 1000;
    assert_int_equal(fetch("/unsized", &p, NULL), LIP_ERR_LIMIT);
    p.bytes_max = 5;
    assert_int_equal(fetch("/a%20film.mp4", &p, NULL), 0);
    unlink(FILE_NAME);
    p.bytes_max = 4;
    assert_int_equal(fetch("/a%20film.mp4", &p, NULL), LIP_ERR_LIMIT);
}

static void failures_are_told(void **state)
{
    (void)state;
    static const volatile int now = 1;
    struct fetch_params p = params_at_home();
    struct lip_error err = {0};
    assert_int_equal(fetch("/nothing", &p, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(fetch("/broken", &p, NULL), LIP_ERR_IO);
    assert_int_equal(fetch("/short", &p, NULL), LIP_ERR_IO);
    assert_int_equal(fetch("/to-file", &p, NULL), LIP_ERR_UNSUPPORTED);
    p.cancel = &now;
    assert_int_equal(fetch("/a%20film.mp4", &p, NULL), LIP_ERR_CANCELLED);
    p.cancel = NULL;
    assert_int_equal(fetch_file("http://nowhere.invalid/x", &p, FILE_NAME, NULL, &err),
                     LIP_ERR_NOT_FOUND);
    static const char *const wrong[] = {"", "x", "file:///etc/passwd", "ftp://host/x", "http://",
                                        "//host/x", "gopher://host/", "http://user:pass@host/x"};
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
        struct lip_error why = {0};
        assert_int_equal(fetch_file(wrong[i], &p, FILE_NAME, NULL, &why), LIP_ERR_ARG);
        assert_true(why.text[0]);
    }
}

/* By number, by name, in other notations of the same number: none of them gets a connection. */
static void nothing_private_is_reached(void **state)
{
    (void)state;
    struct fetch_params p = params_at_home();
    p.allow_private = false;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0",
                                        "[::1]", "[::ffff:127.0.0.1]", "017700000001"};
    for (size_t i = 0; i < UNIT_COUNT(hosts); i++) {
        char url[256];
        struct lip_error err = {0};
        snprintf(url, sizeof url, "http://%s:%d/a%%20film.mp4", hosts[i], port);
        int r = fetch_file(url, &p, FILE_NAME, NULL, &err);
        assert_true(r == LIP_ERR_UNSUPPORTED || r == LIP_ERR_NOT_FOUND);
    }
}

static int post(const char *host, const char *path, const struct fetch_params *p)
{
    char url[256];
    struct lip_error err = {0};
    snprintf(url, sizeof url, "http://%s:%d%s", host, port, path);
    int r = fetch_post(url, p, "Sync-Signature: t=1,v1=ab", "{\"a\":1}", &err);
    assert_int_equal(r, err.code);
    return r;
}

static void a_message_is_posted(void **state)
{
    (void)state;
    struct fetch_params p = params_at_home();
    assert_int_equal(post("127.0.0.1", "/hook", &p), 0);
    assert_non_null(strstr(posted, "\r\nSync-Signature: t=1,v1=ab\r\n"));
    assert_non_null(strstr(posted, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(posted, "\r\n\r\n{\"a\":1}"));
    assert_int_equal(post("127.0.0.1", "/moved", &p), LIP_ERR_IO); /* and goes nowhere else */
    assert_int_equal(post("127.0.0.1", "/broken", &p), LIP_ERR_IO);
    assert_int_equal(post("127.0.0.1", "/nothing", &p), LIP_ERR_NOT_FOUND);
    p.time_max_s = 1;
    assert_int_equal(post("127.0.0.1", "/slow", &p), LIP_ERR_LIMIT);
    p.bytes_max = 1000;
    assert_int_equal(post("127.0.0.1", "/unsized", &p), LIP_ERR_LIMIT);
    memset(posted, 0, sizeof posted);
    p.allow_private = false;
    assert_int_equal(post("127.0.0.1", "/hook", &p), LIP_ERR_UNSUPPORTED);
    assert_int_equal(post("localhost", "/hook", &p), LIP_ERR_UNSUPPORTED);
    assert_int_equal(posted[0], 0);
}

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return fetch_address_is_public((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return fetch_address_is_public((struct sockaddr *)&in6);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const open[] = {
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2606:4700::1", "2a00:1450:4001::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
        "64:ff9b::808:808"};
    static const char *const closed[] = {
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1",
        "2001:db8::1", "2001::1", "2002:7f00:1::", "3fff::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1", "fec0::1"};
    for (size_t i = 0; i < UNIT_COUNT(open); i++)
        assert_true(is_public(open[i]));
    for (size_t i = 0; i < UNIT_COUNT(closed); i++)
        assert_false(is_public(closed[i]));
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(fetch_address_is_public(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_fetched),          cmocka_unit_test(limits_hold),
        cmocka_unit_test(failures_are_told),          cmocka_unit_test(addresses),
        cmocka_unit_test(nothing_private_is_reached), cmocka_unit_test(a_message_is_posted),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
