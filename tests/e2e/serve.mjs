// SPDX-License-Identifier: MIT
// `lipsync serve` as a client of Sync meets it: the official SDK, real films, and kill -9.
//
//     serve.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { at, base, children, client, createFromFiles, eventually, FAST, folder, key, lipsync,
    log, main, makeMedia, over, raw, run, seconds, server, sleep, someChild, startServer,
    stopServer, Sync, SyncClient, SyncError, throws } from './service.mjs';

const HUSH = 'of the server alone';
process.env.AWS_SECRET_ACCESS_KEY = HUSH;

// What is asked -----------------------------------------------------------------------------------

async function filesToFilm() {
    const sync = client();
    const made = await createFromFiles();
    assert.match(made.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(made.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(made.status, 'PENDING');
    assert.deepEqual(made.input.map(item => item.type), ['video', 'audio']);
    assert.equal(made.outputUrl, null);
    const removed = await raw(`/v2/generations/${made.id}`, { method: 'DELETE' });
    assert.equal(removed.status, 409);
    assert.equal((await removed.json()).errorCode, 'generation_not_deletable_while_processing');
    const done = await over(made.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    assert.ok(Math.abs(done.outputDuration - 1.6) < 0.1, `${done.outputDuration} s`);
    assert.ok(done.outputUrl.startsWith(base));
    const same = await sync.generations.get(made.id);
    assert.deepEqual(same, done);
    await film(done);
    return done;
}

// The link needs no key, gives ranges, and is closed without its token.
async function film(done) {
    const whole = await fetch(done.outputUrl);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.equal(Number(whole.headers.get('content-length')), bytes.length);
    fs.writeFileSync(at('out.mp4'), bytes);
    assert.ok(Math.abs(seconds(at('out.mp4')) - done.outputDuration) < 0.1);
    const part = await fetch(done.outputUrl, { headers: { range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 10-19/${bytes.length}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
    const last = await fetch(done.outputUrl, { headers: { range: 'bytes=-5' } });
    assert.deepEqual(Buffer.from(await last.arrayBuffer()), bytes.subarray(-5));
    const beyond = { headers: { range: `bytes=${bytes.length}-` } };
    assert.equal((await fetch(done.outputUrl, beyond)).status, 416);
    const closed = done.outputUrl.replace(/token=.{36}/, `token=${done.id}`);
    assert.equal((await fetch(closed)).status, 404);
    assert.equal((await fetch(closed.replace(/\?.*/, ''))).status, 404);
}

async function assets() {
    const sync = client();
    const page = await sync.assets.list({ limit: 1, types: ['VIDEO'] });
    assert.equal(page.items.length, 1);
    assert.equal(page.items[0].name, 'v.mp4');
    assert.equal(page.items[0].size, fs.statSync(at('v.mp4')).size);
    assert.equal(page.totalCount, 1);
    const all = await sync.assets.list({ limit: 1 });
    const next = await sync.assets.list({ limit: 1, cursor: all.nextCursor });
    assert.notEqual(next.items[0].id, all.items[0].id);
    assert.equal(next.nextCursor, undefined);
    assert.deepEqual(await sync.assets.get(page.items[0].id), page.items[0]);
    await throws(sync.assets.get('nobody'), Sync.NotFoundError, 404, 'asset_not_found');
    const audio = (await sync.assets.list({ types: ['AUDIO'] })).items[0];
    return { video: page.items[0], audio };
}

// JSON: an asset and an address (the server's own link), a face by a point, the longer length.
async function addressesToFilm({ video, audio }) {
    const made = await client().generations.create({ model: FAST,
        input: [{ type: 'video', url: video.url }, { type: 'audio', assetId: audio.id }],
        options: { sync_mode: 'silence', unknown_option: 1, active_speaker_detection:
            { frame_number: 3, coordinates: await face() } }, outputFileName: 'my film!' });
    assert.equal(made.outputFileName, 'my_film');
    const done = await over(made.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    assert.ok(Math.abs(done.outputDuration - 2) < 0.1, `${done.outputDuration} s`);
    const head = await fetch(done.outputUrl, { method: 'HEAD' });
    assert.match(head.headers.get('content-disposition'), /filename="my_film\.mp4"/);
    return done;
}

// 1.6 s of voice and 2 s of film; the text is longer than nothing.
async function costs({ video, audio }) {
    const sync = client();
    const rate = Number(run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries',
        'stream=nb_frames', '-of', 'csv=p=0', at('v.mp4'))) / 2;
    for (const [mode, length] of [['cut_off', 1.6], ['silence', 2], ['loop', 1.6]]) {
        const input = [{ type: 'video', assetId: video.id }, { type: 'audio', assetId: audio.id }];
        const [cost] = await sync.generations.estimateCost({ model: FAST, input,
            options: { sync_mode: mode } });
        assert.ok(Math.abs(cost.estimatedFrameCount - length * rate) < 3,
            `${mode}: ${cost.estimatedFrameCount}`);
        assert.equal(cost.estimatedGenerationCost, 0);
    }
    const input = [{ type: 'video', url: 'http://127.0.0.1:9/v' },
        { type: 'audio', assetId: audio.id }];
    await throws(sync.generations.estimateCost({ model: FAST, input }), SyncError, 422,
        'cost_estimate_unavailable');
}

// Both other ways to say whose mouth it is. The film is silent and shows one face.
async function speakers({ video, audio }) {
    const [x, y] = await face();
    const box = [x - 60, y - 60, x + 60, y + 60];
    const input = [{ type: 'video', assetId: video.id }, { type: 'audio', assetId: audio.id }];
    for (const way of [{ auto_detect: true }, { bounding_boxes: [null, ...Array(60).fill(box)] }]) {
        const made = await client().generations.create({ model: FAST, input,
            options: { sync_mode: 'cut_off', active_speaker_detection: way } });
        const done = await over(made.id);
        assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
        const report = JSON.parse(fs.readFileSync(at(`data/media/${made.id}.json`), 'utf8'));
        assert.ok(report.result.edited.frames > 10, JSON.stringify(report.result));
        const gone = await raw(`/v2/generations/${made.id}`, { method: 'DELETE' });
        assert.equal(gone.status, 200);
        assert.ok(!fs.existsSync(at(`data/media/${made.id}.mp4`)));
    }
}

async function face() {
    const found = JSON.parse(run(lipsync, 'faces', at('v.mp4'), '--json', '--progress', 'none'));
    const first = (found.faces ?? found)[0];
    return [first.x, first.y];
}

async function lists(ids) {
    const sync = client();
    const newest = await sync.generations.list();
    assert.deepEqual(newest.slice(0, ids.length).map(g => g.id), [...ids].reverse());
    const some = await sync.generations.list({ status: ['COMPLETED', 'FAILED'], ids: [ids[0]] });
    assert.deepEqual(some.map(g => g.id), [ids[0]]);
    for (const query of ['status=COMPLETED', 'status=COMPLETED,FAILED',
        'status=COMPLETED&status=FAILED', 'status=%5B%22COMPLETED%22%5D']) {
        const found = await (await raw(`/v2/generations?${query}`)).json();
        assert.equal(found.length, ids.length, query);
    }
    assert.deepEqual(await (await raw('/v2/generations?status=PENDING')).json(), []);
    const first = await (await raw('/v2/generations?limit=1')).json();
    const second = await (await raw(`/v2/generations?limit=1&cursor=${first[0].id}`)).json();
    assert.deepEqual([first[0].id, second[0].id], [...ids].reverse().slice(0, 2));
    assert.equal((await raw('/v2/generations?status=SLEEPING')).status, 400);
}

async function errors() {
    const sync = client();
    const input = [{ type: 'video', url: 'http://127.0.0.1:9/v.mp4' },
        { type: 'audio', url: 'http://127.0.0.1:9/a.wav' }];
    await throws(sync.generations.get('nobody'), Sync.NotFoundError, 404, 'generation_not_found');
    await throws(new SyncClient({ baseUrl: base, apiKey: 'sk-wrong' }).models.list(),
        Sync.UnauthorizedError, 401);
    assert.equal((await fetch(`${base}/v2/models`)).status, 401);
    await throws(sync.generations.create({ model: 'lipsync-9', input }), Sync.BadRequestError, 400,
        'generation_unsupported_model');
    await throws(sync.generations.create({ model: FAST, input: [] }), Sync.BadRequestError, 400);
    await throws(sync.generations.create({ model: FAST, input, options: { temperature: 2 } }),
        Sync.BadRequestError, 400);
    await throws(sync.generations.create({ model: FAST, input, dubParams: {} }), SyncError, 422,
        'plan_feature_unavailable');
    await throws(sync.generations.create({ model: FAST, input: [input[0], input[0], input[1]] }),
        Sync.BadRequestError, 400, 'generation_input_too_many_visual');
    const half = await raw('/v2/generate', { method: 'POST', body: '--bb\r\nContent-Disposition: ' +
        'form-data; name="model"\r\n\r\nlips', headers: { 'content-type':
        'multipart/form-data; boundary=bb' } });
    assert.equal(half.status, 400);
    assert.equal((await raw('/v2/generate', { method: 'POST', body: '{"model":' })).status, 400);
    assert.equal((await raw('/v2/generate/x?wait=true&timeout=11')).status, 400);
    const lost = await (await raw('/v2/no/such/route')).json();
    assert.equal(lost.message, 'Cannot GET /v2/no/such/route');
    assert.ok((await (await fetch(`${base}/v2/errors`)).json()).every(e => e.code && e.suggestion));
    assert.deepEqual(await (await fetch(`${base}/health`)).json(), { status: 'ok' });
    assert.equal((await sync.models.list()).length, 5);
}

// Bad media: the job fails with a code; a wrong address, too.
async function failures() {
    const broken = await over((await createFromFiles({}, 'broken.mp4')).id);
    assert.equal(broken.status, 'FAILED');
    assert.equal(broken.errorCode, 'generation_input_video_invalid');
    assert.equal(broken.error_code, broken.errorCode);
    assert.ok(broken.error && !broken.error.includes(folder), broken.error);
    assert.equal(broken.outputUrl, null);
    const gone = await client().generations.create({ model: FAST, input: [{ type: 'video',
        url: 'http://127.0.0.1:9/v.mp4' }, { type: 'audio', url: 'http://127.0.0.1:9/a.wav' }] });
    assert.equal((await over(gone.id)).errorCode, 'generation_input_video_inaccessible');
    for (const id of [broken.id, gone.id])
        assert.equal((await raw(`/v2/generations/${id}`, { method: 'DELETE' })).status, 200);
}

async function cancelled() {
    const made = await createFromFiles();
    const child = await someChild();
    await sleep(100); // until it is a program of its own
    const environment = fs.readFileSync(`/proc/${child}/environ`, 'latin1');
    assert.ok(environment.includes('PATH=') && !environment.includes(HUSH), 'a job knows a secret');
    const answer = await raw(`/v2/generations/${made.id}/cancel`, { method: 'POST' });
    assert.equal(answer.status, 200);
    const done = await over(made.id);
    assert.equal(done.errorCode, 'generation_cancelled');
    assert.deepEqual(children(server.pid), []);
    assert.equal((await raw(`/v2/generations/${made.id}`, { method: 'DELETE' })).status, 200);
}

async function killedChild() {
    const made = await createFromFiles();
    process.kill(await someChild(), 'SIGKILL');
    const done = await over(made.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    await eventually(() => log.includes(`${made.id}, attempt 2: completed`));
    return made.id;
}

async function killedServer() {
    const made = await createFromFiles();
    const child = await someChild();
    await stopServer('SIGKILL');
    for (let i = 0; i < 100 && fs.existsSync(`/proc/${child}`); i++)
        await sleep(50);
    assert.ok(!fs.existsSync(`/proc/${child}`), 'the job outlives its server');
    const said = await startServer();
    assert.ok(!said.includes('sk-'), 'a second first key');
    const done = await over(made.id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    await film({ ...done });
    await eventually(() => log.includes(`${made.id}, attempt 2: completed`));
    await eventually(() => !fs.readdirSync(at('data/work')).length);
    assert.equal(log.split(`${made.id}, attempt 1: completed`).length, 1);
    assert.equal(log.split(`${made.id}, attempt 2: completed`).length, 2);
    return made.id;
}

main(async () => {
    makeMedia();
    const said = await startServer();
    assert.ok(said.includes('sk-'));
    await errors();
    const first = await filesToFilm();
    const files = await assets();
    await costs(files);
    const second = await addressesToFilm(files);
    await speakers(files);
    await lists([first.id, second.id]);
    await failures();
    await cancelled();
    await killedChild();
    await killedServer();
    assert.equal(await stopServer('SIGTERM'), 0, log);
});
