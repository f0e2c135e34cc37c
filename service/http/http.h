/* SPDX-License-Identifier: MIT
 *
 * The HTTP door: Sync's API over the store. It takes bytes in and gives bytes out, and never opens
 * a stranger's media: that is worker/'s work, in a process of its own. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "store/store.h"

struct http_params {
    struct store *store;        /* borrowed for as long as the server is open */
    const char *host;           /* an address: "127.0.0.1", "0.0.0.0", "::1" */
    int port;                   /* 0: any free one */
    const char *public_url;     /* what links begin with; NULL: as the client called the server */
    int64_t upload_max_bytes;   /* of one file */
    bool fetches;               /* inputs may be addresses */
    /* Opens the inputs (JSON), which this room does not, and tells what they are in a JSON object
     * of base memory; from several threads. With faces_at_s < 0 their lengths: film_s, rate_hz (0
     * for an image), voice_s; otherwise the faces then: t_s, frame, width, height, faces. `keep`: a
     * text among them is spoken into a file of this path; NULL: nothing stays. */
    int (*look)(void *user, const char *input, double faces_at_s, const char *keep,
                char **ret_answer, struct lip_error *err);
    void *look_user;
    const char *voices;         /* of the local voice: a JSON array of objects; NULL: none */
};

struct http_server;

/* Errors: LIP_ERR_ARG (host), LIP_ERR_IO (the port is taken), LIP_ERR_NOMEM. */
int http_open(const struct http_params *params, struct http_server **ret_server,
              struct lip_error *err);
int http_port(const struct http_server *server);
/* Ends the connections, also those that wait. NULL and *NULL are fine. */
void http_close(struct http_server **server);

/* What a webhook says: compact JSON, in ASCII, so that whoever parses it and writes it again gets
 * the same bytes, which are signed. Base memory; NULL: no memory. */
char *http_hook_body(const struct store_hook *hook);

#endif
