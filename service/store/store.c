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
#define SCHEMA_VERSION 1
#define BUSY_MS 5000

static const char schema[] =
    "CREATE TABLE keys(number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL,"
    " created_ms INTEGER NOT NULL);"
    "CREATE TABLE assets(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " token TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, format TEXT,"
    " size_bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE TABLE generations(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " token TEXT NOT NULL, created_ms INTEGER NOT NULL, status INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0,"
    " progress REAL NOT NULL DEFAULT 0, duration_s REAL NOT NULL DEFAULT 0, model TEXT NOT NULL,"
    " input TEXT NOT NULL, options TEXT, segments TEXT, file_name TEXT, error TEXT,"
    " error_code TEXT);"
    "CREATE INDEX generations_queue ON generations(status, number);"
    "PRAGMA user_version=1;";

int64_t store_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Statements ----------------------------------------------------------------------------------- */

static int fail(struct store_query *q, int code)
{
    if (!q->status && code != SQLITE_OK) {
        q->status = code == SQLITE_NOMEM ? LIP_ERR_NOMEM : LIP_ERR_IO;
        base_error_set(q->err, q->status, WHERE, "the database failed: %s",
                       sqlite3_errmsg(q->store->db));
    }
    return q->status;
}

void store_query_begin(struct store_query *q, struct store *store, const char *sql,
                       struct lip_error *err)
{
    *q = (struct store_query){.store = store, .err = err};
    fail(q, sqlite3_prepare_v2(store->db, sql, -1, &q->statement, NULL));
}

void store_bind_text(struct store_query *q, const char *text)
{
    q->at++;
    if (!q->status)
        fail(q, text ? sqlite3_bind_text(q->statement, q->at, text, -1, SQLITE_TRANSIENT)
                     : sqlite3_bind_null(q->statement, q->at));
}

void store_bind_int(struct store_query *q, int64_t value)
{
    q->at++;
    if (!q->status)
        fail(q, sqlite3_bind_int64(q->statement, q->at, value));
}

void store_bind_real(struct store_query *q, double value)
{
    q->at++;
    if (!q->status)
        fail(q, sqlite3_bind_double(q->statement, q->at, value));
}

bool store_query_row(struct store_query *q)
{
    if (q->status)
        return false;
    int code = sqlite3_step(q->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        fail(q, code);
    return code == SQLITE_ROW;
}

char *store_column_text(struct store_query *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q->statement, column);
    char *copy = base_strdup(text);
    if (text && !copy && !q->status)
        q->status = base_error_nomem(q->err, WHERE);
    return copy;
}

void store_column_id(struct store_query *q, int column, char ret_id[STORE_ID_BYTES])
{
    const char *text = (const char *)sqlite3_column_text(q->statement, column);
    snprintf(ret_id, STORE_ID_BYTES, "%s", text ? text : "");
}

int store_query_end(struct store_query *q, int *ret_changed)
{
    while (store_query_row(q))
        ;
    sqlite3_finalize(q->statement);
    q->statement = NULL;
    if (!q->status && ret_changed)
        *ret_changed = sqlite3_changes(q->store->db);
    return q->status;
}

int store_query_number(struct store_query *q, int64_t *ret_n)
{
    int64_t n = store_query_row(q) ? sqlite3_column_int64(q->statement, 0) : 0;
    int r = store_query_end(q, NULL);
    if (!r)
        *ret_n = n;
    return r;
}

int store_run(struct store *store, const char *sql, struct lip_error *err)
{
    struct store_query q = {.store = store, .err = err};
    return fail(&q, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
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

static int take_schema(struct store *store, struct lip_error *err)
{
    struct store_query q;
    int64_t version = 0;
    store_query_begin(&q, store, "PRAGMA user_version", err);
    int r = store_query_number(&q, &version);
    if (!r && version > SCHEMA_VERSION)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "'%s' was written by a newer lipsync", store->folder);
    if (!r && version == 0) {
        r = store_run(store, "BEGIN IMMEDIATE", err);
        if (!r)
            r = store_run(store, schema, err);
        if (!r)
            r = store_run(store, "COMMIT", err);
    }
    return r;
}

static int open_database(struct store *store, struct lip_error *err)
{
    char *path = NULL;
    if (join(store->folder, "lipsync.db", &path))
        return base_error_nomem(err, WHERE);
    int code = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                               SQLITE_OPEN_FULLMUTEX, NULL);
    if (code != SQLITE_OK) {
        base_free(path);
        return base_error_set(err, LIP_ERR_IO, WHERE, "cannot open the database in '%s': %s",
                              store->folder, sqlite3_errstr(code));
    }
    chmod(path, 0600);
    base_free(path);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    /* An answer 201 is a promise: what was said to be queued is on the disk. */
    int r = store_run(store, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", err);
    if (!r)
        r = take_schema(store, err);
    /* The lock says that whoever had these is gone. */
    if (!r)
        r = store_run(store, "UPDATE generations SET status=0 WHERE status=1", err);
    return r;
}

int store_open(const char *folder, struct store **ret_store, struct lip_error *err)
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
        r = take_lock(store, err);
    if (!r)
        r = make_folder(folder, "media", err);
    if (!r)
        r = make_folder(folder, "work", err);
    if (!r)
        r = open_database(store, err);
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
    sqlite3_close(s->db);
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

int store_work_path(const struct store *store, const char *id, int attempt, char **ret_path)
{
    char name[96];
    snprintf(name, sizeof name, "work/%.40s-%d", id, attempt);
    return join(store->folder, name, ret_path);
}

/* Waiting -------------------------------------------------------------------------------------- */

void store_note_change(struct store *store)
{
    store->changes++;
    pthread_cond_broadcast(&store->changed);
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
    pthread_mutex_lock(&store->lock);
    store_note_change(store);
    pthread_mutex_unlock(&store->lock);
}
