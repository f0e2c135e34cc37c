/* SPDX-License-Identifier: MIT
 *
 * Takes jobs from the store and does each in a process of its own: a private folder, limits on
 * memory, time and files, no network once the inputs are there. What a stranger's film does to that
 * process, it does to nothing else. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "store/store.h"

enum worker_fetch { WORKER_FETCH_PUBLIC, WORKER_FETCH_ANY, WORKER_FETCH_NONE };

struct worker_params {
    struct store *store;   /* borrowed for as long as the worker runs */
    int n_jobs;            /* at a time; 0: none, but inputs are looked at and webhooks sent */
    int n_threads;         /* of each; 0: one per processor */
    int memory_mb, time_s; /* of each job */
    double part_s;         /* films are drawn in parts of this length by whoever has nothing else
                              to do; 0: each by one worker */
    int fetch;             /* enum worker_fetch */
    int64_t fetch_max_bytes;
    const char *models, *runtime, *device; /* of the engine; may be NULL */
    const volatile int *stop; /* measuring and posting end when it is set; may be NULL */
    char *(*hook_body)(const struct store_hook *hook); /* base memory; NULL: no webhooks */
    void (*log)(const char *text); /* a line for whoever runs the server; several threads */
};

struct worker;

int worker_start(const struct worker_params *params, struct worker **ret_worker,
                 struct lip_error *err);
/* Ends the jobs that run: they wait again. NULL and *NULL are fine. */
void worker_stop(struct worker **worker);

/* What the inputs of a create body are, by a process that opens them. `input`: JSON, checked. With
 * faces_at_s < 0 how long they are: film_s, rate_hz (both 0 for an image), voice_s (of the first
 * voice); otherwise the faces in the picture at that time: t_s, frame, width, height, and faces,
 * each with box and coordinates. *ret_answer is such a JSON object, base memory. `keep`: a text
 * among the inputs is spoken into a file of this path, on the store's disk; NULL: nothing stays.
 * Waits, at most WORKER_LOOK_S; few at a time. Errors: what the engine says of the files;
 * LIP_ERR_LIMIT (too long, or too many at a time). */
#define WORKER_LOOK_S 45
int worker_look(struct worker *worker, const char *input, double faces_at_s, const char *keep,
                char **ret_answer, struct lip_error *err);

/* How well jobs are shut in on this machine: a sentence for the log. */
const char *worker_walls(void);

/* What can be given as voiceId: a JSON array, as GET /v2/voices answers it. Base memory; NULL:
 * there is no espeak-ng, or no memory. */
char *worker_voices(void);

/* The other side: the job in this folder, done by this process, which `parent` started. Gives the
 * exit code. */
#define WORKER_COMMAND "serve-job"
int worker_child(const char *folder, const char *parent);

#endif
