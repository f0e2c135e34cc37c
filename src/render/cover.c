/* SPDX-License-Identifier: MIT
 *
 * Which cells of a look are covered: cells that are strange together. One strange cell is a tooth,
 * a highlight or a mesh that slipped; something in front is strange over a patch, and it is still
 * there in the frames around. */
#include "render/parts.h"

#define STRANGE_MAX 8.f /* a black microphone must not outshine its surroundings */
#define STRANGE_HIGH 4.2f
#define STRANGE_LOW 2.5f
#define UPPER_ROWS 5    /* beside the bridge of the nose, where hands do not reach … */
#define UPPER_SHARE .2f /* … if so much is strange even there, light or pose are new */
#define SEEDS_MIN 6     /* cells */
#define CELLS_MIN 14
#define FRAMES_MIN 5    /* what is in front stays for a fifth of a second */

/* Mean over a cell and its neighbours. */
static void smooth(const float in[DATA_LOOK_CELLS], float out[DATA_LOOK_CELLS])
{
    for (int j = 0; j < DATA_LOOK_ROWS; j++)
        for (int i = 0; i < DATA_LOOK_COLS; i++) {
            float sum = 0, n = 0;
            for (int y = j - (j > 0); y <= j + (j + 1 < DATA_LOOK_ROWS); y++)
                for (int x = i - (i > 0); x <= i + (i + 1 < DATA_LOOK_COLS); x++) {
                    float v = in[y * DATA_LOOK_COLS + x];
                    if (isnan(v))
                        continue;
                    sum += fminf(v, STRANGE_MAX);
                    n++;
                }
            int at = j * DATA_LOOK_COLS + i;
            out[at] = n > 0 && !isnan(in[at]) ? sum / n : 0;
        }
}

static int neighbours(int cell, int ret_next[4])
{
    int x = cell % DATA_LOOK_COLS, y = cell / DATA_LOOK_COLS, n = 0;
    if (x > 0)
        ret_next[n++] = cell - 1;
    if (x + 1 < DATA_LOOK_COLS)
        ret_next[n++] = cell + 1;
    if (y > 0)
        ret_next[n++] = cell - DATA_LOOK_COLS;
    if (y + 1 < DATA_LOOK_ROWS)
        ret_next[n++] = cell + DATA_LOOK_COLS;
    return n;
}

/* Collects the cells connected with `start` whose `open` is set, clearing it; returns how many. */
static int collect(uint8_t open[DATA_LOOK_CELLS], int start, uint16_t ret_cells[DATA_LOOK_CELLS])
{
    int n = 0, done = 0;
    ret_cells[n++] = (uint16_t)start;
    open[start] = 0;
    while (done < n) {
        int next[4], m = neighbours(ret_cells[done++], next);
        for (int k = 0; k < m; k++)
            if (open[next[k]]) {
                open[next[k]] = 0;
                ret_cells[n++] = (uint16_t)next[k];
            }
    }
    return n;
}

static void count(const struct render_grid *g, const struct data_look *look,
                  struct render_cover *cover)
{
    int n = 0, covered = 0;
    cover->n_cells = 0;
    for (int c = 0; c < DATA_LOOK_CELLS; c++) {
        cover->n_cells += cover->cell[c];
        if (g->kind[c] != RENDER_CELL_MOUTH || (look && !(&look->grey[0][0])[c]))
            continue;
        n++;
        covered += cover->cell[c];
    }
    cover->mouth = n ? (float)covered / (float)n : 0;
}

static bool is_new_everywhere(const struct render_grid *g, const float even[DATA_LOOK_CELLS],
                              float *ret_oddness)
{
    int n = 0, strange = 0;
    float sum = 0;
    for (int c = 0; c < UPPER_ROWS * DATA_LOOK_COLS; c++) {
        if (g->kind[c] != RENDER_CELL_FACE || !(even[c] > 0))
            continue;
        n++;
        strange += even[c] > STRANGE_LOW;
        sum += even[c] > STRANGE_LOW ? even[c] : 0;
    }
    bool is_new = n < 16 || (float)strange > UPPER_SHARE * (float)n;
    *ret_oddness = is_new && strange ? sum / (float)strange : 0;
    return is_new;
}

void render_cover_find(const struct render_mesh *mesh, const struct data_likeness *likeness,
                       const struct data_look *look, float caution,
                       struct render_cover *ret_cover)
{
    float strange[DATA_LOOK_CELLS], even[DATA_LOOK_CELLS];
    uint8_t open[DATA_LOOK_CELLS];
    uint16_t cells[DATA_LOOK_CELLS];
    memset(ret_cover, 0, sizeof *ret_cover);
    if (!likeness->n_looks)
        return;
    render_likeness_judge(likeness, look, strange);
    smooth(strange, even);
    if (is_new_everywhere(&mesh->grid, even, &ret_cover->oddness))
        return;
    for (int c = 0; c < DATA_LOOK_CELLS; c++)
        open[c] = even[c] > STRANGE_LOW * caution;
    for (int c = DATA_LOOK_ABOVE * DATA_LOOK_COLS; c < DATA_LOOK_CELLS; c++) {
        if (!open[c])
            continue;
        int n = collect(open, c, cells), seeds = 0;
        for (int i = 0; i < n; i++)
            seeds += even[cells[i]] > STRANGE_HIGH * caution &&
                     cells[i] >= DATA_LOOK_ABOVE * DATA_LOOK_COLS &&
                     mesh->grid.kind[cells[i]] != RENDER_CELL_EDGE;
        if (seeds < SEEDS_MIN || n < CELLS_MIN)
            continue;
        for (int i = 0; i < n; i++)
            ret_cover->cell[cells[i]] = 1;
    }
    count(&mesh->grid, look, ret_cover);
}

void render_cover_whole(const struct render_mesh *mesh, struct render_cover *ret_cover)
{
    memset(ret_cover->cell, 1, sizeof ret_cover->cell);
    count(&mesh->grid, NULL, ret_cover);
}

/* Whether something in front in another frame is within `reach` cells of these. */
static bool meets(const struct render_cover *other, const uint16_t *cells, int n, int reach)
{
    for (int i = 0; i < n; i++) {
        int x = cells[i] % DATA_LOOK_COLS, y = cells[i] / DATA_LOOK_COLS;
        for (int v = y - reach; v <= y + reach; v++)
            for (int u = x - reach; u <= x + reach; u++)
                if (u >= 0 && v >= 0 && u < DATA_LOOK_COLS && v < DATA_LOOK_ROWS &&
                    other->cell[v * DATA_LOOK_COLS + u])
                    return true;
    }
    return false;
}

/* How many frames in one direction go on showing it. */
static int follow(const struct render_cover *const *around, int step, const uint16_t *cells, int n)
{
    int k = 1;
    while (k <= RENDER_COVER_AROUND && around[k * step] &&
           meets(around[k * step], cells, n, k))
        k++;
    return k - 1;
}

void render_cover_confirm(const struct render_mesh *mesh,
                          const struct render_cover *const around[2 * RENDER_COVER_AROUND + 1],
                          struct render_cover *cover)
{
    uint8_t open[DATA_LOOK_CELLS];
    uint16_t cells[DATA_LOOK_CELLS];
    const struct render_cover *const *middle = around + RENDER_COVER_AROUND;
    if (!cover->n_cells)
        return;
    memcpy(open, cover->cell, sizeof open);
    for (int c = 0; c < DATA_LOOK_CELLS; c++) {
        if (!open[c])
            continue;
        int n = collect(open, c, cells);
        int lasts = 1 + follow(middle, -1, cells, n) + follow(middle, 1, cells, n);
        for (int i = 0; lasts < FRAMES_MIN && i < n; i++)
            cover->cell[cells[i]] = 0;
    }
    count(&mesh->grid, NULL, cover);
}
