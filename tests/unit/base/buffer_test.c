/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include <lipsync/error.h>

static void numbers_are_little_endian(void **state)
{
    (void)state;
    struct base_buffer b;
    base_buffer_init(&b, 100);
    base_buffer_put_u8(&b, 1);
    base_buffer_put_u16(&b, 0x0302);
    base_buffer_put_u32(&b, 0x07060504);
    base_buffer_put_u64(&b, 0x0f0e0d0c0b0a0908);
    base_buffer_put_f32(&b, 1.0f);
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                   0, 0, 0x80, 0x3f};
    assert_int_equal(b.status, LIP_OK);
    assert_int_equal(b.size, sizeof want);
    assert_memory_equal(b.data, want, sizeof want);
    base_buffer_done(&b);
}

static void round_trip(void **state)
{
    (void)state;
    struct base_buffer b;
    base_buffer_init(&b, 1000);
    const float v[] = {0, -1.5f, 3e30f, -0.0f};
    base_buffer_put_u64(&b, UINT64_MAX - 5);
    base_buffer_put_f32s(&b, v, 4);
    base_buffer_put_string(&b, "öl");
    struct base_reader r;
    base_reader_init(&r, b.data, b.size);
    assert_true(base_reader_u64(&r) == UINT64_MAX - 5);
    float back[4];
    base_reader_f32s(&r, back, 4);
    assert_memory_equal(back, v, sizeof v);
    char text[4];
    base_reader_string(&r, text, sizeof text);
    assert_string_equal(text, "öl");
    assert_true(!r.failed && r.at == r.size);
    base_buffer_done(&b);
}

static void ceiling_keeps_its_error(void **state)
{
    (void)state;
    struct base_buffer b;
    base_buffer_init(&b, 6);
    base_buffer_put_u32(&b, 1);
    base_buffer_put_u32(&b, 2);
    assert_int_equal(b.status, LIP_ERR_LIMIT);
    base_buffer_put_u8(&b, 3); /* would fit, but the record is broken already */
    assert_int_equal(b.size, 4);
    assert_int_equal(b.status, LIP_ERR_LIMIT);
    base_buffer_done(&b);
}

static void reading_past_the_end(void **state)
{
    (void)state;
    const uint8_t bytes[3] = {1, 2, 3};
    struct base_reader r;
    base_reader_init(&r, bytes, sizeof bytes);
    assert_int_equal(base_reader_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(base_reader_u8(&r), 0); /* a failed reader gives nothing any more */
    base_reader_init(&r, bytes, sizeof bytes);
    base_reader_u8(&r);
    assert_null(base_reader_take(&r, SIZE_MAX)); /* at + n overflows */
    assert_true(r.failed);
}

static void bad_floats_and_strings(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        struct base_buffer b;
        base_buffer_init(&b, 8);
        base_buffer_put_f32(&b, bad[i]);
        struct base_reader r;
        base_reader_init(&r, b.data, b.size);
        assert_true(base_reader_f32(&r) == 0 && r.failed);
        base_buffer_done(&b);
    }
    const uint8_t text[] = {4, 0, 0, 0, 'a', 'b', 'c', 'd'};
    struct base_reader r;
    char small[4] = "x";
    base_reader_init(&r, text, sizeof text);
    base_reader_string(&r, small, sizeof small); /* no room for the end */
    assert_true(r.failed && small[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian), cmocka_unit_test(round_trip),
        cmocka_unit_test(ceiling_keeps_its_error),   cmocka_unit_test(reading_past_the_end),
        cmocka_unit_test(bad_floats_and_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
