/* SPDX-License-Identifier: MIT
 * Shared inside store/. */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "store/sql.h"
#include "store/store.h"

struct store {
    const struct sql_driver *driver;
    struct sql_place *place;
    struct sql_pool *pool;
    pthread_mutex_t lock; /* held around every use of `changes` */
    pthread_cond_t changed;
    uint64_t changes;
    char *folder;
    int lock_fd;
    struct store_vault vault;
    int64_t cache_bytes;
    bool ready; /* lock and condition are made */
    struct base_thread *listener; /* for what other processes change; NULL: there are none */
    atomic_int closing;
};

/* generation.c: rows in other files' hands */
#define STORE_GENERATION_COLUMNS \
    "number,id,token,created_ms,status,attempt,cancel,progress,duration_s,organization,batch," \
    "model,input,options,segments,file_name,error,error_code,webhook_url,base_url,request_id," \
    "once_key,once_hash,crashes"
#define STORE_GENERATION_COUNT 24 /* of these */
void store_generation_read(struct store_query *q, struct store_generation *ret_g);
int store_generation_insert(const struct store_act *act, const struct store_generation *g,
                            struct lip_error *err);
/* An idempotency key that was used STORE_ONCE_MS ago is forgotten. `sql`: UPDATE, table, this. */
#define STORE_ONCE_FORGET " SET once_key=NULL WHERE organization=? AND once_key=? AND created_ms<?"
int store_once_forget(struct store *store, const char *sql, int64_t organization,
                      const char *once_key, struct lip_error *err);
/* asset.c: what a killed process left half done, where nothing came for so long. */
#define STORE_INCOMING "in-"
int store_incoming_drop(struct store *store, int64_t age_s, struct lip_error *err);
int store_asset_insert(const struct store_act *act, const struct store_asset *asset,
                       struct lip_error *err);

void store_note_change(struct store *store); /* after the end of the query that made it */
int64_t store_now_ms(void);

#endif
