// SPDX-License-Identifier: MIT
// What strangers send: slow, broken, huge, crooked. Each gets a clear refusal or a failed job with
// a code, and the server neither ends nor grows.
//
//     hostile.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
//
// LIPSYNC_HOSTILE_FILES (24) is how many damaged films are tried.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import zlib from 'node:zlib';

import { FAST, at, base, client, key, log, main, makeMedia, over, raw, run, server, sleep,
    startServer, stopServer } from './service.mjs';

const FILES = Number(process.env.LIPSYNC_HOSTILE_FILES ?? 24);
let seed = 1;
function random(n) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor(seed / 65536) % n;
}

const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(
    `/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;
const healthy = async () => assert.equal((await fetch(`${base}/health`)).status, 200);

// The whole answer to some bytes, or '' when the server closes without one.
function talk(bytes, { wait = 5000 } = {}) {
    return new Promise(done => {
        const socket = net.connect(new URL(base).port, '127.0.0.1');
        let text = '';
        const end = () => { clearTimeout(timer); socket.destroy(); done(text); };
        const timer = setTimeout(end, wait);
        socket.on('data', part => { text += part.toString('latin1'); });
        socket.on('close', end);
        socket.on('error', end);
        socket.write(bytes, 'latin1');
    });
}

const head = (more = '', path = '/v2/generate', method = 'POST') => `${method} ${path} ` +
    `HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\nConnection: close\r\n${more}\r\n`;

async function refused(answer, name) {
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
    assert.ok(status >= 400 && status < 500, `${name}: ${answer.slice(0, 200)}`);
    await healthy();
}

// Connections that say next to nothing, for as long as they like.
async function slow() {
    const sockets = Array.from({ length: 150 }, (_, i) => {
        const socket = net.connect(new URL(base).port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(i % 2 ? 'POST /v2/gen' : head('Content-Type: multipart/form-data; ' +
            'boundary=bb\r\nContent-Length: 1000000\r\n') + '--bb\r\nContent-Disp');
        return socket;
    });
    for (let i = 0; i < 5; i++) {
        const begin = Date.now();
        await healthy();
        assert.ok(Date.now() - begin < 1000, 'slow clients hold up the others');
        sockets.forEach(s => s.write('x'));
        await sleep(100);
    }
    sockets.forEach(s => s.destroy());
}

const part = (name, text, file) => `--bb\r\nContent-Disposition: form-data; name="${name}"` +
    `${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n${text}\r\n`;
const form = body => talk(head('Content-Type: multipart/form-data; boundary=bb\r\n' +
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n`) + body);
const json = body => talk(head('Content-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n`) + body);

async function brokenForms() {
    const good = part('model', FAST);
    const cases = { empty: '', 'no end': good, 'no boundary': 'hello',
        'only ends': '--bb--\r\n--bb--',
        'part without a name': '--bb\r\nContent-Disposition: form-data\r\n\r\nx\r\n--bb--\r\n',
        'header without an end': '--bb\r\nContent-Disposition: form-data; name="model',
        'bytes in names': part('\x00\xff"', 'x') + '--bb--\r\n',
        'many fields': Array.from({ length: 40 }, (_, i) => part(`f${i}`, 'x')).join('') +
            '--bb--\r\n',
        'large field': part('options', 'x'.repeat(1200000)) + '--bb--\r\n',
        'empty file': good + part('video', '', 'v.mp4') + '--bb--\r\n',
        'two films': good + part('video', 'x', 'v.mp4') + part('video', 'y', 'w.mp4') +
            '--bb--\r\n',
        'options of no JSON': good + part('options', '{') + '--bb--\r\n' };
    for (const [name, body] of Object.entries(cases))
        await refused(await form(body), name);
    await refused(await talk(head('Content-Type: multipart/form-data\r\nContent-Length: 0\r\n')),
        'no boundary in the head');
    await refused(await talk(head('Content-Type: multipart/form-data; boundary=' +
        `${'b'.repeat(500)}\r\nContent-Length: 2\r\n`) + 'xx'), 'a boundary of 500 letters');
}

async function brokenJson() {
    const wish = more => JSON.stringify({ model: FAST, input: [{ type: 'video', url: 'http://x/v' },
        { type: 'audio', url: 'http://x/a' }], ...more });
    const cases = { deep: '['.repeat(100000), 'deep objects': '{"a":'.repeat(50000),
        'huge numbers': wish({ options: { temperature: 1 } }).replace(':1}', ':1e999}'),
        'no object': '3', 'bytes': '\xff\xfe{}', 'null byte': '{"model":"a\\u0000b"}',
        'wrong types': '{"model":{},"input":"x","options":[],"segments":1}',
        'a million items': `{"model":"${FAST}","input":[${'{},'.repeat(300000)}{}]}`,
        'a long address': wish({ webhookUrl: `http://x/${'y'.repeat(9000)}` }),
        'overlapping segments': wish({ segments: [{ startTime: 0, endTime: 2, audioInput: {} },
            { startTime: 1, endTime: 3, audioInput: {} }] }),
        'an early time': wish({ segments: [{ startTime: -1e308, endTime: 1 }] }) };
    for (const [name, body] of Object.entries(cases))
        await refused(await json(body), name);
    await refused(await json(`{"x":"${'y'.repeat(17 << 20)}"}`), 'seventeen megabytes');
}

async function crookedRequests() {
    const many = Array.from({ length: 3000 }, (_, i) => `a${i}=b`).join('&');
    for (const path of ['/v2/generations?limit=-1', '/v2/generations?limit=1e9',
        '/v2/assets?cursor=-5', '/v2/assets?cursor=99999999999999',
        '/v2/assets?sortBy=%27%3B--', '/v2/generate/%2e%2e%2f%2e%2e', '/v2/generate/..%2f..%2fetc',
        '/studio/../lipsync.db', '/studio/%2e%2e%2flipsync.db', '/v2/assets/x/content?token=',
        `/v2/generations?ids=${'x,'.repeat(1200)}`, '/v2/usage?days=0', '/v2/batch/%27', '//',
        '/%'])
        await refused(await talk(head('', path, 'GET')), path);
    for (const path of [`/v2/models?${many}`, '/v2/generations?status=%00&ids=%ff'])
        await talk(head('', path, 'GET')); // taken or refused, but over
    await healthy();
    for (const bytes of ['\x00\x01\x02\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n',
        `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(5000)}\r\n`, head('Content-Length: -5\r\n'),
        head('Content-Length: 99999999999999999999\r\n'), head('Transfer-Encoding: chunked\r\n') +
            'zz\r\n']) {
        await talk(bytes, { wait: 500 });
        await healthy();
    }
}

// Names are names, and files lie where they are meant to.
async function crookedNames() {
    const before = fs.readdirSync(at('')).sort();
    for (const name of ['../../../etc/passwd', '..\\..\\boot.ini', '/etc/shadow', 'a\\"b', '.',
        '..', 'x'.repeat(5000), 'caf\xc3\xa9.mp4', '\xff\xff', 'a\tb'])
        await form(part('model', FAST) + part('video', 'no film', name) +
            part('audio', 'no sound', name) + '--bb--\r\n');
    const { items } = await client().assets.list({ limit: 100 });
    assert.ok(items.length >= 16, `${items.length}`);
    assert.ok(items.every(a => a.name && !/[/\\]/.test(a.name) && a.name.length <= 200),
        JSON.stringify(items.map(a => a.name)));
    assert.deepEqual(fs.readdirSync(at('')).sort(), before);
    assert.ok(fs.readdirSync(at('data/media')).every(n => /^(in-)?[0-9a-f-]{36}/.test(n)));
    const wish = await client().generations.create({ model: FAST, input: [{ type: 'video',
        assetId: items.find(a => a.type === 'VIDEO').id }, { type: 'audio',
        assetId: items.find(a => a.type === 'AUDIO').id }], outputFileName: '../a"\r\nX: y' });
    assert.equal(wish.outputFileName, 'aX_y');
}

function png(width, height) { // of one colour: megabytes from a few kilobytes
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]), out = Buffer.alloc(8);
        out.writeUInt32BE(data.length);
        out.writeUInt32BE(zlib.crc32 ? zlib.crc32(body) : 0, 4);
        return Buffer.concat([out.subarray(0, 4), body, out.subarray(4)]);
    };
    const size = Buffer.alloc(13);
    size.writeUInt32BE(width);
    size.writeUInt32BE(height, 4);
    size.set([1, 0, 0, 0, 0], 8);
    const rows = zlib.deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))));
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', size),
        chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

async function submit(film, field = 'video', model = FAST) {
    const data = new FormData();
    data.append('model', model);
    data.append(field, new Blob([film]), 'film');
    data.append('audio', new Blob([fs.readFileSync(at('a.wav'))]), 'a.wav');
    const answer = await raw('/v2/generate', { method: 'POST', body: data });
    assert.equal(answer.status, 201);
    return (await answer.json()).id;
}

const settled = (g, name) => assert.ok(g.status === 'COMPLETED' || (g.errorCode && g.error &&
    g.errorCode !== 'generation_pipeline_failed'), `${name}: ${JSON.stringify(g)}\n${log}`);

async function bombs() {
    run('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'color=s=16000x16000:d=0.04:r=25', '-c:v',
        'png', '-f', 'nut', at('large.nut'));
    run('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'anullsrc=d=36000:r=8000:cl=mono', '-c:a',
        'flac', at('long.flac'));
    const image = await submit(png(60000, 60000), 'image', 'sync-3');
    const large = await submit(fs.readFileSync(at('large.nut')));
    const silent = await submit(fs.readFileSync(at('long.flac')));
    for (const [name, id] of Object.entries({ image, large, silent }))
        settled(await over(id), name);
}

// Films with some bytes changed, cut out, or cut off.
async function damaged() {
    const film = fs.readFileSync(at('v.mp4')), ids = [];
    for (let i = 0; i < FILES; i++) {
        let bytes = Buffer.from(film);
        const n = [1, 20, 400][i % 3];
        for (let k = 0; k < n; k++)
            bytes[random(i % 4 ? bytes.length : 2000)] = random(256);
        if (i % 5 === 4)
            bytes = bytes.subarray(0, random(bytes.length));
        if (i % 7 === 6)
            bytes = Buffer.concat([bytes.subarray(0, random(3000)), bytes.subarray(5000)]);
        ids.push(await submit(bytes));
    }
    const ended = { COMPLETED: 0, FAILED: 0 };
    for (const [i, id] of ids.entries()) {
        const g = await over(id);
        settled(g, `damaged film ${i}`);
        ended[g.status]++;
    }
    console.log(`${FILES} damaged films:`, ended);
}

main(async () => {
    makeMedia();
    await startServer('--jobs', '2', '--job-memory-mb', '4096');
    await healthy();
    await brokenForms();
    const before = memory();
    await slow();
    await brokenForms();
    await brokenJson();
    await crookedRequests();
    await crookedNames();
    await bombs();
    await damaged();
    await healthy();
    const after = memory();
    console.log(`memory of the server: ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
    assert.ok(after < before + 60, 'it has grown');
    assert.equal(await stopServer('SIGTERM'), 0, log);
});
