/* SPDX-License-Identifier: MIT
 * Statements, whatever database runs them. They are written once, in what SQLite (3.38) and
 * PostgreSQL (15) both take; where the two differ, the driver puts its own words in. Placeholders
 * are '?' in order, or '?1' … for those that come several times. Times come from the database where
 * machines must agree: NOW_MS is a word of both drivers. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <stdatomic.h>

#include "store/store.h"

#define SQL_VALUES_MAX 24

struct sql_link;  /* one connection */
struct sql_place; /* where the database is: all links lead there */
struct store_query;

struct sql_value {
    enum { SQL_NULL, SQL_TEXT, SQL_INT, SQL_REAL } kind;
    const char *text;
    int64_t number;
    double real;
};

/* What a kind of database must be able to do. Errors go to `err`, or into the query by
 * sql_query_fail. */
struct sql_driver {
    const char *const (*words)[2]; /* what is replaced in every statement; ends with NULL */
    int links_max;
    /* Statements for schema.c: before it asks, to ask, and to write the version that follows. */
    const char *version_begin, *version_get, *version_set;
    int (*link)(struct sql_place *place, struct sql_link **ret_link, struct lip_error *err);
    int (*mend)(struct sql_link *link, struct lip_error *err); /* before it is used once more */
    void (*unlink)(struct sql_link *link);
    int (*run)(struct sql_link *link, const char *sql, struct lip_error *err);
    void (*start)(struct store_query *q, const char *sql); /* with all values */
    bool (*row)(struct store_query *q);
    const char *(*column)(struct store_query *q, int column); /* borrowed; NULL for null */
    int (*end)(struct store_query *q); /* gives the number of rows written */
};

/* One statement from beginning to end. A failure is kept: bind and step on, ask at the end. It
 * takes a link of the store with the first row and gives it back at the end; a thread has one query
 * (or act) at a time, since there may be no second link. */
struct store_query {
    struct store *store;
    struct sql_link *link;
    const char *sql;
    struct sql_value values[SQL_VALUES_MAX];
    int n_values;
    bool started, within; /* within an act: the link is the act's */
    void *rows;           /* the driver's */
    int row, changed;
    int status;
    struct lip_error *err;
};
/* `sql`, and every text that is bound, must live until the end. */
void store_query_begin(struct store_query *q, struct store *store, const char *sql,
                       struct lip_error *err);
void store_bind_text(struct store_query *q, const char *text); /* NULL: null */
void store_bind_int(struct store_query *q, int64_t value);
void store_bind_real(struct store_query *q, double value);
/* Numbers of 0 to 9 as a text, null when there are none: for STORE_AMONG. */
#define STORE_SET_BYTES 11
void store_bind_set(struct store_query *q, unsigned bits, char ret_text[STORE_SET_BYTES]);
/* True where the set is null, or the column's number in it; `at` as "?1". */
#define STORE_AMONG(at, column) \
    "(CAST(" at " AS TEXT) IS NULL OR instr(" at ",CAST(" column " AS TEXT))>0)"
bool store_query_row(struct store_query *q); /* true: a row is there */
/* Columns of the row; store_column_text gives base memory, NULL for null. */
char *store_column_text(struct store_query *q, int column);
const char *store_column_view(struct store_query *q, int column); /* until the next row; NULL */
int64_t store_column_int(struct store_query *q, int column); /* 0 for null */
double store_column_real(struct store_query *q, int column);
void store_column_id(struct store_query *q, int column, char ret_id[STORE_ID_BYTES]);
/* The number that a statement of one row and column gives, and its end. 0 or the first error. */
int store_query_number(struct store_query *q, int64_t *ret_n);
/* Runs what is left and ends it. 0 or the first error. *ret_changed (may be NULL): rows written. */
int store_query_end(struct store_query *q, int *ret_changed);
void sql_query_fail(struct store_query *q, int status, const char *why);

/* Several statements: all of them are done, or none. */
struct store_act {
    struct store *store;
    struct sql_link *link;
};
int store_act_begin(struct store_act *act, struct store *store, struct lip_error *err);
void store_act_query(struct store_query *q, const struct store_act *act, const char *sql,
                     struct lip_error *err);
/* Statements without values and answer, several with ';'. */
int store_act_run(const struct store_act *act, const char *sql, struct lip_error *err);
/* `status` 0: keeps what was done, otherwise takes it back. Gives `status`, or why it cannot be
 * kept. Only after store_act_begin gave 0. */
int store_act_end(struct store_act *act, int status, struct lip_error *err);

/* The links of a store. sql.c keeps those that are not in use. */
struct sql_pool;
int sql_pool_create(const struct sql_driver *driver, struct sql_place *place,
                    struct sql_pool **ret_pool, struct lip_error *err);
void sql_pool_destroy(struct sql_pool **pool); /* every link must be back */

/* schema.c: brings the tables up to date. */
int store_schema_take(struct store *store, struct lip_error *err);

/* sqlite.c: a file. The place is the caller's to destroy, after the pool. */
extern const struct sql_driver sql_sqlite;
int sql_sqlite_place(const char *path, struct sql_place **ret_place, struct lip_error *err);
void sql_sqlite_leave(struct sql_place **place);

/* postgres.c: the place is an address as libpq takes it, "postgresql://…". */
extern const struct sql_driver sql_postgres;
int sql_postgres_place(const char *address, struct sql_place **ret_place, struct lip_error *err);
void sql_postgres_leave(struct sql_place **place);
/* Calls `heard` whenever some process said NOTIFY lipsync, until *stop; a failure ends it, too. */
int sql_postgres_listen(struct sql_place *place, const atomic_int *stop,
                        void (*heard)(void *user), void *user, struct lip_error *err);

#endif
