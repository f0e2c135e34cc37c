/* SPDX-License-Identifier: MIT
 * `lipsync serve`: the store, the workers and the HTTP door, until a signal comes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#if LIPSYNC_SERVICE

#include "base/alloc.h"
#include "fetch/fetch.h"
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
static int look(void *user, const char *input, double faces_at_s, char **ret_answer,
                struct lip_error *err)
{
    return worker_look(user, input, faces_at_s, ret_answer, err);
}

static int serve(const struct settings *s, struct store *store, struct lip_error *err)
{
    struct worker *worker = NULL;
    struct http_server *server = NULL;
    const int64_t upload_max_bytes = (int64_t)s->upload_mb << 20;
    const char *host = s->host ? s->host : "127.0.0.1";
    struct http_params door = {.store = store, .host = host, .port = s->port,
                               .public_url = s->public_url, .upload_max_bytes = upload_max_bytes,
                               .fetches = s->fetch != WORKER_FETCH_NONE, .look = look};
    const struct worker_params hands = {.store = store, .n_jobs = s->jobs ? s->jobs : 1,
                                        .n_threads = s->threads, .memory_mb = s->memory_mb,
                                        .time_s = s->time_s, .fetch = s->fetch,
                                        .fetch_max_bytes = upload_max_bytes, .models = s->models,
                                        .runtime = s->runtime, .device = s->device,
                                        .stop = cli_cancel_flag(), .log = log_line,
                                        .hook_body = http_hook_body};
    char *voices = worker_voices();
    int r = fetch_init(err); /* before threads */
    if (!r)
        r = worker_start(&hands, &worker, err);
    door.look_user = worker;
    door.voices = voices;
    if (!r)
        r = http_open(&door, &server, err);
    if (!r) {
        printf(strchr(host, ':') ? "listening on http://[%s]:%d\n" : "listening on http://%s:%d\n",
               host, http_port(server));
        fflush(stdout);
        while (!*cli_cancel_flag())
            usleep(WAKE_US);
    }
    http_close(&server);
    worker_stop(&worker);
    fetch_done();
    base_free(voices);
    return r;
}

int cli_run_serve(const struct settings *settings)
{
    struct lip_error err = {0};
    struct store *store = NULL;
    int r = store_open(settings->data ? settings->data : "lipsync-data", &store, &err);
    if (!r)
        r = give_key(store, settings, &err);
    if (!r)
        r = serve(settings, store, &err);
    store_close(&store);
    return r ? cli_fail(r, &err) : 0;
}

#else

int cli_run_serve(const struct settings *settings)
{
    (void)settings;
    fprintf(stderr, "lipsync: this program was built without the service: see "
                    "docs/guide/building.md\n");
    return cli_exit_code(LIP_ERR_UNSUPPORTED);
}

#endif
