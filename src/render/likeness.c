/* SPDX-License-Identifier: MIT
 *
 * How one person's lower face looks when nothing is in front of it: a mean look and a few
 * directions in which looks differ (turning, opening, light). A new look is laid on it so that
 * cells that do not fit do not count; how badly each cell fits then is the answer. */
#include "render/parts.h"

#include "base/alloc.h"
#include "base/status.h"

#define LOOKS_MIN 12   /* fewer tell nothing */
#define ROUNDS 3
#define ODD_MAX 5.f    /* a head turned or lit anew is less strange, a board before it more */
#define NEAR_LOOKS 8
#define TURNED 40.f /* cells: a head turned by some 15 degrees hides so many more */
#define POWER_STEPS 24
#define FIT_STEPS 3
#define OUTLIER 3.f    /* standard deviations at which a cell counts a quarter */
#define GREY_FLOOR 6.f /* grey levels: noise, coding, a mesh that is off by half a cell */
#define GREY_SHARE .04f
#define COLOUR_FLOOR 2.5f
#define GREY_MIN 16.f  /* darker cells tell nothing about the light */

/* Values as in data_likeness; NAN where nothing is seen. */
static void to_values(const struct data_look *look, float ret[DATA_LOOK_VALUES])
{
    const uint8_t *grey = &look->grey[0][0], *blue = &look->blue[0][0], *red = &look->red[0][0];
    bool seen[DATA_LOOK_BLOCKS] = {false};
    for (int c = 0; c < DATA_LOOK_CELLS; c++) {
        ret[c] = grey[c] ? (float)grey[c] : NAN;
        seen[render_block_of(c)] |= grey[c] != 0;
    }
    for (int b = 0; b < DATA_LOOK_BLOCKS; b++) {
        ret[DATA_LOOK_CELLS + b] = seen[b] ? (float)blue[b] - 128 : NAN;
        ret[DATA_LOOK_CELLS + DATA_LOOK_BLOCKS + b] = seen[b] ? (float)red[b] - 128 : NAN;
    }
}

/* Takes the light off: the upper cheeks and the nose get the brightness that they have in `mean`.
 * NAN values of `mean` are not known. */
static void normalise(const float mean[DATA_LOOK_VALUES], float v[DATA_LOOK_VALUES])
{
    float ratio[DATA_LOOK_CELLS];
    size_t n = 0;
    for (int c = 0; c < DATA_LOOK_ABOVE * DATA_LOOK_COLS; c++)
        if (v[c] > GREY_MIN && mean[c] > GREY_MIN)
            ratio[n++] = mean[c] / v[c];
    float gain = n >= 8 ? render_median(ratio, n) : 1;
    for (int d = 0; d < DATA_LOOK_VALUES; d++)
        v[d] *= gain;
}

static float deviation(const struct data_likeness *l, int d)
{
    float least = d < DATA_LOOK_CELLS ? fmaxf(GREY_FLOOR, GREY_SHARE * l->mean[d]) : COLOUR_FLOOR;
    return fmaxf(l->sd[d], least);
}

/* Solves a x = b in place for a symmetric positive definite a (Cholesky). */
static void solve(double a[DATA_LIKENESS_DIMS][DATA_LIKENESS_DIMS], double b[DATA_LIKENESS_DIMS],
                  int n)
{
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            a[j][j] -= a[j][k] * a[j][k];
        a[j][j] = sqrt(fmax(a[j][j], 1e-12));
        for (int i = j + 1; i < n; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
}

#define LANES 8 /* sums of so many kinds, so that they can be made side by side */
_Static_assert(DATA_LOOK_VALUES % LANES == 0, "lanes");

static double sum_of_products(const float a[DATA_LOOK_VALUES], const float b[DATA_LOOK_VALUES])
{
    float lane[LANES] = {0};
    double sum = 0;
    for (int d = 0; d < DATA_LOOK_VALUES; d += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += a[d + j] * b[d + j];
    for (int j = 0; j < LANES; j++)
        sum += (double)lane[j];
    return sum;
}

/* A look on its way to being explained. Where it or the likeness knows nothing, all is 0. */
struct explained {
    float off[DATA_LOOK_VALUES];    /* from the mean */
    float spread[DATA_LOOK_VALUES]; /* deviation(), or 0 */
};

/* One step: the coefficients that explain it best, each value weighed by how well it fits now, a
 * coefficient by how far the person was ever seen to go. */
static void step(const struct data_likeness *l, const struct explained *e,
                 const float rest[DATA_LOOK_VALUES], int n, double coef[DATA_LIKENESS_DIMS])
{
    double a[DATA_LIKENESS_DIMS][DATA_LIKENESS_DIMS] = {{0}}, b[DATA_LIKENESS_DIMS] = {0};
    float weight[DATA_LOOK_VALUES], weighed[DATA_LOOK_VALUES];
    for (int d = 0; d < DATA_LOOK_VALUES; d++) {
        float s = e->spread[d], z = rest[d] / (s * OUTLIER), far = 1 + z * z;
        weight[d] = s > 0 ? 1 / (far * far * s * s) : 0;
    }
    for (int k = 0; k < n; k++) {
        for (int d = 0; d < DATA_LOOK_VALUES; d++)
            weighed[d] = weight[d] * l->direction[k][d];
        b[k] = sum_of_products(weighed, e->off);
        for (int i = k; i < n; i++)
            a[i][k] = sum_of_products(weighed, l->direction[i]);
        a[k][k] += 1 / ((double)l->range[k] * l->range[k]);
    }
    solve(a, b, n);
    memcpy(coef, b, sizeof b);
}

/* What the likeness cannot explain of normalised values; 0 where it knows nothing. */
static void explain(const struct data_likeness *l, const float v[DATA_LOOK_VALUES],
                    float rest[DATA_LOOK_VALUES])
{
    int n = 0;
    while (n < DATA_LIKENESS_DIMS && l->range[n] > 0)
        n++;
    struct explained e;
    for (int d = 0; d < DATA_LOOK_VALUES; d++) {
        bool known = l->sd[d] > 0 && !isnan(v[d]);
        rest[d] = e.off[d] = known ? v[d] - l->mean[d] : 0;
        e.spread[d] = known ? deviation(l, d) : 0;
    }
    double coef[DATA_LIKENESS_DIMS] = {0};
    for (int i = 0; i < FIT_STEPS && n; i++) {
        step(l, &e, rest, n, coef);
        memcpy(rest, e.off, sizeof e.off);
        for (int k = 0; k < n; k++)
            for (int d = 0; d < DATA_LOOK_VALUES; d++)
                rest[d] -= e.spread[d] > 0 ? (float)coef[k] * l->direction[k][d] : 0;
    }
}

void render_likeness_judge(const struct data_likeness *l, const struct data_look *look,
                           float ret_strangeness[DATA_LOOK_CELLS])
{
    float v[DATA_LOOK_VALUES], rest[DATA_LOOK_VALUES];
    to_values(look, v);
    normalise(l->mean, v);
    explain(l, v, rest);
    for (int c = 0; c < DATA_LOOK_CELLS; c++) {
        int blue = DATA_LOOK_CELLS + render_block_of(c), red = blue + DATA_LOOK_BLOCKS;
        if (isnan(v[c]) || !(l->sd[c] > 0)) {
            ret_strangeness[c] = NAN;
            continue;
        }
        float g = rest[c] / deviation(l, c), b = rest[blue] / deviation(l, blue),
              r = rest[red] / deviation(l, red);
        ret_strangeness[c] = sqrtf(g * g + b * b + r * r);
    }
}

/* Learning ------------------------------------------------------------------------------------- */

struct learner {
    const struct render_mesh *mesh;
    size_t n;
    float *values;   /* n x DATA_LOOK_VALUES, normalised */
    uint8_t *clean;  /* per look: nothing seems to be in front */
    float *column;   /* n */
    double *gram;    /* n x n */
    double *basis;   /* DATA_LIKENESS_DIMS x n */
};

static float *look_of(const struct learner *s, size_t i)
{
    return s->values + i * DATA_LOOK_VALUES;
}

static void median_look(struct learner *s, float ret_mean[DATA_LOOK_VALUES])
{
    for (int d = 0; d < DATA_LOOK_VALUES; d++) {
        size_t n = 0;
        for (size_t i = 0; i < s->n; i++)
            if (!isnan(look_of(s, i)[d]))
                s->column[n++] = look_of(s, i)[d];
        ret_mean[d] = n ? render_median(s->column, n) : NAN;
    }
}

/* The half of the looks that are nearest to the median one. */
static void take_middle(struct learner *s, const float mean[DATA_LOOK_VALUES])
{
    for (size_t i = 0; i < s->n; i++) {
        double sum = 0, n = 1e-3;
        for (int c = DATA_LOOK_ABOVE * DATA_LOOK_COLS; c < DATA_LOOK_CELLS; c++) {
            float d = fabsf(look_of(s, i)[c] - mean[c]) / 32;
            if (isnan(d) || s->mesh->grid.kind[c] == RENDER_CELL_EDGE)
                continue;
            sum += fminf(d, 1);
            n++;
        }
        s->column[i] = (float)(sum / n);
    }
    float *sorted = (float *)s->gram; /* not in use yet */
    memcpy(sorted, s->column, s->n * sizeof *sorted);
    float limit = render_median(sorted, s->n);
    for (size_t i = 0; i < s->n; i++)
        s->clean[i] = s->column[i] <= limit;
}

static void mean_look(const struct learner *s, struct data_likeness *l)
{
    for (int d = 0; d < DATA_LOOK_VALUES; d++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < s->n; i++)
            if (s->clean[i] && !isnan(look_of(s, i)[d])) {
                sum += look_of(s, i)[d];
                n++;
            }
        bool known = n >= LOOKS_MIN / 2;
        l->mean[d] = known ? (float)(sum / n) : 0;
        l->sd[d] = known ? 1 : 0;
    }
}

/* Deviation from the mean, 0 where a look or the mean says nothing. */
static float deviates(const struct learner *s, const struct data_likeness *l, size_t i, int d)
{
    float v = look_of(s, i)[d];
    return s->clean[i] && l->sd[d] > 0 && !isnan(v) ? v - l->mean[d] : 0;
}

static void make_gram(struct learner *s, const struct data_likeness *l)
{
    memset(s->gram, 0, s->n * s->n * sizeof *s->gram);
    for (size_t i = 0; i < s->n; i++) {
        float row[DATA_LOOK_VALUES];
        for (int d = 0; d < DATA_LOOK_VALUES; d++)
            row[d] = deviates(s, l, i, d);
        for (size_t k = 0; s->clean[i] && k <= i; k++) {
            if (!s->clean[k])
                continue;
            const float *other = look_of(s, k);
            float sum = 0;
            for (int d = 0; d < DATA_LOOK_VALUES; d++)
                if (row[d] != 0 && !isnan(other[d]))
                    sum += row[d] * (other[d] - l->mean[d]);
            s->gram[i * s->n + k] = s->gram[k * s->n + i] = sum;
        }
    }
}

static double orthogonal(const struct learner *s, int k)
{
    double *b = s->basis + (size_t)k * s->n, len = 0;
    for (int j = 0; j < k; j++) {
        const double *a = s->basis + (size_t)j * s->n;
        double dot = 0;
        for (size_t i = 0; i < s->n; i++)
            dot += a[i] * b[i];
        for (size_t i = 0; i < s->n; i++)
            b[i] -= dot * a[i];
    }
    for (size_t i = 0; i < s->n; i++)
        len += b[i] * b[i];
    len = sqrt(len);
    for (size_t i = 0; i < s->n && len > 0; i++)
        b[i] /= len;
    return len;
}

/* Eigenvectors of the Gram matrix by orthogonal iteration from fixed starts, then directions. */
static void find_directions(struct learner *s, struct data_likeness *l, size_t n_clean)
{
    int n = (int)(n_clean / 6 < DATA_LIKENESS_DIMS ? n_clean / 6 : DATA_LIKENESS_DIMS);
    double *next = s->basis + (size_t)DATA_LIKENESS_DIMS * s->n, size[DATA_LIKENESS_DIMS] = {0};
    make_gram(s, l);
    for (int k = 0; k < n; k++)
        for (size_t i = 0; i < s->n; i++)
            s->basis[(size_t)k * s->n + i] = s->clean[i] ? cos((double)(k + 1) * (double)i + k) : 0;
    for (int turn = 0; turn < POWER_STEPS; turn++)
        for (int k = 0; k < n; k++) {
            double *b = s->basis + (size_t)k * s->n;
            for (size_t i = 0; i < s->n; i++) {
                double sum = 0;
                for (size_t j = 0; j < s->n; j++)
                    sum += s->gram[i * s->n + j] * b[j];
                next[i] = sum;
            }
            memcpy(b, next, s->n * sizeof *b);
            size[k] = orthogonal(s, k);
        }
    memset(l->direction, 0, sizeof l->direction);
    memset(l->range, 0, sizeof l->range);
    for (int k = 0; k < n && size[k] > 1; k++) {
        double by = 1 / sqrt(size[k]);
        for (size_t i = 0; i < s->n; i++) {
            double b = s->basis[(size_t)k * s->n + i] * by;
            for (int d = 0; d < DATA_LOOK_VALUES && s->clean[i]; d++)
                l->direction[k][d] += (float)(b * deviates(s, l, i, d));
        }
        l->range[k] = (float)sqrt(size[k] / (double)n_clean);
        for (int d = 0; d < DATA_LOOK_VALUES; d++) /* rounding must not leave the unit */
            l->direction[k][d] = fminf(fmaxf(l->direction[k][d], -1), 1);
    }
}

/* The spread of what is left over. The fourth power counts what is rare and large: a mouth that
 * opens once in a while is no hand. For a normal distribution both are the same. */
static void measure_rest(const struct learner *s, struct data_likeness *l)
{
    double two[DATA_LOOK_VALUES] = {0}, four[DATA_LOOK_VALUES] = {0};
    int n[DATA_LOOK_VALUES] = {0};
    float rest[DATA_LOOK_VALUES];
    for (size_t i = 0; i < s->n; i++) {
        if (!s->clean[i])
            continue;
        explain(l, look_of(s, i), rest);
        for (int d = 0; d < DATA_LOOK_VALUES; d++) {
            double r2 = (double)rest[d] * rest[d];
            two[d] += r2;
            four[d] += r2 * r2;
            n[d] += !isnan(look_of(s, i)[d]);
        }
    }
    for (int d = 0; d < DATA_LOOK_VALUES; d++)
        if (l->sd[d] > 0 && n[d])
            l->sd[d] = (float)fmax(fmax(sqrt(two[d] / n[d]), pow(four[d] / n[d] / 3, .25)), .1);
}

static size_t count_clean(const struct learner *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->clean[i];
    return n;
}

static int count_hidden(const struct data_look *look)
{
    int n = 0;
    for (int c = 0; c < DATA_LOOK_CELLS; c++)
        n += !(&look->grey[0][0])[c];
    return n;
}

/* All looks in which nothing seems to be in front. What comes before the whole face makes all of it
 * as strange as a new light would: strange looks near in time to one in which something is in front
 * are not learnt, unless the head is turned another way (other cells are hidden). */
static void take_clean(struct learner *s, const struct data_look *looks,
                       const struct data_likeness *l)
{
    uint8_t *covered = (uint8_t *)s->basis; /* all three: not in use now */
    float *oddness = (float *)s->gram, usual = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct render_cover cover;
        render_cover_find(s->mesh, l, &looks[i], 1, &cover);
        covered[i] = cover.n_cells > 0;
        oddness[i] = cover.oddness;
        s->column[i] = (float)count_hidden(&looks[i]);
    }
    usual = render_median(s->column, s->n);
    for (size_t i = 0; i < s->n; i++) {
        bool near = false;
        for (size_t k = i > NEAR_LOOKS ? i - NEAR_LOOKS : 0; k <= i + NEAR_LOOKS && k < s->n; k++)
            near |= covered[k];
        if (near && fabsf((float)count_hidden(&looks[i]) - usual) < TURNED)
            s->clean[i] = !covered[i] && !(oddness[i] > 0);
        else
            s->clean[i] |= !covered[i] && oddness[i] < ODD_MAX;
    }
}

static void learn(struct learner *s, const struct data_look *looks, struct data_likeness *l)
{
    for (size_t i = 0; i < s->n; i++)
        to_values(&looks[i], look_of(s, i));
    median_look(s, l->mean);
    for (size_t i = 0; i < s->n; i++)
        normalise(l->mean, look_of(s, i));
    median_look(s, l->mean);
    take_middle(s, l->mean);
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = count_clean(s);
        mean_look(s, l);
        find_directions(s, l, n);
        measure_rest(s, l);
        l->n_looks = (int32_t)n;
        if (round + 1 < ROUNDS)
            take_clean(s, looks, l);
    }
}

int render_likeness_learn(const struct render_mesh *mesh, const struct data_look *looks, size_t n,
                          struct data_likeness *ret_likeness, struct lip_error *err)
{
    memset(ret_likeness, 0, sizeof *ret_likeness);
    if (n < LOOKS_MIN)
        return 0;
    if (n > RENDER_LOOKS_MAX)
        return base_error_arg(err, "render/likeness", "so many looks");
    struct data_likeness *l = base_alloc_zero(sizeof *l);
    struct learner s = {.mesh = mesh, .n = n};
    s.values = base_alloc_array(n, DATA_LOOK_VALUES * sizeof *s.values);
    s.clean = base_alloc_zero(n);
    s.column = base_alloc_array(n, sizeof *s.column);
    s.gram = base_alloc_array(n * n, sizeof *s.gram);
    s.basis = base_alloc_array(n * (DATA_LIKENESS_DIMS + 1), sizeof *s.basis);
    int status = l && s.values && s.clean && s.column && s.gram && s.basis ? 0 : LIP_ERR_NOMEM;
    if (!status) {
        learn(&s, looks, l);
        *ret_likeness = *l;
    }
    base_free(l);
    base_free(s.values);
    base_free(s.clean);
    base_free(s.column);
    base_free(s.gram);
    base_free(s.basis);
    return status ? base_error_nomem(err, "render/likeness") : 0;
}
