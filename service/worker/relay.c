/* SPDX-License-Identifier: MIT
 * Parts of a long film for workers that share no folder: files go by way of the store's vault, in
 * bundles. A bundle is some files and, put there after them, a list: {"files": [names],
 * "parts": n}. That of a part grows while it is drawn; n is above 0 when it is whole. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/thread.h"
#include "worker/room.h"

#define WHERE "worker/relay"
#define LIST "relay.json" /* while it is on its way */
#define NAME_MAX_BYTES 60
#define NAMES_MAX 2000
#define LABEL_BYTES 80
#define LOOK_US 500000
#define LOOKS_AHEAD 6 /* parts that are asked for at once: the last ones come first */
#define STAGES (STORE_DRAW + 1)

/* Bundle 0 of a stage holds the inputs, 1 what the job has found out, the others a part each. */
enum { INPUTS, FOUND };

struct relay {
    struct store *store;
    const struct store_generation *g;
    char *folder, *parts; /* of the job */
    struct base_thread *thread;
    atomic_int n[STAGES]; /* parts; 0: not told yet */
    atomic_bool stop;
    bool got[STAGES][WORKER_PARTS_MAX + 1];
};

static void label_of(const char *id, int attempt, enum store_stage stage, int number,
                     char ret_label[LABEL_BYTES])
{
    snprintf(ret_label, LABEL_BYTES, "%.40s-%d-%s-%d", id, attempt,
             stage == STORE_LOOK ? "look" : "draw", number);
}

static void label_part(const struct store_part *part, int number, char ret_label[LABEL_BYTES])
{
    label_of(part->generation.id, part->generation.attempt, part->stage, number, ret_label);
}

static void name_of(const char *label, const char *name, char ret[LABEL_BYTES + NAME_MAX_BYTES])
{
    snprintf(ret, LABEL_BYTES + NAME_MAX_BYTES, "%s-%s", label, name);
}

/* Names come from another machine. */
static bool is_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n > 0 && n < NAME_MAX_BYTES && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.") == n;
}

/* Bundles ------------------------------------------------------------------------------------ */

static int put_file(struct store *store, const char *label, const char *folder, const char *name,
                    struct lip_error *err)
{
    char at[LABEL_BYTES + NAME_MAX_BYTES];
    char *path = worker_path(folder, name);
    name_of(label, name, at);
    int r = path ? store_vault_put(store, at, path, err) : base_error_nomem(err, WHERE);
    base_free(path);
    return r;
}

static bool begins(const char *name, const char *const *prefixes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
}

static int put_list(struct store *store, const char *label, const char *folder, json_t *names,
                    int n_parts, struct lip_error *err)
{
    char *path = worker_path(folder, LIST);
    json_t *list = json_pack("{s:O,s:i}", "files", names, "parts", n_parts);
    int r = path ? worker_json_write(folder, LIST, list, err) : base_error_nomem(err, WHERE);
    json_decref(list);
    if (!r)
        r = store_vault_put(store, label, path, err);
    if (path)
        base_fs_remove(path);
    base_free(path);
    return r;
}

/* The names of the folder's regular files that begin so. */
static int list_files(const char *folder, const char *const *prefixes, size_t n, json_t *ret_names,
                      struct lip_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "there is no such folder");
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_type == DT_REG && is_name(e->d_name) && begins(e->d_name, prefixes, n))
            json_array_append_new(ret_names, json_string(e->d_name));
    closedir(dir);
    return LIP_OK;
}

/* Into the bundle, but for those of `known`, which they join. */
static int put_files(struct store *store, const char *label, const char *folder,
                     const json_t *names, json_t *known, struct lip_error *err)
{
    size_t i;
    json_t *item;
    int r = LIP_OK;
    json_array_foreach(names, i, item) {
        const char *name = json_string_value(item);
        if (r || json_object_get(known, name))
            continue;
        r = put_file(store, label, folder, name, err);
        if (!r)
            json_object_set_new(known, name, json_true());
    }
    return r;
}

/* `without`: names that need not go there. */
static int put_bundle(struct store *store, const char *label, const char *folder,
                      const char *const *prefixes, const json_t *without, int n_parts,
                      struct lip_error *err)
{
    size_t i;
    json_t *item, *names = json_array(), *listed = json_array(), *known = json_object();
    int r = list_files(folder, prefixes, WORKER_PART_FILES, names, err);
    json_array_foreach(names, i, item)
        if (!json_object_get(without, json_string_value(item)))
            json_array_append(listed, item);
    if (!r)
        r = put_files(store, label, folder, listed, known, err);
    if (!r)
        r = put_list(store, label, folder, listed, n_parts, err);
    json_decref(names);
    json_decref(listed);
    json_decref(known);
    return r;
}

/* The names; NULL: there is no such bundle. ret_n_parts may be NULL. */
static json_t *get_list(struct store *store, const char *label, const char *folder,
                        int *ret_n_parts)
{
    char *path = worker_path(folder, LIST);
    json_t *list = NULL;
    if (path)
        base_fs_remove(path);
    if (path && !store_vault_get(store, label, path, NULL))
        list = worker_json_read(folder, LIST);
    if (path)
        base_fs_remove(path);
    base_free(path);
    json_t *names = json_incref(json_object_get(list, "files"));
    if (ret_n_parts)
        *ret_n_parts = (int)json_integer_value(json_object_get(list, "parts"));
    json_decref(list);
    if (json_is_array(names) && json_array_size(names) <= NAMES_MAX)
        return names;
    json_decref(names);
    return NULL;
}

static int get_file(struct store *store, const char *label, const char *scratch,
                    const char *folder, const char *name, struct lip_error *err)
{
    char at[LABEL_BYTES + NAME_MAX_BYTES];
    char *path = worker_path(folder, name), *incoming = worker_path(scratch, ".incoming");
    int r = path && incoming ? LIP_OK : base_error_nomem(err, WHERE);
    name_of(label, name, at);
    if (!r)
        base_fs_remove(incoming);
    if (!r && !base_fs_exists(path)) {
        r = store_vault_get(store, at, incoming, err);
        if (!r)
            r = base_fs_rename(incoming, path, err);
    }
    base_free(path);
    base_free(incoming);
    return r;
}

/* Parts last: one that is seen is whole. What is on its way lies in `scratch`, on the same disk.
 * ret_n_parts may be NULL. LIP_ERR_NOT_FOUND: it is not there (yet). */
static int get_bundle(struct store *store, const char *label, const char *scratch,
                      const char *folder, int *ret_n_parts, struct lip_error *err)
{
    size_t i;
    json_t *item, *names = get_list(store, label, scratch, ret_n_parts);
    int r = names ? LIP_OK : base_error_set(err, LIP_ERR_NOT_FOUND, WHERE, "no bundle waits");
    for (int last = 0; last < 2; last++)
        json_array_foreach(names, i, item) {
            const char *name = json_string_value(item);
            if (!r && !is_name(name))
                r = base_error_set(err, LIP_ERR_FORMAT, WHERE, "a bundle has a bad name in it");
            if (!r && last == !strncmp(name, "part", 4))
                r = get_file(store, label, scratch, folder, name, err);
        }
    json_decref(names);
    return r;
}

/* Gives how many parts the list speaks of. */
static int drop_bundle(struct store *store, const char *label, const char *folder)
{
    size_t i;
    int n = 0;
    char at[LABEL_BYTES + NAME_MAX_BYTES];
    json_t *item, *names = get_list(store, label, folder, &n);
    json_array_foreach(names, i, item)
        if (is_name(json_string_value(item))) {
            name_of(label, json_string_value(item), at);
            store_vault_drop(store, at);
        }
    if (names)
        store_vault_drop(store, label);
    json_decref(names);
    return n < WORKER_PARTS_MAX ? n : WORKER_PARTS_MAX;
}

void relay_drop(struct store *store, const char *id, int attempt, const char *folder)
{
    char label[LABEL_BYTES];
    for (int stage = 0; stage < STAGES; stage++) {
        label_of(id, attempt, (enum store_stage)stage, INPUTS, label);
        int n = drop_bundle(store, label, folder);
        for (int i = FOUND; i <= n; i++) {
            label_of(id, attempt, (enum store_stage)stage, i, label);
            drop_bundle(store, label, folder);
        }
    }
}

/* The job's side ------------------------------------------------------------------------------- */

/* Inputs that are assets, by their names in the folder: everybody can have those. */
static json_t *assets_of(const struct store_generation *g)
{
    size_t i;
    json_t *item, *assets = json_object();
    json_t *input = g->input ? json_loads(g->input, 0, NULL) : NULL;
    json_array_foreach(input, i, item) {
        char name[16];
        worker_input_name(item, i, name);
        if (json_object_get(item, "assetId"))
            json_object_set_new(assets, name, json_true());
    }
    json_decref(input);
    return assets;
}

static int offer(struct relay *relay, enum store_stage stage, int n)
{
    char label[LABEL_BYTES];
    json_t *assets = assets_of(relay->g);
    const char *id = relay->g->id;
    int attempt = relay->g->attempt;
    label_of(id, attempt, stage, INPUTS, label);
    int r = put_bundle(relay->store, label, relay->folder, worker_part_inputs, assets, n, NULL);
    json_decref(assets);
    label_of(id, attempt, stage, FOUND, label);
    if (!r && stage == STORE_DRAW)
        r = put_bundle(relay->store, label, relay->parts, worker_part_found, NULL, 0, NULL);
    return r ? r : store_parts_offer(relay->store, id, attempt, stage, n, NULL);
}

/* What others have finished, from the last part on. */
static void collect(struct relay *relay, enum store_stage stage, int n)
{
    char label[LABEL_BYTES];
    int asked = 0;
    for (int i = n; i > 1 && asked < LOOKS_AHEAD && !atomic_load(&relay->stop); i--) {
        if (relay->got[stage][i])
            continue;
        asked++;
        label_of(relay->g->id, relay->g->attempt, stage, i, label);
        int whole = 0;
        relay->got[stage][i] = !get_bundle(relay->store, label, relay->folder, relay->parts, &whole,
                                           NULL) && whole;
    }
}

static void carry(void *arg)
{
    struct relay *relay = arg;
    bool offered[STAGES] = {false};
    while (!atomic_load(&relay->stop)) {
        int stage = atomic_load(&relay->n[STORE_DRAW]) ? STORE_DRAW : STORE_LOOK;
        int n = atomic_load(&relay->n[stage]);
        if (n && !offered[stage])
            offered[stage] = !offer(relay, (enum store_stage)stage, n);
        if (offered[stage])
            collect(relay, (enum store_stage)stage, n);
        usleep(LOOK_US);
    }
}

int relay_start(struct store *store, const struct store_generation *g, const char *folder,
                struct relay **ret_relay, struct lip_error *err)
{
    struct relay *relay = base_alloc_zero(sizeof *relay);
    if (!relay)
        return base_error_nomem(err, WHERE);
    relay->store = store;
    relay->g = g;
    relay->folder = worker_path(folder, ".");
    relay->parts = worker_path(folder, WORKER_PARTS);
    *ret_relay = relay;
    if (relay->folder && relay->parts && !base_thread_start(carry, relay, &relay->thread))
        return LIP_OK;
    relay_stop(ret_relay);
    return base_error_nomem(err, WHERE);
}

void relay_offer(struct relay *relay, enum store_stage stage, int n)
{
    atomic_store(&relay->n[stage], n);
}

void relay_stop(struct relay **relay)
{
    struct relay *r = *relay;
    if (!r)
        return;
    atomic_store(&r->stop, true);
    base_thread_join(&r->thread);
    if (r->folder)
        relay_drop(r->store, r->g->id, r->g->attempt, r->folder);
    base_free(r->folder);
    base_free(r->parts);
    base_free(r);
    *relay = NULL;
}

/* The part's side ------------------------------------------------------------------------------ */

int relay_fetch(struct store *store, const struct store_part *part, const char *folder,
                const char *parts, struct lip_error *err)
{
    char label[LABEL_BYTES];
    label_part(part, INPUTS, label);
    int r = get_bundle(store, label, folder, folder, NULL, err);
    label_part(part, FOUND, label);
    return r || part->stage == STORE_LOOK ? r : get_bundle(store, label, folder, parts, NULL, err);
}

/* The names of `known`, as a list. */
static int put_known(struct store *store, const char *label, const char *folder, json_t *known,
                     bool is_whole, struct lip_error *err)
{
    const char *name;
    json_t *unused, *names = json_array();
    json_object_foreach(known, name, unused)
        json_array_append_new(names, json_string(name));
    int r = put_list(store, label, folder, names, is_whole, err);
    json_decref(names);
    return r;
}

/* Which parts are drawn is asked first: then what belongs to them is there. */
int relay_deliver(struct store *store, const struct store_part *part, const char *folder,
                  json_t *delivered, bool is_whole, struct lip_error *err)
{
    static const char *const looks[] = {"score.span"}, *const drawn[] = {"part"},
                             *const beside[] = {"stats", "mask"};
    char label[LABEL_BYTES];
    bool wanted = true, draws = part->stage == STORE_DRAW;
    size_t before = json_object_size(delivered);
    if (!draws && !is_whole)
        return LIP_OK;
    if (!store_part_wanted(store, part, &wanted, NULL) && !wanted)
        return base_error_set(err, LIP_ERR_STATE, WHERE, "nobody waits for it any more");
    json_t *main = json_array(), *others = json_array();
    label_part(part, part->number, label);
    int r = list_files(folder, draws ? drawn : looks, 1, main, err);
    if (!r && draws)
        r = list_files(folder, beside, 2, others, err);
    if (!r)
        r = put_files(store, label, folder, others, delivered, err);
    if (!r)
        r = put_files(store, label, folder, main, delivered, err);
    if (!r && (is_whole || json_object_size(delivered) > before))
        r = put_known(store, label, folder, delivered, is_whole, err);
    json_decref(main);
    json_decref(others);
    return r;
}
