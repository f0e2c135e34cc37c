/* SPDX-License-Identifier: MIT
 * motion/model: mouth.bin, live.bin and visemes.bin, as they stand and as edits of small valid
 * ones. What can be read is run over a few rows. */
#include "fuzz.h"

#include "base/alloc.h"
#include "motion/internal.h"

#define N_FILES 3
#define WIDTH 2
#define ROWS 12

static enum motion_file kind;

static void run(const struct motion_model *model)
{
    static const struct data_sound_row row;
    struct motion_trunk *trunk = NULL;
    const float *features;
    float voice;
    size_t n = 0;
    FUZZ_REQUIRE(!motion_trunk_create(model, &trunk));
    for (int i = 0; i <= ROWS; i++) {
        FUZZ_REQUIRE(!(i < ROWS ? motion_trunk_push(trunk, &row) : motion_trunk_flush(trunk)));
        while (motion_trunk_pull(trunk, &features, &voice))
            n++;
    }
    FUZZ_REQUIRE(n == ROWS / 2 + 1);
    motion_trunk_destroy(&trunk);
}

static void try_read(const uint8_t *bytes, size_t n)
{
    struct lip_error err = {0};
    struct motion_model *model = base_alloc_zero(sizeof *model);
    FUZZ_REQUIRE(model);
    int r = motion_model_read(kind, bytes, n, model, &err);
    FUZZ_REQUIRE((r == 0) == (err.code == 0));
    if (!r)
        run(model);
    motion_model_close(&model);
}

static void put_layer(struct base_buffer *b, uint32_t n_in, uint32_t n_out, uint32_t flags)
{
    base_buffer_put_u32(b, n_in);
    base_buffer_put_u32(b, n_out);
    base_buffer_put_u32(b, 1);
    base_buffer_put_u32(b, flags);
    base_buffer_put_u32(b, 0); /* the tap */
    for (uint32_t i = 0; i < (n_in + 1) * n_out; i++)
        base_buffer_put_f32(b, 0.01f);
}

static void put_floats(struct base_buffer *b, size_t n, float v)
{
    for (size_t i = 0; i < n; i++)
        base_buffer_put_f32(b, v);
}

/* One layer, its residual second, an embedding through one number. */
static void put_valid(struct base_buffer *b)
{
    const bool visemes = kind == MOTION_FILE_VISEMES;
    base_buffer_put(b, visemes ? "LIPVISEM" : "LIPMOUTH", 8);
    base_buffer_put_u32(b, visemes ? 1 : 2);
    base_buffer_put_u32(b, 2);
    base_buffer_put_u32(b, WIDTH);
    put_layer(b, MOTION_INPUTS, WIDTH, 1);
    put_layer(b, WIDTH, WIDTH, 3);
    base_buffer_put_u32(b, 1);
    put_layer(b, DATA_SOUND_EMBED, 1, 1);
    put_layer(b, 1, WIDTH, 0);
    put_floats(b, 2 * WIDTH, 1);
    put_floats(b, (visemes ? DATA_VISEMES : MOTION_MODEL_ROWS) * (WIDTH + 1), 0.1f);
    if (!visemes)
        put_floats(b, 3 * MOTION_HEAD_ROWS + 6 + DATA_CURVE_DIMS, 0.5f);
    if (kind != MOTION_FILE_LIVE)
        return;
    put_floats(b, 1, 100);
    put_floats(b, 2 * DATA_SOUND_BANDS, 1);
    put_floats(b, DATA_SOUND_HISTOGRAM, 1.0f / DATA_SOUND_HISTOGRAM);
    put_floats(b, 3 * MOTION_MOUTH_POINTS + 11, 0.1f);
}

/* The first byte says which file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_buffer valid;
    if (!size)
        return 0;
    kind = (enum motion_file)(data[0] % N_FILES);
    try_read(data + 1, size - 1);
    base_buffer_init(&valid, (size_t)1 << 16);
    put_valid(&valid);
    fuzz_try_edited(&valid, data + 1, size - 1, try_read);
    base_buffer_done(&valid);
    return 0;
}
