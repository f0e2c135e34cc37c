/* SPDX-License-Identifier: MIT
 * The studio: pages and scripts that are part of this program, so that nothing has to be found. */
#include <string.h>

#include "http/room.h"

/* http/studio.inc, made of the folder studio/ by tools/embed.py: names, types and bytes. */
struct file {
    const char *name, *type;
    const unsigned char *bytes;
    size_t n;
};
#include "http/studio.inc"

/* Nothing comes from elsewhere, and nobody may frame the page. */
#define POLICY \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " \
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'"

enum MHD_Result http_studio(struct http_request *r)
{
    const char *name = *r->id ? r->id : "index.html";
    const struct file *f = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!strcmp(files[i].name, name))
            f = &files[i];
    if (!f)
        return http_reply_error(r, 404, NULL, "The studio has no such file");
    struct MHD_Response *response = MHD_create_response_from_buffer(f->n, (void *)f->bytes,
                                                                    MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", f->type);
    MHD_add_response_header(response, "Content-Security-Policy", POLICY);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cache-Control", "no-cache");
    return http_send(r, 200, response, (int64_t)f->n);
}
