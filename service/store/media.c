/* SPDX-License-Identifier: MIT
 * Media where a vault keeps them: then the folder media/ is a cache with a ceiling. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/room.h"

#define WHERE "store/media"
#define YOUNG_S 60 /* so old must a file be to go: another thread may be about to use it */

void store_use_vault(struct store *store, const struct store_vault *vault, int64_t cache_bytes)
{
    store->vault = *vault;
    store->cache_bytes = cache_bytes;
}

/* The oldest file of the cache, and how many bytes there are. False: none may go. */
static bool find_oldest(const char *folder, char ret_path[512], int64_t *ret_bytes)
{
    DIR *dir = opendir(folder);
    time_t oldest = time(NULL) - YOUNG_S;
    bool found = false;
    struct stat s;
    *ret_bytes = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (fstatat(dirfd(dir), e->d_name, &s, AT_SYMLINK_NOFOLLOW) || !S_ISREG(s.st_mode) ||
            !strncmp(e->d_name, STORE_INCOMING, sizeof STORE_INCOMING - 1))
            continue;
        *ret_bytes += s.st_size;
        if (s.st_mtime < oldest) {
            oldest = s.st_mtime;
            found = snprintf(ret_path, 512, "%s%s", folder, e->d_name) < 512;
        }
    }
    if (dir)
        closedir(dir);
    return found;
}

static void make_room(struct store *store)
{
    char path[512];
    char *folder = NULL;
    int64_t bytes = 0;
    if (!store_media_path(store, "", "", &folder))
        while (find_oldest(folder, path, &bytes) && bytes > store->cache_bytes &&
               !base_fs_remove(path))
            ;
    base_free(folder);
}

static void name_of(const char *id, const char *ending, char ret_name[96])
{
    snprintf(ret_name, 96, "%.40s%.40s", id, ending);
}

int store_media_keep(struct store *store, const char *id, const char *ending,
                     struct lip_error *err)
{
    char name[96];
    char *path = NULL;
    if (!store->vault.put)
        return LIP_OK;
    name_of(id, ending, name);
    int r = store_media_path(store, id, ending, &path)
                ? base_error_nomem(err, WHERE)
                : store->vault.put(store->vault.user, name, path, err);
    base_free(path);
    make_room(store);
    return r;
}

int store_media_need(struct store *store, const char *id, const char *ending, char **ret_path,
                     struct lip_error *err)
{
    char name[96], unique[STORE_ID_BYTES];
    char *path = NULL, *incoming = NULL;
    if (store_media_path(store, id, ending, &path))
        return base_error_nomem(err, WHERE);
    int r = LIP_OK;
    if (store->vault.get && !base_fs_exists(path)) {
        store_id_make(unique);
        name_of(id, ending, name);
        r = store_incoming_path(store, unique, &incoming)
                ? base_error_nomem(err, WHERE)
                : store->vault.get(store->vault.user, name, incoming, err);
        if (!r)
            r = base_fs_rename(incoming, path, err);
        base_free(incoming);
        make_room(store);
    }
    if (r)
        base_free(path);
    else
        *ret_path = path;
    return r;
}

void store_media_drop(struct store *store, const char *id, const char *ending)
{
    char name[96];
    char *path = NULL;
    name_of(id, ending, name);
    if (!store_media_path(store, id, ending, &path))
        base_fs_remove(path);
    base_free(path);
    if (store->vault.drop)
        store->vault.drop(store->vault.user, name, NULL);
}

bool store_has_vault(const struct store *store)
{
    return store->vault.put != NULL;
}

int store_vault_put(struct store *store, const char *name, const char *path,
                    struct lip_error *err)
{
    return store->vault.put(store->vault.user, name, path, err);
}

int store_vault_get(struct store *store, const char *name, const char *path,
                    struct lip_error *err)
{
    return store->vault.get(store->vault.user, name, path, err);
}

void store_vault_drop(struct store *store, const char *name)
{
    store->vault.drop(store->vault.user, name, NULL);
}
