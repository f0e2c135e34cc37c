/* SPDX-License-Identifier: MIT
 * Figures in the text format of Prometheus. They tell nothing of whose jobs they are, and still are
 * for whoever runs the server: with a key, or from the machine itself. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "http/room.h"

#define TEXT_MAX ((size_t)1 << 20)

static void line(struct base_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line(struct base_buffer *b, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_buffer_put(b, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
    base_buffer_put(b, "\n", 1);
}

/* A proxy on this machine passes strangers on, and says so. */
static bool is_local(struct http_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    static const char *const passed[] = {"X-Forwarded-For", "Forwarded", "X-Real-IP"};
    for (int i = 0; i < 3; i++)
        if (MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, passed[i]))
            return false;
    if (!info || !info->client_addr)
        return false;
    if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, info->client_addr, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, info->client_addr, sizeof in6);
    return info->client_addr->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static int put_jobs(struct http_request *r, struct base_buffer *b, struct lip_error *err)
{
    line(b, "# TYPE lipsync_jobs gauge");
    for (int i = 0; i < STORE_STATUS_COUNT; i++) {
        int64_t n = 0;
        int error = store_generation_count(r->store, 0, 1u << i, &n, err);
        if (error)
            return error;
        line(b, "lipsync_jobs{status=\"%s\"} %" PRId64, store_status_name(i), n);
    }
    return LIP_OK;
}

static int put_pace(struct http_request *r, struct base_buffer *b, struct lip_error *err)
{
    struct store_pace p;
    int error = store_pace(r->store, &p, err);
    if (error)
        return error;
    line(b, "# TYPE lipsync_queue_age_seconds gauge\nlipsync_queue_age_seconds %.3f",
         (double)p.waiting_ms / 1e3);
    line(b, "# TYPE lipsync_jobs_last_hour gauge\nlipsync_jobs_last_hour %" PRId64, p.n_ended);
    line(b, "# TYPE lipsync_job_seconds_last_hour gauge");
    const struct {
        const char *quantile;
        int64_t ms;
    } marks[] = {{"0.5", p.half_ms}, {"0.9", p.most_ms}, {"1", p.longest_ms}};
    for (int i = 0; p.n_ended && i < 3; i++)
        line(b, "lipsync_job_seconds_last_hour{quantile=\"%s\"} %.3f", marks[i].quantile,
             (double)marks[i].ms / 1e3);
    return LIP_OK;
}

static void put_requests(struct http_request *r, struct base_buffer *b)
{
    struct http_figures *f = &r->server->figures;
    const struct http_route *route;
    line(b, "# TYPE lipsync_http_requests_total counter");
    for (size_t i = 0; i <= http_route_number(NULL); i++)
        for (int k = 0; k < 6; k++) {
            long long n = atomic_load(&f->answers[i][k]);
            route = http_route_at(i);
            if (n)
                line(b, "lipsync_http_requests_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} "
                     "%lld", route ? route->method : "", route ? route->path : "", k, n);
        }
    line(b, "# TYPE lipsync_http_requests_open gauge\nlipsync_http_requests_open %d",
         atomic_load(&f->open));
    line(b, "# TYPE lipsync_http_received_bytes_total counter\n"
         "lipsync_http_received_bytes_total %lld", atomic_load(&f->bytes_in));
    line(b, "# TYPE lipsync_http_sent_bytes_total counter\nlipsync_http_sent_bytes_total %lld",
         atomic_load(&f->bytes_out));
}

enum MHD_Result http_metrics(struct http_request *r)
{
    struct lip_error err = {0};
    struct base_buffer b;
    if (!is_local(r))
        http_check_key(r);
    if (r->fault.status)
        return http_reply_fault(r);
    base_buffer_init(&b, TEXT_MAX);
    int error = put_jobs(r, &b, &err);
    if (!error)
        error = put_pace(r, &b, &err);
    put_requests(r, &b);
    struct MHD_Response *response = b.status || error ? NULL : MHD_create_response_from_buffer(
        b.size, b.data, MHD_RESPMEM_MUST_COPY);
    size_t n = b.size;
    base_buffer_done(&b);
    if (error)
        return http_reply_failure(r, error, &err);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4");
    return http_send(r, 200, response, (int64_t)n);
}
