/* SPDX-License-Identifier: MIT
 *
 * Fake nets that see the drawn person of a synthetic film: they look for skin and for the dark
 * mouth in their input picture and answer in the real nets' form. So the whole engine runs without
 * ONNX Runtime, fast, and visible to the sanitizers. */
#ifndef TESTS_FAKE_NETS_H
#define TESTS_FAKE_NETS_H

#include "nn/nn.h"

struct fake_nets {
    float mesh[468][3]; /* canonical face, x and y in -1..1, y down, z away */
};

/* Takes the canonical face from face_geometry.bin of the models' folder. Returns 0, or LIP_ERR_…
 * when it is not there. */
int fake_nets_load(const char *models_dir, struct fake_nets *ret_nets);
int fake_nets_run(void *nets, const char *model, const struct nn_tensor *inputs, size_t n_inputs,
                  struct nn_tensor *outputs, size_t n_outputs);

#endif
