/* SPDX-License-Identifier: MIT
 * Organizations and their keys, idempotency, batches, webhooks, uploads in steps. */
#define _GNU_SOURCE
#include "unit/store/fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "base/alloc.h"
#include "base/fs.h"

static struct store_generation generation(const char *webhook, const char *once_key)
{
    struct store_generation g = {.organization = STORE_DEFAULT, .model = base_strdup("lipsync-2"),
                                 .input = base_strdup("[]"), .webhook_url = base_strdup(webhook),
                                 .once_key = base_strdup(once_key),
                                 .once_hash = base_strdup(once_key ? "hash" : NULL)};
    store_id_make(g.id);
    store_id_make(g.token);
    return g;
}

static void finish(void)
{
    struct store_generation g;
    struct store_outcome o = {.status = STORE_COMPLETED, .duration_s = 1.5};
    assert_int_equal(store_generation_claim(store, &g, NULL), LIP_OK);
    assert_int_equal(store_generation_finish(store, g.id, g.attempt, &o, NULL), LIP_OK);
    store_generation_done(&g);
}

static void organizations(void **state)
{
    (void)state;
    int64_t a = 0, b = 0, again = 0, whose = 0;
    char key[STORE_KEY_BYTES], other[STORE_KEY_BYTES];
    struct store_key *keys = NULL;
    size_t n = 0;
    assert_int_equal(store_organization_get(store, "a", &a, NULL), LIP_OK);
    assert_int_equal(store_organization_get(store, "b", &b, NULL), LIP_OK);
    assert_int_equal(store_organization_get(store, "a", &again, NULL), LIP_OK);
    assert_true(a != b && a == again && a != STORE_DEFAULT);
    assert_int_equal(store_key_make(store, a, "first", key, NULL), LIP_OK);
    assert_int_equal(store_key_check(store, key, &whose, NULL), LIP_OK);
    assert_int_equal(whose, a);
    assert_int_equal(store_key_list(store, a, &keys, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
    assert_string_equal(keys[0].name, "first");
    assert_string_equal(keys[0].hint, key + strlen(key) - 4);
    int64_t number = keys[0].number;
    base_free(keys);
    assert_int_equal(store_key_revoke(store, b, number, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_key_revoke(store, a, number, NULL), LIP_ERR_STATE); /* the last one */
    assert_int_equal(store_key_make(store, a, "second", other, NULL), LIP_OK);
    assert_int_equal(store_key_revoke(store, a, number, NULL), LIP_OK);
    assert_int_equal(store_key_check(store, key, &whose, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_key_check(store, other, &whose, NULL), LIP_OK);
}

/* The signature was computed by Python's hmac. */
static void signatures(void **state)
{
    (void)state;
    char secret[STORE_HOOK_SECRET_BYTES], same[STORE_HOOK_SECRET_BYTES];
    char anew[STORE_HOOK_SECRET_BYTES], signature[STORE_SIGNATURE_BYTES];
    assert_int_equal(store_hook_secret(store, STORE_DEFAULT, false, secret, NULL), LIP_OK);
    assert_int_equal(store_hook_secret(store, STORE_DEFAULT, false, same, NULL), LIP_OK);
    assert_int_equal(store_hook_secret(store, STORE_DEFAULT, true, anew, NULL), LIP_OK);
    assert_memory_equal(secret, "whsec_", 6);
    assert_string_equal(secret, same);
    assert_string_not_equal(secret, anew);
    assert_int_equal(store_hook_secret(store, 99, false, same, NULL), LIP_ERR_NOT_FOUND);
    store_sign("whsec_abc", 1700000000, "{\"a\":1}", signature);
    assert_string_equal(signature,
                        "3b843bacfb18cc5554542fdcc84d815b399c52758e508a6fcecf0a2af4efea2b");
}

/* Files come with their generation, or not at all. */
static void files_once(void **state)
{
    (void)state;
    struct store_generation g = generation(NULL, "key-1"), other = generation(NULL, "key-1");
    struct store_asset files[2] = {{.organization = STORE_DEFAULT, .name = g.model},
                                   {.organization = STORE_DEFAULT, .name = g.model}}, got;
    for (int i = 0; i < 2; i++)
        store_id_make(files[i].id);
    assert_int_equal(store_generation_add(store, &g, files, 1, NULL), LIP_OK);
    assert_int_equal(store_generation_add(store, &other, files + 1, 1, NULL), LIP_ERR_EXISTS);
    assert_int_equal(store_asset_get(store, files[0].id, &got, NULL), LIP_OK);
    store_asset_done(&got);
    assert_int_equal(store_asset_get(store, files[1].id, &got, NULL), LIP_ERR_NOT_FOUND);
    base_free(other.once_key); /* one of the files is there already: nothing of it */
    other.once_key = NULL;
    assert_int_equal(store_generation_add(store, &other, files, 2, NULL), LIP_ERR_IO);
    assert_int_equal(store_generation_get(store, other.id, &g, NULL), LIP_ERR_NOT_FOUND);
    store_generation_done(&g);
    store_generation_done(&other);
}

/* A process was killed after it had linked two files, and before or after it wrote their rows. */
static void half_kept(void **state)
{
    (void)state;
    struct store_generation g = generation(NULL, NULL);
    struct store_asset files[2] = {{.organization = STORE_DEFAULT, .name = g.model},
                                   {.organization = STORE_DEFAULT, .name = g.model}};
    char *paths[2][2] = {{NULL}};
    for (int i = 0; i < 2; i++) {
        store_id_make(files[i].id);
        assert_int_equal(store_incoming_path(store, files[i].id, &paths[i][0]), LIP_OK);
        assert_int_equal(store_media_path(store, files[i].id, "", &paths[i][1]), LIP_OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(base_fs_write(paths[i][k], "abc", 3, NULL), LIP_OK);
        const struct utimbuf long_ago = {.modtime = time(NULL) - 90000};
        assert_int_equal(utime(paths[i][0], &long_ago), 0);
    }
    assert_int_equal(store_generation_add(store, &g, files, 1, NULL), LIP_OK);
    store_close(&store);
    assert_int_equal(store_open(folder, database(), &store, NULL), LIP_OK);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            assert_int_equal(base_fs_exists(paths[i][k]), i == 0 && k == 1);
            base_free(paths[i][k]);
        }
    store_generation_done(&g);
}

static void made_once(void **state)
{
    (void)state;
    struct store_generation g = generation(NULL, "key-1"), other = generation(NULL, "key-1"), found;
    assert_int_equal(store_generation_once(store, STORE_DEFAULT, "key-1", &found, NULL),
                     LIP_ERR_NOT_FOUND);
    assert_int_equal(store_generation_add(store, &g, NULL, 0, NULL), LIP_OK);
    assert_int_equal(store_generation_add(store, &other, NULL, 0, NULL), LIP_ERR_EXISTS);
    assert_int_equal(store_generation_once(store, STORE_DEFAULT, "key-1", &found, NULL), LIP_OK);
    assert_string_equal(found.id, g.id);
    assert_string_equal(found.once_hash, "hash");
    store_generation_done(&found);
    assert_int_equal(store_generation_once(store, 99, "key-1", &found, NULL), LIP_ERR_NOT_FOUND);
    other.organization = 99; /* another organization's key is another key */
    assert_int_equal(store_generation_add(store, &other, NULL, 0, NULL), LIP_OK);
    struct store_query q; /* a day later it is forgotten */
    store_query_begin(&q, store, "UPDATE generations SET created_ms=created_ms-90000000", NULL);
    assert_int_equal(store_query_end(&q, NULL), LIP_OK);
    assert_int_equal(store_generation_once(store, STORE_DEFAULT, "key-1", &found, NULL),
                     LIP_ERR_NOT_FOUND);
    store_generation_done(&g);
    store_generation_done(&other);
}

static void hooks(void **state)
{
    (void)state;
    struct store_generation g = generation("http://x/h", NULL), quiet = generation(NULL, NULL);
    struct store_hook hook, none;
    assert_int_equal(store_generation_add(store, &quiet, NULL, 0, NULL), LIP_OK);
    assert_int_equal(store_generation_add(store, &g, NULL, 0, NULL), LIP_OK);
    assert_int_equal(store_hook_take(store, &none, NULL), LIP_ERR_NOT_FOUND);
    finish();
    finish();
    assert_int_equal(store_hook_take(store, &hook, NULL), LIP_OK);
    assert_string_equal(hook.generation.id, g.id);
    assert_string_equal(hook.generation.webhook_url, "http://x/h");
    assert_int_equal(hook.tries, 1);
    assert_int_equal(store_hook_take(store, &none, NULL), LIP_ERR_NOT_FOUND); /* it is taken */
    assert_int_equal(store_hook_settle(store, &hook, 0, NULL), LIP_OK); /* once more */
    store_hook_done(&hook);
    assert_int_equal(store_hook_take(store, &hook, NULL), LIP_OK);
    assert_int_equal(hook.tries, 2);
    hook.tries = 1; /* whoever is late does not speak for who has it now */
    assert_int_equal(store_hook_settle(store, &hook, 0, NULL), LIP_OK);
    assert_int_equal(store_hook_take(store, &none, NULL), LIP_ERR_NOT_FOUND);
    hook.tries = 2;
    assert_int_equal(store_hook_settle(store, &hook, 100000, NULL), LIP_OK);
    assert_int_equal(store_hook_take(store, &none, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_hook_settle(store, &hook, -1, NULL), LIP_OK);
    store_hook_done(&hook);
    assert_int_equal(store_hook_take(store, &none, NULL), LIP_ERR_NOT_FOUND);
    store_generation_done(&g);
    store_generation_done(&quiet);
}

static void batches(void **state)
{
    (void)state;
    struct store_generation g[2] = {generation(NULL, NULL), generation(NULL, NULL)}, *list, taken;
    struct store_generation single = generation(NULL, NULL);
    struct store_batch b = {.organization = STORE_DEFAULT, .webhook_url = base_strdup("http://x/b"),
                            .base_url = base_strdup("http://me")}, got, *all;
    struct store_hook hook;
    size_t n = 0;
    store_id_make(b.id);
    store_id_make(b.token);
    g[0].request_id = base_strdup("one");
    g[1].request_id = base_strdup("two");
    b.once_key = base_strdup("key-1");
    b.once_hash = base_strdup("hash");
    assert_int_equal(store_batch_add(store, &b, g, 2, NULL), LIP_OK);
    assert_int_equal(store_batch_once(store, STORE_DEFAULT, "key-1", &got, NULL), LIP_OK);
    assert_string_equal(got.id, b.id);
    assert_string_equal(got.once_hash, "hash");
    store_batch_done(&got);
    assert_int_equal(store_batch_once(store, 99, "key-1", &got, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_batch_add(store, &b, &single, 1, NULL), LIP_ERR_EXISTS);
    assert_int_equal(store_generation_add(store, &single, NULL, 0, NULL), LIP_OK);
    assert_int_equal(store_generation_claim(store, &taken, NULL), LIP_OK);
    assert_string_equal(taken.id, single.id); /* who waits alone goes first */
    store_generation_done(&taken);
    finish();
    assert_int_equal(store_hook_take(store, &hook, NULL), LIP_ERR_NOT_FOUND);
    assert_int_equal(store_batch_get(store, b.id, &got, NULL), LIP_OK);
    assert_false(store_batch_over(&got));
    assert_int_equal(got.n[STORE_COMPLETED], 1);
    assert_int_equal(got.n[STORE_PENDING], 1);
    store_batch_done(&got);
    finish();
    assert_int_equal(store_hook_take(store, &hook, NULL), LIP_OK);
    assert_true(hook.of_batch && store_batch_over(&hook.batch));
    assert_int_equal(hook.batch.n[STORE_COMPLETED], 2);
    assert_int_equal(store_hook_settle(store, &hook, -1, NULL), LIP_OK);
    store_hook_done(&hook);
    struct store_generation_filter f = {.organization = STORE_DEFAULT, .limit = 9};
    assert_int_equal(store_batch_list(store, STORE_DEFAULT, 0, INT64_MAX, &all, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
    f.batch = all[0].number;
    store_batches_done(all, n);
    assert_int_equal(store_batch_list(store, 99, 0, INT64_MAX, &all, &n, NULL), LIP_OK);
    assert_int_equal(n, 0);
    assert_int_equal(store_generation_list(store, &f, &list, &n, NULL), LIP_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].request_id, "two");
    store_generations_done(list, n);
    struct store_query q; /* a day later the key is a new one */
    store_query_begin(&q, store, "UPDATE batches SET created_ms=created_ms-90000000", NULL);
    assert_int_equal(store_query_end(&q, NULL), LIP_OK);
    store_id_make(b.id);
    store_id_make(single.id);
    assert_int_equal(store_batch_add(store, &b, &single, 1, NULL), LIP_OK);
    store_batch_done(&b);
    store_generation_done(&g[0]);
    store_generation_done(&g[1]);
    store_generation_done(&single);
}

static void uploads(void **state)
{
    (void)state;
    struct store_upload u = {.organization = STORE_DEFAULT, .name = base_strdup("v.mp4")}, got;
    struct store_asset a = {.organization = STORE_DEFAULT, .name = u.name, .size_bytes = 3};
    struct store_generation g = generation(NULL, NULL);
    char *path = NULL, *incoming = NULL;
    store_id_make(u.id);
    store_id_make(u.token);
    memcpy(a.id, u.id, sizeof a.id);
    memcpy(a.token, u.token, sizeof a.token);
    assert_int_equal(store_upload_add(store, &u, NULL), LIP_OK);
    assert_int_equal(store_upload_register(store, &a, NULL), LIP_ERR_NOT_FOUND); /* nothing came */
    assert_int_equal(store_media_path(store, u.id, "", &path), LIP_OK);
    assert_int_equal(store_incoming_path(store, u.id, &incoming), LIP_OK);
    assert_int_equal(base_fs_write(incoming, "abc", 3, NULL), LIP_OK);
    assert_int_equal(store_upload_came(store, u.id, incoming, 3, NULL), LIP_OK);
    assert_false(base_fs_exists(incoming));
    assert_int_equal(store_upload_get(store, u.id, &got, NULL), LIP_OK);
    assert_string_equal(got.token, u.token);
    store_upload_done(&got);
    assert_int_equal(store_upload_register(store, &a, NULL), LIP_OK);
    assert_int_equal(store_upload_register(store, &a, NULL), LIP_ERR_NOT_FOUND); /* once */
    assert_int_equal(base_fs_write(incoming, "other", 5, NULL), LIP_OK);
    assert_int_equal(store_upload_came(store, u.id, incoming, 5, NULL), LIP_ERR_NOT_FOUND);
    assert_true(base_fs_exists(incoming)); /* the asset's file is as it was */
    base_free(g.input);
    g.input = base_strdup(u.id);
    assert_int_equal(store_generation_add(store, &g, NULL, 0, NULL), LIP_OK);
    assert_int_equal(store_asset_rename(store, u.id, "w.mp4", NULL), LIP_OK);
    assert_int_equal(store_asset_remove(store, u.id, NULL), LIP_ERR_STATE);
    finish();
    assert_true(base_fs_exists(path));
    assert_int_equal(store_asset_remove(store, u.id, NULL), LIP_OK);
    assert_false(base_fs_exists(path));
    assert_int_equal(store_asset_remove(store, u.id, NULL), LIP_ERR_NOT_FOUND);
    store_upload_done(&u);
    store_generation_done(&g);
    store_close(&store); /* what did not come to its end goes with the next beginning */
    assert_int_equal(store_open(folder, database(), &store, NULL), LIP_OK);
    assert_true(base_fs_exists(incoming) == (database() != NULL)); /* there others may be sending */
    base_free(incoming);
    base_free(path);
}

static int n_put, n_got, n_dropped;

static int put(void *user, const char *name, const char *path, struct lip_error *err)
{
    (void)user, (void)err;
    n_put += base_fs_exists(path) && strlen(name) == 40;
    return LIP_OK;
}

static int get(void *user, const char *name, const char *path, struct lip_error *err)
{
    (void)name;
    n_got++;
    return user ? base_fs_write(path, "abc", 3, err) : LIP_ERR_NOT_FOUND;
}

static int drop(void *user, const char *name, struct lip_error *err)
{
    (void)user, (void)name, (void)err;
    n_dropped++;
    return LIP_OK;
}

/* The folder is a cache: what it has lost comes again, and old files go when it is full. */
static void vault(void **state)
{
    (void)state;
    char id[STORE_ID_BYTES], *path = NULL, *again = NULL;
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    store_use_vault(store, &(struct store_vault){id, put, get, drop}, 2);
    store_id_make(id);
    assert_int_equal(store_media_path(store, id, ".mp4", &path), LIP_OK);
    assert_int_equal(base_fs_write(path, "abc", 3, NULL), LIP_OK);
    assert_int_equal(store_media_keep(store, id, ".mp4", NULL), LIP_OK);
    assert_int_equal(n_put, 1);
    assert_true(base_fs_exists(path)); /* it is young */
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_int_equal(store_media_keep(store, id, ".mp4", NULL), LIP_OK);
    assert_false(base_fs_exists(path));
    assert_int_equal(store_media_need(store, id, ".mp4", &again, NULL), LIP_OK);
    assert_string_equal(again, path);
    assert_true(base_fs_exists(path) && n_got == 1);
    base_free(again);
    store_media_drop(store, id, ".mp4");
    assert_true(!base_fs_exists(path) && n_dropped == 1);
    store_use_vault(store, &(struct store_vault){NULL, put, get, drop}, 2);
    assert_int_equal(store_media_need(store, id, ".mp4", &again, NULL), LIP_ERR_NOT_FOUND);
    base_free(path);
}

static void usage(void **state)
{
    (void)state;
    struct store_generation g = generation(NULL, NULL);
    struct store_day *days = NULL;
    size_t n = 0;
    assert_int_equal(store_generation_add(store, &g, NULL, 0, NULL), LIP_OK);
    finish();
    assert_int_equal(store_usage(store, STORE_DEFAULT, 30, &days, &n, NULL), LIP_OK);
    assert_int_equal(n, 1);
    assert_int_equal(days[0].n_generations, 1);
    assert_int_equal(days[0].n_completed, 1);
    assert_float_equal(days[0].duration_s, 1.5, 1e-9);
    assert_int_equal(days[0].day_ms % 86400000, 0);
    base_free(days);
    store_generation_done(&g);
}

static void paces(void **state)
{
    (void)state;
    struct store_generation g = generation(NULL, NULL);
    struct store_pace p;
    struct store_query q;
    assert_int_equal(store_pace(store, &p, NULL), LIP_OK);
    assert_true(!p.waiting_ms && !p.n_ended && !p.longest_ms);
    for (int i = 0; i < 12; i++) {
        store_id_make(g.id);
        assert_int_equal(store_generation_add(store, &g, NULL, 0, NULL), LIP_OK);
    }
    for (int i = 0; i < 11; i++)
        finish();
    store_query_begin(&q, store, "UPDATE generations SET created_ms=created_ms-7000,"
                      " started_ms=ended_ms-1000*number WHERE number<11 OR status=0", NULL);
    assert_int_equal(store_query_end(&q, NULL), LIP_OK); /* the 11th took nearly no time */
    assert_int_equal(store_pace(store, &p, NULL), LIP_OK);
    assert_in_range(p.waiting_ms, 6900, 17000);
    assert_int_equal(p.n_ended, 11);
    assert_int_equal(p.half_ms, 5000);
    assert_int_equal(p.most_ms, 9000);
    assert_int_equal(p.longest_ms, 10000);
    store_query_begin(&q, store, "UPDATE generations SET ended_ms=ended_ms-3700000", NULL);
    assert_int_equal(store_query_end(&q, NULL), LIP_OK);
    assert_int_equal(store_pace(store, &p, NULL), LIP_OK);
    assert_int_equal(p.n_ended, 0);
    store_generation_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(organizations), WITH_STORE(signatures), WITH_STORE(made_once),
        WITH_STORE(files_once), WITH_STORE(half_kept), WITH_STORE(hooks),
        WITH_STORE(batches), WITH_STORE(uploads), WITH_STORE(vault),
        WITH_STORE(usage), WITH_STORE(paces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
