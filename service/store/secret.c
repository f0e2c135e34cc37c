/* SPDX-License-Identifier: MIT
 * Names and secrets: all of them come from the system's generator. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

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

int store_key_make(struct store *store, const char *name, char ret_key[STORE_KEY_BYTES],
                   struct lip_error *err)
{
    unsigned char secret[SECRET_BYTES];
    char key[STORE_KEY_BYTES] = "sk-", hash[HASH_BYTES];
    randombytes_buf(secret, sizeof secret);
    sodium_bin2hex(key + 3, sizeof key - 3, secret, sizeof secret);
    hash_key(key, hash);
    struct store_query q;
    store_query_begin(&q, store, "INSERT INTO keys(name, created_ms, hash) VALUES(?,?,?)", err);
    store_bind_text(&q, name);
    store_bind_int(&q, store_now_ms());
    store_bind_text(&q, hash);
    int r = store_query_end(&q, NULL);
    if (!r)
        memcpy(ret_key, key, sizeof key);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(key, sizeof key);
    return r;
}

int store_key_count(struct store *store, int64_t *ret_n, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "SELECT count(*) FROM keys", err);
    int r = store_query_number(&q, ret_n);
    return r;
}

int store_key_check(struct store *store, const char *key, struct lip_error *err)
{
    char hash[HASH_BYTES];
    if (strlen(key) > KEY_MAX)
        return LIP_ERR_NOT_FOUND;
    hash_key(key, hash);
    struct store_query q;
    bool known = false;
    store_query_begin(&q, store, "SELECT hash FROM keys", err);
    while (store_query_row(&q)) { /* all of them: the time does not say which one was near */
        const char *other = store_column_view(&q, 0);
        known |= other && store_secret_equal(other, hash);
    }
    int r = store_query_end(&q, NULL);
    return r ? r : known ? LIP_OK : LIP_ERR_NOT_FOUND;
}
