/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/room.h"

#define WHERE "store/asset"
#define COLUMNS "number,id,token,kind,name,format,size_bytes,created_ms,organization"
/* A search is for the very words: what LIKE takes for wild cards is none. */
#define MATCH " WHERE " STORE_AMONG("?1", "kind") \
              " AND (CAST(?2 AS TEXT) IS NULL OR instr(lower(name),lower(?2))>0)" \
              " AND organization=?3"

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

#define INSERT "INSERT INTO assets(id,token,kind,name,format,size_bytes,created_ms,organization)" \
               " VALUES(?,?,?,?,?,?,?,?)"

static void bind_new(struct store_query *q, const struct store_asset *asset)
{
    store_bind_text(q, asset->id);
    store_bind_text(q, asset->token);
    store_bind_int(q, asset->kind);
    store_bind_text(q, asset->name);
    store_bind_text(q, asset->format);
    store_bind_int(q, asset->size_bytes);
    store_bind_int(q, store_now_ms());
    store_bind_int(q, asset->organization);
}

int store_asset_insert(const struct store_act *act, const struct store_asset *asset,
                       struct lip_error *err)
{
    struct store_query q;
    store_act_query(&q, act, INSERT, err);
    bind_new(&q, asset);
    return store_query_end(&q, NULL);
}

int store_asset_add(struct store *store, const struct store_asset *asset, struct lip_error *err)
{
    struct store_act act;
    int r = store_act_begin(&act, store, err);
    return r ? r : store_act_end(&act, store_asset_insert(&act, asset, err), err);
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
    a.organization = store_column_int(q, 8);
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
    store_bind_int(&q, filter->organization);
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
             " ORDER BY %s LIMIT ?4 OFFSET ?5", orders[filter->sort]);
    struct store_query q;
    int r = count(store, filter, &total, err);
    store_query_begin(&q, store, sql, err);
    store_bind_set(&q, filter->kinds, kinds);
    store_bind_text(&q, filter->search);
    store_bind_int(&q, filter->organization);
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

static int missing(int r, int changed, const char *what, struct lip_error *err)
{
    return r || changed ? r
                        : base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such %s",
                                         what);
}

int store_asset_rename(struct store *store, const char *id, const char *name,
                       struct lip_error *err)
{
    struct store_query q;
    int changed = 0;
    store_query_begin(&q, store, "UPDATE assets SET name=? WHERE id=?", err);
    store_bind_text(&q, name);
    store_bind_text(&q, id);
    int r = store_query_end(&q, &changed);
    return missing(r, changed, "asset", err);
}

/* The incoming link goes last: while it is there, the asset may not be. */
static int drop_one(struct store *store, const char *id, struct lip_error *err)
{
    struct store_asset a;
    char *path = NULL;
    int r = store_asset_get(store, id, &a, NULL);
    if (!r)
        store_asset_done(&a);
    else if (r == LIP_ERR_NOT_FOUND)
        store_media_drop(store, id, "");
    else
        return base_error_set(err, r, WHERE, "the assets cannot be read");
    if (store_incoming_path(store, id, &path))
        return base_error_nomem(err, WHERE);
    base_fs_remove(path);
    base_free(path);
    return LIP_OK;
}

int store_incoming_drop(struct store *store, int64_t age_s, struct lip_error *err)
{
    static const size_t n = sizeof STORE_INCOMING - 1;
    char *media = NULL;
    struct stat s;
    if (store_media_path(store, "", "", &media))
        return base_error_nomem(err, WHERE);
    DIR *dir = opendir(media);
    int r = dir ? LIP_OK : base_error_set(err, LIP_ERR_IO, WHERE, "'%s' cannot be read", media);
    for (struct dirent *e; !r && (e = readdir(dir));)
        if (!strncmp(e->d_name, STORE_INCOMING, n) && store_id_valid(e->d_name + n) &&
            !fstatat(dirfd(dir), e->d_name, &s, 0) && s.st_mtime <= time(NULL) - age_s)
            r = drop_one(store, e->d_name + n, err);
    if (dir)
        closedir(dir);
    base_free(media);
    return r;
}

int store_asset_remove(struct store *store, const char *id, struct lip_error *err)
{
    struct store_asset a;
    struct store_query q;
    int changed = 0;
    int r = store_asset_get(store, id, &a, err);
    if (r)
        return r;
    store_asset_done(&a);
    /* One that runs has its own link to the file. */
    store_query_begin(&q, store, "DELETE FROM assets WHERE id=?1 AND NOT EXISTS (SELECT 1 FROM"
                      " generations WHERE status=0 AND instr(input,?1)>0)", err);
    store_bind_text(&q, id);
    r = store_query_end(&q, &changed);
    if (!r && !changed)
        return base_error_set(err, LIP_ERR_STATE, WHERE, "a job that waits needs the asset");
    if (!r)
        store_media_drop(store, id, "");
    return r;
}

/* Uploads in steps ----------------------------------------------------------------------------- */

void store_upload_done(struct store_upload *upload)
{
    base_free(upload->name);
    upload->name = NULL;
}

/* Forgets one that nobody registered in time. False: there is none. */
static bool forget_one(struct store *store)
{
    struct store_query q;
    char id[STORE_ID_BYTES];
    bool found = false;
    store_query_begin(&q, store, "DELETE FROM uploads WHERE number=(SELECT number FROM uploads"
                      " WHERE created_ms<? ORDER BY number LIMIT 1) RETURNING id", NULL);
    store_bind_int(&q, store_now_ms() - STORE_UPLOAD_MS);
    if ((found = store_query_row(&q)))
        store_column_id(&q, 0, id);
    if (store_query_end(&q, NULL) || !found)
        return false;
    store_media_drop(store, id, "");
    return true;
}

int store_upload_add(struct store *store, const struct store_upload *upload, struct lip_error *err)
{
    struct store_query q;
    while (forget_one(store))
        ;
    store_query_begin(&q, store, "INSERT INTO uploads(id,token,organization,name,created_ms)"
                      " VALUES(?,?,?,?,?)", err);
    store_bind_text(&q, upload->id);
    store_bind_text(&q, upload->token);
    store_bind_int(&q, upload->organization);
    store_bind_text(&q, upload->name);
    store_bind_int(&q, store_now_ms());
    return store_query_end(&q, NULL);
}

int store_upload_get(struct store *store, const char *id, struct store_upload *ret_upload,
                     struct lip_error *err)
{
    struct store_query q;
    struct store_upload u = {.name = NULL};
    bool found = false;
    store_query_begin(&q, store, "SELECT id,token,organization,size_bytes,name FROM uploads"
                      " WHERE id=?1 AND created_ms>=?2", err);
    store_bind_text(&q, id);
    store_bind_int(&q, store_now_ms() - STORE_UPLOAD_MS);
    if ((found = store_query_row(&q))) {
        store_column_id(&q, 0, u.id);
        store_column_id(&q, 1, u.token);
        u.organization = store_column_int(&q, 2);
        u.size_bytes = store_column_int(&q, 3);
        u.name = store_column_text(&q, 4);
    }
    int r = store_query_end(&q, NULL);
    r = missing(r, found, "upload", err);
    if (r)
        store_upload_done(&u);
    else
        *ret_upload = u;
    return r;
}

int store_upload_came(struct store *store, const char *id, const char *path, int64_t size_bytes,
                      struct lip_error *err)
{
    struct store_act act;
    struct store_query q;
    char *place = NULL;
    int changed = 0;
    if (store_media_path(store, id, "", &place))
        return base_error_nomem(err, WHERE);
    int r = store_act_begin(&act, store, err);
    if (!r) {
        store_act_query(&q, &act, "UPDATE uploads SET size_bytes=? WHERE id=?", err);
        store_bind_int(&q, size_bytes);
        store_bind_text(&q, id);
        r = store_query_end(&q, &changed);
        r = missing(r, changed, "upload", err);
        /* Within the act: what is registered meanwhile does not change under its asset. */
        r = store_act_end(&act, r ? r : base_fs_rename(path, place, err), err);
    }
    base_free(place);
    return r;
}

int store_upload_register(struct store *store, const struct store_asset *asset,
                          struct lip_error *err)
{
    struct store_act act;
    struct store_query q;
    int changed = 0;
    int r = store_act_begin(&act, store, err);
    if (r)
        return r;
    store_act_query(&q, &act, "DELETE FROM uploads WHERE id=? AND size_bytes>0", err);
    store_bind_text(&q, asset->id);
    r = store_query_end(&q, &changed);
    r = missing(r, changed, "upload", err);
    if (!r)
        r = store_asset_insert(&act, asset, err);
    return store_act_end(&act, r, err);
}
