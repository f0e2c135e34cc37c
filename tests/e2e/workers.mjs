// SPDX-License-Identifier: MIT
// A server and workers that share PostgreSQL and a folder, while all of them are killed at random
// moments: every job is done, none of them twice, and each outcome is told.
//
//     workers.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
//
// LIPSYNC_KILL_JOBS (8) is how many jobs there are, LIPSYNC_KILL_SEED (1) what the moments hang on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';

import { FAST, FINAL, at, children, client, eventually, log, main, makeMedia, over, raw, run,
    sleep, startServer, startWorker, stopServer } from './service.mjs';

const database = ['--database', process.env.LIPSYNC_TEST_DATABASE];
const JOBS = Number(process.env.LIPSYNC_KILL_JOBS ?? 8);
let seed = Number(process.env.LIPSYNC_KILL_SEED ?? 1);

// A linear congruence: the same moments for the same seed.
function random(n) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor(seed / 65536) % n;
}

const told = new Map();
const receiver = http.createServer((request, response) => {
    let body = '';
    request.on('data', text => { body += text; });
    request.on('end', () => {
        const { id, status } = JSON.parse(body);
        told.set(id, new Set([...(told.get(id) ?? []), status]));
        response.end();
    });
});

const serving = () => startServer('--jobs', '0', ...database);
const workers = [];

async function killSomebody() {
    const what = ['worker', 'job', 'job', 'worker', 'server'][random(5)];
    const i = random(workers.length);
    if (what === 'server') {
        await stopServer('SIGKILL');
        await serving();
    } else if (what === 'worker') {
        workers[i].kill('SIGKILL');
        workers[i] = startWorker(...database);
    } else {
        const [child] = children(workers[i].pid);
        if (child)
            process.kill(child, 'SIGKILL');
        return child ? 'job' : 'nobody';
    }
    return what;
}

// One film looked at and drawn in parts by three workers: the same bytes as by one.
async function parts() {
    run('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i',
        "aevalsrc='0.4*sin(2*PI*140*t)*gt(sin(2*PI*3*t),0)':s=44100:d=48", at('long.wav'));
    run('ffmpeg', '-v', 'error', '-stream_loop', '-1', '-i', at('v.mp4'), '-i', at('long.wav'),
        '-map', '0:v', '-map', '1:a', '-t', '48', '-preset', 'veryfast', at('long.mp4'));
    const data = new FormData();
    data.append('model', FAST);
    data.append('options', JSON.stringify({ active_speaker_detection: { auto_detect: true } }));
    data.append('audio', new Blob([fs.readFileSync(at('long.wav'))]), 'long.wav');
    data.append('video', new Blob([fs.readFileSync(at('long.mp4'))]), 'long.mp4');
    const made = async () => (await (await raw('/v2/generate', { method: 'POST',
        body: data })).json()).id;
    const bytes = async g => Buffer.from(await (await fetch(g.outputUrl)).arrayBuffer());
    workers.push(startWorker(...database, '--part-seconds', '0'));
    const alone = await over(await made());
    workers.pop().kill('SIGTERM');
    for (let i = 0; i < 3; i++)
        workers.push(startWorker(...database, '--part-seconds', '10'));
    const together = await over(await made());
    assert.equal(together.status, 'COMPLETED', log);
    const done = what => log.split(`${together.id}, attempt 1: ${what} part `).slice(1)
        .filter(t => /^\d+ of 4: done/.test(t)).length;
    assert.ok(done('look at') >= 1 && done('draw') >= 2, log);
    assert.ok((await bytes(alone)).equals(await bytes(together)), 'another film');
    await eventually(() => !fs.readdirSync(at('data/work')).length);
    console.log(`one film by three workers, the same bytes: ${done('look at')} of 4 parts looked `
        + `at by others, ${done('draw')} drawn`);
    workers.splice(0).forEach(w => w.kill('SIGTERM'));
}

const statuses = async () => (await (await raw('/v2/generations?limit=100')).json())
    .map(g => g.status);

main(async () => {
    makeMedia();
    await new Promise(ready => receiver.listen(0, '127.0.0.1', ready));
    const hook = `http://127.0.0.1:${receiver.address().port}/`;
    await serving();
    const first = await client().generations.createWithFiles(fs.createReadStream(at('v.mp4')),
        fs.createReadStream(at('a.wav')), { model: FAST, webhookUrl: hook,
            options: { sync_mode: 'cut_off' } });
    for (let i = 1; i < JOBS; i++)
        await client().generations.create({ model: FAST, input: first.input, webhookUrl: hook,
            options: { sync_mode: 'cut_off' } });
    assert.ok((await statuses()).every(s => s === 'PENDING'), 'the server itself takes no job');
    workers.push(startWorker(...database), startWorker(...database));
    const killed = { worker: 0, job: 0, server: 0, nobody: 0 };
    const begin = Date.now();
    for (let now = await statuses(); !now.every(s => FINAL.includes(s)); now = await statuses()) {
        assert.ok(Date.now() - begin < 1000 * (60 + 20 * JOBS), `${now}: ${log}`);
        if (killed.worker + killed.job + killed.server < JOBS)
            killed[await killSomebody()]++;
        await sleep(500 + random(1500));
    }
    const all = await client().generations.list();
    assert.equal(all.length, JOBS);
    const failed = all.filter(g => g.status !== 'COMPLETED');
    // One whose own process was killed three times has failed, and says so.
    assert.ok(failed.every(g => g.errorCode === 'generation_pipeline_failed'), log);
    assert.ok(failed.length <= killed.job / 3, `${failed.length} failed: ${log}`);
    for (const g of all.filter(g => g.status === 'COMPLETED')) {
        assert.equal((await fetch(g.outputUrl)).status, 200);
        const times = log.split(`${g.id}, attempt`).filter(t => / \d+: completed/.test(
            t.split('\n')[0])).length;
        assert.ok(times <= 1, `${g.id} was completed ${times} times`);
    }
    for (let i = 0; i < 200 && told.size < JOBS; i++)
        await sleep(100);
    for (const g of all)
        assert.deepEqual([...(told.get(g.id) ?? [])], [g.status], `${g.id}: ${log}`);
    workers.splice(0).forEach(w => w.kill('SIGTERM'));
    await parts();
    console.log(`${JOBS} jobs, killed:`, killed, `failed: ${failed.length}`,
        `${Math.round((Date.now() - begin) / 1000)} s`);
    assert.equal(await stopServer('SIGTERM'), 0, log);
    receiver.close();
});
