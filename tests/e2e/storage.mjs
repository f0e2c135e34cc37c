// SPDX-License-Identifier: MIT
// A server and a worker that share no folder, only PostgreSQL and an S3 store: s3rver, with a door
// before it that checks the signatures, which s3rver does not.
//
//     storage.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

import { FAST, at, client, createFromFiles, eventually, log, main, makeMedia, modules, over, raw,
    run, seconds, startServer, startWorker, stopServer } from './service.mjs';

const S3rver = createRequire(path.join(modules, 'x.js'))('s3rver');
const database = ['--database', process.env.LIPSYNC_TEST_DATABASE];
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' });
const SECRET = 'S3RVER';
const hmac = (secret, text) => crypto.createHmac('sha256', secret).update(text).digest();
const sha256 = text => crypto.createHash('sha256').update(text).digest('hex');

// AWS Signature Version 4 of a request, as Amazon's documents say.
function signature(request, secret, date, region, names) {
    const day = date.slice(0, 8), scope = `${day}/${region}/s3/aws4_request`;
    const heads = names.split(';').map(n => `${n}:${request.headers[n].trim()}\n`).join('');
    const [place, query = ''] = request.url.split('?');
    const asked = query.split('&').map(q => q && !q.includes('=') ? q + '=' : q).sort().join('&');
    const canonical = [request.method, place, asked, heads, names,
        request.headers['x-amz-content-sha256']].join('\n');
    const signing = [day, region, 's3', 'aws4_request'].reduce(hmac, `AWS4${secret}`);
    return hmac(signing, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n'))
        .toString('hex');
}

let refused = 0, passed = 0;
const inParts = []; // parts that came, by the requests for them
function door(target) {
    return http.createServer((request, response) => {
        const form = new RegExp('Credential=S3RVER/\\d+/([^/]+)/s3/aws4_request, ' +
            'SignedHeaders=([^,]+), Signature=(\\w+)');
        const [, region, names, given] = form.exec(request.headers.authorization) ?? [];
        const date = request.headers['x-amz-date'];
        if (!given || !names.includes('x-amz-content-sha256') ||
            given !== signature(request, SECRET, date, region, names)) {
            refused++;
            response.writeHead(403, { connection: 'close' }).end();
            return;
        }
        passed++;
        const number = /[?&]partNumber=(\d+)/.exec(request.url)?.[1];
        if (number)
            inParts.push(Number(number));
        if (inParts.length === 2 && number) { // once, in the midst of it
            request.resume();
            request.on('end', () => response.writeHead(503).end());
            return;
        }
        request.pipe(http.request({ port: target, host: '127.0.0.1', method: request.method,
            path: request.url, headers: request.headers }, answer => {
            response.writeHead(answer.statusCode, answer.headers);
            answer.pipe(response);
        }).on('error', () => response.destroy()));
    });
}

const kept = () => fs.readdirSync(at('s3/films/mine')).filter(n => n.endsWith('._S3rver_object'))
    .map(n => n.slice(0, 36));
const cached = name => fs.readdirSync(at(name)).filter(n => !n.startsWith('in-'));

// One film by workers that share nothing else: the same bytes as by one, and nothing stays behind.
async function parts(where) {
    run('ffmpeg', '-v', 'error', '-stream_loop', '-1', '-i', at('v.mp4'), '-t', '40', '-preset',
        'veryfast', at('long.mp4'));
    run('ffmpeg', '-v', 'error', '-stream_loop', '-1', '-i', at('a.wav'), '-t', '40',
        at('long.wav'));
    const before = new Set(kept());
    const made = await client().generations.createWithFiles(fs.createReadStream(at('long.mp4')),
        fs.createReadStream(at('long.wav')), { model: FAST, options: {
            active_speaker_detection: { auto_detect: true } } });
    let workers = [startWorker('--data', at('alone'), ...where, '--part-seconds', '0')];
    const alone = await over(made.id);
    assert.equal(alone.status, 'COMPLETED', `${alone.error}: ${log}`);
    workers[0].kill('SIGTERM');
    const again = await client().generations.create({ model: FAST, input: alone.input, options: {
        active_speaker_detection: { auto_detect: true } } });
    workers = [1, 2].map(n => startWorker('--data', at(`worker${n}`), ...where, '--part-seconds',
        '10'));
    const together = await over(again.id);
    assert.equal(together.status, 'COMPLETED', `${together.error}: ${log}`);
    workers.forEach(w => w.kill('SIGTERM'));
    const done = what => log.split(`${again.id}, attempt 1: ${what} part `).slice(1)
        .filter(t => /^\d+ of 4: done/.test(t)).length;
    assert.ok(done('look at') + done('draw') >= 2 && done('draw') >= 1, log);
    const bytes = async g => Buffer.from(await (await fetch(g.outputUrl)).arrayBuffer());
    assert.ok((await bytes(alone)).equals(await bytes(together)), 'another film');
    await eventually(() => kept().filter(name => !before.has(name)).length === 6, 20); // films,
    // reports, inputs
    console.log(`two workers with an S3 store alone, the same bytes: ${done('look at')} of 4 parts `
        + `looked at by the other, ${done('draw')} drawn`);
}

// A file of 160 MiB: the film with nothing much behind it.
async function large() {
    const box = Buffer.alloc(160 << 20, 'nothing ');
    box.writeUInt32BE(box.length, 0);
    box.write('free', 4);
    fs.writeFileSync(at('large.mp4'), Buffer.concat([fs.readFileSync(at('v.mp4')), box]));
    const json = (where, body) => raw(where, { method: 'POST', body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' } }).then(answer => answer.json());
    const place = await json('/v2/assets/upload', { fileName: 'large.mp4' });
    const sent = fs.readFileSync(at('large.mp4'));
    assert.equal((await fetch(place.uploadUrl, { method: 'PUT', body: sent })).status, 200);
    const asset = await json('/v2/assets', { url: place.url, type: 'VIDEO' });
    assert.ok(kept().includes(asset.id), log);
    assert.deepEqual(inParts, [1, 2, 2, 3]); // the second one came again
    assert.ok(fs.readFileSync(at(`s3/films/mine/${asset.id}._S3rver_object`)).equals(sent));
    assert.equal((await raw(`/v2/assets/${asset.id}`, { method: 'DELETE' })).status, 200);
}

main(async () => {
    makeMedia();
    const store = new S3rver({ port: 0, address: '127.0.0.1', directory: at('s3'), silent: true,
        configureBuckets: [{ name: 'films' }] });
    const guard = door((await store.run()).port);
    await new Promise(ready => guard.listen(0, '127.0.0.1', ready));
    const { port } = guard.address();
    const storage = ['--storage', 's3://films/mine', '--storage-endpoint',
        `http://127.0.0.1:${port}`];
    await startServer('--jobs', '0', ...database, ...storage);
    const worker = startWorker('--data', at('elsewhere'), ...database, ...storage);
    const made = await createFromFiles();
    const done = await over(made.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    assert.ok(!fs.existsSync(at(`data/media/${done.id}.mp4`)), 'the folders are apart');
    assert.ok(kept().includes(done.id));
    const film = Buffer.from(await (await fetch(done.outputUrl)).arrayBuffer());
    fs.writeFileSync(at('out.mp4'), film);
    assert.ok(Math.abs(seconds(at('out.mp4')) - 1.6) < 0.1);
    const part = await fetch(done.outputUrl, { headers: { range: 'bytes=10-19' } });
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), film.subarray(10, 20));
    assert.equal((await raw(`/v2/generations/${done.id}/report`)).status, 200);

    // What the cache has lost comes again.
    for (const name of cached('data/media'))
        fs.unlinkSync(at(`data/media/${name}`));
    const { items } = await client().assets.list();
    const video = items.find(a => a.type === 'VIDEO');
    assert.deepEqual(Buffer.from(await (await fetch(video.url)).arrayBuffer()),
        fs.readFileSync(at('v.mp4')));
    const again = await client().generations.create({ model: FAST, input: done.input,
        options: { sync_mode: 'cut_off' } });
    assert.equal((await over(again.id)).status, 'COMPLETED', log);

    // What is removed is removed there, too.
    assert.equal((await raw(`/v2/generations/${done.id}`, { method: 'DELETE' })).status, 200);
    assert.equal((await raw(`/v2/assets/${video.id}`, { method: 'DELETE' })).status, 200);
    assert.ok(!kept().includes(done.id) && !kept().includes(video.id));

    await large();
    worker.kill('SIGTERM');
    await parts([...database, ...storage]);
    assert.ok(passed >= 10 && !refused, `${passed} requests, ${refused} badly signed`);

    // A store that refuses is said so.
    assert.equal(await stopServer('SIGTERM'), 0, log);
    process.env.AWS_SECRET_ACCESS_KEY = 'another';
    await startServer('--jobs', '0', ...database, ...storage);
    const lost = await fetch((await client().generations.get(again.id)).outputUrl);
    assert.equal(lost.status, 500);
    assert.equal((await lost.json()).errorCode, 'generation_infra_storage_error');
    assert.ok(refused, 'the door lets everybody in');
    assert.equal(await stopServer('SIGTERM'), 0, log);
    guard.close();
    await store.close();
});
