/* SPDX-License-Identifier: MIT
 * Shared inside http/: one request from its first byte to its answer. */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/file.h"
#include "http/http.h"

#define HTTP_FIELDS_MAX 32
#define HTTP_FIELD_BYTES_MAX ((size_t)1 << 20)
#define HTTP_JSON_BYTES_MAX ((size_t)16 << 20)
#define HTTP_LINES_BYTES_MAX ((size_t)5 << 20) /* of a batch */
#define HTTP_SEGMENTS_MAX 1000
#define HTTP_WORD_BYTES 160 /* of one word of a path */
#define HTTP_ROUTES_MAX 100
/* Texts that a schema of /api-json allows. */
#define HTTP_STATUSES "PENDING|PROCESSING|COMPLETED|FAILED|REJECTED"
#define HTTP_KINDS "VIDEO|AUDIO|IMAGE"
#define HTTP_BATCH_STATUSES "JOBS_CREATED|PROCESSING|COMPLETED"

/* Since the start. */
struct http_figures {
    atomic_llong answers[HTTP_ROUTES_MAX + 1][6]; /* by route (the last: none) and status / 100 */
    atomic_llong bytes_in, bytes_out; /* of bodies */
    atomic_int open; /* requests that are not over */
};

struct http_server {
    struct http_params params; /* texts are the server's own */
    char *public_url;
    struct MHD_Daemon *daemon;
    atomic_int stopping;
    struct http_figures figures;
};

struct http_field {
    char name[32];
    struct base_buffer value;
};

/* A file on its way in. It becomes an asset when the request is good. */
struct http_file {
    char id[STORE_ID_BYTES];
    char *name, *path;
    struct base_file *file;
    int64_t size_bytes;
    char *place; /* of the asset, once the file has a link there */
    bool kept;   /* the place is not taken back */
};

struct http_body {
    struct MHD_PostProcessor *parser; /* multipart; NULL: the body is JSON in `json` */
    struct base_buffer json;
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t n_fields;
    struct http_file files[STORE_KIND_COUNT]; /* by enum store_kind */
    struct http_field *field; /* the part that comes in now … */
    struct http_file *into;   /* … or this; both NULL: it is dropped */
    int64_t drained_bytes;    /* after an error */
    char end[80], tail[80];   /* what ends the form; the last bytes that came */
    size_t n_end, n_tail;
    bool ended;               /* `end` came: what follows is no part of the form */
    struct http_file raw;     /* path: the body is neither JSON nor form, but a file of its own */
};

/* An error that is the answer. Status 0: none yet; the first one is kept. */
struct http_fault {
    int status;
    const char *code; /* NULL: none */
    char text[400], field[80];
    json_t *messages; /* array of texts: then `text` is not used */
};

struct http_request {
    struct http_server *server;
    struct store *store;
    int64_t organization; /* whose key it is; 0: none was asked for */
    struct MHD_Connection *connection;
    const char *method, *path;
    const struct http_route *route;
    char id[HTTP_WORD_BYTES], other_id[HTTP_WORD_BYTES]; /* the {…} of the path */
    bool has_body;
    struct http_body body;
    struct http_fault fault;
};

typedef enum MHD_Result (*http_handler)(struct http_request *r);
struct http_route {
    const char *method, *path; /* {…} stands for one word */
    http_handler run;
    bool open; /* no key is asked for */
    /* For /api-json; openapi.c tells how the last of them are written. */
    const char *operation, *tag, *summary;
    const char *query; /* its fields */
    const char *body;  /* its type; NULL: none, "": a form with files only */
    int status;
    const char *answer; /* its type; NULL: empty */
};

/* routes.c */
const struct http_route *http_route_at(size_t i); /* NULL: behind the last */
size_t http_route_number(const struct http_route *route); /* NULL: the one behind the last */
/* The words of the path go to r->id and r->other_id. NULL: there is none. */
const struct http_route *http_route_find(struct http_request *r);

/* reply.c; json and response are stolen */
enum MHD_Result http_send(struct http_request *r, int status, struct MHD_Response *response,
                          int64_t n_bytes);
enum MHD_Result http_reply(struct http_request *r, int status, json_t *json);
enum MHD_Result http_reply_fault(struct http_request *r);
enum MHD_Result http_reply_error(struct http_request *r, int status, const char *code,
                                 const char *text);
/* For a failure of the store: 404, 409 or 500. */
enum MHD_Result http_reply_failure(struct http_request *r, int error, const struct lip_error *err);
void http_fault_set(struct http_fault *f, int status, const char *code, const char *field,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* One more sentence of a 400 with a list of sentences. */
void http_fault_note(struct http_fault *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void http_fault_done(struct http_fault *f);
const char *http_query(struct http_request *r, const char *name); /* NULL: not there */
/* "http://host:port" of links; base memory, NULL: no memory. */
char *http_base_url(struct http_request *r);
/* Where the asset's bytes are: a string, or null without memory. */
json_t *http_asset_link(struct http_request *r, const struct store_asset *a);
/* Sets the fault where files came in a form. */
void http_refuse_files(struct http_request *r);
/* What whoever opens inputs says of them: params.look. */
int http_look(struct http_request *r, const json_t *input, double faces_at_s, const char *keep,
              json_t **ret_answer, struct lip_error *err);
json_t *http_time(int64_t ms);

/* body.c */
int http_body_begin(struct http_request *r);
enum MHD_Result http_body_take(struct http_request *r, const char *bytes, size_t *n);
/* The whole body as one object, files as input items with assetId. NULL with a fault. */
json_t *http_body_object(struct http_request *r);
/* The end of a form: false with a fault. Then a field of it; NULL: it is not there. */
bool http_body_end_form(struct http_request *r);
const struct http_field *http_body_field(const struct http_request *r, const char *name);
/* Tells one body from another: 16 hexadecimal digits. Errors: LIP_ERR_IO. */
#define HTTP_HASH_BYTES 17
int http_body_hash(const struct http_request *r, char ret_hash[HTTP_HASH_BYTES],
                   struct lip_error *err);
/* The generation and the files that came with it, as its assets: all of it, or nothing. Errors: as
 * store_generation_add. */
int http_body_keep_files(struct http_request *r, const struct store_generation *g,
                         struct lip_error *err);
/* A file that is not sent but made: then it lies at files[kind].path, and becomes an asset, whose
 * name is borrowed from there. */
int http_body_expect(struct http_request *r, int kind, const char *name, struct lip_error *err);
int http_body_keep_made(struct http_request *r, int kind, struct store_asset *ret_asset,
                        struct lip_error *err);
/* The raw body goes to the place of the upload in the path. */
int http_body_keep_raw(struct http_request *r, int64_t *ret_size_bytes, struct lip_error *err);
void http_body_done(struct http_body *body); /* removes files that were not kept */

/* check.c, check_options.c: what a create body must be */
struct http_wish {
    json_t *input, *options, *segments; /* borrowed from the body; NULL: not there */
    const char *model, *webhook_url;    /* as well */
    char file_name[256]; /* "": none */
};
int http_check(struct http_request *r, json_t *body, struct http_wish *ret_wish);
/* An input of one video or image. */
void http_check_seen(struct http_request *r, const json_t *input);
bool http_script_valid(const char *script); /* may be NULL */
struct http_rules {
    bool image, fetches; /* what is seen is one; addresses may be named */
};
void http_check_options(struct http_fault *f, const json_t *options, struct http_rules rules,
                        const char *at);
void http_check_segments(struct http_fault *f, const json_t *segments, const json_t *input,
                         struct http_rules rules);
/* segments_secs or segments_frames of a video. True: it has some. */
bool http_check_ranges(struct http_fault *f, const json_t *item, const char *at);
bool http_is_url(const char *text);
/* Sets the fault: the request must have a good key. */
void http_check_key(struct http_request *r);
/* A webhook's address, or NULL (none); sets the fault where it is no good. */
const char *http_check_webhook(struct http_request *r, const char *url);

/* generate.c */
json_t *http_generation_json(struct http_request *r, const struct store_generation *g,
                             bool progress);
json_t *http_result_url(const char *base_url, const struct store_generation *g);
json_t *http_parsed_or_null(const char *text);
json_t *http_text_or_null(const char *text);
/* What is to be queued: all of it is base memory. Errors: LIP_ERR_NOMEM. */
int http_generation_make(struct http_request *r, const struct http_wish *w,
                         struct store_generation *ret_g, struct lip_error *err);
/* What the header Idempotency-Key says, NULL: nothing; sets the fault where it is no good. */
const char *http_once_key(struct http_request *r);
/* The generation of the path. LIP_ERR_NOT_FOUND also where it is another organization's. */
int http_generation_find(struct http_request *r, struct store_generation *ret_g,
                         struct lip_error *err);

/* hook.c, batch.c: as http_hook_body; json is stolen */
char *http_ascii(json_t *json);
char *http_batch_body(const struct store_batch *batch);

/* handlers */
enum MHD_Result http_generate(struct http_request *r);
enum MHD_Result http_cost(struct http_request *r);
enum MHD_Result http_faces(struct http_request *r);
enum MHD_Result http_generation_report(struct http_request *r);
enum MHD_Result http_studio(struct http_request *r);
enum MHD_Result http_generation_get(struct http_request *r);
enum MHD_Result http_generation_list(struct http_request *r);
enum MHD_Result http_generation_count(struct http_request *r);
enum MHD_Result http_generation_remove(struct http_request *r);
enum MHD_Result http_generation_cancel(struct http_request *r);
enum MHD_Result http_generation_result(struct http_request *r);
enum MHD_Result http_asset_list(struct http_request *r);
enum MHD_Result http_asset_get(struct http_request *r);
enum MHD_Result http_asset_content(struct http_request *r);
enum MHD_Result http_asset_rename(struct http_request *r);
enum MHD_Result http_asset_remove(struct http_request *r);
enum MHD_Result http_asset_register(struct http_request *r);
enum MHD_Result http_upload_ask(struct http_request *r);
enum MHD_Result http_upload_put(struct http_request *r);
enum MHD_Result http_batch_create(struct http_request *r);
enum MHD_Result http_batch_list(struct http_request *r);
enum MHD_Result http_batch_get(struct http_request *r);
enum MHD_Result http_batch_result(struct http_request *r);
enum MHD_Result http_key_list(struct http_request *r);
enum MHD_Result http_key_make(struct http_request *r);
enum MHD_Result http_key_revoke(struct http_request *r);
enum MHD_Result http_secret_get(struct http_request *r);
enum MHD_Result http_secret_make(struct http_request *r);
enum MHD_Result http_usage(struct http_request *r);
enum MHD_Result http_voices(struct http_request *r);
enum MHD_Result http_speech(struct http_request *r);
enum MHD_Result http_models(struct http_request *r);
enum MHD_Result http_errors(struct http_request *r);
enum MHD_Result http_health(struct http_request *r);
enum MHD_Result http_estimate(struct http_request *r);
enum MHD_Result http_generation_costs(struct http_request *r);
enum MHD_Result http_generation_events(struct http_request *r);
enum MHD_Result http_metrics(struct http_request *r);
enum MHD_Result http_api_json(struct http_request *r);
bool http_model_known(const char *name);

/* list.c: a filter in all four spellings (JSON array, comma list, repeated, single). A new array of
 * texts, empty when the filter is not there; NULL: no memory or more than 1000. */
json_t *http_query_list(struct http_request *r, const char *name);
/* Bits of the names of the query that are asked for: by name_of(0) … name_of(count - 1). */
unsigned http_query_bits(struct http_request *r, const char *query,
                         const char *(*name_of)(int value), int count);
/* A whole number of the query in min..max; the default when it is not there; -1 with a fault. */
int http_query_number(struct http_request *r, const char *name, int min, int max, int otherwise);

#endif
