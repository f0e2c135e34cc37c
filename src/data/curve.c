/* SPDX-License-Identifier: MIT */
#include "data/curve.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/status.h"

#define CURVE_MAGIC "LIPCURVE"
#define BASIS_MAGIC "LIPBASIS"
#define VERSION 1
#define SAMPLE_FLOATS (DATA_CURVE_DIMS + 2)

void data_curve_init(struct data_curve *curve, int rate_hz)
{
    *curve = (struct data_curve){.rate_hz = rate_hz};
}

void data_curve_done(struct data_curve *curve)
{
    base_free(curve->samples);
    *curve = (struct data_curve){0};
}

int data_curve_push(struct data_curve *curve, const struct data_curve_sample *sample)
{
    int r = base_grow(&curve->samples, &curve->cap, curve->n + 1, DATA_CURVE_SAMPLES_MAX,
                      sizeof *sample);
    if (r)
        return r;
    curve->samples[curve->n++] = *sample;
    return LIP_OK;
}

static const struct data_curve_sample *clamped(const struct data_curve *c, long i)
{
    i = i < 0 ? 0 : i >= (long)c->n ? (long)c->n - 1 : i;
    return &c->samples[i];
}

/* Catmull-Rom weights of the four neighbours at fraction u. */
static void cubic_weights(float u, float ret_w[4])
{
    float u2 = u * u, u3 = u2 * u;
    ret_w[0] = -0.5f * u3 + u2 - 0.5f * u;
    ret_w[1] = 1.5f * u3 - 2.5f * u2 + 1;
    ret_w[2] = -1.5f * u3 + 2 * u2 + 0.5f * u;
    ret_w[3] = 0.5f * u3 - 0.5f * u2;
}

static float unit(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

void data_curve_at(const struct data_curve *curve, double t_s, struct data_curve_sample *ret_sample)
{
    memset(ret_sample, 0, sizeof *ret_sample);
    if (!curve->n || !isfinite(t_s))
        return;
    double x = t_s * curve->rate_hz, last = (double)(curve->n - 1);
    x = x < 0 ? 0 : x > last ? last : x;
    long i = (long)x;
    float w[4];
    cubic_weights((float)(x - (double)i), w);
    for (int k = 0; k < 4; k++) {
        const struct data_curve_sample *s = clamped(curve, i - 1 + k);
        for (int d = 0; d < DATA_CURVE_DIMS; d++)
            ret_sample->coef[d] += w[k] * s->coef[d];
        ret_sample->speech += w[k] * s->speech;
        ret_sample->closure += w[k] * s->closure;
    }
    ret_sample->speech = unit(ret_sample->speech);
    ret_sample->closure = unit(ret_sample->closure);
}

void data_basis_shape(const struct data_basis *basis, const float rest[DATA_FACE_POINTS][3],
                      const float coef[DATA_CURVE_DIMS], float ret_points[DATA_FACE_POINTS][3])
{
    memcpy(ret_points, rest, sizeof(float[DATA_FACE_POINTS][3]));
    for (int k = 0; k < DATA_CURVE_DIMS; k++)
        for (int p = 0; p < DATA_MESH_POINTS; p++)
            for (int a = 0; a < 3; a++)
                ret_points[p][a] += coef[k] * basis->comp[k][p][a];
}

void data_basis_project(const struct data_basis *basis, const float rest[DATA_FACE_POINTS][3],
                        const float points[DATA_FACE_POINTS][3], float ret_coef[DATA_CURVE_DIMS])
{
    for (int k = 0; k < DATA_CURVE_DIMS; k++) {
        float sum = 0;
        for (int p = 0; p < DATA_MESH_POINTS; p++)
            for (int a = 0; a < 3; a++)
                sum += basis->comp[k][p][a] * (points[p][a] - rest[p][a]);
        ret_coef[k] = sum;
    }
}

int data_curve_write(const struct data_curve *curve, struct base_buffer *out)
{
    base_buffer_put(out, CURVE_MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u32(out, (uint32_t)curve->rate_hz);
    base_buffer_put_u32(out, DATA_CURVE_DIMS);
    base_buffer_put_u64(out, curve->n);
    for (size_t i = 0; i < curve->n; i++) {
        base_buffer_put_f32s(out, curve->samples[i].coef, DATA_CURVE_DIMS);
        base_buffer_put_f32(out, curve->samples[i].speech);
        base_buffer_put_f32(out, curve->samples[i].closure);
    }
    return out->status;
}

/* The first bytes of each of our files; says what is wrong with them. */
static int check_head(struct base_reader *r, const char *magic, const char *what,
                      struct lip_error *err)
{
    const uint8_t *m = base_reader_take(r, 8);
    uint32_t version = base_reader_u32(r);
    if (!m || memcmp(m, magic, 8))
        return base_error_set(err, LIP_ERR_SCORE, "data/curve", "this is not a %s", what);
    if (version != VERSION)
        return base_error_set(err, LIP_ERR_SCORE, "data/curve", "the %s has version %u, not %d",
                              what, version, VERSION);
    return LIP_OK;
}

int data_curve_read(const void *bytes, size_t n, struct data_curve *ret_curve,
                    struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    int status = check_head(&r, CURVE_MAGIC, "mouth curve", err);
    if (status)
        return status;
    uint32_t rate = base_reader_u32(&r), dims = base_reader_u32(&r);
    uint64_t count = base_reader_u64(&r);
    if (r.failed || rate < 1 || rate > 1000 || dims != DATA_CURVE_DIMS ||
        count > DATA_CURVE_SAMPLES_MAX || count * SAMPLE_FLOATS * 4 != n - r.at)
        return base_error_set(err, LIP_ERR_SCORE, "data/curve", "the mouth curve is damaged");
    struct data_curve c;
    data_curve_init(&c, (int)rate);
    for (uint64_t i = 0; i < count && !status; i++) {
        struct data_curve_sample s;
        base_reader_f32s(&r, s.coef, DATA_CURVE_DIMS);
        s.speech = base_reader_f32(&r);
        s.closure = base_reader_f32(&r);
        status = data_curve_push(&c, &s);
    }
    if (status)
        status = base_error_nomem(err, "data/curve");
    else if (r.failed)
        status = base_error_set(err, LIP_ERR_SCORE, "data/curve", "the mouth curve is damaged");
    if (status)
        data_curve_done(&c);
    else
        *ret_curve = c;
    return status;
}

int data_basis_write(const struct data_basis *basis, struct base_buffer *out)
{
    base_buffer_put(out, BASIS_MAGIC, 8);
    base_buffer_put_u32(out, VERSION);
    base_buffer_put_u32(out, DATA_CURVE_DIMS);
    base_buffer_put_u32(out, DATA_MESH_POINTS);
    base_buffer_put_f32s(out, basis->sd, DATA_CURVE_DIMS);
    base_buffer_put_f32s(out, &basis->comp[0][0][0], sizeof basis->comp / sizeof(float));
    return out->status;
}

int data_basis_read(const void *bytes, size_t n, struct data_basis *ret_basis,
                    struct lip_error *err)
{
    struct base_reader r;
    base_reader_init(&r, bytes, n);
    int status = check_head(&r, BASIS_MAGIC, "mouth basis", err);
    if (status)
        return status;
    if (base_reader_u32(&r) != DATA_CURVE_DIMS || base_reader_u32(&r) != DATA_MESH_POINTS)
        return base_error_set(err, LIP_ERR_SCORE, "data/curve",
                              "the mouth basis is of another size");
    struct data_basis *basis = base_alloc(sizeof *basis);
    if (!basis)
        return base_error_nomem(err, "data/curve");
    base_reader_f32s(&r, basis->sd, DATA_CURVE_DIMS);
    base_reader_f32s(&r, &basis->comp[0][0][0], sizeof basis->comp / sizeof(float));
    if (r.failed || r.at != n)
        status = base_error_set(err, LIP_ERR_SCORE, "data/curve", "the mouth basis is damaged");
    else
        *ret_basis = *basis;
    base_free(basis);
    return status;
}

static float distance(const float a[3], const float b[3])
{
    float dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
    return sqrtf(dx * dx + dy * dy + dz * dz);
}

float data_mouth_opening(const float points[DATA_FACE_POINTS][3])
{
    return (distance(points[13], points[14]) + distance(points[82], points[87]) +
            distance(points[312], points[317])) / 3;
}

float data_mouth_width(const float points[DATA_FACE_POINTS][3])
{
    return distance(points[78], points[308]);
}
