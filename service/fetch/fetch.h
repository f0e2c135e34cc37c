/* SPDX-License-Identifier: MIT
 *
 * Files from addresses that strangers name. The only room that talks to other machines on their
 * behalf, and so the only one that has to mistrust where a name leads: every connection, also
 * after a redirect, is looked at when its address is known and before a byte is sent. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"

struct fetch_params {
    bool allow_private;  /* loopback, link-local, private and other special addresses, too */
    int64_t bytes_max;   /* a larger file is an error */
    long time_max_s;     /* for all of it, redirects included */
    long stall_s;        /* less than 1 kB a second for so long ends it */
    int redirects_max;
    /* Looked at often; non-zero ends the fetch with LIP_ERR_CANCELLED. NULL: never. */
    const volatile int *cancel;
};

struct fetch_result {
    int64_t bytes;
    char type[128]; /* what the server calls it, "" when it does not say. Not to be trusted */
    char name[256]; /* last part of the address' path, decoded, without '/' and control
                       characters; "" when there is none */
};

/* 2 GiB, an hour, half a minute, five redirects, nothing private. */
void fetch_params_default(struct fetch_params *params);

/* GET of an http or https URL into a new file; on failure there is none. The sentence
 * names the host, not the whole URL, which may hold a secret. Safe to call from several threads
 * after fetch_init. Errors: LIP_ERR_ARG (not such a URL, or one with a name and password),
 * LIP_ERR_NOT_FOUND (the server says so, or there is no such host), LIP_ERR_UNSUPPORTED (the
 * address is not allowed), LIP_ERR_LIMIT (too large, too slow, too many redirects),
 * LIP_ERR_CANCELLED, LIP_ERR_EXISTS (the file), LIP_ERR_IO, LIP_ERR_NOMEM. */
int fetch_file(const char *url, const struct fetch_params *params, const char *path,
               struct fetch_result *ret_result, struct lip_error *err);

/* POST of JSON to an http or https URL, with one more header ("Name: value"). The answer's body is
 * not looked at, redirects are not followed, and time_max_s holds. Errors: as fetch_file, with
 * LIP_ERR_IO or LIP_ERR_NOT_FOUND for an answer other than 2xx. */
int fetch_post(const char *url, const struct fetch_params *params, const char *header,
               const char *json, struct lip_error *err);

/* Once, before threads. */
int fetch_init(struct lip_error *err);
void fetch_done(void);

/* Whether an address belongs to the public internet. False for families other than IPv4 and IPv6,
 * and for IPv6 forms that carry an IPv4 address that does not. Source: the special-purpose address
 * registries of IANA (RFC 6890 and what follows it). */
bool fetch_address_is_public(const struct sockaddr *address);

#endif
