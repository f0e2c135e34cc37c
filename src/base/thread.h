/* SPDX-License-Identifier: MIT
 *
 * The only places where threads meet: a bounded queue; and threads and a clock. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded queue of pointers, many producers and consumers. Thread-safe. */
struct base_queue;

int base_queue_create(size_t capacity, struct base_queue **ret_queue);
void base_queue_destroy(struct base_queue **queue); /* items still inside are the caller's loss */
/* Waits for room. False when the queue was closed: the item stays the caller's. */
bool base_queue_push(struct base_queue *queue, void *item);
/* Waits for an item. False when the queue is closed and empty. */
bool base_queue_pop(struct base_queue *queue, void **ret_item);
/* No more pushes; waiting poppers drain what is there. */
void base_queue_close(struct base_queue *queue);

/* Threads with a joinable handle. */
struct base_thread;

int base_thread_start(void (*run)(void *arg), void *arg, struct base_thread **ret_thread);
void base_thread_join(struct base_thread **thread); /* NULL and *NULL are fine */

int base_cpu_count(void); /* processors this process may use, at least 1 */
int64_t base_time_us(void); /* monotonic clock */
double base_processor_s(void); /* processor time that this process has used */

#endif
