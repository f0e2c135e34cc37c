/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "store/room.h"

#define WHERE "store"

int64_t store_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Opening -------------------------------------------------------------------------------------- */

static int join(const char *folder, const char *name, char **ret_path)
{
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = base_alloc(n);
    if (!path)
        return LIP_ERR_NOMEM;
    snprintf(path, n, "%s/%s", folder, name);
    *ret_path = path;
    return LIP_OK;
}

static int make_folder(const char *folder, const char *name, struct lip_error *err)
{
    char *path = NULL;
    if (join(folder, name, &path))
        return base_error_nomem(err, WHERE);
    int r = base_fs_make_dir(path, err);
    if (!r && chmod(path, 0700)) /* strangers' films: for the service's user only */
        r = base_error_set(err, LIP_ERR_IO, WHERE, "cannot protect '%s': %s", path,
                           strerror(errno));
    base_free(path);
    return r;
}

/* One process per folder. The lock goes with the process, however it ends; children do not inherit
 * it. */
static int take_lock(struct store *store, struct lip_error *err)
{
    char *path = NULL;
    if (join(store->folder, "lock", &path))
        return base_error_nomem(err, WHERE);
    /* lint: allow open: a lock needs the descriptor */
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    base_free(path);
    if (store->lock_fd < 0)
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot write in '%s': %s", store->folder,
                              strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB))
        return base_error_set(err, LIP_ERR_EXISTS, WHERE,
                              "another lipsync serves the folder '%s'", store->folder);
    return LIP_OK;
}

/* Whoever waits hears of what other processes changed; where that fails, waiting has its limits. */
static void hear(void *user)
{
    struct store *store = user;
    pthread_mutex_lock(&store->lock);
    store->changes++;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

static void listen_to_others(void *user)
{
    struct store *store = user;
    while (!atomic_load(&store->closing) &&
           sql_postgres_listen(store->place, &store->closing, hear, store, NULL))
        for (int i = 0; i < 20 && !atomic_load(&store->closing); i++)
            usleep(100000);
}

static int open_shared(struct store *store, const char *database, struct lip_error *err)
{
    if (strncmp(database, "postgresql://", 13) && strncmp(database, "postgres://", 11))
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "a database is named postgresql://…; without one SQLite is used");
    store->driver = &sql_postgres;
    int r = sql_postgres_place(database, &store->place, err);
    if (!r)
        r = sql_pool_create(store->driver, store->place, &store->pool, err);
    if (!r)
        r = store_schema_take(store, err);
    if (!r) /* the others may be sending */
        r = store_incoming_drop(store, STORE_UPLOAD_MS / 1000, err);
    if (!r && base_thread_start(listen_to_others, store, &store->listener))
        r = base_error_nomem(err, WHERE);
    return r;
}

static int open_own(struct store *store, struct lip_error *err)
{
    struct store_query q;
    char *path = NULL;
    int r = take_lock(store, err);
    if (!r && join(store->folder, "lipsync.db", &path))
        r = base_error_nomem(err, WHERE);
    store->driver = &sql_sqlite;
    if (!r)
        r = sql_sqlite_place(path, &store->place, err);
    base_free(path);
    if (!r)
        r = sql_pool_create(store->driver, store->place, &store->pool, err);
    if (!r)
        r = store_schema_take(store, err);
    if (!r)
        r = store_incoming_drop(store, 0, err);
    if (r)
        return r;
    /* The lock says that whoever had these is gone. */
    store_query_begin(&q, store, "UPDATE generations SET status=0 WHERE status=1", err);
    return store_query_end(&q, NULL);
}

int store_open(const char *folder, const char *database, struct store **ret_store,
               struct lip_error *err)
{
    if (sodium_init() < 0)
        return base_error_set(err, LIP_ERR_INTERNAL, WHERE, "no source of randomness");
    struct store *store = base_alloc_zero(sizeof *store);
    if (!store)
        return base_error_nomem(err, WHERE);
    store->lock_fd = -1;
    int r = (store->folder = base_strdup(folder)) ? LIP_OK : base_error_nomem(err, WHERE);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    store->ready = !pthread_mutex_init(&store->lock, NULL) &&
                   !pthread_cond_init(&store->changed, &clock);
    pthread_condattr_destroy(&clock);
    if (!r && !store->ready)
        r = base_error_nomem(err, WHERE);
    if (!r)
        r = base_fs_make_dir(folder, err);
    if (!r)
        r = make_folder(folder, "media", err);
    if (!r)
        r = make_folder(folder, "work", err);
    if (!r)
        r = database ? open_shared(store, database, err) : open_own(store, err);
    if (r) {
        store_close(&store);
        return r;
    }
    *ret_store = store;
    return LIP_OK;
}

void store_close(struct store **store)
{
    if (!store || !*store)
        return;
    struct store *s = *store;
    atomic_store(&s->closing, 1);
    base_thread_join(&s->listener);
    sql_pool_destroy(&s->pool);
    if (s->driver == &sql_postgres)
        sql_postgres_leave(&s->place);
    else
        sql_sqlite_leave(&s->place);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->ready) {
        pthread_cond_destroy(&s->changed);
        pthread_mutex_destroy(&s->lock);
    }
    base_free(s->folder);
    base_free(s);
    *store = NULL;
}

int store_media_path(const struct store *store, const char *id, const char *ending,
                     char **ret_path)
{
    char name[96];
    snprintf(name, sizeof name, "media/%.40s%.40s", id, ending);
    return join(store->folder, name, ret_path);
}

int store_incoming_path(const struct store *store, const char *id, char **ret_path)
{
    char name[96];
    snprintf(name, sizeof name, "media/" STORE_INCOMING "%.40s", id);
    return join(store->folder, name, ret_path);
}

int store_work_path(const struct store *store, const char *id, int attempt, char **ret_path)
{
    char name[96];
    snprintf(name, sizeof name, "work/%.40s-%d", id, attempt);
    return join(store->folder, name, ret_path);
}

/* Waiting -------------------------------------------------------------------------------------- */

void store_note_change(struct store *store)
{
    struct store_query q;
    hear(store);
    if (!store->listener)
        return;
    store_query_begin(&q, store, "NOTIFY lipsync", NULL);
    store_query_end(&q, NULL);
}

uint64_t store_changes(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t changes = store->changes;
    pthread_mutex_unlock(&store->lock);
    return changes;
}

void store_wait(struct store *store, uint64_t seen, int64_t timeout_us)
{
    int64_t end_us = base_time_us() + timeout_us;
    struct timespec end = {.tv_sec = end_us / 1000000, .tv_nsec = end_us % 1000000 * 1000};
    pthread_mutex_lock(&store->lock);
    while (store->changes == seen && base_time_us() < end_us)
        if (pthread_cond_timedwait(&store->changed, &store->lock, &end) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&store->lock);
}

void store_wake(struct store *store)
{
    store_note_change(store);
}
