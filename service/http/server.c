/* SPDX-License-Identifier: MIT
 * Connections, routes, keys. */
#include "http/http.h"

#include <arpa/inet.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/room.h"

#define WHERE "http"
#define CONNECTIONS_MAX 600
#define IDLE_S 120
#define HEADER_BYTES 32768
#define GRACE_MS 2000
#define LARGE_BYTES ((size_t)1 << 20) /* of a JSON body */

void http_check_key(struct http_request *r)
{
    struct lip_error err = {0};
    const char *key = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "x-api-key");
    if (!key) {
        http_fault_set(&r->fault, 401, NULL, NULL,
                       "Either Cookie or x-api-key header must be provided");
        return;
    }
    int error = store_key_check(r->store, key, &r->organization, &err);
    if (error == LIP_ERR_NOT_FOUND)
        http_fault_set(&r->fault, 401, NULL, NULL, "Unauthorized");
    else if (error)
        http_fault_set(&r->fault, 500, "internal_error", NULL, "The key cannot be checked");
}

static int begin(struct http_server *server, struct MHD_Connection *connection, const char *path,
                 const char *method, struct http_request **ret_request)
{
    struct http_request *r = base_alloc_zero(sizeof *r);
    if (!r)
        return LIP_ERR_NOMEM;
    *r = (struct http_request){.server = server, .store = server->params.store,
                               .connection = connection, .path = path, .method = method};
    *ret_request = r; /* from here on `finished` frees it */
    r->route = http_route_find(r);
    atomic_fetch_add(&server->figures.open, 1);
    bool guarded = r->route ? !r->route->open : !strncmp(path, "/v2/", 4);
    if (guarded)
        http_check_key(r);
    if (!r->route)
        http_fault_set(&r->fault, 404, NULL, NULL, "Cannot %.8s %.200s", method, path);
    return http_body_begin(r);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n_bytes, void **state)
{
    (void)version;
    struct http_request *r = *state;
    if (!r) {
        int error = begin(user, connection, path, method, &r);
        *state = r;
        return error ? MHD_NO : MHD_YES;
    }
    atomic_fetch_add(&r->server->figures.bytes_in, (long long)*n_bytes);
    if (*n_bytes)
        return http_body_take(r, bytes, n_bytes);
    if (r->fault.status)
        return http_reply_fault(r);
    return r->route->run(r);
}

/* The many small pieces that a large body was parsed into go back to the system: a long-lived one
 * among them would keep them all. */
static void give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static void finished(void *user, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    struct http_request *r = *state;
    if (!r)
        return;
    bool large = r->body.json.size > LARGE_BYTES;
    http_body_done(&r->body);
    http_fault_done(&r->fault);
    atomic_fetch_sub(&r->server->figures.open, 1);
    base_free(r);
    *state = NULL;
    if (large)
        give_back();
}

/* An address and nothing else: no name is looked up. */
static bool take_address(const char *host, int port, struct sockaddr_storage *ret_address,
                         bool *ret_v6)
{
    struct sockaddr_storage address;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    memset(&address, 0, sizeof address);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *ret_v6 = false;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_v6 = true;
    } else {
        return false;
    }
    *ret_address = address;
    return true;
}

int http_open(const struct http_params *params, struct http_server **ret_server,
              struct lip_error *err)
{
    struct sockaddr_storage address;
    bool v6 = false;
    if (!take_address(params->host, params->port, &address, &v6))
        return base_error_set(err, LIP_ERR_ARG, WHERE, "'%s' is no address, as 127.0.0.1 or ::1",
                              params->host);
    struct http_server *s = base_alloc_zero(sizeof *s);
    if (!s)
        return base_error_nomem(err, WHERE);
    s->params = *params;
    s->public_url = base_strdup(params->public_url);
    s->params.public_url = s->public_url;
    if (params->public_url && !s->public_url) {
        http_close(&s);
        return base_error_nomem(err, WHERE);
    }
    /* A thread per connection: a long poll or a slow disk holds up nobody else. */
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ITC | (v6 ? MHD_USE_IPv6 : 0);
    s->daemon = MHD_start_daemon(flags, (uint16_t)params->port, NULL, NULL, on_request, s,
                                 MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                                 MHD_OPTION_NOTIFY_COMPLETED, finished, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
                                 MHD_OPTION_END);
    if (!s->daemon) {
        http_close(&s);
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot listen on %s port %d: is it taken?",
                              params->host, params->port);
    }
    *ret_server = s;
    return LIP_OK;
}

int http_port(const struct http_server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon,
                                                           MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void http_close(struct http_server **server)
{
    if (!server || !*server)
        return;
    struct http_server *s = *server;
    atomic_store(&s->stopping, 1);
    store_wake(s->params.store);
    MHD_socket door = s->daemon ? MHD_quiesce_daemon(s->daemon) : MHD_INVALID_SOCKET;
    if (door != MHD_INVALID_SOCKET)
        close(door);
    for (int i = 0; s->daemon && atomic_load(&s->figures.open) && i < GRACE_MS / 10; i++)
        usleep(10000); /* whoever waited gets an answer */
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    base_free(s->public_url);
    base_free(s);
    *server = NULL;
}
