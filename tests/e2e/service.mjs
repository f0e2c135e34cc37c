// SPDX-License-Identifier: MIT
// What the tests of `lipsync serve` share: a server, media, and the official SDK as its client.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

export const [lipsync, modules, clip] = process.argv.slice(2);
export const { SyncClient, SyncError, Sync } =
    createRequire(path.resolve(modules, 'x.js'))('@sync.so/sdk');
export const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lipsync-serve-'));
export const at = name => path.join(folder, name);
export const FAST = 'lipsync-1.9.0-beta';
export const FINAL = ['COMPLETED', 'FAILED', 'REJECTED'];
export const sleep = ms => new Promise(done => setTimeout(done, ms));

// What the server does just after the client can know that a job is over: log, and tidy up.
export async function eventually(check, seconds = 5) {
    for (let i = 0; i < 20 * seconds; i++) {
        if (check())
            return;
        await sleep(50);
    }
    assert.ok(check(), `${check}: ${log}`);
}

// The same files each time: what x264 writes depends on what malloc left in its memory, which the
// test runner fills with a random byte.
export function run(program, ...args) {
    const env = { ...process.env, MALLOC_PERTURB_: '0' };
    const done = spawnSync(program, args, { encoding: 'utf8', env });
    assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
}

export function makeMedia() {
    run('ffmpeg', '-v', 'error', '-ss', '60', '-t', '2', '-i', clip, '-an', '-c:v', 'libx264',
        '-crf', '20', at('v.mp4'));
    const syllables = '0.4*sin(2*PI*140*t)*(0.5+0.5*sin(2*PI*4*t))*gt(sin(2*PI*0.7*t),-0.6)';
    run('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', `aevalsrc='${syllables}':s=44100:d=1.6`,
        at('a.wav'));
    run('ffmpeg', '-v', 'error', '-i', at('v.mp4'), '-frames:v', '1', at('face.png'));
    fs.writeFileSync(at('broken.mp4'), Buffer.alloc(20000, 'no film at all '));
}

export function seconds(file) {
    return Number(run('ffprobe', '-v', 'error', '-show_entries', 'format=duration', '-of',
        'csv=p=0', file));
}

// The server --------------------------------------------------------------------------------------

export let server, base, key, log = '';
let port = '0'; // any, and from then on the same

export async function startServer(...more) {
    server = spawn(lipsync, ['serve', '--data', at('data'), '--port', port, '--fetch', 'any',
        '--threads', '1', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    server.stdout.on('data', text => { said += text; });
    server.stderr.on('data', text => { log += text; });
    for (let i = 0; i < 600 && !/listening on (\S+)/.test(said); i++) {
        assert.equal(server.exitCode, null, `the server ended: ${log}`);
        await sleep(50);
    }
    base = /listening on (\S+)/.exec(said)[1];
    port = new URL(base).port;
    key = /(sk-[0-9a-f]{64})/.exec(said)?.[1] ?? key;
    return said;
}

// A process that takes the server's jobs.
export function startWorker(...more) {
    const worker = spawn(lipsync, ['worker', '--fetch', 'any', '--threads', '1', '--data',
        at('data'), ...more], { stdio: ['ignore', 'ignore', 'pipe'] });
    worker.stderr.on('data', text => { log += text; });
    return worker;
}

export async function stopServer(signal) {
    const ended = new Promise(done => server.once('exit', (code, by) => done(by ?? code)));
    server.kill(signal);
    return ended;
}

// Processes that the server started, by /proc.
export function children(pid) {
    return fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(name => {
        try {
            const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
            return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
        } catch {
            return false;
        }
    }).map(Number);
}

export async function someChild() {
    for (let i = 0; i < 600; i++) {
        const found = children(server.pid);
        if (found.length)
            return found[0];
        await sleep(50);
    }
    throw new Error('no process for the job');
}

export const client = () => new SyncClient({ baseUrl: base, apiKey: key });
export const raw = (where, options = {}) => fetch(base + where, {
    ...options, headers: { 'x-api-key': key, ...options.headers } });

export async function over(id, seconds = 600) {
    for (let i = 0; i < seconds; i += 10) {
        const g = await (await raw(`/v2/generate/${id}?wait=true&timeout=10`)).json();
        if (FINAL.includes(g.status))
            return g;
    }
    throw new Error(`${id} is never over: ${log}`);
}

export const createFromFiles = (options = { sync_mode: 'cut_off' }, video = 'v.mp4') =>
    client().generations.createWithFiles(fs.createReadStream(at(video)),
        fs.createReadStream(at('a.wav')), { model: FAST, options });

export async function throws(promise, type, status, code) {
    try {
        await promise;
    } catch (error) {
        assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
        assert.equal(error.statusCode, status);
        assert.ok(error.body.message);
        if (code)
            assert.equal(error.body.errorCode, code);
        return;
    }
    throw new Error(`no error ${status} ${code}`);
}

// Runs the test, says what the server said where it fails, and leaves nothing behind.
export async function main(test) {
    try {
        await test();
    } catch (error) {
        console.log(log);
        throw error;
    } finally {
        server?.kill('SIGKILL');
        fs.rmSync(folder, { recursive: true, force: true });
    }
    console.log('all well');
}
