/* SPDX-License-Identifier: MIT
 * `lipsync serve`: the store, the workers and the HTTP door, until a signal comes; `lipsync worker`
 * is the same without the door. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#if LIPSYNC_SERVICE

#include "base/alloc.h"
#include "fetch/fetch.h"
#include "fetch/s3.h"
#include "http/http.h"
#include "store/store.h"
#include "worker/worker.h"

#define WAKE_US 100000

static void log_line(const char *text)
{
    fprintf(stderr, "lipsync: %s\n", text);
}

/* The one moment in which a key can be read. */
static int give_key(struct store *store, const struct settings *s, struct lip_error *err)
{
    char key[STORE_KEY_BYTES];
    int64_t n = 0, organization = STORE_DEFAULT;
    int r = s->organization ? store_organization_get(store, s->organization, &organization, err)
                            : LIP_OK;
    if (!r)
        r = store_key_count(store, organization, &n, err);
    if (r || (n && !s->new_key))
        return r;
    r = store_key_make(store, organization, n ? "added" : "first", key, err);
    if (!r)
        printf("API key%s%s, shown this once: %s\n", s->organization ? " of " : "",
               s->organization ? s->organization : "", key);
    memset(key, 0, sizeof key);
    return r;
}

/* The two rooms do not know each other. */
static int look(void *user, const char *input, double faces_at_s, const char *keep,
                char **ret_answer, struct lip_error *err)
{
    return worker_look(user, input, faces_at_s, keep, ret_answer, err);
}

static struct worker_params hands(const struct settings *s, struct store *store)
{
    return (struct worker_params){.store = store, .n_jobs = s->jobs, .n_threads = s->threads,
                                  .memory_mb = s->memory_mb, .time_s = s->time_s,
                                  .fetch = s->fetch,
                                  .part_s = s->part_s,
                                  .fetch_max_bytes = (int64_t)s->upload_mb << 20,
                                  .models = s->models, .runtime = s->runtime,
                                  .device = s->device, .stop = cli_cancel_flag(), .log = log_line,
                                  .hook_body = http_hook_body};
}

static void wait_for_end(void)
{
    fflush(stdout);
    while (!*cli_cancel_flag())
        usleep(WAKE_US);
}

static int serve(const struct settings *s, struct store *store, struct lip_error *err)
{
    struct worker *worker = NULL;
    struct http_server *server = NULL;
    const char *host = s->host ? s->host : "127.0.0.1";
    char *voices = worker_voices();
    struct http_params door = {.store = store, .host = host, .port = s->port,
                               .public_url = s->public_url,
                               .upload_max_bytes = (int64_t)s->upload_mb << 20,
                               .fetches = s->fetch != WORKER_FETCH_NONE, .look = look,
                               .voices = voices};
    const struct worker_params params = hands(s, store);
    int r = give_key(store, s, err);
    if (!r)
        r = worker_start(&params, &worker, err);
    door.look_user = worker;
    if (!r)
        r = http_open(&door, &server, err);
    if (!r) {
        printf(strchr(host, ':') ? "listening on http://[%s]:%d\n" : "listening on http://%s:%d\n",
               host, http_port(server));
        wait_for_end();
    }
    http_close(&server);
    worker_stop(&worker);
    base_free(voices);
    return r;
}

static int work(const struct settings *s, struct store *store, struct lip_error *err)
{
    struct worker *worker = NULL;
    const struct worker_params params = hands(s, store);
    int r = worker_start(&params, &worker, err);
    if (!r) {
        printf("taking jobs\n");
        wait_for_end();
    }
    worker_stop(&worker);
    return r;
}

/* The two rooms do not know each other. */
static int put(void *user, const char *name, const char *path, struct lip_error *err)
{
    return s3_put(user, name, path, err);
}

static int get(void *user, const char *name, const char *path, struct lip_error *err)
{
    return s3_get(user, name, path, err);
}

static int drop(void *user, const char *name, struct lip_error *err)
{
    return s3_drop(user, name, err);
}

/* With a store, and what talks to other machines. */
static int run(const struct settings *s, const char *database,
               int (*what)(const struct settings *s, struct store *store, struct lip_error *err))
{
    struct lip_error err = {0};
    struct store *store = NULL;
    int r = fetch_init(&err); /* before threads */
    if (!r)
        r = store_open(s->data ? s->data : "lipsync-data", database, &store, &err);
    struct s3 *s3 = NULL;
    if (!r && s->storage)
        r = s3_open(s->storage, s->endpoint, &s3, &err);
    if (s3)
        store_use_vault(store, &(struct store_vault){s3, put, get, drop},
                        (int64_t)s->cache_mb << 20);
    if (!r)
        r = what(s, store, &err);
    store_close(&store);
    s3_close(&s3);
    fetch_done();
    return r ? cli_fail(r, &err) : 0;
}

static const char *database_of(const struct settings *s)
{
    return s->database ? s->database : getenv("LIPSYNC_DATABASE");
}

int cli_run_serve(const struct settings *settings)
{
    if (settings->jobs || database_of(settings))
        return run(settings, database_of(settings), serve);
    fprintf(stderr, "lipsync: without --database nobody else takes the jobs: --jobs is 1 to 64\n");
    return 2;
}

int cli_run_worker(const struct settings *settings)
{
    if (database_of(settings) && settings->data && settings->jobs)
        return run(settings, database_of(settings), work);
    fprintf(stderr, "lipsync: a worker needs --database and --data, those of its server, and at "
                    "least one of --jobs\n");
    return 2;
}

#else

static int refuse(void)
{
    fprintf(stderr, "lipsync: this program was built without the service: see "
                    "docs/guide/building.md\n");
    return cli_exit_code(LIP_ERR_UNSUPPORTED);
}

int cli_run_serve(const struct settings *settings)
{
    (void)settings;
    return refuse();
}

int cli_run_worker(const struct settings *settings)
{
    (void)settings;
    return refuse();
}

#endif
