/* SPDX-License-Identifier: MIT
 *
 * The walk through the bank: a fixed-lag Viterbi search. Runs of consecutive frames are free, jumps
 * cost; the choice for a frame is made when LAG more wishes are known. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define LAG 12
#define N_BEST 64 /* a jump may come from these best states; a run from any */
#define TEX_N (DATA_BANK_TEX_W * DATA_BANK_TEX_H)
#define PENDING_MAX (1 << 20)

struct raw {
    int32_t entry;
    bool restart; /* the walk was free to jump here */
};

struct render_selector {
    const struct data_bank *bank;
    size_t n;
    float *lips;     /* per entry: 40 lip points x, y, 0.35 z */
    float *tex_cost; /* n * n: 2 |tex_b - tex_b'| */
    float *cost, *next, *local;
    int16_t *back; /* ring of LAG + 1 rows of n */
    int16_t *best; /* indices of the best states */
    bool restarts[LAG + 1];
    int64_t n_pushed, n_decided;
    struct raw *pending; /* decided, not pulled: the last one pulled stays in front */
    size_t n_pending, cap_pending;
    bool has_before, flushed;
};

/* 2 * rms difference of the two textures in units of the bank's own standard deviation. Four lanes
 * with a fixed order: the same sum on every machine. */
static float texture_cost(const float *a, const float *b, float inv_std)
{
    render_v4 sum[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    for (int i = 0; i < TEX_N; i += 8)
        for (int k = 0; k < 2; k++) {
            render_v4 x, y;
            memcpy(&x, a + i + 4 * k, sizeof x);
            memcpy(&y, b + i + 4 * k, sizeof y);
            sum[k] += (x - y) * (x - y);
        }
    sum[0] += sum[1];
    return 2 * sqrtf((sum[0][0] + sum[0][1] + sum[0][2] + sum[0][3]) / TEX_N) * inv_std;
}

static void prepare(struct render_selector *s)
{
    const struct data_bank_entry *e = s->bank->entries;
    double var = 0;
    for (size_t b = 0; b < s->n; b++) {
        render_lips_of(e[b].canon, s->lips + b * RENDER_LIPS_N * 3);
        const float *t = &e[b].tex[0][0];
        for (int i = 0; i < TEX_N; i++)
            var += (double)t[i] * t[i];
    }
    float std = (float)sqrt(var / ((double)s->n * TEX_N)), inv = std > 0 ? 1 / std : 0;
    for (size_t a = 0; a < s->n; a++)
        for (size_t b = a + 1; b < s->n; b++)
            s->tex_cost[a * s->n + b] = s->tex_cost[b * s->n + a] =
                texture_cost(&e[a].tex[0][0], &e[b].tex[0][0], inv);
}

int render_selector_create(const struct data_bank *bank, struct render_selector **ret_selector)
{
    if (!ret_selector)
        return LIP_ERR_ARG;
    struct render_selector *s = base_alloc_zero(sizeof *s);
    if (!s)
        return LIP_ERR_NOMEM;
    s->bank = bank;
    s->n = bank ? bank->n : 0;
    size_t n = s->n + 1; /* an empty bank is fine */
    s->lips = base_alloc_array(n, RENDER_LIPS_N * 3 * sizeof *s->lips);
    s->tex_cost = base_alloc_array(n * n, sizeof *s->tex_cost);
    s->cost = base_alloc_array(n, sizeof *s->cost);
    s->next = base_alloc_array(n, sizeof *s->next);
    s->local = base_alloc_array(n, sizeof *s->local);
    s->back = base_alloc_array(n, (LAG + 1) * sizeof *s->back);
    s->best = base_alloc_array(n, sizeof *s->best);
    if (!s->lips || !s->tex_cost || !s->cost || !s->next || !s->local || !s->back || !s->best) {
        render_selector_destroy(&s);
        return LIP_ERR_NOMEM;
    }
    prepare(s);
    *ret_selector = s;
    return 0;
}

void render_selector_destroy(struct render_selector **selector)
{
    if (!selector || !*selector)
        return;
    struct render_selector *s = *selector;
    base_free(s->lips);
    base_free(s->tex_cost);
    base_free(s->cost);
    base_free(s->next);
    base_free(s->local);
    base_free(s->back);
    base_free(s->best);
    base_free(s->pending);
    base_free(s);
    *selector = NULL;
}

/* Cost of showing entry b after entry a; < 0 when that is a jump. */
static float run_cost(const struct render_selector *s, size_t a, size_t b)
{
    int64_t step = s->bank->entries[b].frame - s->bank->entries[a].frame;
    return step == 1 ? 0 : step == 0 || step == 2 ? .15f : step == -1 ? .2f : -1;
}

static float transition(const struct render_selector *s, size_t a, size_t b)
{
    float run = run_cost(s, a, b);
    return run >= 0 ? run : 1 + s->tex_cost[a * s->n + b];
}

/* The N_BEST cheapest states (ties: the lower index), in any order; returns how many. */
static size_t find_best(struct render_selector *s)
{
    size_t n = 0, worst = 0;
    for (size_t b = 0; b < s->n; b++) {
        if (n < N_BEST) {
            s->best[n++] = (int16_t)b;
        } else if (s->cost[b] < s->cost[s->best[worst]]) {
            s->best[worst] = (int16_t)b;
        } else {
            continue;
        }
        if (n == N_BEST) {
            worst = 0;
            for (size_t k = 1; k < n; k++)
                if (s->cost[s->best[k]] > s->cost[s->best[worst]])
                    worst = k;
        }
    }
    return n;
}

static void step(struct render_selector *s, bool restart)
{
    int16_t *back = s->back + (size_t)(s->n_pushed % (LAG + 1)) * s->n;
    size_t n_best = find_best(s), first = 0;
    for (size_t b = 1; b < s->n; b++)
        if (s->cost[b] < s->cost[first])
            first = b;
    float floor = s->cost[first]; /* costs stay small however long the film is */
    for (size_t b = 0; b < s->n; b++) {
        float best = INFINITY;
        size_t from = first;
        size_t lo = b > 2 ? b - 2 : 0, hi = b + 2 < s->n ? b + 2 : s->n - 1;
        for (size_t k = 0; !restart && k < n_best + (hi - lo + 1); k++) {
            size_t a = k < n_best ? (size_t)s->best[k] : lo + (k - n_best);
            if (s->cost[a] >= best)
                continue;
            float via = s->cost[a] + transition(s, a, b);
            if (via < best || (via == best && a < from)) {
                best = via;
                from = a;
            }
        }
        back[b] = (int16_t)from;
        s->next[b] = (restart ? 0 : best - floor) + s->local[b];
    }
    float *t = s->cost;
    s->cost = s->next;
    s->next = t;
}

/* The state `steps` pushes before the newest one on the path that ends in b. */
static size_t ancestor(const struct render_selector *s, size_t b, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++)
        b = (size_t)s->back[(size_t)((s->n_pushed - 1 - i) % (LAG + 1)) * s->n + b];
    return b;
}

/* Fixes the oldest undecided frame; paths that disagree with it are dropped. */
static int decide(struct render_selector *s)
{
    int status =
        base_grow(&s->pending, &s->cap_pending, s->n_pending + 1, PENDING_MAX, sizeof *s->pending);
    if (status < 0)
        return status;
    struct raw raw = {-1, s->restarts[s->n_decided % (LAG + 1)]};
    if (s->n) {
        size_t last = 0;
        int64_t steps = s->n_pushed - 1 - s->n_decided;
        for (size_t b = 1; b < s->n; b++)
            if (s->cost[b] < s->cost[last])
                last = b;
        size_t chosen = ancestor(s, last, steps);
        for (size_t b = 0; b < s->n; b++)
            if (s->cost[b] < INFINITY && ancestor(s, b, steps) != chosen)
                s->cost[b] = INFINITY;
        raw.entry = (int32_t)chosen;
    }
    s->pending[s->n_pending++] = raw;
    s->n_decided++;
    return 0;
}

int render_selector_push(struct render_selector *s, const struct data_face_geom *geom,
                         const float wish[DATA_FACE_POINTS][3], bool restart)
{
    if (!s || !geom || !wish || s->flushed)
        return LIP_ERR_ARG;
    if (s->n_pushed - s->n_decided > LAG) {
        int status = decide(s);
        if (status < 0)
            return status;
    }
    s->restarts[s->n_pushed % (LAG + 1)] = restart || s->n_pushed == 0;
    if (s->n) {
        struct render_wanted wanted;
        render_wanted_make(geom, wish, &wanted);
        for (size_t b = 0; b < s->n; b++)
            s->local[b] =
                render_wanted_cost(&wanted, s->bank, b, s->lips + b * RENDER_LIPS_N * 3);
        if (s->n_pushed == 0)
            memcpy(s->cost, s->local, s->n * sizeof *s->cost);
        else
            step(s, restart);
    }
    s->n_pushed++;
    return 0;
}

void render_selector_flush(struct render_selector *s)
{
    while (s->n_decided < s->n_pushed)
        if (decide(s) < 0)
            break; /* no memory: pull ends early, and the caller counts */
    s->flushed = true;
}

/* The entry one frame on (or back) in the same run; the entry itself where the run ends. */
static int32_t neighbour(const struct render_selector *s, int32_t entry, int step)
{
    int64_t at = entry + step;
    if (at < 0 || at >= (int64_t)s->n)
        return entry;
    const struct data_bank_entry *e = s->bank->entries;
    return e[at].frame == e[entry].frame + step ? (int32_t)at : entry;
}

static bool is_jump(const struct render_selector *s, struct raw a, struct raw b)
{
    return a.entry >= 0 && b.entry >= 0 && !b.restart &&
           run_cost(s, (size_t)a.entry, (size_t)b.entry) < 0;
}

bool render_selector_pull(struct render_selector *s, struct render_choice *ret_choice)
{
    size_t at = s->has_before ? 1 : 0;
    bool has_after = s->n_pending > at + 1;
    if (s->n_pending <= at || (!has_after && !s->flushed))
        return false;
    struct raw now = s->pending[at];
    struct render_choice c = {{now.entry, -1}, {1, 0}};
    int32_t other =
        -1; /* at a jump both runs are seen for two frames, each going on in its own way */
    if (at && is_jump(s, s->pending[0], now))
        other = neighbour(s, s->pending[0].entry, 1);
    else if (has_after && is_jump(s, now, s->pending[at + 1]))
        other = neighbour(s, s->pending[at + 1].entry, -1);
    if (other >= 0 && other != now.entry) {
        c.entry[1] = other;
        c.weight[0] = 2.f / 3;
        c.weight[1] = 1.f / 3;
    }
    if (at) {
        memmove(s->pending, s->pending + 1, (s->n_pending - 1) * sizeof *s->pending);
        s->n_pending--;
    }
    s->has_before = true;
    *ret_choice = c;
    return true;
}
