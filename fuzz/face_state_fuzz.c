/* SPDX-License-Identifier: MIT
 * face: a checkpoint of the analysis, made valid with two faces in it and then edited by the input;
 * or the input itself. */
#include "fuzz.h"

#include "face/face.h"

#define OFFSET_NEXT_ID 20 /* after magic, next_frame, last_look */

static struct face_analyzer *new_analyzer(void)
{
    static const struct data_film film = {.disp_width_px = 640, .disp_height_px = 360};
    struct face_analyzer_params params;
    struct face_analyzer *a = NULL;
    face_analyzer_params_default(&params);
    FUZZ_REQUIRE(!face_analyzer_create(NULL, &film, &params, &a, NULL));
    return a;
}

static int try_state(const uint8_t *bytes, size_t n)
{
    struct face_analyzer *a = new_analyzer();
    struct lip_error err = {0};
    int r = face_analyzer_state_read(a, bytes, n, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    FUZZ_REQUIRE(face_analyzer_next_frame(a) >= 0);
    if (r == 0) { /* what was taken in is given out again */
        struct base_buffer again;
        base_buffer_init(&again, FACE_STATE_BYTES_MAX);
        face_analyzer_state_write(a, &again);
        FUZZ_REQUIRE(!again.status && again.size == n && memcmp(again.data, bytes, n) == 0);
        base_buffer_done(&again);
    }
    face_analyzer_destroy(&a);
    return r;
}

static void try_read(const uint8_t *bytes, size_t n)
{
    (void)try_state(bytes, n);
}

/* A fresh state ends with the number of faces, 0: two are put there. */
static void make_valid(struct base_buffer *b)
{
    struct face_analyzer *a = new_analyzer();
    const double crop[4] = {300, 200, 150, .1};
    face_analyzer_state_write(a, b);
    face_analyzer_destroy(&a);
    FUZZ_REQUIRE(!b->status);
    b->data[OFFSET_NEXT_ID] = 2;
    b->size -= 4;
    base_buffer_put_u32(b, 2);
    for (uint32_t i = 0; i < 2; i++) {
        base_buffer_put_u32(b, i);
        base_buffer_put_u32(b, 0);
        base_buffer_put_f32(b, 1);
        base_buffer_put(b, crop, sizeof crop);
        base_buffer_put_u32(b, 20); /* seen, and looked at twice */
        base_buffer_put_u32(b, 2);
        base_buffer_put_u32(b, 12);
        base_buffer_put_f32(b, .5f);
        for (int k = 0; k < DATA_FACE_POINTS * 3; k++)
            base_buffer_put_f32(b, (float)k);
    }
    FUZZ_REQUIRE(!b->status && try_state(b->data, b->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_buffer b;
    try_read(data, size);
    base_buffer_init(&b, FACE_STATE_BYTES_MAX);
    make_valid(&b);
    fuzz_try_edited(&b, data, size, try_read);
    base_buffer_done(&b);
    return 0;
}
