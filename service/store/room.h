/* SPDX-License-Identifier: MIT
 * Shared inside store/. */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include <pthread.h>

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
    bool ready; /* lock and condition are made */
};

void store_note_change(struct store *store); /* after the end of the query that made it */
int64_t store_now_ms(void);

#endif
