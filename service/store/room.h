/* SPDX-License-Identifier: MIT
 * Shared inside store/: the connection, and statements that keep their first error. */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/store.h"

struct store {
    pthread_mutex_t lock; /* held around every use of `db` and `changes` */
    pthread_cond_t changed;
    uint64_t changes;
    sqlite3 *db;
    char *folder;
    int lock_fd;
    bool ready; /* lock and condition are made */
};

/* One statement from prepare to end. A failure is kept: bind and step on, ask at the end. */
struct store_query {
    struct store *store;
    sqlite3_stmt *statement;
    int at; /* of the next bound value */
    int status;
    struct lip_error *err;
};
void store_query_begin(struct store_query *q, struct store *store, const char *sql,
                       struct lip_error *err);
void store_bind_text(struct store_query *q, const char *text); /* NULL: null */
void store_bind_int(struct store_query *q, int64_t value);
void store_bind_real(struct store_query *q, double value);
bool store_query_row(struct store_query *q); /* true: a row is there */
/* Columns of the row; store_column_text gives base memory, NULL for null. */
char *store_column_text(struct store_query *q, int column);
void store_column_id(struct store_query *q, int column, char ret_id[STORE_ID_BYTES]);
/* The number that a statement of one row and column gives, and its end. 0 or the first error. */
int store_query_number(struct store_query *q, int64_t *ret_n);
/* Runs what is left and ends it. 0 or the first error. *ret_changed (may be NULL): rows written. */
int store_query_end(struct store_query *q, int *ret_changed);

int store_run(struct store *store, const char *sql, struct lip_error *err);
void store_note_change(struct store *store); /* with the lock held */
int64_t store_now_ms(void);

#endif
