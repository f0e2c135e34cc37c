/* SPDX-License-Identifier: MIT
 * Threads and the bounded queue. */
#include "unit/unit.h"

#include "base/alloc.h"
#include "base/thread.h"
#include <lipsync/error.h>

#define N_ITEMS 2000
#define N_PRODUCERS 3

struct shared {
    struct base_queue *queue;
    atomic_long sum;
    atomic_int n_popped;
};

static int items[N_PRODUCERS][N_ITEMS];

struct producer {
    struct shared *shared;
    int number;
};

static void produce(void *arg)
{
    struct producer *p = arg;
    for (int i = 0; i < N_ITEMS; i++)
        if (!base_queue_push(p->shared->queue, &items[p->number][i]))
            return;
}

static void consume(void *arg)
{
    struct shared *s = arg;
    void *item = NULL;
    while (base_queue_pop(s->queue, &item)) {
        atomic_fetch_add(&s->sum, *(int *)item);
        atomic_fetch_add(&s->n_popped, 1);
    }
}

static void many_to_many(void **state)
{
    (void)state;
    struct shared s = {0};
    struct producer producers[N_PRODUCERS];
    struct base_thread *in[N_PRODUCERS] = {0}, *out[2] = {0};
    long want = 0;
    assert_int_equal(base_queue_create(4, &s.queue), LIP_OK);
    for (int p = 0; p < N_PRODUCERS; p++) {
        for (int i = 0; i < N_ITEMS; i++)
            want += items[p][i] = p * 7 + i;
        producers[p] = (struct producer){&s, p};
        assert_int_equal(base_thread_start(produce, &producers[p], &in[p]), LIP_OK);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(base_thread_start(consume, &s, &out[i]), LIP_OK);
    for (int p = 0; p < N_PRODUCERS; p++)
        base_thread_join(&in[p]);
    base_queue_close(s.queue); /* consumers drain what is there */
    for (int i = 0; i < 2; i++)
        base_thread_join(&out[i]);
    assert_int_equal(s.n_popped, N_PRODUCERS * N_ITEMS);
    assert_int_equal(s.sum, want);
    base_queue_destroy(&s.queue);
    assert_null(s.queue);
}

static void order_and_close(void **state)
{
    (void)state;
    struct base_queue *q = NULL;
    int a = 1, b = 2;
    void *item = NULL;
    assert_int_equal(base_queue_create(0, &q), LIP_ERR_ARG);
    assert_int_equal(base_queue_create(2, &q), LIP_OK);
    for (int round = 0; round < 3; round++) { /* around the ring's end */
        assert_true(base_queue_push(q, &a) && base_queue_push(q, &b));
        assert_true(base_queue_pop(q, &item) && item == &a);
        assert_true(base_queue_pop(q, &item) && item == &b);
    }
    assert_true(base_queue_push(q, &a));
    base_queue_close(q);
    assert_false(base_queue_push(q, &b));
    assert_true(base_queue_pop(q, &item) && item == &a);
    item = NULL;
    assert_false(base_queue_pop(q, &item));
    assert_null(item);
    base_queue_destroy(&q);
    base_queue_destroy(&q);
    base_queue_destroy(NULL);
}

/* A producer that waits for room must wake up when the queue is closed. */
static void close_wakes_a_waiting_producer(void **state)
{
    (void)state;
    struct shared s = {0};
    assert_int_equal(base_queue_create(1, &s.queue), LIP_OK);
    struct producer p = {&s, 0};
    struct base_thread *t = NULL;
    assert_int_equal(base_thread_start(produce, &p, &t), LIP_OK);
    void *item = NULL;
    assert_true(base_queue_pop(s.queue, &item));
    base_queue_close(s.queue);
    base_thread_join(&t);
    assert_null(t);
    base_thread_join(&t);
    base_queue_destroy(&s.queue);
}

static void no_memory(void **state)
{
    (void)state;
    struct base_queue *q = NULL;
    struct base_thread *t = NULL;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        base_alloc_fail_nth(nth);
        assert_int_equal(base_queue_create(2, &q), LIP_ERR_NOMEM);
        assert_null(q);
    }
    base_alloc_fail_nth(1);
    assert_int_equal(base_thread_start(consume, NULL, &t), LIP_ERR_NOMEM);
    base_alloc_fail_nth(0);
    assert_null(t);
}

static void clock_and_cpus(void **state)
{
    (void)state;
    int64_t t = base_time_us();
    assert_true(base_time_us() >= t && t > 0);
    assert_true(base_cpu_count() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_to_many), cmocka_unit_test(order_and_close),
        cmocka_unit_test(close_wakes_a_waiting_producer), cmocka_unit_test(no_memory),
        cmocka_unit_test(clock_and_cpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
