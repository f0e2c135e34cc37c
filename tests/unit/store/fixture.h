/* SPDX-License-Identifier: MIT
 * A store of its own for each test: a fresh folder with SQLite, or with the database that
 * LIPSYNC_TEST_DATABASE names, emptied (tests/postgres.sh). */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/room.h"

static char folder[64];
static struct store *store;

static inline const char *database(void)
{
    return getenv("LIPSYNC_TEST_DATABASE");
}

static int drop_file(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

static int empty_database(void)
{
    struct sql_place *place = NULL;
    struct sql_link *link = NULL;
    int r = sql_postgres_place(database(), &place, NULL);
    if (!r)
        r = sql_postgres.link(place, &link, NULL);
    if (!r)
        r = sql_postgres.run(link, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", NULL);
    if (link)
        sql_postgres.unlink(link);
    sql_postgres_leave(&place);
    return r;
}

static int set_up(void **state)
{
    (void)state;
    struct lip_error err = {0};
    snprintf(folder, sizeof folder, "/tmp/lipsync-store-XXXXXX");
    if (!mkdtemp(folder) || (database() && empty_database()))
        return -1;
    int r = store_open(folder, database(), &store, &err);
    if (r)
        fprintf(stderr, "%s\n", err.text);
    return r;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return nftw(folder, drop_file, 8, FTW_DEPTH | FTW_PHYS);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
