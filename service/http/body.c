/* SPDX-License-Identifier: MIT
 * What a client sends: JSON, or a form with files. Files go to the disk as they come, in any order
 * with the fields; everything has a ceiling. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "http/room.h"

#define WHERE "http/body"
#define PARSER_BYTES 65536
#define HASH_BLOCK_BYTES ((uint64_t)1 << 20)
#define NAME_BYTES_MAX 200
#define OBJECTS_MAX 100000
/* A client that sends while the answer is an error already is listened to, for one file and this:
 * one that is cut off would see a broken connection instead of the answer. */
#define DRAIN_BYTES_MAX ((int64_t)64 << 20)

static const char *const file_fields[STORE_KIND_COUNT] = {"video", "audio", "image"};

static void open_file(struct http_request *r, struct http_file *f)
{
    struct lip_error err = {0};
    store_id_make(f->id);
    if (store_incoming_path(r->store, f->id, &f->path) ||
        base_file_open(f->path, BASE_FILE_CREATE, &f->file, &err))
        http_fault_set(&r->fault, 500, "generation_infra_storage_error", NULL,
                       "The file cannot be stored");
}

static void start_file(struct http_request *r, int kind, const char *name)
{
    struct http_file *f = &r->body.files[kind];
    if (f->path) {
        http_fault_note(&r->fault, "%s: one file is expected", file_fields[kind]);
        return;
    }
    const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
    name = slash && slash > back ? slash + 1 : back ? back + 1 : name;
    char short_name[NAME_BYTES_MAX];
    snprintf(short_name, sizeof short_name, "%s", name);
    json_t *proof = json_string(short_name); /* UTF-8, or it is called after its field */
    f->name = base_strdup(proof && *short_name ? short_name : file_fields[kind]);
    json_decref(proof);
    if (!f->name)
        http_fault_set(&r->fault, 500, "internal_error", NULL, "The server has no memory left");
    open_file(r, f);
    r->body.into = f;
}

/* A batch: its file of lines is read as a field. */
static bool is_lines(const struct http_request *r, const char *key)
{
    return r->route->run == http_batch_create && !strcmp(key, "input");
}

static void start_field(struct http_request *r, const char *key)
{
    struct http_body *b = &r->body;
    if (b->n_fields == HTTP_FIELDS_MAX) {
        http_fault_note(&r->fault, "more than %d fields", HTTP_FIELDS_MAX);
        return;
    }
    struct http_field *f = &b->fields[b->n_fields++];
    snprintf(f->name, sizeof f->name, "%s", key);
    base_buffer_init(&f->value, is_lines(r, key) ? HTTP_LINES_BYTES_MAX : HTTP_FIELD_BYTES_MAX);
    b->field = f;
}

/* The parser says offset 0 twice for a part whose first bytes are late. */
static bool goes_on(const struct http_body *b, const char *key)
{
    if (b->field)
        return !b->field->value.size && !strcmp(b->field->name, key);
    return b->into && b->into->file && !b->into->size_bytes &&
           !strcmp(file_fields[b->into - b->files], key);
}

static void start_part(struct http_request *r, const char *key, const char *file_name)
{
    struct http_body *b = &r->body;
    if (goes_on(b, key))
        return;
    b->field = NULL;
    b->into = NULL;
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        if (!strcmp(key, file_fields[i])) {
            start_file(r, i, file_name ? file_name : "");
            return;
        }
    if (!file_name || is_lines(r, key))
        start_field(r, key);
}

static void append(struct http_request *r, struct http_file *f, const char *bytes, size_t n)
{
    struct lip_error err = {0};
    f->size_bytes += (int64_t)n;
    if (f->size_bytes > r->server->params.upload_max_bytes)
        http_fault_set(&r->fault, 413, "generation_input_validation_failed", NULL,
                       "The file is larger than this server takes (%lld bytes)",
                       (long long)r->server->params.upload_max_bytes);
    else if (n && base_file_append(f->file, bytes, n, &err))
        http_fault_set(&r->fault, 500, "generation_infra_storage_error", NULL,
                       "The file cannot be stored");
}

static enum MHD_Result on_part(void *user, enum MHD_ValueKind kind, const char *key,
                               const char *file_name, const char *type, const char *encoding,
                               const char *bytes, uint64_t at, size_t n)
{
    (void)kind;
    (void)type;
    (void)encoding;
    struct http_request *r = user;
    struct http_body *b = &r->body;
    if (!key)
        http_fault_note(&r->fault, "a part of the form has no name");
    else if (!at)
        start_part(r, key, file_name);
    if (r->fault.status)
        return MHD_NO;
    if (b->field) {
        base_buffer_put(&b->field->value, bytes, n);
        if (b->field->value.status)
            http_fault_set(&r->fault, 413, is_lines(r, key) ? "batch_file_too_large"
                                                            : "generation_input_validation_failed",
                           b->field->name, "A field is larger than it may be");
    } else if (b->into) {
        append(r, b->into, bytes, n);
    }
    return r->fault.status ? MHD_NO : MHD_YES;
}

/* "\r\n--boundary--", RFC 2046 5.1.1: at most 70 characters of boundary. */
static bool take_boundary(struct http_body *b, const char *type)
{
    const char *at = strcasestr(type, "boundary=");
    if (!at)
        return false;
    at += 9;
    bool quoted = *at == '"';
    at += quoted;
    size_t n = strcspn(at, quoted ? "\"" : ";, \t");
    if (!n || n > 70)
        return false;
    b->n_end = (size_t)snprintf(b->end, sizeof b->end, "\r\n--%.*s--", (int)n, at);
    return true;
}

/* How many of these bytes belong to the form. libmicrohttpd takes offence at the empty line that
 * some clients send behind its end. */
static size_t form_bytes(struct http_body *b, const char *bytes, size_t n)
{
    char seam[160];
    size_t n_head = n < b->n_end ? n : b->n_end, n_seam = b->n_tail + n_head;
    memcpy(seam, b->tail, b->n_tail);
    memcpy(seam + b->n_tail, bytes, n_head);
    const char *across = memmem(seam, n_seam, b->end, b->n_end);
    const char *within = memmem(bytes, n, b->end, b->n_end);
    b->ended = across || within;
    if (across)
        return (size_t)(across - seam) + b->n_end - b->n_tail;
    if (within)
        return (size_t)(within - bytes) + b->n_end;
    const char *from = n >= b->n_end ? bytes + n - b->n_end : seam;
    size_t n_from = n >= b->n_end ? b->n_end : n_seam, keep = b->n_end - 1;
    b->n_tail = n_from < keep ? n_from : keep;
    memcpy(b->tail, from + n_from - b->n_tail, b->n_tail);
    return n;
}

/* Whoever knows the token of an upload may send it. */
static void begin_raw(struct http_request *r)
{
    struct store_upload u;
    const char *token = http_query(r, "token");
    bool fine = !store_upload_get(r->store, r->id, &u, NULL);
    if (fine) {
        fine = token && store_secret_equal(token, u.token);
        store_upload_done(&u);
    }
    if (fine)
        open_file(r, &r->body.raw);
    else
        http_fault_set(&r->fault, 404, "uploaded_file_not_found", NULL,
                       "There is no such place for a file");
}

int http_body_begin(struct http_request *r)
{
    const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                                   "Content-Type");
    base_buffer_init(&r->body.json, HTTP_JSON_BYTES_MAX);
    if (r->route && r->route->run == http_upload_put) {
        begin_raw(r);
        return LIP_OK;
    }
    if (!type || strncasecmp(type, "multipart/form-data", 19) || r->fault.status)
        return LIP_OK;
    if (take_boundary(&r->body, type))
        r->body.parser = MHD_create_post_processor(r->connection, PARSER_BYTES, on_part, r);
    if (!r->body.parser)
        http_fault_note(&r->fault, "the form has no boundary");
    return LIP_OK;
}

enum MHD_Result http_body_take(struct http_request *r, const char *bytes, size_t *n)
{
    struct http_body *b = &r->body;
    if (r->fault.status) {
        b->drained_bytes += (int64_t)*n;
        *n = 0;
        return b->drained_bytes > r->server->params.upload_max_bytes + DRAIN_BYTES_MAX ? MHD_NO
                                                                                         : MHD_YES;
    }
    if (b->raw.path) {
        append(r, &b->raw, bytes, *n);
    } else if (b->parser && !b->ended) {
        enum MHD_Result fine = MHD_post_process(b->parser, bytes, form_bytes(b, bytes, *n));
        if (!fine && !r->fault.status)
            http_fault_note(&r->fault, "the form is damaged");
    } else if (!b->parser) {
        base_buffer_put(&b->json, bytes, *n);
        if (b->json.status)
            http_fault_set(&r->fault, 413, "generation_input_validation_failed", NULL,
                           "The body is larger than %d MB", (int)(HTTP_JSON_BYTES_MAX >> 20));
    }
    *n = 0;
    return MHD_YES;
}

/* A form's fields as one object ---------------------------------------------------------------- */

static json_t *parse_text(struct http_request *r, const struct http_field *f)
{
    json_t *json = json_loadb((const char *)f->value.data, f->value.size, JSON_DECODE_ANY, NULL);
    if (!json)
        http_fault_note(&r->fault, "%s must be JSON", f->name);
    return json;
}

/* `input` is one item, or all of them, and may come again. */
static void add_input(json_t *input, json_t *more)
{
    size_t i;
    json_t *item;
    if (json_is_array(more))
        json_array_foreach(more, i, item)
            json_array_append(input, item);
    else
        json_array_append(input, more);
}

static void add_field(struct http_request *r, json_t *body, const struct http_field *f)
{
    static const char *const nested[] = {"options", "segments", "dubParams", NULL};
    for (int i = 0; nested[i]; i++)
        if (!strcmp(f->name, nested[i])) {
            json_object_set_new(body, f->name, parse_text(r, f));
            return;
        }
    if (!strcmp(f->name, "input")) {
        json_t *more = parse_text(r, f);
        if (more)
            add_input(json_object_get(body, "input"), more);
        json_decref(more);
        return;
    }
    json_t *text = json_stringn((const char *)f->value.data, f->value.size);
    if (!text)
        http_fault_note(&r->fault, "a field is no UTF-8 text");
    json_object_set_new(body, f->name, text);
}

/* A file wins over what the same kind of item says; the item's refId stays. */
static void add_file(json_t *input, int kind, const struct http_file *f)
{
    json_t *item = NULL, *at;
    size_t i;
    json_array_foreach(input, i, at) {
        const char *type = json_string_value(json_object_get(at, "type"));
        if (type && !strcmp(type, file_fields[kind])) {
            item = at;
            break;
        }
    }
    if (!item) {
        item = json_object();
        json_array_insert_new(input, 0, item);
        json_object_set_new(item, "type", json_string(file_fields[kind]));
    }
    json_object_del(item, "url");
    json_object_set_new(item, "assetId", json_string(f->id));
}

bool http_body_end_form(struct http_request *r)
{
    struct http_body *b = &r->body;
    if (!b->parser)
        http_fault_note(&r->fault, "the body must be a form");
    else
        MHD_destroy_post_processor(b->parser); /* the last bytes */
    if (b->parser && !b->ended)
        http_fault_note(&r->fault, "the form is cut off");
    b->parser = NULL;
    return !r->fault.status;
}

const struct http_field *http_body_field(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->body.n_fields; i++)
        if (!strcmp(r->body.fields[i].name, name))
            return &r->body.fields[i];
    return NULL;
}

static int hash_file(const struct http_file *f, uint64_t *hash, struct lip_error *err)
{
    uint64_t size = (uint64_t)f->size_bytes;
    uint8_t *block = base_alloc(HASH_BLOCK_BYTES);
    int error = block ? LIP_OK : base_error_nomem(err, WHERE);
    for (uint64_t at = 0, n; at < size && !error; at += n) {
        n = size - at < HASH_BLOCK_BYTES ? size - at : HASH_BLOCK_BYTES;
        error = base_file_read_at(f->file, at, block, n, err);
        if (!error)
            *hash = base_hash(block, n, *hash);
    }
    base_free(block);
    return error;
}

int http_body_hash(const struct http_request *r, char ret_hash[HTTP_HASH_BYTES],
                   struct lip_error *err)
{
    const struct http_body *b = &r->body;
    uint64_t hash = base_hash(b->json.data, b->json.size, b->n_fields);
    int error = LIP_OK;
    for (size_t i = 0; i < b->n_fields; i++) {
        hash = base_hash(b->fields[i].name, strlen(b->fields[i].name), hash);
        hash = base_hash(b->fields[i].value.data, b->fields[i].value.size, hash);
    }
    for (int i = 0; i < STORE_KIND_COUNT && !error; i++)
        if (b->files[i].path) {
            hash = base_hash(file_fields[i], strlen(file_fields[i]), hash);
            error = hash_file(&b->files[i], &hash, err);
        }
    snprintf(ret_hash, HTTP_HASH_BYTES, "%016" PRIx64, hash);
    return error;
}

static json_t *form_object(struct http_request *r)
{
    struct http_body *b = &r->body;
    json_t *body = json_object();
    json_object_set_new(body, "input", json_array());
    http_body_end_form(r);
    for (size_t i = 0; i < b->n_fields; i++)
        add_field(r, body, &b->fields[i]);
    for (int i = STORE_KIND_COUNT - 1; i >= 0; i--) {
        if (b->files[i].path && !b->files[i].size_bytes)
            http_fault_note(&r->fault, "%s: the file is empty", file_fields[i]);
        if (b->files[i].path)
            add_file(json_object_get(body, "input"), i, &b->files[i]);
    }
    return body;
}

/* Objects take some hundred bytes each once they are parsed, and two in the body. */
static json_t *parse_body(struct http_request *r)
{
    const struct base_buffer *b = &r->body.json;
    int n = 0;
    for (size_t i = 0; i < b->size; i++)
        n += b->data[i] == '{';
    if (n <= OBJECTS_MAX)
        return json_loadb((const char *)b->data, b->size, 0, NULL);
    http_fault_note(&r->fault, "the body holds more than %d objects", OBJECTS_MAX);
    return NULL;
}

json_t *http_body_object(struct http_request *r)
{
    struct http_body *b = &r->body;
    json_t *body = b->parser ? form_object(r) : parse_body(r);
    if (!r->fault.status && !json_is_object(body))
        http_fault_note(&r->fault, "the body must be a JSON object or a form");
    if (!r->fault.status)
        return body;
    json_decref(body);
    return NULL;
}

/* On the disk, and in its place, too. */
static int place_file(struct http_request *r, struct http_file *f, struct lip_error *err)
{
    int error = base_file_sync(f->file, err);
    if (!error && store_media_path(r->store, f->id, "", &f->place))
        error = base_error_nomem(err, WHERE);
    if (!error && link(f->path, f->place))
        error = base_error_set(err, LIP_ERR_IO, WHERE, "'%s' cannot be linked", f->path);
    return error ? error : store_media_keep(r->store, f->id, "", err);
}

/* The name stays the file's. */
static struct store_asset asset_of(const struct http_request *r, const struct http_file *f,
                                   int kind)
{
    struct store_asset a = {.kind = kind, .size_bytes = f->size_bytes, .name = f->name,
                            .organization = r->organization};
    memcpy(a.id, f->id, sizeof a.id);
    store_id_make(a.token);
    return a;
}

int http_body_keep_files(struct http_request *r, const struct store_generation *g,
                         struct lip_error *err)
{
    struct store_asset assets[STORE_KIND_COUNT];
    size_t n = 0;
    int error = LIP_OK;
    for (int i = 0; i < STORE_KIND_COUNT && !error; i++) {
        struct http_file *f = &r->body.files[i];
        if (!f->path)
            continue;
        assets[n++] = asset_of(r, f, i);
        error = place_file(r, f, err);
    }
    if (!error)
        error = store_generation_add(r->store, g, assets, n, err);
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        r->body.files[i].kept = !error;
    return error;
}

int http_body_keep_raw(struct http_request *r, int64_t *ret_size_bytes, struct lip_error *err)
{
    struct http_file *f = &r->body.raw;
    int error = base_file_sync(f->file, err);
    if (!error)
        error = store_upload_came(r->store, r->id, f->path, f->size_bytes, err);
    if (!error)
        *ret_size_bytes = f->size_bytes;
    return error;
}

static void file_done(struct http_file *f)
{
    base_file_close(&f->file);
    if (f->place && !f->kept)
        base_fs_remove(f->place);
    if (f->path)
        base_fs_remove(f->path);
    base_free(f->place);
    base_free(f->path);
    base_free(f->name);
}

void http_body_done(struct http_body *b)
{
    if (b->parser)
        MHD_destroy_post_processor(b->parser);
    base_buffer_done(&b->json);
    for (size_t i = 0; i < b->n_fields; i++)
        base_buffer_done(&b->fields[i].value);
    for (int i = 0; i < STORE_KIND_COUNT; i++)
        file_done(&b->files[i]);
    file_done(&b->raw);
}

int http_body_expect(struct http_request *r, int kind, const char *name, struct lip_error *err)
{
    struct http_file *f = &r->body.files[kind];
    store_id_make(f->id);
    f->name = base_strdup(name);
    if (!f->name || store_incoming_path(r->store, f->id, &f->path))
        return base_error_nomem(err, WHERE);
    return LIP_OK;
}

int http_body_keep_made(struct http_request *r, int kind, struct store_asset *ret_asset,
                        struct lip_error *err)
{
    struct http_file *f = &r->body.files[kind];
    int error = base_file_open(f->path, BASE_FILE_READ, &f->file, err);
    if (error)
        return error;
    f->size_bytes = (int64_t)base_file_size(f->file);
    *ret_asset = asset_of(r, f, kind);
    error = place_file(r, f, err);
    if (!error)
        error = store_asset_add(r->store, ret_asset, err);
    f->kept = !error;
    return error;
}
