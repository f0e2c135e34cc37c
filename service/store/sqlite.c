/* SPDX-License-Identifier: MIT
 * The driver for SQLite: a file in the data folder, and one link to it. */
#define _GNU_SOURCE
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/sql.h"

#define WHERE "store/sqlite"
#define BUSY_MS 5000

struct sql_place {
    char *path;
};

struct sql_link {
    sqlite3 *db;
};

static const char *const words[][2] = {
    {" FOR UPDATE SKIP LOCKED", ""}, /* there is one writer */
    {"NOW_MS", "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER)"},
    {NULL, NULL}};

int sql_sqlite_place(const char *path, struct sql_place **ret_place, struct lip_error *err)
{
    struct sql_place *place = base_alloc_zero(sizeof *place);
    if (place && (place->path = base_strdup(path))) {
        *ret_place = place;
        return LIP_OK;
    }
    base_free(place);
    return base_error_nomem(err, WHERE);
}

void sql_sqlite_leave(struct sql_place **place)
{
    if (!place || !*place)
        return;
    base_free((*place)->path);
    base_free(*place);
    *place = NULL;
}

static int failed(sqlite3 *db, int code, struct lip_error *err)
{
    return base_error_set(err, code == SQLITE_NOMEM ? LIP_ERR_NOMEM : LIP_ERR_IO, WHERE,
                          "the database failed: %s", db ? sqlite3_errmsg(db)
                                                        : sqlite3_errstr(code));
}

static int run(struct sql_link *link, const char *sql, struct lip_error *err)
{
    int code = sqlite3_exec(link->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? LIP_OK : failed(link->db, code, err);
}

static void unlink_file(struct sql_link *link)
{
    sqlite3_close(link->db);
    base_free(link);
}

static int link_file(struct sql_place *place, struct sql_link **ret_link, struct lip_error *err)
{
    struct sql_link *link = base_alloc_zero(sizeof *link);
    if (!link)
        return base_error_nomem(err, WHERE);
    int code = sqlite3_open_v2(place->path, &link->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                               SQLITE_OPEN_FULLMUTEX, NULL);
    int r = code == SQLITE_OK ? LIP_OK
                              : base_error_set(err, LIP_ERR_IO, WHERE, "cannot open '%s': %s",
                                               place->path, sqlite3_errstr(code));
    if (!r) {
        chmod(place->path, 0600);
        sqlite3_busy_timeout(link->db, BUSY_MS);
        /* An answer 201 is a promise: what was said to be queued is on the disk. */
        r = run(link, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", err);
    }
    if (r)
        unlink_file(link);
    else
        *ret_link = link;
    return r;
}

static int mend(struct sql_link *link, struct lip_error *err)
{
    (void)link;
    (void)err;
    return LIP_OK;
}

/* Keeps the first failure of the query; true when it has failed. */
static bool fails(struct store_query *q, int code)
{
    if (code != SQLITE_OK)
        sql_query_fail(q, code == SQLITE_NOMEM ? LIP_ERR_NOMEM : LIP_ERR_IO,
                       sqlite3_errmsg(q->link->db));
    return q->status;
}

static void start(struct store_query *q, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (fails(q, sqlite3_prepare_v2(q->link->db, sql, -1, &statement, NULL)))
        return;
    q->rows = statement;
    for (int i = 0; i < q->n_values && !q->status; i++) {
        const struct sql_value *v = &q->values[i];
        switch (v->kind) {
        case SQL_NULL:
            fails(q, sqlite3_bind_null(statement, i + 1));
            break;
        case SQL_TEXT:
            fails(q, sqlite3_bind_text(statement, i + 1, v->text, -1, SQLITE_STATIC));
            break;
        case SQL_INT:
            fails(q, sqlite3_bind_int64(statement, i + 1, v->number));
            break;
        case SQL_REAL:
            fails(q, sqlite3_bind_double(statement, i + 1, v->real));
            break;
        }
    }
}

static bool row(struct store_query *q)
{
    int code = sqlite3_step(q->rows);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        fails(q, code);
    return code == SQLITE_ROW;
}

static const char *column(struct store_query *q, int i)
{
    return (const char *)sqlite3_column_text(q->rows, i);
}

static int end(struct store_query *q)
{
    sqlite3_finalize(q->rows);
    q->rows = NULL;
    return sqlite3_changes(q->link->db);
}

const struct sql_driver sql_sqlite = {
    .words = words, .links_max = 1, .version_begin = "", .version_get = "PRAGMA user_version",
    .version_set = "PRAGMA user_version=", .link = link_file, .mend = mend,
    .unlink = unlink_file, .run = run, .start = start, .row = row, .column = column, .end = end};
