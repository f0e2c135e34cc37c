/* SPDX-License-Identifier: MIT
 *
 * What the service remembers: keys, uploaded files, jobs and their queue. One folder holds it all:
 * a SQLite file, and media/ beside it; then one process at a time owns the folder. With PostgreSQL
 * instead of SQLite any number of processes share database and folder. Every function may be
 * called from any thread. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define STORE_ID_BYTES 37  /* a UUID and its end */
#define STORE_KEY_BYTES 68 /* "sk-" and 64 hexadecimal digits */
#define STORE_CRASHES_MAX 3 /* then the job is to blame */
#define STORE_LIST_MAX 10000

struct store;

/* Makes the folder when it is missing. `database`: "postgresql://…"; NULL: SQLite in the folder,
 * and jobs that a killed process had in work wait again. Errors: LIP_ERR_EXISTS (another process
 * has the folder), LIP_ERR_IO, LIP_ERR_NOMEM, LIP_ERR_UNSUPPORTED (no such database, or a newer
 * one). */
int store_open(const char *folder, const char *database, struct store **ret_store,
               struct lip_error *err);
void store_close(struct store **store); /* NULL and *NULL are fine */

/* Where the file of an asset (ending "") or of a result (ending ".mp4") lies. Base memory. */
int store_media_path(const struct store *store, const char *id, const char *ending,
                     char **ret_path);
/* Where a file lies until its asset is there; then it has its place, too, by another link. What a
 * killed process left there goes with store_open, a day later where the folder is shared. */
int store_incoming_path(const struct store *store, const char *id, char **ret_path);
/* A folder for one attempt at a job: "work/<id>-<attempt>". Base memory; nothing is made. */
int store_work_path(const struct store *store, const char *id, int attempt, char **ret_path);

/* Where media are kept when the folder is not enough, for instance for machines that share none:
 * then media/ is a cache, and what is in it has its copy there. Names are those of media/. */
struct store_vault {
    void *user;
    int (*put)(void *user, const char *name, const char *path, struct lip_error *err);
    /* Into a new file. LIP_ERR_NOT_FOUND. */
    int (*get)(void *user, const char *name, const char *path, struct lip_error *err);
    int (*drop)(void *user, const char *name, struct lip_error *err);
};
/* Before any thread uses the store. The cache is kept below cache_bytes, the oldest files go. */
void store_use_vault(struct store *store, const struct store_vault *vault, int64_t cache_bytes);
/* A file of media/ is in its place: from now on it can be had. Errors: the vault's. */
int store_media_keep(struct store *store, const char *id, const char *ending,
                     struct lip_error *err);
/* As store_media_path; what the vault has is there then. Without one the file may be missing. */
int store_media_need(struct store *store, const char *id, const char *ending, char **ret_path,
                     struct lip_error *err);
void store_media_drop(struct store *store, const char *id, const char *ending);
/* Other files in the vault, by their names there; only where there is one. */
bool store_has_vault(const struct store *store);
int store_vault_put(struct store *store, const char *name, const char *path,
                    struct lip_error *err);
int store_vault_get(struct store *store, const char *name, const char *path,
                    struct lip_error *err);
void store_vault_drop(struct store *store, const char *name);

/* Random names and secrets --------------------------------------------------------------------- */

void store_id_make(char ret_id[STORE_ID_BYTES]); /* a UUID v4 that nobody can guess */
bool store_id_valid(const char *text);
bool store_secret_equal(const char *a, const char *b); /* in constant time for equal lengths */

/* Who has keys; what one organization keeps, no other sees. Number 1 is "default". The one of this
 * name, made when it is missing. */
#define STORE_DEFAULT 1
int store_organization_get(struct store *store, const char *name, int64_t *ret_organization,
                           struct lip_error *err);

/* Only the hash of a key is kept, and its last letters as a hint: this is the one time it can be
 * read. */
int store_key_make(struct store *store, int64_t organization, const char *name,
                   char ret_key[STORE_KEY_BYTES], struct lip_error *err);
int store_key_count(struct store *store, int64_t organization, int64_t *ret_n,
                    struct lip_error *err);
/* LIP_ERR_NOT_FOUND for a key that nobody made. */
int store_key_check(struct store *store, const char *key, int64_t *ret_organization,
                    struct lip_error *err);
#define STORE_KEYS_MAX 1000
struct store_key {
    int64_t number, created_ms;
    char name[128], hint[8];
};
/* *ret_keys is base memory. */
int store_key_list(struct store *store, int64_t organization, struct store_key **ret_keys,
                   size_t *ret_n, struct lip_error *err);
/* LIP_ERR_NOT_FOUND; LIP_ERR_STATE for the last one: nobody could get in any more. */
int store_key_revoke(struct store *store, int64_t organization, int64_t number,
                     struct lip_error *err);

/* What webhooks are signed with. It is made when it is first asked for, or when `anew`. */
#define STORE_HOOK_SECRET_BYTES 71 /* "whsec_" and 64 hexadecimal digits */
int store_hook_secret(struct store *store, int64_t organization, bool anew,
                      char ret_secret[STORE_HOOK_SECRET_BYTES], struct lip_error *err);
/* HMAC-SHA256 of "<t_s>.<body>" in hexadecimal digits (RFC 2104). */
#define STORE_SIGNATURE_BYTES 65
void store_sign(const char *secret, int64_t t_s, const char *body,
                char ret_signature[STORE_SIGNATURE_BYTES]);

/* Uploaded files ------------------------------------------------------------------------------- */

enum store_kind { STORE_VIDEO, STORE_AUDIO, STORE_IMAGE, STORE_KIND_COUNT };
const char *store_kind_name(int kind); /* "VIDEO" … */

struct store_asset {
    char id[STORE_ID_BYTES], token[STORE_ID_BYTES]; /* the token opens its link */
    int64_t number, organization, created_ms, size_bytes;
    int kind; /* enum store_kind */
    char *name, *format; /* base memory; format may be NULL */
};
void store_asset_done(struct store_asset *asset);

enum store_sort { STORE_DATE_DESC, STORE_DATE_ASC, STORE_NAME_ASC, STORE_NAME_DESC,
                  STORE_SIZE_ASC, STORE_SIZE_DESC, STORE_KIND_ASC, STORE_KIND_DESC,
                  STORE_SORT_COUNT };

struct store_asset_filter {
    int64_t organization;
    unsigned kinds;     /* bits 1 << enum store_kind; 0: all */
    const char *search; /* in the name; NULL: any */
    int sort;           /* enum store_sort */
    int64_t skip;
    int limit;
};

/* `id`, `token`, `organization`, `kind`, `size_bytes`, `name`, `format` are kept; the time is now.
 */
int store_asset_add(struct store *store, const struct store_asset *asset, struct lip_error *err);
int store_asset_get(struct store *store, const char *id, struct store_asset *ret_asset,
                    struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* *ret_assets is base memory; free it with store_assets_done. *ret_total counts without limit. */
int store_asset_list(struct store *store, const struct store_asset_filter *filter,
                     struct store_asset **ret_assets, size_t *ret_n, int64_t *ret_total,
                     struct lip_error *err);
void store_assets_done(struct store_asset *assets, size_t n);
int store_asset_rename(struct store *store, const char *id, const char *name,
                       struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* With its file. LIP_ERR_STATE while a job that waits needs it, LIP_ERR_NOT_FOUND. */
int store_asset_remove(struct store *store, const char *id, struct lip_error *err);

/* A file that comes before its asset: its place is asked for, it is sent there, it is registered.
 * Until then it lies where the asset's file would. */
struct store_upload {
    char id[STORE_ID_BYTES], token[STORE_ID_BYTES]; /* the token opens the place */
    int64_t organization, size_bytes; /* 0: nothing came yet */
    char *name; /* base memory */
};
#define STORE_UPLOAD_MS ((int64_t)24 * 3600 * 1000) /* then it is forgotten */
void store_upload_done(struct store_upload *upload);
int store_upload_add(struct store *store, const struct store_upload *upload,
                     struct lip_error *err);
int store_upload_get(struct store *store, const char *id, struct store_upload *ret_upload,
                     struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* The file at `path` goes to its place. LIP_ERR_NOT_FOUND, also when it was registered since. */
int store_upload_came(struct store *store, const char *id, const char *path, int64_t size_bytes,
                      struct lip_error *err);
/* It becomes this asset (of the same id), once. LIP_ERR_NOT_FOUND. */
int store_upload_register(struct store *store, const struct store_asset *asset,
                          struct lip_error *err);

/* Jobs ----------------------------------------------------------------------------------------- */

enum store_status { STORE_PENDING, STORE_PROCESSING, STORE_COMPLETED, STORE_FAILED, STORE_REJECTED,
                    STORE_STATUS_COUNT };
const char *store_status_name(int status); /* "PENDING" … */
bool store_status_final(int status);

struct store_generation {
    char id[STORE_ID_BYTES], token[STORE_ID_BYTES]; /* the token opens the result */
    int64_t number, organization, created_ms;
    int status;   /* enum store_status */
    int attempt;  /* how often it was taken up */
    int crashes;  /* how often its own process ended without a result */
    bool cancel;  /* somebody asked to end it */
    double progress; /* 0..1 */
    double duration_s; /* of the result; 0: none yet */
    int64_t batch;     /* number of the batch it came with; 0: none */
    /* Base memory, NULL where nothing was said. input, options, segments: JSON as it came. */
    char *model, *input, *options, *segments, *file_name, *error, *error_code;
    char *webhook_url, *base_url; /* base_url: what links in a webhook begin with */
    char *request_id;             /* in its batch */
    char *once_key, *once_hash;   /* of the request that made it: who repeats it gets this one */
};
void store_generation_done(struct store_generation *g);

struct store_generation_filter {
    int64_t organization;
    int64_t batch;      /* its number; 0: any */
    unsigned statuses;  /* bits 1 << enum store_status; 0: all */
    const char *ids;    /* JSON array of strings; NULL: all */
    const char *cursor; /* the id of the last one of the page before; NULL: from the newest */
    int limit;          /* 1..STORE_LIST_MAX */
};

/* What is said of it is kept, and the files that came with it; it waits. All of it, or nothing.
 * LIP_ERR_EXISTS: its organization has used that once_key. */
int store_generation_add(struct store *store, const struct store_generation *g,
                         const struct store_asset *files, size_t n_files, struct lip_error *err);
int store_generation_get(struct store *store, const char *id, struct store_generation *ret_g,
                         struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* Newest first. */
int store_generation_list(struct store *store, const struct store_generation_filter *filter,
                          struct store_generation **ret_list, size_t *ret_n,
                          struct lip_error *err);
void store_generations_done(struct store_generation *list, size_t n);
/* `organization` 0: of all. */
int store_generation_count(struct store *store, int64_t organization, unsigned statuses,
                           int64_t *ret_n, struct lip_error *err);
/* The one that a request with this key made, within STORE_ONCE_MS. LIP_ERR_NOT_FOUND. */
#define STORE_ONCE_MS ((int64_t)24 * 3600 * 1000)
int store_generation_once(struct store *store, int64_t organization, const char *once_key,
                          struct store_generation *ret_g, struct lip_error *err);
/* LIP_ERR_STATE while it waits or runs, LIP_ERR_NOT_FOUND. The result's file goes, too. */
int store_generation_remove(struct store *store, const char *id, struct lip_error *err);
/* One that waits fails at once; one that runs is told to. LIP_ERR_STATE when it is over. */
int store_generation_cancel(struct store *store, const char *id, struct lip_error *err);

/* The queue: the longest waiting one becomes PROCESSING and its attempt is counted; those of
 * batches come after all others. Whoever has it tells its progress at least every STORE_LEASE_MS,
 * or it is given to the next who asks; one that lost STORE_LOST_MAX workers so has failed.
 * LIP_ERR_NOT_FOUND when none waits. */
#define STORE_LEASE_MS 10000
#define STORE_LOST_MAX 8
int store_generation_claim(struct store *store, struct store_generation *ret_g,
                           struct lip_error *err);
/* The next two and store_generation_progress act on this attempt only: LIP_ERR_STATE when it is no
 * longer the one that counts. So a job is finished once, whoever else still thinks to have it. */
struct store_outcome {
    int status; /* STORE_COMPLETED, STORE_FAILED, STORE_REJECTED */
    double duration_s;
    const char *error, *error_code; /* NULL when completed */
};
int store_generation_finish(struct store *store, const char *id, int attempt,
                            const struct store_outcome *outcome, struct lip_error *err);
/* It waits again; `crashed`: which is counted. */
int store_generation_release(struct store *store, const char *id, int attempt, bool crashed,
                             struct lip_error *err);
int store_generation_progress(struct store *store, const char *id, int attempt, double progress,
                              bool *ret_cancel, struct lip_error *err);

/* A long film is looked at, and later drawn, from its beginning by the worker that has the job, and
 * in parts from its end by others that have nothing to do. A part that never comes is done by the
 * first one when it gets there: so nobody waits for a part, and it needs no lease. */
enum store_stage { STORE_LOOK, STORE_DRAW };
struct store_part {
    struct store_generation generation; /* as it is in work */
    enum store_stage stage;
    int number, n;                      /* 2 … n; part 1 is not given away */
};
/* What was offered before is not wanted any more. LIP_ERR_STATE as with store_generation_finish. */
int store_parts_offer(struct store *store, const char *id, int attempt, enum store_stage stage,
                      int n, struct lip_error *err);
int store_part_claim(struct store *store, struct store_part *ret_part,
                     struct lip_error *err); /* LIP_ERR_NOT_FOUND when none waits */
/* False when the attempt at the job is over, or its stage. */
int store_part_wanted(struct store *store, const struct store_part *part, bool *ret_wanted,
                      struct lip_error *err);

/* What an organization made on each day, the newest first. *ret_days is base memory. */
#define STORE_DAYS_MAX 366
struct store_day {
    int64_t day_ms; /* its beginning, UTC */
    int64_t n_generations, n_completed;
    double duration_s; /* of the results */
};
int store_usage(struct store *store, int64_t organization, int n_days, struct store_day **ret_days,
                size_t *ret_n, struct lip_error *err);

/* How the queue moves, over all organizations. */
struct store_pace {
    int64_t waiting_ms; /* since the longest waiting one was made; 0: none waits */
    int64_t n_ended;    /* in the last hour, STORE_LIST_MAX at most … */
    int64_t half_ms, most_ms, longest_ms; /* … and their last attempts: of half, of nine tenths */
};
int store_pace(struct store *store, struct store_pace *ret_pace, struct lip_error *err);

/* Batches -------------------------------------------------------------------------------------- */

#define STORE_BATCH_MAX 1000
struct store_batch {
    char id[STORE_ID_BYTES], token[STORE_ID_BYTES]; /* the token opens the results */
    int64_t number, organization, created_ms;
    char *webhook_url, *base_url; /* base memory, NULL: none; as … */
    char *once_key, *once_hash;   /* … those of a generation */
    int64_t n[STORE_STATUS_COUNT]; /* of its generations */
};
void store_batch_done(struct store_batch *batch);
bool store_batch_over(const struct store_batch *batch);
/* All of it, or nothing. n at most STORE_BATCH_MAX. LIP_ERR_EXISTS: its
 * organization has used that once_key within STORE_ONCE_MS. */
int store_batch_add(struct store *store, const struct store_batch *batch,
                    const struct store_generation *generations, size_t n, struct lip_error *err);
int store_batch_get(struct store *store, const char *id, struct store_batch *ret_batch,
                    struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* The one that a request with this key made. LIP_ERR_NOT_FOUND. */
int store_batch_once(struct store *store, int64_t organization, const char *once_key,
                     struct store_batch *ret_batch, struct lip_error *err);
/* Newest first, STORE_LIST_MAX at most, made in [from_ms, to_ms]. */
int store_batch_list(struct store *store, int64_t organization, int64_t from_ms, int64_t to_ms,
                     struct store_batch **ret_list, size_t *ret_n, struct lip_error *err);
void store_batches_done(struct store_batch *list, size_t n);

/* Webhooks ------------------------------------------------------------------------------------- */

/* One that is due: a generation or a batch that is over, and not told yet. Whoever takes it has a
 * minute; then it is due again. So it is told at least once, and each try is counted. */
struct store_hook {
    bool of_batch;
    struct store_generation generation;
    struct store_batch batch;
    int tries; /* with this one */
};
void store_hook_done(struct store_hook *hook);
int store_hook_take(struct store *store, struct store_hook *ret_hook,
                    struct lip_error *err); /* LIP_ERR_NOT_FOUND */
/* again_ms < 0: it is told, or given up; otherwise it is due again then from now on. */
int store_hook_settle(struct store *store, const struct store_hook *hook, int64_t again_ms,
                      struct lip_error *err);

/* Waiting -------------------------------------------------------------------------------------- */

/* A number that grows with every change of a job's status. */
uint64_t store_changes(struct store *store);
/* Returns when it is no longer `seen`, or after timeout_us. */
void store_wait(struct store *store, uint64_t seen, int64_t timeout_us);
void store_wake(struct store *store); /* everybody who waits, for the end of the program */

#endif
