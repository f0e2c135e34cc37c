/* SPDX-License-Identifier: MIT */
#include "data/frame.h"

#include <string.h>

#include "base/alloc.h"
#include <lipsync/error.h>

#define SIDE_MAX_PX 32768

/* Sizes and pointers of the planes inside one block; returns the bytes needed. */
static size_t lay_out(struct data_frame *f, uint8_t *block)
{
    size_t bytes = f->depth_bits > 8 ? 2 : 1, at = 0;
    for (int p = 0; p < f->n_planes; p++) {
        bool chroma = f->layout == DATA_LAYOUT_YUV && (p == 1 || p == 2);
        int sx = chroma ? f->chroma_shift_x : 0, sy = chroma ? f->chroma_shift_y : 0;
        struct data_plane *plane = &f->plane[p];
        plane->width_px = (f->width_px + (1 << sx) - 1) >> sx;
        plane->height_px = (f->height_px + (1 << sy) - 1) >> sy;
        plane->stride_bytes = (ptrdiff_t)(((size_t)plane->width_px * bytes + 63) / 64 * 64);
        plane->data = block ? block + at : NULL;
        at += (size_t)plane->stride_bytes * (size_t)plane->height_px;
    }
    return at;
}

int data_frame_wrap(void (*release)(void *owner), void *owner, struct data_frame **ret_frame)
{
    struct data_frame *f = base_alloc_zero(sizeof *f);
    if (!f)
        return LIP_ERR_NOMEM;
    atomic_init(&f->refs, 1);
    f->release = release;
    f->owner = owner;
    f->index = -1;
    *ret_frame = f;
    return LIP_OK;
}

/* Gives f, whose form is set, pixels of its own. */
static int give_pixels(struct data_frame *f, bool zeroed)
{
    size_t size = lay_out(f, NULL);
    uint8_t *block = zeroed ? base_alloc_zero(size) : base_alloc(size);
    if (!block)
        return LIP_ERR_NOMEM;
    lay_out(f, block);
    f->release = base_free;
    f->owner = block;
    return LIP_OK;
}

int data_frame_create(int width_px, int height_px, enum data_layout layout, int depth_bits,
                      int chroma_shift_x, int chroma_shift_y, bool has_alpha,
                      struct data_frame **ret_frame)
{
    if (width_px < 1 || height_px < 1 || width_px > SIDE_MAX_PX || height_px > SIDE_MAX_PX ||
        depth_bits < 8 || depth_bits > 16 || chroma_shift_x < 0 || chroma_shift_x > 2 ||
        chroma_shift_y < 0 || chroma_shift_y > 2)
        return LIP_ERR_ARG;
    struct data_frame *f = NULL;
    int r = data_frame_wrap(NULL, NULL, &f);
    if (r)
        return r;
    f->width_px = width_px;
    f->height_px = height_px;
    f->layout = layout;
    f->depth_bits = depth_bits;
    f->has_alpha = has_alpha;
    f->n_planes = (layout == DATA_LAYOUT_GRAY ? 1 : 3) + (has_alpha ? 1 : 0);
    f->chroma_shift_x = layout == DATA_LAYOUT_YUV ? chroma_shift_x : 0;
    f->chroma_shift_y = layout == DATA_LAYOUT_YUV ? chroma_shift_y : 0;
    f->colour = (struct data_colour){2, 2, 2, layout == DATA_LAYOUT_RGB, 0};
    r = give_pixels(f, true);
    if (r) {
        data_frame_unref(&f);
        return r;
    }
    *ret_frame = f;
    return LIP_OK;
}

struct data_frame *data_frame_ref(struct data_frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void data_frame_unref(struct data_frame **frame)
{
    if (!frame || !*frame)
        return;
    struct data_frame *f = *frame;
    *frame = NULL;
    if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (f->release)
        f->release(f->owner);
    data_frame_unref(&f->origin);
    base_free(f);
}

int data_frame_create_like(struct data_frame *like, struct data_frame **ret_frame)
{
    struct data_frame *f = NULL;
    int r = data_frame_wrap(NULL, NULL, &f);
    if (r)
        return r;
    f->width_px = like->width_px;
    f->height_px = like->height_px;
    f->layout = like->layout;
    f->depth_bits = like->depth_bits;
    f->n_planes = like->n_planes;
    f->has_alpha = like->has_alpha;
    f->chroma_shift_x = like->chroma_shift_x;
    f->chroma_shift_y = like->chroma_shift_y;
    f->colour = like->colour;
    f->pts = like->pts;
    f->duration = like->duration;
    f->index = like->index;
    f->keyframe = like->keyframe;
    r = give_pixels(f, false);
    if (r) {
        data_frame_unref(&f);
        return r;
    }
    f->origin = data_frame_ref(like);
    *ret_frame = f;
    return LIP_OK;
}

int data_frame_make_writable(struct data_frame **frame)
{
    struct data_frame *old = *frame, *f = NULL;
    bool own = old->release == base_free;
    if (own && atomic_load_explicit(&old->refs, memory_order_acquire) == 1)
        return LIP_OK;
    int r = data_frame_create_like(old, &f);
    if (r)
        return r;
    size_t bytes = f->depth_bits > 8 ? 2 : 1;
    for (int p = 0; p < f->n_planes; p++)
        for (int y = 0; y < f->plane[p].height_px; y++)
            memcpy(f->plane[p].data + y * f->plane[p].stride_bytes,
                   old->plane[p].data + y * old->plane[p].stride_bytes,
                   (size_t)f->plane[p].width_px * bytes);
    data_frame_unref(frame);
    *frame = f;
    return LIP_OK;
}
