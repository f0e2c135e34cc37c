/* SPDX-License-Identifier: MIT
 * The importer: TFLite to ONNX, packed assets, the canonical face. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "convert.h"
#include "flex.h"
#include "geometry.h"
#include "nn/nn.h"
#include "onnx_writer.h"
#include "packed.h"
#include "tflite.h"
#include "tiny_tflite.h"

static const struct convert_output tiny_output = {"result", 1, {TINY_RESULT}};
static const struct convert_spec tiny_spec = {"tiny", "image", 1, &tiny_output};

/* Converts a copy in memory of exactly its size, so that a sanitizer sees a read past the end. */
static int convert_exact(const uint8_t *bytes, size_t n, struct base_buffer *ret_file,
                         struct lip_error *err)
{
    uint8_t *exact = malloc(n ? n : 1);
    int status;

    assert_non_null(exact);
    memcpy(exact, bytes, n);
    base_buffer_init(ret_file, ONNX_WRITER_MAX);
    *err = (struct lip_error){0};
    status = convert_tflite(exact, n, &tiny_spec, ret_file, err);
    free(exact);
    assert_int_equal(status, err->code);
    return status;
}

static void reads_what_is_there(void **state)
{
    struct tiny_tflite t;
    struct tflite_model *m = NULL;
    struct lip_error err = {0};

    (void)state;
    tiny_build(&t);
    assert_int_equal(tflite_read(t.bytes, t.n, &m, &err), 0);
    assert_int_equal(m->n_tensors, 7);
    assert_int_equal(m->n_ops, 4);
    assert_int_equal(m->ops[1].code, TFLITE_CONV_2D);
    assert_int_equal(tflite_option_i32(m, &m->ops[1], 1, 0), 2);
    assert_int_equal(m->tensors[1].type, TFLITE_F16);
    for (int i = 0; i < TINY_WEIGHTS; i++)
        assert_true(tflite_value(&m->tensors[1], (size_t)i) == tiny_weight(i));
    for (int i = 0; i < TINY_OUT; i++)
        assert_true(tflite_value(&m->tensors[3], (size_t)i) == tiny_bias(i));
    tflite_free(&m);
    assert_null(m);
}

static void damage_is_an_error(void **state)
{
    struct tiny_tflite t;
    struct base_buffer file;
    struct lip_error err;
    int n_accepted = 0;

    (void)state;
    tiny_build(&t);
    for (size_t n = 0; n < t.n; n++) {
        assert_int_equal(convert_exact(t.bytes, n, &file, &err), LIP_ERR_FORMAT);
        base_buffer_done(&file);
    }
    /* A changed byte may leave a valid file (a weight, say), but never a crash or a wrong code. */
    for (size_t at = 0; at < t.n; at++) {
        for (int bit = 0; bit < 8; bit++) {
            t.bytes[at] ^= (uint8_t)(1 << bit);
            int status = convert_exact(t.bytes, t.n, &file, &err);
            assert_true(status == 0 || status == LIP_ERR_FORMAT || status == LIP_ERR_UNSUPPORTED);
            n_accepted += status == 0;
            t.bytes[at] ^= (uint8_t)(1 << bit);
            base_buffer_done(&file);
        }
    }
    assert_in_range(n_accepted, 1, (int)t.n * 7);
}

/* Each allocation fails once: an error, no leak, no half file. */
static void memory_runs_out(void **state)
{
    struct tiny_tflite t;
    struct base_buffer file;
    struct lip_error err;
    uint64_t n = 0;
    int status;

    (void)state;
    tiny_build(&t);
    do {
        base_alloc_fail_nth(++n);
        status = convert_exact(t.bytes, t.n, &file, &err);
        base_alloc_fail_nth(0);
        assert_true(status == 0 || status == LIP_ERR_NOMEM);
        base_buffer_done(&file);
    } while (status < 0 && n < 10000);
    assert_in_range(n, 10, 9999);
}

/* The convolution written down plainly: SAME with stride 2 pads 1 above and below, and of 1 column
 * all at the right. */
static void expected_result(const float *image, float *ret_v)
{
    for (int o = 0; o < TINY_OUT; o++) {
        for (int p = 0; p < TINY_OUT_H * TINY_OUT_W; p++) {
            float sum = tiny_bias(o);
            for (int k = 0; k < 9 * TINY_IN; k++) {
                int y = p / TINY_OUT_W * 2 - 1 + k / (3 * TINY_IN);
                int x = p % TINY_OUT_W * 2 + k / TINY_IN % 3;
                if (y >= 0 && y < TINY_H && x < TINY_W)
                    sum += tiny_weight(o * 9 * TINY_IN + k) *
                           image[(y * TINY_W + x) * TINY_IN + k % TINY_IN];
            }
            ret_v[p * TINY_OUT + o] = sum > 0.0f ? sum : 0.0f;
        }
    }
}

static void result_is_the_convolution(void **state)
{
    float image[TINY_H * TINY_W * TINY_IN], want[TINY_RESULT], got[TINY_RESULT];
    char path[] = "/tmp/lipsync-tiny-XXXXXX";
    struct nn_tensor in = {"image", NN_F32, 4, {1, TINY_H, TINY_W, TINY_IN}, image};
    struct nn_tensor out = {"result", NN_F32, 1, {TINY_RESULT}, got};
    struct nn_runtime *rt = NULL;
    struct nn_model *model = NULL;
    struct tiny_tflite t;
    struct base_buffer file;
    struct lip_error err = {0};
    int fd;

    (void)state;
    tiny_build(&t);
    assert_int_equal(convert_exact(t.bytes, t.n, &file, &err), 0);
    if (nn_runtime_open(NULL, &rt, &err) < 0) {
        base_buffer_done(&file);
        printf("skipped: %s\n", err.text);
        skip();
    }
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(base_fs_write(path, file.data, file.size, &err), 0);
    base_buffer_done(&file);
    for (size_t i = 0; i < UNIT_COUNT(image); i++)
        image[i] = (float)((i * 5) % 13) - 6.0f;
    expected_result(image, want);
    if (nn_model_open(rt, path, &model, &err) < 0)
        fail_msg("%s", err.text);
    base_fs_remove(path);
    if (nn_model_run(model, &in, 1, &out, 1, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < TINY_RESULT; i++)
        assert_true(want[i] - got[i] < 1e-5f && got[i] - want[i] < 1e-5f);
    nn_model_close(&model);
    nn_runtime_close(&rt);
}

/* {"a": [1, -2, 300], "b": 7, "c": 0.5}: a FlexBuffer laid out by hand. */
static size_t build_flex(uint8_t *b)
{
    /* Keys at 1, 3 and 5; all but the ints is 4 bytes wide. */
    static const char keys[] = "?a\0b\0c";
    size_t at = 8;

    memset(b, 0, 96);
    memcpy(b, keys, sizeof(keys));
    memcpy(b + at, "\3\0\1\0\xfe\xff\x2c\1", 8); /* 3 ints of 2 bytes; first at 10 */
    b[16] = 3;                                   /* the keys' vector: length, then distances */
    b[20] = 20 - 1;
    b[24] = 24 - 3;
    b[28] = 28 - 5;
    b[32] = 32 - 20; /* the map: distance to the keys' vector */
    b[36] = 4;       /* their width */
    b[40] = 3;       /* length; values at 44, 48, 52; types at 56 */
    b[44] = 44 - 10;
    b[48] = 7;
    memcpy(b + 52, "\0\0\0\x3f", 4);
    b[56] = 11 << 2 | 1;
    b[57] = 1 << 2 | 2;
    b[58] = 3 << 2 | 2;
    b[59] = 59 - 44; /* root: distance, type, width */
    b[60] = 9 << 2 | 2;
    b[61] = 1;
    return 62;
}

static void flexbuffers_are_read(void **state)
{
    uint8_t b[96];
    size_t n = build_flex(b);
    double v = 0;
    int ints[4], n_ints = 0;

    (void)state;
    assert_int_equal(flex_number(b, n, "b", &v), 0);
    assert_true(v == 7.0);
    assert_int_equal(flex_number(b, n, "c", &v), 0);
    assert_true(v == 0.5);
    assert_int_equal(flex_ints(b, n, "a", ints, 4, &n_ints), 0);
    assert_int_equal(n_ints, 3);
    assert_int_equal(ints[0], 1);
    assert_int_equal(ints[1], -2);
    assert_int_equal(ints[2], 300);
    assert_int_equal(flex_ints(b, n, "a", ints, 2, &n_ints), LIP_ERR_FORMAT);
    assert_int_equal(flex_number(b, n, "a", &v), LIP_ERR_FORMAT);
    assert_int_equal(flex_number(b, n, "d", &v), LIP_ERR_FORMAT);
    assert_int_equal(flex_number(NULL, 0, "b", &v), LIP_ERR_FORMAT);
    for (size_t at = 0; at < n; at++) {
        for (int bit = 0; bit < 8; bit++) {
            b[at] ^= (uint8_t)(1 << bit);
            flex_number(b, n, "c", &v);
            flex_ints(b, n, "a", ints, 4, &n_ints);
            b[at] ^= (uint8_t)(1 << bit);
        }
    }
}

static void packed_assets_are_found(void **state)
{
    static const char script[] =
        "x.tflite; ({\"files\": [{\"filename\": \"/m/old.tflite\", \"start\": 0, \"end\": 12}, "
        "{\"filename\": \"/m/x.tflite\", \"start\": 12, \"end\": 345}, "
        "{\"filename\": \"/m/bad.tflite\", \"start\": 9, \"end\": 9}]})";
    size_t start = 0, end = 0;

    (void)state;
    assert_int_equal(packed_find(script, strlen(script), "x.tflite", &start, &end), 0);
    assert_int_equal(start, 12);
    assert_int_equal(end, 345);
    assert_int_equal(packed_find(script, strlen(script), "old.tflite", &start, &end), 0);
    assert_int_equal(end, 12);
    assert_int_equal(packed_find(script, strlen(script), "ld.tflite", &start, &end),
                     LIP_ERR_FORMAT);
    assert_int_equal(packed_find(script, strlen(script), "bad.tflite", &start, &end),
                     LIP_ERR_FORMAT);
    for (size_t n = 0; n < 90; n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, script, n);
        packed_find(exact, n, "old.tflite", &start, &end);
        free(exact);
    }
}

/* Three vertices one by one and packed, one triangle. */
static size_t build_geometry(uint8_t *b, uint8_t last_index)
{
    size_t n = 0;

    b[n++] = 1 << 3 | 2; /* canonical_mesh */
    b[n++] = 2 + 60 + 5;
    b[n++] = 3 << 3 | 2; /* vertex_buffer, packed */
    b[n++] = 60;
    for (int i = 0; i < 15; i++) {
        float v = (float)i;
        memcpy(b + n, &v, 4);
        n += 4;
    }
    b[n++] = 4 << 3 | 2; /* index_buffer, packed */
    b[n++] = 3;
    b[n++] = 0;
    b[n++] = 1;
    b[n++] = last_index;
    return n;
}

static void geometry_becomes_a_file(void **state)
{
    uint8_t b[128];
    struct base_buffer file;
    struct base_reader r;
    struct lip_error err = {0};
    size_t n = build_geometry(b, 2);

    (void)state;
    base_buffer_init(&file, 4096);
    assert_int_equal(geometry_convert(b, n, &file, &err), 0);
    assert_int_equal(file.size, 8 + 12 + 60 + 6);
    assert_memory_equal(file.data, "LIPGEOM\0", 8);
    base_reader_init(&r, file.data + 8, file.size - 8);
    assert_int_equal(base_reader_u32(&r), 1);
    assert_int_equal(base_reader_u32(&r), 3);
    assert_int_equal(base_reader_u32(&r), 1);
    for (int i = 0; i < 15; i++)
        assert_true(base_reader_f32(&r) == (float)i);
    for (int i = 0; i < 3; i++)
        assert_int_equal(base_reader_u16(&r), i);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(geometry_convert(b, cut, &file, NULL), LIP_ERR_FORMAT);
    n = build_geometry(b, 3); /* no such vertex */
    assert_int_equal(geometry_convert(b, n, &file, NULL), LIP_ERR_FORMAT);
    base_buffer_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),       cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(result_is_the_convolution), cmocka_unit_test(flexbuffers_are_read),
        cmocka_unit_test(packed_assets_are_found),   cmocka_unit_test(geometry_becomes_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
