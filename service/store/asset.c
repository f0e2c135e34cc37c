/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/room.h"

#define WHERE "store/asset"
#define COLUMNS "number,id,token,kind,name,format,size_bytes,created_ms"
/* A search is for the very words: what LIKE takes for wild cards is none. */
#define MATCH " WHERE " STORE_AMONG("?1", "kind") \
              " AND (?2 IS NULL OR instr(lower(name),lower(?2))>0)"

static const char *const orders[STORE_SORT_COUNT] = {
    "number DESC", "number ASC", "lower(name) ASC, number", "lower(name) DESC, number",
    "size_bytes ASC, number", "size_bytes DESC, number", "kind ASC, number", "kind DESC, number"};

const char *store_kind_name(int kind)
{
    static const char *const names[STORE_KIND_COUNT] = {"VIDEO", "AUDIO", "IMAGE"};
    return kind >= 0 && kind < STORE_KIND_COUNT ? names[kind] : "UNKNOWN";
}

void store_asset_done(struct store_asset *asset)
{
    base_free(asset->name);
    base_free(asset->format);
    *asset = (struct store_asset){.name = NULL};
}

void store_assets_done(struct store_asset *assets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_asset_done(&assets[i]);
    base_free(assets);
}

int store_asset_add(struct store *store, const struct store_asset *asset, struct lip_error *err)
{
    struct store_query q;
    store_query_begin(&q, store, "INSERT INTO assets(id,token,kind,name,format,size_bytes,"
                      "created_ms) VALUES(?,?,?,?,?,?,?)", err);
    store_bind_text(&q, asset->id);
    store_bind_text(&q, asset->token);
    store_bind_int(&q, asset->kind);
    store_bind_text(&q, asset->name);
    store_bind_text(&q, asset->format);
    store_bind_int(&q, asset->size_bytes);
    store_bind_int(&q, store_now_ms());
    int r = store_query_end(&q, NULL);
    return r;
}

static void read_row(struct store_query *q, struct store_asset *ret_asset)
{
    struct store_asset a = {.number = store_column_int(q, 0)};
    store_column_id(q, 1, a.id);
    store_column_id(q, 2, a.token);
    a.kind = (int)store_column_int(q, 3);
    a.name = store_column_text(q, 4);
    a.format = store_column_text(q, 5);
    a.size_bytes = store_column_int(q, 6);
    a.created_ms = store_column_int(q, 7);
    *ret_asset = a;
}

int store_asset_get(struct store *store, const char *id, struct store_asset *ret_asset,
                    struct lip_error *err)
{
    struct store_query q;
    struct store_asset a = {.name = NULL};
    bool found = false;
    store_query_begin(&q, store, "SELECT " COLUMNS " FROM assets WHERE id=?", err);
    store_bind_text(&q, id);
    if ((found = store_query_row(&q)))
        read_row(&q, &a);
    int r = store_query_end(&q, NULL);
    if (!r && !found)
        r = base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such asset");
    if (r)
        store_asset_done(&a);
    else
        *ret_asset = a;
    return r;
}

static int count(struct store *store, const struct store_asset_filter *filter, int64_t *ret_total,
                 struct lip_error *err)
{
    struct store_query q;
    char kinds[STORE_SET_BYTES];
    store_query_begin(&q, store, "SELECT count(*) FROM assets" MATCH, err);
    store_bind_set(&q, filter->kinds, kinds);
    store_bind_text(&q, filter->search);
    return store_query_number(&q, ret_total);
}

int store_asset_list(struct store *store, const struct store_asset_filter *filter,
                     struct store_asset **ret_assets, size_t *ret_n, int64_t *ret_total,
                     struct lip_error *err)
{
    struct store_asset *assets = NULL;
    size_t n = 0, cap = 0;
    int64_t total = 0;
    char sql[400], kinds[STORE_SET_BYTES];
    snprintf(sql, sizeof sql, "SELECT " COLUMNS " FROM assets" MATCH
             " ORDER BY %s LIMIT ?3 OFFSET ?4", orders[filter->sort]);
    struct store_query q;
    int r = count(store, filter, &total, err);
    store_query_begin(&q, store, sql, err);
    store_bind_set(&q, filter->kinds, kinds);
    store_bind_text(&q, filter->search);
    store_bind_int(&q, filter->limit);
    store_bind_int(&q, filter->skip);
    while (!r && store_query_row(&q)) {
        r = base_grow(&assets, &cap, n + 1, STORE_LIST_MAX, sizeof *assets);
        if (!r)
            read_row(&q, &assets[n++]);
    }
    int ended = store_query_end(&q, NULL);
    r = r ? r : ended;
    if (r) {
        store_assets_done(assets, n);
        return r;
    }
    *ret_assets = assets;
    *ret_n = n;
    *ret_total = total;
    return LIP_OK;
}
