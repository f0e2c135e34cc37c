/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "base/alloc.h"
#include <lipsync/error.h>

struct base_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t capacity, head, n;
    bool closed;
    void **items;
};

int base_queue_create(size_t capacity, struct base_queue **ret_queue)
{
    if (!capacity || !ret_queue)
        return LIP_ERR_ARG;
    struct base_queue *q = base_alloc_zero(sizeof *q);
    if (!q)
        return LIP_ERR_NOMEM;
    q->items = base_alloc_array(capacity, sizeof *q->items);
    if (!q->items) {
        base_free(q);
        return LIP_ERR_NOMEM;
    }
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->not_full, NULL);
    *ret_queue = q;
    return LIP_OK;
}

void base_queue_destroy(struct base_queue **queue)
{
    if (!queue || !*queue)
        return;
    struct base_queue *q = *queue;
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    base_free(q->items);
    base_free(q);
    *queue = NULL;
}

bool base_queue_push(struct base_queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == q->capacity && !q->closed)
        pthread_cond_wait(&q->not_full, &q->lock);
    bool ok = !q->closed;
    if (ok) {
        q->items[(q->head + q->n++) % q->capacity] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return ok;
}

bool base_queue_pop(struct base_queue *q, void **ret_item)
{
    pthread_mutex_lock(&q->lock);
    while (!q->n && !q->closed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    bool ok = q->n > 0;
    if (ok) {
        *ret_item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->n--;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->lock);
    return ok;
}

void base_queue_close(struct base_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

struct base_thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
};

static void *enter(void *self)
{
    struct base_thread *t = self;
    t->run(t->arg);
    return NULL;
}

int base_thread_start(void (*run)(void *arg), void *arg, struct base_thread **ret_thread)
{
    struct base_thread *t = base_alloc_zero(sizeof *t);
    if (!t)
        return LIP_ERR_NOMEM;
    t->run = run;
    t->arg = arg;
    if (pthread_create(&t->id, NULL, enter, t)) {
        base_free(t);
        return LIP_ERR_NOMEM;
    }
    *ret_thread = t;
    return LIP_OK;
}

void base_thread_join(struct base_thread **thread)
{
    if (!thread || !*thread)
        return;
    pthread_join((*thread)->id, NULL);
    base_free(*thread);
    *thread = NULL;
}

int base_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

double base_processor_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

int64_t base_time_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
