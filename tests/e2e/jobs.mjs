// SPDX-License-Identifier: MIT
// What comes with jobs: webhooks, idempotency, uploads in three steps, batches, keys of several
// organizations, events, estimates.
//
//     jobs.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';

import { FAST, Sync, SyncError, at, base, client, createFromFiles, eventually, key, log, main,
    makeMedia, over, raw, run, seconds, sleep, startServer, stopServer, throws }
    from './service.mjs';

const json = async (where, options = {}) => (await raw(where, { ...options,
    body: options.body && JSON.stringify(options.body) })).json();

// Whoever wants to know that a job is over. The first answer of each address is an error.
const told = [];
const receiver = http.createServer((request, response) => {
    let body = '';
    request.on('data', text => { body += text; });
    request.on('end', () => {
        const again = told.some(t => t.path === request.url);
        told.push({ path: request.url, body, signature: request.headers['sync-signature'] });
        response.statusCode = again ? 200 : 500;
        response.end();
    });
});

// As the documents of Sync verify it.
function verify({ body, signature }, secret) {
    const [, t, v1] = /t=(\d+),v1=(.+)/.exec(signature);
    const message = `${t}.${JSON.stringify(JSON.parse(body))}`;
    assert.equal(crypto.createHmac('sha256', secret).update(message).digest('hex'), v1);
    assert.ok(Math.abs(Date.now() / 1000 - Number(t)) < 60);
    assert.equal(run('python3', '-c', 'import json, sys; sys.stdout.write(json.dumps(json.loads(' +
        'sys.argv[1]), separators=(",", ":")))', body), body, 'Python writes it otherwise');
    return JSON.parse(body);
}

async function webhooks() {
    const hook = `http://127.0.0.1:${receiver.address().port}`;
    const { secret } = await json('/v2/organizations/webhook/secret');
    assert.match(secret, /^whsec_[0-9a-f]{64}$/);
    const files = { model: FAST, options: { sync_mode: 'cut_off', temperature: 0.7,
        note: 'Grüße' } };
    const good = await client().generations.createWithFiles(fs.createReadStream(at('v.mp4')),
        fs.createReadStream(at('a.wav')), { ...files, webhookUrl: `${hook}/good` });
    const bad = await client().generations.createWithFiles(fs.createReadStream(at('broken.mp4')),
        fs.createReadStream(at('a.wav')), { ...files, webhookUrl: `${hook}/bad` });
    assert.equal(good.webhookUrl, `${hook}/good`);
    const done = await over(good.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    assert.equal((await over(bad.id)).status, 'FAILED');
    await eventually(() => told.length >= 4); // each of them twice: the first answer was 500
    const [first, last] = told.filter(t => t.path === '/good');
    assert.equal(first.body, last.body);
    const message = verify(last, secret);
    assert.equal(message.id, good.id);
    assert.equal(message.status, 'COMPLETED');
    assert.equal(message.outputUrl, done.outputUrl);
    assert.equal(message.options.temperature, 0.7);
    const failed = verify(told.find(t => t.path === '/bad'), secret);
    assert.equal(failed.status, 'FAILED');
    assert.equal(failed.error_code, 'generation_input_video_invalid');
    assert.equal(failed.outputUrl, null);
    assert.equal(told.length, 4, 'told more often than needed');
    const anew = await json('/v2/organizations/webhook/secret', { method: 'POST' });
    assert.notEqual(anew.secret, secret);
    return done;
}

// Nobody answers, and the server is killed: the next one tells it. Private addresses are for
// --fetch any only.
async function stubbornHooks(done) {
    const late = http.createServer();
    const heard = [];
    late.on('request', (request, response) => {
        let body = '';
        request.on('data', text => { body += text; });
        request.on('end', () => {
            heard.push({ body, signature: request.headers['sync-signature'] });
            response.end();
        });
    });
    const listen = port => new Promise(ready => late.listen(port, '127.0.0.1', ready));
    await listen(0);
    const { port } = late.address();
    await new Promise(closed => late.close(closed));
    const cancelled = async () => {
        const made = await json('/v2/generate', { method: 'POST', body: { model: FAST,
            input: done.input, webhookUrl: `http://127.0.0.1:${port}/`,
            options: { note: [1.0, 0.70001, 1e21, 'é\u2028'], 7: 1, '-': {} } } });
        assert.equal((await raw(`/v2/generations/${made.id}/cancel`, { method: 'POST' })).status,
            200);
        return made.id;
    };
    const first = await cancelled();
    await eventually(() => log.includes(`${first}: webhook, try 1`));
    await stopServer('SIGKILL');
    await listen(port);
    await startServer();
    await eventually(() => heard.length, 20);
    const { secret } = await json('/v2/organizations/webhook/secret');
    const message = verify(heard[0], secret);
    assert.deepEqual([message.id, message.status, message.error_code, message.outputUrl],
        [first, 'FAILED', 'generation_cancelled', null]);
    await stopServer('SIGTERM');
    await startServer('--fetch', 'public');
    const second = await cancelled();
    await eventually(() => log.includes(`${second}: webhook, try 1`));
    assert.match(log.split(`${second}: webhook, try 1`)[1], /^.* is private/);
    await stopServer('SIGTERM');
    await startServer('--fetch', 'none');
    const shut = await json('/v2/generate', { method: 'POST', body: { model: FAST,
        input: done.input, webhookUrl: `http://127.0.0.1:${port}/` } });
    assert.equal(shut.errorCode, 'plan_feature_unavailable');
    await stopServer('SIGTERM');
    await startServer();
    late.close();
    assert.deepEqual(heard.map(h => JSON.parse(h.body).id).filter(id => id !== second), [first]);
}

async function once(done) {
    const send = (body, once) => raw('/v2/generate', { method: 'POST',
        headers: { 'Idempotency-Key': once }, body: JSON.stringify(body) });
    const wish = { model: FAST, input: done.input, options: { sync_mode: 'cut_off' } };
    const [a, b] = await Promise.all([send(wish, 'order-1'), send(wish, 'order-1')]);
    const made = await a.json();
    assert.equal(a.status, 201);
    assert.equal(b.status, 201);
    assert.equal((await b.json()).id, made.id);
    assert.notEqual((await (await send(wish, 'order-2')).json()).id, made.id);
    const other = await send({ ...wish, options: {} }, 'order-1');
    assert.equal(other.status, 409);
    assert.equal((await other.json()).errorCode, 'IDEMPOTENCY_KEY_CONFLICT');
    for (const bad of ['', 'a b', 'x'.repeat(129)])
        assert.equal((await (await send(wish, bad)).json()).errorCode, 'INVALID_IDEMPOTENCY_KEY');
    const count = (await client().assets.list()).totalCount;
    // Nothing at its beginning and end tells the other film.
    const film = Buffer.concat([fs.readFileSync(at('v.mp4')), Buffer.alloc(3 << 20)]);
    const form = () => {
        const data = new FormData();
        data.append('model', FAST);
        data.append('video', new Blob([film]), 'v.mp4');
        data.append('audio', new Blob([fs.readFileSync(at('a.wav'))]), 'a.wav');
        return raw('/v2/generate', { method: 'POST', body: data,
            headers: { 'Idempotency-Key': 'order-3' } });
    };
    const [one, two] = await Promise.all((await Promise.all([form(), form()])).map(a => a.json()));
    assert.equal(one.id, two.id);
    assert.equal((await client().assets.list()).totalCount, count + 2, 'files kept twice');
    film[film.length - (3 << 19)] = 1;
    assert.equal((await form()).status, 409, 'another film is another request');
    assert.equal((await client().assets.list()).totalCount, count + 2, 'files of a conflict kept');
    for (const g of await client().generations.list({ status: ['PENDING'] }))
        await raw(`/v2/generations/${g.id}/cancel`, { method: 'POST' });
    // The answer comes again, though what the request named is gone.
    await over(one.id);
    for (const item of one.input)
        assert.equal((await raw(`/v2/assets/${item.assetId}`, { method: 'DELETE' })).status, 200);
    film[film.length - (3 << 19)] = 0;
    const again = await (await form()).json();
    assert.deepEqual(again, one);
    const names = { model: FAST, input: one.input };
    const lost = await (await send(names, 'order-4')).json();
    assert.equal(lost.errorCode, 'asset_not_found');
}

// A server that is killed while a form comes in keeps nothing of it.
async function halfForm() {
    const incoming = () => fs.readdirSync(at('data/media')).filter(n => n.startsWith('in-'));
    const count = (await client().assets.list()).totalCount;
    const { hostname, port } = new URL(base);
    const socket = net.connect(port, hostname);
    socket.on('error', () => {});
    socket.write(`POST /v2/generate HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\n` +
        'Content-Type: multipart/form-data; boundary=bb\r\nContent-Length: 9000000\r\n\r\n' +
        '--bb\r\nContent-Disposition: form-data; name="video"; filename="v.mp4"\r\n\r\n');
    socket.write(Buffer.alloc(1000000, 1));
    await eventually(() => incoming().length === 1);
    await stopServer('SIGKILL');
    assert.equal(incoming().length, 1);
    await startServer();
    assert.deepEqual(incoming(), []);
    assert.equal((await client().assets.list()).totalCount, count);
}

// A server is killed at any moment of a request: repeated, it is one generation with its files.
async function killedBetween() {
    const files = () => fs.readdirSync(at('data/media')).filter(name => !name.includes('.'));
    const video = fs.readFileSync(at('broken.mp4')), before = files().length, made = [];
    const send = once => {
        const data = new FormData();
        data.append('model', FAST);
        data.append('video', new Blob([video]), 'v.mp4');
        data.append('audio', new Blob([video]), 'a.wav');
        return raw('/v2/generate', { method: 'POST', body: data,
            headers: { 'Idempotency-Key': once } }).then(answer => answer.json());
    };
    for (let i = 0; i < 12; i++) {
        const first = send(`kill-${i}`).catch(() => ({}));
        await sleep(3 * i);
        await stopServer('SIGKILL');
        await startServer();
        const { id } = await first, again = await send(`kill-${i}`);
        assert.ok(again.id && (!id || id === again.id), `${i}: ${id}, ${again.id}`);
        made.push(again);
    }
    const kept = await client().generations.list({ ids: made.map(g => g.id) });
    assert.equal(kept.length, 12);
    assert.equal(files().length, before + 24);
    for (const g of made)
        for (const { assetId } of g.input)
            assert.deepEqual(fs.readFileSync(at(`data/media/${assetId}`)), video);
}

async function upload(name, type, kind) {
    const bytes = fs.readFileSync(at(name));
    const place = await json('/v2/assets/upload', { method: 'POST', body: { fileName: name,
        contentType: type, size: bytes.length } });
    const early = await raw('/v2/assets', { method: 'POST', body: JSON.stringify({ url: place.url,
        type: kind }) });
    assert.equal((await early.json()).errorCode, 'uploaded_file_not_found');
    const closed = place.uploadUrl.replace(/token=.*/, 'token=x');
    assert.equal((await fetch(closed, { method: 'PUT', body: bytes })).status, 404);
    const sent = await fetch(place.uploadUrl, { method: 'PUT', body: bytes,
        headers: { 'content-type': type } });
    assert.equal(sent.status, 200);
    return json('/v2/assets', { method: 'POST', body: { url: place.url, type: kind } });
}

async function uploads() {
    const video = await upload('v.mp4', 'video/mp4', 'VIDEO');
    const audio = await upload('a.wav', 'audio/wav', 'AUDIO');
    assert.equal(video.name, 'v.mp4');
    assert.equal(video.size, fs.statSync(at('v.mp4')).size);
    const same = Buffer.from(await (await fetch(video.url)).arrayBuffer());
    assert.deepEqual(same, fs.readFileSync(at('v.mp4')));
    const renamed = await json(`/v2/assets/${video.id}`, { method: 'PATCH',
        body: { name: 'interview.mp4' } });
    assert.equal(renamed.name, 'interview.mp4');
    assert.equal((await client().assets.list({ searchQuery: 'interview' })).totalCount, 1);
    const input = [{ type: 'video', assetId: video.id }, { type: 'audio', assetId: audio.id }];
    const made = [0, 1].map(() => client().generations.create({ model: FAST, input,
        options: { sync_mode: 'cut_off' } }));
    const [first, second] = await Promise.all(made);
    const held = await raw(`/v2/assets/${video.id}`, { method: 'DELETE' });
    assert.equal(held.status, 409, 'a job that waits needs it');
    await raw(`/v2/generations/${second.id}/cancel`, { method: 'POST' });
    await over(second.id);
    assert.equal((await over(first.id)).status, 'COMPLETED', log);
    assert.equal((await raw(`/v2/assets/${video.id}`, { method: 'DELETE' })).status, 200);
    await throws(client().assets.get(video.id), Sync.NotFoundError, 404, 'asset_not_found');
    return audio;
}

async function batches(done, audio) {
    const sync = client();
    const video = done.input.find(item => item.type === 'video');
    const line = (id, more = {}) => JSON.stringify({ request_id: id, endpoint: '/v2/generate',
        payload: { model: FAST, input: [video, { type: 'audio', assetId: audio.id }],
            options: { sync_mode: 'cut_off' } }, ...more });
    const file = text => new File([text], 'in.jsonl');
    const dry = await sync.batch.create(file(`${line('a')}\n${line('b')}\n`), { dry_run: 'true' });
    assert.deepEqual(dry, { status: 'VALIDATED' });
    assert.deepEqual(await sync.batch.list(), []);
    for (const [text, code] of [['', 'batch_insufficient_records'], ['{', 'batch_invalid_jsonl'],
        [`${line('a')}\n${line('a')}`, 'batch_duplicate_request_id'],
        [line('a', { endpoint: '/v2/other' }), 'batch_invalid_endpoint'],
        [line('a', { payload: { model: 'none', input: [] } }), 'generation_unsupported_model']])
        await throws(sync.batch.create(file(text), {}), Sync.BadRequestError, 400, code);
    const many = n => file(Array.from({ length: n }, (_, i) => line(`r${i}`)).join('\n'));
    assert.deepEqual(await sync.batch.create(many(1000), { dry_run: 'true' }), dry);
    await throws(sync.batch.create(many(1001), { dry_run: 'true' }), Sync.BadRequestError, 400,
        'batch_file_too_large');
    await throws(sync.batch.create(file(`${' '.repeat(6 << 20)}\n`), {}), SyncError, 413,
        'batch_file_too_large');
    await throws(sync.batch.create(file(line('a')), { webhook_url: 'ftp://x/' }),
        Sync.BadRequestError, 400);
    assert.deepEqual(await sync.batch.list(), []);
    const hook = `http://127.0.0.1:${receiver.address().port}/batch`;
    const broken = { model: FAST, input: [{ type: 'video', url: 'http://127.0.0.1:9/v.mp4' },
        { type: 'audio', assetId: audio.id }] };
    const made = await sync.batch.create(file(`${line('one')}\n\n${line('two', {
        payload: broken })}\n`), { webhook_url: hook });
    assert.equal(made.metrics.total_generations, 2);
    assert.equal(made.outputUrl, '');
    const lone = `${line('x')}\n`, keyed = { headers: { 'Idempotency-Key': 'batch-1' } };
    const [a, b] = await Promise.all([0, 1].map(() =>
        sync.batch.create(file(lone), {}, keyed)));
    assert.equal(a.id, b.id);
    assert.equal((await sync.batch.list()).length, 2);
    await throws(sync.batch.create(file(line('y')), {}, keyed), SyncError, 409,
        'IDEMPOTENCY_KEY_CONFLICT');
    await throws(sync.batch.create(file(lone), {}, { headers: { 'Idempotency-Key': 'a b' } }),
        Sync.BadRequestError, 400, 'INVALID_IDEMPOTENCY_KEY');
    for (let i = 0; i < 600 && (await sync.batch.get(a.id)).status !== 'COMPLETED'; i++)
        await new Promise(next => setTimeout(next, 100));
    let now = made;
    for (let i = 0; i < 600 && now.status !== 'COMPLETED'; i++) {
        await new Promise(next => setTimeout(next, 100));
        now = await sync.batch.get(made.id);
    }
    assert.deepEqual(now.metrics, { total_generations: 2, success_count: 1, failed_count: 1,
        pending_count: 0 });
    const lines = (await (await fetch(now.outputUrl)).text()).trim().split('\n').map(JSON.parse);
    assert.deepEqual(lines.map(l => [l.request_id, l.status]),
        [['one', 'COMPLETED'], ['two', 'FAILED']]);
    assert.equal((await fetch(lines[0].outputUrl)).status, 200);
    assert.equal(lines[1].error_code, 'generation_input_video_inaccessible');
    assert.equal((await fetch(now.outputUrl.replace(/token=.*/, 'token=x'))).status, 404);
    assert.equal((await sync.batch.list({ status: 'COMPLETED' })).length, 2);
    const east = time => new Date(time + 7200000).toISOString().replace('Z', '+02:00');
    const created = Date.parse(made.created_at);
    for (const [created_after, n] of [[created - 1000, 2], [created + 3600000, 0]])
        assert.equal((await sync.batch.list({ created_after: east(created_after) })).length, n);
    assert.equal((await sync.batch.list({ created_before: '2020-01-01T00:00:00Z' })).length, 0);
    await throws(sync.batch.get('nobody'), Sync.NotFoundError, 404, 'batch_not_found');
    await eventually(() => told.filter(t => t.path === '/batch').length === 2);
    const { secret } = await json('/v2/organizations/webhook/secret');
    assert.equal(verify(told.at(-1), secret).id, made.id);
}

// Status and progress as they change, and the whole object at the end.
async function events() {
    const made = await createFromFiles();
    const text = await (await raw(`/v2/generations/${made.id}/events`)).text();
    const parts = text.split('\n\n').filter(part => part.startsWith('event'));
    const last = parts.at(-1).split('\n');
    assert.equal(last[0], 'event: done');
    assert.equal(JSON.parse(last[1].slice(6)).status, 'COMPLETED');
    const seen = parts.slice(0, -1).map(part => JSON.parse(part.split('\n')[1].slice(6)));
    assert.ok(seen.length >= 2 && seen.every(e => e.id === made.id), text);
    assert.ok(seen.every((e, i) => !i || e.progress >= seen[i - 1].progress), text);
}

async function estimates() {
    const body = { model: FAST, duration: 4.2, fps: 25 };
    const got = await json('/v2/generations/estimate', { method: 'POST', body });
    assert.deepEqual(got, { estimatedFrameCount: 105, estimatedGenerationCost: 0,
        estimatedCredits: null });
    const [{ id }] = await client().generations.list({ status: ['COMPLETED'] });
    const costs = await json(`/v2/generate/${id}/costs`);
    assert.deepEqual([costs.generationId, costs.availability, costs.totalCostUsd,
        costs.retryAfterSeconds], [id, 'complete', 0, null]);
    assert.equal((await raw('/v2/generate/nobody/costs')).status, 404);
    assert.equal((await raw('/v2/generate/estimate-cost', { method: 'POST',
        body: JSON.stringify({ ...body, duration: -1 }) })).status, 400);
    const [today] = await json('/v2/usage?days=2');
    assert.ok(today.generations > today.completed && today.completed >= 4 && today.seconds > 5);
    const voices = await raw('/v2/voices');
    assert.ok(voices.status === 404 || (await voices.json()).some(v => v.voiceId === 'de'));
    await speech(voices.status === 404);
    const figures = await (await raw('/metrics')).text();
    assert.match(figures, /lipsync_jobs\{status="COMPLETED"\} \d/);
    assert.match(figures, /lipsync_queue_age_seconds 0\.000\n/);
    assert.match(figures, /lipsync_jobs_last_hour [1-9]/);
    assert.ok(/lipsync_job_seconds_last_hour\{quantile="1"\} (\S+)/.exec(figures)[1] > 0.1);
}

// A text becomes a voice that is an asset like any other.
async function speech(missing) {
    const say = body => raw('/v2/tts', { method: 'POST', body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' } });
    for (const body of [{}, { script: ' ' }, { script: 'a'.repeat(20001) },
        { script: 'a', voiceId: 3 }])
        assert.equal((await say(body)).status, 400);
    const form = new FormData(); // the sound is to be made, not sent
    form.set('script', 'a');
    form.set('audio', new Blob(['RIFF']), 'a.wav');
    assert.equal((await raw('/v2/tts', { method: 'POST', body: form })).status, 400);
    const answer = await say({ script: 'Guten Tag zusammen.', voiceId: 'de', provider: 'any' });
    if (missing)
        return assert.equal(answer.status, 503);
    assert.equal(answer.status, 200);
    const spoken = await answer.json();
    assert.ok(spoken.duration > 0.5 && spoken.duration < 5, JSON.stringify(spoken));
    const sound = await fetch(spoken.url);
    assert.equal(sound.headers.get('content-type'), 'audio/wav');
    fs.writeFileSync(at('spoken.wav'), Buffer.from(await sound.arrayBuffer()));
    assert.ok(Math.abs(seconds(at('spoken.wav')) - spoken.duration) < 0.05);
    const asset = await json(`/v2/assets/${spoken.id}`);
    assert.ok(asset.type === 'AUDIO' && asset.size > 10000 && asset.name === 'speech.wav');
    assert.equal((await raw(`/v2/assets/${spoken.id}`, { method: 'DELETE' })).status, 200);
    assert.equal((await fetch(spoken.url)).status, 404);
}

// What one organization has, another does not see; a revoked key opens nothing.
async function organizations(done) {
    const added = await json('/v2/keys', { method: 'POST', body: { name: 'build' } });
    const listed = await json('/v2/keys');
    assert.deepEqual(listed.map(k => k.name), ['first', 'build']);
    assert.ok(added.key.endsWith(listed[1].hint));
    const as = (who, where, options = {}) => fetch(base + where, { ...options,
        headers: { 'x-api-key': who } });
    assert.equal((await as(added.key, '/v2/models')).status, 200);
    assert.equal((await raw(`/v2/keys/${listed[1].id}`, { method: 'DELETE' })).status, 200);
    assert.equal((await as(added.key, '/v2/models')).status, 401);
    assert.equal((await raw(`/v2/keys/${listed[0].id}`, { method: 'DELETE' })).status, 409);
    const mine = key;
    await stopServer('SIGTERM');
    const said = await startServer('--organization', 'others');
    const theirs = /API key of others, shown this once: (sk-\w+)/.exec(said)[1];
    assert.equal((await as(mine, `/v2/generations/${done.id}`)).status, 200);
    const asset = done.input[0].assetId;
    for (const where of [`/v2/generations/${done.id}`, `/v2/generations/${done.id}/events`,
        `/v2/assets/${asset}`])
        assert.equal((await as(theirs, where)).status, 404, where);
    for (const [where, method] of [[`/v2/generations/${done.id}`, 'DELETE'],
        [`/v2/generations/${done.id}/cancel`, 'POST'], [`/v2/assets/${asset}`, 'DELETE']])
        assert.equal((await as(theirs, where, { method })).status, 404, where);
    assert.deepEqual(await (await as(theirs, '/v2/generations')).json(), []);
    assert.deepEqual(await (await as(theirs, '/v2/batch')).json(), []);
    assert.equal((await (await as(theirs, '/v2/assets')).json()).totalCount, 0);
    assert.equal((await as(mine, `/v2/generations/${done.id}`)).status, 200);
}

main(async () => {
    makeMedia();
    await startServer();
    await new Promise(ready => receiver.listen(0, '127.0.0.1', ready));
    try {
        const done = await webhooks();
        await stubbornHooks(done);
        await once(done);
        await halfForm();
        await killedBetween();
        const audio = await uploads();
        await batches(done, audio);
        await events();
        await estimates();
        await organizations(done);
        assert.equal(await stopServer('SIGTERM'), 0, log);
    } finally {
        receiver.close();
    }
});
