// SPDX-License-Identifier: MIT
//
// Cuts the part out of a TFLite file that ordinary operators compute from given tensors, so that a
// runtime without the attention mesh's custom operators can run everything around them.

const CUSTOM = 32;

// Just enough of the FlatBuffers format; see tools/flat.h.
class Flat {
    constructor(bytes) {
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    u8(at) { return this.view.getUint8(at); }
    i32(at) { return this.view.getInt32(at, true); }
    u32(at) { return this.view.getUint32(at, true); }
    follow(at) { return at + this.u32(at); }
    field(table, index) {
        const vtable = table - this.i32(table);
        if (4 + 2 * index + 2 > this.view.getUint16(vtable, true))
            return 0;
        const offset = this.view.getUint16(vtable + 4 + 2 * index, true);
        return offset ? table + offset : 0;
    }
    number(table, index) {
        const at = this.field(table, index);
        return at ? this.i32(at) : 0;
    }
    vector(table, index) {
        const at = this.field(table, index);
        if (!at)
            return { at: 0, n: 0 };
        const v = this.follow(at);
        return { at: v + 4, n: this.u32(v) };
    }
    ints(table, index) {
        const v = this.vector(table, index);
        return Array.from({ length: v.n }, (_, i) => this.i32(v.at + 4 * i));
    }
    tables(table, index) {
        const v = this.vector(table, index);
        return Array.from({ length: v.n }, (_, i) => this.follow(v.at + 4 * i));
    }
    text(table, index) {
        const v = this.vector(table, index);
        return Buffer.from(this.bytes.subarray(v.at, v.at + v.n)).toString('latin1');
    }
}

function open(bytes) {
    const flat = new Flat(bytes);
    const model = flat.follow(0);
    const graph = flat.tables(model, 2)[0];
    const codes = flat.tables(model, 1).map((t) => {
        const at = flat.field(t, 0);
        const code = at ? flat.u8(at) : 0;
        return { code: Math.max(code, flat.number(t, 3)), custom: flat.text(t, 1) };
    });
    const ops = flat.tables(graph, 3).map((table) => ({
        table,
        ...codes[flat.number(table, 0)],
        inputs: flat.ints(table, 1),
        outputs: flat.ints(table, 2),
    }));
    return { flat, model, graph, ops };
}

// The custom operators in file order: name, inputs, outputs, options (bytes).
export function customOps(bytes) {
    const { flat, ops } = open(bytes);
    return ops.filter((op) => op.code === CUSTOM).map((op) => {
        const v = flat.vector(op.table, 5);
        return { ...op, options: flat.bytes.subarray(v.at, v.at + v.n) };
    });
}

export function graphOutputs(bytes) {
    const { flat, graph } = open(bytes);
    return flat.ints(graph, 2);
}

// A copy of the file whose graph takes the tensors `inputs`, gives the tensors `outputs`, and has
// just the operators that can be computed from them.
export function cut(bytes, inputs, outputs) {
    const size = (bytes.length + 3) & ~3;
    const copy = new Uint8Array(size + 4 * (inputs.length + outputs.length + 2));
    copy.set(bytes);
    const { flat, model, graph, ops } = open(copy);
    const buffers = flat.tables(model, 4);
    const known = new Set(inputs);
    flat.tables(graph, 0).forEach((t, i) => {
        if (flat.vector(buffers[flat.number(t, 2)], 0).n > 0)
            known.add(i);
    });
    const kept = ops.filter((op) => {
        if (op.code === CUSTOM || op.inputs.some((i) => i >= 0 && !known.has(i)))
            return false;
        op.outputs.forEach((i) => known.add(i));
        return true;
    });
    const list = flat.vector(graph, 3);
    flat.view.setUint32(list.at - 4, kept.length, true);
    kept.forEach((op, i) => {
        flat.view.setUint32(list.at + 4 * i, op.table - (list.at + 4 * i), true);
    });
    let end = size;
    for (const [index, numbers] of [[1, inputs], [2, outputs]]) {
        const at = flat.field(graph, index);
        flat.view.setUint32(at, end - at, true);
        flat.view.setUint32(end, numbers.length, true);
        numbers.forEach((v, i) => flat.view.setInt32(end + 4 + 4 * i, v, true));
        end += 4 + 4 * numbers.length;
    }
    return copy;
}

// The integers under a key of a FlexBuffer map; see tools/flex.h.
export function flexInts(bytes, key) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = (at, width) =>
        width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at, true)
            : view.getUint32(at, true);
    const rootWidth = view.getUint8(bytes.length - 1);
    const width = 1 << (view.getUint8(bytes.length - 2) & 3);
    const root = bytes.length - 2 - rootWidth;
    const map = root - read(root, rootWidth);
    const n = read(map - width, width);
    const keys = map - 3 * width - read(map - 3 * width, width);
    const keyWidth = read(map - 2 * width, width);
    for (let i = 0; i < n; i++) {
        const at = keys + i * keyWidth - read(keys + i * keyWidth, keyWidth);
        const name = Buffer.from(bytes.subarray(at, at + key.length + 1)).toString('latin1');
        if (name !== key + '\0')
            continue;
        const child = 1 << (view.getUint8(map + n * width + i) & 3);
        const v = map + i * width - read(map + i * width, width);
        return Array.from({ length: read(v - child, child) }, (_, k) => read(v + k * child, child));
    }
    throw new Error('no ' + key);
}
