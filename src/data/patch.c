/* SPDX-License-Identifier: MIT */
#include "data/patch.h"

#include "base/alloc.h"
#include <lipsync/error.h>

void data_patch_init(struct data_patch *patch)
{
    *patch = (struct data_patch){0};
}

void data_patch_done(struct data_patch *patch)
{
    base_free(patch->memory);
    data_patch_init(patch);
}

int data_patch_resize(struct data_patch *patch, struct data_rect rect)
{
    if (rect.w < 1 || rect.h < 1 || rect.w > 32768 || rect.h > 32768)
        return LIP_ERR_ARG;
    size_t n = (size_t)rect.w * (size_t)rect.h, need = n * 12; /* 3 pictures and 3 maps */
    if (need > patch->capacity) {
        float *memory = base_alloc_array(need, sizeof *memory);
        if (!memory)
            return LIP_ERR_NOMEM;
        base_free(patch->memory);
        patch->memory = memory;
        patch->capacity = need;
    }
    patch->rect = rect;
    patch->steepness[0] = patch->steepness[1] = 1;
    patch->target = patch->memory;
    patch->skin = patch->memory + 3 * n;
    patch->mouth = patch->memory + 6 * n;
    patch->skin_mask = patch->memory + 9 * n;
    patch->mouth_mask = patch->memory + 10 * n;
    patch->lip_distance = patch->memory + 11 * n;
    return LIP_OK;
}

void data_patch_grey(const struct data_patch *patch, const float *rgb, struct data_rect box,
                     float *ret)
{
    size_t w = (size_t)patch->rect.w, area = w * (size_t)patch->rect.h;
    for (int y = 0; y < box.h; y++)
        for (int x = 0; x < box.w; x++) {
            size_t i = (size_t)(box.y + y) * w + (size_t)(box.x + x);
            ret[(size_t)y * (size_t)box.w + (size_t)x] =
                .299f * rgb[i] + .587f * rgb[area + i] + .114f * rgb[2 * area + i];
        }
}
