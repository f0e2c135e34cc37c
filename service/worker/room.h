/* SPDX-License-Identifier: MIT
 * Shared inside worker/. Names of files are those inside the job's folder, which is the child's
 * working folder. */
#ifndef WORKER_ROOM_H
#define WORKER_ROOM_H

#include <jansson.h>
#include <lipsync/lipsync.h>

#include "worker/worker.h"

#define WORKER_JOB "job.json"
#define WORKER_RESULT "result.json"
#define WORKER_OUTPUT "out.mp4"
#define WORKER_REPORT "report.json"
#define WORKER_BOXES "boxes.json"
#define WORKER_LARGEST "largest" /* is there when nobody has to be searched for */
#define WORKER_SCORE "film.score"
#define WORKER_PARTS "parts" /* a folder */
#define WORKER_INPUTS_MAX 200
#define WORKER_TEXT_MAX ((size_t)64 << 20)

/* "film" for what is seen, "voice3" for input 3: an error's sentence names it so. */
void worker_input_name(const json_t *item, size_t i, char ret_name[16]);

/* job.c: what was asked for, in the engine's words */
struct worker_plan {
    struct lip_job job;
    struct lip_segment *segments;
    struct lip_range *only;
    char film[16], voices[WORKER_INPUTS_MAX][16];
};
/* `json`: model, input, options, segments, checked already by http/. 0 or LIP_ERR_. */
int worker_plan_make(const json_t *json, struct worker_plan *ret_plan, struct lip_error *err);
/* segments_secs and segments_frames of the film, which must lie there: its rate may be needed. */
int worker_plan_ranges(const json_t *json, struct worker_plan *plan, struct lip_error *err);
/* An array of [x1,y1,x2,y2] or null, at least one of them a face. */
bool worker_boxes_valid(const json_t *boxes);
/* Does it ask for whoever speaks in the film? And: the largest face instead. */
bool worker_plan_automatic(const struct worker_plan *plan);
void worker_plan_largest(struct worker_plan *plan);
void worker_plan_done(struct worker_plan *plan);
const char *worker_error_code(int status, const char *text);

/* postman.c: sends what is due. `params` must live until the stop. None without hook_body. */
struct postmen;
int postmen_start(const struct worker_params *params, struct postmen **ret_postmen,
                  struct lip_error *err);
void postmen_stop(struct postmen **postmen); /* *NULL is fine */

/* parts.c: folders in which a long film is looked at and drawn by several. The names of a folder's
 * regular files that begin with `prefix` are linked into another one; what is there stays. */
#define WORKER_PART_FILES 4
extern const char *const worker_part_inputs[WORKER_PART_FILES]; /* beginnings of names: in the job's
                                                                   folder, … */
extern const char *const worker_part_found[WORKER_PART_FILES]; /* … and what drawing needs, in
                                                                  WORKER_PARTS */
int worker_share_files(const char *from, const char *to, const char *prefix,
                       struct lip_error *err);
/* Moves what is finished of a part (looks, or drawn parts and what belongs to them) to where it is
 * waited for. */
int worker_hand_over(const char *from, const char *to, bool drawn, struct lip_error *err);
/* Moves a regular file; what is none was not made by us: LIP_ERR_NOT_FOUND. */
int worker_take_file(const char *folder, const char *name, const char *to, struct lip_error *err);

/* relay.c: the same for workers without a folder in common, by way of the store's vault. A relay is
 * the job's side: a thread that offers and takes parts. `g` and the folder outlive it. */
#define WORKER_PARTS_MAX 1000
struct relay;
int relay_start(struct store *store, const struct store_generation *g, const char *folder,
                struct relay **ret_relay, struct lip_error *err);
void relay_offer(struct relay *relay, enum store_stage stage, int n);
void relay_stop(struct relay **relay); /* and nothing is left in the vault; *NULL is fine */
/* What a killed attempt has left in the vault; lists are read by way of `folder`. */
void relay_drop(struct store *store, const char *id, int attempt, const char *folder);
/* The part's side: all that it needs besides assets, into its folders; and what it has made, as
 * often as there is more of it. `delivered`: an object, empty at first. */
int relay_fetch(struct store *store, const struct store_part *part, const char *folder,
                const char *parts, struct lip_error *err);
int relay_deliver(struct store *store, const struct store_part *part, const char *folder,
                  json_t *delivered, bool is_whole, struct lip_error *err);

/* speak.c */
int worker_speak(const char *script, const char *voice, const char *wav, struct lip_error *err);

/* limits.c: on the calling process, for good */
int worker_limit(int memory_mb, int time_s, struct lip_error *err);
void worker_leave_network(void);

/* walls.c: on the calling process, before a stranger's media are opened. `models`: a folder that
 * stays readable; NULL: none was named. */
int worker_wall(const char *models, struct lip_error *err);

/* folder.c */
int worker_folder_make(const char *path, struct lip_error *err);
void worker_folder_remove(const char *path); /* with all that is in it */
int worker_json_write(const char *folder, const char *name, const json_t *json,
                      struct lip_error *err);
json_t *worker_json_read(const char *folder, const char *name); /* NULL: none, or damaged */
/* Base memory, NULL: no memory. */
char *worker_path(const char *folder, const char *name);

#endif
