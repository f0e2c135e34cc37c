/* SPDX-License-Identifier: MIT
 * The service's door: a body that asks for a generation, as JSON when it begins with {, else as a
 * form. Whatever it holds, the server answers, never with "internal error", and keeps files only of
 * requests that it took. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "http/http.h"

#define HEAD_MAX 600
#define ANSWER_MAX 65536

static char folder[] = "/tmp/lipsync-fuzz-XXXXXX", media[64], key[STORE_KEY_BYTES];
static struct store *store;
static struct http_server *server;

static int drop(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static void shut(void)
{
    http_close(&server);
    store_close(&store);
    nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void open_once(void)
{
    struct lip_error err = {0};
    if (server)
        return;
    FUZZ_REQUIRE(mkdtemp(folder) && !store_open(folder, NULL, &store, &err) &&
                 !store_key_make(store, STORE_DEFAULT, "fuzz", key, &err));
    struct http_params params = {.store = store, .host = "127.0.0.1", .fetches = true,
                                 .upload_max_bytes = 4096};
    FUZZ_REQUIRE(!http_open(&params, &server, &err));
    snprintf(media, sizeof media, "%s/media", folder);
    atexit(shut);
}

static int count_files(void)
{
    int n = 0;
    DIR *dir = opendir(media);
    for (struct dirent *e; dir && (e = readdir(dir));)
        n += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

/* The status; the connection is at its end then, and the request forgotten. */
static int ask(const uint8_t *body, size_t n)
{
    static char answer[ANSWER_MAX];
    char head[HEAD_MAX];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool batch = n && memmem(body, n, "request_id", 10);
    int n_head = snprintf(head, sizeof head, "POST /v2/%s HTTP/1.1\r\nHost: x\r\n"
                          "Connection: close\r\nx-api-key: %s\r\nContent-Type: %s\r\n"
                          "Content-Length: %zu\r\n\r\n", batch ? "batch" : "generate", key,
                          n && body[0] == '{'
                          ? "application/json" : "multipart/form-data; boundary=bb", n);
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    FUZZ_REQUIRE(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to));
    FUZZ_REQUIRE(send(fd, head, (size_t)n_head, MSG_NOSIGNAL) == n_head);
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(fd, body + at, n - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* it has heard enough, and answers */
        at += (size_t)sent;
    }
    size_t got = 0;
    for (ssize_t more; (more = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0;)
        got += (size_t)more;
    answer[got] = 0;
    close(fd);
    FUZZ_REQUIRE(sscanf(answer, "HTTP/1.1 %d", &status) == 1);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    open_once();
    int before = count_files(), status = ask(bytes, n);
    FUZZ_REQUIRE(status == 201 || (status >= 400 && status < 500));
    for (int i = 0; status != 201 && count_files() != before; i++) {
        FUZZ_REQUIRE(i < 500); /* its files go right after the answer */
        usleep(2000);
    }
    return 0;
}
