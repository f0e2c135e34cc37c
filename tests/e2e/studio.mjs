// SPDX-License-Identifier: MIT
// The studio in a real browser: from the key to the download, by mouse and by keyboard, in both
// themes and on a small screen, without a finding of axe-core.
//
//     studio.mjs LIPSYNC NODE_MODULES CLIP      (serve.sh says what is missing, and skips then)
//
// With LIPSYNC_SHOTS=FOLDER it leaves a picture of each view there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { at, base, key, log, main, makeMedia, modules, raw, run, seconds, startServer, stopServer }
    from './service.mjs';

const require = createRequire(path.join(modules, 'x.js'));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find(p => fs.existsSync(p));
const shots = process.env.LIPSYNC_SHOTS;
let page;
const faults = [];

async function shot(name) {
    if (shots)
        await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}

// No finding of axe-core, in both themes. The page forbids scripts in it, so it is evaluated.
async function accessible(name) {
    for (const theme of ['light', 'dark']) {
        await page.evaluate(t => { document.documentElement.dataset.theme = t; }, theme);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
        assert.deepEqual(violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 160))]), [],
            `${name}, ${theme}`);
        await shot(`${name}-${theme}`);
    }
}

// Nothing is wider than the screen, down to a small telephone.
async function fits(name) {
    for (const width of [768, 360]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(100);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${name}: ${wide} pixels wide on a screen of ${width}`);
        await shot(`${name}-${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
}

async function unlock() {
    await page.goto(base);
    await page.getByLabel('API key').fill('sk-wrong');
    await page.getByRole('button', { name: 'Open the studio' }).click();
    await page.getByText('does not know this key').waitFor();
    await accessible('welcome');
    await page.getByLabel('API key').fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Make a film speak' }).waitFor();
    await fits('create-empty');
}

const choose = (title, file) => page.getByLabel(title).setInputFiles(file);
const start = () => page.getByRole('button', { name: 'Make it speak' });

async function create() {
    assert.ok(await start().isDisabled());
    await choose('Drop a film or a picture here', at('v.mp4'));
    const face = page.getByRole('button', { name: 'Face 1: this one shall speak' });
    await face.waitFor({ timeout: 60000 });
    await face.click();
    assert.equal(await face.getAttribute('aria-pressed'), 'true');
    assert.ok(await start().isDisabled(), 'without a voice');
    await choose('Drop a voice here', at('a.wav'));
    await page.getByText('Fast', { exact: true }).click();
    await page.getByLabel('When voice and film differ in length').selectOption('cut_off');
    await page.getByText('Show as code').click();
    const code = page.locator('pre');
    assert.match(await code.textContent(), /"coordinates": \[/);
    await page.getByRole('button', { name: 'Command line' }).click();
    assert.match(await code.textContent(), /^lipsync film\.mp4 voice\.wav -o out\.mp4 --tier fast/);
    await accessible('create');
    await fits('create');
    await start().click();
    await page.waitForURL(/#job\//);
}

// The result plays, the original follows, and the download is the film.
async function result() {
    await page.getByText('Download').waitFor({ timeout: 120000 });
    await page.getByText(/frames, \d+ % of them follow the voice/).waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll('.compare video')]
        .every(v => v.readyState >= 2));
    await page.getByRole('slider', { name: 'Position' }).fill('0.5');
    await page.waitForFunction(() => {
        const [before, after] = document.querySelectorAll('.compare video');
        return after.currentTime > 0.5 && Math.abs(before.currentTime - after.currentTime) < 0.1;
    });
    for (const view of ['Wipe', 'Result', 'Side by side'])
        await page.getByRole('button', { name: view }).click();
    await page.getByLabel('Speed').selectOption('0.5');
    const drawn = await page.evaluate(() => {
        const canvas = document.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some(v => v);
    });
    assert.ok(drawn, 'the time line is empty');
    await accessible('result');
    await fits('result');
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download' }).click()]);
    await download.saveAs(at('got.mp4'));
    assert.ok(Math.abs(seconds(at('got.mp4')) - 1.6) < 0.1);
}

// A text instead of a voice file, an image instead of a film; by the keyboard alone from there.
async function pictureAndText() {
    await page.goto(`${base}/#create`);
    await page.reload();
    await choose('Drop a film or a picture here', at('face.png'));
    await page.getByRole('button', { name: 'Face 1: this one shall speak' }).waitFor();
    await page.getByRole('button', { name: 'Text' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Text', { exact: true }).fill('Good morning.');
    await page.getByRole('button', { name: 'Listen' }).click();
    await page.waitForFunction(() => {
        const heard = document.querySelector('audio');
        return !heard.hidden && heard.duration > 0.3 && heard.duration < 3;
    });
    await accessible('text');
    await page.getByLabel('Name of the result').fill('good morning');
    await start().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/#job\//);
    await page.getByRole('heading', { name: 'good_morning' }).waitFor();
    await page.getByRole('link', { name: 'Download' }).waitFor({ timeout: 120000 });
}

// How much a half of the result differs from the film's, in small (the grain does not count).
function changed(half, result) {
    const crop = `crop=iw/2:ih:${half}*iw/2:0,extractplanes=y,scale=iw/8:ih/8:flags=area`;
    const text = run('ffmpeg', '-v', 'error', '-i', at('two.mp4'), '-i', result, '-lavfi',
        `[0:v]${crop}[a];[1:v]${crop}[b];[a][b]psnr=stats_file=-:shortest=1`, '-f', 'null', '-');
    const errors = text.match(/mse_avg:\S+/g).map(t => Number(t.slice(8)));
    return errors.reduce((a, b) => a + b) / errors.length;
}

// Of two faces the one that is clicked speaks, with what the microphone hears; a recording that is
// given up for a text is not used.
async function twoFacesAndMicrophone() {
    run('ffmpeg', '-v', 'error', '-i', at('v.mp4'), '-vf', 'split[a][b];[b]hflip[c];[a][c]hstack',
        '-c:v', 'libx264', '-crf', '10', at('two.mp4'));
    await page.goto(`${base}/#create`);
    await page.reload();
    await choose('Drop a film or a picture here', at('two.mp4'));
    await page.getByText('2 faces are seen').waitFor({ timeout: 60000 });
    const faces = await page.locator('.spot').all();
    await faces[0].click();
    await faces[1].click();
    const pressed = await Promise.all(faces.map(face => face.getAttribute('aria-pressed')));
    assert.deepEqual(pressed, ['false', 'true']);
    const middles = await Promise.all(faces.map(async face => (await face.boundingBox()).x));
    assert.ok(middles[0] < middles[1], 'they are not numbered from the left');
    await page.getByRole('button', { name: 'Microphone' }).click();
    await page.getByRole('button', { name: 'Record' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByRole('button', { name: 'Text' }).click();
    await page.getByLabel('Text', { exact: true }).waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.getByText('recording.webm').count(), 0, 'given up, and kept');
    await page.getByRole('button', { name: 'Microphone' }).click();
    await page.getByRole('button', { name: 'Record' }).click();
    await page.getByText('1 s', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('recording.webm').waitFor();
    await accessible('two-faces');
    await page.waitForFunction(() => !document.querySelector('button[type=submit]')?.disabled);
    await start().click();
    await page.waitForURL(/#job\//);
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download' }).click({ timeout: 120000 })]);
    await download.saveAs(at('spoken.mp4'));
    const right = Number(middles[1] > middles[0]);
    const spoke = changed(right, at('spoken.mp4')), silent = changed(1 - right, at('spoken.mp4'));
    assert.ok(spoke > 3 * silent, `${spoke} where it spoke, ${silent} beside it`);
}

async function cancelAndFail() {
    const form = file => {
        const data = new FormData();
        data.append('model', 'lipsync-2-pro');
        data.append('video', new Blob([fs.readFileSync(at(file))]), file);
        data.append('audio', new Blob([fs.readFileSync(at('a.wav'))]), 'a.wav');
        return data;
    };
    const made = async file => (await (await raw('/v2/generate', { method: 'POST',
        body: form(file) })).json()).id;
    const long = await made('v.mp4'), broken = await made('broken.mp4');
    await page.goto(`${base}/#job/${long}`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('It was cancelled.').waitFor({ timeout: 30000 });
    await page.goto(`${base}/#job/${broken}`);
    await page.getByText('generation_input_video_invalid').waitFor({ timeout: 60000 });
    await accessible('failed');
}

async function lists() {
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('link', { name: 'good_morning' }).waitFor();
    await accessible('history');
    await fits('history');
    const rows = await page.locator('tbody tr').count();
    await page.getByRole('button', { name: 'Remove good_morning' }).click();
    await page.waitForFunction(n => document.querySelectorAll('tbody tr').length === n, rows - 1);
    await page.getByRole('link', { name: 'Batch' }).click();
    await page.getByLabel('Recording').selectOption({ label: 'v.mp4' });
    await page.getByLabel('Messages, one a line').fill('Hello Anna.\nHello Ben.');
    await page.getByRole('button', { name: 'Make them all' }).click();
    await page.getByText('2 good, 0 failed').waitFor({ timeout: 120000 });
    await accessible('batch');
    await fits('batch');
    await page.getByRole('link', { name: 'Keys & usage' }).click();
    await page.getByLabel('New key').fill('for a test');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('Shown this once').waitFor();
    await accessible('account');
    await fits('account');
    await page.getByRole('button', { name: 'Revoke for a test' }).click();
    await page.getByRole('button', { name: 'Revoke for a test' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText(/whsec_[0-9a-f]{64}/).waitFor();
}

main(async () => {
    makeMedia();
    await startServer();
    const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox',
        '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
        `--use-file-for-fake-audio-capture=${at('a.wav')}`] });
    try {
        page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        page.setDefaultTimeout(20000);
        page.on('pageerror', error => faults.push(error.stack));
        page.on('console', message => message.type() === 'error' &&
            !message.text().includes('status of 401') && faults.push(message.text()));
        await unlock();
        await create();
        await result();
        await pictureAndText();
        await twoFacesAndMicrophone();
        await cancelAndFail();
        await lists();
        assert.deepEqual(faults, []);
    } catch (error) {
        await shot('trouble');
        console.log(faults.join('\n'));
        throw error;
    } finally {
        await browser.close();
    }
    assert.equal(await stopServer('SIGTERM'), 0, log);
});
