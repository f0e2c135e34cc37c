// SPDX-License-Identifier: MIT
// What can be sent and asked for, with the official SDK: every kind of file and form, every
// sync_mode, whose mouth, where, from what; and many at a time.
//
//     wishes.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';

import { FAST, Sync, SyncClient, at, base, client, lipsync, log, main, makeMedia, over, raw, run,
    seconds, startServer, stopServer, throws } from './service.mjs';

const FILM_S = 2, SHORT_S = 1.6, LONG_S = 3.2, LARGE_BYTES = 64 << 20;
const report = id => JSON.parse(fs.readFileSync(at(`data/media/${id}.json`), 'utf8'));
const bytes = name => fs.readFileSync(at(name));

async function completed(made) {
    const done = await over((await made).id);
    assert.equal(done.status, 'COMPLETED', `${done.error}: ${log}`);
    return done;
}

function makeMore() {
    run('ffmpeg', '-v', 'error', '-stream_loop', '1', '-i', at('a.wav'), at('long.wav'));
    run('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=320x240:r=25:d=2',
        at('bars.mp4'));
    // A box that players skip makes a film as large as it should be.
    const film = bytes('v.mp4'), box = Buffer.alloc(LARGE_BYTES - film.length);
    box.writeUInt32BE(box.length);
    box.write('free', 4);
    fs.writeFileSync(at('large.mp4'), Buffer.concat([film, box]));
}

// Streams, File, Blob, a file beside an address, a file instead of one.
async function files() {
    const sync = client();
    const rest = { model: FAST, options: { sync_mode: 'cut_off' } };
    const streams = await sync.generations.createWithFiles(fs.createReadStream(at('v.mp4')),
        fs.createReadStream(at('a.wav')), rest);
    const [video, audio] = streams.input;
    const named = await sync.generations.createWithFiles(
        new File([bytes('v.mp4')], 'clip.mp4', { type: 'video/mp4' }),
        new File([bytes('a.wav')], 'Grüße.wav', { type: 'audio/wav' }), rest);
    const blobs = await sync.generations.createWithFiles(new Blob([bytes('v.mp4')]),
        new Blob([bytes('a.wav')]), rest);
    const names = [named, blobs].map(g => g.input.map(item => sync.assets.get(item.assetId)));
    assert.deepEqual((await Promise.all(names.flat())).map(a => a.name),
        ['clip.mp4', 'Grüße.wav', 'blob', 'blob']);
    const { url } = await sync.assets.get(audio.assetId);
    const mixed = await sync.generations.createWithFiles(fs.createReadStream(at('v.mp4')),
        undefined, { ...rest, input: [{ type: 'audio', url, refId: 'r' }] });
    assert.deepEqual(mixed.input[1], { type: 'audio', url, refId: 'r' });
    const instead = await sync.generations.createWithFiles(fs.createReadStream(at('v.mp4')),
        undefined, { ...rest, input: [{ type: 'video', url: 'http://127.0.0.1:9/v.mp4' },
            { type: 'audio', url }] });
    assert.equal(instead.input[0].url, undefined);
    for (const made of [streams, named, blobs, mixed, instead])
        await completed(made);
    return [video, audio];
}

// Fields before, between and behind files; input as one array; a stranger's part.
async function forms() {
    const options = ['options', '{"sync_mode":"cut_off"}'], model = ['model', FAST];
    const video = ['video', new Blob([bytes('v.mp4')]), 'v.mp4'];
    const audio = ['audio', new Blob([bytes('a.wav')]), 'a.wav'];
    for (const parts of [[model, options, video, audio], [video, audio, options, model],
        [audio, model, ['thing', new Blob(['x']), 'x'], video, options]]) {
        const form = new FormData();
        for (const part of parts)
            form.append(...part);
        const answer = await raw('/v2/generate', { method: 'POST', body: form });
        assert.equal(answer.status, 201);
        const done = await completed(answer.json());
        assert.ok(Math.abs(done.outputDuration - SHORT_S) < 0.1);
    }
}

async function large() {
    const begin = Date.now();
    const made = await client().generations.createWithFiles(
        fs.createReadStream(at('large.mp4')), fs.createReadStream(at('a.wav')), { model: FAST });
    assert.ok(Date.now() - begin < 30000);
    const asset = await client().assets.get(made.input[0].assetId);
    assert.equal(asset.size, LARGE_BYTES);
    await completed(made);
    // An error is heard also by who is not at the end of sending yet.
    const wrong = new SyncClient({ baseUrl: base, apiKey: 'sk-wrong' });
    await throws(wrong.generations.createWithFiles(fs.createReadStream(at('large.mp4')),
        fs.createReadStream(at('large.mp4')), { model: FAST }), Sync.UnauthorizedError, 401);
}

async function syncModes([video, short]) {
    const long = (await client().generations.createWithFiles(undefined,
        fs.createReadStream(at('long.wav')), { model: FAST, input: [video] })).input
        .find(item => item.type === 'audio');
    const longest = { bounce: LONG_S, loop: LONG_S, remap: LONG_S, cut_off: FILM_S,
        silence: LONG_S };
    const least = { bounce: SHORT_S, loop: SHORT_S, remap: SHORT_S, cut_off: SHORT_S,
        silence: FILM_S };
    for (const [audio, lengths] of [[long, longest], [short, least]])
        for (const [sync_mode, length] of Object.entries(lengths)) {
            const done = await completed(client().generations.create({ model: FAST,
                input: [video, audio], options: { sync_mode } }));
            assert.ok(Math.abs(done.outputDuration - length) < 0.1,
                `${sync_mode}: ${done.outputDuration}`);
            const film = await (await fetch(done.outputUrl)).arrayBuffer();
            fs.writeFileSync(at('mode.mp4'), Buffer.from(film));
            assert.ok(Math.abs(seconds(at('mode.mp4')) - length) < 0.1, sync_mode);
        }
}

// Only there is the mouth another; the film is as long as it was.
async function ranges([video, audio]) {
    const rate = Number(run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries',
        'stream=nb_frames', '-of', 'csv=p=0', at('v.mp4'))) / FILM_S;
    for (const range of [{ segments_secs: [[0.2, 0.6], [1, 1.4]] }, { segments_frames:
        [[0.2, 0.6], [1, 1.4]].map(r => r.map(s => Math.round(s * rate))) }]) {
        const done = await completed(client().generations.create({ model: FAST,
            input: [{ ...video, ...range }, audio] }));
        assert.ok(Math.abs(done.outputDuration - FILM_S) < 0.1, `${done.outputDuration}`);
        const { edited, outside } = report(done.id).result;
        assert.ok(edited.frames > 0.3 * rate && edited.frames <= 0.8 * rate + 2);
        assert.ok(outside.frames > rate, JSON.stringify(outside));
        for (const r of edited.ranges)
            assert.ok((r.from_s > 0.1 && r.to_s < 0.7) || (r.from_s > 0.9 && r.to_s < 1.5));
    }
    await throws(client().generations.create({ model: FAST, input: [{ ...video,
        segments_secs: [[1, 0.5]] }, audio] }), Sync.BadRequestError, 400,
    'generation_input_segments_invalid');
}

// Boxes of a file: the face, nobody, no file, no boxes.
async function boxes([video, audio]) {
    const found = JSON.parse(run(lipsync, 'faces', at('v.mp4'), '--json', '--progress', 'none'));
    const { x, y } = (found.faces ?? found)[0];
    const list = [null, null, ...Array(58).fill([x - 60, y - 60, x + 60, y + 60])];
    const answers = { '/face': JSON.stringify({ bounding_boxes: list }), '/none': '{"boxes":[]}' };
    const shelf = http.createServer((request, response) => {
        response.statusCode = answers[request.url] ? 200 : 404;
        response.end(answers[request.url]);
    });
    await new Promise(ready => shelf.listen(0, '127.0.0.1', ready));
    const ask = where => client().generations.create({ model: FAST, input: [video, audio],
        options: { sync_mode: 'cut_off', active_speaker_detection: {
            bounding_boxes_url: `http://127.0.0.1:${shelf.address().port}${where}` } } });
    const done = await completed(ask('/face'));
    assert.ok(report(done.id).result.edited.frames > 10, JSON.stringify(report(done.id).result));
    for (const where of ['/none', '/lost']) {
        const failed = await over((await ask(where)).id);
        assert.equal(failed.errorCode, 'generation_input_face_selection_invalid');
        assert.ok(failed.error && failed.outputUrl === null);
    }
    shelf.close();
}

// auto_detect with two faces and a sound that is neither's: nobody is dubbed, and the report says
// why; without it the largest face is.
async function twoFaces() {
    run('ffmpeg', '-v', 'error', '-i', at('v.mp4'), '-i', at('a.wav'), '-filter_complex',
        '[0:v]split[a][b];[b]reverse[c];[a][c]hstack', '-map', '1:a', '-shortest', '-c:v',
        'libx264', '-crf', '20', at('two.mp4'));
    const film = options => completed(client().generations.createWithFiles(
        fs.createReadStream(at('two.mp4')), fs.createReadStream(at('a.wav')),
        { model: FAST, options }));
    const made = await film({ active_speaker_detection: { auto_detect: true } });
    const auto = report(made.id).result;
    assert.equal(auto.edited.frames, 0);
    assert.ok(auto.declined.not_speaking.frames > 30, JSON.stringify(auto.declined));
    assert.ok(report((await film({})).id).result.edited.frames > 10);
}

// No face: the film comes out as it was, and the report says so. No picture at all, no sound.
async function nothingToDo([video]) {
    const sync = client();
    const bars = await completed(sync.generations.createWithFiles(
        fs.createReadStream(at('bars.mp4')), fs.createReadStream(at('a.wav')), { model: FAST }));
    const { edited, declined } = report(bars.id).result;
    assert.equal(edited.frames, 0);
    assert.ok(declined.no_face.frames > 30);
    const pointed = await over((await sync.generations.create({ model: FAST,
        input: bars.input, options: { active_speaker_detection: { frame_number: 0,
            coordinates: [10, 10] } } })).id);
    assert.equal(pointed.errorCode, 'generation_input_face_selection_invalid');
    for (const [seen, heard, code] of [['a.wav', 'a.wav', 'generation_input_video_invalid'],
        ['v.mp4', 'bars.mp4', 'generation_input_audio_invalid']]) {
        const failed = await over((await sync.generations.createWithFiles(
            fs.createReadStream(at(seen)), fs.createReadStream(at(heard)), { model: FAST })).id);
        assert.deepEqual([failed.status, failed.error_code, failed.errorCode, failed.outputUrl],
            ['FAILED', code, code, null]);
        assert.ok(failed.error);
    }
    await throws(sync.generations.create({ model: FAST, input: [video, video] }),
        Sync.BadRequestError, 400, 'generation_input_too_many_visual');
}

// An image (sync-3), two voices in segments.
async function others([video, audio]) {
    const form = new FormData();
    form.append('model', 'sync-3');
    form.append('image', new Blob([bytes('face.png')]), 'face.png');
    form.append('input', JSON.stringify([audio]));
    const answer = await raw('/v2/generate', { method: 'POST', body: form });
    const still = await completed(answer.json());
    assert.ok(Math.abs(still.outputDuration - SHORT_S) < 0.1, `${still.outputDuration}`);
    assert.ok(report(still.id).result.edited.frames > 10);
    const two = await completed(client().generations.create({ model: 'lipsync-2',
        input: [video, { ...audio, refId: 'a' }, { ...audio, refId: 'b' }], segments: [
            { startTime: 0, endTime: 0.8, audioInput: { refId: 'a', startTime: 0, endTime: 0.8 } },
            { startTime: 1, endTime: 1.6, audioInput: { refId: 'b', startTime: 0.5, endTime: 1.1 },
                optionsOverride: { sync_mode: 'cut_off' } }] }));
    assert.ok(Math.abs(two.outputDuration - FILM_S) < 0.15, `${two.outputDuration}`);
    assert.equal(report(two.id).segments.length, 2);
}

// Everything waits in the queue: no 429, no 5xx, an answer at once.
async function crowd() {
    const sync = client();
    let slowest = 0;
    const one = async () => {
        const begin = Date.now();
        const made = await sync.generations.createWithFiles(fs.createReadStream(at('v.mp4')),
            fs.createReadStream(at('a.wav')), { model: FAST }, { maxRetries: 0 });
        slowest = Math.max(slowest, Date.now() - begin);
        return made.id;
    };
    const ids = await Promise.all(Array.from({ length: 60 }, one));
    assert.equal(new Set(ids).size, 60);
    assert.ok(slowest < 20000, `${slowest} ms`);
    const waiting = await (await raw('/v2/generations/count?status=PENDING,PROCESSING')).json();
    assert.ok(waiting.count > 50, `${waiting.count}`);
    const figures = await (await raw('/metrics')).text();
    assert.ok(/\nlipsync_queue_age_seconds (\S+)/.exec(figures)[1] > 0);
    await Promise.all(ids.map(id => raw(`/v2/generations/${id}/cancel`, { method: 'POST' })));
    for (const id of ids)
        assert.ok(['COMPLETED', 'FAILED'].includes((await over(id)).status));
}

main(async () => {
    makeMedia();
    makeMore();
    await startServer();
    const input = await files();
    await forms();
    await large();
    await syncModes(input);
    await ranges(input);
    await boxes(input);
    await twoFaces();
    await nothingToDo(input);
    await others(input);
    await crowd();
    assert.equal(await stopServer('SIGTERM'), 0, log);
});
