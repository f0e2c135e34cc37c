/* SPDX-License-Identifier: MIT
 * The tables, and how they came to be. A new step goes to the end of the list; what is there is
 * never changed, since somewhere a database has taken it already. */
#include <stdio.h>

#include "store/room.h"

#define WHERE "store/schema"

static const struct {
    const char *sql;
    bool sqlite_only; /* about what only SQLite ever had */
} steps[] = {
    {"CREATE TABLE keys(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
     " hash TEXT NOT NULL, created_ms INTEGER NOT NULL);"
     "CREATE TABLE assets(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
     " token TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, format TEXT,"
     " size_bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
     "CREATE TABLE generations(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
     " token TEXT NOT NULL, created_ms INTEGER NOT NULL, status INTEGER NOT NULL,"
     " attempt INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0,"
     " progress REAL NOT NULL DEFAULT 0, duration_s REAL NOT NULL DEFAULT 0, model TEXT NOT NULL,"
     " input TEXT NOT NULL, options TEXT, segments TEXT, file_name TEXT, error TEXT,"
     " error_code TEXT);"
     "CREATE INDEX generations_queue ON generations(status, number);", false},
    /* Hashes of keys were bytes, and are hexadecimal digits. */
    {"UPDATE keys SET hash=lower(hex(hash)) WHERE typeof(hash)='blob'", true},
    /* Organizations, webhooks, batches, uploads in steps, idempotency. */
    {"CREATE TABLE organizations(number INTEGER PRIMARY KEY AUTOINCREMENT,"
     " name TEXT NOT NULL UNIQUE, hook_secret TEXT NOT NULL DEFAULT '',"
     " created_ms INTEGER NOT NULL);"
     "INSERT INTO organizations(name, created_ms) VALUES('default', 0);"
     "ALTER TABLE keys ADD COLUMN organization INTEGER NOT NULL DEFAULT 1;"
     "ALTER TABLE keys ADD COLUMN hint TEXT NOT NULL DEFAULT '';"
     "CREATE UNIQUE INDEX keys_hash ON keys(hash);"
     "ALTER TABLE assets ADD COLUMN organization INTEGER NOT NULL DEFAULT 1;"
     "ALTER TABLE generations ADD COLUMN organization INTEGER NOT NULL DEFAULT 1;"
     "ALTER TABLE generations ADD COLUMN webhook_url TEXT;"
     "ALTER TABLE generations ADD COLUMN base_url TEXT;"
     "ALTER TABLE generations ADD COLUMN hook_ms INTEGER;"
     "ALTER TABLE generations ADD COLUMN hook_tries INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE generations ADD COLUMN once_key TEXT;"
     "ALTER TABLE generations ADD COLUMN once_hash TEXT;"
     "ALTER TABLE generations ADD COLUMN batch INTEGER;"
     "ALTER TABLE generations ADD COLUMN request_id TEXT;"
     "CREATE UNIQUE INDEX generations_once ON generations(organization, once_key);"
     "CREATE INDEX generations_hooks ON generations(hook_ms) WHERE hook_ms IS NOT NULL;"
     "CREATE INDEX generations_batch ON generations(batch) WHERE batch IS NOT NULL;"
     "CREATE TABLE batches(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
     " token TEXT NOT NULL, organization INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
     " webhook_url TEXT, base_url TEXT, hook_ms INTEGER, hook_tries INTEGER NOT NULL DEFAULT 0);"
     "CREATE INDEX batches_hooks ON batches(hook_ms) WHERE hook_ms IS NOT NULL;"
     "CREATE TABLE uploads(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
     " token TEXT NOT NULL, organization INTEGER NOT NULL, name TEXT NOT NULL,"
     " size_bytes INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL)", false},
    /* A worker's hold on a job. */
    {"ALTER TABLE generations ADD COLUMN lease_ms INTEGER NOT NULL DEFAULT 0", false},
    /* How often its own process ended without a result, and how often its worker vanished. */
    {"ALTER TABLE generations ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE generations ADD COLUMN lost INTEGER NOT NULL DEFAULT 0", false},
    /* How long jobs take. */
    {"ALTER TABLE generations ADD COLUMN started_ms INTEGER;"
     "ALTER TABLE generations ADD COLUMN ended_ms INTEGER;"
     "CREATE INDEX generations_ended ON generations(ended_ms) WHERE ended_ms IS NOT NULL", false},
    /* Batches have idempotency keys, too. */
    {"ALTER TABLE batches ADD COLUMN once_key TEXT;"
     "ALTER TABLE batches ADD COLUMN once_hash TEXT;"
     "CREATE UNIQUE INDEX batches_once ON batches(organization, once_key)", false},
    /* Parts of a long film that other workers may draw. */
    {"ALTER TABLE generations ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE generations ADD COLUMN parts_left INTEGER NOT NULL DEFAULT 0", false},
    /* What is to be done with them. */
    {"ALTER TABLE generations ADD COLUMN parts_stage INTEGER NOT NULL DEFAULT 0", false},
};
#define N_STEPS ((int)(sizeof steps / sizeof *steps))

static int take_steps(struct store_act *act, struct lip_error *err)
{
    const struct sql_driver *driver = act->store->driver;
    struct store_query q;
    int64_t version = 0;
    char sql[200];
    int r = store_act_run(act, driver->version_begin, err);
    store_act_query(&q, act, driver->version_get, err);
    if (!r)
        r = store_query_number(&q, &version);
    if (r || version == N_STEPS)
        return r;
    if (version > N_STEPS)
        return base_error_set(err, LIP_ERR_UNSUPPORTED, WHERE,
                              "the database was written by a newer lipsync");
    for (int64_t i = version; i < N_STEPS && !r; i++)
        if (!steps[i].sqlite_only || driver == &sql_sqlite)
            r = store_act_run(act, steps[i].sql, err);
    snprintf(sql, sizeof sql, "%s%d", driver->version_set, N_STEPS);
    return r ? r : store_act_run(act, sql, err);
}

int store_schema_take(struct store *store, struct lip_error *err)
{
    struct store_act act;
    int r = store_act_begin(&act, store, err);
    return r ? r : store_act_end(&act, take_steps(&act, err), err);
}
