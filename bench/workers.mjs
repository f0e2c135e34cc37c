// SPDX-License-Identifier: MIT
// One long film by one worker, by two, …, each held to a processor of its own: how much faster?
//
//     tests/postgres.sh node bench/workers.mjs build/lipsync node_modules FILM VOICE [WORKERS 2] \
//         [SECONDS_A_PART 15 [FROM 1]]
//
// Prints the seconds of each, and what they are to those of one; the films must be the same.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

import { clip, log, main, over, raw, startServer, startWorker, stopServer }
    from '../tests/e2e/service.mjs';

const [voice, most = 2, part_s = 15, least = 1] = process.argv.slice(5);
const database = ['--database', process.env.LIPSYNC_TEST_DATABASE];

async function post(where, body) {
    return (await raw(where, { method: 'POST', body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' } })).json();
}

async function upload(file, type) {
    const place = await post('/v2/assets/upload', { fileName: file });
    await fetch(place.uploadUrl, { method: 'PUT', body: fs.readFileSync(file) });
    return (await post('/v2/assets', { url: place.url, type })).id;
}

main(async () => {
    await startServer('--jobs', '0', ...database);
    const input = [{ type: 'video', assetId: await upload(clip, 'VIDEO') },
        { type: 'audio', assetId: await upload(voice, 'AUDIO') }];
    let alone = 0, film;
    for (let n = Number(least); n <= Number(most); n++) {
        const workers = [];
        for (let i = 0; i < n; i++) {
            workers.push(startWorker(...database, '--part-seconds', String(part_s)));
            const held = spawnSync('taskset', ['-apc', String(i), String(workers[i].pid)]);
            assert.equal(held.status, 0);
        }
        const begin = Date.now();
        const { id } = await post('/v2/generate', { model: 'lipsync-2', input,
            options: { sync_mode: 'cut_off' } });
        const g = await over(id, 3600);
        assert.equal(g.status, 'COMPLETED', log);
        const took = (Date.now() - begin) / 1000;
        alone ||= took;
        const bytes = Buffer.from(await (await fetch(g.outputUrl)).arrayBuffer());
        film ??= bytes;
        assert.ok(bytes.equals(film), 'another film');
        console.log(`${n} worker(s): ${took.toFixed(1)} s, ${(alone / took).toFixed(2)} x`);
        workers.forEach(w => w.kill('SIGTERM'));
    }
    console.log(log.split('\n').filter(line => / part \d+ of /.test(line)).length,
        'parts by others');
    await stopServer('SIGTERM');
});
