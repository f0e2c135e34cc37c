/* SPDX-License-Identifier: MIT
 * tools/tflite and the converter behind it: the input edits a small valid file. */
#include "fuzz.h"

#include "../tests/unit/nn/tiny_tflite.h"
#include "convert.h"
#include "onnx_writer.h"
#include <lipsync/error.h>

static void try_convert(const uint8_t *bytes, size_t n)
{
    static const struct convert_output output = {"result", 1, {TINY_RESULT}};
    static const struct convert_spec spec = {"tiny", "image", 1, &output};
    struct lip_error err = {0};
    struct base_buffer file;
    int r;

    base_buffer_init(&file, ONNX_WRITER_MAX);
    r = convert_tflite(bytes, n, &spec, &file, &err);
    FUZZ_REQUIRE(r == err.code);
    FUZZ_REQUIRE(r == 0 || r == LIP_ERR_FORMAT || r == LIP_ERR_UNSUPPORTED);
    base_buffer_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tiny_tflite tiny;
    struct base_buffer valid = {0};

    tiny_build(&tiny);
    valid.data = tiny.bytes;
    valid.size = tiny.n;
    fuzz_try_edited(&valid, data, size, try_convert);
    try_convert(data, size); /* and as it is, for corpora of whole files */
    return 0;
}
