/* SPDX-License-Identifier: MIT
 * Names and secrets: all of them come from the system's generator. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/alloc.h"
#include "store/room.h"

#define WHERE "store/keys"
#define SECRET_BYTES 32
#define HASH_BYTES (2 * SECRET_BYTES + 1) /* in hexadecimal digits, with the end */
#define KEY_MAX 256 /* longer ones are not even hashed */

void store_id_make(char ret_id[STORE_ID_BYTES])
{
    unsigned char b[16];
    char hex[33];
    randombytes_buf(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, RFC 9562 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    sodium_bin2hex(hex, sizeof hex, b, sizeof b);
    snprintf(ret_id, STORE_ID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

bool store_id_valid(const char *text)
{
    if (strlen(text) != STORE_ID_BYTES - 1)
        return false;
    for (int i = 0; i < STORE_ID_BYTES - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
            return false;
    }
    return true;
}

bool store_secret_equal(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && !sodium_memcmp(a, b, n);
}

/* The keys are random and long: a plain hash of one cannot be turned back. */
static void hash_key(const char *key, char ret_hex[HASH_BYTES])
{
    unsigned char hash[SECRET_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)key, strlen(key), NULL, 0);
    sodium_bin2hex(ret_hex, HASH_BYTES, hash, sizeof hash);
}

/* `prefix` and 64 random hexadecimal digits. */
static void make_secret(const char *prefix, char *ret_secret, size_t cap)
{
    unsigned char secret[SECRET_BYTES];
    char hex[HASH_BYTES];
    randombytes_buf(secret, sizeof secret);
    sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    snprintf(ret_secret, cap, "%s%s", prefix, hex);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(hex, sizeof hex);
}

int store_organization_get(struct store *store, const char *name, int64_t *ret_organization,
                           struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "INSERT INTO organizations(name,created_ms) VALUES(?,?)"
                      " ON CONFLICT(name) DO NOTHING", err);
    store_bind_text(&q, name);
    store_bind_int(&q, store_now_ms());
    int r = store_query_end(&q, NULL);
    if (r)
        return r;
    store_query_begin(&q, store, "SELECT number FROM organizations WHERE name=?", err);
    store_bind_text(&q, name);
    return store_query_number(&q, ret_organization);
}

int store_key_make(struct store *store, int64_t organization, const char *name,
                   char ret_key[STORE_KEY_BYTES], struct lip_error *err)
{
    char key[STORE_KEY_BYTES], hash[HASH_BYTES];
    struct store_query q;
    make_secret("sk-", key, sizeof key);
    hash_key(key, hash);
    store_query_begin(&q, store, "INSERT INTO keys(name,created_ms,hash,organization,hint)"
                      " VALUES(?,?,?,?,?)", err);
    store_bind_text(&q, name);
    store_bind_int(&q, store_now_ms());
    store_bind_text(&q, hash);
    store_bind_int(&q, organization);
    store_bind_text(&q, key + sizeof key - 5);
    int r = store_query_end(&q, NULL);
    if (!r)
        memcpy(ret_key, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return r;
}

int store_key_count(struct store *store, int64_t organization, int64_t *ret_n,
                    struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "SELECT count(*) FROM keys WHERE organization=?", err);
    store_bind_int(&q, organization);
    return store_query_number(&q, ret_n);
}

/* The index is searched by the hash, which says nothing of the key to whoever measures time; what
 * was found is compared in constant time. */
int store_key_check(struct store *store, const char *key, int64_t *ret_organization,
                    struct lip_error *err)
{
    char hash[HASH_BYTES];
    if (strlen(key) > KEY_MAX)
        return LIP_ERR_NOT_FOUND;
    hash_key(key, hash);
    struct store_query q;
    int64_t organization = 0;
    store_query_begin(&q, store, "SELECT hash,organization FROM keys WHERE hash=?", err);
    store_bind_text(&q, hash);
    if (store_query_row(&q)) {
        const char *other = store_column_view(&q, 0);
        if (other && store_secret_equal(other, hash))
            organization = store_column_int(&q, 1);
    }
    int r = store_query_end(&q, NULL);
    if (r || !organization)
        return r ? r : LIP_ERR_NOT_FOUND;
    *ret_organization = organization;
    return LIP_OK;
}

static void copy_column(struct store_query *q, int column, char *ret, size_t cap)
{
    const char *text = store_column_view(q, column);
    snprintf(ret, cap, "%s", text ? text : "");
}

int store_key_list(struct store *store, int64_t organization, struct store_key **ret_keys,
                   size_t *ret_n, struct lip_error *err)
{
    struct store_query q;
    struct store_key *keys = NULL;
    size_t n = 0, cap = 0;
    int r = LIP_OK;
    store_query_begin(&q, store, "SELECT number,created_ms,name,hint FROM keys"
                      " WHERE organization=?1 ORDER BY number LIMIT ?2", err);
    store_bind_int(&q, organization);
    store_bind_int(&q, STORE_KEYS_MAX);
    while (!r && store_query_row(&q)) {
        r = base_grow(&keys, &cap, n + 1, STORE_KEYS_MAX, sizeof *keys);
        if (r)
            break;
        keys[n].number = store_column_int(&q, 0);
        keys[n].created_ms = store_column_int(&q, 1);
        copy_column(&q, 2, keys[n].name, sizeof keys[n].name);
        copy_column(&q, 3, keys[n].hint, sizeof keys[n].hint);
        n++;
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (r) {
        base_free(keys);
        return r;
    }
    *ret_keys = keys;
    *ret_n = n;
    return LIP_OK;
}

int store_key_revoke(struct store *store, int64_t organization, int64_t number,
                     struct lip_error *err)
{
    struct store_query q;
    int changed = 0;
    int64_t n = 0;
    store_query_begin(&q, store, "SELECT count(*) FROM keys WHERE organization=?1 AND number=?2",
                      err);
    store_bind_int(&q, organization);
    store_bind_int(&q, number);
    int r = store_query_number(&q, &n);
    if (!r && !n)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such key");
    store_query_begin(&q, store, "DELETE FROM keys WHERE organization=?1 AND number=?2 AND"
                      " (SELECT count(*) FROM keys WHERE organization=?1)>1", err);
    store_bind_int(&q, organization);
    store_bind_int(&q, number);
    int ended = store_query_end(&q, &changed);
    r = r ? r : ended;
    return r || changed ? r : base_error_set(err, LIP_ERR_STATE, WHERE, "it is the last key");
}

/* Webhooks ------------------------------------------------------------------------------------- */

int store_hook_secret(struct store *store, int64_t organization, bool anew,
                      char ret_secret[STORE_HOOK_SECRET_BYTES], struct lip_error *err)
{
    char secret[STORE_HOOK_SECRET_BYTES];
    struct store_query q;
    make_secret("whsec_", secret, sizeof secret);
    store_query_begin(&q, store, "UPDATE organizations SET hook_secret=?1"
                      " WHERE number=?2 AND (?3=1 OR hook_secret='')", err);
    store_bind_text(&q, secret);
    store_bind_int(&q, organization);
    store_bind_int(&q, anew);
    int r = store_query_end(&q, NULL);
    if (r)
        return r;
    store_query_begin(&q, store, "SELECT hook_secret FROM organizations WHERE number=?", err);
    store_bind_int(&q, organization);
    bool found = store_query_row(&q);
    if (found)
        copy_column(&q, 0, secret, sizeof secret);
    r = store_query_end(&q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such organization");
    if (!r)
        memcpy(ret_secret, secret, sizeof secret);
    return r;
}

void store_sign(const char *secret, int64_t t_s, const char *body,
                char ret_signature[STORE_SIGNATURE_BYTES])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char stamp[32];
    int n = snprintf(stamp, sizeof stamp, "%lld.", (long long)t_s);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, (size_t)n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(ret_signature, STORE_SIGNATURE_BYTES, mac, sizeof mac);
}
