/* SPDX-License-Identifier: MIT
 * Keys, uploaded files, jobs: what one process wrote another reads; a job is finished once. */
#define _GNU_SOURCE
#include "unit/store/fixture.h"

#include <string.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/thread.h"

static void open_again(void)
{
    struct lip_error err = {0};
    store_close(&store);
    assert_int_equal(store_open(folder, database(), &store, &err), LIP_OK);
}

static void add(char ret_id[STORE_ID_BYTES])
{
    struct lip_error err = {0};
    char model[] = "lipsync-2", input[] = "[]";
    struct store_generation g = {.model = model, .input = input, .organization = STORE_DEFAULT};
    store_id_make(g.id);
    store_id_make(g.token);
    assert_int_equal(store_generation_add(store, &g, NULL, 0, &err), LIP_OK);
    memcpy(ret_id, g.id, STORE_ID_BYTES);
}

static int status_of(const char *id)
{
    struct lip_error err = {0};
    struct store_generation g;
    assert_int_equal(store_generation_get(store, id, &g, &err), LIP_OK);
    int status = g.status;
    store_generation_done(&g);
    return status;
}

static void ids_are_uuids(void **state)
{
    (void)state;
    char a[STORE_ID_BYTES], b[STORE_ID_BYTES];
    store_id_make(a);
    store_id_make(b);
    assert_true(store_id_valid(a) && a[14] == '4' && strchr("89ab", a[19]));
    assert_false(store_secret_equal(a, b));
    assert_true(store_secret_equal(a, a));
    assert_false(store_id_valid("../../etc/passwd"));
    assert_false(store_id_valid(""));
}

static void keys(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char key[STORE_KEY_BYTES];
    int64_t n = -1, whose = 0;
    assert_int_equal(store_key_count(store, STORE_DEFAULT, &n, &err), LIP_OK);
    assert_int_equal(n, 0);
    assert_int_equal(store_key_check(store, "sk-nobody", &whose, &err), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_key_make(store, STORE_DEFAULT, "first", key, &err), LIP_OK);
    assert_memory_equal(key, "sk-", 3);
    open_again();
    assert_int_equal(store_key_check(store, key, &whose, &err), LIP_OK);
    key[10] = key[10] == '0' ? '1' : '0';
    assert_int_equal(store_key_check(store, key, &whose, &err), LIP_ERR_NOT_FOUND);
}

/* The key itself is nowhere in the folder's files. */
static void keys_are_hashed(void **state)
{
    (void)state;
    if (database())
        skip(); /* about SQLite's folder */
    struct lip_error err = {0};
    char key[STORE_KEY_BYTES], path[128];
    static char bytes[1 << 20];
    assert_int_equal(store_key_make(store, STORE_DEFAULT, "first", key, &err), LIP_OK);
    store_close(&store);
    snprintf(path, sizeof path, "%s/lipsync.db", folder);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(n > 4096);
    bool found = false;
    for (size_t i = 0; i + 20 < n; i++)
        found |= !memcmp(bytes + i, key + 3, 20);
    assert_false(found);
    assert_int_equal(store_open(folder, database(), &store, &err), LIP_OK);
}

/* A folder of the first version, whose keys were hashed into bytes, goes on. */
static void old_folders(void **state)
{
    (void)state;
    if (database())
        skip(); /* about SQLite's folder */
    struct lip_error err = {0};
    char key[STORE_KEY_BYTES], path[128], hash[80] = "";
    int64_t whose = 0;
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    assert_int_equal(store_key_make(store, STORE_DEFAULT, "first", key, &err), LIP_OK);
    store_close(&store);
    snprintf(path, sizeof path, "%s/lipsync.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM keys", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    snprintf(hash, sizeof hash, "%s", (const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    /* 3.40 has no unhex(): the bytes are spelled as a literal. */
    char *sql = sqlite3_mprintf(
        "PRAGMA user_version=1; DROP TABLE keys; DROP TABLE assets; DROP TABLE generations;"
        "DROP TABLE organizations; DROP TABLE batches; DROP TABLE uploads;"
        "CREATE TABLE keys(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, hash, created_ms);"
        "CREATE TABLE assets(number INTEGER PRIMARY KEY);"
        "CREATE TABLE generations(number INTEGER PRIMARY KEY, id, token, created_ms, status,"
        " attempt, cancel, progress, duration_s, model, input, options, segments, file_name,"
        " error, error_code);"
        "INSERT INTO generations(number, id, status, model) VALUES(7, 'old', 0, 'lipsync-2');"
        "INSERT INTO keys(name, hash, created_ms) VALUES('first', x'%s', 0)", hash);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
    sqlite3_close(db);
    assert_int_equal(store_open(folder, database(), &store, &err), LIP_OK);
    assert_int_equal(store_key_check(store, key, &whose, &err), LIP_OK);
    assert_int_equal(whose, STORE_DEFAULT);
    assert_int_equal(status_of("old"), STORE_PENDING);
    open_again();
}

static void newer_folders(void **state)
{
    (void)state;
    if (database())
        skip(); /* about SQLite's folder */
    struct lip_error err = {0};
    struct store_act act;
    assert_int_equal(store_act_begin(&act, store, &err), LIP_OK);
    assert_int_equal(store_act_run(&act, "PRAGMA user_version=1000", &err), LIP_OK);
    assert_int_equal(store_act_end(&act, LIP_OK, &err), LIP_OK);
    store_close(&store);
    assert_int_equal(store_open(folder, database(), &store, &err), LIP_ERR_UNSUPPORTED);
    assert_null(store);
}

/* Several statements: what failed in the middle is not there. */
static void acts(void **state)
{
    (void)state;
    struct lip_error err = {0};
    struct store_act act;
    struct store_query q;
    char key[STORE_KEY_BYTES];
    int64_t n = -1;
    assert_int_equal(store_key_make(store, STORE_DEFAULT, "first", key, &err), LIP_OK);
    for (int fails = 0; fails < 2; fails++) {
        assert_int_equal(store_act_begin(&act, store, &err), LIP_OK);
        store_act_query(&q, &act, "UPDATE keys SET name=?", &err);
        store_bind_text(&q, fails ? "bad" : "good");
        int r = store_query_end(&q, NULL);
        assert_int_equal(r, LIP_OK);
        assert_int_equal(store_act_end(&act, fails ? LIP_ERR_STATE : r, &err),
                         fails ? LIP_ERR_STATE : LIP_OK);
    }
    store_query_begin(&q, store, "SELECT count(*) FROM keys WHERE name='good'", &err);
    assert_int_equal(store_query_number(&q, &n), LIP_OK);
    assert_int_equal(n, 1);
    store_query_begin(&q, store, "SELECT 1 FROM nowhere", &err);
    assert_int_equal(store_query_end(&q, NULL), LIP_ERR_IO);
    assert_non_null(strstr(err.text, "nowhere"));
}

static void one_process_per_folder(void **state)
{
    (void)state;
    if (database())
        skip(); /* about SQLite's folder */
    struct lip_error err = {0};
    struct store *second = NULL;
    assert_int_equal(store_open(folder, NULL, &second, &err), LIP_ERR_EXISTS);
    assert_null(second);
}

static void assets(void **state)
{
    (void)state;
    struct lip_error err = {0};
    static char names[3][8] = {"b.mp4", "A%.wav", "c.png"};
    struct store_asset a, *list = NULL;
    size_t n = 0;
    int64_t total = 0;
    for (int i = 0; i < 3; i++) {
        a = (struct store_asset){.organization = STORE_DEFAULT, .kind = i,
                                 .size_bytes = 10 - i, .name = names[i]};
        store_id_make(a.id);
        store_id_make(a.token);
        assert_int_equal(store_asset_add(store, &a, &err), LIP_OK);
    }
    char last[STORE_ID_BYTES];
    memcpy(last, a.id, sizeof last);
    assert_int_equal(store_asset_get(store, last, &a, &err), LIP_OK);
    assert_string_equal(a.name, "c.png");
    store_asset_done(&a);
    assert_int_equal(store_asset_get(store, "x' OR '1'='1", &a, &err), LIP_ERR_NOT_FOUND);

    struct store_asset_filter f = {.organization = STORE_DEFAULT, .limit = 2,
                                   .sort = STORE_NAME_ASC};
    assert_int_equal(store_asset_list(store, &f, &list, &n, &total, &err), LIP_OK);
    assert_int_equal(n, 2);
    assert_int_equal(total, 3);
    assert_string_equal(list[0].name, "A%.wav");
    store_assets_done(list, n);
    f = (struct store_asset_filter){.organization = STORE_DEFAULT, .limit = 9, .search = "%",
                                    .kinds = 1 << STORE_AUDIO | 1 << STORE_IMAGE};
    assert_int_equal(store_asset_list(store, &f, &list, &n, &total, &err), LIP_OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "A%.wav");
    store_assets_done(list, n);
}

static void life_of_a_job(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char first[STORE_ID_BYTES], second[STORE_ID_BYTES];
    struct store_generation g;
    add(first);
    add(second);
    assert_int_equal(store_generation_claim(store, &g, &err), LIP_OK);
    assert_string_equal(g.id, first);
    assert_int_equal(g.attempt, 1);
    store_generation_done(&g);
    assert_int_equal(store_generation_remove(store, first, &err), LIP_ERR_STATE);

    struct store_outcome done = {.status = STORE_COMPLETED, .duration_s = 2.5};
    assert_int_equal(store_generation_finish(store, first, 2, &done, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_finish(store, first, 1, &done, NULL), LIP_OK);
    assert_int_equal(store_generation_finish(store, first, 1, &done, NULL), LIP_ERR_STATE);
    assert_int_equal(status_of(first), STORE_COMPLETED);
    assert_int_equal(store_generation_cancel(store, first, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_remove(store, first, NULL), LIP_OK);
    assert_int_equal(store_generation_remove(store, first, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_generation_cancel(store, second, NULL), LIP_OK);
    assert_int_equal(status_of(second), STORE_FAILED);
    assert_int_equal(store_generation_claim(store, &g, NULL), LIP_ERR_NOT_FOUND);
}

/* A killed process's job waits again, and its late news no longer counts. */
static void taken_again(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char id[STORE_ID_BYTES];
    struct store_generation g;
    struct store_outcome done = {.status = STORE_COMPLETED};
    bool cancel = true;
    if (database())
        skip(); /* there leases tell that a worker is gone */
    add(id);
    assert_int_equal(store_generation_claim(store, &g, &err), LIP_OK);
    store_generation_done(&g);
    open_again();
    assert_int_equal(status_of(id), STORE_PENDING);
    assert_int_equal(store_generation_finish(store, id, 1, &done, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_claim(store, &g, &err), LIP_OK);
    assert_int_equal(g.attempt, 2);
    store_generation_done(&g);
    assert_int_equal(store_generation_progress(store, id, 1, 0.5, &cancel, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_progress(store, id, 2, 0.5, &cancel, NULL), LIP_OK);
    assert_false(cancel);
    assert_int_equal(store_generation_cancel(store, id, NULL), LIP_OK);
    assert_int_equal(store_generation_progress(store, id, 2, 0.6, &cancel, NULL), LIP_OK);
    assert_true(cancel);
    for (int i = 2; i < 4; i++) {
        assert_int_equal(store_generation_release(store, id, i, i == 3, &err), LIP_OK);
        assert_int_equal(store_generation_claim(store, &g, &err), LIP_OK);
        assert_int_equal(g.attempt, i + 1);
        assert_int_equal(g.crashes, i == 3);
        store_generation_done(&g);
    }
}

static void end_leases(void)
{
    struct store_query q;
    store_query_begin(&q, store, "UPDATE generations SET lease_ms=0", NULL);
    assert_int_equal(store_query_end(&q, NULL), LIP_OK);
}

/* A worker that says nothing any more loses its job, and cannot finish it; but only so often. */
static void leases(void **state)
{
    (void)state;
    char id[STORE_ID_BYTES];
    struct store_generation g;
    struct store_outcome done = {.status = STORE_COMPLETED};
    bool cancel = true;
    add(id);
    for (int i = 1; i <= STORE_LOST_MAX + 1; i++) {
        assert_int_equal(store_generation_claim(store, &g, NULL), LIP_OK);
        assert_int_equal(g.attempt, i);
        store_generation_done(&g);
        assert_int_equal(store_generation_claim(store, &g, NULL), LIP_ERR_NOT_FOUND);
        end_leases();
        if (i == 1) { /* a sign of life */
            assert_int_equal(store_generation_progress(store, id, 1, .5, &cancel, NULL), LIP_OK);
            assert_int_equal(store_generation_claim(store, &g, NULL), LIP_ERR_NOT_FOUND);
            end_leases();
        }
    }
    assert_int_equal(store_generation_finish(store, id, 1, &done, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_claim(store, &g, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(status_of(id), STORE_FAILED);
}

/* Parts of a job in work are given away from the last to the second, each once, while it runs. */
static void parts(void **state)
{
    (void)state;
    char id[STORE_ID_BYTES];
    struct store_generation g;
    struct store_part part, early;
    struct store_outcome done = {.status = STORE_COMPLETED};
    bool wanted = false;
    add(id);
    assert_int_equal(store_parts_offer(store, id, 1, STORE_LOOK, 3, NULL), LIP_ERR_STATE);
    assert_int_equal(store_generation_claim(store, &g, NULL), LIP_OK);
    store_generation_done(&g);
    assert_int_equal(store_part_claim(store, &part, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_parts_offer(store, id, 1, STORE_LOOK, 2, NULL), LIP_OK);
    assert_int_equal(store_part_claim(store, &early, NULL), LIP_OK);
    assert_true(early.number == 2 && early.n == 2 && early.stage == STORE_LOOK);
    assert_int_equal(store_part_wanted(store, &early, &wanted, NULL), LIP_OK);
    assert_true(wanted);
    assert_int_equal(store_parts_offer(store, id, 1, STORE_DRAW, 3, NULL), LIP_OK);
    assert_int_equal(store_part_wanted(store, &early, &wanted, NULL), LIP_OK);
    assert_true(!wanted);
    store_generation_done(&early.generation);
    for (int number = 3; number >= 2; number--) {
        assert_int_equal(store_part_claim(store, &part, NULL), LIP_OK);
        assert_true(part.number == number && part.n == 3 && part.stage == STORE_DRAW);
        assert_string_equal(part.generation.id, id);
        assert_int_equal(store_part_wanted(store, &part, &wanted, NULL), LIP_OK);
        assert_true(wanted);
        if (number == 2)
            assert_int_equal(store_generation_finish(store, id, 1, &done, NULL), LIP_OK);
        assert_int_equal(store_part_wanted(store, &part, &wanted, NULL), LIP_OK);
        assert_true(wanted == (number == 3));
        store_generation_done(&part.generation);
    }
    assert_int_equal(store_part_claim(store, &part, NULL), LIP_ERR_NOT_FOUND);
}

static void lists(void **state)
{
    (void)state;
    struct lip_error err = {0};
    char ids[5][STORE_ID_BYTES], wanted[128];
    struct store_generation *list = NULL, g;
    size_t n = 0;
    for (int i = 0; i < 5; i++)
        add(ids[i]);
    assert_int_equal(store_generation_claim(store, &g, &err), LIP_OK);
    store_generation_done(&g);
    struct store_generation_filter f = {.organization = STORE_DEFAULT, .limit = 2};
    assert_int_equal(store_generation_list(store, &f, &list, &n, &err), LIP_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, ids[4]);
    store_generations_done(list, n);
    f = (struct store_generation_filter){.organization = STORE_DEFAULT, .limit = 9,
                                         .cursor = ids[3], .statuses = 1 << STORE_PENDING};
    assert_int_equal(store_generation_list(store, &f, &list, &n, &err), LIP_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, ids[2]);
    store_generations_done(list, n);
    snprintf(wanted, sizeof wanted, "[\"%s\",\"none\"]", ids[0]);
    f = (struct store_generation_filter){.organization = STORE_DEFAULT, .limit = 9, .ids = wanted};
    assert_int_equal(store_generation_list(store, &f, &list, &n, &err), LIP_OK);
    assert_int_equal(n, 1);
    store_generations_done(list, n);
}

/* Takers in several threads: each job once. */
#define JOBS 40
#define TAKERS 4

static void take_all(void *arg)
{
    int *n = arg;
    struct store_generation g;
    struct store_outcome done = {.status = STORE_COMPLETED};
    while (!store_generation_claim(store, &g, NULL)) {
        *n += !store_generation_finish(store, g.id, g.attempt, &done, NULL);
        store_generation_done(&g);
    }
}

static void many_takers(void **state)
{
    (void)state;
    char id[STORE_ID_BYTES];
    struct base_thread *threads[TAKERS] = {NULL};
    int n[TAKERS] = {0}, sum = 0;
    for (int i = 0; i < JOBS; i++)
        add(id);
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(base_thread_start(take_all, &n[i], &threads[i]), LIP_OK);
    for (int i = 0; i < TAKERS; i++) {
        base_thread_join(&threads[i]);
        sum += n[i];
    }
    assert_int_equal(sum, JOBS);
}

static void cancel_later(void *arg)
{
    store_generation_cancel(store, arg, NULL);
}

static void waits_for_news(void **state)
{
    (void)state;
    char id[STORE_ID_BYTES];
    struct base_thread *thread = NULL;
    add(id);
    uint64_t seen;
    int64_t begin_us;
    do { /* PostgreSQL tells of the job just added a while later: until nothing more is told */
        seen = store_changes(store);
        begin_us = base_time_us();
        store_wait(store, seen, 20000);
    } while (store_changes(store) != seen);
    assert_true(base_time_us() - begin_us >= 20000);
    assert_int_equal(base_thread_start(cancel_later, id, &thread), LIP_OK);
    store_wait(store, seen, (int64_t)60 * 1000000);
    assert_true(store_changes(store) != seen);
    base_thread_join(&thread);
}

static void paths(void **state)
{
    (void)state;
    char *path = NULL, expected[128];
    snprintf(expected, sizeof expected, "%s/media/abc.mp4", folder);
    assert_int_equal(store_media_path(store, "abc", ".mp4", &path), LIP_OK);
    assert_string_equal(path, expected);
    base_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(ids_are_uuids), WITH_STORE(keys), WITH_STORE(keys_are_hashed),
        WITH_STORE(old_folders), WITH_STORE(newer_folders), WITH_STORE(acts),
        WITH_STORE(one_process_per_folder), WITH_STORE(assets), WITH_STORE(life_of_a_job),
        WITH_STORE(taken_again), WITH_STORE(leases), WITH_STORE(parts), WITH_STORE(lists),
        WITH_STORE(many_takers),
        WITH_STORE(waits_for_news), WITH_STORE(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
