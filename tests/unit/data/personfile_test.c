/* SPDX-License-Identifier: MIT
 * A person file, written and read, and everything in it that must not be believed. */
#include "unit/unit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fs.h"
#include "data/personfile.h"
#include <lipsync/error.h>

static struct data_personfile file, back;
static struct data_bank_entry entries[2];
static uint16_t pixels[3 * 2 * 3] = {1, 2, 3};
static uint8_t style[5] = {9, 8, 7, 6, 5};

static void fill(void)
{
    data_personfile_init(&file);
    file.models_hash = 77;
    file.n_films = 2;
    file.films[1] = (struct data_personfile_film){0x123456789abcdef0u, 12.5f};
    file.person.opening_rest = .25f;
    file.print = (struct data_print){.75f, {.5f, -.25f}};
    file.person.n_frames = 300;
    file.style = style;
    file.n_style = sizeof style;
    for (int i = 0; i < 2; i++) {
        entries[i].frame = 10 * i;
        entries[i].width_px = 3;
        entries[i].height_px = 2;
        entries[i].rgb = pixels;
    }
    file.bank = (struct data_bank){.n = 2, .cap = 2, .entries = entries};
}

static void written(struct base_buffer *b)
{
    fill();
    base_buffer_init(b, 1 << 20);
    assert_int_equal(data_personfile_write(&file, b), LIP_OK);
}

static void round_trip(void **state)
{
    (void)state;
    struct base_buffer b;
    written(&b);
    assert_int_equal(data_personfile_read(b.data, b.size, &back, NULL), LIP_OK);
    assert_true(back.models_hash == 77 && back.hash == file.hash && back.n_films == 2);
    assert_true(back.films[1].identity == 0x123456789abcdef0u && back.films[1].seconds == 12.5f);
    assert_true(back.print.weight == .75f && back.print.v[1] == -.25f);
    assert_true(back.person.opening_rest == .25f && back.person.n_frames == 300);
    assert_true(back.n_style == 5 && !memcmp(back.style, style, 5));
    assert_true(back.bank.n == 2 && back.bank.entries[1].frame == 10);
    data_personfile_done(&back);
    base_buffer_done(&b);
}

/* Any byte that changes is seen; so is any length. */
static void changed(void **state)
{
    (void)state;
    struct base_buffer b;
    written(&b);
    for (size_t at = 0; at < b.size; at += at < 64 ? 1 : 997) {
        struct lip_error err = {0};
        b.data[at] ^= 0x20;
        assert_int_equal(data_personfile_read(b.data, b.size, &back, &err), LIP_ERR_SCORE);
        assert_true(err.code == LIP_ERR_SCORE && err.text[0]);
        b.data[at] ^= 0x20;
        assert_int_equal(data_personfile_read(b.data, at, &back, NULL), LIP_ERR_SCORE);
    }
    base_buffer_done(&b);
}

/* With the right hash over wrong contents: the inside is checked, too. */
static void forged(void **state)
{
    (void)state;
    const size_t films = 20, person = 24 + 2 * 12 + 4 * (1 + DATA_FACEPRINT_DIMS),
                 places[] = {films + 1, films + 3, person,
                             person + 5, person + 8};
    for (size_t i = 0; i < UNIT_COUNT(places); i++) {
        struct base_buffer b;
        written(&b);
        b.data[places[i]] ^= 0x41;
        uint64_t hash = base_hash(b.data, b.size - 8, 0);
        for (size_t k = 0; k < 8; k++)
            b.data[b.size - 8 + k] = (uint8_t)(hash >> 8 * k);
        assert_int_equal(data_personfile_read(b.data, b.size, &back, NULL), LIP_ERR_SCORE);
        base_buffer_done(&b);
    }
}

static void limits(void **state)
{
    (void)state;
    struct base_buffer b;
    fill();
    base_buffer_init(&b, 1 << 20);
    file.n_films = DATA_PERSONFILE_FILMS_MAX + 1;
    assert_int_equal(data_personfile_write(&file, &b), LIP_ERR_ARG);
    fill();
    file.n_style = (size_t)2 << 20;
    assert_int_equal(data_personfile_write(&file, &b), LIP_ERR_ARG);
    base_buffer_done(&b);
    base_buffer_init(&b, 1000);
    fill();
    assert_int_equal(data_personfile_write(&file, &b), LIP_ERR_LIMIT);
    base_buffer_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(changed),
        cmocka_unit_test(forged),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
