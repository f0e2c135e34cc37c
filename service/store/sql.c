/* SPDX-License-Identifier: MIT
 * What all drivers share: the links of a store, and the life of a statement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "store/room.h"

#define WHERE "store/sql"
#define LINKS_MAX 16
#define SQL_BYTES_MAX ((size_t)1 << 20)

struct sql_pool {
    const struct sql_driver *driver;
    struct sql_place *place;
    pthread_mutex_t lock;
    pthread_cond_t back;
    struct sql_link *idle[LINKS_MAX];
    int n_idle, n_used;
};

/* Links ---------------------------------------------------------------------------------------- */

int sql_pool_create(const struct sql_driver *driver, struct sql_place *place,
                    struct sql_pool **ret_pool, struct lip_error *err)
{
    struct sql_pool *pool = base_alloc_zero(sizeof *pool);
    if (!pool)
        return base_error_nomem(err, WHERE);
    pool->driver = driver;
    pool->place = place;
    if (pthread_mutex_init(&pool->lock, NULL)) {
        base_free(pool);
        return base_error_nomem(err, WHERE);
    }
    if (pthread_cond_init(&pool->back, NULL)) {
        pthread_mutex_destroy(&pool->lock);
        base_free(pool);
        return base_error_nomem(err, WHERE);
    }
    *ret_pool = pool;
    return LIP_OK;
}

void sql_pool_destroy(struct sql_pool **pool)
{
    if (!pool || !*pool)
        return;
    struct sql_pool *p = *pool;
    while (p->n_idle)
        p->driver->unlink(p->idle[--p->n_idle]);
    pthread_cond_destroy(&p->back);
    pthread_mutex_destroy(&p->lock);
    base_free(p);
    *pool = NULL;
}

static void give(struct sql_pool *pool, struct sql_link *link)
{
    pthread_mutex_lock(&pool->lock);
    pool->n_used--;
    if (link)
        pool->idle[pool->n_idle++] = link;
    pthread_cond_signal(&pool->back);
    pthread_mutex_unlock(&pool->lock);
}

/* Waits for one while all are in use. */
static int take(struct sql_pool *pool, struct sql_link **ret_link, struct lip_error *err)
{
    struct sql_link *link = NULL;
    pthread_mutex_lock(&pool->lock);
    while (pool->n_used == pool->driver->links_max)
        pthread_cond_wait(&pool->back, &pool->lock);
    pool->n_used++;
    if (pool->n_idle)
        link = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->lock);
    int r = link ? pool->driver->mend(link, err) : pool->driver->link(pool->place, &link, err);
    if (r)
        give(pool, link);
    else
        *ret_link = link;
    return r;
}

/* The statement in the driver's words; base memory, NULL: no memory. */
static char *translate(const struct sql_driver *driver, const char *sql)
{
    struct base_buffer text;
    base_buffer_init(&text, SQL_BYTES_MAX);
    while (*sql) {
        const char *const(*word)[2] = driver->words;
        while ((*word)[0] && strncmp(sql, (*word)[0], strlen((*word)[0])))
            word++;
        if ((*word)[0]) {
            base_buffer_put(&text, (*word)[1], strlen((*word)[1]));
            sql += strlen((*word)[0]);
        } else {
            base_buffer_put(&text, sql++, 1);
        }
    }
    base_buffer_put(&text, "", 1);
    if (!text.status)
        return (char *)text.data;
    base_buffer_done(&text);
    return NULL;
}

static int run(struct store *store, struct sql_link *link, const char *sql, struct lip_error *err)
{
    char *text = translate(store->driver, sql);
    int r = text ? store->driver->run(link, text, err) : base_error_nomem(err, WHERE);
    base_free(text);
    return r;
}

/* Statements ----------------------------------------------------------------------------------- */

void sql_query_fail(struct store_query *q, int status, const char *why)
{
    if (q->status)
        return;
    q->status = status;
    base_error_set(q->err, status, WHERE, "the database failed: %s", why);
}

void store_query_begin(struct store_query *q, struct store *store, const char *sql,
                       struct lip_error *err)
{
    *q = (struct store_query){.store = store, .sql = sql, .err = err};
}

static struct sql_value *next_value(struct store_query *q)
{
    static struct sql_value none;
    if (q->n_values == SQL_VALUES_MAX) {
        sql_query_fail(q, LIP_ERR_INTERNAL, "too many values");
        return &none;
    }
    return &q->values[q->n_values++];
}

void store_bind_text(struct store_query *q, const char *text)
{
    *next_value(q) = (struct sql_value){.kind = text ? SQL_TEXT : SQL_NULL, .text = text};
}

void store_bind_int(struct store_query *q, int64_t value)
{
    *next_value(q) = (struct sql_value){.kind = SQL_INT, .number = value};
}

void store_bind_real(struct store_query *q, double value)
{
    *next_value(q) = (struct sql_value){.kind = SQL_REAL, .real = value};
}

void store_bind_set(struct store_query *q, unsigned bits, char ret_text[STORE_SET_BYTES])
{
    int n = 0;
    for (int i = 0; i < 10; i++)
        if (bits & 1u << i)
            ret_text[n++] = (char)('0' + i);
    ret_text[n] = 0;
    store_bind_text(q, n ? ret_text : NULL);
}

static void start(struct store_query *q)
{
    char *text = translate(q->store->driver, q->sql);
    q->started = true;
    if (!text)
        q->status = base_error_nomem(q->err, WHERE);
    if (!q->status && !q->within)
        q->status = take(q->store->pool, &q->link, q->err);
    if (!q->status)
        q->store->driver->start(q, text);
    base_free(text);
}

bool store_query_row(struct store_query *q)
{
    if (!q->started && !q->status)
        start(q);
    return !q->status && q->store->driver->row(q);
}

const char *store_column_view(struct store_query *q, int column)
{
    return q->store->driver->column(q, column);
}

char *store_column_text(struct store_query *q, int column)
{
    const char *text = store_column_view(q, column);
    char *copy = base_strdup(text);
    if (text && !copy && !q->status)
        q->status = base_error_nomem(q->err, WHERE);
    return copy;
}

int64_t store_column_int(struct store_query *q, int column)
{
    const char *text = store_column_view(q, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

double store_column_real(struct store_query *q, int column)
{
    const char *text = store_column_view(q, column);
    return text ? strtod(text, NULL) : 0;
}

void store_column_id(struct store_query *q, int column, char ret_id[STORE_ID_BYTES])
{
    const char *text = store_column_view(q, column);
    snprintf(ret_id, STORE_ID_BYTES, "%s", text ? text : "");
}

int store_query_end(struct store_query *q, int *ret_changed)
{
    while (store_query_row(q))
        ;
    if (q->link)
        q->changed = q->store->driver->end(q);
    if (q->link && !q->within)
        give(q->store->pool, q->link);
    q->link = NULL;
    if (!q->status && ret_changed)
        *ret_changed = q->changed;
    return q->status;
}

int store_query_number(struct store_query *q, int64_t *ret_n)
{
    int64_t n = store_query_row(q) ? store_column_int(q, 0) : 0;
    int r = store_query_end(q, NULL);
    if (!r)
        *ret_n = n;
    return r;
}

/* Acts ----------------------------------------------------------------------------------------- */

int store_act_begin(struct store_act *act, struct store *store, struct lip_error *err)
{
    *act = (struct store_act){.store = store};
    int r = take(store->pool, &act->link, err);
    if (r)
        return r;
    r = run(store, act->link, "BEGIN IMMEDIATE", err);
    if (r)
        give(store->pool, act->link);
    return r;
}

void store_act_query(struct store_query *q, const struct store_act *act, const char *sql,
                     struct lip_error *err)
{
    store_query_begin(q, act->store, sql, err);
    q->link = act->link;
    q->within = true;
}

int store_act_run(const struct store_act *act, const char *sql, struct lip_error *err)
{
    return run(act->store, act->link, sql, err);
}

int store_act_end(struct store_act *act, int status, struct lip_error *err)
{
    if (!status)
        status = run(act->store, act->link, "COMMIT", err);
    if (status)
        run(act->store, act->link, "ROLLBACK", NULL);
    give(act->store->pool, act->link);
    act->link = NULL;
    return status;
}
